//! What must hold for every trace, however odd.

use chrono::DateTime;
use facts::event;
use hoptrail::{
    projection::{Projection, Query, Seq, Timeline},
    protocol::traceparent::{SpanId, TraceId, TraceParent},
    trace::{Fact, TraceEvent, codec},
};
use proptest::{collection::vec, prelude::*, sample::select};

#[path = "fixtures/story.rs"]
mod story;

#[path = "laws/facts.rs"]
mod facts;

fn fold(events: &[TraceEvent]) -> Projection {
    let mut projection = Projection::starting(story::started());
    projection.extend(events);
    projection
}

/// Everything that a pane could ask, asked.
fn look_at_everything(projection: &Projection) {
    let query = Query::parse("status:ok -scope:x é");
    for hop in projection.hops().in_order() {
        let call = hop.call.and_then(|call| projection.tools().call(call));
        let _ = hop.matches(&query, call.map(|call| &*call.tool));
        for seq in hop.evidence.iter() {
            assert!(projection.log().event(seq).is_some());
        }
    }
    assert_eq!(projection.hops().order().len(), projection.hops().len());
    for row in projection.audit().rows() {
        let _ = (
            row.matches(&query),
            projection.service_of(row),
            projection.determining(row),
        );
    }
    for decision in [
        projection.policies().last(),
        projection.policies().last_denial(),
    ] {
        decision.map(|decision| projection.policies().highlight(decision));
    }
    for number in 0..projection.log().len() {
        let _ = projection.log().matches(Seq::at(number), &query);
    }
    let _ = (
        projection.issues().pair(),
        projection.env().rows(),
        projection.sessions().rows(),
    );
    let story = projection.story();
    assert_eq!(story.steps.len(), 7);
    let _ = story.verdict();
}

/// Settles a timeline at each stop; its marks are those of one that was settled once.
fn grows_as_made_anew(events: &[TraceEvent], stops: &[usize]) {
    let mut growing = Timeline::open(Some(story::started()));
    let mut whole = growing.clone();
    for (place, event) in events.iter().enumerate() {
        if stops.contains(&place) {
            growing.settle();
            let mut now = whole.clone();
            now.settle();
            assert_eq!(growing.marks(), now.marks(), "at {place}");
        }
        for timeline in [&mut growing, &mut whole] {
            timeline.push(event, &codec::encode(event));
        }
    }
    growing.settle();
    whole.close();
    assert_eq!(growing.marks(), whole.marks());
    growing.close();
    assert_eq!(growing.marks(), whole.marks());
}

#[test]
fn the_marks_of_the_story_grow_as_they_are_made() {
    let events = story::events();
    let every: Vec<usize> = (0..events.len()).collect();
    grows_as_made_anew(&events, &every);
    grows_as_made_anew(&events, &[0, 7, 40]);
    grows_as_made_anew(&events, &[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_panics_and_none_is_lost(events in vec(event(), 0..60)) {
        let projection = fold(&events);
        prop_assert_eq!(projection.log().len(), events.len());
        look_at_everything(&projection);
        let unknown = events.iter().filter(|e| matches!(e.fact, Fact::Unknown(_))).count();
        prop_assert_eq!(projection.unknown(), unknown as u64);
        // Without a header there is no wall clock to lean on; that must do as well.
        let mut headless = Projection::default();
        headless.extend(&events);
        look_at_everything(&headless);
    }

    #[test]
    fn folding_what_was_written_and_read_is_folding_the_events(events in vec(event(), 0..40)) {
        let read: Vec<_> = events
            .iter()
            .map(|event| codec::decode(&codec::encode(event), 2).unwrap())
            .collect();
        prop_assert_eq!(&read, &events);
        prop_assert_eq!(fold(&read), fold(&events));
    }

    #[test]
    fn folding_what_was_skimmed_is_folding_the_events(events in vec(event(), 0..40)) {
        let skimmed: Vec<_> = events
            .iter()
            .map(|event| codec::skim(&codec::encode(event), 2).unwrap())
            .collect();
        let mut projection = Projection::starting(story::started());
        for (event, skimmed) in events.iter().zip(&skimmed) {
            projection.apply_line(skimmed, &codec::encode(event));
        }
        prop_assert_eq!(projection, fold(&events));
    }

    #[test]
    fn a_line_is_damaged_for_whoever_reads_it(
        events in vec(event(), 1..2),
        at in any::<proptest::sample::Index>(),
        instead in select(vec!["", "x", "\"", "\\", "\\ud800", "1e999", "null", "]", "}", "[[", ","]),
    ) {
        let line = codec::encode(&events[0]);
        let at = at.index(line.len());
        prop_assume!(line.is_char_boundary(at) && line.is_char_boundary(at + 1));
        let line = format!("{}{instead}{}", &line[..at], &line[at + 1..]);
        let (kept, unkept) = (codec::decode(&line, 2), codec::skim(&line, 2));
        prop_assert_eq!(kept.as_ref().err(), unkept.as_ref().err(), "{}", line);
    }

    #[test]
    fn a_fold_goes_on_from_any_point(events in vec(event(), 0..40), at in any::<proptest::sample::Index>()) {
        let (first, rest) = events.split_at(at.index(events.len() + 1));
        let checkpoint = fold(first);
        let mut resumed = checkpoint.clone();
        resumed.extend(rest);
        prop_assert_eq!(&resumed, &fold(&events));
        prop_assert_eq!(checkpoint, fold(first), "a checkpoint does not change behind its back");
    }

    #[test]
    fn marks_that_grew_are_the_marks_made_anew(
        events in vec(event(), 0..60),
        at in vec(any::<proptest::sample::Index>(), 0..6),
    ) {
        let stops = at.iter().map(|at| at.index(events.len() + 1));
        grows_as_made_anew(&events, &stops.collect::<Vec<_>>());
    }

    #[test]
    fn the_log_gives_back_the_very_lines(events in vec(event(), 0..20)) {
        let projection = fold(&events);
        for (number, event) in events.iter().enumerate() {
            let seq = Seq::at(number);
            let line = codec::encode(event);
            let kept = projection.log().line(seq);
            prop_assert_eq!(kept.as_deref(), Some(line.trim_end_matches('\n')));
            let logged = projection.log().event(seq);
            prop_assert_eq!(logged.as_ref(), Some(event));
        }
        let mut by_line = Projection::starting(story::started());
        for event in &events {
            by_line.apply_line(event, &codec::encode(event));
        }
        prop_assert_eq!(by_line, projection);
    }
}

/// The sample story again and again, each time with ids and credentials of its own.
fn repeated(times: usize) -> Projection {
    let mut projection = Projection::starting(story::started());
    let events = story::events();
    let shift = |id: TraceId, round: usize| TraceId(id.0 + ((round as u128) << 64));
    for round in 0..times {
        for event in &events {
            let mut event = event.clone();
            event.at_us += 30_000_000 * round as u64;
            event.call = event.call.map(|id| shift(id, round));
            event.span = event.span.map(|id| SpanId(id.0 + ((round as u64) << 16)));
            match &mut event.fact {
                Fact::AuditRecorded(record) => {
                    record.id = format!("{}-{round}", record.id);
                    if let Some(parent) = &mut record.trace_parent {
                        parent.trace = shift(parent.trace, round);
                        parent.span = event.span.unwrap();
                    }
                }
                Fact::UpstreamAnswered(request) => {
                    if let Some(parent) = &mut request.trace_parent {
                        parent.trace = shift(parent.trace, round);
                        parent.span = event.span.unwrap();
                    }
                }
                Fact::StepReported(step) => step.span = event.span.unwrap(),
                _ => {}
            }
            projection.apply(&event);
        }
    }
    projection
}

/// Cost and memory per event must not depend on the length of the run. No clock is asked: what is
/// kept per event is counted, and a late row is shown to reach back a bounded way only.
#[test]
fn what_an_event_leaves_behind_does_not_grow_with_the_run() {
    let per_event = |times| {
        let projection = repeated(times);
        let events = projection.log().len();
        let rows = projection.hops().len() + projection.audit().rows().len();
        assert_eq!(projection.credentials().all().len(), 5);
        assert_eq!(projection.sessions().rows().len(), 1);
        (
            projection.log().bytes() * 100 / events,
            rows * 1000 / events,
        )
    };
    let (few_bytes, few_rows) = per_event(20);
    let (many_bytes, many_rows) = per_event(400);
    assert_eq!(few_rows, many_rows);
    assert!(
        many_bytes.abs_diff(few_bytes) < few_bytes / 20,
        "{few_bytes} {many_bytes}"
    );
}

#[test]
fn a_row_is_lean() {
    use hoptrail::projection::{AuditRow, Hop};
    // The sample story: 73 events, 39 hops, 10 rows. With these the models cost a few dozen
    // bytes an event beside its line.
    assert!(size_of::<Hop>() <= 320, "{}", size_of::<Hop>());
    assert!(size_of::<AuditRow>() <= 352, "{}", size_of::<AuditRow>());
    assert_eq!(size_of::<Option<Seq>>(), 4);
}

/// A row that claims to be ancient moves past at most the near rows.
#[test]
fn a_late_row_reaches_back_a_bounded_way() {
    let mut projection = repeated(20);
    let before = projection.hops().order().clone();
    let mut late = story::events()
        .into_iter()
        .find(|event| matches!(event.fact, Fact::UpstreamAnswered(_)))
        .unwrap();
    late.at_us = 1;
    late.call = None;
    if let Fact::UpstreamAnswered(request) = &mut late.fact {
        request.trace_parent = None;
        request.occurred_at = DateTime::UNIX_EPOCH;
    }
    late.span = None;
    projection.apply(&late);
    let after = projection.hops().order();
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    assert!(before.len() - same <= 64);
}

#[test]
fn what_a_check_asked_is_a_row_of_the_log_and_no_hop_of_the_run() {
    let mut events = story::events();
    let before = fold(&events);
    let mut asked = events
        .iter()
        .rfind(|event| matches!(event.fact, Fact::AuditRecorded(_)))
        .unwrap()
        .clone();
    asked.seq = events.last().unwrap().seq + 1;
    asked.call = None;
    let Fact::AuditRecorded(record) = &mut asked.fact else {
        unreachable!()
    };
    record.id = "asked-by-a-check".to_owned();
    record.trace_parent = Some(TraceParent {
        trace: TraceId::of_check(7),
        span: SpanId(7),
    });
    events.push(asked);
    let after = fold(&events);
    assert_eq!(after.audit().rows().len(), before.audit().rows().len() + 1);
    assert_eq!(after.hops().len(), before.hops().len());
}
