//! Keeps lists of hops in order of their beginnings, at a cost that does not grow with the list.

use super::{Hop, HopId};
use crate::projection::rows::Rows;

/// How far back a late row may go. Voices of one hop arrive within a moment of each other;
/// an older claim is not worth a walk through a million rows.
pub(super) const REACH: usize = 64;

/// Puts `id` where it belongs near the end.
pub(super) fn insert(order: &mut Rows<HopId>, rows: &Rows<Hop>, id: HopId) {
    let key = |id: HopId| rows.get(id.index()).map_or(0, |hop| hop.started_us);
    let mine = key(id);
    let mut place = order.len();
    let from = place.saturating_sub(REACH);
    order.push(id);
    while place > from && key(order[place - 1]) > mine {
        put(order, place, order[place - 1]);
        place -= 1;
    }
    put(order, place, id);
}

fn put(order: &mut Rows<HopId>, place: usize, id: HopId) {
    if let Some(here) = order.get_mut(place) {
        *here = id;
    }
}

/// Puts `id` where it belongs after its beginning became known better.
pub(super) fn reposition(order: &mut Rows<HopId>, rows: &Rows<Hop>, id: HopId) {
    let last = order.len().saturating_sub(1);
    let from = order.len().saturating_sub(REACH);
    if let Some(place) = order.from(from).position(|other| *other == id) {
        for place in from + place..last {
            put(order, place, order[place + 1]);
        }
        order.truncate(last);
        insert(order, rows, id);
    }
}
