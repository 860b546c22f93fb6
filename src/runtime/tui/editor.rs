//! A text in the person's own editor: the terminal is theirs until the editor ends.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal};
use tokio::sync::oneshot;

use crate::support::{
    error::{Exit, Failure},
    files,
};

/// A longer text than this is not read back: no policy of anybody's is as long.
const LONGEST: u64 = 1024 * 1024;

/// The editor's program and what it is called with.
///
/// # Errors
/// If the person has named none.
pub(super) fn chosen() -> Result<Vec<String>, Failure> {
    let named = |name: &str| env::var(name).ok().filter(|text| !text.trim().is_empty());
    let text = named("VISUAL").or_else(|| named("EDITOR"));
    let words = text.map(|text| text.split_whitespace().map(str::to_owned).collect());
    words.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "There is no editor",
            "neither VISUAL nor EDITOR names one",
            "change the text here in the form, or start again with EDITOR set",
        )
    })
}

/// The text in a file that only this person can read; it goes away with this.
#[derive(Debug)]
pub(super) struct Draft(PathBuf);

impl Draft {
    /// Writes the text into a new file of the folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(folder: &Path, text: &str) -> Result<Self, Failure> {
        let path = folder.join(format!("policy-{}.cedar", std::process::id()));
        let written = files::private_folder(folder)
            .and_then(|()| files::private(&path, &[text.as_bytes(), b"\n"]));
        match written {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(failed(&format!("{}: {error}", path.display()))),
        }
    }

    /// What is in it now.
    ///
    /// # Errors
    /// If it cannot be read, is no text, or has grown too long.
    pub fn read(&self) -> Result<String, Failure> {
        files::text(&self.0, LONGEST).map_err(|error| failed(&error.to_string()))
    }

    /// Starts the editor on it.
    ///
    /// # Errors
    /// If there is no such program.
    pub fn open_in(&self, editor: &[String]) -> io::Result<Opened> {
        let (ended, end) = oneshot::channel();
        let mut command = Command::new(editor.first().map_or("", String::as_str));
        command
            .args(editor.iter().skip(1))
            .arg(&self.0)
            .stdin(Stdio::inherit())
            .stdout(Stdio::inherit());
        let mut child = command.spawn()?;
        let process = Pid::from_child(&child);
        // A thread of its own, that an editor left open does not keep the program from ending.
        thread::spawn(move || {
            // Nobody is listening any more when the program ends.
            let _ = ended.send(child.wait());
        });
        Ok(Opened { end, process })
    }
}

/// An editor that has the terminal.
pub(super) struct Opened {
    /// What it ended with.
    pub end: oneshot::Receiver<io::Result<ExitStatus>>,
    process: Pid,
}

impl Opened {
    /// Ends it: the shell that gets the terminal back cannot share it.
    pub async fn close(self) {
        const GRACE: Duration = Duration::from_secs(1);
        // It may have ended by itself just now.
        let _ = rustix::process::kill_process(self.process, Signal::TERM);
        let _ = tokio::time::timeout(GRACE, self.end).await;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What the editor made of the text.
pub(super) fn outcome(draft: &Draft, ended: io::Result<ExitStatus>) -> Result<String, Failure> {
    match ended {
        Ok(status) if status.success() => draft.read(),
        Ok(status) => Err(failed(&format!("the editor ended with {status}"))),
        Err(error) => Err(failed(&error.to_string())),
    }
}

fn failed(why: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "The text stays as it was before the editor",
        crate::support::text::one_line(why),
        "change the text here in the form, or try the editor again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_the_persons_alone_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::write(folder.path(), "permit (principal, action, resource);").unwrap();
        let path = draft.0.clone();
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(
            draft.read().unwrap(),
            "permit (principal, action, resource);\n"
        );
        drop(draft);
        assert!(!path.exists());
    }

    #[test]
    fn what_the_editor_made_of_it_counts_only_if_it_ended_well() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::write(folder.path(), "permit").unwrap();
        let run = |program: &str, script: &str| {
            let editor = [program, "-c", script].map(str::to_owned);
            let ended = draft.open_in(&editor);
            outcome(
                &draft,
                ended.and_then(|opened| opened.end.blocking_recv().unwrap()),
            )
        };
        // The file's path is the script's $0.
        let edited = run("sh", "echo forbid > \"$0\"").unwrap();
        assert_eq!(edited, "forbid\n");
        let failed = run("sh", "exit 3").unwrap_err();
        assert!(failed.why.contains('3'), "{failed}");
        let absent = run("/nowhere/editor", "").unwrap_err();
        assert!(absent.what.contains("stays as it was"), "{absent}");
    }
}
