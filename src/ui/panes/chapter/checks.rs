//! A check as it stands: verdict, reason, what to do.

use ratatui::{style::Style, text::Line};

use super::{key, page::indented};
use crate::{
    app::{command::Command, learn::Shown},
    chapters::{Evidence, Status, progress::Passed},
    support::text::one_line,
    ui::{
        ViewCx,
        look::Role,
        widgets::{prose, put::span},
    },
};

/// Cells of a verdict: `✓ passed  `.
const VERDICT: usize = 10;

/// The rows of a check; of a selected one, what Enter shows.
pub fn lines(cx: &ViewCx, shown: Shown<'_>, chosen: bool, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    let (glyph, word, role) = verdict(cx, shown);
    let mut lines = Vec::new();
    let mut title = vec![(one_line(&shown.check.title), Style::new())];
    if !shown.check.required {
        title.push((" (not required)".to_owned(), look.style(Role::Dim)));
    }
    let room = cells.saturating_sub(VERDICT);
    for (place, line) in prose::fill(&title, room).into_iter().enumerate() {
        if place == 0 {
            let mut spans = vec![span(
                format!("{:<VERDICT$}", format!("{glyph} {word}")),
                look.bold(role),
            )];
            spans.extend(line.spans);
            lines.push(Line::from(spans));
        } else {
            lines.push(indented(VERDICT, line));
        }
    }
    for runs in reasons(cx, shown, chosen) {
        lines.extend(
            prose::fill(&runs, room)
                .into_iter()
                .map(|line| indented(VERDICT, line)),
        );
    }
    lines
}

fn verdict(cx: &ViewCx, shown: Shown<'_>) -> (&'static str, &'static str, Role) {
    let glyphs = cx.look.glyphs;
    match (shown.status, shown.passed) {
        (Status::Passed { .. }, _) => (glyphs.good, "passed", Role::Good),
        (Status::Failed { .. }, _) => (glyphs.bad, "failed", Role::Bad),
        (Status::Pending { .. } | Status::NotObservable { .. }, Some(Passed::Seen)) => {
            (glyphs.good, "passed", Role::Good)
        }
        (Status::Pending { .. } | Status::NotObservable { .. }, Some(Passed::Told)) => {
            (glyphs.good, "told", Role::Good)
        }
        (Status::NotObservable { .. }, None) => ("?", "look", Role::Warning),
        (Status::Pending { .. }, None) => (glyphs.dot, "pending", Role::Dim),
    }
}

fn reasons(cx: &ViewCx, shown: Shown<'_>, chosen: bool) -> Vec<Vec<prose::Run>> {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    let plain = Style::new();
    let run = |label: &str, text: &str, style: Style| {
        vec![(format!("{label} "), dim), (one_line(text), style)]
    };
    let mut told = Vec::new();
    match (shown.status, shown.passed) {
        (Status::Passed { evidence }, _) => {
            if chosen && let Some(first) = evidence.first() {
                let more = match evidence.len() {
                    1 => String::new(),
                    count => format!(", {count} in all"),
                };
                told.push(vec![
                    (
                        cx.app.keymap().shown(Command::Inspect),
                        look.bold(Role::Key),
                    ),
                    (format!(" shows {}{more}", named(first)), dim),
                ]);
            }
        }
        (Status::Failed { because, fix }, passed) => {
            told.push(run("because", because, plain));
            if !fix.is_empty() {
                told.push(run("do this:", fix, look.style(Role::Heading)));
            }
            if passed.is_some() {
                told.push(vec![("it passed before".to_owned(), dim)]);
            }
        }
        (Status::NotObservable { .. } | Status::Pending { .. }, Some(Passed::Told)) => {
            told.push(vec![(
                "your word; it was not seen from here".to_owned(),
                dim,
            )]);
        }
        (Status::NotObservable { .. } | Status::Pending { .. }, Some(Passed::Seen)) => {
            if chosen {
                told.push(vec![("it passed in an earlier run".to_owned(), dim)]);
            }
        }
        (Status::NotObservable { look_at }, None) => {
            told.push(run("cannot be seen from here: look at", look_at, plain));
            let vouch = key(cx, Command::Vouch);
            told.push(vec![
                (vouch.content.into_owned(), vouch.style),
                (" when you saw it".to_owned(), dim),
            ]);
        }
        (Status::Pending { waiting_for }, None) => {
            if chosen && !waiting_for.is_empty() {
                told.push(run("waits for", waiting_for, dim));
            }
        }
    }
    if shown.is_done() && !matches!(shown.status, Status::Failed { .. }) {
        return told;
    }
    let hints = shown.hints_left_over();
    for hint in hints.iter().take(shown.hints) {
        told.push(run("hint:", hint, plain));
    }
    // A hint speaks of the work; here it is one key.
    if let Some(next) = cx
        .app
        .towards(&shown.check.id)
        .filter(|_| chosen && shown.hints > 0)
    {
        told.push(vec![
            ("here: ".to_owned(), dim),
            (cx.app.keymap().shown(next.command), look.bold(Role::Key)),
            (format!(" {}", next.text), plain),
        ]);
    }
    if chosen && shown.hints < hints.len() {
        let hint = key(cx, Command::Hint);
        let more = if shown.hints == 0 {
            " for a hint"
        } else {
            " for another hint"
        };
        told.push(vec![
            (hint.content.into_owned(), hint.style),
            (more.to_owned(), dim),
        ]);
    }
    told
}

/// What a piece of evidence is, in a word.
const fn named(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::Hop(_) => "the hop",
        Evidence::Row(_) => "the audit row",
        Evidence::Event(_) => "what was seen",
        Evidence::Probe(_) => "what was answered",
    }
}
