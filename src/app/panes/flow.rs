//! The rows of the Flow pane: hops by when they began, a heading over each tool call.

use super::listing::Listing;
use crate::{
    projection::{Hop, HopId, HopKind, Projection, Verdict},
    trace::{Actor, event::Leg},
};

/// A row of the Flow pane; it is its own name for selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowRow {
    /// The heading over the group that this hop begins.
    Heading(HopId),
    Hop(HopId),
    /// Under a refused exchange: the call that was not made, because there was no credential.
    NoCall(HopId),
    /// The browser's way through sign-in and consent, folded; named after its first step.
    Folded(HopId),
    /// Another policy set was put in force by this request.
    Policy(HopId),
}

impl FlowRow {
    /// The hop that it is about.
    #[must_use]
    pub const fn hop(self) -> HopId {
        match self {
            Self::Heading(id)
            | Self::Hop(id)
            | Self::NoCall(id)
            | Self::Folded(id)
            | Self::Policy(id) => id,
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
    /// For each place, the number of hops before it that the filter let through, and of all that
    /// the pane could show.
    counts: Vec<(usize, usize)>,
    total: (usize, usize),
    plumbing: Plumbing,
}

/// Whether the browser's steps of a sign-in are rows of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plumbing {
    #[default]
    Folded,
    Shown,
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

    /// Folds the browser's steps into one row, or shows them.
    pub fn turn(&mut self, projection: &Projection, list: &mut Listing<FlowRow>) {
        self.plumbing = match self.plumbing {
            Plumbing::Folded => Plumbing::Shown,
            Plumbing::Shown => Plumbing::Folded,
        };
        self.rebuild(projection, list);
    }

    /// How many hops the filter lets through, and of how many.
    #[must_use]
    pub const fn counts(&self) -> (usize, usize) {
        self.total
    }

    /// The hops that the folded row at `place` stands for.
    pub fn folded<'a>(
        &self,
        projection: &'a Projection,
        place: usize,
    ) -> impl Iterator<Item = &'a Hop> {
        let hops = projection.hops();
        // The last hop that begins no later than the row is the one that made it.
        let first = self.starts.partition_point(|start| *start <= place);
        hops.order()[first.saturating_sub(1).min(hops.order().len())..]
            .iter()
            .filter_map(|id| hops.get(*id))
            .filter(|hop| shown(hop))
            .take_while(|hop| plumbing(hop))
    }

    fn sync_from(&mut self, from: usize, projection: &Projection, list: &mut Listing<FlowRow>) {
        let hops = projection.hops();
        let order = hops.order();
        let from = from.min(order.len());
        let start = self.starts.get(from).copied().unwrap_or(list.rows().len());
        self.starts.truncate(from);
        let mut count = self.counts.get(from).copied().unwrap_or(self.total);
        self.counts.truncate(from);
        let mut section = start
            .checked_sub(1)
            .and_then(|before| list.rows().get(before))
            .filter(|row| !matches!(row, FlowRow::Policy(_)))
            .and_then(|row| hops.get(row.hop()))
            .map(section);
        let mut rows = Vec::new();
        for id in &order[from..] {
            self.starts.push(start + rows.len());
            self.counts.push(count);
            let Some(hop) = hops.get(*id).filter(|hop| shown(hop)) else {
                continue;
            };
            let tool = hop
                .call
                .and_then(|call| projection.tools().call(call))
                .map(|call| &*call.tool);
            count.1 += 1;
            if !list.query().is_empty() && !hop.matches(list.query(), tool) {
                continue;
            }
            count.0 += 1;
            if switches_policy(hop) {
                rows.push(FlowRow::Policy(*id));
                section = None;
                continue;
            }
            let own = self::section(hop);
            if section != Some(own) {
                rows.push(FlowRow::Heading(*id));
                section = Some(own);
            }
            if plumbing(hop) && self.plumbing == Plumbing::Folded && list.query().is_empty() {
                let before = rows
                    .last()
                    .or_else(|| start.checked_sub(1).and_then(|at| list.rows().get(at)));
                if !matches!(before, Some(FlowRow::Folded(_))) {
                    rows.push(FlowRow::Folded(*id));
                }
                continue;
            }
            rows.push(FlowRow::Hop(*id));
            if hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied {
                rows.push(FlowRow::NoCall(*id));
            }
        }
        self.total = count;
        list.replace_from(start, rows);
    }
}

/// Whether the pane shows a hop: reads of the zone's console are not part of the story, but
/// another policy in force is.
fn shown(hop: &Hop) -> bool {
    !matches!(hop.leg, Some(Leg::Console)) || switches_policy(hop)
}

/// True for the request that put a policy set in force.
fn switches_policy(hop: &Hop) -> bool {
    hop.verdict == Verdict::Ok && policy_set(hop).is_some()
}

/// The id of the policy set that a request to the console puts in force.
#[must_use]
pub fn policy_set(hop: &Hop) -> Option<&str> {
    if hop.leg != Some(Leg::Console) || !hop.title.starts_with("PATCH ") {
        return None;
    }
    let (_, rest) = hop.title.split_once("/policy-sets/")?;
    rest.split('/').next()
}

/// True for the pages and redirects between browser, zone and provider: how a person signs in,
/// not what the client learns from it.
fn plumbing(hop: &Hop) -> bool {
    hop.call.is_none()
        && (hop.kind == HopKind::Browser
            || hop.from == Actor::Zone
            || matches!(hop.leg, Some(Leg::Authorization | Leg::Callback)))
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
