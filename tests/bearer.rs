//! Who gets in at `/mcp`: a row for each row of facts/wire.md 2.2, and the documents that tell a
//! client where to sign in.

mod server_stub;

use std::sync::Arc;

use axum::{Router, body::Body, extract::Request, response::Response};
use chrono::TimeDelta;
use hoptrail::support::clock::FakeClock;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use server_stub::{
    NOW, RESOURCE, Stub, good_claims, good_header, jwk, list_tools, metadata, post, server,
    settings, sign, text, zone,
};

const METADATA_URL: &str = "http://localhost:8000/.well-known/oauth-protected-resource/mcp";

struct Bench {
    zone: Stub,
    server: Router,
    clock: Arc<FakeClock>,
}

impl Bench {
    async fn start() -> Self {
        let stub = Stub::start(zone).await;
        let clock = FakeClock::shared();
        let nowhere = "http://127.0.0.1:1";
        let settings = settings(&stub.url, nowhere, nowhere, nowhere);
        Self {
            server: server(settings, Arc::clone(&clock)),
            zone: stub,
            clock,
        }
    }

    fn token(&self) -> String {
        sign(&good_header(), &good_claims(&self.zone.url))
    }

    async fn send(&self, request: Request) -> Response {
        self.server.clone().oneshot(request).await.unwrap()
    }

    async fn try_token(&self, token: &str) -> (u16, String) {
        challenge(&self.send(post(Some(token), &list_tools())).await)
    }

    async fn try_authorization(&self, value: &str) -> Response {
        let mut request = post(None, &list_tools());
        let value = value.parse().unwrap();
        request.headers_mut().insert("authorization", value);
        self.send(request).await
    }
}

fn challenge(response: &Response) -> (u16, String) {
    let header = response.headers().get("www-authenticate");
    (
        response.status().as_u16(),
        header.map_or(String::new(), |value| value.to_str().unwrap().to_owned()),
    )
}

fn refused(why: &str) -> (u16, String) {
    let text = format!(
        "Bearer error=\"invalid_token\", error_description=\"{why}\", resource_metadata=\"{METADATA_URL}\""
    );
    (401, text)
}

/// `null` in the patch takes a member away.
fn patched(mut value: Value, patch: &Value) -> Value {
    for (name, new) in patch.as_object().unwrap() {
        if new.is_null() {
            value.as_object_mut().unwrap().shift_remove(name);
        } else {
            value[name] = new.clone();
        }
    }
    value
}

#[tokio::test]
async fn without_a_token_the_caller_is_told_where_to_sign_in() {
    let bench = Bench::start().await;
    let response = bench.send(post(None, &list_tools())).await;
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        format!("Bearer resource_metadata=\"{METADATA_URL}\"")
    );
    assert_eq!(text(response).await, "");
}

#[rstest]
#[case::no_token("Bearer", 400)]
#[case::blank_token("Bearer   ", 400)]
#[case::not_text("Bearer \u{e9}", 400)]
#[tokio::test]
async fn a_bearer_without_a_token_is_a_bad_request(#[case] value: &str, #[case] status: u16) {
    let response = Bench::start().await.try_authorization(value).await;
    assert_eq!(response.status(), status);
    assert!(!response.headers().contains_key("www-authenticate"));
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn another_scheme_is_refused() {
    let response = Bench::start().await.try_authorization("Basic eDp5").await;
    assert_eq!(
        challenge(&response),
        refused("Unsupported authentication scheme")
    );
}

#[rstest]
#[case::algorithm_none(json!({"alg": "none"}), json!({}), "Unsupported JWT algorithm: none")]
#[case::algorithm_ps256(json!({"alg": "PS256"}), json!({}), "Unsupported JWT algorithm: PS256")]
#[case::algorithm_es256(json!({"alg": "ES256"}), json!({}), "Unsupported JWT algorithm: ES256")]
#[case::algorithm_hs256(json!({"alg": "HS256"}), json!({}), "Unsupported JWT algorithm: HS256")]
#[case::algorithm_hostile(json!({"alg": "x\"\r\ny"}), json!({}), "Unsupported JWT algorithm: xy")]
#[case::critical(json!({"crit": ["exp"], "exp": NOW}), json!({}), "Unsupported critical header")]
#[case::kid_missing(json!({"kid": null}), json!({}), "JWT missing key id (kid) header")]
#[case::issuer_missing(json!({}), json!({"iss": null}), "JWT missing issuer (iss) claim")]
#[case::issuer_foreign(json!({}), json!({"iss": "https://evil.example"}), "Untrusted issuer")]
#[case::subject_missing(json!({}), json!({"sub": null}), "JWT missing subject (sub) claim")]
#[case::expiry_missing(json!({}), json!({"exp": null}), "JWT missing expiration (exp) claim")]
#[case::issued_missing(json!({}), json!({"iat": null}), "JWT missing issued at (iat) claim")]
#[case::client_missing(json!({}), json!({"client_id": null}), "JWT missing client_id claim")]
#[case::audience_missing(json!({}), json!({"aud": null}), "JWT missing audience (aud) claim")]
#[case::audience_empty(json!({}), json!({"aud": []}), "JWT missing audience (aud) claim")]
#[case::audience_other(json!({}), json!({"aud": "http://localhost:8000"}), "Audience mismatch")]
#[case::audience_slash(json!({}), json!({"aud": "http://localhost:8000/mcp/"}), "Audience mismatch")]
#[case::audience_other_first(json!({}), json!({"aud": ["https://other.example", RESOURCE]}), "Token not intended for resource")]
#[case::expired(json!({}), json!({"exp": NOW - 1}), "Token expired")]
#[case::expired_this_second(json!({}), json!({"exp": NOW}), "Token expired")]
#[case::not_yet(json!({}), json!({"nbf": NOW + 1}), "Token not yet valid")]
#[case::not_before_no_number(json!({}), json!({"nbf": "2000-01-01"}), "Malformed not before (nbf) claim")]
#[case::key_unknown(json!({"kid": "k2"}), json!({}), "Unknown signing key")]
#[tokio::test]
async fn a_token_that_fails_a_check_is_refused_with_the_reason(
    #[case] header: Value,
    #[case] claims: Value,
    #[case] why: &str,
) {
    let bench = Bench::start().await;
    let token = sign(
        &patched(good_header(), &header),
        &patched(good_claims(&bench.zone.url), &claims),
    );
    assert_eq!(bench.try_token(&token).await, refused(why));
}

#[rstest]
#[case::as_it_should_be(json!({}), json!({}))]
#[case::typ_absent(json!({"typ": null}), json!({}))]
#[case::typ_jwt(json!({"typ": "JWT"}), json!({}))]
#[case::no_scope(json!({}), json!({"scope": null}))]
#[case::audience_list(json!({}), json!({"aud": [RESOURCE, "https://other.example"]}))]
#[case::issued_in_the_future(json!({}), json!({"iat": NOW + 100}))]
#[case::fractions_of_seconds(json!({}), json!({"exp": 1_795_510_800.5}))]
#[tokio::test]
async fn a_token_that_passes_gets_in(#[case] header: Value, #[case] claims: Value) {
    let bench = Bench::start().await;
    let token = sign(
        &patched(good_header(), &header),
        &patched(good_claims(&bench.zone.url), &claims),
    );
    assert_eq!(bench.try_token(&token).await, (200, String::new()));
}

#[tokio::test]
async fn an_issuer_with_a_slash_more_is_another_issuer() {
    let bench = Bench::start().await;
    let claims = good_claims(&format!("{}/", bench.zone.url));
    let answer = bench.try_token(&sign(&good_header(), &claims)).await;
    assert_eq!(answer, refused("Untrusted issuer"));
}

#[rstest]
#[case("opaque")]
#[case("a.b")]
#[case("a.b.c")]
#[case("a.b.c.d")]
#[case("e30.e30.!")]
#[tokio::test]
async fn what_is_no_jwt_is_malformed(#[case] token: &str) {
    let bench = Bench::start().await;
    assert_eq!(bench.try_token(token).await, refused("Malformed JWT"));
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let bench = Bench::start().await;
    let token = bench.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = sign(&good_header(), &json!({"sub": "somebody else"}));
    let foreign = other.rsplit_once('.').unwrap().1;
    assert_ne!(signature, foreign);
    let answer = bench.try_token(&format!("{signed}.{foreign}")).await;
    assert_eq!(answer, refused("Invalid signature"));
}

#[tokio::test]
async fn the_other_name_of_this_computer_is_another_resource() {
    let bench = Bench::start().await;
    let mut request = post(Some(&bench.token()), &list_tools());
    let host = "127.0.0.1:8000".parse().unwrap();
    request.headers_mut().insert("host", host);
    let answer = challenge(&bench.send(request).await);
    assert_eq!(answer, refused("Token not intended for resource"));
}

#[tokio::test]
async fn what_can_be_refused_without_the_zone_does_not_ask_it() {
    let bench = Bench::start().await;
    for claims in [
        json!({"iss": "https://evil.example"}),
        json!({"exp": 1}),
        json!({"aud": "x"}),
    ] {
        let claims = patched(good_claims(&bench.zone.url), &claims);
        bench.try_token(&sign(&good_header(), &claims)).await;
    }
    assert_eq!(bench.zone.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_key_is_kept_for_five_minutes_and_the_metadata_for_an_hour() {
    let bench = Bench::start().await;
    let token = bench.token();
    for _ in 0..3 {
        assert_eq!(bench.try_token(&token).await.0, 200);
    }
    let both = [
        "GET /.well-known/oauth-authorization-server",
        "GET /openidconnect/jwks",
    ];
    assert_eq!(bench.zone.lines(), both);
    bench.clock.advance(TimeDelta::minutes(5));
    bench.try_token(&token).await;
    assert_eq!(bench.zone.lines(), [both[0], both[1], both[1]]);
    bench.clock.advance(TimeDelta::minutes(54));
    bench.try_token(&token).await;
    bench.clock.advance(TimeDelta::minutes(5));
    let late = patched(good_claims(&bench.zone.url), &json!({"exp": NOW + 100_000}));
    assert_eq!(bench.try_token(&sign(&good_header(), &late)).await.0, 200);
    assert_eq!(
        bench.zone.lines()[3..],
        [both[1], both[0], both[1]],
        "the metadata is asked for again after an hour"
    );
}

#[tokio::test]
async fn strangers_keys_do_not_make_the_zone_work() {
    let bench = Bench::start().await;
    let claims = good_claims(&bench.zone.url);
    for number in 0..20 {
        let header = json!({"alg": "RS256", "kid": format!("stranger-{number}")});
        let answer = bench.try_token(&sign(&header, &claims)).await;
        assert_eq!(answer, refused("Unknown signing key"));
    }
    assert_eq!(bench.zone.lines().len(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_is_forgotten() {
    let bench = Bench::start().await;
    assert_eq!(bench.try_token(&bench.token()).await.0, 200);
    bench.zone.answers(|request| match request.line.as_str() {
        "GET /openidconnect/jwks" => (200, json!({"keys": [jwk("k2")]}).to_string()),
        _ => zone(request),
    });
    // At once, though the keys were fetched just now.
    let new = sign(
        &json!({"alg": "RS256", "kid": "k2"}),
        &good_claims(&bench.zone.url),
    );
    assert_eq!(bench.try_token(&new).await.0, 200);
    let answer = bench.try_token(&bench.token()).await;
    assert_eq!(answer, refused("Unknown signing key"));
    // That one was asked for and is not there; now the zone has peace for ten seconds.
    let asked = bench.zone.lines().len();
    bench.clock.advance(TimeDelta::seconds(9));
    bench.try_token(&bench.token()).await;
    assert_eq!(bench.zone.lines().len(), asked);
    bench.clock.advance(TimeDelta::seconds(1));
    bench.try_token(&bench.token()).await;
    assert_eq!(bench.zone.lines().len(), asked + 1);
}

#[rstest]
#[case::broken(500, "<html>oops</html>")]
#[case::html(200, "<html>hello</html>")]
#[case::no_keys(200, "{}")]
#[tokio::test]
async fn a_zone_that_gives_no_keys_makes_the_server_unavailable_for_now(
    #[case] status: u16,
    #[case] body: &'static str,
) {
    let bench = Bench::start().await;
    bench
        .zone
        .answers(move |request| match request.line.as_str() {
            "GET /openidconnect/jwks" => (status, body.to_owned()),
            _ => zone(request),
        });
    let response = bench.send(post(Some(&bench.token()), &list_tools())).await;
    assert_eq!(response.status(), 503);
    assert_eq!(
        text(response).await,
        r#"{"error":"temporarily_unavailable"}"#
    );

    bench.zone.answers(zone);
    assert_eq!(bench.try_token(&bench.token()).await.0, 503);
    bench.clock.advance(TimeDelta::seconds(1));
    let answer = bench.try_token(&bench.token()).await;
    assert_eq!(answer.0, 200, "and then it is back");
}

#[rstest]
#[case::issuer(json!({"issuer": "https://evil.example"}))]
#[case::keys_elsewhere(json!({"jwks_uri": "http://127.0.0.1:1/keys"}))]
#[case::keys_on_localhost(json!({"jwks_uri": "http://localhost:1/keys"}))]
#[tokio::test]
async fn metadata_that_lies_is_not_believed(#[case] lie: Value) {
    let bench = Bench::start().await;
    bench.zone.answers(move |request| {
        let base = format!("http://{}", request.headers["host"]);
        (200, patched(metadata(&base), &lie).to_string())
    });
    assert_eq!(bench.try_token(&bench.token()).await.0, 503);
    assert_eq!(
        bench.zone.lines().len(),
        1,
        "its keys are not even asked for"
    );
}

#[tokio::test]
async fn the_resource_is_described_to_any_web_page() {
    let bench = Bench::start().await;
    for path in [
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource",
    ] {
        let request = Request::get(path)
            .header("host", "127.0.0.1:8000")
            .header("origin", "https://page.example")
            .body(Body::empty())
            .unwrap();
        let response = bench.send(request).await;
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let document: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(
            document,
            json!({
                "resource": RESOURCE,
                "authorization_servers": [bench.zone.url],
                "scopes_supported": ["read", "issues:create"],
                "resource_name": "Support Escalation MCP",
            })
        );
    }
}

#[tokio::test]
async fn the_zones_metadata_is_passed_on_with_the_resource() {
    let bench = Bench::start().await;
    let ask = || {
        Request::get("/.well-known/oauth-authorization-server")
            .body(Body::empty())
            .unwrap()
    };
    bench.zone.answers(|_| (503, String::new()));
    let response = bench.send(ask()).await;
    assert_eq!(response.status(), 502);
    assert_eq!(
        text(response).await,
        r#"{"error":"Failed to fetch AS metadata from issuer"}"#
    );
    bench.zone.answers(zone);
    for _ in 0..2 {
        let document: Value = serde_json::from_str(&text(bench.send(ask()).await).await).unwrap();
        assert_eq!(
            document["authorization_endpoint"],
            format!(
                "{}/oauth/2/authorize?resource=http%3A%2F%2Flocalhost%3A8000",
                bench.zone.url
            )
        );
    }
    let asked = bench.zone.lines();
    assert_eq!(asked.len(), 2, "what was answered is kept: {asked:?}");
}

/// While the zone hangs, whoever waits for their turn to ask it is told what the first one found.
#[tokio::test]
async fn who_waits_for_the_zone_waits_for_one_answer() {
    let bench = Bench::start().await;
    bench.zone.answers(|_| (503, String::new()));
    let ask = || {
        let request = Request::get("/.well-known/oauth-authorization-server");
        bench.send(request.body(Body::empty()).unwrap())
    };
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    for response in [one, two, three] {
        assert_eq!(response.status(), 502);
    }
    assert_eq!(bench.zone.lines().len(), 1);
    assert_eq!(ask().await.status(), 502);
    assert_eq!(bench.zone.lines().len(), 2, "a failure is not kept");
}

#[rstest]
#[case("GET")]
#[case("DELETE")]
#[case("PUT")]
#[tokio::test]
async fn what_is_not_post_is_refused_without_asking_who_calls(#[case] method: &str) {
    let bench = Bench::start().await;
    let request = Request::builder()
        .method(method)
        .uri("/mcp")
        .header("host", "localhost:8000")
        .body(Body::empty())
        .unwrap();
    let response = bench.send(request).await;
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "POST");
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["error"]["code"], -32000);
    assert_eq!(
        body["error"]["message"],
        "Method Not Allowed: stateless server, use POST /mcp"
    );
}

#[rstest]
#[case("host", "evil.example")]
#[case("origin", "https://evil.example")]
#[case("origin", "null")]
#[tokio::test]
async fn a_foreign_host_or_page_is_kept_out(#[case] header: &'static str, #[case] value: &str) {
    let bench = Bench::start().await;
    let mut request = post(Some(&bench.token()), &list_tools());
    request.headers_mut().insert(header, value.parse().unwrap());
    let status = bench.send(request).await.status();
    assert!(matches!(status.as_u16(), 401 | 403), "{status}");
}
