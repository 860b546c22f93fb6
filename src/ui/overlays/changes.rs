//! The window of what changed when the lab was brought to another chapter, or put right.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::chapters::{WIDTH, flowing_window, hints};
use crate::{
    app::{
        command::Command,
        learn::{
            Item,
            moved::{Changes, HopChanges},
        },
    },
    chapters::Attempt,
    projection::env::{EnvChange, EnvRow},
    protocol::env::{EnvKind, EnvLine},
    support::text::{number_of, one_line, shorten_middle, width},
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{prose, put::span},
    },
};

/// Things that were made anew and are named one by one.
const NAMED: usize = 4;

/// Draws what is not as it was.
pub(super) fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, scroll: usize) {
    let Some(changes) = cx.app.changes() else {
        return;
    };
    let look = cx.look;
    let cells = usize::from(WIDTH.min(body.width)).saturating_sub(8);
    let mut console = gone_and_made(look, &changes.gone, &changes.made);
    console.extend(anew(look, &changes.anew));
    let in_force = &changes.in_force;
    let sections = [
        (
            "The server's code",
            gone_and_made(look, &changes.does_no_more, &changes.does),
        ),
        (".env", env(look, &changes.env, cells)),
        ("In the zone's console", console),
        (
            "The policy set in force",
            gone_and_made(look, &in_force.before, &in_force.after),
        ),
        ("The hops of an escalation", hops(cx, &changes, cells)),
    ];
    let mut lines = vec![Line::raw("")];
    for (title, told) in sections {
        if told.is_empty() {
            continue;
        }
        lines.push(Line::styled(title, look.style(Role::Heading)));
        lines.extend(told);
        lines.push(Line::raw(""));
    }
    if lines.len() == 1 {
        let same = "all of it is as it was";
        lines.push(Line::styled(same, look.style(Role::Dim)));
        lines.push(Line::raw(""));
    }
    lines.push(hints(cx, &[(Command::Back, "close")]));
    let title = if changes.from == changes.to {
        format!("The lab: as at the end of chapter {} again", changes.to)
    } else {
        format!(
            "The lab: from the end of chapter {} to the end of chapter {}",
            changes.from, changes.to
        )
    };
    flowing_window(cx, body, buf, hits, &title, &lines, scroll);
}

fn gone_and_made(
    look: &Look,
    gone: &[impl AsRef<str>],
    made: &[impl AsRef<str>],
) -> Vec<Line<'static>> {
    let line = |mark, role, thing: &str| marked(look, mark, role, one_line(thing));
    let gone = gone
        .iter()
        .map(|thing| line("-", Role::Warning, thing.as_ref()));
    let made = made
        .iter()
        .map(|thing| line("+", Role::Good, thing.as_ref()));
    gone.chain(made).collect()
}

/// What was made anew just as it was before.
fn anew(look: &Look, things: &[String]) -> Vec<Line<'static>> {
    let line = |text| marked(look, "+", Role::Good, text);
    if things.len() > NAMED {
        let count = number_of(things.len(), "other thing");
        return vec![line(format!("{count} of this chapter, made anew"))];
    }
    let named = |thing: &String| line(format!("{}, made anew", one_line(thing)));
    things.iter().map(named).collect()
}

fn env(look: &Look, rows: &[EnvRow], cells: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for row in rows {
        let text = |line: &Option<EnvLine>| match line {
            None => one_line(&row.name),
            Some(line) => {
                let name = one_line(&line.name);
                let room = cells.saturating_sub(width(&name) + 5);
                match (&line.value, line.set) {
                    (_, false) => format!("{name}="),
                    (Some(value), true) => {
                        format!("{name}={}", shorten_middle(&one_line(value), room))
                    }
                    (None, true) => format!("{name}={}", look.glyphs.bullet.repeat(8)),
                }
            }
        };
        let kind = |line: &Option<EnvLine>| {
            line.as_ref()
                .is_some_and(|line| line.kind == EnvKind::Secret && line.worth_stealing)
        };
        let worth = if kind(&row.before) || kind(&row.after) {
            "   worth stealing"
        } else {
            ""
        };
        if matches!(row.change, EnvChange::Removed | EnvChange::Changed) {
            let text = format!("{}{worth}", text(&row.before));
            lines.push(marked(look, "-", Role::Warning, text));
        }
        if matches!(row.change, EnvChange::Added | EnvChange::Changed) {
            lines.push(marked(look, "+", Role::Good, text(&row.after)));
        }
    }
    lines
}

/// Which hops came and went; of those that were not seen yet only how to see them.
fn hops(cx: &ViewCx, changes: &Changes, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    let mut lines = Vec::new();
    let mut list = |mark: &str, role: Role, hops: &[String]| {
        for hop in hops {
            let words = [(one_line(hop), Style::new())];
            for (place, line) in prose::fill(&words, cells.saturating_sub(4))
                .into_iter()
                .enumerate()
            {
                let mark = if place == 0 { mark } else { " " };
                lines.push(marked(look, mark, role, line.to_string()));
            }
        }
    };
    match &changes.hops {
        HopChanges::NotSeen => {
            let escalates = Item::Try(Attempt::EscalateTicket);
            let learn = cx.app.learn();
            if learn.is_some_and(|learn| learn.items().contains(&escalates)) {
                let key = cx.app.keymap().shown(Command::EscalateTicket);
                let again = cx.app.keymap().shown(Command::Changes);
                let text = format!(
                    "not seen yet: {key} escalates a ticket, and {again} shows then what is new"
                );
                lines.extend(aside(look, text, cells));
            }
        }
        // Which of them are new nobody can say.
        HopChanges::Only(hops) => {
            list(look.glyphs.bullet, Role::Dim, hops);
            let text = format!(
                "all of them, new or not: none was escalated at the end of chapter {}",
                changes.from
            );
            lines.extend(aside(look, text, cells));
        }
        HopChanges::Compared { appeared, gone } => {
            list("+", Role::Good, appeared);
            list("-", Role::Warning, gone);
        }
    }
    lines
}

/// What is said of a section beside its lines.
fn aside(look: &Look, text: String, cells: usize) -> Vec<Line<'static>> {
    let words = [(text, look.style(Role::Dim))];
    let lines = prose::fill(&words, cells.saturating_sub(2)).into_iter();
    lines
        .map(|line| {
            let mut spans = vec![Span::raw("  ")];
            spans.extend(line.spans);
            Line::from(spans)
        })
        .collect()
}

fn marked(look: &Look, mark: &str, role: Role, text: String) -> Line<'static> {
    Line::from(vec![
        span(format!("  {mark} "), look.bold(role)),
        span(text, Style::new()),
    ])
}
