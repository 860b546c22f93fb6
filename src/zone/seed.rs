//! What a zone holds before anyone has set anything up: the platform's own objects, and, where
//! asked for, the workshop's.

mod objects;

use std::sync::Arc;

use crate::{
    protocol::{audit::CredentialSource, console::Owner, oauth::ClientCredential, secret::Secret},
    support::error::Failure,
};

use super::{
    Zone, ZoneState,
    directory::{ACTIVE, ActiveBinding, Change, Directory, Policy, PolicySet, Provider},
    policy::lifecycle::{entry, latest_policy_version, next_policy_version, next_set_version},
    store::Commit,
};

/// The ids of what is seeded. Keycard's ids are random; these are for reading, and the same in
/// every lab, so that a screen or an error says what it is about.
pub mod id {
    pub const ZONE_PROVIDER: &str = "zone-provider";
    pub const VAULT_PROVIDER: &str = "keycard-vault";
    pub const LINEAR_PROVIDER: &str = "linear-oauth";
    pub const MCP_SERVER: &str = "workshop-mcp-server";
    pub const SUPABASE: &str = "supabase-database";
    pub const ANTHROPIC: &str = "anthropic-api";
    pub const LINEAR: &str = "linear-api";
    pub const APPLICATION: &str = "support-escalation-mcp";
    pub const DEFAULT_SET: &str = "default-zone-policies";
    pub const WORKSHOP_SET: &str = "workshop-policies";
    pub const LIMIT_LINEAR_SCOPES: &str = "limit-linear-scopes";
}

/// The platform's policies: name and text.
const DEFAULT_POLICIES: [(&str, &str); 3] = [
    (
        "default-app-delegation",
        include_str!("policies/default-app-delegation.cedar"),
    ),
    (
        "default-app-direct-access",
        include_str!("policies/default-app-direct-access.cedar"),
    ),
    (
        "default-user-grants",
        include_str!("policies/default-user-grants.cedar"),
    ),
];

/// The text of [`id::LIMIT_LINEAR_SCOPES`].
pub const LIMIT_LINEAR_SCOPES: &str = include_str!("policies/limit-linear-scopes.cedar");

/// What the workshop's objects are made from.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// The MCP endpoint with its path: the resource that people sign in to.
    pub server: String,
    pub supabase: String,
    pub anthropic: String,
    /// Linear's origin, without `/graphql`.
    pub linear: String,
    /// What the vault hands out for Supabase.
    pub supabase_secret: Secret,
    /// What the vault hands out for Anthropic.
    pub anthropic_secret: Secret,
    pub linear_oauth: LinearOAuth,
    /// Which policy set is active at the very first start; afterwards what was active stays so.
    pub first_policy: FirstPolicy,
}

/// The OAuth client that the zone is at Linear.
#[derive(Debug, Clone)]
pub struct LinearOAuth {
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub client_id: String,
    pub client_secret: Secret,
}

/// A policy set to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstPolicy {
    /// The platform's defaults: every scope is issued (the workshop before chapter 7).
    Defaults,
    /// The defaults and `limit-linear-scopes`: the story as it ends.
    Limited,
}

/// The platform's objects, where they are missing: both providers, and the default policy set,
/// active as long as no other ever was.
pub(super) async fn fresh(state: &ZoneState) -> Result<(), Failure> {
    let mut seed = Seed::of(state);
    for (id, name, kind) in [
        (
            id::ZONE_PROVIDER,
            "Zone Provider",
            CredentialSource::KeycardSts,
        ),
        (
            id::VAULT_PROVIDER,
            "Keycard Vault",
            CredentialSource::KeycardVault,
        ),
    ] {
        if !seed.before.providers.contains_key(id) {
            seed.put(Provider {
                id: id.to_owned(),
                name: name.to_owned(),
                kind,
                oauth: None,
            });
        }
    }
    for (name, text) in DEFAULT_POLICIES {
        seed.policy(name, Owner::Platform, text)?;
    }
    seed.policy_set(
        id::DEFAULT_SET,
        Owner::Platform,
        &DEFAULT_POLICIES.map(|(name, _)| name),
    )?;
    if !seed.before.active_bindings.contains_key(ACTIVE) {
        seed.activate(id::DEFAULT_SET)?;
    }
    seed.commit().await
}

/// How much of the workshop is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Objects and policies.
    Everything,
    /// What chapter 1 makes: the objects, no policy.
    Objects,
    /// What is not there of both, and what is there as it was left, as with [`Self::AsLeft`]: what
    /// a start brings.
    Missing,
    /// [`Self::Missing`] without the policies.
    MissingObjects,
    /// Nothing new. What somebody made in the console is brought up to date with what is given:
    /// identifiers, and the secrets of the services, are others at each start.
    AsLeft,
}

/// The workshop's objects as chapters 1 and 7 make them, whatever became of them; policies, and which
/// set is active, are made the first time only.
///
/// # Errors
/// If they cannot be stored.
pub async fn workshop(zone: &Zone, workshop: Workshop) -> Result<ClientCredential, Failure> {
    let mut seed = Seed::new(zone);
    seed.everything(&workshop, Extent::Everything)?;
    let seeded = seed.application_credential()?;
    seed.commit().await?;
    Ok(seeded)
}

/// [`workshop`] as far as `extent` goes. Without a credential there is no `.env` to put it into.
///
/// # Errors
/// If they cannot be stored.
pub async fn workshop_to(
    zone: &Zone,
    workshop: Workshop,
    extent: Extent,
) -> Result<Option<ClientCredential>, Failure> {
    match extent {
        Extent::Everything => self::workshop(zone, workshop).await.map(Some),
        Extent::Missing => {
            let mut seed = Seed::new(zone);
            seed.everything(&workshop, extent)?;
            let seeded = seed.application_credential()?;
            seed.commit().await?;
            Ok(Some(seeded))
        }
        Extent::Objects | Extent::MissingObjects | Extent::AsLeft => {
            let mut seed = Seed::new(zone);
            seed.objects(&workshop, extent)?;
            let seeded = match extent {
                Extent::AsLeft if seed.credential().is_none() => None,
                _ => Some(seed.application_credential()?),
            };
            seed.commit().await?;
            Ok(seeded)
        }
    }
}

/// Makes the platform's set the active one.
pub(super) fn default_binding(state: &ZoneState) -> Change {
    Change::put(first_version_active(state, id::DEFAULT_SET))
}

fn first_version_active(state: &ZoneState, set: &str) -> ActiveBinding {
    ActiveBinding {
        policy_set_version_id: format!("{set}.1"),
        activated_at: state.config.clock.now(),
    }
}

/// Collects changes; `after` is the directory with them, for those that build on others.
struct Seed<'a> {
    state: &'a ZoneState,
    before: Arc<Directory>,
    after: Directory,
    commit: Commit,
}

impl<'a> Seed<'a> {
    fn new(zone: &'a Zone) -> Self {
        Self::of(zone.state())
    }

    fn of(state: &'a ZoneState) -> Self {
        let before = state.directory();
        Self {
            state,
            after: (*before).clone(),
            before,
            commit: Commit::default(),
        }
    }

    fn everything(&mut self, workshop: &Workshop, extent: Extent) -> Result<(), Failure> {
        self.objects(workshop, extent)?;
        self.limit(workshop.first_policy)
    }

    /// The forbid, and the set that carries it beside the defaults.
    fn limit(&mut self, first_policy: FirstPolicy) -> Result<(), Failure> {
        let first = !self.before.policy_sets.contains_key(id::WORKSHOP_SET);
        self.policy(
            id::LIMIT_LINEAR_SCOPES,
            Owner::Customer,
            LIMIT_LINEAR_SCOPES,
        )?;
        let mut names = DEFAULT_POLICIES.map(|(name, _)| name).to_vec();
        names.push(id::LIMIT_LINEAR_SCOPES);
        self.policy_set(id::WORKSHOP_SET, Owner::Customer, &names)?;
        match first_policy {
            FirstPolicy::Limited if first => self.activate(id::WORKSHOP_SET),
            FirstPolicy::Limited | FirstPolicy::Defaults => Ok(()),
        }
    }

    fn put(&mut self, object: impl Into<super::directory::Object>) {
        self.commit.changes.push(Change::put(object));
    }

    /// A change that later ones build on.
    fn put_now(&mut self, object: impl Into<super::directory::Object>) -> Result<(), Failure> {
        let change = Change::put(object);
        self.after = self.after.after(std::slice::from_ref(&change))?;
        self.commit.changes.push(change);
        Ok(())
    }

    fn policy(&mut self, name: &str, owner: Owner, text: &str) -> Result<(), Failure> {
        let published = |policy: &str| {
            self.before
                .policy_versions
                .values()
                .any(|version| version.policy_id == policy)
        };
        if published(name) {
            return Ok(());
        }
        let policy = Policy {
            id: name.to_owned(),
            name: name.to_owned(),
            owner,
        };
        let version = next_policy_version(
            &self.after,
            &policy,
            format!("{name}.1"),
            text,
            self.state.config.clock.now(),
        );
        self.put_now(policy)?;
        self.put_now(version)
    }

    fn policy_set(&mut self, name: &str, owner: Owner, policies: &[&str]) -> Result<(), Failure> {
        let published = |set: &str| {
            self.before
                .policy_set_versions
                .values()
                .any(|version| version.policy_set_id == set)
        };
        if published(name) {
            return Ok(());
        }
        let set = PolicySet {
            id: name.to_owned(),
            name: name.to_owned(),
            owner,
        };
        let entries = policies
            .iter()
            .filter_map(|policy| latest_policy_version(&self.after, policy))
            .map(entry)
            .collect();
        let version = next_set_version(
            &self.after,
            &set,
            format!("{name}.1"),
            entries,
            self.state.config.clock.now(),
        );
        self.put_now(set)?;
        self.put_now(version)
    }

    /// Without a row in the log: nobody did it, it is how the zone begins.
    fn activate(&mut self, set: &str) -> Result<(), Failure> {
        self.put_now(first_version_active(self.state, set))
    }

    async fn commit(self) -> Result<(), Failure> {
        if self.commit.changes.is_empty() {
            return Ok(());
        }
        self.state.store.commit(self.commit).await?;
        Ok(())
    }
}
