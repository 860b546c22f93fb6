//! `hoptrail serve` and the file with its settings, and the one that `hoptrail lab` writes for it.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;

use std::fs;

use program::Home;
use rstest::rstest;

/// What the finished server cannot do without.
const NEEDED: [&str; 4] = [
    "KEYCARD_URL",
    "KEYCARD_CLIENT_ID",
    "KEYCARD_CLIENT_SECRET",
    "SUPABASE_URL",
];

#[test]
fn a_server_without_settings_names_every_one_that_is_missing() {
    let home = Home::new();
    let ended = home.run(&["serve"]).exits_with(2);
    ended.failure();
    for name in NEEDED {
        assert!(ended.err.contains(name), "{name}: {}", ended.err);
    }
    assert!(ended.out.is_empty(), "the port was opened: {}", ended.out);
}

#[test]
fn every_fault_of_an_env_is_named_at_once_and_no_value_is_shown() {
    let home = Home::new();
    home.write(
        ".env",
        "PORT=eighty\nKEYCARD_URL=not a url\nKEYCARD_CLIENT_ID=id\n\
         KEYCARD_CLIENT_SECRET=hush-hush-hush\nSUPABASE_URL=also not\n",
    );
    let ended = home.run(&["serve"]).exits_with(2);
    ended.failure();
    for name in ["PORT", "KEYCARD_URL", "SUPABASE_URL"] {
        assert!(ended.err.contains(name), "{name}: {}", ended.err);
    }
    assert!(!ended.err.contains("hush-hush-hush"), "{}", ended.err);
}

#[test]
fn a_settings_file_that_is_not_there_is_named_whether_asked_for_or_not() {
    let home = Home::new();
    let named = home
        .run(&["serve", "--env-file", "missing.env"])
        .exits_with(2);
    let (what, _, next) = named.failure();
    assert!(what.ends_with("/missing.env"), "{what}");
    assert!(next.contains("--write-env"), "{next}");
    assert!(!named.err.contains("is missing"), "{}", named.err);
    let default = home.run(&["serve"]).exits_with(2);
    let first = default.err.lines().next().unwrap();
    assert!(
        first.contains("There is no file") && first.ends_with("/.env"),
        "{first}"
    );
    assert!(
        default.err.contains("KEYCARD_URL is missing"),
        "{}",
        default.err
    );
}

#[rstest]
#[case::latin_1(b"PORT=8000\nNAME=caf\xe9\n", "not UTF-8")]
#[case::utf_16(b"\xff\xfeP\0O\0", "UTF-16")]
fn a_settings_file_in_another_encoding_is_to_be_saved_as_utf_8(
    #[case] bytes: &[u8],
    #[case] part: &str,
) {
    let home = Home::new();
    fs::write(home.path().join("other.env"), bytes).unwrap();
    let ended = home
        .run(&["serve", "--env-file", "other.env"])
        .exits_with(2);
    let (_, why, next) = ended.failure();
    assert!(why.contains(part), "{why}");
    assert_eq!(next, "save it as UTF-8");
}

#[cfg(target_os = "linux")]
#[test]
fn a_settings_file_without_an_end_is_none() {
    let ended = Home::new().run(&["serve", "--env-file", "/dev/zero"]);
    let (what, why, _) = ended.exits_with(2).failure();
    assert!(
        what.contains("/dev/zero") && why.contains("more than"),
        "{why}"
    );
}

#[test]
fn a_line_that_is_no_setting_is_named_with_its_place() {
    let home = Home::new();
    home.write(
        "broken.env",
        "PORT=8000\nthis is no setting\nKEYCARD_CLIENT_SECRET=\"hush-hush-hush\n",
    );
    let ended = home
        .run(&["serve", "--env-file", "broken.env"])
        .exits_with(2);
    assert!(ended.err.contains("broken.env:2:"), "{}", ended.err);
    for name in ["KEYCARD_URL", "MCP_RESOURCE_URL", "LINEAR_TEAM_ID"] {
        let missing = format!("{name} is missing");
        assert!(ended.err.contains(&missing), "{missing}: {}", ended.err);
    }
    assert!(!ended.err.contains("hush-hush-hush"), "{}", ended.err);
}

#[test]
fn the_client_secret_is_the_same_at_each_start_until_a_reset() {
    let home = Home::new();
    let written = |flags: &[&str]| {
        let args = [&["lab", "--write-env", "lab.env"], flags].concat();
        let lab = home.serve(&args, "stops the lab");
        let text = fs::read_to_string(home.file("lab.env")).unwrap();
        lab.stop("TERM").exits_with(0);
        let line = |name: &str| {
            let found = text.lines().find(|line| line.starts_with(name));
            found
                .unwrap_or_else(|| panic!("no {name}: {text}"))
                .to_owned()
        };
        [line("KEYCARD_CLIENT_ID="), line("KEYCARD_CLIENT_SECRET=")]
    };
    let first = written(&[]);
    assert_eq!(written(&[]), first);
    assert_eq!(written(&["--stage", "2"]), first);
    assert_ne!(written(&["--reset"])[1], first[1]);
}
