//! The commands about recorded traces: marks, notes, and two runs beside each other.

use super::{Command, Context, Group, OVERLAY, PANES, Spec, spec};
use crate::projection::timeline::{Direction, Unit};

/// Where the comparison is open or can be opened.
const COMPARING: &[Context] = &[Context::Panes, Context::Overlay];

pub(super) const TRACES: &[Spec] = &[
    spec(
        Command::Step(Unit::Part, Direction::Forward),
        "next-mark",
        "mark",
        &["'"],
        Group::Replay,
        PANES,
        "On to where the next part of the story begins",
    ),
    spec(
        Command::Step(Unit::Part, Direction::Back),
        "previous-mark",
        "mark back",
        &["\""],
        Group::Replay,
        PANES,
        "Back to where a part of the story begins",
    ),
    spec(
        Command::Bookmark,
        "bookmark",
        "bookmark",
        &["b"],
        Group::Replay,
        PANES,
        "Bookmark this place of the trace, or take it back",
    ),
    spec(
        Command::Annotate,
        "annotate",
        "note",
        &["W"],
        Group::Replay,
        PANES,
        "Write a note on this place of the trace",
    ),
    spec(
        Command::Places,
        "places",
        "marks, notes",
        &["L"],
        Group::Replay,
        PANES,
        "List marks, bookmarks and notes, and go to one",
    ),
    spec(
        Command::Traces,
        "traces",
        "traces",
        &["O"],
        Group::Replay,
        PANES,
        "Open another of the traces that come along",
    ),
    spec(
        Command::Compare,
        "compare",
        "compare",
        &["="],
        Group::Compare,
        COMPARING,
        "This run beside the other, hop by hop, and back",
    ),
    spec(
        Command::NextDifference,
        "next-difference",
        "difference",
        &[")"],
        Group::Compare,
        OVERLAY,
        "On to the next difference",
    ),
    spec(
        Command::PreviousDifference,
        "previous-difference",
        "difference back",
        &["("],
        Group::Compare,
        OVERLAY,
        "Back to the difference before",
    ),
];
