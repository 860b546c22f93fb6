//! The whole story over real loopback: the runtime without a terminal, and a real lab.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;
mod running;

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
};

use hoptrail::{
    lab::{self, Chapter, LabConfig, ServerPart, env_file},
    plain::Style,
    projection::{Projection, issue::Whereabouts},
    protocol::{observed::ServedBy, secret::Secret, tickets::Escalated},
    runtime::{
        Consent, Options, Output, TargetChoice,
        headless::{self, Job, Voices},
        record::Recorder,
    },
    support::{clock::SystemClock, error::Exit, ids::Ids},
    trace::{codec, event::CallOutcome},
};
use program::Home;
use running::{Run, attached, options, table};
use serde_json::json;

const LIMITED: &str = "workshop-policies";
const OPEN: &str = "default-zone-policies";

/// The story's audit table, as the product page has it.
const STORY: [&str; 6] = [
    "get_support_tickets | Supabase Database | — | Issued",
    "escalate_ticket | Supabase Database | — | Issued",
    "escalate_ticket | Anthropic API | — | Issued",
    "escalate_ticket | Linear API | read | Issued",
    "escalate_ticket | Linear API | issues:create | Issued",
    "delete_issue | Linear API | write | Failure",
];

/// Escalates the first ticket of the list; the issue that was filed.
async fn escalate(run: &mut Run) -> Escalated {
    let ticket = run.projection.issues().tickets()[0].id;
    let result = run
        .call("escalate_ticket", json!({ "ticketId": ticket }))
        .await;
    assert_eq!(result.outcome, CallOutcome::Succeeded, "{}", result.text);
    serde_json::from_value(result.structured.unwrap()).unwrap()
}

async fn delete(run: &mut Run, issue: &Escalated) -> hoptrail::client::CallResult {
    run.call("delete_issue", json!({ "issueId": issue.issue_id }))
        .await
}

/// Where an issue is, as Linear's stand-in showed it.
fn place(projection: &Projection, issue: &Escalated) -> Option<Whereabouts> {
    let id = &issue.issue_id;
    projection.issues().issue(id).map(|view| view.whereabouts)
}

/// Signs in, lists, escalates, and is refused.
async fn tell_the_story(run: &mut Run) -> Escalated {
    run.sign_in().await;
    run.call("get_support_tickets", json!({})).await;
    let issue = escalate(run).await;
    let refused = delete(run, &issue).await;
    assert_eq!(refused.outcome, CallOutcome::Failed);
    assert!(
        refused.text.contains("limit-linear-scopes"),
        "{}",
        refused.text
    );
    run.until("the story held", |p| p.story().verdict().is_ok())
        .await;
    issue
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_decides_whether_the_issue_can_be_deleted() {
    let state = tempfile::tempdir().unwrap();
    let mut run = Run::open(options(TargetChoice::Embedded, state.path())).await;
    let issue = tell_the_story(&mut run).await;
    assert_eq!(table(&run.projection), STORY);
    assert_eq!(place(&run.projection, &issue), Some(Whereabouts::There));

    run.activate(OPEN).await;
    let deleted = delete(&mut run, &issue).await;
    assert_eq!(deleted.outcome, CallOutcome::Succeeded, "{}", deleted.text);
    run.until("the issue is in the trash", |p| {
        place(p, &issue) == Some(Whereabouts::Trashed)
    })
    .await;

    run.activate(LIMITED).await;
    let another = escalate(&mut run).await;
    let refused = delete(&mut run, &another).await;
    assert_eq!(refused.outcome, CallOutcome::Failed);
    run.until("the story held once more", |p| p.story().verdict().is_ok())
        .await;
    assert_eq!(place(&run.projection, &another), Some(Whereabouts::There));
    let (_, _, projection) = run.close().await;
    let statuses: Vec<String> = table(&projection)
        .into_iter()
        .filter(|row| row.starts_with("delete_issue"))
        .collect();
    assert_eq!(
        statuses,
        [
            "delete_issue | Linear API | write | Failure",
            "delete_issue | Linear API | write | Issued",
            "delete_issue | Linear API | write | Failure",
        ]
    );
    assert!(
        projection.lost_feeds().is_empty(),
        "{:?}",
        projection.lost_feeds()
    );
    assert!(
        projection.failures().is_empty(),
        "{:?}",
        projection.failures()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_goes_on_where_the_first_ended() {
    let state = tempfile::tempdir().unwrap();
    let mut first = Run::open(options(TargetChoice::Embedded, state.path())).await;
    let issue = tell_the_story(&mut first).await;
    let (_, _, before) = first.close().await;

    let mut second = Run::open(options(TargetChoice::Embedded, state.path())).await;
    // What the first run saw of the zone's log is there again, row by row.
    let rows = before.audit().rows();
    second
        .until("the audit log is read again", |p| {
            p.audit().rows().len() >= rows.len()
        })
        .await;
    for (old, new) in rows.iter().zip(second.projection.audit().rows()) {
        assert_eq!(
            (
                old.sequence,
                old.event,
                old.status,
                old.occurred_at,
                &old.reason
            ),
            (
                new.sequence,
                new.event,
                new.status,
                new.occurred_at,
                &new.reason
            )
        );
    }
    assert_eq!(second.projection.lab(), before.lab(), "the same URLs");
    second
        .until("sessions and policy are read", |p| {
            p.policies().read().is_some() && !p.sessions().rows().is_empty()
        })
        .await;
    let active = second.projection.policies().active().unwrap();
    assert_eq!(active.name, LIMITED);
    for row in before
        .sessions()
        .rows()
        .iter()
        .filter(|r| r.session.is_some())
    {
        assert!(second.projection.sessions().get(&row.id).is_some());
    }

    second.sign_in().await;
    second.call("get_support_tickets", json!({})).await;
    let another = escalate(&mut second).await;
    assert_ne!(another.identifier, issue.identifier, "Linear counts on");
    // The first run's issue is still there, and still protected.
    let refused = delete(&mut second, &issue).await;
    assert!(
        refused.text.contains("limit-linear-scopes"),
        "{}",
        refused.text
    );
    second.activate(OPEN).await;
    let deleted = delete(&mut second, &issue).await;
    assert_eq!(deleted.outcome, CallOutcome::Succeeded, "{}", deleted.text);
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_was_switched_off_stays_off_until_it_is_switched_on() {
    let state = tempfile::tempdir().unwrap();
    let mut first = Run::open(options(TargetChoice::Embedded, state.path())).await;
    first.activate(OPEN).await;
    first.close().await;
    let mut second = Run::open(options(TargetChoice::Embedded, state.path())).await;
    second
        .until("the policy is read", |p| p.policies().active().is_some())
        .await;
    assert_eq!(second.projection.policies().active().unwrap().name, OPEN);
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_folds_back_to_what_was_seen_live() {
    let state = tempfile::tempdir().unwrap();
    let mut run = Run::open(options(TargetChoice::Embedded, state.path())).await;
    tell_the_story(&mut run).await;
    let (header, events, live) = run.close().await;
    let path = state.path().join("run.jsonl");
    let mut recorder = Recorder::create(&path, &header).unwrap();
    for event in &events {
        recorder.record(event).unwrap();
    }
    assert!(replay(&path) == live, "the replay differs from the run");
    assert!(live.story().verdict().is_ok());
}

/// Folds a recording as a reader does.
fn replay(path: &Path) -> Projection {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header = codec::decode_header(lines.next().unwrap()).unwrap();
    let mut projection = Projection::starting(header.started);
    for (number, line) in (2..).zip(lines) {
        let event = codec::decode(line, number).unwrap();
        projection.apply_line(&event, line);
    }
    projection
}

/// The whole demo, as `hoptrail demo` runs it; what it printed, and how it ended.
async fn demo(options: Options) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let voices = Voices {
        out: &mut out,
        err: &mut err,
    };
    let job = Job::Demo { ticket: None };
    let ended = headless::run(options, Output::Plain(Style::default()), job, voices).await;
    let out = String::from_utf8(out).unwrap();
    let exit = ended.unwrap_or_else(|failure| panic!("{failure}\n{out}"));
    (exit, out)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_urls_of_another_lab_are_as_good_as_the_embedded_one() {
    let state = tempfile::tempdir().unwrap();
    let lab = lab::start(LabConfig::new(
        Some(state.path().join("theirs")),
        SystemClock::shared(),
        Ids::system(),
    ))
    .await
    .unwrap();
    let (exit, out) = demo(attached(&lab, &state.path().join("ours"))).await;
    assert_eq!(exit, Exit::Ok, "{out}");
    assert!(out.contains("The story held"), "{out}");
    assert!(
        !state.path().join("ours").exists(),
        "a run on somebody else's lab keeps no state"
    );
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_ones_own_takes_the_place_of_the_labs() {
    let home = Home::new();
    // A port that was free a moment ago.
    let port = {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        held.local_addr().unwrap().port()
    };
    let url = format!("http://localhost:{port}/mcp");
    let lab = lab::start(LabConfig {
        server: ServerPart::Yours(url.clone()),
        ..LabConfig::new(Some(home.state()), SystemClock::shared(), Ids::system())
    })
    .await
    .unwrap();
    assert_eq!(lab.endpoints.served_by, ServedBy::Yours);
    env_file::write(&home.file(".env"), &lab.env(), Chapter::LAST).unwrap();
    let served = {
        let server = home.serve(&["serve"], "running at");
        assert!(server.said.contains(&url), "{}", server.said);
        let (exit, out) = demo(attached(&lab, &home.file("unused"))).await;
        assert_eq!(exit, Exit::Ok, "{out}");
        server.stop("TERM")
    };
    let served = served.exits_with(0);
    let secret: &Secret = &lab.env().client_secret;
    assert!(!format!("{}{}", served.out, served.err).contains(secret.expose().as_str()));
    lab.stop().await;
}

#[test]
fn a_lab_in_another_process_tells_where_everything_is() {
    let home = Home::new();
    let lab = home.serve(&["lab"], "stops the lab");
    let zone = lab.url("zone");
    let ended = home
        .run(&["call", "get_support_tickets", "--headless", "--lab", &zone])
        .exits_with(0);
    assert!(ended.out.contains("Payment portal charges card twice"));
    // The console's credential stays in the lab's process, so the policy cannot be seen from here;
    // the person is told so, and no row is invented.
    let server = lab.url("MCP server");
    let ended = home
        .run(&[
            "call",
            "get_support_tickets",
            "--headless",
            "--server",
            &server,
        ])
        .exits_with(0);
    assert!(ended.out.contains("Payment portal charges card twice"));
    lab.stop("TERM").exits_with(0);
}

/// What Linear gave for the person's consent went with its file: they are asked for it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_linear_that_lost_its_file_is_consented_to_anew() {
    let state = tempfile::tempdir().unwrap();
    let mut first = Run::open(options(TargetChoice::Embedded, state.path())).await;
    tell_the_story(&mut first).await;
    first.close().await;
    for file in std::fs::read_dir(state.path()).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_string_lossy().starts_with("linear.db") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }

    let mut second = Run::open(options(TargetChoice::Embedded, state.path())).await;
    tell_the_story(&mut second).await;
    second.close().await;
}

/// The issue is by whoever signed in, and not by whom the provider would propose first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_in_lends_their_own_account() {
    let state = tempfile::tempdir().unwrap();
    let noor = Options {
        consent: Consent::Headless(Some("noor".to_owned())),
        ..options(TargetChoice::Embedded, state.path())
    };
    let mut run = Run::open(noor).await;
    let issue = tell_the_story(&mut run).await;
    let view = run.projection.issues().issue(&issue.issue_id).unwrap();
    assert_eq!(view.author.as_deref(), Some("Noor Haddad"));
    run.close().await;
}

#[test]
fn a_demo_that_fails_half_way_shows_how_far_it_came() {
    let home = Home::new();
    let lab = home.serve(&["lab"], "stops the lab");
    let anthropic = lab.url("Anthropic");
    let address = anthropic.strip_prefix("http://").unwrap();
    let mut wire = TcpStream::connect(address).unwrap();
    let fault = r#"[{"status": 401, "times": 2}]"#;
    let put = format!(
        "PUT /hoptrail/faults HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{fault}",
        fault.len()
    );
    wire.write_all(put.as_bytes()).unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");

    let zone = lab.url("zone");
    let ended = home.run(&["demo", "--headless", "--lab", &zone]);
    let ended = ended.exits_with(1);
    let (what, _, _) = ended.failure();
    assert!(what.contains("escalate_ticket"), "{what}");
    let log = ended.out.split_once("Audit log (3)").expect(&ended.out);
    assert!(log.0.contains("Hops ("), "{}", ended.out);
    assert_eq!(log.1.matches("Issued").count(), 3, "{}", ended.out);
    assert!(!ended.out.contains("The story"), "{}", ended.out);
    let json = home.run(&["demo", "--headless", "--json", "--lab", &zone]);
    assert!(!json.exits_with(1).out.contains("Audit log"));
}
