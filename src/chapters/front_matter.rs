//! The head of a chapter: TOML between two lines of `+++`. Names what it does not know.

use std::num::NonZeroU16;

use serde::Deserialize;
use toml::Spanned;

use super::{
    TextPosition,
    check::{Check, Within},
    expect::Expect,
    mistakes::{Advice, Mistake},
};
use crate::support::pane::Pane;

/// The line before and after the front matter.
const FENCE: &str = "+++";

/// What the server is, by the chapter at whose end it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "u8")]
pub enum Stage {
    /// Open to anyone, one Linear key.
    Open = 0,
    /// A token is demanded.
    Protected = 2,
    /// Supabase from the vault.
    Vault = 4,
    /// Personal data is masked.
    Masked = 5,
    /// Linear is delegated per call.
    Delegated = 6,
    /// The policy limits the scopes.
    Limited = 7,
}

impl Stage {
    /// What the server is at the end of a chapter of the workshop.
    #[must_use]
    pub const fn at_end_of(chapter: u8) -> Self {
        match chapter {
            0 | 1 => Self::Open,
            2 | 3 => Self::Protected,
            4 => Self::Vault,
            5 => Self::Masked,
            6 => Self::Delegated,
            _ => Self::Limited,
        }
    }

    /// The number of the chapter.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for Stage {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        let stage = Self::at_end_of(number);
        if stage.number() != number {
            return Err(format!(
                "there is no stage {number}; the stages are 0, 2, 4, 5, 6 and 7"
            ));
        }
        Ok(stage)
    }
}

/// The front matter as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontMatter {
    pub id: Spanned<String>,
    pub title: String,
    pub minutes: NonZeroU16,
    #[serde(default)]
    pub requires: Vec<Spanned<String>>,
    pub pane: Pane,
    pub stage: Stage,
    pub question: Option<Spanned<String>>,
    pub answer: Option<String>,
    #[serde(default)]
    pub checks: Vec<RawCheck>,
    #[serde(default)]
    pub mistakes: Vec<RawMistake>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheck {
    id: Spanned<String>,
    title: String,
    #[serde(default)]
    hints: Vec<String>,
    #[serde(default = "yes")]
    required: bool,
    #[serde(default)]
    within: Within,
    #[serde(default)]
    only_here: bool,
    expect: Expect,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMistake {
    /// The checks that it spoils; all when empty.
    #[serde(default)]
    checks: Vec<Spanned<String>>,
    seen: Spanned<String>,
    cause: String,
    fix: String,
    when: Expect,
}

impl RawCheck {
    pub(super) fn placed(self, place: impl Fn(usize) -> TextPosition) -> Check {
        let at = place(self.id.span().start);
        Check {
            id: self.id.into_inner(),
            title: self.title,
            hints: self.hints,
            required: self.required,
            within: self.within,
            only_here: self.only_here,
            expect: self.expect,
            at,
        }
    }
}

impl RawMistake {
    pub(super) fn placed(self, place: impl Fn(usize) -> TextPosition) -> Mistake {
        Mistake {
            at: place(self.seen.span().start),
            checks: self
                .checks
                .into_iter()
                .map(|id| {
                    let at = place(id.span().start);
                    (id.into_inner(), at)
                })
                .collect(),
            seen: self.seen.into_inner(),
            cause: Advice(self.cause),
            fix: Advice(self.fix),
            when: self.when,
        }
    }
}

/// The two parts of a file, each with the byte at which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub front: (&'a str, usize),
    pub body: (&'a str, usize),
}

/// Takes a file apart.
///
/// # Errors
/// The byte and what is missing there.
pub(super) fn split(text: &str) -> Result<Parts<'_>, (usize, &'static str)> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    if first.trim_end() != FENCE {
        return Err((0, "a chapter begins with a line of +++"));
    }
    let mut at = first.len();
    for line in lines {
        if line.trim_end() == FENCE {
            let body = at + line.len();
            return Ok(Parts {
                front: (&text[first.len()..at], first.len()),
                body: (&text[body..], body),
            });
        }
        at += line.len();
    }
    Err((0, "the front matter has no second line of +++"))
}
