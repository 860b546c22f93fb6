//! Every pane and window at three sizes, in text; and the looks without colour and without Unicode.

#[path = "panes/issue.rs"]
mod personal;
mod screens;

use hoptrail::{
    app::{
        App, AppConfig,
        effect::Effect,
        msg::{Msg, RecordingState, TaskId, TaskOutcome},
    },
    config::Palette,
    protocol::observed::Issue,
    support::error::{Exit, Failure},
    trace::event::{BrowserLeg, Fact},
    ui::look::{Charset, Look, Role},
};
use screens::{
    draw, fresh, header, lifted, look, look_of, press, shoot, story, text, told, told_until,
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn snap(name: &str, app: &App, look: &Look, size: (u16, u16)) {
    let (buffer, _) = draw(app, look, size.0, size.1);
    shoot(name, &buffer);
    insta::assert_snapshot!(format!("{name}@{}x{}", size.0, size.1), text(&buffer));
}

fn at_all_sizes(name: &str, keys: &str) {
    for size in SIZES {
        let mut app = told(size.0, size.1);
        let _ = press(&mut app, keys);
        snap(name, &app, &look(), size);
    }
}

#[test]
fn the_first_screen_tells_a_newcomer_what_to_press() {
    for size in SIZES {
        snap("first", &fresh(size.0, size.1), &look(), size);
    }
}

#[test]
fn flow() {
    at_all_sizes("flow", "1");
}

#[test]
fn audit() {
    at_all_sizes("audit", "2");
}

#[test]
fn rows_from_before_the_run_are_told_apart() {
    // The run begins with the escalation, and knows of no call before.
    let began = header().started + chrono::TimeDelta::seconds(11);
    let rows = story()
        .into_iter()
        .filter(|event| matches!(event.fact, Fact::RunStarted(_) | Fact::AuditRecorded(_)));
    let rows: Vec<_> = rows.collect();
    let of = |events: &[hoptrail::trace::TraceEvent], size: (u16, u16)| {
        let mut app = App::new(AppConfig {
            size,
            started: Some(began),
            ..AppConfig::default()
        });
        for event in events {
            let _ = app.update(Msg::Trace(event.clone()));
        }
        let _ = press(&mut app, "2");
        app
    };
    for size in SIZES {
        snap("audit-earlier", &of(&rows, size), &look(), size);
    }
    let shown =
        |events, size: (u16, u16)| text(&draw(&of(events, size), &look(), size.0, size.1).0);
    let wide = shown(&rows, (120, 36));
    assert!(
        wide.contains("5 rows  ✓ 4 issued  ✗ 1 failed  · 4 earlier"),
        "{wide}"
    );
    let (buffer, _) = draw(&of(&rows, (120, 36)), &look(), 120, 36);
    let dim = look().style(Role::Dim).fg;
    let is_dim = |words: &str| {
        let row = wide.lines().position(|line| line.contains(words)).unwrap();
        let line = wide.lines().nth(row).unwrap();
        let column = line[..line.find("Support Escalation ⟶").unwrap()]
            .chars()
            .count();
        let at = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        buffer[at].style().fg == dim
    };
    assert!(
        is_dim("an earlier run") && !is_dim("issues:create"),
        "{wide}"
    );
    let narrow = shown(&rows, (80, 24));
    assert!(narrow.contains(" ✓ 4  ✗ 1 "), "{narrow}");
    // With none of its own there is room to say so.
    let narrow = shown(&rows[..4], (80, 24));
    assert!(narrow.contains(" 3 earlier "), "{narrow}");
}

#[test]
fn env() {
    at_all_sizes("env", "3");
}

#[test]
fn issue() {
    at_all_sizes("issue", "4");
}

#[test]
fn policy() {
    at_all_sizes("policy", "5");
}

#[test]
fn sessions() {
    at_all_sizes("sessions", "6");
}

#[test]
fn trace() {
    at_all_sizes("trace", "7");
}

#[test]
fn the_stage_shows_the_verdict_in_large_letters() {
    at_all_sizes("stage", "v");
    let mut app = told_until(120, 36, 65);
    let _ = press(&mut app, "v");
    snap("stage-issued", &app, &look(), (120, 36));
    let mut app = fresh(120, 36);
    let _ = press(&mut app, "v");
    snap("stage-ready", &app, &look(), (120, 36));
}

#[test]
fn with_the_policy_lifted_the_same_call_goes_through() {
    for (name, keys) in [
        ("lifted-stage", "v"),
        ("lifted-policy", "5"),
        ("lifted-issue", "4"),
    ] {
        let mut app = told(120, 36);
        for event in lifted() {
            let _ = app.update(Msg::Trace(event));
        }
        let _ = press(&mut app, keys);
        snap(name, &app, &look(), (120, 36));
    }
}

#[test]
fn a_zoomed_pane_has_the_screen() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "4 z");
    snap("zoomed-issue", &app, &look(), (120, 36));
    let mut app = told(120, 36);
    let _ = press(&mut app, "3 z");
    snap("zoomed-env", &app, &look(), (120, 36));
}

#[test]
fn the_inspector_opens_a_hop() {
    let size = (120, 36);
    for (tab, keys) in [
        ("client-request", "1 k k enter l"),
        ("browser", "1 g j j j j j enter l"),
        ("issued-tokens", "1 k k k k k enter l l l"),
        ("overview", "1 k enter"),
        ("request", "1 k enter l"),
        ("response", "1 k enter l l"),
        ("tokens", "1 k enter l l l"),
        ("policy", "1 k enter l l l l"),
    ] {
        let mut app = told(size.0, size.1);
        let _ = press(&mut app, keys);
        snap(&format!("hop-{tab}"), &app, &look(), size);
    }
    let mut app = told(80, 24);
    let _ = press(&mut app, "1 k enter");
    snap("hop-overview", &app, &look(), (80, 24));
    let mut app = told(size.0, size.1);
    let _ = press(&mut app, "2 enter");
    snap("audit-row", &app, &look(), size);
    let mut app = told(size.0, size.1);
    let _ = press(&mut app, "7 enter");
    snap("event", &app, &look(), size);
}

#[test]
fn help_and_palette() {
    at_all_sizes("help", "?");
    let mut app = told(120, 36);
    let _ = press(&mut app, ": text:de");
    snap("palette", &app, &look(), (120, 36));
    let mut app = fresh(80, 24);
    let _ = press(&mut app, ":");
    snap("palette", &app, &look(), (80, 24));
}

#[test]
fn a_filter_is_typed_in_the_footer() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "2 / text:linear");
    snap("filter", &app, &look(), (120, 36));
}

#[test]
fn a_failure_says_what_and_why_and_what_next() {
    let mut app = told(80, 24);
    app.fail(Failure::new(
        Exit::Unreachable,
        "The MCP server did not answer",
        "connection refused at http://127.0.0.1:8000/mcp; nothing listens there",
        "start your server with npm run dev, or leave --server away for the lab's own",
    ));
    snap("failure", &app, &look(), (80, 24));
}

#[test]
fn the_browser_is_waited_for() {
    let size = (80, 24);
    let mut app = fresh(size.0, size.1);
    let _ = press(&mut app, "s");
    for event in story().into_iter().take(18) {
        let _ = app.update(Msg::Trace(event));
    }
    let _ = app.update(Msg::Tick(6_400));
    let (buffer, _) = draw(&app, &look(), size.0, size.1);
    let first = hoptrail::upstream::people::PEOPLE[0].name;
    assert!(text(&buffer).contains(first), "who answers is {first}");
    snap("waiting", &app, &look(), size);
}

#[test]
fn quitting_while_recording_asks() {
    let mut app = told(80, 24);
    let _ = app.update(Msg::Recording(RecordingState::On {
        file: "demo.jsonl".to_owned(),
    }));
    let _ = app.update(Msg::Tick(60_000));
    let _ = press(&mut app, "q");
    snap("confirm", &app, &look(), (80, 24));
}

#[test]
fn news_and_a_frozen_picture() {
    let mut app = told(80, 24);
    let _ = press(&mut app, "f");
    for event in story().into_iter().take(12) {
        let _ = app.update(Msg::Trace(event));
    }
    snap("frozen", &app, &look(), (80, 24));
    let mut app = told(80, 24);
    let effects = press(&mut app, "d");
    let Some(Effect::Run(TaskId(id), _)) = effects.first() else {
        panic!("{effects:?}");
    };
    let _ = app.update(Msg::Task(TaskId(*id), TaskOutcome::Done));
    snap("toast", &app, &look(), (80, 24));
}

#[test]
fn without_colour_and_without_unicode() {
    for (name, keys) in [
        ("flow", "1"),
        ("audit", "2"),
        ("stage", "v"),
        ("hop", "1 k enter"),
    ] {
        let mut app = told(80, 24);
        let _ = press(&mut app, keys);
        let ascii = look_of(Palette::Mono, Charset::Ascii);
        snap(&format!("ascii-{name}"), &app, &ascii, (80, 24));
        let (buffer, _) = draw(&app, &ascii, 80, 24);
        for y in 0..24 {
            for x in 0..80 {
                let symbol = buffer[(x, y)].symbol();
                assert!(symbol.is_ascii(), "{name} has {symbol} at {x},{y}");
            }
        }
    }
}

#[test]
fn too_small_a_screen_says_what_it_needs() {
    snap("too-small", &told(40, 10), &look(), (40, 10));
}

#[test]
fn hostile_text_cannot_drive_the_terminal() {
    let mut app = told(120, 36);
    let mut event = story().remove(2);
    event.fact = Fact::BrowserOpened {
        url: "http://x/\u{1b}]0;owned\u{7}\u{202e}".to_owned(),
        how: BrowserLeg::Shown,
    };
    let _ = app.update(Msg::Trace(event));
    let (buffer, _) = draw(&app, &look(), 120, 36);
    let shown = text(&buffer);
    assert!(shown.contains("␛]0;owned␇�"), "{shown}");
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']));
}

/// Whoever presses the key twice means the same issue, and not the one before it.
#[test]
fn a_second_delete_takes_no_older_issue() {
    let events = story();
    let seen = events
        .iter()
        .find(|event| matches!(event.fact, Fact::IssueSeen(_)))
        .unwrap();
    let told = |change: fn(&mut Issue)| {
        let mut event = seen.clone();
        if let Fact::IssueSeen(issue) = &mut event.fact {
            change(issue);
        }
        event
    };
    let older = told(|issue| {
        "an-older-one".clone_into(&mut issue.id);
        "SUP-3".clone_into(&mut issue.identifier);
        issue.trace_parent = None;
    });
    let mut app = fresh(80, 24);
    for event in std::iter::once(older).chain(events.iter().cloned()) {
        let _ = app.update(Msg::Trace(event));
    }
    assert_eq!(
        app.standing_issue().map(|issue| &*issue.identifier),
        Some("SUP-12")
    );
    let _ = app.update(Msg::Trace(told(|issue| issue.trashed = true)));
    assert!(app.standing_issue().is_none());
    assert!(press(&mut app, "d").is_empty());
    let said = app.toast().map(|toast| toast.text.as_str());
    assert_eq!(
        said,
        Some("delete: the issue is in the trash already: e, then d")
    );
}
