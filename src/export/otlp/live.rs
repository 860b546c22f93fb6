//! The same spans while the run goes on: each once, in requests of a bounded size.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Run, told_by};
use crate::{
    projection::{Hop, Projection, Verdict},
    trace::{Actor, codec::Header, event::Leg},
};

/// What was handed over already. A collector takes a span as it is: there is no second word on it.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    root: bool,
    calls: Marked,
    hops: Marked,
}

/// Numbers that are marked, dense from the beginning.
#[derive(Debug, Clone, Default)]
struct Marked {
    marks: Vec<bool>,
    /// Every number before this one is marked.
    first: usize,
}

impl Marked {
    /// Numbers below `all` that are not marked.
    fn open(&self, all: usize) -> impl Iterator<Item = usize> {
        (self.first..all).filter(|number| !self.has(*number))
    }

    fn has(&self, number: usize) -> bool {
        self.marks.get(number).is_some_and(|mark| *mark)
    }

    fn mark(&mut self, number: usize) {
        if self.marks.len() <= number {
            self.marks.resize(number + 1, false);
        }
        self.marks[number] = true;
        while self.has(self.first) {
            self.first += 1;
        }
    }
}

/// Which spans are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those of calls and hops that came to their end.
    Ended,
    /// All, the run's own with them: it is over.
    All,
}

/// A request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub body: String,
    pub spans: usize,
}

/// The next request with at most `most` spans, which count as sent from now on; `None` if there is
/// nothing to say.
#[must_use]
pub fn next(
    header: &Header,
    projection: &Projection,
    sent: &mut Sent,
    wanted: Wanted,
    most: usize,
) -> Option<Request> {
    let run = Run::new(header, projection);
    let mut spans: BTreeMap<Actor, Vec<Value>> = BTreeMap::new();
    let mut count = 0;
    let calls = projection.tools().calls();
    let over: Vec<usize> = sent
        .calls
        .open(calls.len())
        .filter(|at| wanted == Wanted::All || calls[*at].outcome.is_some())
        .take(most)
        .collect();
    for at in over {
        sent.calls.mark(at);
        let span = run.call_span(at, &calls[at]);
        spans.entry(Actor::Client).or_default().push(span);
        count += 1;
    }
    let hops = projection.hops().rows();
    for at in sent.hops.first..hops.len() {
        if count == most {
            break;
        }
        let hop = &hops[at];
        // One of the console is no span and takes no other's room.
        let silent = hop.leg == Some(Leg::Console);
        if sent.hops.has(at) || !(silent || wanted == Wanted::All || has_ended(hop, projection)) {
            continue;
        }
        sent.hops.mark(at);
        if !silent {
            let span = run.hop_span(hop);
            spans.entry(told_by(hop)).or_default().push(span);
            count += 1;
        }
    }
    if wanted == Wanted::All && count < most && !sent.root && !projection.log().is_empty() {
        sent.root = true;
        let span = run.root_span();
        spans.entry(Actor::Client).or_default().push(span);
        count += 1;
    }
    if spans.is_empty() {
        return None;
    }
    let resources: Vec<Value> = spans
        .into_iter()
        .map(|(service, spans)| {
            json!({
                "resource": { "attributes": run.resource(service) },
                "scopeSpans": [{
                    "scope": { "name": "hoptrail", "version": env!("CARGO_PKG_VERSION") },
                    "spans": spans,
                }],
            })
        })
        .collect();
    Some(Request {
        body: json!({ "resourceSpans": resources }).to_string(),
        spans: count,
    })
}

/// A call's hops end with it: until then another voice may have more to say of them.
fn has_ended(hop: &Hop, projection: &Projection) -> bool {
    match hop.call.and_then(|call| projection.tools().call(call)) {
        Some(call) => call.outcome.is_some(),
        None => !matches!(hop.verdict, Verdict::Pending | Verdict::Held),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        protocol::{
            audit::AuditStatus,
            hold::{Forecast, HeldExchange, ReleaseReason, ReleasedExchange},
            traceparent::SpanId,
        },
        trace::{TraceEvent, event::Fact},
    };

    fn header() -> Header {
        Header::new(DateTime::UNIX_EPOCH)
    }

    fn told(seen: &mut Projection, span: u64, actor: Actor, fact: Fact) {
        seen.apply(&TraceEvent {
            seq: seen.log().len() as u64,
            at_us: seen.log().len() as u64,
            span: Some(SpanId(span)),
            call: None,
            actor,
            fact,
        });
    }

    fn request(seen: &mut Projection, span: u64, leg: Leg) {
        let sent = Fact::HopSent {
            to: Actor::Zone,
            leg,
            method: "GET".to_owned(),
            url: "http://127.0.0.1:1/".to_owned(),
            headers: Vec::new(),
            body: None,
        };
        let returned = Fact::HopReturned {
            status: 200,
            headers: Vec::new(),
            body: None,
            duration_us: 1,
        };
        told(seen, span, Actor::Client, sent);
        told(seen, span, Actor::Zone, returned);
    }

    fn spans(seen: &Projection, sent: &mut Sent, most: usize) -> Option<usize> {
        next(&header(), seen, sent, Wanted::Ended, most).map(|request| request.spans)
    }

    #[test]
    fn hops_of_the_console_take_no_room_from_those_behind_them() {
        let mut seen = Projection::default();
        for span in 1..=5 {
            request(&mut seen, span, Leg::Console);
        }
        for span in 6..=8 {
            request(&mut seen, span, Leg::Discovery);
        }
        let mut sent = Sent::default();
        assert_eq!(spans(&seen, &mut sent, 2), Some(2));
        assert_eq!(spans(&seen, &mut sent, 2), Some(1));
        assert_eq!(spans(&seen, &mut sent, 2), None);
    }

    #[test]
    fn an_exchange_that_is_held_has_not_come_to_its_end() {
        let mut seen = Projection::default();
        let held = HeldExchange {
            id: "1".to_owned(),
            application: None,
            user: None,
            resource: None,
            scopes: Vec::new(),
            forecast: Forecast {
                status: AuditStatus::Issued,
                decision: None,
                error: None,
                reason: None,
            },
            trace_parent: None,
        };
        told(
            &mut seen,
            1,
            Actor::Zone,
            Fact::ExchangeHeld(Box::new(held)),
        );
        assert_eq!(seen.hops().rows()[0].verdict, Verdict::Held);
        let mut sent = Sent::default();
        assert_eq!(spans(&seen, &mut sent, 9), None);
        let released = ReleasedExchange {
            id: "1".to_owned(),
            why: ReleaseReason::AskerGone,
            held_us: 5,
            trace_parent: None,
        };
        told(&mut seen, 1, Actor::Zone, Fact::ExchangeReleased(released));
        assert_eq!(spans(&seen, &mut sent, 9), Some(1));
    }
}
