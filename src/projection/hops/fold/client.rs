//! The client's voice: its own requests, and the browser's way.

use super::{Shared, blank, of_status};
use crate::{
    projection::{
        Moment,
        hops::{Asks, Channel, Hop, HopId, HopKind, Hops, Verdict, title},
        names::Name,
    },
    protocol::observed::CallId,
    trace::{
        Actor,
        event::{CallOutcome, Fact, Leg},
    },
};

impl Hops {
    /// The client's own facts, and the browser's way.
    pub(in crate::projection) fn client(
        &mut self,
        at: &Moment,
        fact: &Fact,
        shared: &mut Shared<'_>,
    ) {
        match fact {
            Fact::HopSent {
                to,
                leg,
                method,
                url,
                headers,
                body,
            } => {
                let (text, asks) = title::request(*leg, method, url, headers, body.as_ref());
                let title = shared.names.get(&text);
                if *leg == Leg::Token {
                    self.browser = None;
                }
                let id = self.joined(
                    at,
                    Channel::Client,
                    |evidence| evidence.sent.is_some(),
                    |id| Hop {
                        leg: Some(*leg),
                        asks,
                        ..blank(id, HopKind::Request, at.actor, *to, title.clone(), at)
                    },
                );
                if let Some(hop) = self.change(id, at.seq) {
                    hop.evidence.sent = Some(at.seq);
                }
                if asks == Asks::CallTool
                    && let Some(hops) = at.call.and_then(|call| self.in_call_mut(call))
                {
                    hops.request = Some(id);
                }
            }
            Fact::HopReturned {
                status,
                duration_us,
                ..
            } => {
                let (verdict, note) = match *status {
                    401 => (of_status(401), Some("asks to sign in")),
                    405 if self.is_optional(at) => (Verdict::Ok, Some("the server does without")),
                    other => (of_status(other), None),
                };
                let note = note.map(|note| shared.names.get(note));
                self.returned(at, Some(*status), verdict, *duration_us, note);
            }
            Fact::HopFailed { why, duration_us } => {
                let why = shared.names.get(why);
                self.returned(at, None, Verdict::Failed, *duration_us, Some(why));
            }
            // The claims are of the answer that came just before.
            Fact::TokenIssued { token, .. } => {
                let credential = shared.credentials.note(token.fingerprint, at.seq);
                if let Some(id) = self.asked_for_token.take()
                    && let Some(hop) = self.change(id, at.seq)
                {
                    hop.credential = Some(credential);
                    hop.evidence.token = Some(at.seq);
                }
            }
            Fact::BrowserOpened { .. } => {
                let title = shared.names.get("sign in and consent");
                let id = HopId::next(&self.rows);
                let mut hop = blank(id, HopKind::Browser, Actor::You, Actor::Zone, title, at);
                hop.evidence.sent = Some(at.seq);
                let id = self.push(hop);
                self.browser = Some(id);
                self.touch(id, at.seq);
            }
            Fact::CallbackReceived { error, description } => {
                let verdict = match error {
                    Some(_) => Verdict::Denied,
                    None => Verdict::Ok,
                };
                let note = description.as_deref().or(error.as_deref());
                let note = shared.names.maybe(note);
                let came_back = self.browser;
                self.browser_ended(at, verdict, note);
                // What came back may not be believed (another issuer, another state).
                self.browser = came_back.filter(|_| error.is_none());
            }
            Fact::SignInRefused { failure } => {
                let note = shared.names.maybe(Some(&failure.why));
                self.browser_ended(at, Verdict::Failed, note);
            }
            Fact::SignInCancelled => {
                let note = shared.names.get("called off");
                self.browser_ended(at, Verdict::Failed, Some(note));
            }
            // The dispatch in `projection` is the exhaustive one.
            _ => {}
        }
    }

    /// Whether what was asked for is something that an MCP server need not have.
    fn is_optional(&self, at: &Moment) -> bool {
        let key = at.span.map(|span| (None, span, Channel::Client));
        let hop = key.and_then(|key| self.get(self.by_key.get(&key)?));
        hop.is_some_and(|hop| hop.asks == Asks::Optional)
    }

    fn returned(
        &mut self,
        at: &Moment,
        status: Option<u16>,
        verdict: Verdict,
        duration_us: u64,
        note: Option<Name>,
    ) {
        let Some(id) = at
            .span
            .and_then(|span| self.by_key.get(&(None, span, Channel::Client)))
        else {
            return;
        };
        if let Some(hop) = self.change(id, at.seq) {
            hop.status = status.or(hop.status);
            hop.verdict = hop.verdict.max(verdict);
            hop.duration_us = Some(duration_us);
            hop.note = note.or(hop.note.take());
            hop.evidence.returned = Some(at.seq);
            if hop.leg == Some(Leg::Token) {
                self.asked_for_token = Some(id);
            }
        }
    }

    fn browser_ended(&mut self, at: &Moment, verdict: Verdict, note: Option<Name>) {
        let Some(id) = self.browser.take() else {
            return;
        };
        if let Some(hop) = self.change(id, at.seq) {
            hop.verdict = verdict;
            hop.note = note;
            hop.duration_us = Some(at.at_us.saturating_sub(hop.started_us));
            hop.evidence.returned = Some(at.seq);
        }
    }

    /// A tool that failed behind an HTTP 200 must not look fine in the flow.
    pub(in crate::projection) fn call_finished(
        &mut self,
        at: &Moment,
        call: CallId,
        outcome: CallOutcome,
        note: Option<Name>,
    ) {
        let Some(hops) = self.in_call(call) else {
            return;
        };
        let denied = hops.denied.is_some();
        let verdict = match outcome {
            CallOutcome::Succeeded => Verdict::Ok,
            CallOutcome::Failed | CallOutcome::Broken if denied => Verdict::Denied,
            CallOutcome::Failed | CallOutcome::Broken | CallOutcome::Cancelled => Verdict::Failed,
        };
        let Some(request) = hops.request else { return };
        self.touched_too = Some((at.seq, request));
        if let Some(hop) = self.row(request) {
            hop.verdict = hop.verdict.max(verdict);
            if verdict > Verdict::Ok {
                hop.note = note.or(hop.note.take());
            }
        }
    }
}
