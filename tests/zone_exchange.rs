//! The zone's heart: who gets which credential, who is refused and why, and that no credential
//! leaves without its durable row.

#[path = "zone_fixture/office.rs"]
mod office;

use std::{fs, sync::Arc};

use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        audit::{AuditStatus, CredentialSource, Effect},
        console::{Consent, LifeStatus, Manifest, Owner},
        oauth::ErrorCode,
        secret::Secret,
    },
    support::clock::FakeClock,
    zone::{
        Zone,
        directory::{
            ACTIVE, ActiveBinding, Application, Change, Kind, Policy, PolicySet, PolicySetVersion,
            Resource, Session, pair,
        },
        exchange::{ExchangeRequest, exchange},
        policy::lifecycle::{entry, next_policy_version, next_set_version},
        seed::{FirstPolicy, id},
        store::{Commit, CommitError, DATABASE_FILE, SCHEMA_VERSION},
        tokens::SubProfile,
        vault::KEY_FILE,
    },
};
use office::*;
use rstest::rstest;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

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

/// What is done to an otherwise good request or zone.
type Spoil = fn(&Office, &mut ExchangeRequest) -> Vec<Change>;

#[tokio::test]
async fn each_broken_condition_is_refused_with_its_own_error_and_row() {
    let cases: &[(&str, Spoil, ErrorCode, &str)] = &[
        (
            "no token",
            |_, r| {
                r.subject_token = None;
                vec![]
            },
            ErrorCode::InvalidRequest,
            "subject_token is missing.",
        ),
        (
            "no token type",
            |_, r| {
                r.subject_token_type = None;
                vec![]
            },
            ErrorCode::InvalidRequest,
            "subject_token_type is missing.",
        ),
        (
            "impersonation",
            |_, r| {
                r.subject_token_type =
                    Some("urn:keycard:params:oauth:token-type:substitute-user".into());
                vec![]
            },
            ErrorCode::InvalidRequest,
            "This subject_token_type cannot be exchanged here; it must be an access token.",
        ),
        (
            "other token wanted",
            |_, r| {
                r.requested_token_type = Some("urn:ietf:params:oauth:token-type:saml2".into());
                vec![]
            },
            ErrorCode::InvalidRequest,
            "Only access tokens are issued here.",
        ),
        (
            "actor token",
            |_, r| {
                r.actor_token = Some("x".into());
                vec![]
            },
            ErrorCode::InvalidRequest,
            "An actor_token is not accepted: the client itself is the actor.",
        ),
        (
            "no jwt",
            |_, r| {
                r.subject_token = Some("opaque".into());
                vec![]
            },
            ErrorCode::InvalidRequest,
            "The subject_token was not accepted: the token is no signed JWT.",
        ),
        (
            "expired",
            |o, _| {
                o.clock.advance(TimeDelta::hours(2));
                vec![]
            },
            ErrorCode::InvalidRequest,
            "The subject_token was not accepted: the token has expired.",
        ),
        (
            "delegated",
            |o, r| {
                r.subject_token = Some(with_claim(o, "act"));
                vec![]
            },
            ErrorCode::InvalidRequest,
            "The subject_token is a delegated one (act or may_act) and cannot be exchanged again.",
        ),
        (
            "may act",
            |o, r| {
                r.subject_token = Some(with_claim(o, "may_act"));
                vec![]
            },
            ErrorCode::InvalidRequest,
            "The subject_token is a delegated one (act or may_act) and cannot be exchanged again.",
        ),
        (
            "application token",
            |o, r| {
                r.subject_token = Some(o.token(|t| {
                    t.sub_profile = SubProfile::App;
                    t.sub = id::APPLICATION.into();
                }));
                vec![]
            },
            ErrorCode::InvalidGrant,
            "The subject_token speaks for nobody in this zone.",
        ),
        (
            "unknown person",
            |o, r| {
                r.subject_token = Some(o.token(|t| t.sub = "x".into()));
                vec![]
            },
            ErrorCode::InvalidGrant,
            "The subject_token speaks for nobody in this zone.",
        ),
        (
            "no session",
            |o, r| {
                r.subject_token = Some(o.token(|t| t.session_id = None));
                vec![]
            },
            ErrorCode::InvalidGrant,
            "The session behind the subject_token has ended.",
        ),
        (
            "ended session",
            |o, _| {
                let directory = o.zone.state().directory();
                vec![Change::put(Session {
                    status: LifeStatus::Revoked,
                    ..(*directory.sessions[SESSION]).clone()
                })]
            },
            ErrorCode::InvalidGrant,
            "The session behind the subject_token has ended.",
        ),
        (
            "somebody elses token",
            |o, r| {
                r.subject_token = Some(o.token(|t| t.resource = SUPABASE.into()));
                vec![]
            },
            ErrorCode::InvalidGrant,
            "Client is not allowed to exchange token for this resource",
        ),
        (
            "not provided",
            |o, _| {
                let directory = o.zone.state().directory();
                vec![Change::put(Resource {
                    application_id: None,
                    ..(*directory.resources[id::MCP_SERVER]).clone()
                })]
            },
            ErrorCode::InvalidGrant,
            "Client is not allowed to exchange token for this resource",
        ),
        (
            "no resource",
            |_, r| {
                r.resources.clear();
                vec![]
            },
            ErrorCode::InvalidRequest,
            "resource is missing.",
        ),
        (
            "two resources",
            |_, r| {
                r.resources.push(LINEAR.into());
                vec![]
            },
            ErrorCode::InvalidTarget,
            "One request is for one resource.",
        ),
        (
            "audience disagrees",
            |_, r| {
                r.audience = Some(LINEAR.into());
                vec![]
            },
            ErrorCode::InvalidTarget,
            "One request is for one resource.",
        ),
        (
            "trailing slash",
            |_, r| {
                r.resources = vec![format!("{SUPABASE}/")];
                vec![]
            },
            ErrorCode::InvalidTarget,
            "Requested authorization for unknown resource http://127.0.0.1:9302/",
        ),
        (
            "hostile resource",
            |_, r| {
                r.resources = vec!["\u{1b}[2Jx".into()];
                vec![]
            },
            ErrorCode::InvalidTarget,
            "Requested authorization for unknown resource ␛[2Jx",
        ),
        (
            "no provider",
            |o, _| {
                let directory = o.zone.state().directory();
                vec![Change::put(Resource {
                    credential_provider_id: None,
                    ..(*directory.resources[id::SUPABASE]).clone()
                })]
            },
            ErrorCode::InvalidTarget,
            "Resource \"Supabase Database\" is missing a credential provider",
        ),
        (
            "no dependency",
            |_, _| {
                vec![Change::Delete(
                    Kind::Dependency,
                    pair(id::APPLICATION, id::SUPABASE),
                )]
            },
            ErrorCode::AccessDenied,
            "Application \"Support Escalation MCP\" is not allowed to access \"Supabase Database\".",
        ),
        (
            "no consent",
            |_, _| vec![Change::Delete(Kind::Grant, pair(USER, id::SUPABASE))],
            ErrorCode::InsufficientAuthorization,
            "User consent is required.",
        ),
        (
            "consent withdrawn",
            |o, _| {
                let mut grant = grant(o, id::SUPABASE);
                grant.status = LifeStatus::Revoked;
                vec![Change::put(grant)]
            },
            ErrorCode::InsufficientAuthorization,
            "User consent is required.",
        ),
        (
            "empty vault",
            |_, _| vec![Change::Delete(Kind::VaultSecret, id::SUPABASE.into())],
            ErrorCode::InvalidTarget,
            "The vault holds no secret for \"Supabase Database\"",
        ),
        (
            "bad scope",
            |_, r| {
                r.scope = Some("re\"ad".into());
                vec![]
            },
            ErrorCode::InvalidScope,
            "The scope is not a list of scope names.",
        ),
        (
            "no active set",
            |_, _| vec![Change::Delete(Kind::ActiveBinding, ACTIVE.into())],
            ErrorCode::AccessDenied,
            "Access denied by policy. No policy set is active.",
        ),
    ];
    for (name, spoil, code, description) in cases {
        let office = office(FirstPolicy::Limited).await;
        let mut request = office.request(SUPABASE, None);
        let changes = spoil(&office, &mut request);
        office.change(changes).await;
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

/// Makes a policy set of the given texts, active at once.
async fn activate(office: &Office, policies: &[(&str, &str)]) {
    let state = office.zone.state();
    let (directory, now) = (state.directory(), state.config.clock.now());
    let set = PolicySet {
        id: "mine".into(),
        name: "mine".into(),
        owner: Owner::Customer,
    };
    let mut changes = Vec::new();
    let mut entries = Vec::new();
    for (name, text) in policies {
        let policy = Policy {
            id: format!("mine-{name}"),
            name: (*name).into(),
            owner: Owner::Customer,
        };
        let version = next_policy_version(&directory, &policy, format!("{name}-v"), text, now);
        entries.push(entry(&version));
        changes.extend([Change::put(policy), Change::put(version)]);
    }
    let version = next_set_version(&directory, &set, "mine-1".into(), entries, now);
    changes.extend([
        Change::put(set),
        Change::put(version),
        Change::put(ActiveBinding {
            policy_set_version_id: "mine-1".into(),
            activated_at: now,
        }),
    ]);
    office.change(changes).await;
}

const PERMIT_USERS: &str = "permit (principal is Keycard::User, action, resource);";
const PERMIT_APPLICATIONS: &str = "permit (principal is Keycard::Application, action, resource);";

#[rstest]
#[case::nothing_permits(&[], "none")]
#[case::only_the_person_is_permitted(&[("users", PERMIT_USERS)], "none")]
#[case::only_the_application_is_permitted(&[("apps", PERMIT_APPLICATIONS)], "none")]
#[case::a_forbid_on_the_application(
    &[("users", PERMIT_USERS), ("apps", PERMIT_APPLICATIONS),
      ("stop", "forbid (principal is Keycard::Application, action, resource);")],
    "mine::stop")]
#[case::a_forbid_on_the_person(
    &[("users", PERMIT_USERS), ("apps", PERMIT_APPLICATIONS),
      ("stop", r#"forbid (principal is Keycard::User, action, resource) when { principal.email like "*@example.test" };"#)],
    "mine::stop")]
#[tokio::test]
async fn both_principals_need_a_permit_and_one_forbid_refuses(
    #[case] policies: &[(&str, &str)],
    #[case] determining: &str,
) {
    let office = office(FirstPolicy::Defaults).await;
    activate(&office, policies).await;
    let refused = office.exchange(SUPABASE, None).await.unwrap_err();
    assert_eq!(
        refused.description,
        format!(
            "Access denied by policy. Policy set: mine. Policy set version: 1. \
             Determining policies: {determining}."
        )
    );
}

#[tokio::test]
async fn both_permits_together_issue() {
    let office = office(FirstPolicy::Defaults).await;
    activate(
        &office,
        &[("users", PERMIT_USERS), ("apps", PERMIT_APPLICATIONS)],
    )
    .await;
    office.exchange(SUPABASE, None).await.unwrap();
}

#[tokio::test]
async fn a_set_that_does_not_compile_never_becomes_active() {
    let office = office(FirstPolicy::Defaults).await;
    let state = office.zone.state();
    let broken = PolicySetVersion {
        id: "broken".into(),
        policy_set_id: id::WORKSHOP_SET.into(),
        version: 9,
        schema_version: String::new(),
        manifest: Manifest {
            entries: vec![hoptrail::protocol::console::ManifestEntry {
                policy_id: "gone".into(),
                policy_version_id: "gone".into(),
                sha: String::new(),
            }],
        },
        manifest_sha: String::new(),
        created_at: state.config.clock.now(),
    };
    office.change(vec![Change::put(broken)]).await;
    let binding = ActiveBinding {
        policy_set_version_id: "broken".into(),
        activated_at: state.config.clock.now(),
    };
    assert!(
        state
            .store
            .change(vec![Change::put(binding)])
            .await
            .is_err()
    );
    office.exchange(SUPABASE, None).await.unwrap();
}

#[tokio::test]
async fn a_decision_on_yesterdays_directory_does_not_count() {
    let office = office(FirstPolicy::Defaults).await;
    let state = office.zone.state();
    let read = state.directory();
    office
        .change(vec![Change::Delete(Kind::ActiveBinding, ACTIVE.into())])
        .await;
    let commit = Commit {
        based_on: Some(read.generation()),
        ..Commit::default()
    };
    assert_eq!(
        state.store.commit(commit).await.unwrap_err(),
        CommitError::Stale
    );
}

#[tokio::test]
async fn of_two_who_change_what_they_read_only_one_succeeds() {
    let office = office(FirstPolicy::Defaults).await;
    let state = office.zone.state();
    let read = state.directory().users[USER].clone();
    let change = |name: &str| {
        let mut user = (*read).clone();
        user.name = name.into();
        Commit {
            unchanged: vec![hoptrail::zone::directory::Object::User(read.clone())],
            changes: vec![Change::put(user)],
            ..Commit::default()
        }
    };
    let (first, second) = tokio::join!(
        state.store.commit(change("first")),
        state.store.commit(change("second"))
    );
    assert!(first.is_ok());
    assert_eq!(second.unwrap_err(), CommitError::Stale);
    assert_eq!(state.directory().users[USER].name, "first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn once_a_forbid_is_active_no_row_after_it_is_an_issuance() {
    let office = Arc::new(office(FirstPolicy::Defaults).await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let office = office.clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                drop(office.exchange(LINEAR, Some("write")).await);
            }
        });
    }
    // Somewhere in the middle of the 160 exchanges.
    let mut sequence = office.zone.state().store.sequence();
    sequence.wait_for(|last| *last >= 30).await.unwrap();
    let binding = ActiveBinding {
        policy_set_version_id: format!("{}.1", id::WORKSHOP_SET),
        activated_at: office.zone.state().config.clock.now(),
    };
    office.change(vec![Change::put(binding)]).await;
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let rows = office.audit().await;
    assert_eq!(rows.len(), 160);
    assert!(
        rows.iter().zip(1..).all(|(row, n)| row.sequence == n),
        "no gaps"
    );
    let first = rows
        .iter()
        .position(|row| row.status == AuditStatus::Failure)
        .expect("some exchanges came after the activation");
    assert!(first >= 30);
    assert!(
        rows[first..]
            .iter()
            .all(|row| row.status == AuditStatus::Failure)
    );
}

#[tokio::test]
async fn a_credential_whose_row_cannot_be_written_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    sign_in(&office).await;
    office.zone.close().await;
    // The disk as it is when it fills up after two more rows.
    let file = SqliteConnectOptions::new().filename(dir.path().join(DATABASE_FILE));
    let mut database = SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::raw_sql(
        "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.sequence > 2
         BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();

    let office = open(Some(dir.path()), clock, 2, FirstPolicy::Limited)
        .await
        .unwrap();
    office.exchange(SUPABASE, None).await.unwrap();
    office.exchange(SUPABASE, None).await.unwrap();
    let refused = office.exchange(SUPABASE, None).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ServerError);
    assert_eq!(office.audit().await.len(), 2);
    // The change of a failed transaction is not seen either.
    let state = office.zone.state();
    let draft = hoptrail::zone::audit::Draft::new(
        hoptrail::protocol::audit::AuditEvent::UsersAuthorize,
        "r",
        hoptrail::support::clock::Stopwatch::start(),
    );
    let commit = Commit {
        changes: vec![Change::Delete(Kind::User, USER.into())],
        audit: vec![draft],
        ..Commit::default()
    };
    assert!(matches!(
        state.store.commit(commit).await,
        Err(CommitError::Failed(_))
    ));
    assert!(state.directory().users.contains_key(USER));
}

#[tokio::test]
async fn a_second_start_goes_on_where_the_first_ended() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let first = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Defaults)
        .await
        .unwrap();
    sign_in(&first).await;
    first.exchange(LINEAR, Some("write")).await.unwrap();
    let token = first.user_token();
    first.zone.close().await;

    let second = open(Some(dir.path()), clock, 2, FirstPolicy::Limited)
        .await
        .unwrap();
    assert_eq!(second.seeded.client_id, first.seeded.client_id);
    assert_ne!(second.seeded.client_secret, first.seeded.client_secret);
    let directory = second.zone.state().directory();
    let credential = &directory.application_credentials[&second.seeded.client_id];
    let secret = credential.secret.as_ref().unwrap();
    assert!(secret.matches(&second.seeded.client_secret));
    assert!(!secret.matches(&first.seeded.client_secret));
    // The policy that was active stays so, whatever a first start would have begun with.
    let mut request = second.request(LINEAR, Some("write"));
    request.subject_token = Some(token);
    exchange(second.zone.state(), request).await.unwrap();
    let rows = second.audit().await;
    assert_eq!(
        rows.iter().map(|row| row.sequence).collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn a_zone_that_is_killed_after_an_answer_remembers_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    sign_in(&office).await;
    let issued = office.exchange(SUPABASE, None).await.unwrap();
    // What a kill at this instant leaves on the disk: nothing was closed or flushed for it.
    let left = tempfile::tempdir().unwrap();
    for (name, bytes) in listing(dir.path()) {
        fs::write(left.path().join(name), bytes).unwrap();
    }
    let again = open(Some(left.path()), clock, 2, FirstPolicy::Limited)
        .await
        .unwrap();
    let rows = again.audit().await;
    assert_eq!(
        rows[0].credential.as_ref().unwrap().fingerprint(),
        issued.access_token.fingerprint()
    );
}

#[tokio::test]
async fn the_signing_key_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let first = Zone::open(config(Some(dir.path()), clock.clone(), 1))
        .await
        .unwrap();
    let made = first.state().keys.signing().await.unwrap().kid().to_owned();
    first.close().await;
    let second = Zone::open(config(Some(dir.path()), clock, 2))
        .await
        .unwrap();
    assert_eq!(second.state().keys.signing().await.unwrap().kid(), made);
}

#[tokio::test]
async fn resources_follow_their_urls_and_keep_their_consent() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock, 1, FirstPolicy::Limited)
        .await
        .unwrap();
    sign_in(&office).await;
    let mut moved = workshop(FirstPolicy::Limited);
    moved.linear = "http://127.0.0.1:5555".into();
    hoptrail::zone::seed::workshop(&office.zone, moved)
        .await
        .unwrap();
    office
        .exchange("http://127.0.0.1:5555", Some("read"))
        .await
        .unwrap();
    office
        .exchange("http://127.0.0.1:5555", Some("write"))
        .await
        .unwrap_err();
    let refused = office.exchange(LINEAR, Some("read")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidTarget);
}

#[tokio::test]
async fn a_newer_state_is_named_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    office.zone.close().await;
    let file = dir.path().join(DATABASE_FILE);
    let mut bytes = fs::read(&file).unwrap();
    bytes[60..64].copy_from_slice(&(SCHEMA_VERSION + 1).to_be_bytes());
    fs::write(&file, &bytes).unwrap();
    let before: Vec<_> = listing(dir.path());
    let failure = Zone::open(config(Some(dir.path()), clock, 2))
        .await
        .unwrap_err();
    assert!(failure.what.contains("newer hoptrail"), "{failure}");
    assert_eq!(listing(dir.path()), before);
}

fn listing(dir: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_clear_failure() {
    // /proc cannot be written even by root, under which tests may run.
    let failure = Zone::open(config(
        Some("/proc/hoptrail".as_ref()),
        FakeClock::shared(),
        1,
    ))
    .await
    .unwrap_err();
    assert!(failure.what.contains("/proc/hoptrail"), "{failure}");
    assert!(failure.next.contains("--state"), "{failure}");
}

#[tokio::test]
async fn a_state_in_use_is_not_opened_twice() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let _first = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    let failure = Zone::open(config(Some(dir.path()), clock, 2))
        .await
        .unwrap_err();
    assert!(failure.what.contains("in use"), "{failure}");
}

#[tokio::test]
async fn a_lost_key_is_named_and_a_reset_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let clock = FakeClock::shared();
    let office = open(Some(dir.path()), clock.clone(), 1, FirstPolicy::Limited)
        .await
        .unwrap();
    office.zone.close().await;
    fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
    let failure = Zone::open(config(Some(dir.path()), clock.clone(), 2))
        .await
        .unwrap_err();
    assert!(failure.what.contains("key"), "{failure}");
    hoptrail::zone::reset(dir.path()).unwrap();
    assert!(listing(dir.path()).is_empty());
    open(Some(dir.path()), clock, 3, FirstPolicy::Limited)
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_secret_lies_in_the_state_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let office = open(
        Some(dir.path()),
        FakeClock::shared(),
        1,
        FirstPolicy::Limited,
    )
    .await
    .unwrap();
    sign_in(&office).await;
    let token = office.user_token();
    for (resource, scope) in [(SUPABASE, None), (ANTHROPIC, None), (LINEAR, Some("read"))] {
        office.exchange(resource, scope).await.unwrap();
    }
    let sts = office.exchange(SERVER, Some("read")).await.unwrap();
    let secrets = [
        SUPABASE_KEY,
        ANTHROPIC_KEY,
        LINEAR_TOKEN,
        PROVIDER_SECRET,
        office.seeded.client_secret.expose(),
        token.expose().rsplit('.').next().unwrap(),
        sts.access_token.expose().rsplit('.').next().unwrap(),
    ];
    // Once with the write-ahead log, once when it is folded in.
    for files in [listing(dir.path()), {
        office.zone.close().await;
        listing(dir.path())
    }] {
        assert!(!files.is_empty());
        for (name, bytes) in files {
            let text = String::from_utf8_lossy(&bytes);
            for secret in secrets {
                assert!(!text.contains(secret), "{name}");
            }
        }
    }
}
