//! The ticket as the customer wrote it beside the issue as Linear received it.
//!
//! Tickets and issues are paired by the escalation that made one of the other, never by text.
//! Bodies stay as they came: whoever shows them must make them harmless.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Moment,
    index::{Index, KeyMap},
    log::Seq,
    names::{Name, Names},
    rows::Rows,
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
    tickets: Arc<TicketList>,
    /// Each in a place of its own: the texts of its neighbours need not be copied with it.
    views: Rows<Arc<IssueView>>,
    by_id: Index<Name, u32>,
    by_ticket: Index<Uuid, u32>,
    by_call: Index<CallId, u32>,
    latest: Option<u32>,
    /// Bytes of the documents that the views hold.
    documents: usize,
    /// The views before this one gave their documents away.
    bare: u32,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct TicketList {
    tickets: Vec<Ticket>,
    by_id: KeyMap<Uuid, usize>,
}

/// Bytes of issues' texts that are kept; above it the oldest issues keep their names only.
const ROOM: usize = 256 * 1024 * 1024;

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
    /// The tickets of the last whole list, and those that were asked for by id since.
    #[must_use]
    pub fn tickets(&self) -> &[Ticket] {
        &self.tickets.tickets
    }

    #[must_use]
    pub fn ticket(&self, id: Uuid) -> Option<&Ticket> {
        let list = &self.tickets;
        list.by_id.get(&id).and_then(|at| list.tickets.get(*at))
    }

    /// Every issue that was told of, in order of first mention.
    #[must_use]
    pub const fn issues(&self) -> &Rows<Arc<IssueView>> {
        &self.views
    }

    #[must_use]
    pub fn issue(&self, id: &str) -> Option<&IssueView> {
        self.view(self.by_id.get(&Name::from(id))?)
    }

    /// The issue that an escalation of this ticket made last.
    #[must_use]
    pub fn of_ticket(&self, ticket: Uuid) -> Option<&IssueView> {
        self.view(self.by_ticket.get(&ticket)?)
    }

    /// The issue that this escalation made.
    #[must_use]
    pub fn of_call(&self, call: CallId) -> Option<&IssueView> {
        self.view(self.by_call.get(&call)?)
    }

    /// The issue that was made last.
    #[must_use]
    pub fn latest(&self) -> Option<&IssueView> {
        self.view(self.latest?)
    }

    fn view(&self, place: u32) -> Option<&IssueView> {
        self.views.get(place as usize).map(Arc::as_ref)
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
    fn at(&mut self, seq: Seq, id: &str, names: &Names) -> u32 {
        let id = names.get(id);
        let next = u32::try_from(self.views.len()).unwrap_or(u32::MAX);
        let place = self.by_id.get(&id).unwrap_or(next);
        if place == next {
            self.by_id.note(id.clone(), place);
            self.views.push(Arc::new(IssueView {
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
            }));
            self.latest = Some(place);
        }
        place
    }

    /// Remembers which escalation made the issue, and so which ticket it is about.
    fn made_by(&mut self, place: u32, call: Option<CallId>, ticket: Option<Uuid>) {
        if let Some(call) = call {
            self.by_call.note(call, place);
        }
        if let Some(ticket) = ticket {
            self.by_ticket.note(ticket, place);
        }
        self.change(place, |issue| {
            issue.call = call.or(issue.call);
            issue.ticket = ticket.or(issue.ticket);
        });
    }

    pub(super) fn seen(&mut self, at: &Moment, issue: &Issue, tools: &Tools, names: &Names) {
        let place = self.at(at.seq, &issue.id, names);
        let call = issue.trace_parent.map(|parent| parent.trace).or(at.call);
        let maker = call
            .and_then(|call| tools.call(call))
            .filter(|call| &*call.tool == ESCALATE_TICKET);
        if let Some(maker) = maker {
            self.made_by(place, call, maker.ticket);
        }
        self.change(place, |view| {
            view.identifier = names.get(&issue.identifier);
            view.url = names.get(&issue.url);
            view.whereabouts = if issue.trashed {
                Whereabouts::Trashed
            } else {
                Whereabouts::There
            };
            view.evidence = at.seq;
            view.seen = Some(issue.clone());
        });
    }

    /// Reads the results of the server's three tools; a result of another shape tells nothing.
    pub(super) fn finished(&mut self, at: &Moment, fact: &Fact, tools: &Tools, names: &Names) {
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
                let call = tools.told_of(at.call);
                let one = call.is_some_and(|call| call.ticket.is_some());
                match structured.read() {
                    Some(Tickets { tickets }) if one => self.add(tickets),
                    Some(Tickets { tickets }) => self.list(tickets),
                    None => {}
                }
            }
            ESCALATE_TICKET => {
                if let Some(result) = structured.read::<Escalated>() {
                    let place = self.at(at.seq, &result.issue_id, names);
                    self.made_by(place, at.call, Some(result.ticket_id));
                    self.change(place, |view| {
                        view.identifier = names.get(&result.identifier);
                        view.url = names.get(&result.url);
                        view.masked_text = result.masked_text;
                        view.entities = result.detected_entities.unwrap_or_default();
                        view.evidence = at.seq;
                    });
                    self.latest = Some(place);
                }
            }
            DELETE_ISSUE => {
                let deleted = structured.read::<Deleted>();
                if let Some(deleted) = deleted.filter(|deleted| deleted.success)
                    && let Some(place) = self.by_id.get(&names.get(&deleted.issue_id))
                {
                    self.change(place, |view| {
                        view.whereabouts = Whereabouts::Trashed;
                        view.evidence = at.seq;
                    });
                }
            }
            _ => {}
        }
    }

    /// What was asked for by id stands beside what is known already.
    fn add(&mut self, tickets: Vec<Ticket>) {
        let TicketList {
            tickets: known,
            by_id,
        } = Arc::make_mut(&mut self.tickets);
        for ticket in tickets {
            match by_id.get(&ticket.id).and_then(|at| known.get_mut(*at)) {
                Some(before) => *before = ticket,
                None => {
                    by_id.insert(ticket.id, known.len());
                    known.push(ticket);
                }
            }
        }
    }

    /// A whole list takes the place of the last.
    fn list(&mut self, tickets: Vec<Ticket>) {
        self.tickets = Arc::new(TicketList {
            by_id: tickets.iter().enumerate().map(|(n, t)| (t.id, n)).collect(),
            tickets,
        });
    }

    /// Changes a view, and sees to it that all documents together stay within [`ROOM`].
    fn change(&mut self, place: u32, change: impl FnOnce(&mut IssueView)) {
        let Some(view) = self.views.get_mut(place as usize) else {
            return;
        };
        let before = view.documents();
        let view = Arc::make_mut(view);
        change(view);
        self.documents = (self.documents + view.documents()).saturating_sub(before);
        self.shed(ROOM);
    }

    /// Takes the documents of the oldest views until all the others fit into `room`.
    fn shed(&mut self, room: usize) {
        while self.documents > room && (self.bare as usize) < self.views.len() {
            if let Some(oldest) = self.views.get_mut(self.bare as usize) {
                self.documents = self.documents.saturating_sub(oldest.documents());
                let oldest = Arc::make_mut(oldest);
                oldest.seen = None;
                oldest.masked_text = None;
                oldest.entities = Vec::new();
            }
            self.bare += 1;
        }
    }
}

impl IssueView {
    /// Bytes of text beyond its names.
    fn documents(&self) -> usize {
        let seen = self.seen.as_ref().map_or(0, |issue| {
            issue.title.len()
                + issue.description.len()
                + issue.labels.iter().map(String::len).sum::<usize>()
        });
        let entities: usize = self
            .entities
            .iter()
            .map(|_| size_of::<DetectedEntity>())
            .sum();
        seen + self.masked_text.as_deref().map_or(0, str::len) + entities
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        projection::Projection,
        protocol::traceparent::TraceId,
        trace::{Actor, TraceEvent, event::CallOutcome},
    };

    /// A call that asked for this ticket or for all, and the tickets that came.
    fn asked(
        seen: &mut Projection,
        id: Option<CallId>,
        ticket: Option<u128>,
        came: &[(u128, &str)],
    ) {
        let ticket = ticket.map(Uuid::from_u128);
        let tickets: Vec<Value> = came
            .iter()
            .map(|(id, subject)| {
                json!({
                    "id": Uuid::from_u128(*id), "created_at": "2026-11-29T09:00:00Z",
                    "customer_name": "Ada", "email": "ada@lab.example", "phone": "1",
                    "plan_tier": "pro", "severity": "high", "status": "open",
                    "subject": subject, "body": "it is broken",
                })
            })
            .collect();
        let facts = [
            Fact::ToolCallStarted {
                tool: GET_SUPPORT_TICKETS.to_owned(),
                arguments: json!({ "ticketId": ticket }),
            },
            Fact::ToolCallFinished {
                tool: GET_SUPPORT_TICKETS.to_owned(),
                outcome: CallOutcome::Succeeded,
                text: String::new(),
                structured: Some((&json!({ "tickets": tickets })).into()),
                duration_us: 1,
            },
        ];
        for fact in facts {
            seen.apply(&TraceEvent {
                seq: seen.log().len() as u64,
                at_us: 0,
                span: None,
                call: id,
                actor: Actor::Client,
                fact,
            });
        }
    }

    fn known(seen: &Projection) -> Vec<&str> {
        let tickets = seen.issues().tickets().iter();
        tickets.map(|ticket| ticket.subject.as_str()).collect()
    }

    #[test]
    fn a_ticket_asked_for_by_id_is_added_and_a_whole_list_takes_the_place_of_the_last() {
        for id in [None, Some(TraceId(1))] {
            let mut seen = Projection::default();
            asked(&mut seen, id, None, &[(1, "a"), (2, "b")]);
            asked(&mut seen, id, Some(3), &[(3, "c")]);
            assert_eq!(known(&seen), ["a", "b", "c"], "one that was not known");
            asked(&mut seen, id, Some(1), &[(1, "a, told anew")]);
            assert_eq!(known(&seen), ["a, told anew", "b", "c"]);
            let ticket = seen.issues().ticket(Uuid::from_u128(3)).unwrap();
            assert_eq!(ticket.subject, "c");
            asked(&mut seen, id, None, &[(2, "b")]);
            assert_eq!(known(&seen), ["b"], "all that there are");
            assert_eq!(seen.issues().ticket(Uuid::from_u128(1)), None);
        }
    }

    #[test]
    fn texts_never_take_more_than_their_room_and_the_oldest_go_first() {
        let names = Names::default();
        let mut issues = Issues::default();
        for number in 0..100 {
            let place = issues.at(Seq::at(0), &format!("issue {number}"), &names);
            issues.change(place, |view| view.masked_text = Some("x".repeat(100)));
            issues.shed(1_000);
            assert!(issues.documents <= 1_000);
        }
        let held: usize = issues.views.iter().map(|view| view.documents()).sum();
        assert_eq!(held, issues.documents, "what is counted is what is held");
        let told = |number: usize| issues.views[number].masked_text.is_some();
        assert!(!told(0) && !told(89) && told(90) && told(99));
        assert_eq!(&*issues.views[0].id, "issue 0", "its name stays");
    }
}
