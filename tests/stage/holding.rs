//! Exchanges that wait, and who may let them go.

use hoptrail::{
    app::{App, AppConfig, command::Command, effect::Job, msg::Msg},
    config::sheet::{Hold, Sheet},
    protocol::audit::AuditStatus,
    trace::event::{ConsoleDoor, Fact, Target},
};

use super::{
    cue, done, held, refused, released, run,
    screens::{press, story},
    shown, staged, tape_with, tell, tell_all, toast, tool, why_not, with,
};

#[test]
fn the_one_key_lets_go_what_waits_once() {
    let mut app = refused(120, 36);
    let (id, job) = run(&press(&mut app, "H"));
    assert_eq!(job, Job::Hold(Hold::On));
    let _ = done(&mut app, id);
    assert_eq!(app.holding(), Hold::On);
    tell_all(&mut app, [held(AuditStatus::Failure)]);
    let seen = shown(&app);
    for told in [
        "Support Escalation MCP for ada@lab.example",
        "wants write on Linear API",
        "limit-linear-scopes will forbid it",
        "HOLD",
    ] {
        assert!(seen.contains(told), "{told} in {seen}");
    }
    let (_, job) = run(&press(&mut app, "space"));
    assert_eq!(
        job,
        Job::LetGo {
            id: "held-1".to_owned()
        }
    );
    assert_eq!(press(&mut app, "space u"), [], "it is asked for once");
    tell_all(&mut app, [released()]);
    assert!(!shown(&app).contains("will forbid it"));
    assert_eq!(why_not(&app, Command::LetGo), "nothing waits");
    // A zone that is gone holds nothing, and the key says so again.
    let mut lost = released();
    lost.fact = Fact::FeedLost {
        feed: "gate".to_owned(),
        why: "the zone closed the connection".to_owned(),
    };
    tell_all(&mut app, [lost]);
    assert_eq!(app.holding(), Hold::Off);
}

#[test]
fn on_stage_the_picture_goes_along() {
    let mut app = refused(120, 36);
    let _ = press(&mut app, "f");
    assert_eq!(app.held_back(), None);
    assert!(toast(&app).contains("goes along"), "{}", toast(&app));
}

#[test]
fn a_recording_shows_what_was_held_and_lets_nothing_go() {
    let tape = tape_with(Some(held(AuditStatus::Failure)));
    let mut app = App::new(AppConfig {
        replay: Some("held.jsonl".to_owned()),
        ..AppConfig::default()
    });
    let _ = app.update(Msg::Opened(Box::new(tape)));
    let _ = press(&mut app, "v $");
    assert!(shown(&app).contains("limit-linear-scopes will forbid it"));
    assert_ne!(app.next_step().command, Command::LetGo);
    assert_eq!(press(&mut app, "u"), []);
    assert!(toast(&app).contains("waits for nobody"), "{}", toast(&app));
}

#[test]
fn another_ones_zone_is_never_held() {
    let mut app = with(Sheet::built_in(), 120, 36);
    assert_eq!(why_not(&app, Command::Hold), "the lab is still starting");
    let mut event = story().remove(0);
    event.fact = Fact::RunStarted(Target {
        lab: false,
        name: "mcp.example".to_owned(),
        server: "https://mcp.example/mcp".to_owned(),
        console: ConsoleDoor::Open,
    });
    tell_all(&mut app, [event]);
    assert!(why_not(&app, Command::Hold).contains("start with --lab URL"));
    assert_eq!(press(&mut app, "H"), []);
    assert!(toast(&app).contains("only a lab's zone waits"));
}

#[test]
fn what_a_cue_needs_first_does_not_wait() {
    let mut app = staged(120, 36);
    assert_eq!(cue(&mut app, 5..31), Job::SignIn);
    let (id, _) = run(&press(&mut app, "H"));
    let _ = done(&mut app, id);
    let (list, job) = run(&press(&mut app, "space"));
    assert_eq!(tool(&job), "get_support_tickets");
    // Held all the same, but nobody is asked.
    let passed = app.update(Msg::Trace(held(AuditStatus::Issued)));
    let wanted = Job::LetGo {
        id: "held-1".to_owned(),
    };
    assert_eq!(run(&passed).1, wanted);
    let seen = shown(&app);
    assert!(!seen.contains("let it go on"), "{seen}");
    assert!(seen.contains("first what this cue needs"), "{seen}");
    assert_eq!(why_not(&app, Command::LetGo), "nothing waits");
    tell_all(&mut app, [released()]);
    tell(&mut app, 31..40);
    let (_, job) = run(&done(&mut app, list));
    assert_eq!(tool(&job), "escalate_ticket");
    // The cue's own call is what it is about.
    tell_all(&mut app, [held(AuditStatus::Issued)]);
    assert!(shown(&app).contains("let it go on"), "{}", shown(&app));
}

#[test]
fn what_is_held_has_no_credential_yet() {
    let tape = tape_with(Some(held(AuditStatus::Failure)));
    let mut app = App::new(AppConfig {
        size: (120, 36),
        replay: Some("held.jsonl".to_owned()),
        ..AppConfig::default()
    });
    let _ = app.update(Msg::Opened(Box::new(tape)));
    let _ = press(&mut app, "1 $ G enter");
    let seen = shown(&app);
    assert!(seen.contains("not yet"), "{seen}");
    assert!(!seen.contains("it never existed"), "{seen}");
}
