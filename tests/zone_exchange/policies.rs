//! What policy decides, and that a decision counts only on the zone as it is.

use std::sync::Arc;

use hoptrail::{
    protocol::{
        audit::AuditStatus,
        console::{Manifest, Owner},
    },
    zone::{
        directory::{ACTIVE, ActiveBinding, Change, Kind, Policy, PolicySet, PolicySetVersion},
        policy::lifecycle::{entry, next_policy_version, next_set_version},
        seed::{FirstPolicy, id},
        store::{Commit, CommitError},
    },
};
use rstest::rstest;

use crate::office::*;

/// Makes a policy set of the given texts, active at once.
pub async fn activate(office: &Office, policies: &[(&str, &str)]) {
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

pub const PERMIT_USERS: &str = "permit (principal is Keycard::User, action, resource);";
const PERMIT_APPLICATIONS: &str = "permit (principal is Keycard::Application, action, resource);";

#[rstest]
#[case::nothing_permits(&[], "none")]
#[case::only_the_person_is_permitted(&[("users", PERMIT_USERS)], "mine::users")]
#[case::only_the_application_is_permitted(&[("apps", PERMIT_APPLICATIONS)], "mine::apps")]
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
