//! Editors who are at work at the same time.

use axum::http::StatusCode;
use hoptrail::zone::{
    directory::Change,
    seed::{FirstPolicy, id},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{api::Api, office::*};

const BOTH: [u16; 2] = [201, 201];
const ONE: [u16; 2] = [201, 409];

#[rstest]
#[case::resources("resources", json!({"name": "Same", "identifier": "urn:NUMBER"}), BOTH)]
#[case::resource_of_one_identifier("resources", json!({"name": "NUMBER", "identifier": "urn:same"}), ONE)]
#[case::applications("applications", json!({"name": "Same"}), BOTH)]
#[case::application_of_one_identifier("applications", json!({"name": "NUMBER", "identifier": "urn:same"}), ONE)]
#[case::providers("providers", json!({"name": "Same", "type": "keycard-vault"}), BOTH)]
#[case::policies("policies", json!({"name": "same", "cedar_raw": "permit (principal, action, resource);"}), ONE)]
#[case::policy_sets("policy-sets", json!({"name": "Same"}), ONE)]
#[case::client_ids("application-credentials",
    json!({"application_id": id::APPLICATION, "type": "password", "identifier": "same"}), ONE)]
#[tokio::test]
async fn of_two_that_are_made_at_once_none_takes_the_others_place(
    #[case] what: &str,
    #[case] body: Value,
    #[case] statuses: [u16; 2],
) {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let path = format!("/zones/lab/{what}");
    let numbered = |number: &str| {
        let text = body.to_string().replace("NUMBER", number);
        Some(serde_json::from_str(&text).unwrap())
    };
    let (one, other) = tokio::join!(
        api.send("POST", &path, numbered("1")),
        api.send("POST", &path, numbered("2")),
    );
    let mut answered = [one.0.as_u16(), other.0.as_u16()];
    answered.sort_unstable();
    assert_eq!(answered, statuses, "{} {}", one.1, other.1);
    if statuses == BOTH {
        assert_ne!(one.1["id"], other.1["id"]);
        for made in [one.1, other.1] {
            let path = format!("{path}/{}", made["id"].as_str().unwrap());
            let (status, _) = api.send("GET", &path, None).await;
            assert_eq!(status, StatusCode::OK, "{made}");
        }
    }
}

#[rstest]
#[case::provider("providers/linear-oauth-2", json!({"name": "x", "identifier": "urn:x", "credential_provider_id": "linear-oauth-2"}))]
#[case::application("applications/other", json!({"name": "x", "identifier": "urn:x", "application_id": "other"}))]
#[tokio::test]
async fn nothing_names_what_is_deleted_at_the_same_time(#[case] gone: &str, #[case] user: Value) {
    let office = office(FirstPolicy::Limited).await;
    let directory = office.zone.state().directory();
    let mut provider = (*directory.providers[id::VAULT_PROVIDER]).clone();
    provider.id = "linear-oauth-2".into();
    let mut application = (*directory.applications[id::APPLICATION]).clone();
    application.id = "other".into();
    application.identifier = "other".into();
    office
        .change(vec![Change::put(provider), Change::put(application)])
        .await;
    let api = Api::of(&office.zone).await;
    let gone = format!("/zones/lab/{gone}");
    let (deleted, _) = tokio::join!(
        api.send("DELETE", &gone, None),
        api.send("POST", "/zones/lab/resources", Some(user)),
    );
    let directory = office.zone.state().directory();
    for resource in directory.resources.values() {
        let provider = resource.credential_provider_id.as_ref();
        assert!(provider.is_none_or(|id| directory.providers.contains_key(id)));
        let application = resource.application_id.as_ref();
        assert!(application.is_none_or(|id| directory.applications.contains_key(id)));
    }
    assert!(
        [StatusCode::NO_CONTENT, StatusCode::CONFLICT].contains(&deleted.0),
        "{deleted:?}"
    );
}

#[tokio::test]
async fn a_provider_that_is_deleted_leaves_no_tokens_for_another_of_its_name() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let of_linear = format!("/zones/lab/resources/{}", id::LINEAR);
    let without = json!({"credential_provider_id": null});
    api.send("PATCH", &of_linear, Some(without)).await;
    let path = format!("/zones/lab/providers/{}", id::LINEAR_PROVIDER);
    let (status, body) = api.send("DELETE", &path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let directory = office.zone.state().directory();
    let left = directory
        .grants
        .values()
        .find(|grant| grant.provider_id.as_deref() == Some(id::LINEAR_PROVIDER));
    assert!(left.is_none(), "{left:?}");
}
