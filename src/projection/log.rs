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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Chunk {
    text: String,
    ends: Vec<usize>,
}

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
        if let Some(tail) = self.chunks.last_mut() {
            let tail = Arc::make_mut(tail);
            tail.text.push_str(line.trim_end_matches('\n'));
            tail.ends.push(tail.text.len());
        }
        let seq = Seq::at(self.len);
        self.len += 1;
        seq
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

    /// Bytes of text that the log holds.
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
}
