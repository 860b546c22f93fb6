//! The rows in which two runs are laid beside each other, and which of them are still awaited.

use super::Compared;
use crate::projection::compare::{HopPair, Pair, Relation};

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

impl Compared {
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
}

/// Whether a hop differs only in what this run's voices have not told yet.
fn is_half_told(hop: &HopPair) -> bool {
    let found = hop.differences();
    !found.is_empty()
        && found
            .iter()
            .all(|one| matches!(one.left.as_str(), "" | "none" | "issued"))
}
