//! What keys, facts and the ends of tasks do to the state, and what they ask to be done.

mod screens;

use std::collections::BTreeSet;

use hoptrail::{
    app::{
        App, AppConfig,
        command::{COMMANDS, Command, Context, Group},
        effect::{Capture, Effect, Job},
        focus::{Layout, PaneId, Zoom},
        msg::{InputEvent, MouseAction, Msg, RecordingState, Signal, TaskId, TaskOutcome},
        overlay::{Overlay, Subject},
        target::Target,
    },
    config::{Config, keys::Key, sheet::Sheet},
    support::error::{Exit, Failure},
};
use rstest::rstest;
use screens::{draw, fresh, look, press, story, text, told, told_until};

fn jobs(effects: &[Effect]) -> Vec<Job> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Run(_, job) => Some(job.clone()),
            _ => None,
        })
        .collect()
}

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
#[case("t", "nobody is signed in: s signs in")]
#[case("d", "nobody is signed in: s signs in")]
#[case("S", "nobody is signed in")]
#[case("p", "the zone's policy sets were not read yet")]
#[case("x", "nothing is running")]
#[case("enter", "there is nothing to open here")]
#[case("3 /", "only Flow, Audit and Trace can be filtered")]
fn what_cannot_be_done_says_why(#[case] keys: &str, #[case] why: &str) {
    let mut app = fresh(80, 24);
    assert_eq!(press(&mut app, keys), []);
    let toast = app.toast().expect("a reason is given");
    assert!(toast.text.contains(why), "{}", toast.text);
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
fn a_key_without_a_meaning_points_to_the_help() {
    let mut app = fresh(80, 24);
    assert_eq!(press(&mut app, "Q"), []);
    assert_eq!(app.toast().expect("a hint").text, "? lists the keys");
}

#[test]
fn the_refusal_is_one_key_away() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "g X");
    let row = app.panes().flow.current().expect("a row is selected");
    let hop = app.projection().hops().get(row.hop()).unwrap();
    assert_eq!(hop.scope.as_deref(), Some("write"));
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
        "default-zone-policies is in force now"
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
    assert_eq!(press(&mut app, "esc"), [Effect::CancelTask(task(&started))]);
    assert!(app.overlays().is_empty());
}

#[test]
fn the_window_closes_when_the_browser_comes_back() {
    let app = told_until(80, 24, 24);
    assert!(app.overlays().is_empty());
}

#[test]
fn esc_undoes_one_thing_at_a_time_and_q_quits_only_with_nothing_open() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "2 z / text:linear enter enter ?");
    assert_eq!(app.overlays().len(), 2);
    assert_eq!(press(&mut app, "q"), []);
    assert_eq!(app.overlays().len(), 1);
    let _ = press(&mut app, "esc");
    assert!(app.overlays().is_empty());
    assert_eq!(app.filter_of(PaneId::Audit), "linear");
    let _ = press(&mut app, "esc");
    assert_eq!(app.filter_of(PaneId::Audit), "");
    assert_eq!(app.focus().zoom, Zoom::On);
    let _ = press(&mut app, "esc");
    assert_eq!(app.focus().zoom, Zoom::Off);
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
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
fn digits_jump_and_are_text_in_a_field() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "5");
    assert_eq!(app.focus().pane, PaneId::Policy);
    let _ = press(&mut app, "2 / text:q1? enter");
    assert_eq!(app.focus().pane, PaneId::Audit);
    assert_eq!(app.filter_of(PaneId::Audit), "q1?");
}

#[test]
fn tab_goes_round_and_the_stage_has_two_panes() {
    let mut app = fresh(120, 36);
    let _ = press(&mut app, "shift-tab");
    assert_eq!(app.focus().pane, PaneId::Trace);
    let _ = press(&mut app, "tab tab");
    assert_eq!(app.focus().pane, PaneId::Audit);
    let _ = press(&mut app, "v tab");
    assert_eq!(app.focus().pane, PaneId::Flow);
    let _ = press(&mut app, "4");
    assert_eq!(app.focus().layout, Layout::Explore);
}

#[test]
fn a_filter_shows_only_what_it_names_and_esc_brings_back_the_one_before() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "2 / text:status:failure enter");
    assert_eq!(app.panes().audit.rows().len(), 1);
    let _ = press(&mut app, "/ ctrl-u text:nothing esc");
    assert_eq!(app.panes().audit.rows().len(), 1);
    let _ = press(&mut app, "1 / text:linear enter");
    let (buffer, _) = draw(&app, &look(), 120, 36);
    let shown = text(&buffer);
    assert!(shown.contains("no credential, no call"), "{shown}");
    assert!(!shown.contains("Anthropic API"), "{shown}");
}

#[test]
fn rows_that_arrive_do_not_move_the_selection_and_g_follows_again() {
    let mut app = told_until(120, 36, 60);
    let _ = press(&mut app, "2 g j");
    let before = app.panes().audit.current();
    let rest: Vec<_> = story().into_iter().skip(60).collect();
    for event in rest {
        let _ = app.update(Msg::Trace(event));
    }
    assert_eq!(app.panes().audit.current(), before);
    let _ = press(&mut app, "G");
    assert!(app.panes().audit.follows());
    assert_eq!(
        app.panes().audit.selected() + 1,
        app.panes().audit.rows().len()
    );
}

#[test]
fn a_frozen_picture_holds_still_and_catches_up() {
    let mut app = told_until(120, 36, 40);
    let _ = press(&mut app, "f esc");
    let (before, _) = draw(&app, &look(), 120, 36);
    for event in story().into_iter().skip(40) {
        let _ = app.update(Msg::Trace(event));
    }
    let (after, _) = draw(&app, &look(), 120, 36);
    let body = |shown: String| shown.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(text(&before)), body(text(&after)));
    assert!(text(&after).contains("FROZEN +32"));
    let _ = press(&mut app, "f esc");
    let live = told(120, 36);
    assert_eq!(app.projection(), live.projection());
    assert_eq!(app.panes(), live.panes());
}

#[test]
fn the_inspector_turns_its_tabs_and_goes_to_the_neighbour() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "2 enter l");
    let Some(Overlay::Inspect(first)) = app.overlays().last().cloned() else {
        panic!("nothing is open");
    };
    assert_eq!(first.tab, 1);
    let _ = press(&mut app, "[");
    let Some(Overlay::Inspect(second)) = app.overlays().last().cloned() else {
        panic!("nothing is open");
    };
    assert_ne!(first.subject, second.subject);
    assert!(matches!(second.subject, Subject::Audit(_)));
    assert_eq!(second.tab, 1);
    assert_eq!(app.overlays().len(), 1);
}

#[test]
fn scrolling_past_the_end_is_taken_back_by_the_frame() {
    let mut app = told(80, 24);
    let _ = press(&mut app, "? pgdn pgdn pgdn pgdn pgdn pgdn pgdn pgdn");
    let (_, hits) = draw(&app, &look(), 80, 24);
    app.settle(&hits.extents);
    let (end, _) = draw(&app, &look(), 80, 24);
    let _ = press(&mut app, "k");
    let (up, _) = draw(&app, &look(), 80, 24);
    assert_ne!(text(&end), text(&up));
}

#[test]
fn the_palette_finds_runs_and_explains() {
    let mut app = told(120, 36);
    let effects = press(&mut app, ": text:tick enter");
    assert_eq!(jobs(&effects).len(), 1);
    let mut app = fresh(120, 36);
    let _ = press(&mut app, ": text:esca");
    let (buffer, _) = draw(&app, &look(), 120, 36);
    assert!(text(&buffer).contains("not now: nobody is signed in: s signs in"));
}

#[test]
fn paste_is_text_and_never_keys() {
    let mut app = told(120, 36);
    let paste = |text: &str| Msg::Input(InputEvent::Paste(text.to_owned()));
    assert_eq!(app.update(paste("qqq\n")), []);
    assert!(app.overlays().is_empty());
    let _ = press(&mut app, "2 /");
    let _ = app.update(paste("wri\u{1b}te\nq"));
    let _ = press(&mut app, "enter");
    assert_eq!(app.filter_of(PaneId::Audit), "wri␛te");
}

#[test]
fn a_click_does_what_it_points_at() {
    let mut app = told(120, 36);
    let (buffer, hits) = draw(&app, &look(), 120, 36);
    let shown = text(&buffer);
    let (row, line) = shown
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains("Failure") && line.contains("Linear"))
        .unwrap();
    let at = line.rfind("✗ Failure").unwrap();
    let column = line[..at].chars().count();
    let click = |app: &mut App, column: usize, row: usize, hits: &hoptrail::ui::HitMap| {
        let target = hits.at(u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
        app.update(Msg::Input(InputEvent::Mouse {
            action: MouseAction::Click,
            target,
        }))
    };
    let _ = click(&mut app, column, row, &hits);
    assert_eq!(app.focus().pane, PaneId::Audit);
    let (_, hits) = draw(&app, &look(), 120, 36);
    assert!(matches!(
        hits.at(10, 10),
        Some(Target::Row(PaneId::Audit, _))
    ));
    // A key hint is a button.
    let (buffer, hits) = draw(&app, &look(), 120, 36);
    let foot = text(&buffer).lines().last().unwrap().to_owned();
    let at = foot[..foot.find("? help").unwrap()].chars().count();
    let _ = click(&mut app, at, 35, &hits);
    assert!(matches!(app.overlays(), [Overlay::Help { .. }]));
}

#[test]
fn help_never_lies() {
    // Every command is in the registry once, and the help lists every key of the keymap.
    let mut app = told(200, 90);
    let _ = press(&mut app, "?");
    let (buffer, _) = draw(&app, &look(), 200, 90);
    let shown = text(&buffer);
    let mut seen = BTreeSet::new();
    for spec in COMMANDS {
        assert!(seen.insert(spec.command), "{} stands twice", spec.name);
        assert_eq!(spec.command.spec().name, spec.name);
        assert!(shown.contains(spec.doc), "help leaves out {}", spec.name);
        for key in app.keymap().keys(spec.command) {
            assert!(shown.contains(&key.to_string()), "help leaves out {key}");
        }
    }
}

#[test]
fn escape_and_a_letter_in_one_read_are_two_keys_except_in_a_field() {
    let mut app = told(120, 36);
    let _ = press(&mut app, "?");
    let effects = press(&mut app, "Alt-q");
    assert!(app.overlays().is_empty());
    assert!(effects.contains(&Effect::Quit));

    let _ = press(&mut app, "/ text:red");
    assert_eq!(press(&mut app, "Alt-b"), []);
    assert!(matches!(app.overlays(), [Overlay::Filter { input, .. }] if input.value() == "red"));
}

/// The whole story on a stage with a run sheet.
fn staged() -> App {
    let mut app = App::new(AppConfig {
        sheet: Some(Sheet::built_in()),
        ..AppConfig::default()
    });
    for event in story() {
        let _ = app.update(Msg::Trace(event));
    }
    app
}

#[test]
fn every_key_does_what_its_command_does() {
    for spec in COMMANDS {
        for context in spec.contexts {
            for name in spec.keys {
                let key: Key = name.parse().unwrap();
                let mut app = match context {
                    Context::Stage => staged(),
                    Context::Panes | Context::Overlay | Context::Field | Context::Form => {
                        told(120, 36)
                    }
                };
                if *context == Context::Form {
                    // Where one types, a character is text: `tests/learn/form.rs` looks at those.
                    continue;
                }
                let opening = match context {
                    Context::Panes | Context::Stage => "",
                    Context::Overlay if spec.group == Group::Overlay => "2 g j enter",
                    Context::Overlay => "2 enter",
                    Context::Field | Context::Form => ":",
                };
                let _ = press(&mut app, opening);
                assert_eq!(app.context(), *context);
                assert_eq!(app.meaning(key), Some(spec.command), "{name}");
                let mut told = app.clone();
                let by_key = app.update(Msg::Input(InputEvent::Key(key)));
                let by_command = told.perform(spec.command);
                assert_eq!(by_key, by_command, "{name}");
                assert_eq!(format!("{app:?}"), format!("{told:?}"), "{name}");
            }
        }
    }
}

#[test]
fn every_command_that_is_offered_does_something() {
    for spec in COMMANDS {
        // At the end of a list some moves have nowhere to go; from its middle all have.
        let mut app = told(120, 36);
        let _ = press(
            &mut app,
            match spec.command {
                Command::Left | Command::Right => "5 h h",
                Command::Back => "z",
                Command::Top | Command::Bottom => "2 k",
                _ => "2 k k",
            },
        );
        if spec.contexts.contains(&Context::Panes) && app.availability(spec.command).is_ready() {
            let before = format!("{app:?}");
            let effects = app.perform(spec.command);
            let same_pane = matches!(spec.command, Command::Show(pane) if pane == PaneId::Audit);
            assert!(
                !effects.is_empty() || format!("{app:?}") != before || same_pane,
                "{} does nothing",
                spec.name
            );
        }
    }
}

#[test]
fn the_footer_shows_only_keys_that_work() {
    for keys in ["1", "2", "3", "4", "5", "6", "7", "v"] {
        for mut app in [fresh(200, 60), told(200, 60)] {
            let _ = press(&mut app, keys);
            let (_, hits) = draw(&app, &look(), 200, 60);
            for (area, target) in hits.areas() {
                if let (59, Target::Command(command)) = (area.y, target) {
                    assert!(app.availability(*command).is_ready(), "{command:?}");
                }
            }
        }
    }
}

#[test]
fn settings_that_cannot_hold_open_as_failures() {
    let config = Config::parse("[keys]\nquit = \"s\"\nfly = \"F\"\n", "c.toml").unwrap();
    let app = App::new(AppConfig {
        keys: config.keys,
        ..AppConfig::default()
    });
    assert_eq!(app.overlays().len(), 2);
    assert_eq!(
        app.keymap().command(Context::Panes, Key::char('q')),
        Some(Command::Quit)
    );
}

#[test]
fn nothing_wakes_the_processor_when_nothing_goes_on() {
    let mut app = told(80, 24);
    assert_eq!(app.next_wake(), None);
    let started = press(&mut app, "e");
    assert!(app.next_wake().is_some());
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let until = app.next_wake().expect("the toast goes by itself");
    let _ = app.update(Msg::Tick(until / 1_000 + 1));
    assert_eq!(app.next_wake(), None);
}
