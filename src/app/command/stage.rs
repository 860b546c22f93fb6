//! The commands of the stage, and what else came with it.

use super::{Command, Context, Group, PANES, Spec, spec};

const STAGE: &[Context] = &[Context::Stage];

const OWN: [Spec; 8] = [
    spec(
        Command::NextCue,
        "next-cue",
        "next cue",
        &["space", "n"],
        Group::Stage,
        STAGE,
        "The next cue; lets go what waits; in a recording a call",
    ),
    spec(
        Command::PreviousCue,
        "previous-cue",
        "cue back",
        &["b", "backspace"],
        Group::Stage,
        STAGE,
        "One cue back, to repeat it; nothing is undone",
    ),
    spec(
        Command::SpeakerNote,
        "speaker-note",
        "note",
        &["i"],
        Group::Stage,
        STAGE,
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
        STAGE,
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

/// The other commands, then these.
pub(super) const fn after<const N: usize, const ALL: usize>(others: [Spec; N]) -> [Spec; ALL] {
    assert!(N + OWN.len() == ALL, "every command has its place");
    let mut all = [OWN[0]; ALL];
    let mut place = 0;
    while place < ALL {
        all[place] = if place < N {
            others[place]
        } else {
            OWN[place - N]
        };
        place += 1;
    }
    all
}

/// How many there are.
pub(super) const COUNT: usize = OWN.len();
