//! A tool got no credential and its server does not say why: the zone is asked itself.

use hoptrail::{
    chapters::{
        Book, Probe, Reading, Status,
        check::doubts,
        expect::Service,
        probe::{Exchange, ExchangeAnswer, ProbeResults},
    },
    projection::Projection,
};
use rstest::rstest;
use serde_json::Value;

use crate::{status, story, told_otherwise};

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

fn asked(exchanges: impl IntoIterator<Item = (Exchange, ExchangeAnswer)>) -> ProbeResults {
    ProbeResults {
        exchanges: exchanges
            .into_iter()
            .map(|(exchange, answer)| (exchange, Reading::Told(answer)))
            .collect(),
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
// The story's delete fails as well.
#[case("in-your-name", "escalate_ticket", &[
    (Service::Supabase, None),
    (Service::Anthropic, None),
    (Service::Linear, Some("issues:create")),
    (Service::Linear, Some("read")),
    (Service::Linear, Some("write")),
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
    let expected: Vec<Probe> = expected
        .iter()
        .map(|(service, scope)| Probe::Exchange(exchange(*service, *scope)))
        .collect();
    let trace = unexplained(tool);
    assert_eq!(doubts(chapter, &trace, &ProbeResults::default()), expected);
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
    assert_eq!(doubts(vault, &told, &nothing), []);
    let (because, fix) = failed(status("vault", "tickets-read", &told, &nothing));
    assert!(
        because.contains(
            "the zone's log says invalid_target: Requested authorization for unknown resource x"
        ),
        "{because}"
    );
    assert!(fix.starts_with("Copy the registered identifier"), "{fix}");
    assert_eq!(doubts(vault, &story(), &nothing), [], "nothing failed");
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
    let results = asked([(exchange(Service::Supabase, None), answer)]);
    let trace = unexplained("get_support_tickets");
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
    let (because, fix) = failed(status(chapter, check, &unexplained(tool), &asked(issued)));
    assert!(because.contains("started with an older .env"), "{because}");
    assert!(fix.starts_with("Start the server again"), "{fix}");
}

/// Until the zone answered, and where it does not, no cause is made up.
#[test]
fn without_an_answer_no_cause_is_named() {
    let trace = unexplained("get_support_tickets");
    let mut silent = ProbeResults::default();
    silent.exchanges.insert(
        exchange(Service::Supabase, None),
        Reading::Failed {
            because: "the zone did not answer".to_owned(),
        },
    );
    for results in [ProbeResults::default(), silent] {
        let (because, fix) = failed(status("vault", "tickets-read", &trace, &results));
        assert!(!because.contains("likely"), "{because}");
        assert!(fix.starts_with("Make the call work first"), "{fix}");
    }
}
