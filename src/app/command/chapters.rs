//! The registry's entries for the chapters.

use super::{Command, Group, OVERLAY, PANES, Spec, spec};
use crate::app::focus::PaneId;

/// The registry with the chapters' entries at its end.
pub const fn after<const COUNT: usize>(general: &[Spec]) -> [Spec; COUNT] {
    let mut all = [general[0]; COUNT];
    let mut place = 0;
    while place < COUNT {
        all[place] = if place < general.len() {
            general[place]
        } else {
            CHAPTERS[place - general.len()]
        };
        place += 1;
    }
    all
}

/// The commands of the chapters, in the order of help and palette.
pub const CHAPTERS: &[Spec] = &[
    spec(
        Command::Show(PaneId::Chapter),
        "chapter",
        "chapter",
        &["8"],
        Group::Chapters,
        PANES,
        "The chapter beside the panes; again: the panes alone",
    ),
    spec(
        Command::Contents,
        "contents",
        "contents",
        &["C"],
        Group::Chapters,
        PANES,
        "All chapters, and how far you are in each",
    ),
    spec(
        Command::NextChapter,
        "next-chapter",
        "next chapter",
        &["J"],
        Group::Chapters,
        PANES,
        "On to the next chapter; it waits for the checks",
    ),
    spec(
        Command::PreviousChapter,
        "previous-chapter",
        "chapter before",
        &["K"],
        Group::Chapters,
        PANES,
        "Back to the chapter before",
    ),
    spec(
        Command::ReachEnd,
        "reach-end",
        "do the steps",
        &["E"],
        Group::Chapters,
        PANES,
        "The lab does the chapter's steps; shows what changed",
    ),
    spec(
        Command::BeginChapter,
        "begin-chapter",
        "begin again",
        &["B"],
        Group::Chapters,
        PANES,
        "Bring the lab back to the chapter's beginning",
    ),
    spec(
        Command::Changes,
        "changes",
        "what changed",
        &["D"],
        Group::Chapters,
        PANES,
        "What the lab's last move changed: .env, policy, hops",
    ),
    spec(
        Command::Whereabouts,
        "whereabouts",
        "how far",
        &["Y"],
        Group::Chapters,
        PANES,
        "How far your own server has come, and what shows it",
    ),
    spec(
        Command::RunProbes,
        "run-probes",
        "ask",
        &["c"],
        Group::Chapters,
        PANES,
        "Ask server and zone what the chapter's checks need",
    ),
    spec(
        Command::ConsoleWork,
        "console-work",
        "console",
        &["Z"],
        Group::Chapters,
        PANES,
        "The chapter's work in the zone's console, step by step",
    ),
    spec(
        Command::AllSteps,
        "all-steps",
        "all steps",
        &["a"],
        Group::Overlay,
        OVERLAY,
        "Take every step of the console work that is left",
    ),
    spec(
        Command::Hint,
        "hint",
        "hint",
        &["i"],
        Group::Chapters,
        PANES,
        "A hint for the selected check, else for the next one",
    ),
    spec(
        Command::Answer,
        "answer",
        "answer",
        &["a"],
        Group::Chapters,
        PANES,
        "Tell the answer to the chapter's question, or fold it",
    ),
    spec(
        Command::Vouch,
        "vouch",
        "I saw it",
        &["w"],
        Group::Chapters,
        PANES,
        "Give your word for a check that cannot be seen here",
    ),
];
