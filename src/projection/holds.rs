//! Token exchanges that wait at the zone's gate, and what would become of them.

use super::{
    Moment,
    log::Seq,
    names::{Name, Names, policy_name},
};
use crate::protocol::{
    audit::AuditStatus,
    hold::{HeldExchange, ReleasedExchange},
    observed::CallId,
};

/// More than ever wait at once. A trace may say anything, and folding must not become slow by it.
const MOST: usize = 64;

/// Makes room for one more; what waits longest is forgotten first.
pub(super) fn keep_latest<T>(waiting: &mut Vec<T>) {
    if waiting.len() >= MOST {
        waiting.remove(0);
    }
}

/// What waits, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Holds {
    waiting: Vec<Waiting>,
}

/// An exchange that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// By which it is let go; the zone's own text, not for a screen.
    pub id: String,
    pub call: Option<CallId>,
    pub application: Option<Name>,
    pub user: Option<Name>,
    pub resource: Option<Name>,
    pub scope: Option<Name>,
    /// What would be written in the log now.
    pub status: AuditStatus,
    /// The determining policies' short names; none where Cedar would not be asked.
    pub policies: Vec<Name>,
    /// Whether Cedar was asked at all.
    pub decided: bool,
    /// Why it would be refused.
    pub reason: Option<Name>,
    /// Microseconds of the run.
    pub since_us: u64,
    pub evidence: Seq,
}

impl Holds {
    /// What waits, oldest first.
    #[must_use]
    pub fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// The one that is let go next.
    #[must_use]
    pub fn first(&self) -> Option<&Waiting> {
        self.waiting.first()
    }

    pub(super) fn held(&mut self, at: &Moment, held: &HeldExchange, names: &Names) {
        let forecast = &held.forecast;
        let policies = forecast.decision.iter().flat_map(|d| &d.determining);
        let waiting = Waiting {
            id: held.id.clone(),
            call: at.call,
            application: names.maybe(held.application.as_ref().map(|p| &*p.name)),
            user: names.maybe(held.user.as_ref().map(|p| &*p.name)),
            resource: names.maybe(held.resource.as_ref().map(|r| &*r.name)),
            scope: names.maybe(Some(&held.scopes.join(" "))),
            status: forecast.status,
            policies: policies.map(|id| names.get(policy_name(id))).collect(),
            decided: forecast.decision.is_some(),
            reason: names.maybe(forecast.reason.as_deref()),
            since_us: at.at_us,
            evidence: at.seq,
        };
        // What is told of again waits since before; only what would become of it is news.
        if let Some(known) = self.waiting.iter_mut().find(|known| known.id == held.id) {
            let since_us = known.since_us;
            *known = Waiting {
                since_us,
                ..waiting
            };
            return;
        }
        keep_latest(&mut self.waiting);
        self.waiting.push(waiting);
    }

    pub(super) fn released(&mut self, released: &ReleasedExchange) {
        self.waiting.retain(|waiting| waiting.id != released.id);
    }
}
