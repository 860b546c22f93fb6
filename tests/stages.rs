//! A lab at the end of each chapter, over real loopback: what anyone may do, what is exchanged, what
//! Linear receives and from whom, and that one lab goes from any chapter to any other.

#[expect(dead_code, reason = "shared; this file needs a part of it")]
mod program;
#[expect(dead_code, reason = "shared; this file needs a part of it")]
mod running;

use std::{io::Write as _, net::TcpListener};

use hoptrail::{
    chapters::Stage,
    client::CallResult,
    lab::{self, Chapter, LabConfig, LabHandle},
    projection::issue::{IssueView, Whereabouts},
    protocol::{observed::Upstream, tickets::Escalated},
    support::{clock::SystemClock, ids::Ids},
    trace::{
        TraceEvent,
        event::{CallOutcome, Fact},
    },
};
use program::Home;
use reqwest::StatusCode;
use rstest::rstest;
use running::{Run, attached, table};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const CARD: &str = "4242 4242 4242 4242";
const TICKET: &str = "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d";
/// Whose Linear key chapter 0 puts into the `.env`.
const OWNER: &str = "Workshop Admin";
/// Who signs in.
const USER: &str = "Ada Lindqvist";

#[test]
fn chapters_and_server_mean_the_same_by_a_stage() {
    for chapter in Chapter::all() {
        let (says, does) = (Stage::at_end_of(chapter.number()), chapter.stage());
        let told = [
            says >= Stage::Protected,
            says >= Stage::Vault,
            says >= Stage::Masked,
            says >= Stage::Delegated,
            says >= Stage::Limited,
        ];
        let done = [
            does.demands_bearer(),
            does.reads_datastore(),
            does.masks(),
            does.delegates_linear(),
            chapter.is_limited(),
        ];
        assert_eq!(told, done, "at the end of {chapter:?}");
    }
}

/// The page of the issue that a call's output names.
fn page(out: &str) -> String {
    let at = out.find("http://127.0.0.1:").map(|at| &out[at..]);
    let url = at
        .into_iter()
        .flat_map(|text| text.split('"'))
        .find(|part| part.contains("/hoptrail-lab/issue/"))
        .and_then(|url| url.parse::<url::Url>().ok())
        .unwrap_or_else(|| panic!("no issue in {out}"));
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
    let (path, host) = (url.path(), url.authority());
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    std::io::read_to_string(stream).unwrap()
}

async fn lab_at(stage: Option<u8>, home: Option<&std::path::Path>) -> LabHandle {
    lab::start(LabConfig {
        stage: stage.map(|number| Chapter::new(number).unwrap()),
        ..LabConfig::new(
            home.map(ToOwned::to_owned),
            SystemClock::shared(),
            Ids::system(),
        )
    })
    .await
    .unwrap()
}

/// What a stranger gets who lists the tools.
async fn anonymously(http: &reqwest::Client, lab: &LabHandle) -> StatusCode {
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let answer = http
        .post(&lab.endpoints.server)
        .header("accept", "application/json, text/event-stream")
        .json(&list)
        .send()
        .await
        .unwrap();
    let challenge = answer.headers().get("www-authenticate").cloned();
    let status = answer.status();
    assert_eq!(challenge.is_some(), status == StatusCode::UNAUTHORIZED);
    // Read to its end, so that the connection can be used again.
    answer.bytes().await.unwrap();
    status
}

async fn run(lab: &LabHandle) -> Run {
    let state = std::path::Path::new("unused");
    let run = Run::open(attached(lab, state)).await;
    let signed_in = run.backend.sign_in(&CancellationToken::new()).await;
    signed_in.unwrap_or_else(|failure| panic!("{failure}"));
    run
}

async fn escalate(run: &mut Run) -> (Escalated, CallResult) {
    let result = run
        .call("escalate_ticket", json!({ "ticketId": TICKET }))
        .await;
    assert_eq!(result.outcome, CallOutcome::Succeeded, "{}", result.text);
    let filed: Escalated = serde_json::from_value(result.structured.clone().unwrap()).unwrap();
    let id = filed.issue_id.clone();
    run.until("Linear shows the issue", |p| {
        p.issues()
            .issue(&id)
            .is_some_and(|view| view.seen.is_some())
    })
    .await;
    (filed, result)
}

/// Everything that a chapter changes, seen on a lab that is at its end.
async fn holds(lab: &LabHandle, http: &reqwest::Client, chapter: u8) {
    let [open, masked, delegated, limited] =
        [chapter < 2, chapter >= 5, chapter >= 6, chapter >= 7];
    let stage = Chapter::new(chapter).unwrap();
    assert_eq!(lab.stage().await, stage);
    let expected = if open {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    };
    assert_eq!(anonymously(http, lab).await, expected, "chapter {chapter}");

    let mut run = run(lab).await;
    run.call("get_support_tickets", json!({ "ticketId": TICKET }))
        .await;
    assert_eq!(run.projection.identity().user().is_some(), !open);
    let (filed, _) = escalate(&mut run).await;
    let arguments = json!({ "issueId": filed.issue_id });
    let deleted = run.call("delete_issue", arguments).await;
    let outcome = if limited {
        CallOutcome::Failed
    } else {
        CallOutcome::Succeeded
    };
    assert_eq!(deleted.outcome, outcome, "{}", deleted.text);
    let by_policy = deleted.text.contains("limit-linear-scopes");
    assert_eq!(by_policy, limited, "{}", deleted.text);
    let place = if limited {
        Whereabouts::There
    } else {
        Whereabouts::Trashed
    };
    let id = filed.issue_id.clone();
    let moved = |view: &IssueView| view.whereabouts == place;
    run.until("the issue is where it should be", |p| {
        p.issues().issue(&id).is_some_and(moved)
    })
    .await;

    let view = run.projection.issues().issue(&id).unwrap();
    let issue = view.issue(run.projection.log()).unwrap();
    assert_eq!(issue.author, if delegated { USER } else { OWNER });
    let title = if masked {
        "[case] "
    } else {
        "[support-escalation] "
    };
    assert!(issue.title.starts_with(title), "{}", issue.title);
    for personal in [CARD, "Marisol Vexley", "marisol.vexley@", "555-0142"] {
        let there = issue.description.contains(personal);
        assert_eq!(there, !masked, "{personal}: {}", issue.description);
    }
    assert_eq!(issue.description.contains("**Customer:**"), !masked);
    assert_eq!(issue.description.contains("[CREDIT_CARD_1]"), masked);
    assert_eq!(
        issue.description.contains("Submitted by Keycard app"),
        delegated
    );
    assert_eq!(issue.labels.is_empty(), !masked);
    assert_eq!(issue.priority, 1);

    // Rows of this run's calls; what the log holds from before has no tool here.
    let mut rows: Vec<&str> = Vec::new();
    if chapter >= 4 {
        rows.push("get_support_tickets | Supabase Database | — | Issued");
        rows.push("escalate_ticket | Supabase Database | — | Issued");
    }
    if masked {
        rows.push("escalate_ticket | Anthropic API | — | Issued");
    }
    if delegated {
        rows.push("escalate_ticket | Linear API | read | Issued");
        rows.push("escalate_ticket | Linear API | issues:create | Issued");
        rows.push(if limited {
            "delete_issue | Linear API | write | Failure"
        } else {
            "delete_issue | Linear API | write | Issued"
        });
    }
    run.until("the log has all of it", |p| table(p).len() >= rows.len())
        .await;
    let (_, events, projection) = run.close().await;
    assert_eq!(table(&projection), rows, "chapter {chapter}");
    assert!(
        projection.failures().is_empty(),
        "{:?}",
        projection.failures()
    );

    only_the_owners_key(lab, &events, delegated);
}

/// Before chapter 6 each request to Linear carries one and the same key, and later never.
fn only_the_owners_key(lab: &LabHandle, events: &[TraceEvent], delegated: bool) {
    let owners = lab.env().linear_api_key.fingerprint();
    for event in events {
        if let Fact::StepReported(step) = &event.fact
            && step.upstream == Upstream::Linear
        {
            assert_eq!(
                step.credential == Some(owners),
                !delegated && step.credential.is_some()
            );
        }
    }
}

#[rstest]
#[case(0)]
#[case(3)]
#[case(4)]
#[case(5)]
#[case(6)]
#[case(7)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_starts_at_the_end_of_a_chapter(#[case] chapter: u8) {
    let lab = lab_at(Some(chapter), None).await;
    Box::pin(holds(&lab, &reqwest::Client::new(), chapter)).await;
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lab_goes_up_and_down() {
    let lab = lab_at(None, None).await;
    let before = lab.endpoints.clone();
    // One client throughout: it keeps its connection, and still meets the new server.
    let http = reqwest::Client::new();
    Box::pin(holds(&lab, &http, 8)).await;
    for chapter in [0, 2, 4, 5, 6, 7, 3, 0, 6, 1] {
        lab.go_to(Chapter::new(chapter).unwrap()).await.unwrap();
        Box::pin(holds(&lab, &http, chapter)).await;
    }
    assert_eq!(lab.endpoints, before);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_that_begins_again_holds_only_what_the_chapters_before_made() {
    let lab = lab_at(Some(7), None).await;
    let again = async |chapter| {
        let chapter = Chapter::new(chapter).unwrap();
        lab.begin_again(chapter).await.unwrap();
        lab.objects()
    };
    let all = lab.objects();
    let rule = "policy limit-linear-scopes forbids".to_owned();
    assert!(all.contains(&rule), "{all:?}");
    let without_policies = again(6).await;
    let gone: Vec<_> = all
        .iter()
        .filter(|one| !without_policies.contains(one))
        .collect();
    assert!(
        !gone.is_empty() && gone.iter().all(|one| one.starts_with("policy ")),
        "{gone:?}"
    );
    assert_eq!(again(0).await, Vec::<String>::new());
    assert!(lab.env().client_id.is_empty());
    // What is taken away is made again on the way forward, as the first time.
    let http = reqwest::Client::new();
    for chapter in [1, 7] {
        lab.go_to(Chapter::new(chapter).unwrap()).await.unwrap();
        Box::pin(holds(&lab, &http, chapter)).await;
    }
    assert_eq!(lab.objects(), all);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chapter_is_another_active_set_and_no_row_when_it_is_active_already() {
    let lab = lab_at(Some(6), None).await;
    let go = async |chapter| lab.go_to(Chapter::new(chapter).unwrap()).await.unwrap();
    for chapter in [5, 7, 7, 8, 0, 4] {
        go(chapter).await;
    }
    let state = std::path::Path::new("unused");
    let mut run = Run::open(attached(&lab, state)).await;
    let activations = |p: &hoptrail::projection::Projection| {
        let rows = p.audit().rows().iter();
        rows.filter(|row| row.tool.is_none() && !row.exchange)
            .count()
    };
    run.until("both activations are in the log", |p| activations(p) >= 2)
        .await;
    let (_, _, projection) = run.close().await;
    assert_eq!(activations(&projection), 2);
    let active = projection.policies().active().unwrap();
    assert_eq!(active.name, "default-zone-policies");
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_stays_as_it_was_left_unless_a_stage_is_named() {
    let state = tempfile::tempdir().unwrap();
    let active = async |lab: LabHandle| {
        let mut run = Run::open(attached(&lab, state.path())).await;
        run.until("the policy is read", |p| p.policies().active().is_some())
            .await;
        let name = run.projection.policies().active().unwrap().name.clone();
        run.close().await;
        lab.stop().await;
        name
    };
    let kept = Some(state.path());
    let mut names = Vec::new();
    for stage in [None, Some(4), None, Some(7), None] {
        names.push(active(lab_at(stage, kept).await).await);
    }
    let [open, limited] = ["default-zone-policies", "workshop-policies"];
    assert_eq!(names, [limited, open, open, limited, limited]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_under_way_ends_on_its_own_server() {
    let lab = lab_at(Some(0), None).await;
    let http = reqwest::Client::new();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "escalate_ticket", "arguments": {"ticketId": TICKET}}});
    let calls: Vec<_> = (0..20)
        .map(|_| {
            http.post(&lab.endpoints.server)
                .header("accept", "application/json, text/event-stream")
                .json(&call)
                .send()
        })
        .collect();
    let (answers, ()) = tokio::join!(futures::future::join_all(calls), async {
        for chapter in [2, 0, 6, 0, 4, 0] {
            lab.go_to(Chapter::new(chapter).unwrap()).await.unwrap();
        }
    });
    for answer in answers {
        let answer = answer.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        match status {
            StatusCode::OK => assert!(text.contains("\"isError\":false"), "{text}"),
            other => assert_eq!(other, StatusCode::UNAUTHORIZED),
        }
    }
    lab.stop().await;
}

#[tokio::test]
async fn every_chapter_has_its_env() {
    let lab = lab_at(None, None).await;
    let keys = |chapter: Chapter| {
        let lines = lab.env_of(chapter);
        lines.iter().filter(|line| line.worth_stealing).count()
    };
    let counted: Vec<usize> = Chapter::all().map(keys).collect();
    assert_eq!(counted, [1, 1, 1, 1, 1, 1, 0, 0, 0]);
    assert_eq!(lab.env_of(Chapter::FIRST), lab.env_before);
    assert_eq!(lab.env_of(Chapter::LAST), lab.env_after);
    let shown = serde_json::to_string(&Chapter::all().map(|c| lab.env_of(c)).collect::<Vec<_>>());
    let shown = shown.unwrap();
    for secret in [&lab.env().linear_api_key, &lab.env().client_secret] {
        assert!(!shown.contains(secret.expose().as_str()));
    }
    assert!(Chapter::new(9).is_err());
    let _: Value = serde_json::from_str(&shown).unwrap();
    lab.stop().await;
}

#[test]
fn a_server_names_every_variable_that_its_chapter_lacks() {
    let home = Home::new();
    for chapter in 0..=7 {
        let number = chapter.to_string();
        let ended = home.run(&["serve", "--stage", &number]).exits_with(2);
        ended.failure();
        let needed = Chapter::new(chapter).unwrap().stage().variables();
        for name in needed {
            assert!(ended.err.contains(name), "{chapter}: {name}: {}", ended.err);
        }
        assert_eq!(ended.err.matches(" is missing").count(), needed.len());
    }
    home.run(&["serve", "--stage", "8"]).exits_with(2);
    home.run(&["lab", "--stage", "8"]).exits_with(2);
}

#[test]
fn the_story_does_not_hold_at_chapter_zero_and_a_call_needs_nobody() {
    let home = Home::new();
    let lab = home.serve(&["lab", "--stage", "0"], "stops the lab");
    assert!(lab.said.contains("end of chapter 0"), "{}", lab.said);
    let server = lab.url("MCP server");
    let call = ["call", "get_support_tickets", "--server", &server];
    let ended = home.run(&call).exits_with(0);
    assert!(ended.out.contains("Marisol Vexley"), "{}", ended.out);
    let demo = ["demo", "--headless", "--lab", &lab.url("zone")];
    let ended = home.run(&demo).exits_with(1);
    assert!(
        ended.out.contains("The story did not hold"),
        "{}",
        ended.out
    );
    for told in ["nobody has to", "it was called without a token"] {
        assert!(ended.out.contains(told), "{}", ended.out);
    }
    lab.stop("TERM").exits_with(0);
}

#[rstest]
#[case("0")]
#[case("3")]
#[case("5")]
#[case("7")]
fn a_server_of_a_chapter_works_with_that_chapters_env(#[case] chapter: &str) {
    let home = Home::new();
    // A port that was free a moment ago.
    let port = {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        held.local_addr().unwrap().port()
    };
    let url = format!("http://127.0.0.1:{port}/mcp");
    let file = home.file(".env");
    let file = file.to_str().unwrap();
    let lab = home.serve(
        &[
            "lab",
            "--stage",
            chapter,
            "--without",
            "server",
            "--mcp-url",
            &url,
            "--write-env",
            file,
        ],
        "stops the lab",
    );
    // What the code of the earlier chapters has built in is not in their files.
    let mut text = std::fs::read_to_string(file).unwrap();
    for (name, service) in [("LINEAR", "Linear"), ("ANTHROPIC", "Anthropic")] {
        text.extend([name, "_API_URL=", &lab.url(service), "\n"]);
    }
    let own = home.write("own.env", text);
    let own = own.to_str().unwrap();
    let server = home.serve(
        &["serve", "--stage", chapter, "--env-file", own],
        "running at",
    );
    let zone = lab.url("zone");
    let ticket = format!("ticketId={TICKET}");
    let call = [
        "call",
        "escalate_ticket",
        &ticket,
        "--headless",
        "--lab",
        &zone,
    ];
    let ended = home.run(&call).exits_with(0);
    let author = if chapter == "7" { USER } else { OWNER };
    // Linear's own page, not the run's feed: the call may end before the feed told of the issue.
    let page = page(&ended.out);
    assert!(page.contains(author), "{page}");
    server.stop("TERM").exits_with(0);
    lab.stop("TERM").exits_with(0);
}
