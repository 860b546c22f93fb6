//! Each condition of an exchange, broken alone: its own error, its own row, no credential.

use chrono::TimeDelta;
use hoptrail::{
    protocol::{audit::AuditStatus, console::LifeStatus, oauth::ErrorCode, secret::Secret},
    zone::{
        directory::{
            ACTIVE, ApplicationCredential, Change, Kind, Resource, Session, VAULT_TOKEN,
            VaultSecret, pair,
        },
        exchange::{ExchangeRequest, exchange},
        seed::{FirstPolicy, id},
        tokens::SubProfile,
        vault::{Belongs, SecretHash},
    },
};

use crate::office::*;

/// What is done to an otherwise good request or zone.
enum Spoil {
    Request(fn(&Office, &mut ExchangeRequest)),
    Zone(fn(&Office) -> Vec<Change>),
}

#[tokio::test]
async fn each_broken_condition_is_refused_with_its_own_error_and_row() {
    use Spoil::{Request, Zone};
    let cases: &[(&str, Spoil, ErrorCode, &str)] = &[
        (
            "no token",
            Request(|_, r| r.subject_token = None),
            ErrorCode::InvalidRequest,
            "subject_token is missing.",
        ),
        (
            "no token type",
            Request(|_, r| r.subject_token_type = None),
            ErrorCode::InvalidRequest,
            "subject_token_type is missing.",
        ),
        (
            "other token",
            Request(|_, r| {
                r.subject_token_type = Some("urn:ietf:params:oauth:token-type:id_token".into());
            }),
            ErrorCode::InvalidRequest,
            "This subject_token_type cannot be exchanged here; it must be an access token.",
        ),
        (
            "other token wanted",
            Request(|_, r| {
                r.requested_token_type = Some("urn:ietf:params:oauth:token-type:saml2".into());
            }),
            ErrorCode::InvalidRequest,
            "Only access tokens are issued here.",
        ),
        (
            "actor token",
            Request(|_, r| r.actor_token = true),
            ErrorCode::InvalidRequest,
            "An actor_token is not accepted: the client itself is the actor.",
        ),
        (
            "no jwt",
            Request(|_, r| r.subject_token = Some("opaque".into())),
            ErrorCode::InvalidRequest,
            "The subject_token was not accepted: the token is no signed JWT.",
        ),
        (
            "expired",
            Zone(|o| {
                o.clock.advance(TimeDelta::hours(2));
                vec![]
            }),
            ErrorCode::InvalidRequest,
            "The subject_token was not accepted: the token has expired.",
        ),
        (
            "delegated",
            Request(|o, r| r.subject_token = Some(with_claim(o, "act"))),
            ErrorCode::InvalidRequest,
            "The subject_token is a delegated one (act or may_act) and cannot be exchanged again.",
        ),
        (
            "may act",
            Request(|o, r| r.subject_token = Some(with_claim(o, "may_act"))),
            ErrorCode::InvalidRequest,
            "The subject_token is a delegated one (act or may_act) and cannot be exchanged again.",
        ),
        (
            "application token",
            Request(|o, r| {
                r.subject_token = Some(o.token(|t| {
                    t.sub_profile = SubProfile::App;
                    t.sub = id::APPLICATION.into();
                }));
            }),
            ErrorCode::InvalidGrant,
            "The subject_token speaks for nobody in this zone.",
        ),
        (
            "unknown person",
            Request(|o, r| r.subject_token = Some(o.token(|t| t.sub = "x".into()))),
            ErrorCode::InvalidGrant,
            "The subject_token speaks for nobody in this zone.",
        ),
        (
            "no session",
            Request(|o, r| r.subject_token = Some(o.token(|t| t.session_id = None))),
            ErrorCode::InvalidGrant,
            "The session behind the subject_token has ended.",
        ),
        (
            "ended session",
            Zone(|o| {
                let directory = o.zone.state().directory();
                vec![Change::put(Session {
                    status: LifeStatus::Revoked,
                    ..(*directory.sessions[SESSION]).clone()
                })]
            }),
            ErrorCode::InvalidGrant,
            "The session behind the subject_token has ended.",
        ),
        (
            "somebody elses token",
            Request(|o, r| r.subject_token = Some(o.token(|t| t.resource = SUPABASE.into()))),
            ErrorCode::InvalidGrant,
            "Client is not allowed to exchange token for this resource",
        ),
        (
            "not provided",
            Zone(|o| {
                let directory = o.zone.state().directory();
                vec![Change::put(Resource {
                    application_id: None,
                    ..(*directory.resources[id::MCP_SERVER]).clone()
                })]
            }),
            ErrorCode::InvalidGrant,
            "Client is not allowed to exchange token for this resource",
        ),
        (
            "no resource",
            Request(|_, r| r.resources.clear()),
            ErrorCode::InvalidRequest,
            "resource is missing.",
        ),
        (
            "two resources",
            Request(|_, r| r.resources.push(LINEAR.into())),
            ErrorCode::InvalidTarget,
            "One request is for one resource.",
        ),
        (
            "audience disagrees",
            Request(|_, r| r.audience = Some(LINEAR.into())),
            ErrorCode::InvalidTarget,
            "One request is for one resource.",
        ),
        (
            "trailing slash",
            Request(|_, r| r.resources = vec![format!("{SUPABASE}/")]),
            ErrorCode::InvalidTarget,
            "Requested authorization for unknown resource http://127.0.0.1:9302/",
        ),
        (
            "hostile resource",
            Request(|_, r| r.resources = vec!["\u{1b}[2Jx".into()]),
            ErrorCode::InvalidTarget,
            "Requested authorization for unknown resource ␛[2Jx",
        ),
        (
            "no provider",
            Zone(|o| {
                let directory = o.zone.state().directory();
                vec![Change::put(Resource {
                    credential_provider_id: None,
                    ..(*directory.resources[id::SUPABASE]).clone()
                })]
            }),
            ErrorCode::InvalidTarget,
            "Resource \"Supabase Database\" is missing a credential provider",
        ),
        (
            "no dependency",
            Zone(|_| {
                vec![Change::Delete(
                    Kind::Dependency,
                    pair(id::APPLICATION, id::SUPABASE),
                )]
            }),
            ErrorCode::AccessDenied,
            "Application \"Support Escalation MCP\" is not allowed to access \"Supabase Database\".",
        ),
        (
            "no consent",
            Zone(|_| vec![Change::Delete(Kind::Grant, pair(USER, id::SUPABASE))]),
            ErrorCode::InsufficientAuthorization,
            "User consent is required.",
        ),
        (
            "consent withdrawn",
            Zone(|o| {
                let mut grant = grant(o, id::SUPABASE);
                grant.status = LifeStatus::Revoked;
                vec![Change::put(grant)]
            }),
            ErrorCode::InsufficientAuthorization,
            "User consent is required.",
        ),
        (
            "empty vault",
            Zone(|_| vec![Change::Delete(Kind::VaultSecret, id::SUPABASE.into())]),
            ErrorCode::InvalidTarget,
            "The vault holds no secret for \"Supabase Database\"",
        ),
        (
            "blank vault",
            Zone(|o| {
                let state = o.zone.state();
                let belongs = Belongs {
                    to: VAULT_TOKEN,
                    id: id::SUPABASE,
                };
                let token = state.vault.seal(&Secret::from(""), belongs);
                vec![Change::put(VaultSecret {
                    token,
                    ..(*state.directory().vault_secrets[id::SUPABASE]).clone()
                })]
            }),
            ErrorCode::InvalidTarget,
            "The vault holds no secret for \"Supabase Database\"",
        ),
        (
            "credential deleted meanwhile",
            Zone(|o| {
                let client = o.seeded.client_id.clone();
                vec![Change::Delete(Kind::ApplicationCredential, client)]
            }),
            ErrorCode::InvalidClient,
            "The client is not known.",
        ),
        (
            "credential replaced meanwhile",
            Zone(|o| {
                let directory = o.zone.state().directory();
                let known = &directory.application_credentials[&o.seeded.client_id];
                vec![Change::put(ApplicationCredential {
                    secret: Some(SecretHash::of(&Secret::from("another"))),
                    ..(**known).clone()
                })]
            }),
            ErrorCode::InvalidClient,
            "The client is not known.",
        ),
        (
            "bad scope",
            Request(|_, r| r.scope = Some("re\"ad".into())),
            ErrorCode::InvalidScope,
            "The scope is not a list of scope names.",
        ),
        (
            "no active set",
            Zone(|_| vec![Change::Delete(Kind::ActiveBinding, ACTIVE.into())]),
            ErrorCode::AccessDenied,
            "Access denied by policy. No policy set is active.",
        ),
    ];
    for (name, spoil, code, description) in cases {
        let office = office(FirstPolicy::Limited).await;
        let mut request = office.request(SUPABASE, None);
        match spoil {
            Request(spoil) => spoil(&office, &mut request),
            Zone(spoil) => office.change(spoil(&office)).await,
        }
        let refused = exchange(office.zone.state(), request).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.description.as_str()),
            (*code, *description),
            "{name}"
        );
        let rows = office.audit().await;
        assert_eq!(rows.len(), 1, "{name}");
        assert_eq!(rows[0].status, AuditStatus::Failure, "{name}");
        assert_eq!(rows[0].error.as_deref(), Some(code.as_str()), "{name}");
        assert_eq!(rows[0].reason.as_deref(), Some(*description), "{name}");
        assert_eq!(rows[0].credential, None, "{name}");
    }
}

#[tokio::test]
async fn a_token_of_the_zone_s_own_gives_no_more_and_lasts_no_longer_than_the_one_it_is_for() {
    let office = office(FirstPolicy::Limited).await;
    let lifetime = TimeDelta::minutes(7);
    let mut request = office.request(SERVER, Some("admin read write"));
    request.subject_token = Some(office.token(|token| token.lifetime = lifetime));
    let given = exchange(office.zone.state(), request).await.unwrap();
    assert_eq!(given.scope.as_deref(), Some("read"));
    assert_eq!(given.expires_in, Some(7 * 60));
    let claims = hoptrail::protocol::jwt::TokenView::of(&given.access_token).claims;
    assert_eq!(claims["scope"], "read");
    // The log says what was asked.
    assert_eq!(office.audit().await[0].scopes, ["admin", "read", "write"]);
}

/// A token of the zone's own key that carries one claim more.
fn with_claim(office: &Office, name: &str) -> Secret {
    let claims = hoptrail::protocol::jwt::TokenView::of(&office.user_token()).claims;
    let mut claims = serde_json::Value::Object(claims);
    claims[name] = serde_json::json!({"sub": "app"});
    key().sign(&serde_json::to_vec(&claims).unwrap()).unwrap()
}

#[tokio::test]
async fn a_forged_token_puts_no_word_of_its_own_into_the_log() {
    let office = office(FirstPolicy::Limited).await;
    let good = office.user_token();
    let (signed, _) = good.expose().rsplit_once('.').unwrap();
    let mut request = office.request(SUPABASE, None);
    request.subject_token = Some(Secret::new(format!("{signed}.{}", "A".repeat(342))));
    exchange(office.zone.state(), request).await.unwrap_err();
    let rows = office.audit().await;
    assert!(rows[0].subject_token.as_ref().unwrap().claims.is_empty());
    assert_eq!(rows[0].actor.user, None);
}
