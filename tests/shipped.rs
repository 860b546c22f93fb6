//! The shipped traces are what `hoptrail traces record` makes, each shows what its line says, and
//! nothing secret is in them.

use std::{collections::BTreeMap, sync::Arc};

use hoptrail::{
    config::sheet::Sheet,
    projection::{Comparison, HopKind, Part, Projection, Verdict, compare::Tolerance},
    runtime::scenes,
    shipped::{self, Shipped},
    trace::{
        Fact, TraceEvent, codec,
        event::CallOutcome,
        reader::{Item, Reader},
    },
};
use regex::Regex;

#[path = "secrets/collect.rs"]
#[expect(dead_code, reason = "the other half is for tests/secrets.rs")]
mod collect;
use collect::{Collection, Tap};

fn events(text: &str) -> (codec::Header, Vec<TraceEvent>) {
    let (header, mut reader) = Reader::open(text.as_bytes()).unwrap();
    let mut events = Vec::new();
    loop {
        match reader.read_next().unwrap() {
            Item::Event(entry) => events.push(entry.event),
            Item::End => return (header, events),
            other => panic!("a shipped trace is whole: {other:?}"),
        }
    }
}

fn folded(text: &str) -> Projection {
    let (header, events) = events(text);
    let mut projection = Projection::starting(header.started);
    projection.extend(&events);
    projection
}

fn of(name: &str) -> Projection {
    folded(shipped::by_name(name).unwrap().text)
}

/// How many facts there are of each kind.
fn kinds(text: &str) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for event in events(text).1 {
        let value = serde_json::to_value(&event.fact).unwrap();
        let kind = match value.as_object() {
            Some(fact) => fact.keys().next().unwrap().clone(),
            None => value.to_string(),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

/// Durations are as they were; everything else is the same at every recording.
async fn is_what_the_command_makes(shipped: &Shipped) {
    let tap = Arc::new(Tap::default());
    let anew = scenes::record(shipped.name, Some(tap.clone())).await;
    let anew = anew.unwrap_or_else(|failure| panic!("{}: {failure}", shipped.name));
    let tolerance = Tolerance {
        factor: f64::INFINITY,
        floor_us: u64::MAX,
    };
    let found = Comparison::of(&folded(shipped.text), &folded(&anew), tolerance);
    let advice = "if that is meant: hoptrail traces record --to assets/traces";
    assert!(found.is_same(), "{}: {advice}\n{found:#?}", shipped.name);
    assert_eq!(
        kinds(shipped.text),
        kinds(&anew),
        "{}: {advice}",
        shipped.name
    );
    let secrets = Collection::from(&*tap);
    assert!(
        secrets.iter().count() > 3,
        "{}: the wire was not heard",
        shipped.name
    );
    assert_eq!(
        secrets.found_in(shipped.name, anew.as_bytes()),
        Vec::<String>::new()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_what_the_command_makes_and_tells_no_secret() {
    let all = shipped::list().iter().map(is_what_the_command_makes);
    futures::future::join_all(all).await;
}

#[test]
fn nothing_in_them_looks_like_a_secret() {
    let looks = Regex::new(
        r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|sk-ant-\w{4}|sb_secret_\w{4}|lin_(api|oauth)_\w{4}|(?i)bearer [\w.-]{20,}|code_verifier=\w{8}",
    )
    .unwrap();
    for one in shipped::list() {
        let found: Vec<&str> = looks.find_iter(one.text).map(|m| m.as_str()).collect();
        assert_eq!(found, Vec::<&str>::new(), "{}", one.name);
    }
}

#[test]
fn they_are_small_whole_and_in_order() {
    let mut bytes = 0;
    for one in shipped::list() {
        let (header, events) = events(one.text);
        assert_eq!(header.title.as_deref(), Some(one.line), "{}", one.name);
        let numbered = events.iter().enumerate();
        for (place, event) in numbered.clone() {
            assert_eq!(event.seq, place as u64, "{}", one.name);
        }
        assert!(events.is_sorted_by_key(|event| event.at_us), "{}", one.name);
        assert!(
            events
                .iter()
                .any(|e| matches!(e.fact, Fact::MarkSet { .. } | Fact::CueBegan { .. })),
            "{}",
            one.name
        );
        bytes += one.text.len();
    }
    assert!(bytes < 1_000_000, "{bytes} bytes are embedded");
}

fn outcomes(name: &str) -> Vec<(String, Option<CallOutcome>)> {
    let projection = of(name);
    let calls = projection.tools().calls().iter();
    calls
        .map(|call| (call.tool.to_string(), call.outcome))
        .collect()
}

/// Verdicts of the exchanges within tool calls.
fn exchanges(name: &str) -> Vec<Verdict> {
    let projection = of(name);
    let hops = projection.hops().in_order();
    hops.filter(|hop| hop.kind == HopKind::Exchange && hop.call.is_some())
        .map(|hop| hop.verdict)
        .collect()
}

#[test]
fn each_shows_what_its_line_says() {
    use CallOutcome::{Broken, Failed, Succeeded};
    let calls = |name: &str| -> Vec<CallOutcome> {
        outcomes(name).into_iter().filter_map(|(_, o)| o).collect()
    };
    assert_eq!(calls("open-door"), [Succeeded; 3]);
    assert_eq!(exchanges("open-door"), []);
    assert!(of("open-door").identity().user().is_none());

    for (name, masked) in [("unmasked", false), ("masked", true)] {
        let projection = of(name);
        let (_, issue) = projection.issues().pair();
        let seen = issue.unwrap().issue(projection.log()).unwrap();
        assert_eq!(seen.description.contains("[EMAIL_1]"), masked, "{name}");
    }

    assert_eq!(exchanges("escalation"), [Verdict::Ok; 5]);
    assert_eq!(of("denial").story().verdict(), Ok(()));
    assert_eq!(calls("consent-refused"), []);
    assert!(of("consent-refused").identity().user().is_none());

    assert_eq!(calls("no-defaults"), [Succeeded, Failed]);
    assert_eq!(exchanges("no-defaults"), [Verdict::Ok, Verdict::Denied]);
    let projection = of("no-defaults");
    assert_eq!(
        projection.policies().active().unwrap().name,
        "only-the-limit"
    );

    assert_eq!(calls("upstream-fails"), [Succeeded, Failed]);
    assert!(of("upstream-fails").issues().issues().is_empty());

    assert_eq!(calls("expired"), [Succeeded, Broken, Succeeded]);

    assert_eq!(
        calls("on-stage"),
        [Succeeded, Succeeded, Failed, Succeeded, Succeeded, Failed]
    );
    // On a stage with the built-in sheet it is found by each cue's own title.
    let projection = of("on-stage");
    let marks = projection.marks().iter();
    let cues: Vec<_> = marks
        .filter(|mark| matches!(mark.part, Part::Cue(_)))
        .map(|mark| mark.text.to_string())
        .collect();
    let sheet = Sheet::built_in();
    let titles: Vec<_> = sheet.cues.iter().map(|cue| cue.title.clone()).collect();
    assert_eq!(cues, titles);
}
