//! What the zone wrote down: audit rows, policies, sessions.

use super::{
    ConsolePlace, Seen, Status,
    calls::{WORK_FIRST, tool_said},
};
use crate::{
    chapters::{
        evidence::Evidence,
        expect::{AuditOrder, AuditRows, Chain, OrderedRow, Per, Service},
    },
    projection::{AuditRow, audit::Era, tools::Call},
    protocol::audit::{AuditEvent, AuditStatus},
    trace::event::CallOutcome,
};

/// What to do about a call that came through without the credential that it should have asked for.
const KEPT: &str = "Exchange in each call for what it needs: a credential that was kept from an earlier \
                    call, or a key in the code, asks the zone for nothing";

/// What to do about a call with more rows than the chapter knows.
const ASKS_FOR_MORE: &str = "Look what else the call asked for; a server of a later chapter asks for more: \
                             check the chapter that it has reached";

impl<'a> Seen<'a> {
    pub(super) fn audit(self, expected: &AuditRows) -> Status {
        let what = describe(expected);
        match expected.per {
            Per::Run => {
                let counts = |row: &&AuditRow| {
                    row.era == Era::ThisRun
                        && self.counts(row.evidence)
                        && !Self::is_of_a_check(row)
                };
                self.count(expected, self.rows().filter(counts).collect(), &what)
            }
            Per::Token => {
                let Some(user) = self.projection.identity().user() else {
                    return Status::pending("you to sign in");
                };
                let rows = self
                    .rows()
                    .filter(|row| row.credential == Some(user.credential));
                self.count(expected, rows.collect(), &what)
            }
            Per::Call => {
                let calls = expected.tools.iter().filter_map(|tool| self.latest(tool));
                let statuses: Vec<_> = calls
                    .map(|call| {
                        let what = format!("{what} within {}", call.tool);
                        let rows = self.rows_of(call);
                        if rows.is_empty() && self.is_nameless_since(call) {
                            return nameless(&call.tool, &what);
                        }
                        match self.count(expected, rows, &what) {
                            // The call is over: what is not there will not come.
                            Status::Pending { .. } if !self.is_empty() => {
                                self.lacks(call, &format!("the audit log has no row {what}"))
                            }
                            status => status,
                        }
                    })
                    .collect();
                if statuses.is_empty() {
                    return self.uncalled(&expected.tools);
                }
                super::all(statuses.into_iter())
            }
        }
    }

    fn is_row(self, row: &AuditRow, wanted: &OrderedRow) -> bool {
        self.service(row) == Some(wanted.resource)
            && row.scope.as_deref().unwrap_or("") == wanted.scope
            && row.status == wanted.status
    }

    /// The latest calls of these tools ended without a row that they should have: the one that failed, or
    /// the last.
    fn lacks_of(self, tools: &[String], lack: &str) -> Status {
        let mut calls = tools.iter().filter_map(|tool| self.latest(tool));
        let failed = |call: &&Call| call.outcome == Some(CallOutcome::Failed);
        let last = tools.iter().rev().find_map(|tool| self.latest(tool));
        match calls.find(failed).or(last) {
            Some(call) => self.lacks(call, lack),
            None => Status::failed(lack),
        }
    }

    /// A call ended without a row that it should have.
    fn lacks(self, call: &Call, lack: &str) -> Status {
        let mut because = lack.to_owned();
        if let Some(said) = tool_said(call) {
            because = format!("{because}; {} said: {said}", call.tool);
        }
        if let Some(said) = self.zone_said(call) {
            because = format!("{because}; {said}");
        }
        Status::Failed {
            because,
            fix: match call.outcome {
                Some(CallOutcome::Succeeded) => KEPT.to_owned(),
                Some(CallOutcome::Failed) => WORK_FIRST.to_owned(),
                _ => String::new(),
            },
        }
    }

    fn rows(self) -> impl Iterator<Item = &'a AuditRow> {
        self.projection.audit().rows().iter()
    }

    fn is_empty(self) -> bool {
        self.projection.audit().rows().is_empty()
    }

    /// The rows of a call in the zone's own order.
    fn rows_of(self, call: &Call) -> Vec<&'a AuditRow> {
        let Some(id) = call.id else {
            return Vec::new();
        };
        let mut rows: Vec<_> = self.projection.audit().of_call(id).collect();
        rows.sort_by_key(|row| row.sequence);
        rows
    }

    /// Whether exchanges were written down since the call began that name no call: a server that does
    /// not pass `traceparent` on leaves it open whose they are.
    pub(super) fn is_nameless_since(self, call: &Call) -> bool {
        let is = |row: &AuditRow| {
            row.exchange
                // What a check asked for itself names a call, and none of this run.
                && row.call.is_none()
                && row.era == Era::ThisRun
                && row.evidence >= call.started
        };
        self.rows().any(is)
    }

    fn count(self, expected: &AuditRows, rows: Vec<&AuditRow>, what: &str) -> Status {
        let near: Vec<_> = rows
            .into_iter()
            .filter(|row| {
                row.event == expected.event
                    && expected
                        .resource
                        .is_none_or(|service| self.service(row) == Some(service))
                    && expected
                        .scope
                        .as_deref()
                        .is_none_or(|scope| row.scope.as_deref().unwrap_or("") == scope)
            })
            .collect();
        let found: Vec<_> = near
            .iter()
            .filter(|row| {
                row.status == expected.status
                    && expected.chain.is_none_or(|chain| is_chain(row, chain))
                    && expected
                        .policy
                        .as_deref()
                        .is_none_or(|policy| self.refused_by(row, policy))
            })
            .map(|row| Evidence::Row(row.id))
            .collect();
        let wanted = expected.exactly.unwrap_or(expected.at_least);
        if found.len() < wanted {
            return match near.last() {
                Some(row) if found.len() < near.len() => {
                    Status::failed(format!("instead of {what} there is {}", self.words(row)))
                }
                _ if self.hears_the_zone() => Status::pending(what),
                _ => self.untold(ConsolePlace::AuditLog, &wholly(expected, what)),
            };
        }
        if expected
            .exactly
            .is_some_and(|exactly| found.len() > exactly)
        {
            return Status::failed(format!(
                "there are {} of {what} and not {wanted}",
                found.len()
            ));
        }
        Status::passed(found)
    }

    fn refused_by(self, row: &AuditRow, policy: &str) -> bool {
        self.projection
            .determining(row)
            .iter()
            .any(|id| self.name_of_policy(id) == Some(policy))
    }

    fn words(self, row: &AuditRow) -> String {
        let place = self
            .service(row)
            .map_or("an unknown resource", Service::name);
        let scope = match row.scope.as_deref() {
            Some(scope) => format!(" with {scope}"),
            None => String::new(),
        };
        let end = match (row.status, row.policy.as_deref(), row.error.as_deref()) {
            (AuditStatus::Issued, _, _) => match chain_of(row) {
                Some(Chain::ClientAndUser) => "issued to your client",
                Some(Chain::ApplicationAndUser) => "issued to the application for a user",
                None => "issued to the application alone",
            }
            .to_owned(),
            (AuditStatus::Failure, Some(policy), _) => format!("refused by {policy}"),
            (AuditStatus::Failure, None, Some(error)) => match row.reason.as_deref() {
                Some(why) => format!("refused: {error} ({})", why.trim_end_matches('.')),
                None => format!("refused: {error}"),
            },
            (AuditStatus::Failure, None, None) => "refused".to_owned(),
        };
        format!("one for {place}{scope}, {end}")
    }

    pub(super) fn audit_order(self, expected: &AuditOrder) -> Status {
        let mut rows: Vec<&AuditRow> = Vec::new();
        for tool in &expected.tools {
            match self.latest(tool) {
                Some(call) => rows.extend(
                    self.rows_of(call)
                        .into_iter()
                        .filter(|row| row.event == AuditEvent::CredentialsIssue),
                ),
                None => return self.uncalled(std::slice::from_ref(tool)),
            }
        }
        if self.is_empty() {
            if self.hears_the_zone() {
                return Status::pending("the zone's audit rows");
            }
            return self.untold(ConsolePlace::AuditLog, &in_order(expected));
        }
        let unnamed = expected.tools.iter().filter_map(|tool| self.latest(tool));
        let unnamed = unnamed
            .filter(|call| self.rows_of(call).is_empty())
            .find(|call| self.is_nameless_since(call));
        if let Some(call) = unnamed {
            return nameless(&call.tool, &in_order(expected));
        }
        for (place, wanted) in expected.rows.iter().enumerate() {
            let number = place + 1;
            let Some(row) = rows.get(place) else {
                let lack = format!("row {number} is missing: {}", named(wanted));
                return self.lacks_of(&expected.tools, &lack);
            };
            if !self.is_row(row, wanted) {
                let lack = format!(
                    "row {number} is {} and not {}",
                    self.words(row),
                    named(wanted)
                );
                if row.status == AuditStatus::Failure {
                    return Status::Failed {
                        because: lack,
                        fix: WORK_FIRST.to_owned(),
                    };
                }
                // What was asked for after all came at another time; what was not, the zone never heard of.
                let mut all = rows.iter();
                return if all.any(|row| self.is_row(row, wanted)) {
                    Status::failed(lack)
                } else {
                    self.lacks_of(&expected.tools, &lack)
                };
            }
        }
        if rows.len() > expected.rows.len() {
            let because = format!(
                "there are {} rows and not {}",
                rows.len(),
                expected.rows.len()
            );
            return Status::Failed {
                because,
                fix: ASKS_FOR_MORE.to_owned(),
            };
        }
        Status::passed(rows.into_iter().map(|row| Evidence::Row(row.id)))
    }

    pub(super) fn active_policies(self, names: &[String]) -> Status {
        let policies = self.projection.policies();
        let Some(read) = policies.read() else {
            if self.hears_the_zone() {
                return Status::pending("a read of the zone's policies");
            }
            let names = names.join(", ");
            let what = format!("whether the active set carries {names}");
            return self.untold(ConsolePlace::PolicySets, &what);
        };
        if policies.active().is_none() {
            return Status::failed("no policy set is active, so everything is denied");
        }
        match names
            .iter()
            .find(|name| policies.is_active(name) != Some(true))
        {
            Some(name) => Status::failed(format!("the active set does not carry {name}")),
            None => Status::passed([Evidence::Event(read)]),
        }
    }

    /// A policy is judged by what it does, and not by its name alone.
    pub(super) fn forbidding_policies(self, names: &[String]) -> Status {
        match self.active_policies(names) {
            Status::Passed { evidence } => {
                let policies = self.projection.policies();
                let permits = |name: &&String| policies.forbids(name) != Some(true);
                match names.iter().find(permits) {
                    Some(name) => Status::failed(format!("{name} is active and does not forbid")),
                    None => Status::Passed { evidence },
                }
            }
            other => other,
        }
    }

    pub(super) fn sessions(self, at_least: usize) -> Status {
        let sessions: Vec<_> = self
            .projection
            .sessions()
            .rows()
            .iter()
            .filter_map(|row| row.touched.first())
            .map(|touch| Evidence::Event(touch.evidence))
            .collect();
        if sessions.is_empty() || sessions.len() < at_least {
            return self.untold(ConsolePlace::Sessions, "a session that touched something");
        }
        Status::passed(sessions)
    }
}

fn chain_of(row: &AuditRow) -> Option<Chain> {
    match (&row.application, &row.user) {
        (Some(_), Some(_)) if row.exchange => Some(Chain::ApplicationAndUser),
        (Some(_), Some(_)) => Some(Chain::ClientAndUser),
        _ => None,
    }
}

fn is_chain(row: &AuditRow, chain: Chain) -> bool {
    chain_of(row) == Some(chain)
}

fn named(row: &OrderedRow) -> String {
    let scope = match row.scope.as_str() {
        "" => String::new(),
        scope => format!(" with {scope}"),
    };
    let end = match row.status {
        AuditStatus::Issued => "issued",
        AuditStatus::Failure => "refused",
    };
    format!("one for {}{scope}, {end}", row.resource.name())
}

/// The row in words, with how many there are and who acted for whom: for a person who looks.
fn wholly(expected: &AuditRows, what: &str) -> String {
    let chain = match expected.chain {
        Some(Chain::ClientAndUser) => ", by your client for you",
        Some(Chain::ApplicationAndUser) => ", by the application for you",
        None => "",
    };
    match expected.exactly {
        Some(exactly) => format!("{exactly} {what}{chain}, and no more"),
        None => format!("{what}{chain}"),
    }
}

fn in_order(expected: &AuditOrder) -> String {
    let rows: Vec<String> = expected.rows.iter().map(named).collect();
    format!(
        "the rows of {}, in order: {}",
        expected.tools.join(" and "),
        rows.join("; ")
    )
}

/// How a check stands whose rows are there, but name no call.
fn nameless(tool: &str, what: &str) -> Status {
    Status::not_observable(format!(
        "the zone's audit log, from where {tool} began: {what}. Your server passes no traceparent \
         on, so no row says which call it belongs to"
    ))
}

fn describe(expected: &AuditRows) -> String {
    let resource = match expected.resource {
        Some(service) => format!(" for {}", service.name()),
        None => String::new(),
    };
    let scope = match expected.scope.as_deref() {
        Some(scope) if !scope.is_empty() => format!(" with {scope}"),
        _ => String::new(),
    };
    let end = match (&expected.policy, expected.status) {
        (Some(policy), _) => format!(" refused by {policy}"),
        (None, AuditStatus::Failure) => " that was refused".to_owned(),
        (None, AuditStatus::Issued) => String::new(),
    };
    format!("{}{resource}{scope}{end}", expected.event.as_str())
}
