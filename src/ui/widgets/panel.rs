//! A pane's frame: neighbours share a border, the title carries the key that jumps there.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    symbols::merge::MergeStrategy,
    text::Line,
    widgets::{Block, Borders, Widget as _},
};

use super::put;
use crate::ui::look::{Look, Role};

/// Whether the keys go here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    Focused,
    Beside,
}

/// Draws a border; where it meets another, the two become one.
pub fn frame(buf: &mut Buffer, area: Rect, attention: Attention, look: &Look) {
    let area = put::on_screen(area, buf);
    let style = match attention {
        Attention::Focused => look.style(Role::Focus),
        Attention::Beside => look.style(Role::Border),
    };
    let block = Block::new()
        .borders(Borders::ALL)
        .border_set(look.glyphs.borders)
        .border_style(style);
    let block = if look.is_ascii() {
        block
    } else {
        block.merge_borders(MergeStrategy::Exact)
    };
    block.render(area, buf);
}

/// Writes a title and what stands at its right into a border; returns the inside.
pub fn titled(
    buf: &mut Buffer,
    area: Rect,
    title: &Line<'_>,
    right: &Line<'_>,
    look: &Look,
) -> Rect {
    let area = put::on_screen(area, buf);
    if area.width > 4 && area.height > 0 {
        let top = Rect {
            x: area.x + 2,
            width: area.width - 4,
            height: 1,
            ..area
        };
        titles(buf, top, title, right, look);
    }
    Block::bordered().inner(area)
}

/// Writes a title on the left and, where there is room, what stands on the right.
pub fn titles(buf: &mut Buffer, top: Rect, title: &Line<'_>, right: &Line<'_>, look: &Look) {
    put::line(buf, top, 0, title, look);
    let taken = put::line_width(title);
    let wanted = put::line_width(right);
    if wanted > 0 && taken + wanted + 2 <= usize::from(top.width) {
        put::line_right(buf, top, 0, right, look);
    }
}
