//! One line of text that is being typed, with its cursor.

use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};
use tui_input::Input;

use super::put;
use crate::{
    support::text::one_line,
    ui::look::{Look, Role},
};

/// Draws the field; while it is empty, `example` says what may be typed.
pub fn draw(buf: &mut Buffer, area: Rect, input: &Input, example: &str, look: &Look) {
    let area = put::on_screen(area, buf);
    if area.is_empty() {
        return;
    }
    let room = usize::from(area.width.saturating_sub(1));
    if input.value().is_empty() {
        let place = Rect {
            x: area.x + 2.min(area.width),
            width: area.width.saturating_sub(2),
            ..area
        };
        put::text(buf, place, 0, 0, example, look.style(Role::Dim), look);
    }
    let scroll = input.visual_scroll(room);
    let mut skipped = 0;
    let visible: String = one_line(input.value())
        .chars()
        .skip_while(|c| {
            let skip = skipped < scroll;
            skipped += crate::support::text::width(c.encode_utf8(&mut [0; 4]));
            skip
        })
        .collect();
    put::text(buf, area, 0, 0, &visible, look.style(Role::Text), look);
    let cursor = u16::try_from(input.visual_cursor().saturating_sub(scroll))
        .unwrap_or(0)
        .min(area.width - 1);
    let cell = &mut buf[(area.x + cursor, area.y)];
    cell.set_style(look.style(Role::Text).add_modifier(Modifier::REVERSED));
}
