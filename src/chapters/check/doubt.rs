//! Why a tool got no credential, in the zone's own words: from its log, or, where that says nothing of
//! the call, from its answer to the same question asked once more.
//!
//! A server may keep to itself what the zone said to it: the SDK's own error names the resource only
//! (facts/keycard.md, 2.6). And a client that the zone does not know leaves no row.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Check, Seen, Status, Within};
use crate::{
    chapters::{
        Chapter, Stage,
        evidence::Evidence,
        expect::{Expect, Service, ToolCall},
        probe::{Answers, Exchange, ExchangeAnswer, Probe, ProbeResults, Reading},
    },
    projection::{AuditRow, Projection, Seq, audit::Era, tools::Call},
    protocol::{
        audit::AuditStatus,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
        traceparent::TraceId,
    },
    trace::event::CallOutcome,
};

/// What to ask the zone, by where the call ended that is in doubt.
pub type Doubts = BTreeMap<Seq, BTreeSet<Exchange>>;

/// Words of a tool that speaks of an exchange: of the SDK, of the workshop's server and of others. What a
/// tool failed at besides is nothing to ask the zone about.
const OF_AN_EXCHANGE: [&str; 3] = ["exchange", "access resource", "refused a credential"];

/// What to ask the zone about a chapter's failed checks; nothing where its log tells, and nothing that it
/// answered already.
#[must_use]
pub fn doubts(chapter: &Chapter, projection: &Projection, results: &ProbeResults) -> Doubts {
    let mut doubts = Doubts::new();
    for check in &chapter.checks {
        let status = super::eval(check, projection, results);
        if !matches!(status, Status::Failed { .. }) {
            continue;
        }
        let seen = Seen::of(check.within, projection, results);
        for call in tools_of(check).filter_map(|tool| seen.latest(tool)) {
            let Some(ended) = call.finished.filter(|_| seen.is_in_doubt(call)) else {
                continue;
            };
            let answered = results.doubts.get(&ended);
            let is_open = |exchange: &Exchange| {
                let answer = answered.and_then(|answers| answers.get(exchange));
                !matches!(answer, Some(Reading::Told(_)))
            };
            let open = exchanges_of(&call.tool, chapter.stage)
                .into_iter()
                .filter(is_open);
            doubts.entry(ended).or_default().extend(open);
        }
    }
    doubts.retain(|_, exchanges| !exchanges.is_empty());
    doubts
}

/// The tools that a check rests on. Without a list nothing is escalated.
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
        Evidence::Row(id) => {
            let row = projection.audit().get(*id)?;
            let told = [&row.resource_identifier, &row.reason];
            let mut told = told.into_iter().flatten();
            let by_url = told.find_map(|text| seen.named_in(text));
            by_url.or_else(|| seen.service(row))
        }
        Evidence::Event(seq) => {
            let mut calls = projection.tools().calls().iter().rev();
            let call = calls.find(|call| call.finished == Some(*seq))?;
            seen.named_in(call.text.as_deref()?)
        }
        Evidence::Hop(_) | Evidence::Probe(_) => None,
    })
}

/// How a check stands that waits for a call which was not made because the tickets could not be listed
/// before it.
pub(super) fn blocked(seen: Seen<'_>, check: &Check) -> Option<Status> {
    let listed = seen.latest(GET_SUPPORT_TICKETS)?;
    let waits = tools_of(check).any(|tool| seen.latest(tool).is_none());
    if listed.outcome != Some(CallOutcome::Failed) || !waits {
        return None;
    }
    Some(seen.tool_call(&ToolCall {
        name: GET_SUPPORT_TICKETS.to_owned(),
        outcome: CallOutcome::Succeeded,
        token: None,
    }))
}

impl<'a> Seen<'a> {
    /// The service whose URL in the `.env` stands in a text.
    fn named_in(self, text: &str) -> Option<Service> {
        let Reading::Told(lines) = &self.results.env else {
            return None;
        };
        let value = |name: &str| {
            let mut set = lines.iter().rev().filter(|line| line.set);
            let line = set.find(|line| line.name == name)?;
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

    /// Whether a tool says that it got no credential, and no row says why. Of a client that the zone does
    /// not know there is no row at all.
    fn is_in_doubt(self, call: &Call) -> bool {
        let text = call.text.as_deref().unwrap_or_default().to_lowercase();
        let of_an_exchange = OF_AN_EXCHANGE.iter().any(|words| text.contains(words));
        call.outcome == Some(CallOutcome::Failed)
            && of_an_exchange
            && self.refused_row(call).is_none()
    }

    /// What the zone refused a call; nothing where the tool tells it itself.
    pub(super) fn zone_said(self, call: &Call) -> Option<String> {
        if call.outcome != Some(CallOutcome::Failed) {
            return None;
        }
        let told = call.text.as_deref().unwrap_or_default();
        if let Some(row) = self.refused_row(call) {
            let answer = ExchangeAnswer::Refused {
                error: row.error.as_deref().unwrap_or_default().to_owned(),
                description: row.reason.as_deref().unwrap_or_default().to_owned(),
            };
            let said = answer.reason().filter(|_| !answer.is_told_in(told))?;
            return Some(format!("the zone's log says {said}"));
        }
        let answers = self.results.doubts.get(&call.finished?)?;
        let (exchange, answer) = answers.iter().find_map(|(exchange, answer)| match answer {
            Reading::Told(answer @ ExchangeAnswer::Refused { .. }) => Some((exchange, answer)),
            _ => None,
        })?;
        let said = answer.reason().filter(|_| !answer.is_told_in(told))?;
        let service = exchange.service.name();
        Some(format!(
            "asked by hoptrail for {service}, the zone says {said}"
        ))
    }

    /// The row of what the zone refused a call. A server that passes no `traceparent` on leaves it open
    /// whose row it is; the last one before the next call began is meant then.
    fn refused_row(self, call: &Call) -> Option<&'a AuditRow> {
        let calls = self.projection.tools().calls().iter();
        let next = calls
            .map(|call| call.started)
            .filter(|at| *at > call.started);
        let until = next.min();
        let rows = self.projection.audit().rows().iter().rev();
        let is_of = |row: &&AuditRow| {
            if row.call.is_some() {
                return row.call == call.id;
            }
            let before_the_next = until.is_none_or(|until| row.evidence < until);
            row.exchange && row.era == Era::ThisRun && before_the_next
        };
        rows.take_while(|row| row.evidence >= call.started)
            .filter(is_of)
            .find(|row| row.status == AuditStatus::Failure)
    }

    /// The latest failed call of each tool with what the zone was asked about it.
    fn doubted(self) -> impl Iterator<Item = &'a Answers> {
        let tools = [GET_SUPPORT_TICKETS, ESCALATE_TICKET, DELETE_ISSUE];
        let calls = tools.into_iter().filter_map(move |tool| self.latest(tool));
        let in_doubt = calls.filter(move |call| self.is_in_doubt(call));
        in_doubt.filter_map(move |call| self.results.doubts.get(&call.finished?))
    }

    /// Whether the zone issued all that it was asked about one call.
    pub(super) fn exchanges_work(self) -> Status {
        let is_issued = |answer: &Reading<ExchangeAnswer>| {
            matches!(answer, Reading::Told(ExchangeAnswer::Issued))
        };
        let mut any = false;
        for answers in self.doubted() {
            any = true;
            if !answers.is_empty() && answers.values().all(is_issued) {
                let asked = answers.keys().cloned();
                return Status::passed(asked.map(|one| Evidence::Probe(Probe::Exchange(one))));
            }
        }
        if any {
            Status::failed("the zone refuses it to hoptrail, too")
        } else {
            Status::pending("the zone's answer")
        }
    }

    /// The exchange that was refused in these words, when the zone was asked itself.
    pub(super) fn refused_exchange(self, holds: impl Fn(&str) -> bool) -> Option<Evidence> {
        if self.asked == Asked::CountsNot {
            return None;
        }
        let refused = |answer: &Reading<ExchangeAnswer>| match answer {
            Reading::Told(ExchangeAnswer::Refused { error, description }) => {
                holds(error) || holds(description)
            }
            _ => false,
        };
        let mut asked = self.doubted().flatten();
        let (exchange, _) = asked.find(|(_, answer)| refused(answer))?;
        Some(Evidence::Probe(Probe::Exchange(exchange.clone())))
    }

    /// Whether hoptrail's own question led to a row.
    pub(super) fn is_of_a_check(row: &AuditRow) -> bool {
        row.call.is_some_and(TraceId::is_check)
    }
}
