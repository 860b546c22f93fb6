//! The real binary in a terminal, on recorded traces: one by name, one from the list, two beside
//! each other; and what is written where there is no terminal.
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;
#[path = "pty/terminal.rs"]
#[expect(dead_code, reason = "each test binary uses a part of it")]
mod terminal;

use std::fs;

use program::Home;
use terminal::{Terminal, has};

/// Bright red: plain red cannot be read from the back of a room.
const RED: vt100::Color = vt100::Color::Idx(9);
const ESC: &str = "\u{1b}";

fn start(home: &Home, args: &[&str]) -> Terminal {
    Terminal::start(home, 120, 36, args, &[])
}

#[test]
fn the_denial_is_replayed_by_its_name() {
    let home = Home::new();
    let mut terminal = start(&home, &["replay", "denial"]);
    terminal.wait_for(&["The denial", "REPLAY 0/"]);
    terminal.press("!");
    terminal.wait("the red refusal", |screen| {
        has(screen, "✗", RED) && screen.contents().contains("limit-linear-scopes")
    });
    terminal.press("e");
    terminal.wait_for(&["this is a replay"]);
    terminal.press("b");
    terminal.wait_for(&["bookmarked"]);
    terminal.press("W");
    terminal.wait_for(&["no words remove the note"]);
    terminal.press("never issued\r");
    terminal.wait_for(&["noted"]);
    terminal.press("q");
    assert!(terminal.ended().success());
    terminal.is_given_back();
    let notes = home.state().join("notes/denial.notes.toml");
    let notes = fs::read_to_string(notes).unwrap();
    assert!(notes.contains("never issued"), "{notes}");

    let mut again = start(&home, &["replay", "denial"]);
    again.wait_for(&["REPLAY 0/"]);
    again.press("L");
    again.wait_for(&["Marks and notes", "never issued", "ch 7"]);
    again.press("G\r");
    again.wait_for(&["never issued"]);
    again.press("q");
    assert!(again.ended().success());
}

#[test]
fn without_a_name_one_is_chosen() {
    let home = Home::new();
    let mut terminal = start(&home, &["replay"]);
    terminal.wait_for(&["Recorded traces", "open-door", "denial", "expired"]);
    terminal.press("jj\r");
    terminal.wait_for(&["The same ticket masked", "REPLAY 0/"]);
    terminal.press("O");
    terminal.wait_for(&["Recorded traces"]);
    terminal.press("\r");
    terminal.wait_for(&["wide open", "REPLAY 0/"]);
    terminal.press("q");
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[test]
fn two_traces_stand_beside_each_other() {
    let home = Home::new();
    let mut terminal = start(&home, &["replay", "unmasked", "masked"]);
    terminal.wait_for(&["Two runs", "A unmasked", "B masked", "the same", "only B"]);
    terminal.press("G\r");
    terminal.wait_for(&["Overview", "Tokens", "Policy"]);
    terminal.press(ESC);
    terminal.wait_for(&["Two runs"]);
    terminal.press(ESC);
    terminal.wait_for(&["1 Flow", "REPLAY 0/"]);
    terminal.press("=");
    terminal.wait_for(&["Two runs"]);
    terminal.press("qq");
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[test]
fn a_live_run_is_laid_beside_a_trace() {
    let home = Home::new();
    let mut terminal = start(&home, &["--headless", "--against", "denial"]);
    terminal.wait_for(&["sign in", "= compare"]);
    terminal.press("=");
    terminal.wait_for(&["Two runs", "this run", "not yet"]);
    terminal.press("=s");
    terminal.wait_for(&["signed in as"]);
    terminal.press("=");
    terminal.wait("the sign-in is the same", |screen| {
        let shown = screen.contents();
        shown.contains("= same") && shown.contains("token request (code)")
    });
    terminal.press("qq");
    assert!(terminal.ended().success());
}

#[test]
fn a_damaged_file_of_notes_is_told_and_left_alone() {
    let home = Home::new();
    let folder = home.state().join("notes");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("masked.notes.toml");
    fs::write(&path, "[[note]]\nevent = \"seven\"\n").unwrap();
    let mut terminal = start(&home, &["replay", "masked"]);
    terminal.wait_for(&["The notes in", "line 2", "mend the file"]);
    terminal.press(ESC);
    terminal.wait_for(&["REPLAY 0/"]);
    terminal.press("b");
    terminal.wait_for(&["bookmark: The notes in"]);
    terminal.press("q");
    assert!(terminal.ended().success());
    let kept = fs::read_to_string(path).unwrap();
    assert_eq!(kept, "[[note]]\nevent = \"seven\"\n");
}

#[test]
fn where_there_is_no_terminal_traces_are_listed_and_compared_as_text() {
    let home = Home::new();
    let listed = home.run(&["replay"]).exits_with(0).out;
    assert_eq!(listed.lines().count(), 10, "{listed}");
    assert!(listed.contains("denial"), "{listed}");
    assert_eq!(home.run(&["traces", "list"]).exits_with(0).out, listed);
    let replayed = home.run(&["replay", "denial"]).exits_with(0).out;
    assert!(replayed.contains("The story held"), "{replayed}");
    let differ = home
        .run(&["replay", "unmasked", "masked"])
        .exits_with(1)
        .out;
    assert_eq!(
        home.run(&["diff", "unmasked", "masked"]).exits_with(1).out,
        differ
    );
    assert!(differ.contains("> only B"), "{differ}");
    home.run(&["diff", "denial", "denial"]).exits_with(0);
    let report = home.run(&["export", "denial", "--to", "markdown"]);
    assert!(report.exits_with(0).out.contains("limit-linear-scopes"));
}

#[test]
fn a_file_of_the_same_name_goes_before_a_shipped_trace() {
    let home = Home::new();
    home.write("denial", "no trace\n");
    let (what, why, _) = home.run(&["replay", "denial"]).exits_with(2).failure();
    assert!(
        what.contains("denial") && why.contains("line 1"),
        "{what}: {why}"
    );
}

#[test]
fn what_is_no_trace_and_no_name_is_told() {
    let home = Home::new();
    for args in [
        &["replay", "moon"][..],
        &["diff", "denial", "moon"],
        &["export", "moon", "--to", "otlp"],
    ] {
        let (what, _, next) = home.run(args).exits_with(2).failure();
        assert!(what.contains("moon"), "{what}");
        assert!(next.contains("hoptrail traces list"), "{next}");
    }
    let (what, _, next) = home
        .run(&["demo", "--headless", "--against", "denial"])
        .exits_with(2)
        .failure();
    assert!(
        what.contains("--against") && next.contains("hoptrail diff"),
        "{what}: {next}"
    );
    let (what, _, _) = home
        .run(&["traces", "record", "moon", "--to", "out"])
        .exits_with(2)
        .failure();
    assert!(what.contains("moon"), "{what}");
}
