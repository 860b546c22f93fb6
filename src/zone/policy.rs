//! Cedar: whether a credential may be issued. Two principals answer for a delegated one, the person
//! and the application; both need a permit, and one forbid refuses.
//!
//! Must not do I/O or look at anything but its question: what it says today it says tomorrow.

mod entities;
pub mod lifecycle;
mod schema;

use std::{fmt::Write as _, str::FromStr as _, sync::LazyLock};

use cedar_policy::{
    Authorizer, Context, Decision, EntityId, EntityTypeName, EntityUid, Policy as CedarPolicy,
    PolicyId, PolicySet as CedarPolicySet, Request, RestrictedExpression,
};

use crate::{
    protocol::{
        audit::{Effect, PolicyDecision, PolicySetRef},
        oauth::ErrorCode,
    },
    support::error::{Exit, Failure},
};

use super::{
    directory::{
        ACTIVE, Application, Directory, Policy, PolicySet, PolicySetVersion, Resource, Tables,
        User, UserAgent,
    },
    refusal::Refusal,
};

pub(super) use entities::{EntityCache, build as entities, stale_by};
pub use schema::{POLICY_SCHEMA_VERSION, PolicyFault, SCHEMA_TEXT, STACK, check, text_of_json};

static USER: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Keycard::User"));
static APPLICATION: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Keycard::Application"));
static RESOURCE: LazyLock<EntityTypeName> = LazyLock::new(|| type_name("Keycard::Resource"));
static ISSUE: LazyLock<EntityUid> = LazyLock::new(|| {
    EntityUid::from_type_name_and_id(
        type_name("Keycard::Action"),
        EntityId::new("IssueCredential"),
    )
});

fn type_name(name: &str) -> EntityTypeName {
    EntityTypeName::from_str(name).expect("a constant of this module")
}

fn uid(kind: &LazyLock<EntityTypeName>, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id((**kind).clone(), EntityId::new(id))
}

/// Characters of an `@id` that names a policy.
const LONGEST_ID: usize = 200;

/// The policy set version that decides, compiled once.
#[derive(Debug)]
pub struct ActivePolicy {
    reference: PolicySetRef,
    policies: CedarPolicySet,
}

/// May a credential for this resource be issued?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The person on whose behalf; absent when the application acts for itself.
    pub user: Option<&'a User>,
    /// Whether the application names a person who did not send it.
    pub impersonate: bool,
    /// Who asks.
    pub caller: Caller<'a>,
    pub resource: &'a Resource,
    /// In the order asked; empty when none were asked for.
    pub scopes: &'a [String],
}

/// Who asks for a credential. To Cedar both are applications.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    Application(&'a Application),
    UserAgent(&'a UserAgent),
}

impl Caller<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Application(application) => &application.id,
            Self::UserAgent(agent) => &agent.id,
        }
    }
}

impl ActivePolicy {
    /// Compiles the version that the active binding names.
    ///
    /// # Errors
    /// If the binding, its version or one of its policies is not there or is no Cedar.
    pub(super) fn of(tables: &Tables) -> Result<Option<Self>, Failure> {
        let Some(binding) = tables.active_bindings.get(ACTIVE) else {
            return Ok(None);
        };
        let missing = |what: &str| broken(&format!("the zone has no such {what}"));
        let version = tables
            .policy_set_versions
            .get(&binding.policy_set_version_id)
            .ok_or_else(|| missing("policy set version"))?;
        let set = tables
            .policy_sets
            .get(&version.policy_set_id)
            .ok_or_else(|| missing("policy set"))?;
        Self::compile(tables, set, version).map(Some)
    }

    fn compile(
        tables: &Tables,
        set: &PolicySet,
        version: &PolicySetVersion,
    ) -> Result<Self, Failure> {
        let mut policies = CedarPolicySet::new();
        for entry in &version.manifest.entries {
            let (Some(policy), Some(text)) = (
                tables.policies.get(&entry.policy_id),
                tables.policy_versions.get(&entry.policy_version_id),
            ) else {
                return Err(broken("the manifest names a policy that is not there"));
            };
            let parsed = CedarPolicy::parse(None, &text.cedar_raw)
                .map_err(|error| broken(&error.to_string()))?;
            let id = determining_id(&policies, &set.id, &parsed, policy);
            policies
                .add(parsed.new_id(id))
                .map_err(|error| broken(&error.to_string()))?;
        }
        Ok(Self {
            reference: PolicySetRef {
                id: set.id.clone(),
                name: set.name.clone(),
                version: version.version,
            },
            policies,
        })
    }

    /// How the log names it.
    #[must_use]
    pub const fn reference(&self) -> &PolicySetRef {
        &self.reference
    }
}

/// How the log names a policy of a set: by its `@id`, else by its name (facts/keycard.md, 2.10). Where
/// another policy of the set is called so already, by what nobody chooses, its entity id.
fn determining_id(
    policies: &CedarPolicySet,
    set: &str,
    parsed: &CedarPolicy,
    policy: &Policy,
) -> PolicyId {
    let own = parsed.annotation("id").filter(|id| is_plain(id));
    let within = |id: &str| PolicyId::new(format!("{set}::{id}"));
    own.into_iter()
        .chain([&*policy.name])
        .map(within)
        .find(|id| policies.policy(id).is_none())
        .unwrap_or_else(|| within(&policy.id))
}

/// Whether an id can stand in an error's text and among others there.
fn is_plain(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
}

fn broken(why: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "The policy set cannot be made active",
        why,
        "activate another version; where the lab does not even start, start it with --reset",
    )
}

/// What policy says to a question.
#[derive(Debug)]
pub struct Answer {
    pub decision: PolicyDecision,
    /// What permits it to one principal, whatever becomes of the other.
    permits: Vec<String>,
}

impl Answer {
    /// Whether a credential may be issued; if not, what the caller is told.
    ///
    /// # Errors
    /// The denial in words, if it is one.
    pub fn verdict(&self) -> Result<(), Refusal> {
        match self.decision.effect {
            Effect::Allow => Ok(()),
            Effect::Deny => Err(self.denial()),
        }
    }

    /// What the caller is told of a denial, in the words that Keycard used at the time of the
    /// workshop. The word `none`, and the sentence for no active set, are ours. The list names what
    /// contributed, not only forbids: where one principal lacks a permit, it is what the other has
    /// (facts/keycard.md, 2.10).
    fn denial(&self) -> Refusal {
        let mut text = "Access denied by policy.".to_owned();
        match &self.decision.policy_set {
            Some(set) => {
                let contributed = match &*self.decision.determining {
                    [] => &self.permits,
                    _ => &self.decision.determining,
                };
                let determining = match &**contributed {
                    [] => "none".to_owned(),
                    ids => ids.join(", "),
                };
                write!(
                    text,
                    " Policy set: {}. Policy set version: {}. Determining policies: {determining}.",
                    set.id, set.version
                )
                .expect("writing to a string");
            }
            None => text.push_str(" No policy set is active."),
        }
        Refusal::new(ErrorCode::AccessDenied, text)
    }
}

/// Answers the question by the active policy set. Without one, and where a policy fails to
/// evaluate, the answer is no.
#[must_use]
pub fn decide(directory: &Directory, question: &Question<'_>) -> Answer {
    let Some(active) = directory.policy() else {
        return Answer {
            decision: PolicyDecision {
                effect: Effect::Deny,
                policy_set: None,
                determining: Vec::new(),
            },
            permits: Vec::new(),
        };
    };
    let application = Principal {
        uid: uid(&APPLICATION, question.caller.id()),
    };
    let user = question.user.map(|user| Principal {
        uid: uid(&USER, &user.id),
    });
    let mut permits = Vec::new();
    let mut forbids = Vec::new();
    let mut effect = Effect::Allow;
    let context = context(question);
    for principal in user.into_iter().chain([application]) {
        let asked = context
            .as_ref()
            .map_err(ToString::to_string)
            .and_then(|context| ask(directory, active, question, principal, context.clone()));
        match asked {
            Ok((Decision::Allow, ids)) => merge(&mut permits, ids),
            Ok((Decision::Deny, ids)) => {
                effect = Effect::Deny;
                merge(&mut forbids, ids);
            }
            Err(error) => {
                tracing::error!(%error, "a policy question could not be put to Cedar");
                effect = Effect::Deny;
            }
        }
    }
    permits.sort_unstable();
    let mut determining = match effect {
        Effect::Allow => permits.clone(),
        Effect::Deny => forbids,
    };
    // Cedar gives them in no order.
    determining.sort_unstable();
    Answer {
        decision: PolicyDecision {
            effect,
            policy_set: Some(active.reference.clone()),
            determining,
        },
        permits,
    }
}

struct Principal {
    uid: EntityUid,
}

/// What both questions to Cedar have in common.
fn context(question: &Question<'_>) -> Result<Context, cedar_policy::ContextCreationError> {
    let mut context = vec![
        (
            "on_behalf".to_owned(),
            // Keycard's default-app-delegation permits whatever is on behalf, and no policy of its own
            // permits impersonation (facts/keycard.md, 3.2): so that is not on behalf.
            RestrictedExpression::new_bool(question.user.is_some() && !question.impersonate),
        ),
        (
            "impersonate".to_owned(),
            RestrictedExpression::new_bool(question.impersonate),
        ),
    ];
    if let Some(user) = question.user {
        context.push((
            "subject".to_owned(),
            RestrictedExpression::new_entity_uid(uid(&USER, &user.id)),
        ));
    }
    if !question.scopes.is_empty() {
        context.push(("scopes".to_owned(), strings(question.scopes)));
    }
    Context::from_pairs(context)
}

/// One request to Cedar: its decision and the policies that decided.
fn ask(
    directory: &Directory,
    active: &ActivePolicy,
    question: &Question<'_>,
    principal: Principal,
    context: Context,
) -> Result<(Decision, Vec<String>), String> {
    let request = Request::new(
        principal.uid,
        ISSUE.clone(),
        uid(&RESOURCE, &question.resource.id),
        context,
        // The question's types are this function's; checking them against the schema again costs
        // more than the decision.
        None,
    )
    .map_err(|error| error.to_string())?;
    let entities = directory.entities()?;
    let response = Authorizer::new().is_authorized(&request, &active.policies, entities);
    let diagnostics = response.diagnostics();
    let ids = diagnostics
        .reason()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    // Cedar leaves out a policy that fails to evaluate; a forbid left out would permit.
    if let Some(error) = diagnostics.errors().next() {
        tracing::warn!(%error, "a policy failed to evaluate, so the answer is no");
        let forbids = match response.decision() {
            Decision::Allow => Vec::new(),
            Decision::Deny => ids,
        };
        return Ok((Decision::Deny, forbids));
    }
    Ok((response.decision(), ids))
}

fn strings(values: &[String]) -> RestrictedExpression {
    RestrictedExpression::new_set(
        values
            .iter()
            .map(|value| RestrictedExpression::new_string(value.clone())),
    )
}

fn merge(into: &mut Vec<String>, ids: Vec<String>) {
    for id in ids {
        if !into.contains(&id) {
            into.push(id);
        }
    }
}
