//! The panes: one frame, one title, one region function each.

mod audit;
mod cedar;
pub mod chapter;
mod env;
mod flow;
mod issue;
mod lanes;
mod policy;
mod sessions;
pub mod summary;
mod trace;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{
    HitMap, ViewCx, attention,
    look::{Look, Role},
    widgets::{
        panel::{self, Attention},
        put::{self, span},
        scroll,
    },
};
use crate::{
    app::{
        Extent, Scrolled,
        command::Command,
        focus::{Layout, PaneId},
        panes::listing::Listing,
        player::Source,
        target::Target,
    },
    projection::timeline::{Direction, Unit},
    support::{
        pane::Pane,
        text::{truncate, width, wrap},
    },
};

/// Where a pane is drawn, and so how much it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// The reader's pane.
    Main,
    /// Beside it: the short form.
    Beside,
}

/// Draws a pane in its frame.
pub fn draw(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    pane: PaneId,
    placement: Placement,
) {
    frame(cx, area, buf, pane, placement);
    fill(cx, area, buf, hits, pane, placement);
}

fn heed(cx: &ViewCx, pane: PaneId, placement: Placement) -> Attention {
    match placement {
        Placement::Main => attention(cx, pane),
        Placement::Beside => Attention::Beside,
    }
}

/// Draws a pane's border. Neighbours' borders merge, so all are drawn before any is filled.
pub fn frame(cx: &ViewCx, area: Rect, buf: &mut Buffer, pane: PaneId, placement: Placement) {
    panel::frame(buf, area, heed(cx, pane, placement), cx.look);
}

/// Draws a pane's title and what is in it.
pub fn fill(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    pane: PaneId,
    placement: Placement,
) {
    hits.add(area, Target::Pane(pane));
    let title = title(cx, pane, heed(cx, pane, placement));
    let inner = panel::titled(buf, area, &title, &state(cx, pane), cx.look);
    content(cx, inner, buf, hits, pane, placement);
}

/// Draws a pane under a row of tabs: for narrow screens, where every column counts.
pub fn tabbed(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap, pane: PaneId) {
    let glyphs = cx.look.glyphs;
    put::rule(buf, area, 0, glyphs.horizontal, cx.look.style(Role::Border));
    let mut x = 1;
    // The chapter comes first, so that the way back to it is never cut off.
    let chapter = (cx.app.focus().layout == Layout::Learn).then_some(PaneId::Chapter);
    for tab in chapter.into_iter().chain(Pane::ALL.map(PaneId::from)) {
        let line = self::title(
            cx,
            tab,
            if tab == pane {
                Attention::Focused
            } else {
                Attention::Beside
            },
        );
        let cells = u16::try_from(put::line_width(&line)).unwrap_or(area.width);
        let place = Rect {
            x: area.x + x,
            width: cells.min(area.width.saturating_sub(x)),
            height: 1,
            ..area
        };
        put::line(buf, place, 0, &line, cx.look);
        hits.add(place, Target::Command(Command::Show(tab)));
        x += cells;
    }
    let place = Rect {
        width: area.width.saturating_sub(1),
        height: 1,
        ..area
    };
    let room = usize::from(place.width.saturating_sub(x));
    let right = state(cx, pane);
    let filter = cx.app.filter_of(pane);
    if put::line_width(&right) <= room {
        put::line_right(buf, place, 0, &right, cx.look);
    } else if !filter.is_empty() {
        // A list that is filtered always says so, if need be in the place of the last tabs.
        let most = room.max(usize::from(place.width / 3));
        let text = truncate(&format!(" /{filter} "), most).into_owned();
        let right = Line::from(span(text, cx.look.bold(Role::Key)));
        put::line_right(buf, place, 0, &right, cx.look);
    }
    let inner = put::inset(put::below(area, 1), 1);
    hits.add(inner, Target::Pane(pane));
    content(cx, inner, buf, hits, pane, Placement::Main);
}

fn content(
    cx: &ViewCx,
    inner: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    pane: PaneId,
    placement: Placement,
) {
    if inner.width < 4 || inner.height == 0 {
        return;
    }
    match pane {
        PaneId::Flow => flow::draw(cx, inner, buf, hits, placement),
        PaneId::Audit => audit::draw(cx, inner, buf, hits, placement),
        PaneId::Env => env::draw(cx, inner, buf, hits),
        PaneId::Issue => issue::draw(cx, inner, buf, hits),
        PaneId::Policy => policy::draw(cx, inner, buf, hits),
        PaneId::Sessions => sessions::draw(cx, inner, buf, hits),
        PaneId::Trace => trace::draw(cx, inner, buf, hits),
        PaneId::Chapter => chapter::draw(cx, inner, buf, hits),
    }
}

fn title(cx: &ViewCx, pane: PaneId, attention: Attention) -> Line<'static> {
    let (key, name) = match attention {
        Attention::Focused => (cx.look.bold(Role::Focus), cx.look.bold(Role::Focus)),
        Attention::Beside => (cx.look.style(Role::Key), cx.look.style(Role::Text)),
    };
    Line::from(vec![
        Span::raw(" "),
        span(pane.digit().to_string(), key),
        span(format!(" {} ", pane.name()), name),
    ])
}

/// Counts and state, for the right of the title.
fn state(cx: &ViewCx, pane: PaneId) -> Line<'static> {
    match pane {
        PaneId::Flow => flow::state(cx),
        PaneId::Audit => audit::state(cx),
        PaneId::Env => env::state(cx),
        PaneId::Issue => issue::state(cx),
        PaneId::Policy => policy::state(cx),
        PaneId::Sessions => sessions::state(cx),
        PaneId::Trace => trace::state(cx),
        PaneId::Chapter => chapter::state(cx),
    }
}

/// Cells of a filter beside a pane's title.
const LONGEST_FILTER: usize = 24;

/// `n things`, what is looked for, and how far the looking is.
fn counted(
    cx: &ViewCx,
    pane: PaneId,
    count: usize,
    (one, many): (&str, &str),
    filter: &str,
) -> Line<'static> {
    let dim = cx.look.style(Role::Dim);
    let mut spans = Vec::new();
    if !filter.is_empty() {
        let shown = truncate(filter, LONGEST_FILTER);
        spans.push(span(format!(" /{shown} "), cx.look.bold(Role::Key)));
    }
    if let Some(percent) = searched(cx, pane) {
        let words = format!(" {percent} % searched ");
        spans.push(span(words, cx.look.bold(Role::Accent)));
    }
    if count > 0 {
        let word = if count == 1 { one } else { many };
        spans.push(span(format!(" {} {word} ", grouped(count)), dim));
    }
    Line::from(spans)
}

/// How much of a long list its filter has looked at, in hundredths; `None` when that is all.
pub fn searched(cx: &ViewCx, pane: PaneId) -> Option<usize> {
    let filtered = !cx.app.filter_of(pane).is_empty();
    filtered.then(|| cx.app.searched(pane)).flatten()
}

/// What an empty list says whose filter lets nothing through, or nothing yet.
fn nothing_found(cx: &ViewCx, area: Rect, buf: &mut Buffer, pane: PaneId, thing: &str) {
    let text = match searched(cx, pane) {
        Some(percent) => format!("Searching: {percent} % so far, and no {thing} has these words."),
        None => format!("No {thing} has these words."),
    };
    teach(
        cx,
        area,
        buf,
        &[&text],
        &[(Command::Back, "show all again")],
    );
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The rows of a list that are in view: their places and their areas.
fn rows_in_view<R: Copy + PartialEq>(
    area: Rect,
    list: &Listing<R>,
) -> impl Iterator<Item = (usize, R, Rect)> {
    let height = usize::from(area.height);
    let first = scroll::window(list.rows().len(), list.selected(), height);
    list.rows()
        .iter()
        .copied()
        .enumerate()
        .skip(first)
        .zip(area.rows())
        .map(|((place, row), area)| (place, row, area))
}

/// Marks the selected row; returns the area behind the mark, and how the row's words look.
fn selectable(
    cx: &ViewCx,
    buf: &mut Buffer,
    row: Rect,
    selected: bool,
    placement: Placement,
) -> Rect {
    if selected && placement == Placement::Main {
        put::text(
            buf,
            row,
            0,
            0,
            cx.look.glyphs.selected,
            cx.look.bold(Role::Accent),
            cx.look,
        );
    }
    behind_gutter(row, placement)
}

/// The area behind the column of marks; beside the reader's pane nothing is marked.
fn behind_gutter(area: Rect, placement: Placement) -> Rect {
    let cells = match placement {
        Placement::Main => 2,
        Placement::Beside => 1,
    };
    Rect {
        x: area.x + cells.min(area.width),
        width: area.width.saturating_sub(cells),
        ..area
    }
}

/// The keys that an empty pane of a replay offers.
const REPLAY: &[(Command, &str)] = &[
    (Command::Play, "play"),
    (Command::Step(Unit::Hop, Direction::Forward), "one hop on"),
];

/// The one that it offers where a recording stands in: on stage there is one key for all.
const NEXT_CALL: &[(Command, &str)] = &[(Command::NextCue, "go on in the recording")];

/// What an empty pane teaches: what will appear, and the key that makes it appear.
fn teach(cx: &ViewCx, area: Rect, buf: &mut Buffer, what: &[&str], keys: &[(Command, &str)]) {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for text in what {
        let wrapped = wrap(text, usize::from(area.width.saturating_sub(4)));
        lines.extend(wrapped.into_iter().map(Line::raw));
    }
    // Nothing can be done anew in a replay: what is to be seen comes with the trace.
    let keys: Vec<(Command, &str)> = match cx.app.source() {
        Source::Live => keys.to_vec(),
        Source::Opening(_) => Vec::new(),
        Source::Replay(_) => {
            let offered = |(command, _): &&(Command, &str)| {
                cx.app.availability_in(*command, cx.app.ground()).is_ready()
            };
            let kept: Vec<_> = keys.iter().filter(offered).copied().collect();
            let plays = kept.iter().any(|(command, _)| *command == Command::Play);
            if cx.app.is_taken_over() && (kept.is_empty() || plays) {
                NEXT_CALL.to_vec()
            } else if kept.is_empty() {
                REPLAY.to_vec()
            } else {
                kept
            }
        }
    };
    if !keys.is_empty() {
        lines.push(Line::raw(""));
    }
    for (command, text) in &keys {
        lines.push(key_line(cx, *command, text));
    }
    let top = (area.height / 4).min(3);
    let area = put::inset(area, 2);
    for (row, line) in (top..area.height).zip(&lines) {
        put::line(buf, area, row, line, cx.look);
    }
}

fn key_line(cx: &ViewCx, command: Command, text: &str) -> Line<'static> {
    let key = cx.app.keymap().shown(command);
    let gap = if key.len() > 2 { " " } else { "" };
    Line::from(vec![
        span(format!("{key:<3}{gap}"), cx.look.bold(Role::Key)),
        span(text.to_owned(), Style::new()),
    ])
}

/// Remembers how far a pane of text can be scrolled.
fn extent(hits: &mut HitMap, pane: PaneId, most: usize) {
    hits.extents.push(Extent {
        what: Scrolled::Pane(pane),
        most,
    });
}

/// A service's name without the word that every one of them has.
fn short_resource(name: &str) -> &str {
    name.strip_suffix(" API")
        .or_else(|| name.strip_suffix(" Database"))
        .unwrap_or(name)
}

/// A service's name, short where the room is.
fn fitting(name: &str, room: u16) -> &str {
    if width(name) > usize::from(room) {
        short_resource(name)
    } else {
        name
    }
}

/// A dash for what is not there.
fn or_dash(text: Option<&str>, style: Style, look: &Look) -> Span<'static> {
    match text {
        Some(text) => span(text.to_owned(), style),
        None => span(look.glyphs.dash.to_owned(), look.style(Role::Dim)),
    }
}

/// A hop's verdict, glyph and word.
#[must_use]
pub fn hop_verdict(hop: &crate::projection::Hop, look: &Look) -> Span<'static> {
    flow::hop::verdict(hop, look)
}

/// A policy's text, marked.
#[must_use]
pub fn cedar_lines(source: &str, cells: usize, look: &Look) -> Vec<Line<'static>> {
    cedar::lines(source, cells, look)
}
