//! What hoptrail reads for itself is one row of Trace, until somebody wants to see it.

use hoptrail::{
    app::{
        App, AppConfig,
        focus::PaneId,
        msg::Msg,
        player::{Growth, Tape},
    },
    projection::{Seq, Timeline},
    protocol::traceparent::SpanId,
    trace::{
        TraceEvent, codec,
        event::{Fact, Leg},
    },
};

use crate::screens::{draw, fresh, header, look, press, story, text};

/// The story, and behind it what hoptrail asked the zone's console: three things, what it said of the
/// policies, and one more.
fn asking() -> Vec<TraceEvent> {
    let mut events = story();
    let sent = |event: &&TraceEvent| matches!(event.fact, Fact::HopSent { .. });
    let came = |event: &&TraceEvent| matches!(event.fact, Fact::HopReturned { .. });
    let read = |event: &&TraceEvent| matches!(event.fact, Fact::PolicyRead(_));
    let sent = story().iter().find(sent).unwrap().clone();
    let came = story().iter().find(came).unwrap().clone();
    let read = story().iter().find(read).unwrap().clone();
    let ask = |events: &mut Vec<TraceEvent>, number: u64| {
        for event in [&sent, &came] {
            let mut event = event.clone();
            (event.call, event.span) = (None, Some(SpanId(0xa510 + number)));
            if let Fact::HopSent {
                leg, method, url, ..
            } = &mut event.fact
            {
                *leg = Leg::Console;
                "GET".clone_into(method);
                "http://127.0.0.1:8100/policy-sets?x=y".clone_into(url);
            }
            events.push(event);
        }
    };
    for number in 0..3 {
        ask(&mut events, number);
    }
    events.push(read);
    ask(&mut events, 3);
    for (place, event) in events.iter_mut().enumerate() {
        event.seq = place as u64;
        if place >= story().len() {
            event.at_us = 20_000_000 + place as u64;
        }
    }
    events
}

fn shown(app: &App) -> String {
    text(&draw(app, &look(), 80, 24).0)
}

fn rows(app: &App) -> Vec<usize> {
    let rows = app.panes().trace.rows().iter();
    rows.map(|seq| seq.index()).collect()
}

#[test]
fn a_stretch_of_it_is_one_row_and_unfolds() {
    let mut app = fresh(80, 24);
    for event in asking() {
        let _ = app.update(Msg::Trace(event));
    }
    let told = story().len();
    let _ = press(&mut app, "7");
    let folded: Vec<usize> = (0..=told).chain([told + 6, told + 7]).collect();
    assert_eq!(rows(&app), folded);
    let seen = shown(&app);
    assert!(seen.contains("6 lines, o unfolds"), "{seen}");
    assert!(seen.contains("2 lines, o unfolds"), "{seen}");
    assert!(seen.contains(" 81 events "), "all are counted: {seen}");

    // What was read is a row of its own, and what the reader stands on stays.
    let _ = press(&mut app, "k k enter");
    assert_eq!(rows(&app), (0..told + 9).collect::<Vec<_>>());
    assert_eq!(app.panes().trace.current(), Some(Seq::at(told)));
    let seen = shown(&app);
    assert!(seen.contains("GET /policy-sets to"), "{seen}");
    let _ = press(&mut app, "j j o");
    assert_eq!(rows(&app), folded);
    assert_eq!(app.panes().trace.current(), Some(Seq::at(told)));

    // A filter folds nothing.
    let _ = press(&mut app, "/ text:policy-sets enter");
    assert_eq!(rows(&app).len(), 4);
    let _ = press(&mut app, "o");
    let told = app.toast().map_or("", |toast| &toast.text);
    assert_eq!(told, "unfold: a filter shows each line as it is");
}

#[test]
fn a_jump_folds_as_the_way_there_does() {
    let mut timeline = Timeline::open(Some(header().started));
    for event in asking() {
        timeline.push(&event, &codec::encode(&event));
    }
    timeline.close();
    let mut app = App::new(AppConfig {
        size: (80, 24),
        replay: Some("story.jsonl".to_owned()),
        ..AppConfig::default()
    });
    let _ = app.update(Msg::Opened(Box::new(Tape {
        timeline,
        title: String::new(),
        growth: Growth::Finished,
        warning: None,
    })));
    let walked = |count: usize| {
        let mut app = fresh(80, 24);
        for event in asking().into_iter().take(count) {
            let _ = app.update(Msg::Trace(event));
        }
        rows(&app)
    };
    let last = asking().len();
    for place in [last, last - 6, last - 1, last - 5, 3, last] {
        let _ = press(&mut app, &format!("T text:#{place} enter"));
        assert_eq!(app.place(), place);
        assert_eq!(rows(&app), walked(place), "at {place}");
    }
    assert_eq!(app.filter_of(PaneId::Trace), "");
}
