//! The commands of the stage, and what else came with it.

use super::{Command, Context, Group, PANES, Spec, spec};

const ON_STAGE: &[Context] = &[Context::Stage];

pub(super) const STAGE: &[Spec] = &[
    spec(
        Command::NextCue,
        "next-cue",
        "next cue",
        // The last two are what a presenter's remote sends.
        &["space", "n", "pgdn", "right"],
        Group::Stage,
        ON_STAGE,
        "The next cue; lets go what waits; goes on in a recording",
    ),
    spec(
        Command::PreviousCue,
        "previous-cue",
        "cue back",
        &["b", "backspace", "pgup", "left"],
        Group::Stage,
        ON_STAGE,
        "One cue back, to repeat it; nothing is undone",
    ),
    spec(
        Command::SkipCue,
        "skip-cue",
        "skip cue",
        // M for moving on without it.
        &["M"],
        Group::Stage,
        ON_STAGE,
        "Past the next cue, without it",
    ),
    spec(
        Command::SpeakerNote,
        "speaker-note",
        "note",
        &["i"],
        Group::Stage,
        ON_STAGE,
        "Show what you want to say, or hide it",
    ),
    spec(
        Command::Hold,
        "hold",
        "hold",
        &["H"],
        Group::Stage,
        PANES,
        "The lab's zone waits before each exchange, or not",
    ),
    spec(
        Command::LetGo,
        "let-go",
        "let go",
        &["u"],
        Group::Stage,
        PANES,
        "Let the exchange go on that waits",
    ),
    spec(
        Command::TakeOver,
        "take-over",
        "recording/live",
        &["F"],
        Group::Stage,
        &[Context::Stage, Context::Overlay],
        "A recording takes over when something fails, and back",
    ),
    spec(
        Command::Reset,
        "reset",
        "reset",
        &["A"],
        Group::Stage,
        ON_STAGE,
        "Back to the start: a new lab, the first cue",
    ),
    spec(
        Command::Picture,
        "picture",
        "picture",
        &["P"],
        Group::Program,
        PANES,
        "Write the screen as it is to a picture (SVG)",
    ),
];
