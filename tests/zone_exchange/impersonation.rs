//! An application that names a person who sent nothing (facts/keycard.md, 2.9 rule 7).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hoptrail::{
    protocol::{
        audit::{AuditStatus, Effect},
        console::LifeStatus,
        jwt::TokenView,
        oauth::ErrorCode,
        secret::Secret,
    },
    zone::{
        directory::Change,
        exchange::{ExchangeRequest, ExchangeResponse, exchange},
        refusal::Refusal,
        seed::{FirstPolicy, id},
    },
};
use rstest::rstest;

use crate::{
    office::*,
    policies::{PERMIT_USERS, activate},
};

const HEADER: &str = r#"{"typ":"vnd.kc.su+jwt","alg":"none"}"#;
const PERMIT: &str = "permit (principal is Keycard::Application, action, resource) \
                      when { context.impersonate && !context.on_behalf };";

fn naming(office: &Office, resource: &str, header: &str, claims: &str) -> ExchangeRequest {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut request = office.request(resource, Some("read"));
    request.subject_token = Some(Secret::new(format!("{header}.{claims}.")));
    request.subject_token_type = Some("urn:keycard:params:oauth:token-type:substitute-user".into());
    request
}

async fn impersonate(office: &Office, resource: &str) -> Result<ExchangeResponse, Refusal> {
    let request = naming(office, resource, HEADER, r#"{"sub":"kc-user-marisol"}"#);
    exchange(office.zone.state(), request).await
}

async fn permitting() -> Office {
    let office = office(FirstPolicy::Limited).await;
    let policies = [("users", PERMIT_USERS), ("impersonation", PERMIT)];
    activate(&office, &policies).await;
    office
}

#[rstest]
#[case::its_own(SERVER)]
#[case::another(SUPABASE)]
#[tokio::test]
async fn nobody_is_impersonated_unless_a_policy_permits_it(#[case] resource: &str) {
    let office = office(FirstPolicy::Limited).await;
    let refused = impersonate(&office, resource).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::AccessDenied);
    assert!(
        refused.description.ends_with("::default-user-grants."),
        "{refused:?}"
    );
    let row = &office.audit().await[0];
    assert_eq!(row.status, AuditStatus::Failure);
    assert_eq!(row.decision.as_ref().unwrap().effect, Effect::Deny);
    assert_eq!(row.actor.user.as_ref().unwrap().id, USER);
    assert_eq!(row.session_id, None);
    assert_eq!(row.credential, None);
}

#[tokio::test]
async fn who_may_impersonate_gets_a_token_of_that_person_for_what_is_its_own() {
    let office = permitting().await;
    let given = impersonate(&office, SERVER).await.unwrap();
    let claims = TokenView::of(&given.access_token);
    assert_eq!(claims.claim("sub"), Some("kc-user-marisol"));
    assert_eq!(claims.audiences(), [SERVER]);
    assert_eq!(claims.claim("sid"), None);
    assert_eq!(office.audit().await[0].status, AuditStatus::Issued);

    // Nobody signed in, so it opens nothing further.
    let mut request = office.request(LINEAR, Some("read"));
    request.subject_token = Some(given.access_token);
    let refused = exchange(office.zone.state(), request).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
    let refused = impersonate(&office, LINEAR).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidGrant);

    let mut withdrawn = grant(&office, id::MCP_SERVER);
    withdrawn.status = LifeStatus::Revoked;
    office.change(vec![Change::put(withdrawn)]).await;
    let refused = impersonate(&office, SERVER).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InsufficientAuthorization);
}

#[rstest]
#[case::nobody(HEADER, r#"{"sub":"nobody"}"#, ErrorCode::InvalidGrant)]
#[case::no_name(HEADER, r#"{"sub":""}"#, ErrorCode::InvalidRequest)]
#[case::other_type(
    r#"{"typ":"JWT","alg":"none"}"#,
    r#"{"sub":"kc-user-marisol"}"#,
    ErrorCode::InvalidRequest
)]
#[case::other_algorithm(
    r#"{"typ":"vnd.kc.su+jwt","alg":"RS256"}"#,
    r#"{"sub":"kc-user-marisol"}"#,
    ErrorCode::InvalidRequest
)]
#[tokio::test]
async fn what_names_nobody_is_refused(
    #[case] header: &str,
    #[case] claims: &str,
    #[case] code: ErrorCode,
) {
    let office = permitting().await;
    let request = naming(&office, SERVER, header, claims);
    let refused = exchange(office.zone.state(), request).await.unwrap_err();
    assert_eq!(refused.code, code);
    assert_eq!(office.audit().await[0].status, AuditStatus::Failure);
}
