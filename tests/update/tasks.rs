//! What is asked to be done, one thing at a time, and what its end brings.

use hoptrail::{
    app::{
        command::Command,
        effect::{Capture, Effect, Job},
        focus::PaneId,
        msg::{Msg, RecordingState, Signal, TaskId, TaskOutcome},
        overlay::Overlay,
    },
    support::error::{Exit, Failure},
};
use rstest::rstest;

use crate::{
    jobs,
    screens::{fresh, press, story, told, told_until},
};

/// The first task that the effects start.
fn task(effects: &[Effect]) -> TaskId {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Run(id, _) => Some(*id),
            _ => None,
        })
        .expect("a task was started")
}

#[rstest]
#[case("S", "[SignOut]")]
#[case("R", "[RefreshConsole]")]
#[case(
    "t",
    r#"[CallTool { tool: "get_support_tickets", arguments: Object {} }]"#
)]
#[case(
    "e",
    r#"[CallTool { tool: "escalate_ticket", arguments: Object {"ticketId": String("5b0f6f0e-6a5c-4d0b-9a53-2f6c1f0f7a11")} }]"#
)]
#[case(
    "4 j e",
    r#"[CallTool { tool: "escalate_ticket", arguments: Object {"ticketId": String("#
)]
#[case(
    "d",
    r#"[CallTool { tool: "delete_issue", arguments: Object {"issueId": String("a4f1c3b2-5d6e-4f70-8a91-b2c3d4e5f607")} }]"#
)]
#[case("p", r#"[ActivatePolicySet { set_id: "ps-default", version: 1 }]"#)]
fn the_keys_of_the_story_start_these_jobs(#[case] keys: &str, #[case] expected: &str) {
    let mut app = told(120, 36);
    let effects = press(&mut app, keys);
    let shown = format!("{:?}", jobs(&effects));
    assert!(shown.starts_with(expected), "{shown}");
}

#[rstest]
#[case("q", Effect::Quit)]
#[case("ctrl-c", Effect::Quit)]
#[case("? ctrl-c", Effect::Quit)]
#[case(": ctrl-c", Effect::Quit)]
#[case("ctrl-z", Effect::Suspend)]
#[case("ctrl-l", Effect::Redraw)]
#[case("r", Effect::StartRecording)]
#[case("m", Effect::SetMouseCapture(Capture::On))]
fn these_keys_ask_for_this(#[case] keys: &str, #[case] expected: Effect) {
    assert_eq!(press(&mut told(80, 24), keys), [expected]);
}

#[rstest]
#[case("", "q", &[Effect::Quit])]
#[case(":", "q", &[Effect::Quit])]
#[case("?", "q", &[Effect::Quit])]
#[case("/", "ctrl-c", &[Effect::Quit])]
#[case("?", "ctrl-z", &[Effect::Suspend])]
#[case("", "s t e p d r y enter esc", &[])]
fn in_a_window_that_is_too_small_a_key_quits_or_does_nothing(
    #[case] before: &str,
    #[case] keys: &str,
    #[case] expected: &[Effect],
) {
    let mut app = told(120, 36);
    let _ = app.update(Msg::Recording(RecordingState::On {
        file: "run.jsonl".to_owned(),
    }));
    let _ = press(&mut app, before);
    let (_, screen) = (
        app.update(Msg::Resized(59, 36)),
        format!("{:?}", app.overlays()),
    );
    assert_eq!(press(&mut app, keys), expected);
    assert_eq!(format!("{:?}", app.overlays()), screen);
    let _ = app.update(Msg::Resized(60, 15));
    let _ = press(&mut app, "esc esc");
    assert_eq!(press(&mut app, "q"), [], "a question can be seen here");
}

#[rstest]
#[case("t", "nobody is signed in: s signs in")]
#[case("d", "nobody is signed in: s signs in")]
#[case("S", "nobody is signed in")]
#[case("p", "the zone's policy sets were not read yet")]
#[case("x", "nothing is running")]
#[case("enter", "there is nothing to open here")]
fn what_cannot_be_done_says_why(#[case] keys: &str, #[case] why: &str) {
    let mut app = fresh(80, 24);
    assert_eq!(press(&mut app, keys), []);
    let toast = app.toast().expect("a reason is given");
    assert!(toast.text.contains(why), "{}", toast.text);
}

/// What is typed behind the key of the filter is never taken for commands.
#[test]
fn a_pane_without_a_list_filters_the_flow() {
    let mut app = told(120, 36);
    let effects = press(&mut app, "3 / t e d r");
    assert_eq!(effects, []);
    assert_eq!(app.focus().pane, PaneId::Flow);
    let filter = app.overlays().last().unwrap();
    assert!(
        matches!(filter, Overlay::Filter { pane: PaneId::Flow, input, .. } if input.value() == "tedr")
    );
}

#[test]
fn who_is_signed_in_is_not_signed_in_again() {
    let mut app = told(80, 24);
    assert_eq!(press(&mut app, "s"), []);
    let toast = app.toast().expect("a reason is given");
    assert!(
        toast.text.contains("already signed in as"),
        "{}",
        toast.text
    );
    assert!(toast.text.contains("S signs out first"), "{}", toast.text);
}

#[test]
fn who_is_kept_waiting_is_shown_the_way_out() {
    let mut app = told(80, 24);
    let _ = press(&mut app, "e");
    assert_ne!(app.next_step().command, Command::CancelTask);
    let _ = app.update(Msg::Tick(app.now_us() + 1_000_000));
    assert_eq!(app.next_step().command, Command::CancelTask);
}

#[test]
fn one_thing_at_a_time() {
    let mut app = told(80, 24);
    let first = press(&mut app, "e");
    assert_eq!(press(&mut app, "d"), []);
    assert!(app.toast().unwrap().text.contains("already"));
    assert_eq!(press(&mut app, "x"), [Effect::CancelTask(task(&first))]);
    let _ = app.update(Msg::Task(task(&first), TaskOutcome::Cancelled));
    assert!(app.tasks().is_empty());
    assert_eq!(jobs(&press(&mut app, "d")).len(), 1);
}

#[test]
fn a_sign_in_is_followed_by_reading_what_there_is() {
    let mut app = fresh(80, 24);
    let started = press(&mut app, "s");
    let after = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    assert_eq!(jobs(&after), [Job::ListTools, Job::RefreshConsole]);
}

#[test]
fn a_switched_policy_is_read_again_and_named() {
    let mut app = told(80, 24);
    let started = press(&mut app, "p");
    let after = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    assert_eq!(jobs(&after), [Job::RefreshConsole]);
    assert_eq!(
        app.toast().unwrap().text,
        "default-zone-policies v1 is in force now"
    );
}

#[test]
fn a_failed_task_opens_its_failure_once() {
    let mut app = told(80, 24);
    let failure = Failure::new(Exit::Unreachable, "no", "because", "do");
    for _ in 0..2 {
        let started = press(&mut app, "t");
        let _ = app.update(Msg::Task(
            task(&started),
            TaskOutcome::Failed(failure.clone()),
        ));
        assert_eq!(app.overlays().len(), 1);
        let _ = press(&mut app, "esc");
    }
    assert!(app.overlays().is_empty());
}

#[test]
fn the_browser_is_waited_for_and_esc_calls_the_sign_in_off() {
    let mut app = fresh(80, 24);
    let started = press(&mut app, "s");
    let _ = app.update(Msg::BrowserUrl("http://zone/authorize?state=x".to_owned()));
    for event in story().into_iter().take(18) {
        let _ = app.update(Msg::Trace(event));
    }
    assert!(matches!(app.overlays(), [Overlay::Waiting { .. }]));
    assert_eq!(
        press(&mut app, "y"),
        [Effect::Copy("http://zone/authorize?state=x".to_owned())]
    );
    // On a lab the sample user can answer; the window stays until somebody came back.
    let asked = press(&mut app, "enter");
    assert!(
        matches!(asked[..], [Effect::Run(_, Job::SampleUser)]),
        "{asked:?}"
    );
    assert!(matches!(app.overlays(), [Overlay::Waiting { .. }]));
    assert_eq!(press(&mut app, "esc"), [Effect::CancelTask(task(&started))]);
    assert!(app.overlays().is_empty());
}

#[test]
fn the_window_closes_when_the_browser_comes_back() {
    let app = told_until(80, 24, 24);
    assert!(app.overlays().is_empty());
}

#[test]
fn quitting_while_recording_asks_and_a_signal_does_not() {
    let mut app = told(80, 24);
    let _ = app.update(Msg::Recording(RecordingState::On {
        file: "a.jsonl".to_owned(),
    }));
    assert_eq!(press(&mut app, "q"), []);
    assert_eq!(
        press(&mut app, "enter"),
        [Effect::StopRecording, Effect::Quit]
    );
    assert_eq!(app.update(Msg::Signal(Signal::Terminate)), [Effect::Quit]);
}

#[test]
fn a_recording_that_fails_is_not_said_to_go_on() {
    let mut app = fresh(120, 36);
    let file = "run.jsonl".to_owned();
    let _ = app.update(Msg::Recording(RecordingState::On { file }));
    let failure = Failure::new(Exit::Usage, "not whole", "full", "free some room");
    let _ = app.update(Msg::Recording(RecordingState::Failed(failure.clone())));
    assert!(matches!(app.overlays(), [Overlay::Failure { failure: f, .. }] if *f == failure));
    assert_eq!(app.toast().unwrap().text, "nothing more is recorded");
    let _ = app.update(Msg::Tick(app.now_us() / 1_000 + 60_000));
    assert!(app.toast().is_none());
}

#[test]
fn nothing_wakes_the_processor_when_nothing_goes_on() {
    let mut app = told(80, 24);
    assert_eq!(app.next_wake(), None);
    let started = press(&mut app, "e");
    assert!(app.next_wake().is_some());
    // The zone's console is read after it.
    let reading = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let _ = app.update(Msg::Task(task(&reading), TaskOutcome::Done));
    let until = app.next_wake().expect("the toast goes by itself");
    let _ = app.update(Msg::Tick(until / 1_000 + 1));
    assert_eq!(app.next_wake(), None);
}
