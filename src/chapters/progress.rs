//! How far a reader has come: what passed, what was skipped, and where they were.
//!
//! Plain data. Whoever keeps the file reads and writes it; a changed chapter begins anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Book, Chapter, Check, Status};
use crate::support::error::{Exit, Failure};

/// The version of the file's form.
const VERSION: u32 = 1;

/// A reader's progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<ReadingPlace>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    chapters: BTreeMap<String, ChapterProgress>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            version: VERSION,
            place: None,
            chapters: BTreeMap::new(),
        }
    }
}

/// Where somebody was reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingPlace {
    /// The chapter's id.
    pub chapter: String,
    /// The last heading above, by which the place is found again in a changed text.
    #[serde(default)]
    pub heading: String,
    /// Lines below that heading.
    #[serde(default)]
    pub line: usize,
    /// The chapter at whose end the lab was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<u8>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChapterProgress {
    hash: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    passed: BTreeMap<String, Passed>,
}

/// How it is known that a check passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// hoptrail saw it.
    Seen,
    /// It cannot be seen from here; the reader said so.
    Told,
}

/// Where a chapter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChapterState {
    Open,
    /// Every required check passed.
    Done,
    /// The reader went on without.
    Skipped,
}

impl Progress {
    /// Reads a progress file.
    ///
    /// # Errors
    /// If it is no TOML, or of a newer version; with line and column.
    pub fn parse(text: &str, file: &str) -> Result<Self, Failure> {
        let refused = |why: String| {
            Failure::new(
                Exit::Usage,
                format!("The progress in {file} was not taken"),
                why,
                "remove the file to begin anew, or restore it",
            )
        };
        let progress: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let place = super::TextPosition::of(text, offset);
            refused(format!(
                "line {}, column {}: {}",
                place.line,
                place.column,
                error.message()
            ))
        })?;
        if progress.version > VERSION {
            return Err(refused(format!(
                "it has version {}; this hoptrail reads up to {VERSION}",
                progress.version
            )));
        }
        Ok(progress)
    }

    /// The file's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("plain tables with text for keys")
    }

    fn of(&self, chapter: &Chapter) -> Option<&ChapterProgress> {
        self.chapters
            .get(&chapter.id)
            .filter(|progress| progress.hash == chapter.hash)
    }

    fn of_mut(&mut self, chapter: &Chapter) -> &mut ChapterProgress {
        let progress = self.chapters.entry(chapter.id.clone()).or_default();
        if progress.hash != chapter.hash {
            *progress = ChapterProgress {
                hash: chapter.hash.clone(),
                ..ChapterProgress::default()
            };
        }
        progress
    }

    /// Keeps that a check passed; what was seen is not made less by somebody's word.
    pub fn pass(&mut self, chapter: &Chapter, check: &Check, how: Passed) {
        let passed = &mut self.of_mut(chapter).passed;
        let known = passed.entry(check.id.clone()).or_insert(how);
        if how == Passed::Seen {
            *known = Passed::Seen;
        }
    }

    /// Keeps a status if it is one to keep; tells whether anything changed.
    pub fn note(&mut self, chapter: &Chapter, check: &Check, status: &Status) -> bool {
        let seen = matches!(status, Status::Passed { .. });
        if !seen || self.passed(chapter, &check.id) == Some(Passed::Seen) {
            return false;
        }
        self.pass(chapter, check, Passed::Seen);
        true
    }

    /// Forgets what is known of a chapter: its checks begin anew.
    pub fn forget(&mut self, chapter: &Chapter) {
        self.chapters.remove(&chapter.id);
    }

    /// How a check passed, if it did.
    #[must_use]
    pub fn passed(&self, chapter: &Chapter, check: &str) -> Option<Passed> {
        self.of(chapter)?.passed.get(check).copied()
    }

    /// Marks that the reader went on without the checks.
    pub fn skip(&mut self, chapter: &Chapter) {
        self.of_mut(chapter).skipped = true;
    }

    /// The required checks that keep the next chapter waiting.
    #[must_use]
    pub fn open<'a>(&self, chapter: &'a Chapter) -> Vec<&'a Check> {
        chapter
            .checks
            .iter()
            .filter(|check| check.required && self.passed(chapter, &check.id).is_none())
            .collect()
    }

    /// Where a chapter stands.
    #[must_use]
    pub fn standing(&self, chapter: &Chapter) -> ChapterState {
        if self.open(chapter).is_empty() {
            ChapterState::Done
        } else if self.of(chapter).is_some_and(|progress| progress.skipped) {
            ChapterState::Skipped
        } else {
            ChapterState::Open
        }
    }

    /// The chapter to go on with: where the reader was, else the first one that is open.
    #[must_use]
    pub fn resume<'a>(&self, book: &'a Book) -> Option<&'a Chapter> {
        let place = self
            .place
            .as_ref()
            .and_then(|place| book.get(&place.chapter));
        place
            .or_else(|| {
                book.chapters
                    .iter()
                    .find(|chapter| self.standing(chapter) == ChapterState::Open)
            })
            .or_else(|| book.chapters.last())
    }
}
