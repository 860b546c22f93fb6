//! Events of every kind, however odd.

use hoptrail::{
    protocol::{
        audit::{
            AuditEvent, AuditRecord, AuditStatus, CredentialSource, CredentialView, Effect,
            IdentityChain, Party, PolicyDecision, PolicySetRef, ResourceRef,
        },
        console::{LifeStatus, PolicyOverview, Session, SessionType},
        env::{EnvKind, EnvLine},
        hold::{Forecast, HeldExchange, ReleaseReason, ReleasedExchange},
        observed::{Issue, LabEndpoints, ServedBy, Step, StepAction, StepOutcome, UpstreamRequest},
    },
    support::error::{Exit, Failure},
    trace::{
        Actor, Fact, Json, TraceEvent, UnknownFact,
        event::{
            Body, BrowserLeg, CallOutcome, ClientGrant, ConsoleDoor, EnvSide, Leg,
            MetadataDocument, Target, ToolView,
        },
    },
};
use proptest::{collection::vec, option::of, prelude::*, sample::select};
use serde_json::Map;

#[path = "values.rs"]
mod values;

use values::*;

fn audit() -> impl Strategy<Value = AuditRecord> {
    let party = (text(), text(), text()).prop_map(|(id, identifier, name)| Party {
        id,
        identifier,
        name,
    });
    let resource = (text(), text(), text()).prop_map(|(id, identifier, name)| ResourceRef {
        id,
        identifier,
        name,
    });
    let decision =
        (any::<bool>(), of(text()), vec(text(), 0..3)).prop_map(|(allow, set, determining)| {
            PolicyDecision {
                effect: if allow { Effect::Allow } else { Effect::Deny },
                policy_set: set.map(|id| PolicySetRef {
                    name: id.clone(),
                    id,
                    version: 1,
                }),
                determining,
            }
        });
    let credential = token().prop_map(|token| CredentialView {
        source: CredentialSource::External,
        token,
        expires_in: None,
    });
    let event = select(vec![
        AuditEvent::CredentialsIssue,
        AuditEvent::UsersAuthorize,
        AuditEvent::DelegatedGrantsCreate,
        AuditEvent::DelegatedGrantsRevoke,
        AuditEvent::PolicySetsActivate,
    ]);
    let status = select(vec![AuditStatus::Issued, AuditStatus::Failure]);
    let grant = of(select(vec![
        hoptrail::protocol::oauth::GRANT_TOKEN_EXCHANGE,
        "authorization_code",
    ]));
    (
        (text(), any::<u64>(), wall(), event, status, of(resource)),
        (
            vec(text(), 0..3),
            of(party.clone()),
            of(party),
            of(text()),
            grant,
        ),
        (
            of(text()),
            of(text()),
            of(decision),
            of(token()),
            of(credential),
        ),
        (of(parent()), micros()),
    )
        .prop_map(
            |(
                (id, sequence, occurred_at, event, status, resource),
                (scopes, application, user, session_id, grant_type),
                (error, reason, decision, subject_token, credential),
                (trace_parent, duration_us),
            )| AuditRecord {
                request_id: id.clone(),
                id,
                sequence,
                occurred_at,
                event,
                status,
                resource,
                scopes,
                actor: IdentityChain { application, user },
                session_id,
                grant_type: grant_type.map(str::to_owned),
                error,
                reason,
                decision,
                subject_token,
                credential,
                trace_parent,
                duration_us,
            },
        )
}

fn client_fact() -> impl Strategy<Value = Fact> {
    let failure = || text().prop_map(|t| Failure::new(Exit::Refused, t.clone(), t.clone(), t));
    let leg = select(vec![
        Leg::Discovery,
        Leg::Registration,
        Leg::Authorization,
        Leg::Callback,
        Leg::Token,
        Leg::Mcp,
        Leg::Console,
    ]);
    let body = (text(), any::<bool>()).prop_map(|(text, cut)| Body {
        media_type: "application/json".to_owned(),
        bytes: text.len() as u64,
        text,
        cut,
    });
    let document = select(vec![
        MetadataDocument::ProtectedResource,
        MetadataDocument::AuthorizationServer,
    ]);
    let how = select(vec![
        BrowserLeg::Opened,
        BrowserLeg::Shown,
        BrowserLeg::Headless,
    ]);
    let grant = select(vec![
        ClientGrant::AuthorizationCode,
        ClientGrant::RefreshToken,
    ]);
    prop_oneof![
        text().prop_map(|server| Fact::SignInStarted { server }),
        (document, text(), text()).prop_map(|(document, url, subject)| Fact::MetadataRead {
            document,
            scopes: vec![subject.clone()],
            url,
            subject,
        }),
        text().prop_map(|text| Fact::ClientRegistered {
            client_id: text.clone(),
            issuer: text
        }),
        (text(), how).prop_map(|(url, how)| Fact::BrowserOpened { url, how }),
        (of(text()), of(text()))
            .prop_map(|(error, description)| Fact::CallbackReceived { error, description }),
        (token(), of(text()), of(any::<u64>()), any::<bool>(), grant).prop_map(
            |(token, scope, expires_in, refreshable, grant)| Fact::TokenIssued {
                token,
                scope,
                expires_in,
                refreshable,
                grant,
            }
        ),
        failure().prop_map(|failure| Fact::SignInRefused { failure }),
        failure().prop_map(|failure| Fact::SignInEnded { failure }),
        Just(Fact::SignInCancelled),
        Just(Fact::SignInNotNeeded),
        Just(Fact::SignedOut),
        (select(Actor::ALL.to_vec()), leg, text(), text(), of(body)).prop_map(
            |(to, leg, method, url, body)| Fact::HopSent {
                to,
                leg,
                headers: vec![("mcp-method".to_owned(), method.clone())],
                method,
                url,
                body,
            }
        ),
        (any::<u16>(), micros()).prop_map(|(status, duration_us)| Fact::HopReturned {
            status,
            headers: Vec::new(),
            body: None,
            duration_us,
        }),
        (text(), micros()).prop_map(|(why, duration_us)| Fact::HopFailed { why, duration_us }),
    ]
}

fn server_fact() -> impl Strategy<Value = Fact> {
    let outcome = select(vec![
        CallOutcome::Succeeded,
        CallOutcome::Failed,
        CallOutcome::Broken,
        CallOutcome::Cancelled,
    ]);
    let action = select(vec![
        StepAction::Exchanged,
        StepAction::Used,
        StepAction::Discarded,
    ]);
    let ended = select(vec![
        StepOutcome::Succeeded,
        StepOutcome::Refused,
        StepOutcome::Failed,
    ]);
    let step = (
        span(),
        action,
        upstream(),
        of(text()),
        ended,
        micros(),
        of(fingerprint()),
    )
        .prop_map(
            |(span, action, upstream, scope, outcome, duration_us, credential)| Step {
                span,
                action,
                upstream,
                detail: scope.clone(),
                scope,
                outcome,
                duration_us,
                credential,
            },
        );
    prop_oneof![
        1 => text().prop_map(|t| Fact::ServerConnected {
            name: t.clone(),
            version: t.clone(),
            protocol: t,
        }),
        1 => (text(), value()).prop_map(|(name, input_schema)| Fact::ToolsListed {
            tools: vec![ToolView {
                name,
                title: None,
                description: None,
                input_schema: Json::from(&input_schema),
                output_schema: None,
            }],
        }),
        3 => (text(), value())
            .prop_map(|(tool, arguments)| Fact::ToolCallStarted { tool, arguments }),
        5 => step.prop_map(Fact::StepReported),
        1 => (of(text()), any::<i32>()).prop_map(|(message, n)| Fact::ProgressReported {
            message,
            progress: f64::from(n),
            total: None,
        }),
        // `Some(null)` is no JSON of its own: it reads back as absent.
        2 => (text(), outcome, text(), of(value().prop_filter("null", |v| !v.is_null())), micros())
            .prop_map(|(tool, outcome, text, structured, duration_us)| Fact::ToolCallFinished {
                tool,
                outcome,
                text,
                structured: structured.as_ref().map(Json::from),
                duration_us,
            }),
    ]
}

fn observed_fact() -> impl Strategy<Value = Fact> {
    let request = (
        (upstream(), wall(), text(), text(), any::<u16>(), micros()),
        (of(fingerprint()), of(text()), of(parent()), of(text())),
    )
        .prop_map(
            |(
                (upstream, occurred_at, method, path, status, duration_us),
                (credential, acted_as, trace_parent, error),
            )| UpstreamRequest {
                upstream,
                occurred_at,
                operation: method.clone(),
                method,
                path,
                status,
                duration_us,
                credential,
                acted_as,
                trace_parent,
                error,
            },
        );
    let issue = (text(), text(), wall(), any::<bool>(), of(parent())).prop_map(
        |(id, text, created_at, trashed, trace_parent)| Issue {
            id,
            identifier: text.clone(),
            url: text.clone(),
            title: text.clone(),
            description: text.clone(),
            priority: 1,
            labels: vec![text.clone()],
            author: text,
            created_at,
            trashed,
            trace_parent,
        },
    );
    let session = (text(), of(text()), wall()).prop_map(|(id, name, at)| Session {
        id,
        session_type: SessionType::User,
        user_id: None,
        user_name: name.clone(),
        application_id: None,
        user_agent_id: None,
        initiator_name: name,
        parent_id: None,
        authenticated_at: at,
        expires_at: at,
        status: LifeStatus::Revoked,
    });
    let line = (text(), any::<bool>()).prop_map(|(name, set)| EnvLine {
        value: set.then(|| name.clone()),
        name,
        kind: EnvKind::Config,
        set,
        note: String::new(),
        worth_stealing: set,
    });
    let held = (text(), audit()).prop_map(|(id, record)| HeldExchange {
        id,
        application: record.actor.application,
        user: record.actor.user,
        resource: record.resource,
        scopes: record.scopes,
        forecast: Forecast {
            status: record.status,
            decision: record.decision,
            error: record.error,
            reason: record.reason,
        },
        trace_parent: record.trace_parent,
    });
    let why = select(vec![
        ReleaseReason::LetGo,
        ReleaseReason::HolderGone,
        ReleaseReason::TimedOut,
        ReleaseReason::AskerGone,
    ]);
    let released =
        (text(), why, micros(), of(parent())).prop_map(|(id, why, held_us, trace_parent)| {
            ReleasedExchange {
                id,
                why,
                held_us,
                trace_parent,
            }
        });
    prop_oneof![
        6 => audit().prop_map(|record| Fact::AuditRecorded(Box::new(record))),
        2 => held.prop_map(|held| Fact::ExchangeHeld(Box::new(held))),
        2 => released.prop_map(Fact::ExchangeReleased),
        4 => request.prop_map(Fact::UpstreamAnswered),
        2 => issue.prop_map(Fact::IssueSeen),
        1 => vec(session, 0..3)
            .prop_map(|sessions| Fact::SessionsRead { sessions, grants: Vec::new() }),
        1 => Just(Fact::PolicyRead(PolicyOverview { sets: Vec::new(), active_policies: Vec::new() })),
        1 => (any::<bool>(), text(), vec(line, 0..5)).prop_map(|(before, file, lines)| Fact::EnvRead {
            which: if before { EnvSide::Before } else { EnvSide::After },
            file,
            lines,
        }),
        1 => text().prop_map(|text| Fact::FeedLost { feed: text.clone(), why: text }),
        1 => text().prop_map(|t| Fact::FailureOccurred(Failure::new(Exit::Failed, t.clone(), t.clone(), t))),
        1 => text().prop_map(|text| Fact::NoteWritten { text }),
        1 => (of(any::<u8>()), text()).prop_map(|(chapter, text)| Fact::MarkSet { chapter, text }),
        1 => (any::<u16>(), text()).prop_map(|(number, title)| Fact::CueBegan { number, title }),
        1 => (any::<u16>(), text()).prop_map(|(number, title)| Fact::CueSkipped { number, title }),
        1 => any::<u8>().prop_map(|chapter| Fact::LabMoved { chapter }),
        1 => text().prop_map(|t| Fact::RunStarted(Target {
            lab: false,
            name: t.clone(),
            server: t,
            console: ConsoleDoor::Closed,
        })),
        1 => text().prop_map(|t| Fact::LabStarted(LabEndpoints {
            server: t.clone(),
            zone: t.clone(),
            supabase: t.clone(),
            anthropic: t.clone(),
            linear: t,
            stand_ins: vec![],
            served_by: ServedBy::Yours,
        })),
        1 => text().prop_map(|name| Fact::Unknown(UnknownFact::Bare(format!("moon {name}")))),
        1 => (text(), value()).prop_map(|(name, body)| {
            Fact::Unknown(UnknownFact::Full(Map::from_iter([(format!("moon {name}"), body)])))
        }),
    ]
}

pub fn event() -> impl Strategy<Value = TraceEvent> {
    let fact = prop_oneof![client_fact(), server_fact(), observed_fact()];
    (
        any::<u64>(),
        micros(),
        of(span()),
        of(call()),
        select(Actor::ALL.to_vec()),
        fact,
    )
        .prop_map(|(seq, at_us, span, call, actor, fact)| TraceEvent {
            seq,
            at_us,
            span,
            call,
            actor,
            fact,
        })
}
