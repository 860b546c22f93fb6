//! Every event of the run, kept as the line that a recording would hold.
//!
//! A decoded event takes about a kilobyte, its line a third of that, so the log keeps lines and
//! decodes one when somebody looks at it. It must not interpret what it keeps.

use std::{fmt, num::NonZeroU32, sync::Arc};

use crate::trace::{TraceEvent, codec};

/// Lines per chunk: appending never copies more than one chunk, however long the log is.
const CHUNK: usize = 1024;

/// The place of an event in this log, from 0. It is ours: `TraceEvent::seq` is what a file claims.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(NonZeroU32);

impl Seq {
    /// The place as an index from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        (self.0.get() - 1) as usize
    }

    /// The place with this index; past the last one that can be told apart, that one.
    #[must_use]
    pub fn at(index: usize) -> Self {
        let number = u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1));
        Self(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index())
    }
}

/// All events in order of arrival. Cloning is cheap: full chunks are shared.
#[derive(Debug, Clone, Default)]
pub struct Log {
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    text: String,
    ends: Vec<usize>,
}

impl Chunk {
    /// Forgets what lies behind the first `count` lines.
    fn cut(&mut self, count: usize) {
        self.ends.truncate(count);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// Two logs are the same if their lines are: the last chunk may be shared with a longer log.
impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.lines().eq(other.lines())
    }
}

impl Eq for Log {}

impl Log {
    /// Appends an event and tells its place.
    pub(super) fn push(&mut self, event: &TraceEvent) -> Seq {
        self.push_line(&codec::encode(event))
    }

    /// Appends an event whose line is at hand.
    pub(super) fn push_line(&mut self, line: &str) -> Seq {
        if self.len.is_multiple_of(CHUNK) {
            if let Some(full) = self.chunks.last_mut() {
                Arc::make_mut(full).text.shrink_to_fit();
            }
            self.chunks.push(Arc::default());
        }
        let kept = self.len % CHUNK;
        if let Some(tail) = self.chunks.last_mut() {
            let tail = Arc::make_mut(tail);
            tail.cut(kept);
            tail.text.push_str(line.trim_end_matches('\n'));
            tail.ends.push(tail.text.len());
        }
        let seq = Seq::at(self.len);
        self.len += 1;
        seq
    }

    /// The first `len` events; every chunk is shared.
    pub(super) fn prefix(&self, len: usize) -> Self {
        let len = len.min(self.len);
        Self {
            chunks: self.chunks[..len.div_ceil(CHUNK)].to_vec(),
            len,
        }
    }

    /// Takes over the next event of `whole`, which this log is the beginning of.
    pub(super) fn follow(&mut self, whole: &Self) -> Option<Seq> {
        if self.len >= whole.len {
            return None;
        }
        let chunk = whole.chunks.get(self.len / CHUNK)?;
        match self.chunks.get_mut(self.len / CHUNK) {
            Some(own) if Arc::ptr_eq(own, chunk) => {}
            Some(own) => *own = Arc::clone(chunk),
            None => self.chunks.push(Arc::clone(chunk)),
        }
        self.len += 1;
        Some(Seq::at(self.len - 1))
    }

    /// The number of events.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The event's line, without its line feed.
    #[must_use]
    pub fn line(&self, seq: Seq) -> Option<&str> {
        if seq.index() >= self.len {
            return None;
        }
        let chunk = self.chunks.get(seq.index() / CHUNK)?;
        let place = seq.index() % CHUNK;
        let end = *chunk.ends.get(place)?;
        let start = place
            .checked_sub(1)
            .and_then(|before| chunk.ends.get(before))
            .map_or(0, |end| *end);
        chunk.text.get(start..end)
    }

    /// Every line from the beginning, without line feeds.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        (0..self.len).filter_map(|index| self.line(Seq::at(index)))
    }

    /// The event itself, decoded anew: for the rows in view, not for all.
    #[must_use]
    pub fn event(&self, seq: Seq) -> Option<TraceEvent> {
        codec::decode(self.line(seq)?, seq.index() as u64 + 2).ok()
    }

    /// The last event's place.
    #[must_use]
    pub fn last(&self) -> Option<Seq> {
        self.len.checked_sub(1).map(Seq::at)
    }

    /// Bytes of text that the log holds; of a chunk that is shared with a longer log, all.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.text.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_again_across_chunks() {
        let mut log = Log::default();
        for n in 0..CHUNK * 2 + 3 {
            assert_eq!(log.push_line(&format!("line {n}\n")).index(), n);
        }
        for n in [0, 1, CHUNK - 1, CHUNK, CHUNK * 2 + 2] {
            assert_eq!(log.line(Seq::at(n)), Some(format!("line {n}").as_str()));
        }
        assert_eq!(log.line(Seq::at(CHUNK * 2 + 3)), None);
        assert_eq!(log.line(Seq::at(usize::MAX)), None);
    }

    #[test]
    fn a_prefix_shares_grows_along_and_may_go_its_own_way() {
        let mut whole = Log::default();
        for n in 0..CHUNK + 9 {
            whole.push_line(&format!("line {n}"));
        }
        let mut part = whole.prefix(CHUNK - 1);
        assert_eq!(part.line(Seq::at(CHUNK - 1)), None);
        assert_eq!(part.follow(&whole), Some(Seq::at(CHUNK - 1)));
        assert_eq!(part.follow(&whole), Some(Seq::at(CHUNK)));
        assert_eq!(part, whole.prefix(CHUNK + 1));
        part.push_line("another");
        assert_eq!(part.line(Seq::at(CHUNK + 1)), Some("another"));
        assert_eq!(
            whole.line(Seq::at(CHUNK + 1)),
            Some(format!("line {}", CHUNK + 1).as_str())
        );
        assert_eq!(whole.prefix(whole.len()).follow(&whole), None);
    }
}
