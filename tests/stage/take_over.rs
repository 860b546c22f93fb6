//! A recording that stands in, and the way back to the start.

use hoptrail::{
    app::{
        App, AppConfig, Resettable,
        command::Command,
        effect::{Effect, Job},
        msg::{Msg, RecordingState, TaskOutcome},
        overlay::Overlay,
        stage::Judgement,
    },
    config::sheet::{Hold, Sheet},
    support::error::{Exit, Failure},
    trace::event::Fact,
};

use super::{
    refused, run,
    screens::{header, press, story},
    shown, tape, tape_of, tell, tell_all, toast, why_not, with,
};

#[test]
fn a_recording_takes_over_by_one_key_and_what_is_live_comes_back_with_all_it_told() {
    let mut app = refused(120, 36);
    let failure = Failure::new(Exit::Unreachable, "The lab is gone", "a cable", "wait");
    app.fail(failure.clone());
    assert!(shown(&app).contains("F a recording takes over"));
    assert_eq!(press(&mut app, "F"), [Effect::TakeOver]);
    assert!(app.overlays().is_empty());
    let _ = app.update(Msg::Opened(Box::new(tape())));
    let seen = shown(&app);
    for told in ["a recording stands in", "F comes back"] {
        assert!(seen.contains(told), "{told} in {seen}");
    }
    // It goes on where the show is: after the delete, which went as planned.
    let calls = app.projection().tools().calls();
    let last = calls.last().unwrap();
    assert_eq!(&*last.tool, "delete_issue");
    assert!(last.outcome.is_some());
    let _ = press(&mut app, "0");
    assert!(shown(&app).contains("REPLAY 0/72"));
    assert_eq!(press(&mut app, "e"), []);
    assert!(toast(&app).contains("F comes back to what is live"));
    assert!(why_not(&app, Command::Hold).contains("recording"));
    // The same key tells the story, call by call, and back.
    let _ = press(&mut app, "space space");
    assert_eq!(app.projection().tools().calls().len(), 1);
    let _ = press(&mut app, "b");
    assert_eq!(app.projection().tools().calls().len(), 0);
    let _ = press(&mut app, "$");
    assert_eq!(app.next_step().command, Command::TakeOver);
    // What happens meanwhile is kept.
    let mut later = story()[71].clone();
    later.seq = 72;
    tell_all(&mut app, [later]);
    let mut broken = story()[71].clone();
    broken.fact = Fact::FailureOccurred(failure.clone());
    tell_all(&mut app, [broken]);
    assert!(app.overlays().is_empty());
    assert_eq!(press(&mut app, "F"), [Effect::ComeBack]);
    assert_eq!(app.projection().log().len(), 74);
    assert!(matches!(app.overlays(), [Overlay::Failure { failure: f, .. }] if *f == failure));
    let _ = press(&mut app, "esc");
    let seen = shown(&app);
    assert!(
        seen.contains("LIVE") && seen.contains("3/8 Now the delete"),
        "{seen}"
    );
}

#[test]
fn a_job_that_ends_while_the_recording_is_shown_is_not_forgotten() {
    let mut app = refused(120, 36);
    let (id, _) = run(&press(&mut app, "space"));
    let _ = press(&mut app, "F");
    let failure = Failure::new(Exit::Failed, "It broke", "a", "b");
    assert_eq!(app.update(Msg::Task(id, TaskOutcome::Failed(failure))), []);
    let _ = press(&mut app, "F");
    assert!(matches!(app.overlays(), [Overlay::Failure { .. }]));
    assert!(app.tasks().is_empty());
    assert!(matches!(app.judgement(), Some(Judgement::Otherwise(_))));
}

#[test]
fn reset_asks_once_calls_off_what_runs_and_begins_at_the_first_cue() {
    let mut app = refused(120, 36);
    let (id, _) = run(&press(&mut app, "space"));
    assert_eq!(press(&mut app, "A"), []);
    assert!(shown(&app).contains("Back to the start?"));
    assert_eq!(press(&mut app, "esc"), []);
    let effects = press(&mut app, "A enter");
    assert_eq!(effects, [Effect::CancelTask(id), Effect::Reset]);
    assert_eq!(app.update(Msg::Begun(header().started)), []);
    assert!(app.projection().log().is_empty());
    assert!(app.tasks().is_empty() && app.overlays().is_empty());
    assert_eq!(app.judgement(), None);
    assert!(toast(&app).starts_with("back at the start"));
    tell(&mut app, 0..5);
    assert_eq!(app.next_step().text, "Sign in");
    assert_eq!(app.now_us(), story()[4].at_us);
}

#[test]
fn the_recording_of_a_run_is_told_of_at_its_reset_and_not_at_the_next() {
    let mut app = refused(120, 36);
    let file = "first.jsonl".to_owned();
    let _ = app.update(Msg::Recording(RecordingState::Saved { file, events: 9 }));
    assert_eq!(app.update(Msg::Begun(header().started)), []);
    assert!(toast(&app).contains("is in first.jsonl"), "{}", toast(&app));
    tell(&mut app, 0..5);
    assert_eq!(app.update(Msg::Begun(header().started)), []);
    assert!(toast(&app).contains("a new lab"), "{}", toast(&app));
}

#[test]
fn that_a_run_is_recorded_is_not_said_once_it_is_not() {
    let mut app = refused(120, 36);
    let _ = app.update(Msg::Begun(header().started));
    let file = "second.jsonl".to_owned();
    let _ = app.update(Msg::Recording(RecordingState::On { file: file.clone() }));
    assert!(toast(&app).starts_with("back at the start"));
    let _ = app.update(Msg::Recording(RecordingState::Saved { file, events: 3 }));
    assert_eq!(toast(&app), "3 events saved in second.jsonl");
    let _ = app.update(Msg::Tick(60_000));
    assert_eq!(app.toast(), None);
}

#[test]
fn a_sheet_may_begin_signed_in_and_holding() {
    let sheet = Sheet::parse(
        "begin = \"signed-in\"\nhold = true\n[[cue]]\ntitle=\"a\"\ndo=\"sign-in\"\n",
        "s",
    )
    .unwrap();
    let mut app = with(sheet, 120, 36);
    let effects = app.update(Msg::Begun(header().started));
    let jobs: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Run(_, job) => Some(job.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(jobs, [Job::SignIn, Job::Hold(Hold::On)]);
}

#[test]
fn a_lab_of_another_process_is_not_reset() {
    let mut app = App::new(AppConfig {
        sheet: Some(Sheet::built_in()),
        reset: Resettable::No,
        ..AppConfig::default()
    });
    assert!(why_not(&app, Command::Reset).contains("another process"));
    assert_eq!(press(&mut app, "A"), []);
    assert!(app.overlays().is_empty());
}

#[test]
fn a_recording_of_the_sheet_is_gone_through_by_its_cues() {
    let mut app = refused(120, 36);
    let _ = press(&mut app, "F");
    let recorded = hoptrail::shipped::by_name("on-stage").unwrap();
    let tape = tape_of(recorded.text.as_bytes(), None);
    let _ = app.update(Msg::Opened(Box::new(tape)));
    let deletes = |app: &App| {
        let calls = app.projection().tools().calls().iter();
        calls.filter(|call| &*call.tool == "delete_issue").count()
    };
    // What the cue at hand came to, which is the delete that is refused.
    assert_eq!(deletes(&app), 1);
    assert_eq!(app.recorded_cue(), Some((3, "Now the delete")));
    let seen = shown(&app);
    assert!(
        seen.contains("! a recording stands in: cue 3 Now the delete  F comes back"),
        "{seen}"
    );
    // Its note is the sheet's, and the next one's.
    let _ = press(&mut app, "i space");
    let seen = shown(&app);
    for told in [
        "a recording stands in: cue 4 Policy off",
        "now 4 Policy off",
        "The zone goes back to the policies",
        "next 5 The same delete again",
    ] {
        assert!(seen.contains(told), "{told} in {seen}");
    }
    let _ = press(&mut app, "i b");
    let rule = |app: &App| app.projection().policies().forbids("limit-linear-scopes");
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push((deletes(&app), rule(&app)));
        let _ = press(&mut app, "space");
    }
    // The delete, the rule is lifted, the delete once more, the rule is back.
    let (on, off) = (Some(true), Some(false));
    assert_eq!(seen, [(1, on), (1, off), (2, off), (2, on)]);
    let _ = press(&mut app, "b b b");
    assert_eq!((deletes(&app), rule(&app)), (1, off));
    // Leaving is asked as it is live.
    assert_eq!(press(&mut app, "q"), []);
    assert!(shown(&app).contains("Leave the stage?"));
    assert_eq!(press(&mut app, "enter"), [Effect::Quit]);
}

#[test]
fn where_a_cue_failed_the_recording_begins_with_it() {
    let mut app = refused(120, 36);
    let (id, _) = run(&press(&mut app, "space"));
    let _ = app.update(Msg::Task(id, TaskOutcome::Cancelled));
    let _ = press(&mut app, "F");
    let recorded = hoptrail::shipped::by_name("on-stage").unwrap();
    let tape = tape_of(recorded.text.as_bytes(), None);
    let _ = app.update(Msg::Opened(Box::new(tape)));
    assert_eq!(app.recorded_cue(), Some((4, "Policy off")));
    let rule = app.projection().policies().forbids("limit-linear-scopes");
    assert_eq!(rule, Some(true));
}

#[test]
fn a_recording_of_another_sheet_is_said_to_be_one_and_has_no_notes() {
    let sheet = "[[cue]]\ntitle=\"Mine\"\ndo=\"talk\"\nnote=\"My own words\"\n";
    let mut app = with(Sheet::parse(sheet, "s").unwrap(), 120, 36);
    let _ = press(&mut app, "space i F");
    let recorded = hoptrail::shipped::by_name("on-stage").unwrap();
    let tape = tape_of(recorded.text.as_bytes(), None);
    let _ = app.update(Msg::Opened(Box::new(tape)));
    assert!(toast(&app).contains("another sheet"), "{}", toast(&app));
    let _ = press(&mut app, "space space");
    let seen = shown(&app);
    assert!(seen.contains("cue 1 Sign in"), "{seen}");
    assert!(!seen.contains("My own words"), "{seen}");
}
