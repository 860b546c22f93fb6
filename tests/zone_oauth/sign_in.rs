//! Metadata, and the way of a person from the authorization request to the code.

use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use hoptrail::protocol::{
    audit::{AuditEvent, AuditStatus},
    console::LifeStatus,
    page::{PageKind, PageMethod},
};
use serde_json::json;

use crate::{
    browser::{Browser, authorize_url},
    harness::{ISSUER, Lab, MCP, REDIRECT, TRACE_PARENT, query},
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

#[tokio::test]
async fn whoever_registers_like_another_client_changes_nothing_about_it() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let before = lab.zone.state().directory().user_agents[&client].clone();
    lab.clock.advance(TimeDelta::minutes(1));
    let answer = lab
        .post_json(
            "/oauth/2/registration",
            &json!({"client_name": "MCP CLI Proxy", "redirect_uris": [REDIRECT],
                    "grant_types": ["authorization_code"]}),
        )
        .await;
    assert_ne!(answer.json()["client_id"], client);
    let again = lab
        .register_as("MCP CLI Proxy", "http://127.0.0.1:50001/cb")
        .await;
    assert_eq!(again, client, "only the port is another");
    let directory = lab.zone.state().directory();
    assert_eq!(directory.user_agents[&client], before);
    assert_eq!(directory.user_agents.len(), 2);
    let (one, other) = tokio::join!(
        lab.register_as("Twice", REDIRECT),
        lab.register_as("Twice", REDIRECT)
    );
    assert_eq!(one, other);
    assert_eq!(lab.zone.state().directory().user_agents.len(), 3);
}

#[tokio::test]
async fn one_person_who_signs_in_twice_at_once_is_one_user() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    // Both redeem their code before either of them is known.
    lab.upstreams.meet_at_github(2);
    let come_in = async || {
        let mut browser = Browser::of(&lab);
        browser.up_to_consent(&client).await.form().page
    };
    let (one, other) = tokio::join!(come_in(), come_in());
    assert_eq!((one, other), (PageKind::Consent, PageKind::Consent));
    let directory = lab.zone.state().directory();
    assert_eq!(directory.users.len(), 1);
    let user = directory.users.values().next().unwrap();
    assert_eq!(directory.sessions.len(), 2);
    for session in directory.sessions.values() {
        assert_eq!(session.user_id.as_deref(), Some(user.id.as_str()));
    }
}

#[tokio::test]
async fn sessions_that_ran_out_go_some_time_later_with_a_new_sign_in() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let sessions = || lab.zone.state().directory().sessions.len();
    assert_eq!(sessions(), 2, "the browser's and the client's");
    // The browser's ran out long ago, but the client's came of it.
    lab.clock.advance(TimeDelta::days(30));
    browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(sessions(), 2, "somebody may look how it ended");
    lab.clock.advance(TimeDelta::days(1));
    browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(sessions(), 1);
    browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(sessions(), 0);
}

#[tokio::test]
async fn a_loopback_client_may_come_back_on_another_port() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let url = authorize_url(&client, &[("redirect_uri", "http://127.0.0.1:51000/cb")]);
    let page = Browser::of(&lab).visit(&url).await;
    assert_eq!(page.form().page, PageKind::SignIn);
}
