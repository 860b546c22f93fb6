//! Takes away what people made in the zone, so that a chapter can begin again. What the platform
//! owns stays, and so do people, sessions and the log.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Zone, ZoneState,
    directory::{ACTIVE, Change, Directory, Kind},
    seed::{self, Extent, id},
    sessions,
    settled::until_settled,
    store::Commit,
};
use crate::{protocol::console::Owner, support::error::Failure};

/// Takes away what goes beyond `kept`: the policies, or the objects with them.
///
/// # Errors
/// If the zone keeps changing, or cannot be written.
pub async fn beyond(zone: &Zone, kept: Extent) -> Result<(), Failure> {
    let (policies, objects) = match kept {
        Extent::Everything | Extent::Missing | Extent::MissingObjects => return Ok(()),
        Extent::Objects => (true, false),
        Extent::AsLeft => (true, true),
    };
    let state = zone.state();
    until_settled(state, |directory| {
        let commit = Commit {
            based_on: Some(directory.generation()),
            changes: goes_beyond(state, directory, policies, objects),
            ..Commit::default()
        };
        Ok::<_, Failure>((commit, ()))
    })
    .await?;
    Ok(())
}

fn goes_beyond(
    state: &ZoneState,
    directory: &Directory,
    policies: bool,
    objects: bool,
) -> Vec<Change> {
    let mut changes = Vec::new();
    if policies {
        let is_own = |owner: Option<Owner>| owner.is_some_and(|owner| owner != Owner::Platform);
        let of_set = |set: &str| directory.policy_sets.get(set).map(|set| set.owner);
        let of_policy = |policy: &str| directory.policies.get(policy).map(|policy| policy.owner);
        changes.extend(gone(
            Kind::PolicySetVersion,
            &directory.policy_set_versions,
            |_, version| is_own(of_set(&version.policy_set_id)),
        ));
        changes.extend(gone(Kind::PolicySet, &directory.policy_sets, |_, set| {
            is_own(Some(set.owner))
        }));
        changes.extend(gone(
            Kind::PolicyVersion,
            &directory.policy_versions,
            |_, version| is_own(of_policy(&version.policy_id)),
        ));
        changes.extend(gone(Kind::Policy, &directory.policies, |_, policy| {
            is_own(Some(policy.owner))
        }));
        // Whoever activated another set a moment ago: a zone whose active set is gone decides
        // nothing and does not start again.
        let active = directory.active_bindings.get(ACTIVE).and_then(|binding| {
            directory
                .policy_set_versions
                .get(&binding.policy_set_version_id)
        });
        if active.is_some_and(|version| is_own(of_set(&version.policy_set_id))) {
            changes.push(seed::default_binding(state));
        }
    }
    if objects {
        changes.extend(gone(Kind::Grant, &directory.grants, |_, _| true));
        changes.extend(gone(Kind::Dependency, &directory.dependencies, |_, _| true));
        changes.extend(gone(
            Kind::VaultSecret,
            &directory.vault_secrets,
            |_, secret| directory.resources.contains_key(&secret.entity_id),
        ));
        changes.extend(gone(
            Kind::ApplicationCredential,
            &directory.application_credentials,
            |_, one| directory.applications.contains_key(&one.application_id),
        ));
        changes.extend(gone(Kind::Application, &directory.applications, |_, _| {
            true
        }));
        changes.extend(gone(Kind::Resource, &directory.resources, |_, _| true));
        for id in directory.resources.keys() {
            changes.extend(sessions::tokens_revoked(directory, id));
        }
        changes.extend(gone(Kind::Provider, &directory.providers, |key, _| {
            ![id::ZONE_PROVIDER, id::VAULT_PROVIDER].contains(&key)
        }));
    }
    changes
}

/// What takes away those of `kind` that `goes` names.
fn gone<T>(
    kind: Kind,
    of_kind: &BTreeMap<String, Arc<T>>,
    goes: impl Fn(&str, &T) -> bool,
) -> impl Iterator<Item = Change> {
    of_kind
        .iter()
        .filter(move |(key, object)| goes(key, object))
        .map(move |(key, _)| Change::Delete(kind, key.clone()))
}
