//! Which policies are active, and what they decided last.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    audit::{AuditRow, SetVersion},
    log::Seq,
    names::{Name, Names, policy_name},
    rows::Rows,
    story::LIMIT_LINEAR_SCOPES,
};
use crate::protocol::{
    audit::{AuditEvent, AuditRecord, AuditStatus, Effect, PolicySetRef},
    console::{Policy, PolicyEffect, PolicyOverview, PolicySet},
};

/// The policy pane's data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies {
    overview: Option<Arc<PolicyOverview>>,
    read: Option<Seq>,
    last: Option<Decision>,
    last_denial: Option<Decision>,
    activations: Rows<Activation>,
    /// The active sets that were read, each once until another one is.
    seen: Rows<Seen>,
    allowed: u64,
    denied: u64,
}

/// A set that became the active one.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// Absent where the zone did not say which.
    pub set: Option<SetVersion>,
    /// When the zone did it.
    pub occurred_at: DateTime<Utc>,
    pub evidence: Seq,
}

/// An active set, and whether the story's rule was in it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    set: Name,
    version: u32,
    rule: bool,
}

/// A decision, and the request that it was about.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub effect: Effect,
    /// The set that was active; absent when none was.
    pub set: Option<PolicySetRef>,
    /// Ids as the zone writes them; [`Decision::policies`] has the short names.
    pub determining: Vec<String>,
    pub tool: Option<Name>,
    pub resource: Option<Name>,
    pub scope: Option<Name>,
    pub application: Option<Name>,
    pub user: Option<Name>,
    pub reason: Option<Name>,
    pub evidence: Seq,
}

impl Decision {
    /// The determining policies' short names.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.determining.iter().map(|id| policy_name(id))
    }
}

impl Policies {
    /// The last read of the zone's policy sets.
    #[must_use]
    pub fn overview(&self) -> Option<&PolicyOverview> {
        self.overview.as_deref()
    }

    /// The set that has an active version.
    #[must_use]
    pub fn active(&self) -> Option<&PolicySet> {
        self.overview
            .as_ref()?
            .sets
            .iter()
            .find(|set| set.active_version.is_some())
    }

    /// Whether a policy of this name is among the active ones; `None` before the first read.
    #[must_use]
    pub fn is_active(&self, policy: &str) -> Option<bool> {
        let overview = self.overview.as_ref()?;
        Some(overview.active_policies.iter().any(|p| p.name == policy))
    }

    /// Whether a policy of this name is in the active set and forbids; `None` before the policies were
    /// read.
    #[must_use]
    pub fn forbids(&self, policy: &str) -> Option<bool> {
        let forbids = |p: &Policy| p.name == policy && p.effect() == Some(PolicyEffect::Forbid);
        let overview = self.overview.as_ref()?;
        Some(overview.active_policies.iter().any(forbids))
    }

    /// The event of the last read.
    #[must_use]
    pub const fn read(&self) -> Option<Seq> {
        self.read
    }

    /// The last decision of any kind.
    #[must_use]
    pub const fn last(&self) -> Option<&Decision> {
        self.last.as_ref()
    }

    /// The last refusal.
    #[must_use]
    pub const fn last_denial(&self) -> Option<&Decision> {
        self.last_denial.as_ref()
    }

    /// The sets that became active in this run, oldest first.
    #[must_use]
    pub const fn activations(&self) -> &Rows<Activation> {
        &self.activations
    }

    /// The version of this set that became active first after an event.
    #[must_use]
    pub fn activation_after(&self, set: &str, event: Seq) -> Option<&SetVersion> {
        let from = self
            .activations
            .partition_point(|one| one.evidence <= event);
        let mut sets = self
            .activations
            .from(from)
            .filter_map(|one| one.set.as_ref());
        sets.find(|one| *one.id == *set)
    }

    /// Whether the rule of the story, [`LIMIT_LINEAR_SCOPES`], is in a set; `None` if nobody read it
    /// while it was active.
    #[must_use]
    pub fn has_rule(&self, set: &SetVersion) -> Option<bool> {
        let is = |seen: &&Seen| *seen.set == *set.id && seen.version == set.version;
        self.seen.iter().rev().find(is).map(|seen| seen.rule)
    }

    /// Whether the rule of the story was read to be in force at some time of the run.
    #[must_use]
    pub fn had_rule(&self) -> bool {
        self.seen.iter().any(|seen| seen.rule)
    }

    /// Decisions so far: allowed, denied.
    #[must_use]
    pub const fn counts(&self) -> (u64, u64) {
        (self.allowed, self.denied)
    }

    /// Which of the active policies decided: places in `overview().active_policies`.
    ///
    /// Policies are matched by name; `policyN`, Cedar's own name for one without an id, by place.
    #[must_use]
    pub fn highlight(&self, decision: &Decision) -> Vec<usize> {
        let Some(overview) = &self.overview else {
            return Vec::new();
        };
        let policies = &overview.active_policies;
        let mut places: Vec<usize> = decision
            .policies()
            .filter_map(|name| {
                policies
                    .iter()
                    .position(|policy| policy.name == name || policy.id == name)
                    .or_else(|| {
                        let place: usize = name.strip_prefix("policy")?.parse().ok()?;
                        (place < policies.len()).then_some(place)
                    })
            })
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    pub(super) fn list(&mut self, seq: Seq, overview: &PolicyOverview, names: &Names) {
        // Mostly it is what it was, and looking is quicker than copying.
        if self.overview.as_deref() != Some(overview) {
            self.overview = Some(Arc::new(overview.clone()));
            self.see(names);
        }
        self.read = Some(seq);
    }

    fn see(&mut self, names: &Names) {
        let Some((set, version)) = self
            .active()
            .and_then(|set| Some((names.get(&set.id), set.active_version?)))
        else {
            return;
        };
        let seen = Seen {
            set,
            version,
            rule: self.forbids(LIMIT_LINEAR_SCOPES) == Some(true),
        };
        if self.seen.last() != Some(&seen) {
            self.seen.push(seen);
        }
    }

    /// Takes note of a set that was activated in this run; what the log has of earlier ones is
    /// nothing that the person did now.
    pub(super) fn activated(&mut self, record: &AuditRecord, row: &AuditRow) {
        if record.event == AuditEvent::PolicySetsActivate && record.status == AuditStatus::Issued {
            self.activations.push(Activation {
                set: row.set.clone(),
                occurred_at: row.occurred_at,
                evidence: row.evidence,
            });
        }
    }

    pub(super) fn record(&mut self, record: &AuditRecord, row: &AuditRow) {
        // Whoever switches sets was allowed to, but nobody was asked for a credential.
        let Some(decided) = record
            .decision
            .as_ref()
            .filter(|_| record.event == AuditEvent::CredentialsIssue)
        else {
            return;
        };
        let decision = Decision {
            effect: decided.effect,
            set: decided.policy_set.clone(),
            determining: decided.determining.clone(),
            tool: row.tool.clone(),
            resource: row.resource.clone(),
            scope: row.scope.clone(),
            application: row.application.clone(),
            user: row.user.clone(),
            reason: row.reason.clone(),
            evidence: row.evidence,
        };
        match decided.effect {
            Effect::Allow => self.allowed += 1,
            Effect::Deny => {
                self.denied += 1;
                self.last_denial = Some(decision.clone());
            }
        }
        self.last = Some(decision);
    }
}
