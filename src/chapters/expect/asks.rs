//! What a condition is about: what it wants to be asked, and what it rests on.

use super::{ApplicationIs, Expect, IssueLooks, Matches, MetadataSays, Per, Side};
use crate::chapters::probe::Probe;

impl Expect {
    /// What must be asked before this can be told; empty when the trace alone tells.
    #[must_use]
    pub fn probes(&self) -> Vec<Probe> {
        match self {
            Self::All(many) | Self::Any(many) => many.iter().flat_map(Self::probes).collect(),
            Self::Not(one) => one.probes(),
            Self::Env(env) => {
                let mut probes = Vec::new();
                match env.side {
                    Side::Now | Side::After => probes.push(Probe::Env),
                    Side::Before => {}
                }
                match env.matches {
                    Some(Matches::McpServer | Matches::Zone) => probes.push(Probe::Metadata),
                    Some(Matches::Credential) => probes.extend([Probe::Zone, Probe::Client]),
                    Some(Matches::CalledUrl) | None => {}
                }
                probes
            }
            Self::Answer(answer) => vec![Probe::Http(answer.probe)],
            Self::Metadata(_) => vec![Probe::Metadata],
            Self::Resource(_) | Self::Application(_) => vec![Probe::Zone],
            Self::ScopeRefused(refused) => vec![Probe::Scope(refused.scope.clone())],
            Self::NoSecretOf(_) => vec![Probe::Env, Probe::Folder],
            Self::NothingOpens => vec![Probe::Trials],
            Self::SignedIn
            | Self::DiscoveryWalked
            | Self::ToolsListed(_)
            | Self::ToolCall(_)
            | Self::Hop(_)
            | Self::Audit(_)
            | Self::AuditOrder(_)
            | Self::Token(_)
            | Self::Issue(_)
            | Self::ActivePolicies(_)
            | Self::ForbiddingPolicies(_)
            | Self::PolicyScopes(_)
            | Self::Sessions(_)
            | Self::Said(_)
            // Asked in doubt only: see `check::doubt`.
            | Self::ExchangesWork => Vec::new(),
        }
    }

    /// The tools that it names.
    #[must_use]
    pub fn tools(&self) -> Vec<&str> {
        match self {
            Self::All(many) | Self::Any(many) => many.iter().flat_map(Self::tools).collect(),
            Self::Not(one) => one.tools(),
            Self::ToolsListed(listed) => listed.names.iter().map(String::as_str).collect(),
            Self::ToolCall(call) => vec![&call.name],
            Self::Audit(rows) => rows.tools.iter().map(String::as_str).collect(),
            Self::AuditOrder(order) => order.tools.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it rests on what the zone is asked in doubt only.
    #[must_use]
    pub fn is_of_a_doubt(&self) -> bool {
        match self {
            Self::All(many) | Self::Any(many) => many.iter().any(Self::is_of_a_doubt),
            Self::Not(one) => one.is_of_a_doubt(),
            other => matches!(other, Self::ExchangesWork),
        }
    }

    /// Whether it is about what somebody makes in the zone's console.
    #[must_use]
    pub fn is_of_the_console(&self) -> bool {
        match self {
            Self::All(many) | Self::Any(many) => many.iter().any(Self::is_of_the_console),
            Self::Not(one) => one.is_of_the_console(),
            other => matches!(
                other,
                Self::Resource(_)
                    | Self::Application(_)
                    | Self::ActivePolicies(_)
                    | Self::ForbiddingPolicies(_)
                    | Self::PolicyScopes(_)
            ),
        }
    }

    /// Whether it is about nothing else.
    #[must_use]
    pub fn is_of_the_console_alone(&self) -> bool {
        match self {
            Self::All(many) | Self::Any(many) => many.iter().all(Self::is_of_the_console_alone),
            Self::Not(one) => one.is_of_the_console_alone(),
            other => other.is_of_the_console(),
        }
    }

    /// Whether somewhere in it a list of conditions is empty, which would hold for nothing.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        match self {
            Self::All(many) | Self::Any(many) => {
                many.is_empty() || many.iter().any(Self::says_nothing)
            }
            Self::Not(one) => one.says_nothing(),
            Self::ActivePolicies(names) | Self::ForbiddingPolicies(names) => names.is_empty(),
            Self::AuditOrder(order) => order.tools.is_empty() || order.rows.is_empty(),
            Self::Issue(looks) => *looks == IssueLooks::default(),
            Self::Metadata(says) => *says == MetadataSays::default(),
            Self::Application(is) => *is == ApplicationIs::default(),
            Self::Env(env) => env.is.is_none() && env.matches.is_none(),
            Self::Audit(rows) => rows.per == Per::Call && rows.tools.is_empty(),
            Self::PolicyScopes(scopes) => scopes.allows.is_empty() && scopes.refuses.is_empty(),
            Self::SignedIn
            | Self::DiscoveryWalked
            | Self::ToolsListed(_)
            | Self::ToolCall(_)
            | Self::Hop(_)
            | Self::Token(_)
            | Self::Sessions(_)
            | Self::Said(_)
            | Self::ExchangesWork
            | Self::Answer(_)
            | Self::Resource(_)
            | Self::ScopeRefused(_)
            | Self::NoSecretOf(_)
            | Self::NothingOpens => false,
        }
    }
}
