//! Holding the lab's zone before each token exchange, from the side of who holds it.
//!
//! Holding is reading: as long as the gate's feed is read, exchanges wait. Whoever stops reading, for
//! whatever reason, holds nothing any more.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use futures::StreamExt as _;
use http::{Method, StatusCode, header};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    console::Console,
    feed::LONGEST_ENTRY,
    http::{Outgoing, Patience},
    mcp_stream::{cut_off, events},
};
use crate::{
    protocol::{
        hold::{GATE_PATH, GateEvent, HeldExchange, ReleaseReason, ReleasedExchange},
        traceparent::TraceParent,
    },
    support::{
        clock::Stopwatch,
        error::{Exit, Failure},
    },
    trace::{Actor, Fact, event::Leg},
};

/// What is held up by us, so that whoever waits for an answer does not count that time.
#[derive(Debug, Default)]
pub struct HeldUp {
    waiting: AtomicUsize,
    changes: AtomicU64,
}

impl HeldUp {
    fn set(&self, waiting: usize) {
        self.waiting.store(waiting, Ordering::Release);
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Comes back after `within` in which nothing was held.
    pub async fn patience(&self, within: Duration) {
        loop {
            let before = self.changes.load(Ordering::Acquire);
            tokio::time::sleep(within).await;
            let waiting = self.waiting.load(Ordering::Acquire);
            if waiting == 0 && self.changes.load(Ordering::Acquire) == before {
                return;
            }
        }
    }
}

/// Holds every exchange until it is called off; tells `closed` when the gate is closed.
///
/// # Errors
/// Why nothing is held, or not any more.
pub async fn hold(
    console: &Console,
    held_up: &HeldUp,
    closed: oneshot::Sender<()>,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let mut holder = Holder {
        console,
        held_up,
        held: BTreeMap::new(),
        closed: Some(closed),
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Ok(()),
        failure = holder.read() => Err(failure),
    }
}

struct Holder<'a> {
    console: &'a Console,
    held_up: &'a HeldUp,
    held: BTreeMap<String, (Stopwatch, Option<TraceParent>)>,
    closed: Option<oneshot::Sender<()>>,
}

impl Holder<'_> {
    async fn read(&mut self) -> Failure {
        let http = self.console.http();
        let no_gate = |why: &str| {
            Failure::new(
                Exit::Unreachable,
                "The zone cannot be held",
                http.clean(why),
                "the lab's own zone can; nothing waits now",
            )
        };
        let Ok(url) = self.console.api().join(GATE_PATH) else {
            return no_gate("its address has no room for the gate's");
        };
        let token = match self.console.bearer().await {
            Ok(token) => token,
            Err(failure) => return failure,
        };
        let mut outgoing = Outgoing::new(Method::GET, url, Leg::Console)
            .header(header::ACCEPT, "text/event-stream")
            .header(header::AUTHORIZATION, &format!("Bearer {}", token.expose()));
        outgoing.patience = Patience::Unlimited;
        let reply = match http.send(outgoing).await {
            Ok(reply) => reply,
            Err(error) => return error.failure("The zone cannot be held"),
        };
        let media_type = reply.media_type();
        let (hop, status, headers, bytes) = reply.stream();
        hop.returned(status, &headers, None);
        if status != StatusCode::OK || media_type != "text/event-stream" {
            if status == StatusCode::UNAUTHORIZED {
                self.console.forget(&token).await;
            }
            return no_gate(&format!("it answered {status} with {media_type}"));
        }
        let mut events = events(bytes, LONGEST_ENTRY);
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => return no_gate(&cut_off(&error)),
            };
            let Some(data) = &event.data else {
                continue;
            };
            if let Ok(event) = serde_json::from_str::<GateEvent>(data) {
                self.take(event);
            } else {
                tracing::warn!("a word of the gate is not understood");
            }
        }
        no_gate("the zone closed the connection")
    }

    fn take(&mut self, event: GateEvent) {
        match event {
            GateEvent::Closed { .. } => {
                if let Some(closed) = self.closed.take() {
                    // Who waited for it may have given up.
                    let _ = closed.send(());
                }
            }
            GateEvent::Held(held) => {
                let HeldExchange {
                    id, trace_parent, ..
                } = &held;
                // Told of again when its forecast has changed.
                self.held
                    .entry(id.clone())
                    .or_insert_with(|| (Stopwatch::start(), *trace_parent));
                self.held_up.set(self.held.len());
                self.report(*trace_parent, Fact::ExchangeHeld(Box::new(held)));
            }
            GateEvent::Released(released) => {
                self.held.remove(&released.id);
                self.held_up.set(self.held.len());
                self.report(released.trace_parent, Fact::ExchangeReleased(released));
            }
        }
    }

    fn report(&self, at: Option<TraceParent>, fact: Fact) {
        self.console.http().report_at(Actor::Zone, at, fact);
    }
}

impl Drop for Holder<'_> {
    /// The zone lets go what we no longer hold, and there is nobody left whom it could tell.
    fn drop(&mut self) {
        for (id, (watch, trace_parent)) in std::mem::take(&mut self.held) {
            let released = ReleasedExchange {
                id,
                why: ReleaseReason::HolderGone,
                held_us: watch.micros(),
                trace_parent,
            };
            self.report(trace_parent, Fact::ExchangeReleased(released));
        }
        self.held_up.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_held_up_by_us_costs_nobody_their_patience() {
        let held_up = HeldUp::default();
        let short = Duration::from_millis(1);
        held_up.patience(short).await;

        held_up.set(1);
        let mut waits = std::pin::pin!(held_up.patience(short));
        assert!(
            tokio::time::timeout(short * 20, &mut waits).await.is_err(),
            "as long as it is held, nobody gives up"
        );
        held_up.set(0);
        waits.await;
    }
}
