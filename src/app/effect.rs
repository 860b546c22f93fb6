//! What the state machine wants done. Plain data; the runtime does it.

use serde_json::Value;

use super::{learn::console::form::Filled, msg::TaskId, notes::Note};
use crate::{
    chapters::{Probe, Progress, check::Doubts},
    config::sheet::Hold,
    projection::Seq,
    shipped::Shipped,
};

/// A wish to the runtime.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Start a task; its end comes back as [`super::msg::Msg::Task`].
    Run(TaskId, Job),
    /// Stop a running task; its end still comes back.
    CancelTask(TaskId),
    /// Put this on the clipboard (OSC 52).
    Copy(String),
    StartRecording,
    StopRecording,
    /// Give the terminal back and stop, as Ctrl-Z does.
    Suspend,
    /// Clear the terminal and draw everything again.
    Redraw,
    SetMouseCapture(Capture),
    /// Write the screen to a picture; where it lies comes back as [`super::msg::Msg::Pictured`].
    Picture,
    /// Read the recording that takes over from what is live.
    TakeOver,
    /// Read it no more.
    ComeBack,
    /// Stop what runs and begin anew with a new lab; [`super::msg::Msg::Begun`] follows.
    Reset,
    /// Write down how far the reader has come.
    KeepProgress(Box<Progress>),
    /// Put a mark into the trace.
    Mark {
        chapter: Option<u8>,
        text: String,
    },
    /// Tell the trace that a cue begins, by its number from 1.
    MarkCue {
        number: u16,
        title: String,
    },
    /// Tell the trace that a cue was skipped.
    MarkSkip {
        number: u16,
        title: String,
    },
    /// Write the bookmarks and notes beside the trace, all of them.
    SaveNotes(Vec<Note>),
    /// Read one of the traces that come along in place of the one that is shown.
    OpenShipped(&'static Shipped),
    /// Let the person edit this text in their own editor; what they made of it comes back as
    /// [`super::msg::Msg::Edited`].
    Edit(String),
    Quit,
}

/// Work that takes time and reports its findings as facts in the trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    SignIn,
    /// Have the lab's sample user answer in the place of the browser that is waited for.
    SampleUser,
    SignOut,
    ListTools,
    CallTool {
        tool: String,
        arguments: Value,
    },
    ActivatePolicySet {
        set_id: String,
        version: u32,
    },
    /// Read policy sets, sessions and grants anew.
    RefreshConsole,
    /// Hold the lab's exchanges from now on, or hold them no more.
    Hold(Hold),
    /// Let an exchange go that waits.
    LetGo {
        id: String,
    },
    /// Bring the lab to the end of a chapter of the workshop, from 0 to 8.
    GoToChapter(u8),
    /// [`Self::GoToChapter`], and what was made in the zone after it goes away.
    BeginAgain {
        lab: u8,
        /// The id of the chapter that is begun again.
        chapter: String,
    },
    /// Ask what a chapter's checks want to know; the answers come back as
    /// [`super::msg::Msg::Probed`] under the chapter's id.
    RunProbes {
        chapter: String,
        probes: Vec<Probe>,
        since: Option<Seq>,
    },
    /// Ask the zone itself why calls got no credential; the answers come back as
    /// [`super::msg::Msg::ZoneAnswered`].
    AskZone(Doubts),
    /// Read what a chapter's console work is, by its number; it comes back as
    /// [`super::msg::Msg::ConsoleWork`].
    ReadConsoleWork(u16),
    /// Take a step of it; what came of it comes back as [`super::msg::Msg::StepTaken`].
    TakeStep {
        chapter: u16,
        place: usize,
        filled: Filled,
    },
}

/// Whether the mouse is ours or the terminal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    On,
    Off,
}

/// The effects of one update, in order.
pub type Effects = Vec<Effect>;
