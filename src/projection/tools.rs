//! What the server offers, and every tool call with how it went.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Moment,
    index::{Index, KeyMap},
    log::Seq,
    names::{Name, Names},
    rows::Rows,
};
use crate::{
    protocol::observed::CallId,
    trace::event::{CallOutcome, Fact, ToolView},
};

/// More tools than a server offers; a hostile trace may name any number.
const MOST_TOOLS: usize = 256;
/// More calls than a feed is ever behind.
const LATEST: usize = 16;

/// The tools and the calls, in the order in which the calls began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tools {
    offered: Arc<Vec<ToolView>>,
    server: Option<ServerInfo>,
    calls: Rows<Call>,
    by_id: Index<CallId, u32>,
    latest: KeyMap<Name, u32>,
    /// The call without an id that is under way, if one is.
    nameless: Option<u32>,
}

/// The MCP server as it introduced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    pub name: Name,
    pub version: Name,
    pub protocol: Name,
    pub evidence: Seq,
}

/// One tool call. Arguments and the whole result are in the log, at `started` and `finished`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Absent when the client gave the call no trace.
    pub id: Option<CallId>,
    pub tool: Name,
    /// `ticketId` or `issueId`, whichever it was called with.
    pub subject: Option<Name>,
    /// `ticketId` as an id.
    pub ticket: Option<Uuid>,
    /// Microseconds of the run.
    pub started_us: u64,
    /// Absent while it runs.
    pub duration_us: Option<u64>,
    /// Absent while it runs.
    pub outcome: Option<CallOutcome>,
    /// The beginning of the result's text or of the error, on one line.
    pub text: Option<Name>,
    pub progress: Option<Progress>,
    /// Credentials that the zone issued within the call, as its audit log tells.
    pub issued: u32,
    /// Credentials that the zone refused within the call, as its audit log tells.
    pub refused: u32,
    pub started: Seq,
    pub finished: Option<Seq>,
}

/// The last progress that the server reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub message: Option<Name>,
    pub progress: f64,
    pub total: Option<f64>,
}

impl Tools {
    /// `tools/list`, as answered last.
    #[must_use]
    pub fn offered(&self) -> &[ToolView] {
        &self.offered
    }

    /// The server that answered, once connected.
    #[must_use]
    pub const fn server(&self) -> Option<&ServerInfo> {
        self.server.as_ref()
    }

    /// All calls, in the order in which they began.
    #[must_use]
    pub const fn calls(&self) -> &Rows<Call> {
        &self.calls
    }

    /// Where in [`Self::calls`] the call with this id is.
    #[must_use]
    pub fn place(&self, id: CallId) -> Option<usize> {
        self.by_id.get(&id).map(|at| at as usize)
    }

    /// The call with this id.
    #[must_use]
    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.by_id
            .get(&id)
            .and_then(|at| self.calls.get(at as usize))
    }

    /// The latest call of a tool.
    #[must_use]
    pub fn latest(&self, tool: &str) -> Option<&Call> {
        self.latest
            .get(tool)
            .and_then(|at| self.calls.get(*at as usize))
    }

    /// The call that is under way; of several, the one that began last.
    #[must_use]
    pub fn running(&self) -> Option<&Call> {
        let mut latest = self.calls.iter().rev().take(LATEST);
        latest.find(|call| call.outcome.is_none())
    }

    /// The call that was under way at a moment of the run, in microseconds, if it was the only one.
    pub(super) fn only_one_at(&self, at_us: u64) -> Option<CallId> {
        let then = |call: &&Call| {
            let ended = call
                .duration_us
                .map(|took| call.started_us.saturating_add(took));
            call.started_us <= at_us && ended.is_none_or(|ended| at_us <= ended)
        };
        // What is told of late was done by one of the last calls.
        let mut under_way = self.calls.iter().rev().take(LATEST).filter(then);
        let one = under_way.next()?;
        under_way.next().is_none().then_some(one.id).flatten()
    }

    /// The call with this id; without one, the call without an id that is under way.
    pub(super) fn told_of(&self, id: Option<CallId>) -> Option<&Call> {
        self.calls.get(self.place_of(id)? as usize)
    }

    fn place_of(&self, id: Option<CallId>) -> Option<u32> {
        match id {
            Some(id) => self.by_id.get(&id),
            None => self.nameless,
        }
    }

    fn at_mut(&mut self, id: Option<CallId>) -> Option<&mut Call> {
        self.calls.get_mut(self.place_of(id)? as usize)
    }

    pub(super) fn count_credential(&mut self, id: CallId, issued: bool) {
        if let Some(call) = self.at_mut(Some(id)) {
            let counter = if issued {
                &mut call.issued
            } else {
                &mut call.refused
            };
            *counter = counter.saturating_add(1);
        }
    }

    pub(super) fn apply(&mut self, at: &Moment, fact: &Fact, names: &Names) {
        match fact {
            Fact::ServerConnected {
                name,
                version,
                protocol,
            } => {
                self.server = Some(ServerInfo {
                    name: names.get(name),
                    version: names.get(version),
                    protocol: names.get(protocol),
                    evidence: at.seq,
                });
            }
            // Mostly they are what they were, and looking is quicker than copying.
            Fact::ToolsListed { tools } if *self.offered == *tools => {}
            Fact::ToolsListed { tools } => self.offered = Arc::new(tools.clone()),
            Fact::ToolCallStarted { tool, arguments } => {
                let text = |key: &str| arguments.get(key).and_then(serde_json::Value::as_str);
                let call = Call {
                    id: at.call,
                    tool: names.get(tool),
                    subject: names.maybe(text("ticketId").or_else(|| text("issueId"))),
                    ticket: text("ticketId").and_then(|id| Uuid::parse_str(id).ok()),
                    started_us: at.at_us,
                    duration_us: None,
                    outcome: None,
                    text: None,
                    progress: None,
                    issued: 0,
                    refused: 0,
                    started: at.seq,
                    finished: None,
                };
                let place = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
                match at.call {
                    Some(id) => self.by_id.note(id, place),
                    None => self.nameless = Some(place),
                }
                if self.latest.len() < MOST_TOOLS || self.latest.contains_key(&call.tool) {
                    self.latest.insert(call.tool.clone(), place);
                }
                self.calls.push(call);
            }
            Fact::ProgressReported {
                message,
                progress,
                total,
            } => {
                let message = names.maybe(message.as_deref());
                if let Some(call) = self.at_mut(at.call) {
                    call.progress = Some(Progress {
                        message,
                        progress: *progress,
                        total: *total,
                    });
                }
            }
            Fact::ToolCallFinished {
                outcome,
                text,
                duration_us,
                ..
            } => {
                let text = names.maybe(Some(text));
                if let Some(call) = self.at_mut(at.call) {
                    call.outcome = Some(*outcome);
                    call.duration_us = Some(*duration_us);
                    call.text = text;
                    call.finished = Some(at.seq);
                }
                if at.call.is_none() {
                    self.nameless = None;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        projection::Projection,
        protocol::traceparent::TraceId,
        trace::{Actor, TraceEvent},
    };

    fn told(seen: &mut Projection, id: u128, fact: Fact) {
        seen.apply(&TraceEvent {
            seq: seen.log().len() as u64,
            at_us: 0,
            span: None,
            call: Some(TraceId(id)),
            actor: Actor::Client,
            fact,
        });
    }

    fn begins(seen: &mut Projection, id: u128) {
        let fact = Fact::ToolCallStarted {
            tool: "a_tool".to_owned(),
            arguments: json!({}),
        };
        told(seen, id, fact);
    }

    fn ends(seen: &mut Projection, id: u128) {
        let fact = Fact::ToolCallFinished {
            tool: "a_tool".to_owned(),
            outcome: CallOutcome::Succeeded,
            text: String::new(),
            structured: None,
            duration_us: 1,
        };
        told(seen, id, fact);
    }

    #[test]
    fn a_call_is_under_way_until_it_ends_whichever_ends_first() {
        let mut seen = Projection::default();
        let running = |seen: &Projection| seen.tools().running().and_then(|call| call.id);
        begins(&mut seen, 1);
        begins(&mut seen, 2);
        assert_eq!(running(&seen), Some(TraceId(2)));
        ends(&mut seen, 2);
        assert_eq!(running(&seen), Some(TraceId(1)));
        ends(&mut seen, 1);
        assert_eq!(running(&seen), None);
    }
}
