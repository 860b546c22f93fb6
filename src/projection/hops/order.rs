//! Keeps lists of hops in order of their beginnings, at a cost that does not grow with the list.

use super::{Hop, HopId};

/// How far back a late row may go. Voices of one hop arrive within a moment of each other;
/// an older claim is not worth a walk through a million rows.
const REACH: usize = 64;

/// Puts `id` where it belongs near the end.
pub(super) fn insert(order: &mut Vec<HopId>, rows: &[Hop], id: HopId) {
    let key = |id: HopId| rows.get(id.index()).map_or(0, |hop| hop.started_us);
    let mine = key(id);
    let from = order.len().saturating_sub(REACH);
    let place = order[from..]
        .iter()
        .rposition(|other| key(*other) <= mine)
        .map_or(from, |before| from + before + 1);
    order.insert(place, id);
}

/// Puts `id` where it belongs after its beginning became known better.
pub(super) fn reposition(order: &mut Vec<HopId>, rows: &[Hop], id: HopId) {
    let from = order.len().saturating_sub(REACH);
    if let Some(place) = order[from..].iter().rposition(|other| *other == id) {
        order.remove(from + place);
        insert(order, rows, id);
    }
}
