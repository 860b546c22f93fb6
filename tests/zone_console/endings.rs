//! What ends a session, a consent or an application, and what goes with it.

use axum::http::StatusCode;
use hoptrail::{
    protocol::{
        audit::AuditEvent,
        console::{LifeStatus, Page, Session},
        oauth::ErrorCode,
    },
    zone::{
        directory::{ApplicationCredential, Change},
        exchange::exchange,
        seed::{FirstPolicy, id},
    },
};
use serde_json::json;

use crate::{api::Api, office::*};

async fn give_the_session_a_child(office: &Office) {
    let mut child = (*office.zone.state().directory().sessions[SESSION]).clone();
    child.id = "session-2".into();
    child.parent_id = Some(SESSION.into());
    office.change(vec![Change::put(child)]).await;
}

#[tokio::test]
async fn a_revoked_session_ends_with_what_came_of_it() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    give_the_session_a_child(&office).await;
    office.exchange(SUPABASE, None).await.unwrap();
    let (status, body) = api
        .send(
            "PATCH",
            "/zones/lab/sessions/session-1",
            Some(json!({"status": "revoked"})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let refused = office.exchange(SUPABASE, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
    let page: Page<Session> = api.get("/zones/lab/sessions?status=revoked").await;
    assert_eq!(page.items.len(), 2);
    assert_eq!(
        page.items[0].user_name.as_deref(),
        Some("marisol@example.test")
    );
    let page: Page<Session> = api.get("/zones/lab/sessions?status=active").await;
    assert!(page.items.is_empty());
}

#[tokio::test]
async fn a_deleted_session_is_gone_with_what_came_of_it() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    give_the_session_a_child(&office).await;
    let path = "/zones/lab/sessions/session-1";
    let (status, body) = api.send("DELETE", path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let page: Page<Session> = api.get("/zones/lab/sessions").await;
    assert!(page.items.is_empty());
    let refused = office.exchange(SUPABASE, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
    let (status, _) = api.send("DELETE", path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_session_that_ran_out_says_so() {
    let office = office(FirstPolicy::Limited).await;
    office.clock.advance(chrono::TimeDelta::days(31));
    let api = Api::of(&office.zone).await;
    let session: Session = api.get("/zones/lab/sessions/session-1").await;
    assert_eq!(session.status, LifeStatus::Expired);
}

#[tokio::test]
async fn a_revoked_consent_forgets_the_upstream_token() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let (status, body) = api
        .send(
            "PATCH",
            "/zones/lab/delegated-grants/grant-linear-api",
            Some(json!({"status": "revoked"})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["status"], "revoked");
    let directory = office.zone.state().directory();
    let grant = directory.grant(USER, id::LINEAR).unwrap();
    assert_eq!(grant.access_token, None);
    let refused = office.exchange(LINEAR, Some("read")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InsufficientAuthorization);
    let rows = office.audit().await;
    assert_eq!(rows[0].event, AuditEvent::DelegatedGrantsRevoke);
    let user = rows[0].actor.user.as_ref().unwrap();
    assert_eq!(user.name, "marisol@example.test");
}

#[tokio::test]
async fn a_deleted_application_takes_its_credentials_along() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let request = office.request(SUPABASE, None);
    let path = format!("/zones/lab/applications/{}", id::APPLICATION);
    let (status, _) = api.send("DELETE", &path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let directory = office.zone.state().directory();
    assert!(directory.application_credentials.is_empty());
    assert!(directory.dependencies.is_empty());
    assert_eq!(directory.resources[id::MCP_SERVER].application_id, None);
    // A request that had authenticated just before.
    let _: &ApplicationCredential = &request.credential;
    let refused = exchange(office.zone.state(), request).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidClient);
}
