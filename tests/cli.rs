//! The command line's contract: exit codes, the words on standard error, and what is written where.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;

use std::{fs, net::TcpListener, path::Path, process::Command};

use hoptrail::{
    protocol::env::EnvFile,
    server::{settings::Settings, stage::Stage},
    trace::codec::{self, FORMAT},
};
use program::{Home, finish};
use rstest::rstest;

#[test]
fn the_story_holds_and_says_so() {
    let home = Home::new();
    let ended = home.run(&["demo", "--headless"]).exits_with(0);
    assert!(ended.err.is_empty(), "{}", ended.err);
    assert!(ended.out.contains("The story held"), "{}", ended.out);
    assert!(!ended.out.contains('\u{1b}'), "a pipe gets no escape codes");
}

#[test]
fn a_run_with_json_writes_the_bytes_of_its_recording() {
    let home = Home::new();
    let recording = home.file("run.jsonl");
    let ended = home
        .run(&[
            "demo",
            "--headless",
            "--json",
            "--record",
            recording.to_str().unwrap(),
        ])
        .exits_with(0);
    assert!(fs::read_to_string(&recording).unwrap() == ended.out);
    let mut lines = ended.out.lines();
    let header = codec::decode_header(lines.next().unwrap()).unwrap();
    assert_eq!(header.format, FORMAT);
    for (number, line) in (2..).zip(lines) {
        codec::decode(line, number).unwrap();
    }
    let again = home.run(&[
        "demo",
        "--headless",
        "--record",
        recording.to_str().unwrap(),
    ]);
    let (what, _, next) = again.exits_with(2).failure();
    assert!(what.starts_with("Cannot record to"), "{what}");
    assert!(next.contains("never overwrites"), "{next}");
    assert!(fs::read_to_string(&recording).unwrap() == ended.out);
}

#[test]
fn a_call_prints_its_result() {
    let home = Home::new();
    let ended = home
        .run(&["call", "get_support_tickets", "--headless"])
        .exits_with(0);
    assert!(ended.out.contains("Payment portal charges card twice"));
    let ended = home
        .run(&["call", "delete_issue", "issueId=ENG-404", "--headless"])
        .exits_with(1);
    assert!(ended.out.contains("limit-linear-scopes"), "{}", ended.out);
}

#[rstest]
#[case::not_a_uuid(&["call", "escalate_ticket", "ticketId=nonsense"], 1, "ticketId")]
#[case::nothing_given(&["call", "escalate_ticket"], 1, "ticketId")]
#[case::unknown_tool(&["call", "drop_tables"], 1, "drop_tables")]
fn a_wrong_argument_is_named(#[case] args: &[&str], #[case] code: i32, #[case] named: &str) {
    let home = Home::new();
    let args = [args, &["--headless"]].concat();
    let ended = home.run(&args).exits_with(code);
    let told = format!("{}{}", ended.out, ended.err);
    assert!(told.contains(named), "{told}");
    assert!(!told.contains("panicked"), "{told}");
}

#[rstest]
#[case::no_equals_sign(&["call", "escalate_ticket", "nonsense"], "\"nonsense\" is no argument")]
#[case::twice(&["call", "escalate_ticket", "a=1", "a=2"], "The argument a is given twice")]
#[case::no_url(&["probe", "not-a-url"], "not-a-url")]
#[case::not_http(&["probe", "ftp://example.com/mcp"], "ftp")]
#[case::plain_http_elsewhere(&["probe", "http://example.com/mcp"], "http")]
fn a_mistake_on_the_command_line_is_told_in_three_parts(#[case] args: &[&str], #[case] says: &str) {
    let home = Home::new();
    let args = [args, &["--headless"]].concat();
    let (what, why, _) = home.run(&args).exits_with(2).failure();
    assert!(format!("{what} {why}").contains(says), "{what}: {why}");
}

#[rstest]
#[case(&["--frobnicate"])]
#[case(&["demo", "--ticket", "x"])]
#[case(&["lab", "--without", "zone"])]
fn an_unknown_flag_is_a_matter_of_usage(#[case] args: &[&str]) {
    let ended = Home::new().run(args).exits_with(2);
    assert!(ended.out.is_empty());
    assert!(ended.err.starts_with("error: "), "{}", ended.err);
}

#[test]
fn what_would_be_passed_over_is_refused_and_a_trace_is_not_written_over() {
    let home = Home::new();
    let refused = home.run(&["--json", "demo", "--plain"]).exits_with(2);
    assert!(refused.out.is_empty());
    let (what, ..) = refused.failure();
    assert_eq!(what, "--plain and --json do not go together");
    let record = ["diff", "denial", "denial", "--record", "copy.jsonl"];
    let (what, ..) = home.run(&record).exits_with(2).failure();
    assert_eq!(what, "--record does not go with this");

    home.run(&["demo", "--headless", "--record", "run.jsonl"])
        .exits_with(0);
    let before = std::fs::read(home.file("run.jsonl")).unwrap();
    let over = [
        "export",
        "run.jsonl",
        "--to",
        "cast",
        "--output",
        "./run.jsonl",
    ];
    let (what, ..) = home.run(&over).exits_with(2).failure();
    assert_eq!(what, "./run.jsonl is the trace itself");
    assert_eq!(std::fs::read(home.file("run.jsonl")).unwrap(), before);
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let home = Home::new();
    for args in [
        &["demo", "--headless", "--server", "http://127.0.0.1:1/mcp"][..],
        &["probe", "http://127.0.0.1:1/mcp"],
        &["demo", "--headless", "--lab", "http://127.0.0.1:1"],
    ] {
        let (what, why, _) = home.run(args).exits_with(3).failure();
        assert!(
            format!("{what} {why}").contains("127.0.0.1:1"),
            "{what}: {why}"
        );
    }
}

#[test]
fn a_consent_that_is_denied_ends_with_its_own_code() {
    let home = Home::new();
    // An earlier yes, which this home's lab remembers, is not in the way.
    home.run(&["demo", "--headless"]).exits_with(0);
    // Nobody has to say that no browser is wanted: there is nobody who could click.
    for args in [&["demo", "--deny"][..], &["demo", "--headless", "--deny"]] {
        let ended = home.run(args).exits_with(4);
        let (what, why, _) = ended.failure();
        assert!(format!("{what} {why}").contains("denied"), "{what}: {why}");
        assert!(!ended.out.contains("signed in as"), "{}", ended.out);
        assert!(!ended.err.contains("Open this page"), "{}", ended.err);
    }
}

#[test]
fn another_sample_user_signs_in_by_name() {
    let home = Home::new();
    let ended = home
        .run(&["demo", "--headless", "--user", "nobody-of-that-name"])
        .exits_with(2);
    let (_, why, next) = ended.failure();
    assert!(why.contains("it offers:"), "{why}");
    assert_eq!(next, "name one of these");
}

#[test]
fn the_doctor_says_what_works_and_what_to_do() {
    let home = Home::new();
    let ended = home.run(&["doctor"]).exits_with(0);
    let mut subjects = Vec::new();
    for line in ended.out.lines() {
        match line.split_once("  ") {
            Some(("✓ works" | "! limited" | "✗ broken", rest)) => {
                subjects.push(rest.split_whitespace().next().unwrap().to_owned());
            }
            _ => assert!(line.starts_with(&" ".repeat(29)), "a stray line: {line}"),
        }
    }
    for subject in [
        "version", "terminal", "loopback", "browser", "settings", "state",
    ] {
        assert!(subjects.iter().any(|s| s == subject), "{subjects:?}");
    }
    let ascii = home.run(&["doctor", "--ascii"]).exits_with(0).out;
    assert!(
        ascii
            .lines()
            .all(|line| line.starts_with(['+', '!', 'x', ' '])),
        "{ascii}"
    );
    let file = home.write("file", "");
    let broken = home
        .run(&["doctor", "--state", file.join("state").to_str().unwrap()])
        .exits_with(1);
    assert!(broken.out.contains("✗ broken"), "{}", broken.out);
    assert!(broken.out.contains("--state DIR"), "{}", broken.out);
}

#[rstest]
#[case("[look]\nmouse = true\n", "✓ works")]
#[case("[keys]\nsign-inn = \"s\"\n", "! limited")]
#[case("[look]\npalete = \"mono\"\n", "✗ broken")]
fn the_doctor_looks_at_the_settings(#[case] text: &str, #[case] verdict: &str) {
    let home = Home::new();
    let folder = home.path().join(".config/hoptrail");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), text).unwrap();
    let told = home.run(&["doctor"]).out;
    let line = told.lines().find(|line| line.contains("  settings "));
    let line = line.unwrap();
    assert!(
        line.starts_with(verdict) && line.contains("config.toml"),
        "{told}"
    );
}

#[test]
fn the_doctor_looks_at_what_a_lab_left() {
    let home = Home::new();
    let line = |told: &str| {
        let line = told.lines().find(|line| line.contains("  lab  "));
        line.unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    let before = line(&home.run(&["doctor"]).exits_with(0).out);
    assert!(before.contains("none started here yet"), "{before}");
    home.run(&["demo", "--plain", "--headless"]).exits_with(0);
    let after = line(&home.run(&["doctor"]).exits_with(0).out);
    assert!(after.contains("rows in its audit log: 1"), "{after}");
    home.run(&["demo", "--plain", "--headless"]).exits_with(0);
    let state = home.state();
    std::fs::write(state.join("zone.db"), "no database ".repeat(100)).unwrap();
    let broken = home.run(&["doctor"]).exits_with(1).out;
    assert!(line(&broken).starts_with("✗ broken"), "{broken}");
    assert!(broken.contains("zone.db is no database"), "{broken}");
    assert!(broken.contains("hoptrail lab --reset"), "{broken}");
}

#[rstest]
#[case("bash", &["bash", "-n"])]
#[case("zsh", &["zsh", "-n"])]
#[case("fish", &["fish", "--no-execute"])]
fn completions_are_scripts_of_their_shell(#[case] shell: &str, #[case] check: &[&str]) {
    let home = Home::new();
    let script = home.run(&["completions", shell]).exits_with(0).out;
    assert!(script.contains("hoptrail") && script.contains("write-env"));
    let path = home.write("script", script);
    // A shell that is not installed cannot be asked.
    if Command::new(check[0]).arg("--version").output().is_ok() {
        let mut command = Command::new(check[0]);
        command.args(&check[1..]).arg(path);
        let ended = finish(command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

#[test]
fn the_manual_page_names_every_command_and_flag() {
    let page = Home::new().run(&["man"]).exits_with(0).out;
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{page}");
    for word in [
        "demo",
        "call",
        "probe",
        "lab",
        "serve",
        "doctor",
        "completions",
        "write\\-env",
        ".SH SETTINGS",
        "palette = \"ansi\"",
        "env\\-file",
        "record",
        "headless",
    ] {
        assert!(page.contains(word), "{word} is missing");
    }
    let told = page.matches("The colours of a verdict").count();
    assert_eq!(told, 1, "once for all commands");
    insta::with_settings!({filters => vec![(env!("CARGO_PKG_VERSION"), "VERSION")]}, {
        insta::assert_snapshot!(page);
    });
}

#[rstest]
#[case("TERM")]
#[case("INT")]
fn the_lab_tells_its_urls_and_stops_cleanly(#[case] signal: &str) {
    let home = Home::new();
    let lab = home.serve(&["lab"], "stops the lab");
    for name in ["MCP server", "zone", "Supabase", "Anthropic", "Linear"] {
        let url = lab.url(name);
        assert!(url.starts_with("http://127.0.0.1:"), "{name}: {url}");
    }
    let zone = lab.url("zone");
    let ended = lab.stop(signal).exits_with(0);
    assert!(ended.out.ends_with("Stopping.\n"), "{}", ended.out);
    assert!(ended.err.is_empty(), "{}", ended.err);
    let (_, why, next) = home
        .run(&["probe", "http://127.0.0.1:1/mcp", "--headless"])
        .failure();
    assert!(!why.is_empty() && !next.is_empty());
    assert!(zone.parse::<url::Url>().is_ok());
    // What SQLite writes ahead has been folded back into the files.
    for name in ["zone.db-wal", "linear.db-wal"] {
        assert!(!home.state().join(name).exists(), "{name} is left");
    }
}

#[test]
fn a_taken_port_names_the_process_and_the_remedy() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let ended = Home::new()
        .run(&["lab", "--zone-port", &port])
        .exits_with(3);
    let (what, why, next) = ended.failure();
    assert_eq!(what, format!("Port {port} is taken"));
    assert!(next.contains("--zone-port"), "{next}");
    if cfg!(target_os = "linux") {
        assert!(
            why.contains(&format!("pid {}", std::process::id())),
            "{why}"
        );
        assert!(next.contains("kill"), "{next}");
    }
}

/// The settings in a file, as `hoptrail serve` reads them.
fn settings(path: &Path) -> Settings {
    let file = EnvFile::parse(&fs::read_to_string(path).unwrap()).unwrap();
    Settings::for_stage(Stage::Delegated, |name| file.get(name).cloned())
        .unwrap_or_else(|faults| panic!("{}", faults.into_failure()))
}

#[test]
fn a_written_env_is_complete_and_somebody_elses_is_left_alone() {
    let home = Home::new();
    let env = home.file("lab.env");
    let given = env.to_str().unwrap();
    let lab = home.serve(&["lab", "--write-env", given], "stops the lab");
    assert!(lab.said.contains("lab.env is complete"), "{}", lab.said);
    assert!(lab.url("GitHub").starts_with("http://127.0.0.1:"));
    let read = settings(&env);
    assert!(lab.url("MCP server").contains(&format!(":{}/", read.port)));
    assert!(read.warnings.is_empty(), "{:?}", read.warnings);
    lab.stop("TERM").exits_with(0);

    fs::write(&env, "LINEAR_API_KEY=mine\n").unwrap();
    let ended = home.run(&["lab", "--write-env", given]).exits_with(2);
    let (what, why, _) = ended.failure();
    assert!(what.starts_with("Cannot write"), "{what}");
    assert!(why.contains("did not write"), "{why}");
    assert_eq!(fs::read_to_string(&env).unwrap(), "LINEAR_API_KEY=mine\n");
}

#[test]
fn a_reset_forgets_everything_and_nothing_else_does() {
    let home = Home::new();
    let filed = |home: &Home| {
        let out = home.run(&["demo", "--headless"]).exits_with(0).out;
        // Those of earlier starts are shown, too; the last one is this run's.
        let at = out.rfind("ENG-").expect("an issue is filed");
        out[at..at + 5].to_owned()
    };
    assert_eq!(filed(&home), "ENG-1");
    assert_eq!(filed(&home), "ENG-2");
    home.serve(&["lab", "--reset"], "stops the lab")
        .stop("TERM")
        .exits_with(0);
    assert_eq!(filed(&home), "ENG-1");
}

#[test]
fn chapters_alone_lists_them() {
    let home = Home::new();
    let listed = home.run(&["chapters", "list"]).exits_with(0);
    assert_eq!(home.run(&["chapters"]).exits_with(0).out, listed.out);
}

#[test]
fn reading_in_a_dumb_terminal_is_refused_for_that() {
    let home = Home::new();
    let mut command = home.command(&["learn"]);
    command.env("TERM", "dumb");
    let (_, why, next) = program::finish(command).exits_with(2).failure();
    assert!(why.contains("TERM is dumb"), "{why}");
    assert!(next.contains("set TERM"), "{next}");
}

#[rstest]
#[case(&["demo", "--headless", "--log", "/dev/null/log"])]
#[case(&["demo", "--headless", "--record", "/dev/null/run.jsonl"])]
#[case(&["demo", "--headless", "--state", "/dev/null/state"])]
#[case(&["lab", "--state", "/dev/null/state"])]
#[case(&["lab", "--write-env", "/dev/null/env"])]
#[case(&["serve", "--env-file", "/dev/null/env"])]
fn a_place_that_cannot_be_written_is_named(#[case] args: &[&str]) {
    let (what, why, next) = Home::new().run(args).exits_with(2).failure();
    assert!(
        format!("{what} {why}").contains("/dev/null"),
        "{what}: {why}"
    );
    assert!(!next.is_empty());
}

#[test]
fn a_state_of_a_newer_version_is_not_touched() {
    let home = Home::new();
    home.run(&["demo", "--headless"]).exits_with(0);
    for name in ["zone.db", "linear.db"] {
        let path = home.state().join(name);
        let whole = fs::read(&path).unwrap();
        let mut newer = whole.clone();
        // Where SQLite keeps `user_version` in a file's header.
        newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
        fs::write(&path, &newer).unwrap();
        let (what, why, next) = home.run(&["demo", "--headless"]).exits_with(2).failure();
        assert!(
            format!("{what} {why}").contains("newer"),
            "{name}: {what}: {why}"
        );
        assert!(!next.is_empty());
        assert_eq!(fs::read(&path).unwrap(), newer, "{name} was changed");
        fs::write(&path, whole).unwrap();
    }
    home.run(&["demo", "--headless"]).exits_with(0);
}

#[test]
fn a_damaged_state_is_told_and_not_replaced() {
    let home = Home::new();
    home.run(&["demo", "--headless"]).exits_with(0);
    for name in ["zone.db", "linear.db", "zone.key"] {
        let path = home.state().join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, "this was a database once").unwrap();
        let ended = home.run(&["demo", "--headless"]).exits_with(2);
        ended.failure();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "this was a database once",
            "{name} was replaced"
        );
        fs::write(&path, whole).unwrap();
    }
    home.run(&["demo", "--headless"]).exits_with(0);
}

#[test]
fn two_labs_do_not_share_a_state() {
    let home = Home::new();
    let lab = home.serve(&["lab"], "stops the lab");
    let (what, why, next) = home.run(&["lab"]).exits_with(2).failure();
    assert!(
        format!("{what} {why} {next}").contains("another"),
        "{what}: {why}: {next}"
    );
    lab.stop("TERM").exits_with(0);
}
