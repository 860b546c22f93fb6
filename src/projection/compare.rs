//! Two runs side by side: their tool calls and hops aligned, and what differs.
//!
//! Alignment is the heaviest common subsequence: a hop can only be paired with one of the same
//! kind, between the same parties, for the same resource, and rather with one that asked for the
//! same scope. What differs between any two runs (ports, ids, times of issue) is no difference.

mod align;
mod answers;
mod claims;
mod whole;

use std::borrow::Cow;

use serde::Serialize;

use super::{Hop, HopId, HopKind, Projection, audit::AuditRow, tools::Call};
use crate::{
    protocol::{audit::AuditRecord, observed::CallId},
    trace::{
        Actor, Fact,
        event::{CallOutcome, Leg},
    },
};

/// What a difference in how long something took is called.
const DURATION: &str = "duration";

/// When a duration counts as different.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// One must be this many times the other.
    pub factor: f64,
    /// And longer by this many microseconds: below, it is noise or a cold start.
    pub floor_us: u64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            factor: 10.0,
            floor_us: 100_000,
        }
    }
}

/// What became of two runs, laid beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What differs about the runs as wholes: who, under which policy, how the story ended.
    pub run: Vec<Difference>,
    /// Tool calls in order, and what happened outside any.
    pub calls: Vec<Pair<HopPair>>,
}

/// A hop of one run beside the same hop of the other.
pub type HopPair = Pair<()>;

/// Something that happened in one run or in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair<C> {
    /// The tool, or the hop in a few words.
    pub title: String,
    #[serde(flatten)]
    pub standing: Relation,
    /// How it ended, on either side: `ok`, `denied`, `succeeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<C>,
    /// The hops themselves; a call has none.
    #[serde(skip)]
    pub ids: (Option<HopId>, Option<HopId>),
    /// How long it took on either side, in microseconds.
    #[serde(skip)]
    pub took: (Option<u64>, Option<u64>),
}

impl<C> Pair<C> {
    /// What differs between the two sides, if both are there.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        match &self.standing {
            Relation::Differs(found) => found,
            Relation::Same | Relation::OnlyLeft | Relation::OnlyRight => &[],
        }
    }
}

/// How the two sides stand to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "standing", content = "differences")]
pub enum Relation {
    Same,
    Differs(Vec<Difference>),
    OnlyLeft,
    OnlyRight,
}

/// One thing that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `verdict`, `scope`, `policy`, …
    pub what: Cow<'static, str>,
    pub left: String,
    pub right: String,
}

/// How many pairs stand how; hops and calls together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub same: usize,
    pub differ: usize,
    pub only_left: usize,
    pub only_right: usize,
}

impl Counts {
    fn add(&mut self, standing: &Relation) {
        match standing {
            Relation::Same => self.same += 1,
            Relation::Differs(_) => self.differ += 1,
            Relation::OnlyLeft => self.only_left += 1,
            Relation::OnlyRight => self.only_right += 1,
        }
    }
}

impl Comparison {
    /// Lays two runs beside each other.
    #[must_use]
    pub fn of(left: &Projection, right: &Projection, tolerance: Tolerance) -> Self {
        let sides = (Side::new(left), Side::new(right));
        let mut calls = Vec::new();
        let outside = hops(&sides, (left_over(left), left_over(right)), tolerance);
        if !outside.is_empty() {
            calls.push(Pair {
                title: "outside any call".to_owned(),
                standing: Relation::Same,
                left: None,
                right: None,
                hops: outside,
                ids: (None, None),
                took: (None, None),
            });
        }
        let mine: Vec<&Call> = left.tools().calls().iter().collect();
        let yours: Vec<&Call> = right.tools().calls().iter().collect();
        let same_tool = |a: &&Call, b: &&Call| {
            let same = 2 * u32::from(a.ticket == b.ticket) + u32::from(a.outcome == b.outcome);
            (a.tool == b.tool).then_some(4 + same)
        };
        for (a, b) in align::heaviest(&mine, &yours, same_tool) {
            calls.push(call(&sides, a.copied(), b.copied(), tolerance));
        }
        Self {
            run: whole::compared(left, right),
            calls,
        }
    }

    /// How many hops and calls stand how.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for call in &self.calls {
            if call.left.is_some() || call.right.is_some() {
                counts.add(&call.standing);
            }
            for hop in &call.hops {
                counts.add(&hop.standing);
            }
        }
        counts
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let counts = self.counts();
        self.run.is_empty() && (counts.differ, counts.only_left, counts.only_right) == (0, 0, 0)
    }

    /// Whether nothing differs but how long things took: that differs between any two starts of a
    /// program.
    #[must_use]
    pub fn is_same_but_for_durations(&self) -> bool {
        let timely = |standing: &Relation| match standing {
            Relation::Same => true,
            Relation::Differs(found) => found.iter().all(|found| found.what == DURATION),
            Relation::OnlyLeft | Relation::OnlyRight => false,
        };
        let calls = |call: &Pair<HopPair>| {
            timely(&call.standing) && call.hops.iter().all(|hop| timely(&hop.standing))
        };
        self.run.is_empty() && self.calls.iter().all(calls)
    }
}

/// One run, with the names of its addresses.
struct Side<'a> {
    projection: &'a Projection,
    /// Origins of the lab's parts: they change from run to run and mean the same.
    places: Vec<(&'a str, &'static str)>,
}

impl<'a> Side<'a> {
    fn new(projection: &'a Projection) -> Self {
        let places = projection.lab().map_or_else(Vec::new, |lab| {
            vec![
                (lab.server.as_str(), "the MCP server"),
                (lab.zone.as_str(), "the zone"),
                (lab.supabase.as_str(), "Supabase"),
                (lab.anthropic.as_str(), "Anthropic"),
                (lab.linear.as_str(), "Linear"),
            ]
        });
        Self { projection, places }
    }

    /// `text`, with the lab's own addresses by their names.
    fn place(&self, text: &str) -> String {
        let trimmed = text.trim_end_matches('/');
        self.places
            .iter()
            .find(|(url, _)| url.trim_end_matches('/') == trimmed)
            .map_or_else(|| text.to_owned(), |(_, name)| (*name).to_owned())
    }

    fn record(&self, hop: &Hop) -> Option<(&'a AuditRow, Box<AuditRecord>)> {
        let seq = hop.evidence.audit?;
        // Rows are in order of their evidence.
        let rows = self.projection.audit().rows();
        let row = &rows[rows.binary_search_by_key(&seq, |row| row.evidence).ok()?];
        match self.projection.log().event(seq)?.fact {
            Fact::AuditRecorded(record) => Some((row, record)),
            _ => None,
        }
    }
}

/// Collects what is not the same.
#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn compare(
        &mut self,
        what: impl Into<Cow<'static, str>>,
        left: impl Into<String>,
        right: impl Into<String>,
    ) {
        let (left, right) = (left.into(), right.into());
        if left != right {
            let what = what.into();
            self.0.push(Difference { what, left, right });
        }
    }

    fn standing(self) -> Relation {
        if self.0.is_empty() {
            Relation::Same
        } else {
            Relation::Differs(self.0)
        }
    }

    fn duration(&mut self, left: Option<u64>, right: Option<u64>, tolerance: Tolerance) {
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        #[expect(clippy::cast_precision_loss, reason = "compared by a factor")]
        let beyond = left.max(right) as f64 > left.min(right) as f64 * tolerance.factor;
        if beyond && left.abs_diff(right) > tolerance.floor_us {
            let words = crate::support::text::duration;
            self.compare(DURATION, words(left), words(right));
        }
    }
}

/// The hops that belong to no call that was observed.
fn left_over(projection: &Projection) -> Vec<&Hop> {
    let known = |id: Option<CallId>| id.is_some_and(|id| projection.tools().call(id).is_some());
    projection
        .hops()
        .in_order()
        .filter(|hop| !known(hop.call) && hop.leg != Some(Leg::Console))
        .collect()
}

fn of_call<'a>(side: &Side<'a>, call: Option<&Call>) -> Vec<&'a Hop> {
    let ids = side
        .projection
        .hops()
        .of_call(call.and_then(|call| call.id));
    ids.iter()
        .filter_map(|id| side.projection.hops().get(*id))
        .collect()
}

fn call(
    sides: &(Side<'_>, Side<'_>),
    a: Option<&Call>,
    b: Option<&Call>,
    tolerance: Tolerance,
) -> Pair<HopPair> {
    let standing = match (a, b) {
        (Some(a), Some(b)) => {
            let mut found = Differences::default();
            found.compare("outcome", outcome(a), outcome(b));
            found.compare("issued", a.issued.to_string(), b.issued.to_string());
            found.compare("refused", a.refused.to_string(), b.refused.to_string());
            answers::told(&mut found, sides, a, b);
            found.duration(a.duration_us, b.duration_us, tolerance);
            found.standing()
        }
        (Some(_), None) => Relation::OnlyLeft,
        (None, _) => Relation::OnlyRight,
    };
    Pair {
        title: a
            .or(b)
            .map_or_else(String::new, |call| call.tool.to_string()),
        standing,
        left: a.map(|call| outcome(call).to_owned()),
        right: b.map(|call| outcome(call).to_owned()),
        hops: hops(
            sides,
            (of_call(&sides.0, a), of_call(&sides.1, b)),
            tolerance,
        ),
        ids: (None, None),
        took: (
            a.and_then(|call| call.duration_us),
            b.and_then(|call| call.duration_us),
        ),
    }
}

const fn outcome(call: &Call) -> &'static str {
    match call.outcome {
        None => "under way",
        Some(CallOutcome::Succeeded) => "succeeded",
        Some(CallOutcome::Failed) if call.refused > 0 => "refused",
        Some(CallOutcome::Failed) => "failed",
        Some(CallOutcome::Broken) => "did not come through",
        Some(CallOutcome::Cancelled) => "called off",
    }
}

fn hops(
    sides: &(Side<'_>, Side<'_>),
    (mine, yours): (Vec<&Hop>, Vec<&Hop>),
    tolerance: Tolerance,
) -> Vec<HopPair> {
    let mut pairs = align::heaviest(&mine, &yours, |a, b| alike(a, b));
    // Only the very same hop: one that asked for something else is another one.
    align::rejoin(&mut pairs, |a, b| {
        alike(a, b).filter(|_| a.scope == b.scope)
    });
    pairs
        .into_iter()
        .map(|(a, b)| hop(sides, a.copied(), b.copied(), tolerance))
        .collect()
}

/// How well two hops go together; `None` if they cannot be the same one.
fn alike(a: &Hop, b: &Hop) -> Option<u32> {
    let parties = |hop: &Hop| (hop.kind, hop.from, hop.to);
    let titled = a.kind == HopKind::Exchange || a.title == b.title;
    (parties(a) == parties(b) && titled && same_resource(a, b))
        .then(|| 4 + 2 * u32::from(a.scope == b.scope) + u32::from(a.verdict == b.verdict))
}

/// The zone says `Linear API` where the server says `Linear`; who said nothing does not disagree.
fn same_resource(a: &Hop, b: &Hop) -> bool {
    let (Some(a), Some(b)) = (&a.resource, &b.resource) else {
        return true;
    };
    a.starts_with(&**b) || b.starts_with(&**a)
}

fn hop(
    sides: &(Side<'_>, Side<'_>),
    a: Option<&Hop>,
    b: Option<&Hop>,
    tolerance: Tolerance,
) -> HopPair {
    let title = a.or(b).map_or_else(String::new, title);
    let took = |side: &Side<'_>, hop: &Hop| side.projection.hops().took_us(hop);
    let standing = match (a, b) {
        (Some(a), Some(b)) => {
            let mut found = Differences::default();
            found.compare("verdict", a.verdict.word(), b.verdict.word());
            let status = |hop: &Hop| hop.status.map_or_else(String::new, |s| s.to_string());
            found.compare("status", status(a), status(b));
            let word = |name: &Option<super::Name>| name.as_deref().unwrap_or("").to_owned();
            found.compare("scope", word(&a.scope), word(&b.scope));
            found.compare("policy", word(&a.policy), word(&b.policy));
            found.compare("acted as", word(&a.acted_as), word(&b.acted_as));
            if a.kind == HopKind::Exchange {
                let fate = |hop: &Hop| match (hop.credential, hop.discarded) {
                    (None, _) => "none",
                    (Some(_), Some(_)) => "issued and thrown away",
                    (Some(_), None) => "issued",
                };
                found.compare("credential", fate(a), fate(b));
                claims::exchanged(&mut found, sides, a, b);
            }
            claims::of_the_client(&mut found, sides, a, b);
            found.duration(took(&sides.0, a), took(&sides.1, b), tolerance);
            found.standing()
        }
        (Some(_), None) => Relation::OnlyLeft,
        (None, _) => Relation::OnlyRight,
    };
    Pair {
        title,
        standing,
        left: a.map(|hop| hop.verdict.word().to_owned()),
        right: b.map(|hop| hop.verdict.word().to_owned()),
        hops: Vec::new(),
        ids: (a.map(|hop| hop.id), b.map(|hop| hop.id)),
        took: (
            a.and_then(|hop| took(&sides.0, hop)),
            b.and_then(|hop| took(&sides.1, hop)),
        ),
    }
}

fn title(hop: &Hop) -> String {
    let what = match (hop.kind, &hop.resource) {
        (HopKind::Exchange, Some(resource)) => format!("exchange for {resource}"),
        _ => hop.title.to_string(),
    };
    let party = |actor: Actor| actor.name();
    let scope = hop
        .scope
        .as_deref()
        .map_or_else(String::new, |scope| format!(" ({scope})"));
    format!("{} → {}: {what}{scope}", party(hop.from), party(hop.to))
}
