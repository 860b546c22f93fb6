//! Windows of the chapters: the contents, the console work, and what is told in words.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{extent, window};
use crate::{
    app::{
        command::Command,
        learn::{
            Ground, Item, Learn,
            moved::{Changes, HopChanges},
        },
        overlay::What,
        toast::Tone,
    },
    chapters::{Attempt, Chapter, progress::ChapterState},
    projection::env::{EnvChange, EnvRow},
    protocol::env::{EnvKind, EnvLine},
    support::text::{one_line, padded, shorten_middle, truncate, width},
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{
            flowing, prose,
            put::{self, span},
        },
    },
};

const WIDTH: u16 = 76;

/// Draws the list of chapters.
pub fn contents(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, selected: usize) {
    let Some(learn) = cx.app.learn() else {
        return;
    };
    let chapters = &learn.book().chapters;
    let selected = selected.min(chapters.len().saturating_sub(1));
    let height = u16::try_from(chapters.len() + 6).unwrap_or(u16::MAX);
    let done = chapters
        .iter()
        .filter(|chapter| learn.progress().standing(chapter) == ChapterState::Done);
    let right = Line::styled(
        format!(" {} of {} done ", done.count(), chapters.len()),
        cx.look.style(Role::Dim),
    );
    let size = (WIDTH, height);
    let inner = window(cx, body, buf, hits, size, "Chapters", Role::Focus, &right);
    let list = Rect {
        height: inner.height.saturating_sub(3),
        ..inner
    };
    let row = |place: usize| entry(cx, learn, &chapters[place], place == selected);
    super::rows(cx, list, buf, hits, chapters.len(), row, selected);
    let reached = Rect {
        y: list.bottom(),
        height: 1.min(inner.height),
        ..inner
    };
    put::line(buf, reached, 0, &whereabouts(cx, learn), cx.look);
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1.min(inner.height),
        ..inner
    };
    let keys = [
        (Command::Down, "down"),
        (Command::Up, "up"),
        (Command::Accept, "open"),
        (Command::Back, "close"),
    ];
    put::line(buf, foot, 0, &hints(cx, &keys), cx.look);
}

/// Where the lab or the attendee's own server is.
fn whereabouts(cx: &ViewCx, learn: &Learn) -> Line<'static> {
    let dim = cx.look.style(Role::Dim);
    match (learn.ground(), cx.app.orientation()) {
        (Ground::Lab, _) => Line::styled(
            format!(
                "  the lab runs as at the end of chapter {}",
                cx.app.lab_chapter()
            ),
            dim,
        ),
        (Ground::Own, None) => Line::styled("  your server is being looked at", dim),
        (Ground::Own, Some(found)) => Line::from(vec![
            span(
                format!(
                    "  your server is at the end of chapter {}: close, then ",
                    found.reached
                ),
                dim,
            ),
            span(
                cx.app.keymap().shown(Command::Whereabouts),
                cx.look.bold(Role::Key),
            ),
            span(" shows why", dim),
        ]),
    }
}

fn entry(cx: &ViewCx, learn: &Learn, chapter: &Chapter, chosen: bool) -> Line<'static> {
    let look = cx.look;
    let progress = learn.progress();
    let (mark, word, role) = match progress.standing(chapter) {
        ChapterState::Done => (look.glyphs.good, "done   ", Role::Good),
        ChapterState::Skipped => ("~", "skipped", Role::Warning),
        ChapterState::Open => (look.glyphs.dot, "open   ", Role::Dim),
    };
    let seen = chapter
        .checks
        .iter()
        .filter(|check| progress.passed(chapter, &check.id).is_some())
        .count();
    // The one that is open stands out by its title.
    let is_here = learn.is_open() && learn.chapter().id == chapter.id;
    let title = if chosen {
        look.bold(Role::Accent)
    } else if is_here {
        look.style(Role::Heading)
    } else {
        Style::new()
    };
    Line::from(vec![
        span(format!("{mark} {word}  "), look.style(role)),
        span(
            format!(
                "{:>2}  {}",
                chapter.number,
                padded(&one_line(&chapter.title), 30)
            ),
            title,
        ),
        span(
            format!(
                "{seen:>2} of {:>2} checks {:>3} min",
                chapter.checks.len(),
                chapter.minutes
            ),
            look.style(Role::Dim),
        ),
    ])
}

pub(super) fn hints(cx: &ViewCx, keys: &[(Command, &str)]) -> Line<'static> {
    let mut spans = Vec::new();
    for (command, label) in keys {
        spans.push(span(
            cx.app.keymap().shown(*command),
            cx.look.bold(Role::Key),
        ));
        spans.push(span(format!(" {label}   "), Style::new()));
    }
    Line::from(spans)
}

/// Draws a window that tells something in words.
pub fn told(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    what: &What,
    scroll: usize,
) {
    if *what == What::Changes {
        return changes(cx, body, buf, hits, scroll);
    }
    let Some((title, told)) = cx.app.told(what) else {
        return;
    };
    let look = cx.look;
    let cells = usize::from(WIDTH.min(body.width)).saturating_sub(8);
    let widest = told.iter().map(|line| width(&one_line(&line.label))).max();
    let label = widest.unwrap_or(0).min(24);
    let mut lines = vec![Line::raw("")];
    for line in &told {
        let role = match line.tone {
            Tone::Plain => Role::Text,
            Tone::Good => Role::Good,
            Tone::Bad => Role::Bad,
            Tone::Warning => Role::Warning,
        };
        let text = [(one_line(&line.text), look.style(role))];
        let said = truncate(&one_line(&line.label), label).into_owned();
        let pad = " ".repeat(label.saturating_sub(width(&said)) + 2);
        for (place, row) in prose::fill(&text, cells.saturating_sub(label + 2))
            .into_iter()
            .enumerate()
        {
            let before = if place == 0 {
                format!("{said}{pad}")
            } else {
                " ".repeat(label + 2)
            };
            let mut spans = vec![span(before, look.style(Role::Dim))];
            spans.extend(row.spans);
            lines.push(Line::from(spans));
        }
    }
    lines.push(Line::raw(""));
    lines.push(hints(cx, &[(Command::Back, "close")]));
    flowing_window(cx, body, buf, hits, &title, &lines, scroll);
}

/// A window as high as its lines, which scroll where there is no room for them.
fn flowing_window(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    title: &str,
    lines: &[Line<'static>],
    scroll: usize,
) {
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let right = Line::default();
    let size = (WIDTH, height);
    let inner = window(cx, body, buf, hits, size, title, Role::Focus, &right);
    let most = flowing::draw(buf, put::inset(inner, 1), lines, scroll, cx.look);
    extent(hits, most);
}

/// Draws what changed when the lab was brought to another chapter.
fn changes(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, scroll: usize) {
    let Some(changes) = cx.app.changes() else {
        return;
    };
    let look = cx.look;
    let cells = usize::from(WIDTH.min(body.width)).saturating_sub(8);
    let mut lines = vec![Line::raw("")];
    lines.push(Line::styled("The server's code", look.style(Role::Heading)));
    gone_and_made(look, &changes.does_no_more, &changes.does, &mut lines);
    lines.push(Line::raw(""));
    env(look, &changes.env, cells, &mut lines);
    lines.push(Line::raw(""));
    let console = "In the zone's console";
    lines.push(Line::styled(console, look.style(Role::Heading)));
    gone_and_made(look, &changes.gone, &changes.made, &mut lines);
    lines.push(Line::raw(""));
    lines.push(Line::styled(
        "The policy set in force",
        look.style(Role::Heading),
    ));
    match &changes.set {
        Some((before, after)) => {
            lines.push(marked(look, "-", Role::Warning, one_line(before)));
            lines.push(marked(look, "+", Role::Good, one_line(after)));
        }
        None => lines.push(Line::styled("  the same", look.style(Role::Dim))),
    }
    lines.push(Line::raw(""));
    hops(cx, &changes, cells, &mut lines);
    lines.push(Line::raw(""));
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
    lines: &mut Vec<Line<'static>>,
) {
    for thing in gone {
        lines.push(marked(look, "-", Role::Warning, one_line(thing.as_ref())));
    }
    for thing in made {
        lines.push(marked(look, "+", Role::Good, one_line(thing.as_ref())));
    }
    if gone.is_empty() && made.is_empty() {
        lines.push(Line::styled("  the same", look.style(Role::Dim)));
    }
}

fn env(look: &Look, rows: &[EnvRow], cells: usize, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::styled(".env", look.style(Role::Heading)));
    if rows.is_empty() {
        lines.push(Line::styled("  the same", look.style(Role::Dim)));
    }
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
}

fn hops(cx: &ViewCx, changes: &Changes, cells: usize, lines: &mut Vec<Line<'static>>) {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    lines.push(Line::styled(
        "The hops of an escalation",
        look.style(Role::Heading),
    ));
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
            let key = cx.app.keymap().shown(Command::EscalateTicket);
            let again = cx.app.keymap().shown(Command::Changes);
            let escalates = Attempt::EscalateTicket;
            let asks_for_it = cx
                .app
                .learn()
                .is_some_and(|learn| learn.items().contains(&Item::Try(escalates)));
            let text = if asks_for_it {
                format!(
                    "not seen yet: {key} escalates a ticket, and {again} shows then what is new"
                )
            } else {
                "not seen yet: this chapter escalates nothing".to_owned()
            };
            for line in prose::fill(&[(text, dim)], cells.saturating_sub(2)) {
                let mut spans = vec![Span::raw("  ")];
                spans.extend(line.spans);
                lines.push(Line::from(spans));
            }
        }
        HopChanges::Only(hops) => list("+", Role::Good, hops),
        HopChanges::Compared { appeared, gone } => {
            list("+", Role::Good, appeared);
            list("-", Role::Warning, gone);
            if appeared.is_empty() && gone.is_empty() {
                lines.push(Line::styled("  the same", dim));
            }
        }
    }
}

fn marked(look: &Look, mark: &str, role: Role, text: String) -> Line<'static> {
    Line::from(vec![
        span(format!("  {mark} "), look.bold(role)),
        span(text, Style::new()),
    ])
}
