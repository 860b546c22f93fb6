//! Deletes of a run within which the policy was switched: which of them tell of the rule, and what
//! became of each, in order.

use chrono::{DateTime, TimeDelta, Utc};

use super::{LIMIT_LINEAR_SCOPES, write_of};
use crate::{
    projection::{
        Projection, audit::AuditRow, issue::Whereabouts, log::Seq, policy::Activation, policy_name,
        tools::Call,
    },
    protocol::{audit::AuditStatus, tickets::DELETE_ISSUE},
    trace::event::CallOutcome,
};

/// A delete, or a switch of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub kind: TurnKind,
    /// By the zone's clock where the zone told of it; absent where no clock is known.
    pub at: Option<DateTime<Utc>>,
    /// One sentence without a full stop.
    pub detail: String,
    pub evidence: Seq,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnKind {
    /// Another policy set became active.
    Switched,
    /// A delete was refused its credential.
    Refused,
    /// A delete was issued it.
    Issued,
    /// A delete of which the zone told neither.
    Untold,
}

/// Whether a credential was decided with the rule switched off: by a set that was read to be without
/// it, in a run that had it in force at another time.
pub(super) fn is_off(projection: &Projection, row: &AuditRow) -> bool {
    let policies = projection.policies();
    let off = |set| policies.has_rule(set) == Some(false);
    row.set.as_ref().is_some_and(off) && policies.had_rule()
}

/// Every delete, the latest first.
fn deletes(projection: &Projection) -> impl Iterator<Item = &Call> {
    let calls = projection.tools().calls().iter().rev();
    calls.filter(|call| *call.tool == *DELETE_ISSUE)
}

fn had_the_rule_off(projection: &Projection, call: &Call) -> bool {
    write_of(projection, call).is_some_and(|row| is_off(projection, row))
}

/// The delete that tells of the rule: the latest that was not made with it switched off, or the
/// latest where there is no other.
pub(super) fn telling(projection: &Projection) -> Option<&Call> {
    deletes(projection)
        .find(|call| !had_the_rule_off(projection, call))
        .or_else(|| projection.tools().latest(DELETE_ISSUE))
}

/// Whether the issue of a delete went to the trash by another one, with the rule switched off.
pub(super) fn is_gone_otherwise(projection: &Projection, call: &Call) -> bool {
    deletes(projection)
        .filter(|other| other.subject == call.subject)
        .filter(|other| other.outcome == Some(CallOutcome::Succeeded))
        .any(|other| had_the_rule_off(projection, other))
}

/// What became of the deletes, and when the policy was switched; nothing where it was not.
pub(super) fn of(projection: &Projection) -> Vec<Turn> {
    let switches = projection.policies().activations();
    let mut calls: Vec<&Call> = deletes(projection).collect();
    let is_switched =
        !switches.is_empty() || calls.iter().any(|call| had_the_rule_off(projection, call));
    if calls.is_empty() || !is_switched {
        return Vec::new();
    }
    calls.reverse();
    let mut turns: Vec<Turn> = Vec::new();
    let mut again = false;
    for call in calls {
        let turn = deleted(projection, call, again);
        again |= turn.kind == TurnKind::Refused;
        turns.push(turn);
    }
    turns.extend(switches.iter().map(|one| switched(projection, one)));
    turns.sort_by_key(|turn| turn.evidence);
    turns
}

fn switched(projection: &Projection, activation: &Activation) -> Turn {
    let set = activation.set.as_ref();
    let name = set.map_or("another policy set".to_owned(), ToString::to_string);
    let rule = match set.and_then(|set| projection.policies().has_rule(set)) {
        Some(true) => format!("{LIMIT_LINEAR_SCOPES} was put in force: "),
        Some(false) => format!("{LIMIT_LINEAR_SCOPES} was switched off: "),
        None => String::new(),
    };
    Turn {
        kind: TurnKind::Switched,
        at: Some(activation.occurred_at),
        detail: format!("{rule}{name} became active"),
        evidence: activation.evidence,
    }
}

fn deleted(projection: &Projection, call: &Call, again: bool) -> Turn {
    let subject = call.subject.as_deref().unwrap_or("an issue");
    let issue = projection.issues().issue(subject);
    let name = issue.map_or(subject, |issue| &*issue.identifier);
    let what = format!("{} of {name}", call.tool);
    let Some(row) = write_of(projection, call) else {
        let micros = i64::try_from(call.started_us).unwrap_or(i64::MAX);
        let since = TimeDelta::microseconds(micros);
        let began = projection.started();
        return Turn {
            kind: TurnKind::Untold,
            at: began.and_then(|began| began.checked_add_signed(since)),
            detail: match call.outcome {
                Some(CallOutcome::Succeeded) => format!("{what} came through"),
                Some(CallOutcome::Cancelled) => format!("{what} was called off"),
                Some(CallOutcome::Failed | CallOutcome::Broken) => format!("{what} failed"),
                None => format!("{what} began"),
            },
            evidence: call.started,
        };
    };
    let (kind, detail) = match row.status {
        AuditStatus::Failure => {
            let by = projection.determining(row);
            let by = by.first().map(|id| policy_name(id));
            let by = by.or(row.error.as_deref()).unwrap_or("the zone");
            let again = if again { " again" } else { "" };
            let detail = format!("{what} was refused{again} by {by}");
            (TurnKind::Refused, detail)
        }
        AuditStatus::Issued => {
            let rule = if is_off(projection, row) {
                format!(" with {LIMIT_LINEAR_SCOPES} switched off")
            } else {
                String::new()
            };
            let went = match issue.map(|issue| issue.whereabouts) {
                Some(Whereabouts::Trashed) => format!("; {name} went to the trash"),
                Some(Whereabouts::There | Whereabouts::Filed) | None => String::new(),
            };
            let detail = format!("{what} was issued write{rule}{went}");
            (TurnKind::Issued, detail)
        }
    };
    Turn {
        kind,
        at: Some(row.occurred_at),
        detail,
        evidence: row.evidence,
    }
}
