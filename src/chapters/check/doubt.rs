//! Why a tool got no credential, in the zone's own words: from its log, or, where that says nothing of
//! the call, from its answer to the same question asked once more.
//!
//! A server may keep to itself what the zone said to it: the SDK's own error names the resource only
//! (facts/keycard.md, 2.6). And a client that the zone does not know leaves no row.

use super::{Check, Seen, Status, Within};
use crate::{
    chapters::{
        Chapter, Stage,
        evidence::Evidence,
        expect::{Expect, Service, ToolCall},
        probe::{Exchange, ExchangeAnswer, Probe, ProbeResults, Reading},
    },
    projection::{AuditRow, Projection, audit::Era, tools::Call},
    protocol::{
        audit::AuditStatus,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
    support::text::one_line,
    trace::event::CallOutcome,
};

/// What to ask the zone about a chapter's failed checks; nothing where its log tells.
#[must_use]
pub fn doubts(chapter: &Chapter, projection: &Projection, results: &ProbeResults) -> Vec<Probe> {
    let mut doubts: Vec<Probe> = chapter
        .checks
        .iter()
        .filter(|check| {
            let status = super::eval(check, projection, results);
            matches!(status, Status::Failed { .. })
        })
        .flat_map(|check| {
            let seen = Seen::of(check.within, projection, results);
            tools_of(check)
                .filter_map(move |tool| seen.latest(tool))
                .filter(move |call| call.outcome == Some(CallOutcome::Failed))
                .filter(move |call| seen.refused_row(call).is_none())
                .flat_map(|call| exchanges_of(&call.tool, chapter.stage))
        })
        .map(Probe::Exchange)
        .collect();
    doubts.sort();
    doubts.dedup();
    doubts
}

/// The tools that a check rests on.
fn tools_of(check: &Check) -> impl Iterator<Item = &str> {
    fn looks_at_an_issue(expect: &Expect) -> bool {
        match expect {
            Expect::All(many) | Expect::Any(many) => many.iter().any(looks_at_an_issue),
            Expect::Not(one) => looks_at_an_issue(one),
            other => matches!(other, Expect::Issue(_)),
        }
    }
    let by_issue = looks_at_an_issue(&check.expect).then_some(ESCALATE_TICKET);
    let tools: Vec<&str> = check.expect.tools().into_iter().chain(by_issue).collect();
    // Without a list nothing is escalated.
    let first = (!tools.is_empty()).then_some(GET_SUPPORT_TICKETS);
    tools.into_iter().chain(first)
}

/// The exchanges that a tool makes at a stage, in its order. What a policy is meant to refuse is not
/// asked for.
fn exchanges_of(tool: &str, stage: Stage) -> Vec<Exchange> {
    let vault = |service| Exchange {
        service,
        scope: None,
    };
    let linear = |scope| Exchange {
        service: Service::Linear,
        scope: Some(scope),
    };
    let mut all = Vec::new();
    match tool {
        GET_SUPPORT_TICKETS if stage >= Stage::Vault => all.push(vault(Service::Supabase)),
        ESCALATE_TICKET => {
            if stage >= Stage::Vault {
                all.push(vault(Service::Supabase));
            }
            if stage >= Stage::Masked {
                all.push(vault(Service::Anthropic));
            }
            if stage >= Stage::Delegated {
                all.extend(["read", "issues:create"].map(linear));
            }
        }
        DELETE_ISSUE if stage == Stage::Delegated => all.push(linear("write")),
        _ => {}
    }
    all
}

/// Which service was refused, by what shows it.
pub(in crate::chapters) fn service_of(
    evidence: &[Evidence],
    projection: &Projection,
    results: &ProbeResults,
) -> Option<Service> {
    let seen = Seen::of(Within::Run, projection, results);
    evidence.iter().find_map(|one| match one {
        Evidence::Probe(Probe::Exchange(exchange)) => Some(exchange.service),
        Evidence::Probe(Probe::Scope(_)) => Some(Service::Linear),
        Evidence::Row(id) => {
            let row = projection.audit().get(*id)?;
            let told = [&row.resource_identifier, &row.reason];
            let by_url = told
                .into_iter()
                .flatten()
                .find_map(|text| seen.named_in(text));
            by_url.or_else(|| seen.service(row))
        }
        Evidence::Event(seq) => {
            let calls = projection.tools().calls().iter().rev();
            let call = calls.into_iter().find(|call| call.finished == Some(*seq))?;
            seen.named_in(call.text.as_deref()?)
        }
        Evidence::Hop(_) | Evidence::Probe(_) => None,
    })
}

impl<'a> Seen<'a> {
    /// The service whose URL in the `.env` stands in a text.
    fn named_in(self, text: &str) -> Option<Service> {
        let Reading::Told(lines) = &self.results.env else {
            return None;
        };
        let value = |name: &str| {
            let line = lines
                .iter()
                .rev()
                .find(|line| line.name == name && line.set)?;
            line.value.as_deref()
        };
        [
            ("SUPABASE_URL", Service::Supabase),
            ("ANTHROPIC_API_URL", Service::Anthropic),
            ("LINEAR_API_URL", Service::Linear),
        ]
        .into_iter()
        .find(|(name, _)| value(name).is_some_and(|url| text.contains(url)))
        .map(|(_, service)| service)
    }

    /// How a check stands whose call was not made because the tickets could not be listed before it.
    pub(super) fn blocked(self) -> Option<Status> {
        let listed = self.latest(GET_SUPPORT_TICKETS)?;
        if listed.outcome != Some(CallOutcome::Failed) {
            return None;
        }
        Some(self.tool_call(&ToolCall {
            name: GET_SUPPORT_TICKETS.to_owned(),
            outcome: CallOutcome::Succeeded,
            token: None,
        }))
    }

    /// What the zone refused a call, after a colon or a semicolon; nothing where it refused nothing.
    pub(super) fn zone_said(self, call: &Call) -> Option<String> {
        if call.outcome != Some(CallOutcome::Failed) {
            return None;
        }
        let told = call.text.as_deref().unwrap_or_default();
        let words = |error: &str, why: &str| match (error, why.trim_end_matches('.')) {
            (error, "") => one_line(error),
            ("", why) => one_line(why),
            (error, why) => format!("{}: {}", one_line(error), one_line(why)),
        };
        if let Some(row) = self.refused_row(call) {
            let why = row.reason.as_deref().unwrap_or_default();
            let error = row.error.as_deref().unwrap_or_default();
            let said = words(error, why);
            let is_told = said.is_empty() || (!why.is_empty() && told.contains(why));
            return (!is_told).then(|| format!("the zone's log says {said}"));
        }
        let asked = exchanges_of(&call.tool, Stage::Limited);
        let (exchange, error, why) = asked.iter().find_map(|exchange| {
            let answer = self.results.exchanges.get(exchange)?;
            match answer {
                Reading::Told(ExchangeAnswer::Refused { error, description }) => {
                    Some((exchange, error, description))
                }
                _ => None,
            }
        })?;
        let service = exchange.service.name();
        let said = words(error, why);
        (!told.contains(&said))
            .then(|| format!("asked by hoptrail for {service}, the zone says {said}"))
    }

    /// The row of what the zone refused a call. A server that passes no `traceparent` on leaves it open
    /// whose row it is; the latest since the call began is meant then.
    fn refused_row(self, call: &Call) -> Option<&'a AuditRow> {
        let rows = self.projection.audit().rows().iter().rev();
        let is_of = |row: &&AuditRow| match row.call {
            Some(of) => call.id == Some(of),
            None => row.exchange && row.era == Era::ThisRun,
        };
        rows.take_while(|row| row.evidence >= call.started)
            .filter(is_of)
            .find(|row| row.status == AuditStatus::Failure)
    }

    /// Whether the zone issued all that it was asked for in doubt.
    pub(super) fn exchanges_work(self) -> Status {
        let mut evidence = Vec::new();
        for (exchange, answer) in &self.results.exchanges {
            match answer {
                Reading::Told(ExchangeAnswer::Issued) => {
                    evidence.push(Evidence::Probe(Probe::Exchange(exchange.clone())));
                }
                Reading::Told(ExchangeAnswer::Refused { error, .. }) => {
                    return Status::failed(format!("the zone answers {error}"));
                }
                Reading::Failed { because } => return Status::failed(because.clone()),
                Reading::Unavailable { look_at } => {
                    return Status::not_observable(look_at.clone());
                }
                Reading::NotAsked => return Status::pending("the zone's answer"),
            }
        }
        if evidence.is_empty() {
            return Status::pending("the zone's answer");
        }
        Status::passed(evidence)
    }

    /// The exchange that was refused in these words, when the zone was asked itself.
    pub(super) fn refused_exchange(self, holds: impl Fn(&str) -> bool) -> Option<Evidence> {
        let scopes = self.results.scopes.iter();
        let not_even = |answer: &Reading<_>| match answer {
            Reading::Failed { because } => holds(because),
            _ => false,
        };
        if let Some((scope, _)) = scopes.into_iter().find(|(_, answer)| not_even(answer)) {
            return Some(Evidence::Probe(Probe::Scope(scope.clone())));
        }
        let exchanges = self.results.exchanges.iter();
        let refused = |answer: &Reading<ExchangeAnswer>| match answer {
            Reading::Told(ExchangeAnswer::Refused { error, description }) => {
                holds(error) || holds(description)
            }
            _ => false,
        };
        let (exchange, _) = exchanges.into_iter().find(|(_, answer)| refused(answer))?;
        Some(Evidence::Probe(Probe::Exchange(exchange.clone())))
    }
}
