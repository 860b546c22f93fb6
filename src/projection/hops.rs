//! One row per hop, put together from up to three voices: the client that made it, the zone's
//! audit log or the stand-in that answered it, and the server that told of it.
//!
//! Voices are joined by call and span only; `tie` tells which call it was where a server passes no
//! trace context on. What nobody observed stays absent; no row is made up.

use std::collections::BTreeMap;

use super::{credentials::Credential, index::Index, log::Seq, names::Name, rows::Rows};
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

    fn next(rows: &Rows<Hop>) -> Self {
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

/// What a client asks for with a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Asks {
    #[default]
    Other,
    /// `tools/list`.
    ListTools,
    /// `tools/call`.
    CallTool,
    /// What MCP leaves to a server to have: a standing stream (GET), and sessions that can be ended
    /// (DELETE).
    Optional,
    /// The zone's console to put a policy set in force.
    SwitchPolicySet,
}

/// How it went. Ordered from nothing known to worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    #[default]
    Pending,
    /// Somebody holds it at the zone's gate.
    Held,
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
    /// The hop of the same call that used what this exchange issued.
    user: Option<HopId>,
    /// What a client's request asks for, as far as somebody decides by it.
    pub asks: Asks,
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
    /// `TokenIssued`, on the client's own token request.
    pub token: Option<Seq>,
}

impl Hop {
    /// Whether hoptrail asks the zone's console how things stand: nobody of the story does.
    pub(super) fn is_read_along(&self) -> bool {
        self.leg == Some(Leg::Console) && self.title.starts_with("GET ")
    }

    /// The id of the policy set that the request puts in force.
    #[must_use]
    pub fn policy_set(&self) -> Option<&str> {
        (self.asks == Asks::SwitchPolicySet).then(|| title::policy_set(&self.title))?
    }
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
            self.token,
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

/// More exchanges than anybody holds in a run; a trace may say anything.
const MOST_WAITED: usize = 4_096;

/// Every hop of the run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hops {
    rows: Rows<Hop>,
    order: Rows<HopId>,
    by_key: Index<(Option<CallId>, SpanId, Channel), HopId>,
    calls: Rows<InCall>,
    by_call: Index<CallId, u32>,
    /// The exchange that issued a credential within a call, by its fingerprint: the last one.
    issued: Index<(CallId, Fingerprint), HopId>,
    /// Exchanges that wait, by the gate's name for each; the latest ones.
    held: Vec<(String, HopId)>,
    /// How long those that waited did so, in microseconds; the first [`MOST_WAITED`].
    waited: BTreeMap<HopId, u64>,
    /// The browser's hop until it came back and is believed: the token is asked for then.
    browser: Option<HopId>,
    /// The client's token request that was answered last.
    asked_for_token: Option<HopId>,
    /// The hop that the last event to change one changed.
    touched: Option<(Seq, HopId)>,
    /// Another hop that an event changed, the last such event: a credential's end is told of both its
    /// issue and its use, and how a call ended changes the request that its own answer was told in.
    touched_too: Option<(Seq, HopId)>,
}

/// The hops of one call.
#[derive(Debug, Clone, Default, PartialEq)]
struct InCall {
    order: Rows<HopId>,
    /// The `tools/call` request itself.
    request: Option<HopId>,
    denied: Option<HopId>,
}

impl Hops {
    /// All hops by [`HopId::index`], in order of first mention.
    #[must_use]
    pub const fn rows(&self) -> &Rows<Hop> {
        &self.rows
    }

    /// The hop with this id.
    #[must_use]
    pub fn get(&self, id: HopId) -> Option<&Hop> {
        self.rows.get(id.index())
    }

    /// How long an exchange was held at the gate, in microseconds.
    #[must_use]
    pub fn waited_us(&self, id: HopId) -> u64 {
        self.waited.get(&id).copied().unwrap_or(0)
    }

    /// How long the exchanges of a call were held at the gate, in microseconds.
    #[must_use]
    pub fn waited_in_call_us(&self, call: impl Into<Option<CallId>>) -> u64 {
        if self.waited.is_empty() {
            return 0;
        }
        let of_call = self.of_call(call).iter();
        of_call.map(|id| self.waited_us(*id)).sum()
    }

    /// How long a hop took without what it, or an exchange within it, was held at the gate, which is
    /// nobody's but the holder's.
    #[must_use]
    pub fn took_us(&self, hop: &Hop) -> Option<u64> {
        let waited = match hop.asks {
            Asks::CallTool => self.waited_in_call_us(hop.call),
            Asks::Other | Asks::ListTools | Asks::Optional | Asks::SwitchPolicySet => {
                self.waited_us(hop.id)
            }
        };
        // The zone's own measure begins after the gate: it may be less than the wait.
        let without = |took: u64| took.checked_sub(waited).unwrap_or(took);
        hop.duration_us.map(without)
    }

    /// The order of the Flow pane: by when each hop began. A late voice may move a row near the
    /// end; rows far back stay.
    #[must_use]
    pub const fn order(&self) -> &Rows<HopId> {
        &self.order
    }

    /// All hops in the order of the Flow pane.
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = &Hop> + ExactSizeIterator {
        self.order.iter().map(|id| &self.rows[id.index()])
    }

    /// The hops of a call, by when each began.
    #[must_use]
    pub fn of_call(&self, call: impl Into<Option<CallId>>) -> &Rows<HopId> {
        static NONE: Rows<HopId> = Rows::new();
        call.into()
            .and_then(|call| self.in_call(call))
            .map_or(&NONE, |hops| &hops.order)
    }

    /// See [`Projection::is_told_in_full`](super::Projection::is_told_in_full).
    pub(super) fn is_told_in_full(&self, call: CallId, has_log: bool) -> bool {
        let hops = self.of_call(call).iter().filter_map(|id| self.get(*id));
        hops.into_iter().all(|hop| match hop.kind {
            HopKind::Exchange => {
                let is_used = hop.verdict != Verdict::Ok || hop.user.is_some();
                is_used && (hop.evidence.audit.is_some() || !has_log)
            }
            HopKind::Upstream => hop.evidence.upstream.is_some(),
            HopKind::Request | HopKind::Browser => true,
        })
    }

    /// Whether an exchange of this call issued the credential.
    pub(super) fn is_issued_in(&self, call: CallId, credential: Fingerprint) -> bool {
        self.issued.get(&(call, credential)).is_some()
    }

    /// Whether a hop is a tool call's own request that failed because the zone refused the call a
    /// credential: the same refusal, told once more.
    #[must_use]
    pub fn repeats_a_refusal(&self, hop: &Hop) -> bool {
        let of_call = hop.call.and_then(|call| self.in_call(call));
        of_call.is_some_and(|hops| hops.request == Some(hop.id) && hops.denied.is_some())
    }

    fn in_call(&self, call: CallId) -> Option<&InCall> {
        self.calls.get(self.by_call.get(&call)? as usize)
    }

    /// The hops of a call, to be changed; made if the call is new.
    fn in_call_mut(&mut self, call: CallId) -> Option<&mut InCall> {
        let next = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let place = self.by_call.get(&call).unwrap_or(next);
        if place == next {
            self.by_call.note(call, place);
            self.calls.push(InCall::default());
        }
        self.calls.get_mut(place as usize)
    }

    /// How many places at the beginning of the order are the same in both, their hops included.
    /// May be fewer than there are, never more; finding out takes no look at the hops.
    #[must_use]
    pub fn same_until(&self, other: &Self) -> usize {
        let hops = self.rows.shared_with(&other.rows);
        let places = self.order.shared_with(&other.order);
        // A hop stands within reach of its number in the order of first mention.
        places.min(hops.saturating_sub(order::REACH))
    }

    /// The hop that this event made or changed, as long as it is the last event to do so: for
    /// following a run live.
    #[must_use]
    pub fn touched_by(&self, seq: Seq) -> Option<&Hop> {
        let (at, id) = self.touched?;
        (at == seq).then(|| self.get(id)).flatten()
    }

    /// Every hop that this event made or changed, as long as it is the last event to do so.
    pub(super) fn all_touched_by(&self, seq: Seq) -> impl Iterator<Item = HopId> + use<> {
        let both = [self.touched, self.touched_too];
        let own = both.into_iter().flatten().filter(move |(at, _)| *at == seq);
        own.map(|(_, id)| id)
    }

    /// The hop that an event is told in. Looks through the rows, the latest first: for what a person
    /// asks for, not for each event.
    #[must_use]
    pub fn told_in(&self, seq: Seq) -> Option<&Hop> {
        let tells = |hop: &&Hop| hop.evidence.iter().any(|own| own == seq);
        self.rows.iter().rev().find(tells)
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
