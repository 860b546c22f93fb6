//! `hoptrail chapters`: looks at the chapters of a folder, or at the ones that are built in.

use super::args::ChaptersCommand;
use crate::{
    chapters::{
        Chapter, Fault, embed,
        lint::lint,
        text::{Fold, render},
    },
    runtime::chapters::{book, meant, write},
    support::{
        error::{Exit, Failure},
        text::one_line,
    },
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
            let files = meant(dir.as_deref())?;
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
        ChaptersCommand::Write { dir } => {
            write(dir)?;
            let dir = one_line(&dir.display().to_string());
            Ok(Said::well(format!(
                "{} chapters and a README.md are in {dir}\n\
                 read them with `hoptrail learn --chapters {dir}`\n",
                embed::FILES.len()
            )))
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

fn pairs(files: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
}
