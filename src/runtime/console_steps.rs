//! The console work of chapters 1 and 7, step by step, through the zone's management API.
//!
//! Each step finds out first what is there, makes only what is missing, and says what it did; any of
//! them can be repeated. Which steps are taken, and when, is for the caller.

use std::collections::BTreeMap;

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
    support::error::{Exit, Failure},
};

/// The names under which the workshop's objects are made.
const APPLICATION: &str = "Support Escalation MCP";
const MCP_SERVER: &str = "Workshop MCP Server";
const SUPABASE: &str = "Supabase Database";
const ANTHROPIC: &str = "Anthropic API";
const LINEAR: &str = "Linear API";
const LINEAR_PROVIDER: &str = "Linear OAuth";
const POLICY: &str = "limit-linear-scopes";
const POLICY_SET: &str = "workshop-policies";

/// A step of the console work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    LinearProvider,
    Application,
    McpServer,
    Supabase,
    SupabaseKey,
    Anthropic,
    AnthropicKey,
    Linear,
    Dependencies,
    Credential,
    Policy,
    PolicySet,
    Publish,
    Activate,
}

impl Step {
    /// The steps of chapter 1, in their order.
    pub const CHAPTER_1: &'static [Self] = &[
        Self::LinearProvider,
        Self::Application,
        Self::McpServer,
        Self::Supabase,
        Self::SupabaseKey,
        Self::Anthropic,
        Self::AnthropicKey,
        Self::Linear,
        Self::Dependencies,
        Self::Credential,
    ];
    /// The steps of chapter 7, in their order.
    pub const CHAPTER_7: &'static [Self] =
        &[Self::Policy, Self::PolicySet, Self::Publish, Self::Activate];

    /// The steps of a chapter; only chapters 1 and 7 have some.
    #[must_use]
    pub const fn of_chapter(number: u16) -> &'static [Self] {
        match number {
            1 => Self::CHAPTER_1,
            7 => Self::CHAPTER_7,
            _ => &[],
        }
    }

    /// What it does, as an instruction.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::LinearProvider => "Make a provider for Linear's OAuth",
            Self::Application => "Make the application, with consent required",
            Self::McpServer => "Make the MCP server a resource, with the Zone Provider",
            Self::Supabase => "Make Supabase a resource, with the Keycard Vault",
            Self::SupabaseKey => "Put Supabase's key into the vault",
            Self::Anthropic => "Make Anthropic a resource, with the Keycard Vault",
            Self::AnthropicKey => "Put Anthropic's key into the vault",
            Self::Linear => "Make Linear a resource, with its own OAuth",
            Self::Dependencies => "Add the four resources as the application's dependencies",
            Self::Credential => "Create a client credential, and put it into .env",
            Self::Policy => "Write the policy limit-linear-scopes, as a forbid",
            Self::PolicySet => "Make a policy set of your own",
            Self::Publish => "Publish the set with the three defaults and the forbid",
            Self::Activate => "Activate what was published",
        }
    }

    /// What the step would fill in, field by field, as it may be shown; a key is told by its kind.
    #[must_use]
    pub fn form(self, materials: &Materials) -> Vec<(&'static str, String)> {
        let text = |value: &str| value.to_owned();
        match self {
            Self::LinearProvider => vec![
                ("name", text(LINEAR_PROVIDER)),
                ("type", text("external")),
                (
                    "authorization endpoint",
                    materials.linear_oauth.authorization_endpoint.clone(),
                ),
                (
                    "token endpoint",
                    materials.linear_oauth.token_endpoint.clone(),
                ),
                ("client id", materials.linear_oauth.client_id.clone()),
                ("client secret", text("of your Linear OAuth application")),
            ],
            Self::Application => vec![("name", text(APPLICATION)), ("consent", text("required"))],
            Self::McpServer => vec![
                ("name", text(MCP_SERVER)),
                ("identifier", materials.server.clone()),
                ("provider", text("Zone Provider")),
                ("provided by", text(APPLICATION)),
            ],
            Self::Supabase => vec![
                ("name", text(SUPABASE)),
                ("identifier", materials.supabase.clone()),
                ("provider", text("Keycard Vault")),
            ],
            Self::SupabaseKey => vec![
                ("resource", text(SUPABASE)),
                ("token", text("a Supabase secret key")),
            ],
            Self::Anthropic => vec![
                ("name", text(ANTHROPIC)),
                ("identifier", materials.anthropic.clone()),
                ("provider", text("Keycard Vault")),
            ],
            Self::AnthropicKey => vec![
                ("resource", text(ANTHROPIC)),
                ("token", text("an Anthropic API key")),
            ],
            Self::Linear => vec![
                ("name", text(LINEAR)),
                ("identifier", materials.linear.clone()),
                ("provider", text(LINEAR_PROVIDER)),
                ("scopes", text("read write issues:create")),
            ],
            Self::Dependencies => vec![
                ("application", text(APPLICATION)),
                (
                    "resources",
                    [MCP_SERVER, SUPABASE, ANTHROPIC, LINEAR].join(", "),
                ),
            ],
            Self::Credential => vec![
                ("application", text(APPLICATION)),
                ("type", text("client id and secret")),
            ],
            Self::Policy => vec![("name", text(POLICY)), ("text", materials.limit.clone())],
            Self::PolicySet => vec![("name", text(POLICY_SET))],
            Self::Publish => vec![
                ("set", text(POLICY_SET)),
                ("policies", text("the three defaults, limit-linear-scopes")),
            ],
            Self::Activate => vec![("set", text(POLICY_SET))],
        }
    }

    /// Takes the step.
    ///
    /// # Errors
    /// If the zone refuses or does not answer, or an earlier step was left out.
    pub async fn take(self, console: &Console, materials: &Materials) -> Result<Taken, Failure> {
        let work = Work { console, materials };
        match self {
            Self::LinearProvider => work.linear_provider().await,
            Self::Application => work.make_application().await,
            Self::McpServer => {
                let application = work.application().await?;
                let server = NewResource {
                    application_id: Some(application.id),
                    scopes: scopes(&["read", "issues:create"]),
                    ..resource(MCP_SERVER, &materials.server)
                };
                work.make_resource(server, CredentialSource::KeycardSts)
                    .await
            }
            Self::Supabase => {
                let new = resource(SUPABASE, &materials.supabase);
                work.make_resource(new, CredentialSource::KeycardVault)
                    .await
            }
            Self::SupabaseKey => {
                let at = &materials.supabase;
                work.store("Supabase secret key", at, &materials.supabase_key)
                    .await
            }
            Self::Anthropic => {
                let new = resource(ANTHROPIC, &materials.anthropic);
                work.make_resource(new, CredentialSource::KeycardVault)
                    .await
            }
            Self::AnthropicKey => {
                let at = &materials.anthropic;
                work.store("Anthropic API key", at, &materials.anthropic_key)
                    .await
            }
            Self::Linear => {
                let linear = NewResource {
                    scopes: scopes(&["read", "write", "issues:create"]),
                    ..resource(LINEAR, &materials.linear)
                };
                work.make_resource(linear, CredentialSource::External).await
            }
            Self::Dependencies => work.add_dependencies().await,
            Self::Credential => work.create_credential().await,
            Self::Policy => work.make_policy().await,
            Self::PolicySet => work.make_policy_set().await,
            Self::Publish => work.publish().await,
            Self::Activate => work.activate().await,
        }
    }
}

/// What a step came to.
#[derive(Debug, Clone)]
pub struct Taken {
    pub change: Change,
    /// What was made or found, one line for each object.
    pub objects: Vec<String>,
    /// A new client credential, which is shown this once: it belongs into the `.env`.
    pub credential: Option<(String, Secret)>,
}

/// Whether a step changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Made,
    /// It was there and is now as the step wants it.
    Changed,
    WasThere,
}

impl Taken {
    fn new(change: Change, object: impl Into<String>) -> Self {
        Self {
            change,
            objects: vec![object.into()],
            credential: None,
        }
    }
}

fn scopes(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// The provider is filled in when the resource is made.
fn resource(name: &str, identifier: &str) -> NewResource {
    NewResource {
        name: name.to_owned(),
        identifier: identifier.to_owned(),
        application_id: None,
        credential_provider_id: String::new(),
        scopes: Vec::new(),
    }
}

struct Work<'a> {
    console: &'a Console,
    materials: &'a Materials,
}

impl Work<'_> {
    async fn linear_provider(&self) -> Result<Taken, Failure> {
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

    async fn make_application(&self) -> Result<Taken, Failure> {
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

    async fn application(&self) -> Result<Application, Failure> {
        let found = self.find_application().await?;
        found.ok_or_else(|| missing("the application", Step::Application))
    }

    async fn find_resource(&self, identifier: &str) -> Result<Option<Resource>, Failure> {
        let all = self.console.resources().await?;
        Ok(all
            .into_iter()
            .find(|resource| resource.identifier == identifier))
    }

    async fn make_resource(
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

    async fn store(&self, name: &str, identifier: &str, key: &Secret) -> Result<Taken, Failure> {
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

    async fn add_dependencies(&self) -> Result<Taken, Failure> {
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

    async fn create_credential(&self) -> Result<Taken, Failure> {
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

    async fn make_policy(&self) -> Result<Taken, Failure> {
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

    async fn make_policy_set(&self) -> Result<Taken, Failure> {
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

    async fn publish(&self) -> Result<Taken, Failure> {
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

    async fn activate(&self) -> Result<Taken, Failure> {
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

fn missing(what: &str, step: Step) -> Failure {
    Failure::new(
        Exit::Failed,
        "This step rests on an earlier one",
        format!("{what} is not there yet"),
        format!("do this first: {}", step.title()),
    )
}
