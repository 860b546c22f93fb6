//! Nothing that opens anything is found where it does not belong: the story is run with a tap on
//! the lab's wire, and whatever went over it as a token, key, code, verifier, state or cookie is
//! searched for in everything that a person or a file ever got.

#[path = "secrets/collect.rs"]
mod collect;
#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;
#[expect(dead_code, reason = "each test binary uses a part of it")]
mod running;
#[path = "secrets/screens.rs"]
mod screens;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use collect::{Collection, Tap};
use hoptrail::{
    lab::{self, LabConfig, LabHandle},
    plain::{Color, Style, Text},
    projection::Projection,
    runtime::logging,
    support::{clock::SystemClock, ids::Ids},
    trace::{
        Actor, Fact, TraceEvent,
        codec::{self, Header},
    },
};
use program::Home;
use running::{Run, attached};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// Everything that a run left behind, by name.
type Traces = BTreeMap<String, Vec<u8>>;

/// Signs in, lists, escalates, is refused, deletes with the policy off, signs out.
async fn live(lab: &LabHandle, home: &Home) -> (Header, Vec<TraceEvent>) {
    let mut run = Run::open(attached(lab, &home.file("unused"))).await;
    run.sign_in().await;
    run.call("get_support_tickets", json!({})).await;
    let ticket = run.projection.issues().tickets()[3].id;
    run.call("escalate_ticket", json!({ "ticketId": ticket }))
        .await;
    let issue = run.projection.issues().latest().unwrap().id.clone();
    run.call("delete_issue", json!({ "issueId": &*issue }))
        .await;
    run.until("the story held", |p| p.story().verdict().is_ok())
        .await;
    run.activate("default-zone-policies").await;
    run.call("delete_issue", json!({ "issueId": &*issue }))
        .await;
    run.activate("workshop-policies").await;
    run.backend.client.sign_out().await;
    let again = run.backend.sign_in(&CancellationToken::new()).await;
    again.unwrap_or_else(|failure| panic!("{failure}"));
    let (header, mut events, _) = run.close().await;
    // The lab in this process is not the run's own, so nobody told these.
    for (which, lines) in [
        (hoptrail::trace::event::EnvSide::Before, &lab.env_before),
        (hoptrail::trace::event::EnvSide::After, &lab.env_after),
    ] {
        let fact = Fact::EnvRead {
            which,
            file: ".env".to_owned(),
            lines: lines.clone(),
        };
        push(&mut events, fact);
    }
    (header, events)
}

fn push(events: &mut Vec<TraceEvent>, fact: Fact) {
    let last = events.last().unwrap();
    events.push(TraceEvent {
        seq: last.seq + 1,
        at_us: last.at_us,
        span: None,
        call: None,
        actor: Actor::Server,
        fact,
    });
}

/// The events as JSON Lines.
fn json_lines(header: &Header, events: &[TraceEvent]) -> Vec<u8> {
    let mut text = codec::encode_header(header);
    for event in events {
        text.push_str(&codec::encode(event));
    }
    text.into_bytes()
}

/// The events as plain output, with colour and at the width of a terminal.
fn plain(header: &Header, events: &[TraceEvent]) -> Vec<u8> {
    let mut projection = Projection::starting(header.started);
    let style = Style {
        color: Color::Ansi,
        ..Style::default()
    };
    let mut text = Text::new(Vec::new(), style);
    for event in events {
        projection.apply(event);
        text.event(event, &projection).unwrap();
    }
    text.summary(&projection).unwrap();
    text.hops(&projection).unwrap();
    for call in projection.tools().calls() {
        text.result(call, &projection).unwrap();
    }
    text.into_inner()
}

/// Every file below a folder.
fn files(dir: &Path, found: &mut Traces) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_is_found_outside_of_the_wire_and_the_vault() {
    let home = Home::new();
    let log = home.file("run.log");
    let logging = logging::start(&log).unwrap();
    let tap = Arc::new(Tap::default());
    let lab = lab::start(LabConfig {
        wire: Some(Arc::clone(&tap) as _),
        ..LabConfig::new(Some(home.state()), SystemClock::shared(), Ids::system())
    })
    .await
    .unwrap();

    let console = lab.console.clone().unwrap();
    // As `hoptrail lab` leaves it for others of its user, and a kill for good.
    let zone = &lab.endpoints.zone;
    let left = lab::access::leave(&home.state(), zone, &console, Ids::system()).unwrap();

    let (header, events) = live(&lab, &home).await;
    let mut traces = Traces::new();
    // The real binary on the same lab: what it prints, logs and records.
    for (name, flags) in [("plain", "--plain"), ("json", "--json")] {
        let mut command = home.command(&[
            "demo",
            "--headless",
            flags,
            "--lab",
            &lab.endpoints.zone,
            "--log",
            home.file(&format!("{name}.log")).to_str().unwrap(),
            "--record",
            home.file(&format!("{name}.jsonl")).to_str().unwrap(),
        ]);
        command
            .env("HOPTRAIL_CONSOLE_ID", &console.client_id)
            .env("HOPTRAIL_CONSOLE_SECRET", console.client_secret.expose());
        let ended = tokio::task::spawn_blocking(|| program::finish(command))
            .await
            .unwrap()
            .exits_with(0);
        traces.insert(format!("{name}: stdout"), ended.out.into());
        traces.insert(format!("{name}: stderr"), ended.err.into());
    }
    let mut secrets = Collection::from(&*tap);
    secrets.add(
        "the application's client secret",
        lab.env().client_secret.expose(),
    );
    secrets.add(
        "the console's client secret",
        console.client_secret.expose(),
    );
    lab.stop().await;
    drop(logging);
    let key = fs::read(home.state().join("zone.key")).unwrap();
    secrets.add_bytes("the vault's key", &key);

    traces.insert("trace".to_owned(), json_lines(&header, &events));
    traces.insert("plain".to_owned(), plain(&header, &events));
    traces.insert("screens".to_owned(), screens::all(&header, &events));
    files(home.path(), &mut traces);
    // By design, and readable by this user only.
    traces.retain(|name, _| !name.ends_with("/zone.key"));

    assert_complete(&secrets);
    for file in ["zone.db", "lab-access.toml"] {
        assert!(traces.keys().any(|name| name.ends_with(file)), "{file}");
    }
    drop(left);
    let leaks: Vec<String> = traces
        .iter()
        .flat_map(|(name, bytes)| secrets.found_in(name, bytes))
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");

    a_planted_leak_is_found(&secrets, &traces, &header, &events);
}

/// The collection holds what the story must have made; else the search would prove little.
fn assert_complete(secrets: &Collection) {
    for (kind, at_least) in [
        ("bearer", 5),
        ("jwt", 3),
        ("code", 4),
        ("code_verifier", 2),
        ("state", 4),
        ("refresh_token", 2),
        ("client_secret", 3),
        ("subject_token", 2),
        ("cookie", 2),
        ("x-api-key", 1),
        ("apikey", 1),
        ("field", 2),
    ] {
        let count = secrets.count(kind);
        assert!(
            count >= at_least,
            "{count} of kind {kind}; all: {:?}",
            secrets.counts()
        );
    }
}

/// The search can fail: each secret is found wherever it is put, whole or in part.
fn a_planted_leak_is_found(
    secrets: &Collection,
    traces: &Traces,
    header: &Header,
    events: &[TraceEvent],
) {
    for (name, bytes) in traces {
        for (what, secret) in secrets.iter() {
            let middle = bytes.len() / 2;
            let near = &bytes[middle.saturating_sub(100)..middle];
            let part = &secret.as_bytes()[secret.len() / 4..];
            let planted = [near, part, near].concat();
            assert!(
                !secrets.found_in(name, &planted).is_empty(),
                "{what} was planted in {name} and not found"
            );
        }
    }
    // On the screens too, drawn like anything else.
    let (what, secret) = secrets
        .iter()
        .find(|(what, _)| *what == "code_verifier")
        .unwrap();
    let mut events = events.to_vec();
    push(
        &mut events,
        Fact::NoteWritten {
            text: format!("{what}={secret}"),
        },
    );
    let screens = screens::all(header, &events[events.len() - 1..]);
    assert!(!secrets.found_in("screens", &screens).is_empty());
}
