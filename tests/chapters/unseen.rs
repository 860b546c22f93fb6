//! What the checks say where the zone's log and console are closed to hoptrail: what a person has to
//! look at, and never that it waits for something that cannot come.

use hoptrail::{
    chapters::{
        Reading, Status,
        probe::{ProbeResults, ScopeAnswer},
    },
    projection::Projection,
    trace::event::{ConsoleDoor, Target},
};
use rstest::rstest;

use crate::{book, status, told_otherwise};

/// What tells of the zone: its audit feed and the reads of its console.
const ZONE_FACTS: [&str; 3] = ["audit_recorded", "policy_read", "sessions_read"];

/// A run in front of which the zone's console is closed.
#[derive(Debug, Clone, Copy)]
enum Closed {
    /// Somebody's own server with a zone of Keycard's.
    RealZone,
    /// A lab of another process, without its console's credential.
    Lab,
}

impl Closed {
    fn told(self, change: impl Fn(&str) -> Option<String>) -> Projection {
        told_otherwise(|line| {
            let zone = ZONE_FACTS.iter().any(|fact| line.contains(fact));
            let begun = match self {
                Self::RealZone => line.replace(r#""lab":true,"name""#, r#""lab":false,"name""#),
                Self::Lab => {
                    line.replace(r#""name":"LAB","#, r#""name":"LAB","console":"closed","#)
                }
            };
            (!zone).then_some(begun).and_then(|line| change(&line))
        })
    }

    fn story(self) -> Projection {
        let story = self.told(|line| Some(line.to_owned()));
        let target = story.target().unwrap();
        assert!(!target.tells_of_the_zone(), "{target:?}");
        story
    }
}

fn look_at(status: Status) -> String {
    match status {
        Status::NotObservable { look_at } => look_at,
        other => panic!("{other:?}"),
    }
}

/// Each kind of check that rests on the zone's log or console.
#[rstest]
#[case::rows_of_a_token("sign-in", "one-row", &["1 credentials:issue for the MCP server", "your client for you"])]
#[case::rows_of_calls("vault", "per-call", &["1 credentials:issue for Supabase within", "by the application for you"])]
#[case::rows_in_order("in-your-name", "four-in-order", &["the rows of escalate_ticket, in order: one for Supabase, issued; one for Anthropic"])]
#[case::a_refused_row("limit", "delete-refused", &["Linear with write refused by limit-linear-scopes within delete_issue"])]
#[case::two_calls("whole-trail", "audit-table", &["escalate_ticket and delete_issue", "one for Linear with write, refused"])]
#[case::policies("limit", "active-set", &["Policy Sets", "carries default-user-grants"])]
#[case::policies_among_others("limit", "escalation-green", &["limit-linear-scopes"])]
#[case::sessions("whole-trail", "session", &["Sessions", "a session that touched something"])]
#[case::the_author("in-your-name", "author", &["the author of SUP-12 in Linear: it must be you"])]
fn what_only_the_zone_tells_is_not_waited_for(
    #[values(Closed::RealZone, Closed::Lab)] closed: Closed,
    #[case] chapter: &str,
    #[case] check: &str,
    #[case] words: &[&str],
) {
    let story = closed.story();
    let results = ProbeResults::of_trace(&story);
    let told = look_at(status(chapter, check, &story, &results));
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
}

#[rstest]
#[case(
    Closed::RealZone,
    "the Audit Log of your zone, in the Keycard console: "
)]
#[case(Closed::Lab, "reads itself with the lab's --state: ")]
fn it_is_said_where(#[case] closed: Closed, #[case] words: &str) {
    let story = closed.story();
    let told = look_at(status(
        "sign-in",
        "one-row",
        &story,
        &ProbeResults::default(),
    ));
    assert!(told.contains(words), "{told}");
}

/// What the client sees itself needs no zone to tell it.
#[rstest]
#[case("sign-in", "trail")]
#[case("sign-in", "audience")]
#[case("vault", "tickets-read")]
#[case("mask", "nothing-personal")]
#[case("in-your-name", "footer")]
#[case("limit", "still-there")]
fn what_the_client_sees_passes_all_the_same(
    #[values(Closed::RealZone, Closed::Lab)] closed: Closed,
    #[case] chapter: &str,
    #[case] check: &str,
) {
    let story = closed.story();
    let results = ProbeResults::of_trace(&story);
    let status = status(chapter, check, &story, &results);
    assert!(matches!(status, Status::Passed { .. }), "{status:?}");
}

/// Before anything was done there is nothing to look at in the zone either.
#[rstest]
#[case("sign-in", "one-row", "you to sign in")]
#[case("vault", "per-call", "a call of")]
#[case("in-your-name", "four-in-order", "a call of escalate_ticket")]
#[case("limit", "delete-refused", "a call of delete_issue")]
fn what_was_not_done_yet_still_waits(
    #[values(Closed::RealZone, Closed::Lab)] closed: Closed,
    #[case] chapter: &str,
    #[case] check: &str,
    #[case] words: &str,
) {
    let begun = closed.told(|line| {
        let begins = ["run_started", "lab_started"];
        begins
            .iter()
            .any(|fact| line.contains(fact))
            .then(|| line.to_owned())
    });
    match status(chapter, check, &begun, &ProbeResults::default()) {
        Status::Pending { waiting_for } => assert!(waiting_for.contains(words), "{waiting_for}"),
        other => panic!("{other:?}"),
    }
}

/// A refusal that the server keeps to itself can be read in the zone's log.
#[test]
fn a_refusal_that_the_server_does_not_tell_is_looked_up() {
    let mute = Closed::RealZone.told(|line| Some(line.replace("denied by policy", "not possible")));
    let told = look_at(status(
        "limit",
        "delete-refused",
        &mute,
        &ProbeResults::default(),
    ));
    assert!(told.contains("Audit Log"), "{told}");
}

/// Without a token there was nothing to exchange, whatever the zone would tell; with one, only a
/// person can say.
#[test]
fn who_filed_an_issue_without_a_token_needs_no_zone() {
    let story = Closed::RealZone.story();
    let told = look_at(status(
        "open-door",
        "not-you",
        &story,
        &ProbeResults::default(),
    ));
    assert!(told.contains("whoever made the one Linear key"), "{told}");
    let anonymous = Closed::RealZone.told(|line| {
        Some(
            line.replace(r#"["authorization","#, r#"["x-nothing","#)
                .replace(r#"["Authorization","#, r#"["x-nothing","#),
        )
    });
    let status = status("open-door", "not-you", &anonymous, &ProbeResults::default());
    let Status::Passed { evidence } = &status else {
        panic!("{status:?}");
    };
    assert_eq!(evidence.len(), 2, "the request and the issue: {evidence:?}");
}

/// The run of a server that passes no `traceparent` on, its exchanges changed.
fn without_traceparent(change: impl Fn(&mut serde_json::Value)) -> Projection {
    told_otherwise(|line| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(record) = event.pointer_mut("/fact/audit_recorded") {
            let exchange = record["grant_type"]
                .as_str()
                .is_some_and(|it| it.contains("token-exchange"));
            if exchange {
                record.as_object_mut().unwrap().remove("trace_parent");
                change(record);
                event.as_object_mut().unwrap().remove("call");
            }
        }
        Some(event.to_string())
    })
}

/// Its rows name no call. With the client's own token they are the call's that was under way.
#[rstest]
#[case("vault", "per-call")]
#[case("in-your-name", "four-in-order")]
#[case("in-your-name", "author")]
#[case("limit", "delete-refused")]
#[case("whole-trail", "audit-table")]
fn rows_with_ones_own_token_are_the_calls_that_was_under_way(
    #[case] chapter: &str,
    #[case] check: &str,
) {
    let story = without_traceparent(|_| {});
    let status = status(chapter, check, &story, &ProbeResults::of_trace(&story));
    assert!(matches!(status, Status::Passed { .. }), "{status:?}");
}

/// With somebody else's token, or when nothing was under way, they are nobody's.
#[rstest]
fn rows_that_name_no_call_are_nobodys(
    #[values(
        ("vault", "per-call"),
        ("in-your-name", "four-in-order"),
        ("in-your-name", "author"),
        ("limit", "delete-refused"),
        ("whole-trail", "audit-table")
    )]
    (chapter, check): (&str, &str),
    #[values(
        ("/subject_token/fingerprint", "00000000"),
        ("/occurred_at", "2099-01-01T00:00:00Z")
    )]
    (place, value): (&str, &str),
) {
    let nameless = without_traceparent(|record| {
        *record.pointer_mut(place).unwrap() = value.into();
    });
    let results = ProbeResults::of_trace(&nameless);
    let told = look_at(status(chapter, check, &nameless, &results));
    assert!(
        told.contains("traceparent") || told.contains("in Linear"),
        "{told}"
    );
}

/// A zone that names a policy by its place in the set says nothing to who cannot read the set.
#[rstest]
#[case::named("set::limit-linear-scopes", "passed")]
#[case::another("set::mine", "failed")]
#[case::by_its_place("set::policy3", "not observable")]
fn a_policy_is_known_by_its_name(#[case] id: &str, #[case] word: &str) {
    let mut results = ProbeResults::default();
    for scope in ["admin", "made:up"] {
        let refused = ScopeAnswer::Refused {
            policy: Some(id.to_owned()),
        };
        results
            .scopes
            .insert(scope.to_owned(), Reading::Told(refused));
    }
    let story = Closed::RealZone.story();
    let status = status("limit", "others-refused", &story, &results);
    assert_eq!(status.word(), word, "{status:?}");
}

/// The zone's objects are not asked for by a trace at all; a probe says where they are.
#[test]
fn the_objects_of_a_zone_are_looked_at_in_its_console() {
    let story = Closed::RealZone.story();
    let results = ProbeResults {
        zone: Reading::Unavailable {
            look_at: "Resources and Applications, in the console of your zone".to_owned(),
        },
        ..ProbeResults::of_trace(&story)
    };
    for check in [
        "mcp-resource",
        "supabase-resource",
        "application",
        "credential",
    ] {
        let told = look_at(status("your-zone", check, &story, &results));
        assert!(
            told.contains("Resources and Applications"),
            "{check}: {told}"
        );
    }
}

/// No check of any chapter waits for a row, a policy or a session that nobody will tell.
#[test]
fn no_check_waits_for_a_closed_zone() {
    for closed in [Closed::RealZone, Closed::Lab] {
        let story = closed.story();
        let results = ProbeResults::of_trace(&story);
        for chapter in book().chapters {
            for check in chapter
                .checks
                .iter()
                .filter(|check| check.expect.probes().is_empty())
            {
                if let Status::Pending { waiting_for } = chapter.status(check, &story, &results) {
                    panic!(
                        "{closed:?}, {}/{} waits for {waiting_for}",
                        chapter.id, check.id
                    );
                }
            }
        }
    }
}

/// An older trace has no word on it: then a lab tells, and nobody else does.
#[rstest]
#[case(r#"{"lab":true,"name":"LAB","server":""}"#, true)]
#[case(
    r#"{"lab":false,"name":"localhost:8000","server":"http://localhost:8000/mcp"}"#,
    false
)]
#[case(r#"{"lab":true,"name":"LAB","server":"","console":"closed"}"#, false)]
fn who_tells_of_the_zone_is_in_the_trace(#[case] target: &str, #[case] tells: bool) {
    let target: Target = serde_json::from_str(target).unwrap();
    assert_eq!(target.tells_of_the_zone(), tells);
    let again = serde_json::to_string(&target).unwrap();
    assert_eq!(
        again.contains("console"),
        target.console == ConsoleDoor::Closed
    );
}
