//! Windows over the panes.

pub(super) mod ask;
mod both;
mod changes;
mod chapters;
mod claims;
mod compare;
mod console;
mod help;
mod inspect;
mod inspect_hop;
mod palette;
mod places;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::Line,
    widgets::{Block, Borders, Clear, Widget as _},
};

use super::{
    HitMap, ViewCx,
    look::Role,
    widgets::{panel, put, put::span, scroll},
};
use crate::app::{Extent, Scrolled, overlay::Overlay, target::Target};

/// Draws the window on top.
pub fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let Some(overlay) = cx.app.overlays().last() else {
        return;
    };
    if matches!(
        overlay,
        Overlay::Filter { .. } | Overlay::Goto { .. } | Overlay::Note { .. }
    ) {
        return;
    }
    hits.add(body, Target::Outside);
    // What lies behind steps back, so that the eye stays on the window.
    let behind = Style::reset().patch(cx.look.style(Role::Dim));
    buf.set_style(put::on_screen(body, buf), behind);
    match overlay {
        Overlay::Help { scroll } => help::draw(cx, body, buf, hits, *scroll),
        Overlay::Palette { input, selected } => {
            palette::draw(cx, body, buf, hits, input, *selected);
        }
        Overlay::Inspect(inspect) => inspect::draw(cx, body, buf, hits, *inspect),
        Overlay::Contents { selected } => chapters::contents(cx, body, buf, hits, *selected),
        Overlay::Console { selected, .. } => console::steps(cx, body, buf, hits, *selected),
        Overlay::Form(form) => console::form(cx, body, buf, hits, form),
        Overlay::Told { what, scroll } => chapters::told(cx, body, buf, hits, what, *scroll),
        Overlay::Confirm(question) => ask::confirm(cx, body, buf, hits, *question),
        Overlay::Failure { failure, scroll } => {
            ask::failure(cx, body, buf, hits, failure, *scroll);
        }
        Overlay::Waiting { url, how } => ask::waiting(cx, body, buf, hits, url, *how),
        Overlay::Places { selected } => places::landmarks(cx, body, buf, hits, *selected),
        Overlay::Traces { selected } => places::traces(cx, body, buf, hits, *selected),
        Overlay::Compare => compare::draw(cx, body, buf, hits),
        Overlay::Both { tab, scroll } => both::draw(cx, body, buf, hits, *tab, *scroll),
        Overlay::Filter { .. } | Overlay::Goto { .. } | Overlay::Note { .. } => {}
    }
}

/// Clears a place in the middle and frames it; returns the inside.
fn window(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    size: (u16, u16),
    title: &str,
    role: Role,
    right: &Line<'_>,
) -> Rect {
    let area = middle(body, size, buf);
    let inner = framed(cx, area, buf, hits, Borders::ALL, (title, role), right);
    put::inset(inner, 1)
}

/// [`window`] from edge to edge, with nothing at its sides: rows of it can be selected with the mouse
/// and hold only what is written there.
fn band(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    height: u16,
    title: &str,
    role: Role,
) -> Rect {
    let area = middle(body, (body.width, height), buf);
    let borders = Borders::TOP | Borders::BOTTOM;
    let nothing = Line::default();
    framed(cx, area, buf, hits, borders, (title, role), &nothing)
}

fn middle(body: Rect, (width, height): (u16, u16), buf: &Buffer) -> Rect {
    let (width, height) = (width.min(body.width), height.min(body.height));
    let area = Rect {
        x: body.x + (body.width - width) / 2,
        y: body.y + (body.height - height) / 2,
        width,
        height,
    };
    put::on_screen(area, buf)
}

fn framed(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    borders: Borders,
    (title, role): (&str, Role),
    right: &Line<'_>,
) -> Rect {
    Clear.render(area, buf);
    let block = Block::new()
        .borders(borders)
        .border_set(cx.look.glyphs.borders)
        .border_style(cx.look.style(role));
    let inner = block.inner(area);
    block.render(area, buf);
    let top = Rect {
        x: area.x + 2.min(area.width),
        width: area.width.saturating_sub(4),
        height: 1.min(area.height),
        ..area
    };
    let title = Line::from(span(format!(" {title} "), cx.look.bold(role)));
    panel::titles(buf, top, &title, right, cx.look);
    hits.add(area, Target::Overlay);
    inner
}

fn extent(hits: &mut HitMap, most: usize) {
    hits.extents.push(Extent {
        what: Scrolled::Overlay,
        most,
    });
}

/// Rows of which one is chosen, with two cells before them for its mark. Only those in view are asked
/// for.
fn rows(
    cx: &ViewCx,
    list: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    count: usize,
    row: impl Fn(usize) -> Line<'static>,
    selected: usize,
) {
    let look = cx.look;
    let selected = selected.min(count.saturating_sub(1));
    let first = scroll::window(count, selected, usize::from(list.height));
    for (place, area) in (first..count).zip(list.rows()) {
        hits.add(area, Target::OverlayRow(place));
        if place == selected {
            let mark = look.glyphs.selected;
            put::text(buf, area, 0, 0, mark, look.bold(Role::Accent), look);
        }
        let text = Rect {
            x: area.x + 2.min(area.width),
            width: area.width.saturating_sub(3),
            ..area
        };
        put::line(buf, text, 0, &row(place), look);
    }
    scroll::bar(buf, list, count, first, look);
    extent(hits, count.saturating_sub(1));
}
