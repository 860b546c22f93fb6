//! The ticket as the customer wrote it beside the issue as Linear received it.
//!
//! Tickets and issues are paired by the escalation that made one of the other, never by text.
//! Bodies stay as they came: whoever shows them must make them harmless.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    Moment,
    log::Seq,
    names::{Name, Names},
    tools::Tools,
};
use crate::{
    protocol::{
        observed::{CallId, Issue},
        tickets::{
            DELETE_ISSUE, Deleted, DetectedEntity, ESCALATE_TICKET, Escalated, GET_SUPPORT_TICKETS,
            Ticket, Tickets,
        },
    },
    trace::event::Fact,
};

/// The issue pane's data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Issues {
    tickets: Vec<Ticket>,
    tickets_by_id: HashMap<Uuid, usize>,
    views: Vec<IssueView>,
    by_id: HashMap<Name, usize>,
    by_ticket: HashMap<Uuid, usize>,
    by_call: HashMap<CallId, usize>,
    latest: Option<usize>,
}

/// An issue as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueView {
    /// Linear's id.
    pub id: Name,
    /// `SUP-12`.
    pub identifier: Name,
    pub url: Name,
    /// The ticket that it was made of, where that was observed.
    pub ticket: Option<Uuid>,
    /// The escalation that made it.
    pub call: Option<CallId>,
    /// The issue itself, where a stand-in showed it; a real Linear shows nothing.
    pub seen: Option<Issue>,
    /// The text after masking, as the tool's result has it.
    pub masked_text: Option<String>,
    /// What was replaced, in the order of the tool's result.
    pub entities: Vec<DetectedEntity>,
    pub whereabouts: Whereabouts,
    /// The last event that told of it.
    pub evidence: Seq,
}

/// Where an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whereabouts {
    /// The tool said that it was filed; nobody has shown it.
    Filed,
    /// It was seen in its place.
    There,
    /// In the trash, from where it can be restored.
    Trashed,
}

impl Issues {
    /// The tickets of the last list.
    #[must_use]
    pub fn tickets(&self) -> &[Ticket] {
        &self.tickets
    }

    #[must_use]
    pub fn ticket(&self, id: Uuid) -> Option<&Ticket> {
        self.tickets_by_id
            .get(&id)
            .and_then(|at| self.tickets.get(*at))
    }

    /// Every issue that was told of, in order of first mention.
    #[must_use]
    pub fn issues(&self) -> &[IssueView] {
        &self.views
    }

    #[must_use]
    pub fn issue(&self, id: &str) -> Option<&IssueView> {
        self.by_id.get(id).and_then(|at| self.views.get(*at))
    }

    /// The issue that an escalation of this ticket made last.
    #[must_use]
    pub fn of_ticket(&self, ticket: Uuid) -> Option<&IssueView> {
        self.by_ticket
            .get(&ticket)
            .and_then(|at| self.views.get(*at))
    }

    /// The issue that this escalation made.
    #[must_use]
    pub fn of_call(&self, call: CallId) -> Option<&IssueView> {
        self.by_call.get(&call).and_then(|at| self.views.get(*at))
    }

    /// The issue that was made last.
    #[must_use]
    pub fn latest(&self) -> Option<&IssueView> {
        self.latest.and_then(|at| self.views.get(at))
    }

    /// The ticket and the issue of the latest escalation, as far as each is known.
    #[must_use]
    pub fn pair(&self) -> (Option<&Ticket>, Option<&IssueView>) {
        let issue = self.latest();
        let ticket = issue
            .and_then(|issue| issue.ticket)
            .and_then(|id| self.ticket(id));
        (ticket, issue)
    }

    /// The place of an issue; a new one is the latest.
    fn at(&mut self, seq: Seq, id: &str, names: &mut Names) -> usize {
        let id = names.get(id);
        let next = self.views.len();
        let place = *self.by_id.entry(id.clone()).or_insert(next);
        if place == next {
            self.views.push(IssueView {
                id,
                identifier: names.get(""),
                url: names.get(""),
                ticket: None,
                call: None,
                seen: None,
                masked_text: None,
                entities: Vec::new(),
                whereabouts: Whereabouts::Filed,
                evidence: seq,
            });
            self.latest = Some(place);
        }
        place
    }

    /// Remembers which escalation made the issue, and so which ticket it is about.
    fn made_by(&mut self, place: usize, call: Option<CallId>, ticket: Option<Uuid>) {
        let Some(issue) = self.views.get_mut(place) else {
            return;
        };
        if let Some(call) = call {
            issue.call = Some(call);
            self.by_call.insert(call, place);
        }
        if let Some(ticket) = ticket {
            issue.ticket = Some(ticket);
            self.by_ticket.insert(ticket, place);
        }
    }

    pub(super) fn seen(&mut self, at: &Moment, issue: &Issue, tools: &Tools, names: &mut Names) {
        let place = self.at(at.seq, &issue.id, names);
        let call = issue.trace_parent.map(|parent| parent.trace).or(at.call);
        let maker = call
            .and_then(|call| tools.call(call))
            .filter(|call| &*call.tool == ESCALATE_TICKET);
        if let Some(maker) = maker {
            self.made_by(place, call, maker.ticket);
        }
        let view = &mut self.views[place];
        view.identifier = names.get(&issue.identifier);
        view.url = names.get(&issue.url);
        view.whereabouts = if issue.trashed {
            Whereabouts::Trashed
        } else {
            Whereabouts::There
        };
        view.evidence = at.seq;
        view.seen = Some(issue.clone());
    }

    /// Reads the results of the server's three tools; a result of another shape tells nothing.
    pub(super) fn finished(&mut self, at: &Moment, fact: &Fact, names: &mut Names) {
        let Fact::ToolCallFinished {
            tool,
            structured: Some(structured),
            ..
        } = fact
        else {
            return;
        };
        match tool.as_str() {
            GET_SUPPORT_TICKETS => {
                if let Ok(Tickets { tickets }) = serde::Deserialize::deserialize(structured) {
                    self.list(tickets);
                }
            }
            ESCALATE_TICKET => {
                if let Ok(result) = <Escalated as serde::Deserialize>::deserialize(structured) {
                    let place = self.at(at.seq, &result.issue_id, names);
                    self.made_by(place, at.call, Some(result.ticket_id));
                    let view = &mut self.views[place];
                    view.identifier = names.get(&result.identifier);
                    view.url = names.get(&result.url);
                    view.masked_text = result.masked_text;
                    view.entities = result.detected_entities.unwrap_or_default();
                    view.evidence = at.seq;
                    self.latest = Some(place);
                }
            }
            DELETE_ISSUE => {
                let deleted = <Deleted as serde::Deserialize>::deserialize(structured).ok();
                if let Some(deleted) = deleted.filter(|deleted| deleted.success)
                    && let Some(place) = self.by_id.get(deleted.issue_id.as_str())
                    && let Some(view) = self.views.get_mut(*place)
                {
                    view.whereabouts = Whereabouts::Trashed;
                    view.evidence = at.seq;
                }
            }
            _ => {}
        }
    }

    /// One ticket asked for by id is added; a whole list takes the place of the last.
    fn list(&mut self, tickets: Vec<Ticket>) {
        if let [one] = tickets.as_slice()
            && let Some(place) = self.tickets_by_id.get(&one.id)
        {
            self.tickets[*place] = one.clone();
            return;
        }
        self.tickets_by_id = tickets.iter().enumerate().map(|(n, t)| (t.id, n)).collect();
        self.tickets = tickets;
    }
}
