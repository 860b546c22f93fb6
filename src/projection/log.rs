//! Every event of the run, kept as the line that a recording would hold, or as the place of that
//! line in the file that was read.
//!
//! A decoded event takes about a kilobyte, its line a third of that, its place eight bytes; so an
//! event is decoded when somebody looks at it. It must not interpret what it keeps.

use std::{borrow::Cow, fmt, num::NonZeroU32, sync::Arc};

use crate::{
    support::text::one_line,
    trace::{TraceEvent, codec, lines::SharedLines},
};

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
    /// Where the lines of chunks that hold none lie.
    source: Option<SharedLines>,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    /// The lines, one after the other; empty if they lie elsewhere.
    text: String,
    /// Where each line ends in `text`; or where it begins in the source.
    places: Vec<u64>,
}

impl Chunk {
    /// Forgets what lies behind the first `count` lines.
    fn cut(&mut self, count: usize) {
        self.places.truncate(count);
        let end = self.places.last().map_or(0, |end| index(*end));
        if end <= self.text.len() {
            self.text.truncate(end);
        }
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
    /// An empty log of events whose lines lie in `source`.
    pub(super) fn of(source: SharedLines) -> Self {
        Self {
            source: Some(source),
            ..Self::default()
        }
    }

    /// Appends an event and tells its place.
    pub(super) fn push(&mut self, event: &TraceEvent) -> Seq {
        self.push_line(&codec::encode(event))
    }

    /// Appends an event whose line is at hand. A log with a source keeps no lines of its own: there
    /// such an event is counted and cannot be looked at.
    pub(super) fn push_line(&mut self, line: &str) -> Seq {
        if self.source.is_some() {
            return self.push_place(u64::MAX);
        }
        self.add(|tail| {
            tail.text.push_str(line.trim_end_matches('\n'));
            tail.places.push(tail.text.len() as u64);
        })
    }

    /// Appends an event whose line begins at this byte of the source.
    pub(super) fn push_place(&mut self, start: u64) -> Seq {
        self.add(|tail| tail.places.push(start))
    }

    fn add(&mut self, line: impl FnOnce(&mut Chunk)) -> Seq {
        if self.len.is_multiple_of(CHUNK) {
            if let Some(full) = self.chunks.last_mut() {
                let full = Arc::make_mut(full);
                full.text.shrink_to_fit();
                full.places.shrink_to_fit();
            }
            self.chunks.push(Arc::default());
        }
        let kept = self.len % CHUNK;
        if let Some(tail) = self.chunks.last_mut() {
            let tail = Arc::make_mut(tail);
            tail.cut(kept);
            line(tail);
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
            source: self.source.clone(),
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
        self.source.clone_from(&whole.source);
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

    /// The event's line, without its line feed; `None` past the end, or if the source does not
    /// give it any more.
    #[must_use]
    pub fn line(&self, seq: Seq) -> Option<Cow<'_, str>> {
        self.read(seq).ok()
    }

    /// [`Self::line`], with the reason why there is none.
    ///
    /// # Errors
    /// A few words, if there is no such event or its source does not give it any more.
    pub fn read(&self, seq: Seq) -> Result<Cow<'_, str>, String> {
        let place = seq.index() % CHUNK;
        let chunk = self.chunks.get(seq.index() / CHUNK);
        let chunk = chunk.filter(|_| seq.index() < self.len);
        let Some((chunk, at)) = chunk.and_then(|chunk| Some((chunk, *chunk.places.get(place)?)))
        else {
            return Err("there is no such event".to_owned());
        };
        if let Some(source) = &self.source {
            let line = source.line(at);
            return line
                .map(Cow::Owned)
                .map_err(|error| one_line(&error.to_string()));
        }
        let start = place
            .checked_sub(1)
            .and_then(|before| chunk.places.get(before));
        let start = start.map_or(0, |end| index(*end));
        let line = chunk.text.get(start..index(at)).unwrap_or_default();
        Ok(Cow::Borrowed(line))
    }

    /// Every line from the beginning, without line feeds; one that the source does not give any
    /// more is left out.
    pub fn lines(&self) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.len).filter_map(|index| self.line(Seq::at(index)))
    }

    /// The event itself, decoded anew: for the rows in view, not for all.
    #[must_use]
    pub fn event(&self, seq: Seq) -> Option<TraceEvent> {
        codec::decode(&self.line(seq)?, seq.index() as u64 + 2).ok()
    }

    /// [`Self::event`] for folding: without what no read model keeps.
    pub(super) fn skim(&self, seq: Seq) -> Option<TraceEvent> {
        codec::skim(&self.line(seq)?, seq.index() as u64 + 2).ok()
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

/// A place in a text that is in memory.
fn index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
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
            assert_eq!(log.line(Seq::at(n)), Some(format!("line {n}").into()));
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
        assert_eq!(part.line(Seq::at(CHUNK + 1)), Some("another".into()));
        assert_eq!(
            whole.line(Seq::at(CHUNK + 1)),
            Some(format!("line {}", CHUNK + 1).into())
        );
        assert_eq!(whole.prefix(whole.len()).follow(&whole), None);
    }
}
