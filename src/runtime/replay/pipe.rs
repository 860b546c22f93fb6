//! A trace that comes through a pipe: bytes that are there once. Whoever looks whether it is a trace at
//! all takes its beginning out of the pipe; it is kept for the one who reads it then.

use std::{
    fs::File,
    io::{self, BufRead as _, Cursor, Read},
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use crate::support::clock::Stopwatch;

/// Bytes of the beginning that are kept; looking for the header takes a buffer's worth.
const HEAD: usize = 1024 * 1024;
/// Bytes that are taken out of the pipe at once: what one holds on most systems.
const CHUNK: usize = 64 * 1024;
/// Chunks that wait to be decoded. Whoever writes a whole trace at once is ahead by these, so that a
/// pipe which stands empty is one whose writer has no more to say yet.
const AHEAD: usize = 4;

/// How long a pipe stands empty until what has come is shown, while the reading is young.
const PATIENCE: Duration = Duration::from_millis(250);
/// And from when on less has to do: else one that writes ten lines a second would never be shown.
const YOUNG_US: u64 = 1_000_000;
const LESS_PATIENCE: Duration = Duration::from_millis(25);

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
    source: Option<Receiver<io::Result<Vec<u8>>>>,
    /// What was taken out of the pipe last.
    chunk: Cursor<Vec<u8>>,
    head: Vec<u8>,
    /// Somebody read on behind the beginning.
    read: bool,
    /// Since when whoever reads wants to hear of an empty pipe.
    watched: Option<Stopwatch>,
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
            state.source = Some(drain(match &self.0.way {
                Way::StandardInput => standard_input()?,
                Way::Path(path) => File::open(path)?,
            }));
        }
        let shared = Arc::clone(&self.0);
        Ok(PipeReader { shared, at: 0 })
    }

    /// From now on reading ends with [`io::ErrorKind::WouldBlock`] where the pipe stands empty, and may
    /// be tried again: the writer goes on.
    pub(super) fn watch(&self) {
        self.0.state().watched = Some(Stopwatch::start());
    }
}

/// Takes the bytes out of a pipe on a thread of their own, as there is no asking whether there are any.
fn drain(mut source: File) -> Receiver<io::Result<Vec<u8>>> {
    let (give, chunks) = sync_channel(AHEAD);
    thread::spawn(move || {
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = match source.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => Ok(buffer[..count].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let failed = read.is_err();
            if give.send(read).is_err() || failed {
                return;
            }
        }
    });
    chunks
}

fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    let input = io::stdin();
    Ok(File::from(input.as_fd().try_clone_to_owned()?))
}

impl State {
    /// Makes sure that there are bytes to be had, if any more come.
    fn take_chunk(&mut self) -> io::Result<()> {
        if !self.chunk.fill_buf()?.is_empty() {
            return Ok(());
        }
        let Some(source) = &self.source else {
            return Ok(());
        };
        let came = match &self.watched {
            None => source.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(watch) if watch.micros() < YOUNG_US => source.recv_timeout(PATIENCE),
            Some(_) => source.recv_timeout(LESS_PATIENCE),
        };
        self.chunk = Cursor::new(match came {
            Ok(chunk) => chunk?,
            Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::WouldBlock.into()),
            // Nobody writes any more.
            Err(RecvTimeoutError::Disconnected) => Vec::new(),
        });
        Ok(())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves a beginning that is whole.
        self.state.lock()
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
        state.take_chunk()?;
        let count = state.chunk.read(buffer)?;
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
