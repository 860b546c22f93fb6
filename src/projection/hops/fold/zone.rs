//! The zone's voice: its log, and the exchanges that it holds.

use super::{Shared, blank};
use crate::{
    projection::{
        Moment,
        audit::AuditRow,
        holds::keep_latest,
        hops::{Channel, Hop, HopKind, Hops, MOST_WAITED, Verdict},
    },
    protocol::{
        audit::{AuditEvent, AuditRecord, AuditStatus, Effect},
        hold::{HeldExchange, ReleaseReason, ReleasedExchange},
        oauth::ErrorCode,
    },
    trace::Actor,
};

impl Hops {
    /// The zone's voice. Rows of a sign-in's own grants make no hop: the client saw those itself.
    pub(in crate::projection) fn audited(
        &mut self,
        at: &Moment,
        record: &AuditRecord,
        row: &AuditRow,
        shared: &mut Shared<'_>,
    ) {
        if record.event != AuditEvent::CredentialsIssue
            || !(row.exchange || (row.call.is_some() && record.grant_type.is_none()))
        {
            return;
        }
        if self.is_no_hop(at, record.occurred_at, row.call) {
            return;
        }
        let mut here = *at;
        here.call = row.call;
        here.span = record.trace_parent.map(|parent| parent.span).or(at.span);
        let title = shared.names.get("token exchange");
        let started = self.within(
            here.call,
            at.happened(record.occurred_at, record.duration_us),
        );
        let id = self.joined(
            &here,
            Channel::Zone,
            |evidence| evidence.audit.is_some(),
            |id| Hop {
                started_us: started,
                ..blank(
                    id,
                    HopKind::Exchange,
                    Actor::Server,
                    Actor::Zone,
                    title,
                    &here,
                )
            },
        );
        let subject = record
            .subject_token
            .as_ref()
            .map(|token| shared.credentials.note(token.fingerprint, at.seq));
        let verdict = match record.status {
            AuditStatus::Issued => Verdict::Ok,
            AuditStatus::Failure if is_refusal(record) => Verdict::Denied,
            AuditStatus::Failure => Verdict::Failed,
        };
        if let Some(hop) = self.change(id, at.seq) {
            hop.resource = row.resource.clone().or(hop.resource.take());
            hop.scope = row.scope.clone().or(hop.scope.take());
            hop.verdict = hop.verdict.max(verdict);
            hop.duration_us = hop.duration_us.or(Some(record.duration_us));
            hop.subject = subject.or(hop.subject);
            hop.credential = row.credential.or(hop.credential);
            hop.policy = row.policy.clone().or(hop.policy.take());
            hop.note = row.reason.clone().or(row.error.clone()).or(hop.note.take());
            hop.evidence.audit = Some(at.seq);
        }
        self.began(id, started);
        self.exchanged(id);
    }

    /// An exchange that waits has its row already: what is asked is known before the answer. Told of
    /// again, it is the same one with another forecast.
    pub(in crate::projection) fn held(
        &mut self,
        at: &Moment,
        held: &HeldExchange,
        shared: &mut Shared<'_>,
    ) {
        let mut here = *at;
        here.span = held.trace_parent.map(|parent| parent.span).or(at.span);
        let title = shared.names.get("token exchange");
        let known = self.held.iter().find(|(id, _)| *id == held.id);
        let known = known.map(|(_, hop)| *hop);
        let id = known.unwrap_or_else(|| {
            self.joined(
                &here,
                Channel::Zone,
                |_| false,
                |id| {
                    let (from, to) = (Actor::Server, Actor::Zone);
                    blank(id, HopKind::Exchange, from, to, title, &here)
                },
            )
        });
        let resource = held.resource.as_ref().map(|r| shared.names.get(&r.name));
        let scope = (!held.scopes.is_empty()).then(|| shared.names.get(&held.scopes.join(" ")));
        if let Some(hop) = self.change(id, at.seq) {
            hop.resource = resource.or(hop.resource.take());
            hop.scope = scope.or(hop.scope.take());
            hop.verdict = hop.verdict.max(Verdict::Held);
        }
        if known.is_none() {
            keep_latest(&mut self.held);
            self.held.push((held.id.clone(), id));
        }
    }

    /// It waits no longer; if nobody asks any more, nothing will be decided.
    pub(in crate::projection) fn released(&mut self, at: &Moment, released: &ReleasedExchange) {
        let Some(place) = self.held.iter().position(|(id, _)| *id == released.id) else {
            return;
        };
        let (_, id) = self.held.remove(place);
        if self.waited.len() < MOST_WAITED {
            let waited = self.waited.entry(id).or_default();
            *waited = waited.saturating_add(released.held_us);
        }
        if let Some(hop) = self.change(id, at.seq) {
            let after = match released.why {
                ReleaseReason::AskerGone => Verdict::Failed,
                ReleaseReason::LetGo | ReleaseReason::HolderGone | ReleaseReason::TimedOut => {
                    Verdict::Pending
                }
            };
            if hop.verdict == Verdict::Held {
                hop.verdict = after;
            }
        }
    }
}

/// A failure that is an answer, not a mishap.
fn is_refusal(record: &AuditRecord) -> bool {
    let denied = record
        .decision
        .as_ref()
        .is_some_and(|decision| decision.effect == Effect::Deny);
    let answered = record.error.as_deref();
    denied || answered.is_some_and(|code| !ErrorCode::is_own_fault(code))
}
