//! Two runs side by side: what is the same, what differs, what is only in one.

use hoptrail::{
    plain::{self, Style},
    projection::{
        Comparison,
        compare::{Relation, Tolerance},
    },
    protocol::{
        audit::{AuditRecord, CredentialSource},
        jwt::TokenView,
    },
    trace::{Json, TraceEvent, event::Fact},
};
use rstest::rstest;
use serde_json::{Map, Value, json};

#[path = "screens/mod.rs"]
mod screens;

use screens::{projection, story_with_the_policy_lifted};

fn compare(left: &[TraceEvent], right: &[TraceEvent]) -> Comparison {
    Comparison::of(&projection(left), &projection(right), Tolerance::default())
}

fn shown(comparison: &Comparison) -> String {
    let mut out = Vec::new();
    plain::compare::write(&mut out, Style::default(), comparison, ("one", "other")).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_run_beside_itself_differs_in_nothing() {
    let story = screens::story();
    let same = compare(&story, &story);
    assert!(same.is_same(), "{same:#?}");
    assert!(same.counts().same > 20);
}

#[test]
fn what_changes_from_run_to_run_is_no_difference() {
    let story = screens::story();
    let elsewhere: Vec<TraceEvent> = story
        .iter()
        .map(|event| {
            let mut line = hoptrail::trace::codec::encode(event);
            for (port, other) in [("8000", "41000"), ("8100", "41100"), ("8103", "41103")] {
                line = line.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{other}"));
            }
            // Another registration, another session, other moments of issue, other calls.
            line = line.replace("c7m2x9k4v1b8n5q0w3e6r7t2y9", "another-client");
            line = line.replace("s9d8f7g6h5j4k3l2z1x0c9v8b7", "another-session");
            line = line
                .replace("1795510801", "1795519999")
                .replace("1795514401", "1795523599")
                .replace("ca1100000", "ca1100001");
            hoptrail::trace::codec::decode(&line, 2).unwrap()
        })
        .collect();
    let same = compare(&story, &elsewhere);
    assert!(same.is_same(), "{}", shown(&same));
}

#[test]
fn the_story_with_and_without_the_denial() {
    let different = compare(&screens::story(), &story_with_the_policy_lifted());
    assert!(!different.is_same());
    insta::assert_snapshot!(shown(&different));
}

#[test]
fn what_one_run_left_out_is_only_in_the_other() {
    let story = screens::story();
    let escalated: Vec<TraceEvent> = story
        .iter()
        .filter(|event| event.call.is_none_or(|call| call.0 & 0xf != 3))
        .cloned()
        .collect();
    let found = compare(&story, &escalated);
    let delete = found
        .calls
        .iter()
        .find(|call| call.title == "delete_issue")
        .unwrap();
    assert_eq!(delete.standing, Relation::OnlyLeft);
    assert!(
        delete
            .hops
            .iter()
            .all(|hop| hop.standing == Relation::OnlyLeft)
    );
    let mirrored = compare(&escalated, &story);
    let (one, other) = (found.counts(), mirrored.counts());
    assert_eq!((one.same, one.only_left), (other.same, other.only_right));
}

#[test]
fn a_duration_counts_only_beyond_the_factor() {
    let story = screens::story();
    let slower = |times: u64| -> Vec<TraceEvent> {
        let mut events = story.clone();
        for event in &mut events {
            if let Fact::ToolCallFinished { duration_us, .. } = &mut event.fact {
                *duration_us *= times;
            }
        }
        events
    };
    assert!(compare(&story, &slower(5)).is_same());
    let found = compare(&story, &slower(1_000));
    let words = shown(&found);
    assert!(words.contains("duration: A "), "{words}");
}

#[test]
fn the_machine_gets_the_same_facts() {
    let found = compare(&screens::story(), &story_with_the_policy_lifted());
    let value = serde_json::to_value(&found).unwrap();
    let calls = value["calls"].as_array().unwrap();
    let delete = calls
        .iter()
        .find(|call| call["title"] == "delete_issue")
        .unwrap();
    assert_eq!(delete["standing"], "differs");
    assert_eq!(delete["differences"][0]["what"], "outcome");
    assert_eq!(delete["differences"][0]["left"], "refused");
    assert_eq!(delete["differences"][0]["right"], "succeeded");
}

/// The escalation answers with this name at the end of a long text.
fn answer(fact: &mut Fact, name: &str) {
    if let Fact::ToolCallFinished { structured, .. } = fact {
        let mut members: Value = structured.as_ref().unwrap().read().unwrap();
        members["maskedText"] = format!("{} The customer is {name}", "x".repeat(80)).into();
        *structured = Some(Json::from(&members));
    }
}

#[rstest]
#[case::another_ticket("arguments ticketId", "8c1d4e7f-2a5b-4c9d-8e1f-6a7b8c9d0e1f", |fact: &mut Fact| {
    if let Fact::ToolCallStarted { arguments, .. } = fact {
        arguments["ticketId"] = "8c1d4e7f-2a5b-4c9d-8e1f-6a7b8c9d0e1f".into();
    }
})]
#[case::not_masked("result maskedText", "…xxx The customer is [NAME_1]", |fact: &mut Fact| {
    answer(fact, "[NAME_1]");
})]
fn a_call_differs_by_what_it_was_asked_and_what_it_answered(
    #[case] what: &str,
    #[case] right: &str,
    #[case] change: fn(&mut Fact),
) {
    let escalation = |fact: &Fact| match fact {
        Fact::ToolCallStarted { tool, .. } | Fact::ToolCallFinished { tool, .. } => {
            tool == "escalate_ticket"
        }
        _ => false,
    };
    let mut story = screens::story();
    for event in story.iter_mut().filter(|event| escalation(&event.fact)) {
        answer(&mut event.fact, "Marisol");
    }
    let mut other = story.clone();
    for event in other.iter_mut().filter(|event| escalation(&event.fact)) {
        change(&mut event.fact);
    }
    let found = compare(&story, &other);
    let call = found
        .calls
        .iter()
        .find(|call| call.title == "escalate_ticket");
    let told = call
        .unwrap()
        .differences()
        .iter()
        .find(|found| found.what == what);
    assert!(told.unwrap().right.contains(right), "{told:#?}");
    assert!(shown(&found).contains(what));
}

#[rstest]
#[case::another_person("subject sub", |row: &mut AuditRecord| set(&mut subject(row).claims, "sub", "eve@lab.example"))]
#[case::another_actor("subject act", |row: &mut AuditRecord| set(&mut subject(row).claims, "act", json!({"sub": "eve"})))]
#[case::three_years("subject lifetime", |row: &mut AuditRecord| set(&mut subject(row).claims, "exp", 1_900_000_000))]
#[case::no_signature("subject alg", |row: &mut AuditRecord| set(&mut subject(row).header, "alg", "none"))]
#[case::another_provider("credential from", |row: &mut AuditRecord| {
    row.credential.as_mut().unwrap().source = CredentialSource::External;
})]
#[case::another_permit("decided by", |row: &mut AuditRecord| {
    row.decision.as_mut().unwrap().determining = vec!["set::everything".to_owned()];
})]
fn an_exchange_differs_by_what_its_row_says(
    #[case] what: &str,
    #[case] change: fn(&mut AuditRecord),
) {
    let mut events = screens::story();
    let row = events.iter_mut().find_map(|event| match &mut event.fact {
        Fact::AuditRecorded(row) if row.subject_token.is_some() && row.error.is_none() => Some(row),
        _ => None,
    });
    change(row.unwrap());
    let found = compare(&screens::story(), &events);
    let words = shown(&found);
    assert!(words.contains(&format!("{what}: A ")), "{words}");
}

fn subject(row: &mut AuditRecord) -> &mut TokenView {
    row.subject_token.as_mut().unwrap()
}

fn set(members: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    members.insert(name.to_owned(), value.into());
}

#[test]
fn a_refusal_differs_by_its_code_and_a_policy_by_its_text() {
    let mut events = screens::story();
    for event in &mut events {
        match &mut event.fact {
            Fact::AuditRecorded(row) => {
                if let Some(error) = &mut row.error {
                    *error = "invalid_target".to_owned();
                }
            }
            Fact::PolicyRead(overview) => {
                for policy in &mut overview.active_policies {
                    policy.latest_version.cedar_raw.push(' ');
                }
            }
            _ => {}
        }
    }
    let words = shown(&compare(&screens::story(), &events));
    assert!(
        words.contains("error: A access_denied, B invalid_target"),
        "{words}"
    );
    assert!(words.contains("policies of the same name: A "), "{words}");
}

#[test]
fn the_clients_own_token_is_compared_though_no_audit_row_tells_of_it() {
    let changed = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut events = screens::story();
        for event in &mut events {
            if let Fact::TokenIssued { token, .. } = &mut event.fact {
                change(&mut token.claims);
            }
        }
        compare(&screens::story(), &events)
    };
    for (claim, other) in [
        ("scope", "read"),
        ("aud", "https://other.example/mcp"),
        ("sub", "eve@lab.example"),
    ] {
        let found = changed(&|claims| {
            claims.insert(claim.to_owned(), other.into());
        });
        let words = shown(&found);
        assert!(!found.is_same(), "{claim}: {words}");
        assert!(words.contains(&format!("token {claim}: A ")), "{words}");
        assert!(words.contains(&format!("B {other}")), "{words}");
    }
    // Its moment of issue is another one in every run.
    let later = changed(&|claims| {
        claims.insert("iat".to_owned(), 1.into());
        claims.insert("jti".to_owned(), "another".into());
    });
    assert!(later.is_same(), "{}", shown(&later));
}
