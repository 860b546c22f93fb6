//! Marks, bookmarks and notes of a trace, and the list of the traces that come along.

use hoptrail::{
    app::{
        App, AppConfig,
        effect::Effect,
        msg::Msg,
        notes::{LandmarkKind, Note, Notes},
        overlay::Overlay,
        player::{Growth, Tape},
    },
    projection::Timeline,
    support::error::{Exit, Failure},
};

use super::{
    opened, opening, read,
    screens::{draw, look, press, text},
    snap, toast,
};

/// A shipped trace, opened with these notes.
pub(super) fn shipped(name: &str, notes: Notes) -> App {
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
fn a_note_stays_where_it_was_begun_while_the_replay_goes_on() {
    let mut app = shipped("denial", Notes::kept(Vec::new()));
    let _ = press(&mut app, "0 ] space W");
    let begun = app.place();
    for second in 1..20 {
        let _ = app.update(Msg::Tick(second * 1_000));
    }
    assert!(app.place() > begun, "it plays");
    let effects = press(&mut app, "text:here enter");
    let Some(Effect::SaveNotes(notes)) = effects.first() else {
        panic!("{effects:?}");
    };
    assert_eq!(notes[0].place, begun);
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
fn a_note_is_told_where_one_steps_on_it_and_whole_in_the_list() {
    let long = format!("here the key is {} and that is the end", "used ".repeat(60));
    let note = |place, text: &str| Note {
        place,
        text: text.to_owned(),
    };
    let notes = vec![note(4, &long), note(6, "")];
    let mut app = shipped("denial", Notes::kept(notes));
    for (keys, told) in [
        (". . . .", "note: here the key is used"),
        (". .", "a bookmark"),
        (", ,", "note: here the key is used"),
        ("0 T text:#6 enter", "a bookmark"),
        ("L enter", "a bookmark"),
    ] {
        let _ = press(&mut app, keys);
        assert!(toast(&app).starts_with(told), "{keys}: {}", toast(&app));
    }
    let _ = press(&mut app, "0 space");
    let mut heard = Vec::new();
    for tenth in 0..600 {
        let _ = app.update(Msg::Tick(tenth * 10));
        heard.push(toast(&app).to_owned());
    }
    assert!(heard.iter().any(|said| said == "a bookmark"));
    for size in [(80, 24), (120, 36), (200, 60)] {
        let mut app = app.clone();
        let _ = app.update(Msg::Resized(size.0, size.1));
        let _ = press(&mut app, "0 . . . .");
        let footer = text(&draw(&app, &look(), size.0, size.1).0);
        let footer = footer.lines().last().unwrap().to_owned();
        assert!(footer.contains("note: here"), "{footer}");
        assert!(footer.contains('…'), "{footer}");
        let _ = press(&mut app, "L");
        snap("replay-long-note", &app, size);
        let seen = text(&draw(&app, &look(), size.0, size.1).0);
        assert!(seen.contains("that is the end"), "{seen}");
    }
}

#[test]
fn what_could_not_be_written_is_not_said_to_be_noted() {
    let mut app = shipped("denial", Notes::kept(Vec::new()));
    let _ = press(&mut app, "0 ] W text:here enter");
    assert_eq!(toast(&app), "noted");
    let failure = Failure::new(Exit::Failed, "The notes could not be written", "x", "y");
    let _ = app.update(Msg::NotesNotKept(failure));
    assert_eq!(toast(&app), "not written: it is kept until you quit");
    assert!(matches!(app.overlays(), [Overlay::Failure { .. }]));
    let _ = press(&mut app, "esc W ctrl-u text:👩\u{200d}🏫 enter");
    assert_eq!(app.notes().all()[0].text, "👩\u{200d}🏫");
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
