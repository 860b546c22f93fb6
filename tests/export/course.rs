//! The report of a run within which somebody switched the policy.

use hoptrail::{
    export::markdown::{self, Beside},
    plain::{Style, Text},
    projection::Projection,
    protocol::traceparent::{SpanId, TraceId},
    trace::{TraceEvent, event::Fact},
};

use super::{
    projection,
    screens::{self, defaults, lifted, limits, story, switched},
    snap, text,
};

fn report(events: &[TraceEvent]) -> String {
    let header = screens::header();
    text(|out| markdown::write(out, &header, &projection(events), Beside::default()))
}

fn lines(projection: &Projection) -> String {
    let mut out = Text::new(Vec::new(), Style::default());
    out.story(projection).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

/// The story; then the rule is switched off, and the same delete goes through.
fn with_the_rule_off() -> Vec<TraceEvent> {
    let mut events = story();
    let off = events.last().unwrap().at_us + 400_000;
    events.push(switched(defaults(), off, 20));
    events.extend(lifted());
    events
}

/// And then the rule is switched on, and another delete is refused.
fn and_on_again() -> Vec<TraceEvent> {
    let mut events = with_the_rule_off();
    let on = events.last().unwrap().at_us + 1_000_000;
    events.push(switched(limits(), on, 21));
    events.push(story()[4].clone());
    let refused = story().into_iter().skip(65).take(6).map(|mut event| {
        event.span = event.span.map(|span| SpanId(span.0 + 0x200));
        event.call = event
            .call
            .map(|_| TraceId(0xca11_0000_0000_0000_0000_0000_0000_000a));
        if let Fact::AuditRecorded(record) = &mut event.fact {
            "ev-0030".clone_into(&mut record.id);
            record.sequence = 30;
            record.occurred_at += chrono::TimeDelta::seconds(9);
            record.trace_parent = None;
        }
        event
    });
    events.extend(refused);
    events
}

/// What the report says before its tables.
fn verdict(report: &str) -> &str {
    let (_, rest) = report.split_once("## The story\n\n").unwrap();
    rest.split_once("\n\n## ").unwrap().0
}

#[test]
fn what_held_with_the_rule_in_force_is_told_in_order() {
    let told = report(&and_on_again());
    snap(
        "the_report_of_a_run_with_the_policy_switched",
        verdict(&told),
    );
    let lines = lines(&projection(&and_on_again()));
    for told in [
        "delete_issue of SUP-12 was refused by limit-linear-scopes",
        "limit-linear-scopes was switched off: default-zone-policies v1 became active",
        "was issued write with limit-linear-scopes switched off; SUP-12 went to the trash",
        "limit-linear-scopes was put in force: support-escalation-policies v2 became active",
        "delete_issue of SUP-12 was refused again by limit-linear-scopes",
        "The story held with the rule in force",
    ] {
        assert!(lines.contains(told), "{told} in {lines}");
    }
}

#[test]
fn a_delete_with_the_rule_off_takes_nothing_from_the_refusal_before_it() {
    let seen = projection(&with_the_rule_off());
    assert_eq!(seen.story().verdict(), Ok(()));
    let told = report(&with_the_rule_off());
    assert!(
        told.contains("**✓ It held with the rule in force**"),
        "{told}"
    );
    assert!(
        told.contains("SUP-12 went to the trash with it switched off"),
        "{told}"
    );
}

#[test]
fn a_delete_with_the_rule_off_alone_proves_nothing() {
    let events = screens::story_with_the_policy_lifted();
    let seen = projection(&events);
    let problems = seen.story().verdict().unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("no delete was tried"), "{problems:?}");
    let told = report(&events);
    assert!(told.contains("**… Not all of it was seen**"), "{told}");
    assert!(
        told.contains("| • not judged | The delete is refused"),
        "{told}"
    );
    assert!(
        lines(&seen).contains("Not all of the story was seen"),
        "{}",
        lines(&seen)
    );
}

#[test]
fn a_rule_that_is_in_force_and_forbids_nothing_is_still_wrong() {
    let mut events = with_the_rule_off();
    for event in &mut events {
        if let Fact::AuditRecorded(record) = &mut event.fact
            && record.id == "ev-0010"
            && let Some(decision) = &mut record.decision
        {
            decision.policy_set = Some(limits());
        }
    }
    let told = report(&events);
    assert!(told.contains("**✗ It did not hold**"), "{told}");
}

#[test]
fn a_run_in_which_nobody_switched_says_nothing_of_it() {
    let told = report(&story());
    assert!(told.contains("**✓ It held**:"), "{told}");
    assert!(!told.contains("The deletes and the policy"), "{told}");
}

#[test]
fn which_set_became_active_is_in_every_row_that_tells_of_it() {
    let told = report(&with_the_rule_off());
    assert!(
        told.contains("| policy_sets:activate | — | default-zone-policies v1 | — | ✓ OK |"),
        "{told}"
    );
    let mut out = Text::new(Vec::new(), Style::default());
    let mut seen = Projection::starting(screens::header().started);
    for event in with_the_rule_off() {
        seen.apply(&event);
        out.event(&event, &seen).unwrap();
    }
    let lines = String::from_utf8(out.into_inner()).unwrap();
    assert!(
        lines.contains("activated a policy set  default-zone-policies v1"),
        "{lines}"
    );
}
