//! Knows everything: the loops, the terminal, the effect runner, recording.
//!
//! The only module that sees both the state machine and the outside world. Must hold no product
//! logic: what a person sees is decided in `app`, what happened is decided in `client` and `lab`.

pub mod backend;
pub mod chapters;
pub mod check;
pub mod clipboard;
pub mod collector;
pub mod console_steps;
pub mod headless;
pub mod input;
pub mod jobs;
pub mod logging;
pub mod notes;
pub mod probing;
pub mod record;
pub mod replay;
pub mod scenes;
pub mod signals;
pub mod stage;
pub mod standing;
pub mod stream;
pub mod terminal;
pub mod tui;

use std::path::PathBuf;

use crate::{
    protocol::oauth::ClientCredential,
    support::{clock::SharedClock, ids::Ids},
    ui::look::Look,
};

/// What a run is told at start.
#[derive(Debug, Clone)]
pub struct Options {
    pub target: TargetChoice,
    pub consent: Consent,
    pub record: Option<PathBuf>,
    /// An OpenTelemetry collector that gets the run's spans.
    pub otlp: Option<collector::Destination>,
    /// Where state lives between starts.
    pub state: PathBuf,
    /// Issuers that need not say that they support PKCE.
    pub assume_pkce: Vec<String>,
    /// For the management API of a lab that is not embedded.
    pub console: Option<ClientCredential>,
    /// How the embedded lab begins.
    pub lab: LabStart,
    pub clock: SharedClock,
    pub ids: Ids,
}

/// How the embedded lab begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LabStart {
    /// The chapter at whose end it is; see [`crate::lab::LabConfig::stage`].
    pub stage: Option<crate::lab::Chapter>,
    pub objects: crate::lab::ZoneObjects,
}

/// What the run works against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetChoice {
    /// The embedded lab.
    Embedded,
    /// The embedded lab, in memory: nothing of an earlier start is in it, and nothing is kept.
    Fresh,
    /// A lab that runs already, by its zone's URL.
    Lab(String),
    /// An MCP server somewhere, by its endpoint.
    Server(String),
}

/// Who consents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    /// A person in a browser.
    Browser,
    /// The lab's sample user, by login; `None` is the first.
    Headless(Option<String>),
    /// The same one, who says no on the consent page.
    Deny(Option<String>),
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Plain(crate::plain::Style),
    Json,
}

/// How the panes look.
#[derive(Debug, Clone)]
pub struct TuiOptions {
    pub look: Look,
    pub app: crate::app::AppConfig,
    /// What takes over on a stage when something fails.
    pub stand_in: replay::Place,
    /// A folder with chapters, which is read again when it changes.
    pub chapters: Option<PathBuf>,
    /// The folder of the attendee's own server.
    pub project: Option<PathBuf>,
    /// What is told as soon as there is a screen.
    pub fault: Option<crate::support::error::Failure>,
    /// Breaks on purpose; no release has it.
    #[cfg(debug_assertions)]
    pub panic: Option<PanicIn>,
}

/// Where a panic is provoked, so that a test sees what becomes of the terminal.
#[cfg(debug_assertions)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanicIn {
    /// On the thread that draws.
    Drawing,
    /// In the next task.
    Task,
}
