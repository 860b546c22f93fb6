//! Sign-ins that end without a code: what the client asked wrongly, what a person or a provider
//! refuses, and what comes from another browser, forged or too late.

use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use hoptrail::protocol::{
    audit::{AuditEvent, AuditStatus},
    page::PageKind,
};
use rstest::rstest;
use serde_json::json;

use crate::{
    browser::{Browser, authorize_url},
    harness::{ISSUER, LINEAR, Lab, MCP, REDIRECT, SUPABASE, query},
};

#[rstest]
#[case(&[("client_id", "ua:unknown")], "invalid_client")]
#[case(&[("client_id", "")], "invalid_request")]
#[case(&[("redirect_uri", "")], "invalid_request")]
#[case(&[("redirect_uri", "http://127.0.0.1:39998/other")], "invalid_request")]
#[case(&[("redirect_uri", "https://evil.example/cb")], "invalid_request")]
#[tokio::test]
async fn before_the_client_is_known_an_error_is_a_page_and_no_redirect(
    #[case] changes: &[(&str, &str)],
    #[case] error: &str,
) {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.get(&authorize_url(&client, changes)).await;
    assert!(answer.status.is_client_error());
    assert!(answer.headers.get(header::LOCATION).is_none());
    assert_eq!(answer.error(), error);
    browser.accept = "text/html";
    let page = browser.get(&authorize_url(&client, changes)).await;
    assert!(page.body.contains("This sign-in cannot go on"));
}

#[rstest]
#[case(&[("response_type", "token")], "unsupported_response_type", "")]
#[case(&[("response_type", "")], "invalid_request", "")]
#[case(&[("code_challenge", "")], "invalid_request", "PKCE is required")]
#[case(&[("code_challenge_method", "plain")], "invalid_request", "S256")]
#[case(&[("code_challenge_method", "")], "invalid_request", "S256")]
#[case(&[("code_challenge", "short")], "invalid_request", "")]
#[case(&[("resource", "")], "invalid_target", "")]
#[case(&[("resource", "http://127.0.0.1:8000")], "invalid_target", "Requested authorization for unknown resource")]
#[case(&[("resource", "http://127.0.0.1:8000/mcp/")], "invalid_target", "unknown resource")]
#[case(&[("resource", "http://127.0.0.1:9309")], "invalid_target", "Resource \"Bare\" is missing a credential provider")]
#[case(&[("resource", SUPABASE)], "invalid_target", "")]
#[case(&[("resource", LINEAR)], "invalid_target", "")]
#[case(&[("scope", "a\\b")], "invalid_scope", "")]
#[tokio::test]
async fn after_the_client_is_known_an_error_goes_back_with_state_and_issuer(
    #[case] changes: &[(&str, &str)],
    #[case] error: &str,
    #[case] description: &str,
) {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab)
        .get(&authorize_url(&client, changes))
        .await;
    assert!(answer.location().starts_with(REDIRECT));
    let sent = query(&answer.location());
    assert_eq!(sent["error"], error);
    assert!(sent["error_description"].contains(description), "{sent:?}");
    assert_eq!(sent["state"], "client-state");
    assert_eq!(sent["iss"], ISSUER);
    assert!(!sent.contains_key("code"));
}

#[tokio::test]
async fn a_resource_that_is_not_known_is_not_quoted_at_any_length() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let resource = format!("{MCP}/{}", "x".repeat(4_000));
    let answer = Browser::of(&lab)
        .get(&authorize_url(&client, &[("resource", &resource)]))
        .await;
    let description = &query(&answer.location())["error_description"];
    assert!(description.contains(MCP), "{description}");
    assert!(description.chars().count() < 300, "{description}");
}

#[tokio::test]
async fn a_person_who_denies_sends_the_client_access_denied_and_leaves_no_grant() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let consent = browser.up_to_consent(&client).await.form();
    let mut form = consent.fields.clone();
    form.insert("decision".into(), "deny".into());
    let answer = browser.post(&consent.action, &form).await;
    let sent = query(&answer.location());
    assert_eq!(sent["error"], "access_denied");
    assert_eq!(sent["iss"], ISSUER);
    assert_eq!(sent["state"], "client-state");
    assert!(lab.zone.state().directory().grants.is_empty());
    let row = lab.audit().await.last().unwrap().clone();
    assert_eq!(row.event, AuditEvent::DelegatedGrantsCreate);
    assert_eq!(row.status, AuditStatus::Failure);
    form.insert("decision".into(), "allow".into());
    let late = browser.post(&consent.action, &form).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_person_who_refuses_at_a_provider_sends_the_client_access_denied() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let page = browser.visit(&authorize_url(&client, &[])).await;
    let to_github = browser.submit(&page).await.location();
    let answer = browser
        .come_back(&to_github, &[("error", "access_denied")])
        .await;
    let sent = query(&answer.location());
    assert_eq!(sent["error"], "access_denied");
    assert!(sent["error_description"].contains("GitHub"));

    let consent = browser.up_to_consent(&client).await;
    let to_linear = browser.submit(&consent).await.location();
    let answer = browser
        .come_back(&to_linear, &[("error", "access_denied")])
        .await;
    let sent = query(&answer.location());
    assert_eq!(sent["error"], "access_denied");
    assert!(sent["error_description"].contains("Linear"));
    assert_eq!(sent["iss"], ISSUER);
    let failures: Vec<_> = lab
        .audit()
        .await
        .iter()
        .filter(|row| row.status == AuditStatus::Failure)
        .map(|row| row.event)
        .collect();
    assert_eq!(
        failures,
        [
            AuditEvent::UsersAuthorize,
            AuditEvent::DelegatedGrantsCreate
        ]
    );
}

#[tokio::test]
async fn a_provider_that_refuses_the_code_ends_the_sign_in_for_the_client() {
    let lab = Lab::open().await;
    *lab.upstreams.github_answer.lock().unwrap() = Some(
        json!({"error": "bad_verification_code", "error_description": "The code passed is incorrect"}),
    );
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.up_to_consent(&client).await;
    let sent = query(&answer.location());
    assert_eq!(sent["error"], "access_denied");
    assert_eq!(
        sent["error_description"],
        "GitHub refused: The code passed is incorrect"
    );
}

#[tokio::test]
async fn what_a_provider_repeats_of_a_secret_is_told_to_nobody() {
    let lab = Lab::open().await;
    *lab.upstreams.github_answer.lock().unwrap() =
        Some(json!({"error": "bad_code", "error_description": "gh-code is not known"}));
    let client = lab.register().await;
    let answer = Browser::of(&lab).up_to_consent(&client).await;
    let sent = query(&answer.location());
    assert_eq!(
        sent["error_description"],
        "GitHub refused: [hidden] is not known"
    );
    let rows = lab.audit().await;
    let reason = rows.last().unwrap().reason.as_deref().unwrap();
    assert_eq!(reason, "GitHub refused: [hidden] is not known");
}

#[tokio::test]
async fn a_callback_in_another_browser_is_refused() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let page = browser.visit(&authorize_url(&client, &[])).await;
    let to_github = browser.submit(&page).await.location();
    let mut other = Browser::of(&lab);
    let answer = other.come_back(&to_github, &[("code", "gh-code")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    other.visit(&authorize_url(&client, &[])).await;
    let answer = other.come_back(&to_github, &[("code", "gh-code")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(lab.upstreams.github_forms.lock().unwrap().is_empty());
    let fine = browser.come_back(&to_github, &[("code", "gh-code")]).await;
    assert_eq!(fine.form().page, PageKind::Consent);
    let twice = browser.come_back(&to_github, &[("code", "gh-code")]).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}

#[rstest]
#[case("")]
#[case("state=x&code=y")]
#[case("state=x.y&code=z")]
#[case("code=z")]
#[tokio::test]
async fn a_callback_with_a_foreign_state_is_refused(#[case] sent: &str) {
    let lab = Lab::open().await;
    let answer = Browser::of(&lab)
        .get(&format!("/oauth/2/redirect?{sent}"))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_without_its_csrf_token_does_nothing() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let consent = browser.up_to_consent(&client).await.form();
    let mut form = consent.submission();
    form.insert("csrf".into(), "forged".into());
    let answer = browser.post(&consent.action, &form).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    form.remove("csrf");
    let answer = browser.post(&consent.action, &form).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(lab.zone.state().directory().grants.is_empty());
}

#[tokio::test]
async fn a_sign_in_that_takes_too_long_is_over() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let consent = browser.up_to_consent(&client).await;
    lab.clock.advance(TimeDelta::minutes(16));
    let answer = browser.submit(&consent).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn clients_that_nobody_uses_do_not_fill_the_zone() {
    let lab = Lab::open().await;
    let used = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&used).await;
    lab.redeem(&used, &answer["code"]).await.token();
    let mut newest = String::new();
    for number in 0..520 {
        lab.clock.advance(TimeDelta::milliseconds(1));
        newest = lab.register_as(&format!("Client {number}"), REDIRECT).await;
    }
    let agents = &lab.zone.state().directory().user_agents;
    assert_eq!(agents.len(), 500);
    assert!(agents.contains_key(&used), "who is signed in stays");
    assert!(agents.contains_key(&newest));
}
