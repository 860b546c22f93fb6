//! What the steps do in the zone: each looks first, and makes what is missing.

use std::collections::BTreeMap;

use super::{APPLICATION, Change, LINEAR_PROVIDER, POLICY, POLICY_SET, Step, Taken, missing};
use crate::{
    client::console::{Console, NewApplication, NewProvider, NewResource, ProviderOAuth},
    lab::Materials,
    protocol::{
        audit::CredentialSource,
        console::{
            Application, Consent, Manifest, ManifestEntry, Owner, Policy, PolicySet, Resource,
        },
        secret::Secret,
    },
    support::error::Failure,
};

/// The zone's console and what the objects are made from.
pub(super) struct Work<'a> {
    pub console: &'a Console,
    pub materials: &'a Materials,
}

impl Work<'_> {
    pub async fn linear_provider(&self) -> Result<Taken, Failure> {
        let found = self
            .console
            .providers()
            .await?
            .into_iter()
            .find(|provider| {
                provider.kind == CredentialSource::External && provider.name == LINEAR_PROVIDER
            });
        if let Some(found) = found {
            return Ok(Taken::new(
                Change::WasThere,
                format!("provider {} ({})", found.name, found.id),
            ));
        }
        let oauth = &self.materials.linear_oauth;
        let made = self
            .console
            .create_provider(&NewProvider {
                name: LINEAR_PROVIDER.to_owned(),
                kind: CredentialSource::External,
                oauth: Some(ProviderOAuth {
                    authorization_endpoint: oauth.authorization_endpoint.clone(),
                    token_endpoint: oauth.token_endpoint.clone(),
                    client_id: oauth.client_id.clone(),
                    client_secret: oauth.client_secret.clone(),
                    // So that an issue's author is the person and not the application.
                    authorization_parameters: BTreeMap::from([("actor".into(), "user".into())]),
                    scope_separator: ",".to_owned(),
                }),
            })
            .await?;
        Ok(Taken::new(
            Change::Made,
            format!("provider {} ({})", made.name, made.id),
        ))
    }

    pub async fn make_application(&self) -> Result<Taken, Failure> {
        let found = self.find_application().await?;
        let (change, application) = match found {
            Some(found) if found.consent == Consent::Required => (Change::WasThere, found),
            Some(found) => {
                let changed = self.console.set_consent(&found.id, Consent::Required).await;
                (Change::Changed, changed?)
            }
            None => {
                let new = NewApplication {
                    name: APPLICATION.to_owned(),
                    consent: Consent::Required,
                };
                (Change::Made, self.console.create_application(&new).await?)
            }
        };
        let line = format!("application {} ({})", application.name, application.id);
        Ok(Taken::new(change, line))
    }

    async fn find_application(&self) -> Result<Option<Application>, Failure> {
        let all = self.console.applications().await?;
        Ok(all
            .into_iter()
            .find(|application| application.name == APPLICATION))
    }

    pub async fn application(&self) -> Result<Application, Failure> {
        let found = self.find_application().await?;
        found.ok_or_else(|| missing("the application", Step::Application))
    }

    async fn find_resource(&self, identifier: &str) -> Result<Option<Resource>, Failure> {
        let all = self.console.resources().await?;
        Ok(all
            .into_iter()
            .find(|resource| resource.identifier == identifier))
    }

    pub async fn make_resource(
        &self,
        new: NewResource,
        kind: CredentialSource,
    ) -> Result<Taken, Failure> {
        let provider = self.console.providers().await?.into_iter().find(|one| {
            one.kind == kind && (kind != CredentialSource::External || one.name == LINEAR_PROVIDER)
        });
        let provider = provider.ok_or_else(|| missing("the provider", Step::LinearProvider))?;
        let new = NewResource {
            credential_provider_id: provider.id,
            ..new
        };
        let (change, resource) = match self.find_resource(&new.identifier).await? {
            None => (Change::Made, self.console.create_resource(&new).await?),
            Some(found) => {
                let fine = found.credential_provider_id.as_ref()
                    == Some(&new.credential_provider_id)
                    && found.application_id == new.application_id
                    && new.scopes.iter().all(|scope| found.scopes.contains(scope));
                if fine {
                    (Change::WasThere, found)
                } else {
                    let patch = serde_json::json!({
                        "credential_provider_id": new.credential_provider_id,
                        "application_id": new.application_id,
                        "scopes": new.scopes,
                    });
                    let changed = self.console.update_resource(&found.id, &patch).await?;
                    (Change::Changed, changed)
                }
            }
        };
        Ok(Taken::new(
            change,
            format!("resource {} ({})", resource.name, resource.identifier),
        ))
    }

    pub async fn store(
        &self,
        name: &str,
        identifier: &str,
        key: &Secret,
    ) -> Result<Taken, Failure> {
        let resource = self.find_resource(identifier).await?;
        let resource = resource.ok_or_else(|| missing(identifier, Step::Supabase))?;
        let there = self.console.secrets().await?;
        let change = if there.iter().any(|secret| secret.entity_id == resource.id) {
            Change::WasThere
        } else {
            self.console.store_secret(&resource.id, name, key).await?;
            Change::Made
        };
        Ok(Taken::new(
            change,
            format!("{name}, in the vault for {}", resource.name),
        ))
    }

    pub async fn add_dependencies(&self) -> Result<Taken, Failure> {
        let application = self.application().await?;
        let there = self.console.dependencies(&application.id).await?;
        let mut taken = Taken {
            change: Change::WasThere,
            objects: Vec::new(),
            credential: None,
        };
        let materials = self.materials;
        for (identifier, step) in [
            (&materials.server, Step::McpServer),
            (&materials.supabase, Step::Supabase),
            (&materials.anthropic, Step::Anthropic),
            (&materials.linear, Step::Linear),
        ] {
            let resource = self.find_resource(identifier).await?;
            let resource = resource.ok_or_else(|| missing(identifier, step))?;
            if there.iter().all(|one| one.id != resource.id) {
                self.console
                    .add_dependency(&application.id, &resource.id)
                    .await?;
                taken.change = Change::Made;
            }
            taken
                .objects
                .push(format!("{} depends on {}", application.name, resource.name));
        }
        Ok(taken)
    }

    pub async fn create_credential(&self) -> Result<Taken, Failure> {
        let application = self.application().await?;
        let there = self.console.credentials().await?;
        let found = there
            .iter()
            .find(|one| one.application_id == application.id && one.kind == "password");
        if let Some(found) = found {
            return Ok(Taken::new(
                Change::WasThere,
                format!("client credential {}", found.identifier),
            ));
        }
        let made = self.console.create_credential(&application.id).await?;
        let id = made.credential.identifier;
        Ok(Taken {
            credential: Some((id.clone(), made.secret)),
            ..Taken::new(Change::Made, format!("client credential {id}"))
        })
    }

    pub async fn make_policy(&self) -> Result<Taken, Failure> {
        let (change, policy) = if let Some(found) = self.find_policy().await? {
            (Change::WasThere, found)
        } else {
            let text = &self.materials.limit;
            (
                Change::Made,
                self.console.create_policy(POLICY, text).await?,
            )
        };
        let version = policy.latest_version.version;
        let line = format!("policy {}, version {version}", policy.name);
        Ok(Taken::new(change, line))
    }

    async fn find_policy(&self) -> Result<Option<Policy>, Failure> {
        let all = self.console.policies().await?;
        Ok(all.into_iter().find(|policy| policy.name == POLICY))
    }

    pub async fn make_policy_set(&self) -> Result<Taken, Failure> {
        let (change, set) = match self.find_set().await? {
            Some(found) => (Change::WasThere, found),
            None => (
                Change::Made,
                self.console.create_policy_set(POLICY_SET).await?,
            ),
        };
        Ok(Taken::new(change, format!("policy set {}", set.name)))
    }

    async fn find_set(&self) -> Result<Option<PolicySet>, Failure> {
        let all = self.console.policy_sets().await?;
        Ok(all.into_iter().find(|set| set.name == POLICY_SET))
    }

    async fn set(&self) -> Result<PolicySet, Failure> {
        let found = self.find_set().await?;
        found.ok_or_else(|| missing("the policy set", Step::PolicySet))
    }

    /// The platform's own policies and the forbid, each in its newest version.
    async fn manifest(&self) -> Result<Manifest, Failure> {
        let all = self.console.policies().await?;
        let ours = all.iter().find(|policy| policy.name == POLICY);
        let ours = ours.ok_or_else(|| missing("the policy", Step::Policy))?;
        let defaults = all
            .iter()
            .filter(|policy| policy.owner_type == Owner::Platform);
        Ok(Manifest {
            entries: defaults
                .chain([ours])
                .map(|policy| ManifestEntry {
                    policy_id: policy.id.clone(),
                    policy_version_id: policy.latest_version.id.clone(),
                    sha: policy.latest_version.sha.clone(),
                })
                .collect(),
        })
    }

    pub async fn publish(&self) -> Result<Taken, Failure> {
        let set = self.set().await?;
        let manifest = self.manifest().await?;
        let latest = match set.latest_version {
            0 => None,
            number => {
                let number = number.to_string();
                Some(self.console.policy_set_version(&set.id, &number).await?)
            }
        };
        let same = |known: &Manifest| {
            known.entries.len() == manifest.entries.len()
                && known
                    .entries
                    .iter()
                    .all(|entry| manifest.entries.contains(entry))
        };
        let published = latest.filter(|version| version.manifest.as_ref().is_some_and(same));
        let (change, version) = if let Some(there) = published {
            (Change::WasThere, there)
        } else {
            let made = self.console.publish_policy_set(&set.id, &manifest).await?;
            (Change::Made, made)
        };
        let line = format!(
            "{}, version {}, with {} policies",
            set.name,
            version.version,
            manifest.entries.len()
        );
        Ok(Taken::new(change, line))
    }

    pub async fn activate(&self) -> Result<Taken, Failure> {
        let set = self.set().await?;
        let versions = self.console.versions(&set.id).await?;
        let latest = versions.into_iter().max_by_key(|version| version.version);
        let latest = latest.ok_or_else(|| missing("a version of the set", Step::Publish))?;
        let change = if latest.active {
            Change::WasThere
        } else {
            self.console.activate(&set.id, &latest.id).await?;
            Change::Changed
        };
        let line = format!("{}, version {}, is active", set.name, latest.version);
        Ok(Taken::new(change, line))
    }
}
