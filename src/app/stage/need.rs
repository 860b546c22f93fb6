//! What a cue needs before and for its own job, as things stand.

use serde_json::json;

use crate::{
    app::{App, command::Command, effect::Job},
    config::sheet::{Action, Cue},
    projection::story::LIMIT_LINEAR_SCOPES,
    protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    support::error::{Exit, Failure},
};

/// How the rule shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    InForce,
    Lifted,
}

/// What a cue needs next.
pub(super) enum Need {
    /// Something before its own job, and what to say of it.
    First(Job, Option<&'static str>),
    Own(Job),
    /// Nothing: it is so already, or there is nothing to do.
    Nothing(Option<String>),
    /// It cannot be done as things stand.
    Cannot(String),
    /// It can never be done as the sheet has it.
    Wrong(Failure),
}

impl App {
    /// What the cue needs next, as things stand.
    pub(super) fn need(&mut self, cue: &Cue) -> Need {
        let user = self.projection.identity().user();
        match cue.action {
            Action::Talk => Need::Nothing(None),
            Action::SignIn => match user {
                Some(user) => Need::Nothing(Some(format!("already signed in as {}", user.name))),
                None => Need::Own(Job::SignIn),
            },
            Action::SignOut => match user {
                Some(_) => Need::Own(Job::SignOut),
                None => Need::Nothing(Some("nobody was signed in".to_owned())),
            },
            Action::PolicyOff => self.need_rule(Rule::Lifted),
            Action::PolicyOn => self.need_rule(Rule::InForce),
            Action::ListTickets | Action::Escalate | Action::Delete
                if !self.projection.identity().is_let_in() =>
            {
                let key = self.keymap.shown(Command::SignIn);
                Need::Cannot(format!("nobody is signed in: {key} signs in"))
            }
            Action::ListTickets => Need::Own(list_tickets()),
            Action::Escalate => self.need_ticket(cue.ticket),
            Action::Delete => match self.standing_issue() {
                Some(issue) => Need::Own(call(DELETE_ISSUE, json!({ "issueId": &*issue.id }))),
                None => match self.need_ticket(None) {
                    Need::Own(job) => {
                        Need::First(job, Some("no issue stands: one is escalated first"))
                    }
                    other => other,
                },
            },
        }
    }

    fn need_ticket(&mut self, ticket: Option<usize>) -> Need {
        if self.projection.issues().tickets().is_empty() {
            return Need::First(list_tickets(), None);
        }
        let count = self.projection.issues().tickets().len();
        match ticket {
            Some(place) if place >= count => return Need::Wrong(self.no_such_ticket(place, count)),
            Some(place) => self.panes.ticket = place,
            None => {}
        }
        match self.chosen_ticket() {
            Some(ticket) => Need::Own(call(ESCALATE_TICKET, json!({ "ticketId": ticket.id }))),
            None => Need::Cannot("there is no ticket".to_owned()),
        }
    }

    fn no_such_ticket(&self, place: usize, count: usize) -> Failure {
        let cue = self.stage.as_ref().and_then(|stage| stage.current());
        let cue = cue.map_or_else(String::new, |(number, cue)| {
            format!("Cue {number}, {}, escalated nothing", cue.title)
        });
        let key = self.keymap.shown(Command::NextCue);
        Failure::new(
            Exit::Usage,
            cue,
            format!("there is no ticket {}: the list has {count}", place + 1),
            format!(
                "write ticket = 1 to {count} into the sheet for the next time, or leave it out; \
                 {key} goes on with the next cue"
            ),
        )
    }

    fn need_rule(&self, wanted: Rule) -> Need {
        let policies = self.projection.policies();
        let Some(on) = policies.forbids(LIMIT_LINEAR_SCOPES) else {
            return Need::First(Job::RefreshConsole, None);
        };
        match (wanted, on) {
            (Rule::InForce, true) => Need::Nothing(Some("the rule is in force already".to_owned())),
            (Rule::Lifted, false) => Need::Nothing(Some("the rule is off already".to_owned())),
            (Rule::InForce, false) | (Rule::Lifted, true) => match self.other_policy_set() {
                Some(set) => Need::Own(Job::ActivatePolicySet {
                    set_id: set.id.clone(),
                    version: set.latest_version,
                }),
                None => Need::Cannot("the zone has only one policy set".to_owned()),
            },
        }
    }
}

fn call(tool: &str, arguments: serde_json::Value) -> Job {
    Job::CallTool {
        tool: tool.to_owned(),
        arguments,
    }
}

fn list_tickets() -> Job {
    call(GET_SUPPORT_TICKETS, json!({}))
}
