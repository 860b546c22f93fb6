//! Env: the file one begins with beside the one one ends with, and what each is worth to a thief.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{extent, teach};
use crate::{
    app::focus::PaneId,
    projection::env::{EnvChange, EnvFile, EnvRow},
    protocol::env::{EnvKind, EnvLine},
    support::text::{number_of, one_line, wrap},
    trace::event::EnvSide,
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{
            flowing,
            put::{self, span},
        },
    },
};

/// From here on the two files stand side by side.
const SIDE_BY_SIDE: u16 = 96;
/// Columns below which words are saved.
const NARROW: u16 = 60;

/// What the title says.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let env = cx.app.projection().env();
    let keys = |file: Option<&EnvFile>| file.map(EnvFile::worth_stealing);
    let text = match (keys(env.before()), keys(env.after())) {
        (_, Some(one)) if env.is_one_file() => format!(" worth stealing: {one} "),
        (Some(before), Some(after)) => {
            format!(
                " worth stealing: {before} {} {after} ",
                cx.look.glyphs.arrow
            )
        }
        (Some(one), None) | (None, Some(one)) => format!(" worth stealing: {one} "),
        (None, None) => String::new(),
    };
    Line::styled(text, cx.look.style(Role::Dim))
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let env = cx.app.projection().env();
    if env.rows().is_empty() {
        return teach(
            cx,
            area,
            buf,
            &[
                "The .env that the workshop begins with will stand here beside the one it ends with: every line a secret, an identifier or plain config.",
                "It is read when the lab starts, or from the folder of your own server.",
            ],
            &[],
        );
    }
    let area = put::inset(area, 1);
    if area.width >= SIDE_BY_SIDE && !cx.app.projection().env().is_one_file() {
        side_by_side(cx, area, buf, hits);
    } else {
        unified(cx, area, buf, hits);
    }
}

fn side_by_side(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let env = cx.app.projection().env();
    let (left, right) = put::halves(area, buf, cx.look);
    for (place, file, side) in [
        (left, env.before(), EnvSide::Before),
        (right, env.after(), EnvSide::After),
    ] {
        for (row, line) in (0..).zip(head(cx.look, file, side)) {
            put::line(buf, place, row, &line, cx.look);
        }
    }
    // The last column of each is the scroll bar's.
    let cells = |side: Rect| side.width.saturating_sub(1);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for row in env.rows() {
        before.extend(entry(cx.look, row, EnvSide::Before, cells(left)));
        after.extend(entry(cx.look, row, EnvSide::After, cells(right)));
        // Both sides of a variable begin on the same row.
        let tallest = before.len().max(after.len());
        before.resize(tallest, Line::default());
        after.resize(tallest, Line::default());
    }
    let offset = cx.app.panes().env_scroll;
    let most = flowing::draw(buf, put::below(left, 4), &before, offset, cx.look);
    flowing::draw(buf, put::below(right, 4), &after, offset, cx.look);
    extent(hits, PaneId::Env, most);
}

/// File name, the count that matters, what the rest is.
fn head(look: &Look, file: Option<&EnvFile>, side: EnvSide) -> [Line<'static>; 3] {
    let name = match side {
        EnvSide::Before => "Before",
        EnvSide::After => "After",
    };
    let Some(file) = file else {
        return [
            Line::styled(name, look.style(Role::Heading)),
            Line::styled("not read", look.style(Role::Dim)),
            Line::default(),
        ];
    };
    [
        Line::from(vec![
            span(format!("{name}  "), look.style(Role::Heading)),
            span(one_line(&file.file), look.style(Role::Dim)),
        ]),
        {
            let mut worth = vec![worth(look, file.worth_stealing())];
            if file.worth_stealing() == 0 && file.count(EnvKind::Secret) > 0 {
                worth.push(span(": the secret only asks the zone", Style::new()));
            }
            Line::from(worth)
        },
        Line::styled(
            format!(
                "{} {dot} {} {dot} {} config",
                number_of(file.count(EnvKind::Secret), "secret"),
                number_of(file.count(EnvKind::Identifier), "identifier"),
                file.count(EnvKind::Config),
                dot = look.glyphs.dot,
            ),
            look.style(Role::Dim),
        ),
    ]
}

/// How many keys are worth stealing, in the words that matter.
fn worth(look: &Look, keys: usize) -> Span<'static> {
    match keys {
        0 => span("0 keys worth stealing", look.bold(Role::Good)),
        1 => span("! 1 key worth stealing", look.bold(Role::Warning)),
        n => span(
            format!("! {n} keys worth stealing"),
            look.bold(Role::Warning),
        ),
    }
}

const fn of(row: &EnvRow, side: EnvSide) -> Option<&EnvLine> {
    match side {
        EnvSide::Before => row.before.as_ref(),
        EnvSide::After => row.after.as_ref(),
    }
}

/// A variable on one side: its line, and what it is under it.
fn entry(look: &Look, row: &EnvRow, side: EnvSide, width: u16) -> Vec<Line<'static>> {
    let dim = look.style(Role::Dim);
    let Some(line) = of(row, side) else {
        return match side {
            // A file that was not read is not one that the line is gone from.
            EnvSide::After if row.change != EnvChange::Removed => Vec::new(),
            EnvSide::Before => Vec::new(),
            EnvSide::After => vec![Line::from(vec![
                span("  ", dim),
                span(one_line(&row.name), dim.add_modifier(Modifier::CROSSED_OUT)),
                span("  gone", dim),
            ])],
        };
    };
    let mark = match (row.change, side) {
        (EnvChange::Removed, _) => span("- ", look.bold(Role::Warning)),
        (EnvChange::Added, _) => span("+ ", look.style(Role::Heading)),
        (EnvChange::Changed, EnvSide::After) => span("~ ", look.style(Role::Heading)),
        (EnvChange::Changed, EnvSide::Before) | (EnvChange::Kept, _) => span("  ", dim),
    };
    let mut first = vec![mark, name(look, line), span("=", dim)];
    let room = usize::from(width).saturating_sub(4 + line.name.len());
    first.extend(value(look, line, room));
    let class = class(look, line);
    let indent = 4 + class.content.len() + 2;
    let mut lines = vec![Line::from(first)];
    let notes = wrap(
        &one_line(&line.note),
        usize::from(width).saturating_sub(indent),
    );
    for (place, note) in notes.into_iter().take(3).enumerate() {
        let head = if place == 0 {
            vec![span("    ", dim), class.clone(), span("  ", dim)]
        } else {
            vec![span(" ".repeat(indent), dim)]
        };
        lines.push(head.into_iter().chain([Span::raw(note)]).collect());
    }
    lines
}

fn name(look: &Look, line: &EnvLine) -> Span<'static> {
    let style = if line.worth_stealing && line.set {
        look.bold(Role::Warning)
    } else if line.kind == EnvKind::Secret && line.set {
        look.style(Role::Heading)
    } else {
        Style::new()
    };
    span(one_line(&line.name), style)
}

fn value(look: &Look, line: &EnvLine, room: usize) -> Vec<Span<'static>> {
    if !line.set {
        return vec![span("(empty)", look.style(Role::Dim))];
    }
    match &line.value {
        None => vec![span(look.glyphs.bullet.repeat(8), look.bold(Role::Masked))],
        Some(value) => vec![span(
            crate::support::text::shorten_middle(&one_line(value), room).into_owned(),
            Style::new(),
        )],
    }
}

fn class(look: &Look, line: &EnvLine) -> Span<'static> {
    match line.kind {
        EnvKind::Secret if line.worth_stealing && line.set => {
            span("secret, worth stealing", look.style(Role::Warning))
        }
        EnvKind::Secret => span("secret", look.style(Role::Masked)),
        EnvKind::Identifier => span("identifier", look.style(Role::Dim)),
        EnvKind::Config => span("config", look.style(Role::Dim)),
    }
}

/// One list of what became of each variable, for narrow screens.
fn unified(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let look = cx.look;
    let env = cx.app.projection().env();
    let dim = look.style(Role::Dim);
    let is_narrow = area.width < NARROW;
    let mut top = Vec::new();
    if is_narrow {
        top.push(span("worth stealing", dim));
    }
    let both = [("before", env.before()), ("after", env.after())];
    let now = [("now", env.after())];
    let files = match env.after() {
        Some(_) if env.is_one_file() => &now[..],
        Some(_) | None => &both[..],
    };
    for (label, file) in files.iter().copied() {
        let Some(keys) = file.map(EnvFile::worth_stealing) else {
            continue;
        };
        let arrow = if label == "after" && !is_narrow {
            format!("{}   ", look.glyphs.arrow)
        } else {
            String::new()
        };
        let gap = if top.is_empty() { "" } else { "   " };
        top.push(span(format!("{gap}{arrow}{label}  "), dim));
        top.push(match (is_narrow, keys) {
            (false, _) => worth(look, keys),
            (true, 0) => span("0", look.bold(Role::Good)),
            (true, _) => span(format!("! {keys}"), look.bold(Role::Warning)),
        });
    }
    put::line(buf, area, 0, &Line::from(top), look);
    // What is empty becomes worth a row once another file fills it in.
    let is_told = |row: &&EnvRow| {
        let is_set = |line: &Option<EnvLine>| line.as_ref().is_some_and(|line| line.set);
        !env.is_one_file() || is_set(&row.before) || is_set(&row.after)
    };
    let widest = env
        .rows()
        .iter()
        .filter(is_told)
        .map(|row| row.name.len())
        .max()
        .unwrap_or(0)
        .min(24);
    let lines: Vec<Line<'static>> = env
        .rows()
        .iter()
        .filter(is_told)
        .map(|row| {
            let (mark, shown) = match row.change {
                EnvChange::Removed => (span("- ", look.bold(Role::Warning)), &row.before),
                EnvChange::Added => (span("+ ", look.style(Role::Heading)), &row.after),
                EnvChange::Changed => (span("~ ", look.style(Role::Heading)), &row.after),
                EnvChange::Kept if row.after.is_none() => (span("  ", dim), &row.before),
                EnvChange::Kept => (span("  ", dim), &row.after),
            };
            let Some(line) = shown else {
                return Line::from(vec![mark, span(row.name.clone(), dim)]);
            };
            let mut spans = vec![
                mark,
                name(look, line),
                Span::raw(" ".repeat((widest + 2).saturating_sub(line.name.len()))),
            ];
            let class = match (is_narrow, line.worth_stealing && line.set) {
                // The word that matters; what is masked is masked on a wide screen, too.
                (true, true) => span("worth stealing", look.style(Role::Warning)),
                (_, _) => class(look, line),
            };
            let cells = class.content.len();
            spans.push(class);
            let what = match row.change {
                EnvChange::Removed => "present then absent".to_owned(),
                EnvChange::Added | EnvChange::Changed | EnvChange::Kept => {
                    line.value.as_deref().map_or_else(String::new, one_line)
                }
            };
            let used: usize = 2 + widest + 2 + 10;
            let room = usize::from(area.width).saturating_sub(used + 3);
            if row.change == EnvChange::Removed && is_narrow {
                spans.push(span("  gone", Style::new()));
            } else if row.change == EnvChange::Removed {
                spans.push(span(
                    format!("  present {} absent", look.glyphs.arrow),
                    Style::new(),
                ));
            } else if !line.set {
                spans.push(span("  (empty)", dim));
            } else if line.value.is_none() && !(is_narrow && line.worth_stealing) {
                let pad = " ".repeat(12usize.saturating_sub(cells).max(2));
                spans.push(Span::raw(pad));
                spans.extend(value(look, line, room));
            } else if !what.is_empty() && room > 8 {
                let pad = " ".repeat(12usize.saturating_sub(cells).max(2));
                spans.push(span(
                    format!("{pad}{}", crate::support::text::shorten_middle(&what, room)),
                    dim,
                ));
            }
            Line::from(spans)
        })
        .collect();
    let most = flowing::draw(
        buf,
        put::below(area, 2),
        &lines,
        cx.app.panes().env_scroll,
        look,
    );
    extent(hits, PaneId::Env, most);
}
