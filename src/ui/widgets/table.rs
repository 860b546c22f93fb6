//! A table that drops columns where it is narrow and never squeezes one.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::put;
use crate::ui::look::{Look, Role};

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub head: &'static str,
    /// Cells that it needs.
    pub width: u16,
    /// The column with the greatest number goes first when there is no room; 0 stays.
    pub drop: u8,
    pub align: Align,
    /// Takes what is left over; with several, the last one in view.
    pub grows: bool,
}

/// Words on the left, numbers on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub const fn words(head: &'static str, width: u16, drop: u8) -> Self {
        Self {
            head,
            width,
            drop,
            align: Align::Left,
            grows: false,
        }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn numbers(head: &'static str, width: u16, drop: u8) -> Self {
        Self {
            align: Align::Right,
            ..Self::words(head, width, drop)
        }
    }

    /// Lets it take what is left over.
    #[must_use]
    pub const fn growing(self) -> Self {
        Self {
            grows: true,
            ..self
        }
    }
}

/// A column in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Which column.
    pub index: usize,
    pub x: u16,
    pub width: u16,
}

/// Cells between columns.
const GAP: u16 = 2;

/// The columns that fit `width`, with their places.
#[must_use]
pub fn fit(columns: &[Column], width: u16) -> Vec<Slot> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let need = |kept: &[usize]| {
        kept.iter().map(|i| columns[*i].width).sum::<u16>()
            + GAP * u16::try_from(kept.len().saturating_sub(1)).unwrap_or(0)
    };
    while need(&kept) > width && kept.len() > 1 {
        let Some(worst) = kept
            .iter()
            .copied()
            .max_by_key(|i| (columns[*i].drop, *i))
            .filter(|i| columns[*i].drop > 0)
        else {
            break;
        };
        kept.retain(|i| *i != worst);
    }
    let spare = width.saturating_sub(need(&kept));
    let grower = kept.iter().copied().rfind(|i| columns[*i].grows);
    let mut x = 0;
    kept.into_iter()
        .map(|index| {
            let extra = if Some(index) == grower { spare } else { 0 };
            let slot = Slot {
                index,
                x,
                width: columns[index].width + extra,
            };
            x += slot.width + GAP;
            slot
        })
        .collect()
}

/// Draws the heads.
pub fn heads(
    buf: &mut Buffer,
    area: Rect,
    row: u16,
    columns: &[Column],
    slots: &[Slot],
    look: &Look,
) {
    for slot in slots {
        let column = &columns[slot.index];
        let head = Line::styled(column.head, look.style(Role::Dim));
        cell(buf, area, row, *slot, column.align, &head, look);
    }
}

/// Draws one cell.
pub fn cell(
    buf: &mut Buffer,
    area: Rect,
    row: u16,
    slot: Slot,
    align: Align,
    content: &Line<'_>,
    look: &Look,
) {
    let place = Rect {
        x: area.x.saturating_add(slot.x),
        width: slot.width.min(area.width.saturating_sub(slot.x)),
        ..area
    };
    match align {
        Align::Left => put::line(buf, place, row, content, look),
        Align::Right => put::line_right(buf, place, row, content, look),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::words("verdict", 9, 0),
        Column::words("tool", 15, 1),
        Column::words("reason", 20, 3).growing(),
        Column::numbers("time", 8, 2),
    ];

    #[test]
    fn columns_are_dropped_and_never_squeezed() {
        let kept = |width| -> Vec<usize> { fit(COLUMNS, width).iter().map(|s| s.index).collect() };
        assert_eq!(kept(60), [0, 1, 2, 3]);
        assert_eq!(kept(50), [0, 1, 3]);
        assert_eq!(kept(30), [0, 1]);
        assert_eq!(kept(10), [0]);
        assert_eq!(fit(COLUMNS, 70)[2].width, 20 + 70 - 58);
    }
}
