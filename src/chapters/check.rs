//! Judging a check: a pure function of the trace and of what probes brought back.

mod calls;
mod doubt;
mod files;
mod look;
mod outside;
mod rows;
mod rule;
mod zone;

use serde::Deserialize;

pub(super) use self::doubt::service_of;
pub use self::doubt::{Doubts, doubts};

use super::{
    TextPosition,
    evidence::Evidence,
    expect::{Expect, Service},
    probe::ProbeResults,
};
use crate::{
    projection::{AuditRow, Hop, Projection, Seq, tools::Call},
    protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET},
    trace::{Fact, event::Target},
};

/// What stands for the end of a line in a text that was made one.
const LINE_END: char = '⏎';

/// What a check waits for whose call was made on a server that the lab has put another one in the
/// place of.
pub const A_NEW_CALL: &str = "a new call: the server has changed since the last one";

/// A check of a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Unique within its chapter.
    pub id: String,
    /// What holds when it passed, in a few words.
    pub title: String,
    /// Shown one at a time; the first is also what to do when nothing better is known.
    pub hints: Vec<String>,
    /// Whether the next chapter waits for it.
    pub required: bool,
    pub within: Within,
    /// Whether it holds at its chapter's end only: what comes after changes it again.
    pub only_here: bool,
    pub expect: Expect,
    pub(super) at: TextPosition,
}

/// How far back a check looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Within {
    /// The whole run.
    #[default]
    Run,
    /// Since the reader began the chapter.
    Chapter,
}

/// How a check stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Cannot be told yet.
    Pending {
        waiting_for: String,
    },
    Passed {
        evidence: Vec<Evidence>,
    },
    /// It was seen, and it is not so.
    Failed {
        /// Why, one sentence without a full stop.
        because: String,
        /// What to do.
        fix: String,
    },
    /// Nothing here can see it; a person can.
    NotObservable {
        look_at: String,
    },
}

impl Status {
    fn pending(waiting_for: impl Into<String>) -> Self {
        Self::Pending {
            waiting_for: waiting_for.into(),
        }
    }

    fn failed(because: impl Into<String>) -> Self {
        Self::Failed {
            because: because.into(),
            fix: String::new(),
        }
    }

    fn passed(evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self::Passed {
            evidence: evidence.into_iter().collect(),
        }
    }

    fn not_observable(look_at: impl Into<String>) -> Self {
        Self::NotObservable {
            look_at: look_at.into(),
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Passed { .. } => "passed",
            Self::Failed { .. } => "failed",
            Self::NotObservable { .. } => "not observable",
        }
    }
}

/// How a check stands. For a failed one the fix is its first hint; `Chapter::status` knows better
/// ones.
#[must_use]
pub fn eval(check: &Check, projection: &Projection, results: &ProbeResults) -> Status {
    let seen = Seen::of(check.within, projection, results);
    let status = match seen.judge(&check.expect) {
        Status::Pending { waiting_for } => {
            doubt::blocked(seen, check).unwrap_or(Status::Pending { waiting_for })
        }
        status => status,
    };
    match status {
        Status::Failed { because, fix } => Status::Failed {
            because: in_one_sentence(&because),
            fix: if fix.is_empty() {
                check.hints.first().cloned().unwrap_or_default()
            } else {
                fix
            },
        },
        status => status,
    }
}

/// What somebody else said in several lines, as a part of a sentence.
fn in_one_sentence(text: &str) -> String {
    let lines = text.split(LINE_END).map(str::trim);
    let said: Vec<&str> = lines
        .map(|line| line.trim_end_matches('.'))
        .filter(|line| !line.is_empty())
        .collect();
    said.join("; ")
}

/// Whether a condition explains a failure.
pub(super) fn explains(
    expect: &Expect,
    within: Within,
    projection: &Projection,
    results: &ProbeResults,
) -> Status {
    let seen = Seen {
        asked: Asked::Counts,
        ..Seen::of(within, projection, results)
    };
    seen.judge(expect)
}

/// What of a check is about the zone's console and does not hold.
#[must_use]
pub fn fault_in_console<'c>(
    check: &'c Check,
    projection: &Projection,
    results: &ProbeResults,
) -> Option<&'c Expect> {
    let fails = |expect: &Expect| {
        let status = Seen::of(check.within, projection, results).judge(expect);
        matches!(status, Status::Failed { .. })
    };
    let mut parts: Vec<&Expect> = vec![&check.expect];
    while let Some(part) = parts.pop() {
        match part {
            Expect::All(many) => parts.extend(many.iter().rev()),
            one if one.is_of_the_console_alone() && fails(one) => return Some(one),
            _ => {}
        }
    }
    None
}

/// How a failed check stands that rests on a call from before the policy set in force was activated:
/// such a call tells nothing of the rule as it is now.
pub(super) fn outdated(
    check: &Check,
    projection: &Projection,
    results: &ProbeResults,
) -> Option<Status> {
    let activated = projection.policies().activations().last()?.evidence;
    let seen = Seen::of(check.within, projection, results);
    let tools = check.expect.tools();
    let tool = tools.into_iter().find(|tool| {
        let ended = seen
            .latest(tool)
            .map(|call| call.finished.unwrap_or(call.started));
        ended.is_some_and(|ended| ended < activated)
    })?;
    let (what, fix) = match tool {
        DELETE_ISSUE => ("deletion", "Delete an issue once more"),
        ESCALATE_TICKET => ("escalation", "Escalate a ticket once more"),
        _ => ("call", "Call the tool once more"),
    };
    Some(Status::Failed {
        because: format!("the last {what} was before the policy set that is active now"),
        fix: fix.to_owned(),
    })
}

/// Everything that there is to see.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    projection: &'a Projection,
    results: &'a ProbeResults,
    since: Option<Seq>,
    /// Since when the server is the one that is judged.
    changed: Option<Seq>,
    asked: Asked,
}

/// Whether what hoptrail asked the zone itself counts: it explains a failure, and passes no check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Counts,
    CountsNot,
}

impl<'a> Seen<'a> {
    fn of(within: Within, projection: &'a Projection, results: &'a ProbeResults) -> Self {
        let since = match within {
            Within::Run if !results.begun_again => None,
            Within::Run | Within::Chapter => results.since,
        };
        Self {
            projection,
            results,
            since,
            changed: results.changed,
            asked: Asked::CountsNot,
        }
    }

    fn judge(self, expect: &Expect) -> Status {
        match expect {
            Expect::All(many) => all(many.iter().map(|one| self.judge(one))),
            Expect::Any(many) => any(many.iter().map(|one| self.judge(one))),
            Expect::Not(one) => match self.judge(one) {
                Status::Passed { .. } => Status::failed("it is the other way round"),
                Status::Failed { .. } => Status::passed([]),
                unknown => unknown,
            },
            Expect::SignedIn => self.signed_in(),
            Expect::DiscoveryWalked => self.discovery_walked(),
            Expect::ToolsListed(listed) => self.tools_listed(listed),
            Expect::ToolCall(call) => self.tool_call(call),
            Expect::Hop(hop) => self.hop(hop),
            Expect::Audit(rows) => self.audit(rows),
            Expect::AuditOrder(order) => self.audit_order(order),
            Expect::Token(claim) => self.token(claim),
            Expect::Issue(looks) => self.issue(looks),
            Expect::Env(env) => self.env(env),
            Expect::ActivePolicies(names) => self.active_policies(names),
            Expect::ForbiddingPolicies(names) => self.forbidding_policies(names),
            Expect::PolicyScopes(scopes) => self.policy_scopes(scopes),
            Expect::Sessions(sessions) => self.sessions(sessions.at_least),
            Expect::Said(words) => self.said(&words.contains),
            Expect::ExchangesWork => self.exchanges_work(),
            Expect::Answer(answer) => self.answer(answer),
            Expect::Metadata(says) => self.metadata(says),
            Expect::Resource(is) => self.resource(is),
            Expect::Application(is) => self.application(is),
            Expect::ScopeRefused(refused) => self.scope_refused(refused),
            Expect::NoSecretOf(service) => self.no_secret_of(*service),
            Expect::NothingOpens => self.nothing_opens(),
        }
    }

    /// Whether this place of the trace counts.
    fn counts(self, seq: Seq) -> bool {
        self.since.is_none_or(|since| seq >= since)
    }

    /// Whether this place of the trace is of the server as it is now.
    fn is_of_this_server(self, seq: Seq) -> bool {
        self.changed.is_none_or(|changed| seq >= changed)
    }

    /// The latest call of a tool that ended on this server.
    fn latest(self, tool: &str) -> Option<&'a Call> {
        self.latest_anywhere(tool)
            .filter(|call| self.is_of_this_server(call.started))
    }

    /// The latest call of a tool that ended, whichever server it was made on.
    fn latest_anywhere(self, tool: &str) -> Option<&'a Call> {
        self.projection
            .tools()
            .calls()
            .iter()
            .rev()
            .find(|call| &*call.tool == tool && call.outcome.is_some() && self.counts(call.started))
    }

    /// How a check stands that has no call of these tools to go by.
    fn uncalled(self, tools: &[String]) -> Status {
        if tools
            .iter()
            .any(|tool| self.latest_anywhere(tool).is_some())
        {
            return Status::pending(A_NEW_CALL);
        }
        Status::pending(format!("a call of {}", tools.join(" or ")))
    }

    /// Whether a hop's request carried a token; unknown when nobody saw its headers.
    fn carried_token(self, hop: &Hop) -> Option<bool> {
        match self.projection.log().event(hop.evidence.sent?)?.fact {
            Fact::HopSent { headers, .. } => Some(
                headers
                    .iter()
                    .any(|(name, _)| name.eq_ignore_ascii_case("authorization")),
            ),
            _ => None,
        }
    }

    /// The MCP server's own names: what it is reached at, and what it calls itself.
    fn is_server(self, identifier: &str) -> bool {
        let projection = self.projection;
        let names = [
            projection.target().map(|target| target.server.as_str()),
            projection.lab().map(|lab| lab.server.as_str()),
            projection
                .identity()
                .discovery
                .resource
                .as_ref()
                .map(|document| &*document.subject),
        ];
        !identifier.is_empty() && names.into_iter().flatten().any(|name| name == identifier)
    }

    /// Which service a row is about.
    fn service(self, row: &AuditRow) -> Option<Service> {
        let named_mcp = row
            .resource
            .as_deref()
            .is_some_and(|name| name.split_whitespace().any(|word| word == "MCP"));
        if named_mcp || self.is_server(row.resource_identifier.as_deref().unwrap_or("")) {
            return Some(Service::McpServer);
        }
        self.projection.service_of(row).map(Service::from)
    }

    /// What to say of something that only the zone's log or its console tells, and that was not
    /// told: it may come yet, or a person has to look where hoptrail cannot.
    fn untold(self, place: ConsolePlace, what: &str) -> Status {
        match self.projection.target() {
            Some(target) if !target.tells_of_the_zone() => {
                let place = place.name();
                Status::not_observable(if target.lab {
                    format!(
                        "the {place} of the lab's zone, which hoptrail reads itself with the lab's \
                         --state: {what}"
                    )
                } else {
                    format!("the {place} of your zone, in the Keycard console: {what}")
                })
            }
            Some(_) | None => Status::pending(what),
        }
    }

    /// Whether the zone's log is read in this run.
    fn hears_the_zone(self) -> bool {
        let target = self.projection.target();
        target.is_none_or(Target::tells_of_the_zone)
    }
}

/// Where a person finds in the zone's console what a check looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConsolePlace {
    AuditLog,
    PolicySets,
    Sessions,
}

impl ConsolePlace {
    const fn name(self) -> &'static str {
        match self {
            Self::AuditLog => "Audit Log",
            Self::PolicySets => "Policy Sets",
            Self::Sessions => "Sessions",
        }
    }
}

/// A failure counts most, then what is open, then what cannot be seen.
fn all(statuses: impl Iterator<Item = Status>) -> Status {
    let mut seen = Vec::new();
    let mut pending = None;
    let mut hidden = None;
    for status in statuses {
        match status {
            Status::Failed { .. } => return status,
            Status::Pending { .. } => pending = pending.or(Some(status)),
            Status::NotObservable { .. } => hidden = hidden.or(Some(status)),
            Status::Passed { evidence } => {
                for one in evidence {
                    if !seen.contains(&one) {
                        seen.push(one);
                    }
                }
            }
        }
    }
    pending
        .or(hidden)
        .unwrap_or(Status::Passed { evidence: seen })
}

/// One is enough; what is open counts before what cannot be seen, and that before a failure.
fn any(statuses: impl Iterator<Item = Status>) -> Status {
    let mut pending = None;
    let mut hidden = None;
    let mut failed = None;
    for status in statuses {
        match status {
            Status::Passed { .. } => return status,
            Status::Pending { .. } => pending = pending.or(Some(status)),
            Status::NotObservable { .. } => hidden = hidden.or(Some(status)),
            Status::Failed { .. } => failed = failed.or(Some(status)),
        }
    }
    pending
        .or(hidden)
        .or(failed)
        .unwrap_or_else(|| Status::failed("nothing would do"))
}
