//! Windows over the panes; they stack, and Esc takes one away.

use tui_input::Input;

use super::{
    command::Context,
    focus::PaneId,
    learn::console::{Going, form::Form},
};
use crate::{
    chapters::Probe,
    projection::{AuditId, HopId, Seq},
    support::error::Failure,
    trace::event::BrowserLeg,
};

/// A window.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help {
        scroll: usize,
    },
    Palette {
        input: Input,
        selected: usize,
    },
    /// The line in which a filter is typed; it lies in the footer.
    Filter {
        pane: PaneId,
        input: Input,
        /// What the filter was before.
        before: String,
    },
    /// The line in which a time or an event's number is typed; it lies in the footer.
    Goto {
        input: Input,
    },
    /// The line in which a note is typed; it lies in the footer.
    Note {
        input: Input,
        /// The place that it is about: a replay may go on meanwhile.
        place: usize,
    },
    /// Marks, bookmarks and notes.
    Places {
        selected: usize,
    },
    /// The traces that come along.
    Traces {
        selected: usize,
    },
    /// Two runs beside each other; what is selected is the comparison's own.
    Compare,
    /// Two hops beside each other: those of the comparison's selected row.
    Both {
        tab: usize,
        scroll: usize,
    },
    Inspect(Inspect),
    /// All chapters.
    Contents {
        selected: usize,
    },
    /// Something that is told in words.
    Told {
        what: What,
        scroll: usize,
    },
    /// The console work of the open chapter, step by step.
    Console {
        selected: usize,
        going: Going,
    },
    /// The form of a step of it, being filled in.
    Form(Box<Form>),
    Confirm(Question),
    Failure {
        failure: Failure,
        scroll: usize,
    },
    /// The browser is open and the person has to act there.
    Waiting {
        /// What the browser was sent to.
        url: String,
        /// Whether a browser was opened or the person has to.
        how: BrowserLeg,
    },
}

/// What a window tells in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// What the lab's last move changed.
    Changes,
    /// What came of a check's question.
    Answer(Probe),
    /// How far the attendee's own server has come.
    Whereabouts,
    /// That the server asked for a token, as the chapter means it to.
    LockedOut,
}

/// What is asked before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    QuitWhileRecording,
    /// Leave a show that goes on.
    QuitOnStage,
    Reset,
    /// Go on though required checks are open.
    SkipChapter,
    /// Bring the lab back to the open chapter's beginning.
    BeginChapter,
    /// Bring a lab that is further on back to the open chapter's end.
    ReachEnd,
    /// Close a form with what was filled in and not taken.
    DropForm,
}

/// What is looked at closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspect {
    pub subject: Subject,
    pub tab: usize,
    pub scroll: usize,
}

/// A thing that can be inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Hop(HopId),
    Audit(AuditId),
    Event(Seq),
}

/// The tabs of a hop's window.
pub const HOP_TABS: &[&str] = &["Overview", "Request", "Response", "Tokens", "Policy"];
/// The place of the tokens among them.
pub const TOKENS: usize = 3;

impl Subject {
    /// The tabs that its window has.
    #[must_use]
    pub const fn tabs(self) -> &'static [&'static str] {
        match self {
            Self::Hop(_) => HOP_TABS,
            Self::Audit(_) => &["Overview", "Tokens", "Record"],
            Self::Event(_) => &["Event"],
        }
    }
}

impl Overlay {
    /// Where the keys go while it is on top.
    #[must_use]
    pub const fn context(&self) -> Context {
        match self {
            Self::Palette { .. } | Self::Filter { .. } | Self::Goto { .. } | Self::Note { .. } => {
                Context::Field
            }
            Self::Form(_) => Context::Form,
            Self::Help { .. }
            | Self::Places { .. }
            | Self::Traces { .. }
            | Self::Compare
            | Self::Both { .. }
            | Self::Inspect(_)
            | Self::Contents { .. }
            | Self::Told { .. }
            | Self::Console { .. }
            | Self::Confirm(_)
            | Self::Failure { .. }
            | Self::Waiting { .. } => Context::Overlay,
        }
    }

    /// How far it is scrolled, for windows that scroll.
    pub const fn scroll_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Help { scroll }
            | Self::Told { scroll, .. }
            | Self::Failure { scroll, .. }
            | Self::Both { scroll, .. } => Some(scroll),
            Self::Places { selected }
            | Self::Traces { selected }
            | Self::Contents { selected }
            | Self::Console { selected, .. } => Some(selected),
            Self::Inspect(inspect) => Some(&mut inspect.scroll),
            Self::Palette { .. }
            | Self::Filter { .. }
            | Self::Goto { .. }
            | Self::Note { .. }
            | Self::Compare
            | Self::Form(_)
            | Self::Confirm(_)
            | Self::Waiting { .. } => None,
        }
    }
}
