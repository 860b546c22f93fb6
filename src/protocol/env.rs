//! The workshop's `.env` file: its lines, and what kind of thing each value is.

mod classify;
mod parse;

use serde::{Deserialize, Serialize};

pub use classify::{classify, could_open};
pub use parse::{EnvEntry, EnvFile, EnvRemark};

/// What a value is, and so what it is worth to a thief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvKind {
    /// Opens something by itself.
    Secret,
    /// Names something; opens nothing.
    Identifier,
    /// A plain setting.
    Config,
}

/// One variable as it may be shown. A secret's value is never here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvLine {
    /// The variable's name.
    pub name: String,
    /// What kind of value it has.
    pub kind: EnvKind,
    /// The value; for a secret `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// False for `NAME=` with nothing behind it.
    pub set: bool,
    /// What it opens, or what it is for, in a few words.
    pub note: String,
    /// True for a secret that opens a service directly (a "key worth stealing").
    #[serde(default)]
    pub worth_stealing: bool,
}
