//! `hoptrail check` of a server and a folder that are somebody's own.

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use axum::{Json, Router, routing::get};
use hoptrail::{
    protocol::observed::LAB_PATH,
    runtime::{TargetChoice, check},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    program::{Home, Server},
    running::options,
};

/// What stands in a folder, byte by byte.
fn contents(root: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

/// A lab as at the end of a chapter that leaves the server to its owner, and the `.env` that it writes
/// into their folder `mine`.
fn lab_of_mine(home: &Home, stage: &str) -> (Server, PathBuf) {
    let root = home.file("mine");
    fs::create_dir(&root).unwrap();
    let env = root.join(".env");
    let url = format!("http://localhost:{}/mcp", free_port());
    let args = [
        "lab",
        "--without",
        "server",
        "--mcp-url",
        &url,
        "--stage",
        stage,
        "--write-env",
        env.to_str().unwrap(),
    ];
    (home.serve(&args, "Ctrl-C"), env)
}

#[test]
fn an_attendees_own_server_is_checked_and_their_files_are_left_alone() {
    let home = Home::new();
    let (_lab, env) = lab_of_mine(&home, "7");
    let serve = ["serve", "--env-file", env.to_str().unwrap()];
    let _server = home.serve(&serve, "running at");
    let root = home.file("mine");
    let before = contents(&root);
    let mine = ["check", "--project", "mine", "--headless", "--json"];
    let ended = home.run(&mine).exits_with(0);
    let lines: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["reached"], 7, "{}", ended.out);
    assert!(lines[0]["signs"].as_array().unwrap().len() > 4);
    assert_eq!(lines.len(), 6);
    for line in &lines[1..] {
        assert_eq!(line["status"], "passed", "{line}");
        assert_eq!(line["number"], 7);
    }
    let ended = home
        .run(&["check", "8", "--project", "mine", "--headless"])
        .exits_with(0);
    assert!(
        ended
            .out
            .ends_with("4 passed, 0 failed, 0 pending, 1 not observable\n"),
        "{}",
        ended.out
    );
    // An earlier chapter's end is not what this server is at.
    let ended = home
        .run(&["check", "0", "--project", "mine", "--headless"])
        .exits_with(1);
    assert!(
        ended.out.contains("LINEAR_API_KEY is not set"),
        "{}",
        ended.out
    );
    assert_eq!(contents(&root), before);
}

/// Which secret the server was started with, the log of the zone does not tell: it has no row of a
/// client that is not known. The zone's own answer does.
#[rstest]
#[case::wrong_everywhere(
    true,
    "a client id or secret in .env that is not the",
    "Create a new credential"
)]
#[case::not_started_again(
    false,
    "a server that was started with an older .env",
    "Start the server again"
)]
fn a_wrong_secret_is_told_by_asking_the_zone(
    #[case] in_file: bool,
    #[case] cause: &str,
    #[case] remedy: &str,
) {
    let home = Home::new();
    let (_lab, env) = lab_of_mine(&home, "4");
    let right = fs::read_to_string(&env).unwrap();
    let line = |line: &str| match line.split_once('=') {
        Some(("KEYCARD_CLIENT_SECRET", _)) => "KEYCARD_CLIENT_SECRET=not-the-one".to_owned(),
        _ => line.to_owned(),
    };
    let wrong: Vec<String> = right.lines().map(line).collect();
    fs::write(&env, wrong.join("\n")).unwrap();
    let serve = ["serve", "--stage", "4", "--env-file", env.to_str().unwrap()];
    let _server = home.serve(&serve, "running at");
    if !in_file {
        fs::write(&env, right).unwrap();
    }
    let ended = home
        .run(&["check", "4", "--project", "mine", "--headless"])
        .exits_with(1);
    let said = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(cause), "{}", ended.out);
    assert!(said.contains(remedy), "{}", ended.out);
    assert!(!said.contains("not-the-one"), "{}", ended.out);
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do() {
    let home = Home::new();
    let ended = home
        .run(&["check", "2", "--server", "http://127.0.0.1:9/mcp"])
        .exits_with(1);
    assert!(ended.out.contains("did not answer"), "{}", ended.out);
    assert!(ended.out.starts_with("Nothing shows"), "{}", ended.out);
    // That nobody answers is the reason; nothing is guessed beside it.
    assert!(!ended.out.contains("likely"), "{}", ended.out);
    let nowhere = home.run(&["check", "--project", "nowhere"]).exits_with(2);
    assert!(
        nowhere.err.contains("nowhere is no folder"),
        "{}",
        nowhere.err
    );
    let watched = home.run(&["check", "--watch"]).exits_with(2);
    assert!(watched.err.contains("--project"), "{}", watched.err);
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_at_another_address_of_this_computer_is_one() {
    // Where there is no such address there is nothing to find.
    let Ok(listener) = tokio::net::TcpListener::bind("127.0.0.2:0").await else {
        return;
    };
    let zone = format!("http://{}", listener.local_addr().unwrap());
    let server = "http://localhost:8000/mcp";
    let told = json!({
        "server": server, "zone": zone, "supabase": "", "anthropic": "", "linear": "",
        "stand_ins": [],
    });
    let router = Router::new().route(LAB_PATH, get(|| async { Json(told) }));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let home = Home::new();
    home.write(".env", format!("KEYCARD_URL={zone}\n"));
    let target = TargetChoice::Server(server.to_owned());
    let options = options(target, &home.file("state"));
    let found = check::lab_behind(&options, server, Some(home.path())).await;
    assert_eq!(found, Some(zone));
}
