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
        (self.first..all).filter(|number| !self.marks.get(*number).is_some_and(|mark| *mark))
    }

    fn mark(&mut self, number: usize) {
        if self.marks.len() <= number {
            self.marks.resize(number + 1, false);
        }
        self.marks[number] = true;
        while self.marks.get(self.first).is_some_and(|mark| *mark) {
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
    let over: Vec<usize> = sent
        .hops
        .open(hops.len())
        .filter(|at| wanted == Wanted::All || has_ended(&hops[*at], projection))
        .take(most - count)
        .collect();
    for at in over {
        sent.hops.mark(at);
        let hop = &hops[at];
        if hop.leg != Some(Leg::Console) {
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
        None => hop.verdict != Verdict::Pending,
    }
}
