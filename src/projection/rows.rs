//! A list that only grows, whose copies share what they have in common.
//!
//! A copy costs a pointer per group of chunks, and a change after it one group's pointers and one chunk:
//! that is what lets a checkpoint of a million rows be kept every few thousand events. It must not know
//! what a row is.

use std::{fmt, ops::Index, sync::Arc};

/// Rows in order of arrival.
#[derive(Clone)]
pub struct Rows<T> {
    /// All full but the last one, and so are the chunks of a group.
    groups: Vec<Arc<Group<T>>>,
    len: usize,
}

type Group<T> = Vec<Arc<Vec<T>>>;

/// Chunks per group. With fewer, a copy's list is longer; with more, the first change after it copies
/// more pointers.
const GROUP: usize = 32;

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
            groups: Vec::new(),
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
        let chunk = at / Self::CHUNK;
        self.groups
            .get(chunk / GROUP)?
            .get(chunk % GROUP)?
            .get(at % Self::CHUNK)
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
        let groups = same(&self.groups, &other.groups);
        let chunks = match (self.groups.get(groups), other.groups.get(groups)) {
            (Some(mine), Some(theirs)) => same(mine, theirs),
            (None, _) | (_, None) => 0,
        };
        let chunks = groups * GROUP + chunks;
        (chunks * Self::CHUNK).min(self.len).min(other.len)
    }
}

/// How many at the beginning are one and the same.
fn same<T>(mine: &[Arc<T>], theirs: &[Arc<T>]) -> usize {
    let pairs = mine.iter().zip(theirs);
    pairs
        .take_while(|(mine, theirs)| Arc::ptr_eq(mine, theirs))
        .count()
}

impl<T: Clone> Rows<T> {
    /// Adds a row at the end.
    pub fn push(&mut self, row: T) {
        let chunk = self.open_chunk();
        chunk.push(row);
        if chunk.len() == Self::CHUNK {
            chunk.shrink_to_fit();
        }
        self.len += 1;
    }

    /// The chunk that the next row goes to.
    fn open_chunk(&mut self) -> &mut Vec<T> {
        let chunk = self.len / Self::CHUNK;
        if self.len.is_multiple_of(Self::CHUNK) {
            if chunk.is_multiple_of(GROUP) {
                self.groups.push(Arc::default());
            }
            Arc::make_mut(&mut self.groups[chunk / GROUP]).push(Arc::default());
        }
        let group = Arc::make_mut(&mut self.groups[chunk / GROUP]);
        Arc::make_mut(&mut group[chunk % GROUP])
    }

    /// A row to be changed; copies of the list keep the old one.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        // Asked first: a row that is not there must not cost a copy.
        if at >= self.len {
            return None;
        }
        let chunk = at / Self::CHUNK;
        let group = Arc::make_mut(self.groups.get_mut(chunk / GROUP)?);
        Arc::make_mut(group.get_mut(chunk % GROUP)?).get_mut(at % Self::CHUNK)
    }

    /// Forgets the rows from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        let chunks = len.div_ceil(Self::CHUNK);
        self.groups.truncate(chunks.div_ceil(GROUP));
        let Some(group) = self.groups.last_mut() else {
            return;
        };
        let group = Arc::make_mut(group);
        group.truncate((chunks - 1) % GROUP + 1);
        let rest = len % Self::CHUNK;
        if rest > 0
            && let Some(chunk) = group.last_mut()
        {
            match Arc::get_mut(chunk) {
                Some(own) => own.truncate(rest),
                // Not `make_mut`: what goes away need not be copied.
                None => *chunk = Arc::new(chunk[..rest].to_vec()),
            }
        }
    }

    /// The first `len` rows; whole chunks are shared.
    #[must_use]
    pub fn prefix(&self, len: usize) -> Self {
        let groups = len.min(self.len).div_ceil(Self::CHUNK * GROUP);
        let mut part = Self {
            groups: self.groups[..groups].to_vec(),
            len: self.len.min(groups * GROUP * Self::CHUNK),
        };
        part.truncate(len);
        part
    }
}

impl<T> Index<usize> for Rows<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        let chunk = at / Self::CHUNK;
        &self.groups[chunk / GROUP][chunk % GROUP][at % Self::CHUNK]
    }
}

impl<T: fmt::Debug> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// What is shared is not looked into.
impl<T: PartialEq> PartialEq for Rows<T> {
    fn eq(&self, other: &Self) -> bool {
        let equal = |(mine, theirs): (&Arc<Vec<T>>, &Arc<Vec<T>>)| {
            Arc::ptr_eq(mine, theirs) || mine == theirs
        };
        self.len == other.len
            && self.groups.iter().zip(&other.groups).all(|(mine, theirs)| {
                Arc::ptr_eq(mine, theirs) || mine.iter().zip(&**theirs).all(equal)
            })
    }
}

impl<T: Eq> Eq for Rows<T> {}

impl<T: Clone> Extend<T> for Rows<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, rows: I) {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            // A chunk at a time: asking for each row whether its chunk is shared costs more than it.
            let room = Self::CHUNK - self.len % Self::CHUNK;
            let chunk = self.open_chunk();
            let before = chunk.len();
            chunk.extend(rows.by_ref().take(room));
            let added = chunk.len() - before;
            if chunk.len() == Self::CHUNK {
                chunk.shrink_to_fit();
            }
            self.len += added;
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
    fn groups_end_where_their_chunks_do() {
        let group = u32::try_from(1_024 * GROUP).unwrap();
        for len in [group - 1, group, group + 1, 2 * group, 2 * group + 1_025] {
            let mut rows = numbers(len);
            let copy = rows.clone();
            assert_eq!(rows.shared_with(&copy), len as usize);
            rows.push(7);
            assert_eq!(rows.last(), Some(&7));
            assert_eq!(rows.shared_with(&copy), (len - len % 1_024) as usize);
            *rows.get_mut(5).unwrap() = 7;
            assert_eq!((rows.shared_with(&copy), copy[5]), (0, 5));
            *rows.get_mut(5).unwrap() = 5;
            for shorter in [len, group, group - 1, 1_024, 1, 0] {
                rows.truncate(shorter as usize);
                assert_eq!(rows, numbers(shorter.min(len)), "{len} {shorter}");
                assert_eq!(copy.prefix(shorter as usize), rows, "{len} {shorter}");
            }
            rows.push(1);
            assert_eq!(rows, [1].into_iter().collect());
            assert!(copy.iter().copied().eq(0..len));
        }
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
