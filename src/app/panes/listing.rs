//! A list that grows at its end, with a place in it and a filter over it.
//!
//! The place is a row, not a number: rows that come or go elsewhere do not move it.

use crate::projection::Query;

/// Rows by their ids, filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<R> {
    rows: Vec<R>,
    /// `None` follows the end.
    selected: Option<usize>,
    filter: String,
    query: Query,
}

impl<R> Default for Listing<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            selected: None,
            filter: String::new(),
            query: Query::default(),
        }
    }
}

impl<R: Copy + PartialEq> Listing<R> {
    /// The rows that the filter lets through.
    #[must_use]
    pub fn rows(&self) -> &[R] {
        &self.rows
    }

    /// The place of the selected row; the last one while the end is followed.
    #[must_use]
    pub fn selected(&self) -> usize {
        let last = self.rows.len().saturating_sub(1);
        self.selected.map_or(last, |at| at.min(last))
    }

    /// The selected row.
    #[must_use]
    pub fn current(&self) -> Option<R> {
        self.rows.get(self.selected()).copied()
    }

    /// True while new rows pull the view along.
    #[must_use]
    pub const fn follows(&self) -> bool {
        self.selected.is_none()
    }

    /// Selects a row by its place.
    pub fn select(&mut self, place: usize) {
        self.selected = Some(place.min(self.rows.len().saturating_sub(1)));
    }

    /// Moves by rows; past the end it stays at the last row.
    pub fn move_by(&mut self, by: isize) {
        self.select(self.selected().saturating_add_signed(by));
    }

    /// Goes to the end and follows it.
    pub const fn follow(&mut self) {
        self.selected = None;
    }

    /// What is looked for; empty when everything is shown.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The filter, read.
    #[must_use]
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// Looks for something else. The rows must be given anew.
    pub fn look_for(&mut self, filter: &str) {
        filter.clone_into(&mut self.filter);
        self.query = Query::parse(filter);
    }

    /// Adds a row at the end.
    pub fn push(&mut self, row: R) {
        self.rows.push(row);
    }

    /// Puts `rows` in place of all rows from `start` on, and stays at the selected row.
    pub fn replace_from(&mut self, start: usize, rows: impl IntoIterator<Item = R>) {
        let kept = self.selected.map(|_| self.selected());
        let row = kept.and_then(|at| self.rows.get(at).copied());
        self.rows.truncate(start);
        self.rows.extend(rows);
        if let (Some(at), Some(row)) = (kept, row)
            && self.rows.get(at) != Some(&row)
        {
            self.selected = Some(self.find_near(at, row));
        }
    }

    /// Rows move a few places at most, so that a look around finds them whatever the list's length.
    fn find_near(&self, at: usize, row: R) -> usize {
        const AROUND: usize = 512;
        let last = self.rows.len().saturating_sub(1);
        let from = at.saturating_sub(AROUND).min(last);
        let to = at.saturating_add(AROUND).min(self.rows.len());
        self.rows
            .get(from..to)
            .and_then(|near| near.iter().position(|other| *other == row))
            .map_or(at.min(last), |found| from + found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_arrives_above_does_not_move_the_selection() {
        let mut list = Listing::default();
        list.replace_from(0, [1, 2, 3]);
        assert_eq!(list.current(), Some(3));
        list.move_by(-1);
        assert_eq!(list.current(), Some(2));
        list.replace_from(1, [9, 2, 3]);
        assert_eq!(list.current(), Some(2));
        list.follow();
        list.push(4);
        assert_eq!(list.current(), Some(4));
    }

    #[test]
    fn moving_stops_at_the_ends() {
        let mut list = Listing::default();
        list.move_by(5);
        assert_eq!(list.current(), None::<u8>);
        list.replace_from(0, [1, 2]);
        list.move_by(-9);
        assert_eq!(list.current(), Some(1));
        list.move_by(9);
        assert_eq!(list.current(), Some(2));
    }
}
