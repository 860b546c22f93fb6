//! What a room sees at three sizes.

use hoptrail::{
    app::{
        App, LEAST,
        command::Context,
        effect::Effect,
        msg::{Msg, TaskOutcome},
    },
    config::Palette,
    protocol::audit::AuditStatus,
    support::error::{Exit, Failure},
    trace::event::Fact,
    ui::look::Charset,
};

use super::{
    done, held, policy_off, refused, run,
    screens::{draw, lifted, look, look_of, press, story, text},
    snap, staged, taken_over, tell_all, toast,
};

#[test]
fn on_stage_no_key_is_told_of_two_commands() {
    let app = staged(120, 36);
    let mut seen = std::collections::BTreeMap::new();
    for spec in hoptrail::app::command::COMMANDS {
        if !spec.is_in(Context::Stage) {
            continue;
        }
        for key in app.keymap().keys(spec.command) {
            if let Some(other) = seen.insert(*key, spec.name) {
                panic!("{key} is told of {other} and {}", spec.name);
            }
            assert_eq!(app.meaning(*key), Some(spec.command), "{key}");
        }
    }
}

#[test]
fn the_picture_is_asked_for_and_its_place_is_told() {
    let mut app = refused(120, 36);
    assert_eq!(press(&mut app, "P"), [Effect::Picture]);
    let _ = app.update(Msg::Pictured(Ok("hoptrail-1.svg".to_owned())));
    assert_eq!(toast(&app), "the screen is in hoptrail-1.svg");
}

fn with_notes(mut app: App) -> App {
    let _ = press(&mut app, "i");
    app
}

#[test]
fn every_size_is_drawn_and_ascii_means_ascii() {
    let ascii = look_of(Palette::Mono, Charset::Ascii);
    let makes: [fn(u16, u16) -> App; 5] = [
        staged,
        |width, height| with_notes(refused(width, height)),
        |width, height| {
            let mut app = refused(width, height);
            tell_all(&mut app, [held(AuditStatus::Failure)]);
            with_notes(app)
        },
        policy_off,
        taken_over,
    ];
    for (width, height) in (1..=210)
        .step_by(37)
        .flat_map(|width| (1..=66).step_by(9).map(move |height| (width, height)))
    {
        for make in makes {
            // Where nothing can be seen no key does anything: it shrinks to that afterwards.
            let mut app = make(width.max(LEAST.0), height.max(LEAST.1));
            let _ = app.update(Msg::Resized(width, height));
            let _ = draw(&app, &look(), width, height);
            let shown = text(&draw(&app, &ascii, width, height).0);
            let strange: String = shown.chars().filter(|c| !c.is_ascii()).collect();
            assert_eq!(strange, "", "{width}x{height}");
        }
    }
}

#[test]
fn what_the_room_sees_before_the_first_cue() {
    snap("ready", staged);
}

#[test]
fn what_the_room_sees_of_the_refusal() {
    snap("refused", refused);
}

#[test]
fn what_the_speaker_sees_of_the_notes() {
    snap("notes", |width, height| {
        let mut app = refused(width, height);
        let _ = press(&mut app, "i");
        app
    });
}

#[test]
fn what_the_room_sees_of_an_exchange_that_waits() {
    snap("held", |width, height| {
        let mut app = refused(width, height);
        let (id, _) = run(&press(&mut app, "H"));
        let _ = done(&mut app, id);
        tell_all(&mut app, [held(AuditStatus::Failure)]);
        app
    });
}

#[test]
fn what_the_room_sees_when_the_policy_was_switched() {
    snap("policy-off", policy_off);
}

#[test]
fn what_the_room_sees_when_it_was_not_as_planned() {
    snap("not-as-planned", |width, height| {
        let mut app = refused(width, height);
        let _ = press(&mut app, "b");
        let (id, _) = run(&press(&mut app, "space"));
        tell_all(&mut app, lifted());
        let _ = done(&mut app, id);
        app
    });
}

#[test]
fn what_the_room_sees_when_the_sign_in_came_to_nothing() {
    snap("no-token", |width, height| {
        let mut app = staged(width, height);
        let (id, _) = run(&press(&mut app, "space"));
        let failure = Failure::new(
            Exit::Failed,
            "The MCP server did not answer",
            "http://127.0.0.1:8000/mcp: error sending request: connection refused (os error 111)",
            "check that the server runs and that the address is right",
        );
        let mut refused = story().swap_remove(5);
        refused.fact = Fact::SignInRefused {
            failure: failure.clone(),
        };
        tell_all(&mut app, [refused]);
        let outcome = TaskOutcome::Failed(failure);
        let _ = app.update(Msg::Task(id, outcome));
        let _ = press(&mut app, "esc");
        app
    });
}

#[test]
fn what_the_room_sees_of_the_recording() {
    snap("stood-in", |width, height| {
        let mut app = taken_over(width, height);
        let _ = press(&mut app, "$");
        app
    });
}

#[test]
fn what_is_asked_before_a_reset() {
    snap("reset", |width, height| {
        let mut app = refused(width, height);
        let _ = press(&mut app, "A");
        app
    });
}
