//! A console step's form: changed, switched, set back, dropped, taken and refused.

use hoptrail::{
    app::{
        App,
        command::{COMMANDS, Context, Group},
        effect::{Effect, Job},
        learn::console::{
            Part, Step, Work,
            form::{Field, Filled, Kind},
        },
        msg::{InputEvent, Msg, TaskOutcome},
        overlay::{Overlay, Question},
    },
    config::keys::Key,
    support::error::{Exit, Failure},
};
use rstest::rstest;

use super::{SIZES, jobs, learning, press, shown, snap, task};

fn choice(label: &str, among: &[&str]) -> Field {
    let among: Vec<String> = among.iter().map(ToString::to_string).collect();
    let first = among[0].clone();
    Field::new(label, Kind::Choice(among), first)
}

fn step(title: &str, form: Vec<Field>) -> Step {
    Step {
        title: title.to_owned(),
        part: Part::Policy,
        form,
        taken: None,
    }
}

const RULE: &str = "forbid (\n    principal,\n    action,\n    resource\n);";

/// The console of chapter 7, with steps of every kind of field.
fn console(size: (u16, u16)) -> App {
    let mut app = learning("limit", 6, size);
    let _ = shown(&mut app, size);
    let opened = press(&mut app, "Z");
    let resource = vec![
        Field::new("name", Kind::Text, "Linear API"),
        choice(
            "provider",
            &["Linear OAuth", "Keycard Vault", "Zone Provider"],
        ),
        Field::new("token", Kind::Fixed, "of your own"),
    ];
    let policy = vec![
        Field::new("name", Kind::Text, "limit"),
        Field::new("text", Kind::Lines, RULE),
    ];
    let set = vec![
        Field::new("application", Kind::Text, "Linear API"),
        choice("Linear API", &["yes", "no"]),
    ];
    let fixed = vec![Field::new("token", Kind::Fixed, "of your own")];
    let _ = app.update(Msg::ConsoleWork(Work {
        chapter: 7,
        steps: vec![
            step("Make a resource", resource),
            step("Write the policy", policy),
            step("Publish the set", set),
            step("Put the key into the vault", fixed),
        ],
    }));
    let _ = app.update(Msg::Task(task(&opened), TaskOutcome::Done));
    app
}

fn type_(app: &mut App, text: &str) {
    for c in text.chars() {
        let _ = app.update(Msg::Input(InputEvent::Key(Key::char(c))));
    }
}

fn filled(effects: &[Effect]) -> Filled {
    match &jobs(effects)[..] {
        [Job::TakeStep { filled, .. }] => filled.clone(),
        other => panic!("{other:?}"),
    }
}

fn pairs(filled: &Filled) -> Vec<(&str, &str)> {
    let pair = |(label, value): &'_ (String, String)| -> (&'static str, &'static str) {
        (label.clone().leak(), value.clone().leak())
    };
    filled.iter().map(pair).collect()
}

fn is_form(app: &App) -> bool {
    matches!(app.overlays().last(), Some(Overlay::Form(_)))
}

fn refusal(why: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "The console refused the request",
        why,
        "change what was asked for",
    )
}

#[test]
fn what_is_typed_and_chosen_is_what_the_step_is_taken_with() {
    let size = (80, 24);
    let mut app = console(size);
    let _ = press(&mut app, "e");
    assert!(is_form(&app));
    type_(&mut app, " q?e");
    let _ = press(&mut app, "tab right");
    let page = shown(&mut app, size);
    assert!(page.contains("2 fields changed"), "{page}");
    assert!(page.contains("at first: Linear OAuth"), "{page}");
    let taken = press(&mut app, "enter");
    let held = filled(&taken);
    let expected = [
        ("name", "Linear API q?e"),
        ("provider", "Keycard Vault"),
        ("token", "of your own"),
    ];
    assert_eq!(pairs(&held), expected);
    assert!(is_form(&app), "until the zone has taken it");
    assert_eq!(jobs(&press(&mut app, "enter")), [], "one at a time");
    let _ = app.update(Msg::StepTaken {
        chapter: 7,
        place: 0,
        told: "made: resource".to_owned(),
        again: Vec::new(),
    });
    let _ = app.update(Msg::Task(task(&taken), TaskOutcome::Done));
    let Some(Overlay::Console { selected, .. }) = app.overlays().last() else {
        panic!("back in the list");
    };
    assert_eq!(*selected, 1, "on to the next one");
    // What is called otherwise now is so in the later forms, too, and not marked as a change there.
    let work = app.learn().unwrap().work().unwrap();
    let later = &work.steps[2].form;
    assert_eq!(later[0].value, "Linear API q?e");
    assert_eq!(later[1].label, "Linear API q?e");
    assert!(!later[0].is_changed());
    assert!(work.steps[0].form[0].is_changed());
}

#[test]
fn what_the_lab_did_of_the_work_is_done() {
    let size = (80, 24);
    let mut app = console(size);
    let taken = press(&mut app, "enter");
    let _ = app.update(Msg::StepTaken {
        chapter: 7,
        place: 0,
        told: "made: resource".to_owned(),
        again: Vec::new(),
    });
    let _ = app.update(Msg::Task(task(&taken), TaskOutcome::Done));
    let started = press(&mut app, "esc E");
    let mut moved = super::story()[0].clone();
    moved.fact = super::Fact::LabMoved { chapter: 7 };
    let _ = app.update(Msg::Trace(moved));
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let _ = press(&mut app, "esc");
    let page = shown(&mut app, size);
    assert!(page.contains("step by step  ✓ done"), "{page}");
}

#[test]
fn escape_asks_before_it_drops_what_was_changed_and_a_field_can_be_set_back() {
    let size = (80, 24);
    let mut app = console(size);
    let _ = press(&mut app, "e down space right");
    let value = |app: &App| app.form().unwrap().filled()[1].1.clone();
    assert_eq!(value(&app), "Zone Provider");
    let _ = press(&mut app, "right");
    assert_eq!(value(&app), "Linear OAuth", "round");
    let _ = press(&mut app, "left ctrl-r");
    assert_eq!(value(&app), "Linear OAuth", "as at first");
    let _ = press(&mut app, "left down");
    assert_eq!(app.form().unwrap().at(), 0, "over what is fixed");
    let _ = press(&mut app, "up esc");
    let asked = |app: &App| {
        matches!(
            app.overlays().last(),
            Some(Overlay::Confirm(Question::DropForm))
        )
    };
    assert!(asked(&app));
    let page = shown(&mut app, size);
    assert!(page.contains("Drop what you filled in?"), "{page}");
    let _ = press(&mut app, "esc");
    assert_eq!(value(&app), "Zone Provider", "still in the form");
    let _ = press(&mut app, "esc enter");
    assert!(matches!(
        app.overlays().last(),
        Some(Overlay::Console { .. })
    ));
    let taken = press(&mut app, "enter");
    assert_eq!(filled(&taken)[1].1, "Linear OAuth");
}

#[test]
fn escape_asks_nothing_about_a_form_that_is_as_it_was() {
    let mut app = console((80, 24));
    let _ = press(&mut app, "e down left right esc");
    let on_top = app.overlays().last();
    assert!(matches!(on_top, Some(Overlay::Console { .. })));
}

#[test]
fn a_form_that_was_taken_meanwhile_is_no_longer_asked_about() {
    let mut app = console((80, 24));
    let _ = press(&mut app, "e");
    type_(&mut app, "!");
    let taken = press(&mut app, "enter");
    let _ = press(&mut app, "esc");
    let _ = app.update(Msg::Task(task(&taken), TaskOutcome::Done));
    let on_top = app.overlays().last();
    assert!(matches!(on_top, Some(Overlay::Console { .. })));
}

#[test]
fn a_refusal_stands_under_the_form_and_nothing_is_lost() {
    let size = (80, 24);
    let mut app = console(size);
    let _ = press(&mut app, "j e down down end");
    assert_eq!(
        app.form().unwrap().at(),
        1,
        "the text takes the arrows first"
    );
    type_(&mut app, ")");
    let taken = press(&mut app, "enter");
    let why = "line 1, column 9: unexpected token (422 Unprocessable Entity from /policies)";
    let _ = app.update(Msg::Task(task(&taken), TaskOutcome::Failed(refusal(why))));
    let page = shown(&mut app, size);
    assert!(page.contains("line 1, column 9"), "{page}");
    assert!(page.contains("change what was asked for"), "{page}");
    let text = app.form().unwrap().long_text().unwrap().to_owned();
    assert!(text.contains("    principal,)"), "{text}");
    // Taken from the list, it is told as any failure.
    let _ = press(&mut app, "esc enter");
    let taken = press(&mut app, "enter");
    let _ = app.update(Msg::Task(task(&taken), TaskOutcome::Failed(refusal(why))));
    assert!(matches!(
        app.overlays().last(),
        Some(Overlay::Failure { .. })
    ));
}

#[test]
fn a_text_of_several_lines_is_edited_in_place() {
    let size = (80, 24);
    let mut app = console(size);
    let _ = press(&mut app, "j e tab home");
    for _ in 0..6 {
        let _ = press(&mut app, "delete");
    }
    type_(&mut app, "permit");
    let text = |app: &App| app.form().unwrap().long_text().unwrap().to_owned();
    assert_eq!(text(&app), RULE.replace("forbid", "permit"));
    let _ = press(&mut app, "down end ctrl-j");
    type_(&mut app, "x");
    assert!(text(&app).contains("principal,\nx\n"), "{}", text(&app));
    let _ = press(&mut app, "backspace backspace");
    assert_eq!(text(&app), RULE.replace("forbid", "permit"));
    let _ = press(&mut app, "delete");
    assert!(text(&app).contains("principal,    action"), "joined");
    let _ = press(&mut app, "ctrl-r");
    assert_eq!(text(&app), RULE);
    let _ = app.update(Msg::Input(InputEvent::Paste("a\nb".to_owned())));
    assert!(text(&app).contains("a\nb"), "{}", text(&app));
}

#[test]
fn the_persons_own_editor_gets_the_text_and_gives_it_back() {
    let mut app = console((80, 24));
    let _ = press(&mut app, "j e");
    assert_eq!(press(&mut app, "ctrl-o"), [], "the name is one line");
    let asked = press(&mut app, "tab ctrl-o");
    assert_eq!(asked, [Effect::Edit(RULE.to_owned())]);
    let _ = app.update(Msg::Edited(Ok("permit (\n);\n".to_owned())));
    assert_eq!(app.form().unwrap().long_text(), Some("permit (\n);"));
    let _ = app.update(Msg::Edited(Err(refusal("neither VISUAL nor EDITOR"))));
    assert_eq!(app.form().unwrap().long_text(), Some("permit (\n);"));
    assert!(app.form().unwrap().refused().is_some());
}

#[test]
fn what_was_taken_before_has_to_be_taken_again_where_it_no_longer_counts() {
    let mut app = console((80, 24));
    for place in 0..4 {
        let started = press(&mut app, "enter");
        let _ = app.update(Msg::StepTaken {
            chapter: 7,
            place,
            told: "made: a thing".to_owned(),
            again: Vec::new(),
        });
        let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    }
    assert!(app.learn().unwrap().is_work_done());
    let _ = press(&mut app, "g e");
    type_(&mut app, "x");
    let started = press(&mut app, "enter");
    let _ = app.update(Msg::StepTaken {
        chapter: 7,
        place: 0,
        told: "changed: a thing".to_owned(),
        again: vec![2],
    });
    let _ = app.update(Msg::Task(task(&started), TaskOutcome::Done));
    let work = app.learn().unwrap().work().unwrap();
    let open: Vec<usize> = (0..4)
        .filter(|at| work.steps[*at].taken.is_none())
        .collect();
    assert_eq!(open, [2]);
    let Some(Overlay::Console { selected, .. }) = app.overlays().last() else {
        panic!("the list");
    };
    assert_eq!(*selected, 2);
}

#[test]
fn a_form_without_anything_to_fill_in_does_not_open() {
    let mut app = console((80, 24));
    let _ = press(&mut app, "G e");
    assert!(!is_form(&app));
    assert!(app.toast().unwrap().text.contains("nothing in this form"));
}

#[test]
fn every_key_of_a_form_does_what_its_command_does() {
    for spec in COMMANDS
        .iter()
        .filter(|spec| spec.is_in(Context::Form) && spec.group == Group::Overlay)
    {
        for name in spec.keys {
            let key: Key = name.parse().unwrap();
            let mut app = console((80, 24));
            let _ = press(&mut app, "e down");
            let mut told = app.clone();
            let by_key = app.update(Msg::Input(InputEvent::Key(key)));
            let by_command = told.perform(spec.command);
            assert_eq!(by_key, by_command, "{name}");
            assert_eq!(format!("{app:?}"), format!("{told:?}"), "{name}");
        }
    }
}

#[rstest]
fn a_form_at_three_sizes(#[values(0, 1, 2)] size: usize) {
    let size = SIZES[size];
    let mut app = console(size);
    let _ = press(&mut app, "e down right");
    snap("form-choice", &mut app, size);
    let _ = press(&mut app, "esc enter j e down home");
    type_(&mut app, "x");
    let taken = press(&mut app, "enter");
    let why = "line 1, column 1: not a policy (422 Unprocessable Entity from /zones/lab/policies)";
    let _ = app.update(Msg::Task(task(&taken), TaskOutcome::Failed(refusal(why))));
    snap("form-refused", &mut app, size);
}

#[rstest]
#[case(3, "fault 3")]
#[case(5, "and 2 more")]
fn the_first_faults_of_a_refused_text_are_named_and_the_others_counted(
    #[case] count: usize,
    #[case] last: &str,
) {
    let size = (80, 30);
    let mut app = console(size);
    let _ = press(&mut app, "e down down home");
    type_(&mut app, "x");
    let taken = press(&mut app, "enter");
    let faults: Vec<String> = (1..=count).map(|fault| format!("fault {fault}")).collect();
    let failure = refusal(&faults.join("\n"));
    let _ = app.update(Msg::Task(task(&taken), TaskOutcome::Failed(failure)));
    let screen = shown(&mut app, size);
    assert!(
        screen.contains("fault 3") && screen.contains(last),
        "{screen}"
    );
    assert!(!screen.contains("fault 4"), "{screen}");
    assert_eq!(screen.contains(" more"), count > 3, "{screen}");
}
