//! The zone's console and the feeds, as the client reads them.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod client_fake;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response, Sse, sse::Event},
    routing::{get, post},
};
use client_fake::rig::{Collected, rig};
use futures::StreamExt as _;
use hoptrail::{
    client::{browser::BrowserMode, console::Console, feed, hold},
    lab::ZONE_ID,
    protocol::{
        console::LifeStatus, hold::GATE_PATH, oauth::ClientCredential, observed::Upstream,
        secret::Secret,
    },
    support::clock::FakeClock,
    trace::Fact,
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A zone's management API that knows one policy set.
#[derive(Default)]
struct Zone {
    tokens: AtomicU32,
    /// The token that is good now.
    good: AtomicU32,
    activated: std::sync::Mutex<Option<String>>,
    feeds: std::sync::Mutex<Vec<Option<String>>>,
    connected: Notify,
    /// Id and status.
    sessions: std::sync::Mutex<Vec<(&'static str, &'static str)>>,
    /// What of the sessions was asked for.
    asked: std::sync::Mutex<Vec<String>>,
}

impl Zone {
    fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let good = format!("Bearer service-token-{}", self.good.load(Ordering::SeqCst));
        let sent = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        (sent != Some(good.as_str())).then(|| {
            (
                StatusCode::UNAUTHORIZED,
                Json(json!({"error": "invalid_token"})),
            )
                .into_response()
        })
    }
}

fn session(id: &str, status: &str) -> Value {
    json!({"id": id, "session_type": "user", "authenticated_at": "2026-11-24T09:00:00Z",
           "expires_at": "2026-12-24T09:00:00Z", "status": status})
}

async fn service_token(State(zone): State<Arc<Zone>>, body: String) -> Response {
    assert_eq!(
        body,
        "grant_type=client_credentials&client_id=svc&client_secret=a-service-secret"
    );
    let number = zone.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    zone.good.store(number, Ordering::SeqCst);
    let token = format!("service-token-{number}");
    Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600})).into_response()
}

async fn read(
    State(zone): State<Arc<Zone>>,
    Path(path): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = zone.refuse(&headers) {
        return refusal;
    }
    let when = "2026-11-24T09:00:00Z";
    let version = |number: u32| {
        json!({"id": format!("psv{number}"), "policy_set_id": "ps1", "version": number,
               "active": number == 2, "schema_version": "1", "manifest_sha": "m", "created_at": when})
    };
    let policy_version = |id: &str, number: u32, cedar: &str| json!({"id": id, "version": number, "cedar_raw": cedar, "schema_version": "1", "sha": "s"});
    let page = |items: Value| json!({"items": items, "pagination": {}});
    let body = match path.as_str() {
        "policy-sets" => page(
            json!([{"id": "ps1", "name": "workshop", "owner_type": "customer",
                                      "active_version": 2, "latest_version": 3}]),
        ),
        "policy-sets/ps1/versions" => page(json!([version(1), version(2), version(3)])),
        "policy-sets/ps1/versions/psv2" => {
            let mut whole = version(2);
            whole["manifest"] = json!({"entries": [
                {"policy_id": "p2", "policy_version_id": "pv2-1", "sha": "s"},
                {"policy_id": "p1", "policy_version_id": "pv1", "sha": "s"},
            ]});
            whole
        }
        "policies" => page(json!([
            {"id": "p1", "name": "default", "owner_type": "platform",
             "latest_version": policy_version("pv1", 1, "permit (principal, action, resource);")},
            {"id": "p2", "name": "limit", "owner_type": "customer",
             "latest_version": policy_version("pv2-2", 2, "newer")},
        ])),
        "policies/p2/versions/pv2-1" => {
            policy_version("pv2-1", 1, "forbid (principal, action, resource);")
        }
        "sessions" => {
            let query = uri.query().unwrap_or_default().to_owned();
            assert!(query.contains("status=active"), "{query}");
            zone.asked.lock().unwrap().push(query);
            let sessions = zone.sessions.lock().unwrap();
            let active = sessions.iter().filter(|(_, status)| *status == "active");
            page(active.map(|(id, status)| session(id, status)).collect())
        }
        "delegated-grants" => page(json!([])),
        other if other.starts_with("sessions/") => {
            zone.asked.lock().unwrap().push(other.to_owned());
            let id = other.trim_start_matches("sessions/");
            let sessions = zone.sessions.lock().unwrap();
            match sessions.iter().find(|(known, _)| *known == id) {
                Some((id, status)) => session(id, status),
                None => return StatusCode::NOT_FOUND.into_response(),
            }
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    Json(body).into_response()
}

async fn activate(
    State(zone): State<Arc<Zone>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refusal) = zone.refuse(&headers) {
        return refusal;
    }
    assert_eq!(body, json!({"active": true}));
    *zone.activated.lock().unwrap() = Some(path);
    Json(json!({})).into_response()
}

/// Tells one row per connection, then ends; the third connection stays open.
async fn events(State(zone): State<Arc<Zone>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = zone.refuse(&headers) {
        return refusal;
    }
    let last = headers
        .get("last-event-id")
        .map(|id| id.to_str().unwrap().to_owned());
    let number = last
        .as_deref()
        .map_or(1, |id| id.parse::<u32>().unwrap() + 1);
    let connections = {
        let mut feeds = zone.feeds.lock().unwrap();
        feeds.push(last);
        feeds.len()
    };
    zone.connected.notify_one();
    let row = json!({
        "id": format!("e{number}"), "sequence": number, "occurred_at": "2026-11-24T09:00:00Z",
        "event": "credentials:issue", "status": "Issued", "actor": {}, "request_id": "r",
        "trace_parent": {"trace": "000000000000000000000000000000ab", "span": "00000000000000cd"},
    });
    let first = futures::stream::iter([Ok::<_, std::convert::Infallible>(
        Event::default()
            .id(number.to_string())
            .data(row.to_string()),
    )]);
    if connections < 3 {
        Sse::new(first).into_response()
    } else {
        Sse::new(first.chain(futures::stream::pending())).into_response()
    }
}

async fn stand_in() -> Response {
    let request = json!({"request": {
        "upstream": "linear", "occurred_at": "2026-11-24T09:00:00Z", "method": "POST",
        "path": "/graphql", "operation": "issueCreate", "status": 200, "duration_us": 9,
    }});
    let first = futures::stream::iter(
        [
            Event::default().event("gap").data("904"),
            Event::default().id("1").data(request.to_string()),
        ]
        .map(Ok::<_, std::convert::Infallible>),
    );
    Sse::new(first.chain(futures::stream::pending())).into_response()
}

async fn start() -> (Arc<Zone>, Url, Console, Arc<Collected>) {
    let zone = Arc::new(Zone::default());
    let router = Router::new()
        .route("/service-account-token", post(service_token))
        .route("/zones/lab/{*path}", get(read).patch(activate))
        .route("/hoptrail/events", get(events))
        .route("/hoptrail/feed", get(stand_in))
        .with_state(Arc::clone(&zone));
    let (api, console, sink) = at(router).await;
    (zone, api, console, sink)
}

/// The console of a zone that answers so.
async fn at(router: Router) -> (Url, Console, Arc<Collected>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let rig = rig("http://127.0.0.1:9/mcp", BrowserMode::Show);
    let credential = ClientCredential {
        client_id: "svc".to_owned(),
        client_secret: Secret::from("a-service-secret"),
    };
    let console = Console::new(
        api.clone(),
        ZONE_ID,
        credential,
        rig.client.http().clone(),
        FakeClock::shared(),
    );
    (api, console, rig.sink)
}

#[tokio::test]
async fn what_cannot_be_read_is_not_told_as_it_came() {
    let odd = post(async || Json("a-token-where-none-belongs"));
    let (api, console, _) = at(Router::new().route("/service-account-token", odd)).await;
    let failure = console.bearer().await.unwrap_err();
    assert_eq!(
        failure.why,
        format!("{api}service-account-token: a value in it is of another kind")
    );
}

#[tokio::test]
async fn the_policy_overview_shows_what_is_active_and_not_what_is_newest() {
    let (zone, _, console, sink) = start().await;
    let overview = console.read_policy().await.unwrap();
    let cedar: Vec<&str> = overview
        .active_policies
        .iter()
        .map(|policy| policy.latest_version.cedar_raw.as_str())
        .collect();
    assert_eq!(
        cedar,
        [
            "forbid (principal, action, resource);",
            "permit (principal, action, resource);"
        ]
    );
    assert!(sink.facts().contains(&Fact::PolicyRead(overview)));
    console.read_sessions().await.unwrap();
    assert_eq!(
        zone.tokens.load(Ordering::SeqCst),
        1,
        "one token for all of it"
    );
    let trace = sink.json();
    assert!(!trace.contains("a-service-secret") && !trace.contains("service-token-1"));
}

#[tokio::test]
async fn a_service_token_that_is_refused_is_fetched_anew_once() {
    let (zone, _, console, _) = start().await;
    console.read_sessions().await.unwrap();
    zone.good.store(99, Ordering::SeqCst);
    console.read_sessions().await.unwrap();
    assert_eq!(zone.tokens.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn how_a_session_ended_is_told_and_old_ones_are_not_read_again() {
    let (zone, _, console, sink) = start().await;
    let told = || {
        let Some(Fact::SessionsRead { sessions, .. }) = sink.facts().pop() else {
            panic!("no read of sessions")
        };
        sessions
            .into_iter()
            .map(|session| (session.id, session.status))
            .collect::<Vec<_>>()
    };
    *zone.sessions.lock().unwrap() = vec![("old", "revoked"), ("one", "active"), ("two", "active")];
    console.read_sessions().await.unwrap();
    let active = |id: &str| (id.to_owned(), LifeStatus::Active);
    assert_eq!(told(), [active("one"), active("two")]);

    *zone.sessions.lock().unwrap() =
        vec![("old", "revoked"), ("one", "revoked"), ("three", "active")];
    console.read_sessions().await.unwrap();
    let ended = ("one".to_owned(), LifeStatus::Revoked);
    assert_eq!(told(), [active("three"), ended.clone()]);

    // What ended stays told and is not asked for again, nor is what the zone forgot.
    zone.asked.lock().unwrap().clear();
    console.read_sessions().await.unwrap();
    assert_eq!(told(), [active("three"), ended]);
    assert_eq!(*zone.asked.lock().unwrap(), ["status=active&limit=100"]);
}

#[tokio::test]
async fn activating_is_a_patch_of_the_version() {
    let (zone, _, console, _) = start().await;
    console.activate("ps1", "psv2").await.unwrap();
    assert_eq!(
        zone.activated.lock().unwrap().as_deref(),
        Some("policy-sets/ps1/versions/psv2")
    );
}

#[tokio::test]
async fn the_audit_feed_is_taken_up_where_it_ended_and_its_loss_is_told_once() {
    let (zone, _, console, sink) = start().await;
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let following = tokio::spawn(async move { feed::follow_audit(&console, 1_000, token).await });
    while zone.feeds.lock().unwrap().len() < 3
        || sink.count(|fact| matches!(fact, Fact::AuditRecorded(_))) < 3
    {
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    following.await.unwrap();
    let seen = zone.feeds.lock().unwrap().clone();
    assert_eq!(seen, [None, Some("1".to_owned()), Some("2".to_owned())]);
    let reports = sink.0.lock().unwrap();
    let rows: Vec<_> = reports
        .iter()
        .filter(|one| matches!(one.fact, Fact::AuditRecorded(_)))
        .collect();
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter()
            .all(|row| row.call.is_some_and(|call| call.0 == 0xab))
    );
    assert!(
        rows.iter()
            .all(|row| row.span.is_some_and(|span| span.0 == 0xcd))
    );
    let lost = reports
        .iter()
        .filter(|one| matches!(one.fact, Fact::FeedLost { .. }))
        .count();
    assert_eq!(lost, 2, "once for each time that it ended");
}

#[tokio::test]
async fn a_stand_ins_feed_tells_what_it_saw() {
    let (_, api, console, sink) = start().await;
    let cancel = CancellationToken::new();
    let (token, http) = (cancel.clone(), console.http().clone());
    let following = tokio::spawn(async move {
        feed::follow_stand_in(&http, &api, Upstream::Linear, token).await;
    });
    while sink.count(|fact| matches!(fact, Fact::UpstreamAnswered(_))) == 0 {
        tokio::task::yield_now().await;
    }
    cancel.cancel();
    following.await.unwrap();
    let lost = sink.facts().into_iter().find_map(|fact| match fact {
        Fact::FeedLost { feed, why } => Some((feed, why)),
        _ => None,
    });
    let why = "904 entries were dropped before they could be read".to_owned();
    assert_eq!(lost, Some(("Linear".to_owned(), why)));
}

/// Every answer that came is told with its status, however little it was of use.
#[tokio::test]
async fn what_is_no_feed_is_told_with_its_status() {
    let (zone, _, console, sink) = start().await;
    console.bearer().await.unwrap();
    // From now on the zone takes that token no longer.
    zone.good.store(99, Ordering::SeqCst);
    let refused = |path: &str| {
        let reports = sink.0.lock().unwrap();
        let sent = reports
            .iter()
            .find(|one| matches!(&one.fact, Fact::HopSent { url, .. } if url.ends_with(path)));
        let span = sent.unwrap().span;
        let end = reports.iter().rfind(|one| one.span == span).unwrap();
        end.fact.clone()
    };
    let (closed, _never) = tokio::sync::oneshot::channel();
    let held_up = hold::HeldUp::default();
    let never = CancellationToken::new();
    hold::hold(&console, &held_up, closed, &never)
        .await
        .unwrap_err();
    let end = refused(GATE_PATH);
    assert!(
        matches!(end, Fact::HopReturned { status: 404, .. }),
        "{end:?}"
    );

    let cancel = CancellationToken::new();
    let following = feed::follow_audit(&console, 1_000, cancel.clone());
    let told = async {
        while sink.count(|fact| matches!(fact, Fact::FeedLost { .. })) == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    tokio::join!(following, told);
    let end = refused("/hoptrail/events?latest=1000");
    assert!(
        matches!(end, Fact::HopReturned { status: 401, .. }),
        "{end:?}"
    );
}

#[tokio::test]
async fn an_entry_of_a_feed_that_never_ends_is_not_kept() {
    let (_, _, console, sink) = start().await;
    // More than any entry is taken, and then the end: a feed without a bound would read on.
    let endless = async || {
        let chunk = Bytes::from(vec![b'x'; 1 << 16]);
        let chunks = futures::stream::iter(vec![Ok::<_, std::convert::Infallible>(chunk); 96]);
        let kind = (axum::http::header::CONTENT_TYPE, "text/event-stream");
        ([kind], Body::from_stream(chunks))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(endless);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let cancel = CancellationToken::new();
    let api: Url = origin.parse().unwrap();
    let following = feed::follow_stand_in(console.http(), &api, Upstream::Linear, cancel.clone());
    let told = async {
        loop {
            let lost = sink.facts().into_iter().find_map(|fact| match fact {
                Fact::FeedLost { why, .. } => Some(why),
                _ => None,
            });
            if let Some(why) = lost {
                cancel.cancel();
                return why;
            }
            tokio::task::yield_now().await;
        }
    };
    let ((), why) = tokio::join!(following, told);
    assert!(why.contains("longer than"), "{why}");
}
