//! The command registry: the one list that feeds keymap, footer, help, palette and the README.

mod base;
mod chapters;
mod group;
mod stage;
mod traces;

pub use self::group::Group;
use self::{base::BASE, chapters::CHAPTERS, stage::STAGE, traces::TRACES};
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
    SkipCue,
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
    ChangeForm,
    NextField,
    PreviousField,
    NextChoice,
    PreviousChoice,
    SetBack,
    BreakLine,
    OwnEditor,
    Hint,
    Answer,
    Mistakes,
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
    /// A form has the keys; in a field that is typed in, characters are text.
    Form,
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
const FORM: &[Context] = &[Context::Form];
const EVERYWHERE: &[Context] = &[
    Context::Panes,
    Context::Overlay,
    Context::Field,
    Context::Form,
];

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
pub const COMMANDS: &[Spec] =
    &joined::<{ BASE.len() + TRACES.len() + STAGE.len() + CHAPTERS.len() }>(&[
        BASE, TRACES, STAGE, CHAPTERS,
    ]);

const fn joined<const COUNT: usize>(parts: &[&[Spec]]) -> [Spec; COUNT] {
    let mut all = [BASE[0]; COUNT];
    let (mut part, mut place) = (0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            all[place] = parts[part][at];
            place += 1;
            at += 1;
        }
        part += 1;
    }
    assert!(place == COUNT, "every command has its place");
    all
}

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
