//! The audit feed: the zone's rows as they become durable.
//!
//! Ours. Keycard has an Events API, but its paths, filters and streaming are not published, so this
//! one stands under a path of its own and imitates nothing.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response, Sse, sse::Event},
    routing::get,
};
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use tokio::sync::watch;

use crate::protocol::{audit::AuditPage, observed::AUDIT_FEED_PATH};

use super::{
    ZoneState,
    console::{ApiError, Asked, Authorized},
    store::{AuditRow, Store},
};

/// The most rows in one page, and in one read behind the stream.
const MOST_ROWS: u32 = 500;

pub(super) fn router(state: Arc<ZoneState>) -> Router {
    Router::new()
        .route(AUDIT_FEED_PATH, get(feed))
        .with_state(state)
}

/// Where to go on: rows after this number, or so many of the latest ones. Without either the feed begins
/// with the first row.
#[derive(Debug, Deserialize)]
struct Position {
    after: Option<u64>,
    latest: Option<u64>,
    limit: Option<u32>,
}

/// `text/event-stream` unless the caller accepts only JSON.
async fn feed(
    State(state): State<Arc<ZoneState>>,
    _: Authorized,
    Asked(position): Asked<Position>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // The header is the browser's own word on a reconnect, so it is newer than the URL.
    let after = match header("last-event-id") {
        Some(id) => Some(id.trim().parse().map_err(|_| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "Last-Event-ID is not the number of a row",
            )
        })?),
        None => position.after.or_else(|| {
            let last = *state.store.sequence().borrow();
            position.latest.map(|latest| last.saturating_sub(latest))
        }),
    }
    .unwrap_or(0);
    let accept = header(header::ACCEPT.as_str()).unwrap_or_default();
    if accept.contains("application/json") && !accept.contains("text/event-stream") {
        let limit = position.limit.unwrap_or(MOST_ROWS).clamp(1, MOST_ROWS);
        let rows = state.store.audit_after(after, limit).await?;
        let items = rows.iter().map(|row| &*row.json).collect();
        return Ok(Json(AuditPage { items }).into_response());
    }
    // No keep-alive comments: they would wake the process for nothing, and on loopback a dead peer
    // is noticed at once.
    let ending = state.ending.clone().cancelled_owned();
    Ok(Sse::new(follow(state.store.clone(), after).take_until(ending)).into_response())
}

/// Rows after `after`, then each new one, until the zone closes.
fn follow(
    store: Store,
    after: u64,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    let follower = Follower {
        sequence: store.sequence(),
        store,
        after,
        ready: VecDeque::new(),
    };
    futures::stream::unfold(follower, |mut follower| async move {
        let row = follower.next().await?;
        let event = Event::default()
            .id(row.sequence.to_string())
            .data(row.json.get());
        Some((Ok(event), follower))
    })
}

struct Follower {
    store: Store,
    sequence: watch::Receiver<u64>,
    after: u64,
    ready: VecDeque<Arc<AuditRow>>,
}

impl Follower {
    async fn next(&mut self) -> Option<Arc<AuditRow>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                self.after = row.sequence;
                return Some(row);
            }
            // Marked as seen before reading, so that a row between the two wakes us again.
            let last = *self.sequence.borrow_and_update();
            if last > self.after {
                match self.store.audit_after(self.after, MOST_ROWS).await {
                    Ok(rows) => self.ready = rows.into(),
                    Err(failure) => {
                        tracing::error!(%failure, "the audit feed ended early");
                        return None;
                    }
                }
            }
            if self.ready.is_empty() {
                self.sequence.changed().await.ok()?;
            }
        }
    }
}
