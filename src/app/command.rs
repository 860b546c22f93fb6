//! The command registry: the one list that feeds keymap, footer, help, palette and the README.

mod chapters;
mod group;
mod stage;
mod traces;

pub use self::group::Group;
use self::traces::TRACES;
use super::focus::PaneId;
use crate::projection::timeline::{Direction, Unit};

/// What a person can want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    SignIn,
    ListTickets,
    EscalateTicket,
    DeleteIssue,
    TogglePolicy,
    CancelTask,
    SignOut,
    Refresh,

    Show(PaneId),
    NextPane,
    PreviousPane,
    Zoom,
    SwitchLayout,

    Down,
    Up,
    PageDown,
    PageUp,
    Top,
    Bottom,
    Left,
    Right,
    Inspect,
    Filter,
    NextMatch,
    PreviousMatch,
    Unfold,
    Refusal,
    Freeze,
    Copy,

    Help,
    Palette,
    Record,
    ToggleMouse,
    Redraw,
    Suspend,
    Back,
    Quit,
    ForceQuit,

    NextTab,
    PreviousTab,
    NextHop,
    PreviousHop,
    Accept,

    Play,
    Step(Unit, Direction),
    Slower,
    Faster,
    Start,
    End,
    Goto,
    Bookmark,
    Annotate,
    Places,
    Traces,

    Compare,
    NextDifference,
    PreviousDifference,

    NextCue,
    PreviousCue,
    SpeakerNote,
    Hold,
    LetGo,
    TakeOver,
    Reset,
    Picture,
    Contents,
    NextChapter,
    PreviousChapter,
    ReachEnd,
    BeginChapter,
    Changes,
    Whereabouts,
    RunProbes,
    ConsoleWork,
    AllSteps,
    Hint,
    Answer,
    Vouch,
}

/// What the keys mean depends on where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// No overlay is open.
    Panes,
    /// No overlay is open, and there is a run sheet. What is not said here is as in the panes.
    Stage,
    /// An overlay is open.
    Overlay,
    /// A text field has the keys; characters are text.
    Field,
}

/// One entry of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub command: Command,
    /// The name in settings and in the palette.
    pub name: &'static str,
    /// A word or two for the footer.
    pub label: &'static str,
    /// One line for help, palette and README.
    pub doc: &'static str,
    /// Default keys, as settings write them.
    pub keys: &'static [&'static str],
    pub group: Group,
    pub contexts: &'static [Context],
}

const PANES: &[Context] = &[Context::Panes];
const OVERLAY: &[Context] = &[Context::Overlay];
const READING: &[Context] = &[Context::Panes, Context::Overlay];
const EVERYWHERE: &[Context] = &[Context::Panes, Context::Overlay, Context::Field];

const fn spec(
    command: Command,
    name: &'static str,
    label: &'static str,
    keys: &'static [&'static str],
    group: Group,
    contexts: &'static [Context],
    doc: &'static str,
) -> Spec {
    Spec {
        command,
        name,
        label,
        doc,
        keys,
        group,
        contexts,
    }
}

/// Every command, in the order of help and palette.
pub const COMMANDS: &[Spec] = &chapters::after::<{ ALL.len() + chapters::CHAPTERS.len() }>(&ALL);

const ALL: [Spec; TOLD.len() + stage::COUNT] = stage::after(TOLD);

const TOLD: [Spec; BASE.len() + TRACES.len()] = with_traces();

const fn with_traces<const COUNT: usize>() -> [Spec; COUNT] {
    let mut all = [BASE[0]; COUNT];
    let mut place = 0;
    while place < COUNT {
        all[place] = if place < BASE.len() {
            BASE[place]
        } else {
            TRACES[place - BASE.len()]
        };
        place += 1;
    }
    all
}

const BASE: [Spec; 49] = [
    spec(
        Command::SignIn,
        "sign-in",
        "sign in",
        &["s"],
        Group::Story,
        PANES,
        "Sign in with the browser: consent, code, PKCE",
    ),
    spec(
        Command::ListTickets,
        "list-tickets",
        "tickets",
        &["t"],
        Group::Story,
        PANES,
        "Call get_support_tickets: what the customers wrote",
    ),
    spec(
        Command::EscalateTicket,
        "escalate-ticket",
        "escalate",
        &["e"],
        Group::Story,
        PANES,
        "Call escalate_ticket on the chosen one: four credentials",
    ),
    spec(
        Command::DeleteIssue,
        "delete-issue",
        "delete",
        &["d"],
        Group::Story,
        PANES,
        "Call delete_issue on the newest issue: policy decides",
    ),
    spec(
        Command::TogglePolicy,
        "toggle-policy",
        "policy on/off",
        &["p"],
        Group::Story,
        PANES,
        "Switch between the workshop's policies and the defaults",
    ),
    spec(
        Command::CancelTask,
        "cancel-task",
        "cancel",
        &["x"],
        Group::Story,
        PANES,
        "Call off what is running",
    ),
    spec(
        Command::SignOut,
        "sign-out",
        "sign out",
        &["S"],
        Group::Story,
        PANES,
        "Drop the client's tokens",
    ),
    spec(
        Command::Refresh,
        "refresh",
        "refresh",
        &["R", "f5"],
        Group::Story,
        PANES,
        "Read policies, sessions and grants again",
    ),
    spec(
        Command::Show(PaneId::Flow),
        "flow",
        "flow",
        &["1"],
        Group::Panes,
        PANES,
        "Flow: every hop between the parties, as it happens",
    ),
    spec(
        Command::Show(PaneId::Audit),
        "audit",
        "audit",
        &["2"],
        Group::Panes,
        PANES,
        "Audit: the zone's log, issued and refused",
    ),
    spec(
        Command::Show(PaneId::Env),
        "env",
        "env",
        &["3"],
        Group::Panes,
        PANES,
        "Env: the .env before and after, and its worth to a thief",
    ),
    spec(
        Command::Show(PaneId::Issue),
        "issue",
        "issue",
        &["4"],
        Group::Panes,
        PANES,
        "Issue: the ticket as written beside what Linear received",
    ),
    spec(
        Command::Show(PaneId::Policy),
        "policy",
        "policy",
        &["5"],
        Group::Panes,
        PANES,
        "Policy: the active set in Cedar, and what decided last",
    ),
    spec(
        Command::Show(PaneId::Sessions),
        "sessions",
        "sessions",
        &["6"],
        Group::Panes,
        PANES,
        "Sessions: who is signed in and what acts for them",
    ),
    spec(
        Command::Show(PaneId::Trace),
        "trace",
        "trace",
        &["7"],
        Group::Panes,
        PANES,
        "Trace: every fact, raw",
    ),
    spec(
        Command::NextPane,
        "next-pane",
        "next pane",
        &["tab"],
        Group::Panes,
        PANES,
        "The next pane",
    ),
    spec(
        Command::PreviousPane,
        "previous-pane",
        "previous pane",
        &["shift-tab"],
        Group::Panes,
        PANES,
        "The pane before",
    ),
    spec(
        Command::Zoom,
        "zoom",
        "zoom",
        &["z"],
        Group::Panes,
        PANES,
        "Give the pane the whole screen, and back",
    ),
    spec(
        Command::SwitchLayout,
        "switch-layout",
        "stage/explore",
        &["v"],
        Group::Panes,
        PANES,
        "Stage, for a projector, or explore, pane by pane",
    ),
    spec(
        Command::Down,
        "down",
        "down",
        &["j", "down"],
        Group::Reading,
        READING,
        "Down a row",
    ),
    spec(
        Command::Up,
        "up",
        "up",
        &["k", "up"],
        Group::Reading,
        READING,
        "Up a row",
    ),
    spec(
        Command::PageDown,
        "page-down",
        "page down",
        &["pgdn", "ctrl-d"],
        Group::Reading,
        READING,
        "Down a page",
    ),
    spec(
        Command::PageUp,
        "page-up",
        "page up",
        &["pgup", "ctrl-u"],
        Group::Reading,
        READING,
        "Up a page",
    ),
    spec(
        Command::Top,
        "top",
        "top",
        &["g", "home"],
        Group::Reading,
        READING,
        "To the first row",
    ),
    spec(
        Command::Bottom,
        "bottom",
        "bottom, follow",
        &["G", "end"],
        Group::Reading,
        READING,
        "To the last row, and follow new ones",
    ),
    spec(
        Command::Left,
        "left",
        "left",
        &["h", "left"],
        Group::Reading,
        PANES,
        "The ticket or policy before",
    ),
    spec(
        Command::Right,
        "right",
        "right",
        &["l", "right"],
        Group::Reading,
        PANES,
        "The next ticket or policy",
    ),
    spec(
        Command::Inspect,
        "inspect",
        "inspect",
        &["enter"],
        Group::Reading,
        PANES,
        "Open the selected row: request, tokens, policy, chain",
    ),
    spec(
        Command::Filter,
        "filter",
        "filter",
        &["/"],
        Group::Reading,
        PANES,
        "Show only the rows that hold these words",
    ),
    spec(
        Command::NextMatch,
        "next-match",
        "next match",
        &["n"],
        Group::Reading,
        PANES,
        "The next row that the filter lets through",
    ),
    spec(
        Command::PreviousMatch,
        "previous-match",
        "previous match",
        &["N"],
        Group::Reading,
        PANES,
        "The row before that the filter lets through",
    ),
    spec(
        Command::Unfold,
        "unfold",
        "unfold",
        &["o"],
        Group::Reading,
        PANES,
        "Unfold the browser's steps of a sign-in, or fold them",
    ),
    spec(
        Command::Refusal,
        "refusal",
        "to the refusal",
        &["X"],
        Group::Reading,
        PANES,
        "Go to the last refusal",
    ),
    spec(
        Command::Freeze,
        "freeze",
        "freeze",
        &["f"],
        Group::Reading,
        PANES,
        "Hold the picture still while facts arrive, or catch up",
    ),
    spec(
        Command::Copy,
        "copy",
        "copy",
        &["y"],
        Group::Reading,
        READING,
        "Copy what is selected to the clipboard (OSC 52)",
    ),
    spec(
        Command::Help,
        "help",
        "help",
        &["?"],
        Group::Program,
        READING,
        "Every key and what it does",
    ),
    spec(
        Command::Palette,
        "palette",
        "commands",
        &[":", "ctrl-p"],
        Group::Program,
        PANES,
        "Find a command by name",
    ),
    spec(
        Command::Record,
        "record",
        "record",
        &["r"],
        Group::Program,
        PANES,
        "Write the trace to a file, and stop",
    ),
    spec(
        Command::ToggleMouse,
        "mouse",
        "mouse",
        &["m"],
        Group::Program,
        PANES,
        "Take the mouse, or leave it to the terminal",
    ),
    spec(
        Command::Redraw,
        "redraw",
        "redraw",
        &["ctrl-l"],
        Group::Program,
        EVERYWHERE,
        "Draw the screen anew",
    ),
    spec(
        Command::Suspend,
        "suspend",
        "suspend",
        &["ctrl-z"],
        Group::Program,
        EVERYWHERE,
        "Back to the shell; fg returns",
    ),
    spec(
        Command::Back,
        "back",
        "close",
        &["esc"],
        Group::Program,
        EVERYWHERE,
        "Close the window, drop the filter or leave the zoom",
    ),
    spec(
        Command::Quit,
        "quit",
        "quit",
        &["q"],
        Group::Program,
        READING,
        "Close the window, or quit when none is open",
    ),
    spec(
        Command::ForceQuit,
        "force-quit",
        "quit at once",
        &["ctrl-c"],
        Group::Program,
        EVERYWHERE,
        "Quit at once, from anywhere",
    ),
    spec(
        Command::NextTab,
        "next-tab",
        "next tab",
        &["tab", "l", "right"],
        Group::Overlay,
        OVERLAY,
        "The next tab of the window",
    ),
    spec(
        Command::PreviousTab,
        "previous-tab",
        "previous tab",
        &["shift-tab", "h", "left"],
        Group::Overlay,
        OVERLAY,
        "The tab before",
    ),
    spec(
        Command::NextHop,
        "next-hop",
        "next",
        &["]", "n"],
        Group::Overlay,
        OVERLAY,
        "Inspect the next row",
    ),
    spec(
        Command::PreviousHop,
        "previous-hop",
        "previous",
        &["[", "N"],
        Group::Overlay,
        OVERLAY,
        "Inspect the row before",
    ),
    spec(
        Command::Accept,
        "accept",
        "go",
        &["enter"],
        Group::Overlay,
        &[Context::Overlay, Context::Field],
        "Do it",
    ),
];

impl Spec {
    /// Whether it can be wished for where the keys go to `context`.
    #[must_use]
    pub fn is_in(&self, context: Context) -> bool {
        self.contexts.contains(&context)
            || (context == Context::Stage && self.contexts.contains(&Context::Panes))
    }
}

impl Command {
    /// The registry's entry.
    #[must_use]
    pub fn spec(self) -> &'static Spec {
        COMMANDS
            .iter()
            .find(|spec| spec.command == self)
            .expect("a test makes sure that every command is registered")
    }

    /// The command of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        COMMANDS
            .iter()
            .find(|spec| spec.name == name)
            .map(|spec| spec.command)
    }
}

/// Whether a command can be carried out now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Why not, and what to do first.
    Unavailable(String),
}

impl Availability {
    /// True for [`Availability::Ready`].
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }

    pub(super) fn unless(blocked: impl Into<Option<&'static str>>) -> Self {
        blocked
            .into()
            .map_or(Self::Ready, |why| Self::Unavailable(why.to_owned()))
    }
}
