//! The story's order: what was done, and what to press next.

use super::{
    App,
    command::Command,
    player::{Growth, Pace},
};
use crate::{
    chapters::Stage,
    projection::{
        HopKind, Verdict,
        audit::AuditRow,
        issue::{IssueView, Whereabouts},
        story::LIMIT_LINEAR_SCOPES,
        tools::Call,
    },
    protocol::{audit::AuditStatus, console::Owner, observed::CallId, tickets::DELETE_ISSUE},
};

/// A step of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub command: Command,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What one will see.
    pub shows: &'static str,
    pub done: Done,
}

/// Whether a step was seen to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Yes,
    NotYet,
}

/// What to do next, and in what words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    pub command: Command,
    pub text: &'static str,
}

const fn done(yes: bool) -> Done {
    if yes { Done::Yes } else { Done::NotYet }
}

/// The steps, in order.
#[must_use]
pub fn steps(app: &App) -> [Step; 5] {
    let seen = app.projection();
    let stage = Stage::at_end_of(app.lab_chapter());
    [
        Step {
            command: Command::SignIn,
            title: "sign in",
            shows: if stage == Stage::Open {
                "not needed: this server asks nobody"
            } else {
                "your browser, your consent, one token"
            },
            done: done(seen.identity().is_let_in()),
        },
        Step {
            command: Command::ListTickets,
            title: "list the tickets",
            shows: "what the customers wrote",
            done: done(!seen.issues().tickets().is_empty()),
        },
        Step {
            command: Command::EscalateTicket,
            title: "escalate a ticket",
            shows: match stage {
                Stage::Open | Stage::Protected => "an issue, filed with the one key",
                Stage::Vault => "an issue, and one credential",
                Stage::Masked => "a masked issue, and two credentials",
                Stage::Delegated | Stage::Limited => "four credentials, each copy dropped",
            },
            done: done(made_here(app).is_some()),
        },
        Step {
            command: Command::DeleteIssue,
            title: "delete the issue",
            shows: if app.is_before_the_rule() {
                "goes through: there is no rule yet"
            } else if seen.policies().forbids(LIMIT_LINEAR_SCOPES) == Some(false) {
                "goes through: the rule is off"
            } else {
                "refused: its credential never exists"
            },
            done: done(seen.tools().latest(DELETE_ISSUE).is_some()),
        },
        Step {
            command: Command::TogglePolicy,
            title: "switch the policy",
            shows: if app.is_before_the_rule() {
                "not yet: there is no rule"
            } else {
                "the same call, with and without the rule"
            },
            done: done(!app.is_before_the_rule() && !seen.policies().activations().is_empty()),
        },
    ]
}

/// The latest issue, if this run made it: one of an earlier start is shown, but begins no story.
fn made_here(app: &App) -> Option<&IssueView> {
    let latest = app.projection().issues().latest()?;
    latest.call.is_some().then_some(latest)
}

/// Credentials of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Issuance {
    pub issued: usize,
    pub refused: usize,
    /// Of those issued, how many the server was seen to drop.
    pub dropped: usize,
}

/// Which credentials a call was given or refused, whoever told: the zone's log, which not every
/// run can read, or the server's own report.
#[must_use]
pub fn issuance(app: &App, call: &Call) -> Issuance {
    let hops = app.projection().hops();
    let mut told = Issuance::default();
    for id in hops.of_call(call.id) {
        let Some(hop) = hops.get(*id).filter(|hop| hop.kind == HopKind::Exchange) else {
            continue;
        };
        match hop.verdict {
            Verdict::Ok => told.issued += 1,
            Verdict::Denied => told.refused += 1,
            Verdict::Pending | Verdict::Held | Verdict::Failed => {}
        }
        told.dropped += usize::from(hop.discarded.is_some());
    }
    told.issued = told.issued.max(usize::try_from(call.issued).unwrap_or(0));
    told.refused = told.refused.max(usize::try_from(call.refused).unwrap_or(0));
    told
}

/// The row by which a credential of a call was refused. What the zone could not answer it has not
/// refused.
#[must_use]
pub fn refusal(app: &App, call: Option<CallId>) -> Option<&AuditRow> {
    let rows = app.projection().audit().of_call(call?);
    rows.into_iter()
        .rfind(|row| row.status == AuditStatus::Failure && !row.is_no_answer())
}

/// Whether a call failed because the zone gave no answer to an exchange: it was not reached, or broke.
#[must_use]
pub fn lacks_an_answer(app: &App, call: &Call) -> bool {
    let seen = app.projection();
    let mut exchanges = seen
        .hops()
        .of_call(call.id)
        .iter()
        .filter_map(|id| seen.hops().get(*id))
        .filter(|hop| hop.kind == HopKind::Exchange);
    refusal(app, call.id).is_none()
        && issuance(app, call).refused == 0
        && exchanges.any(|hop| hop.verdict == Verdict::Failed)
}

/// `4 issued, each copy dropped`, as far as it was seen.
#[must_use]
pub fn told_of_issuance(told: Issuance) -> String {
    match told {
        Issuance { issued: 0, .. } => "credentials not observed".to_owned(),
        Issuance {
            issued: 1,
            dropped: 1,
            ..
        } => "1 credential issued, its copy dropped".to_owned(),
        Issuance {
            issued, dropped, ..
        } if dropped >= issued => format!("{issued} credentials issued, each copy dropped"),
        Issuance {
            issued, dropped: 0, ..
        } => format!("{issued} credentials issued"),
        Issuance {
            issued, dropped, ..
        } => format!("{issued} credentials issued, {dropped} copies seen dropped"),
    }
}

/// What to do next.
#[must_use]
pub fn next(app: &App) -> Next {
    if let Some(player) = app.player() {
        let at_end = app.place() == player.timeline().len();
        if at_end && player.growth() == Growth::Followed {
            // It goes along by itself; playing would have nothing to play.
            return Next {
                command: Command::Start,
                text: "from the beginning",
            };
        }
        let text = match (player.pace(), player.growth()) {
            (Pace::Playing { .. }, _) => "pause",
            (Pace::Paused, Growth::Finished) if at_end => "play again",
            (Pace::Paused, Growth::Finished | Growth::Followed) => "play",
        };
        return Next {
            command: Command::Play,
            text,
        };
    }
    let of = |command, text| Next { command, text };
    if app.is_kept_waiting() {
        return of(Command::CancelTask, "call it off");
    }
    if let Some(next) = app.guide() {
        return next;
    }
    let seen = app.projection();
    if !seen.identity().is_let_in() {
        return of(Command::SignIn, "sign in");
    }
    if seen.issues().tickets().is_empty() {
        return of(Command::ListTickets, "list the tickets");
    }
    let standing = made_here(app).filter(|issue| issue.whereabouts != Whereabouts::Trashed);
    let guarded = seen
        .policies()
        .active()
        .is_none_or(|set| set.owner_type == Owner::Customer);
    let refused = seen.policies().last_denial().is_some();
    match (standing, guarded, refused) {
        (None, true | false, false) => of(Command::EscalateTicket, "escalate the chosen ticket"),
        (None, true, true) => of(Command::EscalateTicket, "escalate another, then delete it"),
        (None, false, true) => of(Command::TogglePolicy, "put the rule back in force"),
        (Some(_), true, false) => of(Command::DeleteIssue, "try to delete the issue"),
        (Some(_), false, false) => of(Command::TogglePolicy, "put the workshop's rule in force"),
        (Some(_), true, true) => of(Command::TogglePolicy, "lift the rule and try again"),
        (Some(_), false, true) => of(
            Command::DeleteIssue,
            "delete it, now that nothing forbids it",
        ),
    }
}
