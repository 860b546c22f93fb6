//! Takes away what people made in the zone, so that a chapter can begin again. What the platform
//! owns stays, and so do people, sessions and the log.

use super::{
    Zone,
    directory::{Change, Kind},
    seed::{Extent, id},
    store::{Commit, CommitError},
};
use crate::{
    protocol::console::Owner,
    support::error::{Exit, Failure},
};

/// Takes away what goes beyond `kept`: the policies, or the objects with them.
///
/// # Errors
/// If the zone is changed by somebody else at the same time, or cannot be written.
pub async fn beyond(zone: &Zone, kept: Extent) -> Result<(), Failure> {
    let (policies, objects) = match kept {
        Extent::Everything => return Ok(()),
        Extent::Objects => (true, false),
        Extent::AsLeft => (true, true),
    };
    let state = zone.state();
    let directory = state.directory();
    let mut changes = Vec::new();
    let mut gone = |kind: Kind, keys: Vec<String>| {
        changes.extend(keys.into_iter().map(|key| Change::Delete(kind, key)));
    };
    if policies {
        let is_own = |owner: Option<Owner>| owner.is_some_and(|owner| owner != Owner::Platform);
        let of_set = |set: &str| directory.policy_sets.get(set).map(|set| set.owner);
        let of_policy = |policy: &str| directory.policies.get(policy).map(|policy| policy.owner);
        let versions = directory.policy_set_versions.iter();
        gone(
            Kind::PolicySetVersion,
            versions
                .filter(|(_, version)| is_own(of_set(&version.policy_set_id)))
                .map(|(key, _)| key.clone())
                .collect(),
        );
        let sets = directory.policy_sets.iter();
        gone(
            Kind::PolicySet,
            sets.filter(|(_, set)| is_own(Some(set.owner)))
                .map(|(key, _)| key.clone())
                .collect(),
        );
        let versions = directory.policy_versions.iter();
        gone(
            Kind::PolicyVersion,
            versions
                .filter(|(_, version)| is_own(of_policy(&version.policy_id)))
                .map(|(key, _)| key.clone())
                .collect(),
        );
        let policies = directory.policies.iter();
        gone(
            Kind::Policy,
            policies
                .filter(|(_, policy)| is_own(Some(policy.owner)))
                .map(|(key, _)| key.clone())
                .collect(),
        );
    }
    if objects {
        gone(Kind::Grant, directory.grants.keys().cloned().collect());
        gone(
            Kind::Dependency,
            directory.dependencies.keys().cloned().collect(),
        );
        gone(
            Kind::VaultSecret,
            directory
                .vault_secrets
                .iter()
                .filter(|(_, secret)| directory.resources.contains_key(&secret.entity_id))
                .map(|(key, _)| key.clone())
                .collect(),
        );
        let credentials = directory.application_credentials.iter();
        gone(
            Kind::ApplicationCredential,
            credentials
                .filter(|(_, one)| directory.applications.contains_key(&one.application_id))
                .map(|(key, _)| key.clone())
                .collect(),
        );
        gone(
            Kind::Application,
            directory.applications.keys().cloned().collect(),
        );
        gone(
            Kind::Resource,
            directory.resources.keys().cloned().collect(),
        );
        let providers = directory.providers.keys();
        gone(
            Kind::Provider,
            providers
                .filter(|key| ![id::ZONE_PROVIDER, id::VAULT_PROVIDER].contains(&key.as_str()))
                .cloned()
                .collect(),
        );
    }
    if changes.is_empty() {
        return Ok(());
    }
    let commit = Commit {
        based_on: Some(directory.generation()),
        changes,
        ..Commit::default()
    };
    match state.store.commit(commit).await {
        Ok(_) => Ok(()),
        Err(CommitError::Failed(failure)) => Err(failure),
        Err(error @ CommitError::Stale) => Err(Failure::new(
            Exit::Failed,
            "The zone could not be cleared",
            error.to_string(),
            "try again",
        )),
    }
}
