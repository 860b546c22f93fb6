//! Which rows of a long list are on the screen, and a bar that says where that is.

use ratatui::{buffer::Buffer, layout::Rect};

use super::put;
use crate::ui::look::{Look, Role};

/// The first row in view: the selected row stays in the middle, the ends stay at the ends.
/// A function of the list alone, so that drawing keeps no state.
#[must_use]
pub const fn window(len: usize, selected: usize, height: usize) -> usize {
    if len <= height {
        return 0;
    }
    let middle = selected.saturating_sub(height / 2);
    let last = len - height;
    if middle < last { middle } else { last }
}

/// A thumb on the area's right edge; nothing when all rows are in view.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a quotient of lengths, scaled to at most the area's height"
)]
pub fn bar(buf: &mut Buffer, area: Rect, len: usize, first: usize, look: &Look) {
    let area = put::on_screen(area, buf);
    let height = usize::from(area.height);
    if len <= height || height == 0 || area.width == 0 {
        return;
    }
    let thumb = (height * height / len).max(1);
    let top = (first * (height - thumb))
        .div_ceil(len - height)
        .min(height - thumb);
    for row in top..top + thumb {
        buf[(area.right() - 1, area.y + row as u16)]
            .set_symbol(look.glyphs.thumb)
            .set_style(look.style(Role::Dim));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_keeps_the_selection_in_view() {
        assert_eq!(window(5, 4, 10), 0);
        assert_eq!(window(100, 0, 10), 0);
        assert_eq!(window(100, 50, 10), 45);
        assert_eq!(window(100, 99, 10), 90);
        assert_eq!(window(1_000_000, 999_999, 20), 999_980);
    }
}
