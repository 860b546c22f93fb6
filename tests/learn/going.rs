//! Going through the chapters: where one is, what a start finds again, and what cannot be done.

use hoptrail::{
    app::{
        App, AppConfig,
        command::{COMMANDS, Group},
        learn::{Ground, Keeping, LearnConfig},
        msg::{Msg, Signal},
        player::{Growth, Tape},
    },
    chapters::{Book, Progress, Status},
    projection::Timeline,
    support::error::{Exit, Failure},
};

use super::*;

#[test]
fn the_place_in_the_text_outlives_another_chapter_and_another_width() {
    let mut app = learning("open-door", 0, (80, 24));
    let _ = seen(&mut app, (80, 24));
    let _ = press(&mut app, "pgdn j j");
    let page = shown(&mut app, (80, 24));
    let line = page.lines().nth(2).unwrap().trim().to_owned();
    assert!(!line.is_empty() || page.contains("Steps"));
    let before = app.learn().unwrap().place().anchor;
    let _ = press(&mut app, "J enter");
    let _ = seen(&mut app, (80, 24));
    let _ = press(&mut app, "K");
    let _ = seen(&mut app, (80, 24));
    assert_eq!(app.learn().unwrap().place().anchor, before);
    let _ = seen(&mut app, (120, 36));
    assert_eq!(app.learn().unwrap().place().anchor.heading, before.heading);
}

#[test]
fn space_turns_the_page_as_in_any_pager() {
    let mut app = learning("open-door", 0, (80, 24));
    let _ = seen(&mut app, (80, 24));
    let mut other = app.clone();
    let _ = press(&mut app, "space");
    let _ = press(&mut other, "pgdn");
    assert_eq!(shown(&mut app, (80, 24)), shown(&mut other, (80, 24)));
    assert!(
        app.learn().unwrap().place() != learning("open-door", 0, (80, 24)).learn().unwrap().place()
    );
}

#[test]
fn a_start_goes_on_where_the_reader_stopped() {
    let mut app = learning("open-door", 0, (80, 24));
    let _ = press(&mut app, "J enter pgdn");
    let _ = seen(&mut app, (80, 24));
    let place = app.learn().unwrap().place().anchor;
    let effects = app.update(Msg::Signal(Signal::Terminate));
    assert!(matches!(
        effects[..],
        [Effect::KeepProgress(_), Effect::Quit]
    ));
    let text = kept(&effects).unwrap().to_toml();
    let progress = Progress::parse(&text, "chapters.toml").unwrap();
    let at = progress.place.clone().unwrap().chapter;
    let mut again = learning_from(progress, Some(&at), (80, 24));
    let _ = seen(&mut again, (80, 24));
    let learn = again.learn().unwrap();
    assert_eq!(learn.chapter().id, "your-zone");
    assert_eq!(learn.place().anchor, place);
}

#[test]
fn another_book_keeps_the_reader_and_one_that_cannot_be_read_changes_nothing() {
    let size = (80, 24);
    let mut app = learning("lock", 2, size);
    let files = hoptrail::chapters::embed::FILES.map(|(file, text)| {
        (
            file,
            text.replace("Now the server learns to say no", "Now it says no"),
        )
    });
    let book = Book::parse(files.iter().map(|(file, text)| (*file, text.as_str()))).unwrap();
    let _ = app.update(Msg::Book(Box::new(book)));
    let page = shown(&mut app, size);
    assert!(page.contains("Now it says no"), "{page}");
    assert_eq!(app.learn().unwrap().chapter().id, "lock");
    let failure = Failure::new(
        Exit::Usage,
        "The chapters cannot be read",
        "x.md:1:1",
        "correct",
    );
    let _ = app.update(Msg::BookUnreadable(failure));
    let page = shown(&mut app, size);
    assert!(page.contains("The chapters cannot be read"), "{page}");
    let _ = press(&mut app, "esc");
    assert!(shown(&mut app, size).contains("Now it says no"));
    // Mended, the window that told of it is gone.
    let failure = Failure::new(Exit::Usage, "The chapters cannot be read", "x", "correct");
    let _ = app.update(Msg::BookUnreadable(failure));
    assert_eq!(app.overlays().len(), 1);
    let _ = app.update(Msg::Book(Box::new(self::book())));
    assert!(app.overlays().is_empty(), "{:?}", app.overlays());
}

#[test]
fn a_replay_is_judged_too_and_is_nobodys_progress() {
    let mut timeline = Timeline::open(Some(header().started));
    for event in story() {
        let line = hoptrail::trace::codec::encode(&event);
        timeline.push(&event, line.trim_end());
    }
    timeline.close();
    let mut app = App::new(AppConfig {
        started: Some(header().started),
        replay: Some("story".to_owned()),
        learn: Some(LearnConfig {
            book: book(),
            progress: Progress::default(),
            at: None,
            keeping: Keeping::Off,
            ground: Ground::Lab,
            follows: false,
        }),
        ..AppConfig::default()
    });
    let _ = app.update(Msg::Opened(Box::new(Tape {
        timeline,
        title: "story".to_owned(),
        growth: Growth::Finished,
        warning: None,
    })));
    let _ = press(&mut app, "8 J J J");
    assert_eq!(app.learn().unwrap().chapter().id, "sign-in");
    assert!(matches!(status(&app, "trail"), Status::Pending { .. }));
    let effects = press(&mut app, "$");
    assert_eq!(kept(&effects), None);
    let _ = app.update(Msg::Tick(1_000));
    let now = status(&app, "trail");
    assert!(
        matches!(now, Status::Passed { .. }),
        "{now:?} at {}",
        app.place()
    );
    let _ = press(&mut app, "0");
    let _ = app.update(Msg::Tick(2_000));
    assert!(matches!(status(&app, "trail"), Status::Pending { .. }));
    assert_eq!(jobs(&press(&mut app, "E c Z B e")), []);
    assert_eq!(kept(&press(&mut app, "q")), None);
}

#[test]
fn in_a_chapter_nobody_needs_to_be_signed_in_to_be_refused() {
    let mut app = learning("lock", 2, (80, 24));
    let effects = press(&mut app, "t");
    assert_eq!(jobs(&effects).len(), 2);
}

#[test]
fn every_command_of_the_chapters_says_why_it_cannot_be_done() {
    let mut app = learning_from(Progress::default(), None, (80, 24));
    for spec in COMMANDS.iter().filter(|spec| spec.group == Group::Chapters) {
        let _ = app.perform(spec.command);
        let said = app.toast().is_some() || !app.overlays().is_empty();
        assert!(said || app.focus().pane == PaneId::Chapter, "{}", spec.name);
        let _ = press(&mut app, "esc 8 8");
    }
}

#[test]
fn the_consoles_work_leaves_the_reader_where_they_are_until_it_is_done() {
    let size = (80, 24);
    let mut app = learning("limit", 6, size);
    let _ = shown(&mut app, size);
    let opened = press(&mut app, "Z");
    let step = |title: &str| Step {
        title: title.to_owned(),
        part: Part::Policy,
        form: vec![Field::new(
            "text",
            Kind::Lines,
            "forbid (\n    principal\n);",
        )],
        taken: None,
    };
    let _ = app.update(Msg::ConsoleWork(Work {
        chapter: 7,
        steps: vec![step("Write the policy"), step("Activate it")],
    }));
    let _ = app.update(Msg::Task(task(&opened), TaskOutcome::Done));
    let page = shown(&mut app, size);
    for line in ["      forbid (", "          principal", "      );"] {
        assert!(page.contains(line), "the whole text is there: {page}");
    }
    let before = app.learn().unwrap().place();
    let take = |app: &mut App, place| {
        let started = press(app, "enter");
        let told = "made: a thing".to_owned();
        let chapter = 7;
        let _ = app.update(Msg::StepTaken {
            chapter,
            place,
            told,
            again: Vec::new(),
        });
        jobs(&app.update(Msg::Task(task(&started), TaskOutcome::Done)))
    };
    let after = take(&mut app, 0);
    assert_eq!(after, [], "this chapter leaves asking to the reader");
    let _ = shown(&mut app, size);
    assert_eq!(app.learn().unwrap().place(), before);
    let _ = take(&mut app, 1);
    let selected = app.learn().unwrap().selected();
    assert_eq!(selected, Some(Item::Check(0)), "what it was for");
}

#[test]
fn who_begins_a_chapter_before_the_sign_in_again_is_signed_out_and_lists_the_tools_anew() {
    let mut app = told("open-door", 7, (80, 24));
    assert!(app.projection().identity().user().is_some());
    let started = press(&mut app, "B enter");
    let ended = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    assert!(jobs(&ended).contains(&Job::SignOut), "{ended:?}");
    let mut out = story()[0].clone();
    out.seq = story().len() as u64 + 2;
    out.fact = Fact::SignedOut;
    let _ = app.update(Msg::Trace(out));
    for effect in ended {
        if let Effect::Run(id, _) = effect {
            let _ = app.update(Msg::Task(id, TaskOutcome::Done));
        }
    }
    let _ = press(&mut app, "esc");
    let listing = jobs(&press(&mut app, "t"));
    assert_eq!(listing.first(), Some(&Job::ListTools), "{listing:?}");

    // Further on a sign-in is kept.
    let mut app = told("in-your-name", 7, (80, 24));
    let started = press(&mut app, "B enter");
    let ended = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    assert!(!jobs(&ended).contains(&Job::SignOut), "{ended:?}");
}

#[test]
fn a_chapter_that_is_begun_again_takes_nothing_from_the_one_that_was_opened_meanwhile() {
    let mut app = learning("open-door", 0, (80, 24));
    let _ = press(&mut app, "J enter");
    let started = press(&mut app, "B enter");
    assert_eq!(jobs(&started), [again(0, "your-zone")]);
    let _ = press(&mut app, "K");
    let effects = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let progress = kept(&effects).expect("what was begun again is kept");
    let book = app.learn().unwrap().book();
    assert_eq!(
        progress.standing(book.number(0).unwrap()),
        ChapterState::Skipped
    );
}
