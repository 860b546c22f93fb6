//! The tools of the support-escalation server, over stubs of the zone and the three services: what
//! goes out for a call, what comes back, and what stops it.

mod server_stub;

use std::{
    sync::{Mutex, mpsc},
    time::Duration,
};

use axum::Router;
use hoptrail::{
    protocol::{
        observed::{Step, StepAction, StepOutcome, Upstream},
        secret::Secret,
    },
    server::{Deps, router},
    support::{clock::FakeClock, ids::Ids},
};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use server_stub::{
    Answer, Recorded, Stub, good_claims, good_header, list_tools, metadata, post, server, settings,
    sign, text, zone,
};

const ID: &str = "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

struct Bench {
    zone: Stub,
    supabase: Stub,
    anthropic: Stub,
    linear: Stub,
    server: Router,
    token: String,
}

fn ticket() -> Value {
    json!({
        "id": ID, "created_at": "2026-06-02T14:23:00+00:00", "customer_name": "Marisol Vexley",
        "email": "marisol@vexley.example", "phone": "+1-202-555-0143", "plan_tier": "enterprise",
        "severity": "critical", "status": "open", "subject": "Card charged twice",
        "body": "Marisol Vexley here, my card was charged twice.", "unknown_column": 1,
    })
}

fn rows(_: &Recorded) -> Answer {
    (200, json!([ticket()]).to_string())
}

fn mask() -> Value {
    json!({
        "title": "Retry charges the card twice",
        "maskedText": "[NAME_1] here, my card was charged twice.",
        "detectedEntities": [{"type": "NAME", "placeholder": "[NAME_1]"}],
        "labels": ["payments", "api"],
    })
}

fn message(answer: &Value) -> Value {
    json!({
        "type": "message",
        "content": [{"type": "text", "text": answer.to_string()}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 20},
    })
}

fn graphql(request: &Recorded) -> Answer {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let query = body["query"].as_str().unwrap();
    let data = if query.contains("issueLabels") {
        json!({"issueLabels": {"nodes": [{"id": "label-1"}, {"id": "label-2"}]}})
    } else if query.contains("issueCreate") {
        json!({"issueCreate": {"success": true, "issue": {
            "id": "issue-1", "identifier": "ENG-1", "url": "https://linear.example/ENG-1"
        }}})
    } else {
        json!({"issueDelete": {"success": true}})
    };
    (200, json!({"data": data}).to_string())
}

impl Bench {
    async fn start() -> Self {
        let zone = Stub::start(zone).await;
        let supabase = Stub::start(rows).await;
        let anthropic = Stub::start(|_| (200, message(&mask()).to_string())).await;
        let linear = Stub::start(graphql).await;
        let settings = settings(&zone.url, &supabase.url, &anthropic.url, &linear.url);
        Self {
            token: sign(&good_header(), &good_claims(&zone.url)),
            server: server(settings, FakeClock::shared()),
            zone,
            supabase,
            anthropic,
            linear,
        }
    }

    /// Everything that came back, message by message.
    async fn send(&self, message: &Value) -> Vec<Value> {
        let request = post(Some(&self.token), message);
        let response = self.server.clone().oneshot(request).await.unwrap();
        let body = text(response).await;
        for secret in ["cred-", "s3cr3t", &self.token] {
            assert!(!body.contains(secret), "a secret came back: {body}");
        }
        body.lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter(|data| !data.trim().is_empty())
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let mut messages = self.send(&tool_call(tool, &arguments, &json!({}))).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)["result"].take()
    }

    async fn escalate(&self) -> Value {
        self.call("escalate_ticket", json!({"ticketId": ID})).await
    }

    /// The text of a call that failed.
    async fn failing(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(result.get("structuredContent").is_none(), "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    async fn failing_escalation(&self) -> String {
        self.failing("escalate_ticket", json!({"ticketId": ID}))
            .await
    }

    /// The exchanges, as (resource, scope).
    fn exchanges(&self) -> Vec<(String, Option<String>)> {
        let seen = self.zone.seen.lock().unwrap();
        seen.iter()
            .filter(|request| request.line.starts_with("POST"))
            .map(|request| {
                let form: Vec<(String, String)> =
                    url::form_urlencoded::parse(request.body.as_bytes())
                        .into_owned()
                        .collect();
                let get = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
                (get("resource").unwrap(), get("scope"))
            })
            .collect()
    }

    fn zone_refuses(&self, status: u16, body: &'static str) {
        self.zone
            .answers(move |request| match request.line.as_str() {
                "POST /oauth/2/token" => (status, body.to_owned()),
                _ => zone(request),
            });
    }

    /// The credential that the stub zone gives for a service.
    fn credential(service: &Stub, scope: &str) -> String {
        format!("cred-{}-{scope}", service.url.rsplit(':').next().unwrap())
    }
}

fn tool_call(tool: &str, arguments: &Value, meta: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": meta}})
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
    let supabase = Bench::credential(&bench.supabase, "");
    assert_eq!(header(&bench.supabase, 0, "apikey"), Some(supabase.clone()));
    assert_eq!(
        header(&bench.supabase, 0, "authorization"),
        Some(format!("Bearer {supabase}"))
    );
    assert_eq!(
        header(&bench.supabase, 0, "accept-profile").as_deref(),
        Some("public")
    );
    let anthropic = Bench::credential(&bench.anthropic, "");
    assert_eq!(header(&bench.anthropic, 0, "x-api-key"), Some(anthropic));
    assert_eq!(header(&bench.anthropic, 0, "authorization"), None);
    assert_eq!(
        header(&bench.anthropic, 0, "anthropic-version").as_deref(),
        Some("2023-06-01")
    );
    for (number, scope) in [(0, "read"), (1, "issues:create")] {
        let credential = Bench::credential(&bench.linear, scope);
        assert_eq!(
            header(&bench.linear, number, "authorization"),
            Some(format!("Bearer {credential}"))
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

#[tokio::test]
async fn a_delete_that_the_policy_forbids_says_which_policy_and_touches_nothing() {
    let bench = Bench::start().await;
    bench.zone_refuses(
        400,
        r#"{"error":"access_denied","error_description":"Access denied by policy. Policy set: ps1. Policy set version: 2. Determining policies: ps1::limit-linear-scopes."}"#,
    );
    let told = bench
        .failing("delete_issue", json!({"issueId": "issue-1"}))
        .await;
    assert!(
        told.starts_with(
            "The zone refused a credential for Linear API (scope write): Access denied by policy. \
             Policy set: ps1. Policy set version: 2. Determining policies: ps1::limit-linear-scopes."
        ),
        "{told}"
    );
    assert!(
        told.contains("neither another sign-in nor another scope will help"),
        "{told}"
    );
    assert_eq!(bench.linear.lines(), Vec::<String>::new());
}

#[rstest]
#[case::no_dependency(r#"{"error":"access_denied","error_description":"Application \"app\" is not allowed to access \"Supabase Database\"."}"#, "a dependency of the application app-1")]
#[case::no_consent(
    r#"{"error":"insufficient_authorization","error_description":"User consent is required."}"#,
    "consent to Supabase Database"
)]
#[case::unknown_resource(r#"{"error":"invalid_target","error_description":"Requested authorization for unknown resource"}"#, "Compare SUPABASE_URL")]
#[case::foreign_token(r#"{"error":"invalid_grant"}"#, "MCP_RESOURCE_URL is provided by")]
#[case::bad_client(r#"{"error":"invalid_client"}"#, "KEYCARD_CLIENT_SECRET")]
#[case::some_other(r#"{"error":"server_error"}"#, "audit log")]
#[case::error_with_status_200(r#"{"error":"server_error","access_token":"cred-x"}"#, "audit log")]
#[case::html("<html>Bad Gateway</html>", "KEYCARD_URL")]
#[case::nothing("", "KEYCARD_URL")]
#[tokio::test]
async fn each_refusal_of_the_zone_says_what_to_do(
    #[case] body: &'static str,
    #[case] next: &str,
    #[values(200, 400, 502)] status: u16,
) {
    let bench = Bench::start().await;
    bench.zone_refuses(status, body);
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(told.contains("Supabase Database"), "{told}");
    let is_json = body.starts_with('{');
    assert!(told.contains(next) || (!is_json && status == 200), "{told}");
    assert_eq!(bench.supabase.lines(), Vec::<String>::new());
}

#[rstest]
#[case::no_token("{}")]
#[case::empty_token(r#"{"access_token":""}"#)]
#[case::html("<html>")]
#[case::number(r#"{"access_token":5}"#)]
#[tokio::test]
async fn an_exchange_without_a_token_is_no_exchange(#[case] body: &'static str) {
    let bench = Bench::start().await;
    bench.zone_refuses(200, body);
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(told.contains("without an access_token"), "{told}");
}

#[tokio::test]
async fn a_token_endpoint_elsewhere_never_gets_the_client_secret() {
    let bench = Bench::start().await;
    let thief = Stub::start(|_| (200, "{}".to_owned())).await;
    let stolen = format!("{}/token", thief.url);
    bench.zone.answers(move |request| {
        let mut document = metadata(&format!("http://{}", request.headers["host"]));
        document["token_endpoint"] = json!(stolen);
        match request.line.as_str() {
            "GET /.well-known/oauth-authorization-server" => (200, document.to_string()),
            _ => zone(request),
        }
    });
    let request = post(Some(&bench.token), &list_tools());
    let response = bench.server.clone().oneshot(request).await.unwrap();
    assert_eq!(
        response.status(),
        503,
        "such metadata is not used for keys either"
    );
    assert_eq!(thief.lines(), Vec::<String>::new());
}

#[rstest]
#[case::not_json(json!("prose"), "not the JSON")]
#[case::label(json!({"labels": ["cats"]}), "not the JSON")]
#[case::many_labels(json!({"labels": ["api", "auth", "payments", "frontend"]}), "4 labels")]
#[case::placeholder(json!({"detectedEntities": [{"type": "NAME", "placeholder": "Marisol"}]}), "placeholder")]
#[case::leaked_name(json!({"maskedText": "marisol vexley here"}), "still holds the customer's name")]
#[case::leaked_email(json!({"title": "Mail marisol@vexley.example"}), "still holds the customer's e-mail")]
#[case::leaked_phone(json!({"maskedText": "call (202) 555 0143"}), "still holds the customer's phone")]
#[tokio::test]
async fn a_bad_answer_of_the_model_never_reaches_linear(#[case] patch: Value, #[case] why: &str) {
    let bench = Bench::start().await;
    let mut answer = mask();
    if let Some(patch) = patch.as_object() {
        for (name, value) in patch {
            answer[name] = value.clone();
        }
    } else {
        answer = patch;
    }
    bench
        .anthropic
        .answers(move |_| (200, message(&answer).to_string()));
    let told = bench.failing_escalation().await;
    assert!(told.starts_with("PII masking failed: "), "{told}");
    assert!(
        told.contains(why) && told.contains("nothing reached Linear"),
        "{told}"
    );
    for pii in ["marisol", "202"] {
        assert!(!told.to_lowercase().contains(pii), "{told}");
    }
    assert_eq!(bench.exchanges().len(), 2, "Linear was not even asked for");
    assert_eq!(bench.linear.lines(), Vec::<String>::new());
}

#[rstest]
#[case::cut("stop_reason", json!("max_tokens"), "stopped with max_tokens")]
#[case::refused("stop_reason", json!("refusal"), "stopped with refusal")]
#[case::no_reason("stop_reason", Value::Null, "no reason")]
#[case::no_usage("usage", Value::Null, "no answer of the Messages API")]
#[case::no_content("content", json!([]), "not the JSON")]
#[case::type_error("type", json!("error"), "type is error")]
#[tokio::test]
async fn an_answer_that_is_not_whole_is_not_used(
    #[case] member: &'static str,
    #[case] value: Value,
    #[case] why: &str,
) {
    let bench = Bench::start().await;
    let mut answer = message(&mask());
    answer[member] = value;
    bench.anthropic.answers(move |_| (200, answer.to_string()));
    let told = bench.failing_escalation().await;
    assert!(told.contains(why), "{told}");
    assert_eq!(bench.linear.lines(), Vec::<String>::new());
}

#[rstest]
#[case(503, 4, "tried 4 times")]
#[case(520, 4, "tried 4 times")]
#[case(502, 1, "(502)")]
#[case(401, 1, "sb_secret_")]
#[tokio::test]
async fn supabase_is_asked_again_only_when_that_may_help(
    #[case] status: u16,
    #[case] requests: usize,
    #[case] says: &str,
) {
    let bench = Bench::start().await;
    bench
        .supabase
        .answers(move |_| (status, r#"{"message":"sorry"}"#.to_owned()));
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(told.starts_with("Supabase query failed: sorry"), "{told}");
    assert!(told.contains(says), "{told}");
    let seen = bench.supabase.seen.lock().unwrap();
    let counts: Vec<_> = seen
        .iter()
        .map(|r| r.headers.get("x-retry-count"))
        .collect();
    assert_eq!(counts.len(), requests);
    assert_eq!(counts[0], None);
    assert_eq!(
        bench.exchanges().len(),
        1,
        "one credential serves all tries"
    );
}

#[tokio::test]
async fn the_model_gets_three_tries_when_it_is_overloaded() {
    let bench = Bench::start().await;
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    bench.anthropic.answers(|_| (529, overloaded.to_owned()));
    let told = bench.failing_escalation().await;
    assert!(told.contains("Overloaded (529) (tried 3 times)"), "{told}");
    assert_eq!(bench.anthropic.lines().len(), 3);

    let mut tries = 0;
    bench.anthropic.answers(move |_| {
        tries += 1;
        match tries {
            1 => (429, "<html>slow down</html>".to_owned()),
            _ => (200, message(&mask()).to_string()),
        }
    });
    assert_eq!(bench.escalate().await["isError"], false);
}

#[tokio::test]
async fn a_wrong_key_for_the_model_is_not_tried_again() {
    let bench = Bench::start().await;
    let body =
        r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#;
    bench.anthropic.answers(|_| (401, body.to_owned()));
    let told = bench.failing_escalation().await;
    assert!(
        told.contains("invalid x-api-key (401)") && told.contains("vault"),
        "{told}"
    );
    assert_eq!(bench.anthropic.lines().len(), 1);
}

#[rstest]
#[case(400, "no such team", "Linear API returned 400: no such team")]
#[case(
    200,
    r#"{"errors":[{"message":"forbidden"},{"message":"twice"}]}"#,
    "Linear GraphQL error: forbidden; twice"
)]
#[case(200, r#"{"data":null}"#, "Linear returned no data")]
#[case(
    200,
    r#"{"data":{"issueDelete":{"success":false}}}"#,
    "Linear did not trash issue i-1"
)]
#[case(
    200,
    r#"{"data":{"other":1}}"#,
    "Linear's answer could not be understood"
)]
#[case(200, "<html>", "Linear answered something that is no GraphQL: <html>")]
#[case(500, "", "Linear API returned 500: (an empty body)")]
#[tokio::test]
async fn each_failure_of_linear_is_told_and_not_tried_again(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] says: &str,
) {
    let bench = Bench::start().await;
    bench.linear.answers(move |_| (status, body.to_owned()));
    let told = bench
        .failing("delete_issue", json!({"issueId": "i-1"}))
        .await;
    assert!(told.starts_with(says), "{told}");
    assert_eq!(bench.linear.lines().len(), 1);
}

#[rstest]
#[case::no_row("[]", "There is no ticket 3f9a2b1c")]
#[case::object("{}", "no list of rows")]
#[case::html("<html>", "no list of rows: <html>")]
#[case::half(r#"[{"id":"3f9a"#, "no list of rows")]
#[case::bad_row(
    r#"[{"id":"3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d"}]"#,
    "row 1 is no ticket: missing field"
)]
#[tokio::test]
async fn rows_that_are_no_tickets_stop_the_call(#[case] body: &'static str, #[case] says: &str) {
    let bench = Bench::start().await;
    bench.supabase.answers(move |_| (200, body.to_owned()));
    let told = bench.failing_escalation().await;
    assert!(told.contains(says), "{told}");
    assert_eq!(bench.exchanges().len(), 1);
}

#[tokio::test]
async fn two_rows_with_one_id_are_refused() {
    let bench = Bench::start().await;
    bench
        .supabase
        .answers(|_| (200, json!([ticket(), ticket()]).to_string()));
    assert!(
        bench
            .failing_escalation()
            .await
            .contains("2 rows have the id")
    );
}

/// A service that takes the request and answers only with the given bytes.
async fn raw_service(answer: &'static [u8]) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).await.unwrap();
            socket.write_all(answer).await.unwrap();
        }
    });
    url
}

#[rstest]
#[case::hangs_up(b"", "no answer came")]
#[case::half_a_body(
    b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{",
    "broke off half way"
)]
#[case::no_http(b"SSH-2.0-OpenSSH\r\n", "no answer came")]
#[tokio::test]
async fn a_service_that_breaks_off_is_told(#[case] answer: &'static [u8], #[case] says: &str) {
    let zone_stub = Stub::start(zone).await;
    let broken = raw_service(answer).await;
    let settings = settings(&zone_stub.url, &broken, &broken, &broken);
    let nobody = Stub::start(rows).await;
    let bench = Bench {
        token: sign(&good_header(), &good_claims(&zone_stub.url)),
        server: server(settings, FakeClock::shared()),
        zone: zone_stub,
        supabase: nobody.clone(),
        anthropic: nobody.clone(),
        linear: nobody,
    };
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(
        told.contains(says) && told.contains("tried 4 times"),
        "{told}"
    );
    let told = bench.failing("delete_issue", json!({"issueId": "i"})).await;
    assert!(
        told.contains(says) && told.contains("may have been done"),
        "{told}"
    );
}

#[tokio::test]
async fn a_service_that_says_nothing_is_not_waited_for_without_end() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let zone_stub = Stub::start(zone).await;
    let nobody = Stub::start(rows).await;
    let settings = settings(&zone_stub.url, &url, &url, &url);
    let mut deps = Deps::new(FakeClock::shared(), Ids::seeded(1));
    deps.patience.service = Duration::from_millis(20);
    deps.patience.supabase_pauses.clear();
    let bench = Bench {
        token: sign(&good_header(), &good_claims(&zone_stub.url)),
        server: router(settings, deps).unwrap(),
        zone: zone_stub,
        supabase: nobody.clone(),
        anthropic: nobody.clone(),
        linear: nobody,
    };
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(told.contains("no answer came within"), "{told}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let bench = Bench::start().await;
    bench.zone.answers(|request| match request.line.as_str() {
        "POST /oauth/2/token" => (200, "x".repeat(300 << 10)),
        _ => zone(request),
    });
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(told.contains("larger than 256 KB"), "{told}");
}

#[tokio::test]
async fn hostile_text_goes_through_as_data_and_never_as_an_error() {
    let bench = Bench::start().await;
    let mut hostile = ticket();
    let body = format!("\u{1b}]0;owned\u{7}\u{202e}{}", "x".repeat(4 << 20));
    hostile["body"] = json!(body);
    let row = json!([hostile]).to_string();
    bench.supabase.answers(move |_| (200, row.clone()));
    let result = bench.call("get_support_tickets", json!({})).await;
    assert_eq!(
        result["structuredContent"]["tickets"][0]["body"],
        json!(body)
    );

    bench.supabase.answers(|_| {
        let message = format!(
            "\u{1b}[31m\u{202e}key sb_secret_abcdef {}",
            "y".repeat(1 << 20)
        );
        (500, json!({"message": message}).to_string())
    });
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told}");
    assert!(!told.contains("sb_secret_abcdef"), "{told}");
    assert!(told.len() < 2_000);
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

    let credential = Secret::from(Bench::credential(&bench.supabase, "")).fingerprint();
    assert!(
        steps[..3]
            .iter()
            .all(|step| step.credential == Some(credential))
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
async fn a_zone_that_was_down_at_first_is_found_when_it_is_up() {
    let bench = Bench::start().await;
    bench.call("get_support_tickets", json!({})).await;
    bench.zone_refuses(503, "");
    bench.failing("get_support_tickets", json!({})).await;
    bench.zone.answers(zone);
    let result = bench.call("get_support_tickets", json!({})).await;
    assert_eq!(result["isError"], false);
}
