//! Holding exchanges, over real loopback: nothing is decided while one waits, what will be decided is
//! known before, and whoever held it may go.

#[expect(dead_code, reason = "shared; this file needs a part of it")]
mod program;
mod running;

use std::sync::Arc;

use hoptrail::{
    lab::{self, LabConfig, LabHandle},
    projection::{Hop, HopKind, Verdict, holds::Waiting},
    protocol::{audit::AuditStatus, hold::ReleaseReason, tickets::Escalated},
    runtime::TargetChoice,
    support::{clock::SystemClock, ids::Ids},
    trace::{
        codec,
        event::{CallOutcome, Fact},
    },
};
use reqwest::StatusCode;
use running::{Run, attached, options, table};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const TICKET: &str = "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d";

async fn lab() -> LabHandle {
    let config = LabConfig::new(None, SystemClock::shared(), Ids::system());
    lab::start(config).await.unwrap()
}

async fn signed_in(lab: &LabHandle) -> Run {
    let mut run = Run::open(attached(lab, std::path::Path::new("unused"))).await;
    run.sign_in().await;
    run
}

/// Begins a call; its end is told when it is over.
fn begin(
    run: &Run,
    tool: &'static str,
    arguments: serde_json::Value,
    cancel: &CancellationToken,
) -> tokio::task::JoinHandle<hoptrail::client::CallResult> {
    let (backend, cancel) = (Arc::clone(&run.backend), cancel.clone());
    tokio::spawn(async move {
        let arguments = arguments.as_object().cloned().unwrap();
        backend
            .client
            .call_tool(tool, arguments, cancel)
            .await
            .unwrap_or_else(|failure| panic!("{failure}"))
    })
}

async fn waiting(run: &mut Run) -> Waiting {
    run.until("an exchange waits", |p| p.holds().first().is_some())
        .await;
    run.projection.holds().first().unwrap().clone()
}

async fn let_go(run: &mut Run, waiting: &Waiting) {
    run.backend.let_go(&waiting.id).await.unwrap();
    let id = waiting.id.clone();
    run.until("it goes on", |p| {
        p.holds().waiting().iter().all(|w| w.id != id)
    })
    .await;
}

fn rows(run: &Run) -> usize {
    table(&run.projection).len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_hop_waits_and_says_what_will_be_decided() {
    let lab = lab().await;
    let mut run = signed_in(&lab).await;
    run.backend.hold().await.unwrap();
    let cancel = CancellationToken::new();
    let call = begin(
        &run,
        "escalate_ticket",
        json!({ "ticketId": TICKET }),
        &cancel,
    );
    let mut asked = Vec::new();
    for number in 0..4 {
        let one = waiting(&mut run).await;
        // Nothing is in the log of what waits, and its row in the flow is there already.
        assert_eq!(rows(&run), number);
        let hops = run.projection.hops();
        let hop = hops
            .in_order()
            .find(|hop| hop.verdict == Verdict::Held)
            .unwrap();
        assert_eq!(hop.scope, one.scope);
        assert_eq!(one.application.as_deref(), Some("Support Escalation MCP"));
        assert_eq!(one.user.as_deref(), Some("ada@lab.example"));
        assert_eq!(one.status, AuditStatus::Issued);
        asked.push((
            one.resource.as_deref().unwrap().to_owned(),
            one.scope.as_deref().unwrap_or("").to_owned(),
        ));
        let_go(&mut run, &one).await;
        run.until("its row is written", |p| table(p).len() == number + 1)
            .await;
    }
    let pair = |resource: &str, scope: &str| (resource.to_owned(), scope.to_owned());
    assert_eq!(
        asked,
        [
            pair("Supabase Database", ""),
            pair("Anthropic API", ""),
            pair("Linear API", "read"),
            pair("Linear API", "issues:create"),
        ]
    );
    let filed = call.await.unwrap();
    assert_eq!(filed.outcome, CallOutcome::Succeeded, "{}", filed.text);
    let filed: Escalated = serde_json::from_value(filed.structured.unwrap()).unwrap();

    let arguments = json!({ "issueId": filed.issue_id });
    let call = begin(&run, "delete_issue", arguments, &cancel);
    let one = waiting(&mut run).await;
    assert_eq!(one.status, AuditStatus::Failure);
    assert_eq!(one.policies, ["limit-linear-scopes".into()]);
    assert!(one.reason.unwrap().contains("denied by policy"));
    run.backend.let_go(&one.id).await.unwrap();
    assert_eq!(call.await.unwrap().outcome, CallOutcome::Failed);
    // Letting go what went already is no error.
    run.backend.let_go(&one.id).await.unwrap();

    // A trace keeps it, and a reader that knows nothing of it keeps it too.
    let (_, events, projection) = run.close().await;
    assert!(projection.holds().waiting().is_empty());
    // What they waited is not counted as what they took.
    let hops = projection.hops();
    let waited = |hop: &&Hop| hops.waited_us(hop.id) > 0;
    let exchanges: Vec<_> = hops.in_order().filter(waited).collect();
    assert_eq!(exchanges.len(), 5);
    for hop in exchanges {
        assert!(hops.took_us(hop) < hop.duration_us, "{hop:?}");
    }
    let held: Vec<_> = events
        .iter()
        .filter(|event| matches!(event.fact, Fact::ExchangeHeld(_)))
        .collect();
    assert_eq!(held.len(), 5);
    let line = codec::encode(held[0]);
    assert_eq!(&codec::decode(&line, 2).unwrap(), held[0]);
    let newer = line.replace("exchange_held", "exchange_frozen");
    let unknown = codec::decode(&newer, 2).unwrap();
    assert!(matches!(unknown.fact, Fact::Unknown(_)));
    assert_eq!(codec::encode(&unknown), newer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_decided_is_told_anew_when_the_policy_is_switched_meanwhile() {
    let lab = lab().await;
    let mut run = signed_in(&lab).await;
    let filed = run
        .call("escalate_ticket", json!({ "ticketId": TICKET }))
        .await;
    let filed: Escalated = serde_json::from_value(filed.structured.unwrap()).unwrap();
    run.backend.hold().await.unwrap();
    let cancel = CancellationToken::new();
    let arguments = json!({ "issueId": filed.issue_id });
    let call = begin(&run, "delete_issue", arguments, &cancel);
    let one = waiting(&mut run).await;
    assert_eq!(one.status, AuditStatus::Failure);
    let exchanges = |run: &Run| {
        let hops = run.projection.hops().in_order();
        hops.filter(|hop| hop.kind == HopKind::Exchange).count()
    };
    let before = exchanges(&run);

    run.activate("default-zone-policies").await;
    run.until("the forecast changes", |p| {
        let first = p.holds().first();
        first.is_some_and(|waiting| waiting.status == AuditStatus::Issued)
    })
    .await;
    let again = run.projection.holds().first().unwrap();
    assert_eq!((&again.id, again.since_us), (&one.id, one.since_us));
    assert_eq!(run.projection.holds().waiting().len(), 1);
    assert_eq!(exchanges(&run), before, "the same hop");

    let_go(&mut run, &one).await;
    assert_eq!(call.await.unwrap().outcome, CallOutcome::Succeeded);
    run.until("its row is written", |p| p.holds().first().is_none())
        .await;
    let (_, _, projection) = run.close().await;
    let held: Vec<_> = projection
        .hops()
        .in_order()
        .filter(|hop| projection.hops().waited_us(hop.id) > 0)
        .collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].verdict, Verdict::Ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_no_more_lets_everything_go() {
    let lab = lab().await;
    let mut run = signed_in(&lab).await;
    run.backend.hold().await.unwrap();
    let cancel = CancellationToken::new();
    let call = begin(&run, "get_support_tickets", json!({}), &cancel);
    waiting(&mut run).await;
    run.backend.hold_no_more().await;
    assert_eq!(call.await.unwrap().outcome, CallOutcome::Succeeded);
    run.until("it is told", |p| p.holds().first().is_none())
        .await;
    assert!(run.events.iter().any(|event| matches!(
        &event.fact,
        Fact::ExchangeReleased(released) if released.why == ReleaseReason::HolderGone
    )));
    // And it can be held again.
    run.backend.hold().await.unwrap();
    let call = begin(&run, "get_support_tickets", json!({}), &cancel);
    let one = waiting(&mut run).await;
    let_go(&mut run, &one).await;
    assert_eq!(call.await.unwrap().outcome, CallOutcome::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_is_lost_holds_nobody() {
    let lab = lab().await;
    let mut holder = signed_in(&lab).await;
    let mut other = signed_in(&lab).await;
    holder.backend.hold().await.unwrap();
    let cancel = CancellationToken::new();
    let call = begin(&other, "get_support_tickets", json!({}), &cancel);
    waiting(&mut holder).await;
    holder.close().await;
    assert_eq!(call.await.unwrap().outcome, CallOutcome::Succeeded);
    // Nothing is held after it.
    let result = other.call("get_support_tickets", json!({})).await;
    assert_eq!(result.outcome, CallOutcome::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_called_off_while_it_is_held_decides_nothing() {
    let lab = lab().await;
    let mut run = signed_in(&lab).await;
    run.backend.hold().await.unwrap();
    let cancel = CancellationToken::new();
    let call = begin(&run, "get_support_tickets", json!({}), &cancel);
    waiting(&mut run).await;
    cancel.cancel();
    assert_eq!(call.await.unwrap().outcome, CallOutcome::Cancelled);
    run.until("nothing waits", |p| p.holds().first().is_none())
        .await;
    assert_eq!(rows(&run), 0);
    assert!(run.events.iter().any(|event| matches!(
        &event.fact,
        Fact::ExchangeReleased(released) if released.why == ReleaseReason::AskerGone
    )));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gate_is_the_consoles_alone() {
    let lab = lab().await;
    let http = reqwest::Client::new();
    let gate = format!("{}/hoptrail/gate", lab.endpoints.zone);
    let stranger = http.get(&gate).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    let stranger = http.post(format!("{gate}/x/release")).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_somebody_elses_is_not_held() {
    let lab = lab().await;
    let target = TargetChoice::Server(lab.endpoints.server.clone());
    let run = Run::open(options(target, std::path::Path::new("unused"))).await;
    let failure = run.backend.hold().await.unwrap_err();
    assert_eq!(failure.what, "The zone cannot be held");
    run.close().await;
}
