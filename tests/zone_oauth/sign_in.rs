//! Metadata, and the way of a person from the authorization request to the code.

use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        audit::{AuditEvent, AuditStatus},
        console::{Application, Consent, LifeStatus},
        page::{PageKind, PageMethod},
    },
    zone::directory::{Change, Grant},
};
use rstest::rstest;
use serde_json::json;

use crate::{
    browser::{Browser, authorize_url},
    harness::{
        ISSUER, LINEAR, Lab, MCP, REDIRECT, SUPABASE, TRACE_PARENT, depends, query, resource,
    },
};

#[tokio::test]
async fn both_well_known_paths_give_one_document_and_the_keys_lie_where_it_says() {
    let lab = Lab::open().await;
    let one = lab.get("/.well-known/oauth-authorization-server").await;
    let other = lab.get("/.well-known/openid-configuration").await;
    assert_eq!(one.json(), other.json());
    let document = one.json();
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(
        document["code_challenge_methods_supported"],
        json!(["S256"])
    );
    assert_eq!(
        document["scopes_supported"],
        json!(["issues:create", "read", "write"])
    );
    let keys = lab.get(document["jwks_uri"].as_str().unwrap()).await.json();
    assert_eq!(keys["keys"][0]["kty"], "RSA");
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    assert!(keys["keys"][0].get("d").is_none());
}

#[tokio::test]
async fn a_first_sign_in_ends_in_a_code_that_becomes_a_token() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    assert_eq!(answer["state"], "client-state");
    assert_eq!(answer["iss"], ISSUER);
    let tokens = lab.redeem(&client, &answer["code"]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(tokens.headers[header::CACHE_CONTROL], "no-store");
    let body = tokens.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3_600);
    assert_eq!(body["scope"], "read issues:create");
    assert!(body["refresh_token"].is_string());
    let view = tokens.claims();
    assert_eq!(view.claim("iss"), Some(ISSUER));
    assert_eq!(view.claim("aud"), Some(MCP));
    assert_eq!(view.claim("client_id"), Some(client.as_str()));
    assert_eq!(view.claim("sub_profile"), Some("user"));
    assert_eq!(view.header["typ"], "at+jwt");
    let directory = lab.zone.state().directory();
    let user = directory.users.values().next().unwrap();
    assert_eq!(view.claim("sub"), Some(user.identifier.as_str()));
    assert_eq!(user.email, "octavia@example.com");
    let session = &directory.sessions[view.claim("sid").unwrap()];
    assert_eq!(session.status, LifeStatus::Active);
    assert_eq!(
        directory.sessions[session.parent_id.as_deref().unwrap()].parent_id,
        None
    );
}

#[tokio::test]
async fn the_log_tells_the_sign_in_in_order_and_with_both_identities() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    lab.redeem(&client, &answer["code"]).await;
    let rows = lab.audit().await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.event,
                row.resource.as_ref().unwrap().name.as_str(),
                row.actor.application.as_ref().unwrap().name.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                AuditEvent::UsersAuthorize,
                "Workshop MCP Server",
                "MCP CLI Proxy"
            ),
            (
                AuditEvent::DelegatedGrantsCreate,
                "Workshop MCP Server",
                "MCP CLI Proxy"
            ),
            (
                AuditEvent::DelegatedGrantsCreate,
                "Supabase Database",
                "Support Escalation"
            ),
            (
                AuditEvent::DelegatedGrantsCreate,
                "Linear API",
                "Support Escalation"
            ),
            (
                AuditEvent::CredentialsIssue,
                "Workshop MCP Server",
                "MCP CLI Proxy"
            ),
        ]
    );
    assert!(rows.iter().all(|row| {
        row.actor.user.as_ref().unwrap().name == "octavia@example.com"
            && row.status == AuditStatus::Issued
            && row.session_id.is_some()
    }));
    let issued = rows.last().unwrap();
    assert_eq!(issued.scopes, ["read", "issues:create"]);
    assert_eq!(issued.grant_type.as_deref(), Some("authorization_code"));
    assert!(issued.credential.is_some() && issued.decision.is_some());
    assert_eq!(issued.trace_parent.unwrap().to_string(), TRACE_PARENT);
}

#[tokio::test]
async fn the_providers_are_asked_for_what_was_configured_and_nothing_more() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let page = browser.visit(&authorize_url(&client, &[])).await;
    let to_github = browser.submit(&page).await.location();
    assert!(to_github.starts_with(&format!("{}/login/oauth/authorize?", lab.upstream_origin)));
    assert_eq!(query(&to_github)["client_id"], "zone-at-github");
    let consent = browser.come_back(&to_github, &[("code", "gh-code")]).await;
    let to_linear = browser.submit(&consent).await.location();
    let asked = query(&to_linear);
    assert_eq!(asked["scope"], "read,write,issues:create");
    assert_eq!(asked["actor"], "user");
    assert_eq!(asked["prompt"], "consent");
    assert_eq!(asked["response_type"], "code");
    browser.come_back(&to_linear, &[("code", "lin-code")]).await;
    let form = lab.upstreams.linear_forms.lock().unwrap()[0].clone();
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["code"], "lin-code");
    assert_eq!(form["client_secret"], "linear-secret");
    assert_eq!(form["redirect_uri"], format!("{ISSUER}/oauth/2/redirect"));
    let form = lab.upstreams.github_forms.lock().unwrap()[0].clone();
    assert_eq!(form["client_secret"], "github-secret");
}

#[tokio::test]
async fn a_program_reads_each_page_as_a_form_and_the_consent_lists_what_is_granted() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let sign_in = browser.visit(&authorize_url(&client, &[])).await.form();
    assert_eq!(sign_in.page, PageKind::SignIn);
    assert_eq!(sign_in.method, PageMethod::Post);
    assert_eq!(sign_in.choices[0].label, "Continue with GitHub");
    let consent = browser.up_to_consent(&client).await.form();
    assert_eq!(consent.page, PageKind::Consent);
    assert_eq!(consent.action, format!("{ISSUER}/login/consent"));
    let choices: Vec<_> = consent
        .choices
        .iter()
        .map(|choice| (choice.value.as_str(), choice.default))
        .collect();
    assert_eq!(choices, [("allow", true), ("deny", false)]);
    let told: Vec<_> = consent
        .details
        .iter()
        .map(|detail| format!("{}: {}", detail.label, detail.value))
        .collect();
    assert_eq!(
        told,
        [
            "Client: MCP CLI Proxy",
            "Redirect: 127.0.0.1:39998",
            "Signed in as: octavia@example.com",
            "Resource: Workshop MCP Server, http://127.0.0.1:8000/mcp (read issues:create)",
            "Application: Support Escalation",
            "Linear API: Your own Linear account: Linear asks you next (read write issues:create)",
            "Supabase Database: A key that this zone keeps in its vault",
        ]
    );
}

#[tokio::test]
async fn a_person_reads_pages_without_script_that_say_who_asks_and_where_the_answer_goes() {
    let lab = Lab::open().await;
    let client = lab.register_as("<b>Bank</b>", REDIRECT).await;
    let mut browser = Browser::of(&lab);
    browser.up_to_consent(&client).await;
    browser.accept = "text/html";
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert!(
        page.body
            .contains("Allow &lt;b&gt;Bank&lt;/b&gt; to act for you?")
    );
    assert!(page.body.contains("nobody has verified its name"));
    assert!(page.body.contains("<code>127.0.0.1:39998</code>"));
    assert!(page.body.contains("hoptrail lab, a stand-in for Keycard"));
    assert!(!page.body.contains("<script"));
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("form-action"));
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
}

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
async fn a_loopback_client_may_come_back_on_another_port() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let url = authorize_url(&client, &[("redirect_uri", "http://127.0.0.1:51000/cb")]);
    let page = Browser::of(&lab).visit(&url).await;
    assert_eq!(page.form().page, PageKind::SignIn);
}

#[tokio::test]
async fn the_second_sign_in_needs_neither_github_nor_consent_nor_linear() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let answer = browser.visit(&authorize_url(&client, &[])).await;
    assert!(query(&answer.location()).contains_key("code"));
    let asked_again = browser
        .visit(&authorize_url(&client, &[("prompt", "consent")]))
        .await;
    assert_eq!(asked_again.form().page, PageKind::Consent);
    let answer = browser.submit(&asked_again).await;
    assert!(query(&answer.location()).contains_key("code"));
    let signs_in_again = browser
        .visit(&authorize_url(&client, &[("prompt", "login")]))
        .await;
    assert_eq!(signs_in_again.form().page, PageKind::SignIn);
    lab.clock.advance(TimeDelta::hours(13));
    let later = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(later.form().page, PageKind::SignIn);
}

#[tokio::test]
async fn another_client_must_ask_for_itself() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let other = lab.register_as("Another", REDIRECT).await;
    let page = browser.visit(&authorize_url(&other, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
}

#[tokio::test]
async fn an_added_dependency_brings_the_consent_page_back() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    lab.change(vec![
        resource(
            "r-anthropic",
            "Anthropic API",
            "http://127.0.0.1:9303",
            Some("p-vault"),
            &[],
        ),
        depends("r-anthropic"),
    ])
    .await;
    let refused = lab.exchange(&token, "http://127.0.0.1:9303").await;
    assert_eq!(refused.error(), "insufficient_authorization");
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
    assert!(
        page.form()
            .details
            .iter()
            .any(|d| d.label == "Anthropic API")
    );
    let back = browser.submit(&page).await;
    assert!(query(&back.location()).contains_key("code"));
}

#[tokio::test]
async fn an_application_whose_consent_is_implicit_shows_no_consent_page() {
    let lab = Lab::open().await;
    lab.change(vec![Change::put(Application {
        id: "a-mcp".into(),
        name: "Support Escalation".into(),
        identifier: "urn:app:support-escalation".into(),
        consent: Consent::Implicit,
    })])
    .await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let to_linear = browser.up_to_consent(&client).await;
    assert!(to_linear.location().contains("/oauth/authorize?"));
    let back = browser
        .come_back(&to_linear.location(), &[("code", "lin-code")])
        .await;
    assert!(query(&back.location()).contains_key("code"));
}

#[rstest]
#[case("r-linear", "/oauth/authorize?")]
#[case("r-supabase", "code=")]
#[case("r-mcp", "code=")]
#[tokio::test]
async fn a_revoked_grant_needs_consent_again_and_where_there_is_one_the_provider(
    #[case] revoked: &str,
    #[case] next: &str,
) {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let directory = lab.zone.state().directory();
    let grant = directory
        .grants
        .values()
        .find(|grant| grant.resource_id == revoked)
        .unwrap();
    lab.change(vec![Change::put(Grant {
        status: LifeStatus::Revoked,
        ..Grant::clone(grant)
    })])
    .await;
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
    let answer = browser.submit(&page).await;
    assert!(answer.location().contains(next), "{}", answer.location());
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
