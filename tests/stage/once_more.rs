//! A cue that failed and is tried again by the same key.

use hoptrail::{
    app::{
        App,
        effect::{Effect, Job},
        msg::{Msg, TaskOutcome},
        stage::Judgement,
    },
    support::error::{Exit, Failure},
    trace::event::{CallOutcome, Fact},
};
use rstest::rstest;

use super::{
    cue, done, mark, refused, run,
    screens::{lifted, press, story},
    shown, snap, staged, tell, tell_all, toast,
};

fn failing(width: u16, height: u16) -> App {
    let mut app = staged(width, height);
    assert_eq!(cue(&mut app, 5..31), Job::SignIn);
    let (id, _) = run(&press(&mut app, "space"));
    let failure = Failure::new(
        Exit::Unreachable,
        "The MCP server did not answer",
        "the connection was refused",
        "check that it runs",
    );
    let _ = app.update(Msg::Task(id, TaskOutcome::Failed(failure)));
    let _ = press(&mut app, "esc");
    app
}

#[test]
fn it_is_said_and_what_failed_stays_until_the_new_outcome() {
    let mut app = failing(120, 36);
    let why = "The MCP server did not answer".to_owned();
    assert_eq!(app.judgement(), Some(Judgement::Otherwise(why.clone())));
    let seen = shown(&app);
    assert!(
        seen.contains("2/8 Escalate a ticket  ! not as planned: The MCP server did not answer"),
        "{seen}"
    );
    let effects = press(&mut app, "space");
    assert_eq!(effects[0], mark(2, "Escalate a ticket"));
    assert_eq!(toast(&app), "tried again: Escalate a ticket");
    assert_eq!(app.judgement(), Some(Judgement::TriedAgain(why)));
    let seen = shown(&app);
    assert!(
        seen.contains("2/8 Escalate a ticket, try 2  … before: The MCP server did not answer"),
        "{seen}"
    );
    let (list, _) = run(&effects);
    tell(&mut app, 31..40);
    let (escalate, _) = run(&done(&mut app, list));
    tell(&mut app, 40..65);
    assert!(shown(&app).contains("before: The MCP server"));
    let _ = done(&mut app, escalate);
    let seen = shown(&app);
    assert!(
        seen.contains("2/8 Escalate a ticket, try 2  ✓ as planned"),
        "{seen}"
    );
    assert!(!seen.contains("before:"), "{seen}");
}

#[test]
fn a_second_failure_is_told_from_the_first() {
    let mut app = failing(120, 36);
    let (id, _) = run(&press(&mut app, "space"));
    let _ = app.update(Msg::Task(id, TaskOutcome::Cancelled));
    let seen = shown(&app);
    assert!(
        seen.contains("2/8 Escalate a ticket, try 2  ! not as planned: it was called off"),
        "{seen}"
    );
    let _ = run(&press(&mut app, "n"));
    let before = Judgement::TriedAgain("it was called off".to_owned());
    assert_eq!(app.judgement(), Some(before));
    assert_eq!(app.stage().unwrap().tries(), 3);
}

#[rstest]
#[case(CallOutcome::Cancelled, "it was called off")]
#[case(CallOutcome::Broken, "the call did not come through")]
fn a_call_that_was_never_answered_is_tried_again(#[case] ended: CallOutcome, #[case] why: &str) {
    let mut app = staged(120, 36);
    assert_eq!(cue(&mut app, 5..31), Job::SignIn);
    let (list, _) = run(&press(&mut app, "space"));
    tell(&mut app, 31..40);
    let (escalate, _) = run(&done(&mut app, list));
    let events = story().into_iter().skip(40).take(25).map(|mut event| {
        if let Fact::ToolCallFinished { outcome, .. } = &mut event.fact {
            *outcome = ended;
        }
        event
    });
    tell_all(&mut app, events);
    let _ = done(&mut app, escalate);
    assert_eq!(app.judgement(), Some(Judgement::Otherwise(why.to_owned())));
    assert_eq!(app.next_step().text, "try again: Escalate a ticket");
}

#[test]
fn a_cue_that_cannot_be_done_is_skipped_and_the_show_goes_on() {
    let mut app = failing(120, 36);
    let skipped = Effect::MarkSkip {
        number: 2,
        title: "Escalate a ticket".to_owned(),
    };
    assert_eq!(press(&mut app, "M"), [skipped]);
    assert_eq!(toast(&app), "cue 2 is skipped: Escalate a ticket");
    assert_eq!(app.next_step().text, "Now the delete");
    assert_eq!(press(&mut app, "space")[0], mark(3, "Now the delete"));
    let _ = press(&mut app, "M");
    assert_eq!(toast(&app), "skip cue: the cue before is still under way");
}

#[test]
fn a_cue_that_is_gone_back_to_is_tried_again_too_and_another_is_not() {
    let mut app = refused(120, 36);
    let _ = press(&mut app, "b");
    let (id, _) = run(&press(&mut app, "space"));
    assert_eq!(toast(&app), "tried again: Now the delete");
    // It went as planned before: there is nothing to keep in view.
    assert_eq!(app.judgement(), Some(Judgement::Running));
    let _ = done(&mut app, id);
    let _ = run(&press(&mut app, "space"));
    assert_eq!(app.stage().unwrap().tries(), 1);
    assert!(shown(&app).contains("4/8 Policy off"), "{}", shown(&app));
}

#[test]
fn that_the_rule_is_off_is_said_before_a_refusal_is_shown_again() {
    let mut app = refused(120, 36);
    tell_all(&mut app, lifted());
    let _ = press(&mut app, "b");
    let said = toast(&app);
    assert!(
        said.starts_with("the rule is off, p puts it back; again from cue 3"),
        "{said}"
    );
}

#[test]
fn what_the_room_sees_of_a_second_try() {
    snap("second-try", |width, height| {
        let mut app = failing(width, height);
        let _ = run(&press(&mut app, "space"));
        app
    });
}
