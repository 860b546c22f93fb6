//! A run sheet for the stage: the cues that an instructor steps through. Turns text into cues; reads
//! no file itself and does nothing of what the cues say.

pub mod doubts;
pub mod notes;
mod raw;

use crate::support::{error::Failure, pane::Pane};

/// The sheet that is built in, as text: what instructors begin theirs with.
pub const DEFAULT: &str = include_str!("../../assets/stage.toml");

/// A run sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub title: String,
    pub begin: Begin,
    /// Whether exchanges are held from the start.
    pub hold: Hold,
    /// The recording that takes over, as written: beside the sheet. `None` is the built-in one.
    pub trace: Option<String>,
    /// Never empty.
    pub cues: Vec<Cue>,
}

/// One cue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    pub title: String,
    pub action: Action,
    /// Which ticket is escalated, by its place in the list, from 0.
    pub ticket: Option<usize>,
    /// What the speaker wants to say; may be empty.
    pub note: String,
    pub expect: Option<Expect>,
    /// Switches the holding before the cue.
    pub hold: Option<Hold>,
    /// What it leaves on the screen instead of the stage.
    pub show: Option<Pane>,
}

/// What a cue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    SignIn,
    SignOut,
    ListTickets,
    Escalate,
    Delete,
    PolicyOff,
    PolicyOn,
    /// Nothing: the speaker speaks.
    Talk,
}

/// What should be so afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    SignedIn,
    SignedOut,
    /// The call came through, with at least one credential issued and none refused.
    Issued,
    /// A policy refused a credential: this one, or any.
    Refused(Option<String>),
    /// The call came through.
    Succeeded,
    PolicyOff,
    PolicyOn,
}

/// Where the lab is at the start and after a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Begin {
    #[default]
    SignedOut,
    SignedIn,
}

/// Whether exchanges wait for the instructor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hold {
    On,
    #[default]
    Off,
}

impl Sheet {
    /// Reads a sheet from TOML. `name` is the file's name, for the message.
    ///
    /// # Errors
    /// If the text is no TOML, names something that does not exist, or has no cue; with line and
    /// column.
    pub fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        raw::parse(text, name)
    }

    /// The sheet that is built in.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(DEFAULT, "the built-in sheet").expect("a test reads the built-in sheet")
    }
}
