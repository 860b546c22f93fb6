//! Who is kept out of the management API.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use hoptrail::{
    protocol::{basic, console::Page, secret::Secret},
    zone::seed::FirstPolicy,
};
use rstest::rstest;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{api::Api, office::*};

#[rstest]
#[case::no_token(&[("host", "127.0.0.1:4100")], 401)]
#[case::wrong_token(&[("host", "127.0.0.1:4100"), ("authorization", "Bearer nope")], 401)]
#[case::other_scheme(&[("host", "127.0.0.1:4100"), ("authorization", "Basic bm9wZQ==")], 401)]
#[case::rebound_name(&[("host", "evil.example")], 403)]
#[case::no_host(&[], 403)]
#[case::foreign_page(&[("host", "127.0.0.1:4100"), ("origin", "https://evil.example")], 403)]
#[case::sandboxed_page(&[("host", "127.0.0.1:4100"), ("origin", "null")], 403)]
#[case::local_page(&[("host", "127.0.0.1:4100"), ("origin", "http://localhost:6274")], 401)]
#[tokio::test]
async fn strangers_are_kept_out(#[case] headers: &[(&str, &str)], #[case] status: u16) {
    let office = office(FirstPolicy::Limited).await;
    for path in ["/zones/lab/resources", "/hoptrail/events"] {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = office
            .zone
            .router()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
}

#[rstest]
#[case::wrong_secret("grant_type=client_credentials&client_id=x&client_secret=y", 401)]
#[case::nobody("grant_type=client_credentials", 401)]
#[case::other_grant("grant_type=password", 400)]
#[case::no_grant("client_id=x", 400)]
#[tokio::test]
async fn the_service_account_is_asked_for_its_secret(
    #[case] form: &'static str,
    #[case] status: u16,
) {
    let office = office(FirstPolicy::Limited).await;
    let answer = office
        .zone
        .router()
        .oneshot(
            Request::post("/service-account-token")
                .header(header::HOST, "localhost:4100")
                .body(Body::from(form))
                .unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), status);
}

/// RFC 6749, section 2.3.1 has both parts form-encoded; the account's id holds a colon.
#[rstest]
#[case::encoded(basic::encoded, "", 200)]
#[case::raw(basic::plain, "", 200)]
#[case::wrong(basic::encoded, "x", 401)]
#[tokio::test]
async fn the_service_account_may_say_who_it_is_in_the_header(
    #[case] written: fn(&str, &Secret) -> Secret,
    #[case] added: &str,
    #[case] status: u16,
) {
    let office = office(FirstPolicy::Limited).await;
    let credential = office.zone.console_credential();
    let secret = Secret::new(format!("{}{added}", credential.client_secret.expose()));
    let pair = written(&credential.client_id, &secret);
    let answer = office
        .zone
        .router()
        .oneshot(
            Request::post("/service-account-token")
                .header(header::HOST, "localhost:4100")
                .header(header::AUTHORIZATION, format!("Basic {}", pair.expose()))
                .body(Body::from("grant_type=client_credentials"))
                .unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), status);
}

#[tokio::test]
async fn a_service_account_token_ends_after_an_hour() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    office.clock.advance(chrono::TimeDelta::minutes(61));
    let (status, _) = api.send("GET", "/zones/lab/resources", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_zone_is_not_here() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    for path in ["/zones/other", "/zones/other/resources"] {
        let (status, _) = api.send("GET", path, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    let zones: Page<Value> = api.get("/zones").await;
    assert_eq!(zones.items[0]["id"], "lab");
    assert_eq!(zones.items[0]["issuer"], ISSUER);
}
