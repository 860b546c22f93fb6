//! The tokens that a provider gave for a person: renewed before an exchange hands them out.

use chrono::TimeDelta;
use hoptrail::{
    protocol::page::PageKind,
    zone::directory::{Change, Grant, Provider, ProviderOAuth, Resource},
};
use rstest::rstest;
use serde_json::json;

use crate::{
    browser::{Browser, authorize_url},
    harness::{LINEAR, Lab, query},
};

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
async fn who_goes_away_while_a_token_is_refreshed_costs_nobody_the_new_one() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    end_linears_token(&lab).await;
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": "lin_oauth_second", "expires_in": 3_600,
               "refresh_token": "lin_refresh_second"}),
    ));
    let asked = || lab.upstreams.linear_forms.lock().unwrap().len();
    let (before, held) = (asked(), lab.upstreams.hold_linear());
    tokio::select! {
        answer = lab.exchange(&token, LINEAR) => panic!("{answer:?}"),
        () = async {
            while asked() == before {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    // The one who asked is gone, and Linear answers.
    held.notify_one();
    let linear = lab.exchange(&token, LINEAR).await.json();
    assert_eq!(linear["access_token"], "lin_oauth_second", "{linear}");
    assert_eq!(asked(), before + 1, "what it gave was kept");
}

#[tokio::test]
async fn a_target_that_is_named_by_audience_is_renewed_too() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    end_linears_token(&lab).await;
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": "lin_oauth_second", "expires_in": 3_600}),
    ));
    let linear = lab.exchange_by("audience", &token, LINEAR).await;
    assert_eq!(
        linear.json()["access_token"],
        "lin_oauth_second",
        "{}",
        linear.body
    );
}

#[rstest]
#[case(503, json!({"error": "temporarily_unavailable"}))]
#[case(400, json!({"error": "invalid_request"}))]
#[case(401, json!({"error": "invalid_client"}))]
#[case(500, json!("no JSON of a token endpoint"))]
#[tokio::test]
async fn a_provider_that_fails_in_passing_does_not_cost_the_person_their_consent(
    #[case] status: u16,
    #[case] said: serde_json::Value,
) {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    end_linears_token(&lab).await;
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": "lin_oauth_short", "expires_in": 40,
               "refresh_token": "lin_refresh_second"}),
    ));
    assert_eq!(
        lab.exchange(&token, LINEAR).await.json()["access_token"],
        "lin_oauth_short"
    );
    lab.clock.advance(TimeDelta::seconds(50));
    *lab.upstreams.linear_answer.lock().unwrap() = Some((status, said));
    let refused = lab.exchange(&token, LINEAR).await;
    assert_eq!(refused.error(), "server_error", "{}", refused.body);
    assert!(refused.body.contains("try again"), "{}", refused.body);
    let row = lab.audit().await.pop().unwrap();
    assert_eq!(row.error.as_deref(), Some("server_error"));
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": "lin_oauth_third", "expires_in": 3_600}),
    ));
    assert_eq!(
        lab.exchange(&token, LINEAR).await.json()["access_token"],
        "lin_oauth_third"
    );
    let form = lab.upstreams.linear_forms.lock().unwrap().last().cloned();
    assert_eq!(form.unwrap()["refresh_token"], "lin_refresh_second");
}

#[rstest]
#[case::beyond_all_dates(9_000_000_000_000_000)]
#[case::beyond_all_lifetimes(i64::MAX)]
#[case::before_it_began(i64::MIN)]
#[tokio::test]
async fn a_lifetime_that_is_no_lifetime_is_as_good_as_none(#[case] expires_in: i64) {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    end_linears_token(&lab).await;
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": "lin_oauth_second", "expires_in": expires_in}),
    ));
    let linear = lab.exchange(&token, LINEAR).await.json();
    assert_eq!(linear["access_token"], "lin_oauth_second", "{linear}");
    assert!(linear.get("expires_in").is_none(), "{linear}");
}

/// As time would, but without ending the person's session and token too.
async fn end_linears_token(lab: &Lab) {
    let directory = lab.zone.state().directory();
    let grant = directory
        .grants
        .values()
        .find(|grant| grant.resource_id == "r-linear")
        .unwrap();
    lab.change(vec![Change::put(Grant {
        expires_at: Some(lab.zone.state().config.clock.now()),
        ..Grant::clone(grant)
    })])
    .await;
}

#[tokio::test]
async fn another_provider_gets_none_of_the_tokens_of_the_one_before() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    end_linears_token(&lab).await;
    let directory = lab.zone.state().directory();
    let linear = Provider::clone(&directory.providers["p-linear"]);
    lab.change(vec![
        Change::put(Provider {
            id: "p-other".into(),
            name: "Another".into(),
            oauth: linear.oauth.map(|oauth| ProviderOAuth {
                client_secret: None,
                ..oauth
            }),
            ..linear
        }),
        Change::put(Resource {
            credential_provider_id: Some("p-other".into()),
            ..Resource::clone(&directory.resources["r-linear"])
        }),
    ])
    .await;
    let asked = lab.upstreams.linear_forms.lock().unwrap().len();
    let refused = lab.exchange(&token, LINEAR).await;
    assert_eq!(refused.error(), "insufficient_authorization");
    assert_eq!(lab.upstreams.linear_forms.lock().unwrap().len(), asked);
    // The person is asked, and sent there.
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
    let there = browser.submit(&page).await.location();
    assert!(there.contains("/oauth/authorize?"), "{there}");
}

/// RFC 6749, section 6: who refreshes and is told no scope has the scopes of before.
#[tokio::test]
async fn a_refreshed_token_has_no_scope_that_was_added_to_the_resource_meanwhile() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    let directory = lab.zone.state().directory();
    let linear = &directory.resources["r-linear"];
    let ending = directory
        .grants
        .values()
        .find(|grant| grant.resource_id == linear.id)
        .unwrap();
    lab.change(vec![
        Change::put(Resource {
            scopes: vec!["read".into(), "admin".into()],
            ..Resource::clone(linear)
        }),
        Change::put(Grant {
            expires_at: Some(ending.created_at),
            ..Grant::clone(ending)
        }),
    ])
    .await;
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": "lin_oauth_second", "token_type": "Bearer"}),
    ));
    let read = lab.exchange_for(&token, LINEAR, "read").await;
    assert_eq!(read.token().expose(), "lin_oauth_second");
    let admin = lab.exchange_for(&token, LINEAR, "admin").await;
    assert_eq!(admin.error(), "insufficient_authorization");
}
