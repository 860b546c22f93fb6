//! Chapters and progress on disk: a folder that is read again when it changes, and a file that is
//! never half written.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::sync::mpsc;

use crate::{
    app::msg::Msg,
    chapters::{Book, Fault, Progress, embed, guide},
    support::{
        cause::remedy,
        error::{Exit, Failure},
        files::{private_folder, replace},
        position::TextPosition,
    },
};

/// How often a folder is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(700);
/// The file with the reader's progress, in the state folder.
const PROGRESS: &str = "chapters.toml";

/// Names and texts in order of the names; of a folder those that end in `.md` and begin with a
/// number, so that a README may lie beside them. Without a folder the ones that are built in.
///
/// # Errors
/// If the folder or a file cannot be read, or there is no chapter.
pub fn files(dir: Option<&Path>) -> Result<Vec<(String, String)>, Failure> {
    let Some(dir) = dir else {
        return Ok(embed::FILES
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect());
    };
    let mut files = Vec::new();
    for path in paths(dir)? {
        files.push((path.display().to_string(), chapter(&path)?));
    }
    if files.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!("There are no chapters in {}", dir.display()),
            "no file there ends in .md and begins with a number",
            "name a folder with chapters such as 00-hello.md",
        ));
    }
    Ok(files)
}

/// [`files`], and those that look like a chapter and lack the number: what an author meant to be one.
///
/// # Errors
/// As for [`files`], where no such file is found.
pub fn meant(dir: Option<&Path>) -> Result<Vec<(String, String)>, Failure> {
    let Some(folder) = dir else {
        return files(dir);
    };
    let mut unnumbered = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        // A README of another encoding or size is nobody's chapter.
        let text = match path.extension() {
            Some(ending) if ending == "md" && !is_chapter(&path) => fs::read_to_string(&path),
            _ => continue,
        };
        if let Ok(text) = text
            && text.starts_with("+++")
        {
            unnumbered.push((path.display().to_string(), text));
        }
    }
    unnumbered.sort();
    let mut found = if unnumbered.is_empty() || !paths(folder)?.is_empty() {
        files(dir)?
    } else {
        Vec::new()
    };
    found.extend(unnumbered);
    Ok(found)
}

/// Writes the built-in chapters and a guide for authors into a folder that is new or empty.
///
/// # Errors
/// If something is in the folder already, or it cannot be written to.
pub fn write(dir: &Path) -> Result<(), Failure> {
    let unwritten = |error: &io::Error| {
        Failure::new(
            Exit::Usage,
            format!("The chapters could not be written to {}", dir.display()),
            error.to_string(),
            remedy(error, "name a new folder that you may write to"),
        )
    };
    fs::create_dir_all(dir).map_err(|error| unwritten(&error))?;
    let mut inside = fs::read_dir(dir).map_err(|error| unwritten(&error))?;
    if inside.next().is_some() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} is not empty", dir.display()),
            "chapters are written into a new folder, so that nothing is lost",
            "name another folder",
        ));
    }
    let guide = guide::guide();
    let files = embed::FILES
        .into_iter()
        .chain([("README.md", guide.as_str())]);
    for (name, text) in files {
        fs::write(dir.join(name), text).map_err(|error| unwritten(&error))?;
    }
    Ok(())
}

fn is_chapter(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    path.extension().is_some_and(|ending| ending == "md")
        && name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit()))
}

fn paths(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(|error| unreadable(dir, &error))? {
        let path = entry.map_err(|error| unreadable(dir, &error))?.path();
        if is_chapter(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn chapter(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let text = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..text]);
        let TextPosition { line, column } = TextPosition::of(&text, text.len());
        Failure::new(
            Exit::Usage,
            format!("{}:{line}:{column} is not UTF-8", path.display()),
            "a byte there belongs to no character",
            "save the chapter as UTF-8",
        )
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("{} cannot be read", path.display()),
        error.to_string(),
        "name a folder with chapters such as 00-hello.md",
    )
}

/// The chapters of a folder, or the ones that are built in.
///
/// # Errors
/// What cannot be read, with every place.
pub fn book(dir: Option<&Path>) -> Result<Book, Failure> {
    let files = files(dir)?;
    let pairs = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    Book::parse(pairs).map_err(|faults| faulty(&faults))
}

fn faulty(faults: &[Fault]) -> Failure {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Failure::new(
        Exit::Usage,
        "The chapters cannot be read",
        lines.join("\n        "),
        "correct them; `hoptrail chapters lint DIR` finds all there is",
    )
}

/// The reader's progress; none yet is none.
///
/// # Errors
/// If there is a file that cannot be read. It is left as it is.
pub fn progress(state: &Path) -> Result<Progress, Failure> {
    let path = state.join(PROGRESS);
    match fs::read_to_string(&path) {
        Ok(text) => Progress::parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Progress::default()),
        Err(error) => Err(Failure::new(
            Exit::Usage,
            format!("The progress in {} cannot be read", path.display()),
            error.to_string(),
            "make the file readable, or move it away to begin anew",
        )),
    }
}

/// Writes progress; a kill leaves the old one or the new one.
///
/// # Errors
/// If the folder cannot be written to.
pub fn keep(state: &Path, progress: &Progress) -> Result<(), Failure> {
    let path = state.join(PROGRESS);
    let text = progress.to_toml();
    let written = private_folder(state).and_then(|()| replace(&path, 0o600, &[text.as_bytes()]));
    written.map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("Your progress could not be written to {}", path.display()),
            error.to_string(),
            remedy(
                &error,
                "name a folder that you may write to with --state DIR",
            ),
        )
    })
}

/// A folder that is looked at now and then; a watch of the operating system's own would need
/// another crate for a thing that only authors use.
#[derive(Debug)]
pub struct Watch {
    changes: Option<mpsc::UnboundedReceiver<Msg>>,
}

/// What a change of any file changes.
type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl Watch {
    /// Looks at nothing.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { changes: None }
    }

    /// Looks at a folder until this is dropped.
    #[must_use]
    pub fn folder(dir: PathBuf) -> Self {
        let (sender, changes) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut seen = None;
            while !sender.is_closed() {
                let (dir, before) = (dir.clone(), seen.take());
                // Off the async threads: a folder may be large, and lie on a slow disk.
                let look = tokio::task::spawn_blocking(move || look(&dir, before.as_ref()));
                let Ok((now, news)) = look.await else {
                    return;
                };
                seen = Some(now);
                if let Some(msg) = news {
                    // Nobody is listening any more when the person has quit.
                    let _ = sender.send(msg);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Self {
            changes: Some(changes),
        }
    }

    /// Waits for the next change.
    pub async fn changed(&mut self) -> Msg {
        match &mut self.changes {
            Some(changes) => match changes.recv().await {
                Some(msg) => msg,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

/// How the folder is now, and what there is to say if it was otherwise before.
fn look(dir: &Path, before: Option<&Stamp>) -> (Stamp, Option<Msg>) {
    let now = stamp(dir);
    let changed = before.is_some_and(|before| *before != now);
    let news = changed.then(|| match book(Some(dir)) {
        Ok(book) => Msg::Book(Box::new(book)),
        Err(failure) => Msg::BookUnreadable(failure),
    });
    (now, news)
}

fn stamp(dir: &Path) -> Stamp {
    let Ok(paths) = paths(dir) else {
        return Stamp::new();
    };
    paths
        .into_iter()
        .map(|path| {
            let meta = fs::metadata(&path).ok();
            let modified = meta.as_ref().and_then(|meta| meta.modified().ok());
            let length = meta.map_or(0, |meta| meta.len());
            (path, modified, length)
        })
        .collect()
}
