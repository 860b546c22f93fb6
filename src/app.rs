//! The state machine: `Msg` in, state and `Effect`s out. No tokio, no ratatui, no clock.
//!
//! Facts come only as trace events and are folded by [`crate::projection`]; everything else here
//! is about the reader: where they look, what is open, what is asked for. A task's end carries no
//! data, so that a replayed trace lacks nothing.

pub mod availability;
pub mod command;
pub mod compare;
pub mod effect;
pub mod focus;
pub mod keymap;
pub mod learn;
pub mod msg;
pub mod notes;
pub mod overlay;
pub mod palette;
pub mod panes;
mod perform;
pub mod player;
mod replay;
mod scrolling;
pub mod stage;
pub mod story;
pub mod target;
pub mod toast;
mod update;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use self::{
    command::{Command, Context},
    compare::Compared,
    effect::{Capture, Job},
    focus::{Focus, Layout, PaneId},
    keymap::Keymap,
    learn::{Learn, LearnConfig},
    msg::{RecordingState, TaskId},
    notes::Notes,
    overlay::Overlay,
    panes::{Panes, flow::FlowIndex},
    player::{Opening, Source},
    stage::{Away, Stage},
    toast::Toast,
};
use crate::{
    config::{
        keys::KeyBindings,
        sheet::{Hold, Sheet},
    },
    projection::Projection,
    support::error::Failure,
    trace::event::TraceEvent,
};

pub use self::scrolling::{Extent, Scrolled, Settled};

/// The least columns and rows that anything can be drawn in; below there is only a notice.
pub const LEAST: (u16, u16) = (60, 15);

/// The least columns and rows in which two panes stand beside each other.
pub const FOR_TWO: (u16, u16) = (100, 30);

/// The least columns and rows in which two panes stand beside a chapter, one over the other.
pub const FOR_THREE: (u16, u16) = (160, 46);

/// What the state machine begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppConfig {
    /// What the header calls the run: the chapter's title.
    pub title: String,
    pub keys: KeyBindings,
    pub capture: Capture,
    /// The terminal's size in cells.
    pub size: (u16, u16),
    /// Wall clock at microsecond zero of the run: orders what other parties' clocks tell.
    pub started: Option<DateTime<Utc>>,
    /// The name of the trace that will be shown, empty if the person is to choose one of the shipped
    /// ones; `None` for what happens now.
    pub replay: Option<String>,
    /// The run sheet; `None` without one.
    pub sheet: Option<Sheet>,
    /// Whether a new lab can take the place of the one that runs.
    pub reset: Resettable,
    /// The chapters; `None` where there are none.
    pub learn: Option<LearnConfig>,
}

/// Whether a new lab can take the place of the one that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resettable {
    Yes,
    /// It is somebody else's.
    No,
}

impl Default for AppConfig {
    fn default() -> Self {
        Self {
            title: "sign in, escalate, be refused".to_owned(),
            keys: KeyBindings::default(),
            capture: Capture::Off,
            size: (80, 24),
            started: None,
            replay: None,
            sheet: None,
            reset: Resettable::Yes,
            learn: None,
        }
    }
}

/// The whole state.
#[derive(Debug, Clone)]
pub struct App {
    title: String,
    source: Source,
    projection: Projection,
    panes: Panes,
    flow_index: FlowIndex,
    focus: Focus,
    overlays: Vec<Overlay>,
    toast: Option<Toast>,
    /// News that wait until the toast has been read.
    later: Option<(toast::Tone, toast::Topic, String)>,
    keymap: Keymap,
    tasks: BTreeMap<TaskId, Task>,
    next_task: u64,
    recording: RecordingState,
    capture: Capture,
    size: (u16, u16),
    now_us: u64,
    /// Facts that wait while the picture is held still.
    held: Option<Vec<TraceEvent>>,
    /// The authorization URL as the browser needs it; the trace has only a masked one.
    browser_url: Option<String>,
    stage: Option<Stage>,
    holding: Hold,
    reset: Resettable,
    /// What is live, while a recording stands in for it.
    away: Option<Box<Away>>,
    learn: Option<Learn>,
    /// Bookmarks and notes on the trace that is shown.
    notes: Notes,
    /// Another run beside this one.
    compared: Option<Box<Compared>>,
}

/// A running task.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub job: Job,
    /// When it was started, in microseconds of the run.
    pub since_us: u64,
}

impl App {
    /// The state before anything happened. Faults in the settings open as failures.
    #[must_use]
    pub fn new(config: AppConfig) -> Self {
        let (keymap, faults) = Keymap::new(&config.keys);
        let mut app = Self {
            title: config.title,
            source: config.replay.map_or(Source::Live, |name| {
                Source::Opening(Opening {
                    name,
                    percent: 0,
                    awaited: false,
                })
            }),
            projection: config
                .started
                .map_or_else(Projection::default, Projection::starting),
            panes: Panes::default(),
            flow_index: FlowIndex::default(),
            focus: Focus::default(),
            overlays: Vec::new(),
            toast: None,
            later: None,
            keymap,
            tasks: BTreeMap::new(),
            next_task: 1,
            recording: RecordingState::Off,
            capture: config.capture,
            size: config.size,
            now_us: 0,
            held: None,
            browser_url: None,
            stage: config.sheet.map(Stage::new),
            holding: Hold::Off,
            reset: config.reset,
            away: None,
            learn: config.learn.and_then(Learn::new),
            notes: Notes::default(),
            compared: None,
        };
        if app.stage.is_some() {
            app.keymap = app.keymap.on_stage();
            app.focus.layout = Layout::Stage;
        }
        if app.is_learning() {
            app.begin_reading();
        }
        if matches!(&app.source, Source::Opening(opening) if opening.name.is_empty()) {
            app.overlays.push(Overlay::Traces { selected: 0 });
        }
        for fault in faults {
            app.fail(fault);
        }
        app
    }

    /// Opens a failure over everything else; the same one is not opened twice.
    pub fn fail(&mut self, failure: Failure) {
        if self.tell_of_the_lock(&failure) {
            return;
        }
        let open = self
            .overlays
            .iter()
            .any(|o| matches!(o, Overlay::Failure { failure: f, .. } if *f == failure));
        if !open {
            self.overlays.push(Overlay::Failure { failure, scroll: 0 });
        }
    }

    /// The run's name.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What is known of the outside world.
    #[must_use]
    pub const fn projection(&self) -> &Projection {
        &self.projection
    }

    #[must_use]
    pub const fn panes(&self) -> &Panes {
        &self.panes
    }

    #[must_use]
    pub const fn focus(&self) -> Focus {
        self.focus
    }

    /// Whether looking for the server to work with came to nothing.
    #[must_use]
    pub fn is_unreached(&self) -> bool {
        self.projection.target().is_none() && !self.projection.failures().is_empty()
    }

    /// The windows, the one on top last.
    #[must_use]
    pub fn overlays(&self) -> &[Overlay] {
        &self.overlays
    }

    #[must_use]
    pub const fn toast(&self) -> Option<&Toast> {
        self.toast.as_ref()
    }

    #[must_use]
    pub const fn keymap(&self) -> &Keymap {
        &self.keymap
    }

    /// The tasks under way, oldest first.
    #[must_use]
    pub const fn tasks(&self) -> &BTreeMap<TaskId, Task> {
        &self.tasks
    }

    #[must_use]
    pub const fn recording(&self) -> &RecordingState {
        &self.recording
    }

    /// Whether the mouse is ours.
    #[must_use]
    pub const fn capture(&self) -> Capture {
        self.capture
    }

    /// Microseconds since the run began, as far as anybody told.
    #[must_use]
    pub const fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The facts that wait behind the picture that is held still, in their order.
    #[must_use]
    pub fn behind_the_picture(&self) -> &[TraceEvent] {
        self.held.as_deref().unwrap_or_default()
    }

    /// How many facts wait behind the picture that is held still; `None` when it is live.
    #[must_use]
    pub fn held_back(&self) -> Option<usize> {
        self.held.as_ref().map(Vec::len)
    }

    /// The chapters, where there are some.
    #[must_use]
    pub const fn learn(&self) -> Option<&Learn> {
        self.learn.as_ref()
    }

    /// Where keys go now.
    #[must_use]
    pub fn context(&self) -> Context {
        self.overlays
            .last()
            .map_or_else(|| self.ground(), Overlay::context)
    }

    /// Where keys go when no window is open.
    #[must_use]
    pub const fn ground(&self) -> Context {
        match self.stage {
            Some(_) => Context::Stage,
            None => Context::Panes,
        }
    }

    /// Whether the window has so many columns and rows.
    const fn has_room(&self, least: (u16, u16)) -> bool {
        self.size.0 >= least.0 && self.size.1 >= least.1
    }

    /// Whether there is nothing to see but that the window is too small.
    const fn is_unseen(&self) -> bool {
        self.size.0 < LEAST.0 || self.size.1 < LEAST.1
    }

    /// What a key would do now.
    #[must_use]
    pub fn meaning(&self, key: crate::config::keys::Key) -> Option<Command> {
        let command = self.keymap.command(self.context(), key)?;
        // Where there is nothing to play the reader's Space turns the page, as in any pager.
        let reads = self.focus.pane == PaneId::Chapter && matches!(self.source, Source::Live);
        Some(match command {
            Command::Play if reads => Command::PageDown,
            other => other,
        })
    }

    /// When the runtime should send a tick though nothing happens, in microseconds of the run:
    /// the next picture of a spinner, or the end of a toast. `None` lets the processor sleep.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        const FRAME_US: u64 = 100_000;
        let spinner = (!self.tasks.is_empty()).then(|| (self.now_us / FRAME_US + 1) * FRAME_US);
        let toast = self.toast.as_ref().map(|toast| toast.until_us);
        let checks = self
            .learn
            .as_ref()
            .and_then(|learn| learn.wake(self.projection.log().len()));
        [
            spinner,
            toast,
            self.replay_wake(),
            self.search_wake(),
            checks,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
