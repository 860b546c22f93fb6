//! The evidence of a sign-in's way: the hops of the walk that ended with a token.

use std::fs;

use hoptrail::{
    chapters::{Evidence, ProbeResults, Status},
    projection::Projection,
    protocol::traceparent::SpanId,
    trace::{Fact, TraceEvent, codec, event::Leg},
};

use crate::{status, story};

fn walked(seen: &Projection) -> Vec<Evidence> {
    match status("sign-in", "trail", seen, &ProbeResults::default()) {
        Status::Passed { evidence } => evidence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_step_of_the_way_is_a_hop() {
    let hops = walked(&story());
    assert_eq!(hops.len(), 6);
    let mut seen = Vec::new();
    for one in hops {
        assert!(matches!(one, Evidence::Hop(_)), "{one:?}");
        assert!(!seen.contains(&one), "each step is one of its own");
        seen.push(one);
    }
}

/// Somebody was refused first, and came to no token.
#[test]
fn an_earlier_refusal_is_no_step_of_it() {
    let text = fs::read_to_string("tests/traces/story.jsonl").unwrap();
    let mut lines = text.lines();
    let header = codec::decode_header(lines.next().unwrap()).unwrap();
    let events: Vec<TraceEvent> = lines.map(|line| codec::decode(line, 2).unwrap()).collect();
    let refused = events.iter().find_map(|event| match &event.fact {
        Fact::HopSent { leg: Leg::Mcp, .. } => event.span,
        _ => None,
    });
    let mut earlier: Vec<TraceEvent> = events
        .iter()
        .filter(|event| event.span == refused)
        .cloned()
        .collect();
    assert!(earlier.len() >= 2, "a request and its answer");
    for event in &mut earlier {
        event.span = Some(SpanId(0xea21_1e20));
    }
    let mut seen = Projection::starting(header.started);
    seen.apply(&events[0]);
    for event in earlier.iter().chain(&events[1..]) {
        seen.apply(event);
    }
    let first = seen
        .hops()
        .in_order()
        .find(|hop| hop.leg == Some(Leg::Mcp))
        .unwrap();
    assert_eq!(first.status, Some(401));
    let steps = walked(&seen);
    assert!(!steps.contains(&Evidence::Hop(first.id)), "{steps:?}");
}
