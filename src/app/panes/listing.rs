//! A list that grows at its end, with a place in it and a filter over it.
//!
//! The place is a row, not a number: rows that come or go elsewhere do not move it. A filter over a
//! long list answers bit by bit, so that nobody waits for it with a key in the hand.

use crate::projection::{Query, Rows};

/// Rows by their ids, filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<R> {
    rows: Rows<R>,
    /// How many of the things that may be rows were looked at.
    seen: usize,
    /// `None` follows the end.
    selected: Option<usize>,
    filter: String,
    query: Query,
}

impl<R> Default for Listing<R> {
    fn default() -> Self {
        Self {
            rows: Rows::new(),
            seen: 0,
            selected: None,
            filter: String::new(),
            query: Query::default(),
        }
    }
}

impl<R: Copy + PartialEq> Listing<R> {
    /// The rows that the filter lets through.
    #[must_use]
    pub const fn rows(&self) -> &Rows<R> {
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

    /// Looks for something else. The rows must be given anew, or be looked for by [`Self::look_on`].
    pub fn look_for(&mut self, filter: &str) {
        filter.clone_into(&mut self.filter);
        self.query = Query::parse(filter);
        self.seen = 0;
    }

    /// How many of the things that may be rows were looked at so far.
    #[must_use]
    pub const fn seen(&self) -> usize {
        self.seen
    }

    /// Looks at the next `most` of `all` things, in order: each is a row or is not. The rows of
    /// what was looked for before go as soon as the first of the new ones are there.
    pub fn look_on(
        &mut self,
        all: usize,
        most: usize,
        mut row: impl FnMut(usize, &Query) -> Option<R>,
    ) {
        let from = self.seen;
        let to = all.min(from.saturating_add(most));
        let query = &self.query;
        let found = (from..to).filter_map(|at| row(at, query));
        if from > 0 || self.rows.is_empty() {
            self.rows.extend(found);
        } else {
            let found: Vec<R> = found.collect();
            self.replace_from(0, found);
        }
        self.seen = to;
    }

    /// Forgets what was found behind the first `all` things, to which the first rows belong as
    /// long as `is` says so.
    pub fn cut(&mut self, all: usize, is: impl FnMut(&R) -> bool) {
        if self.seen > all {
            self.seen = all;
            let kept = self.rows.partition_point(is);
            self.rows.truncate(kept);
        }
    }

    /// Takes other rows, and stays at the selected one.
    pub fn replace(&mut self, rows: Rows<R>) {
        let kept = self.kept();
        self.rows = rows;
        self.stay(kept);
    }

    /// Adds a row at the end.
    pub fn push(&mut self, row: R) {
        self.rows.push(row);
    }

    /// Puts `rows` in place of all rows from `start` on, and stays at the selected row.
    pub fn replace_from(&mut self, start: usize, rows: impl IntoIterator<Item = R>) {
        let kept = self.kept();
        self.rows.truncate(start);
        self.rows.extend(rows);
        self.stay(kept);
    }

    /// The place and the row that are selected, unless the end is followed.
    fn kept(&self) -> Option<(usize, R)> {
        let at = self.selected.map(|_| self.selected())?;
        Some((at, self.rows.get(at).copied()?))
    }

    fn stay(&mut self, kept: Option<(usize, R)>) {
        if let Some((at, row)) = kept
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
            .from(from)
            .take(to.saturating_sub(from))
            .position(|other| *other == row)
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
    fn a_filter_answers_bit_by_bit_and_can_be_cut_short() {
        let mut list = Listing::default();
        list.replace_from(0, 100..200);
        list.look_for("even");
        let even = |at: usize, _: &Query| at.is_multiple_of(2).then_some(at);
        list.look_on(1_000, 4, even);
        assert!(
            list.rows().iter().copied().eq([0, 2]),
            "the old rows are gone"
        );
        list.look_on(1_000, 5, even);
        assert_eq!((list.rows().len(), list.seen()), (5, 9));
        list.look_on(1_000, usize::MAX, even);
        assert_eq!((list.rows().len(), list.seen()), (500, 1_000));
        list.cut(7, |row| *row < 7);
        assert_eq!((list.rows().len(), list.seen()), (4, 7));
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
