//! The workshop's objects: the resources, who provides them, and the application with its credential.

use std::{collections::BTreeMap, sync::Arc};

use super::{Extent, LinearOAuth, Seed, Workshop, id};
use crate::{
    protocol::{
        audit::CredentialSource,
        console::{Consent, LifeStatus},
        oauth::ClientCredential,
        secret::Secret,
    },
    support::error::{Exit, Failure},
    zone::{
        directory::{
            APPLICATION_SECRET, Application, ApplicationCredential, CredentialKind, Dependency,
            Grant, PROVIDER_SECRET, Provider, ProviderOAuth, Resource, VAULT_TOKEN, VaultSecret,
        },
        vault::{Belongs, SecretHash},
    },
};

/// What the workshop calls the provider of Linear's tokens.
const LINEAR_PROVIDER: &str = "Linear OAuth";

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

impl Seed<'_> {
    /// The four resources, who provides them, and the application that depends on them.
    pub(super) fn objects(&mut self, workshop: &Workshop, extent: Extent) -> Result<(), Failure> {
        let before = self.before.clone();
        // What is there stays as it was left, but for what a start has to change.
        let (makes, remakes) = match extent {
            Extent::Everything | Extent::Objects => (true, true),
            Extent::Missing | Extent::MissingObjects => (true, false),
            Extent::AsLeft => (false, false),
        };
        if makes {
            self.linear_provider(id::LINEAR_PROVIDER, &workshop.linear_oauth);
        }
        // A start has another Linear, and whoever made its provider by hand may have named it otherwise.
        let of_linear = before.resources.get(id::LINEAR);
        let of_linear = of_linear.and_then(|linear| linear.credential_provider_id.as_ref());
        for provider in before.providers.values() {
            if provider.kind == CredentialSource::External
                && (provider.name == LINEAR_PROVIDER || of_linear == Some(&provider.id))
            {
                self.linear_provider(&provider.id, &workshop.linear_oauth);
            }
        }
        let application_is_new = makes && !before.applications.contains_key(id::APPLICATION);
        if remakes || application_is_new {
            self.put(Application {
                id: id::APPLICATION.to_owned(),
                name: "Support Escalation MCP".to_owned(),
                identifier: id::APPLICATION.to_owned(),
                consent: Consent::Required,
            });
        }
        for (id, name, identifier, provider, scopes) in resources(workshop) {
            let clash = self.somebody_elses(identifier);
            match before.resources.get(id) {
                Some(old) if !remakes => {
                    if let Some(other) = clash {
                        return Err(identifier_taken(old, other));
                    }
                    let provides = application_is_new && id == id::MCP_SERVER;
                    self.put(Resource {
                        identifier: identifier.to_owned(),
                        application_id: if provides {
                            Some(id::APPLICATION.to_owned())
                        } else {
                            old.application_id.clone()
                        },
                        ..(**old).clone()
                    });
                    if application_is_new {
                        self.depends_on(id);
                    }
                }
                // Somebody made it under another name.
                None if !remakes && (!makes || clash.is_some()) => {}
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
                    self.depends_on(id);
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
            let with_its_resource = makes && !before.resources.contains_key(resource);
            if remakes || with_its_resource || before.vault_secrets.contains_key(resource) {
                self.vault_secret(resource, name, secret);
            }
        }
        Ok(())
    }

    fn depends_on(&mut self, resource: &str) {
        self.put(Dependency {
            application_id: id::APPLICATION.to_owned(),
            resource_id: resource.to_owned(),
        });
    }

    /// A resource that is none of the workshop's and has this identifier.
    fn somebody_elses(&self, identifier: &str) -> Option<&Resource> {
        self.before
            .resources
            .values()
            .map(AsRef::as_ref)
            .find(|other| {
                other.identifier == identifier
                    && ![id::MCP_SERVER, id::SUPABASE, id::ANTHROPIC, id::LINEAR]
                        .contains(&other.id.as_str())
            })
    }

    /// The application's client credential: the lab's own, and where there is none, whoever made it.
    pub(super) fn credential(&self) -> Option<&Arc<ApplicationCredential>> {
        let passwords = || {
            self.before
                .application_credentials
                .values()
                .filter(|credential| {
                    credential.application_id == id::APPLICATION
                        && credential.kind == CredentialKind::Password
                })
        };
        passwords()
            .find(|credential| credential.id == id::APPLICATION)
            .or_else(|| passwords().next())
    }

    /// The provider of Linear's tokens with this id; one that is there keeps its name.
    fn linear_provider(&mut self, id: &str, oauth: &LinearOAuth) {
        let belongs = Belongs {
            to: PROVIDER_SECRET,
            id,
        };
        let sealed = self.state.vault.seal(&oauth.client_secret, belongs);
        let before = self.before.clone();
        let old = before.providers.get(id);
        let other_client = old
            .and_then(|provider| provider.oauth.as_ref())
            .is_some_and(|known| known.client_id != oauth.client_id);
        if other_client {
            // The stand-in's tokens are none of the real Linear, which must not even see them.
            for grant in before.grants.values() {
                if grant.provider_id.as_deref() == Some(id) {
                    self.put(Grant {
                        status: LifeStatus::Expired,
                        access_token: None,
                        refresh_token: None,
                        ..(**grant).clone()
                    });
                }
            }
        }
        self.put(Provider {
            id: id.to_owned(),
            name: old.map_or_else(|| LINEAR_PROVIDER.to_owned(), |old| old.name.clone()),
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

    /// The one that is kept, whoever made it. Where the zone has only a secret's hash, a new one takes
    /// its place.
    pub(super) fn application_credential(&mut self) -> Result<ClientCredential, Failure> {
        let ids = &self.state.config.ids;
        let old = self.credential().cloned();
        let old = old.as_deref();
        if let Some((kept, sealed)) = old.and_then(|old| Some((old, old.sealed.as_ref()?))) {
            return Ok(ClientCredential {
                client_id: kept.identifier.clone(),
                client_secret: self.state.vault.unseal(sealed, of_credential(&kept.id))?,
            });
        }
        let identifier = old.map_or_else(|| ids.short(), |old| old.identifier.clone());
        let created_at = old.map_or_else(|| self.state.config.clock.now(), |old| old.created_at);
        let id = old.map_or_else(|| id::APPLICATION.to_owned(), |old| old.id.clone());
        let secret = Secret::new(ids.token(32));
        let sealed = self.state.vault.seal(&secret, of_credential(&id));
        self.put(ApplicationCredential {
            id,
            application_id: id::APPLICATION.to_owned(),
            kind: CredentialKind::Password,
            identifier: identifier.clone(),
            secret: Some(SecretHash::of(&secret)),
            sealed: Some(sealed),
            created_at,
        });
        Ok(ClientCredential {
            client_id: identifier,
            client_secret: secret,
        })
    }
}

/// What an application's secret is sealed for.
const fn of_credential(id: &str) -> Belongs<'_> {
    Belongs {
        to: APPLICATION_SECRET,
        id,
    }
}

fn identifier_taken(ours: &Resource, other: &Resource) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("The resource \"{}\" cannot get its URL", ours.name),
        format!(
            "the resource \"{}\", which somebody made, has the identifier already",
            other.name
        ),
        "delete that one in the console of a lab with other URLs, or start with --reset",
    )
}
