//! Recording is a tee of the stream: each event is written and flushed before the next one, so a
//! kill at any byte loses at most the last, torn line.

use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::stage;
use crate::{
    support::{
        cause::remedy,
        error::{Exit, Failure},
    },
    trace::{
        TraceEvent,
        codec::{self, Header},
    },
};

/// An open recording.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    file: File,
    events: u64,
}

impl Recorder {
    /// Begins a recording at `path`, which must not exist yet: a recording never overwrites.
    /// `header` is the run's, whenever the recording begins: the events count from its start.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(path: &Path, header: &Header) -> Result<Self, Failure> {
        Self::begin(path, header).map_err(|e| cannot_record(path, &e))
    }

    /// Begins a recording of this name in the folder where hoptrail was started, or else with the
    /// state: what is there already stays.
    ///
    /// # Errors
    /// If neither folder takes it.
    pub fn beside(name: &str, state: &Path, header: &Header) -> Result<Self, Failure> {
        let begun = stage::beside(name, "jsonl", state, |path| Self::begin(path, header));
        begun.map_err(|(path, error)| cannot_record(&path, &error))
    }

    /// Begins the recording of another run where one at `path` was recorded: in the next file that is
    /// not there yet, see [`later`].
    ///
    /// # Errors
    /// If the folder takes no more.
    pub fn after(path: &Path, header: &Header) -> Result<Self, Failure> {
        for path in later(path) {
            match Self::begin(&path, header) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                begun => return begun.map_err(|error| cannot_record(&path, &error)),
            }
        }
        Err(cannot_record(path, &io::ErrorKind::AlreadyExists.into()))
    }

    fn begin(path: &Path, header: &Header) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        if let Err(error) = file.write_all(codec::encode_header(header).as_bytes()) {
            // No trace, and in the way of the next attempt. If it cannot be removed, that one says so.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(Self {
            path: path.to_path_buf(),
            file,
            events: 0,
        })
    }

    /// Writes one event in one system call, so that no other process sees half of it.
    ///
    /// # Errors
    /// If the disk is full or the file went away.
    pub fn record(&mut self, event: &TraceEvent) -> Result<(), Failure> {
        self.events += 1;
        let line = codec::encode(event);
        self.write(&line)
    }

    /// Writes what came before the recording began, as it was encoded then.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn record_lines<'a>(
        &mut self,
        lines: impl Iterator<Item = Cow<'a, str>>,
    ) -> Result<(), Failure> {
        let written = self.write_lines(lines);
        written.map_err(|error| self.not_whole(&error))
    }

    fn write_lines<'a>(&mut self, lines: impl Iterator<Item = Cow<'a, str>>) -> io::Result<()> {
        let mut file = BufWriter::new(&mut self.file);
        for line in lines {
            self.events += 1;
            file.write_all(line.as_bytes())?;
            file.write_all(b"\n")?;
        }
        file.flush()
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|error| self.not_whole(&error))
    }

    fn not_whole(&self, error: &io::Error) -> Failure {
        Failure::new(
            Exit::Usage,
            format!("The recording {} is not whole", self.path.display()),
            error.to_string(),
            remedy(error, "record again to another file"),
        )
    }

    /// Where it is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many events were written.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }
}

/// Where the recordings of later runs of the same show are: `show.jsonl`, then `show-2.jsonl`.
pub fn later(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let path = path.to_path_buf();
    (2..100).map(move |number| {
        let mut name = path.file_stem().unwrap_or_default().to_os_string();
        name.push(format!("-{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    })
}

fn cannot_record(path: &Path, error: &io::Error) -> Failure {
    let next = match error.kind() {
        io::ErrorKind::AlreadyExists => "name another file; a recording never overwrites one",
        _ => remedy(error, "name a file in a folder that you may write to"),
    };
    Failure::new(
        Exit::Usage,
        format!("Cannot record to {}", path.display()),
        error.to_string(),
        next,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        support::clock::{Clock as _, FakeClock},
        trace::{Actor, Fact},
    };

    #[test]
    fn a_recording_can_be_read_back_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.jsonl");
        let header = Header::new(FakeClock::shared().now());
        let mut recorder = Recorder::create(&path, &header).unwrap();
        let event = TraceEvent {
            seq: 0,
            at_us: 1,
            span: None,
            call: None,
            actor: Actor::You,
            fact: Fact::SignedOut,
        };
        recorder.record(&event).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        assert_eq!(
            codec::decode_header(lines.next().unwrap()).unwrap().version,
            codec::VERSION
        );
        assert_eq!(codec::decode(lines.next().unwrap(), 2).unwrap(), event);
        let refused = Recorder::create(&path, &header).unwrap_err();
        assert!(refused.next.contains("never overwrites"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_a_full_disk_the_recording_is_not_whole_and_room_is_wanted() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let mut recorder = Recorder {
            path,
            file,
            events: 0,
        };
        let failure = recorder
            .record_lines(std::iter::once("{}".into()))
            .unwrap_err();
        assert_eq!(failure.what, "The recording /dev/full is not whole");
        assert!(failure.next.starts_with("free some room"), "{failure}");
    }

    #[test]
    fn another_run_is_recorded_in_the_next_file() {
        let dir = tempfile::tempdir().unwrap();
        let header = Header::new(FakeClock::shared().now());
        for (first, second, third) in [
            ("show.jsonl", "show-2.jsonl", "show-3.jsonl"),
            ("show", "show-2", "show-3"),
        ] {
            let path = dir.path().join(first);
            for named in [second, third] {
                let recorder = Recorder::after(&path, &header).unwrap();
                assert_eq!(recorder.path(), dir.path().join(named));
            }
        }
        let nowhere = Recorder::after(&dir.path().join("no/show.jsonl"), &header).unwrap_err();
        assert!(nowhere.what.contains("no/show-2.jsonl"), "{nowhere}");
    }

    #[test]
    fn a_recording_goes_to_the_state_where_the_first_folder_takes_none() {
        let dir = tempfile::tempdir().unwrap();
        let header = Header::new(FakeClock::shared().now());
        // A name below a folder that is not there stands for one that may not be written to: the
        // superuser of a container may write anywhere.
        let name = "folder/run";
        let state = dir.path().join("state");
        let refused = Recorder::beside(name, &state, &header).unwrap_err();
        assert!(refused.what.contains("state/folder/run.jsonl"), "{refused}");
        std::fs::create_dir_all(state.join("folder")).unwrap();
        let first = Recorder::beside(name, &state, &header).unwrap();
        let second = Recorder::beside(name, &state, &header).unwrap();
        assert_eq!(first.path(), state.join("folder/run.jsonl"));
        assert_eq!(second.path(), state.join("folder/run-2.jsonl"));
    }
}
