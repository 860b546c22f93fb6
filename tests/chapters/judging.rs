//! What checks say of a run, by its trace and by what probes brought back.

use hoptrail::{
    chapters::{
        Evidence, Reading, Status,
        expect::Service,
        probe::{
            HttpAnswer, HttpProbe, ProbeResults, ResourceMetadata, ScopeAnswer, Trial, TrialEnd,
            Untried,
        },
    },
    projection::Projection,
};
use rstest::rstest;

use crate::{book, status, story, told_otherwise};

#[test]
fn nothing_passes_before_anything_happened() {
    let empty = Projection::default();
    let none = ProbeResults::default();
    for chapter in book().chapters {
        for check in &chapter.checks {
            let status = chapter.status(check, &empty, &none);
            assert!(
                !matches!(status, Status::Passed { .. } | Status::Failed { .. }),
                "{}/{}: {status:?}",
                chapter.id,
                check.id
            );
        }
    }
}

/// What the recorded run of the finished workshop shows. The other checks need a server of an
/// earlier stage (0 to 5, and 6's delete) or probes.
#[rstest]
#[case("sign-in", "trail")]
#[case("sign-in", "audience")]
#[case("sign-in", "issuer")]
#[case("sign-in", "subject")]
#[case("sign-in", "one-row")]
#[case("vault", "per-call")]
#[case("vault", "tickets-read")]
#[case("vault", "env-url")]
#[case("mask", "nothing-personal")]
#[case("mask", "placeholders")]
#[case("mask", "labels")]
#[case("mask", "priority")]
#[case("mask", "title")]
#[case("in-your-name", "four-in-order")]
#[case("in-your-name", "author")]
#[case("in-your-name", "footer")]
#[case("limit", "active-set")]
#[case("limit", "escalation-green")]
#[case("limit", "delete-refused")]
#[case("limit", "still-there")]
#[case("whole-trail", "audit-table")]
#[case("whole-trail", "session")]
#[case("whole-trail", "env-before")]
#[case("whole-trail", "env-after")]
fn a_finished_run_passes(#[case] chapter: &str, #[case] check: &str) {
    let story = story();
    let results = ProbeResults::of_trace(&story);
    let status = status(chapter, check, &story, &results);
    let Status::Passed { evidence } = &status else {
        panic!("{chapter}/{check}: {status:?}");
    };
    assert!(
        !evidence.is_empty(),
        "{chapter}/{check} has nothing to show"
    );
    for one in evidence {
        match one {
            Evidence::Event(seq) => assert!(story.log().line(*seq).is_some()),
            Evidence::Hop(id) => assert!(story.hops().get(*id).is_some()),
            Evidence::Row(id) => assert!(story.audit().get(*id).is_some()),
            Evidence::Probe(_) => {}
        }
    }
}

/// A finished run is not chapter 0 any more, and the checks say so instead of passing.
#[rstest]
#[case("open-door", "anonymous-list", "carried a token")]
#[case("open-door", "anonymous-escalation", "carried a token")]
#[case("open-door", "card-verbatim", "card number is not in")]
#[case("open-door", "not-you", "a credential of your own")]
#[case("open-door", "linear-key", "LINEAR_API_KEY is not set")]
#[case("mask", "two-credentials", "there are 4 rows and not 2")]
#[case("in-your-name", "delete-works", "delete_issue failed")]
fn a_finished_run_fails_earlier_chapters(
    #[case] chapter: &str,
    #[case] check: &str,
    #[case] words: &str,
) {
    let story = story();
    let results = ProbeResults::of_trace(&story);
    let Status::Failed { because, fix } = status(chapter, check, &story, &results) else {
        panic!("{chapter}/{check} did not fail");
    };
    assert!(because.contains(words), "{because}");
    assert!(!fix.is_empty());
}

#[test]
fn a_failure_names_the_likely_mistake_and_its_fix() {
    let story = story();
    let results = ProbeResults::of_trace(&story);
    let Status::Failed { because, fix } = status("in-your-name", "delete-works", &story, &results)
    else {
        panic!("it passed");
    };
    assert!(
        because.contains("likely the limit of the next chapter"),
        "{because}"
    );
    assert!(fix.contains("default set"), "{fix}");
}

/// Each check rests on what it speaks of: without that it does not pass.
#[rstest]
#[case::audit("audit_recorded", &[
    ("sign-in", "one-row"), ("vault", "per-call"), ("in-your-name", "four-in-order"),
    ("in-your-name", "author"), ("limit", "escalation-green"), ("limit", "delete-refused"),
    ("whole-trail", "audit-table"), ("whole-trail", "session"),
])]
#[case::issue("issue_seen", &[
    ("mask", "nothing-personal"), ("mask", "placeholders"), ("mask", "labels"),
    ("mask", "priority"), ("mask", "title"), ("in-your-name", "author"),
    ("in-your-name", "footer"), ("limit", "still-there"),
])]
#[case::tickets("tool_call_finished", &[
    ("mask", "nothing-personal"), ("vault", "tickets-read"), ("limit", "delete-refused"),
])]
#[case::policy("policy_read", &[("limit", "active-set")])]
#[case::token("token_issued", &[
    ("sign-in", "audience"), ("sign-in", "issuer"), ("sign-in", "subject"),
])]
#[case::registration("\"leg\":\"registration\"", &[("sign-in", "trail")])]
#[case::resource("protected_resource\",", &[("sign-in", "trail")])]
#[case::env("env_read", &[
    ("in-your-name", "key-gone"), ("vault", "env-url"), ("whole-trail", "env-before"),
    ("whole-trail", "env-after"),
])]
fn without_its_facts_a_check_does_not_pass(#[case] fact: &str, #[case] checks: &[(&str, &str)]) {
    let blind = told_otherwise(|line| (!line.contains(fact)).then(|| line.to_owned()));
    let results = ProbeResults::of_trace(&blind);
    for (chapter, check) in checks {
        let status = status(chapter, check, &blind, &results);
        assert!(
            !matches!(status, Status::Passed { .. }),
            "{chapter}/{check}: {status:?}"
        );
    }
}

/// A run that went wrong, and what its checks say then.
#[rstest]
#[case::delete_went_through(
    ("\"status\":\"Failure\"", "\"status\":\"Issued\""),
    ("limit", "delete-refused"), "for Linear with write, issued"
)]
#[case::somebody_elses_policy(
    ("ps-with-limits::limit-linear-scopes\"]", "ps-with-limits::other\"]"),
    ("limit", "delete-refused"), "for Linear with write, refused by other"
)]
#[case::too_wide_a_scope(
    ("\"scopes\":[\"issues:create\"]", "\"scopes\":[\"write\"]"),
    ("in-your-name", "four-in-order"), "row 4 is one for Linear with write"
)]
#[case::a_card_slipped_through(
    ("charged twice to [CREDIT_CARD_1]", "charged twice to CARD"),
    ("mask", "nothing-personal"), "the customer's card number stands in SUP-12"
)]
#[case::trashed(
    ("\"trashed\":false", "\"trashed\":true"),
    ("limit", "still-there"), "SUP-12 is in the trash"
)]
#[case::forbid_missing(
    ("\"name\":\"limit-linear-scopes\"", "\"name\":\"draft\""),
    ("limit", "active-set"), "the active set does not carry limit-linear-scopes"
)]
#[case::permit_for_forbid(
    ("\"cedar_raw\":\"forbid", "\"cedar_raw\":\"permit"),
    ("limit", "active-set"), "limit-linear-scopes is active and does not forbid"
)]
#[case::list_with_write(
    (r#"([\"read\", "#, r#"([\"read\", \"write\", "#),
    ("limit", "active-set"), "lets write through; likely a list in the rule that allows write"
)]
#[case::list_too_narrow(
    (r#", \"issues:create\"]"#, "]"),
    ("limit", "active-set"), "refuses issues:create, too; likely a list in the rule that leaves out"
)]
#[case::other_audience(
    ("\"aud\":\"http://127.0.0.1:8000/mcp\"", "\"aud\":\"http://127.0.0.1:9/mcp\""),
    ("sign-in", "audience"), "the token's aud is not the MCP server"
)]
#[case::key_left_behind(
    ("\"name\":\"SUPABASE_URL\",\"kind\":\"config\"", "\"name\":\"LINEAR_API_KEY\",\"kind\":\"secret\""),
    ("in-your-name", "key-gone"), "LINEAR_API_KEY is still set in .env"
)]
fn a_run_that_went_wrong_is_told_apart(
    #[case] (old, new): (&str, &str),
    #[case] (chapter, check): (&str, &str),
    #[case] words: &str,
) {
    let card = story()
        .issues()
        .tickets()
        .iter()
        .flat_map(|ticket| ticket.body.split(['\n', '.']))
        .find_map(|text| text.split("charged twice to ").nth(1))
        .map(str::to_owned);
    let new = new.replace("CARD", card.as_deref().unwrap_or("CARD"));
    let wrong = told_otherwise(|line| Some(line.replace(old, &new)));
    let results = ProbeResults::of_trace(&wrong);
    match status(chapter, check, &wrong, &results) {
        Status::Failed { because, fix } => {
            assert!(because.contains(words), "{because}");
            assert!(!fix.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn older_calls_do_not_count_within_a_chapter() {
    let story = story();
    let results = ProbeResults {
        since: story.log().last(),
        ..ProbeResults::of_trace(&story)
    };
    let now = status("limit", "delete-refused", &story, &results);
    assert!(matches!(now, Status::Pending { .. }), "{now:?}");
    let ever = status("in-your-name", "four-in-order", &story, &results);
    assert!(matches!(ever, Status::Passed { .. }), "{ever:?}");
}

#[test]
fn nothing_older_counts_for_any_check_of_a_chapter_that_was_begun_again() {
    let story = story();
    let results = ProbeResults {
        since: story.log().last(),
        begun_again: true,
        ..ProbeResults::of_trace(&story)
    };
    for (chapter, check) in [
        ("sign-in", "trail"),
        ("sign-in", "audience"),
        ("sign-in", "taken"),
        ("in-your-name", "four-in-order"),
        ("limit", "delete-refused"),
    ] {
        let now = status(chapter, check, &story, &results);
        assert!(
            matches!(now, Status::Pending { .. }),
            "{chapter}/{check}: {now:?}"
        );
    }
}

/// The server of a finished chapter 2, as probes find it.
fn knocked() -> ProbeResults {
    let server = "http://127.0.0.1:8000/mcp";
    let document = "http://127.0.0.1:8000/.well-known/oauth-protected-resource/mcp";
    let answer = Reading::Told(HttpAnswer {
        status: 401,
        www_authenticate: Some(format!("Bearer resource_metadata=\"{document}\"")),
        outcome: None,
    });
    let probes = [
        HttpProbe::NoToken,
        HttpProbe::ForgedToken,
        HttpProbe::ExpiredToken,
        HttpProbe::ForeignIssuer,
        HttpProbe::WrongAudience,
    ];
    ProbeResults {
        http: probes.into_iter().map(|p| (p, answer.clone())).collect(),
        metadata: Reading::Told(ResourceMetadata {
            server: server.to_owned(),
            resource: server.to_owned(),
            authorization_servers: vec!["http://127.0.0.1:8100".to_owned()],
            issuer: Some("http://127.0.0.1:8100".to_owned()),
            scopes: vec![],
        }),
        ..ProbeResults::of_trace(&story())
    }
}

#[test]
fn a_lock_that_refuses_everything_passes_chapter_2() {
    let book = book();
    let chapter = book.get("lock").unwrap();
    for check in &chapter.checks {
        let status = chapter.status(check, &story(), &knocked());
        assert!(
            matches!(status, Status::Passed { .. }),
            "{}: {status:?}",
            check.id
        );
    }
}

#[test]
fn a_lock_that_lets_a_wrong_audience_in_fails() {
    let mut results = knocked();
    let open = HttpAnswer {
        status: 200,
        www_authenticate: None,
        outcome: None,
    };
    results
        .http
        .insert(HttpProbe::WrongAudience, Reading::Told(open));
    let Status::Failed { because, .. } = status("lock", "wrong-audience", &story(), &results)
    else {
        panic!("it passed");
    };
    assert_eq!(
        because,
        "a request with a token for another resource was answered with 200 and not with 401"
    );
}

#[rstest]
#[case("forged")]
#[case("wrong-audience")]
fn where_nobody_is_asked_for_a_token_the_middleware_is_what_lacks(#[case] check: &str) {
    let mut results = knocked();
    for answer in results.http.values_mut() {
        *answer = Reading::Told(HttpAnswer {
            status: 200,
            www_authenticate: None,
            outcome: None,
        });
    }
    let Status::Failed { because, fix } = status("lock", check, &story(), &results) else {
        panic!("it passed");
    };
    assert!(because.ends_with("like one without a token"), "{because}");
    assert!(fix.starts_with("Put requireBearerAuth before"), "{fix}");
}

#[test]
fn a_refusal_that_does_not_say_where_to_go_fails() {
    let mut results = knocked();
    let mute = HttpAnswer {
        status: 401,
        www_authenticate: Some("Bearer".to_owned()),
        outcome: None,
    };
    results.http.insert(HttpProbe::NoToken, Reading::Told(mute));
    let status = status("lock", "no-token", &story(), &results);
    assert!(matches!(status, Status::Failed { .. }), "{status:?}");
}

#[rstest]
#[case::another_host("http://localhost:8000/.well-known/oauth-protected-resource/mcp")]
#[case::only_mentioned(
    "http://localhost/?see=http://127.0.0.1:8000/.well-known/oauth-protected-resource/mcp"
)]
fn a_refusal_that_points_to_another_address_says_to_which(#[case] elsewhere: &str) {
    let mut results = knocked();
    let stray = HttpAnswer {
        status: 401,
        www_authenticate: Some(format!("Bearer resource_metadata=\"{elsewhere}\"")),
        outcome: None,
    };
    let stray = Reading::Told(stray);
    results.http.insert(HttpProbe::NoToken, stray);
    let status = status("lock", "no-token", &story(), &results);
    let Status::Failed { because, fix } = status else {
        panic!("{status:?}");
    };
    let start = format!("WWW-Authenticate points to {elsewhere} and not to http://127.0.0.1:8000/");
    assert!(because.starts_with(&start), "{because}");
    assert!(fix.starts_with("Let it point to"), "{fix}");
}

#[test]
fn a_server_that_breaks_is_not_told_to_verify_signatures() {
    let mut results = knocked();
    let broken = HttpAnswer {
        status: 500,
        www_authenticate: None,
        outcome: None,
    };
    results
        .http
        .insert(HttpProbe::ForgedToken, Reading::Told(broken));
    let status = status("lock", "forged", &story(), &results);
    let Status::Failed { fix, .. } = status else {
        panic!("{status:?}");
    };
    assert!(fix.starts_with("Your server broke"), "{fix}");
}

#[rstest]
#[case::nobody(None, "no zone answers there")]
#[case::another(Some("http://127.0.0.1:9"), "calls itself http://127.0.0.1:9")]
fn a_zone_that_is_not_there_is_not_named_by_the_document(
    #[case] issuer: Option<&str>,
    #[case] words: &str,
) {
    let mut results = knocked();
    if let Reading::Told(metadata) = &mut results.metadata {
        metadata.issuer = issuer.map(str::to_owned);
    }
    let status = status("lock", "metadata", &story(), &results);
    let Status::Failed { because, fix } = status else {
        panic!("{status:?}");
    };
    assert!(because.ends_with(words), "{because}");
    assert!(fix.contains("KEYCARD_URL"), "{fix}");
}

#[test]
fn what_cannot_be_seen_says_where_to_look() {
    let results = ProbeResults {
        zone: Reading::Unavailable {
            look_at: "Resources, in the console of your zone".to_owned(),
        },
        ..ProbeResults::default()
    };
    let status = status("your-zone", "linear-resource", &story(), &results);
    assert_eq!(
        status,
        Status::NotObservable {
            look_at: "Resources, in the console of your zone".to_owned()
        }
    );
}

#[test]
fn scopes_and_values_that_were_tried_are_judged() {
    let refused = Reading::Told(ScopeAnswer::Refused {
        policy: Some("set::limit-linear-scopes".to_owned()),
    });
    let trial = |ended| {
        Reading::Told(vec![Trial {
            variable: "KEYCARD_CLIENT_SECRET".to_owned(),
            service: Service::Linear,
            ended,
        }])
    };
    let mut results = ProbeResults::default();
    for scope in ["admin", "made:up"] {
        results.scopes.insert(scope.to_owned(), refused.clone());
    }
    results.trials = trial(TrialEnd::Refused);
    let passed = |chapter, check, results: &ProbeResults| {
        let status = status(chapter, check, &story(), results);
        matches!(status, Status::Passed { .. })
    };
    assert!(passed("limit", "others-refused", &results));
    assert!(passed("whole-trail", "nothing-opens", &results));
    results.trials = trial(TrialEnd::NotTried(Untried::NotItsOwn));
    let told = status("whole-trail", "nothing-opens", &story(), &results);
    let Status::NotObservable { look_at } = told else {
        panic!("{told:?}");
    };
    assert_eq!(
        look_at,
        "your .env yourself: nothing of it was tried. Not sent to Linear (not on this computer; \
         only what could be their own key goes there): KEYCARD_CLIENT_SECRET"
    );
    results.trials = trial(TrialEnd::Opened);
    results
        .scopes
        .insert("admin".to_owned(), Reading::Told(ScopeAnswer::Issued));
    assert!(!passed("limit", "others-refused", &results));
    assert!(!passed("whole-trail", "nothing-opens", &results));
}

#[test]
fn the_probes_of_a_chapter_are_known_beforehand() {
    let book = book();
    assert!(book.get("sign-in").unwrap().probes().is_empty());
    assert_eq!(book.get("lock").unwrap().probes().len(), 7);
}
