//! Which policies are active, and what they decided last.

use std::sync::Arc;

use super::{
    audit::AuditRow,
    log::Seq,
    names::{Name, policy_name},
    rows::Rows,
};
use crate::protocol::{
    audit::{AuditEvent, AuditRecord, AuditStatus, Effect, PolicySetRef},
    console::{PolicyOverview, PolicySet},
};

/// The policy pane's data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policies {
    overview: Option<Arc<PolicyOverview>>,
    read: Option<Seq>,
    last: Option<Decision>,
    last_denial: Option<Decision>,
    activations: Rows<Seq>,
    allowed: u64,
    denied: u64,
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

    /// The audit events by which a set was activated.
    #[must_use]
    pub const fn activations(&self) -> &Rows<Seq> {
        &self.activations
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

    pub(super) fn list(&mut self, seq: Seq, overview: &PolicyOverview) {
        // Mostly it is what it was, and looking is quicker than copying.
        if self.overview.as_deref() != Some(overview) {
            self.overview = Some(Arc::new(overview.clone()));
        }
        self.read = Some(seq);
    }

    /// Takes note of a set that was activated in this run; what the log has of earlier ones is
    /// nothing that the person did now.
    pub(super) fn activated(&mut self, record: &AuditRecord, row: &AuditRow) {
        if record.event == AuditEvent::PolicySetsActivate && record.status == AuditStatus::Issued {
            self.activations.push(row.evidence);
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
