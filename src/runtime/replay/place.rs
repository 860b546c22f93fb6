//! Where a trace is: a file, or one that hoptrail brings along. Must not open anything else.

use std::{
    fs::{File, Metadata},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    shipped::{self, Shipped},
    support::text::one_line,
    trace::lines::{SharedLines, Shelf},
};

const BUFFER: usize = 256 * 1024;

/// Where a trace is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// One that hoptrail brings along.
    Shipped(&'static Shipped),
}

impl Place {
    /// What a person means: a file of that name, else the shipped trace that is called so.
    #[must_use]
    pub fn named(given: &Path) -> Self {
        let shipped = given.to_str().and_then(shipped::by_name);
        match shipped {
            Some(shipped) if !given.exists() => Self::Shipped(shipped),
            Some(_) | None => Self::File(given.to_path_buf()),
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
            Self::Shipped(shipped) => shipped.name.to_owned(),
        }
    }

    /// The path or the trace's name, whole, as it is shown.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => one_line(&path.display().to_string()),
            Self::Shipped(shipped) => shipped.name.to_owned(),
        }
    }

    /// What there is to read.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(super) fn open(&self) -> io::Result<Handles> {
        Ok(match self {
            Self::File(path) => {
                let file = File::open(path)?;
                let metadata = file.metadata()?;
                // A pipe cannot be gone back in: its lines are kept.
                let lines = if metadata.is_file() {
                    Some(Arc::new(Shelf::new(File::open(path)?)) as SharedLines)
                } else {
                    None
                };
                Handles {
                    bytes: Box::new(BufReader::with_capacity(BUFFER, file)),
                    lines,
                    identity: identity(&metadata),
                }
            }
            Self::Shipped(shipped) => Handles {
                bytes: Box::new(shipped.text.as_bytes()),
                lines: Some(Arc::new(Shelf::new(io::Cursor::new(
                    shipped.text.as_bytes(),
                )))),
                identity: (0, 0),
            },
        })
    }

    /// How many bytes there are now; 0 if that cannot be told.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
            Self::Shipped(shipped) => shipped.text.len() as u64,
        }
    }

    /// True if there is another file at this place now than the one that was opened, or one that
    /// became shorter than what was read of it. A file that went away may yet come back.
    pub(super) fn is_another(&self, opened: Identity, read: u64) -> bool {
        match self {
            Self::File(path) => std::fs::metadata(path)
                .is_ok_and(|now| now.len() < read || identity(&now) != opened),
            Self::Shipped(_) => false,
        }
    }
}

/// An open trace.
pub(super) struct Handles {
    pub bytes: Box<dyn BufRead + Send>,
    pub lines: Option<SharedLines>,
    pub identity: Identity,
}

/// What tells a file from another one of the same name, where the system has such a thing.
pub(super) type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {
    (0, 0)
}
