//! The rows of the Flow pane: hops by when they began, a heading over each tool call.

use super::listing::Listing;
use crate::{
    projection::{Asks, Hop, HopId, HopKind, Hops, Projection, Rows, Verdict},
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
    /// What a server did for a call, without a word of which.
    SomeCall,
}

/// How many hops at the end may still change places (the projection's own reach, and some).
const UNSETTLED: usize = 96;

/// Which hop of the order begins where among the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowIndex {
    /// For each place in `Hops::order`.
    starts: Rows<Start>,
    total: Passed,
    plumbing: Plumbing,
}

/// How far the rows are when the turn comes to a hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    /// The number of rows before it.
    row: u32,
    passed: Passed,
}

/// Hops before a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Passed {
    /// Those that the filter let through.
    shown: u32,
    /// Those that the pane could show.
    all: u32,
}

/// All rows of the whole trace, so that a jump need not make them anew.
#[derive(Debug, Clone)]
pub struct Whole {
    index: FlowIndex,
    rows: Rows<FlowRow>,
}

impl Whole {
    /// True for the rows of all hops of `end`, folded as `index` folds them.
    pub(in crate::app) fn fits(&self, index: &FlowIndex, end: &Projection) -> bool {
        self.index.plumbing == index.plumbing && self.index.starts.len() == end.hops().len()
    }
}

/// Whether the browser's steps of a sign-in are rows of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plumbing {
    #[default]
    Folded,
    Shown,
}

impl FlowIndex {
    /// Brings the rows up to date; the cost does not grow with the run. Rows that are far behind
    /// wait for [`Self::look_on`].
    pub fn sync(&mut self, projection: &Projection, list: &mut Listing<FlowRow>) {
        if self.behind(projection) <= UNSETTLED {
            self.look_on(projection, list, UNSETTLED);
        }
    }

    /// Makes the rows of the next `most` hops.
    pub fn look_on(&mut self, projection: &Projection, list: &mut Listing<FlowRow>, most: usize) {
        let from = self.starts.len().saturating_sub(UNSETTLED);
        let to = self.starts.len().saturating_add(most);
        self.sync_from(from, to, projection, list);
    }

    /// How many hops have no rows yet.
    #[must_use]
    pub fn behind(&self, projection: &Projection) -> usize {
        projection.hops().len().saturating_sub(self.starts.len())
    }

    /// Begins anew, for another filter: the first `most` hops at once.
    pub fn rebuild(&mut self, projection: &Projection, list: &mut Listing<FlowRow>, most: usize) {
        self.sync_from(0, most, projection, list);
    }

    /// The rows of a whole trace.
    #[must_use]
    pub fn whole(&self, end: &Projection) -> Whole {
        let mut list = Listing::default();
        let mut index = Self {
            plumbing: self.plumbing,
            ..Self::default()
        };
        index.sync_from(0, usize::MAX, end, &mut list);
        Whole {
            index,
            rows: list.rows().clone(),
        }
    }

    /// Goes to another place of a trace, where `before` are the hops that the rows were made of:
    /// what is the same in both stays. Unless something is filtered, `whole` has the rest as it is
    /// with the hops at the `end`.
    pub fn travel(
        &mut self,
        projection: &Projection,
        list: &mut Listing<FlowRow>,
        before: &Hops,
        (whole, end): (&Whole, &Hops),
    ) {
        let hops = projection.hops();
        let mine = hops.same_until(before).min(self.starts.len());
        if !list.query().is_empty() {
            // A filter goes on bit by bit.
            let from = mine.saturating_sub(UNSETTLED);
            return self.sync_from(from, mine, projection, list);
        }
        let theirs = hops.same_until(end).min(whole.index.starts.len());
        let from = if theirs > mine {
            let row = whole.index.row(theirs, &whole.rows);
            self.starts = whole.index.starts.prefix(theirs);
            list.replace(whole.rows.prefix(row));
            theirs
        } else {
            mine
        };
        self.sync_from(from.saturating_sub(UNSETTLED), usize::MAX, projection, list);
    }

    /// The number of rows before a hop's.
    fn row(&self, place: usize, rows: &Rows<FlowRow>) -> usize {
        self.starts
            .get(place)
            .map_or(rows.len(), |start| start.row as usize)
    }

    /// Folds the browser's steps into one row, or shows them.
    pub fn turn(&mut self, projection: &Projection, list: &mut Listing<FlowRow>) {
        self.plumbing = match self.plumbing {
            Plumbing::Folded => Plumbing::Shown,
            Plumbing::Shown => Plumbing::Folded,
        };
        self.rebuild(projection, list, usize::MAX);
    }

    /// How many hops the filter lets through, and of how many.
    #[must_use]
    pub const fn counts(&self) -> (usize, usize) {
        (self.total.shown as usize, self.total.all as usize)
    }

    /// The hops that the folded row at `place` stands for.
    pub fn folded<'a>(
        &self,
        projection: &'a Projection,
        place: usize,
    ) -> impl Iterator<Item = &'a Hop> {
        let hops = projection.hops();
        // The last hop that begins no later than the row is the one that made it.
        let first = self
            .starts
            .partition_point(|start| start.row as usize <= place);
        hops.order()
            .from(first.saturating_sub(1))
            .filter_map(|id| hops.get(*id))
            .filter(|hop| shown(hop))
            .take_while(|hop| plumbing(hop))
    }

    /// Makes the rows of the hops from place `from` to place `to` anew.
    fn sync_from(
        &mut self,
        from: usize,
        to: usize,
        projection: &Projection,
        list: &mut Listing<FlowRow>,
    ) {
        let hops = projection.hops();
        let order = hops.order();
        let from = from.min(order.len()).min(self.starts.len());
        let start = self.row(from, list.rows());
        let mut count = match self.starts.get(from) {
            Some(start) => start.passed,
            None if from == 0 => Passed::default(),
            None => self.total,
        };
        let start = if from == 0 { 0 } else { start };
        self.starts.truncate(from);
        let mut section = section_before(start, hops, list.rows());
        let mut rows = Vec::new();
        for id in order.from(from).take(to.saturating_sub(from)) {
            self.starts.push(Start {
                row: u32::try_from(start + rows.len()).unwrap_or(u32::MAX),
                passed: count,
            });
            let Some(hop) = hops.get(*id).filter(|hop| shown(hop)) else {
                continue;
            };
            let tool = hop
                .call
                .and_then(|call| projection.tools().call(call))
                .map(|call| &*call.tool);
            count.all += 1;
            if !list.query().is_empty() && !hop.matches(list.query(), tool) {
                continue;
            }
            count.shown += 1;
            if switches_policy(hop) {
                rows.push(FlowRow::Policy(*id));
                section = section.and_then(across_a_switch);
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

/// The group that the rows before a place end in.
fn section_before(row: usize, hops: &Hops, rows: &Rows<FlowRow>) -> Option<Section> {
    let mut switched = false;
    for before in (0..row).rev() {
        match rows.get(before)? {
            FlowRow::Policy(_) => switched = true,
            other => {
                let own = section(hops.get(other.hop())?);
                return if switched {
                    across_a_switch(own)
                } else {
                    Some(own)
                };
            }
        }
    }
    None
}

/// What goes on after another policy was put in force: a call that was held meanwhile. What belongs to
/// no known call may be another one.
const fn across_a_switch(before: Section) -> Option<Section> {
    match before {
        Section::Call(call) => Some(Section::Call(call)),
        Section::SignIn | Section::Session | Section::SomeCall => None,
    }
}

/// Whether the pane shows a hop: reads of the zone's console are not part of the story, but
/// another policy in force is.
fn shown(hop: &Hop) -> bool {
    !matches!(hop.leg, Some(Leg::Console)) || switches_policy(hop)
}

/// True for the request that put a policy set in force.
fn switches_policy(hop: &Hop) -> bool {
    hop.verdict == Verdict::Ok && hop.asks == Asks::SwitchPolicySet
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
        (None, HopKind::Exchange | HopKind::Upstream, _) if hop.from == Actor::Server => {
            Section::SomeCall
        }
        (None, _, _) => Section::SignIn,
    }
}
