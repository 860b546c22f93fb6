//! The workshop's chapters: Markdown with a front matter, and checks that look at the real thing.
//!
//! A chapter is data. Parsing one touches nothing, and judging a check is a pure function of the
//! trace's [`Projection`] and of what the [`probe`]s brought back; whoever reads a folder, sends a
//! probe or draws a page does it elsewhere.

use crate::{
    projection::Projection,
    support::{
        digest::{hex, sha256},
        error::{Exit, Failure},
        pane::Pane,
        position::TextPosition,
        text::one_line,
    },
};

pub mod check;
pub mod embed;
pub mod evidence;
pub mod expect;
mod front_matter;
pub mod guide;
pub mod lint;
pub mod markdown;
pub mod mistakes;
pub mod orientation;
pub mod parse;
pub mod personal;
pub mod probe;
pub mod progress;
pub mod report;
pub mod text;

pub use check::{Check, Status};
pub use evidence::Evidence;
pub use expect::Expect;
pub use front_matter::Stage;
pub use mistakes::Mistake;
pub use orientation::Orientation;
pub use parse::{Attempt, Segment};
pub use probe::{Probe, ProbeResults, Reading};
pub use progress::Progress;

/// The chapters in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    pub chapters: Vec<Chapter>,
}

/// One chapter as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// The file's name: `03-the-sign-in.md`.
    pub file: String,
    /// The number at the beginning of the file's name.
    pub number: u16,
    /// What progress, `requires` and other chapters call it.
    pub id: String,
    pub title: String,
    /// How long it takes a newcomer.
    pub minutes: u16,
    /// The chapters that come before it.
    pub requires: Vec<(String, TextPosition)>,
    /// What stands beside the text at first.
    pub pane: Pane,
    /// What the lab's server is at the end of the chapter.
    pub stage: Stage,
    pub checks: Vec<Check>,
    pub mistakes: Vec<Mistake>,
    /// What to pause at, and its answer, folded away.
    pub question: Option<(String, TextPosition)>,
    pub answer: Option<String>,
    pub segments: Vec<Segment>,
    /// Changes with every change of the text: progress is about one text.
    pub hash: String,
    id_at: TextPosition,
    source: String,
}

/// Something that an author got wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{path}:{}:{}: {what}\n  {} | {text}", .place.line, .place.column, .place.line)]
pub struct Fault {
    pub path: String,
    pub place: TextPosition,
    /// The line itself, harmless.
    pub text: String,
    /// What is wrong, one sentence without a full stop.
    pub what: String,
}

impl Fault {
    fn at(path: &str, source: &str, place: TextPosition, what: &str) -> Self {
        let line = source.lines().nth(place.line - 1).unwrap_or_default();
        Self {
            path: path.to_owned(),
            place,
            text: crate::support::text::one_line(line),
            what: crate::support::text::one_line(what),
        }
    }
}

impl Book {
    /// Reads chapters from their files' names and texts, in that order.
    ///
    /// # Errors
    /// Everything that cannot be read, of all files. What can be read and is still wrong is
    /// [`lint`]'s to find.
    pub fn parse<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<Fault>> {
        let mut chapters = Vec::new();
        let mut faults = Vec::new();
        for (file, text) in files {
            match parse::chapter(file, text) {
                Ok(chapter) => chapters.push(chapter),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            Ok(Self { chapters })
        } else {
            Err(faults)
        }
    }

    /// The chapters that hoptrail brings along.
    ///
    /// # Errors
    /// Never in a released build: a test lints them.
    pub fn embedded() -> Result<Self, Vec<Fault>> {
        Self::parse(embed::FILES)
    }

    /// The chapter with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Chapter> {
        self.chapters.iter().find(|chapter| chapter.id == id)
    }

    /// The chapter that somebody names, by its number or its id.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(&self, name: &str) -> Result<&Chapter, Failure> {
        let number = name.parse().ok().and_then(|number| self.number(number));
        number.or_else(|| self.get(name)).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("There is no chapter {}", one_line(name)),
                "a chapter has a number or an id",
                "see them with `hoptrail chapters list`",
            )
        })
    }

    /// The chapter with this number.
    #[must_use]
    pub fn number(&self, number: u16) -> Option<&Chapter> {
        self.chapters
            .iter()
            .find(|chapter| chapter.number == number)
    }
}

impl Chapter {
    /// The check with this id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// How a check of this chapter stands; a failed one names the likely mistake, if it is one
    /// that the chapter knows.
    #[must_use]
    pub fn status(&self, check: &Check, projection: &Projection, results: &ProbeResults) -> Status {
        let status = check::eval(check, projection, results);
        if matches!(status, Status::Failed { .. })
            && self.stage >= Stage::Limited
            && !self.is_console_at_fault(projection, results)
            && let Some(outdated) = check::outdated(check, projection, results)
        {
            return outdated;
        }
        mistakes::explain(self, check, status, projection, results)
    }

    /// Whether something that its checks want made in the zone's console is otherwise.
    fn is_console_at_fault(&self, projection: &Projection, results: &ProbeResults) -> bool {
        let at_fault = |check| check::fault_in_console(check, projection, results).is_some();
        self.checks.iter().any(at_fault)
    }

    /// What its checks want to be asked, each once.
    #[must_use]
    pub fn probes(&self) -> Vec<Probe> {
        let mut probes: Vec<Probe> = self
            .checks
            .iter()
            .flat_map(|check| check.expect.probes())
            .collect();
        probes.sort();
        probes.dedup();
        probes
    }

    /// A fault in this chapter's file.
    fn fault(&self, place: TextPosition, what: &str) -> Fault {
        Fault::at(&self.file, &self.source, place, what)
    }
}

/// A short name for a text: the first 64 bits of its SHA-256, in hexadecimal.
fn hash(text: &str) -> String {
    hex(&sha256(text.as_bytes())[..8])
}
