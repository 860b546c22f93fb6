//! The zone's heart: who gets which credential, who is refused and why, and that no credential
//! leaves without its durable row.

#[path = "zone_fixture/office.rs"]
mod office;

#[path = "zone_exchange/conditions.rs"]
mod conditions;
#[path = "zone_exchange/durable.rs"]
mod durable;
#[path = "zone_exchange/impersonation.rs"]
mod impersonation;
#[path = "zone_exchange/policies.rs"]
mod policies;
#[path = "zone_exchange/starts.rs"]
mod starts;

use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        audit::{AuditStatus, CredentialSource, Effect},
        console::Consent,
        oauth::ErrorCode,
    },
    zone::{
        directory::{Application, Change, Kind, pair},
        seed::{FirstPolicy, id},
    },
};
use office::*;

#[tokio::test]
async fn an_escalation_gets_its_four_credentials_and_a_deletion_gets_none() {
    let office = office(FirstPolicy::Limited).await;
    let supabase = office.exchange(SUPABASE, None).await.unwrap();
    assert_eq!(supabase.access_token.expose(), SUPABASE_KEY);
    assert_eq!(supabase.scope, None);
    let anthropic = office.exchange(ANTHROPIC, None).await.unwrap();
    assert_eq!(anthropic.access_token.expose(), ANTHROPIC_KEY);
    for scope in ["read", "issues:create"] {
        let linear = office.exchange(LINEAR, Some(scope)).await.unwrap();
        assert_eq!(linear.access_token.expose(), LINEAR_TOKEN);
        assert_eq!(linear.scope.as_deref(), Some(scope));
    }
    let refused = office.exchange(LINEAR, Some("write")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::AccessDenied);
    assert_eq!(
        refused.description,
        "Access denied by policy. Policy set: workshop-policies. Policy set version: 1. \
         Determining policies: workshop-policies::limit-linear-scopes."
    );

    let rows: Vec<_> = office
        .audit()
        .await
        .iter()
        .map(|row| {
            (
                row.sequence,
                row.resource.as_ref().unwrap().name.clone(),
                row.scopes.join(" "),
                row.status,
                row.credential.as_ref().map(|c| c.source),
            )
        })
        .collect();
    let issued = AuditStatus::Issued;
    let vault = Some(CredentialSource::KeycardVault);
    let external = Some(CredentialSource::External);
    assert_eq!(
        rows,
        [
            (1, "Supabase Database".into(), String::new(), issued, vault),
            (2, "Anthropic API".into(), String::new(), issued, vault),
            (3, "Linear API".into(), "read".into(), issued, external),
            (
                4,
                "Linear API".into(),
                "issues:create".into(),
                issued,
                external
            ),
            (
                5,
                "Linear API".into(),
                "write".into(),
                AuditStatus::Failure,
                None
            ),
        ]
    );
}

#[tokio::test]
async fn a_row_says_who_acted_for_whom_and_what_decided() {
    let office = office(FirstPolicy::Limited).await;
    let credential = office.exchange(LINEAR, Some("read")).await.unwrap();
    office.exchange(LINEAR, Some("write")).await.unwrap_err();
    let rows = office.audit().await;

    let row = &rows[0];
    assert_eq!(
        row.actor.application.as_ref().unwrap().name,
        "Support Escalation MCP"
    );
    assert_eq!(
        row.actor.application.as_ref().unwrap().identifier,
        office.seeded.client_id
    );
    assert_eq!(
        row.actor.user.as_ref().unwrap().name,
        "marisol@example.test"
    );
    assert_eq!(row.session_id.as_deref(), Some(SESSION));
    assert!(row.trace_parent.is_some());
    assert_eq!(
        row.credential.as_ref().unwrap().fingerprint(),
        credential.access_token.fingerprint()
    );
    let decision = row.decision.as_ref().unwrap();
    assert_eq!(decision.effect, Effect::Allow);
    assert_eq!(
        decision.determining,
        [
            "workshop-policies::default-app-delegation",
            "workshop-policies::default-user-grants"
        ]
    );

    let row = &rows[1];
    assert_eq!(row.error.as_deref(), Some("access_denied"));
    let decision = row.decision.as_ref().unwrap();
    assert_eq!(decision.effect, Effect::Deny);
    assert_eq!(
        decision.determining,
        ["workshop-policies::limit-linear-scopes"]
    );
}

#[tokio::test]
async fn with_the_defaults_alone_any_scope_is_issued() {
    let office = office(FirstPolicy::Defaults).await;
    for scope in ["write", "admin", "no-such-scope"] {
        office.exchange(LINEAR, Some(scope)).await.unwrap();
    }
}

#[tokio::test]
async fn under_the_limit_asking_for_no_scope_or_for_one_too_many_is_refused() {
    let office = office(FirstPolicy::Limited).await;
    for scope in [None, Some("read write"), Some("")] {
        let refused = office.exchange(LINEAR, scope).await.unwrap_err();
        assert!(
            refused.description.ends_with("::limit-linear-scopes."),
            "{refused:?}"
        );
    }
    office
        .exchange(LINEAR, Some("issues:create read"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_zone_signed_credential_is_a_token_for_that_resource_and_person() {
    let office = office(FirstPolicy::Limited).await;
    let issued = office.exchange(SERVER, Some("read")).await.unwrap();
    let state = office.zone.state();
    let claims = state.tokens.verify(&key(), &issued.access_token).unwrap();
    assert_eq!(claims.aud, SERVER);
    assert_eq!(claims.sub, "kc-user-marisol");
    assert_eq!(claims.client_id, office.seeded.client_id);
    assert_eq!(claims.keycard_app_id.as_deref(), Some(id::APPLICATION));
    assert_eq!(claims.sid.as_deref(), Some(SESSION));
    assert_eq!(issued.expires_in, Some(3_600));
}

#[tokio::test]
async fn an_application_with_implicit_consent_needs_a_grant_only_for_somebody_elses_token() {
    let office = office(FirstPolicy::Limited).await;
    let directory = office.zone.state().directory();
    office
        .change(vec![
            Change::put(Application {
                consent: Consent::Implicit,
                ..(*directory.applications[id::APPLICATION]).clone()
            }),
            Change::Delete(Kind::Grant, pair(USER, id::SUPABASE)),
            Change::Delete(Kind::Grant, pair(USER, id::LINEAR)),
        ])
        .await;
    office.exchange(SUPABASE, None).await.unwrap();
    let refused = office.exchange(LINEAR, Some("read")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InsufficientAuthorization);
}

#[tokio::test]
async fn an_upstream_token_ends_when_its_provider_said() {
    let office = office(FirstPolicy::Limited).await;
    let mut ending = grant(&office, id::LINEAR);
    ending.expires_at = Some(office.zone.state().config.clock.now() + TimeDelta::minutes(5));
    office.change(vec![Change::put(ending)]).await;
    let issued = office.exchange(LINEAR, Some("read")).await.unwrap();
    assert_eq!(issued.expires_in, Some(300));
    office.clock.advance(TimeDelta::minutes(5));
    let refused = office.exchange(LINEAR, Some("read")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InsufficientAuthorization);
}
