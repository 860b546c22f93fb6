//! What a zone holds before anyone has set anything up: the platform's own objects, and, where
//! asked for, the workshop's.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    protocol::{
        audit::CredentialSource,
        console::{Consent, Owner},
        secret::Secret,
    },
    support::error::Failure,
};

use super::{
    Zone, ZoneState,
    directory::{
        ACTIVE, ActiveBinding, Application, ApplicationCredential, Change, CredentialKind,
        Dependency, Directory, PROVIDER_SECRET, Policy, PolicySet, Provider, ProviderOAuth,
        Resource, VAULT_TOKEN, VaultSecret,
    },
    policy::lifecycle::{entry, latest_policy_version, next_policy_version, next_set_version},
    store::{Commit, CommitError},
    vault::{Belongs, SecretHash},
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

/// What the server needs for its `.env`. The client id stays over restarts, the secret is new.
#[derive(Debug, Clone)]
pub struct Seeded {
    pub client_id: String,
    pub client_secret: Secret,
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
    /// Nothing new. What somebody made in the console is brought up to date with what is given:
    /// identifiers and secrets are others at each start.
    AsLeft,
}

/// The workshop's objects as chapters 1 and 7 make them. Identifiers and secrets follow what is
/// given at every start; policies, and which set is active, are made the first time only.
///
/// # Errors
/// If they cannot be stored.
pub async fn workshop(zone: &Zone, workshop: Workshop) -> Result<Seeded, Failure> {
    let mut seed = Seed::new(zone);
    seed.objects(&workshop, Extent::Everything);
    let seeded = seed.application_credential();
    seed.limit(workshop.first_policy)?;
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
) -> Result<Option<Seeded>, Failure> {
    match extent {
        Extent::Everything => self::workshop(zone, workshop).await.map(Some),
        Extent::Objects | Extent::AsLeft => {
            let mut seed = Seed::new(zone);
            seed.objects(&workshop, extent);
            let seeded = match extent {
                Extent::AsLeft if seed.credential().is_none() => None,
                Extent::Everything | Extent::Objects | Extent::AsLeft => {
                    Some(seed.application_credential())
                }
            };
            seed.commit().await?;
            Ok(seeded)
        }
    }
}

/// The resources: id, name, identifier, provider and scopes.
fn resources(workshop: &Workshop) -> [(&str, &str, &str, &str, &[&str]); 4] {
    [
        (
            id::MCP_SERVER,
            "Workshop MCP Server",
            &workshop.server,
            id::ZONE_PROVIDER,
            &["read", "issues:create"],
        ),
        (
            id::SUPABASE,
            "Supabase Database",
            &workshop.supabase,
            id::VAULT_PROVIDER,
            &[],
        ),
        (
            id::ANTHROPIC,
            "Anthropic API",
            &workshop.anthropic,
            id::VAULT_PROVIDER,
            &[],
        ),
        (
            id::LINEAR,
            "Linear API",
            &workshop.linear,
            id::LINEAR_PROVIDER,
            &["read", "write", "issues:create"],
        ),
    ]
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

    /// The four resources, who provides them, and the application that depends on them.
    fn objects(&mut self, workshop: &Workshop, extent: Extent) {
        let wanted = |there: bool| match extent {
            Extent::Everything | Extent::Objects => true,
            Extent::AsLeft => there,
        };
        if wanted(self.before.providers.contains_key(id::LINEAR_PROVIDER)) {
            self.linear_provider(&workshop.linear_oauth);
        }
        if extent != Extent::AsLeft {
            self.put(Application {
                id: id::APPLICATION.to_owned(),
                name: "Support Escalation MCP".to_owned(),
                identifier: id::APPLICATION.to_owned(),
                consent: Consent::Required,
            });
        }
        for (id, name, identifier, provider, scopes) in resources(workshop) {
            let old = self.before.resources.get(id).cloned();
            match old {
                Some(old) if extent == Extent::AsLeft => self.put(Resource {
                    identifier: identifier.to_owned(),
                    ..(*old).clone()
                }),
                None if extent == Extent::AsLeft => {}
                Some(_) | None => {
                    self.put(Resource {
                        id: id.to_owned(),
                        name: name.to_owned(),
                        identifier: identifier.to_owned(),
                        application_id: (id == id::MCP_SERVER).then(|| id::APPLICATION.to_owned()),
                        credential_provider_id: Some(provider.to_owned()),
                        scopes: scopes.iter().map(ToString::to_string).collect(),
                        credential_lifetime_seconds: None,
                    });
                    self.put(Dependency {
                        application_id: id::APPLICATION.to_owned(),
                        resource_id: id.to_owned(),
                    });
                }
            }
        }
        for (resource, name, secret) in [
            (
                id::SUPABASE,
                "Supabase secret key",
                &workshop.supabase_secret,
            ),
            (
                id::ANTHROPIC,
                "Anthropic API key",
                &workshop.anthropic_secret,
            ),
        ] {
            if wanted(self.before.vault_secrets.contains_key(resource)) {
                self.vault_secret(resource, name, secret);
            }
        }
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

    /// The application's client credential, whoever made it.
    fn credential(&self) -> Option<&Arc<ApplicationCredential>> {
        self.before
            .application_credentials
            .values()
            .find(|credential| {
                credential.application_id == id::APPLICATION
                    && credential.kind == CredentialKind::Password
            })
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

    fn linear_provider(&mut self, oauth: &LinearOAuth) {
        let belongs = Belongs {
            to: PROVIDER_SECRET,
            id: id::LINEAR_PROVIDER,
        };
        let sealed = self.state.vault.seal(&oauth.client_secret, belongs);
        self.put(Provider {
            id: id::LINEAR_PROVIDER.to_owned(),
            name: "Linear OAuth".to_owned(),
            kind: CredentialSource::External,
            oauth: Some(ProviderOAuth {
                authorization_endpoint: oauth.authorization_endpoint.clone(),
                token_endpoint: oauth.token_endpoint.clone(),
                client_id: oauth.client_id.clone(),
                client_secret: Some(sealed),
                // So that an issue's author is the person and not the application.
                authorization_parameters: BTreeMap::from([("actor".into(), "user".into())]),
                scope_separator: ",".to_owned(),
            }),
        });
    }

    fn vault_secret(&mut self, resource: &str, name: &str, secret: &Secret) {
        let belongs = Belongs {
            to: VAULT_TOKEN,
            id: resource,
        };
        let token = self.state.vault.seal(secret, belongs);
        let created_at = self
            .before
            .vault_secrets
            .get(resource)
            .map_or_else(|| self.state.config.clock.now(), |old| old.created_at);
        self.put(VaultSecret {
            id: format!("{resource}-secret"),
            name: name.to_owned(),
            entity_id: resource.to_owned(),
            token,
            created_at,
        });
    }

    /// The lab cannot know the old secret, it has only its hash: each start makes a new one.
    fn application_credential(&mut self) -> Seeded {
        let ids = &self.state.config.ids;
        let old = self.credential().cloned();
        let old = old.as_deref();
        let identifier = old.map_or_else(|| ids.short(), |old| old.identifier.clone());
        let created_at = old.map_or_else(|| self.state.config.clock.now(), |old| old.created_at);
        let id = old.map_or_else(|| id::APPLICATION.to_owned(), |old| old.id.clone());
        let secret = Secret::new(ids.token(32));
        self.put(ApplicationCredential {
            id,
            application_id: id::APPLICATION.to_owned(),
            kind: CredentialKind::Password,
            identifier: identifier.clone(),
            secret: Some(SecretHash::of(&secret)),
            created_at,
        });
        Seeded {
            client_id: identifier,
            client_secret: secret,
        }
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
        self.put_now(ActiveBinding {
            policy_set_version_id: format!("{set}.1"),
            activated_at: self.state.config.clock.now(),
        })
    }

    async fn commit(self) -> Result<(), Failure> {
        if self.commit.changes.is_empty() {
            return Ok(());
        }
        match self.state.store.commit(self.commit).await {
            Ok(_) => Ok(()),
            Err(CommitError::Failed(failure)) => Err(failure),
            Err(error @ CommitError::Stale) => Err(Failure::new(
                crate::support::error::Exit::Failed,
                "The lab's objects could not be set up",
                error.to_string(),
                "start again",
            )),
        }
    }
}
