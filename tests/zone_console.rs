//! The management API and the audit feed, over HTTP: the workshop's chapter 1 step by step, the
//! policy switch, what ends a session or a consent, and who is kept out.

#[path = "zone_fixture/office.rs"]
mod office;

#[path = "zone_console/access.rs"]
mod access;
#[path = "zone_console/api.rs"]
mod api;
#[path = "zone_console/at_once.rs"]
mod at_once;
#[path = "zone_console/endings.rs"]
mod endings;
#[path = "zone_console/feed.rs"]
mod feed;

use api::Api;
use axum::http::StatusCode;
use hoptrail::{
    protocol::{
        audit::{AuditEvent, AuditPage},
        console::{Page, PolicySet, PolicySetVersion, Resource},
        oauth::ErrorCode,
    },
    support::clock::FakeClock,
    zone::{
        Zone,
        directory::Change,
        keys::Keys,
        seed::{FirstPolicy, id},
    },
};
use office::*;
use rstest::rstest;
use serde_json::{Value, json};

#[tokio::test]
async fn a_fresh_zone_holds_what_the_platform_brings_and_nothing_else() {
    let config = config(None, FakeClock::shared(), 1);
    let zone = Zone::open_with(config, Keys::ready(key())).await.unwrap();
    let api = Api::of(&zone).await;
    let sets: Page<PolicySet> = api.get("/zones/lab/policy-sets").await;
    assert_eq!(sets.items.len(), 1);
    assert_eq!(sets.items[0].name, "default-zone-policies");
    assert_eq!(sets.items[0].active_version, Some(1));
    let policies: Page<hoptrail::protocol::console::Policy> = api
        .get("/zones/lab/policy-sets/default-zone-policies/policies")
        .await;
    let names: Vec<_> = policies.items.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "default-app-delegation",
            "default-app-direct-access",
            "default-user-grants"
        ]
    );
    for empty in ["resources", "applications", "users", "sessions", "secrets"] {
        let page: Page<Value> = api.get(&format!("/zones/lab/{empty}")).await;
        assert!(page.items.is_empty(), "{empty}");
    }
    let providers: Page<Value> = api.get("/zones/lab/providers").await;
    assert_eq!(providers.items.len(), 2);
    let rows: AuditPage = api.get("/hoptrail/events").await;
    assert!(rows.items.is_empty(), "nobody has done anything yet");
}

#[tokio::test]
async fn chapter_one_built_by_hand_ends_in_a_working_exchange() {
    let config = config(None, FakeClock::shared(), 1);
    let zone = Zone::open_with(config, Keys::ready(key())).await.unwrap();
    let api = Api::of(&zone).await;
    let application = api
        .post(
            "/zones/lab/applications",
            json!({"name": "My escalations", "dependencies": ["ignored"]}),
        )
        .await;
    assert_eq!(application["consent"], "required");
    let application = application["id"].as_str().unwrap();
    let server = api
        .post(
            "/zones/lab/resources",
            json!({"name": "My server", "identifier": SERVER, "application_id": application,
                   "credential_provider_id": "zone-provider"}),
        )
        .await;
    let tickets = api
        .post(
            "/zones/lab/resources",
            json!({"name": "Tickets", "identifier": SUPABASE,
                   "credential_provider_id": "keycard-vault"}),
        )
        .await;
    let tickets = tickets["id"].as_str().unwrap();
    let secret = api
        .post(
            "/zones/lab/secrets",
            json!({"name": "key", "entity_id": tickets,
                   "data": {"type": "token", "token": SUPABASE_KEY}}),
        )
        .await;
    assert!(!secret.to_string().contains(SUPABASE_KEY));
    for _ in 0..2 {
        let path = format!("/zones/lab/applications/{application}/dependencies/{tickets}");
        let (status, _) = api.send("PUT", &path, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "as often as one likes");
    }
    let credential = api
        .post(
            "/zones/lab/application-credentials",
            json!({"application_id": application, "type": "password"}),
        )
        .await;
    let client_id = credential["identifier"].as_str().unwrap().to_owned();
    let password = credential["password"].as_str().unwrap();
    let stored = zone.state().directory().application_credentials[&client_id].clone();
    assert!(stored.secret.as_ref().unwrap().matches(&password.into()));
    let listed: Value = api.get("/zones/lab/application-credentials").await;
    assert!(!listed.to_string().contains(password), "shown once");

    let office = Office {
        zone,
        clock: FakeClock::shared(),
        seeded: hoptrail::protocol::oauth::ClientCredential {
            client_id,
            client_secret: password.into(),
        },
    };
    sign_in(&office).await;
    let mut consent = grant(&office, tickets);
    consent.access_token = None;
    office.change(vec![Change::put(consent)]).await;
    let issued = office.exchange(SUPABASE, None).await.unwrap();
    assert_eq!(issued.access_token.expose(), SUPABASE_KEY);

    // And taken away again: without the dependency nothing is issued.
    let path = format!("/zones/lab/applications/{application}/dependencies/{tickets}");
    let (status, _) = api.send("DELETE", &path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let refused = office.exchange(SUPABASE, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::AccessDenied);
    let path = format!("/zones/lab/resources/{}", server["id"].as_str().unwrap());
    let (status, _) = api
        .send("PATCH", &path, Some(json!({"application_id": null})))
        .await;
    assert_eq!(status, StatusCode::OK);
    let refused = office.exchange(SUPABASE, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
}

#[tokio::test]
async fn one_request_turns_the_policy_off_and_one_turns_it_on() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    office.exchange(LINEAR, Some("write")).await.unwrap_err();
    let activate = |set: &str| format!("/zones/lab/policy-sets/{set}/versions/1");
    let (status, version) = api
        .send(
            "PATCH",
            &activate(id::DEFAULT_SET),
            Some(json!({"active": true})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{version}");
    assert_eq!(version["active"], true);
    office.exchange(LINEAR, Some("write")).await.unwrap();
    let sets: Page<PolicySet> = api.get("/zones/lab/policy-sets").await;
    let active: Vec<_> = sets
        .items
        .iter()
        .filter(|set| set.active_version.is_some())
        .map(|set| set.id.as_str())
        .collect();
    assert_eq!(
        active,
        [id::DEFAULT_SET],
        "the old one ended in the same instant"
    );
    api.send(
        "PATCH",
        &activate(id::WORKSHOP_SET),
        Some(json!({"active": true})),
    )
    .await;
    office.exchange(LINEAR, Some("write")).await.unwrap_err();
    let rows = office.audit().await;
    let events: Vec<_> = rows.iter().map(|row| row.event).collect();
    let (issue, switch) = (AuditEvent::CredentialsIssue, AuditEvent::PolicySetsActivate);
    assert_eq!(events, [issue, switch, issue, switch, issue]);
    let set = rows[1]
        .decision
        .as_ref()
        .unwrap()
        .policy_set
        .as_ref()
        .unwrap();
    assert_eq!(set.id, id::DEFAULT_SET);
    let (status, _) = api
        .send(
            "PATCH",
            &activate(id::WORKSHOP_SET),
            Some(json!({"active": false})),
        )
        .await;
    assert_eq!(
        status,
        StatusCode::BAD_REQUEST,
        "there is no way to have none"
    );
}

#[rstest]
#[case::by_its_name("", "no-writing")]
#[case::by_its_id("@id(\"nobody-writes\") ", "nobody-writes")]
#[case::but_not_by_anothers("@id(\"default-user-grants\") ", "no-writing")]
#[case::nor_by_what_a_list_cannot_hold("@id(\"a, b\") ", "no-writing")]
#[tokio::test]
async fn chapter_seven_built_by_hand_refuses_the_deletion_and_names_the_policy(
    #[case] annotation: &str,
    #[case] named: &str,
) {
    let office = office(FirstPolicy::Defaults).await;
    let api = Api::of(&office.zone).await;
    let policy = api
        .post(
            "/zones/lab/policies",
            json!({"name": "no-writing", "cedar_raw": format!(
                "{annotation}forbid (principal, action, resource) when {{ context has scopes && context.scopes.contains(\"write\") }};")}),
        )
        .await;
    let set = api
        .post("/zones/lab/policy-sets", json!({"name": "my set"}))
        .await;
    let set = set["id"].as_str().unwrap();
    let defaults: PolicySetVersion = api
        .get("/zones/lab/policy-sets/default-zone-policies/versions/1")
        .await;
    let mut entries = serde_json::to_value(defaults.manifest.unwrap().entries).unwrap();
    entries.as_array_mut().unwrap().push(json!({
        "policy_id": policy["id"], "policy_version_id": policy["latest_version"]["id"]}));
    let path = format!("/zones/lab/policy-sets/{set}/versions");
    let version = api
        .post(&path, json!({"manifest": {"entries": entries}}))
        .await;
    assert_eq!(version["active"], false, "a candidate decides nothing");
    office.exchange(LINEAR, Some("write")).await.unwrap();
    let listed: Page<PolicySetVersion> = api.get(&path).await;
    assert_eq!(
        listed.items[0].manifest, None,
        "lists leave it out, as Keycard's do"
    );
    let path = format!("{path}/{}", version["id"].as_str().unwrap());
    api.send("PATCH", &path, Some(json!({"active": true})))
        .await;
    let refused = office.exchange(LINEAR, Some("write")).await.unwrap_err();
    assert!(
        refused.description.ends_with(&format!(" {set}::{named}.")),
        "{refused:?}"
    );
    office.exchange(LINEAR, Some("read")).await.unwrap();
}

#[rstest]
#[case::syntax("permit (principal, action resource);", "line 1, column 27")]
#[case::unknown_attribute(
    "permit (principal is Keycard::User, action, resource)\nwhen { principal.shoe == 1 };",
    "line 2"
)]
#[case::two_policies(
    "permit (principal, action, resource);\npermit (principal, action, resource);",
    ""
)]
#[tokio::test]
async fn a_policy_that_does_not_fit_is_refused_with_its_place(
    #[case] text: &str,
    #[case] place: &str,
) {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let (status, body) = api
        .send(
            "POST",
            "/zones/lab/policies",
            Some(json!({"name": "mine", "cedar_raw": text})),
        )
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body["error"], "invalid_policy");
    assert!(body["message"].as_str().unwrap().contains(place), "{body}");
}

/// facts/keycard.md, 3.4: a version is text or JSON, never both.
#[tokio::test]
async fn a_policy_may_be_json_instead_of_text() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let text = "@id(\"quiet\") forbid (principal, action, resource) \
                when { context has scopes && context.scopes.contains(\"write\") };";
    let parsed = cedar_policy::Policy::parse(None, text).unwrap();
    let json = parsed.to_json().unwrap();
    let path = "/zones/lab/policies";
    let made = json!({"name": "quiet", "cedar_json": json});
    api.post(path, made).await;
    let versions = "/zones/lab/policies/quiet/versions";
    api.post(versions, json!({"cedar_json": json})).await;
    for version in 1..=2 {
        let made: Value = api.get(&format!("{versions}/{version}")).await;
        let raw = made["cedar_raw"].as_str().unwrap();
        let again = cedar_policy::Policy::parse(None, raw).unwrap();
        assert_eq!(again.to_json().unwrap(), json, "{raw}");
    }
    for (body, status, word) in [
        (
            json!({"cedar_raw": text, "cedar_json": json}),
            400,
            "not both",
        ),
        (json!({}), 400, "cedar_raw or cedar_json"),
        (
            json!({"cedar_json": {"effect": "permit"}}),
            422,
            "principal",
        ),
        (json!({"cedar_json": "permit"}), 422, "permit"),
    ] {
        let mut named = body.clone();
        named["name"] = "another".into();
        for (path, body) in [(path, named), (versions, body)] {
            let (answered, said) = api.send("POST", path, Some(body)).await;
            assert_eq!(answered.as_u16(), status, "{said}");
            assert!(said["message"].as_str().unwrap().contains(word), "{said}");
        }
    }
}

#[tokio::test]
async fn what_the_platform_owns_is_read_only() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let (status, _) = api
        .send(
            "POST",
            "/zones/lab/policy-sets/default-zone-policies/versions",
            Some(json!({"manifest": {"entries": []}})),
        )
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = api
        .send(
            "POST",
            "/zones/lab/policies/default-user-grants/versions",
            Some(json!({"cedar_raw": "permit (principal, action, resource);"})),
        )
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn policy_versions_are_added_and_never_replaced() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let path = "/zones/lab/policies/limit-linear-scopes/versions";
    let first: Value = api.get(&format!("{path}/1")).await;
    api.post(
        path,
        json!({"cedar_raw": "permit (principal, action, resource);"}),
    )
    .await;
    assert_eq!(api.get::<Value>(&format!("{path}/1")).await, first);
    let newest: Value = api.get("/zones/lab/policies/limit-linear-scopes").await;
    assert_eq!(newest["latest_version"]["version"], 2);
    // The active set names the old version and goes on deciding by it.
    office.exchange(LINEAR, Some("write")).await.unwrap_err();
}

#[rstest]
#[case::not_a_uri("POST", "resources", json!({"name": "x", "identifier": "a b"}), 400)]
#[case::fragment("POST", "resources", json!({"name": "x", "identifier": "urn:x#y"}), 400)]
#[case::not_ascii("POST", "resources", json!({"name": "x", "identifier": "urn:\u{202e}x"}), 400)]
#[case::two_scopes_in_one("POST", "resources",
    json!({"name": "x", "identifier": "urn:x", "scopes": ["a b"]}), 400)]
#[case::blank_scope("POST", "resources", json!({"name": "x", "identifier": "urn:x", "scopes": [""]}), 400)]
#[case::unknown_status("GET", "sessions?status=bogus", Value::Null, 400)]
#[case::taken_identifier("POST", "resources", json!({"name": "x", "identifier": LINEAR}), 409)]
#[case::unknown_provider("POST", "resources",
    json!({"name": "x", "identifier": "urn:x", "credential_provider_id": "no"}), 400)]
#[case::endless_lifetime("POST", "resources",
    json!({"name": "x", "identifier": "urn:x", "credential_lifetime_seconds": 86_401}), 400)]
#[case::no_name("POST", "resources", json!({"name": " ", "identifier": "urn:x"}), 400)]
#[case::missing_member("POST", "resources", json!({"name": "x"}), 422)]
#[case::secret_for_no_vault("POST", "secrets",
    json!({"name": "x", "entity_id": "linear-api", "data": {"type": "token", "token": "t"}}), 409)]
#[case::colon_in_a_client_id("POST", "application-credentials",
    json!({"application_id": "support-escalation-mcp", "type": "password", "identifier": "a:b"}), 400)]
#[case::external_without_endpoints("POST", "providers", json!({"name": "x", "type": "external"}), 400)]
#[case::endpoint_scheme("POST", "providers", json!({"name": "x", "type": "external", "oauth":
    {"authorization_endpoint": "javascript:alert(1)", "token_endpoint": "https://x", "client_id": "c"}}), 400)]
#[case::provider_in_use("DELETE", "providers/keycard-vault", Value::Null, 409)]
#[case::wrong_consent("POST", "applications", json!({"name": "x", "consent": "explicit"}), 422)]
#[case::taken_set_name("POST", "policy-sets", json!({"name": "workshop-policies"}), 409)]
#[case::foreign_version("POST", "policy-sets/workshop-policies/versions", json!({"manifest":
    {"entries": [{"policy_id": "default-user-grants", "policy_version_id": "limit-linear-scopes.1"}]}}), 400)]
#[case::wrong_hash("POST", "policy-sets/workshop-policies/versions", json!({"manifest":
    {"entries": [{"policy_id": "default-user-grants", "policy_version_id": "default-user-grants.1", "sha": "0"}]}}), 400)]
#[case::session_cannot_be_revived("PATCH", "sessions/session-1", json!({"status": "active"}), 400)]
#[case::unknown_session("PATCH", "sessions/no", json!({"status": "revoked"}), 404)]
#[case::unknown_dependency(
    "DELETE",
    "applications/support-escalation-mcp/dependencies/no",
    Value::Null,
    404
)]
#[case::unknown_path("GET", "unicorns", Value::Null, 404)]
#[case::limit_too_high("GET", "resources?limit=101", Value::Null, 400)]
#[case::unknown_filter("GET", "resources?query%5Bname%5D=Linear", Value::Null, 400)]
#[case::filter_of_another_list("GET", "users?status=active", Value::Null, 400)]
#[case::prefix("POST", "resources", json!({"name": "x", "identifier": "https://x/", "prefix": true}), 400)]
#[case::foreign_cursor("GET", "resources?after=%20", Value::Null, 400)]
#[tokio::test]
async fn each_bad_request_is_refused_in_words(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
    #[case] status: u16,
) {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let body = (!body.is_null()).then_some(body);
    let (answered, body) = api.send(method, &format!("/zones/lab/{path}"), body).await;
    assert_eq!(answered.as_u16(), status, "{body}");
    assert!(
        body["error"].is_string() && body["message"].is_string(),
        "{body}"
    );
}

#[tokio::test]
async fn lists_come_in_pages_forwards_and_backwards() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    let ids = |page: &Page<Resource>| page.items.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
    let first: Page<Resource> = api
        .get("/zones/lab/resources?limit=3&expand%5B%5D=total_count")
        .await;
    assert_eq!(ids(&first), [id::ANTHROPIC, id::LINEAR, id::SUPABASE]);
    assert_eq!(first.pagination.total_count, Some(4));
    assert_eq!(first.pagination.before_cursor, None);
    let after = first.pagination.after_cursor.unwrap();
    let last: Page<Resource> = api
        .get(&format!("/zones/lab/resources?limit=3&after={after}"))
        .await;
    assert_eq!(ids(&last), [id::MCP_SERVER]);
    assert_eq!(last.pagination.after_cursor, None);
    assert_eq!(last.pagination.total_count, None);
    let before = last.pagination.before_cursor.unwrap();
    let back: Page<Resource> = api
        .get(&format!("/zones/lab/resources?limit=2&before={before}"))
        .await;
    assert_eq!(ids(&back), [id::LINEAR, id::SUPABASE]);
    assert!(back.pagination.before_cursor.is_some());
}
