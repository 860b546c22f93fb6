//! The rows in which two runs are laid beside each other, and which of them are still awaited.

use super::Compared;
use crate::projection::compare::{Counts, HopPair, Pair, Relation};

/// A row of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The heading over what differs about the runs as wholes.
    Runs,
    /// One such thing, by its place.
    Run(usize),
    Call(usize),
    /// A hop of a call.
    Hop(usize, usize),
    /// Hops of a call that are the same in both: the first one, and how many.
    Same(usize, usize, usize),
    /// A difference of a call, or of one of its hops.
    Detail(usize, Option<usize>, usize),
}

/// Whether this run has come so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Reached,
    /// Only in the other so far; this one may still come to it.
    Awaited,
}

/// So many hops in a row that are the same become one row.
const FOLDED: usize = 4;

impl Compared {
    /// [`lines`](Self::lines) with what is the same folded, but for what was unfolded.
    pub(super) fn folded(&self, lines: &[(Row, Reach)]) -> Vec<(Row, Reach)> {
        let same = |line: &(Row, Reach)| match line {
            (Row::Hop(call, hop), Reach::Reached) => {
                let pair = self.comparison.calls.get(*call)?.hops.get(*hop)?;
                (pair.standing == Relation::Same).then_some((*call, *hop))
            }
            _ => None,
        };
        let mut rows = Vec::with_capacity(lines.len());
        let mut rest = lines;
        while let Some(line) = rest.first() {
            let Some((call, first)) = same(line) else {
                rows.push(*line);
                rest = &rest[1..];
                continue;
            };
            let of_the_call = |line: &&(Row, Reach)| same(line).is_some_and(|(c, _)| c == call);
            let count = rest.iter().take_while(of_the_call).count();
            if count < FOLDED || self.unfolded.contains(&(call, first)) {
                rows.extend(&rest[..count]);
            } else {
                rows.push((Row::Same(call, first, count), Reach::Reached));
            }
            rest = &rest[count..];
        }
        rows
    }

    /// Every row; with `grows`, what this run may still come to is awaited.
    pub(super) fn lines(&self, grows: bool) -> Vec<(Row, Reach)> {
        let reach = |awaited: bool| {
            if grows && awaited {
                Reach::Awaited
            } else {
                Reach::Reached
            }
        };
        let mut rows = Vec::new();
        let run = &self.comparison.run;
        if !run.is_empty() {
            rows.push((Row::Runs, Reach::Reached));
        }
        for (place, found) in run.iter().enumerate() {
            let awaited = matches!(found.left.as_str(), "" | "none" | "nobody" | "not yet");
            rows.push((Row::Run(place), reach(awaited)));
        }
        let calls = &self.comparison.calls;
        let here = |pair: &Pair<HopPair>| pair.left.is_some() || pair.right.is_none();
        let last_call = calls.iter().rposition(here);
        for (place, call) in calls.iter().enumerate() {
            let ahead = last_call.is_none_or(|last| place > last);
            let under_way = call.left.as_deref() == Some("under way");
            let open = ahead || under_way || call.right.is_none() && call.left.is_none();
            rows.push((Row::Call(place), reach(ahead || under_way)));
            if !(ahead || under_way) || !grows {
                let details = 0..call.differences().len();
                rows.extend(details.map(|d| (Row::Detail(place, None, d), Reach::Reached)));
            }
            let last_hop = call.hops.iter().rposition(|hop| hop.left.is_some());
            for (number, hop) in call.hops.iter().enumerate() {
                let beyond = open && last_hop.is_none_or(|last| number > last);
                // The newest hop of a call under way may be told by one voice of two.
                let newest =
                    under_way && last_hop == Some(number) && hop.standing == Relation::OnlyLeft;
                let pending =
                    hop.left.as_deref() == Some("pending") || newest || open && is_half_told(hop);
                let reach = reach(beyond || pending);
                rows.push((Row::Hop(place, number), reach));
                if reach == Reach::Reached {
                    let details = 0..hop.differences().len();
                    rows.extend(details.map(|d| (Row::Detail(place, Some(number), d), reach)));
                }
            }
        }
        rows
    }

    /// Shows one by one the hops that a row stands for; gives how many there are.
    pub(super) fn unfold(&mut self, place: usize) -> Option<usize> {
        let (Row::Same(call, first, count), reach) = *self.rows.get(place)? else {
            return None;
        };
        self.unfolded.push((call, first));
        let hops = (first..first + count).map(|hop| (Row::Hop(call, hop), reach));
        self.rows.splice(place..=place, hops);
        Some(count)
    }

    /// Whether the selected row stands for several hops.
    #[must_use]
    pub fn is_at_a_fold(&self) -> bool {
        matches!(self.rows.get(self.selected()), Some((Row::Same(..), _)))
    }

    /// How many hops and calls, and things of the runs as wholes, stand how; and how many are awaited.
    #[must_use]
    pub fn counts(&self) -> (Counts, usize) {
        let (mut counts, mut awaited) = (Counts::default(), 0);
        for (row, reach) in &self.rows {
            let standing = match row {
                Row::Call(call) => match self.call(*call) {
                    Some(pair) if pair.left.is_some() || pair.right.is_some() => &pair.standing,
                    Some(_) | None => continue,
                },
                Row::Hop(..) => match self.pair(*row) {
                    Some(pair) => &pair.standing,
                    None => continue,
                },
                Row::Same(_, _, count) => {
                    counts.same += count;
                    continue;
                }
                // What a run comes to as a whole is known at its end.
                Row::Run(_) if self.whole.is_some() => {
                    counts.differ += 1;
                    continue;
                }
                Row::Runs | Row::Run(_) | Row::Detail(..) => continue,
            };
            match (reach, standing) {
                (Reach::Awaited, _) => awaited += 1,
                (Reach::Reached, Relation::Same) => counts.same += 1,
                (Reach::Reached, Relation::Differs(_)) => counts.differ += 1,
                (Reach::Reached, Relation::OnlyLeft) => counts.only_left += 1,
                (Reach::Reached, Relation::OnlyRight) => counts.only_right += 1,
            }
        }
        (counts, awaited)
    }
}

/// Whether a hop differs only in what this run's voices have not told yet.
fn is_half_told(hop: &HopPair) -> bool {
    let found = hop.differences();
    !found.is_empty()
        && found
            .iter()
            .all(|one| matches!(one.left.as_str(), "" | "none" | "issued"))
}
