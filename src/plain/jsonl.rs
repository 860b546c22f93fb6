//! The trace itself on the standard output: piping is recording.

use std::{borrow::Cow, fmt::Write as _, io};

use crate::{
    support::text::is_hostile,
    trace::{
        TraceEvent,
        codec::{self, Header},
    },
};

/// Writes a trace, a line at a time; each line is out before the next is made.
#[derive(Debug)]
pub struct Jsonl<W> {
    out: W,
}

impl<W: io::Write> Jsonl<W> {
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes the first line.
    ///
    /// # Errors
    /// What the writer says; a closed pipe is [`io::ErrorKind::BrokenPipe`].
    pub fn header(&mut self, header: &Header) -> io::Result<()> {
        self.line(&codec::encode_header(header))
    }

    /// Writes one event.
    ///
    /// # Errors
    /// What the writer says.
    pub fn event(&mut self, event: &TraceEvent) -> io::Result<()> {
        self.line(&codec::encode(event))
    }

    /// Writes an event's line as it was read.
    ///
    /// # Errors
    /// What the writer says.
    pub fn raw(&mut self, line: &str) -> io::Result<()> {
        let mut line = line.to_owned();
        line.push('\n');
        self.line(&line)
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.out.write_all(escaped(line).as_bytes())?;
        self.out.flush()
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// The same JSON without characters that a terminal would obey: each as its escape, which means the
/// same (RFC 8259, section 7). Those below U+0020 never stand raw in a string.
fn escaped(line: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c >= ' ' && is_hostile(c);
    if !line.chars().any(obeyed) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if obeyed(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}
