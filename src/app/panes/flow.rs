//! The rows of the Flow pane: hops by when they began, a heading over each tool call.

use super::listing::Listing;
use crate::{
    projection::{Hop, HopId, HopKind, Projection, Verdict},
    trace::event::Leg,
};

/// A row of the Flow pane; it is its own name for selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowRow {
    /// The heading over the group that this hop begins.
    Heading(HopId),
    Hop(HopId),
    /// Under a refused exchange: the call that was not made, because there was no credential.
    NoCall(HopId),
}

impl FlowRow {
    /// The hop that it is about.
    #[must_use]
    pub const fn hop(self) -> HopId {
        match self {
            Self::Heading(id) | Self::Hop(id) | Self::NoCall(id) => id,
        }
    }
}

/// What hops are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    SignIn,
    /// The client and the server get to know each other.
    Session,
    Call(crate::protocol::observed::CallId),
}

/// How many hops at the end may still change places (the projection's own reach, and some).
const UNSETTLED: usize = 96;

/// Which hop of the order begins where among the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowIndex {
    /// For each place in `Hops::order`, the number of rows before it.
    starts: Vec<usize>,
}

impl FlowIndex {
    /// Brings the rows up to date; the cost does not grow with the run.
    pub fn sync(&mut self, projection: &Projection, list: &mut Listing<FlowRow>) {
        let from = self.starts.len().saturating_sub(UNSETTLED);
        self.sync_from(from, projection, list);
    }

    /// Makes all rows anew, for another filter.
    pub fn rebuild(&mut self, projection: &Projection, list: &mut Listing<FlowRow>) {
        self.sync_from(0, projection, list);
    }

    fn sync_from(&mut self, from: usize, projection: &Projection, list: &mut Listing<FlowRow>) {
        let hops = projection.hops();
        let order = hops.order();
        let from = from.min(order.len());
        let start = self.starts.get(from).copied().unwrap_or(list.rows().len());
        self.starts.truncate(from);
        let mut section = start
            .checked_sub(1)
            .and_then(|before| list.rows().get(before))
            .and_then(|row| hops.get(row.hop()))
            .map(section);
        let mut rows = Vec::new();
        for id in &order[from..] {
            self.starts.push(start + rows.len());
            let Some(hop) = hops.get(*id).filter(|hop| shown(hop)) else {
                continue;
            };
            let tool = hop
                .call
                .and_then(|call| projection.tools().call(call))
                .map(|call| &*call.tool);
            if !list.query().is_empty() && !hop.matches(list.query(), tool) {
                continue;
            }
            let own = self::section(hop);
            if section != Some(own) {
                rows.push(FlowRow::Heading(*id));
                section = Some(own);
            }
            rows.push(FlowRow::Hop(*id));
            if hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied {
                rows.push(FlowRow::NoCall(*id));
            }
        }
        list.replace_from(start, rows);
    }
}

/// Whether the pane shows a hop: reads of the zone's console are not part of the story.
const fn shown(hop: &Hop) -> bool {
    !matches!(hop.leg, Some(Leg::Console))
}

/// The group of a hop.
#[must_use]
pub fn section(hop: &Hop) -> Section {
    match (hop.call, hop.kind, hop.leg) {
        (Some(call), _, _) => Section::Call(call),
        // The refusal that starts the sign-in belongs to it.
        (None, HopKind::Request, Some(Leg::Mcp)) if hop.status != Some(401) => Section::Session,
        (None, _, _) => Section::SignIn,
    }
}
