//! Spans of a run that goes on, at a collector that takes them, or does not.

mod screens;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hoptrail::{
    export::otlp,
    projection::Projection,
    protocol::secret::Secret,
    runtime::{
        collector::{Destination, Exporter, Patience},
        replay::Place,
    },
};
use serde::Deserialize;

/// `ExportTraceServiceRequest` and what is in it, as `opentelemetry/proto` has it: another field is
/// a mistake.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    attributes: Vec<KeyValue>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    name: String,
    #[expect(dead_code, reason = "its being there is the check")]
    version: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are OTLP's names")]
struct Span {
    trace_id: String,
    span_id: String,
    #[serde(default)]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<KeyValue>,
    status: Status,
    #[serde(default)]
    links: Vec<Link>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    #[serde(default)]
    code: u8,
    #[serde(default)]
    message: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Link {
    trace_id: String,
    span_id: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Event {
    time_unix_nano: String,
    name: String,
    attributes: Vec<KeyValue>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyValue {
    key: String,
    value: serde_json::Value,
}

fn spans(request: &Request) -> Vec<Span> {
    let mut all = Vec::new();
    for resource in &request.resource_spans {
        assert!(
            resource
                .resource
                .attributes
                .iter()
                .any(|a| a.key == "service.name")
        );
        for scope in &resource.scope_spans {
            assert_eq!(scope.scope.name, "hoptrail");
            all.extend(scope.spans.iter().cloned());
        }
    }
    all
}

fn check(span: &Span) {
    let hex = |text: &str, length| {
        text.len() == length
            && text.bytes().all(|b| b.is_ascii_hexdigit())
            && text.contains(|c| c != '0')
    };
    assert!(
        hex(&span.trace_id, 32) && hex(&span.span_id, 16),
        "{span:?}"
    );
    let times = [&span.start_time_unix_nano, &span.end_time_unix_nano];
    let [start, end] = times.map(|time| time.parse::<u64>().unwrap());
    assert!(start <= end && (1..=3).contains(&span.kind) && span.status.code <= 2);
}

/// What a collector got, and how it answers: with these one after the other, then with 200.
#[derive(Clone, Default)]
struct Desk {
    got: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<Vec<(u16, &'static str)>>>,
    /// Of every request, taken or not.
    headers: Arc<Mutex<Vec<HeaderMap>>>,
    arrived: Arc<tokio::sync::Notify>,
}

impl Desk {
    fn spans(&self) -> Vec<Span> {
        self.got.lock().unwrap().iter().flat_map(spans).collect()
    }
}

async fn take(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, &'static str) {
    desk.headers.lock().unwrap().push(headers);
    let answer = desk.answers.lock().unwrap().pop();
    let (status, text) = answer.unwrap_or((200, "{\"partialSuccess\":{}}"));
    if status == 200 {
        let request = serde_json::from_str(&body).unwrap();
        desk.got.lock().unwrap().push(request);
        desk.arrived.notify_one();
    }
    (StatusCode::from_u16(status).unwrap(), text)
}

/// A collector that gives these answers before it is content; the last one first.
async fn collector(answers: &[(u16, &'static str)]) -> (Desk, String) {
    let desk = Desk {
        answers: Arc::new(Mutex::new(answers.to_vec())),
        ..Desk::default()
    };
    let app = Router::new()
        .route("/v1/traces", post(take))
        .with_state(desk.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (desk, url)
}

const HASTY: Patience = Patience {
    quiet: Duration::from_millis(1),
    retry: Duration::from_millis(1),
    last: Duration::from_secs(20),
};

fn exporter(url: &str) -> Exporter {
    Exporter::start(Destination::at(url).unwrap(), screens::header(), HASTY).unwrap()
}

/// By id; every one once.
fn by_id(spans: Vec<Span>) -> BTreeMap<String, Span> {
    let count = spans.len();
    let map: BTreeMap<_, _> = spans.into_iter().map(|s| (s.span_id.clone(), s)).collect();
    assert_eq!(map.len(), count, "a span came twice");
    map
}

fn exported() -> BTreeMap<String, Span> {
    let mut projection = Projection::starting(screens::header().started);
    projection.extend(&screens::story());
    let mut out = Vec::new();
    otlp::write(&mut out, &screens::header(), &projection).unwrap();
    by_id(spans(&serde_json::from_slice(&out).unwrap()))
}

#[tokio::test]
async fn calls_arrive_while_the_run_goes_on_and_all_of_it_in_the_end() {
    let (desk, url) = collector(&[]).await;
    let exporter = exporter(&url);
    for event in screens::story() {
        exporter.tell(&event);
    }
    desk.arrived.notified().await;
    let early = desk.spans();
    assert!(early.iter().any(|span| span.name.starts_with("tools/call")));
    assert!(
        early.iter().all(|span| span.name != "hoptrail run"),
        "the run is not over"
    );
    assert_eq!(exporter.finish().await, None);
    let all = by_id(desk.spans());
    all.values().for_each(check);
    let whole = exported();
    assert_eq!(
        all.keys().collect::<BTreeSet<_>>(),
        whole.keys().collect::<BTreeSet<_>>(),
        "the same spans as `hoptrail export` writes"
    );
    for (id, span) in &all {
        let parent = span.parent_span_id.as_ref();
        assert_eq!(parent.is_none(), span.name == "hoptrail run", "{id}");
        assert!(parent.is_none_or(|parent| whole.contains_key(parent)));
    }
    assert_eq!(all, whole);
}

#[tokio::test]
async fn a_collector_that_is_busy_is_asked_again() {
    let (desk, url) = collector(&[(429, ""), (503, ""), (502, "")]).await;
    let exporter = exporter(&url);
    for event in screens::story() {
        exporter.tell(&event);
    }
    assert_eq!(exporter.finish().await, None);
    assert_eq!(by_id(desk.spans()).len(), exported().len());
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_told_of_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/otel/", listener.local_addr().unwrap());
    drop(listener);
    let mut exporter = exporter(&url);
    for event in screens::story() {
        exporter.tell(&event);
    }
    let failure = exporter.notice().await;
    assert_eq!(failure.what, "The collector did not take all spans");
    assert!(
        failure.why.contains(", after 4 attempts, for "),
        "{failure}"
    );
    assert!(failure.why.ends_with("/otel/v1/traces"), "{failure}");
    // What is left is not taken either; the first word stands for all.
    let _ = exporter.finish().await;
}

#[tokio::test]
async fn what_a_collector_refuses_is_not_sent_again() {
    for (answer, why) in [
        ((400, ""), "it answered 400 Bad Request"),
        ((404, ""), "it answered 404 Not Found"),
        (
            (
                200,
                "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too old\"}}",
            ),
            "it rejected 3: too old",
        ),
    ] {
        let (desk, url) = collector(&[answer]).await;
        let mut exporter = exporter(&url);
        for event in screens::story() {
            exporter.tell(&event);
        }
        let failure = exporter.notice().await;
        assert!(failure.why.starts_with(why), "{failure}");
        assert_eq!(exporter.finish().await, None, "told once");
        by_id(desk.spans());
    }
}

#[tokio::test]
async fn who_sends_goes_along_with_every_request() {
    let (desk, url) = collector(&[(401, ""), (503, "")]).await;
    let to = Destination::at(&url)
        .unwrap()
        .with_headers(
            "OTEL_EXPORTER_OTLP_HEADERS",
            &Secret::from("authorization=Bearer%20collector-key,x-team=a"),
        )
        .unwrap();
    let place = Place::File("tests/traces/story.jsonl".into());
    let exporter = Exporter::replaying(to, place, HASTY).unwrap();
    let failure = exporter.finish().await.expect("it was refused");
    assert!(
        failure.why.contains("it answered 401 Unauthorized; OTEL_"),
        "{failure}"
    );
    assert!(!failure.to_string().contains("collector-key"), "{failure}");
    let seen = desk.headers.lock().unwrap();
    assert!(seen.len() >= 2);
    for headers in seen.iter() {
        assert_eq!(headers["authorization"], "Bearer collector-key");
        assert_eq!(headers["x-team"], "a");
        assert_eq!(headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_recorded_run_is_sent_whole() {
    let (desk, url) = collector(&[]).await;
    let place = Place::File("tests/traces/story.jsonl".into());
    let exporter = Exporter::replaying(Destination::at(&url).unwrap(), place, HASTY).unwrap();
    assert_eq!(exporter.finish().await, None);
    let all = by_id(desk.spans());
    assert!(all.values().any(|span| span.name == "hoptrail run"));
    all.values().for_each(check);
}

#[tokio::test]
async fn a_url_that_is_no_collector_s_fails_before_the_run() {
    for url in [
        "",
        "collector:4318",
        "file:///tmp/x",
        "http://user:word@127.0.0.1:1",
    ] {
        let failure = Destination::at(url).unwrap_err();
        assert_eq!(failure.exit.code(), 2);
        assert!(!failure.to_string().contains("word@"), "{failure}");
    }
}
