//! What a caller who asks for progress is told of each credential, and a caller who goes away.

use std::sync::{Mutex, mpsc};

use hoptrail::protocol::{
    observed::{Step, StepAction, StepOutcome, Upstream},
    secret::Secret,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    credential,
    server_bench::{
        Bench, ID, rows,
        server_stub::{Stub, post},
        tool_call,
    },
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn steps(messages: &[Value]) -> Vec<Step> {
    messages
        .iter()
        .filter(|message| message["method"] == "notifications/progress")
        .map(|message| {
            let step = &message["params"]["_meta"]["dev.hoptrail/step"];
            serde_json::from_value(step.clone()).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn each_step_is_told_to_a_caller_who_asked_for_progress() {
    let bench = Bench::start().await;
    let meta = json!({
        "progressToken": "p-1",
        "traceparent": format!("00-{TRACE}-00f067aa0ba902b7-01"),
    });
    let messages = bench
        .send(&tool_call(
            "escalate_ticket",
            &json!({"ticketId": ID}),
            &meta,
        ))
        .await;
    let steps = steps(&messages);
    let told: Vec<_> = steps
        .iter()
        .map(|s| (s.action, s.upstream, s.scope.as_deref()))
        .collect();
    let touch = |upstream, scope| {
        [
            StepAction::Exchanged,
            StepAction::Used,
            StepAction::Discarded,
        ]
        .map(|action| (action, upstream, scope))
    };
    assert_eq!(
        told,
        [
            touch(Upstream::Supabase, None),
            touch(Upstream::Anthropic, None),
            touch(Upstream::Linear, Some("read")),
            touch(Upstream::Linear, Some("issues:create")),
        ]
        .concat()
    );
    assert!(
        steps
            .iter()
            .all(|step| step.outcome == StepOutcome::Succeeded)
    );

    let issued = Secret::from(credential(&bench.supabase, "")).fingerprint();
    assert!(
        steps[..3]
            .iter()
            .all(|step| step.credential == Some(issued))
    );
    assert_eq!(
        steps[0].span, steps[2].span,
        "discarding belongs to the issue"
    );

    // Each hop's span is the one that the service saw, and all are of the caller's trace.
    let parent = |stub: &Stub, line: &str, number: usize| {
        let seen = stub.seen.lock().unwrap();
        let mut of_line = seen.iter().filter(|r| r.line.starts_with(line));
        of_line.nth(number).unwrap().headers["traceparent"].clone()
    };
    let expected = |step: &Step| format!("00-{TRACE}-{}-01", step.span);
    for (touch, stub, number) in [
        (0, &bench.supabase, 0),
        (1, &bench.anthropic, 0),
        (2, &bench.linear, 0),
        (3, &bench.linear, 1),
    ] {
        assert_eq!(
            parent(&bench.zone, "POST", touch),
            expected(&steps[touch * 3])
        );
        assert_eq!(parent(stub, "", number), expected(&steps[touch * 3 + 1]));
    }

    let progress: Vec<_> = messages[..12]
        .iter()
        .map(|m| {
            (
                m["params"]["progress"].as_f64(),
                m["params"]["total"].as_f64(),
            )
        })
        .collect();
    for (number, told) in (1..).zip(&progress) {
        assert_eq!(*told, (Some(f64::from(number)), Some(12.0)));
    }
    assert_eq!(messages[0]["params"]["progressToken"], "p-1");
    assert_eq!(
        messages[6]["params"]["message"],
        "The zone issued a credential for Linear API (scope read)"
    );
}

#[tokio::test]
async fn a_refused_exchange_is_a_step_with_the_zones_words() {
    let bench = Bench::start().await;
    bench.zone_refuses(
        403,
        r#"{"error":"access_denied","error_description":"Access denied by policy."}"#,
    );
    let meta = json!({"progressToken": 1});
    let messages = bench
        .send(&tool_call("delete_issue", &json!({"issueId": "i"}), &meta))
        .await;
    let steps = steps(&messages);
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].outcome, StepOutcome::Refused);
    assert_eq!(steps[0].credential, None);
    assert_eq!(
        steps[0].detail.as_deref(),
        Some("access_denied: Access denied by policy.")
    );
}

#[tokio::test]
async fn a_credential_is_discarded_although_its_use_failed() {
    let bench = Bench::start().await;
    bench.linear.answers(|_| (500, String::new()));
    let meta = json!({"progressToken": 1});
    let messages = bench
        .send(&tool_call("delete_issue", &json!({"issueId": "i"}), &meta))
        .await;
    let told: Vec<_> = steps(&messages)
        .iter()
        .map(|s| (s.action, s.outcome))
        .collect();
    assert_eq!(
        told,
        [
            (StepAction::Exchanged, StepOutcome::Succeeded),
            (StepAction::Used, StepOutcome::Failed),
            (StepAction::Discarded, StepOutcome::Succeeded),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_who_goes_away_stops_the_call_before_the_next_step() {
    let bench = Bench::start().await;
    let (arrived, has_arrived) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let may_go = Mutex::new(may_go);
    bench.supabase.answers(move |request| {
        arrived.send(()).unwrap();
        may_go.lock().unwrap().recv().unwrap();
        rows(request)
    });
    let message = tool_call("escalate_ticket", &json!({"ticketId": ID}), &json!({}));
    let request = post(Some(&bench.token), &message);
    let response = bench.server.clone().oneshot(request).await.unwrap();
    tokio::task::spawn_blocking(move || has_arrived.recv().unwrap())
        .await
        .unwrap();
    drop(response);
    go.send(()).unwrap();

    bench.call("delete_issue", json!({"issueId": "i"})).await;
    let scopes: Vec<_> = bench
        .exchanges()
        .into_iter()
        .map(|(_, scope)| scope)
        .collect();
    assert_eq!(scopes, [None, Some("write".to_owned())]);
    assert_eq!(bench.anthropic.lines(), Vec::<String>::new());
}
