//! The line about one event, told when it comes.

use super::{
    hop::{actor, asks_to_sign_in, key, parties, took, what},
    of_outcome, outcome_word,
};
use crate::{
    plain::style::of_status,
    projection::{Asks, Hop, HopKind, Projection, Seq, Verdict, audit::Era, hops::Evidence},
    protocol::{
        audit::{AuditEvent, AuditStatus},
        observed::{CallId, StepAction},
    },
    support::text::{duration, truncate},
    trace::{
        Actor, Fact, TraceEvent,
        event::{BrowserLeg, CallOutcome, Leg, MetadataDocument},
    },
};

/// Cells of a result that a line shows.
const GIST: usize = 240;

/// A line about one event, before it is laid out.
pub(super) struct Line {
    pub parties: String,
    pub verdict: Verdict,
    pub words: Vec<String>,
}

/// What the event adds to what was told, laid out by who, how and what.
pub(super) fn line(seq: Seq, event: &TraceEvent, projection: &Projection) -> Option<Line> {
    let say = |verdict, words: Vec<String>| {
        Some(Line {
            parties: actor(event.actor).to_owned(),
            verdict,
            words,
        })
    };
    match &event.fact {
        Fact::RunStarted(target) => say(
            Verdict::Ok,
            vec![
                format!("running against {}", target.name),
                target.server.clone(),
            ],
        ),
        Fact::LabStarted(lab) => say(
            Verdict::Ok,
            vec!["the lab answers".to_owned(), lab.server.clone()],
        ),
        Fact::SignInStarted { server } => {
            say(Verdict::Pending, vec![format!("sign in to {server}")])
        }
        Fact::MetadataRead {
            document, subject, ..
        } => {
            let what = match document {
                MetadataDocument::ProtectedResource => "protected resource is",
                MetadataDocument::AuthorizationServer => "authorization server is",
            };
            say(Verdict::Ok, vec![format!("{what} {subject}")])
        }
        Fact::ClientRegistered { client_id, .. } => {
            say(Verdict::Ok, vec![format!("registered as {client_id}")])
        }
        // The URL in the trace is masked; whoever has the real one shows it.
        Fact::BrowserOpened { how, .. } => say(
            Verdict::Pending,
            vec![match how {
                BrowserLeg::Opened => "waiting for your browser".to_owned(),
                BrowserLeg::Shown => "waiting for you to open the sign-in URL".to_owned(),
                BrowserLeg::Headless => "the lab's sample user answers".to_owned(),
            }],
        ),
        Fact::CallbackReceived { error, description } => match error {
            None => say(Verdict::Ok, vec!["the browser came back".to_owned()]),
            Some(error) => say(
                Verdict::Denied,
                vec![error.clone(), description.clone().unwrap_or_default()],
            ),
        },
        Fact::TokenIssued { .. } => {
            let user = projection.identity().user()?;
            let letter = user.credential.letter;
            let words = vec![
                format!("signed in as {}", user.name),
                format!("key {letter}"),
            ];
            say(Verdict::Ok, words)
        }
        Fact::SignInRefused { failure } | Fact::SignInEnded { failure } => say(
            Verdict::Denied,
            vec![failure.what.clone(), failure.why.clone()],
        ),
        Fact::SignInNotNeeded => say(
            Verdict::Ok,
            vec![
                "no sign-in needed".to_owned(),
                "the server is open to anyone".to_owned(),
            ],
        ),
        Fact::SignInCancelled => say(Verdict::Failed, vec!["sign-in called off".to_owned()]),
        Fact::SignedOut => say(Verdict::Ok, vec!["signed out".to_owned()]),
        Fact::HopReturned { .. } | Fact::HopFailed { .. } => {
            let hop = projection.hops().touched_by(seq)?;
            let mut line = (hop.leg != Some(Leg::Console)).then(|| hop_line(hop, projection))?;
            // The transport's 200 would belie what became of the call.
            if hop.asks == Asks::CallTool && was_refused(hop.call, projection) {
                line.verdict = Verdict::Denied;
                line.words.insert(1, "refused".to_owned());
            }
            Some(line)
        }
        Fact::ServerConnected {
            name,
            version,
            protocol,
        } => say(
            Verdict::Ok,
            vec![format!("{name} {version}"), format!("MCP {protocol}")],
        ),
        Fact::ToolsListed { tools } => {
            let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
            say(Verdict::Ok, vec![format!("offers {}", names.join(", "))])
        }
        Fact::ToolCallStarted { tool, .. } => {
            let call = event.call.and_then(|call| projection.tools().call(call));
            let subject = call.and_then(|call| call.subject.as_deref()).unwrap_or("");
            say(
                Verdict::Pending,
                vec![format!("call {tool}"), subject.to_owned()],
            )
        }
        Fact::StepReported(step) if step.action == StepAction::Discarded => {
            let letter = step
                .credential
                .and_then(|credential| projection.credentials().letter(credential))
                .map_or(String::new(), |letter| format!("key {letter}"));
            let lived = duration(step.duration_us);
            let words = format!(
                "dropped its copy of the {} credential after {lived}",
                step.upstream.name()
            );
            say(Verdict::Ok, vec![words, letter])
        }
        Fact::StepReported(_) | Fact::UpstreamAnswered(_) => {
            let hop = projection.hops().touched_by(seq)?;
            is_first(hop.evidence).then(|| hop_line(hop, projection))
        }
        Fact::ProgressReported { message, .. } => say(Verdict::Pending, vec![message.clone()?]),
        Fact::ToolCallFinished {
            tool,
            outcome,
            text,
            ..
        } => {
            let first = text.lines().next().unwrap_or("");
            let refused = was_refused(event.call, projection);
            let word = if *outcome == CallOutcome::Failed && refused {
                "refused"
            } else {
                outcome_word(*outcome)
            };
            let words = vec![
                format!("{tool} {word}"),
                // A result may be a whole table in one line; the end of the run has all of it.
                truncate(first, GIST).into_owned(),
            ];
            say(of_outcome(*outcome), words)
        }
        Fact::AuditRecorded(_) => audit_line(seq, projection),
        Fact::ExchangeHeld(held) => {
            let resource = held.resource.as_ref().map_or("a resource", |r| &*r.name);
            let words = format!(
                "holds the exchange for {resource} {}",
                held.scopes.join(" ")
            );
            let would = match held.forecast.status {
                AuditStatus::Issued => "it would be issued",
                AuditStatus::Failure => "it would be refused",
            };
            say(Verdict::Pending, vec![words, would.to_owned()])
        }
        Fact::ExchangeReleased(released) => say(
            Verdict::Pending,
            vec![
                "lets the exchange go on".to_owned(),
                released.why.words().to_owned(),
            ],
        ),
        Fact::IssueSeen(issue) => {
            let place = if issue.trashed {
                "is in the trash"
            } else {
                "is there"
            };
            let words = format!("{} {place}, by {}", issue.identifier, issue.author);
            say(Verdict::Ok, vec![words, issue.title.clone()])
        }
        Fact::FeedLost { feed, why } => say(
            Verdict::Failed,
            vec![format!("{feed} is not observed any more"), why.clone()],
        ),
        Fact::FailureOccurred(failure) => say(
            Verdict::Failed,
            vec![
                failure.what.clone(),
                failure.why.clone(),
                failure.next.clone(),
            ],
        ),
        Fact::NoteWritten { text } => say(Verdict::Pending, vec![text.clone()]),
        Fact::MarkSet { chapter, text } => {
            let chapter = chapter.map(|number| format!("chapter {number}"));
            say(
                Verdict::Pending,
                chapter.into_iter().chain([text.clone()]).collect(),
            )
        }
        Fact::CueBegan { number, title } => say(
            Verdict::Pending,
            vec![format!("cue {number}"), title.clone()],
        ),
        Fact::CueSkipped { number, title } => say(
            Verdict::Pending,
            vec![format!("cue {number} is skipped"), title.clone()],
        ),
        Fact::LabMoved { chapter } => say(
            Verdict::Pending,
            vec![format!("the lab is at the end of chapter {chapter}")],
        ),
        // A request's return tells of both; the others fill panes, not lines.
        Fact::HopSent { .. }
        | Fact::SessionsRead { .. }
        | Fact::PolicyRead(_)
        | Fact::EnvRead { .. }
        | Fact::Unknown(_) => None,
    }
}

/// A row of the zone's that no other voice told of, or that says why an exchange was refused.
fn audit_line(seq: Seq, projection: &Projection) -> Option<Line> {
    let row = projection
        .audit()
        .rows()
        .last()
        .filter(|row| row.evidence == seq && row.era == Era::ThisRun)?;
    match projection.hops().touched_by(seq) {
        Some(hop) if is_first(hop.evidence) => Some(hop_line(hop, projection)),
        Some(hop) if row.status == AuditStatus::Failure => Some(Line {
            parties: actor(Actor::Zone).to_owned(),
            verdict: hop.verdict,
            words: vec![
                match &row.policy {
                    Some(policy) => format!("noted: refused by {policy}"),
                    None => format!("noted: {}", row.error.as_deref().unwrap_or("refused")),
                },
                "no credential exists".to_owned(),
            ],
        }),
        Some(_) => None,
        None => {
            let failed = row.status == AuditStatus::Failure;
            let what = match row.event {
                AuditEvent::CredentialsIssue if failed => "refused a credential",
                AuditEvent::CredentialsIssue => "issued a credential",
                AuditEvent::UsersAuthorize => "asked the person",
                AuditEvent::DelegatedGrantsCreate if failed => "asked for the consent",
                AuditEvent::DelegatedGrantsCreate => "noted the consent",
                AuditEvent::DelegatedGrantsRevoke => "noted the end of a consent",
                AuditEvent::PolicySetsActivate if failed => "kept the policy set",
                AuditEvent::PolicySetsActivate => "activated a policy set",
            };
            let resource = row.about().unwrap_or_default().into_owned();
            let reason = row.reason.as_deref().unwrap_or("").to_owned();
            Some(Line {
                parties: actor(Actor::Zone).to_owned(),
                verdict: of_status(row.status),
                words: vec![what.to_owned(), resource, reason],
            })
        }
    }
}

/// Whether one voice has spoken so far.
fn is_first(evidence: Evidence) -> bool {
    evidence.iter().count() == 1
}

fn hop_line(hop: &Hop, projection: &Projection) -> Line {
    let status = hop
        .status
        .map_or(String::new(), |status| status.to_string());
    let verdict = match (&hop.policy, hop.verdict) {
        (Some(policy), _) => format!("refused by {policy}"),
        // How a client learns whom to ask: the note says so.
        (None, Verdict::Denied) if asks_to_sign_in(hop) => String::new(),
        (None, Verdict::Denied) => "refused".to_owned(),
        (None, Verdict::Failed) => "failed".to_owned(),
        (None, Verdict::Held) => "held".to_owned(),
        (None, Verdict::Ok | Verdict::Pending) => String::new(),
    };
    // Where a policy is named, the zone's sentence says it again.
    let note = match hop.policy {
        Some(_) => String::new(),
        None => hop.note.as_deref().unwrap_or("").to_owned(),
    };
    Line {
        parties: parties(hop.from, hop.to),
        verdict: if asks_to_sign_in(hop) {
            Verdict::Pending
        } else {
            hop.verdict
        },
        words: vec![
            what(hop),
            hop.scope.as_deref().unwrap_or("").to_owned(),
            status,
            verdict,
            note,
            took(hop, projection),
            match projection.hops().waited_us(hop.id) {
                0 => String::new(),
                waited => format!("held for {}", duration(waited)),
            },
            key(hop),
        ],
    }
}

/// More hops than a call has; a trace that gives all of its hops to one call is not searched whole for
/// each of its lines.
const HOPS_OF_A_CALL: usize = 256;

/// True for a call within which a credential was refused.
fn was_refused(call: Option<CallId>, projection: &Projection) -> bool {
    let hops = projection.hops();
    let latest = hops.of_call(call).iter().rev().take(HOPS_OF_A_CALL);
    latest
        .filter_map(|id| hops.get(*id))
        .any(|hop| hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied)
}
