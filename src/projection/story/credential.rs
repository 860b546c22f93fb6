//! The credentials of an escalation: issued, refused, or something else in their stead.

use super::{Step, StepState, log_not_read, step};
use crate::{
    projection::{Hop, HopKind, Projection, Verdict, audit::AuditRow, log::Seq, tools::Call},
    protocol::{audit::AuditStatus, observed::Upstream},
    trace::Actor,
};

/// What an escalation must be issued, in this order.
pub(super) const CREDENTIALS: [(Upstream, &str); 4] = [
    (Upstream::Supabase, ""),
    (Upstream::Anthropic, ""),
    (Upstream::Linear, "read"),
    (Upstream::Linear, "issues:create"),
];

fn named(service: Upstream, scope: &str) -> String {
    if scope.is_empty() {
        format!("{} credential", service.name())
    } else {
        format!("{} credential for {scope}", service.name())
    }
}

/// The escalation's credential at `place`: issued, refused, or something else in its stead.
pub(super) fn credential(
    projection: &Projection,
    call: Option<&Call>,
    rows: &[&AuditRow],
    place: usize,
) -> Step {
    let title = [
        "The ticket is read from Supabase",
        "The text is masked by Anthropic",
        "The labels are read from Linear",
        "The issue is filed in Linear",
    ][place];
    let (service, scope) = CREDENTIALS[place];
    let what = named(service, scope);
    let Some(row) = rows.get(place) else {
        if let Some(detail) = log_not_read(projection) {
            return step(title, StepState::Waiting, detail, None);
        }
        if call.is_none() {
            let detail = "no ticket was escalated".to_owned();
            return step(title, StepState::Waiting, detail, None);
        }
        let over = call.is_some_and(|call| call.outcome.is_some());
        let state = if over {
            StepState::Wrong
        } else {
            StepState::Waiting
        };
        let by_key = call
            .filter(|_| over)
            .and_then(|call| asked_with_a_key(projection, call, CREDENTIALS[place]));
        let detail = match by_key {
            Some(_) => format!(
                "{} was asked with a key of the server's own",
                service.name()
            ),
            None => format!("the {what} was not issued"),
        };
        return step(title, state, detail, by_key);
    };
    let found = projection.service_of(row);
    let asked = row.scope.as_deref().unwrap_or("");
    let evidence = Some(row.evidence);
    if found != Some(service) || asked != scope {
        let resource = row.resource.as_deref().unwrap_or("no known resource");
        let instead = match asked {
            "" => resource.to_owned(),
            scope => format!("{resource} with {scope}"),
        };
        let detail = format!("the {what} was not issued; asked for {instead}");
        return step(title, StepState::Wrong, detail, evidence);
    }
    match row.status {
        AuditStatus::Issued => match call.and_then(|call| in_vain(projection, call, service)) {
            Some(why) => {
                let detail = format!("{what} issued; {}: {why}", service.name());
                step(title, StepState::Wrong, detail, evidence)
            }
            None => step(title, StepState::Done, format!("{what} issued"), evidence),
        },
        AuditStatus::Failure => {
            let detail = format!("the {what} was refused{}", by_whom(row));
            step(title, StepState::Wrong, detail, evidence)
        }
    }
}

/// What refused a credential, to be put behind "refused".
pub(super) fn by_whom(row: &AuditRow) -> String {
    match (&row.policy, &row.set, &row.error) {
        (Some(policy), _, _) => format!(" by {policy}"),
        // Policy was asked, and none of it has a say: what nothing permits is denied.
        (None, Some(set), _) => format!(": nothing in {set} permits it"),
        (None, None, Some(error)) => format!(" with {error}"),
        (None, None, None) => " by the zone".to_owned(),
    }
}

/// Why a service did nothing with what was issued for it, if each of its answers in this call was a failure.
fn in_vain(projection: &Projection, call: &Call, service: Upstream) -> Option<String> {
    let hops = projection.hops();
    let ids = hops.of_call(call.id).iter();
    let uses = ids.filter_map(|id| hops.get(*id)).filter(|hop| {
        hop.kind == HopKind::Upstream
            && hop.to == Actor::from(service)
            && hop.verdict > Verdict::Held
    });
    let (mut failed, mut done) = (None, false);
    for hop in uses {
        match hop.verdict {
            Verdict::Ok => done = true,
            _ => failed = Some(hop),
        }
    }
    let failed = failed.filter(|_| !done)?;
    let note = failed.note.as_ref().map(ToString::to_string);
    Some(note.unwrap_or_else(|| "it failed".to_owned()))
}

/// Where a call used a service with a credential that no exchange of its own issued.
fn asked_with_a_key(
    projection: &Projection,
    call: &Call,
    (service, scope): (Upstream, &str),
) -> Option<Seq> {
    let hops = projection.hops();
    let of_call = || {
        let ids = hops.of_call(call.id).iter();
        ids.filter_map(|id| hops.get(*id))
    };
    let is_issued = |hop: &Hop| {
        let mut exchanges = of_call().filter(|other| other.kind == HopKind::Exchange);
        exchanges.any(|exchange| exchange.credential == hop.credential)
    };
    let by_key = |hop: &&Hop| {
        hop.kind == HopKind::Upstream
            && hop.to == Actor::from(service)
            && hop.verdict == Verdict::Ok
            && hop.credential.is_some()
            && !is_issued(hop)
    };
    // Labels are read before an issue is filed; whoever only files asks once.
    let read_no_labels = scope == "read" && of_call().filter(by_key).count() < 2;
    let used = of_call().find(by_key).filter(|_| !read_no_labels)?;
    used.evidence.iter().min()
}
