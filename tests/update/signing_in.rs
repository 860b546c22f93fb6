//! What a sign-in that ended, or that nobody needs, leaves to be done.

use hoptrail::{
    app::{App, command::Command, msg::Msg},
    support::error::{Exit, Failure},
    trace::{Actor, TraceEvent, event::Fact},
};

use crate::{
    jobs,
    screens::{draw, fresh, look, press, story, text, told},
};

fn tell(app: &mut App, fact: Fact) {
    let seq = app.projection().log().len() as u64;
    let _ = app.update(Msg::Trace(TraceEvent {
        seq,
        at_us: app.projection().now_us() + 1,
        span: None,
        call: None,
        actor: Actor::Client,
        fact,
    }));
}

fn header_of(app: &App) -> String {
    let (buffer, _) = draw(app, &look(), 120, 36);
    text(&buffer).lines().next().unwrap().to_owned()
}

#[test]
fn a_lab_that_does_not_answer_is_not_starting_for_ever() {
    let mut app = fresh(120, 36);
    assert!(header_of(&app).contains("starting"));
    let failure = Failure::new(Exit::Unreachable, "no", "because", "do");
    tell(&mut app, Fact::FailureOccurred(failure));
    assert!(header_of(&app).contains("not reached"));
    for event in story() {
        let _ = app.update(Msg::Trace(event));
    }
    let header = header_of(&app);
    assert!(!header.contains("not reached"), "{header}");
}

#[test]
fn after_the_sign_in_has_ended_one_signs_in_anew() {
    let mut app = told(120, 36);
    let why = "invalid_grant: the session has expired";
    tell(
        &mut app,
        Fact::SignInEnded {
            failure: Failure::new(Exit::Refused, "The sign-in has ended", why, "sign in again"),
        },
    );
    assert_eq!(app.projection().identity().user(), None);
    assert!(app.toast().expect("it is said").text.contains(why));
    let shown = header_of(&app);
    assert!(
        shown.contains("sign-in ended") && !shown.contains('@'),
        "{shown}"
    );
    assert_eq!(app.next_step().command, Command::SignIn);
    let effects = press(&mut app, "s");
    assert_eq!(format!("{:?}", jobs(&effects)), "[SignIn]");
}

#[test]
fn a_server_that_is_open_to_anyone_is_used_without_signing_in() {
    let mut app = fresh(120, 36);
    assert_eq!(press(&mut app, "t"), []);
    tell(
        &mut app,
        Fact::SignInStarted {
            server: "http://127.0.0.1:1/mcp".to_owned(),
        },
    );
    tell(&mut app, Fact::SignInNotNeeded);
    let shown = header_of(&app);
    assert!(shown.contains("open to anyone"), "{shown}");
    assert_eq!(app.next_step().command, Command::ListTickets);
    let effects = press(&mut app, "t");
    assert!(format!("{:?}", jobs(&effects)).starts_with("[CallTool"));
    // The lab's next server may want to know who asks.
    tell(&mut app, Fact::LabMoved { chapter: 3 });
    let shown = header_of(&app);
    assert!(!shown.contains("open to anyone"), "{shown}");
}
