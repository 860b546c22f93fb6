//! The chapters on the screen: what their keys do, and what is drawn, at three sizes.

#[path = "learn/form.rs"]
mod form;
#[path = "learn/going.rs"]
mod going;
#[path = "learn/now.rs"]
mod now;
#[path = "learn/order.rs"]
mod order;
#[path = "learn/reading.rs"]
mod reading;
mod screens;

use hoptrail::{
    app::{
        App, AppConfig,
        effect::{Effect, Job},
        focus::{Layout, PaneId},
        learn::{
            Ground, InView, Item, Keeping, Lab, LearnConfig,
            console::{
                Part, Step, Work,
                form::{Field, Kind},
            },
            moved::HopChanges,
        },
        msg::{Msg, TaskId, TaskOutcome},
        overlay::Overlay,
    },
    chapters::{Book, ProbeResults, Progress, Reading, Status, progress::ChapterState},
    trace::{TraceEvent, event::Fact},
};
use ratatui::buffer::Buffer;
use rstest::rstest;
use screens::{draw, header, look, press, shoot, story, styled_dump, text};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn book() -> Book {
    Book::embedded().unwrap()
}

fn learning_from(progress: Progress, at: Option<&str>, size: (u16, u16)) -> App {
    App::new(AppConfig {
        size,
        started: Some(header().started),
        learn: Some(LearnConfig {
            book: book(),
            progress,
            at: at.map(str::to_owned),
            keeping: Keeping::On,
            ground: Ground::Lab,
            follows: false,
        }),
        ..AppConfig::default()
    })
}

/// An app with a chapter open, on a lab that is at the end of chapter `lab`.
fn learning(at: &str, lab: u8, size: (u16, u16)) -> App {
    let mut app = learning_from(Progress::default(), Some(at), size);
    let mut first = story()[0].clone();
    let _ = app.update(Msg::Trace(first.clone()));
    first.seq = 1;
    first.fact = Fact::LabMoved { chapter: lab };
    let _ = app.update(Msg::Trace(first));
    app
}

/// The same after the whole story was seen.
fn told(at: &str, lab: u8, size: (u16, u16)) -> App {
    let mut app = learning(at, lab, size);
    for event in story() {
        let _ = app.update(Msg::Trace(event));
    }
    let _ = app.update(Msg::Tick(60_000));
    app
}

/// Draws, and lets the app know where the reader is, as the loop does.
fn seen(app: &mut App, size: (u16, u16)) -> Buffer {
    let (buffer, hits) = draw(app, &look(), size.0, size.1);
    app.settle(&hits.extents);
    buffer
}

fn shown(app: &mut App, size: (u16, u16)) -> String {
    text(&seen(app, size))
}

fn snap(name: &str, app: &mut App, size: (u16, u16)) {
    let buffer = seen(app, size);
    shoot(name, &buffer);
    insta::assert_snapshot!(format!("{name}@{}x{}", size.0, size.1), text(&buffer));
}

fn jobs(effects: &[Effect]) -> Vec<Job> {
    let job = |effect: &Effect| match effect {
        Effect::Run(_, job) => Some(job.clone()),
        _ => None,
    };
    effects.iter().filter_map(job).collect()
}

fn task(effects: &[Effect]) -> TaskId {
    let id = |effect: &Effect| match effect {
        Effect::Run(id, _) => Some(*id),
        _ => None,
    };
    effects.iter().find_map(id).expect("a task was started")
}

fn kept(effects: &[Effect]) -> Option<Progress> {
    effects.iter().find_map(|effect| match effect {
        Effect::KeepProgress(progress) => Some((**progress).clone()),
        _ => None,
    })
}

fn status<'a>(app: &'a App, check: &str) -> &'a Status {
    let learn = app.learn().unwrap();
    let place = |id: &str| learn.chapter().checks.iter().position(|c| c.id == id);
    learn.shown(place(check).unwrap()).unwrap().status
}

fn toast(app: &App) -> &str {
    app.toast().map_or("", |toast| &toast.text)
}

#[test]
fn a_chapter_is_read_beside_the_pane_that_it_speaks_of() {
    for size in SIZES {
        snap("chapter", &mut learning("open-door", 0, size), size);
    }
    for size in SIZES {
        let mut app = told("limit", 7, size);
        let _ = press(&mut app, "pgdn pgdn pgdn");
        snap("chapter-checks", &mut app, size);
    }
    let size = (120, 36);
    let mut app = told("limit", 7, size);
    let _ = press(&mut app, "pgdn pgdn pgdn");
    insta::assert_snapshot!("chapter-styles", styled_dump(&seen(&mut app, size)));
}

#[test]
fn tables_code_and_the_folded_answer_are_drawn() {
    let size = (80, 24);
    let mut app = learning("your-zone", 0, size);
    let _ = press(&mut app, "pgdn pgdn");
    snap("chapter-table", &mut app, size);
    let mut app = learning("lock", 2, size);
    assert!(!shown(&mut app, size).contains("Because it may be meant"));
    let _ = press(&mut app, "a");
    snap("chapter-answer", &mut app, size);
    let _ = press(&mut app, "a");
    let page = shown(&mut app, size);
    assert!(page.contains("think first"), "{page}");
}

#[test]
fn the_contents_tell_how_far_one_is() {
    let size = (80, 24);
    let mut app = told("limit", 7, size);
    let _ = press(&mut app, "C");
    snap("contents", &mut app, size);
    let _ = press(&mut app, "k k k k enter");
    assert_eq!(app.learn().unwrap().chapter().id, "sign-in");
    assert!(app.overlays().is_empty());
}

#[test]
fn the_way_into_the_chapters_stands_on_the_first_screen() {
    let size = (80, 24);
    let mut app = learning_from(Progress::default(), None, size);
    let first = shown(&mut app, size);
    assert!(first.contains("8  or learn it"), "{first}");
    assert_eq!(app.focus().layout, Layout::Explore);
    let _ = press(&mut app, "8");
    assert_eq!(app.focus().pane, PaneId::Chapter);
    assert_eq!(app.learn().unwrap().chapter().id, "open-door");
    let _ = press(&mut app, "8");
    assert_eq!(app.focus().layout, Layout::Explore);
}

#[test]
fn digits_and_tab_go_between_the_chapter_and_what_stands_beside_it() {
    let mut app = learning("open-door", 0, (120, 36));
    assert_eq!(app.focus().beside(), PaneId::Issue);
    let _ = press(&mut app, "tab");
    assert_eq!(app.focus().pane, PaneId::Issue);
    let _ = press(&mut app, "tab 2 tab");
    assert_eq!(app.focus().pane, PaneId::Audit);
    assert_eq!(app.focus().layout, Layout::Learn);
    let _ = press(&mut app, "v v");
    assert_eq!(app.focus().layout, Layout::Learn);
    let _ = press(&mut app, "8");
    assert_eq!(app.focus().pane, PaneId::Chapter);
    assert_eq!(app.focus().beside(), PaneId::Audit);
}

#[test]
fn the_checks_are_judged_as_facts_arrive_and_what_passed_is_kept() {
    let mut app = learning("sign-in", 7, (80, 24));
    let mut progress = None;
    for event in story() {
        let effects = app.update(Msg::Trace(event));
        progress = kept(&effects).or(progress);
    }
    let effects = app.update(Msg::Tick(60_000));
    let progress = kept(&effects).or(progress).expect("something passed");
    assert!(matches!(status(&app, "trail"), Status::Passed { .. }));
    let chapter = app.learn().unwrap().chapter();
    assert!(progress.passed(chapter, "trail").is_some());
    assert_eq!(
        progress.place.expect("a place").chapter,
        "sign-in",
        "the next start goes on there"
    );
}

#[test]
fn nothing_is_judged_while_no_chapter_is_open_and_nothing_wakes_the_processor() {
    let mut app = learning_from(Progress::default(), None, (80, 24));
    for event in story() {
        assert_eq!(kept(&app.update(Msg::Trace(event))), None);
    }
    assert_eq!(app.learn().unwrap().tally().0, 0);
    assert_eq!(app.next_wake(), None);
    let mut app = told("sign-in", 7, (80, 24));
    let _ = app.update(Msg::Tick(120_000));
    assert_eq!(app.next_wake(), None, "all was judged");
}

#[test]
fn what_fails_because_the_lab_is_elsewhere_waits() {
    let app = told("open-door", 7, (80, 24));
    assert_eq!(app.lab(), Lab::Beyond);
    let Status::Pending { waiting_for } = status(&app, "not-you") else {
        panic!("{:?}", status(&app, "not-you"));
    };
    assert!(waiting_for.contains("further on"), "{waiting_for}");
    assert_eq!(
        hoptrail::app::story::next(&app).text,
        "bring the lab back to this chapter"
    );
}

#[test]
fn a_failed_check_says_why_and_what_to_do() {
    let size = (80, 24);
    // The finished story is not what chapter 0 is about.
    let mut app = told("open-door", 0, size);
    assert!(matches!(status(&app, "not-you"), Status::Failed { .. }));
    let _ = press(&mut app, "l l l l l l l l");
    snap("chapter-failed", &mut app, size);
}

#[test]
fn hints_come_one_at_a_time_and_then_there_are_no_more() {
    let size = (80, 24);
    let mut app = learning("open-door", 0, size);
    let first = "List the tickets before you sign in";
    let second = "If you are signed in, sign out first";
    let _ = press(&mut app, "i");
    let page = shown(&mut app, size);
    assert!(page.contains(first) && !page.contains(second), "{page}");
    let _ = press(&mut app, "i");
    assert!(shown(&mut app, size).contains(second));
    let _ = press(&mut app, "i");
    assert!(toast(&app).contains("no more hints"), "{}", toast(&app));
}

#[test]
fn enter_on_a_check_goes_to_what_it_saw_and_then_to_the_next_of_it() {
    let mut app = told("limit", 7, (120, 36));
    let learn = app.learn().unwrap();
    let check = learn
        .chapter()
        .checks
        .iter()
        .position(|c| c.id == "escalation-green");
    let items = learn.items();
    let at = items
        .iter()
        .position(|i| *i == Item::Check(check.unwrap()))
        .unwrap();
    let _ = press(&mut app, &"l ".repeat(at));
    let _ = press(&mut app, "enter");
    assert_ne!(app.focus().pane, PaneId::Chapter);
    let first = toast(&app).to_owned();
    assert!(first.starts_with("1 of"), "{first}");
    let _ = press(&mut app, "8 enter");
    assert!(toast(&app).starts_with("2 of"), "{}", toast(&app));
}

#[test]
fn enter_first_goes_to_an_item_that_is_out_of_view() {
    let size = (80, 24);
    let mut app = learning("open-door", 0, size);
    let _ = seen(&mut app, size);
    assert_eq!(app.learn().unwrap().place().seen, InView::No);
    assert_eq!(app.item_label(), Some("to the selected step"));
    assert_eq!(jobs(&press(&mut app, "enter")), []);
    let page = shown(&mut app, size);
    assert!(page.contains("list the open tickets"), "{page}");
    assert_eq!(
        jobs(&press(&mut app, "enter")).len(),
        2,
        "tools and tickets"
    );
}

fn again(lab: u8, chapter: &str) -> Job {
    let chapter = chapter.to_owned();
    Job::BeginAgain { lab, chapter }
}

#[rstest]
#[case("E", 0, "your-zone", Job::GoToChapter(1))]
#[case("E", 1, "lock", Job::GoToChapter(2))]
#[case("E", 6, "limit", Job::GoToChapter(7))]
#[case("E enter", 7, "vault", Job::GoToChapter(4))]
#[case("B enter", 7, "vault", again(3, "vault"))]
#[case("B enter", 7, "open-door", again(0, "open-door"))]
fn one_key_brings_the_lab_to_the_end_or_after_a_question_back(
    #[case] keys: &str,
    #[case] lab: u8,
    #[case] at: &str,
    #[case] expected: Job,
) {
    let mut app = learning(at, lab, (80, 24));
    assert_eq!(jobs(&press(&mut app, keys)), [expected]);
}

#[test]
fn the_lab_is_not_brought_where_it_is_and_somebodys_server_nowhere() {
    let mut app = learning("lock", 2, (80, 24));
    assert_eq!(jobs(&press(&mut app, "E")), []);
    assert!(toast(&app).contains("there already"), "{}", toast(&app));
    let mut other = story()[0].clone();
    if let Fact::RunStarted(target) = &mut other.fact {
        target.lab = false;
    }
    let mut app = learning_from(Progress::default(), Some("lock"), (80, 24));
    let _ = app.update(Msg::Trace(other));
    assert_eq!(jobs(&press(&mut app, "E")), []);
    assert!(toast(&app).contains("your own server"), "{}", toast(&app));
}

#[test]
fn after_the_lab_moved_it_is_shown_what_changed() {
    let size = (80, 24);
    let mut app = told("limit", 6, size);
    let started = press(&mut app, "E");
    let last = story().pop().unwrap();
    let events = [
        Fact::EnvRead {
            which: hoptrail::trace::event::EnvSide::After,
            file: ".env".to_owned(),
            lines: app.projection().env().before().unwrap().lines.clone(),
        },
        Fact::LabMoved { chapter: 7 },
    ];
    for fact in events {
        let event = TraceEvent {
            fact,
            ..last.clone()
        };
        let _ = app.update(Msg::Trace(event));
    }
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let changes = app.changes().expect("the lab moved");
    assert_eq!((changes.from, changes.to), (6, 7));
    assert!(!changes.env.is_empty());
    assert_eq!(changes.hops, HopChanges::NotSeen);
    snap("changes", &mut app, size);
    let _ = press(&mut app, "esc");
    assert!(app.overlays().is_empty());
    let _ = press(&mut app, "D");
    assert!(matches!(app.overlays(), [Overlay::Told { .. }]));
}

#[test]
fn next_waits_for_the_checks_and_can_be_skipped() {
    let mut app = learning("open-door", 0, (80, 24));
    let _ = press(&mut app, "J");
    assert!(matches!(app.overlays(), [Overlay::Confirm(_)]));
    let page = shown(&mut app, (80, 24));
    assert!(page.contains("5 checks are open"), "{page}");
    let _ = press(&mut app, "esc");
    assert_eq!(app.learn().unwrap().chapter().id, "open-door");
    let effects = press(&mut app, "J enter");
    let learn = app.learn().unwrap();
    assert_eq!(learn.chapter().id, "your-zone");
    let progress = kept(&effects).expect("a skip is kept");
    assert_eq!(
        progress.standing(learn.book().number(0).unwrap()),
        ChapterState::Skipped
    );
    let _ = press(&mut app, "K K");
    assert_eq!(app.learn().unwrap().chapter().id, "open-door");
    assert!(toast(&app).contains("first chapter"), "{}", toast(&app));
    // What was skipped once does not ask again.
    let _ = press(&mut app, "J");
    assert_eq!(app.learn().unwrap().chapter().id, "your-zone");
}

#[test]
fn a_word_is_taken_only_for_what_cannot_be_seen() {
    let mut app = learning("your-zone", 0, (80, 24));
    assert_eq!(kept(&press(&mut app, "w")), None);
    assert!(
        toast(&app).contains("can be seen from here"),
        "{}",
        toast(&app)
    );
    let results = ProbeResults {
        zone: Reading::Unavailable {
            look_at: "the resources in your zone's console".to_owned(),
        },
        ..ProbeResults::default()
    };
    let _ = app.update(Msg::Probed("your-zone".to_owned(), Box::new(results)));
    assert!(matches!(
        status(&app, "mcp-resource"),
        Status::NotObservable { .. }
    ));
    let size = (120, 36);
    let _ = press(&mut app, "l l");
    let page = shown(&mut app, size);
    assert!(page.contains("cannot be seen from here: look at"), "{page}");
    let progress = kept(&press(&mut app, "w")).expect("the word is kept");
    assert!(
        progress.to_toml().contains("mcp-resource = \"told\""),
        "{}",
        progress.to_toml()
    );
    let page = shown(&mut app, size);
    assert!(
        page.contains("your word; it was not seen from here"),
        "{page}"
    );
}

#[test]
fn the_console_work_is_done_step_by_step_or_all_at_once() {
    let size = (80, 24);
    let mut app = learning("your-zone", 0, size);
    let opened = press(&mut app, "Z");
    assert_eq!(jobs(&opened), [Job::ReadConsoleWork(1)]);
    let step = |title: &str| Step {
        title: title.to_owned(),
        part: Part::Policy,
        form: vec![Field::new("name", Kind::Text, "Linear OAuth")],
        taken: None,
    };
    let _ = app.update(Msg::ConsoleWork(Work {
        chapter: 1,
        steps: vec![
            step("Make a provider"),
            step("Make a resource"),
            step("Make a credential"),
        ],
    }));
    let _ = app.update(Msg::Task(task(&opened), TaskOutcome::Done));
    snap("console", &mut app, size);
    let take = |place| Job::TakeStep {
        chapter: 1,
        place,
        filled: vec![("name".to_owned(), "Linear OAuth".to_owned())],
    };
    let first = press(&mut app, "enter");
    assert_eq!(jobs(&first), [take(0)]);
    assert_eq!(jobs(&press(&mut app, "enter")), [], "one at a time");
    let told = |app: &mut App, place| {
        app.update(Msg::StepTaken {
            chapter: 1,
            place,
            told: "made: a thing".to_owned(),
            again: Vec::new(),
        })
    };
    let _ = told(&mut app, 0);
    let after = jobs(&app.update(Msg::Task(task(&first), TaskOutcome::Done)));
    assert!(matches!(after[..], [Job::RunProbes { .. }]), "{after:?}");
    let second = press(&mut app, "a");
    assert_eq!(jobs(&second), [take(1)]);
    let _ = told(&mut app, 1);
    let after = jobs(&app.update(Msg::Task(task(&second), TaskOutcome::Done)));
    assert!(after.contains(&take(2)), "the next one follows: {after:?}");
}
