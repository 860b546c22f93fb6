//! How the issue looks that was filed last, beside the ticket that it was made of.

use super::{A_NEW_CALL, Seen, Status, calls::WORK_FIRST};
use crate::{
    chapters::{
        evidence::Evidence,
        expect::{Author, IssueLooks, IssuePlace, Service, ToolCall},
        personal,
    },
    projection::{
        HopId, HopKind, Seq,
        issue::{IssueView, Whereabouts},
    },
    protocol::{
        audit::AuditStatus,
        observed::{CallId, Issue},
        tickets::{ESCALATE_TICKET, EntityKind},
    },
    trace::event::{CallOutcome, Leg},
};

impl<'a> Seen<'a> {
    pub(super) fn issue(self, looks: &IssueLooks) -> Status {
        let view = self.latest_issue();
        if let Some(failed) = self.failed_since(view.map(|view| view.evidence)) {
            return failed;
        }
        let Some(view) = view else {
            return self.unfiled();
        };
        let evidence = || [Evidence::Event(view.evidence)];
        if let Some(place) = looks.whereabouts {
            let there = match (place, view.whereabouts) {
                (IssuePlace::There, Whereabouts::There)
                | (IssuePlace::Trashed, Whereabouts::Trashed) => Status::passed(evidence()),
                (IssuePlace::There, Whereabouts::Trashed) => {
                    Status::failed(format!("{} is in the trash", view.identifier))
                }
                (IssuePlace::Trashed, Whereabouts::There) => {
                    Status::failed(format!("{} is still in its place", view.identifier))
                }
                (_, Whereabouts::Filed) => unseen(view),
            };
            if !matches!(there, Status::Passed { .. }) {
                return there;
            }
        }
        let only_whereabouts = IssueLooks {
            whereabouts: looks.whereabouts,
            ..IssueLooks::default()
        };
        if *looks == only_whereabouts {
            return Status::passed(evidence());
        }
        if view.seen.is_none() {
            return unseen(view);
        }
        let Some(issue) = &view.issue(self.projection.log()) else {
            return Status::pending(format!(
                "{}, which cannot be read any more",
                view.identifier
            ));
        };
        let parts = [
            self.personal(looks, view, issue),
            written(looks, issue),
            self.titled(looks, view, issue),
            looks.author.map_or_else(
                || Status::passed([]),
                |author| self.author(author, view, issue),
            ),
            Status::passed(evidence()),
        ];
        super::all(parts.into_iter())
    }

    /// The issue that was filed last by an escalation that counts. One of an earlier run, or of somebody
    /// else, lies in the same Linear and says nothing of the server as it is now.
    fn latest_issue(self) -> Option<&'a IssueView> {
        let issues = self.projection.issues();
        let is_ours = |view: &&IssueView| {
            let maker = view.call.and_then(|id| self.projection.tools().call(id));
            let filed = maker.map(|call| call.started).or(view.told);
            filed.is_some_and(|filed| self.counts(filed) && self.is_of_this_server(filed))
        };
        let latest = issues.latest().filter(is_ours);
        latest.or_else(|| issues.issues().iter().rev().find(is_ours))
    }

    /// How a check stands for which no issue was filed.
    fn unfiled(self) -> Status {
        if self.latest(ESCALATE_TICKET).is_none() && self.latest_anywhere(ESCALATE_TICKET).is_some()
        {
            return Status::pending(A_NEW_CALL);
        }
        Status::pending("an escalation that files an issue")
    }

    /// How the last escalation failed, when nothing was filed after it: an older issue says nothing of
    /// the server as it is now.
    fn failed_since(self, issue: Option<Seq>) -> Option<Status> {
        let finished = self.latest(ESCALATE_TICKET)?.finished;
        let status = self.tool_call(&ToolCall {
            name: ESCALATE_TICKET.to_owned(),
            outcome: CallOutcome::Succeeded,
            token: None,
        });
        match status {
            Status::Failed { because, .. } if issue <= finished => Some(Status::Failed {
                because,
                fix: WORK_FIRST.to_owned(),
            }),
            _ => None,
        }
    }

    /// Compares with the ticket word for word; names what stands there, never the value.
    fn personal(self, looks: &IssueLooks, view: &IssueView, issue: &Issue) -> Status {
        if looks.carries.is_empty() && looks.hides.is_empty() {
            return Status::passed([]);
        }
        let ticket = view
            .ticket
            .and_then(|id| self.projection.issues().ticket(id));
        let Some(ticket) = ticket else {
            return Status::pending("the list of tickets, to compare the issue with");
        };
        let text = format!("{}\n{}", issue.title, issue.description);
        let stands = |kind| {
            personal::of(ticket, kind)
                .iter()
                .any(|value| personal::stands_in(&text, kind, value))
        };
        if let Some(kind) = looks.carries.iter().find(|kind| !stands(**kind)) {
            return Status::failed(format!(
                "the customer's {} is not in {}",
                personal::words(*kind),
                view.identifier
            ));
        }
        let hides = |kind: &EntityKind| {
            stands(*kind) || (*kind == EntityKind::Credential && personal::has_key(&text))
        };
        if let Some(kind) = looks.hides.iter().find(|kind| hides(kind)) {
            return Status::failed(format!(
                "the customer's {} stands in {}",
                personal::words(*kind),
                view.identifier
            ));
        }
        Status::passed([])
    }

    /// Compares the title with the ticket's subject.
    fn titled(self, looks: &IssueLooks, view: &IssueView, issue: &Issue) -> Status {
        if !looks.titled_anew {
            return Status::passed([]);
        }
        let ticket = view.ticket;
        let Some(ticket) = ticket.and_then(|id| self.projection.issues().ticket(id)) else {
            return Status::pending("the list of tickets, to compare the issue with");
        };
        let head = looks.title_begins.as_deref().unwrap_or_default();
        let title = issue.title.strip_prefix(head).unwrap_or(&issue.title);
        if title.trim() == ticket.subject.trim() {
            return Status::failed(format!(
                "the title of {} is the ticket's subject, word for word",
                view.identifier
            ));
        }
        Status::passed([])
    }

    /// The request of a call, if it carried no token.
    fn anonymous(self, call: CallId) -> Option<HopId> {
        let hops = self.projection.hops();
        let mut requests = hops.of_call(call).iter().filter_map(|id| hops.get(*id));
        let request =
            requests.find(|hop| hop.kind == HopKind::Request && hop.leg == Some(Leg::Mcp))?;
        (self.carried_token(request) == Some(false)).then_some(request.id)
    }

    fn author(self, author: Author, view: &IssueView, issue: &Issue) -> Status {
        let Some(call) = view.call else {
            return Status::pending("an escalation that filed the issue");
        };
        let row = self.projection.audit().of_call(call).find(|row| {
            row.status == AuditStatus::Issued && self.service(row) == Some(Service::Linear)
        });
        let call_of = self.projection.tools().call(call);
        let is_untold =
            !self.hears_the_zone() || call_of.is_some_and(|call| self.is_nameless_since(call));
        match (author, row) {
            (Author::KeyOwner, None) => match self.anonymous(call) {
                // Without a token there was nothing to exchange, whatever the zone would tell.
                Some(hop) => Status::passed([Evidence::Hop(hop)]),
                None if is_untold => by_whom(view, "whoever made the one Linear key"),
                None => Status::passed([]),
            },
            (Author::You, None) if is_untold => by_whom(view, "you"),
            (Author::KeyOwner, Some(_)) => {
                Status::failed("the issue was filed with a credential of your own")
            }
            (Author::You, None) => Status::failed(
                "the zone issued no Linear credential for the escalation that filed the issue",
            ),
            (Author::You, Some(row)) => {
                let hops = self.projection.hops();
                let acted_as = hops
                    .of_call(call)
                    .iter()
                    .rev()
                    .filter_map(|id| hops.get(*id))
                    .find_map(|hop| hop.acted_as.clone());
                let Some(user) = self.projection.identity().user() else {
                    return Status::pending("you to sign in");
                };
                if row.user.as_ref().is_some_and(|name| *name != user.name) {
                    return Status::failed("the credential was issued for somebody else");
                }
                match acted_as {
                    Some(name) if *name != *crate::support::text::one_line(&issue.author) => {
                        Status::failed(format!("{} is by somebody else", view.identifier))
                    }
                    _ => Status::passed([Evidence::Row(row.id)]),
                }
            }
        }
    }
}

/// Whose credential filed the issue is not told here.
fn by_whom(view: &IssueView, whom: &str) -> Status {
    Status::not_observable(format!(
        "the author of {} in Linear: it must be {whom}",
        view.identifier
    ))
}

/// Nobody showed the issue: the real Linear does not.
fn unseen(view: &IssueView) -> Status {
    if view.url.is_empty() {
        return Status::pending("a look at the issue");
    }
    Status::not_observable(format!("{} at {}", view.identifier, view.url))
}

/// What stands in the issue, apart from personal data.
fn written(looks: &IssueLooks, issue: &Issue) -> Status {
    let name = &issue.identifier;
    if let Some(head) = &looks.title_begins
        && !issue.title.starts_with(head.as_str())
    {
        return Status::failed(format!("the title of {name} does not begin with {head}"));
    }
    let lacking = looks
        .contains
        .iter()
        .find(|words| !issue.description.contains(*words) && !issue.title.contains(*words));
    if let Some(words) = lacking {
        return Status::failed(format!("{name} does not say “{words}”"));
    }
    if looks.placeholders && !personal::has_placeholder(&issue.description) {
        return Status::failed(format!("{name} has no placeholder such as [CREDIT_CARD_1]"));
    }
    if let Some((least, most)) = looks.labels
        && !(least..=most).contains(&issue.labels.len())
    {
        return Status::failed(format!(
            "{name} has {} labels and not {least} to {most}",
            issue.labels.len()
        ));
    }
    if let Some(priority) = looks.priority
        && issue.priority != priority
    {
        return Status::failed(format!(
            "the priority of {name} is {} and not {priority}",
            issue.priority
        ));
    }
    Status::passed([])
}
