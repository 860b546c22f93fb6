//! A fact in a word and in a line.

use crate::{
    projection::filter::status_word,
    protocol::audit::AuditStatus,
    protocol::observed::{StepAction, StepOutcome},
    support::text::{duration, number_of, one_line},
    trace::event::{CallOutcome, Fact},
    ui::look::Role,
};

/// What kind of fact it is, and the role of its colour.
#[must_use]
pub fn kind(fact: &Fact) -> (&'static str, Role) {
    match fact {
        Fact::RunStarted(_) => ("run started", Role::Text),
        Fact::LabStarted(_) => ("lab started", Role::Text),
        Fact::LabMoved { .. } => ("lab moved", Role::Text),
        Fact::SignInStarted { .. } => ("sign-in started", Role::Text),
        Fact::MetadataRead { .. } => ("metadata read", Role::Text),
        Fact::ClientRegistered { .. } => ("client registered", Role::Text),
        Fact::BrowserOpened { .. } => ("browser opened", Role::Text),
        Fact::CallbackReceived { error: None, .. } => ("callback received", Role::Text),
        Fact::CallbackReceived { error: Some(_), .. } => ("callback received", Role::Bad),
        Fact::TokenIssued { .. } => ("token issued", Role::Good),
        Fact::SignInRefused { .. } => ("sign-in refused", Role::Bad),
        Fact::SignInCancelled => ("sign-in cancelled", Role::Text),
        Fact::SignInNotNeeded => ("no sign-in needed", Role::Text),
        Fact::SignInEnded { .. } => ("sign-in ended", Role::Bad),
        Fact::SignedOut => ("signed out", Role::Text),
        Fact::HopSent { .. } => ("request sent", Role::Text),
        Fact::HopReturned { .. } => ("answer came", Role::Text),
        Fact::HopFailed { .. } => ("no answer came", Role::Bad),
        Fact::ServerConnected { .. } => ("server connected", Role::Text),
        Fact::ToolsListed { .. } => ("tools listed", Role::Text),
        Fact::ToolCallStarted { .. } => ("call started", Role::Text),
        Fact::StepReported(step) => (
            match step.action {
                StepAction::Exchanged => "token exchanged",
                StepAction::Used => "credential used",
                StepAction::Discarded => "credential discarded",
            },
            match step.outcome {
                StepOutcome::Succeeded => Role::Text,
                StepOutcome::Refused | StepOutcome::Failed => Role::Bad,
            },
        ),
        Fact::ProgressReported { .. } => ("progress reported", Role::Text),
        Fact::ToolCallFinished { outcome, .. } => (
            "call finished",
            match outcome {
                CallOutcome::Succeeded => Role::Good,
                CallOutcome::Failed | CallOutcome::Broken => Role::Bad,
                CallOutcome::Cancelled => Role::Text,
            },
        ),
        Fact::AuditRecorded(record) => (
            "audit recorded",
            match record.status {
                AuditStatus::Issued => Role::Good,
                AuditStatus::Failure => Role::Bad,
            },
        ),
        Fact::ExchangeHeld(_) => ("exchange held", Role::Warning),
        Fact::ExchangeReleased(_) => ("exchange let go", Role::Text),
        Fact::SessionsRead { .. } => ("sessions read", Role::Text),
        Fact::PolicyRead(_) => ("policy read", Role::Text),
        Fact::UpstreamAnswered(_) => ("upstream answered", Role::Text),
        Fact::IssueSeen(_) => ("issue seen", Role::Text),
        Fact::EnvRead { .. } => ("env read", Role::Text),
        Fact::FeedLost { .. } => ("feed lost", Role::Warning),
        Fact::FailureOccurred(_) => ("failure", Role::Bad),
        Fact::NoteWritten { .. } => ("note", Role::Text),
        Fact::MarkSet { .. } => ("mark", Role::Heading),
        Fact::CueBegan { .. } => ("cue began", Role::Heading),
        Fact::CueSkipped { .. } => ("cue skipped", Role::Text),
        Fact::Unknown(_) => ("unknown", Role::Warning),
    }
}

/// The rest of it, on one line, harmless.
#[must_use]
pub fn detail(fact: &Fact) -> String {
    let text = match fact {
        Fact::RunStarted(target) => format!("{} {}", target.name, target.server),
        Fact::LabStarted(lab) => format!("server {} · zone {}", lab.server, lab.zone),
        Fact::SignInStarted { server } => server.clone(),
        Fact::LabMoved { chapter } => format!("to the end of chapter {chapter}"),
        Fact::MetadataRead { url, .. } | Fact::BrowserOpened { url, .. } => url.clone(),
        Fact::ClientRegistered { client_id, issuer } => format!("{client_id} at {issuer}"),
        Fact::CallbackReceived { error, description } => match (error, description) {
            (Some(error), Some(description)) => format!("{error}: {description}"),
            (Some(error), None) => error.clone(),
            (None, _) => String::new(),
        },
        Fact::TokenIssued { token, scope, .. } => {
            format!("{} {}", token.fingerprint, scope.as_deref().unwrap_or(""))
        }
        Fact::SignInRefused { failure }
        | Fact::SignInEnded { failure }
        | Fact::FailureOccurred(failure) => {
            format!("{}: {}", failure.what, failure.why)
        }
        Fact::SignInNotNeeded => "the server is open to anyone".to_owned(),
        Fact::SignInCancelled | Fact::SignedOut => String::new(),
        Fact::HopSent {
            to, method, url, ..
        } => format!("{method} {} to {}", path(url), to.name()),
        Fact::HopReturned {
            status,
            duration_us,
            ..
        } => format!("{status} after {}", duration(*duration_us)),
        Fact::HopFailed { why, .. } => why.clone(),
        Fact::ServerConnected {
            name,
            version,
            protocol,
        } => format!("{name} {version}, protocol {protocol}"),
        Fact::ToolsListed { tools } => tools
            .iter()
            .take(20)
            .map(|tool| tool.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        Fact::ToolCallStarted { tool, arguments } => format!("{tool} {arguments}"),
        Fact::StepReported(step) => format!(
            "{} {} {}",
            step.upstream.name(),
            step.scope.as_deref().unwrap_or(""),
            duration(step.duration_us)
        ),
        Fact::ProgressReported { message, .. } => message.clone().unwrap_or_default(),
        Fact::ToolCallFinished { tool, text, .. } => format!("{tool}: {}", head(text)),
        Fact::AuditRecorded(record) => format!(
            "{} {} {} {}",
            status_word(record.status),
            record.event.as_str(),
            match (&record.resource, record.activated()) {
                (Some(resource), _) => resource.name.clone(),
                (None, Some(set)) => set.to_string(),
                (None, None) => String::new(),
            },
            record.scopes.join(" ")
        ),
        Fact::ExchangeHeld(held) => format!(
            "{} {}: would be {}",
            held.resource.as_ref().map_or("", |r| r.name.as_str()),
            held.scopes.join(" "),
            status_word(held.forecast.status)
        ),
        Fact::ExchangeReleased(released) => format!(
            "{} after {}",
            released.why.words(),
            duration(released.held_us)
        ),
        Fact::SessionsRead { sessions, grants } => {
            format!("sessions: {}, grants: {}", sessions.len(), grants.len())
        }
        Fact::PolicyRead(overview) => format!(
            "sets: {}, policies in force: {}",
            overview.sets.len(),
            overview.active_policies.len()
        ),
        Fact::UpstreamAnswered(request) => format!(
            "{} {} {}: {}",
            request.upstream.name(),
            request.method,
            request.path,
            request.status
        ),
        Fact::IssueSeen(issue) => format!("{} {}", issue.identifier, issue.title),
        Fact::EnvRead { file, lines, .. } => format!("{file}, {}", number_of(lines.len(), "line")),
        Fact::FeedLost { feed, why } => format!("{feed}: {why}"),
        Fact::NoteWritten { text } => head(text).to_owned(),
        Fact::MarkSet { chapter, text } => match chapter {
            Some(number) => format!("chapter {number}: {}", head(text)),
            None => head(text).to_owned(),
        },
        Fact::CueBegan { number, title } | Fact::CueSkipped { number, title } => {
            format!("{number}: {}", head(title))
        }
        Fact::Unknown(fact) => fact.kind().unwrap_or_default().to_owned(),
    };
    one_line(head(&text))
}

/// As much as a row could ever show.
fn head(text: &str) -> &str {
    text.char_indices()
        .nth(400)
        .map_or(text, |(end, _)| &text[..end])
}

/// A URL without where it is: the party's name says that, and in few cells the path is what tells.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map(|(_, rest)| rest);
    let path = rest.and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or(url).split(['?', '#']).next().unwrap_or(url)
}
