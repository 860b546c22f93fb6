//! The server's voice: exchanging, using and dropping credentials.

use super::{Shared, blank};
use crate::{
    projection::{
        Moment,
        credentials::Credential,
        hops::{Channel, Hop, HopKind, Hops, Verdict},
    },
    protocol::observed::{Step, StepAction, StepOutcome},
    trace::Actor,
};

impl Hops {
    /// The server's voice.
    pub(in crate::projection) fn stepped(
        &mut self,
        at: &Moment,
        step: &Step,
        shared: &mut Shared<'_>,
    ) {
        let mut here = *at;
        here.span = Some(step.span);
        let credential = step
            .credential
            .map(|fingerprint| shared.credentials.note(fingerprint, at.seq));
        let started = at.before(step.duration_us);
        let (channel, kind, to, words) = match step.action {
            StepAction::Exchanged => (
                Channel::Zone,
                HopKind::Exchange,
                Actor::Zone,
                "token exchange",
            ),
            StepAction::Used => (
                Channel::Service(step.upstream),
                HopKind::Upstream,
                step.upstream.into(),
                step.detail.as_deref().unwrap_or("request"),
            ),
            StepAction::Discarded => {
                self.discarded(&here, step, credential);
                return;
            }
        };
        let title = shared.names.get(words);
        let id = self.joined(
            &here,
            channel,
            |evidence| evidence.step.is_some(),
            |id| Hop {
                started_us: started,
                ..blank(id, kind, Actor::Server, to, title, &here)
            },
        );
        let service = shared.names.get(step.upstream.name());
        let scope = shared.names.maybe(step.scope.as_deref());
        let detail = shared.names.maybe(step.detail.as_deref());
        let verdict = match step.outcome {
            StepOutcome::Succeeded => Verdict::Ok,
            StepOutcome::Refused => Verdict::Denied,
            StepOutcome::Failed => Verdict::Failed,
        };
        if let Some(hop) = self.change(id, at.seq) {
            hop.resource = hop.resource.take().or(Some(service));
            hop.scope = hop.scope.take().or(scope);
            hop.verdict = hop.verdict.max(verdict);
            // The server measured the whole way there and back; that is what a person waits for.
            hop.duration_us = Some(step.duration_us);
            hop.credential = hop.credential.or(credential);
            if verdict > Verdict::Ok {
                hop.note = hop.note.take().or(detail);
            }
            hop.evidence.step = Some(at.seq);
        }
        match step.action {
            StepAction::Exchanged => self.exchanged(id),
            StepAction::Used => self.used(id),
            StepAction::Discarded => {}
        }
    }

    /// Marks the exchange that issued the credential, and its use.
    fn discarded(&mut self, at: &Moment, step: &Step, credential: Option<Credential>) {
        let Some(call) = at.call.filter(|call| self.by_call.get(call).is_some()) else {
            return;
        };
        let by_span = self.by_key.get(&(at.call, step.span, Channel::Zone));
        let by_credential =
            credential.and_then(|credential| self.issued.get(&(call, credential.fingerprint)));
        let exchange = by_span.or(by_credential);
        let user = exchange.and_then(|exchange| self.get(exchange)?.user);
        for id in [exchange, user].into_iter().flatten() {
            if let Some(hop) = self.change(id, at.seq) {
                hop.discarded = Some(step.duration_us);
                hop.evidence.discard = Some(at.seq);
            }
        }
    }
}
