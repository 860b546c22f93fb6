//! Measures each request to a stand-in and publishes it, with the credential as a fingerprint.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use crate::{
    protocol::{
        observed::{Observation, Upstream, UpstreamRequest},
        secret::{Fingerprint, scrub},
        traceparent::{TRACEPARENT, TraceParent},
    },
    support::{
        clock::Stopwatch,
        text::{one_line, truncate},
    },
};

use super::feed::Feed;

/// No text of an observation is wider, in cells: the feed keeps thousands of them.
const LONGEST: usize = 300;

/// State of [`observe`]: for which service, and where to publish.
#[derive(Debug, Clone)]
pub struct Observer {
    upstream: Upstream,
    feed: Feed,
}

impl Observer {
    /// An observer of `upstream` that publishes on `feed`.
    #[must_use]
    pub const fn new(upstream: Upstream, feed: Feed) -> Self {
        Self { upstream, feed }
    }
}

/// What a handler adds to its request's observation, put into the *response's* extensions.
#[derive(Debug, Clone, Default)]
pub struct Noted {
    /// `tickets?id=eq…`, `messages`, the GraphQL operation's name. Otherwise method and path.
    pub operation: Option<String>,
    /// Whom the credential made the caller.
    pub acted_as: Option<String>,
    /// The error's message, where the answer is one.
    pub error: Option<String>,
}

impl Noted {
    /// Names the operation.
    pub fn operation(name: impl Into<String>) -> Self {
        Self {
            operation: Some(name.into()),
            ..Self::default()
        }
    }

    /// Adds the error's message.
    #[must_use]
    pub fn error(self, message: impl Into<String>) -> Self {
        Self {
            error: Some(message.into()),
            ..self
        }
    }

    /// Adds whom the credential made the caller.
    #[must_use]
    pub fn acted_as(self, name: impl Into<String>) -> Self {
        Self {
            acted_as: Some(name.into()),
            ..self
        }
    }
}

/// Middleware: publishes an [`Observation::Request`] for each request, before its answer leaves.
pub async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let stopwatch = Stopwatch::start();
    let occurred_at = observer.feed.clock().now();
    let method = request.method().as_str().to_owned();
    let plain_path = request.uri().path().to_owned();
    let path = clean(&request.uri().query().map_or_else(
        || plain_path.clone(),
        |query| format!("{plain_path}?{}", without_values(query)),
    ));
    let credential = presented(request.headers()).map(|key| Fingerprint::of(key.as_bytes()));
    let trace_parent = trace_parent(request.headers());

    let mut response = next.run(request).await;

    let noted = response
        .extensions_mut()
        .remove::<Noted>()
        .unwrap_or_default();
    observer.feed.publish(Observation::Request(UpstreamRequest {
        upstream: observer.upstream,
        occurred_at,
        operation: noted
            .operation
            .map_or_else(|| format!("{method} {plain_path}"), |name| clean(&name)),
        method,
        path,
        status: response.status().as_u16(),
        duration_us: stopwatch.micros(),
        credential,
        acted_as: noted.acted_as.map(|name| clean(&name)),
        trace_parent,
        error: noted.error.map(|message| clean(&message)),
    }));
    response
}

/// What a feed shows is for screens, and kept for followers: one short, harmless line without
/// anything that looks like a key.
fn clean(text: &str) -> String {
    // Cut before looking closer: the text may be megabytes.
    let head: String = text.chars().take(LONGEST * 4).collect();
    truncate(&one_line(&scrub(&head)), LONGEST).into_owned()
}

/// A query string without what was looked for, as that may be a customer: `email=eq…`. An id stays.
fn without_values(query: &str) -> String {
    let shown = query.split('&').map(|pair| {
        let Some((name, value)) = pair.split_once('=') else {
            return pair.to_owned();
        };
        let plain = matches!(name, "select" | "order" | "limit" | "offset" | "columns");
        let id = value.strip_prefix("eq.").unwrap_or(value);
        if plain || uuid::Uuid::try_parse(id).is_ok() {
            return pair.to_owned();
        }
        format!("{name}={}…", operator(value))
    });
    shown.collect::<Vec<_>>().join("&")
}

/// What a filter's value begins with, where that is an operator and nothing of a value.
#[must_use]
pub fn operator(value: &str) -> &str {
    let word = value.split('.').next().unwrap_or_default();
    let known = [
        "eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "in", "is", "not",
    ];
    if known.contains(&word) { word } else { "" }
}

/// The credential that a request presents: `Authorization` with or without `Bearer`, `x-api-key`
/// (Anthropic) or `apikey` (Supabase). Never log it.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let value = |name: &str| headers.get(name)?.to_str().ok();
    value(header::AUTHORIZATION.as_str())
        .map(|value| bearer(value).unwrap_or(value))
        .or_else(|| value("x-api-key"))
        .or_else(|| value("apikey"))
        .map(str::trim)
        .filter(|key| !key.is_empty())
}

/// The token of a `Bearer` value; the scheme's case does not matter (RFC 9110, section 11.1).
#[must_use]
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Whether a request presents its credential as a bearer token.
#[must_use]
pub fn is_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    value
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| bearer(value).is_some())
}

/// The request's `traceparent`, if it has a readable one.
#[must_use]
pub fn trace_parent(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get(TRACEPARENT)?.to_str().ok()?.parse().ok()
}
