//! A list that only grows, whose copies share what they have in common.
//!
//! A copy costs a pointer per chunk, and a change after it one chunk: that is what lets a
//! checkpoint of a million rows be kept every few thousand events. It must not know what a row is.

use std::{fmt, ops::Index, sync::Arc};

/// Rows in order of arrival.
#[derive(Clone)]
pub struct Rows<T> {
    /// All full but the last one.
    chunks: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Rows<T> {
    /// No rows.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            len: 0,
        }
    }

    /// Rows per chunk, a power of two: small rows stand closer, so that the list of chunks is short.
    const CHUNK: usize = match size_of::<T>() {
        0..=16 => 1024,
        17..=64 => 256,
        _ => 64,
    };

    /// The number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[must_use]
    pub fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / Self::CHUNK)?.get(at % Self::CHUNK)
    }

    #[must_use]
    pub fn first(&self) -> Option<&T> {
        self.get(0)
    }

    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.get(self.len.checked_sub(1)?)
    }

    /// All rows; going to a far one costs as much as to the next.
    #[must_use]
    pub const fn iter(&self) -> Iter<'_, T> {
        Iter {
            rows: self,
            from: 0,
            to: self.len,
        }
    }

    /// The rows from `from` on; none past the end.
    #[must_use]
    pub fn from(&self, from: usize) -> Iter<'_, T> {
        Iter {
            rows: self,
            from: from.min(self.len),
            to: self.len,
        }
    }

    /// The number of rows at the beginning for which `is` holds, where it holds for no later one.
    pub fn partition_point(&self, mut is: impl FnMut(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(&mut is) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The place of the row with this key, where rows are in order of their keys.
    ///
    /// # Errors
    /// The place where such a row would stand, if there is none.
    pub fn binary_search_by_key<K: Ord>(
        &self,
        key: &K,
        mut of: impl FnMut(&T) -> K,
    ) -> Result<usize, usize> {
        let at = self.partition_point(|row| of(row) < *key);
        match self.get(at) {
            Some(row) if of(row) == *key => Ok(at),
            Some(_) | None => Err(at),
        }
    }

    /// How many rows at the beginning are one and the same in both, by where they are kept: at
    /// least so many are equal, and finding out takes no look at them.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> usize {
        let chunks = self
            .chunks
            .iter()
            .zip(&other.chunks)
            .take_while(|(mine, theirs)| Arc::ptr_eq(mine, theirs))
            .count();
        (chunks * Self::CHUNK).min(self.len).min(other.len)
    }
}

impl<T: Clone> Rows<T> {
    /// Adds a row at the end.
    pub fn push(&mut self, row: T) {
        if self.len.is_multiple_of(Self::CHUNK) {
            self.chunks.push(Arc::default());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            let chunk = Arc::make_mut(chunk);
            chunk.push(row);
            if chunk.len() == Self::CHUNK {
                chunk.shrink_to_fit();
            }
        }
        self.len += 1;
    }

    /// A row to be changed; copies of the list keep the old one.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(at / Self::CHUNK)?;
        // Asked first: a row that is not there must not cost a copy.
        if at % Self::CHUNK >= chunk.len() {
            return None;
        }
        Arc::make_mut(chunk).get_mut(at % Self::CHUNK)
    }

    /// Forgets the rows from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.chunks.truncate(len.div_ceil(Self::CHUNK));
        let rest = len % Self::CHUNK;
        if rest > 0
            && let Some(chunk) = self.chunks.last_mut()
        {
            match Arc::get_mut(chunk) {
                Some(own) => own.truncate(rest),
                // Not `make_mut`: what goes away need not be copied.
                None => *chunk = Arc::new(chunk[..rest].to_vec()),
            }
        }
        self.len = len;
    }

    /// The first `len` rows; whole chunks are shared.
    #[must_use]
    pub fn prefix(&self, len: usize) -> Self {
        let len = len.min(self.len);
        let mut part = Self {
            chunks: self.chunks[..len.div_ceil(Self::CHUNK)].to_vec(),
            len: self.len.min(len.div_ceil(Self::CHUNK) * Self::CHUNK),
        };
        part.truncate(len);
        part
    }
}

impl<T> Index<usize> for Rows<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.chunks[at / Self::CHUNK][at % Self::CHUNK]
    }
}

impl<T: fmt::Debug> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// Chunks that are shared are not looked into.
impl<T: PartialEq> PartialEq for Rows<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self
                .chunks
                .iter()
                .zip(&other.chunks)
                .all(|(mine, theirs)| Arc::ptr_eq(mine, theirs) || mine == theirs)
    }
}

impl<T: Eq> Eq for Rows<T> {}

impl<T: Clone> Extend<T> for Rows<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, rows: I) {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            if self.len.is_multiple_of(Self::CHUNK) {
                self.chunks.push(Arc::default());
            }
            // A chunk at a time: asking for each row whether its chunk is shared costs more than it.
            let room = Self::CHUNK - self.len % Self::CHUNK;
            let Some(chunk) = self.chunks.last_mut() else {
                return;
            };
            let chunk = Arc::make_mut(chunk);
            let before = chunk.len();
            chunk.extend(rows.by_ref().take(room));
            self.len += chunk.len() - before;
            if chunk.len() == Self::CHUNK {
                chunk.shrink_to_fit();
            }
        }
    }
}

impl<T: Clone> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        let mut list = Self::default();
        list.extend(rows);
        list
    }
}

impl<'a, T> IntoIterator for &'a Rows<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Goes through [`Rows`], from both ends.
#[derive(Debug)]
pub struct Iter<'a, T> {
    rows: &'a Rows<T>,
    from: usize,
    to: usize,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.nth(0)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.to - self.from, Some(self.to - self.from))
    }

    fn nth(&mut self, n: usize) -> Option<&'a T> {
        let at = self.from.saturating_add(n).min(self.to);
        if at == self.to {
            self.from = at;
            return None;
        }
        self.from = at + 1;
        self.rows.get(at)
    }
}

impl<T> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.nth_back(0)
    }

    fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
        if n >= self.to - self.from {
            self.to = self.from;
            return None;
        }
        self.to -= n + 1;
        self.rows.get(self.to)
    }
}

impl<T> ExactSizeIterator for Iter<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: u32) -> Rows<u32> {
        (0..count).collect()
    }

    #[test]
    fn rows_are_found_from_both_ends_and_across_chunks() {
        let rows = numbers(2_500);
        assert_eq!(
            (rows.len(), rows[1_024], rows.last()),
            (2_500, 1_024, Some(&2_499))
        );
        assert_eq!(rows.get(2_500), None);
        assert!(rows.iter().copied().eq(0..2_500));
        assert!(rows.iter().rev().copied().eq((0..2_500).rev()));
        assert!(rows.iter().skip(2_000).copied().eq(2_000..2_500));
        assert!(rows.iter().rev().skip(2_000).copied().eq((0..500).rev()));
        assert!(rows.from(2_499).copied().eq([2_499]));
        assert_eq!(rows.from(9_999).next(), None);
        assert_eq!(rows.partition_point(|row| *row < 1_777), 1_777);
    }

    #[test]
    fn a_copy_keeps_what_it_saw_and_shares_the_rest() {
        let mut rows = numbers(2_500);
        let copy = rows.clone();
        rows.push(7);
        *rows.get_mut(1_500).unwrap() = 0;
        assert!(copy.iter().copied().eq(0..2_500));
        assert_eq!((rows[1_500], rows.len()), (0, 2_501));
        assert_eq!(rows.shared_with(&copy), 1_024);
        assert_ne!(rows, copy);
        *rows.get_mut(1_500).unwrap() = 1_500;
        rows.truncate(2_500);
        assert_eq!(rows, copy);
    }

    #[test]
    fn rows_that_come_together_are_rows_that_came_one_by_one() {
        for (before, more) in [
            (0, 0),
            (0, 1),
            (0, 1_024),
            (5, 1_019),
            (1_000, 3_000),
            (1_024, 0),
        ] {
            let (mut together, mut singly) = (numbers(before), numbers(before));
            let shared = together.clone();
            together.extend(7..7 + more);
            for row in 7..7 + more {
                singly.push(row);
            }
            assert_eq!(together, singly, "{before} {more}");
            assert_eq!(together.len(), (before + more) as usize);
            together.push(1);
            assert_eq!(together.last(), Some(&1));
            assert_eq!(shared.len(), before as usize, "a copy keeps what it saw");
        }
    }

    #[test]
    fn a_prefix_of_any_length_is_a_list_of_its_own() {
        let rows = numbers(2_500);
        for len in [0, 1, 1_023, 1_024, 1_025, 2_048, 2_499, 2_500, 9_000] {
            let mut part = rows.prefix(len);
            let end = u32::try_from(len.min(2_500)).unwrap();
            assert_eq!(part, numbers(end), "{len}");
            part.push(1);
            assert_eq!(part.last(), Some(&1), "{len}");
        }
        assert_eq!(rows, numbers(2_500));
    }
}
