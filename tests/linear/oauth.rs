//! The authorize page and the token endpoints.

use axum::{
    body::Body,
    http::{Request, header},
};
use base64::Engine as _;
use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{
    BACK, BASE, CLIENT, CLIENT_SECRET, Lab, authorize, bearer, form, query, read, redirect,
    refresh, text,
};

#[tokio::test]
async fn the_page_says_who_what_and_where() {
    let lab = Lab::new().await;
    let form = lab
        .page_form(&[
            ("scope", "read,issues:create"),
            ("login_hint", "noor@lab.example"),
        ])
        .await;
    assert!(
        form.title
            .contains("act as you in the workspace Hoptrail Lab")
    );
    assert_eq!(form.action, format!("{BASE}/oauth/authorize"));
    let labels: Vec<_> = form.details.iter().map(|d| &*d.label).collect();
    assert_eq!(labels, ["Application", "Acts as", "read", "issues:create"]);
    assert_eq!(form.details[1].value, "Noor Haddad <noor@lab.example>");

    let request = Request::get(authorize(&[("scope", "read,write"), ("state", "\"><b>")]))
        .header("host", "127.0.0.1:9999")
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .body(Body::empty())
        .unwrap();
    let (status, html) = text(lab.send(request).await).await;
    assert_eq!(status, 200);
    for part in [
        "Ada Lindqvist",
        "Tomás Rivera",
        "Keycard zone (lab)",
        "Allow",
        "Deny",
        "Change and delete anything",
        "stand-in for Linear",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<script") && !html.contains("\"><b>"));
    assert!(!html.contains("Workshop Admin"));
    assert!(
        lab.requests().is_empty(),
        "a sign-in's state is not for the feed"
    );
}

#[tokio::test]
async fn the_first_person_signs_in_when_nobody_is_named() {
    let lab = Lab::new().await;
    let token = bearer(&lab.tokens("read", "").await);
    let data = lab.ok(&token, "{ viewer { name } }", Value::Null).await;
    assert_eq!(data["viewer"]["name"], "Ada Lindqvist");
    let token = bearer(&lab.tokens("read", "tomas@lab.example").await);
    let data = lab.ok(&token, "{ viewer { name } }", Value::Null).await;
    assert_eq!(data["viewer"]["name"], "Tomás Rivera");
}

#[tokio::test]
async fn a_refusal_goes_back_to_the_application() {
    let lab = Lab::new().await;
    let form = lab.page_form(&[("scope", "read"), ("state", "s 1")]).await;
    let back = redirect(&lab.submit(&form, &[("decision", "deny")]).await);
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&back, "state").as_deref(), Some("s 1"));
    assert_eq!(query(&back, "code"), None);
    // A page is answered once.
    assert_eq!(lab.submit(&form, &[]).await.status(), 400);
}

#[rstest]
#[case(&[("client_id", "somebody-else")])]
#[case(&[("redirect_uri", "http://127.0.0.1:7777/oauth/callback/")])]
#[case(&[("redirect_uri", "http://127.0.0.1:7778/oauth/callback")])]
#[case(&[("redirect_uri", "")])]
#[tokio::test]
async fn nobody_is_sent_to_an_address_that_was_not_registered(#[case] pairs: &[(&str, &str)]) {
    let lab = Lab::new().await;
    let request = Request::get(authorize(pairs))
        .header("host", "127.0.0.1:9999")
        .header("accept", "application/json")
        .body(Body::empty())
        .unwrap();
    let response = lab.send(request).await;
    assert!(response.headers().get(header::LOCATION).is_none());
    let (status, body) = read(response).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"], "invalid_request");
}

#[rstest]
#[case(&[("response_type", "token")], "unsupported_response_type")]
#[case(&[("response_type", "")], "invalid_request")]
#[case(&[("scope", "read everything")], "invalid_scope")]
#[case(&[("actor", "app")], "invalid_request")]
#[case(&[("code_challenge", "abc")], "invalid_request")]
#[case(&[("code_challenge", "abc"), ("code_challenge_method", "plain")], "invalid_request")]
#[tokio::test]
async fn other_faults_of_a_request_go_back_with_an_error(
    #[case] pairs: &[(&str, &str)],
    #[case] error: &str,
) {
    let lab = Lab::new().await;
    let mut pairs = pairs.to_vec();
    pairs.push(("state", "st"));
    let request = Request::get(authorize(&pairs))
        .header("host", "127.0.0.1:9999")
        .body(Body::empty())
        .unwrap();
    let back = redirect(&lab.send(request).await);
    assert_eq!(query(&back, "error").as_deref(), Some(error));
    assert_eq!(query(&back, "state").as_deref(), Some("st"));
}

#[tokio::test]
async fn a_code_works_once_and_its_second_use_ends_what_came_of_it() {
    let lab = Lab::new().await;
    let code = lab.code("read", "").await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    let (_, tokens) = lab.form("/oauth/token", &pairs).await;
    lab.ok(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    let (status, body) = lab.form("/oauth/token", &pairs).await;
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (400, &json!("invalid_grant"))
    );
    let (status, _) = lab
        .ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    assert_eq!(status, 401);
}

#[rstest]
#[case(&[("client_secret", "wrong")], 401, "invalid_client")]
#[case(&[("client_secret", "")], 401, "invalid_client")]
#[case(&[("client_id", "other")], 401, "invalid_client")]
#[case(&[("redirect_uri", "http://127.0.0.1:7777/other")], 400, "invalid_grant")]
#[case(&[("redirect_uri", "")], 400, "invalid_grant")]
#[case(&[("code", "unknown")], 400, "invalid_grant")]
#[case(&[("code", "")], 400, "invalid_request")]
#[case(&[("code_verifier", "v")], 400, "invalid_grant")]
#[case(&[("grant_type", "password")], 400, "unsupported_grant_type")]
#[case(&[("grant_type", "")], 400, "invalid_request")]
#[tokio::test]
async fn a_token_request_that_does_not_fit_is_refused(
    #[case] change: &[(&str, &str)],
    #[case] expected: u16,
    #[case] error: &str,
) {
    let lab = Lab::new().await;
    let code = lab.code("read", "").await;
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    pairs.retain(|(name, _)| !change.iter().any(|(other, _)| other == name));
    pairs.extend(change.iter().filter(|(_, value)| !value.is_empty()));
    let (status, body) = lab.form("/oauth/token", &pairs).await;
    assert_eq!(status, expected, "{body}");
    assert_eq!(body["error"], error);
}

#[tokio::test]
async fn a_code_ends_after_five_minutes() {
    let lab = Lab::new().await;
    let code = lab.code("read", "").await;
    lab.clock.advance(TimeDelta::minutes(5));
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    let (status, body) = lab.form("/oauth/token", &pairs).await;
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[tokio::test]
async fn the_client_may_authenticate_with_basic_and_prove_its_code_with_pkce() {
    let lab = Lab::new().await;
    // RFC 7636, appendix B.
    let page = lab
        .page_form(&[
            ("scope", "read"),
            (
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
            ("code_challenge_method", "S256"),
        ])
        .await;
    let code = query(&redirect(&lab.submit(&page, &[]).await), "code").unwrap();
    let mut request = form(
        "/oauth/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", BACK),
            (
                "code_verifier",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
        ],
    );
    let basic =
        base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{CLIENT_SECRET}"));
    request
        .headers_mut()
        .insert("authorization", format!("Basic {basic}").parse().unwrap());
    let response = lab.send(request).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (status, body) = read(response).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["scope"], "read");
}

#[tokio::test]
async fn refreshing_rotates_and_may_narrow_but_never_widen() {
    let lab = Lab::new().await;
    let tokens = lab.tokens("read,issues:create", "").await;
    let old = tokens["refresh_token"].as_str().unwrap();
    let (status, narrow) = refresh(&lab, old, Some("read")).await;
    assert_eq!(status, 200, "{narrow}");
    assert_eq!(narrow["scope"], "read");
    let new = narrow["refresh_token"].as_str().unwrap();
    assert_ne!(new, old);
    // The grant itself did not shrink.
    let (_, again) = refresh(&lab, new, None).await;
    assert_eq!(again["scope"], "read issues:create");
    let (status, body) = refresh(&lab, new, Some("write")).await;
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (400, &json!("invalid_scope"))
    );
    // An answer may have got lost: the old one is good for half an hour.
    assert_eq!(refresh(&lab, old, None).await.0, 200);
    lab.clock.advance(TimeDelta::minutes(30));
    assert_eq!(refresh(&lab, old, None).await.1["error"], "invalid_grant");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        refresh(&lab, access, None).await.1["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_the_whole_grant() {
    let lab = Lab::new().await;
    let kept = lab.tokens("read", "").await;
    let tokens = lab.tokens("read", "").await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let (status, _) = lab.form("/oauth/revoke", &[("token", token)]).await;
    assert_eq!(status, 200);
    assert_eq!(
        lab.ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
            .await
            .0,
        401
    );
    assert_eq!(refresh(&lab, token, None).await.1["error"], "invalid_grant");
    lab.ok(&bearer(&kept), "{ viewer { id } }", Value::Null)
        .await;
    // Unknown tokens are no error, wrong clients are.
    assert_eq!(lab.form("/oauth/revoke", &[("token", "x")]).await.0, 200);
    assert_eq!(lab.form("/oauth/revoke", &[]).await.0, 400);
    let wrong = [
        ("token", token),
        ("client_id", CLIENT),
        ("client_secret", "x"),
    ];
    assert_eq!(lab.form("/oauth/revoke", &wrong).await.0, 401);
}
