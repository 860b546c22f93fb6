//! Aligned columns that give way where the line is too short.

use std::io;

use super::style::{Style, Tone};
use crate::support::text::{truncate, width};

const GAP: usize = 2;

/// A column's heading and its manner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub title: &'static str,
    pub align: Align,
    pub fit: Fit,
    /// When even the narrowest columns are too many, those with a number go, lowest first: a
    /// column that is not there says less nonsense than one of three letters.
    pub drop: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// What a column does when the line is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// A verdict, a number: half of it would be wrong.
    Whole,
    /// A name: its beginning tells enough, down to so many cells.
    GivesWay(usize),
}

/// One cell: harmless text and its tone.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    pub text: String,
    pub tone: Tone,
}

impl Cell {
    pub(super) const fn new(text: String, tone: Tone) -> Self {
        Self { text, tone }
    }
}

/// Writes a heading and the rows.
pub(super) fn write(
    out: &mut impl io::Write,
    style: Style,
    columns: &[Column],
    rows: &[Vec<Cell>],
) -> io::Result<()> {
    let widths = widths(style, columns, rows);
    let head: Vec<Cell> = columns
        .iter()
        .map(|column| Cell::new(column.title.to_owned(), Tone::Strong))
        .collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        // Blanks before the next cell; none are written behind the last.
        let mut owed = 0;
        for ((cell, column), width_here) in row.iter().zip(columns).zip(&widths) {
            let Some(width_here) = *width_here else {
                continue;
            };
            let text = style.clean(&truncate(&cell.text, width_here));
            let fill = width_here.saturating_sub(width(&text));
            let (before, after) = match column.align {
                Align::Left => (0, fill),
                Align::Right => (fill, 0),
            };
            if text.is_empty() {
                owed += width_here + GAP;
                continue;
            }
            line.push_str(&" ".repeat(owed + before));
            line.push_str(&style.paint(cell.tone, &text));
            owed = after + GAP;
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Each column's width; `None` for one that has to go.
fn widths(style: Style, columns: &[Column], rows: &[Vec<Cell>]) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            rows.iter()
                .filter_map(|row| row.get(place))
                .map(|cell| width(&cell.text))
                .chain([width(column.title)])
                .max()
        })
        .collect();
    let Some(limit) = style.width else {
        return widths;
    };
    while total(columns, &widths, Column::narrowest) > limit {
        let next = (0..columns.len())
            .filter(|place| widths[*place].is_some())
            .filter_map(|place| Some((columns[place].drop?, place)))
            .min();
        match next {
            Some((_, place)) => widths[place] = None,
            None => break,
        }
    }
    while total(columns, &widths, |_, natural| natural) > limit {
        let widest = (0..columns.len())
            .filter_map(|place| Some((widths[place]?, place)))
            .filter(|(wide, place)| *wide > columns[*place].narrowest(*wide))
            .max();
        match widest {
            Some((wide, place)) => widths[place] = Some(wide - 1),
            None => break,
        }
    }
    widths
}

fn total(
    columns: &[Column],
    widths: &[Option<usize>],
    of: impl Fn(&Column, usize) -> usize,
) -> usize {
    let shown = columns.iter().zip(widths);
    let cells = shown.filter_map(|(column, wide)| Some(of(column, (*wide)?) + GAP));
    cells.sum::<usize>().saturating_sub(GAP)
}

impl Column {
    fn narrowest(&self, natural: usize) -> usize {
        match self.fit {
            Fit::Whole => natural,
            Fit::GivesWay(least) => natural.min(least),
        }
    }
}
