//! The recording of a stage: from cue to cue by number and title.

use hoptrail::{
    app::{
        App,
        msg::Msg,
        player::{Growth, Tape},
    },
    projection::{Part, Timeline},
    trace::{Actor, TraceEvent, codec, event::Fact},
};

use super::{
    bytes, opening, read,
    screens::{draw, look, press, text},
    snap, toast,
};

/// The sample story as a stage recorded it: each cue, before what it did.
fn staged() -> Vec<TraceEvent> {
    let (_, entries, _) = read(&bytes()).unwrap();
    let cues = [
        (5, 1, "Sign in"),
        (31, 2, "Escalate a ticket"),
        (65, 3, "Now the delete"),
        (72, 3, "Now the delete"),
    ];
    let mut events: Vec<TraceEvent> = entries.into_iter().map(|entry| entry.event).collect();
    for (place, number, title) in cues.into_iter().rev() {
        let at_us = events[place - 1].at_us;
        let fact = Fact::CueBegan {
            number,
            title: title.to_owned(),
        };
        let event = TraceEvent {
            seq: 0,
            at_us,
            span: None,
            call: None,
            actor: Actor::You,
            fact,
        };
        events.insert(place, event);
    }
    for (event, seq) in events.iter_mut().zip(0..) {
        event.seq = seq;
    }
    events
}

fn opened(width: u16, height: u16) -> App {
    let (header, ..) = read(&bytes()).unwrap();
    let mut timeline = Timeline::open(Some(header.started));
    for event in staged() {
        timeline.push(&event, codec::encode(&event).trim_end());
    }
    timeline.close();
    let mut app = opening(width, height);
    let tape = Tape {
        timeline,
        title: "The denial, live".to_owned(),
        growth: Growth::Finished,
        warning: None,
    };
    let _ = app.update(Msg::Opened(Box::new(tape)));
    app
}

#[test]
fn the_cues_can_be_stepped_and_gone_to() {
    let mut app = opened(120, 36);
    let _ = press(&mut app, "'");
    assert_eq!(toast(&app), "cue 1: Sign in");
    let _ = press(&mut app, "' '");
    assert_eq!(toast(&app), "cue 3: Now the delete");
    let third = app.place();
    assert_eq!(app.projection().marks().last().unwrap().part, Part::Cue(3));
    assert_eq!(
        app.projection().tools().calls().len(),
        2,
        "the delete comes next"
    );
    // Tried again, it began twice.
    let _ = press(&mut app, "'");
    assert_eq!(toast(&app), "cue 3: Now the delete");
    assert!(app.place() > third);
    let _ = press(&mut app, "0 T text:cue text:3 enter");
    assert_eq!(app.place(), third, "the first time");
    let _ = press(&mut app, "T text:cue9 enter");
    assert_eq!(toast(&app), "this trace has no mark of cue 9");
    let _ = press(&mut app, "T text:cue enter");
    assert!(toast(&app).contains("ch 7 or cue 3"), "{}", toast(&app));
    let row = text(&draw(&app, &look(), 120, 36).0);
    let row = row.lines().nth(1).unwrap();
    assert!(row.contains('1') && row.contains('2'), "{row}");
}

#[test]
fn the_list_leads_to_a_cue_by_its_title() {
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut app = opened(size.0, size.1);
        let _ = press(&mut app, "L");
        snap("replay-cues", &app, size);
    }
    let mut app = opened(120, 36);
    let _ = press(&mut app, "L j enter");
    assert_eq!(toast(&app), "Escalate a ticket");
}

#[test]
fn a_cue_reads_back_as_it_was_written() {
    for event in staged() {
        let line = codec::encode(&event);
        assert_eq!(codec::decode(line.trim_end(), 1).unwrap(), event);
    }
    let cue = r#"{"seq":0,"at_us":1,"actor":"you","fact":{"cue_began":{"number":3,"title":"x"}}}"#;
    let told = Fact::CueBegan {
        number: 3,
        title: "x".to_owned(),
    };
    assert_eq!(codec::decode(cue, 1).unwrap().fact, told);
}
