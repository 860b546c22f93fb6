//! Scripted faults: a stand-in that fails on cue, so that a lesson or a test can show it.
//!
//! A script is a list; the first fault that fits a request and is not used up is applied. Set it
//! from Rust, or over HTTP on [`FAULTS_PATH`]. The script's own route and the feed never fail.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State, rejection::JsonRejection},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::StreamExt;
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::observe::Noted;

/// Where a script is read (GET), set (PUT) and cleared (DELETE).
pub const FAULTS_PATH: &str = "/hoptrail/faults";

/// No answer of a stand-in and no request to it is longer than this.
const LONGEST_BODY: usize = 64 << 20;

/// One way to fail, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Fits requests whose `METHOD /path?query`, or GraphQL text, holds this; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How many requests are still to fail.
    #[serde(default = "once")]
    pub times: u32,
    /// Answers with this status, in the service's own error shape, and does nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Waits this long first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The answer's body ends halfway and the connection breaks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_off: bool,
    /// The answer's body is complete but no JSON.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malformed: bool,
    /// Seconds for a `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

const fn once() -> u32 {
    1
}

impl Fault {
    /// Fails the next request with `status`.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            times: 1,
            status: Some(status),
            ..Self::default()
        }
    }

    /// Only for requests whose `METHOD /path?query` or GraphQL text holds `when`.
    #[must_use]
    pub fn when(self, when: impl Into<String>) -> Self {
        Self {
            when: Some(when.into()),
            ..self
        }
    }

    /// For that many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    fn fits(&self, target: &str, graphql: Option<&str>) -> bool {
        self.times > 0
            && self.when.as_deref().is_none_or(|when| {
                target.contains(when) || graphql.is_some_and(|text| text.contains(when))
            })
    }
}

/// How the service words an error of a status.
pub type ErrorBody = fn(StatusCode) -> Value;

/// A stand-in's script of faults. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Faults(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    error_body: ErrorBody,
    script: Mutex<Vec<Fault>>,
    /// Length of the script, so that the usual case (none) takes no lock.
    pending: AtomicUsize,
}

impl Faults {
    /// An empty script for a service that words its errors with `error_body`.
    #[must_use]
    pub fn new(error_body: ErrorBody) -> Self {
        Self(Arc::new(Shared {
            error_body,
            script: Mutex::default(),
            pending: AtomicUsize::new(0),
        }))
    }

    /// Replaces the script.
    pub fn set(&self, faults: Vec<Fault>) {
        self.change(|script| *script = faults);
    }

    /// Adds a fault behind the others.
    pub fn push(&self, fault: Fault) {
        self.change(|script| script.push(fault));
    }

    /// Everything works again.
    pub fn clear(&self) {
        self.set(Vec::new());
    }

    /// The faults that are still to happen.
    #[must_use]
    pub fn list(&self) -> Vec<Fault> {
        self.script().clone()
    }

    /// Serves the script on [`FAULTS_PATH`].
    pub fn router(&self) -> Router {
        Router::new()
            .route(FAULTS_PATH, get(read).put(write).delete(clear))
            .with_state(self.clone())
    }

    fn script(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.script.lock()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Fault>) -> T) -> T {
        let mut script = self.script();
        let out = change(&mut script);
        script.retain(|fault| fault.times > 0);
        self.0.pending.store(script.len(), Ordering::Release);
        out
    }

    fn take(&self, target: &str, graphql: Option<&str>) -> Option<Fault> {
        self.change(|script| {
            let fault = script.iter_mut().find(|f| f.fits(target, graphql))?;
            fault.times -= 1;
            Some(fault.clone())
        })
    }
}

async fn read(State(faults): State<Faults>) -> Json<Vec<Fault>> {
    Json(faults.list())
}

async fn write(
    State(faults): State<Faults>,
    script: Result<Json<Vec<Fault>>, JsonRejection>,
) -> Response {
    let script = match script {
        Ok(Json(script)) => script,
        Err(error) => {
            return refuse(&format!(
                "A script is a JSON list of faults: {}",
                error.body_text()
            ));
        }
    };
    let bad = script
        .iter()
        .find_map(|f| f.status.filter(|s| !(200..600).contains(s)));
    if let Some(status) = bad {
        return refuse(&format!("{status} is no final HTTP status"));
    }
    faults.set(script);
    Json(faults.list()).into_response()
}

fn refuse(message: &str) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(serde_json::json!({ "error": message })),
    )
        .into_response()
}

async fn clear(State(faults): State<Faults>) -> StatusCode {
    faults.clear();
    StatusCode::NO_CONTENT
}

/// Middleware: applies the first fault that fits, if any.
pub async fn inject(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    if faults.0.pending.load(Ordering::Acquire) == 0 {
        return next.run(request).await;
    }
    let target = format!("{} {}", request.method(), request.uri());
    let (request, graphql) = match graphql_text(request).await {
        Ok(both) => both,
        Err(response) => return response,
    };
    let Some(fault) = faults.take(&target, graphql.as_deref()) else {
        return next.run(request).await;
    };
    if let Some(millis) = fault.delay_ms {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let mut response = match fault.status.map(StatusCode::from_u16) {
        None => next.run(request).await,
        Some(status) => {
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, Json((faults.0.error_body)(status))).into_response();
            response.extensions_mut().insert(Noted {
                operation: graphql.as_deref().and_then(operation_name),
                ..Noted::default().error(format!("scripted fault: {}", status.as_u16()))
            });
            response
        }
    };
    if let Some(seconds) = fault.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if fault.cut_off {
        cut_off(response).await
    } else if fault.malformed {
        malformed(response).await
    } else {
        response
    }
}

/// The GraphQL document of a request that carries one; the request stays whole.
async fn graphql_text(request: Request) -> Result<(Request, Option<String>), Response> {
    #[derive(Deserialize)]
    struct Document {
        query: String,
    }
    if !request.uri().path().ends_with("/graphql") {
        return Ok((request, None));
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, LONGEST_BODY)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    let text = serde_json::from_slice::<Document>(&bytes)
        .ok()
        .map(|d| d.query);
    Ok((Request::from_parts(parts, Body::from(bytes)), text))
}

/// The operation's name in a GraphQL document, near enough for a feed.
fn operation_name(document: &str) -> Option<String> {
    let mut words = document.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.find(|word| matches!(*word, "query" | "mutation"))?;
    words.next().filter(|w| !w.is_empty()).map(str::to_owned)
}

async fn whole_body(response: Response) -> (http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    // A body of ours that cannot be read to its end is as broken as this fault wants it.
    let bytes = axum::body::to_bytes(body, LONGEST_BODY)
        .await
        .unwrap_or_default();
    (parts, bytes)
}

async fn cut_off(response: Response) -> Response {
    let (mut parts, bytes) = whole_body(response).await;
    // The promised length makes the loss certain: without it a client might take half for all.
    parts.headers.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(bytes.len().max(2) as u64),
    );
    let half = bytes.slice(..bytes.len() / 2);
    let broken = futures::stream::once(async {
        // Lets the server send the first half before it learns that there is no second.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let chunks = StreamExt::chain(futures::stream::once(async { Ok(half) }), broken);
    Response::from_parts(parts, Body::from_stream(chunks))
}

async fn malformed(response: Response) -> Response {
    let (mut parts, bytes) = whole_body(response).await;
    let mut broken = bytes.slice(..bytes.len() / 2).to_vec();
    broken.extend_from_slice(b"{\"");
    parts.headers.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(broken.len() as u64),
    );
    Response::from_parts(parts, Body::from(broken))
}
