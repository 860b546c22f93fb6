//! The verdict in large letters is the cue's at hand, whatever came before it.

use hoptrail::{
    app::{
        App,
        command::Command,
        effect::Job,
        msg::{Msg, TaskOutcome},
        stage::Judgement,
    },
    config::sheet::Sheet,
    protocol::observed::StepOutcome,
    support::error::{Exit, Failure},
    trace::event::Fact,
};

use super::{
    SIZES, cue, done, escalated, mark, policy_off, refused, run,
    screens::{draw, look, press, story, text},
    shown, signed_in, snap, staged, tell_all, toast, with,
};

/// What the server said of a zone that was going down.
const NO_ANSWER: &str = "The zone issued no credential for Linear API (scope write): The zone could \
                         not answer; its log says why\nCheck that the zone is up.";

/// Up to the delete, which the zone did not answer.
fn unanswered(width: u16, height: u16) -> App {
    let mut app = staged(width, height);
    assert_eq!(cue(&mut app, 5..31), Job::SignIn);
    escalated(&mut app);
    let (id, _) = run(&press(&mut app, "space"));
    let events = story()
        .into_iter()
        .skip(65)
        .take(6)
        .filter_map(|mut event| {
            match &mut event.fact {
                Fact::StepReported(step) => {
                    step.outcome = StepOutcome::Failed;
                    step.detail = Some("server_error: The zone could not answer".to_owned());
                }
                Fact::ToolCallFinished { text, .. } => NO_ANSWER.clone_into(text),
                // It went before it wrote anything down.
                Fact::AuditRecorded(_) => return None,
                _ => {}
            }
            Some(event)
        });
    tell_all(&mut app, events);
    let _ = done(&mut app, id);
    app
}

#[test]
fn a_zone_that_could_not_answer_has_refused_nothing() {
    let mut app = unanswered(120, 36);
    let why = "the zone could not answer".to_owned();
    assert_eq!(app.judgement(), Some(Judgement::Otherwise(why)));
    let seen = shown(&app);
    assert!(!seen.contains("refused"), "{seen}");
    assert!(seen.contains("did not come through"), "{seen}");
    // Of several lines the first is told.
    assert!(toast(&app).ends_with("its log says why"), "{}", toast(&app));
    assert!(!seen.contains('⏎'), "{seen}");
    // The same key tries it again.
    let effects = press(&mut app, "space");
    assert_eq!(effects[0], mark(3, "Now the delete"));
}

#[test]
fn what_the_room_sees_of_a_zone_that_could_not_answer() {
    snap("no-answer", unanswered);
}

const SIGN_OUT: &str = "[[cue]]\ntitle = \"Escalate\"\ndo = \"escalate\"\n\
                        [[cue]]\ntitle = \"Sign out\"\ndo = \"sign-out\"\nexpect = \"signed-out\"\n\
                        [[cue]]\ntitle = \"Once more\"\ndo = \"escalate\"\n";

fn signed_out(width: u16, height: u16) -> App {
    let mut app = signed_in(SIGN_OUT, width, height);
    escalated(&mut app);
    let (id, job) = run(&press(&mut app, "space"));
    assert_eq!(job, Job::SignOut);
    let mut gone = story().swap_remove(64);
    (gone.seq, gone.call, gone.fact) = (65, None, Fact::SignedOut);
    tell_all(&mut app, [gone]);
    let _ = done(&mut app, id);
    app
}

#[test]
fn signing_out_is_a_verdict_and_what_fails_for_it_another() {
    let mut app = signed_out(120, 36);
    assert_eq!(app.judgement(), Some(Judgement::AsPlanned));
    let seen = shown(&app);
    assert!(seen.contains("the client's tokens are gone"), "{seen}");
    assert!(!seen.contains("4 credentials issued"), "{seen}");
    let _ = press(&mut app, "space");
    let _ = press(&mut app, "esc");
    let seen = shown(&app);
    for told in [
        "nobody is signed in: s signs in",
        "next Space try again: Once more",
        "M skip cue",
    ] {
        assert!(seen.contains(told), "{told} in {seen}");
    }
    // Who signs in by hand is told of it.
    let (id, _) = run(&press(&mut app, "s"));
    let mut events = story();
    events.truncate(31);
    let events = events.split_off(5).into_iter().map(|mut event| {
        event.seq += 70;
        event.at_us += 60_000_000;
        event
    });
    tell_all(&mut app, events);
    let _ = done(&mut app, id);
    let seen = shown(&app);
    assert!(seen.contains("it proves who drives"), "{seen}");
}

#[test]
fn what_the_room_sees_of_a_sign_out() {
    snap("signed-out", signed_out);
}

#[test]
fn a_cue_that_never_got_through_is_told_and_not_the_one_before() {
    let mut app = refused(120, 36);
    let (id, job) = run(&press(&mut app, "space"));
    assert!(matches!(job, Job::ActivatePolicySet { .. }), "{job:?}");
    let failure = Failure::new(
        Exit::Unreachable,
        "The zone did not answer",
        "connection refused",
        "check that it runs",
    );
    let _ = app.update(Msg::Task(id, TaskOutcome::Failed(failure)));
    let _ = press(&mut app, "esc");
    let seen = shown(&app);
    assert!(seen.contains("The zone did not answer"), "{seen}");
    assert!(!seen.contains("no credential exists"), "{seen}");
    // Before there was any server to sign in to.
    let mut app = with(Sheet::built_in(), 120, 36);
    let (id, _) = run(&press(&mut app, "space"));
    let _ = app.update(Msg::Task(id, TaskOutcome::Cancelled));
    let seen = shown(&app);
    assert!(seen.contains("it was called off"), "{seen}");
    assert!(!seen.contains("no credential exists"), "{seen}");
}

#[test]
fn what_an_upstream_said_is_cut_where_a_cell_ends() {
    let mut app = staged(120, 36);
    let mut events = story();
    events.truncate(71);
    for event in &mut events[5..] {
        if let Fact::ToolCallFinished { outcome, text, .. } = &mut event.fact {
            *outcome = hoptrail::trace::event::CallOutcome::Failed;
            *text = format!(
                "Linear answered 500: {{\"errors\":[{{\"m\":\"{}",
                "日本".repeat(90)
            );
        }
    }
    let events = events
        .into_iter()
        .skip(5)
        .filter(|event| !matches!(event.fact, Fact::AuditRecorded(_)))
        .take_while(|event| event.seq < 65);
    tell_all(&mut app, events);
    let seen = shown(&app);
    let verdict = seen.lines().take(7);
    let told: Vec<&str> = verdict.filter(|line| line.contains("日本")).collect();
    let last = told.last().unwrap().trim_end();
    assert!(last.ends_with('…'), "{last} in {seen}");
}

#[test]
fn while_a_call_runs_the_one_key_is_not_offered() {
    let mut app = refused(80, 24);
    let _ = press(&mut app, "esc");
    let _ = press(&mut app, "space");
    assert_eq!(app.next_step().command, Command::CancelTask);
    let seen = shown(&app);
    assert!(!seen.contains("Space"), "{seen}");
}

#[test]
fn no_message_takes_the_next_key_or_the_ways_out_away() {
    for (width, height) in SIZES {
        let app = refused(width, height);
        assert!(app.toast().is_some());
        let seen = text(&draw(&app, &look(), width, height).0);
        let footer = seen.lines().last().unwrap();
        let keys = ["Space next cue", "F recording/live", "A reset"];
        let kept = if width < 100 { 1 } else { 3 };
        for key in &keys[..kept] {
            assert!(footer.contains(key), "{key} in {footer}");
        }
        // It is what the room came for: all of it can be read.
        let whole = "write refused by limit-linear-scopes: no credential, no call";
        assert!(footer.contains(whole), "{footer}");
    }
    // Where a cue failed the way out matters more than the end of the sentence.
    let app = unanswered(80, 24);
    assert!(matches!(app.judgement(), Some(Judgement::Otherwise(_))));
    let seen = shown(&app);
    let footer = seen.lines().last().unwrap();
    assert!(footer.contains("F recording/live"), "{footer}");
}

#[test]
fn what_is_below_the_verdict_stays_where_it_is() {
    for (width, height) in [(80, 24), (100, 30), (120, 36), (120, 50), (200, 60)] {
        let makes: [fn(u16, u16) -> App; 5] = [staged, refused, policy_off, unanswered, signed_out];
        let mut rows = makes.map(|make| {
            let seen = text(&draw(&make(width, height), &look(), width, height).0);
            seen.lines().position(|line| line.contains("Flow"))
        });
        rows.sort_unstable();
        assert_eq!(rows[0], rows[4], "{width}x{height}");
    }
}

#[test]
fn the_keys_of_the_stage_come_first_and_each_has_one() {
    let mut app = staged(120, 36);
    let _ = press(&mut app, "?");
    let seen = shown(&app);
    let place = |told: &str| seen.find(told).unwrap_or(usize::MAX);
    assert!(place("On stage") < place("The story"), "{seen}");
    assert!(!seen.contains("  —  "), "{seen}");
}
