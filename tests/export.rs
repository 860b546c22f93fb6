//! What the exports write, checked here as far as Rust can; `tests/export/check.py` asks the
//! definitions of those who read them.

use std::collections::{HashMap, HashSet};

use hoptrail::{
    export::{
        markdown::{self, Beside},
        ocsf, otlp,
    },
    projection::Projection,
    protocol::audit::{AuditEvent, AuditStatus},
    trace::{TraceEvent, codec::Header, event::Fact},
};
use rstest::rstest;
use serde_json::Value;

#[path = "export/course.rs"]
mod course;
#[path = "export/pictures.rs"]
mod pictures;
#[path = "program/mod.rs"]
#[expect(dead_code, reason = "shared; this file needs a part of it")]
mod program;
#[path = "screens/mod.rs"]
mod screens;

fn projection(events: &[TraceEvent]) -> Projection {
    let mut projection = Projection::starting(screens::header().started);
    projection.extend(events);
    projection
}

fn told() -> (Header, Projection) {
    (screens::header(), projection(&screens::story()))
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The story, with hostile text wherever text from outside may stand.
fn hostile() -> Projection {
    let evil = "\u{1b}]0;x\u{7}|`</text>\n![a](b)&\u{202e}<script>";
    let mut events = screens::story();
    for event in &mut events {
        match &mut event.fact {
            Fact::AuditRecorded(record) => {
                record.reason = Some(evil.to_owned());
                record.scopes.push(evil.to_owned());
                if let Some(user) = &mut record.actor.user {
                    evil.clone_into(&mut user.name);
                }
                if let Some(resource) = &mut record.resource {
                    resource.name.push_str(evil);
                }
            }
            Fact::ToolCallStarted { tool, .. } => tool.push_str(evil),
            Fact::EnvRead { lines, .. } => lines[0].name.push_str(evil),
            Fact::PolicyRead(overview) => {
                overview.active_policies[0].name.push_str(evil);
                overview.active_policies[0]
                    .latest_version
                    .cedar_raw
                    .push_str("\n````\n# out of the fence\n");
            }
            _ => {}
        }
    }
    projection(&events)
}

fn snap(name: &str, told: &str) {
    insta::assert_snapshot!(name, told);
}

#[test]
fn the_report_of_the_story() {
    let (header, projection) = told();
    insta::assert_snapshot!(text(|out| markdown::write(
        out,
        &header,
        &projection,
        Beside::default()
    )));
}

#[test]
fn the_report_of_nothing_says_so() {
    let header = screens::header();
    let report = text(|out| markdown::write(out, &header, &projection(&[]), Beside::default()));
    for part in ["No hop was seen", "No tool was called", "told of nothing"] {
        assert!(report.contains(part), "{report}");
    }
}

#[test]
fn a_part_of_the_story_is_not_called_wrong() {
    let header = screens::header();
    let story = screens::story();
    let escalated = &story[..60];
    let report =
        text(|out| markdown::write(out, &header, &projection(escalated), Beside::default()));
    assert!(report.contains("**… Not all of it was seen**"), "{report}");
    // Without the rule there is nothing to hold; that it is not there at all is another matter.
    let mut open = screens::story_with_the_policy_lifted();
    open.retain(|event| event.seq >= 100 || !matches!(event.fact, Fact::PolicyRead(_)));
    let report = text(|out| markdown::write(out, &header, &projection(&open), Beside::default()));
    assert!(report.contains("**✗ It did not hold**"), "{report}");
}

#[test]
fn what_was_noted_is_in_the_report() {
    let home = program::Home::new();
    let trace = home.write("mine.jsonl", std::fs::read_to_string(STORY).unwrap());
    let name = trace.to_str().unwrap();
    let notes = "[[note]]\nevent = 20\ntext = \"the *token* | here\"\n\n[[note]]\nevent = 40\n";
    home.write("mine.jsonl.notes.toml", notes);
    let report = home
        .run(&["export", name, "--to", "markdown"])
        .exits_with(0)
        .out;
    assert!(report.contains("## Notes (2)"), "{report}");
    assert!(
        report.contains("| 20 | the \\*token\\* \\| here |"),
        "{report}"
    );
    assert!(report.contains("| 40 | (bookmark) |"), "{report}");
    home.write("mine.jsonl.notes.toml", "[[note]]\nevent = \n");
    let (what, why, _) = home
        .run(&["export", name, "--to", "markdown"])
        .exits_with(2)
        .failure();
    assert!(what.contains("mine.jsonl.notes.toml"), "{what}");
    assert!(why.contains("line 2"), "{why}");
}

#[test]
fn text_from_outside_cannot_break_the_report() {
    let header = screens::header();
    let lacks = ["the first 4000000 events are shown; there are more".to_owned()];
    let beside = Beside {
        lacks: &lacks,
        ..Beside::default()
    };
    let report = text(|out| markdown::write(out, &header, &hostile(), beside));
    assert!(
        report.contains("- Not whole: the first 4000000 events"),
        "{report}"
    );
    assert!(!report.contains('\u{1b}') && !report.contains('\u{202e}'));
    for line in report.lines() {
        // As code it is harmless; as text it would be a tag.
        if let Some(tag) = line.find("<script>") {
            assert!(line.find('`').is_some_and(|code| code < tag), "{line}");
        }
    }
    let mut columns = None;
    for line in report.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
    }
    assert!(report.contains("`````cedar"), "{report}");
}

#[test]
fn the_audit_rows_as_ocsf() {
    let (_, projection) = told();
    let events = text(|out| ocsf::write(out, &projection));
    let pretty: Vec<String> = events
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            serde_json::to_string_pretty(&event).unwrap()
        })
        .collect();
    assert_eq!(pretty.len(), projection.audit().rows().len());
    // One of each kind: a sign-in, a consent, an issuance, the refusal.
    let of = |class: &str, status: &str| {
        let found = pretty.iter().rev().find(|event| {
            event.contains(&format!("\"class_name\": \"{class}\""))
                && event.contains(&format!("\"status\": \"{status}\""))
        });
        found.unwrap().clone()
    };
    let shown = [
        of("Authentication", "Success"),
        of("Entity Management", "Success"),
        of("API Activity", "Success"),
        of("API Activity", "Failure"),
    ];
    insta::assert_snapshot!(shown.join("\n"));
}

/// The second is how it was written before it had an event of its own.
#[rstest]
#[case(AuditEvent::DelegatedGrantsRevoke)]
#[case(AuditEvent::DelegatedGrantsCreate)]
fn a_revoked_consent_is_told_as_one(#[case] written: AuditEvent) {
    let mut events = screens::story();
    for event in &mut events {
        if let Fact::AuditRecorded(record) = &mut event.fact
            && record.event == AuditEvent::DelegatedGrantsCreate
        {
            record.event = written;
            record.reason = Some("The consent was revoked.".to_owned());
        }
    }
    let projection = projection(&events);
    let rows = projection.audit().rows();
    let row = rows
        .iter()
        .find(|row| row.event == AuditEvent::DelegatedGrantsRevoke)
        .unwrap();
    assert_eq!(row.event.as_str(), "delegated_grants:revoke");
    let told = text(|out| ocsf::write(out, &projection));
    assert!(told.contains("\"activity_name\":\"Deactivate\""), "{told}");
    assert!(told.contains("was revoked\""), "{told}");
    assert!(!told.contains("was given consent"), "{told}");
}

#[test]
fn ocsf_says_as_often_as_the_log_that_something_was_refused() {
    let (_, projection) = told();
    let events = text(|out| ocsf::write(out, &projection));
    let refused = projection
        .audit()
        .rows()
        .iter()
        .filter(|row| row.status == AuditStatus::Failure)
        .count();
    let failures = events
        .lines()
        .filter(|line| line.contains("\"status_id\":2"));
    assert_eq!(failures.count(), refused);
    assert!(refused > 0);
    assert!(!text(|out| ocsf::write(out, &hostile())).contains("\\u001b"));
}

/// Every span, by id.
fn spans(request: &Value) -> HashMap<String, Value> {
    let mut found = HashMap::new();
    for resource in request["resourceSpans"].as_array().unwrap() {
        for scope in resource["scopeSpans"].as_array().unwrap() {
            for span in scope["spans"].as_array().unwrap() {
                let id = span["spanId"].as_str().unwrap().to_owned();
                assert!(found.insert(id, span.clone()).is_none(), "an id twice");
            }
        }
    }
    found
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    let all = span["attributes"].as_array()?;
    let found = all.iter().find(|one| one["key"] == key)?;
    found["value"].as_object()?.values().next()
}

#[test]
fn a_run_is_one_otlp_trace_with_a_span_for_every_hop() {
    let (header, projection) = told();
    let request = text(|out| otlp::write(out, &header, &projection));
    let request: Value = serde_json::from_str(&request).unwrap();
    let spans = spans(&request);
    let hops = projection.hops().len();
    let calls = projection.tools().calls().len();
    assert_eq!(spans.len(), hops + calls + 1);
    let traces: HashSet<_> = spans
        .values()
        .map(|span| span["traceId"].to_string())
        .collect();
    assert_eq!(traces.len(), 1);
    let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut roots = 0;
    for span in spans.values() {
        let id = |key: &str| span[key].as_str().unwrap();
        assert!(id("traceId").len() == 32 && hexadecimal(id("traceId")));
        assert!(id("spanId").len() == 16 && hexadecimal(id("spanId")));
        match span["parentSpanId"].as_str() {
            Some(parent) => assert!(spans.contains_key(parent)),
            None => roots += 1,
        }
        let nanos = |key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
        assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"));
        assert!((1..=3).contains(&span["kind"].as_u64().unwrap()));
    }
    assert_eq!(roots, 1);
}

#[test]
fn the_refused_exchange_is_an_error_below_its_tool_call() {
    let (header, projection) = told();
    let request = text(|out| otlp::write(out, &header, &projection));
    let spans = spans(&serde_json::from_str(&request).unwrap());
    let refused = spans
        .values()
        .find(|span| attribute(span, "hoptrail.scope").is_some_and(|scope| scope == "write"))
        .unwrap();
    assert_eq!(refused["status"]["code"], 2);
    assert_eq!(
        refused["status"]["message"],
        "denied by limit-linear-scopes"
    );
    let call = &spans[refused["parentSpanId"].as_str().unwrap()];
    assert_eq!(attribute(call, "gen_ai.tool.name").unwrap(), "delete_issue");
    assert_eq!(attribute(call, "error.type").unwrap(), "tool_error");
    assert_eq!(call["status"]["code"], 2);
    let link = &refused["links"][0];
    assert!(link["traceId"].as_str().unwrap().starts_with("ca11"));
}

#[test]
fn services_speak_for_themselves() {
    let (header, projection) = told();
    let request = text(|out| otlp::write(out, &header, &projection));
    let request: Value = serde_json::from_str(&request).unwrap();
    let names: Vec<&str> = request["resourceSpans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            attribute(&one["resource"], "service.name")
                .unwrap()
                .as_str()
                .unwrap()
        })
        .collect();
    assert!(names.contains(&"hoptrail"), "{names:?}");
    assert!(names.len() >= 2, "{names:?}");
    assert_eq!(names.len(), names.iter().collect::<HashSet<_>>().len());
}

/// The sample story, from wherever a process stands.
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces/story.jsonl");

#[rstest]
#[case("otlp", "{\"resourceSpans\":")]
#[case("ocsf", "{\"activity_id\":")]
#[case("markdown", "# The whole story on the lab")]
#[case("svg", "<svg xmlns=")]
#[case("cast", "{\"version\":3,")]
fn the_program_writes_every_form(#[case] form: &str, #[case] begins: &str) {
    let home = program::Home::new();
    let out = home.run(&["export", STORY, "--to", form]).exits_with(0).out;
    assert!(out.starts_with(begins), "{}", &out[..out.len().min(80)]);
    let file = home.file("out");
    let name = file.to_str().unwrap();
    let silent = home
        .run(&["export", STORY, "--to", form, "--output", name])
        .exits_with(0);
    assert_eq!(silent.out, "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), out);
}

#[test]
fn a_size_that_is_none_and_a_trace_that_is_none_are_usage() {
    let home = program::Home::new();
    let svg = ["export", STORY, "--to", "svg", "--size"];
    for size in ["wide", "0x10", "10x100000", "80"] {
        let args: Vec<&str> = svg.iter().copied().chain([size]).collect();
        let _ = home.run(&args).exits_with(2);
    }
    let _ = home
        .run(&["export", "nowhere.jsonl", "--to", "otlp"])
        .exits_with(2);
    let _ = home.run(&["export", STORY]).exits_with(2);
}

#[test]
fn the_program_tells_by_its_exit_whether_two_runs_differ() {
    let home = program::Home::new();
    let same = home.run(&["diff", STORY, STORY]).exits_with(0).out;
    assert!(
        same.contains("0 differ, 0 only in A, 0 only in B"),
        "{same}"
    );
    let story = std::fs::read_to_string(STORY).unwrap();
    let half: Vec<&str> = story.split_inclusive('\n').take(60).collect();
    let half = home.write("half.jsonl", half.concat());
    let half = half.to_str().unwrap();
    let out = home.run(&["diff", STORY, half, "--json"]).exits_with(1).out;
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["same"], false);
    assert!(
        value["counts"]["only_left"].as_u64().unwrap() > 0,
        "{value}"
    );
    let _ = home.run(&["diff", STORY, "nowhere.jsonl"]).exits_with(2);
}
