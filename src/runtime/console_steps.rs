//! The console work of chapters 1 and 7, step by step, through the zone's management API.
//!
//! Each step finds out first what is there, makes what is missing and changes what is filled in
//! otherwise, and says what it did; any of them can be repeated. Which steps are taken, and when, is for the caller.

mod form;
mod found;
mod work;

use self::{form::Answers, work::Work};
use crate::{
    app::learn::console::{
        Part,
        form::{Field, Filled},
    },
    chapters::expect::Service,
    client::console::{Console, NewResource},
    lab::Materials,
    protocol::secret::Secret,
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
            Self::LinearProvider => "Make the provider Linear OAuth",
            Self::Application => "Make the application, with consent required",
            Self::McpServer => "Make the MCP server a resource, with the Zone Provider",
            Self::Supabase => "Make Supabase a resource, with the Keycard Vault",
            Self::SupabaseKey => "Put Supabase's key into the vault",
            Self::Anthropic => "Make Anthropic a resource, with the Keycard Vault",
            Self::AnthropicKey => "Put Anthropic's key into the vault",
            Self::Linear => "Make Linear a resource, with Linear OAuth",
            Self::Dependencies => "Add the four resources as the application's dependencies",
            Self::Credential => "Create a client credential, and put it into .env",
            Self::Policy => "Write the policy limit-linear-scopes, as a forbid",
            Self::PolicySet => "Make a policy set of your own",
            Self::Publish => "Publish the set with the three defaults and the forbid",
            Self::Activate => "Activate what was published",
        }
    }

    /// What it makes.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::LinearProvider => Part::Provider,
            Self::Application => Part::Application,
            Self::McpServer => Part::Resource(Service::McpServer),
            Self::Supabase => Part::Resource(Service::Supabase),
            Self::SupabaseKey => Part::Key(Service::Supabase),
            Self::Anthropic => Part::Resource(Service::Anthropic),
            Self::AnthropicKey => Part::Key(Service::Anthropic),
            Self::Linear => Part::Resource(Service::Linear),
            Self::Dependencies => Part::Dependencies,
            Self::Credential => Part::Credential,
            Self::Policy => Part::Policy,
            Self::PolicySet => Part::PolicySet,
            Self::Publish => Part::Publication,
            Self::Activate => Part::Activation,
        }
    }

    /// The steps whose outcome no longer counts once this one changed something: a set is published
    /// with versions of policies, and a version of the set is activated.
    #[must_use]
    pub const fn outdates(self) -> &'static [Self] {
        match self {
            Self::Policy | Self::PolicySet => &[Self::Publish, Self::Activate],
            Self::Publish => &[Self::Activate],
            _ => &[],
        }
    }

    /// What the step is filled in with at first.
    #[must_use]
    pub fn filled(self, materials: &Materials) -> Filled {
        let held = |field: Field| (field.label, field.value);
        self.form(materials).into_iter().map(held).collect()
    }

    /// Takes the step with what is filled in.
    ///
    /// # Errors
    /// If the zone refuses or does not answer, or an earlier step was left out.
    pub async fn take(
        self,
        console: &Console,
        materials: &Materials,
        filled: &Filled,
    ) -> Result<Taken, Failure> {
        let work = Work {
            console,
            materials,
            filled: Answers(filled),
        };
        match self {
            Self::LinearProvider => work.linear_provider().await,
            Self::Application => work.make_application().await,
            Self::McpServer => {
                let provided_by = work.filled.text(form::PROVIDED_BY);
                let application_id = match provided_by {
                    "" => None,
                    name => Some(work.application(name).await?.id),
                };
                let server = NewResource {
                    application_id,
                    scopes: scopes(&["read", "issues:create"]),
                    ..work.resource()
                };
                work.make_resource(server, MCP_SERVER, &materials.server)
                    .await
            }
            Self::Supabase => {
                let new = work.resource();
                work.make_resource(new, SUPABASE, &materials.supabase).await
            }
            Self::SupabaseKey => {
                let default = (SUPABASE, materials.supabase.as_str());
                let key = &materials.supabase_key;
                work.store("Supabase secret key", default, key, Self::Supabase)
                    .await
            }
            Self::Anthropic => {
                let new = work.resource();
                work.make_resource(new, ANTHROPIC, &materials.anthropic)
                    .await
            }
            Self::AnthropicKey => {
                let default = (ANTHROPIC, materials.anthropic.as_str());
                let key = &materials.anthropic_key;
                work.store("Anthropic API key", default, key, Self::Anthropic)
                    .await
            }
            Self::Linear => {
                let asked = work.filled.text(form::SCOPES).split_whitespace();
                let linear = NewResource {
                    scopes: asked.map(str::to_owned).collect(),
                    ..work.resource()
                };
                work.make_resource(linear, LINEAR, &materials.linear).await
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
    pub credential: Option<(String, Option<Secret>)>,
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

fn missing(what: &str, step: Step) -> Failure {
    Failure::new(
        Exit::Failed,
        "This step rests on an earlier one",
        format!("{what} is not there yet"),
        format!("do this first: {}", step.title()),
    )
}
