//! The ticket as the customer wrote it beside the issue as Linear received it.
//!
//! Tickets and issues are paired by the escalation that made one of the other, never by text.
//! Issues' texts stay in the log: checkpoints would keep them as often as they changed. Bodies are
//! as they came: whoever shows them must make them harmless.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Log, Moment,
    index::Index,
    log::Seq,
    names::{Name, Names},
    rows::Rows,
    tools::Tools,
};
use crate::{
    protocol::{
        observed::{CallId, Issue},
        tickets::{
            DELETE_ISSUE, Deleted, ESCALATE_TICKET, Escalated, GET_SUPPORT_TICKETS, Ticket, Tickets,
        },
    },
    trace::event::Fact,
};

/// The issue pane's data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Issues {
    tickets: Rows<Arc<Ticket>>,
    /// Where a ticket stood when it was told of last; another list may have another one there.
    places: Index<Uuid, u32>,
    views: Rows<IssueView>,
    by_id: Index<Name, u32>,
    by_ticket: Index<Uuid, u32>,
    by_call: Index<CallId, u32>,
    latest: Option<u32>,
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
    /// The event in which a stand-in showed it last; a real Linear shows nothing.
    pub seen: Option<Seq>,
    /// Whose it is, as it was seen.
    pub author: Option<Name>,
    /// The end of the escalation that made it.
    pub told: Option<Seq>,
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
    pub const fn tickets(&self) -> &Rows<Arc<Ticket>> {
        &self.tickets
    }

    #[must_use]
    pub fn ticket(&self, id: Uuid) -> Option<&Ticket> {
        let place = self.place_of(id)?;
        self.tickets.get(place as usize).map(Arc::as_ref)
    }

    /// Every issue that was told of, in order of first mention.
    #[must_use]
    pub const fn issues(&self) -> &Rows<IssueView> {
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
        self.views.get(place as usize)
    }

    /// Where a ticket stands among those that are known.
    fn place_of(&self, ticket: Uuid) -> Option<u32> {
        let is_there = |place: &u32| {
            let there = self.tickets.get(*place as usize);
            there.is_some_and(|there| there.id == ticket)
        };
        self.places.get(&ticket).filter(is_there)
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
            self.views.push(IssueView {
                id,
                identifier: names.get(""),
                url: names.get(""),
                ticket: None,
                call: None,
                seen: None,
                author: None,
                told: None,
                whereabouts: Whereabouts::Filed,
                evidence: seq,
            });
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
            view.seen = Some(at.seq);
            view.author = Some(names.get(&issue.author));
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
                        view.told = Some(at.seq);
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
        for ticket in tickets {
            let known = self.place_of(ticket.id);
            if let Some(before) = known.and_then(|place| self.tickets.get_mut(place as usize)) {
                *before = Arc::new(ticket);
            } else {
                self.note(ticket.id, self.tickets.len());
                self.tickets.push(Arc::new(ticket));
            }
        }
    }

    /// A whole list takes the place of the last. Mostly it is the same, and is shared then.
    fn list(&mut self, tickets: Vec<Ticket>) {
        if self.tickets.iter().map(Arc::as_ref).eq(&tickets) {
            return;
        }
        for (place, ticket) in tickets.iter().enumerate() {
            self.note(ticket.id, place);
        }
        self.tickets = tickets.into_iter().map(Arc::new).collect();
    }

    fn note(&mut self, ticket: Uuid, place: usize) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        if self.places.get(&ticket) != Some(place) {
            self.places.note(ticket, place);
        }
    }

    fn change(&mut self, place: u32, change: impl FnOnce(&mut IssueView)) {
        if let Some(view) = self.views.get_mut(place as usize) {
            change(view);
        }
    }
}

impl IssueView {
    /// The issue itself as it was seen last; `None` also where its event cannot be read any more.
    #[must_use]
    pub fn issue(&self, log: &Log) -> Option<Issue> {
        match log.event(self.seen?)?.fact {
            Fact::IssueSeen(issue) => Some(issue),
            _ => None,
        }
    }

    /// What the tool told when it had filed the issue.
    #[must_use]
    pub fn result(&self, log: &Log) -> Option<Escalated> {
        match log.event(self.told?)?.fact {
            Fact::ToolCallFinished { structured, .. } => structured?.read(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        projection::{Projection, Timeline},
        protocol::traceparent::TraceId,
        trace::{Actor, TraceEvent, codec, event::CallOutcome},
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
    fn an_issues_text_is_read_from_the_log_and_held_nowhere_else() {
        let issue = |description: &str| Issue {
            id: "1".to_owned(),
            identifier: "ENG-1".to_owned(),
            url: String::new(),
            title: "broken".to_owned(),
            description: description.to_owned(),
            author: "Ada".to_owned(),
            labels: Vec::new(),
            priority: 1,
            created_at: DateTime::UNIX_EPOCH,
            trashed: false,
            trace_parent: None,
        };
        let mut timeline = Timeline::open(None);
        for number in 0..2_000 {
            let event = TraceEvent {
                seq: number,
                at_us: number,
                span: None,
                call: None,
                actor: Actor::Linear,
                fact: Fact::IssueSeen(issue(&format!("a long text, version {number}"))),
            };
            timeline.push(&event, &codec::encode(&event));
        }
        for place in [1, 300, 1_999, 2_000] {
            let seen = timeline.at(place);
            let held = format!("{:?}", seen.issues());
            assert!(
                held.contains("ENG-1") && !held.contains("a long text"),
                "{held}"
            );
            let view = seen.issues().latest().unwrap();
            let text = view.issue(seen.log()).unwrap().description;
            assert_eq!(text, format!("a long text, version {}", place - 1));
        }
    }
}
