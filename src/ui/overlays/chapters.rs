//! Windows of the chapters: the contents, the console work, and what is told in words.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{extent, window};
use crate::{
    app::{
        command::Command,
        learn::{Ground, Learn},
        overlay::What,
        toast::Tone,
    },
    chapters::{Chapter, progress::ChapterState},
    support::text::{one_line, padded, truncate, width},
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{
            flowing, prose,
            put::{self, span},
        },
    },
};

pub(super) const WIDTH: u16 = 76;

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
        return super::changes::draw(cx, body, buf, hits, scroll);
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
            Tone::Warning | Tone::Unavailable => Role::Warning,
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
pub(super) fn flowing_window(
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
