//! Tools over the MCP connection: what a call tells on its way, and what a bad answer becomes.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod client_fake;

use std::time::Duration;

use client_fake::{
    Fake,
    mcp::Mcp,
    rig::{Rig, at_the_browser, rig},
};
use hoptrail::{
    client::{
        browser::BrowserMode,
        http::TracedHttp,
        mcp::{Fault, Mcp as Connection},
        mcp_wire::{McpWire, Remedy},
        store::Tokens,
        url_policy::UrlPolicy,
    },
    projection::{Verdict, identity::SignIn},
    protocol::traceparent::{SpanId, TraceId, TraceParent},
    support::error::{Exit, Failure, FailureKind},
    trace::{
        Fact,
        event::{CallOutcome, Leg},
    },
};
use rstest::rstest;
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

fn never() -> CancellationToken {
    CancellationToken::new()
}

/// What a connection is made of.
fn seam(server: &str) -> (url::Url, TracedHttp, Tokens) {
    let (config, ..) = client_fake::rig::config(server, BrowserMode::Headless);
    let server = url::Url::parse(&config.server).unwrap();
    let policy = UrlPolicy::for_server(&server);
    let http = TracedHttp::new(policy, config.sink, config.ids, config.actors).unwrap();
    (server, http, Tokens::new(config.clock))
}

fn trouble(what: &str) -> Failure {
    Failure::new(Exit::Failed, what, "why", "next")
}

async fn signed_in() -> (Fake, Rig) {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    (fake, rig)
}

#[tokio::test]
async fn a_call_tells_its_steps_under_its_own_id_and_in_order() {
    let (fake, rig) = signed_in().await;
    let mut arguments = Map::new();
    arguments.insert("ticketId".to_owned(), json!("t-1"));
    let result = rig
        .client
        .call_tool("escalate_ticket", arguments, never())
        .await
        .unwrap();
    assert_eq!(result.outcome, CallOutcome::Succeeded);
    assert_eq!(result.text, "it is done");
    let reports = rig.sink.0.lock().unwrap();
    let of_call: Vec<_> = reports
        .iter()
        .filter(|one| one.call == Some(result.call))
        .collect();
    let story: Vec<&str> = of_call
        .iter()
        .map(|one| match &one.fact {
            Fact::ToolCallStarted { .. } => "started",
            Fact::HopSent { leg: Leg::Mcp, .. } => "sent",
            Fact::StepReported(_) => "step",
            Fact::ProgressReported { .. } => "words",
            Fact::HopReturned { .. } => "returned",
            Fact::ToolCallFinished { .. } => "finished",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        story,
        ["started", "sent", "step", "words", "returned", "finished"]
    );
    assert_eq!(of_call[2].span, Some(SpanId(0xaa)));
    assert_eq!(of_call[1].span, of_call[4].span);
    let Fact::HopReturned {
        body: Some(body),
        status: 200,
        ..
    } = &of_call[4].fact
    else {
        panic!("{:?}", of_call[4].fact);
    };
    assert!(
        body.text.contains("it is done"),
        "the events are the body: {}",
        body.text
    );
    // The server was told the same names.
    let span = of_call[1].span.unwrap();
    let parent = format!("00-{}-{span}-01", result.call);
    assert_eq!(fake.saw(&parent), 1);
}

#[tokio::test]
async fn the_connection_is_used_again() {
    let (fake, rig) = signed_in().await;
    rig.client.list_tools(never()).await.unwrap();
    for _ in 0..3 {
        rig.client
            .call_tool("escalate_ticket", Map::new(), never())
            .await
            .unwrap();
    }
    assert_eq!(fake.saw("mcp initialize"), 1);
    let connected: Vec<Fact> = rig
        .sink
        .facts()
        .into_iter()
        .filter(|fact| matches!(fact, Fact::ServerConnected { .. }))
        .collect();
    assert_eq!(
        connected,
        [Fact::ServerConnected {
            name: "fake␛[31m".to_owned(),
            version: "1.0".to_owned(),
            protocol: "2025-11-25".to_owned(),
        }]
    );
}

#[tokio::test]
async fn a_tool_that_says_it_failed_is_a_result() {
    let (fake, rig) = signed_in().await;
    fake.script(|script| script.mcp = Mcp::ToolFails);
    let result = rig
        .client
        .call_tool("delete_issue", Map::new(), never())
        .await
        .unwrap();
    assert_eq!(result.outcome, CallOutcome::Failed);
    assert_eq!(result.text, "refused by policy");
}

#[rstest]
#[case(Mcp::Html, Exit::Failed, "not how an MCP server answers", "a web page")]
#[case(Mcp::Status500, Exit::Unreachable, "The MCP server failed", "500")]
#[case(Mcp::Empty, Exit::Failed, "not how an MCP server answers", "nothing")]
#[case(Mcp::HalfJson, Exit::Unreachable, "did not answer", "")]
#[case(Mcp::HalfEvents, Exit::Unreachable, "broke off", "")]
#[case(Mcp::EventIsNoJson, Exit::Failed, "broke off", "no JSON")]
#[case(Mcp::AnswersAnother, Exit::Failed, "broke off", "another request")]
#[case(
    Mcp::AnswersAnotherAtOnce,
    Exit::Failed,
    "answers another request",
    "another id"
)]
#[case(
    Mcp::ErrsAtNobody,
    Exit::Failed,
    "refused the request",
    "cannot read that"
)]
#[case(Mcp::TooMany, Exit::Failed, "too much to do", "429")]
#[case(Mcp::Forbids, Exit::Failed, "refuses the request", "403")]
#[case(Mcp::BreaksOffForGood, Exit::Unreachable, "broke off", "answered 404")]
#[case(
    Mcp::WrongJson,
    Exit::Failed,
    "not how an MCP server answers",
    "no JSON-RPC"
)]
#[case(
    Mcp::JsonRpcError,
    Exit::Failed,
    "refused the request",
    "Tool ␛]0;x nope not found"
)]
#[tokio::test]
async fn an_answer_that_is_none_becomes_one_clear_failure(
    #[case] how: Mcp,
    #[case] exit: Exit,
    #[case] what: &str,
    #[case] why: &str,
) {
    let (fake, rig) = signed_in().await;
    fake.script(|script| script.mcp = how);
    let failure = rig
        .client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap_err();
    assert_eq!(failure.exit, exit, "{failure}");
    assert!(
        failure.what.contains(what) && failure.why.contains(why),
        "{failure}"
    );
    let broken = rig.sink.count(|fact| {
        matches!(
            fact,
            Fact::ToolCallFinished {
                outcome: CallOutcome::Broken,
                ..
            }
        )
    });
    assert_eq!(broken, 1);
    // And the next call is none the worse for it.
    fake.script(|script| script.mcp = Mcp::Usual);
    rig.client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_call_that_is_called_off_is_called_off_at_the_server_too() {
    let (fake, rig) = signed_in().await;
    rig.client.list_tools(never()).await.unwrap();
    fake.script(|script| script.mcp = Mcp::Hang);
    let cancel = CancellationToken::new();
    let (client, token) = (std::sync::Arc::clone(&rig.client), cancel.clone());
    let calling =
        tokio::spawn(async move { client.call_tool("escalate_ticket", Map::new(), token).await });
    fake.shared.called.notified().await;
    cancel.cancel();
    let result = calling.await.unwrap().unwrap();
    assert_eq!(result.outcome, CallOutcome::Cancelled);
    fake.shared.cancelled.notified().await;
}

#[tokio::test]
async fn a_server_that_keeps_asking_for_more_scope_is_not_obeyed_for_ever() {
    let (fake, rig) = signed_in().await;
    fake.script(|script| script.mcp = Mcp::NeedsScope);
    for _ in 0..6 {
        let failure = rig
            .client
            .call_tool("escalate_ticket", Map::new(), never())
            .await
            .unwrap_err();
        assert_eq!(failure.what, "The token may not do that");
    }
    assert_eq!(fake.saw("authorize"), 1 + 3);
    assert_eq!(
        fake.saw(r#""scope": "issues:create read write""#),
        3,
        "a union"
    );
}

#[tokio::test]
async fn a_renewal_on_the_way_does_not_let_a_server_ask_for_ever() {
    let (fake, rig) = signed_in().await;
    rig.client.list_tools(never()).await.unwrap();
    // It never takes a token twice, and wants more of each that it takes.
    fake.script(|script| script.by_turns = 20);
    let failure = rig
        .client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap_err();
    assert_eq!(failure.what, "The token may not do that");
    assert_eq!(fake.saw("authorize"), 1 + 1, "the person was asked once");
    assert_eq!(
        fake.saw("token refresh_token"),
        2,
        "and the token renewed for both tries"
    );
}

#[tokio::test]
async fn an_unsigned_client_is_told_to_sign_in() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    let failure = rig
        .client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap_err();
    assert_eq!(failure.kind, Some(FailureKind::SignInRequired));
    assert_eq!(failure.exit, Exit::Refused);
}

#[tokio::test]
async fn a_server_that_falls_silent_while_connecting_is_not_waited_for_for_ever() {
    let fake = Fake::start().await;
    fake.script(|script| (script.open, script.falls_silent) = (true, true));
    let (server, http, tokens) = seam(&fake.server);
    let mcp = Connection::new(server, http, tokens).connecting_within(Duration::from_millis(300));
    let Err(Fault::Trouble(trouble)) = mcp.connect().await else {
        panic!("it connected");
    };
    assert_eq!(trouble.failure.exit, Exit::Unreachable);
    assert!(
        trouble.failure.why.contains("not open after 300 ms"),
        "{}",
        trouble.failure
    );
}

#[tokio::test]
async fn connecting_to_a_server_that_falls_silent_can_be_called_off() {
    let (fake, rig) = signed_in().await;
    fake.script(|script| script.falls_silent = true);
    let cancel = CancellationToken::new();
    let (client, token) = (std::sync::Arc::clone(&rig.client), cancel.clone());
    let calling =
        tokio::spawn(async move { client.call_tool("escalate_ticket", Map::new(), token).await });
    fake.shared.fell_silent.notified().await;
    cancel.cancel();
    let result = calling.await.unwrap().unwrap();
    assert_eq!(result.outcome, CallOutcome::Cancelled);
    // And nobody after it waits for what was called off.
    fake.script(|script| script.falls_silent = false);
    rig.client.list_tools(never()).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_taken_up_again_after_its_last_event() {
    let (fake, rig) = signed_in().await;
    fake.script(|script| script.mcp = Mcp::BreaksOff);
    let result = rig
        .client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap();
    assert_eq!(result.outcome, CallOutcome::Succeeded);
    assert_eq!(result.text, "it is done");
    assert_eq!(fake.saw("the rest after 1"), 1);
    let reports = rig.sink.0.lock().unwrap();
    let story: Vec<&str> = reports
        .iter()
        .filter(|one| one.call == Some(result.call))
        .filter_map(|one| match &one.fact {
            Fact::HopSent { method, .. } if method == "GET" => Some("asked for the rest"),
            Fact::HopSent { .. } => Some("sent"),
            Fact::ProgressReported { .. } => Some("words"),
            Fact::HopFailed { .. } => Some("broke off"),
            Fact::HopReturned { .. } => Some("returned"),
            _ => None,
        })
        .collect();
    assert_eq!(
        story,
        [
            "sent",
            "words",
            "broke off",
            "asked for the rest",
            "returned"
        ]
    );
}

#[tokio::test]
async fn a_new_sign_in_lets_the_server_ask_for_more_scope_anew() {
    let (fake, rig) = signed_in().await;
    fake.script(|script| script.mcp = Mcp::NeedsScope);
    for round in 1..=2 {
        for _ in 0..5 {
            let _ = rig
                .client
                .call_tool("escalate_ticket", Map::new(), never())
                .await
                .unwrap_err();
        }
        assert_eq!(fake.saw("authorize"), round * (1 + 3));
        rig.client.sign_in(never()).await.unwrap();
    }
}

#[tokio::test]
async fn the_trouble_of_a_request_ends_with_it_and_of_many_the_first_is_told() {
    let (_, http, tokens) = seam("http://127.0.0.1:9/mcp");
    let wire = McpWire::new(http, tokens);
    let note = |id: &str| wire.note(Some(id), trouble(id), Remedy::None);
    note("7");
    wire.ended("7", &json!(7));
    assert!(
        wire.take_trouble("7").is_none(),
        "a later request has the same id"
    );
    for id in ["3", "1", "2", "9", "5", "8"] {
        note(id);
    }
    assert_eq!(wire.take_first_trouble().unwrap().failure.what, "3");
    assert!(wire.take_first_trouble().is_none());
}

#[tokio::test]
async fn the_trouble_of_a_connection_is_never_taken_for_that_of_the_next() {
    let fake = Fake::start().await;
    fake.script(|script| (script.open, script.mcp) = (true, Mcp::JsonRpcError));
    let (server, http, tokens) = seam(&fake.server);
    let mcp = Connection::new(server, http, tokens);
    let Ok((_, earlier)) = mcp.connect().await else {
        panic!("it did not connect");
    };
    mcp.close().await;
    mcp.connect().await.unwrap();
    // What was under way on the earlier connection ends late, under the numbers that the next one uses.
    for id in 0..9 {
        let id = id.to_string();
        earlier.note(Some(&id), trouble("of another connection"), Remedy::None);
    }
    let parent = TraceParent {
        trace: TraceId(1),
        span: SpanId(2),
    };
    let called = mcp
        .call_tool("escalate_ticket", Map::new(), parent, &never())
        .await;
    let Err(Fault::Trouble(trouble)) = called else {
        panic!("{called:?}");
    };
    assert_eq!(trouble.failure.what, "The server refused the request");
}

#[tokio::test]
async fn more_scope_that_was_not_given_is_told_and_costs_nobody_their_sign_in() {
    let (fake, rig) = signed_in().await;
    fake.script(|script| (script.mcp, script.no_such_page) = (Mcp::NeedsScope, true));
    let failure = rig
        .client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap_err();
    let refused = Fact::SignInRefused { failure };
    assert!(rig.sink.facts().contains(&refused));
    let seen = rig.seen();
    assert_eq!(at_the_browser(&seen), [Verdict::Ok, Verdict::Failed]);
    assert!(rig.client.signed_in() && seen.identity().user().is_some());
}

#[tokio::test]
async fn a_call_that_is_called_off_before_the_browser_came_back_leaves_nothing_open() {
    let fake = Fake::start().await;
    fake.script(|script| script.asks_at = Some("tools/call"));
    let rig = rig(&fake.server, BrowserMode::Show);
    rig.client.sign_in(never()).await.unwrap();
    let cancel = CancellationToken::new();
    let (client, token) = (std::sync::Arc::clone(&rig.client), cancel.clone());
    let calling =
        tokio::spawn(async move { client.call_tool("escalate_ticket", Map::new(), token).await });
    rig.shown.1.notified().await;
    cancel.cancel();
    let called = calling.await.unwrap().unwrap();
    assert_eq!(called.outcome, CallOutcome::Cancelled);
    let seen = rig.seen();
    assert_eq!(at_the_browser(&seen), [Verdict::Failed]);
    assert_eq!(seen.identity().state, SignIn::NotNeeded, "as it was before");
}
