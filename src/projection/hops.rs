//! One row per hop, put together from up to three voices: the client that made it, the zone's
//! audit log or the stand-in that answered it, and the server that told of it.
//!
//! Voices are joined by call and span only. What nobody observed stays absent; no row is made up.

use std::collections::HashMap;

use super::{credentials::Credential, log::Seq, names::Name};
use crate::{
    protocol::{
        observed::{CallId, Upstream},
        secret::Fingerprint,
        traceparent::SpanId,
    },
    trace::{Actor, event::Leg},
};

mod fold;
mod order;
mod title;

pub(super) use fold::Shared;

/// A hop's name for selection: it never changes and is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HopId(u32);

impl HopId {
    /// The place in [`Hops::rows`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    fn next(rows: &[Hop]) -> Self {
        Self(u32::try_from(rows.len()).unwrap_or(u32::MAX))
    }
}

/// What kind of hop it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HopKind {
    /// A request that the client made.
    Request,
    /// The server exchanged the caller's token at the zone.
    Exchange,
    /// The server used a credential on a service.
    Upstream,
    /// The person was sent through the browser.
    Browser,
}

/// How it went. Ordered from nothing known to worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    #[default]
    Pending,
    Ok,
    /// It did not come through, or went wrong.
    Failed,
    /// Somebody said no: a policy, a missing right, a missing token.
    Denied,
}

/// One hop. Its short texts are harmless and on one line; bodies are in the log at `evidence`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    pub id: HopId,
    pub kind: HopKind,
    pub from: Actor,
    pub to: Actor,
    /// The tool call that it belongs to; absent when none, or when it was not observed which.
    pub call: Option<CallId>,
    pub span: Option<SpanId>,
    /// What a client's request is for; absent for hops of others.
    pub leg: Option<Leg>,
    /// Short and human: `token exchange`, `GET /rest/v1/tickets`, `tools/call escalate_ticket`.
    pub title: Name,
    /// The resource as the zone names it, or the service.
    pub resource: Option<Name>,
    /// The scope asked for, as one text.
    pub scope: Option<Name>,
    pub verdict: Verdict,
    /// The HTTP status, where one was seen.
    pub status: Option<u16>,
    /// When it began, in microseconds of the run.
    pub started_us: u64,
    /// Absent while it is under way or when nobody measured it.
    pub duration_us: Option<u64>,
    /// The token that was presented for exchange.
    pub subject: Option<Credential>,
    /// The credential that was issued (an exchange) or used (an upstream call).
    pub credential: Option<Credential>,
    /// The credential was thrown away after it had lived this long, in microseconds.
    pub discarded: Option<u64>,
    /// Whom the credential made the caller, where the service told.
    pub acted_as: Option<Name>,
    /// Which policy refused it: the determining one's short name.
    pub policy: Option<Name>,
    /// Why it failed, or a word more.
    pub note: Option<Name>,
    pub evidence: Evidence,
}

/// Which events a hop was put together from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// `HopSent` or `BrowserOpened`.
    pub sent: Option<Seq>,
    /// `HopReturned`, `HopFailed` or `CallbackReceived`.
    pub returned: Option<Seq>,
    /// `AuditRecorded`.
    pub audit: Option<Seq>,
    /// `UpstreamAnswered`.
    pub upstream: Option<Seq>,
    /// `StepReported`, exchanged or used.
    pub step: Option<Seq>,
    /// `StepReported`, discarded.
    pub discard: Option<Seq>,
}

impl Evidence {
    /// All there is, in the order in which a person would read it.
    pub fn iter(&self) -> impl Iterator<Item = Seq> + use<> {
        [
            self.sent,
            self.returned,
            self.audit,
            self.upstream,
            self.step,
            self.discard,
        ]
        .into_iter()
        .flatten()
    }
}

/// Whose voice joins at a key; one span may be seen by several parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Channel {
    Client,
    Zone,
    Service(Upstream),
}

/// Every hop of the run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hops {
    rows: Vec<Hop>,
    order: Vec<HopId>,
    by_key: HashMap<(Option<CallId>, SpanId, Channel), HopId>,
    by_call: HashMap<CallId, InCall>,
    /// The browser's hop that has not come back.
    browser: Option<HopId>,
    /// The hop that the last event to change one changed.
    touched: Option<(Seq, HopId)>,
}

/// The hops of one call.
#[derive(Debug, Clone, Default, PartialEq)]
struct InCall {
    order: Vec<HopId>,
    /// The `tools/call` request itself.
    request: Option<HopId>,
    /// The exchange that issued a credential, by its fingerprint: the last one.
    issued: HashMap<Fingerprint, HopId>,
    /// The hop that used the credential of an exchange.
    used: HashMap<HopId, HopId>,
    denied: Option<HopId>,
}

impl Hops {
    /// All hops by [`HopId::index`], in order of first mention.
    #[must_use]
    pub fn rows(&self) -> &[Hop] {
        &self.rows
    }

    /// The hop with this id.
    #[must_use]
    pub fn get(&self, id: HopId) -> Option<&Hop> {
        self.rows.get(id.index())
    }

    /// The order of the Flow pane: by when each hop began. A late voice may move a row near the
    /// end; rows far back stay.
    #[must_use]
    pub fn order(&self) -> &[HopId] {
        &self.order
    }

    /// All hops in the order of the Flow pane.
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = &Hop> + ExactSizeIterator {
        self.order.iter().map(|id| &self.rows[id.index()])
    }

    /// The hops of a call, by when each began.
    #[must_use]
    pub fn of_call(&self, call: CallId) -> &[HopId] {
        self.by_call.get(&call).map_or(&[], |hops| &hops.order)
    }

    /// The hop that this event made or changed, as long as it is the last event to do so: for
    /// following a run live.
    #[must_use]
    pub fn touched_by(&self, seq: Seq) -> Option<&Hop> {
        let (at, id) = self.touched?;
        (at == seq).then(|| self.get(id)).flatten()
    }

    /// The number of hops.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
