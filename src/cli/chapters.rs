//! `hoptrail chapters`: looks at the chapters of a folder, or at the ones that are built in.

use std::{fs, path::Path};

use super::args::ChaptersCommand;
use crate::{
    chapters::{
        Book, Chapter, Fault, embed,
        lint::lint,
        text::{Fold, render},
    },
    support::error::{Exit, Failure},
};

/// What a command had to say, and how it ends.
#[derive(Debug)]
pub struct Said {
    pub text: String,
    pub exit: Exit,
}

impl Said {
    fn well(text: String) -> Self {
        Self {
            text,
            exit: Exit::Ok,
        }
    }
}

/// Runs a command.
///
/// # Errors
/// If a folder or a chapter cannot be read. Faults that lint finds are no error of its own: they
/// are what it says, and it ends with 1.
pub fn run(command: &ChaptersCommand) -> Result<Said, Failure> {
    match command {
        ChaptersCommand::Lint { dir } => {
            let files = files(dir.as_deref())?;
            let faults = lint(pairs(&files));
            let exit = if faults.is_empty() {
                Exit::Ok
            } else {
                Exit::Failed
            };
            Ok(Said {
                text: told(&faults, files.len()),
                exit,
            })
        }
        ChaptersCommand::List { dir } => {
            let book = book(dir.as_deref())?;
            Ok(Said::well(book.chapters.iter().map(line).collect()))
        }
        ChaptersCommand::Show {
            number,
            dir,
            answer,
        } => {
            let book = book(dir.as_deref())?;
            let chapter = book.number(*number).ok_or_else(|| {
                Failure::new(
                    Exit::Usage,
                    format!("There is no chapter {number}"),
                    format!("there are {} chapters", book.chapters.len()),
                    "see them with `hoptrail chapters list`",
                )
            })?;
            let fold = if *answer { Fold::Open } else { Fold::Folded };
            Ok(Said::well(render(chapter, fold)))
        }
    }
}

fn line(chapter: &Chapter) -> String {
    format!(
        "{:>2}  {:<14} {:<28} {:>3} min  {:>2} checks\n",
        chapter.number,
        chapter.id,
        chapter.title,
        chapter.minutes,
        chapter.checks.len()
    )
}

fn told(faults: &[Fault], files: usize) -> String {
    let chapters = if files == 1 { "chapter" } else { "chapters" };
    match faults.len() {
        0 => format!("{files} {chapters}, nothing to find fault with\n"),
        found => {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let lines = lines.join("\n");
            let what = if found == 1 { "fault" } else { "faults" };
            format!("{lines}\n{found} {what} in {files} {chapters}\n")
        }
    }
}

/// The chapters of a folder, or the ones that are built in.
fn book(dir: Option<&Path>) -> Result<Book, Failure> {
    let files = files(dir)?;
    Book::parse(pairs(&files)).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::new(
            Exit::Usage,
            "The chapters cannot be read",
            lines.join("\n        "),
            "correct them; `hoptrail chapters lint DIR` finds all there is",
        )
    })
}

fn pairs(files: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
}

/// Names and texts in order of the names; of a folder those that end in `.md` and begin with a
/// number, so that a README may lie beside them.
fn files(dir: Option<&Path>) -> Result<Vec<(String, String)>, Failure> {
    let Some(dir) = dir else {
        return Ok(embed::FILES
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect());
    };
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::new(
            Exit::Usage,
            format!("{} cannot be read", path.display()),
            error.to_string(),
            "name a folder with chapters such as 00-hello.md",
        )
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(|error| failed(dir, &error))? {
        let path = entry.map_err(|error| failed(dir, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let is_chapter = path.extension().is_some_and(|ending| ending == "md")
            && name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit()));
        if is_chapter {
            let text = fs::read_to_string(&path).map_err(|error| failed(&path, &error))?;
            files.push((path.display().to_string(), text));
        }
    }
    if files.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!("There are no chapters in {}", dir.display()),
            "no file there ends in .md and begins with a number",
            "name a folder with chapters such as 00-hello.md",
        ));
    }
    files.sort();
    Ok(files)
}
