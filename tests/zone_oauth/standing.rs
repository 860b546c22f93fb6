//! A code or a refresh token gives a token only as long as what was agreed to stands.

use axum::http::StatusCode;
use chrono::TimeDelta;
use hoptrail::{
    protocol::console::{LifeStatus, Resource},
    zone::directory::{Change, Grant},
};
use serde_json::json;

use crate::{
    browser::{Browser, authorize_url},
    harness::{Lab, MCP, SUPABASE, query, resource},
};

async fn withdraw(lab: &Lab, resource: &str) {
    let directory = lab.zone.state().directory();
    let grant = directory
        .grants
        .values()
        .find(|grant| grant.resource_id == resource)
        .unwrap();
    lab.change(vec![Change::put(Grant {
        status: LifeStatus::Revoked,
        ..Grant::clone(grant)
    })])
    .await;
}

/// A signed-in client: its refresh token.
async fn refresh_token(lab: &Lab, client: &str) -> String {
    let answer = Browser::of(lab).sign_in(client).await;
    let tokens = lab.redeem(client, &answer["code"]).await.json();
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_the_consent_neither_a_code_nor_a_refresh_token_gives_anything() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    let tokens = lab.redeem(&client, &answer["code"]).await.json();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let silent = browser.visit(&authorize_url(&client, &[])).await;
    withdraw(&lab, "r-mcp").await;
    let code = &query(&silent.location())["code"];
    assert_eq!(lab.redeem(&client, code).await.error(), "invalid_grant");
    assert_eq!(lab.refresh(&client, refresh).await.error(), "invalid_grant");
    // Agreed to again, the refresh token is as good as it was.
    let page = browser.visit(&authorize_url(&client, &[])).await;
    browser.submit(&page).await;
    let fine = lab.refresh(&client, refresh).await;
    assert_eq!(fine.status, StatusCode::OK, "{}", fine.body);
}

#[tokio::test]
async fn a_resource_that_the_zone_signs_nothing_for_any_more_gets_nothing_signed() {
    for provider in [Some("p-vault"), None] {
        let lab = Lab::open().await;
        let client = lab.register().await;
        let refresh = refresh_token(&lab, &client).await;
        lab.change(vec![resource(
            "r-mcp",
            "Workshop MCP Server",
            MCP,
            provider,
            &[],
        )])
        .await;
        let refused = lab.refresh(&client, &refresh).await;
        assert_eq!(refused.error(), "invalid_target", "{provider:?}");
    }
}

#[tokio::test]
async fn a_resource_that_gets_the_id_of_a_deleted_one_gets_none_of_its_tokens() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let refresh = refresh_token(&lab, &client).await;
    let gone = lab
        .as_console("DELETE", "/resources/r-mcp", &json!({}))
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.body);
    let payroll = "https://payroll.example/mcp";
    lab.change(vec![resource(
        "r-mcp",
        "Payroll",
        payroll,
        Some("p-sts"),
        &[],
    )])
    .await;
    let refused = lab.refresh(&client, &refresh).await;
    assert_eq!(refused.error(), "invalid_grant", "{}", refused.body);
    assert!(refused.body.contains("revoked"), "{}", refused.body);
}

#[tokio::test]
async fn a_code_used_twice_is_noticed_as_long_as_its_token_lives() {
    let lab = Lab::open().await;
    let directory = lab.zone.state().directory();
    lab.change(vec![Change::put(Resource {
        credential_lifetime_seconds: Some(86_400),
        ..Resource::clone(&directory.resources["r-mcp"])
    })])
    .await;
    let client = lab.register().await;
    let answer = Browser::of(&lab).sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    lab.clock.advance(TimeDelta::hours(5));
    // Which sweeps what has run out.
    Browser::of(&lab).visit(&authorize_url(&client, &[])).await;
    lab.exchange(&token, SUPABASE).await.token();
    lab.redeem(&client, &answer["code"]).await;
    let refused = lab.exchange(&token, SUPABASE).await;
    assert_eq!(refused.error(), "invalid_grant", "{}", refused.body);
}
