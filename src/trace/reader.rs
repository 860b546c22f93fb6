//! Reads a trace line by line, whatever it holds: a torn end, damaged lines, lines of any length.
//!
//! Nothing that a trace says is opened, followed or run; a line is data. Memory is bounded by
//! [`MAX_LINE`], however long the file or a line of it is. Must not know where the bytes come from.

use std::io::{self, BufRead, Read as _};

use super::{
    TraceEvent,
    codec::{self, CodecError, Header, MAX_LINE},
};
use crate::support::files;

/// Goes through a trace.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    /// The line that is being put together; a writer may not have finished it yet.
    partial: Vec<u8>,
    /// The partial line is longer than may be read; the rest of it is skipped.
    overlong: bool,
    /// The number of the line being read, from 1.
    line: u64,
    /// The byte at which that line begins.
    start: u64,
    bytes: u64,
    limit: usize,
}

/// What the next line was.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Event(Box<Entry>),
    /// A line that could not be read, with its place; the ones after it can.
    Damaged(CodecError),
    /// The file ends within a line: its writer was stopped there, or has not finished.
    Torn,
    /// The file ends here, for now.
    End,
}

/// An event with the line that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub event: TraceEvent,
    /// As it stands in the file, without its line feed.
    pub line: String,
    /// The byte at which the line begins.
    pub start: u64,
}

/// Many lines as they came, so that they can be decoded on another thread than they were read on.
#[derive(Debug, Default)]
pub struct Batch {
    text: Vec<u8>,
    lines: Vec<Span>,
}

#[derive(Debug)]
struct Span {
    number: u64,
    start: u64,
    /// Where the line ends in the text; absent for one that was too long to be read.
    end: Option<usize>,
}

/// Bytes that a batch makes ready for, at most.
const MOST_AHEAD: usize = 1024 * 1024;

/// Why a batch ends where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEnd {
    /// It is full.
    More,
    /// As [`Item::Torn`].
    Torn,
    /// As [`Item::End`].
    End,
}

/// An event of a batch with the byte at which its line begins, or what is wrong with the line.
pub type Decoded = Result<(TraceEvent, u64), CodecError>;

impl Batch {
    /// Decodes the lines for folding ([`codec::skim`]), in order.
    #[must_use]
    pub fn decode(self, limit: usize) -> Vec<Decoded> {
        let mut from = 0;
        let mut decoded = Vec::with_capacity(self.lines.len());
        for line in self.lines {
            let Some(end) = line.end else {
                decoded.push(Err(too_long(line.number, limit)));
                continue;
            };
            let bytes = &self.text[from..end];
            from = end;
            match read(bytes, line.number, codec::skim) {
                Some(Ok((event, _))) => decoded.push(Ok((event, line.start))),
                Some(Err(error)) => decoded.push(Err(error)),
                None => {}
            }
        }
        decoded
    }
}

/// The event of a whole line, with the line's text; `None` for a blank line.
fn read(
    bytes: &[u8],
    number: u64,
    decode: fn(&str, u64) -> Result<TraceEvent, CodecError>,
) -> Option<Result<(TraceEvent, &str), CodecError>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_end_matches(['\n', '\r']),
        Err(error) => return Some(Err(damaged(number, error.valid_up_to() + 1, "not UTF-8"))),
    };
    if text.trim().is_empty() {
        return None;
    }
    Some(decode(text, number).map(|event| (event, text)))
}

/// Why nothing can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Codec(#[from] CodecError),
}

enum Line {
    Whole,
    Torn,
    End,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// If the source cannot be read, is empty, is no trace, or is one of a newer version.
    pub fn open(source: R) -> Result<(Header, Self), ReadError> {
        Self::open_with(source, MAX_LINE)
    }

    /// [`Self::open`] with another limit for a line, in bytes.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(source: R, limit: usize) -> Result<(Header, Self), ReadError> {
        let mut reader = Self {
            source,
            partial: Vec::new(),
            overlong: false,
            line: 1,
            start: 0,
            bytes: 0,
            limit,
        };
        // A header that is whole but for its line feed says all that it has to say.
        let header = reader.gather()?;
        if let Some(what) = files::foreign(&reader.partial) {
            return Err(CodecError::Foreign(what).into());
        }
        // Its end is not looked for: a device may have none.
        if header.is_none() {
            let why = "its first line is longer than any header".to_owned();
            return Err(CodecError::NotATrace(why).into());
        }
        let text = String::from_utf8_lossy(&reader.partial).into_owned();
        let decoded = codec::decode_header(text.trim_end_matches(['\n', '\r']));
        let header = match (decoded, header) {
            (Err(CodecError::HeaderTorn), Some(Line::Whole)) => {
                let why = "it ends before its JSON does".to_owned();
                return Err(CodecError::NotATrace(why).into());
            }
            (Err(CodecError::Empty), Some(Line::Whole)) => {
                return Err(CodecError::NotATrace("it is blank".to_owned()).into());
            }
            (decoded, _) => decoded?,
        };
        reader.next_line();
        Ok((header, reader))
    }

    /// Reads the next line. After [`Item::Torn`], [`Item::End`] and an error it may be asked again: a
    /// file that is still being written goes on.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub fn read_next(&mut self) -> io::Result<Item> {
        loop {
            match self.fill()? {
                Line::Whole => {}
                Line::Torn => return Ok(Item::Torn),
                Line::End => return Ok(Item::End),
            }
            let (number, start) = (self.line, self.start);
            let overlong = self.overlong;
            let bytes = self.next_line();
            if overlong {
                return Ok(Item::Damaged(too_long(number, self.limit)));
            }
            match read(&bytes, number, codec::decode) {
                Some(Ok((event, line))) => {
                    let line = line.to_owned();
                    return Ok(Item::Event(Box::new(Entry { event, line, start })));
                }
                Some(Err(error)) => return Ok(Item::Damaged(error)),
                None => {}
            }
        }
    }

    /// Reads lines until there are about `size` bytes of them, without decoding any.
    ///
    /// # Errors
    /// If the source cannot be read.
    pub fn read_batch(&mut self, size: usize) -> io::Result<(Batch, BatchEnd)> {
        let mut batch = Batch {
            // A line more than asked for fits without moving the text.
            text: Vec::with_capacity(size.min(MOST_AHEAD) + 16 * 1024),
            lines: Vec::new(),
        };
        while batch.text.len() < size {
            if self.partial.is_empty() && !self.overlong && self.take_at_hand(&mut batch, size)? {
                continue;
            }
            match self.fill()? {
                Line::Whole => {}
                Line::Torn => return Ok((batch, BatchEnd::Torn)),
                Line::End => return Ok((batch, BatchEnd::End)),
            }
            let end = (!self.overlong).then(|| {
                batch.text.extend_from_slice(&self.partial);
                batch.text.len()
            });
            batch.lines.push(Span {
                number: self.line,
                start: self.start,
                end,
            });
            let mut line = self.next_line();
            if line.capacity() <= size {
                line.clear();
                self.partial = line;
            }
        }
        Ok((batch, BatchEnd::More))
    }

    /// Takes the whole lines that the source has at hand, up to about `size` bytes of a batch; false
    /// if it has none.
    fn take_at_hand(&mut self, batch: &mut Batch, size: usize) -> io::Result<bool> {
        let at_hand = match self.source.fill_buf() {
            Ok(at_hand) => at_hand,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut taken = 0;
        for end in memchr::memchr_iter(b'\n', at_hand) {
            let line = &at_hand[taken..=end];
            taken = end + 1;
            let fits = line.len() <= self.limit;
            if fits {
                batch.text.extend_from_slice(line);
            }
            batch.lines.push(Span {
                number: self.line,
                start: self.start,
                end: fits.then_some(batch.text.len()),
            });
            self.line += 1;
            self.bytes += line.len() as u64;
            self.start = self.bytes;
            if batch.text.len() >= size {
                break;
            }
        }
        self.source.consume(taken);
        Ok(taken > 0)
    }

    /// The longest line that is read, in bytes.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// The event that a file ends with though its line feed is missing, after [`Item::Torn`].
    #[must_use]
    pub fn rest(&self) -> Option<Entry> {
        let line = std::str::from_utf8(&self.partial).ok()?;
        let event = codec::decode(line, self.line).ok()?;
        Some(Entry {
            event,
            line: line.to_owned(),
            start: self.start,
        })
    }

    /// [`Self::rest`], once: after it the end is an end.
    pub fn take_rest(&mut self) -> Option<Entry> {
        let rest = self.rest()?;
        self.next_line();
        Some(rest)
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of an unfinished line that are in memory.
    #[must_use]
    pub fn held(&self) -> usize {
        self.partial.capacity()
    }

    /// The source.
    pub const fn get_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// Reads on to the end of the line, or of the file.
    fn fill(&mut self) -> io::Result<Line> {
        match self.gather()? {
            Some(line) => Ok(line),
            None => self.skip(),
        }
    }

    /// [`Self::fill`]; `None` if the line is too long.
    fn gather(&mut self) -> io::Result<Option<Line>> {
        while !self.overlong {
            let room = self.limit.saturating_sub(self.partial.len());
            let before = self.partial.len();
            let mut source = (&mut self.source).take(room as u64);
            let read = source.read_until(b'\n', &mut self.partial);
            // What was read before an error stays, and the next call goes on behind it.
            let taken = self.partial.len() - before;
            self.bytes += taken as u64;
            read?;
            if taken > 0 && self.partial.last() == Some(&b'\n') {
                return Ok(Some(Line::Whole));
            }
            if self.partial.len() >= self.limit {
                self.overlong = true;
                self.partial = Vec::new();
            } else if taken == 0 {
                return Ok(Some(if self.partial.is_empty() {
                    Line::End
                } else {
                    Line::Torn
                }));
            }
        }
        Ok(None)
    }

    /// Reads on to the end of a line that is too long, keeping nothing of it.
    fn skip(&mut self) -> io::Result<Line> {
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok(Line::Torn);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |at| at + 1);
            self.source.consume(taken);
            self.bytes += taken as u64;
            if end.is_some() {
                return Ok(Line::Whole);
            }
        }
    }

    /// Hands the line over and makes ready for the next one.
    fn next_line(&mut self) -> Vec<u8> {
        self.line += 1;
        self.start = self.bytes;
        self.overlong = false;
        std::mem::take(&mut self.partial)
    }
}

fn too_long(line: u64, limit: usize) -> CodecError {
    damaged(line, limit, "the line is too long")
}

fn damaged(line: u64, column: usize, why: &str) -> CodecError {
    CodecError::Damaged {
        line,
        column,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "{\"format\":\"hoptrail-trace\",\"version\":1,\"app\":\"hoptrail 0.1.0\",\"started\":\"2026-11-24T09:00:00Z\"}\n";
    const EVENT: &str = "{\"seq\":0,\"at_us\":1,\"actor\":\"you\",\"fact\":\"signed_out\"}\n";

    fn items(text: &[u8], limit: usize) -> Vec<Item> {
        let (_, mut reader) = Reader::open_with(text, limit).unwrap();
        let mut items = Vec::new();
        loop {
            let item = reader.read_next().unwrap();
            let last = matches!(item, Item::Torn | Item::End);
            items.push(item);
            if last {
                return items;
            }
        }
    }

    #[test]
    fn damaged_lines_are_named_and_the_next_ones_read() {
        let text = format!("{HEADER}{EVENT}nonsense\n\n{EVENT}\u{1}\n{EVENT}");
        let items = items(text.as_bytes(), MAX_LINE);
        let [
            Item::Event(first),
            Item::Damaged(a),
            Item::Event(_),
            Item::Damaged(b),
            Item::Event(_),
            Item::End,
        ] = items.as_slice()
        else {
            panic!("{items:?}");
        };
        assert_eq!(first.line, EVENT.trim_end());
        assert_eq!(a.to_string(), "line 3, column 2: no JSON: expected ident");
        assert!(b.to_string().starts_with("line 6, column 1: "), "{b}");
    }

    #[test]
    fn a_torn_end_is_no_event_until_its_writer_finishes_it() {
        let text = format!("{HEADER}{EVENT}{}", &EVENT[..20]);
        assert!(matches!(
            items(text.as_bytes(), MAX_LINE).as_slice(),
            [Item::Event(_), Item::Torn]
        ));
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_memory() {
        let text = format!("{HEADER}{}\n{EVENT}", "x".repeat(5_000));
        let items = items(text.as_bytes(), 200);
        let [Item::Damaged(error), Item::Event(_), Item::End] = items.as_slice() else {
            panic!("{items:?}");
        };
        assert_eq!(
            error.to_string(),
            "line 2, column 200: the line is too long"
        );
    }

    #[test]
    fn what_is_no_trace_says_why() {
        let refusal = |text: &[u8]| Reader::open(text).unwrap_err().to_string();
        assert_eq!(refusal(b""), "the file is empty");
        assert!(refusal(b"\x7fELF\x02").starts_with("line 1 is not a hoptrail trace header"));
        assert_eq!(
            refusal(&HEADER.as_bytes()[..40]),
            "the file ends within its first line, the header"
        );
        for (text, why) in [
            ("\n", "it is blank"),
            ("{\"format\":\n", "it ends before its JSON does"),
        ] {
            let expected = format!("line 1 is not a hoptrail trace header: {why}");
            assert_eq!(refusal(format!("{text}{HEADER}").as_bytes()), expected);
        }
        let newer = HEADER.replace("\"version\":1", "\"version\":7");
        assert_eq!(
            refusal(newer.as_bytes()),
            "the trace has format version 7; this hoptrail reads up to 1"
        );
        let endless = vec![b'{'; 4_000];
        let refusal = Reader::open_with(endless.as_slice(), 1_000).unwrap_err();
        assert!(refusal.to_string().contains("longer than any header"));
    }
}
