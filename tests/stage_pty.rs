//! The whole built-in sheet on the real binary, by the one key that the instructor has.
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;
#[expect(dead_code, reason = "each test binary uses a part of it")]
#[path = "pty/terminal.rs"]
mod terminal;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use program::Home;
use serde_json::Value;
use terminal::Terminal;

fn start(home: &Home, args: &[&str]) -> Terminal {
    let mut all = vec!["stage", "--headless"];
    all.extend(args);
    Terminal::start(home, 120, 36, &all, &[])
}

/// What the quiet row says after each cue of the built-in sheet.
const CUES: [&str; 8] = [
    "1/8 Sign in",
    "2/8 Escalate a ticket",
    "3/8 Now the delete",
    "4/8 Policy off",
    "5/8 The same delete again",
    "6/8 Policy on",
    "7/8 Another issue",
    "8/8 And the delete is refused",
];

fn whole_sheet(terminal: &mut Terminal) {
    for cue in CUES {
        terminal.press(" ");
        terminal.wait_for(&[cue, "✓ as planned"]);
    }
    terminal.wait_for(&["limit-linear-scopes refused write on Linear API"]);
}

#[test]
fn the_one_key_tells_the_whole_sheet_and_a_reset_tells_it_again() {
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    terminal.wait_for(&["The denial, live: 8 cues", "next Space Sign in", "RULE ON"]);
    whole_sheet(&mut terminal);
    terminal.press("A");
    terminal.wait_for(&["Back to the start?"]);
    terminal.press("\r");
    terminal.wait_for(&["The denial, live: 8 cues", "not signed in", "RULE ON"]);
    whole_sheet(&mut terminal);
    // One press too many leaves the closing picture.
    terminal.press(" ");
    terminal.wait_for(&["the sheet is at its end"]);
    leave(&mut terminal);
    assert!(terminal.ended().success());
    terminal.is_given_back();
    // The lab was in memory: nothing of it is left.
    assert!(!home.state().join("zone.db").exists());
}

/// A show that goes on is not left by one key.
fn leave(terminal: &mut Terminal) {
    terminal.press("q");
    terminal.wait_for(&["Leave the stage?"]);
    terminal.press("\r");
}

#[test]
fn each_hop_waits_for_the_key_and_quitting_lets_go() {
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    terminal.wait_for(&["next Space Sign in", "RULE ON"]);
    terminal.press(" ");
    terminal.wait_for(&["1/8 Sign in", "✓ as planned"]);
    terminal.press("H");
    terminal.wait_for(&["HOLD"]);
    terminal.press(" ");
    // The list of tickets needs a credential, too, but the cue is not about that.
    for (place, wanted) in [
        ("escalate_ticket, exchange 1", "wants Supabase Database"),
        ("escalate_ticket, exchange 2", "wants Anthropic API"),
        ("escalate_ticket, exchange 3", "wants read on Linear API"),
        (
            "escalate_ticket, exchange 4",
            "wants issues:create on Linear API",
        ),
    ] {
        terminal.wait_for(&[place, wanted, "for ada@lab.example", "will permit it"]);
        terminal.press(" ");
    }
    terminal.wait_for(&["2/8 Escalate a ticket", "✓ as planned"]);
    terminal.press(" ");
    terminal.wait_for(&[
        "wants write on Linear API",
        "limit-linear-scopes will forbid it",
    ]);
    leave(&mut terminal);
    assert!(terminal.ended().success());
    terminal.is_given_back();
}

#[test]
fn a_recording_takes_over_and_the_screen_is_a_picture() {
    let home = Home::new();
    let mut terminal = start(&home, &[]);
    terminal.wait_for(&["next Space Sign in", "RULE ON"]);
    terminal.press("F");
    terminal.wait_for(&["REPLAY", "/177", "a recording stands in"]);
    for _ in 0..4 {
        terminal.press(" ");
    }
    // Behind the switch, before the same delete again: what the built-in sheet tells.
    terminal.wait_for(&["limit-linear-scopes is not in force", "✗ refused"]);
    terminal.press("P");
    terminal.wait_for(&["the screen is in hoptrail-"]);
    terminal.press("F");
    terminal.wait_for(&["LIVE", "The denial, live: 8 cues"]);
    terminal.press("q");
    assert!(terminal.ended().success());
    let picture = std::fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "svg"))
        .expect("a picture");
    let svg = std::fs::read_to_string(picture).unwrap();
    assert!(svg.contains("REPLAY") && !svg.contains("LIVE"));
}

#[test]
fn a_sheet_of_ones_own_is_read_before_the_screen_is_taken() {
    let home = Home::new();
    let printed = home.run(&["stage", "--print-sheet"]).exits_with(0);
    let sheet = home.write("mine.toml", printed.out.replace("note", "notes"));
    let (what, why, next) = home
        .run(&["stage", sheet.to_str().unwrap()])
        .exits_with(2)
        .failure();
    assert_eq!(what, "The run sheet was not taken");
    assert!(why.contains("mine.toml, line "), "{why}");
    assert!(why.contains("unknown field `notes`"), "{why}");
    assert!(next.contains("--print-sheet"), "{next}");
    home.write("mine.toml", printed.out.replace("# trace", "trace"));
    let (what, _, _) = home
        .run(&["stage", sheet.to_str().unwrap()])
        .exits_with(2)
        .failure();
    assert!(what.contains("my-recording.jsonl"), "{what}");
    // Good as it is; but there is no terminal here.
    home.write("mine.toml", &printed.out);
    let (what, _, _) = home
        .run(&["stage", sheet.to_str().unwrap()])
        .exits_with(2)
        .failure();
    assert_eq!(what, "The stage needs a terminal");
}

#[test]
fn what_is_to_be_said_is_printed_and_told_beside_the_stage_and_its_recording_has_the_cues() {
    let home = Home::new();
    let printed = home.run(&["stage", "--print-notes"]).exits_with(0).out;
    for told in [
        "# The denial, live",
        "## 3. Now the delete",
        "Expected: refused by limit-linear-scopes",
    ] {
        assert!(printed.contains(told), "{told} in {printed}");
    }
    home.run(&["stage", "--print-notes", "--print-sheet"])
        .exits_with(2);

    // The notes are set up first.
    let notes = ["stage", "--follow", "show.jsonl"];
    let notes = Terminal::start(&home, 100, 30, &notes, &[]);
    notes.wait_for(&[
        "# The denial, live",
        "Next: 1. Sign in",
        "waiting for show.jsonl",
    ]);
    let mut stage = start(&home, &["--record", "show.jsonl"]);
    stage.wait_for(&["next Space Sign in", "RULE ON"]);
    for (cue, told) in CUES.into_iter().zip([
        "it only proves who drives.",
        "Every row says who acted",
        "ask the room what",
        "no key changes.",
        "The policy did.",
        "for the next request.",
        "another ticket, four credentials",
        "That was the last cue.",
    ]) {
        stage.press(" ");
        stage.wait_for(&[cue, "✓ as planned"]);
        notes.wait_for(&[told]);
    }
    // The next show is recorded beside this one, and its notes are told, too.
    stage.press("A");
    stage.wait_for(&["Back to the start?"]);
    stage.press("\r");
    stage.wait_for(&["the recording up to here is in show.jsonl", "REC"]);
    notes.wait_for(&["back at its start (show-2.jsonl)", "Next: 1. Sign in"]);
    stage.press(" ");
    stage.wait_for(&[CUES[0], "✓ as planned"]);
    notes.wait_for(&["## 1. Sign in", "Next: 2. "]);
    // What is recorded is kept, and that is what is asked.
    stage.press("q");
    stage.wait_for(&["Quit while recording?"]);
    stage.press("\r");
    assert!(stage.ended().success());
    let again = home.run(&["replay", "show-2.jsonl", "--plain"]);
    assert!(again.exits_with(0).out.contains("Sign in"));
    let report = home.run(&["export", "show.jsonl", "--to", "markdown"]);
    let report = report.exits_with(0).out;
    for told in [
        "**✓ It held with the rule in force**",
        "limit-linear-scopes was switched off: default-zone-policies v1 became active",
        "was refused again by limit-linear-scopes",
        "## Parts (8)",
        "| cue 3 | Now the delete |",
    ] {
        assert!(report.contains(told), "{told} in {report}");
    }
    let mut replay = Terminal::start(&home, 120, 36, &["replay", "show.jsonl"], &[]);
    replay.wait_for(&["REPLAY 0/"]);
    replay.press("L");
    replay.wait_for(&["cue 8", "And the delete is refused"]);
    replay.press("jj\r");
    replay.wait_for(&["Now the delete"]);
    replay.press("q");
    assert!(replay.ended().success());
}

/// A collector that takes everything: the bodies of its requests.
fn collector() -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let desk = Arc::clone(&taken);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap() <= 2 {
                    break;
                }
                let line = line.to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            desk.lock()
                .unwrap()
                .push(serde_json::from_slice(&body).unwrap());
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, taken)
}

#[test]
fn a_reset_is_another_run_for_the_collector_too() {
    let home = Home::new();
    let (url, taken) = collector();
    let mut terminal = start(&home, &["--otlp", &url]);
    for _ in 0..2 {
        terminal.wait_for(&["not signed in", "RULE ON"]);
        terminal.press(" ");
        terminal.wait_for(&["1/8 Sign in", "✓ as planned"]);
        terminal.press("A");
        terminal.wait_for(&["Back to the start?"]);
        terminal.press("\r");
    }
    terminal.wait_for(&["not signed in", "RULE ON"]);
    terminal.press("q");
    assert!(terminal.ended().success());
    let taken = taken.lock().unwrap();
    let spans = taken.iter().flat_map(|request| {
        let scopes = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
        scopes.unwrap()
    });
    let time = |span: &Value, key: &str| -> u64 { span[key].as_str().unwrap().parse().unwrap() };
    let mut runs: Vec<(u64, u64)> = spans
        .filter(|span| span["name"] == "hoptrail run")
        .map(|span| {
            (
                time(span, "startTimeUnixNano"),
                time(span, "endTimeUnixNano"),
            )
        })
        .collect();
    runs.sort_unstable();
    assert_eq!(runs.len(), 3, "each run is sent with its end");
    for pair in runs.windows(2) {
        // The lab that is left ends beside the one that takes its place, so the ends may overlap.
        assert!(
            pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1,
            "{pair:?}: one after the other"
        );
    }
}
