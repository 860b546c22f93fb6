//! Everything that can change the state. Nouns; no closures.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{compare::Against, learn::console::Work, notes::Notes, player::Tape, target::Target};
use crate::{
    chapters::{Book, ProbeResults, probe::Answers},
    config::keys::Key,
    projection::{Seq, timeline::Kept},
    support::error::Failure,
    trace::event::TraceEvent,
};

/// A message to [`super::App::update`].
#[derive(Debug, Clone)]
pub enum Msg {
    /// The person did something.
    Input(InputEvent),
    /// A fact came.
    Trace(TraceEvent),
    /// A task that was started by [`super::effect::Effect::Run`] ended.
    Task(TaskId, TaskOutcome),
    /// Milliseconds since the run began, on the clock that stamps the trace.
    Tick(u64),
    /// The terminal has this size now, in cells.
    Resized(u16, u16),
    /// The operating system asks.
    Signal(Signal),
    /// A text of so many characters was handed to the terminal's clipboard.
    Copied(usize),
    /// The recorder's state changed.
    Recording(RecordingState),
    /// The authorization URL as the browser needs it: the trace holds only a masked one.
    BrowserUrl(String),
    /// What was asked for the checks of the chapter with this id.
    Probed(String, Box<ProbeResults>),
    /// What the zone answered when it was asked itself.
    ZoneAnswered(BTreeMap<Seq, Answers>),
    /// What a chapter's console work is.
    ConsoleWork(Work),
    /// What came of a step of the console work, by the chapter's number and the step's place.
    StepTaken {
        chapter: u16,
        place: usize,
        told: String,
        /// The steps that have to be taken again because of it.
        again: Vec<usize>,
    },
    /// What a person's own editor made of a text, or why there was none.
    Edited(Result<String, Failure>),
    /// What was made in the zone's console, and what went away, while the lab was brought elsewhere.
    ZoneChanged {
        made: Vec<String>,
        gone: Vec<String>,
        /// What was made anew as it was.
        anew: Vec<String>,
    },
    /// An attendee's own server and folder were looked at.
    LookedAround(Box<ProbeResults>),
    /// The folder with the chapters changed, and they can be read.
    Book(Box<Book>),
    /// It changed, and they cannot be read.
    BookUnreadable(Failure),
    /// The trace that is followed is not there yet.
    Awaited,
    /// So many hundredths of a trace are read.
    Opening(u8),
    /// A trace was read.
    Opened(Box<Tape>),
    /// A trace that is followed grew by these events; how each one's line is kept.
    Grew(Vec<(TraceEvent, Kept)>),
    /// A trace that grew grows no more; what to tell the person of its end.
    Ended { warning: Option<String> },
    /// Spans did not reach the collector that was named.
    NotExported(Failure),
    /// A run begins at this time, on a lab to which nothing happened: at the start of a run sheet and
    /// after a reset.
    Begun(DateTime<Utc>),
    /// The screen was written to this file, or why not.
    Pictured(Result<String, Failure>),
    /// The bookmarks and notes on the trace were read, or why they cannot be used.
    Notes(Notes),
    /// What was noted could not be written.
    NotesNotKept(Failure),
    /// Another run was read, to be laid beside this one.
    Against(Box<Against>),
    /// A trace cannot be read, or not any more.
    Unreadable(Failure),
}

/// What the person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputEvent {
    Key(Key),
    /// Bracketed paste; never read as keys.
    Paste(String),
    /// `target` is what the frame on screen had under the pointer.
    Mouse {
        action: MouseAction,
        target: Option<Target>,
    },
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseAction {
    Click,
    ScrollUp,
    ScrollDown,
}

/// Names a running task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// How a task ended. What it found out is in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskOutcome {
    Done,
    Failed(Failure),
    Cancelled,
}

/// What the operating system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGHUP: end now, without asking.
    Terminate,
    /// SIGTSTP: give the terminal back and stop, as the key for it does.
    Stop,
    /// The process was continued after a suspension.
    Continued,
    /// It could not be stopped: nothing is there that would continue it.
    NotStopped,
}

/// The recorder's state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RecordingState {
    #[default]
    Off,
    /// Facts are being written to this file.
    On { file: String },
    /// The file is closed.
    Saved { file: String, events: u64 },
    /// It could not be written.
    Failed(Failure),
}
