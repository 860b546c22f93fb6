//! The zone as it stands at one moment: everything that a decision needs, in memory, immutable.
//!
//! A change makes a new directory that shares all unchanged tables with the old one. Must not do
//! I/O; the [`super::store`] makes changes durable before anyone sees them.

mod objects;

use std::sync::Arc;

use crate::protocol::console::{Consent, LifeStatus};

use super::policy::{self, ActivePolicy, EntityCache};

pub use objects::*;

/// A snapshot of the zone.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    tables: Tables,
    generation: u64,
    policy: Option<Arc<ActivePolicy>>,
    /// Shared with later directories while nothing in it changes.
    entities: EntityCache,
}

impl std::ops::Deref for Directory {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        &self.tables
    }
}

/// One change of the directory.
#[derive(Debug, Clone)]
pub enum Change {
    /// Adds the object, or replaces the one with its key.
    Put(Object),
    /// Removes the object, if there is one.
    Delete(Kind, String),
}

impl Change {
    /// Adds or replaces an object.
    pub fn put(object: impl Into<Object>) -> Self {
        Self::Put(object.into())
    }

    /// The kind of object that changes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Put(object) => object.kind(),
            Self::Delete(kind, _) => *kind,
        }
    }
}

impl Directory {
    /// Counts the changes that can turn a decision around.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The policy set version that decides; `None` denies everything.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<ActivePolicy>> {
        self.policy.as_ref()
    }

    /// What Cedar knows of this directory.
    ///
    /// # Errors
    /// If Cedar cannot take an object as an entity.
    pub(super) fn entities(&self) -> Result<&cedar_policy::Entities, String> {
        self.entities
            .get_or_init(|| policy::entities(&self.tables))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The resource with exactly this identifier (RFC 8707 resource indicator).
    #[must_use]
    pub fn resource_identified(&self, identifier: &str) -> Option<&Arc<Resource>> {
        self.resources.values().find(|r| r.identifier == identifier)
    }

    /// The person whom tokens call `sub`.
    #[must_use]
    pub fn user_identified(&self, identifier: &str) -> Option<&Arc<User>> {
        self.users.values().find(|u| u.identifier == identifier)
    }

    /// The resources that the application depends on, in the order of their ids.
    pub fn dependencies_of(&self, application_id: &str) -> impl Iterator<Item = &Arc<Resource>> {
        let prefix = pair(application_id, "");
        self.dependencies
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .filter_map(|(_, dependency)| self.resources.get(&dependency.resource_id))
    }

    /// Whether the application may ask for the resource at all.
    #[must_use]
    pub fn depends(&self, application_id: &str, resource_id: &str) -> bool {
        self.dependencies
            .contains_key(&pair(application_id, resource_id))
    }

    /// The person's consent for the resource, whatever became of it.
    #[must_use]
    pub fn grant(&self, user_id: &str, resource_id: &str) -> Option<&Arc<Grant>> {
        self.grants.get(&pair(user_id, resource_id))
    }

    /// The person's consent for the resource, if it holds. It was given for credentials of one
    /// provider, and its tokens are that provider's: another provider needs another consent.
    #[must_use]
    pub fn active_grant(&self, user_id: &str, resource_id: &str) -> Option<&Arc<Grant>> {
        let resource = self.resources.get(resource_id)?;
        self.grant(user_id, resource_id).filter(|grant| {
            grant.status == LifeStatus::Active
                && grant.provider_id == resource.credential_provider_id
        })
    }

    /// The person's consent for the resource, if it holds and has all the scopes that they would be
    /// asked for now: those of a resource can grow.
    #[must_use]
    pub fn whole_grant(&self, user_id: &str, resource_id: &str) -> Option<&Arc<Grant>> {
        let resource = self.resources.get(resource_id)?;
        self.active_grant(user_id, resource_id)
            .filter(|grant| resource.scopes.iter().all(|one| grant.scopes.contains(one)))
    }

    /// Whether the person's consent allows `application` the resource. Where none has to be given,
    /// it can still be withdrawn.
    #[must_use]
    pub fn consented(
        &self,
        application: Option<&Application>,
        user_id: &str,
        resource_id: &str,
    ) -> bool {
        match application.map_or(Consent::Required, |application| application.consent) {
            Consent::Required => self.active_grant(user_id, resource_id).is_some(),
            Consent::Implicit => self
                .grant(user_id, resource_id)
                .is_none_or(|grant| grant.status != LifeStatus::Revoked),
        }
    }

    /// Whether a client that authenticated with `credential` still may: it was neither deleted nor
    /// given another secret since.
    #[must_use]
    pub fn accepts(&self, credential: &ApplicationCredential) -> bool {
        self.application_credentials
            .get(&credential.identifier)
            .is_some_and(|now| now.id == credential.id && now.secret == credential.secret)
    }

    /// The directory after the changes.
    ///
    /// # Errors
    /// If the policy set that they make active does not compile.
    pub(super) fn after(&self, changes: &[Change]) -> Result<Self, crate::support::error::Failure> {
        let mut next = self.clone();
        let mut policy_changed = false;
        for change in changes {
            let kind = change.kind();
            if kind.bears_on_decisions() {
                next.generation = self.generation + 1;
            }
            policy_changed |= kind == Kind::ActiveBinding;
            if policy::stale_by(kind) {
                next.entities = EntityCache::default();
            }
            match change {
                Change::Put(object) => next.tables.put(object.clone()),
                Change::Delete(kind, key) => {
                    next.tables.remove(*kind, key);
                }
            }
        }
        if policy_changed {
            next.policy = ActivePolicy::of(&next.tables)?.map(Arc::new);
        }
        Ok(next)
    }
}
