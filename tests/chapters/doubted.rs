//! A tool got no credential and its server does not say why: the zone is asked itself.

use std::{cell::Cell, collections::BTreeSet};

use hoptrail::{
    chapters::{
        Book, Reading, Status,
        check::{Doubts, doubts},
        expect::Service,
        probe::{Exchange, ExchangeAnswer, ProbeResults},
    },
    projection::{Projection, Seq},
};
use rstest::rstest;
use serde_json::Value;

use crate::{
    authors::{HEAD, SECTIONS},
    status, story, told_otherwise,
};

/// The SDK's own words (facts/keycard.md, 2.6): the resource, and nothing of the reason.
const SDK: &str = "Cannot access resource 'http://127.0.0.1:8101': Token exchange failed for \
                   http://127.0.0.1:8101";

/// The story with a tool that had no credential, and a zone whose log nobody reads.
fn unexplained(tool: &str) -> Projection {
    told_otherwise(|line| {
        if line.contains("audit_recorded") || line.contains("issue_") {
            return None;
        }
        let mut event: Value = serde_json::from_str(line).unwrap();
        if event.pointer("/fact/tool_call_finished/tool") == Some(&tool.into()) {
            fails(&mut event);
        }
        Some(event.to_string())
    })
}

/// A call's end, made one without a credential.
fn fails(event: &mut Value) {
    let finished = &mut event["fact"]["tool_call_finished"];
    finished["outcome"] = "failed".into();
    finished["text"] = SDK.into();
}

fn exchange(service: Service, scope: Option<&'static str>) -> Exchange {
    Exchange { service, scope }
}

/// Where the latest call of a tool ended.
fn end_of(tool: &str, trace: &Projection) -> Seq {
    trace.tools().latest(tool).unwrap().finished.unwrap()
}

/// What the zone answered about the latest call of a tool.
fn asked(
    tool: &str,
    trace: &Projection,
    exchanges: impl IntoIterator<Item = (Exchange, ExchangeAnswer)>,
) -> ProbeResults {
    let answers = exchanges
        .into_iter()
        .map(|(exchange, answer)| (exchange, Reading::Told(answer)));
    ProbeResults {
        doubts: [(end_of(tool, trace), answers.collect())].into(),
        ..ProbeResults::default()
    }
}

fn refused(error: &str, description: &str) -> ExchangeAnswer {
    ExchangeAnswer::Refused {
        error: error.to_owned(),
        description: description.to_owned(),
    }
}

fn failed(status: Status) -> (String, String) {
    match status {
        Status::Failed { because, fix } => (because, fix),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case("vault", "get_support_tickets", &[(Service::Supabase, None)])]
#[case("mask", "escalate_ticket", &[(Service::Supabase, None), (Service::Anthropic, None)])]
#[case("in-your-name", "escalate_ticket", &[
    (Service::Supabase, None),
    (Service::Anthropic, None),
    (Service::Linear, Some("issues:create")),
    (Service::Linear, Some("read")),
])]
#[case("in-your-name", "delete_issue", &[(Service::Linear, Some("write"))])]
// What the policy is meant to refuse is not asked for.
#[case("limit", "delete_issue", &[])]
fn the_zone_is_asked_for_what_the_tool_needed(
    #[case] chapter: &str,
    #[case] tool: &str,
    #[case] expected: &[(Service, Option<&'static str>)],
) {
    let book = Book::embedded().unwrap();
    let chapter = book.get(chapter).unwrap();
    let wanted: BTreeSet<Exchange> = expected
        .iter()
        .map(|(service, scope)| exchange(*service, *scope))
        .collect();
    let trace = unexplained(tool);
    let found = doubts(chapter, &trace, &ProbeResults::default());
    if wanted.is_empty() {
        assert_eq!(found, Doubts::new());
        return;
    }
    assert_eq!(found, Doubts::from([(end_of(tool, &trace), wanted)]));
    // What the zone answered is not asked again; what it did not answer is.
    let answered = expected
        .iter()
        .skip(1)
        .map(|(service, scope)| (exchange(*service, *scope), ExchangeAnswer::Issued));
    let rest = doubts(chapter, &trace, &asked(tool, &trace, answered));
    let left: Vec<_> = rest.into_values().flatten().collect();
    assert_eq!(left, [exchange(expected[0].0, expected[0].1)]);
}

/// What a tool failed at besides is nothing to ask the zone about.
#[test]
fn a_failure_of_something_else_is_not_asked_about() {
    let book = Book::embedded().unwrap();
    let chapter = book.get("in-your-name").unwrap();
    let trace = told_otherwise(|line| {
        if line.contains("audit_recorded") {
            return None;
        }
        let mut event: Value = serde_json::from_str(line).unwrap();
        if event.pointer("/fact/tool_call_finished/tool") == Some(&"escalate_ticket".into()) {
            let finished = &mut event["fact"]["tool_call_finished"];
            finished["outcome"] = "failed".into();
            finished["text"] = "Linear API returned 401: the credential is not valid".into();
        }
        Some(event.to_string())
    });
    let nothing = ProbeResults::default();
    assert_eq!(doubts(chapter, &trace, &nothing), Doubts::new());
    let (because, _) = failed(status("in-your-name", "author", &trace, &nothing));
    assert!(because.contains("without Bearer"), "{because}");
}

/// What hoptrail asked itself explains a failure, and passes no check.
#[test]
fn the_zones_answer_to_hoptrail_passes_nothing() {
    let head = HEAD.replace("stage = 0", "stage = 6").replace(
        "\"signed_in\"",
        "{ said = { contains = \"consent is required\" } }",
    );
    let text = format!("{head}<!-- check: one -->\n{SECTIONS}");
    let book = Book::parse([("00-a.md", text.as_str())]).unwrap();
    let chapter = book.get("a").unwrap();
    let trace = unexplained("escalate_ticket");
    let no_consent = refused("insufficient_authorization", "User consent is required.");
    let read = exchange(Service::Linear, Some("read"));
    let results = asked("escalate_ticket", &trace, [(read, no_consent)]);
    let told = chapter.status(chapter.check("one").unwrap(), &trace, &results);
    assert!(matches!(told, Status::Pending { .. }), "{told:?}");
}

#[test]
fn what_the_log_tells_is_not_asked_again() {
    let book = Book::embedded().unwrap();
    let vault = book.get("vault").unwrap();
    let told = told_otherwise(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        if event.pointer("/fact/tool_call_finished/tool") == Some(&"get_support_tickets".into()) {
            fails(&mut event);
        }
        // The tickets' exchange is the story's fourth row.
        if let Some(record) = event.pointer_mut("/fact/audit_recorded")
            && record["sequence"] == 4
        {
            record["status"] = "Failure".into();
            record["error"] = "invalid_target".into();
            record["reason"] = "Requested authorization for unknown resource x".into();
            record.as_object_mut().unwrap().remove("credential");
        }
        Some(event.to_string())
    });
    let nothing = ProbeResults::default();
    assert_eq!(doubts(vault, &told, &nothing), Doubts::new());
    let (because, fix) = failed(status("vault", "tickets-read", &told, &nothing));
    assert!(
        because.contains(
            "the zone's log says invalid_target: Requested authorization for unknown resource x"
        ),
        "{because}"
    );
    assert!(fix.starts_with("Copy the registered identifier"), "{fix}");
    let well = doubts(vault, &story(), &nothing);
    assert_eq!(well, Doubts::new(), "nothing failed");
}

#[rstest]
#[case(
    "invalid_client",
    "",
    "a client id or secret",
    "Create a new credential"
)]
#[case(
    "invalid_target",
    "Requested authorization for unknown resource http://127.0.0.1:8101/",
    "a SUPABASE_URL that is not",
    "Copy the registered identifier"
)]
#[case(
    "insufficient_authorization",
    "User consent is required.",
    "added after you had consented",
    "Sign out"
)]
#[case(
    "access_denied",
    "Application \"mine\" is not allowed to access \"Supabase\".",
    "a dependency that is missing",
    "Add Supabase"
)]
fn what_the_zone_answers_names_the_cause(
    #[case] error: &str,
    #[case] description: &str,
    #[case] cause: &str,
    #[case] remedy: &str,
) {
    let answer = refused(error, description);
    let trace = unexplained("get_support_tickets");
    let exchanges = [(exchange(Service::Supabase, None), answer)];
    let results = asked("get_support_tickets", &trace, exchanges);
    let (because, fix) = failed(status("vault", "tickets-read", &trace, &results));
    let said = format!("asked by hoptrail for Supabase, the zone says {error}");
    assert!(because.contains(&said), "{because}");
    assert!(because.contains(cause), "{because}");
    assert!(fix.starts_with(remedy), "{fix}");
}

/// The attendee mended the `.env` and forgot to start the server again.
#[rstest]
#[case("vault", "tickets-read", "get_support_tickets", &[(Service::Supabase, None)])]
#[case("mask", "title", "escalate_ticket", &[(Service::Supabase, None), (Service::Anthropic, None)])]
#[case("in-your-name", "footer", "escalate_ticket", &[(Service::Linear, Some("read"))])]
fn where_the_zone_would_issue_the_server_has_another_env(
    #[case] chapter: &str,
    #[case] check: &str,
    #[case] tool: &str,
    #[case] exchanges: &[(Service, Option<&'static str>)],
) {
    let issued = exchanges
        .iter()
        .map(|(service, scope)| (exchange(*service, *scope), ExchangeAnswer::Issued));
    let trace = unexplained(tool);
    let results = asked(tool, &trace, issued);
    let (because, fix) = failed(status(chapter, check, &trace, &results));
    assert!(because.contains("started with an older .env"), "{because}");
    assert!(fix.starts_with("Start the server again"), "{fix}");
}

/// Nothing is escalated where no ticket could be listed: that is the reason, and not that nobody tried.
#[rstest]
#[case("mask", "two-credentials")]
#[case("in-your-name", "author")]
#[case("limit", "escalation-green")]
fn what_waits_for_a_call_says_why_none_could_be_made(#[case] chapter: &str, #[case] check: &str) {
    let is_listed = Cell::new(false);
    let trace = told_otherwise(|line| {
        if line.contains("audit_recorded") || is_listed.get() {
            return None;
        }
        let mut event: Value = serde_json::from_str(line).unwrap();
        if event.pointer("/fact/tool_call_finished").is_some() {
            fails(&mut event);
            is_listed.set(true);
        }
        Some(event.to_string())
    });
    // The set in force is not what is looked at here.
    let results = ProbeResults::default();
    match status(chapter, check, &trace, &results) {
        Status::Failed { because, .. } => {
            assert!(
                because.starts_with("get_support_tickets failed"),
                "{because}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// Until the zone answered, and where it does not, no cause is made up.
#[test]
fn without_an_answer_no_cause_is_named() {
    let trace = unexplained("get_support_tickets");
    let unanswered = Reading::Failed {
        because: "the zone did not answer".to_owned(),
    };
    let answers = [(exchange(Service::Supabase, None), unanswered)].into();
    let silent = ProbeResults {
        doubts: [(end_of("get_support_tickets", &trace), answers)].into(),
        ..ProbeResults::default()
    };
    for results in [ProbeResults::default(), silent] {
        let (because, fix) = failed(status("vault", "tickets-read", &trace, &results));
        assert!(!because.contains("likely"), "{because}");
        assert!(fix.starts_with("Make the call work first"), "{fix}");
    }
}
