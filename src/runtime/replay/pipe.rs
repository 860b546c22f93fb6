//! A trace that comes through a pipe: bytes that are there once. Whoever looks whether it is a trace at
//! all takes its beginning out of the pipe; it is kept for the one who reads it then.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of the beginning that are kept; looking for the header takes a buffer's worth.
const HEAD: usize = 1024 * 1024;

/// A pipe, or anything else that cannot be gone back in. Copies are the same pipe.
#[derive(Debug, Clone)]
pub struct Pipe(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    way: Way,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Way {
    StandardInput,
    Path(PathBuf),
}

#[derive(Debug, Default)]
struct State {
    /// Opened when first it is read: opening a named pipe waits for its writer.
    source: Option<File>,
    head: Vec<u8>,
    /// Somebody read on behind the beginning.
    read: bool,
}

impl PartialEq for Pipe {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Pipe {}

impl Pipe {
    fn new(way: Way) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Shared { way, state }))
    }

    pub(super) fn standard_input() -> Self {
        Self::new(Way::StandardInput)
    }

    pub(super) fn at(path: PathBuf) -> Self {
        Self::new(Way::Path(path))
    }

    /// What a person calls it.
    pub(super) fn name(&self) -> String {
        match &self.0.way {
            Way::StandardInput => "standard input".to_owned(),
            Way::Path(path) => path.display().to_string(),
        }
    }

    /// The bytes from the beginning.
    ///
    /// # Errors
    /// If it cannot be opened, or was read before.
    pub(super) fn open(&self) -> io::Result<PipeReader> {
        let mut state = self.0.state();
        if state.read {
            return Err(io::Error::other(
                "what comes through a pipe can be read once",
            ));
        }
        if state.source.is_none() {
            state.source = Some(match &self.0.way {
                Way::StandardInput => standard_input()?,
                Way::Path(path) => File::open(path)?,
            });
        }
        let shared = Arc::clone(&self.0);
        Ok(PipeReader { shared, at: 0 })
    }
}

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    let input = io::stdin();
    Ok(File::from(input.as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn standard_input() -> io::Result<File> {
    Err(io::Error::other(
        "here a trace cannot come through standard input: name a file",
    ))
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic under the lock leaves a beginning that is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a pipe from its beginning.
#[derive(Debug)]
pub(super) struct PipeReader {
    shared: Arc<Shared>,
    /// Bytes of the beginning that this one has had.
    at: usize,
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.shared.state();
        let state = &mut *state;
        if let Some(kept) = state.head.get(self.at..).filter(|kept| !kept.is_empty()) {
            let count = kept.len().min(buffer.len());
            buffer[..count].copy_from_slice(&kept[..count]);
            self.at += count;
            return Ok(count);
        }
        let Some(source) = &mut state.source else {
            return Ok(0);
        };
        let count = source.read(buffer)?;
        if !state.read && state.head.len() + count <= HEAD {
            state.head.extend_from_slice(&buffer[..count]);
            self.at = state.head.len();
        } else {
            state.read = true;
            state.head = Vec::new();
        }
        Ok(count)
    }
}
