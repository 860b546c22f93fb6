//! The support-escalation server of each chapter: who may call, what goes out, whose key it is, what
//! is told on the way.

#[expect(
    dead_code,
    reason = "the servers of the earlier chapters need less of it"
)]
mod server_bench;

use std::collections::BTreeMap;

use axum::http::StatusCode;
use hoptrail::{
    protocol::{
        observed::{Step, StepAction, StepOutcome, Upstream},
        secret::Secret,
    },
    server::{Settings, Stage},
    support::clock::FakeClock,
};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use server_bench::{
    Bench, ID,
    server_stub::{RESOURCE, Stub, list_tools, post, server, text},
    tool_call,
};

const KEY: &str = "lin_api_of_the_owner";

/// The server of `stage` on stubs, with the variables of that stage and no others; only where Linear
/// and the model are it is always told.
async fn bench(stage: Stage) -> Bench {
    let mut bench = Bench::start().await;
    let all = BTreeMap::from([
        ("KEYCARD_URL", &*bench.zone.url),
        ("MCP_RESOURCE_URL", RESOURCE),
        ("KEYCARD_CLIENT_ID", "app-1"),
        ("KEYCARD_CLIENT_SECRET", "s3cr3t/+"),
        ("SUPABASE_URL", &bench.supabase.url),
        ("ANTHROPIC_API_URL", &bench.anthropic.url),
        ("LINEAR_API_URL", &bench.linear.url),
        ("LINEAR_API_KEY", KEY),
        ("LINEAR_TEAM_ID", "team-1"),
    ]);
    let settings = Settings::for_stage(stage, |name| {
        let told = name.ends_with("_API_URL") || stage.variables().contains(&name);
        all.get(name)
            .filter(|_| told)
            .map(|value| Secret::from(*value))
    })
    .unwrap();
    bench.server = server(settings, FakeClock::shared());
    bench
}

fn authorizations(stub: &Stub) -> Vec<String> {
    let seen = stub.seen.lock().unwrap();
    seen.iter()
        .map(|request| request.headers["authorization"].clone())
        .collect()
}

/// What issue was asked for.
fn issue(bench: &Bench) -> Value {
    let seen = bench.linear.seen.lock().unwrap();
    let body: Value = serde_json::from_str(&seen.last().unwrap().body).unwrap();
    body["variables"]["input"].clone()
}

/// Action, service, scope.
type Told = (StepAction, Upstream, Option<&'static str>);

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

#[rstest]
#[case(Stage::Open, StatusCode::OK)]
#[case(Stage::Protected, StatusCode::UNAUTHORIZED)]
#[case(Stage::Datastore, StatusCode::UNAUTHORIZED)]
#[case(Stage::Masked, StatusCode::UNAUTHORIZED)]
#[case(Stage::Delegated, StatusCode::UNAUTHORIZED)]
#[tokio::test]
async fn anyone_may_call_until_a_token_is_demanded(
    #[case] stage: Stage,
    #[case] status: StatusCode,
) {
    let bench = bench(stage).await;
    let escalation = tool_call("escalate_ticket", &json!({"ticketId": ID}), &json!({}));
    for message in [list_tools(), escalation] {
        let request = post(None, &message);
        let response = bench.server.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        let challenged = response.headers().contains_key("www-authenticate");
        assert_eq!(challenged, stage.demands_bearer());
        text(response).await;
    }
    let filed = bench.linear.lines().len();
    assert_eq!(filed, usize::from(!stage.demands_bearer()));
    assert!(bench.zone.lines().is_empty(), "nobody asked the zone");

    // What describes the protection is there when the protection is.
    let path = "/.well-known/oauth-protected-resource/mcp";
    let request = axum::extract::Request::get(path)
        .body(axum::body::Body::empty())
        .unwrap();
    let described = bench.server.clone().oneshot(request).await.unwrap();
    let expected = if stage.demands_bearer() { 200 } else { 404 };
    assert_eq!(described.status(), expected);
}

#[rstest]
#[case(Stage::Open, [0, 0, 0])]
#[case(Stage::Protected, [0, 0, 0])]
#[case(Stage::Datastore, [1, 1, 0])]
#[case(Stage::Masked, [1, 2, 0])]
#[case(Stage::Delegated, [1, 4, 1])]
#[tokio::test]
async fn each_tool_exchanges_as_often_as_its_chapter_says(
    #[case] stage: Stage,
    #[case] expected: [usize; 3],
) {
    for (number, (tool, arguments)) in [
        ("get_support_tickets", json!({})),
        ("escalate_ticket", json!({"ticketId": ID})),
        ("delete_issue", json!({"issueId": "issue-1"})),
    ]
    .into_iter()
    .enumerate()
    {
        let bench = bench(stage).await;
        let result = bench.call(tool, arguments).await;
        assert_eq!(result["isError"], false, "{result}");
        assert_eq!(bench.exchanges().len(), expected[number], "{tool}");
        let keys = authorizations(&bench.linear);
        if stage.delegates_linear() {
            assert!(keys.iter().all(|key| key.starts_with("Bearer cred-")));
        } else {
            assert!(keys.iter().all(|key| key == KEY), "bare, and the owner's");
        }
    }
}

#[rstest]
#[case(Stage::Open)]
#[case(Stage::Protected)]
#[tokio::test]
async fn the_customers_words_reach_linear_until_they_are_masked(#[case] stage: Stage) {
    let bench = bench(stage).await;
    let tickets = bench.call("get_support_tickets", json!({})).await;
    let tickets = tickets["structuredContent"]["tickets"].as_array().unwrap();
    assert_eq!(tickets.len(), 5);
    let ticket = tickets.iter().find(|ticket| ticket["id"] == ID).unwrap();
    let one = bench
        .call("get_support_tickets", json!({"ticketId": ID}))
        .await;
    assert_eq!(one["structuredContent"], json!({"tickets": [ticket]}));

    let result = bench.escalate().await;
    assert_eq!(
        result["structuredContent"],
        json!({
            "ticketId": ID, "issueId": "issue-1", "identifier": "ENG-1",
            "url": "https://linear.example/ENG-1",
        })
    );
    let word = |name: &str| ticket[name].as_str().unwrap().to_owned();
    assert!(word("body").contains("4242 4242 4242 4242"));
    assert_eq!(
        issue(&bench),
        json!({
            "teamId": "team-1",
            "title": format!("[support-escalation] {}", word("subject")),
            "description": format!(
                "{}\n\n---\n\n**Customer:** {} ({}, {})\n\n**Plan:** enterprise · \
                 **Severity:** critical\n\n**Support ticket:** {ID}",
                word("body"), word("customer_name"), word("email"), word("phone"),
            ),
            "priority": 1,
        })
    );
    for stub in [&bench.supabase, &bench.anthropic] {
        assert!(stub.lines().is_empty());
    }
}

#[tokio::test]
async fn the_datastore_changes_where_tickets_come_from_and_nothing_else() {
    let bench = bench(Stage::Datastore).await;
    let result = bench.escalate().await;
    assert!(result["structuredContent"].get("maskedText").is_none());
    let lines = bench.supabase.lines();
    assert_eq!(lines, [format!("GET /rest/v1/tickets?select=*&id=eq.{ID}")]);
    assert!(bench.anthropic.lines().is_empty());
    let issue = issue(&bench);
    assert_eq!(issue["title"], "[support-escalation] Card charged twice");
    let description = issue["description"].as_str().unwrap();
    assert!(description.contains("**Customer:** Marisol Vexley (marisol@vexley.example, "));
    assert!(issue.get("labelIds").is_none());
}

#[tokio::test]
async fn the_masked_issue_carries_a_footer_only_once_it_is_filed_for_the_caller() {
    let bench = bench(Stage::Masked).await;
    let result = bench.escalate().await;
    let expected = "[NAME_1] here, my card was charged twice.";
    assert_eq!(result["structuredContent"]["maskedText"], expected);
    let resources = [&bench.supabase.url, &bench.anthropic.url];
    assert_eq!(bench.exchanges(), resources.map(|url| (url.clone(), None)));
    assert_eq!(authorizations(&bench.linear), [KEY, KEY], "labels, issue");
    assert_eq!(
        issue(&bench),
        json!({
            "teamId": "team-1",
            "title": "[case] Retry charges the card twice",
            "description": format!(
                "{expected}\n\n---\n\n**Plan:** enterprise · **Severity:** critical\n\n\
                 **Support ticket:** {ID}"
            ),
            "priority": 1,
            "labelIds": ["label-1", "label-2"],
        })
    );
}

#[rstest]
#[case(Stage::Open)]
#[case(Stage::Protected)]
#[case(Stage::Datastore)]
#[case(Stage::Masked)]
#[case(Stage::Delegated)]
#[tokio::test]
async fn a_step_is_told_for_what_was_done_and_for_nothing_else(#[case] stage: Stage) {
    let bench = bench(stage).await;
    let touch = |upstream, scope| {
        [
            StepAction::Exchanged,
            StepAction::Used,
            StepAction::Discarded,
        ]
        .map(|action| (action, upstream, scope))
        .to_vec()
    };
    let used = (StepAction::Used, Upstream::Linear, None);
    let supabase = touch(Upstream::Supabase, None);
    let anthropic = touch(Upstream::Anthropic, None);
    let linear = |scope| touch(Upstream::Linear, Some(scope));
    let (read, escalated, deleted): (Vec<Told>, Vec<Told>, Vec<Told>) = match stage {
        Stage::Open | Stage::Protected => (vec![], vec![used], vec![used]),
        Stage::Datastore => (
            supabase.clone(),
            [supabase, vec![used]].concat(),
            vec![used],
        ),
        Stage::Masked => (
            supabase.clone(),
            [supabase, anthropic, vec![used, used]].concat(),
            vec![used],
        ),
        Stage::Delegated => (
            supabase.clone(),
            [supabase, anthropic, linear("read"), linear("issues:create")].concat(),
            linear("write"),
        ),
    };
    for (tool, arguments, expected) in [
        ("get_support_tickets", json!({"ticketId": ID}), read),
        ("escalate_ticket", json!({"ticketId": ID}), escalated),
        ("delete_issue", json!({"issueId": "issue-1"}), deleted),
    ] {
        let call = tool_call(tool, &arguments, &json!({"progressToken": "p"}));
        let messages = bench.send(&call).await;
        let steps = steps(&messages);
        let told: Vec<Told> = steps
            .iter()
            .zip(&expected)
            .filter(|(step, (_, _, scope))| step.scope.as_deref() == *scope)
            .map(|(step, (_, _, scope))| (step.action, step.upstream, *scope))
            .collect();
        assert_eq!(told, expected, "{tool}");
        assert_eq!(steps.len(), expected.len(), "{tool}");
        for step in &steps {
            assert_eq!(step.outcome, StepOutcome::Succeeded);
            let own = step.upstream == Upstream::Linear && !stage.delegates_linear();
            let owners = Secret::from(KEY).fingerprint();
            assert_eq!(step.credential == Some(owners), own, "{step:?}");
        }
        for message in &messages[..steps.len()] {
            assert_eq!(message["params"]["total"], json!(steps.len() as f64));
        }
        let told = serde_json::to_string(&messages).unwrap();
        assert!(!told.contains(KEY), "the key was told: {told}");
    }
}

#[rstest]
#[case(Stage::Open)]
#[case(Stage::Protected)]
#[case(Stage::Datastore)]
#[case(Stage::Masked)]
#[case(Stage::Delegated)]
#[tokio::test]
async fn what_a_tool_says_it_returns_is_what_it_returns(#[case] stage: Stage) {
    let bench = bench(stage).await;
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let messages = bench.send(&list_tools()).await;
    let tools = messages[0]["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 3);
    let result = bench.escalate().await;
    assert_eq!(
        keys(&tools[1]["outputSchema"]["properties"]),
        keys(&result["structuredContent"])
    );
    let masks = result["structuredContent"].get("maskedText").is_some();
    assert_eq!(masks, stage.masks());
}

#[tokio::test]
async fn a_ticket_that_is_not_there_is_told_before_anything_is_called() {
    let bench = bench(Stage::Open).await;
    let other = json!({"ticketId": "00000000-0000-4000-8000-000000000000"});
    for tool in ["get_support_tickets", "escalate_ticket"] {
        let told = bench.failing(tool, other.clone()).await;
        assert!(told.contains("There is no ticket"), "{told}");
    }
    assert!(bench.linear.lines().is_empty());
}

#[tokio::test]
async fn a_key_that_linear_refuses_is_told_and_not_shown() {
    let bench = bench(Stage::Open).await;
    bench
        .linear
        .answers(|_| (401, format!("the key {KEY} is not known")));
    let told = bench.failing("delete_issue", json!({"issueId": "x"})).await;
    assert!(told.contains("Linear API returned 401"), "{told}");
    assert!(told.contains("check LINEAR_API_KEY"), "{told}");
    assert!(!told.contains(KEY), "{told}");
}
