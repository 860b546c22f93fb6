//! What goes wrong outside: each time one clear failure in three parts, and nothing lost.

#[expect(dead_code, reason = "the secrets' proof uses the rest")]
#[path = "secrets/collect.rs"]
mod collect;
#[expect(dead_code, reason = "each test binary uses a part of it")]
mod program;
#[expect(dead_code, reason = "each test binary uses a part of it")]
mod running;

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use axum::{Json, Router};
use chrono::TimeDelta;
use collect::Tap;
use hoptrail::{
    app::{App, AppConfig, msg::Msg},
    config::LookConfig,
    lab::{self, LabConfig, LabHandle, Service},
    plain::{Style, Text},
    projection::Projection,
    protocol::secret::Secret,
    runtime::{Options, TargetChoice},
    support::{
        clock::{FakeClock, SystemClock},
        ids::Ids,
    },
    trace::event::CallOutcome,
    ui::{
        self,
        look::{Charset, Look},
    },
};
use program::Home;
use ratatui::{buffer::Buffer, layout::Rect};
use regex::Regex;
use rstest::rstest;
use running::{Run, attached, options};
use serde_json::{Value, json};

/// Serves the same bytes to whoever asks, and hangs up; its origin.
fn raw(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = [0; 16 * 1024];
            let Ok(count) = socket.read(&mut request) else {
                continue;
            };
            let head = String::from_utf8_lossy(&request[..count]).into_owned();
            // Whoever hung up first does not want the answer.
            let _ = socket.write_all(&answer(&head));
        }
    });
    origin
}

/// A whole answer.
fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

const HTML: &str = "content-type: text/html\r\n";
const JSON: &str = "content-type: application/json\r\n";

#[rstest]
#[case::html(answer("200 OK", HTML, "<h1>\u{1b}[31mWelcome to nginx</h1>"))]
#[case::html_error(answer("500 Internal Server Error", HTML, "<h1>\u{1b}]0;owned\u{7}</h1>"))]
#[case::json_error(answer("503 Service Unavailable", JSON, "{\"error\":\"\\u001b[2J\"}"))]
#[case::no_json(answer("200 OK", JSON, "{\"jsonrpc\":"))]
#[case::not_mcp(answer("200 OK", JSON, "{\"hello\":\"world\"}"))]
#[case::nothing(Vec::new())]
#[case::half_a_body(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"jsonrpc\"".to_vec())]
#[case::half_a_stream(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n20\r\ndata: {\"json".to_vec())]
#[case::no_http(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())]
fn a_server_that_answers_nonsense_is_told(#[case] nonsense: Vec<u8>) {
    let url = raw(move |_| nonsense.clone()) + "/mcp";
    let ended = Home::new().run(&["probe", &url, "--headless"]);
    assert!(matches!(ended.code, Some(1 | 3)), "{ended:?}");
    ended.failure();
    let told = format!("{}{}", ended.out, ended.err);
    assert!(!told.contains(['\u{1b}', '\u{7}']), "{told:?}");
    assert!(told.contains(url.trim_start_matches("http://").trim_end_matches("/mcp")));
}

#[test]
fn a_zone_that_lies_about_its_issuer_is_refused() {
    let zone = raw(|head| {
        let host = head.split("host: ").nth(1).unwrap_or_default();
        let host = host.split('\r').next().unwrap_or_default();
        let body = json!({
            "issuer": format!("http://{host}/somebody-else"),
            "authorization_endpoint": format!("http://{host}/authorize"),
            "token_endpoint": format!("http://{host}/token"),
            "registration_endpoint": format!("http://{host}/register"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        });
        answer("200 OK", JSON, &body.to_string())
    });
    let server = raw(move |head| {
        let host = head.split("host: ").nth(1).unwrap_or_default();
        let host = host.split('\r').next().unwrap_or_default();
        if head.starts_with("POST") {
            let challenge = format!(
                "www-authenticate: Bearer resource_metadata=\"http://{host}/.well-known/oauth-protected-resource/mcp\"\r\n"
            );
            return answer("401 Unauthorized", &challenge, "");
        }
        let body = json!({
            "resource": format!("http://{host}/mcp"),
            "authorization_servers": [zone],
        });
        answer("200 OK", JSON, &body.to_string())
    });
    let ended = Home::new()
        .run(&["probe", &format!("{server}/mcp"), "--headless"])
        .exits_with(4);
    let (what, why, _) = ended.failure();
    assert!(
        format!("{what} {why}").contains("somebody-else"),
        "{what}: {why}"
    );
    assert!(!ended.out.contains("/register"), "{}", ended.out);
}

/// Asks an MCP server as a client with this token does; the status and the challenge.
async fn initialize(server: &str, token: &str) -> (u16, String) {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "stranger", "version": "1"},
        },
    });
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(server)
        .bearer_auth(token)
        .header("accept", "application/json, text/event-stream")
        .json(&body)
        .send()
        .await
        .unwrap();
    let challenge = answer.headers().get("www-authenticate").cloned();
    let challenge = challenge.map_or_else(String::new, |v| v.to_str().unwrap().to_owned());
    (answer.status().as_u16(), challenge)
}

/// A bearer token that was sent to a server, by its URL.
fn token_for(tap: &Tap, server: &str) -> String {
    let port = url::Url::parse(server).unwrap().port().unwrap();
    let streams = tap.0.lock().unwrap();
    let bearer = Regex::new(r"(?im)^authorization: *bearer +(\S+)").unwrap();
    let mut mine = streams
        .iter()
        .filter(|(stream, _)| *stream >> 32 == u64::from(port));
    let sent = mine.find_map(|(_, bytes)| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        bearer.captures(&text).map(|found| found[1].to_owned())
    });
    sent.expect("somebody signed in")
}

/// A lab with a tap, and the token that a sign-in brought to its server.
async fn signed_in(home: &Home, name: &str, clock: &Arc<FakeClock>) -> (LabHandle, String) {
    let tap = Arc::new(Tap::default());
    let lab = lab::start(LabConfig {
        wire: Some(Arc::clone(&tap) as _),
        ..LabConfig::new(Some(home.file(name)), Arc::clone(clock) as _, Ids::system())
    })
    .await
    .unwrap();
    let mut run = Run::open(Options {
        clock: Arc::clone(clock) as _,
        ..attached(&lab, &home.file("unused"))
    })
    .await;
    run.sign_in().await;
    run.close().await;
    let token = token_for(&tap, &lab.endpoints.server);
    (lab, token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_foreign_forged_or_over_opens_nothing() {
    let home = Home::new();
    let clock = FakeClock::shared();
    let (ours, token) = signed_in(&home, "ours", &clock).await;
    let (theirs, foreign) = signed_in(&home, "theirs", &clock).await;
    let server = &ours.endpoints.server;
    assert_eq!(initialize(server, &token).await.0, 200);

    let (signed, signature) = token.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    let mut parts = token.split('.');
    let (head, claims) = (parts.next().unwrap(), parts.next().unwrap());
    for (what, wrong) in [
        ("foreign", foreign.clone()),
        ("forged", format!("{signed}.{turned}")),
        ("unsigned", format!("{head}.{claims}.")),
        ("the other's claims", {
            let other = foreign.split('.').nth(1).unwrap();
            format!("{head}.{other}.{signature}")
        }),
        ("no token", "hush-hush-hush".to_owned()),
    ] {
        let (status, challenge) = initialize(server, &wrong).await;
        assert_eq!(status, 401, "{what}: {challenge}");
        assert!(challenge.contains("invalid_token"), "{what}: {challenge}");
        assert!(
            challenge.contains("resource_metadata"),
            "{what}: {challenge}"
        );
        assert!(!challenge.contains(&wrong), "{what}: {challenge}");
    }
    clock.advance(TimeDelta::hours(2));
    let (status, challenge) = initialize(server, &token).await;
    assert_eq!(status, 401);
    assert!(challenge.contains("invalid_token"), "{challenge}");
    ours.stop().await;
    theirs.stop().await;
}

/// A Supabase with one ticket in it.
async fn supabase(ticket: Value) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let rows = json!([ticket]);
    let router = Router::new().fallback(move || async move { Json(rows) });
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

/// Bytes and marks with which a text would take over a terminal or hide what it says.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m\u{9b}5n\u{202e}gnp.exe\u{202c}\u{200f}\u{2066}x\u{2069}\r\u{8}\u{0}";

fn ticket(body: &str) -> Value {
    json!({
        "id": "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d",
        "created_at": "2026-06-02T14:23:00+00:00",
        "customer_name": format!("Marisol{HOSTILE}Vexley"),
        "email": "marisol.vexley@northgate-supplies.example",
        "phone": "555-0142",
        "plan_tier": "enterprise",
        "severity": "critical",
        "status": "open",
        "subject": format!("Payment {HOSTILE} fails"),
        "body": body,
    })
}

fn is_hostile(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Checks everything that a person sees of a run: plain output, and every pane.
fn nothing_hostile_is_seen(run: &Run) {
    let mut projection = Projection::starting(run.header.started);
    let mut text = Text::new(Vec::new(), Style::default());
    let mut app = App::new(AppConfig {
        size: (120, 36),
        started: Some(run.header.started),
        ..AppConfig::default()
    });
    for event in &run.events {
        projection.apply(event);
        text.event(event, &projection).unwrap();
        let _ = app.update(Msg::Trace(event.clone()));
    }
    text.summary(&projection).unwrap();
    for call in projection.tools().calls() {
        text.result(call, &projection).unwrap();
    }
    let plain = String::from_utf8(text.into_inner()).unwrap();
    let found: String = plain.chars().filter(|c| is_hostile(*c)).collect();
    assert!(found.is_empty(), "{found:?} in plain output");

    let area = Rect::new(0, 0, 120, 36);
    let look = Look::new(&LookConfig::default(), Charset::Unicode);
    for pane in [
        "1", "2", "3", "4", "5", "6", "7", "enter", "tab", "tab", "tab", "esc", "v",
    ] {
        let key = pane.parse().unwrap();
        let _ = app.update(Msg::Input(hoptrail::app::msg::InputEvent::Key(key)));
        let mut buffer = Buffer::empty(area);
        ui::draw_into(&app, &look, area, &mut buffer);
        for cell in buffer.content() {
            assert!(
                !cell.symbol().chars().any(is_hostile),
                "{:?} in pane {pane}",
                cell.symbol()
            );
        }
    }
}

#[rstest]
#[case::escapes_and_marks(format!("Hello,\n{HOSTILE}\nmail me at dash@harborline.example\n{HOSTILE}"))]
#[case::one_line_of_four_megabytes(format!("{HOSTILE}{}", "call 555-0142 now ".repeat(4 << 20 >> 4)))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_ticket_is_only_text(#[case] body: String) {
    let home = Home::new();
    let lab = lab::start(LabConfig {
        supabase: Service::Real {
            url: supabase(ticket(&body)).await,
            key: Some(Secret::from("sb_secret_of-a-test-and-nobody-else")),
        },
        ..LabConfig::new(Some(home.state()), SystemClock::shared(), Ids::system())
    })
    .await
    .unwrap();
    let mut run = Run::open(attached(&lab, &home.file("unused"))).await;
    run.sign_in().await;
    let listed = run.call("get_support_tickets", json!({})).await;
    assert_eq!(
        listed.outcome,
        CallOutcome::Succeeded,
        "{}",
        cut(&listed.text)
    );
    // The data itself is not touched: a client gets what the customer wrote.
    let listed = listed.structured.unwrap();
    assert!(listed["tickets"][0]["body"] == body.as_str());
    let ticket = json!({ "ticketId": "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d" });
    let escalated = run.call("escalate_ticket", ticket).await;
    if body.len() < 1 << 20 {
        assert_eq!(
            escalated.outcome,
            CallOutcome::Succeeded,
            "{}",
            cut(&escalated.text)
        );
        let issue = run.projection.issues().latest().unwrap();
        let told = issue.result(run.projection.log()).unwrap();
        let masked = told.masked_text.unwrap();
        assert!(!masked.contains("harborline"), "{masked}");
    } else {
        // No model takes that much. Nothing is done by halves, and why is said.
        assert_eq!(escalated.outcome, CallOutcome::Failed);
        assert!(
            escalated.text.contains("too long"),
            "{}",
            cut(&escalated.text)
        );
        assert!(escalated.text.contains("nothing reached Linear"));
        assert!(run.projection.issues().issues().is_empty());
    }
    nothing_hostile_is_seen(&run);
    // And it still works.
    let refused = run
        .call("delete_issue", json!({ "issueId": "ENG-1" }))
        .await;
    assert!(
        refused.text.contains("limit-linear-scopes"),
        "{}",
        cut(&refused.text)
    );
    run.close().await;
    lab.stop().await;
}

fn cut(text: &str) -> String {
    text.chars().take(400).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_that_stops_in_the_middle_is_told_and_the_next_start_has_everything() {
    let home = Home::new();
    let start = || {
        lab::start(LabConfig::new(
            Some(home.state()),
            SystemClock::shared(),
            Ids::system(),
        ))
    };
    let lab = start().await.unwrap();
    let mut run = Run::open(attached(&lab, &home.file("unused"))).await;
    run.sign_in().await;
    run.call("get_support_tickets", json!({})).await;
    let rows = run.projection.audit().rows().len();
    lab.stop().await;
    let broken = run
        .backend
        .client
        .call_tool(
            "get_support_tickets",
            serde_json::Map::new(),
            tokio_util::sync::CancellationToken::new(),
        )
        .await;
    let failure = broken.unwrap_err();
    for part in [&failure.what, &failure.why, &failure.next] {
        assert!(!part.is_empty(), "{failure}");
    }
    run.close().await;
    let mut again = Run::open(options(TargetChoice::Embedded, &home.state())).await;
    again
        .until("the rows are there again", |p| {
            p.audit().rows().len() >= rows
        })
        .await;
    again.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_fails_leaves_the_urls_of_the_lab_that_runs() {
    let home = Home::new();
    let state = home.state();
    let start = || {
        let config = LabConfig::new(Some(state.clone()), SystemClock::shared(), Ids::system());
        lab::start(config)
    };
    let lab = start().await.unwrap();
    let remembered = std::fs::read_to_string(state.join("lab.toml")).unwrap();
    start().await.unwrap_err();
    let after = std::fs::read_to_string(state.join("lab.toml")).unwrap();
    assert_eq!(after, remembered);
    lab.stop().await;
}

#[rstest]
#[case("/hoptrail/lab")]
#[case("/hoptrail/lab/tokens/expired")]
#[case("/nothing-here")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_was_bound_to_this_computer_opens_no_path_of_the_zone(#[case] path: &str) {
    let config = LabConfig::new(None, SystemClock::shared(), Ids::system());
    let lab = lab::start(config).await.unwrap();
    let answer = reqwest::Client::new()
        .get(format!("{}{path}", lab.endpoints.zone))
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    lab.stop().await;
}
