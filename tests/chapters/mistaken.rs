//! What people do wrong on their own server: the check fails for that reason and no other.

use hoptrail::{
    chapters::{
        Reading, Status,
        expect::Service,
        probe::{Folder, FoundSecret, ProbeResults, ResourceMetadata},
    },
    projection::Projection,
    protocol::{env::classify, secret::Secret},
};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{status, story, told_otherwise};

fn failed(status: Status) -> (String, String) {
    match status {
        Status::Failed { because, fix } => (because, fix),
        other => panic!("{other:?}"),
    }
}

/// The server repeats what its `.env` says, so only the zone's own word shows the slash.
#[test]
fn a_zone_with_a_slash_at_its_end_is_not_the_zone() {
    let zone = "http://127.0.0.1:8100/";
    let line = classify("KEYCARD_URL", &Secret::new(zone.to_owned()));
    let results = ProbeResults {
        env: Reading::Told(vec![line]),
        metadata: Reading::Told(ResourceMetadata {
            server: "http://localhost:8000/mcp".to_owned(),
            resource: "http://localhost:8000/mcp".to_owned(),
            authorization_servers: vec![zone.to_owned()],
            issuer: Some("http://127.0.0.1:8100".to_owned()),
            scopes: vec![],
        }),
        ..ProbeResults::default()
    };
    let (because, _) = failed(status("lock", "env-zone", &story(), &results));
    assert!(
        because.starts_with("KEYCARD_URL differs by a slash at its end from the issuer"),
        "{because}"
    );
}

/// Without the document there is nothing to compare with; that it is not there is said once.
#[test]
fn an_env_waits_for_a_metadata_document_that_is_not_there() {
    let results = ProbeResults {
        env: Reading::Told(vec![classify(
            "MCP_RESOURCE_URL",
            &Secret::new("http://localhost:8000/mcp".to_owned()),
        )]),
        metadata: Reading::Failed {
            because: "it answered 404 Not Found".to_owned(),
        },
        ..ProbeResults::default()
    };
    let nothing = Projection::default();
    let told = status("lock", "env-resource", &nothing, &results);
    assert!(matches!(told, Status::Pending { .. }), "{told:?}");
    let (_, fix) = failed(status("lock", "metadata", &nothing, &results));
    assert!(fix.contains("metadata router"), "{fix}");
}

/// The story with its events changed.
fn changed(change: impl Fn(&mut Value)) -> Projection {
    told_otherwise(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        change(&mut event);
        Some(event.to_string())
    })
}

fn broken(event: &mut Value, tool: &str, text: &str) {
    if event["fact"]["tool_call_finished"]["tool"] == tool {
        event["fact"]["tool_call_finished"]["outcome"] = "failed".into();
        event["fact"]["tool_call_finished"]["text"] = text.into();
    }
}

fn refused(event: &mut Value, sequence: u64, error: &str) {
    let Some(record) = event.pointer_mut("/fact/audit_recorded") else {
        return;
    };
    if record["sequence"] == sequence {
        record["status"] = "Failure".into();
        record["error"] = error.into();
        record["reason"] = error.into();
        record.as_object_mut().unwrap().remove("credential");
    }
}

/// The tickets' exchange is the story's fourth row.
const TICKETS: u64 = 4;

#[test]
fn what_an_earlier_run_was_told_explains_nothing() {
    let untold = |earlier: bool| {
        changed(|event| {
            broken(event, "get_support_tickets", "Token exchange failed");
            refused(event, TICKETS, "invalid_target");
            let sequence = event.pointer("/fact/audit_recorded/sequence");
            if earlier && sequence == Some(&json!(TICKETS)) {
                event["fact"]["audit_recorded"]["occurred_at"] = "2020-01-01T00:00:00Z".into();
                let record = event["fact"]["audit_recorded"].as_object_mut();
                record.unwrap().remove("trace_parent");
                event.as_object_mut().unwrap().remove("call");
            }
        })
    };
    let results = ProbeResults::default();
    let (because, _) = failed(status("vault", "tickets-read", &untold(false), &results));
    assert!(because.contains("likely a SUPABASE_URL"), "{because}");
    let (because, _) = failed(status("vault", "tickets-read", &untold(true), &results));
    assert!(!because.contains("likely"), "{because}");
}

#[rstest]
#[case::vault(
    "invalid_target",
    "The vault holds no secret for \"Supabase Database\"",
    "never put into the vault"
)]
#[case::client(
    "invalid_client",
    "The client is not known, or its secret is wrong",
    "client id or secret"
)]
fn what_the_zone_says_names_the_cause(
    #[case] error: &str,
    #[case] reason: &str,
    #[case] cause: &str,
) {
    for (chapter, check, tool, row) in [
        ("vault", "tickets-read", "get_support_tickets", TICKETS),
        ("mask", "two-credentials", "escalate_ticket", TICKETS + 1),
        (
            "in-your-name",
            "four-in-order",
            "escalate_ticket",
            TICKETS + 1,
        ),
    ] {
        let story = changed(|event| {
            broken(event, tool, reason);
            refused(event, row, error);
            if let Some(record) = event.pointer_mut("/fact/audit_recorded")
                && record["sequence"] == row
            {
                record["reason"] = reason.into();
            }
        });
        let told = status(chapter, check, &story, &ProbeResults::default());
        let (because, _) = failed(told);
        assert!(because.contains(cause), "{chapter}: {because}");
    }
}

/// Whether a key opens anything only the service tells.
#[rstest]
#[case("anonymous-escalation")]
#[case("linear-key")]
fn a_key_that_linear_does_not_know_is_named(#[case] check: &str) {
    let said = "Linear API returned 401: Authentication required";
    let story = changed(|event| broken(event, "escalate_ticket", said));
    let results = ProbeResults {
        env: Reading::Told(vec![classify(
            "LINEAR_API_KEY",
            &Secret::new("lin_api_0123456789abcdef".to_owned()),
        )]),
        ..ProbeResults::default()
    };
    let (because, fix) = failed(status("open-door", check, &story, &results));
    assert!(because.contains("Linear does not know"), "{because}");
    assert!(fix.starts_with("Paste the key once more"), "{fix}");
}

/// The story's events before this one.
fn until(seq: u64, change: impl Fn(&mut Value)) -> Projection {
    told_otherwise(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        change(&mut event);
        (event["seq"].as_u64() < Some(seq)).then(|| event.to_string())
    })
}

#[test]
fn a_door_that_is_locked_is_no_open_one() {
    let story = until(8, |_| {});
    let told = status(
        "open-door",
        "anonymous-list",
        &story,
        &ProbeResults::default(),
    );
    let (because, fix) = failed(told);
    assert!(because.starts_with("the server answers 401"), "{because}");
    assert!(
        because.contains("further on than this chapter"),
        "{because}"
    );
    assert!(fix.starts_with("Begin the chapter again"), "{fix}");
}

#[test]
fn a_sign_in_that_was_refused_says_how_far_it_came_and_what_to_do() {
    let story = until(9, |event| {
        if event["seq"] == 8 {
            let failure = json!({
                "exit": "refused",
                "what": "The server does not say where to sign in.",
                "why": "it publishes nothing",
                "next": "check the server's address",
            });
            event["fact"] = json!({ "sign_in_refused": { "failure": failure } });
            event.as_object_mut().unwrap().remove("span");
        }
    });
    let told = status("sign-in", "trail", &story, &ProbeResults::default());
    let (because, fix) = failed(told);
    assert_eq!(
        because,
        "the sign-in ended before the server's metadata document: \
         The server does not say where to sign in"
    );
    assert_eq!(fix, "check the server's address");
}

#[test]
fn an_older_issue_says_nothing_of_an_escalation_that_failed() {
    let story = changed(|event| broken(event, "escalate_ticket", "Not found"));
    let told = status("mask", "title", &story, &ProbeResults::default());
    let (because, fix) = failed(told);
    assert!(
        because.contains("escalate_ticket failed: Not found"),
        "{because}"
    );
    assert!(fix.starts_with("Make the call work first"), "{fix}");
}

#[test]
fn a_server_that_refuses_a_good_token_does_not_pass_the_sign_in() {
    let said = "http://localhost:8000/mcp answered 401: Untrusted issuer";
    let story = changed(|event| broken(event, "get_support_tickets", said));
    let (because, _) = failed(status("sign-in", "taken", &story, &ProbeResults::default()));
    assert!(because.contains("likely a KEYCARD_URL"), "{because}");
}

/// Without a row of its own a call used something that was there before it: what, the `.env` and the
/// folder tell.
#[rstest]
#[case(&[], None, "kept from an earlier call", "Exchange anew")]
#[case(&[], Some("src/linear.ts"), "stands in the code", "Take the key out of the code")]
#[case(&[("LINEAR_API_KEY", "lin_api_0123456789abcdef")], None, "still use LINEAR_API_KEY", "Remove the key")]
fn an_issue_that_no_row_stands_for_names_what_was_used_instead(
    #[case] env: &[(&str, &str)],
    #[case] file: Option<&str>,
    #[case] cause: &str,
    #[case] remedy: &str,
) {
    let story = told_otherwise(|line| {
        let is_row = line.contains("audit_recorded") && line.contains("Linear API");
        (!is_row).then(|| line.to_owned())
    });
    let env = env
        .iter()
        .map(|(name, value)| classify(name, &Secret::new((*value).to_owned())));
    let results = ProbeResults {
        env: Reading::Told(env.collect()),
        ..looked_through(file.map(|file| (file, Service::Linear)), &[])
    };
    let (because, fix) = failed(status("in-your-name", "author", &story, &results));
    assert!(
        because.starts_with("the zone issued no Linear credential"),
        "{because}"
    );
    assert!(because.contains(cause), "{because}");
    assert!(fix.starts_with(remedy), "{fix}");
}

/// Linear keeps the issues of earlier runs, and shows them.
#[rstest]
#[case("mask", "nothing-personal")]
#[case("mask", "placeholders")]
#[case("mask", "labels")]
#[case("mask", "priority")]
#[case("mask", "title")]
#[case("in-your-name", "author")]
#[case("in-your-name", "footer")]
fn an_issue_that_no_escalation_of_this_run_filed_passes_nothing(
    #[case] chapter: &str,
    #[case] check: &str,
) {
    let story = told_otherwise(|line| {
        let calls = line.contains("tool_call_") && line.contains("escalate_ticket");
        (!calls).then(|| line.to_owned())
    });
    assert!(story.issues().latest().is_some(), "it lies in Linear");
    let told = status(chapter, check, &story, &ProbeResults::of_trace(&story));
    let Status::Pending { waiting_for } = told else {
        panic!("{told:?}");
    };
    assert_eq!(waiting_for, "an escalation that files an issue");
}

#[test]
fn a_title_that_is_the_tickets_subject_is_not_the_models() {
    let subject = story().issues().tickets()[0].subject.clone();
    let copied = told_otherwise(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        titled(&mut event, &format!("[case] {subject}"));
        Some(event.to_string())
    });
    let (because, fix) = failed(status("mask", "title", &copied, &ProbeResults::default()));
    assert!(
        because.ends_with("the ticket's subject, word for word"),
        "{because}"
    );
    assert!(fix.contains("leave the subject out"), "{fix}");
}

/// Gives every issue of an event this title.
fn titled(event: &mut Value, title: &str) {
    match event {
        Value::Object(members) => {
            if members.contains_key("title") && members.contains_key("identifier") {
                members.insert("title".to_owned(), title.into());
            }
            members.values_mut().for_each(|one| titled(one, title));
        }
        Value::Array(items) => items.iter_mut().for_each(|one| titled(one, title)),
        _ => {}
    }
}

/// A sign-in's own `invalid_target` and a tool's are about two different variables.
#[test]
fn what_a_tool_was_refused_is_not_the_sign_ins() {
    let told = changed(|event| {
        broken(event, "get_support_tickets", "Token exchange failed");
        refused(event, TICKETS, "invalid_target");
    });
    let (because, fix) = failed(status("sign-in", "taken", &told, &ProbeResults::default()));
    assert!(
        because.contains("further on than this chapter"),
        "{because}"
    );
    assert!(fix.starts_with("Turn to chapter 4"), "{fix}");
}

/// What the rule's list names is let through, whatever the resource is called.
#[rstest]
#[case("delete-refused")]
#[case("active-set")]
fn a_list_that_names_write_is_why_a_delete_goes_through(#[case] check: &str) {
    let story = told_otherwise(|line| {
        let with_write = line.replace(r#"([\"read\", "#, r#"([\"read\", \"write\", "#);
        Some(with_write.replace("\"status\":\"Failure\"", "\"status\":\"Issued\""))
    });
    let told = status("limit", check, &story, &ProbeResults::default());
    let (because, fix) = failed(told);
    assert!(
        because.ends_with("likely a list in the rule that allows write"),
        "{because}"
    );
    assert!(fix.starts_with("Take write out"), "{fix}");
}

/// A project's folder that was looked through, with this key in it and these files too long for it.
fn looked_through(found: Option<(&str, Service)>, unread: &[&str]) -> ProbeResults {
    let secrets = found.map(|(file, opens)| FoundSecret {
        file: file.to_owned(),
        line: 3,
        opens,
    });
    ProbeResults {
        env: Reading::Told(Vec::new()),
        folder: Reading::Told(Folder {
            secrets: secrets.into_iter().collect(),
            reached: Vec::new(),
            unread: unread.iter().map(|file| (*file).to_owned()).collect(),
        }),
        ..ProbeResults::default()
    }
}

#[rstest]
#[case(Some((".env.example", Service::Linear)), true)]
#[case(Some(("config/.env.local", Service::Linear)), true)]
#[case(Some((".env.example", Service::Supabase)), false)]
#[case(Some(("src/linear.ts", Service::Linear)), true)]
#[case(None, false)]
fn a_key_is_not_gone_while_a_copy_of_the_env_has_it(
    #[case] found: Option<(&str, Service)>,
    #[case] fails: bool,
) {
    let results = looked_through(found, &[]);
    let told = status("in-your-name", "key-gone", &Projection::default(), &results);
    if fails {
        let (because, fix) = failed(told);
        assert!(
            because.ends_with(", line 3, holds a key for Linear"),
            "{because}"
        );
        assert!(fix.contains(".env.example"), "{fix}");
    } else {
        assert!(matches!(told, Status::Passed { .. }), "{told:?}");
    }
}

#[test]
fn a_file_that_was_not_looked_through_is_named() {
    let results = looked_through(None, &["a.sql", "b.sql", "c.sql", "d.sql"]);
    let told = status("vault", "no-key", &Projection::default(), &results);
    let Status::NotObservable { look_at } = told else {
        panic!("{told:?}");
    };
    assert!(
        look_at.starts_with("a.sql, b.sql, c.sql and 1 more: too long"),
        "{look_at}"
    );
    let found = looked_through(Some(("src/a.ts", Service::Supabase)), &["a.sql"]);
    let (because, _) = failed(status("vault", "no-key", &Projection::default(), &found));
    assert_eq!(because, "src/a.ts, line 3, holds a key for Supabase");
}

#[test]
fn a_folder_that_cannot_be_looked_through_is_not_told_to_remove_a_key() {
    let results = ProbeResults {
        folder: Reading::Failed {
            because: "it has more than 5000 files, and was not looked through".to_owned(),
        },
        ..looked_through(None, &[])
    };
    let (_, fix) = failed(status("vault", "no-key", &Projection::default(), &results));
    assert!(
        fix.starts_with("Name the folder of your package.json"),
        "{fix}"
    );
}

#[test]
fn what_was_said_in_several_lines_is_told_in_one() {
    let results = ProbeResults {
        metadata: Reading::Failed {
            because: "it answered: no.⏎ Not today.⏎".to_owned(),
        },
        ..ProbeResults::default()
    };
    let told = status("lock", "metadata", &Projection::default(), &results);
    assert_eq!(failed(told).0, "it answered: no; Not today");
}
