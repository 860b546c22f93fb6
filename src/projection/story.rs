//! The seven steps that must hold, each with what was seen of it, and the verdict of a run.
//!
//! Put together on demand from the latest escalation and the latest delete that tells of the rule; it
//! keeps nothing.

mod course;
mod credential;

pub use self::course::{Turn, TurnKind};
use self::credential::{CREDENTIALS, by_whom, credential};

use super::{
    Projection,
    audit::AuditRow,
    identity::SignIn,
    issue::{IssueView, Whereabouts},
    log::Seq,
    tools::Call,
};
use crate::{
    protocol::{
        audit::{AuditEvent, AuditStatus},
        observed::Upstream,
        tickets::ESCALATE_TICKET,
    },
    trace::event::CallOutcome,
};

/// The policy that must refuse the delete.
pub const LIMIT_LINEAR_SCOPES: &str = "limit-linear-scopes";

/// The story as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    pub steps: [Step; 7],
    /// What became of the deletes when the policy was switched within the run, in order; empty where
    /// it was not.
    pub course: Vec<Turn>,
    problems: Vec<String>,
}

/// One step of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub title: &'static str,
    pub state: StepState,
    /// What was seen, or what is missing, in one sentence.
    pub detail: String,
    pub evidence: Option<Seq>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepState {
    /// Not yet.
    Waiting,
    Done,
    /// It happened, but not so.
    Wrong,
    /// It happened with the rule switched off, which tells nothing of the rule.
    NotJudged,
}

impl Story {
    /// Nothing, or every sentence that says what is missing or wrong.
    ///
    /// # Errors
    /// Unless an escalation was issued exactly its four credentials in order, a delete was refused
    /// `write` by [`LIMIT_LINEAR_SCOPES`], and the issue was seen and is not in the trash. What somebody
    /// did while the policy was switched so that the rule was off does not count.
    pub fn verdict(&self) -> Result<(), Vec<String>> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(self.problems.clone())
        }
    }

    /// Whether it went as it should as far as it was seen, and something of it was not: a trace of a
    /// part of the story is not wrong.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        let is = |state| self.steps.iter().any(|step| step.state == state);
        !is(StepState::Wrong) && (is(StepState::Waiting) || is(StepState::NotJudged))
    }

    /// How many steps are done.
    #[must_use]
    pub fn done(&self) -> usize {
        let done = |step: &&Step| step.state == StepState::Done;
        self.steps.iter().filter(done).count()
    }

    /// The first step that is not done.
    #[must_use]
    pub fn next(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.state != StepState::Done)
    }

    pub(super) fn of(projection: &Projection) -> Self {
        let escalation = projection.tools().latest(ESCALATE_TICKET);
        let deletion = course::telling(projection);
        let issue = escalation
            .and_then(|call| call.id)
            .and_then(|id| projection.issues().of_call(id));
        let mut problems = Vec::new();
        let rows = rows_of(projection, escalation);
        let four: [Step; 4] =
            std::array::from_fn(|place| credential(projection, escalation, &rows, place));
        let issued = rows
            .iter()
            .filter(|row| row.status == AuditStatus::Issued)
            .count();
        let signed_in = signed_in(projection);
        if matches!(projection.identity().state, SignIn::Refused(_)) {
            problems.push(signed_in.detail.clone());
        }
        if escalation.is_none() {
            problems.push("no ticket was escalated".to_owned());
        } else {
            problems.extend(
                four.iter()
                    .filter(|step| step.state != StepState::Done)
                    .map(|step| step.detail.clone()),
            );
            if issued > CREDENTIALS.len() {
                problems.push(format!(
                    "the escalation was issued {issued} credentials instead of {}",
                    CREDENTIALS.len()
                ));
            }
        }
        let [supabase, anthropic, read, create] = four;
        let filed = filed(projection, create, issue);
        if escalation.is_some() && filed.state != StepState::Done && issue_missing(issue) {
            problems.push(filed.detail.clone());
        }
        let refused = refused(projection, deletion, issue);
        if refused.state != StepState::Done {
            problems.push(refused.detail.clone());
        }
        problems.dedup();
        Self {
            course: course::of(projection),
            steps: [
                signed_in,
                called(projection, escalation),
                supabase,
                anthropic,
                read,
                filed,
                refused,
            ],
            problems,
        }
    }
}

fn issue_missing(issue: Option<&IssueView>) -> bool {
    issue.is_none_or(|issue| issue.seen.is_none())
}

fn step(title: &'static str, state: StepState, detail: String, evidence: Option<Seq>) -> Step {
    Step {
        title,
        state,
        detail,
        evidence,
    }
}

/// The credential rows of a call in the zone's own order.
fn rows_of<'a>(projection: &'a Projection, call: Option<&Call>) -> Vec<&'a AuditRow> {
    let Some(id) = call.and_then(|call| call.id) else {
        return Vec::new();
    };
    let mut rows: Vec<_> = projection
        .audit()
        .of_call(id)
        .filter(|row| row.event == AuditEvent::CredentialsIssue)
        .collect();
    rows.sort_by_key(|row| row.sequence);
    rows
}

/// The row by which a delete asked for its `write` last.
fn write_of<'a>(projection: &'a Projection, call: &'a Call) -> Option<&'a AuditRow> {
    let rows = rows_of(projection, Some(call));
    rows.into_iter().rev().find(|row| {
        projection.service_of(row) == Some(Upstream::Linear)
            && row.scope.as_deref() == Some("write")
    })
}

fn signed_in(projection: &Projection) -> Step {
    let title = "You sign in";
    match projection.identity().user() {
        Some(user) => step(
            title,
            StepState::Done,
            format!("signed in as {}", user.name),
            Some(user.evidence),
        ),
        None => step(
            title,
            StepState::Waiting,
            match &projection.identity().state {
                SignIn::NotNeeded => "nobody has to: the server is open to anyone".into(),
                SignIn::Ended(_) => "the sign-in has ended".into(),
                SignIn::Refused(failure) => format!("nobody is signed in: {}", failure.why),
                SignIn::SignedOut
                | SignIn::SigningIn { .. }
                | SignIn::SignedIn(_)
                | SignIn::Cancelled => "nobody is signed in".into(),
            },
            None,
        ),
    }
}

fn called(projection: &Projection, call: Option<&Call>) -> Step {
    let title = "A ticket is escalated with your token";
    let nobody = matches!(projection.identity().state, SignIn::NotNeeded);
    match call {
        Some(call) if nobody => step(
            title,
            StepState::Wrong,
            format!("{}: it was called without a token", call.tool),
            Some(call.started),
        ),
        Some(call) => step(
            title,
            StepState::Done,
            format!(
                "{} was called for {}",
                call.tool,
                call.subject.as_deref().unwrap_or("a ticket")
            ),
            Some(call.started),
        ),
        None => step(
            title,
            StepState::Waiting,
            "no ticket was escalated".into(),
            None,
        ),
    }
}

/// Where the zone's log could not be read, nothing is known of what it holds.
fn log_not_read(projection: &Projection) -> Option<String> {
    let unread = !projection.is_log_read();
    unread.then(|| "not observed: the zone's audit log was not read".to_owned())
}

/// Step six: its credential, and the issue authored by the user's own account.
fn filed(projection: &Projection, credential: Step, issue: Option<&IssueView>) -> Step {
    let title = credential.title;
    if credential.state != StepState::Done {
        return match issue.filter(|view| view.author.is_some()) {
            Some(view) => Step {
                detail: format!("{} was filed: {}", view.identifier, credential.detail),
                ..credential
            },
            None => credential,
        };
    }
    let Some(view) = issue else {
        return step(
            title,
            StepState::Waiting,
            "the issue was not seen".into(),
            credential.evidence,
        );
    };
    let evidence = Some(view.evidence);
    let Some(author) = &view.author else {
        let detail = format!(
            "{} was filed, but nobody has seen it: Linear is the real one",
            view.identifier
        );
        return step(title, StepState::Waiting, detail, evidence);
    };
    let acted_as = view.call.and_then(|call| {
        projection
            .hops()
            .of_call(call)
            .iter()
            .rev()
            .filter_map(|id| projection.hops().get(*id))
            .find_map(|hop| hop.acted_as.clone())
    });
    match acted_as {
        Some(user) if user != *author => step(
            title,
            StepState::Wrong,
            format!("{} is by {author} and not by {user}", view.identifier),
            evidence,
        ),
        Some(_) | None => step(
            title,
            StepState::Done,
            format!("{} filed, authored by {author}", view.identifier),
            evidence,
        ),
    }
}

/// Step seven: `write` refused by the policy, and the issue still in its place.
fn refused(projection: &Projection, deletion: Option<&Call>, issue: Option<&IssueView>) -> Step {
    let title = "The delete is refused; the issue stays";
    let Some(call) = deletion else {
        return step(
            title,
            StepState::Waiting,
            "no delete was tried".into(),
            None,
        );
    };
    let Some(row) = write_of(projection, call) else {
        if let Some(detail) = log_not_read(projection) {
            return step(title, StepState::Waiting, detail, Some(call.started));
        }
        let over = call.outcome.is_some();
        let state = if over {
            StepState::Wrong
        } else {
            StepState::Waiting
        };
        let name = call
            .subject
            .as_deref()
            .and_then(|id| projection.issues().issue(id));
        let name = name.map_or("the issue", |issue| &*issue.identifier);
        let detail = if call.outcome == Some(CallOutcome::Succeeded) {
            format!("{name} was deleted, and the zone was not asked for write")
        } else {
            "the delete asked the zone for no Linear credential with write".to_owned()
        };
        return step(title, state, detail, Some(call.started));
    };
    let evidence = Some(row.evidence);
    if course::is_off(projection, row) {
        let detail = format!(
            "write was issued with {LIMIT_LINEAR_SCOPES} switched off; with it in force no delete was tried"
        );
        return step(title, StepState::NotJudged, detail, evidence);
    }
    if row.status == AuditStatus::Issued {
        let detail = "write was issued, so the delete went through".into();
        return step(title, StepState::Wrong, detail, evidence);
    }
    let by_policy = projection
        .determining(row)
        .iter()
        .any(|id| super::names::policy_name(id) == LIMIT_LINEAR_SCOPES);
    if !by_policy {
        let detail = format!(
            "write was refused{}, and not by {LIMIT_LINEAR_SCOPES}",
            by_whom(row)
        );
        return step(title, StepState::Wrong, detail, evidence);
    }
    let own = call.subject.as_deref();
    let own = own.and_then(|id| projection.issues().issue(id));
    let Some(view) = own.or(issue) else {
        let detail = "write was refused, but the issue was not seen".into();
        return step(title, StepState::Wrong, detail, evidence);
    };
    match view.whereabouts {
        Whereabouts::There => step(
            title,
            StepState::Done,
            format!(
                "write refused by {LIMIT_LINEAR_SCOPES}; {} is still there",
                view.identifier
            ),
            evidence,
        ),
        Whereabouts::Filed => step(
            title,
            StepState::Waiting,
            format!("write was refused, but nobody has seen {}", view.identifier),
            evidence,
        ),
        Whereabouts::Trashed if course::is_gone_otherwise(projection, call) => step(
            title,
            StepState::Done,
            format!(
                "write refused by {LIMIT_LINEAR_SCOPES}; {} went to the trash with it switched off",
                view.identifier
            ),
            evidence,
        ),
        Whereabouts::Trashed => step(
            title,
            StepState::Wrong,
            format!("{} is in the trash", view.identifier),
            Some(view.evidence),
        ),
    }
}
