//! The file of bookmarks and notes beside a trace: `TRACE.notes.toml`; for a trace that comes along,
//! in the state directory.
//!
//! It is written whole and put in place at once, and only if it is as it was read: what another
//! process or a person wrote meanwhile is never lost, and what cannot be read is never written over.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::replay::Place;
use crate::{
    app::notes::{Note, Notes},
    support::{
        cause::remedy,
        error::{Exit, Failure},
        files,
        text::one_line,
    },
};

const HEAD: &str =
    "# Bookmarks and notes of hoptrail. `event` is how many events have happened there.\n";
/// More is no file of notes.
const LARGEST: u64 = 4 * 1024 * 1024;

/// A trace's notes as they lie on the disk.
#[derive(Debug)]
pub struct NotesFile {
    path: PathBuf,
    /// What was there when it was read or written last; `None` if there was no file.
    text: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default, rename = "note")]
    notes: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    event: usize,
    #[serde(default)]
    text: String,
}

impl NotesFile {
    /// The notes of a trace; `state` is where those of a trace that comes along lie. `None` for what
    /// comes through a pipe: nothing lies beside it, and another trace may come the next time.
    #[must_use]
    pub fn of(place: &Place, state: &Path) -> Option<Self> {
        let path = match place {
            Place::File(path) => {
                let mut name = OsString::from(path);
                name.push(".notes.toml");
                PathBuf::from(name)
            }
            Place::Pipe(_) => return None,
            Place::Shipped(shipped) => state
                .join("notes")
                .join(format!("{}.notes.toml", shipped.name)),
        };
        Some(Self { path, text: None })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the notes; without a file there are none.
    ///
    /// # Errors
    /// If there is a file that cannot be read, or is none of ours.
    pub fn read(&mut self) -> Result<Notes, Failure> {
        self.text = self
            .there()
            .map_err(|error| self.unreadable(&error.to_string()))?;
        let text = self.text.as_deref().unwrap_or("");
        let content: Content = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            self.unreadable(&one_line(&format!("line {line}: {}", error.message())))
        })?;
        let notes = content.notes.into_iter().map(|entry| Note {
            place: entry.event,
            text: entry.text,
        });
        Ok(Notes::kept(notes.collect()))
    }

    /// Writes all notes.
    ///
    /// # Errors
    /// If the file is not as it was read, or cannot be written.
    pub fn save(&mut self, notes: &[Note]) -> Result<(), Failure> {
        let now = self.there().map_err(|error| self.unwritten(&error))?;
        if now != self.text {
            return Err(Failure::new(
                Exit::Failed,
                format!("{} was not written", self.shown()),
                "somebody else changed it since it was read",
                "open the trace again to have those notes too, then note it anew",
            ));
        }
        let content = Content {
            notes: notes
                .iter()
                .map(|note| Entry {
                    event: note.place,
                    text: note.text.clone(),
                })
                .collect(),
        };
        let text = toml::to_string(&content)
            .map(|text| format!("{HEAD}\n{text}"))
            .map_err(|error| self.unwritten(&io::Error::other(error)))?;
        self.write(&text).map_err(|error| self.unwritten(&error))?;
        self.text = Some(text);
        Ok(())
    }

    fn write(&self, text: &str) -> io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|f| !f.as_os_str().is_empty()) {
            files::private_folder(folder)?;
        }
        files::replace(&self.path, 0o666, &[text.as_bytes()])
    }

    fn there(&self) -> io::Result<Option<String>> {
        match fs::metadata(&self.path) {
            // It may have come along with a trace: whoever opens a pipe waits for its writer.
            Ok(file) if !file.is_file() => Err(io::Error::other("it is no plain file")),
            Ok(_) => files::text(&self.path, LARGEST).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn shown(&self) -> String {
        one_line(&self.path.display().to_string())
    }

    fn unreadable(&self, why: &str) -> Failure {
        Failure::new(
            Exit::Usage,
            format!("The notes in {} cannot be read", self.shown()),
            why,
            "mend the file or move it away, then open the trace again; it is left as it is",
        )
    }

    fn unwritten(&self, error: &io::Error) -> Failure {
        Failure::new(
            Exit::Failed,
            format!("The notes could not be written to {}", self.shown()),
            error.to_string(),
            remedy(
                error,
                "make the folder writable; what you noted is kept until you quit",
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(place: usize, text: &str) -> Note {
        Note {
            place,
            text: text.to_owned(),
        }
    }

    fn beside(dir: &tempfile::TempDir) -> NotesFile {
        let trace = dir.path().join("run.jsonl");
        NotesFile::of(&Place::File(trace), dir.path()).unwrap()
    }

    #[test]
    fn notes_lie_beside_the_trace_and_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = beside(&dir);
        assert_eq!(file.read().unwrap(), Notes::Kept(Vec::new()));
        let notes = vec![note(3, ""), note(41, "here \"write\" is refused\n[x]")];
        file.save(&notes).unwrap();
        assert!(dir.path().join("run.jsonl.notes.toml").exists());
        assert_eq!(beside(&dir).read().unwrap(), Notes::Kept(notes));
        let files = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(files, 1, "nothing is left lying about");
    }

    #[test]
    fn notes_on_a_shipped_trace_lie_in_the_state() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::Shipped(crate::shipped::by_name("denial").unwrap());
        let mut file = NotesFile::of(&place, dir.path()).unwrap();
        file.read().unwrap();
        file.save(&[note(1, "x")]).unwrap();
        assert!(dir.path().join("notes/denial.notes.toml").exists());
    }

    #[test]
    fn a_damaged_file_is_told_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["[[note", "[[note]]\nevent = -1\n", "colour = \"red\"\n"] {
            let mut file = beside(&dir);
            fs::write(file.path(), text).unwrap();
            let failure = file.read().unwrap_err();
            assert!(failure.what.contains("cannot be read"), "{failure}");
            assert!(failure.next.contains("left as it is"), "{failure}");
            assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
        }
    }

    #[test]
    fn what_lies_beside_a_trace_from_anybody_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        let mut file = beside(&dir);
        let mut new = file.path().to_owned().into_os_string();
        new.push(".new");
        std::os::unix::fs::symlink(&victim, &new).unwrap();
        file.read().unwrap();
        file.save(&[note(1, "x")]).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");

        fs::remove_file(file.path()).unwrap();
        for device in ["/dev/zero", "/dev/tty"] {
            std::os::unix::fs::symlink(device, file.path()).unwrap();
            let failure = file.read().unwrap_err();
            assert_eq!(failure.why, "it is no plain file");
            fs::remove_file(file.path()).unwrap();
        }
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (mut one, mut other) = (beside(&dir), beside(&dir));
        one.read().unwrap();
        other.read().unwrap();
        one.save(&[note(1, "mine")]).unwrap();
        let failure = other.save(&[note(2, "yours")]).unwrap_err();
        assert!(failure.why.contains("somebody else"), "{failure}");
        assert_eq!(beside(&dir).read().unwrap().all(), [note(1, "mine")]);
    }
}
