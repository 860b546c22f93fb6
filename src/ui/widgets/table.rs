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
    /// Cells that it takes before that, where they are there; first those that grow.
    pub most: u16,
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
            most: width,
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

    /// Lets it take so many cells where there is room, before what is left over is given away.
    #[must_use]
    pub const fn up_to(self, most: u16) -> Self {
        Self { most, ..self }
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
    let mut spare = width.saturating_sub(need(&kept));
    let grower = kept.iter().copied().rfind(|i| columns[*i].grows);
    let slot = |index: usize| Slot {
        index,
        x: 0,
        width: columns[index].width,
    };
    let mut slots: Vec<Slot> = kept.into_iter().map(slot).collect();
    // A column that grows is one whose words are cut first.
    for grows in [true, false] {
        for slot in slots.iter_mut().rev() {
            let column = columns[slot.index];
            if column.grows == grows {
                let more = column.most.saturating_sub(column.width).min(spare);
                slot.width += more;
                spare -= more;
            }
        }
    }
    let mut x = 0;
    for slot in &mut slots {
        if Some(slot.index) == grower {
            slot.width += spare;
        }
        slot.x = x;
        x += slot.width + GAP;
    }
    slots
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

    #[test]
    fn a_column_that_is_often_cut_comes_before_the_one_that_takes_the_rest() {
        let columns = [COLUMNS[0], COLUMNS[1].up_to(19), COLUMNS[2]];
        let widths = |width| -> Vec<u16> { fit(&columns, width).iter().map(|s| s.width).collect() };
        assert_eq!(widths(48), [9, 15, 20]);
        assert_eq!(widths(50), [9, 17, 20]);
        assert_eq!(widths(60), [9, 19, 28]);
        assert_eq!(fit(&columns, 60)[2].x, 9 + 2 + 19 + 2);
    }
}
