//! How each voice joins the rows, as far as all of them share it. A row is found by its span; a
//! voice that comes late changes what was told before, and never walks back through the run.

mod client;
mod server;
mod upstream;
mod zone;

use chrono::{DateTime, Utc};

use super::{Asks, Channel, Evidence, Hop, HopId, HopKind, Hops, Verdict, order};
use crate::{
    projection::{
        Moment,
        credentials::Credentials,
        log::Seq,
        names::{Name, Names},
        rows::Rows,
    },
    protocol::{observed::CallId, traceparent::TraceId},
    trace::Actor,
};

/// The stores that a fold writes names and letters into.
pub(in crate::projection) struct Shared<'a> {
    pub names: &'a Names,
    pub credentials: &'a mut Credentials,
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
        self.touch(id, seq);
        self.row(id)
    }

    fn touch(&mut self, id: HopId, seq: Seq) {
        let same = self.touched.filter(|(at, _)| *at == seq);
        self.touched_too = same.or(self.touched_too);
        self.touched = Some((seq, id));
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

    /// True for what a feed tells that is no hop of the run: of the time before it (a log keeps it; a
    /// call that this run made is its own, whatever another computer's clock says), and what a check
    /// asked.
    fn is_no_hop(&self, at: &Moment, occurred: DateTime<Utc>, call: Option<CallId>) -> bool {
        call.is_some_and(TraceId::is_check)
            || (at.precedes_run(occurred)
                && call.is_none_or(|call| self.by_call.get(&call).is_none()))
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
                .is_some_and(|hop| hop.started_us <= started_us)
        });
        if let Some(user) = user {
            self.began(user, started_us.saturating_add(1));
        }
    }
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
        asks: Asks::default(),
    }
}
