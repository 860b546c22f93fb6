//! Knocks at a server: each thing that it does not look at in a token is found out.

use std::{collections::BTreeMap, net::Ipv4Addr};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hoptrail::{
    chapters::{
        Probe, Reading,
        probe::{HttpAnswer, HttpProbe},
    },
    runtime::probing::{self, env::EnvAt},
    support::clock::SystemClock,
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::around;

const KNOCKS: [HttpProbe; 5] = [
    HttpProbe::NoToken,
    HttpProbe::ForgedToken,
    HttpProbe::ExpiredToken,
    HttpProbe::ForeignIssuer,
    HttpProbe::WrongAudience,
];

/// What a server of the test's own looks at in a token.
#[derive(Clone, Copy, Debug)]
enum Looks {
    /// Nothing: anyone may come in.
    Nowhere,
    /// At its lifetime only; never at the signature.
    AtTheClock,
    /// At the signature, with the keys of whatever zone the token names.
    ToTheNamedZone,
    /// Elsewhere: it answers a page.
    LikeAPage,
    /// At everything, and refuses within a success.
    AndSaysSoInside,
}

async fn serve(looks: Looks) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let router = Router::new().route(
        "/mcp",
        post(async move |headers: HeaderMap| answer(looks, &headers).await),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn answer(looks: Looks, headers: &HeaderMap) -> Response {
    let refused = || (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")]).into_response();
    let list = || Json(json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": []}})).into_response();
    let token = headers.get("authorization").and_then(|v| v.to_str().ok());
    let claims = token.and_then(|token| {
        let payload = token.split('.').nth(1)?;
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    });
    match (looks, claims) {
        (Looks::Nowhere, _) => list(),
        (Looks::LikeAPage, _) => Html("<p>welcome</p>").into_response(),
        (Looks::AndSaysSoInside, _) => {
            let error = json!({"code": -32001, "message": "Unauthorized"});
            Json(json!({"jsonrpc": "2.0", "id": 1, "error": error})).into_response()
        }
        (_, None) => refused(),
        (Looks::AtTheClock, Some(claims)) => {
            if claims["exp"].as_i64() < Some(SystemClock::shared().now().timestamp()) {
                refused()
            } else {
                list()
            }
        }
        (Looks::ToTheNamedZone, Some(claims)) => {
            let zone = claims["iss"].as_str().unwrap();
            let keys = reqwest::get(format!("{zone}/openidconnect/jwks")).await;
            match keys {
                Ok(keys) => {
                    let keys: Value = keys.json().await.unwrap();
                    assert_eq!(keys["keys"][0]["kty"], "RSA");
                    list()
                }
                Err(_) => refused(),
            }
        }
    }
}

async fn knock(server: &str) -> BTreeMap<HttpProbe, Reading<HttpAnswer>> {
    let probes = KNOCKS.map(Probe::Http);
    Box::pin(probing::ask(&probes, &around(server, EnvAt::Nowhere)))
        .await
        .http
}

fn status(answers: &BTreeMap<HttpProbe, Reading<HttpAnswer>>, probe: HttpProbe) -> Option<u16> {
    match &answers[&probe] {
        Reading::Told(answer) => Some(answer.status),
        _ => None,
    }
}

#[tokio::test]
async fn a_server_that_takes_anyone_is_found_out_by_every_knock() {
    let answers = knock(&serve(Looks::Nowhere).await).await;
    for probe in KNOCKS {
        assert_eq!(status(&answers, probe), Some(200), "{probe:?}");
    }
}

#[rstest]
#[case(Looks::LikeAPage, "answered 200 with text/html")]
#[case(
    Looks::AndSaysSoInside,
    "answered 200 with a JSON-RPC error (Unauthorized)"
)]
#[tokio::test]
async fn a_success_that_lists_nothing_lets_nobody_in(#[case] looks: Looks, #[case] what: &str) {
    let answers = knock(&serve(looks).await).await;
    for probe in KNOCKS {
        let Reading::Failed { because } = &answers[&probe] else {
            panic!("{answers:?}");
        };
        assert!(because.contains(what), "{because}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_verify_signatures_takes_the_forged_token() {
    let answers = knock(&serve(Looks::AtTheClock).await).await;
    assert_eq!(status(&answers, HttpProbe::NoToken), Some(401));
    assert_eq!(status(&answers, HttpProbe::ForgedToken), Some(200));
    assert_eq!(status(&answers, HttpProbe::WrongAudience), Some(200));
}

#[tokio::test]
async fn a_server_that_believes_any_zone_takes_the_token_of_another_one() {
    let answers = knock(&serve(Looks::ToTheNamedZone).await).await;
    assert_eq!(status(&answers, HttpProbe::ForeignIssuer), Some(200));
    assert_eq!(status(&answers, HttpProbe::ForgedToken), Some(401));
    // Refused for the signature that hoptrail cannot make: that says nothing of the audience.
    let Reading::Unavailable { look_at } = &answers[&HttpProbe::WrongAudience] else {
        panic!("{answers:?}");
    };
    assert!(look_at.contains("audience"), "{look_at}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure_with_its_reason() {
    let answers = knock("http://127.0.0.1:9/mcp").await;
    let Reading::Failed { because } = &answers[&HttpProbe::NoToken] else {
        panic!("{answers:?}");
    };
    assert!(because.contains("did not answer"), "{because}");
}
