//! The real binary in a terminal: what a person sees, and what the terminal is like afterwards.
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;
#[path = "pty/terminal.rs"]
mod terminal;

use std::{
    fs,
    io::{Read as _, Write as _},
};

use hoptrail::{projection::Projection, trace::codec};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use program::{Home, eventually};
use rstest::rstest;
use terminal::{Terminal, has};

/// Bright red: plain red cannot be read from the back of a room.
const RED: vt100::Color = vt100::Color::Idx(9);
const CTRL_C: &str = "\u{3}";
const CTRL_Z: &str = "\u{1a}";
const ESC: &str = "\u{1b}";

fn start(home: &Home) -> Terminal {
    Terminal::start(home, 120, 36, &["--headless"], &[])
}

/// Drawn, and the lab behind it answers.
fn ready(terminal: &Terminal) {
    terminal.wait_for(&["hoptrail", "quit"]);
}

fn sign_in(terminal: &mut Terminal) {
    terminal.press("s");
    terminal.wait_for(&["signed in as"]);
    terminal.wait_for(&["ada@lab.example"]);
}

/// Signs in, lists, escalates, and is refused.
fn tell_the_story(terminal: &mut Terminal) {
    sign_in(terminal);
    terminal.press("t");
    terminal.wait_for(&["5 tickets"]);
    terminal.press("4");
    terminal.wait_for(&["Payment portal"]);
    terminal.press("e");
    terminal.wait_for(&["ENG-1 filed"]);
    terminal.press("2");
    terminal.wait_for(&["issues:create"]);
    terminal.press("d");
    terminal.wait("the red refusal", |screen| {
        has(screen, "✗", RED) && screen.contents().contains("delete_issue")
    });
}

#[test]
fn the_first_screen_says_what_to_press_and_q_gives_the_terminal_back() {
    let home = Home::new();
    let mut terminal = start(&home);
    let first = terminal.wait_for(&["hoptrail", "sign in", "help", "quit"]);
    assert!(terminal.look(vt100::Screen::alternate_screen), "{first}");
    terminal.press("q");
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[test]
fn the_story_is_told_by_four_keys_and_the_refusal_is_red() {
    let home = Home::new();
    let mut terminal = start(&home);
    ready(&terminal);
    tell_the_story(&mut terminal);
    terminal.press("5");
    terminal.wait_for(&["limit-linear-scopes"]);
    terminal.press("4");
    terminal.wait_for(&["ENG-1"]);
    terminal.press("?");
    terminal.wait_for(&["Keys", "Sign in with the browser"]);
    terminal.press(ESC);
    terminal.wait("the help is closed", |screen| {
        !screen.contents().contains("Sign in with the browser")
    });
    terminal.press("q");
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[test]
fn every_size_is_drawn_to_its_edges_and_too_small_is_said() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, 80, 24, &["--headless"], &[]);
    ready(&terminal);
    sign_in(&mut terminal);
    for (columns, rows) in [(200, 60), (80, 24), (120, 36)] {
        terminal.resize(columns, rows);
        terminal.wait("header and footer at the edges", |screen| {
            let lines: Vec<String> = screen.rows(0, columns).collect();
            lines[0].contains("hoptrail") && lines[usize::from(rows) - 1].contains("quit")
        });
    }
    terminal.resize(40, 10);
    terminal.wait_for(&["needs more room"]);
    terminal.resize(80, 24);
    terminal.wait_for(&["ada@lab.example"]);
    terminal.press(CTRL_C);
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[test]
fn no_color_leaves_the_terminals_own_colours() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, 120, 36, &["--headless"], &[("NO_COLOR", "1")]);
    ready(&terminal);
    sign_in(&mut terminal);
    terminal.look(|screen| {
        let (rows, columns) = screen.size();
        for row in 0..rows.get() {
            for column in 0..columns.get() {
                let cell = screen.cell(row, column).unwrap();
                assert_eq!(
                    (cell.fgcolor(), cell.bgcolor()),
                    (vt100::Color::Default, vt100::Color::Default),
                    "at {column},{row}: {:?}",
                    cell.contents()
                );
            }
        }
    });
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn ascii_draws_ascii_only() {
    let home = Home::new();
    let mut terminal = Terminal::start(&home, 120, 36, &["--headless", "--ascii"], &[]);
    ready(&terminal);
    sign_in(&mut terminal);
    for key in ["t", "1", "2", "3", "4", "5", "6", "7", "?"] {
        terminal.press(key);
    }
    terminal.wait_for(&["Keys", "Sign in with the browser"]);
    terminal.press("q");
    terminal.press("q");
    assert!(terminal.ended().success());
    let raw = String::from_utf8(terminal.raw()).unwrap();
    let strange: String = raw.chars().filter(|c| !c.is_ascii()).take(20).collect();
    assert!(strange.is_empty(), "{strange}");
}

#[rstest]
#[case::ctrl_c(CTRL_C, "")]
#[case::sigterm("", "TERM")]
#[case::sighup("", "HUP")]
#[case::sigint("", "INT")]
fn however_it_ends_the_terminal_is_given_back(#[case] key: &str, #[case] signal: &str) {
    let home = Home::new();
    let mut terminal = start(&home);
    ready(&terminal);
    sign_in(&mut terminal);
    // In the middle of something: a window is open.
    terminal.press("?");
    terminal.wait_for(&["Keys", "Sign in with the browser"]);
    if signal.is_empty() {
        terminal.press(key);
    } else {
        terminal.signal(signal);
    }
    assert!(terminal.ended().success());
    terminal.is_given_back();
    assert!(!home.state().join("zone.db-wal").exists());
}

#[test]
fn a_panic_gives_the_terminal_back_and_tells_where() {
    let home = Home::new();
    let env = [("HOPTRAIL_PANIC", "drawing")];
    let mut terminal = Terminal::start(&home, 120, 36, &["--headless"], &env);
    assert_eq!(terminal.ended().exit_code(), 101);
    terminal.is_given_back();
    let told = terminal.wait_for(&["provoked by HOPTRAIL_PANIC"]);
    assert!(told.contains("src/runtime/tui.rs:"), "{told}");
}

#[test]
fn a_panic_in_a_task_is_told_in_the_panes_and_the_program_goes_on() {
    let home = Home::new();
    let env = [("HOPTRAIL_PANIC", "task")];
    let mut terminal = Terminal::start(&home, 120, 36, &["--headless"], &env);
    ready(&terminal);
    terminal.press("s");
    terminal.wait_for(&["stopped unexpectedly"]);
    assert!(terminal.look(vt100::Screen::alternate_screen));
    terminal.press(ESC);
    terminal.wait("the failure is closed", |screen| {
        !screen.contents().contains("stopped unexpectedly")
    });
    terminal.press("q");
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[test]
fn a_terminal_that_vanishes_ends_the_program_without_a_panic() {
    let home = Home::new();
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut program = CommandBuilder::new(env!("CARGO_BIN_EXE_hoptrail"));
    program.arg("--headless");
    program.cwd(home.path());
    program.env_clear();
    for (name, value) in home.environment() {
        program.env(name, value);
    }
    let mut child = pair.slave.spawn_command(program).unwrap();
    let mut keyboard = pair.master.take_writer().unwrap();
    keyboard.write_all(b"?").unwrap();
    let mut screen = pair.master.try_clone_reader().unwrap();
    let (mut seen, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    // It answers, so it hears that the terminal goes.
    while !String::from_utf8_lossy(&seen).contains("Keys") {
        let count = screen.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..count]);
    }
    drop((keyboard, screen, pair));
    let mut status = None;
    eventually("hoptrail ended", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert!(status.is_some_and(|status| status.success()));
}

#[rstest]
#[case::by_its_key(|terminal: &mut Terminal| terminal.press(CTRL_Z))]
#[case::from_outside(|terminal: &mut Terminal| terminal.signal("TSTP"))]
fn whoever_stops_it_the_shell_gets_the_terminal_and_fg_comes_back(#[case] stop: fn(&mut Terminal)) {
    let home = Home::new();
    let mut terminal = Terminal::start_beneath_a_shell(&home, 120, 36, &["--headless"]);
    ready(&terminal);
    sign_in(&mut terminal);
    stop(&mut terminal);
    eventually("it is stopped", || terminal.process_state() == 'T');
    terminal.is_given_back();
    terminal.signal("CONT");
    terminal.wait("it is drawn anew", |screen| {
        screen.alternate_screen() && screen.contents().contains("ada@lab.example")
    });
    // And it still listens.
    terminal.press("?");
    terminal.wait_for(&["Keys", "Sign in with the browser"]);
    terminal.press(CTRL_C);
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[rstest]
#[case::by_its_key(|terminal: &mut Terminal| terminal.press(CTRL_Z))]
#[case::from_outside(|terminal: &mut Terminal| terminal.signal("TSTP"))]
fn what_no_shell_could_continue_is_not_stopped(#[case] stop: fn(&mut Terminal)) {
    let home = Home::new();
    let mut terminal = start(&home);
    ready(&terminal);
    stop(&mut terminal);
    terminal.wait_for(&["no shell is there that could continue hoptrail"]);
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn a_recording_begun_in_the_middle_tells_the_whole_story() {
    let home = Home::new();
    let mut terminal = start(&home);
    ready(&terminal);
    sign_in(&mut terminal);
    terminal.press("r");
    terminal.wait_for(&["REC"]);
    terminal.press("t");
    terminal.wait_for(&["5 tickets"]);
    terminal.press("r");
    terminal.wait("the recording is over", |screen| {
        !screen.rows(0, 120).next().unwrap().contains("REC")
    });
    terminal.press("q");
    assert!(terminal.ended().success());
    terminal.is_given_back();
    let told = terminal.wait_for(&["Recorded", "events to"]);
    let recording = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .unwrap_or_else(|| panic!("no recording: {told}"));
    let text = fs::read_to_string(recording).unwrap();
    let mut lines = text.lines();
    let header = codec::decode_header(lines.next().unwrap()).unwrap();
    let mut projection = Projection::starting(header.started);
    for (number, line) in (2..).zip(lines) {
        let event = codec::decode(line, number).unwrap();
        assert_eq!(codec::encode(&event).trim_end(), line);
        projection.apply(&event);
    }
    assert!(projection.identity().user().is_some());
    assert_eq!(projection.tools().calls().len(), 1);
    assert_eq!(projection.unknown(), 0);
}

#[test]
fn a_second_start_goes_on_where_the_first_ended() {
    let home = Home::new();
    let mut first = start(&home);
    ready(&first);
    tell_the_story(&mut first);
    first.press("q");
    assert!(first.ended().success());
    let mut second = start(&home);
    ready(&second);
    second.press("2");
    second.wait_for(&["issues:create", "✗ Failure"]);
    sign_in(&mut second);
    second.press("q");
    assert!(second.ended().success());
    second.is_given_back();
}

#[test]
fn the_chapters_are_gone_through_and_resumed() {
    let home = Home::new();
    let mut first = Terminal::start(&home, 120, 36, &["learn", "--headless"], &[]);
    first.wait_for(&["0. The open door", "LAB", "next t"]);
    first.press("t");
    // The header has the chapter's name again when nothing is under way: keys are taken then.
    first.wait_for(&["5 tickets", "hoptrail  0. The open door"]);
    first.press("e");
    first.wait_for(&["hoptrail  0. The open door", "5 of 5 checks"]);
    first.press("J");
    first.wait_for(&["hoptrail  1. A zone of your own"]);
    first.press("E");
    first.wait_for(&["from the end of chapter 0 to the end of chapter 1"]);
    first.press(ESC);
    first.wait_for(&["7 of 7 checks"]);
    first.press("q");
    assert!(first.ended().success());
    first.is_given_back();

    // Without a command, and in the chapter where the reader stopped.
    let mut second = Terminal::start(&home, 80, 24, &["--headless"], &[]);
    second.wait_for(&["1. A zone of your own", "7/7"]);
    second.press("C");
    second.wait_for(&["2 of 9 done"]);
    second.press(ESC);
    // Escape and a letter in one read would be Alt with the letter.
    second.wait("the list is closed", |screen| {
        !screen.contents().contains("2 of 9 done")
    });
    second.press("q");
    assert!(second.ended().success());
    second.is_given_back();

    let path = home.state().join("chapters.toml");
    fs::write(&path, "version = ?").unwrap();
    let mut third = Terminal::start(&home, 80, 24, &["learn", "--headless"], &[]);
    assert_eq!(third.ended().exit_code(), 2);
    third.wait_for(&["was not taken", "line 1"]);
    assert_eq!(fs::read_to_string(path).unwrap(), "version = ?");
}
