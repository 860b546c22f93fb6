//! What a caller is advised when no setting is wrong: a shorter ticket, or patience.

use rstest::rstest;
use serde_json::json;

use crate::server_bench::{Bench, ID};

#[rstest]
#[case(413, "request_too_large", "Request too large", "shorten the ticket")]
#[case(
    400,
    "invalid_request_error",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "shorten the ticket"
)]
#[case(
    400,
    "invalid_request_error",
    "model: unknown",
    "check ANTHROPIC_API_URL"
)]
#[case(429, "rate_limit_error", "slow down", "wait a little")]
#[tokio::test]
async fn the_model_wants_a_shorter_ticket_or_time(
    #[case] status: u16,
    #[case] kind: &'static str,
    #[case] message: &'static str,
    #[case] next: &str,
) {
    let bench = Bench::start().await;
    let body = json!({"type": "error", "error": {"type": kind, "message": message}}).to_string();
    bench.anthropic.answers(move |_| (status, body.clone()));
    let told = bench
        .failing("escalate_ticket", json!({"ticketId": ID}))
        .await;
    let says = format!("PII masking failed: {message} ({status})");
    assert!(told.starts_with(&says), "{told}");
    assert!(
        told.contains(next) && told.contains("nothing reached Linear"),
        "{told}"
    );
    let blamed = told.contains("ANTHROPIC_API_URL");
    assert_eq!(blamed, next.contains("ANTHROPIC_API_URL"), "{told}");
}

#[tokio::test]
async fn a_database_that_was_asked_too_often_wants_time() {
    let bench = Bench::start().await;
    bench
        .supabase
        .answers(|_| (429, r#"{"message":"slow down"}"#.to_owned()));
    let told = bench.failing("get_support_tickets", json!({})).await;
    let says = "Supabase query failed: slow down (429)";
    assert!(told.starts_with(says), "{told}");
    assert!(told.contains("wait a little, then call"), "{told}");
    assert!(!told.contains("SUPABASE_URL"), "{told}");
    assert_eq!(bench.supabase.lines().len(), 1);
}

#[rstest]
#[case(429, "slow down")]
#[case(
    400,
    r#"{"errors":[{"message":"too often","extensions":{"code":"RATELIMITED"}}]}"#
)]
#[case(
    200,
    r#"{"errors":[{"message":"too often","extensions":{"type":"ratelimited"}}]}"#
)]
#[tokio::test]
async fn linear_that_was_asked_too_often_wants_time(
    #[case] status: u16,
    #[case] body: &'static str,
) {
    let bench = Bench::start().await;
    bench.linear.answers(move |_| (status, body.to_owned()));
    let told = bench
        .failing("delete_issue", json!({"issueId": "i-1"}))
        .await;
    let says = match status {
        200 => "Linear GraphQL error: too often".to_owned(),
        _ => format!("Linear API returned {status}: {body}"),
    };
    assert!(told.starts_with(&says), "{told}");
    assert!(told.contains("wait a little, then call"), "{told}");
    assert!(!told.contains("LINEAR_TEAM_ID"), "{told}");
}
