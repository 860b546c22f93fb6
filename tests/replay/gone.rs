//! A trace whose lines went away while it is shown.

use std::ops::ControlFlow;

use hoptrail::{
    app::{
        App,
        msg::Msg,
        player::{Growth, Pace, Tape},
        toast::Tone,
    },
    projection::timeline::Kept,
    runtime::replay::{Damage, Place, Source},
};

use super::{bytes, opening, press, read, tick, toast};

/// A replay of a file that was emptied behind its back.
fn emptied(growth: Growth) -> App {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gone.jsonl");
    std::fs::write(&path, bytes()).unwrap();
    let mut source = Source::open(&Place::File(path.clone())).unwrap();
    let mut timeline = source.timeline();
    let whole = source.read_on(
        growth,
        &mut Damage::default(),
        |event, kept| timeline.take(event, kept),
        |_| ControlFlow::Continue(()),
    );
    assert!(whole.unwrap().is_continue());
    timeline.settle();
    let mut app = opening(120, 36);
    let _ = app.update(Msg::Opened(Box::new(Tape {
        timeline,
        title: "gone".to_owned(),
        growth,
        warning: None,
    })));
    std::fs::write(&path, "").unwrap();
    app
}

const GONE: &str = "event 1 cannot be read any more: the file is shorter than it was";

#[test]
fn playing_stops_where_the_trace_cannot_be_read_any_more_and_says_so() {
    let mut app = emptied(Growth::Finished);
    tick(&mut app, 1_000);
    let _ = press(&mut app, "space");
    assert!(matches!(app.player().unwrap().pace(), Pace::Playing { .. }));
    tick(&mut app, 60_000);
    assert_eq!(app.player().unwrap().pace(), Pace::Paused);
    assert_eq!(app.place(), 0);
    assert_eq!(toast(&app), GONE);
    assert_eq!(app.toast().unwrap().tone, Tone::Bad);
    // It is not tried again and again.
    while let Some(wake) = app.next_wake() {
        assert!(app.toast().is_some());
        tick(&mut app, wake.div_ceil(1_000));
    }
    assert_eq!(app.place(), 0);
}

#[test]
fn a_single_step_says_what_cannot_be_read_any_more() {
    let mut app = emptied(Growth::Finished);
    let _ = press(&mut app, ".");
    assert_eq!((app.place(), toast(&app)), (0, GONE));
}

#[test]
fn what_cannot_be_read_any_more_is_not_copied() {
    let mut app = emptied(Growth::Followed);
    let _ = press(&mut app, "7");
    assert_eq!(press(&mut app, "y"), []);
    assert_eq!(toast(&app), "what is selected cannot be read any more");
    assert_eq!(app.toast().unwrap().tone, Tone::Bad);
}

#[test]
fn what_grows_stops_where_it_cannot_be_read_any_more() {
    let mut app = emptied(Growth::Followed);
    assert_eq!(app.place(), 72);
    let (_, entries, _) = read(&bytes()).unwrap();
    let more = entries.iter().map(|e| (e.event.clone(), Kept::At(e.start)));
    let _ = app.update(Msg::Grew(more.take(3).collect()));
    assert_eq!(app.place(), 72);
    assert!(toast(&app).starts_with("event 73 cannot be read any more"));
}
