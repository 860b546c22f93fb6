//! What the state machine wants done. Plain data; the runtime does it.

use serde_json::Value;

use super::{msg::TaskId, notes::Note};
use crate::{config::sheet::Hold, shipped::Shipped};

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
    /// Write the bookmarks and notes beside the trace, all of them.
    SaveNotes(Vec<Note>),
    /// Read one of the traces that come along in place of the one that is shown.
    OpenShipped(&'static Shipped),
    Quit,
}

/// Work that takes time and reports its findings as facts in the trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    SignIn,
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
}

/// Whether the mouse is ours or the terminal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    On,
    Off,
}

/// The effects of one update, in order.
pub type Effects = Vec<Effect>;
