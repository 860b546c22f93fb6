//! A trace's lines where they lie, for whoever keeps only their places: an index of a long trace
//! fits into memory where its text does not.
//!
//! Must not interpret a line, and must not trust that it is still what it was.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use parking_lot::Mutex;

use super::codec::MAX_LINE;

/// Bytes that are read at once: neighbours are usually wanted next.
const BLOCK: usize = 256 * 1024;

/// Bytes of a block that is not kept.
const LARGE: usize = 4 * 1024 * 1024;

/// Gives lines by the byte at which they begin.
pub trait Lines: fmt::Debug + Send + Sync {
    /// The line that begins at this byte, without its line feed.
    ///
    /// # Errors
    /// If the bytes are gone, or are no text.
    fn line(&self, start: u64) -> io::Result<String>;
}

/// Lines as they are handed around.
pub type SharedLines = Arc<dyn Lines>;

/// The lines of anything that can be read at a place.
pub struct Shelf<R>(Mutex<Block<R>>);

struct Block<R> {
    source: R,
    start: u64,
    bytes: Vec<u8>,
}

impl<R> fmt::Debug for Shelf<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf")
    }
}

impl<R: Read + Seek> Shelf<R> {
    /// `source` must not be moved about by anybody else.
    pub const fn new(source: R) -> Self {
        Self(Mutex::new(Block {
            source,
            start: 0,
            bytes: Vec::new(),
        }))
    }
}

impl<R: Read + Seek + Send> Lines for Shelf<R> {
    fn line(&self, start: u64) -> io::Result<String> {
        // A panic under the lock leaves at worst a block that the next one reads anew.
        let mut block = self.0.lock();
        if let Some(line) = block.kept(start) {
            return text(line);
        }
        // By doubling, so that a line longer than a block costs what it is long.
        let mut most = BLOCK;
        loop {
            block.read(start, most)?;
            if let Some(line) = block.kept(start) {
                let line = text(line);
                block.forget_if_large();
                return line;
            }
            if block.bytes.len() < most || most >= MAX_LINE {
                break;
            }
            most = MAX_LINE.min(most * 2);
        }
        // The last line, which has no end.
        let bytes = std::mem::take(&mut block.bytes);
        if bytes.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file is shorter than it was",
            ));
        }
        text(&bytes)
    }
}

impl<R: Read + Seek> Block<R> {
    /// The line, if all of it is in the block.
    fn kept(&self, start: u64) -> Option<&[u8]> {
        let from = usize::try_from(start.checked_sub(self.start)?).ok()?;
        let rest = self.bytes.get(from..)?;
        let end = memchr::memchr(b'\n', rest)?;
        Some(&rest[..end])
    }

    /// The same line is usually wanted for the next frame too; one of many megabytes is not kept for it.
    fn forget_if_large(&mut self) {
        if self.bytes.len() > LARGE {
            self.bytes = Vec::new();
        }
    }

    fn read(&mut self, start: u64, most: usize) -> io::Result<()> {
        self.bytes.clear();
        self.start = start;
        self.source.seek(SeekFrom::Start(start))?;
        let mut part = (&mut self.source).take(most as u64);
        part.read_to_end(&mut self.bytes)?;
        Ok(())
    }
}

fn text(line: &[u8]) -> io::Result<String> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_vec())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_are_found_in_any_order() {
        let long = "x".repeat(BLOCK * 2);
        let text = format!("one\n{long}\r\nthree");
        let shelf = Shelf::new(io::Cursor::new(text.into_bytes()));
        let third = 4 + long.len() as u64 + 2;
        assert_eq!(shelf.line(third).unwrap(), "three");
        assert_eq!(shelf.line(0).unwrap(), "one");
        assert_eq!(shelf.line(4).unwrap(), long);
        assert_eq!(shelf.line(0).unwrap(), "one");
        let gone = shelf.line(third + 5).unwrap_err();
        assert_eq!(gone.to_string(), "the file is shorter than it was");
        let torn = Shelf::new(io::Cursor::new(vec![b'a', 0xff, b'\n']));
        assert_eq!(torn.line(0).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
