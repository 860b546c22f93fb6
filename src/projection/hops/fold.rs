//! How each voice joins the rows.

use chrono::{DateTime, Utc};

use super::{Channel, Evidence, Hop, HopId, HopKind, Hops, MOST_WAITED, Verdict, order, title};
use crate::{
    projection::{
        Moment,
        audit::AuditRow,
        credentials::{Credential, Credentials},
        holds::keep_latest,
        log::Seq,
        names::{Name, Names},
        rows::Rows,
    },
    protocol::{
        audit::{AuditEvent, AuditRecord, AuditStatus, Effect},
        hold::{HeldExchange, ReleaseReason, ReleasedExchange},
        observed::{CallId, Step, StepAction, StepOutcome, Upstream, UpstreamRequest},
        traceparent::TraceId,
    },
    trace::{
        Actor,
        event::{CallOutcome, Fact},
    },
};

/// The stores that a fold writes names and letters into.
pub(in crate::projection) struct Shared<'a> {
    pub names: &'a Names,
    pub credentials: &'a mut Credentials,
}

impl From<Upstream> for Actor {
    fn from(upstream: Upstream) -> Self {
        match upstream {
            Upstream::Supabase => Self::Supabase,
            Upstream::Anthropic => Self::Anthropic,
            Upstream::Linear => Self::Linear,
        }
    }
}

impl Hops {
    fn push(&mut self, hop: Hop) -> HopId {
        let id = hop.id;
        let call = hop.call;
        self.rows.push(hop);
        order::insert(&mut self.order, &self.rows, id);
        if let Some(call) = call {
            self.reorder(call, id, order::insert);
        }
        id
    }

    /// The row, to be changed by an event.
    fn change(&mut self, id: HopId, seq: Seq) -> Option<&mut Hop> {
        self.touched = Some((seq, id));
        self.row(id)
    }

    fn row(&mut self, id: HopId) -> Option<&mut Hop> {
        self.rows.get_mut(id.index())
    }

    /// A beginning that is known better moves the row, within reach.
    fn began(&mut self, id: HopId, started_us: u64) {
        let Some(hop) = self.row(id) else { return };
        if hop.started_us == started_us {
            return;
        }
        hop.started_us = started_us;
        let call = hop.call;
        order::reposition(&mut self.order, &self.rows, id);
        if let Some(call) = call {
            self.reorder(call, id, order::reposition);
        }
    }

    /// Brings a call's own order up to date.
    fn reorder(
        &mut self,
        call: CallId,
        id: HopId,
        how: impl FnOnce(&mut Rows<HopId>, &Rows<Hop>, HopId),
    ) {
        // Taken out, so that the rows can be looked at meanwhile.
        let Some(hops) = self.in_call_mut(call) else {
            return;
        };
        let mut order = std::mem::take(&mut hops.order);
        how(&mut order, &self.rows, id);
        if let Some(hops) = self.in_call_mut(call) {
            hops.order = order;
        }
    }

    /// The row where a voice joins: the one at the key unless that voice spoke there already
    /// (a caller that sends one span to several parties), then a new one.
    fn joined(
        &mut self,
        at: &Moment,
        channel: Channel,
        spoke: impl Fn(&Evidence) -> bool,
        fresh: impl FnOnce(HopId) -> Hop,
    ) -> HopId {
        let key = at.span.map(|span| {
            let call = at.call.filter(|_| channel != Channel::Client);
            (call, span, channel)
        });
        let known = key
            .and_then(|key| self.by_key.get(&key))
            .filter(|id| self.get(*id).is_some_and(|hop| !spoke(&hop.evidence)));
        if let Some(id) = known {
            return id;
        }
        let id = self.push(fresh(HopId::next(&self.rows)));
        if let Some(key) = key {
            self.by_key.note(key, id);
        }
        id
    }

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
                let text = title::request(*leg, method, url, headers, body.as_ref());
                let title = shared.names.get(&text);
                let is_call = text.starts_with("tools/call");
                let id = self.joined(
                    at,
                    Channel::Client,
                    |evidence| evidence.sent.is_some(),
                    |id| Hop {
                        leg: Some(*leg),
                        ..blank(id, HopKind::Request, at.actor, *to, title.clone(), at)
                    },
                );
                if let Some(hop) = self.change(id, at.seq) {
                    hop.evidence.sent = Some(at.seq);
                }
                if is_call && let Some(hops) = at.call.and_then(|call| self.in_call_mut(call)) {
                    hops.request = Some(id);
                }
            }
            Fact::HopReturned {
                status,
                duration_us,
                ..
            } => {
                let note = (*status == 401).then(|| shared.names.get("asks to sign in"));
                self.returned(at, Some(*status), of_status(*status), *duration_us, note);
            }
            Fact::HopFailed { why, duration_us } => {
                let why = shared.names.get(why);
                self.returned(at, None, Verdict::Failed, *duration_us, Some(why));
            }
            Fact::BrowserOpened { .. } => {
                let title = shared.names.get("sign in and consent");
                let id = HopId::next(&self.rows);
                let mut hop = blank(id, HopKind::Browser, Actor::You, Actor::Zone, title, at);
                hop.evidence.sent = Some(at.seq);
                let id = self.push(hop);
                self.browser = Some(id);
                self.touched = Some((at.seq, id));
            }
            Fact::CallbackReceived { error, description } => {
                let verdict = match error {
                    Some(_) => Verdict::Denied,
                    None => Verdict::Ok,
                };
                let note = description.as_deref().or(error.as_deref());
                let note = shared.names.maybe(note);
                self.browser_ended(at, verdict, note);
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
        if let Some(request) = hops.request
            && let Some(hop) = self.row(request)
        {
            hop.verdict = hop.verdict.max(verdict);
            if verdict > Verdict::Ok {
                hop.note = note.or(hop.note.take());
            }
        }
    }

    /// True for what a feed tells of the time before this run: a log keeps it, but it is no hop of
    /// the run. A call that this run made is its own, whatever another computer's clock says.
    fn is_history(&self, at: &Moment, occurred: DateTime<Utc>, call: Option<CallId>) -> bool {
        at.precedes_run(occurred) && call.is_none_or(|call| self.by_call.get(&call).is_none())
    }

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
        // What a check asked is no step of the run; the log keeps its row.
        if row.call.is_some_and(TraceId::is_check)
            || self.is_history(at, record.occurred_at, row.call)
        {
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

    /// An exchange that waits has its row already: what is asked is known before the answer.
    pub(in crate::projection) fn held(
        &mut self,
        at: &Moment,
        held: &HeldExchange,
        shared: &mut Shared<'_>,
    ) {
        let mut here = *at;
        here.span = held.trace_parent.map(|parent| parent.span).or(at.span);
        let title = shared.names.get("token exchange");
        let id = self.joined(
            &here,
            Channel::Zone,
            |_| false,
            |id| {
                let (from, to) = (Actor::Server, Actor::Zone);
                blank(id, HopKind::Exchange, from, to, title, &here)
            },
        );
        let resource = held.resource.as_ref().map(|r| shared.names.get(&r.name));
        let scope = (!held.scopes.is_empty()).then(|| shared.names.get(&held.scopes.join(" ")));
        if let Some(hop) = self.change(id, at.seq) {
            hop.resource = resource.or(hop.resource.take());
            hop.scope = scope.or(hop.scope.take());
            hop.verdict = hop.verdict.max(Verdict::Held);
        }
        keep_latest(&mut self.held);
        self.held.push((held.id.clone(), id));
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

    /// Remembers in its call what an exchange issued or that it was denied.
    fn exchanged(&mut self, id: HopId) {
        let Some(hop) = self.get(id) else { return };
        let (Some(call), verdict, credential) = (hop.call, hop.verdict, hop.credential) else {
            return;
        };
        if verdict == Verdict::Denied
            && let Some(hops) = self.in_call_mut(call)
        {
            hops.denied = Some(id);
        }
        if let Some(credential) = credential {
            self.issued.note((call, credential.fingerprint), id);
        }
        self.after_exchange(id);
    }

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

    /// Ties a use to the exchange that issued its credential.
    fn used(&mut self, id: HopId) {
        let Some(hop) = self.get(id) else { return };
        let (Some(call), Some(credential)) = (hop.call, hop.credential) else {
            return;
        };
        if let Some(exchange) = self.issued.get(&(call, credential.fingerprint)) {
            if let Some(issued) = self.row(exchange) {
                issued.user = Some(id);
            }
            self.after_exchange(exchange);
        }
    }

    /// Nothing happens in a call before it was asked for: clocks of several parties agree roughly, and
    /// a whole exchange takes less than what they differ by.
    fn within(&self, call: Option<CallId>, started_us: u64) -> u64 {
        call.and_then(|call| self.in_call(call)?.request)
            .and_then(|request| self.get(request))
            .map_or(started_us, |asked| asked.started_us.max(started_us))
    }

    /// A credential is not used before it is issued, however roughly either was timed.
    fn after_exchange(&mut self, exchange: HopId) {
        let Some(issued) = self.get(exchange) else {
            return;
        };
        let started_us = issued.started_us;
        let user = issued.user.filter(|user| {
            self.get(*user)
                .is_some_and(|hop| hop.started_us < started_us)
        });
        if let Some(user) = user {
            self.began(user, started_us);
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
        if here.call.is_some_and(TraceId::is_check)
            || self.is_history(at, request.occurred_at, here.call)
        {
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

/// A failure that is an answer, not a mishap.
fn is_refusal(record: &AuditRecord) -> bool {
    let denied = record
        .decision
        .as_ref()
        .is_some_and(|decision| decision.effect == Effect::Deny);
    denied
        || matches!(
            record.error.as_deref(),
            Some(
                "access_denied"
                    | "insufficient_authorization"
                    | "invalid_scope"
                    | "unauthorized_client"
            )
        )
}

const fn of_status(status: u16) -> Verdict {
    match status {
        100..=399 => Verdict::Ok,
        401 | 403 => Verdict::Denied,
        _ => Verdict::Failed,
    }
}

fn blank(id: HopId, kind: HopKind, from: Actor, to: Actor, title: Name, at: &Moment) -> Hop {
    Hop {
        id,
        kind,
        from,
        to,
        call: at.call,
        span: at.span,
        leg: None,
        title,
        resource: None,
        scope: None,
        verdict: Verdict::Pending,
        status: None,
        started_us: at.at_us,
        duration_us: None,
        subject: None,
        credential: None,
        discarded: None,
        acted_as: None,
        policy: None,
        note: None,
        evidence: Evidence::default(),
        user: None,
    }
}
