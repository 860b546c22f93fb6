//! The commands: keys, palette, footer and help say and do the same.

use std::collections::BTreeSet;

use hoptrail::{
    app::{
        App, AppConfig,
        command::{Availability, COMMANDS, Command, Context, Group},
        effect::Effect,
        focus::PaneId,
        msg::{InputEvent, Msg, TaskOutcome},
        target::Target,
    },
    config::{Config, keys::Key, sheet::Sheet},
};

use crate::{
    jobs,
    screens::{draw, fresh, look, press, story, text, told},
};

#[test]
fn a_key_without_a_meaning_points_to_the_help() {
    let mut app = fresh(80, 24);
    assert_eq!(press(&mut app, "9"), []);
    let told = "9 is no key here: ? lists the keys";
    assert_eq!(app.toast().expect("a hint").text, told);
}

#[test]
fn a_key_that_means_something_elsewhere_says_where() {
    let said = |keys: &str| {
        let mut app = told(80, 24);
        assert_eq!(press(&mut app, keys), [], "{keys}");
        app.toast().expect("a reason").text.clone()
    };
    for (keys, why) in [
        ("F", "recording/live: only with a run sheet: hoptrail stage"),
        (
            "A",
            "reset: only on stage, where the lab is new each time: hoptrail stage",
        ),
        ("z", "zoom: the pane has the whole screen already"),
        ("ctrl-r", "set back: only in the form of a console step"),
        ("? s", "sign in: the window comes first"),
    ] {
        assert_eq!(said(keys), why);
    }
    let mut app = told(120, 36);
    assert_eq!(press(&mut app, "z"), []);
    assert!(app.toast().is_none(), "there is more than one pane to see");
}

#[test]
fn reading_the_zone_again_says_so() {
    let mut app = told(80, 24);
    assert_eq!(jobs(&press(&mut app, "R")).len(), 1);
    let told = "policies, sessions and grants are read again";
    assert_eq!(app.toast().expect("a word").text, told);
}

#[test]
fn every_key_that_help_names_acts_or_says_why_not() {
    // Where the reader is already there is nowhere to go.
    let may_be_there = |command: Command, pane: PaneId| match command {
        Command::Show(shown) => shown == pane,
        _ => matches!(
            command,
            Command::Down
                | Command::Up
                | Command::PageDown
                | Command::PageUp
                | Command::Top
                | Command::Bottom
                | Command::Left
                | Command::Right
                | Command::NextMatch
                | Command::PreviousMatch
                | Command::Refusal
                | Command::Back
        ),
    };
    let mut dead = Vec::new();
    for place in "1234567".chars() {
        let mut shown = told(80, 24);
        let _ = press(&mut shown, &place.to_string());
        let pane = shown.focus().pane;
        let before = text(&draw(&shown, &look(), 80, 24).0);
        for spec in COMMANDS {
            for key in shown.keymap().keys(spec.command) {
                let mut app = shown.clone();
                let meant = app.meaning(*key);
                let effects = press(&mut app, &key.to_string());
                let after = text(&draw(&app, &look(), 80, 24).0);
                let is_there = meant.is_some_and(|command| may_be_there(command, pane));
                if effects.is_empty() && before == after && !is_there {
                    dead.push(format!("{key} in {}", pane.name()));
                }
            }
        }
    }
    assert_eq!(dead, [""; 0]);
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
                let ready = app.availability(spec.command) == Availability::Ready;
                if *context == Context::Overlay && !ready {
                    // A key of other windows is what it is under this one, which only tells.
                    continue;
                }
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
fn hints_name_the_keys_in_force() {
    let keys = "[keys]\nquit = \"f9\"\ncancel-task = \"f10\"\nbottom = \"f8\"\nup = \"f7\"\nissue = \"f6\"\n";
    let config = Config::parse(keys, "c.toml").unwrap();
    let mut app = App::new(AppConfig {
        keys: config.keys,
        size: (120, 36),
        ..AppConfig::default()
    });
    assert!(app.overlays().is_empty(), "{:?}", app.overlays());
    for event in story() {
        let _ = app.update(Msg::Trace(event));
    }
    let shown = |app: &App, width, height| text(&draw(app, &look(), width, height).0);
    let listed = press(&mut app, "t");
    let [Effect::Run(task, _)] = listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!(press(&mut app, "e"), []);
    assert!(
        app.toast().unwrap().text.ends_with("F10 calls it off"),
        "{:?}",
        app.toast()
    );
    let _ = app.update(Msg::Task(task, TaskOutcome::Done));
    let told = &app.toast().unwrap().text;
    assert!(told.ends_with("F6 shows them, j and F7 choose"), "{told}");
    let _ = press(&mut app, "1 g");
    assert!(shown(&app, 120, 36).contains("F8 follows"));
    let _ = press(&mut app, "7 g");
    assert!(shown(&app, 120, 36).contains("F8 follows"));
    assert!(shown(&app, 40, 10).contains("or F9 quits"));
}
