//! A recorded trace in the panes: every way to move in it, what it looks like, and its laws.

mod screens;

use hoptrail::{
    app::{
        App, AppConfig,
        effect::Effect,
        msg::{InputEvent, MouseAction, Msg},
        notes::{LandmarkKind, Note, Notes},
        player::{Growth, Pace, Speed, Tape},
        target::Target,
        toast::Tone,
    },
    config::Palette,
    plain::{Color, Glyphs, Style},
    projection::{
        HopKind, Projection, Timeline, Verdict,
        timeline::{Direction, Unit},
    },
    runtime::{
        Output,
        headless::Voices,
        replay::{self, Trace},
    },
    support::error::Failure,
    trace::{
        TraceEvent, codec,
        reader::{Entry, Item, Reader},
    },
    ui::look::Charset,
};
use proptest::prelude::*;
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
    assert!(app.place() > refused);
    let _ = press(&mut app, "@");
    assert_eq!(app.place(), refused);
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
    let more = |from: usize, to: usize| -> Vec<(TraceEvent, String)> {
        let entries = entries[from..to].iter();
        entries.map(|e| (e.event.clone(), e.line.clone())).collect()
    };
    let _ = app.update(Msg::Grew(more(40, 50)));
    assert_eq!(*app.projection(), folded(50));
    let _ = press(&mut app, ",");
    let _ = app.update(Msg::Grew(more(50, 72)));
    assert_eq!(app.place(), 49, "who looks back is left alone");
    let _ = press(&mut app, "$");
    assert_eq!(*app.projection(), folded(72));
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

/// A shipped trace, opened with these notes.
fn shipped(name: &str, notes: Notes) -> App {
    let trace = hoptrail::shipped::by_name(name).unwrap();
    let (header, entries, _) = read(trace.text.as_bytes()).unwrap();
    let mut timeline = Timeline::open(Some(header.started));
    for entry in &entries {
        timeline.push(&entry.event, &entry.line);
    }
    timeline.close();
    let mut app = opening(120, 36);
    let _ = app.update(Msg::Notes(notes));
    let tape = Tape {
        timeline,
        title: header.title.unwrap(),
        growth: Growth::Finished,
        warning: None,
    };
    let _ = app.update(Msg::Opened(Box::new(tape)));
    app
}

#[test]
fn the_marks_of_the_chapters_can_be_stepped_and_gone_to() {
    let mut app = shipped("denial", Notes::kept(Vec::new()));
    let _ = press(&mut app, "'");
    assert!(toast(&app).starts_with("chapter 3: "), "{}", toast(&app));
    let _ = press(&mut app, "' ' '");
    assert!(toast(&app).starts_with("chapter 7: "), "{}", toast(&app));
    let seventh = app.place();
    let _ = press(&mut app, "'");
    assert_eq!(app.place(), seventh);
    assert_eq!(toast(&app), "no part of the story begins after this");
    let _ = press(&mut app, "\"");
    assert!(toast(&app).starts_with("chapter 6: "), "{}", toast(&app));
    let _ = press(&mut app, "0 T text:ch text:7 enter");
    assert_eq!(app.place(), seventh);
    let _ = press(&mut app, "T text:ch5 enter");
    assert_eq!(toast(&app), "this trace has no mark of chapter 5");
    assert_eq!(app.place(), seventh);
    let (buffer, _) = draw(&app, &look(), 120, 36);
    let row = text(&buffer).lines().nth(1).unwrap().to_owned();
    for chapter in ["3", "4", "6"] {
        assert!(row.contains(chapter), "{row}");
    }
}

#[test]
fn a_place_is_bookmarked_noted_listed_and_gone_back_to() {
    let mut app = shipped("denial", Notes::kept(Vec::new()));
    let effects = press(&mut app, "! b");
    let refused = app.place();
    let bookmark = Note {
        place: refused,
        text: String::new(),
    };
    assert_eq!(effects, [Effect::SaveNotes(vec![bookmark.clone()])]);
    let effects = press(&mut app, "0 ] W text:first enter");
    let note = Note {
        place: app.place(),
        text: "first".to_owned(),
    };
    assert_eq!(effects, [Effect::SaveNotes(vec![note.clone(), bookmark])]);
    let kinds: Vec<_> = app.landmarks().iter().map(|mark| mark.kind).collect();
    assert_eq!(
        kinds
            .iter()
            .filter(|k| **k == LandmarkKind::Bookmark)
            .count(),
        2
    );
    assert_eq!(kinds.len(), 6);
    let _ = press(&mut app, "L G enter");
    assert_eq!(app.place(), refused);
    let effects = press(&mut app, "b");
    assert_eq!(effects, [Effect::SaveNotes(vec![note])]);
    assert_eq!(toast(&app), "the bookmark is gone");
}

#[test]
fn the_list_of_marks_and_notes_says_when_and_what() {
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut app = opened(size.0, size.1);
        let note = |place, text: &str| Note {
            place,
            text: text.to_owned(),
        };
        let notes = Notes::kept(vec![note(41, "the ticket is read"), note(12, "")]);
        let _ = app.update(Msg::Notes(notes));
        let _ = press(&mut app, "L");
        snap("replay-places", &app, size);
    }
}

#[test]
fn a_note_is_changed_and_only_removed_by_leaving_no_words() {
    let kept = vec![Note {
        place: 0,
        text: "look".to_owned(),
    }];
    let mut app = shipped("denial", Notes::kept(kept));
    assert_eq!(press(&mut app, "b"), [], "one key does not lose words");
    assert!(
        toast(&app).contains("there is a note here"),
        "{}",
        toast(&app)
    );
    let effects = press(&mut app, "W text:s enter");
    let Some(Effect::SaveNotes(notes)) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(notes[0].text, "looks");
    let effects = press(&mut app, "W ctrl-u enter");
    assert_eq!(effects, [Effect::SaveNotes(Vec::new())]);
    assert_eq!(press(&mut app, "W esc"), []);
}

#[test]
fn notes_that_cannot_be_read_are_not_written_over() {
    let why = "The notes in x cannot be read".to_owned();
    let mut app = shipped("denial", Notes::Unusable(why));
    assert_eq!(press(&mut app, "b W"), []);
    assert!(toast(&app).contains("cannot be read"), "{}", toast(&app));
    assert!(app.overlays().is_empty());
}

#[test]
fn without_a_trace_one_is_chosen_from_the_list() {
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut app = App::new(AppConfig {
            size,
            replay: Some(String::new()),
            ..AppConfig::default()
        });
        snap("replay-choose", &app, size);
        assert_eq!(press(&mut app.clone(), "esc"), [Effect::Quit]);
        let denial = hoptrail::shipped::by_name("denial").unwrap();
        let down = "j ".repeat(4);
        let effects = press(&mut app, &format!("{down} enter"));
        assert_eq!(effects, [Effect::OpenShipped(denial)]);
        let (buffer, _) = draw(&app, &look(), size.0, size.1);
        assert!(text(&buffer).contains("reading denial"));
    }
}

fn printed(path: &str, output: Output) -> (Result<(), Failure>, String, String) {
    let trace = Trace {
        place: replay::Place::File(path.into()),
        growth: Growth::Finished,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let voices = Voices {
        out: &mut out,
        err: &mut err,
    };
    let ended = replay::print(&trace, output, None, voices).map(|_| ());
    let words = |bytes| String::from_utf8(bytes).unwrap();
    (ended, words(out), words(err))
}

const PLAIN: Output = Output::Plain(Style {
    color: Color::Never,
    glyphs: Glyphs::Unicode,
    width: None,
});

#[test]
fn printed_as_json_a_trace_is_the_file_byte_for_byte() {
    let (ended, out, err) = printed(STORY, Output::Json);
    ended.unwrap();
    assert_eq!(out.as_bytes(), bytes());
    assert_eq!(err, "");
}

#[test]
fn recording_a_replay_reproduces_the_file_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.jsonl");
    let trace = Trace {
        place: replay::Place::File(STORY.into()),
        growth: Growth::Finished,
    };
    let voices = Voices {
        out: &mut Vec::new(),
        err: &mut Vec::new(),
    };
    replay::print(&trace, PLAIN, Some(&copy), voices).unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), bytes());
}

#[test]
fn printed_in_words_a_trace_tells_the_story_and_names_its_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("damaged.jsonl");
    let mut text = String::from_utf8(bytes()).unwrap();
    text.insert_str(text.find('\n').unwrap() + 1, "{\"seq\":oops}\n");
    text.push_str("{\"seq\":72,\"at");
    std::fs::write(&path, text).unwrap();
    let (ended, out, err) = printed(path.to_str().unwrap(), PLAIN);
    ended.unwrap();
    assert!(out.contains("limit-linear-scopes"), "{out}");
    assert_eq!(
        err,
        "hoptrail: skipped: line 2, column 8: expected value\n\
         hoptrail: the file ends within a line; what is whole was read\n"
    );
}

#[test]
fn what_is_no_trace_fails_in_three_parts() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let (ended, _, _) = printed(path.to_str().unwrap(), PLAIN);
        ended.unwrap_err()
    };
    let failure = refused("empty", b"");
    assert!(failure.what.ends_with("empty cannot be replayed"));
    assert_eq!(failure.why, "the file is empty");
    let failure = refused("picture", b"\x89PNG\r\n\x1a\n");
    assert!(
        failure
            .why
            .starts_with("line 1 is not a hoptrail trace header")
    );
    let text = String::from_utf8(bytes()).unwrap();
    let failure = refused(
        "newer",
        text.replacen("\"version\":1", "\"version\":2", 1)
            .as_bytes(),
    );
    assert_eq!(
        failure.why,
        "the trace has format version 2; this hoptrail reads up to 1"
    );
    assert!(failure.next.contains("or a newer one"));
    let (ended, _, _) = printed(dir.path().to_str().unwrap(), PLAIN);
    assert!(ended.unwrap_err().what.ends_with("cannot be read"));
}

/// A timeline with checkpoints: the story over and over.
fn long() -> (Timeline, Vec<Entry>) {
    let (header, entries, _) = read(&bytes()).unwrap();
    let mut all = Vec::new();
    let mut timeline = Timeline::open(Some(header.started));
    for round in 0..15_u64 {
        for entry in &entries {
            let mut event = entry.event.clone();
            event.at_us += round * 17_000_000;
            event.seq += round * 72;
            let line = codec::encode(&event).trim_end().to_owned();
            timeline.push(&event, &line);
            let start = 0;
            all.push(Entry { event, line, start });
        }
    }
    timeline.close();
    (timeline, all)
}

#[test]
fn a_place_is_the_same_whatever_way_led_there() {
    let (timeline, entries) = long();
    let started = screens::header().started;
    let mut straight = Vec::new();
    let mut projection = Projection::starting(started);
    straight.push(projection.clone());
    for entry in &entries {
        projection.apply_line(&entry.event, &entry.line);
        straight.push(projection.clone());
    }
    let runner = &mut proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
    let places = proptest::collection::vec(0..=entries.len(), 1..6);
    runner
        .run(&places, |places| {
            let mut here = timeline.at(places[0]);
            for place in places {
                timeline.bring(&mut here, place).unwrap();
                prop_assert!(here == straight[place], "at {place}");
                // A step forward is undone by a step back.
                if let Some(next) = timeline.step(place, Unit::Event, Direction::Forward) {
                    timeline.bring(&mut here, next).unwrap();
                    let back = timeline.step(next, Unit::Event, Direction::Back).unwrap();
                    timeline.bring(&mut here, back).unwrap();
                    prop_assert!(here == straight[place], "back at {place}");
                }
                for unit in [Unit::Hop, Unit::Call, Unit::Refusal] {
                    if let Some(next) = timeline.step(place, unit, Direction::Forward) {
                        prop_assert!(next > place);
                    }
                    if let Some(before) = timeline.step(place, unit, Direction::Back) {
                        prop_assert!(before < place);
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_file_cut_at_any_byte_opens_with_what_is_whole() {
    let bytes = bytes();
    let (_, all, _) = read(&bytes).unwrap();
    let header = bytes.iter().position(|b| *b == b'\n').unwrap();
    // Every byte around the ends of lines, and some of all others.
    let near = |cut: usize| {
        let from = cut.saturating_sub(2);
        bytes[from..(cut + 2).min(bytes.len())].contains(&b'\n')
    };
    for cut in (0..=bytes.len()).filter(|cut| *cut < 300 || near(*cut) || cut % 211 == 0) {
        let whole = bytes[..cut]
            .iter()
            .enumerate()
            .skip(header + 1)
            .filter(|(_, b)| **b == b'\n')
            .count();
        match read(&bytes[..cut]) {
            None => assert!(cut < header, "cut at {cut}"),
            Some((_, entries, damaged)) => {
                assert_eq!(damaged, 0, "cut at {cut}");
                // An event is whole without its line feed, too.
                assert!(entries.len() == whole || entries.len() == whole + 1);
                assert_eq!(entries, all[..entries.len()], "cut at {cut}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_damage_panics_or_takes_more_than_its_own_lines(
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = bytes();
        let (_, all, _) = read(&bytes).unwrap();
        for (place, byte) in &flips {
            let at = place.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some((header, entries, _)) = read(&bytes) {
            prop_assert!(entries.len() + flips.len() * 2 >= all.len());
            let mut timeline = Timeline::open(Some(header.started));
            for entry in &entries {
                timeline.push(&entry.event, &entry.line);
            }
            timeline.close();
            let mut app = opening(80, 24);
            let _ = app.update(Msg::Opened(Box::new(Tape {
                timeline,
                title: String::new(),
                growth: Growth::Finished,
                warning: None,
            })));
            let _ = press(&mut app, "$ 1");
            let _ = draw(&app, &look(), 80, 24);
            let _ = press(&mut app, "0 ] } ! 7 .");
            let _ = draw(&app, &look(), 80, 24);
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_without_a_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let mut bytes = codec::encode_header(&screens::header()).into_bytes();
        bytes.extend_from_slice(&tail);
        let _ = read(&bytes);
        let _ = read(&tail);
    }
}
