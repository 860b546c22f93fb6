//! Where a trace is: a file, or one that hoptrail brings along. Must not open anything else.

use std::{
    fs::{self, File, Metadata},
    io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use super::Pipe;
use crate::{
    app::compare::Durations,
    shipped::{self, Shipped},
    support::text::one_line,
    trace::lines::{SharedLines, Shelf},
};

const BUFFER: usize = 256 * 1024;
/// Bytes by which a file is known again: no two runs have the same ones at the same place.
const TAIL: usize = 128;

/// Where a trace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// Standard input, or a named pipe.
    Pipe(Pipe),
    /// One that hoptrail brings along.
    Shipped(&'static Shipped),
}

impl Place {
    /// What a person means: a file of that name, else the shipped trace that is called so, or `-`
    /// for standard input.
    #[must_use]
    pub fn named(given: &Path) -> Self {
        let shipped = given.to_str().and_then(shipped::by_name);
        match (fs::metadata(given), shipped) {
            (Ok(found), _) if !found.is_file() && !found.is_dir() => {
                Self::Pipe(Pipe::at(given.to_path_buf()))
            }
            (Err(_), Some(shipped)) => Self::Shipped(shipped),
            (Err(_), None) if given == Path::new("-") => Self::Pipe(Pipe::standard_input()),
            (Ok(_), _) | (Err(_), None) => Self::File(given.to_path_buf()),
        }
    }

    /// Whether how long things took can be compared with another run, of a lab as it is if there is
    /// no other trace: the traces that come along were recorded from services as slow as real ones.
    #[must_use]
    pub const fn durations(&self, other: Option<&Self>) -> Durations {
        match (self, other) {
            (Self::Shipped(_), Some(Self::Shipped(_)))
            | (Self::File(_) | Self::Pipe(_), Some(Self::File(_) | Self::Pipe(_)) | None) => {
                Durations::Compared
            }
            (Self::Shipped(_), Some(Self::File(_) | Self::Pipe(_)) | None)
            | (Self::File(_) | Self::Pipe(_), Some(Self::Shipped(_))) => Durations::LeftOut,
        }
    }

    /// The file's name or the trace's, as it is shown.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                one_line(&name.to_string_lossy())
            }
            Self::Pipe(pipe) => one_line(&pipe.name()),
            Self::Shipped(shipped) => shipped.name.to_owned(),
        }
    }

    /// The path or the trace's name, whole, as it is shown.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => one_line(&path.display().to_string()),
            Self::Pipe(pipe) => one_line(&pipe.name()),
            Self::Shipped(shipped) => shipped.name.to_owned(),
        }
    }

    /// True if the trace is the file at `path`, by whatever name.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        let Self::File(trace) = self else {
            return false;
        };
        let found = |path: &Path| Some((fs::canonicalize(path).ok()?, fs::metadata(path).ok()?));
        let (Some((trace, of_trace)), Some((path, of_path))) = (found(trace), found(path)) else {
            return false;
        };
        // Two names can be links to one file.
        trace == path || identity(&of_trace) == identity(&of_path)
    }

    /// What there is to read.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(super) fn open(&self) -> io::Result<Handles> {
        Ok(match self {
            Self::File(path) => {
                let file = File::open(path)?;
                let opened = Opened {
                    identity: identity(&file.metadata()?),
                    tail: Arc::default(),
                };
                let tail = Arc::clone(&opened.tail);
                Handles {
                    bytes: Box::new(BufReader::with_capacity(BUFFER, Watched { file, tail })),
                    lines: Some(Arc::new(Shelf::new(File::open(path)?))),
                    opened,
                }
            }
            // It cannot be gone back in: its lines are kept.
            Self::Pipe(pipe) => Handles {
                bytes: Box::new(BufReader::with_capacity(BUFFER, pipe.open()?)),
                lines: None,
                opened: Opened::default(),
            },
            Self::Shipped(shipped) => Handles {
                bytes: Box::new(shipped.text.as_bytes()),
                lines: Some(Arc::new(Shelf::new(io::Cursor::new(
                    shipped.text.as_bytes(),
                )))),
                opened: Opened::default(),
            },
        })
    }

    /// How many bytes there are now; 0 if that cannot be told.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(path) => fs::metadata(path).map_or(0, |file| file.len()),
            Self::Pipe(_) => 0,
            Self::Shipped(shipped) => shipped.text.len() as u64,
        }
    }

    /// True if there is another file at this place now than the one that was opened, or one that
    /// became shorter than what was read of it, or that says something else where it was read last:
    /// it was cut and has grown again. A file that went away may yet come back.
    pub(super) fn is_another(&self, opened: &Opened) -> bool {
        let Self::File(path) = self else {
            return false;
        };
        // Nothing that runs under the lock can leave the tail half-written.
        let tail = opened.tail.lock();
        fs::metadata(path).is_ok_and(|now| {
            now.len() < tail.end || identity(&now) != opened.identity || tail.differs(path)
        })
    }
}

/// An open trace.
pub(super) struct Handles {
    pub bytes: Box<dyn BufRead + Send>,
    pub lines: Option<SharedLines>,
    pub opened: Opened,
}

/// What tells a file from another one of the same name.
#[derive(Debug, Default)]
pub(super) struct Opened {
    identity: Identity,
    tail: Arc<Mutex<Tail>>,
}

/// Where the system has such a thing.
type Identity = (u64, u64);

/// The last bytes that were read.
#[derive(Debug, Default)]
struct Tail {
    /// Where they end in the file.
    end: u64,
    bytes: Vec<u8>,
}

impl Tail {
    fn add(&mut self, read: &[u8]) {
        self.end += read.len() as u64;
        let last = read.get(read.len().saturating_sub(TAIL)..).unwrap_or(read);
        self.bytes.extend_from_slice(last);
        let more = self.bytes.len().saturating_sub(TAIL);
        self.bytes.drain(..more);
    }

    /// Whether the file has other bytes there now; a file that cannot be asked is no other one.
    fn differs(&self, path: &Path) -> bool {
        let there = || -> io::Result<Vec<u8>> {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(self.end - self.bytes.len() as u64))?;
            let mut there = vec![0; self.bytes.len()];
            file.read_exact(&mut there)?;
            Ok(there)
        };
        there().is_ok_and(|there| there != self.bytes)
    }
}

/// A file whose last bytes are remembered.
struct Watched {
    file: File,
    tail: Arc<Mutex<Tail>>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let mut tail = self.tail.lock();
        tail.add(&buffer[..count]);
        Ok(count)
    }
}

fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}
