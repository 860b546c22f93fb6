//! The token endpoint: every grant, every refusal.

use axum::http::{StatusCode, header};
use chrono::TimeDelta;
use hoptrail::protocol::{audit::AuditStatus, secret::Secret};
use rstest::rstest;
use serde_json::json;

use crate::{
    browser::Browser,
    harness::{
        ANTHROPIC, APP_ID, APP_SECRET, LINEAR, Lab, MCP, REDIRECT, SUPABASE, VERIFIER, depends,
        policies,
    },
};

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
    assert_eq!(answer.error(), "invalid_request");
    let registration = lab.post_json("/oauth/2/registration", &json!([1])).await;
    assert_eq!(registration.error(), "invalid_client_metadata");
    let registration = lab.post_json("/oauth/2/registration", &json!([long])).await;
    assert_eq!(registration.error(), "invalid_request");
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
    let logged = serde_json::to_string(&lab.audit().await).unwrap();
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
