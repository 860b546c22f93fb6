//! What the steps do in the zone: each looks first, makes what is missing, and changes what is
//! otherwise than filled in.

use std::collections::BTreeMap;

use super::{
    ANTHROPIC, Answers, Change, LINEAR, LINEAR_PROVIDER, MCP_SERVER, SUPABASE, Step, Taken, form,
    missing,
};
use crate::{
    client::console::{Console, NewApplication, NewProvider, NewResource, ProviderOAuth},
    lab::Materials,
    protocol::{
        audit::CredentialSource,
        console::{Application, Manifest, ManifestEntry, Owner, PolicySet, Resource},
        secret::Secret,
    },
    support::error::{Exit, Failure},
};

/// The zone's console, what the objects are made from, and what is filled in.
pub(super) struct Work<'a> {
    pub console: &'a Console,
    pub materials: &'a Materials,
    pub filled: Answers<'a>,
}

impl Work<'_> {
    pub async fn linear_provider(&self) -> Result<Taken, Failure> {
        let (name, kind) = (self.filled.name(), self.filled.provider_kind());
        let there = self.console.providers().await?;
        let mut named = there.iter().filter(|provider| provider.name == name);
        if let Some(found) = named.clone().find(|provider| provider.kind == kind) {
            return Ok(Taken::new(
                Change::WasThere,
                format!("provider {} ({})", found.name, found.id),
            ));
        }
        let oauth = &self.materials.linear_oauth;
        let oauth = (kind == CredentialSource::External).then(|| ProviderOAuth {
            authorization_endpoint: oauth.authorization_endpoint.clone(),
            token_endpoint: oauth.token_endpoint.clone(),
            client_id: oauth.client_id.clone(),
            client_secret: oauth.client_secret.clone(),
            // So that an issue's author is the person and not the application.
            authorization_parameters: BTreeMap::from([("actor".into(), "user".into())]),
            scope_separator: ",".to_owned(),
        });
        let new = NewProvider {
            name: name.to_owned(),
            kind,
            oauth,
        };
        // A provider's kind does not change: one of another kind makes room, unless it is in use.
        let resources = self.console.resources().await?;
        let is_used = |id: &String| {
            let mut users = resources.iter();
            users.any(|one| one.credential_provider_id.as_ref() == Some(id))
        };
        let change = match named.find(|provider| !is_used(&provider.id)) {
            Some(other) => {
                self.console.delete_provider(&other.id).await?;
                Change::Changed
            }
            None => Change::Made,
        };
        let made = self.console.create_provider(&new).await?;
        Ok(Taken::new(
            change,
            format!("provider {} ({})", made.name, made.id),
        ))
    }

    pub async fn make_application(&self) -> Result<Taken, Failure> {
        let (name, consent) = (self.filled.name(), self.filled.consent());
        let found = self.find_application(name).await?;
        let (change, application) = match found {
            Some(found) if found.consent == consent => (Change::WasThere, found),
            Some(found) => {
                let changed = self.console.set_consent(&found.id, consent).await;
                (Change::Changed, changed?)
            }
            None => {
                let new = NewApplication {
                    name: name.to_owned(),
                    consent,
                };
                (Change::Made, self.console.create_application(&new).await?)
            }
        };
        let line = format!("application {} ({})", application.name, application.id);
        Ok(Taken::new(change, line))
    }

    async fn find_application(&self, name: &str) -> Result<Option<Application>, Failure> {
        let all = self.console.applications().await?;
        Ok(all.into_iter().find(|application| application.name == name))
    }

    pub async fn application(&self, name: &str) -> Result<Application, Failure> {
        let found = self.find_application(name).await?;
        found.ok_or_else(|| missing(&format!("the application {name}"), Step::Application))
    }

    /// The resource of that name; one that has the identifier which the workshop gives it, and a name
    /// of nobody else's, is the same under another name.
    fn find_resource(
        all: Vec<Resource>,
        name: &str,
        (default, identifier): (&str, &str),
    ) -> Option<Resource> {
        let others = [MCP_SERVER, SUPABASE, ANTHROPIC, LINEAR];
        let named = |wanted: &str| all.iter().position(|one| one.name == wanted);
        let place = named(name).or_else(|| named(default)).or_else(|| {
            all.iter().position(|one| {
                one.identifier == identifier && !others.contains(&one.name.as_str())
            })
        });
        all.into_iter().nth(place?)
    }

    /// A resource as it is filled in; its provider is looked up when it is made.
    pub fn resource(&self) -> NewResource {
        NewResource {
            name: self.filled.name().to_owned(),
            identifier: self.filled.identifier().to_owned(),
            application_id: None,
            credential_provider_id: String::new(),
            scopes: Vec::new(),
        }
    }

    /// The provider that hands out a resource's credentials.
    async fn provider(&self) -> Result<String, Failure> {
        let kind = self.filled.source();
        let all = self.console.providers().await?;
        let of_kind = || all.iter().filter(|provider| provider.kind == kind);
        let found = match kind {
            CredentialSource::External => of_kind()
                .find(|provider| provider.name == LINEAR_PROVIDER)
                .or_else(|| of_kind().next()),
            CredentialSource::KeycardSts | CredentialSource::KeycardVault => of_kind()
                .find(|provider| provider.name != LINEAR_PROVIDER)
                .or_else(|| of_kind().next()),
        };
        if let Some(found) = found {
            return Ok(found.id.clone());
        }
        let step = Step::LinearProvider;
        let other = all.iter().find(|provider| provider.name == LINEAR_PROVIDER);
        Err(match other {
            Some(other) => Failure::new(
                Exit::Failed,
                "This step rests on an earlier one",
                format!(
                    "the provider {} is there, as {}",
                    other.name,
                    other.kind.word()
                ),
                format!(
                    "take that step again, with {}: {}",
                    kind.word(),
                    step.title()
                ),
            ),
            None => missing("the provider", step),
        })
    }

    pub async fn make_resource(
        &self,
        new: NewResource,
        default: &str,
        identifier: &str,
    ) -> Result<Taken, Failure> {
        let new = NewResource {
            credential_provider_id: self.provider().await?,
            ..new
        };
        let all = self.console.resources().await?;
        let found = Self::find_resource(all, &new.name, (default, identifier));
        let (change, resource) = match found {
            None => (Change::Made, self.console.create_resource(&new).await?),
            Some(found) => {
                let same_scopes = new.scopes.len() == found.scopes.len()
                    && new.scopes.iter().all(|scope| found.scopes.contains(scope));
                let fine = found.name == new.name
                    && found.identifier == new.identifier
                    && found.credential_provider_id.as_ref() == Some(&new.credential_provider_id)
                    && found.application_id == new.application_id
                    && same_scopes;
                if fine {
                    (Change::WasThere, found)
                } else {
                    let patch = serde_json::json!({
                        "name": new.name,
                        "identifier": new.identifier,
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
        default: (&str, &str),
        key: &Secret,
        step: Step,
    ) -> Result<Taken, Failure> {
        let wanted = self.filled.text(form::RESOURCE);
        let all = self.console.resources().await?;
        let resource = if wanted == default.0 {
            Self::find_resource(all, wanted, default)
        } else {
            all.into_iter().find(|one| one.name == wanted)
        };
        let resource = resource.ok_or_else(|| {
            if wanted == default.0 {
                missing(&format!("the resource {wanted}"), step)
            } else {
                Failure::new(
                    Exit::Failed,
                    "The key would belong to nothing",
                    format!("the zone has no resource of the name {wanted}"),
                    format!(
                        "set the name back to {}, or name a resource that is there",
                        default.0
                    ),
                )
            }
        })?;
        let providers = self.console.providers().await?;
        let vaulted = providers.iter().any(|provider| {
            provider.kind == CredentialSource::KeycardVault
                && Some(&provider.id) == resource.credential_provider_id.as_ref()
        });
        if !vaulted {
            return Err(Failure::new(
                Exit::Failed,
                "The vault takes no key for this resource",
                format!("the provider of {} is not the Keycard Vault", resource.name),
                format!(
                    "change the step before it, “{}”: choose the Keycard Vault in its form, and take \
                     it again; then take this one",
                    step.title()
                ),
            ));
        }
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
        let name = self.filled.text(form::APPLICATION_OF);
        let application = self.application(name).await?;
        let there = self.console.dependencies(&application.id).await?;
        let mut taken = Taken {
            change: Change::WasThere,
            objects: Vec::new(),
            credential: None,
        };
        let materials = self.materials;
        let defaults = [
            (MCP_SERVER, &materials.server, Step::McpServer),
            (SUPABASE, &materials.supabase, Step::Supabase),
            (ANTHROPIC, &materials.anthropic, Step::Anthropic),
            (LINEAR, &materials.linear, Step::Linear),
        ];
        for ((wanted, is_in), (default, identifier, step)) in self.filled.picked().zip(defaults) {
            let all = self.console.resources().await?;
            let resource = Self::find_resource(all, wanted, (default, identifier));
            let Some(resource) = resource else {
                if is_in {
                    return Err(missing(&format!("the resource {wanted}"), step));
                }
                continue;
            };
            let depends = there.iter().any(|one| one.id == resource.id);
            match (is_in, depends) {
                (true, false) => {
                    self.console
                        .add_dependency(&application.id, &resource.id)
                        .await?;
                    taken.change = Change::Made;
                }
                (false, true) => {
                    self.console
                        .remove_dependency(&application.id, &resource.id)
                        .await?;
                    taken.change = Change::Changed;
                }
                (true, true) | (false, false) => {}
            }
            let word = if is_in {
                "depends on"
            } else {
                "does not depend on"
            };
            let line = format!("{} {word} {}", application.name, resource.name);
            taken.objects.push(line);
        }
        Ok(taken)
    }

    /// A secret is shown once: a credential that does not stand in the `.env` is of no use any more.
    pub async fn create_credential(&self) -> Result<Taken, Failure> {
        let name = self.filled.text(form::APPLICATION_OF);
        let kind = self.filled.credential();
        let application = self.application(name).await?;
        let there = self.console.credentials().await?;
        let found = there.iter().find(|one| {
            one.application_id == application.id
                && one.kind == kind.word()
                && one.identifier == self.materials.pasted
        });
        if let Some(found) = found {
            return Ok(Taken::new(
                Change::WasThere,
                format!("client credential {}", found.identifier),
            ));
        }
        let made = self
            .console
            .create_credential(&application.id, kind)
            .await?;
        let id = made.credential.identifier;
        Ok(Taken {
            credential: Some((id.clone(), made.secret)),
            ..Taken::new(Change::Made, format!("client credential {id}"))
        })
    }

    pub async fn make_policy(&self) -> Result<Taken, Failure> {
        let name = self.filled.name();
        let text = self.filled.policy(self.materials);
        let all = self.console.policies().await?;
        let mut own = all
            .into_iter()
            .filter(|policy| policy.owner_type == Owner::Customer);
        let (change, version) = match own.find(|policy| policy.name == name) {
            Some(found) if found.latest_version.cedar_raw == text => {
                (Change::WasThere, found.latest_version.version)
            }
            Some(found) => {
                let next = self.console.create_policy_version(&found.id, text).await?;
                (Change::Changed, next.version)
            }
            None => {
                let made = self.console.create_policy(name, text).await?;
                (Change::Made, made.latest_version.version)
            }
        };
        let line = format!("policy {name}, version {version}");
        Ok(Taken::new(change, line))
    }

    pub async fn make_policy_set(&self) -> Result<Taken, Failure> {
        let name = self.filled.name();
        let found = self
            .find_set(name)
            .await?
            .filter(|set| set.owner_type == Owner::Customer);
        let (change, set) = match found {
            Some(found) => (Change::WasThere, found),
            None => (Change::Made, self.console.create_policy_set(name).await?),
        };
        Ok(Taken::new(change, format!("policy set {}", set.name)))
    }

    async fn find_set(&self, name: &str) -> Result<Option<PolicySet>, Failure> {
        let all = self.console.policy_sets().await?;
        Ok(all.into_iter().find(|set| set.name == name))
    }

    async fn set(&self) -> Result<PolicySet, Failure> {
        let name = self.filled.text(form::SET);
        let found = self.find_set(name).await?;
        found.ok_or_else(|| missing(&format!("the policy set {name}"), Step::PolicySet))
    }

    /// The policies that are taken in, each in its newest version, in the order in which the zone
    /// lists them, the person's own last.
    async fn manifest(&self) -> Result<Manifest, Failure> {
        let all = self.console.policies().await?;
        let mut chosen = Vec::new();
        for (name, is_in) in self.filled.picked() {
            if is_in {
                let place = all.iter().position(|policy| policy.name == name);
                let place =
                    place.ok_or_else(|| missing(&format!("the policy {name}"), Step::Policy))?;
                chosen.push((all[place].owner_type == Owner::Customer, place));
            }
        }
        chosen.sort_unstable();
        Ok(Manifest {
            entries: chosen
                .into_iter()
                .map(|(_, place)| &all[place])
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

    /// A policy of a published set that has a newer version by now.
    async fn changed_since(&self, set: &str, version: u32) -> Result<Option<String>, Failure> {
        let version = version.to_string();
        let published = self.console.policy_set_version(set, &version).await?;
        let entries = published.manifest.unwrap_or_default().entries;
        let policies = self.console.policies().await?.into_iter();
        let mut older = policies.filter(|policy| {
            let newest = &policy.latest_version.id;
            let mut of_set = entries.iter();
            of_set.any(|one| one.policy_id == policy.id && one.policy_version_id != *newest)
        });
        Ok(older.next().map(|policy| policy.name))
    }

    pub async fn activate(&self) -> Result<Taken, Failure> {
        let set = self.set().await?;
        let versions = self.console.versions(&set.id).await?;
        let latest = versions.into_iter().max_by_key(|version| version.version);
        let latest = latest.ok_or_else(|| missing("a version of the set", Step::Publish))?;
        if let Some(policy) = self.changed_since(&set.id, latest.version).await? {
            return Err(missing(
                &format!("the changed {policy} in what was published"),
                Step::Publish,
            ));
        }
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
