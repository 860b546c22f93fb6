//! The panes about a run by their names, as chapters, run sheets and options write them.

use serde::Deserialize;

/// A pane about the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    Flow,
    Audit,
    Env,
    Issue,
    Policy,
    Sessions,
    Trace,
}

impl Pane {
    /// Every pane, in the order of their digits.
    pub const ALL: [Self; 7] = [
        Self::Flow,
        Self::Audit,
        Self::Env,
        Self::Issue,
        Self::Policy,
        Self::Sessions,
        Self::Trace,
    ];

    /// The word by which it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Audit => "audit",
            Self::Env => "env",
            Self::Issue => "issue",
            Self::Policy => "policy",
            Self::Sessions => "sessions",
            Self::Trace => "trace",
        }
    }

    /// The pane of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pane| pane.name() == name)
    }
}
