//! The chapters: that ours are sound, that checks tell the truth about a run, and that an author
//! is told what is wrong and where.

#[expect(dead_code, reason = "this file only runs commands to their end")]
mod program;

use std::fs;

use hoptrail::{
    chapters::{
        Book, Chapter, Evidence, Fault, Progress, Reading, Segment, Status, embed,
        lint::lint,
        parse,
        probe::{
            HttpAnswer, HttpProbe, ProbeResults, ResourceMetadata, ScopeAnswer, Trial, TrialEnd,
        },
        progress::{Passed, Standing},
        text::{Fold, MEASURE, render},
    },
    projection::Projection,
    support::text::width,
    trace::codec,
};
use program::Home;
use proptest::prelude::*;
use rstest::rstest;

fn book() -> Book {
    Book::embedded().unwrap_or_else(|faults| panic!("{}", all(&faults)))
}

fn all(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The run that `tests/traces/story.jsonl` recorded.
fn story() -> Projection {
    told_otherwise(|line| Some(line.to_owned()))
}

/// That run with its lines changed or left out.
fn told_otherwise(change: impl Fn(&str) -> Option<String>) -> Projection {
    let text = fs::read_to_string("tests/traces/story.jsonl").unwrap();
    let mut lines = text.lines();
    let header = codec::decode_header(lines.next().unwrap()).unwrap();
    let mut projection = Projection::starting(header.started);
    for line in lines.filter_map(change) {
        projection.apply(&codec::decode(&line, 2).unwrap());
    }
    projection
}

fn status(id: &str, check: &str, projection: &Projection, results: &ProbeResults) -> Status {
    let book = book();
    let chapter = book.get(id).unwrap();
    chapter.status(chapter.check(check).unwrap(), projection, results)
}

#[test]
fn our_own_chapters_have_no_fault() {
    let faults = lint(embed::FILES);
    assert!(faults.is_empty(), "{}", all(&faults));
    let book = book();
    let numbers: Vec<_> = book.chapters.iter().map(|c| c.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let minutes: u16 = book.chapters.iter().map(|c| c.minutes).sum();
    assert!(minutes <= 70, "an hour and a little: {minutes}");
}

#[test]
fn a_reader_finds_steps_and_something_to_try_in_every_chapter() {
    for chapter in book().chapters {
        let text = render(&chapter, Fold::Folded);
        for heading in ["What you will see", "Why it matters"] {
            assert!(text.contains(heading), "{} has no {heading}", chapter.file);
        }
        let tries = chapter
            .segments
            .iter()
            .filter(|segment| matches!(segment, Segment::Try { .. }));
        assert!(tries.count() > 0, "nothing to try in {}", chapter.file);
        assert!(!chapter.mistakes.is_empty(), "{}", chapter.file);
        assert!(!text.contains("<!--"), "{}", chapter.file);
        for line in text.lines() {
            let limit = MEASURE + 4;
            assert!(width(line) <= limit, "{}: {line}", chapter.file);
        }
    }
}

#[test]
fn the_answer_is_folded_until_it_is_asked_for() {
    let book = book();
    let chapter = book.number(4).unwrap();
    let answer = chapter.answer.as_deref().unwrap().trim();
    let first = answer
        .split_whitespace()
        .take(4)
        .collect::<Vec<_>>()
        .join(" ");
    assert!(!render(chapter, Fold::Folded).contains(&first));
    assert!(render(chapter, Fold::Open).contains(&first));
}

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
#[case("in-your-name", "key-gone")]
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
            service: hoptrail::chapters::expect::Service::Linear,
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

const HEAD: &str = r#"+++
id = "a"
title = "A"
minutes = 5
pane = "flow"
stage = 0
question = "Why?"
answer = "So."

[[checks]]
id = "one"
title = "One"
hints = ["do it"]
expect = "signed_in"
+++
"#;

const BODY: &str = "<!-- check: one -->\n";

fn faults(head: &str, body: &str) -> Vec<Fault> {
    let text = format!("{head}{body}");
    lint([("00-a.md", text.as_str())])
}

#[rstest]
#[case::unknown_key(("id = \"a\"", "id = \"a\"\nminuets = 3"), BODY, "00-a.md:3:1: unknown field `minuets`")]
#[case::unknown_expectation(("\"signed_in\"", "\"signed_on\""), BODY, "00-a.md:14:10: unknown variant `signed_on`")]
#[case::unknown_stage(("stage = 0", "stage = 3"), BODY, "00-a.md:6:9: there is no stage 3")]
#[case::no_toml(("minutes = 5", "minutes = five"), BODY, "00-a.md:4:11: ")]
#[case::no_front_matter(("+++", "---"), BODY, "00-a.md:1:1: a chapter begins with a line of +++")]
#[case::unknown_check(("", ""), "<!-- check: one -->\n<!-- check: two -->\n", "00-a.md:17:1: there is no check two")]
#[case::placed_twice(("", ""), "<!-- check: one -->\n<!-- check: one -->\n", "00-a.md:17:1: the check one has a place already")]
#[case::no_place(("", ""), "text\n", "00-a.md:11:6: the check has no place in the text")]
#[case::unknown_directive(("", ""), "<!-- check: one -->\n  <!-- chek: one -->\n", "00-a.md:17:3: there is no directive `chek`")]
#[case::unknown_try(("", ""), "<!-- check: one -->\n<!-- try: rm -rf -->\n", "00-a.md:17:1: nothing called `rm -rf` can be tried")]
#[case::unknown_pane(("", ""), "<!-- check: one -->\n<!-- show: flaw -->\n", "00-a.md:17:1: there is no pane `flaw`")]
#[case::comment_in_text(("", ""), "<!-- check: one --> and text\n", "00-a.md:16:1: a comment stands alone")]
#[case::open_code(("", ""), "<!-- check: one -->\n```\ncode\n", "00-a.md:17:1: this block of code has no end")]
#[case::dead_link(("", ""), "<!-- check: one -->\nSee [b](01-b.md).\n", "00-a.md:17:9: the link leads nowhere")]
#[case::dead_heading(("", ""), "<!-- check: one -->\n# A b\n[x](#a-c)\n", "00-a.md:18:5: there is no heading #a-c")]
#[case::no_answer(("answer = \"So.\"", ""), BODY, "00-a.md:7:12: the question has no answer")]
#[case::no_question(("question = \"Why?\"\nanswer = \"So.\"", ""), BODY, "00-a.md:2:6: the chapter has no question")]
#[case::no_hint(("hints = [\"do it\"]", ""), BODY, "00-a.md:11:6: the check has no hint")]
#[case::expects_nothing(("\"signed_in\"", "{ all = [] }"), BODY, "00-a.md:11:6: the check expects nothing")]
#[case::unreachable(("minutes = 5", "minutes = 5\nrequires = [\"b\"]"), BODY, "00-a.md:5:13: there is no chapter b")]
#[case::itself(("minutes = 5", "minutes = 5\nrequires = [\"a\"]"), BODY, "00-a.md:5:13: a does not come before this chapter")]
fn an_author_is_told_what_and_where(
    #[case] (old, new): (&str, &str),
    #[case] body: &str,
    #[case] expected: &str,
) {
    let head = HEAD.replacen(old, new, 1);
    let faults = faults(&head, body);
    let told = all(&faults);
    assert!(told.starts_with(expected), "{told}");
    assert_eq!(faults.len(), 1, "{told}");
    let line = format!("{head}{body}");
    let line = line.lines().nth(faults[0].place.line - 1).unwrap();
    assert_eq!(faults[0].text, line);
}

#[test]
fn what_is_right_is_left_in_peace() {
    let body = "# A b\n\nSee [here](#a-b), [there](https://a.example) and `[no](link)`.\n\n\
                <!-- a word to authors -->\n```html\n<!-- check: two -->\n```\n<!-- check: one -->\n";
    assert_eq!(faults(HEAD, body), []);
}

#[test]
fn code_that_is_too_wide_is_shown_with_its_column() {
    let body = format!("{BODY}```\n{}\n```\n", "x".repeat(77));
    let faults = faults(HEAD, &body);
    assert!(all(&faults).starts_with("00-a.md:18:77: this line of code takes 77 columns"));
}

#[test]
fn ids_and_numbers_are_taken_once() {
    let text = format!("{HEAD}{BODY}");
    let twice = lint([("00-a.md", text.as_str()), ("00-b.md", text.as_str())]);
    let told = all(&twice);
    assert!(
        told.contains("00-b.md:2:6: the id a is taken by 00-a.md"),
        "{told}"
    );
    assert!(told.contains("the number 0 is taken by 00-a.md"), "{told}");
}

#[test]
fn a_chapter_without_a_number_is_none() {
    let text = format!("{HEAD}{BODY}");
    assert!(all(&lint([("intro.md", text.as_str())])).contains("begins with the chapter's number"));
}

fn small(text: &str) -> Chapter {
    parse::chapter("00-a.md", text).unwrap()
}

#[test]
fn progress_is_kept_and_read_again() {
    let book = book();
    let chapter = &book.chapters[0];
    let mut progress = Progress::default();
    assert_eq!(progress.resume(&book).unwrap().number, 0);
    for check in &chapter.checks {
        assert_eq!(progress.standing(chapter), Standing::Open);
        progress.pass(chapter, check, Passed::Told);
    }
    assert_eq!(progress.standing(chapter), Standing::Done);
    progress.skip(&book.chapters[1]);
    assert_eq!(progress.standing(&book.chapters[1]), Standing::Skipped);
    assert_eq!(progress.resume(&book).unwrap().number, 2);
    progress.pass(chapter, &chapter.checks[0], Passed::Seen);
    progress.pass(chapter, &chapter.checks[0], Passed::Told);
    let again = Progress::parse(&progress.to_toml(), "progress.toml").unwrap();
    assert_eq!(again, progress);
    assert_eq!(
        again.passed(chapter, &chapter.checks[0].id),
        Some(Passed::Seen)
    );
    assert_eq!(
        again.passed(chapter, &chapter.checks[1].id),
        Some(Passed::Told)
    );
}

#[test]
fn a_changed_chapter_begins_anew() {
    let old = small(&format!("{HEAD}{BODY}"));
    let new = small(&format!("{HEAD}{BODY}More.\n"));
    let mut progress = Progress::default();
    progress.pass(&old, &old.checks[0], Passed::Seen);
    assert_eq!(progress.standing(&old), Standing::Done);
    assert_eq!(progress.standing(&new), Standing::Open);
}

#[rstest]
#[case("version = 1\nchaptres = 3\n", "line 2, column 1")]
#[case("version = 2\n", "it has version 2")]
fn progress_that_cannot_be_read_says_why(#[case] text: &str, #[case] why: &str) {
    let failure = Progress::parse(text, "progress.toml").unwrap_err();
    assert!(failure.why.contains(why), "{failure}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\PC|\\n|<!--|-->|\\+\\+\\+|```|`|\\]\\(|check:){0,200}") {
        let _ = lint([("00-a.md", text.as_str())]);
        let behind = format!("{HEAD}{text}");
        let faults = lint([("00-a.md", behind.as_str())]);
        for fault in faults {
            prop_assert!(fault.place.line <= behind.lines().count().max(1));
        }
        let before = format!("+++\n{text}\n+++\n");
        let _ = lint([("00-a.md", before.as_str())]);
        let _ = Progress::parse(&text, "progress.toml");
        if let Ok(chapter) = parse::chapter("00-a.md", &behind) {
            let _ = render(&chapter, Fold::Open);
        }
    }

    #[test]
    fn nothing_of_a_body_is_lost(lines in proptest::collection::vec("[a-z #`|-]{0,20}", 0..20)) {
        let body = lines.join("\n");
        if let Ok(chapter) = parse::chapter("00-a.md", &format!("{HEAD}{body}")) {
            let kept: String = chapter.segments.iter().map(|segment| match segment {
                Segment::Markdown { text, .. } => text.as_str(),
                Segment::Check { .. } | Segment::Try { .. } | Segment::Show { .. } => "",
            }).collect();
            prop_assert_eq!(kept.trim(), body.trim());
        }
    }
}

#[test]
fn lint_says_what_and_where_and_ends_with_1() {
    let home = Home::new();
    let well = home.run(&["chapters", "lint"]).exits_with(0);
    assert_eq!(well.out, "9 chapters, nothing to find fault with\n");
    let dir = home.file("mine");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("README.md"), "not a chapter").unwrap();
    fs::write(dir.join("00-a.md"), format!("{HEAD}<!-- check: two -->\n")).unwrap();
    let ended = home.run(&["chapters", "lint", "mine"]).exits_with(1);
    let lines: Vec<_> = ended.out.lines().collect();
    assert_eq!(
        lines,
        [
            "mine/00-a.md:11:6: the check has no place in the text: <!-- check: one -->",
            "  11 | id = \"one\"",
            "mine/00-a.md:16:1: there is no check two in the front matter",
            "  16 | <!-- check: two -->",
            "2 faults in 1 chapter",
        ]
    );
    let none = home.run(&["chapters", "lint", "nowhere"]).exits_with(2);
    assert!(none.err.contains("nowhere cannot be read"), "{}", none.err);
}

#[test]
fn chapters_are_listed_and_shown() {
    let home = Home::new();
    let list = home.run(&["chapters", "list"]).exits_with(0).out;
    assert_eq!(list.lines().count(), 9);
    let shown = home.run(&["chapters", "show", "3"]).exits_with(0).out;
    assert!(
        shown.starts_with("3. Sign in, without a client id\n"),
        "{shown}"
    );
    assert!(!shown.contains("It knocked and was refused"));
    let answered = home
        .run(&["chapters", "show", "3", "--answer"])
        .exits_with(0)
        .out;
    assert!(answered.contains("It knocked and was refused"));
    let none = home.run(&["chapters", "show", "12"]).exits_with(2);
    assert!(none.err.contains("There is no chapter 12"), "{}", none.err);
}

#[test]
fn a_fresh_lab_goes_through_all_chapters_and_every_check_passes() {
    let home = Home::new();
    let ended = home.run(&["check", "--json"]).exits_with(0);
    let lines: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let checks: usize = book().chapters.iter().map(|one| one.checks.len()).sum();
    assert_eq!(lines.len(), checks);
    for line in &lines {
        assert_eq!(line["status"], "passed", "{line}");
        assert_ne!(line["evidence"], serde_json::json!([]), "{line}");
    }
    let left = fs::read_dir(home.state()).unwrap();
    assert_eq!(left.count(), 0, "the lab of a check is forgotten");
}

#[test]
fn one_chapter_is_checked_by_number_or_id() {
    let home = Home::new();
    let ended = home.run(&["check", "limit"]).exits_with(0);
    assert!(
        ended.out.starts_with("7  A limit that holds\n"),
        "{}",
        ended.out
    );
    assert!(
        ended
            .out
            .ends_with("5 passed, 0 failed, 0 pending, 0 not observable\n"),
        "{}",
        ended.out
    );
    let none = home.run(&["check", "limits"]).exits_with(2);
    assert!(
        none.err.contains("There is no chapter limits"),
        "{}",
        none.err
    );
}

#[test]
fn a_row_of_a_table_that_lacks_a_cell_is_shown_with_its_line() {
    let body = format!("{BODY}| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |\n");
    let faults = faults(HEAD, &body);
    assert_eq!(faults.len(), 1, "{}", all(&faults));
    let told = "this row has 1 cells, and the table's first has 2";
    assert!(all(&faults).contains(told), "{}", all(&faults));
    assert_eq!(faults[0].text, "| 3 |");
}
