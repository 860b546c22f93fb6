//! The command palette: a few letters find a command; each row shows its key, or why it cannot be.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};
use tui_input::Input;

use super::window;
use crate::{
    app::{
        command::{Availability, Command},
        palette,
        target::Target,
    },
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{
            field,
            put::{self, span},
            scroll,
        },
    },
};

/// Rows of the list.
const ROWS: u16 = 14;

/// Draws the palette.
pub fn draw(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    input: &Input,
    selected: usize,
) {
    let found = palette::find(input.value());
    let inner = window(
        cx,
        body,
        buf,
        hits,
        (88, ROWS + 4),
        "Commands",
        Role::Focus,
        &Line::styled(format!(" {} ", found.len()), cx.look.style(Role::Dim)),
    );
    let prompt = put::text(buf, inner, 0, 0, ": ", cx.look.bold(Role::Key), cx.look);
    let line = Rect {
        x: inner.x + prompt,
        width: inner.width.saturating_sub(prompt),
        height: 1.min(inner.height),
        ..inner
    };
    field::draw(buf, line, input, "a few letters of what you want", cx.look);
    let list = put::below(inner, 2);
    let selected = selected.min(found.len().saturating_sub(1));
    if found.is_empty() {
        let dim = cx.look.style(Role::Dim);
        put::text(
            buf,
            list,
            0,
            2,
            "no command has these letters",
            dim,
            cx.look,
        );
    }
    let first = scroll::window(found.len(), selected, usize::from(list.height));
    for ((place, command), row) in found.iter().enumerate().skip(first).zip(list.rows()) {
        hits.add(row, Target::OverlayRow(place));
        entry(cx, row, buf, *command, place == selected);
    }
    scroll::bar(buf, list, found.len(), first, cx.look);
}

fn entry(cx: &ViewCx, row: Rect, buf: &mut Buffer, command: Command, here: bool) {
    let look = cx.look;
    let spec = command.spec();
    let dim = look.style(Role::Dim);
    let available = cx.app.availability_in(command, cx.app.ground());
    let (name, doc) = match &available {
        Availability::Ready if here => (look.style(Role::Heading), Style::new()),
        Availability::Ready => (Style::new(), dim),
        Availability::Unavailable(_) => (dim, dim),
    };
    let told = match &available {
        Availability::Ready => spec.doc.to_owned(),
        Availability::Unavailable(why) => format!("not now: {why}"),
    };
    let mark = if here { look.glyphs.selected } else { " " };
    let line = Line::from(vec![
        span(format!("{mark} "), look.bold(Role::Accent)),
        span(format!("{:<16} ", spec.name), name),
        span(told, doc),
    ]);
    let keys = Line::from(span(
        format!(" {} ", cx.app.keymap().shown(command)),
        look.style(Role::Key),
    ));
    let taken = u16::try_from(put::line_width(&keys)).unwrap_or(0);
    let left = Rect {
        width: row.width.saturating_sub(taken + 1),
        ..row
    };
    put::line(buf, left, 0, &line, look);
    let right = Rect {
        width: row.width.saturating_sub(1),
        ..row
    };
    put::line_right(buf, right, 0, &keys, look);
}
