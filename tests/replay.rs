//! A recorded trace in the panes: every way to move in it, what it looks like, and its laws.

#[path = "replay/cues.rs"]
mod cues;
#[path = "replay/gone.rs"]
mod gone;
#[path = "replay/laws.rs"]
mod laws;
#[path = "replay/notes.rs"]
mod notes;
#[path = "replay/printed.rs"]
mod printed;
#[path = "replay/refusals.rs"]
mod refusals;
mod screens;

use hoptrail::{
    app::{
        App, AppConfig,
        msg::{InputEvent, MouseAction, Msg},
        player::{Growth, Pace, Speed, Tape},
        target::Target,
        toast::Tone,
    },
    config::Palette,
    projection::{HopKind, Projection, Timeline, Verdict, timeline::Kept},
    trace::{
        TraceEvent, codec,
        reader::{Entry, Item, Reader},
    },
    ui::look::Charset,
};
use screens::{draw, look, look_of, press, shoot, text};

const STORY: &str = "tests/traces/story.jsonl";

fn bytes() -> Vec<u8> {
    std::fs::read(STORY).unwrap()
}

/// Everything that can be read, and how many lines could not.
fn read(bytes: &[u8]) -> Option<(codec::Header, Vec<Entry>, usize)> {
    let (header, mut reader) = Reader::open(bytes).ok()?;
    let (mut entries, mut damaged) = (Vec::new(), 0);
    loop {
        match reader.read_next().unwrap() {
            Item::Event(entry) => entries.push(*entry),
            Item::Damaged(_) => damaged += 1,
            Item::Torn => {
                entries.extend(reader.rest());
                return Some((header, entries, damaged));
            }
            Item::End => return Some((header, entries, damaged)),
        }
    }
}

fn timeline() -> Timeline {
    let (header, entries, _) = read(&bytes()).unwrap();
    let mut timeline = Timeline::open(Some(header.started));
    for entry in &entries {
        timeline.push(&entry.event, &entry.line);
    }
    timeline.close();
    timeline
}

fn opening(width: u16, height: u16) -> App {
    App::new(AppConfig {
        size: (width, height),
        replay: Some("story.jsonl".to_owned()),
        ..AppConfig::default()
    })
}

fn opened(width: u16, height: u16) -> App {
    let mut app = opening(width, height);
    let tape = Tape {
        timeline: timeline(),
        title: "The whole story on the lab".to_owned(),
        growth: Growth::Finished,
        warning: None,
    };
    let _ = app.update(Msg::Opened(Box::new(tape)));
    app
}

fn folded(count: usize) -> Projection {
    let (header, entries, _) = read(&bytes()).unwrap();
    let mut projection = Projection::starting(header.started);
    for entry in entries.iter().take(count) {
        projection.apply_line(&entry.event, &entry.line);
    }
    projection
}

fn tick(app: &mut App, millis: u64) {
    assert!(app.update(Msg::Tick(millis)).is_empty());
}

fn toast(app: &App) -> &str {
    app.toast().map_or("", |toast| &toast.text)
}

#[test]
fn a_replay_begins_before_the_first_event_and_knows_its_length() {
    let app = opened(120, 36);
    assert_eq!(app.place(), 0);
    assert_eq!(app.player().unwrap().timeline().len(), 72);
    assert_eq!(app.player().unwrap().pace(), Pace::Paused);
    assert_eq!(app.title(), "The whole story on the lab");
    assert!(app.next_wake().is_none(), "a paused replay sleeps");
}

#[test]
fn events_hops_calls_and_refusals_can_be_stepped_both_ways() {
    let mut app = opened(120, 36);
    let _ = press(&mut app, ". . .");
    assert_eq!(app.place(), 3);
    let _ = press(&mut app, ",");
    assert_eq!(app.place(), 2);
    assert_eq!(*app.projection(), folded(2));

    let _ = press(&mut app, "0 !");
    let refused = app.place();
    let last = app.projection().hops().rows().iter().rev();
    let refusal = last
        .clone()
        .find(|hop| hop.verdict == Verdict::Denied)
        .unwrap();
    assert_eq!(
        refusal.kind,
        HopKind::Exchange,
        "the 401 that asks for a token is nothing to stop at"
    );
    let _ = press(&mut app, "!");
    assert_eq!(
        app.place(),
        refused,
        "the call that ended by it is the same refusal"
    );
    let _ = press(&mut app, "@");
    assert_eq!(app.place(), refused);
    assert_eq!(toast(&app), "nothing was refused before this");

    let _ = press(&mut app, "0 } }");
    let calls = app.projection().tools().calls();
    assert!(
        calls.iter().all(|call| call.outcome.is_some()),
        "whole calls only"
    );
    let second = app.place();
    let _ = press(&mut app, "} {");
    assert_eq!(app.place(), second);

    let _ = press(&mut app, "0 ]");
    let first = app.place();
    let _ = press(&mut app, "] ] [ [");
    assert_eq!(app.place(), first);
    let _ = press(&mut app, "[");
    assert_eq!(app.place(), 0);
    let _ = press(&mut app, "$");
    assert_eq!(app.place(), 72);
    assert_eq!(*app.projection(), folded(72));
    let _ = press(&mut app, ".");
    assert_eq!(toast(&app), "this is the end");
}

#[test]
fn the_refusal_by_policy_is_said_when_it_is_reached() {
    let mut app = opened(120, 36);
    let _ = press(&mut app, "$ @");
    assert_eq!(
        toast(&app),
        "write refused by limit-linear-scopes: no credential, no call"
    );
    assert_eq!(app.toast().unwrap().tone, Tone::Bad);
}

#[test]
fn playing_keeps_the_recording_s_time_and_shortens_long_gaps() {
    let mut app = opened(120, 36);
    tick(&mut app, 1_000);
    let _ = press(&mut app, "space");
    let mut now = 1_000;
    let mut longest = 0;
    while let Some(wake) = app.next_wake() {
        let due = wake.div_ceil(1_000).max(now);
        longest = longest.max(due - now);
        now = due;
        tick(&mut app, now);
        if app.player().unwrap().pace() == Pace::Paused {
            break;
        }
    }
    assert_eq!(app.place(), 72, "it plays to the end and stops");
    assert!(longest <= 2_001, "{longest}");
    let took = now - 1_000;
    let recorded = app.player().unwrap().timeline().time_at(72) / 1_000;
    assert!(took < recorded, "{took} ms instead of {recorded}");
    assert_eq!(*app.projection(), folded(72));
    let _ = press(&mut app, "space");
    assert_eq!(app.place(), 0, "at the end it begins anew");
}

#[test]
fn speed_goes_from_a_quarter_to_sixteen() {
    let mut app = opened(120, 36);
    let _ = press(&mut app, "> > > > > >");
    assert_eq!(toast(&app), "speed 16×");
    let _ = press(&mut app, "< < < < < < < <");
    assert_eq!(toast(&app), "speed 0.25×");
    assert_ne!(app.player().unwrap().speed(), Speed::default());
}

#[test]
fn a_time_or_an_event_can_be_gone_to() {
    let mut app = opened(120, 36);
    let _ = press(&mut app, "T text:#41 enter");
    assert_eq!(app.place(), 41);
    let _ = press(&mut app, "T text:0:13 enter");
    let timeline = app.player().unwrap().timeline();
    assert!(timeline.time_at(app.place()) <= 13_000_000);
    assert!(timeline.next_us(app.place()).unwrap() > 13_000_000);
    let before = app.place();
    let _ = press(&mut app, "T text:noon enter");
    assert_eq!(app.place(), before);
    assert!(toast(&app).starts_with("that is no place"));
    let click = InputEvent::Mouse {
        action: MouseAction::Click,
        target: Some(Target::Place(7)),
    };
    let _ = app.update(Msg::Input(click));
    assert_eq!(app.place(), 7);
}

#[test]
fn what_would_act_says_that_it_is_a_replay() {
    let mut app = opened(120, 36);
    let _ = press(&mut app, "$");
    for key in ["s", "t", "e", "d", "p", "x", "S", "R"] {
        assert!(press(&mut app, key).is_empty(), "{key}");
        assert!(
            toast(&app).ends_with("this is a replay: nothing is done anew"),
            "{key}: {}",
            toast(&app)
        );
    }
    assert!(press(&mut app, "r").is_empty());
    assert_eq!(toast(&app), "record: this is a recording already");
    let mut live = screens::told(120, 36);
    let _ = press(&mut live, "space");
    assert_eq!(
        toast(&live),
        "play/pause: only in a replay: hoptrail replay FILE"
    );
}

#[test]
fn a_trace_that_grows_pulls_a_cursor_at_its_end_along_and_no_other() {
    let (header, entries, _) = read(&bytes()).unwrap();
    let mut growing = Timeline::open(Some(header.started));
    for entry in &entries[..40] {
        growing.push(&entry.event, &entry.line);
    }
    growing.settle();
    let mut app = opening(120, 36);
    let _ = app.update(Msg::Opened(Box::new(Tape {
        timeline: growing,
        title: "growing".to_owned(),
        growth: Growth::Followed,
        warning: None,
    })));
    assert_eq!(app.place(), 40);
    let more = |from: usize, to: usize| -> Vec<(TraceEvent, Kept)> {
        let entries = entries[from..to].iter();
        entries
            .map(|e| (e.event.clone(), Kept::Line(e.line.clone())))
            .collect()
    };
    let _ = app.update(Msg::Grew(more(40, 50)));
    assert_eq!(*app.projection(), folded(50));
    let _ = press(&mut app, ",");
    let _ = app.update(Msg::Grew(more(50, 72)));
    assert_eq!(app.place(), 49, "who looks back is left alone");
    let _ = press(&mut app, "$");
    assert_eq!(*app.projection(), folded(72));

    let badge = |app: &App| text(&draw(app, &look(), 120, 36).0);
    assert!(badge(&app).contains("REPLAY 72/72 so far"));
    let _ = app.update(Msg::Ended { warning: None });
    assert_eq!(app.player().unwrap().growth(), Growth::Finished);
    assert!(toast(&app).contains("its writer ended"));
    let shown = badge(&app);
    assert!(
        shown.contains("REPLAY 72/72") && !shown.contains("so far"),
        "{shown}"
    );
    let _ = press(&mut app, "0");
    assert_eq!(*app.projection(), folded(0));
}

fn snap(name: &str, app: &App, size: (u16, u16)) {
    let (buffer, _) = draw(app, &look(), size.0, size.1);
    shoot(name, &buffer);
    insta::assert_snapshot!(format!("{name}@{}x{}", size.0, size.1), text(&buffer));
}

#[test]
fn the_timeline_stands_under_the_header() {
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut app = opened(size.0, size.1);
        let _ = press(&mut app, "T text:#41 enter");
        snap("replay", &app, size);
    }
    let mut app = opened(120, 36);
    snap("replay-start", &app, (120, 36));
    let _ = press(&mut app, "> > $ @ v");
    snap("replay-refusal-stage", &app, (120, 36));
    let _ = press(&mut app, "T");
    snap("replay-go-to", &app, (120, 36));
    let mut app = opening(80, 24);
    let _ = app.update(Msg::Opening(41));
    snap("replay-opening", &app, (80, 24));
    let _ = app.update(Msg::Awaited);
    let shown = text(&draw(&app, &look(), 80, 24).0);
    assert!(shown.contains("waiting for story.jsonl"), "{shown}");
    assert!(
        shown.contains("Nobody has written anything to story.jsonl yet"),
        "{shown}"
    );
}

#[test]
fn a_long_name_leaves_the_badge_and_the_rule_in_the_header() {
    use hoptrail::trace::Fact;
    let (header, entries, _) = read(&bytes()).unwrap();
    for (name, user) in [(150, 5), (3, 105), (150, 105), (30, 46)] {
        let mut timeline = Timeline::open(Some(header.started));
        for entry in &entries {
            let mut event = entry.event.clone();
            match &mut event.fact {
                Fact::RunStarted(target) => target.name = "n".repeat(name),
                Fact::AuditRecorded(record) => {
                    if let Some(one) = &mut record.actor.user {
                        one.identifier = "u".repeat(user);
                        one.name = "u".repeat(user);
                    }
                }
                Fact::TokenIssued { token, .. } => {
                    let sub = "u".repeat(user).into();
                    token.claims.insert("sub".to_owned(), sub);
                }
                _ => {}
            }
            timeline.push(&event, &codec::encode(&event));
        }
        timeline.close();
        for (width, height) in [(80, 24), (120, 30)] {
            let mut app = opening(width, height);
            let _ = app.update(Msg::Opened(Box::new(Tape {
                timeline: timeline.clone(),
                title: "A title".to_owned(),
                growth: Growth::Finished,
                warning: None,
            })));
            let _ = press(&mut app, "$");
            let shown = text(&draw(&app, &look(), width, height).0);
            let head = shown.lines().next().unwrap();
            for part in ["hoptrail", "nn", "uu", "RULE ON", "REPLAY 72/72"] {
                assert!(head.contains(part), "{part} in {head:?} of {name}, {user}");
            }
        }
    }
}

#[test]
fn the_timeline_does_without_colour_and_unicode() {
    let mut app = opened(80, 24);
    let _ = press(&mut app, "T text:#41 enter");
    let (buffer, _) = draw(&app, &look_of(Palette::Mono, Charset::Ascii), 80, 24);
    let shown = text(&buffer);
    assert!(shown.is_ascii(), "{shown}");
    insta::assert_snapshot!("replay-ascii@80x24", shown);
}
