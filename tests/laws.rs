//! What must hold for every trace, however odd.

use chrono::{DateTime, Utc};
use hoptrail::{
    projection::{Projection, Query, Seq},
    protocol::{
        audit::{
            AuditEvent, AuditRecord, AuditStatus, CredentialSource, CredentialView, Effect,
            IdentityChain, Party, PolicyDecision, PolicySetRef, ResourceRef,
        },
        console::{LifeStatus, PolicyOverview, Session, SessionType},
        env::{EnvKind, EnvLine},
        hold::{Forecast, HeldExchange, ReleaseReason, ReleasedExchange},
        jwt::TokenView,
        observed::{
            Issue, LabEndpoints, ServedBy, Step, StepAction, StepOutcome, Upstream, UpstreamRequest,
        },
        secret::Fingerprint,
        traceparent::{SpanId, TraceId, TraceParent},
    },
    support::error::{Exit, Failure},
    trace::{
        Actor, Fact, Json, TraceEvent, codec,
        event::{
            Body, BrowserLeg, CallOutcome, ClientGrant, ConsoleDoor, EnvSide, Leg,
            MetadataDocument, Target, ToolView,
        },
    },
};
use proptest::{collection::vec, option::of, prelude::*, sample::select};
use serde_json::{Map, Value, json};

#[path = "fixtures/story.rs"]
mod story;

/// Small pools, so that ids meet; and texts that would like to drive a terminal.
fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => select(vec![
            "", " ", "escalate_ticket", "delete_issue", "get_support_tickets", "limit-linear-scopes",
            "set::limit-linear-scopes", "policy0", "Linear API", "http://127.0.0.1:1", "http://[::1",
            "\u{1b}]0;x\u{7}", "\u{202e}evil", "a\r\nb\tc", "é://ü", "日本語", "access_denied",
            "5b0f6f0e-6a5c-4d0b-9a53-2f6c1f0f7a11", "grant_type=refresh_token", "{\"method\":\"tools/call\"}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (0usize..2000).prop_map(|n| "x".repeat(n)),
    ]
}

fn span() -> impl Strategy<Value = SpanId> {
    prop_oneof![(0u64..6).prop_map(SpanId), any::<u64>().prop_map(SpanId)]
}

fn call() -> impl Strategy<Value = TraceId> {
    prop_oneof![
        (0u128..3).prop_map(TraceId),
        any::<u128>().prop_map(TraceId)
    ]
}

fn parent() -> impl Strategy<Value = TraceParent> {
    (call(), span()).prop_map(|(trace, span)| TraceParent { trace, span })
}

fn micros() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..5_000_000, any::<u64>()]
}

fn wall() -> impl Strategy<Value = DateTime<Utc>> {
    prop_oneof![
        1_795_510_800i64..1_795_510_900,
        -62_000_000_000i64..250_000_000_000,
    ]
    .prop_map(|seconds| DateTime::from_timestamp(seconds, 123_456_000).unwrap_or_default())
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    (0u8..5).prop_map(|n| Fingerprint::of(&[n]))
}

fn upstream() -> impl Strategy<Value = Upstream> {
    select(vec![
        Upstream::Supabase,
        Upstream::Anthropic,
        Upstream::Linear,
    ])
}

fn token() -> impl Strategy<Value = TokenView> {
    (fingerprint(), text(), any::<i64>()).prop_map(|(fingerprint, sub, exp)| {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), sub.into());
        claims.insert("exp".to_owned(), exp.into());
        TokenView {
            fingerprint,
            header: Map::new(),
            claims,
        }
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
        text().prop_map(|text| json!({"ticketId": text, "issueId": text})),
        text().prop_map(|text| json!({"success": true, "issueId": text})),
        (text(), text()).prop_map(|(id, url)| json!({
            "ticketId": "5b0f6f0e-6a5c-4d0b-9a53-2f6c1f0f7a11", "issueId": id, "identifier": url, "url": url,
        })),
        Just(json!({"tickets": []})),
        vec(text(), 0..3).prop_map(|items| json!({"tickets": items})),
    ]
}

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
        text().prop_map(|t| Fact::SignInRefused {
            failure: Failure::new(Exit::Refused, t.clone(), t.clone(), t),
        }),
        Just(Fact::SignInCancelled),
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
    // What waits at the gate is what would be a row.
    let held = (text(), audit()).prop_map(|(id, record)| HeldExchange {
        id,
        held_at: record.occurred_at,
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
        1 => (proptest::option::of(any::<u8>()), text())
            .prop_map(|(chapter, text)| Fact::MarkSet { chapter, text }),
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
        1 => (text(), value()).prop_map(|(name, body)| {
            Fact::Unknown(std::iter::once((format!("moon {name}"), body)).collect())
        }),
    ]
}

fn event() -> impl Strategy<Value = TraceEvent> {
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

fn fold(events: &[TraceEvent]) -> Projection {
    let mut projection = Projection::starting(story::started());
    projection.extend(events);
    projection
}

/// Everything that a pane could ask, asked.
fn look_at_everything(projection: &Projection) {
    let query = Query::parse("status:ok -scope:x é");
    for hop in projection.hops().in_order() {
        let _ = hop.matches(&query, projection.tool_of(hop.call));
        for seq in hop.evidence.iter() {
            assert!(projection.log().event(seq).is_some());
        }
    }
    assert_eq!(projection.hops().order().len(), projection.hops().len());
    for row in projection.audit().rows() {
        let _ = (
            row.matches(&query),
            projection.service_of(row),
            projection.determining(row),
        );
    }
    for decision in [
        projection.policies().last(),
        projection.policies().last_denial(),
    ] {
        decision.map(|decision| projection.policies().highlight(decision));
    }
    for number in 0..projection.log().len() {
        let _ = projection.log().matches(Seq::at(number), &query);
    }
    let _ = (
        projection.issues().pair(),
        projection.env().rows(),
        projection.sessions().rows(),
    );
    let story = projection.story();
    assert_eq!(story.steps.len(), 7);
    let _ = story.verdict();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_panics_and_none_is_lost(events in vec(event(), 0..60)) {
        let projection = fold(&events);
        prop_assert_eq!(projection.log().len(), events.len());
        look_at_everything(&projection);
        let unknown = events.iter().filter(|e| matches!(e.fact, Fact::Unknown(_))).count();
        prop_assert_eq!(projection.unknown(), unknown as u64);
        // Without a header there is no wall clock to lean on; that must do as well.
        let mut headless = Projection::default();
        headless.extend(&events);
        look_at_everything(&headless);
    }

    #[test]
    fn folding_what_was_written_and_read_is_folding_the_events(events in vec(event(), 0..40)) {
        let read: Vec<_> = events
            .iter()
            .map(|event| codec::decode(&codec::encode(event), 2).unwrap())
            .collect();
        prop_assert_eq!(&read, &events);
        prop_assert_eq!(fold(&read), fold(&events));
    }

    #[test]
    fn folding_what_was_skimmed_is_folding_the_events(events in vec(event(), 0..40)) {
        let skimmed: Vec<_> = events
            .iter()
            .map(|event| codec::skim(&codec::encode(event), 2).unwrap())
            .collect();
        let mut projection = Projection::starting(story::started());
        for (event, skimmed) in events.iter().zip(&skimmed) {
            projection.apply_line(skimmed, &codec::encode(event));
        }
        prop_assert_eq!(projection, fold(&events));
    }

    #[test]
    fn a_line_is_damaged_for_whoever_reads_it(
        events in vec(event(), 1..2),
        at in any::<proptest::sample::Index>(),
        instead in select(vec!["", "x", "\"", "\\", "\\ud800", "1e999", "null", "]", "}", "[[", ","]),
    ) {
        let line = codec::encode(&events[0]);
        let at = at.index(line.len());
        prop_assume!(line.is_char_boundary(at) && line.is_char_boundary(at + 1));
        let line = format!("{}{instead}{}", &line[..at], &line[at + 1..]);
        let (kept, unkept) = (codec::decode(&line, 2), codec::skim(&line, 2));
        prop_assert_eq!(kept.as_ref().err(), unkept.as_ref().err(), "{}", line);
    }

    #[test]
    fn a_fold_goes_on_from_any_point(events in vec(event(), 0..40), at in any::<proptest::sample::Index>()) {
        let (first, rest) = events.split_at(at.index(events.len() + 1));
        let checkpoint = fold(first);
        let mut resumed = checkpoint.clone();
        resumed.extend(rest);
        prop_assert_eq!(&resumed, &fold(&events));
        prop_assert_eq!(checkpoint, fold(first), "a checkpoint does not change behind its back");
    }

    #[test]
    fn the_log_gives_back_the_very_lines(events in vec(event(), 0..20)) {
        let projection = fold(&events);
        for (number, event) in events.iter().enumerate() {
            let seq = Seq::at(number);
            let line = codec::encode(event);
            let kept = projection.log().line(seq);
            prop_assert_eq!(kept.as_deref(), Some(line.trim_end_matches('\n')));
            let logged = projection.log().event(seq);
            prop_assert_eq!(logged.as_ref(), Some(event));
        }
        let mut by_line = Projection::starting(story::started());
        for event in &events {
            by_line.apply_line(event, &codec::encode(event));
        }
        prop_assert_eq!(by_line, projection);
    }
}

/// The sample story again and again, each time with ids and credentials of its own.
fn repeated(times: usize) -> Projection {
    let mut projection = Projection::starting(story::started());
    let events = story::events();
    let shift = |id: TraceId, round: usize| TraceId(id.0 + ((round as u128) << 64));
    for round in 0..times {
        for event in &events {
            let mut event = event.clone();
            event.at_us += 30_000_000 * round as u64;
            event.call = event.call.map(|id| shift(id, round));
            event.span = event.span.map(|id| SpanId(id.0 + ((round as u64) << 16)));
            match &mut event.fact {
                Fact::AuditRecorded(record) => {
                    record.id = format!("{}-{round}", record.id);
                    if let Some(parent) = &mut record.trace_parent {
                        parent.trace = shift(parent.trace, round);
                        parent.span = event.span.unwrap();
                    }
                }
                Fact::UpstreamAnswered(request) => {
                    if let Some(parent) = &mut request.trace_parent {
                        parent.trace = shift(parent.trace, round);
                        parent.span = event.span.unwrap();
                    }
                }
                Fact::StepReported(step) => step.span = event.span.unwrap(),
                _ => {}
            }
            projection.apply(&event);
        }
    }
    projection
}

/// Cost and memory per event must not depend on the length of the run. No clock is asked: what is
/// kept per event is counted, and a late row is shown to reach back a bounded way only.
#[test]
fn what_an_event_leaves_behind_does_not_grow_with_the_run() {
    let per_event = |times| {
        let projection = repeated(times);
        let events = projection.log().len();
        let rows = projection.hops().len() + projection.audit().rows().len();
        assert_eq!(projection.credentials().all().len(), 5);
        assert_eq!(projection.sessions().rows().len(), 1);
        (
            projection.log().bytes() * 100 / events,
            rows * 1000 / events,
        )
    };
    let (few_bytes, few_rows) = per_event(20);
    let (many_bytes, many_rows) = per_event(400);
    assert_eq!(few_rows, many_rows);
    assert!(
        many_bytes.abs_diff(few_bytes) < few_bytes / 20,
        "{few_bytes} {many_bytes}"
    );
}

#[test]
fn a_row_is_lean() {
    use hoptrail::projection::{AuditRow, Hop};
    // The sample story: 73 events, 39 hops, 10 rows. With these the models cost a few dozen
    // bytes an event beside its line.
    assert!(size_of::<Hop>() <= 320, "{}", size_of::<Hop>());
    assert!(size_of::<AuditRow>() <= 352, "{}", size_of::<AuditRow>());
    assert_eq!(size_of::<Option<Seq>>(), 4);
}

/// A row that claims to be ancient moves past at most the near rows.
#[test]
fn a_late_row_reaches_back_a_bounded_way() {
    let mut projection = repeated(20);
    let before = projection.hops().order().clone();
    let mut late = story::events()
        .into_iter()
        .find(|event| matches!(event.fact, Fact::UpstreamAnswered(_)))
        .unwrap();
    late.at_us = 1;
    late.call = None;
    if let Fact::UpstreamAnswered(request) = &mut late.fact {
        request.trace_parent = None;
        request.occurred_at = DateTime::UNIX_EPOCH;
    }
    late.span = None;
    projection.apply(&late);
    let after = projection.hops().order();
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    assert!(before.len() - same <= 64);
}
