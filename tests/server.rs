//! The tools of the support-escalation server when all goes well: what goes out for a call, what
//! comes back, what is told on the way.

mod server_bench;

use std::sync::{Mutex, mpsc};

use hoptrail::{
    protocol::{
        observed::{Step, StepAction, StepOutcome, Upstream},
        secret::Secret,
    },
    server::serve,
};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use server_bench::{
    Bench, ID, rows,
    server_stub::{Stub, list_tools, post, text},
    ticket, tool_call,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The credential that the stub zone gives for a service.
fn credential(service: &Stub, scope: &str) -> String {
    format!("cred-{}-{scope}", service.url.rsplit(':').next().unwrap())
}

fn body(stub: &Stub, number: usize) -> Value {
    serde_json::from_str(&stub.seen.lock().unwrap()[number].body).unwrap()
}

#[tokio::test]
async fn an_escalation_costs_four_exchanges_and_files_a_masked_issue() {
    let bench = Bench::start().await;
    let result = bench.escalate().await;
    let expected = json!({
        "ticketId": ID, "issueId": "issue-1", "identifier": "ENG-1",
        "url": "https://linear.example/ENG-1",
        "maskedText": "[NAME_1] here, my card was charged twice.",
        "detectedEntities": [{"type": "NAME", "placeholder": "[NAME_1]"}],
    });
    assert_eq!(result["structuredContent"], expected);
    assert_eq!(result["isError"], false);
    let told: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(told, expected);

    let scope = |text: &str| Some(text.to_owned());
    assert_eq!(
        bench.exchanges(),
        [
            (bench.supabase.url.clone(), None),
            (bench.anthropic.url.clone(), None),
            (bench.linear.url.clone(), scope("read")),
            (bench.linear.url.clone(), scope("issues:create")),
        ]
    );
    assert_eq!(
        bench.supabase.lines(),
        [format!("GET /rest/v1/tickets?select=*&id=eq.{ID}")]
    );
    assert_eq!(bench.anthropic.lines(), ["POST /v1/messages"]);
    assert_eq!(
        body(&bench.linear, 0)["variables"],
        json!({"names": ["payments", "api"]})
    );
    assert_eq!(
        body(&bench.linear, 1)["variables"],
        json!({"input": {
            "teamId": "team-1",
            "title": "[case] Retry charges the card twice",
            "description": format!("[NAME_1] here, my card was charged twice.\n\n---\n\n\
                **Plan:** enterprise · **Severity:** critical\n\n**Support ticket:** {ID}\n\n---\n\n\
                Submitted by Keycard app `app-1` via Support Escalation MCP"),
            "priority": 1,
            "labelIds": ["label-1", "label-2"],
        }})
    );
}

#[tokio::test]
async fn the_exchange_is_the_form_that_keycard_knows() {
    let bench = Bench::start().await;
    bench
        .call("delete_issue", json!({"issueId": "issue-1"}))
        .await;
    let seen = bench.zone.seen.lock().unwrap();
    let request = seen.last().unwrap();
    assert_eq!(
        request.headers["authorization"],
        "Basic YXBwLTE6czNjcjN0Lys="
    );
    assert_eq!(
        request.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(
        form,
        [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange"
            ),
            ("subject_token", bench.token.as_str()),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token"
            ),
            ("resource", bench.linear.url.as_str()),
            ("scope", "write"),
        ]
    );
}

#[tokio::test]
async fn each_service_gets_its_own_credential_and_no_other() {
    let bench = Bench::start().await;
    bench.escalate().await;
    let header = |stub: &Stub, number: usize, name: &str| {
        stub.seen.lock().unwrap()[number].headers.get(name).cloned()
    };
    let supabase = credential(&bench.supabase, "");
    assert_eq!(header(&bench.supabase, 0, "apikey"), Some(supabase.clone()));
    assert_eq!(
        header(&bench.supabase, 0, "authorization"),
        Some(format!("Bearer {supabase}"))
    );
    assert_eq!(
        header(&bench.supabase, 0, "accept-profile").as_deref(),
        Some("public")
    );
    let anthropic = credential(&bench.anthropic, "");
    assert_eq!(header(&bench.anthropic, 0, "x-api-key"), Some(anthropic));
    assert_eq!(header(&bench.anthropic, 0, "authorization"), None);
    assert_eq!(
        header(&bench.anthropic, 0, "anthropic-version").as_deref(),
        Some("2023-06-01")
    );
    for (number, scope) in [(0, "read"), (1, "issues:create")] {
        let issued = credential(&bench.linear, scope);
        assert_eq!(
            header(&bench.linear, number, "authorization"),
            Some(format!("Bearer {issued}"))
        );
    }
}

#[tokio::test]
async fn the_model_is_asked_for_structured_output() {
    let bench = Bench::start().await;
    bench.escalate().await;
    let body = body(&bench.anthropic, 0);
    assert_eq!(body["model"], "claude-haiku-4-5");
    assert_eq!(body["max_tokens"], 64_000);
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "content": [{"type": "text",
            "text": "Subject: Card charged twice\n\nMarisol Vexley here, my card was charged twice."}]}])
    );
    let format = &body["output_config"]["format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["schema"]["additionalProperties"], false);
    assert_eq!(
        format["schema"]["required"],
        json!(["title", "maskedText", "detectedEntities", "labels"])
    );
    for absent in ["stream", "tools"] {
        assert!(body.get(absent).is_none());
    }
}

#[tokio::test]
async fn nothing_is_cached_between_calls() {
    let bench = Bench::start().await;
    bench.call("get_support_tickets", json!({})).await;
    bench.call("get_support_tickets", json!({})).await;
    assert_eq!(bench.exchanges().len(), 2);
    assert_eq!(
        bench.supabase.lines(),
        vec!["GET /rest/v1/tickets?select=*&order=created_at.asc"; 2]
    );
}

#[tokio::test]
async fn tickets_come_with_their_ten_columns() {
    let bench = Bench::start().await;
    let mut expected = ticket();
    expected
        .as_object_mut()
        .unwrap()
        .shift_remove("unknown_column");
    for arguments in [json!({}), json!({"ticketId": ID})] {
        let result = bench.call("get_support_tickets", arguments).await;
        assert_eq!(result["structuredContent"], json!({"tickets": [expected]}));
    }
}

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

#[tokio::test]
async fn an_unknown_tool_is_a_fault_of_the_protocol_and_wrong_arguments_are_not() {
    let bench = Bench::start().await;
    let messages = bench.send(&tool_call("nope", &json!({}), &json!({}))).await;
    assert_eq!(messages[0]["error"]["code"], -32602);
    assert_eq!(messages[0]["error"]["message"], "Tool nope not found");

    let told = bench
        .failing("escalate_ticket", json!({"ticketId": "7"}))
        .await;
    assert!(told.contains("ticketId is no UUID"), "{told}");
    assert_eq!(bench.exchanges(), []);
}

#[tokio::test]
async fn the_tools_are_listed_with_their_schemas() {
    let bench = Bench::start().await;
    let messages = bench.send(&list_tools()).await;
    let tools = messages[0]["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["get_support_tickets", "escalate_ticket", "delete_issue"]
    );
    assert_eq!(tools[1]["inputSchema"]["required"], json!(["ticketId"]));
    assert!(tools[0]["inputSchema"].get("required").is_none());

    let result = bench.escalate().await;
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        keys(&tools[1]["outputSchema"]["properties"]),
        keys(&result["structuredContent"])
    );
    let result = bench.call("get_support_tickets", json!({})).await;
    assert_eq!(
        keys(&tools[0]["outputSchema"]["properties"]["tickets"]["items"]["properties"]),
        keys(&result["structuredContent"]["tickets"][0])
    );
}

#[tokio::test]
async fn both_generations_of_the_protocol_are_served() {
    let bench = Bench::start().await;
    let messages = bench
        .send(
            &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": {"name": "t", "version": "1"},
            }}),
        )
        .await;
    let result = &messages[0]["result"];
    assert_eq!(result["protocolVersion"], "2025-11-25");
    assert_eq!(result["serverInfo"]["name"], "support-escalation");
    assert_eq!(result["serverInfo"]["version"], "0.1.0");

    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let newest = |message: &Value, name: Option<&str>| {
        let mut request = post(Some(&bench.token), message);
        let headers = request.headers_mut();
        headers.insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
        headers.insert(
            "mcp-method",
            message["method"].as_str().unwrap().parse().unwrap(),
        );
        if let Some(name) = name {
            headers.insert("mcp-name", name.parse().unwrap());
        }
        bench.server.clone().oneshot(request)
    };
    let discover =
        json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}});
    let answer = text(newest(&discover, None).await.unwrap()).await;
    assert!(
        answer.contains("2026-07-28") && answer.contains("support-escalation"),
        "{answer}"
    );

    let call = tool_call("get_support_tickets", &json!({}), &meta);
    let answer = text(newest(&call, Some("get_support_tickets")).await.unwrap()).await;
    assert!(
        answer.contains(r#""resultType":"complete""#) && answer.contains(ID),
        "{answer}"
    );
}

#[rstest]
#[case::only_json("accept", "application/json", 406)]
#[case::no_json("content-type", "text/plain", 415)]
#[case::unknown_version("mcp-protocol-version", "2001-01-01", 400)]
#[case::page("origin", "https://evil.example", 403)]
#[tokio::test]
async fn what_is_no_mcp_request_is_refused_by_http(
    #[case] header: &'static str,
    #[case] value: &str,
    #[case] status: u16,
) {
    let bench = Bench::start().await;
    let mut request = post(Some(&bench.token), &list_tools());
    request.headers_mut().insert(header, value.parse().unwrap());
    let response = bench.server.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), status);
}

#[tokio::test]
async fn it_serves_on_the_port_it_is_given_until_it_is_stopped() {
    let bench = Bench::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/.well-known/oauth-protected-resource/mcp",
        listener.local_addr().unwrap()
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(listener, bench.server.clone(), async {
        stopped.await.unwrap();
    }));
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert!(reqwest::get(&url).await.is_err());
}
