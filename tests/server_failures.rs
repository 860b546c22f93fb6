//! What stops a tool of the support-escalation server, and what the caller is told then: each
//! refusal of the zone, each way a service can fail, each answer that is not to be believed.

mod server_bench;

use std::time::Duration;

use hoptrail::{
    server::{Deps, router},
    support::{clock::FakeClock, ids::Ids},
};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use server_bench::{
    Bench, ID, mask, message, rows,
    server_stub::{
        Stub, good_claims, good_header, list_tools, metadata, post, server, settings, sign, zone,
    },
    ticket,
};

async fn failing_escalation(bench: &Bench) -> String {
    let arguments = json!({"ticketId": ID});
    bench.failing("escalate_ticket", arguments).await
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
#[case::broke(400, r#"{"error":"server_error"}"#)]
#[case::overloaded(400, r#"{"error":"temporarily_unavailable"}"#)]
#[case::a_refusal_behind_a_gateway_that_broke(502, r#"{"error":"access_denied"}"#)]
#[tokio::test]
async fn a_zone_that_could_not_answer_has_refused_nothing(
    #[case] status: u16,
    #[case] body: &'static str,
) {
    let bench = Bench::start().await;
    bench.zone_refuses(status, body);
    let told = bench.failing("get_support_tickets", json!({})).await;
    let what = "The zone issued no credential for Supabase Database";
    assert!(told.starts_with(what), "{told}");
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

#[tokio::test]
async fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let bench = Bench::start().await;
    let thief = Stub::start(|_| (200, r#"{"access_token":"x"}"#.to_owned())).await;
    let elsewhere = thief.url.clone();
    bench
        .zone
        .answers(move |request| match request.line.as_str() {
            "POST /oauth/2/token" => (307, elsewhere.clone()),
            _ => zone(request),
        });
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(told.contains("the zone answered 307"), "{told}");
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
    let told = failing_escalation(&bench).await;
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
    let told = failing_escalation(&bench).await;
    assert!(told.contains(why), "{told}");
    let cut = why.contains("max_tokens");
    assert_eq!(told.contains("shorten the ticket"), cut, "{told}");
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
    let told = failing_escalation(&bench).await;
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
    let told = failing_escalation(&bench).await;
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
#[case(
    200,
    "<html>",
    "Linear answered something that is no GraphQL: 6 bytes of "
)]
#[case(500, "", "Linear API returned 500: (an empty body)")]
#[case(502, "", "Linear API returned 502: (an empty body)")]
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
    // A refusal says that nothing was done; after anything else a second try may do it twice.
    let refused = status == 400 || body.contains("errors") || body.contains("false");
    assert_eq!(told.contains("may have been done"), !refused, "{told}");
}

#[rstest]
#[case::without_the_issue(r#"{"success":true,"issue":null}"#, "did not say which issue", true)]
#[case::refused(r#"{"success":false}"#, "did not create the issue", false)]
#[tokio::test]
async fn an_issue_that_may_be_there_is_not_called_refused(
    #[case] payload: &'static str,
    #[case] says: &str,
    #[case] maybe_done: bool,
) {
    let bench = Bench::start().await;
    bench.linear.answers(move |request| {
        let answer = if request.body.contains("issueCreate") {
            format!(r#"{{"data":{{"issueCreate":{payload}}}}}"#)
        } else {
            r#"{"data":{"issueLabels":{"nodes":[]}}}"#.to_owned()
        };
        (200, answer)
    });
    let told = failing_escalation(&bench).await;
    assert!(told.contains(says), "{told}");
    assert_eq!(told.contains("may have been done"), maybe_done, "{told}");
}

#[rstest]
#[case::no_row("[]", "There is no ticket 3f9a2b1c")]
#[case::object("{}", "no list of rows")]
#[case::html("<html>", "no list of rows: 6 bytes of ")]
#[case::half(r#"[{"id":"3f9a"#, "no list of rows")]
#[case::bad_row(
    r#"[{"id":"3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d"}]"#,
    "row 1 is no ticket: missing field"
)]
#[case::half_with_a_customer(
    r#"[{"customer_name":"Marisol Vexley"#,
    "no list of rows: 33 bytes of"
)]
#[case::a_value_of_another_kind(
    r#"["Marisol Vexley"]"#,
    "row 1 is no ticket: a value in it is of another kind"
)]
#[tokio::test]
async fn rows_that_are_no_tickets_stop_the_call(#[case] body: &'static str, #[case] says: &str) {
    let bench = Bench::start().await;
    bench.supabase.answers(move |_| (200, body.to_owned()));
    let told = failing_escalation(&bench).await;
    assert!(told.contains(says), "{told}");
    assert!(!told.contains("Marisol"), "{told}");
    assert_eq!(bench.exchanges().len(), 1);
}

#[tokio::test]
async fn two_rows_with_one_id_are_refused() {
    let bench = Bench::start().await;
    bench
        .supabase
        .answers(|_| (200, json!([ticket(), ticket()]).to_string()));
    assert!(
        failing_escalation(&bench)
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
        let long = "y".repeat(1 << 20);
        let message = format!("\u{1b}[31m\u{202e}key sb_secret_abcdef {long}");
        (500, json!({"message": message}).to_string())
    });
    let told = bench.failing("get_support_tickets", json!({})).await;
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told}");
    assert!(!told.contains("sb_secret_abcdef"), "{told}");
    assert!(told.len() < 2_000);
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
