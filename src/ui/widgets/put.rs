//! Writing a line into the buffer: cut at a width, made to fit the look, never over the edge.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    support::text::{truncate, width},
    ui::look::{Look, Role},
};

/// The part of `area` that lies on the screen.
#[must_use]
pub fn on_screen(area: Rect, buf: &Buffer) -> Rect {
    area.intersection(buf.area)
}

/// Writes `text` at the start of `area`'s row `row`, cut to the area. Returns the cells used.
pub fn text(
    buf: &mut Buffer,
    area: Rect,
    row: u16,
    column: u16,
    text: &str,
    style: Style,
    look: &Look,
) -> u16 {
    let area = on_screen(area, buf);
    if row >= area.height || column >= area.width {
        return 0;
    }
    let room = area.width - column;
    let fitted = look.fit(text);
    let cut = truncate(&fitted, usize::from(room));
    let cut = look.fit(&cut);
    // What lies under the text (a rule, a lane) must not show through in colour.
    let style = Style::reset().patch(style);
    buf.set_stringn(
        area.x + column,
        area.y + row,
        &cut,
        usize::from(room),
        style,
    );
    u16::try_from(width(&cut)).unwrap_or(room).min(room)
}

/// Writes a line of spans, cut to the area with an ellipsis.
pub fn line(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>, look: &Look) {
    let mut column = 0;
    for span in &line.spans {
        if column >= area.width {
            return;
        }
        let room = usize::from(area.width - column);
        let style = line.style.patch(span.style);
        let used = text(buf, area, row, column, &span.content, style, look);
        column += used;
        if width(&span.content) > room {
            return;
        }
    }
}

/// Writes a line of spans so that it ends at the area's right edge.
pub fn line_right(buf: &mut Buffer, area: Rect, row: u16, line_: &Line<'_>, look: &Look) {
    let total = u16::try_from(line_width(line_)).unwrap_or(u16::MAX);
    let shift = area.width.saturating_sub(total);
    let right = Rect {
        x: area.x.saturating_add(shift),
        width: area.width - shift,
        ..area
    };
    line(buf, right, row, line_, look);
}

/// Cells that a line takes.
#[must_use]
pub fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}

/// Fills a row of the area with one character.
pub fn rule(buf: &mut Buffer, area: Rect, row: u16, symbol: &str, style: Style) {
    let area = on_screen(area, buf);
    if row >= area.height {
        return;
    }
    for x in area.left()..area.right() {
        buf[(x, area.y + row)].set_symbol(symbol).set_style(style);
    }
}

/// A vertical line through the area at a column.
pub fn pillar(buf: &mut Buffer, area: Rect, column: u16, symbol: &str, style: Style) {
    let area = on_screen(area, buf);
    if column >= area.width {
        return;
    }
    for y in area.top()..area.bottom() {
        buf[(area.x + column, y)]
            .set_symbol(symbol)
            .set_style(style);
    }
}

/// A span that owns its text.
pub fn span(text: impl Into<String>, style: Style) -> Span<'static> {
    Span::styled(text.into(), style)
}

/// The area without its first `rows` rows.
#[must_use]
pub const fn below(area: Rect, rows: u16) -> Rect {
    let rows = if rows < area.height {
        rows
    } else {
        area.height
    };
    Rect {
        x: area.x,
        y: area.y + rows,
        width: area.width,
        height: area.height - rows,
    }
}

/// The area, `cells` narrower on both sides.
#[must_use]
pub const fn inset(area: Rect, cells: u16) -> Rect {
    let taken = if cells * 2 < area.width { cells } else { 0 };
    Rect {
        x: area.x + taken,
        y: area.y,
        width: area.width - taken * 2,
        height: area.height,
    }
}

/// The area in two halves with a line between them, which is drawn.
pub fn halves(area: Rect, buf: &mut Buffer, look: &Look) -> (Rect, Rect) {
    let half = (area.width.saturating_sub(3)) / 2;
    let left = Rect {
        width: half,
        ..area
    };
    let right = Rect {
        x: area.x + half + 3,
        width: area.width.saturating_sub(half + 3),
        ..area
    };
    pillar(
        buf,
        area,
        half + 1,
        look.glyphs.vertical,
        look.style(Role::Border),
    );
    (left, right)
}
