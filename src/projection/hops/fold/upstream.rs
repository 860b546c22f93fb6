//! A stand-in's voice: what a service was asked and what it answered.

use super::{Shared, blank, of_status};
use crate::{
    projection::{
        Moment,
        hops::{Channel, Hop, HopKind, Hops, Verdict, title},
    },
    protocol::observed::{Upstream, UpstreamRequest},
    trace::Actor,
};

impl Hops {
    /// A stand-in's voice.
    pub(in crate::projection) fn answered(
        &mut self,
        at: &Moment,
        request: &UpstreamRequest,
        shared: &mut Shared<'_>,
    ) {
        let mut here = *at;
        if let Some(parent) = request.trace_parent {
            here.call = Some(parent.trace);
            here.span = Some(parent.span);
        }
        if self.is_no_hop(at, request.occurred_at, here.call) {
            return;
        }
        let started = self.within(
            here.call,
            here.happened(request.occurred_at, request.duration_us),
        );
        // A service's own OAuth is the zone's business (brokered logins); the rest is the server's.
        let from = if request.path.starts_with("/oauth/") {
            Actor::Zone
        } else {
            Actor::Server
        };
        let title = shared.names.get(&answered_title(request));
        let id = self.joined(
            &here,
            Channel::Service(request.upstream),
            |evidence| evidence.upstream.is_some(),
            |id| Hop {
                started_us: started,
                ..blank(
                    id,
                    HopKind::Upstream,
                    from,
                    request.upstream.into(),
                    title.clone(),
                    &here,
                )
            },
        );
        let service = shared.names.get(request.upstream.name());
        let acted_as = shared.names.maybe(request.acted_as.as_deref());
        let error = shared.names.maybe(request.error.as_deref());
        let credential = request
            .credential
            .map(|fingerprint| shared.credentials.note(fingerprint, at.seq));
        let verdict = match (of_status(request.status), &error) {
            (Verdict::Ok, Some(_)) => Verdict::Failed,
            (verdict, _) => verdict,
        };
        if let Some(hop) = self.change(id, at.seq) {
            hop.title = title;
            hop.resource = hop.resource.take().or(Some(service));
            hop.status = Some(request.status);
            hop.verdict = hop.verdict.max(verdict);
            hop.duration_us = hop.duration_us.or(Some(request.duration_us));
            hop.credential = hop.credential.or(credential);
            hop.acted_as = acted_as.or(hop.acted_as.take());
            hop.note = error.or(hop.note.take());
            hop.evidence.upstream = Some(at.seq);
        }
        self.began(id, started);
        self.used(id);
    }
}

/// GraphQL has one path for everything, so there the operation is the telling part.
fn answered_title(request: &UpstreamRequest) -> String {
    match request.upstream {
        Upstream::Linear
            if title::path(&request.path) == "/graphql" && !request.operation.is_empty() =>
        {
            request.operation.clone()
        }
        Upstream::Linear | Upstream::Supabase | Upstream::Anthropic => {
            format!("{} {}", request.method, title::path(&request.path))
        }
    }
}
