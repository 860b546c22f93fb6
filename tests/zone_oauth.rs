//! The zone's OAuth front as clients, browsers and robots see it.

#[path = "zone_oauth/harness.rs"]
mod harness;

use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use harness::{
    ANTHROPIC, APP_ID, APP_SECRET, Browser, ISSUER, LINEAR, Lab, MCP, REDIRECT, SUPABASE, VERIFIER,
    authorize_url, depends, policies, query, resource,
};
use hoptrail::{
    protocol::{
        audit::{AuditEvent, AuditStatus},
        console::{Application, Consent, LifeStatus},
        page::{PageKind, PageMethod},
        secret::Secret,
    },
    zone::directory::{Change, Grant},
};
use rstest::rstest;
use serde_json::json;

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

#[rstest]
#[case(
    "code_verifier",
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX",
    "invalid_grant"
)]
#[case("code_verifier", "", "invalid_request")]
#[case("redirect_uri", "http://127.0.0.1:39999/cb", "invalid_grant")]
#[case("redirect_uri", "", "invalid_request")]
#[case("resource", SUPABASE, "invalid_target")]
#[case("code", "unknown", "invalid_grant")]
#[case("client_id", "ua:unknown", "invalid_client")]
#[case("grant_type", "password", "unsupported_grant_type")]
#[case("grant_type", "client_credentials", "unauthorized_client")]
#[tokio::test]
async fn a_code_is_given_only_for_exactly_what_it_was_made_for(
    #[case] name: &str,
    #[case] value: &str,
    #[case] error: &str,
) {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", &*answer["code"]),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
        ("resource", MCP),
        ("client_id", &client),
    ];
    form.retain(|(n, _)| *n != name);
    form.push((name, value));
    let refused = lab.token(&form).await;
    assert_eq!(refused.error(), error, "{}", refused.body);
    assert_eq!(refused.headers[header::CACHE_CONTROL], "no-store");
    let expected = if error == "invalid_client" { 401 } else { 400 };
    assert_eq!(refused.status, expected);
}

#[tokio::test]
async fn another_client_cannot_use_the_code() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let other = lab.register_as("Another", REDIRECT).await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    assert_eq!(
        lab.redeem(&other, &answer["code"]).await.error(),
        "invalid_grant"
    );
    let fine = lab.redeem(&client, &answer["code"]).await;
    assert_eq!(fine.status, StatusCode::OK);
}

#[tokio::test]
async fn an_expired_code_gives_nothing() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    lab.clock.advance(TimeDelta::seconds(61));
    assert_eq!(
        lab.redeem(&client, &answer["code"]).await.error(),
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_code_used_twice_takes_back_what_it_gave() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let tokens = lab.redeem(&client, &answer["code"]).await;
    assert_eq!(
        lab.exchange(&tokens.token(), SUPABASE).await.status,
        StatusCode::OK
    );
    let again = lab.redeem(&client, &answer["code"]).await;
    assert_eq!(again.error(), "invalid_grant");
    let refresh = tokens.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(
        lab.refresh(&client, &refresh).await.error(),
        "invalid_grant"
    );
    let exchanged = lab.exchange(&tokens.token(), SUPABASE).await;
    assert_eq!(exchanged.error(), "invalid_grant");
}

#[tokio::test]
async fn of_two_who_redeem_one_code_at_once_one_gets_a_token() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let (one, other) = tokio::join!(
        lab.redeem(&client, &answer["code"]),
        lab.redeem(&client, &answer["code"])
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn a_refresh_rotates_and_a_stale_refresh_token_ends_the_sign_in() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let first = lab.redeem(&client, &answer["code"]).await.json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    lab.clock.advance(TimeDelta::hours(2));
    let second = lab.refresh(&client, &first).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.body);
    assert_eq!(second.claims().claim("aud"), Some(MCP));
    let rotated = second.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(rotated, first);
    assert_eq!(
        lab.exchange(&second.token(), SUPABASE).await.status,
        StatusCode::OK
    );
    assert_eq!(lab.refresh(&client, &first).await.error(), "invalid_grant");
    assert_eq!(
        lab.refresh(&client, &rotated).await.error(),
        "invalid_grant"
    );
    assert_eq!(
        lab.exchange(&second.token(), SUPABASE).await.error(),
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_refresh_may_narrow_scopes_but_not_widen_them_nor_change_the_resource() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let other = lab.register_as("Another", REDIRECT).await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.json()["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let refresh = async |token: &str, client: &str, extra: (&str, &str)| {
        lab.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", client),
            extra,
        ])
        .await
    };
    let wide = refresh(&token, &client, ("scope", "read admin")).await;
    assert_eq!(wide.error(), "invalid_scope");
    let foreign = refresh(&token, &client, ("resource", SUPABASE)).await;
    assert_eq!(foreign.error(), "invalid_target");
    let stolen = refresh(&token, &other, ("scope", "read")).await;
    assert_eq!(stolen.error(), "invalid_grant");
    let narrow = refresh(&token, &client, ("scope", "read")).await;
    assert_eq!(narrow.claims().claim("scope"), Some("read"));
    let next = narrow.json()["refresh_token"].as_str().unwrap().to_owned();
    let whole = refresh(&next, &client, ("resource", MCP)).await;
    assert_eq!(whole.claims().claim("scope"), Some("read issues:create"));
    lab.clock.advance(TimeDelta::days(30));
    let last = whole.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(lab.refresh(&client, &last).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_policy_that_forbids_the_sign_in_refuses_the_token_and_says_so_in_the_log() {
    let lab = Lab::open().await;
    lab.change(policies("forbid(principal, action, resource);"))
        .await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let refused = lab.redeem(&client, &answer["code"]).await;
    assert_eq!(refused.error(), "access_denied");
    assert!(
        refused.json()["error_description"]
            .as_str()
            .unwrap()
            .starts_with("Access denied by policy.")
    );
    let row = lab.audit().await.last().unwrap().clone();
    assert_eq!(row.status, AuditStatus::Failure);
    assert!(row.credential.is_none() && row.decision.is_some());
}

#[rstest]
#[case(Some("app-client:app secret: 100% s3cret"), 200)]
#[case(Some("app-client:app+secret%3A+100%25+s3cret"), 200)]
#[case(Some("app-client:wrong"), 401)]
#[case(Some("nobody:app secret: 100% s3cret"), 401)]
#[case(Some("app-client:"), 401)]
#[case(None, 401)]
#[tokio::test]
async fn an_application_shows_its_secret_raw_or_form_encoded_and_no_other(
    #[case] basic: Option<&str>,
    #[case] status: u16,
) {
    let lab = Lab::open().await;
    let answer = lab
        .token_as(
            basic,
            &[("grant_type", "client_credentials"), ("resource", SUPABASE)],
        )
        .await;
    assert_eq!(answer.status, status, "{}", answer.body);
    if status == 401 {
        assert_eq!(answer.error(), "invalid_client");
        assert!(
            answer.headers[header::WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .starts_with("Basic")
        );
    }
}

#[tokio::test]
async fn a_posted_secret_works_and_a_confidential_client_cannot_leave_it_out() {
    let lab = Lab::open().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("resource", SUPABASE),
        ("client_id", APP_ID),
        ("client_secret", APP_SECRET),
    ];
    let fine = lab.token(&form).await;
    assert_eq!(fine.json()["access_token"], "sb_secret_vaulted");
    assert_eq!(lab.token(&form[..3]).await.error(), "invalid_client");
    let both = lab
        .token_as(Some(&format!("{APP_ID}:{APP_SECRET}")), &form)
        .await;
    assert_eq!(both.error(), "invalid_request");
}

#[tokio::test]
async fn an_application_for_itself_gets_what_it_depends_on_and_the_log_names_nobody_else() {
    let lab = Lab::open().await;
    let basic = format!("{APP_ID}:{APP_SECRET}");
    let ask = async |resource: &str| {
        lab.token_as(
            Some(&basic),
            &[("grant_type", "client_credentials"), ("resource", resource)],
        )
        .await
    };
    assert_eq!(ask(SUPABASE).await.status, StatusCode::OK);
    let row = lab.audit().await.last().unwrap().clone();
    assert_eq!(
        row.actor.application.as_ref().unwrap().name,
        "Support Escalation"
    );
    assert!(row.actor.user.is_none());
    assert_eq!(ask(MCP).await.error(), "access_denied");
    assert_eq!(ask("http://127.0.0.1:1").await.error(), "invalid_target");
    assert_eq!(ask(LINEAR).await.error(), "insufficient_authorization");
    lab.change(vec![depends("r-mcp")]).await;
    let own = ask(MCP).await;
    assert_eq!(own.claims().claim("sub_profile"), Some("app"));
    assert_eq!(
        own.claims().claim("sub"),
        Some("urn:app:support-escalation")
    );
    lab.change(policies(
        "permit(principal, action, resource) when { context.on_behalf };",
    ))
    .await;
    assert_eq!(ask(SUPABASE).await.error(), "access_denied");
}

#[tokio::test]
async fn an_exchange_gives_the_vaulted_key_and_the_persons_own_linear_token() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    let supabase = lab.exchange(&token, SUPABASE).await;
    assert_eq!(supabase.json()["access_token"], "sb_secret_vaulted");
    assert_eq!(
        supabase.json()["issued_token_type"],
        "urn:ietf:params:oauth:token-type:access_token"
    );
    assert!(supabase.json().get("refresh_token").is_none());
    let linear = lab.exchange(&token, LINEAR).await;
    assert_eq!(linear.json()["access_token"], "lin_oauth_first");
    let forged = lab.exchange(&Secret::from("a.b.c"), LINEAR).await;
    assert_eq!(forged.error(), "invalid_request");
    let as_public = lab
        .token(&[
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("subject_token", token.expose()),
            ("client_id", &client),
        ])
        .await;
    assert_eq!(as_public.error(), "unauthorized_client");
}

#[tokio::test]
async fn the_workshop_as_it_is_seeded_tells_the_whole_story() {
    let lab = Lab::bare().await;
    let (id, secret) = lab.seed_workshop().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await;
    assert_eq!(token.status, StatusCode::OK, "{}", token.body);
    let token = token.token();
    let basic = format!("{id}:{}", secret.expose());
    let exchange = async |resource: &str, scope: &str| {
        let mut form = vec![
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("subject_token", token.expose().as_str()),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("resource", resource),
        ];
        if !scope.is_empty() {
            form.push(("scope", scope));
        }
        lab.token_as(Some(&basic), &form).await
    };
    for (resource, scope, status) in [
        (SUPABASE, "", 200),
        (ANTHROPIC, "", 200),
        (LINEAR, "read", 200),
        (LINEAR, "issues:create", 200),
        (LINEAR, "write", 403),
    ] {
        let answer = exchange(resource, scope).await;
        assert_eq!(answer.status, status, "{resource} {scope}: {}", answer.body);
    }
    let rows = lab.audit().await;
    let told: Vec<_> = rows[rows.len() - 5..]
        .iter()
        .map(|row| {
            (
                row.resource.as_ref().unwrap().name.as_str(),
                row.scopes.join(" "),
                row.status,
                row.actor.user.as_ref().unwrap().name.as_str(),
            )
        })
        .collect();
    let who = "octavia@example.com";
    assert_eq!(
        told,
        [
            ("Supabase Database", String::new(), AuditStatus::Issued, who),
            ("Anthropic API", String::new(), AuditStatus::Issued, who),
            ("Linear API", "read".into(), AuditStatus::Issued, who),
            (
                "Linear API",
                "issues:create".into(),
                AuditStatus::Issued,
                who
            ),
            ("Linear API", "write".into(), AuditStatus::Failure, who),
        ]
    );
}

#[tokio::test]
async fn an_upstream_token_that_has_ended_is_refreshed_before_it_is_handed_out() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    lab.clock.advance(TimeDelta::hours(25));
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": "lin_oauth_second", "token_type": "Bearer", "expires_in": 3_600}),
    ));
    // The web session ended; the grants did not.
    let page = browser.visit(&authorize_url(&client, &[])).await;
    let to_github = browser.submit(&page).await.location();
    let back = browser.come_back(&to_github, &[("code", "gh-code")]).await;
    let code = query(&back.location())["code"].clone();
    let token = lab.redeem(&client, &code).await.token();
    let before = lab.upstreams.linear_forms.lock().unwrap().len();
    let (linear, beside) = tokio::join!(lab.exchange(&token, LINEAR), lab.exchange(&token, LINEAR));
    assert_eq!(beside.json()["access_token"], "lin_oauth_second");
    assert_eq!(lab.upstreams.linear_forms.lock().unwrap().len(), before + 1);
    assert_eq!(
        linear.json()["access_token"],
        "lin_oauth_second",
        "{}",
        linear.body
    );
    let form = lab
        .upstreams
        .linear_forms
        .lock()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(form["grant_type"], "refresh_token");
    assert_eq!(form["refresh_token"], "lin_refresh_first");

    lab.clock
        .advance(TimeDelta::minutes(59) + TimeDelta::seconds(45));
    *lab.upstreams.linear_answer.lock().unwrap() = Some((400, json!({"error": "invalid_grant"})));
    let refused = lab.exchange(&token, LINEAR).await;
    assert_eq!(refused.error(), "insufficient_authorization");
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
}

#[tokio::test]
async fn a_body_that_is_no_form_or_too_long_is_refused() {
    let lab = Lab::open().await;
    let json = lab
        .post_json(
            "/oauth/2/token",
            &json!({"grant_type": "client_credentials"}),
        )
        .await;
    assert_eq!(json.error(), "invalid_request");
    let long = "x".repeat(70_000);
    let answer = lab.token(&[("grant_type", &long)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let registration = lab.post_json("/oauth/2/registration", &json!([1])).await;
    assert_eq!(registration.error(), "invalid_client_metadata");
}

#[tokio::test]
async fn no_secret_is_found_in_what_the_zone_stores_or_logs() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    let tokens = lab.redeem(&client, &answer["code"]).await;
    lab.exchange(&tokens.token(), LINEAR).await;
    let stored = format!("{:?}", lab.zone.state().directory());
    let logged = serde_json::to_string(
        &lab.audit()
            .await
            .iter()
            .map(|row| (**row).clone())
            .collect::<Vec<_>>(),
    )
    .unwrap();
    let mut secrets = vec![
        tokens.token().expose().clone(),
        tokens.json()["refresh_token"].as_str().unwrap().to_owned(),
        answer["code"].clone(),
        VERIFIER.to_owned(),
        "lin_oauth_first".to_owned(),
        "lin_refresh_first".to_owned(),
        "sb_secret_vaulted".to_owned(),
        "gho_token".to_owned(),
    ];
    secrets.extend(browser.cookies.values().cloned());
    for secret in secrets {
        assert!(!stored.contains(&secret) && !logged.contains(&secret));
    }
}
