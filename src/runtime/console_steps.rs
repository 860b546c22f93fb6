//! The console work of chapters 1 and 7, step by step, through the zone's management API.
//!
//! Each step finds out first what is there, makes only what is missing, and says what it did; any of
//! them can be repeated. Which steps are taken, and when, is for the caller.

mod work;

use self::work::Work;
use crate::{
    client::console::{Console, NewResource},
    lab::Materials,
    protocol::{audit::CredentialSource, secret::Secret},
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
            Self::Policy => vec![("name", text(POLICY)), ("text", rule_of(&materials.limit))],
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

/// A policy without its comments.
fn rule_of(text: &str) -> String {
    let rule = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    rule.collect::<Vec<_>>().join("\n")
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

fn missing(what: &str, step: Step) -> Failure {
    Failure::new(
        Exit::Failed,
        "This step rests on an earlier one",
        format!("{what} is not there yet"),
        format!("do this first: {}", step.title()),
    )
}
