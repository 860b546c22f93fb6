//! The sample story, folded: what the panes would show.

use hoptrail::{
    projection::{Hop, HopKind, Projection, Query, Verdict, issue::Whereabouts},
    protocol::{
        audit::AuditEvent,
        traceparent::{SpanId, TraceId},
    },
    trace::{Fact, TraceEvent},
};

#[path = "fixtures/story.rs"]
mod story;

fn folded() -> Projection {
    let mut projection = Projection::starting(story::started());
    projection.extend(&story::events());
    projection
}

#[test]
fn the_story_holds() {
    let story = folded().story();
    assert_eq!(story.verdict(), Ok(()), "{:#?}", story.steps);
    assert_eq!(story.done(), 7, "{:#?}", story.steps);
}

#[test]
fn a_call_is_told_in_full_when_zone_services_and_server_have_told_of_it() {
    let events = story::events();
    let call = folded()
        .tools()
        .latest("escalate_ticket")
        .unwrap()
        .id
        .unwrap();
    let is_told = |events: &[TraceEvent]| {
        let mut projection = Projection::starting(story::started());
        projection.extend(events);
        projection.is_told_in_full(call)
    };
    let without = |voice: fn(&Fact) -> bool| {
        let mut silent = events.clone();
        silent.retain(|event| !voice(&event.fact));
        is_told(&silent)
    };
    assert!(is_told(&events));
    assert!(!without(|fact| matches!(fact, Fact::UpstreamAnswered(_))));
    assert!(!without(|fact| matches!(
        fact,
        Fact::AuditRecorded(record) if record.event == AuditEvent::CredentialsIssue
    )));
    // Nobody waits for a log that cannot be read from here.
    assert!(without(|fact| matches!(fact, Fact::AuditRecorded(_))));
}

#[test]
fn an_escalation_is_one_request_four_exchanges_and_four_uses_in_order() {
    let projection = folded();
    let call = projection.tools().latest("escalate_ticket").unwrap();
    assert_eq!((call.issued, call.refused), (4, 0));
    let shown: Vec<String> = projection
        .hops()
        .of_call(call.id.unwrap())
        .iter()
        .filter_map(|id| projection.hops().get(*id))
        .map(|hop| {
            let mark = if hop.discarded.is_some() { " †" } else { "" };
            let letter = hop
                .credential
                .map_or('-'.to_string(), |c| c.letter.to_string());
            format!("{:?} {} {letter}{mark}", hop.kind, hop.title)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "Request tools/call escalate_ticket -",
            "Exchange token exchange B †",
            "Upstream GET /rest/v1/tickets B †",
            "Exchange token exchange C †",
            "Upstream POST /v1/messages C †",
            "Exchange token exchange D †",
            "Upstream LabelIds D †",
            "Exchange token exchange E †",
            "Upstream CreateIssue E †",
        ]
    );
}

#[test]
fn clocks_that_differ_by_a_moment_change_nothing_in_the_order() {
    let mut projection = Projection::starting(story::started());
    for mut event in story::events() {
        if let Fact::AuditRecorded(record) = &mut event.fact {
            record.occurred_at -= chrono::TimeDelta::milliseconds(40);
        }
        projection.apply(&event);
    }
    let call = projection.tools().latest("escalate_ticket").unwrap();
    let hops = projection.hops().of_call(call.id.unwrap());
    let first = projection.hops().get(hops[0]).unwrap();
    assert_eq!(first.kind, HopKind::Request);
    let flow = projection.hops().in_order();
    let of_call: Vec<_> = flow.filter(|hop| hop.call == call.id).collect();
    assert_eq!(of_call[0].kind, HopKind::Request);
}

#[test]
fn three_voices_make_one_row() {
    let projection = folded();
    let exchange = projection
        .hops()
        .in_order()
        .find(|hop| hop.kind == HopKind::Exchange)
        .unwrap();
    assert!(exchange.evidence.audit.is_some() && exchange.evidence.step.is_some());
    assert_eq!(exchange.resource.as_deref(), Some("Supabase Database"));
    assert_eq!(exchange.subject.unwrap().letter.to_string(), "A");
    let used = projection
        .hops()
        .in_order()
        .find(|hop| hop.kind == HopKind::Upstream)
        .unwrap();
    assert!(used.evidence.upstream.is_some() && used.evidence.step.is_some());
}

#[test]
fn a_refused_exchange_turns_its_tool_call_red() {
    let projection = folded();
    let call = projection.tools().latest("delete_issue").unwrap();
    let hops = projection.hops().of_call(call.id.unwrap());
    let hops: Vec<_> = hops
        .iter()
        .map(|id| projection.hops().get(*id).unwrap())
        .collect();
    assert_eq!(hops.len(), 2);
    assert!(hops.iter().all(|hop| hop.verdict == Verdict::Denied));
    assert_eq!(hops[1].policy.as_deref(), Some("limit-linear-scopes"));
    assert_eq!(hops[1].credential, None);
}

#[test]
fn the_policy_that_decided_is_found_in_the_active_set() {
    let projection = folded();
    let policies = projection.policies();
    let denial = policies.last_denial().unwrap();
    assert_eq!(denial.scope.as_deref(), Some("write"));
    assert_eq!(denial.tool.as_deref(), Some("delete_issue"));
    assert_eq!(policies.highlight(denial), [3]);
    assert_eq!(policies.is_active("limit-linear-scopes"), Some(true));
}

#[test]
fn ticket_and_issue_are_paired_by_the_escalation() {
    let projection = folded();
    let (ticket, issue) = projection.issues().pair();
    let issue = issue.unwrap();
    assert_eq!(Some(ticket.unwrap().id), issue.ticket);
    assert_eq!(issue.whereabouts, Whereabouts::There);
    let told = issue.result(projection.log()).unwrap();
    assert_eq!(told.detected_entities.unwrap().len(), 4);
    let seen = issue.issue(projection.log()).unwrap();
    assert!(seen.description.contains("[EMAIL_1]"));
}

#[test]
fn the_session_shows_what_was_touched_and_how_it_ended() {
    let projection = folded();
    let row = &projection.sessions().rows()[0];
    assert_eq!(row.user.as_deref(), Some("robin.sample@lab.example"));
    assert_eq!((row.issued, row.failed), (6, 1));
    let touched: Vec<_> = row
        .touched
        .iter()
        .map(|t| (&*t.resource, t.scope.as_deref(), t.issued, t.failed))
        .collect();
    assert_eq!(
        touched,
        [
            ("Support Escalation MCP", Some("mcp:tools"), 1, 0),
            ("Supabase Database", None, 2, 0),
            ("Anthropic API", None, 1, 0),
            ("Linear API", Some("read"), 1, 0),
            ("Linear API", Some("issues:create"), 1, 0),
            ("Linear API", Some("write"), 0, 1),
        ]
    );
}

#[test]
fn an_opaque_subject_gets_its_name_from_the_audit_log() {
    let projection = folded();
    let user = projection.identity().user().unwrap();
    assert_eq!(&*user.name, "robin.sample@lab.example");
}

#[test]
fn filters_ask_for_fields_and_words() {
    let projection = folded();
    let rows = |text: &str| {
        let query = Query::parse(text);
        let rows = projection.audit().rows();
        rows.iter().filter(|row| row.matches(&query)).count()
    };
    assert_eq!(rows("status:failure"), 1);
    assert_eq!(rows("scope:write tool:delete"), 1);
    assert_eq!(rows("SUPABASE -tool:escalate"), 1);
    assert_eq!(rows(""), projection.audit().rows().len());
    let query = Query::parse("status:denied");
    let denied = projection
        .hops()
        .in_order()
        .filter(|hop| hop.matches(&query, tool_of(&projection, hop)))
        .count();
    assert_eq!(
        denied, 3,
        "the challenge, the refused exchange and its call"
    );
}

/// What the verdict says when one event is left out or changed.
#[test]
fn the_verdict_names_what_is_missing() {
    let judge = |keep: &dyn Fn(&Fact) -> bool| {
        let mut projection = Projection::starting(story::started());
        projection.extend(story::events().iter().filter(|event| keep(&event.fact)));
        projection.story().verdict().unwrap_err()
    };
    let without_scope = |scope: &str| {
        let scope = scope.to_owned();
        move |fact: &Fact| match fact {
            Fact::AuditRecorded(record) => !record.scopes.contains(&scope),
            _ => true,
        }
    };
    assert_eq!(
        judge(&without_scope("issues:create")),
        ["the Linear credential for issues:create was not issued"]
    );
    assert_eq!(
        judge(&without_scope("write")),
        ["the delete asked the zone for no Linear credential with write"]
    );
    assert_eq!(
        judge(&|fact| !matches!(fact, Fact::IssueSeen(_))),
        [
            "SUP-12 was filed, but nobody has seen it: Linear is the real one",
            "write was refused, but nobody has seen SUP-12",
        ]
    );
    // Without a console credential the zone's log is not read, and nothing is claimed of it.
    assert_eq!(
        judge(&|fact| !matches!(fact, Fact::AuditRecorded(_) | Fact::PolicyRead(_))),
        ["not observed: the zone's audit log was not read"]
    );
    assert_eq!(
        judge(&|_| false),
        ["no ticket was escalated", "no delete was tried"]
    );
}

#[test]
fn a_trashed_issue_breaks_the_story() {
    let mut events = story::events();
    let mut trashed = events
        .iter()
        .find(|event| matches!(event.fact, Fact::IssueSeen(_)))
        .unwrap()
        .clone();
    if let Fact::IssueSeen(issue) = &mut trashed.fact {
        issue.trashed = true;
    }
    events.push(trashed);
    let mut projection = Projection::starting(story::started());
    projection.extend(&events);
    assert_eq!(
        projection.story().verdict(),
        Err(vec!["SUP-12 is in the trash".to_owned()])
    );
}

fn fold(events: &[TraceEvent]) -> Projection {
    let mut projection = Projection::starting(story::started());
    projection.extend(events);
    projection
}

fn tool_of<'a>(projection: &'a Projection, hop: &Hop) -> Option<&'a str> {
    let call = projection.tools().call(hop.call?)?;
    Some(&call.tool)
}

fn exchanges(projection: &Projection) -> Vec<String> {
    projection
        .hops()
        .in_order()
        .filter(|hop| hop.kind == HopKind::Exchange)
        .map(|hop| {
            format!(
                "{} {} {:?} {}",
                hop.resource.as_deref().unwrap_or("?"),
                hop.scope.as_deref().unwrap_or("-"),
                hop.verdict,
                tool_of(projection, hop).unwrap_or("not observed")
            )
        })
        .collect()
}

#[test]
fn the_order_in_which_voices_arrive_does_not_matter() {
    let expected = exchanges(&folded());
    let mut events = story::events();
    // Every audit row comes before the server says a word, or after all has been said.
    for late in [false, true] {
        let rank = |event: &TraceEvent| matches!(event.fact, Fact::AuditRecorded(_)) == late;
        let calls = events
            .iter()
            .position(|event| matches!(event.fact, Fact::ToolCallStarted { .. }))
            .unwrap();
        // The calls' beginnings stay in front: a zone cannot know a call before it is made.
        events[calls..].sort_by_key(|event| {
            (
                !matches!(event.fact, Fact::ToolCallStarted { .. }),
                rank(event),
            )
        });
        let projection = fold(&events);
        let mut shown = exchanges(&projection);
        shown.sort();
        let mut expected = expected.clone();
        expected.sort();
        assert_eq!(shown, expected);
        assert_eq!(projection.story().verdict(), Ok(()));
    }
}

/// A server that is not ours tells no steps, and may hand one `traceparent` on unchanged.
#[test]
fn a_server_that_reuses_one_span_still_gets_a_row_for_each_exchange() {
    let events: Vec<_> = story::events()
        .into_iter()
        .filter(|event| !matches!(event.fact, Fact::StepReported(_)))
        .map(|mut event| {
            let same = SpanId(7);
            match &mut event.fact {
                Fact::AuditRecorded(record) => {
                    record.trace_parent.iter_mut().for_each(|p| p.span = same);
                }
                Fact::UpstreamAnswered(request) => {
                    request.trace_parent.iter_mut().for_each(|p| p.span = same);
                }
                _ => {}
            }
            event
        })
        .collect();
    let projection = fold(&events);
    assert_eq!(exchanges(&projection), exchanges(&folded()));
    assert_eq!(projection.story().verdict(), Ok(()));
}

/// The story of a server that hands no `traceparent` on, each event changed.
fn without_trace_context(change: impl Fn(&mut TraceEvent)) -> Vec<TraceEvent> {
    story::events()
        .into_iter()
        .filter(|event| !matches!(event.fact, Fact::StepReported(_)))
        .map(|mut event| {
            match &mut event.fact {
                Fact::AuditRecorded(record) => record.trace_parent = None,
                Fact::UpstreamAnswered(request) => request.trace_parent = None,
                _ => return event,
            }
            event.span = None;
            event.call = None;
            change(&mut event);
            event
        })
        .collect()
}

/// The caller's own token tells whose call it was.
#[test]
fn without_a_trace_context_an_exchange_with_ones_own_token_is_the_only_calls_under_way() {
    let projection = fold(&without_trace_context(|_| {}));
    assert_eq!(exchanges(&projection), exchanges(&folded()));
    assert_eq!(projection.story().verdict(), Ok(()));
}

/// The exchange is seen, its call is not, and none is guessed.
#[test]
fn without_a_trace_context_and_with_another_token_it_is_not_observed_which_call_it_was() {
    let projection = fold(&without_trace_context(|event| {
        if let Fact::AuditRecorded(record) = &mut event.fact {
            record.subject_token = None;
        }
    }));
    let rows = exchanges(&projection);
    assert_eq!(rows.len(), 6);
    assert!(
        rows.iter().all(|row| row.ends_with("not observed")),
        "{rows:?}"
    );
    assert!(projection.story().verdict().is_err());
}

#[test]
fn without_a_trace_context_nobody_tells_two_calls_at_once_apart() {
    let mut events = without_trace_context(|_| {});
    let first = events
        .iter()
        .position(|event| matches!(event.fact, Fact::ToolCallStarted { .. }))
        .unwrap();
    let mut another = events[first].clone();
    another.call = Some(TraceId(7));
    events.insert(first, another);
    let rows = exchanges(&fold(&events));
    assert_eq!(rows.len(), 6);
    assert!(
        rows.iter().all(|row| row.ends_with("not observed")),
        "{rows:?}"
    );
}

#[test]
fn a_feed_that_tells_a_row_twice_counts_it_once() {
    let events = story::events();
    let again: Vec<_> = events
        .iter()
        .filter(|event| matches!(event.fact, Fact::AuditRecorded(_)))
        .cloned()
        .collect();
    let projection = fold(&[events, again.clone()].concat());
    assert_eq!(projection.audit().repeated(), again.len() as u64);
    assert_eq!(
        (projection.audit().issued(), projection.audit().failed()),
        (6, 1)
    );
    assert_eq!(projection.story().verdict(), Ok(()));
}

#[test]
fn rows_are_told_apart_by_the_end_of_a_long_id_too() {
    let mut events = story::events();
    let head = "x".repeat(1_000);
    for event in &mut events {
        if let Fact::AuditRecorded(record) = &mut event.fact {
            record.id = format!("{head}{}", record.id);
        }
    }
    let projection = fold(&events);
    assert_eq!(projection.audit().repeated(), 0);
    assert_eq!(projection.story().verdict(), Ok(()));
}
