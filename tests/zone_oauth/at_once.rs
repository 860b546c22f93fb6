//! What is asked for at the same time, and must not leave behind what neither would alone.

use axum::http::StatusCode;
use hoptrail::protocol::{audit::AuditEvent, console::LifeStatus};
use serde_json::json;

use crate::{
    browser::{Browser, authorize_url},
    harness::{Lab, query},
};

/// The session at the person's browser.
fn web_session(lab: &Lab) -> String {
    let directory = lab.zone.state().directory();
    let session = directory
        .sessions
        .values()
        .find(|session| session.parent_id.is_none() && session.status == LifeStatus::Active);
    session.unwrap().id.clone()
}

#[tokio::test]
async fn a_session_that_is_ended_leaves_no_client_signed_in_that_was_just_signing_in() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    // The end comes earlier or later in the other's way from the request to the code.
    for turns in 0..24 {
        let mut browser = Browser::of(&lab);
        let page = browser.visit(&authorize_url(&client, &[])).await;
        let to_github = browser.submit(&page).await.location();
        let mut landed = browser.come_back(&to_github, &[("code", "gh-code")]).await;
        if turns == 0 {
            let to_linear = browser.submit(&landed).await.location();
            landed = browser.come_back(&to_linear, &[("code", "lin-code")]).await;
        }
        assert!(query(&landed.location()).contains_key("code"));
        let session = web_session(&lab);
        let end = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            lab.as_console(
                "PATCH",
                &format!("/sessions/{session}"),
                &json!({"status": "revoked"}),
            )
            .await
        };
        let silent = authorize_url(&client, &[]);
        let (_, ended) = tokio::join!(browser.get(&silent), end);
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.body);
        let directory = lab.zone.state().directory();
        let left = directory.sessions.values().find(|child| {
            child.parent_id.as_ref() == Some(&session) && child.status == LifeStatus::Active
        });
        assert!(left.is_none(), "after {turns} turns: {left:?}");
    }
}

#[tokio::test]
async fn two_sign_ins_at_once_write_each_grant_once() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let (mut one, mut other) = (Browser::of(&lab), Browser::of(&lab));
    let page = one.up_to_consent(&client).await;
    let beside = other.up_to_consent(&client).await;
    tokio::join!(one.submit(&page), other.submit(&beside));
    let rows = lab.audit().await;
    let mut granted: Vec<_> = rows
        .iter()
        .filter(|row| row.event == AuditEvent::DelegatedGrantsCreate)
        .map(|row| row.resource.as_ref().unwrap().name.as_str())
        .collect();
    granted.sort_unstable();
    assert_eq!(granted, ["Supabase Database", "Workshop MCP Server"]);
}
