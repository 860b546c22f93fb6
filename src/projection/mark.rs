//! Where parts of the story begin: chapters of the workshop, cues of an instructor's run sheet.

use super::{log::Seq, names::Name};

/// Where a part of the story begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub part: Part,
    pub text: Name,
    pub evidence: Seq,
}

/// What begins at a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A chapter of the workshop, from 0.
    Chapter(u8),
    /// A cue of a run sheet, from 1.
    Cue(u16),
    /// What has a title only.
    Unnumbered,
}

impl Part {
    /// `chapter 7`, `cue 3`; `None` for what has no number.
    #[must_use]
    pub fn name(self) -> Option<String> {
        match self {
            Self::Chapter(number) => Some(format!("chapter {number}")),
            Self::Cue(number) => Some(format!("cue {number}")),
            Self::Unnumbered => None,
        }
    }

    /// Its number; `None` for what has none.
    #[must_use]
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::Chapter(number) => Some(number as u16),
            Self::Cue(number) => Some(number),
            Self::Unnumbered => None,
        }
    }
}

impl Mark {
    /// The name of what begins, where it has one, and its title.
    #[must_use]
    pub fn told(&self) -> String {
        match self.part.name() {
            Some(name) => format!("{name}: {}", self.text),
            None => self.text.to_string(),
        }
    }
}
