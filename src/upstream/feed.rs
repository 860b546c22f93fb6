//! A stand-in's feed of what it saw, as Server-Sent Events on [`FEED_PATH`].
//!
//! The feed keeps a bounded history in memory, so that a follower who comes late or comes back
//! still gets what it missed. Nothing wakes up while nothing happens: there are no keep-alives, as
//! on loopback a broken connection is noticed by itself.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event, Sse},
    routing::get,
};
use futures::{Stream, stream};
use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;
use tokio::sync::watch;

use crate::{
    protocol::observed::{FEED_GAP_EVENT, FEED_PATH, Observation},
    support::{clock::SharedClock, ids::Ids},
};

/// How many observations are kept for followers who come late.
const KEPT: usize = 4_096;

/// Publishes observations to any number of followers. Cloning shares the feed.
#[derive(Debug, Clone)]
pub struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    /// Another one at each start: a number of an earlier life means nothing in this one. It is in no
    /// trace, so that no test has to seed it.
    life: u64,
    history: Mutex<History>,
    state: watch::Sender<Head>,
}

/// What followers wait on: the newest sequence, and whether more can come.
#[derive(Debug, Clone, Copy)]
struct Head {
    sequence: u64,
    life: Life,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    Closed,
}

#[derive(Debug, Default)]
struct History {
    /// Sequence of the newest entry; the first one published gets 1.
    newest: u64,
    entries: VecDeque<Arc<Observation>>,
}

impl History {
    /// Sequence of the oldest entry that is still kept.
    fn oldest(&self) -> u64 {
        self.newest + 1 - self.entries.len() as u64
    }

    fn after(&self, sequence: u64) -> Option<(u64, Arc<Observation>)> {
        let next = (sequence + 1).max(self.oldest());
        let index = usize::try_from(next - self.oldest()).ok()?;
        self.entries.get(index).map(|entry| (next, entry.clone()))
    }
}

impl Feed {
    /// An empty feed. `clock` stamps the observations that are made for it.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self(Arc::new(Shared {
            clock,
            life: Ids::system().u64(),
            history: Mutex::default(),
            state: watch::Sender::new(Head {
                sequence: 0,
                life: Life::Open,
            }),
        }))
    }

    /// The clock that observations are stamped with.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    /// Adds an observation and wakes the followers. Never waits for one of them.
    pub fn publish(&self, observation: Observation) {
        let mut history = self.history();
        history.newest += 1;
        if history.entries.len() == KEPT {
            history.entries.pop_front();
        }
        history.entries.push_back(Arc::new(observation));
        let sequence = history.newest;
        // Inside of the lock, so that followers never see the sequence go backwards.
        self.0.state.send_modify(|head| head.sequence = sequence);
    }

    /// Ends every follower's stream once it has read what there is, so that a lab can stop without
    /// waiting for them.
    pub fn close(&self) {
        self.0.state.send_modify(|head| head.life = Life::Closed);
    }

    /// What is kept after `sequence` (0: everything kept), oldest first.
    #[must_use]
    pub fn since(&self, sequence: u64) -> Vec<(u64, Arc<Observation>)> {
        let history = self.history();
        let mut at = sequence;
        std::iter::from_fn(|| {
            let entry = history.after(at)?;
            at = entry.0;
            Some(entry)
        })
        .collect()
    }

    /// Serves the feed on [`FEED_PATH`].
    pub fn router(&self) -> Router {
        Router::new()
            .route(FEED_PATH, get(follow))
            .with_state(self.clone())
    }

    fn event_id(&self, sequence: u64) -> String {
        format!("{:x}-{sequence}", self.0.life)
    }

    /// The sequence that an event's id stands for; the beginning, if the id is of an earlier life.
    fn sequence_of(&self, event_id: &str) -> u64 {
        event_id
            .rsplit_once('-')
            .filter(|(life, _)| u64::from_str_radix(life, 16) == Ok(self.0.life))
            .and_then(|(_, sequence)| sequence.parse().ok())
            .unwrap_or(0)
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.0.history.lock()
    }

    /// Observations after `sequence` as they come, until the feed is closed.
    fn stream(&self, sequence: u64) -> impl Stream<Item = (u64, Arc<Observation>)> + use<> {
        let head = self.0.state.subscribe();
        // A sequence that was never given out is from an earlier life of this stand-in.
        let at = if sequence > head.borrow().sequence {
            0
        } else {
            sequence
        };
        let feed = self.clone();
        stream::unfold((feed, head, at), |(feed, mut head, at)| async move {
            loop {
                let next = feed.history().after(at);
                if let Some((sequence, entry)) = next {
                    return Some(((sequence, entry), (feed, head, sequence)));
                }
                let more = head
                    .wait_for(|head| head.sequence > at || head.life == Life::Closed)
                    .await
                    .map(|head| head.sequence > at);
                if !matches!(more, Ok(true)) {
                    return None;
                }
            }
        })
    }
}

#[derive(Debug, Deserialize)]
struct After {
    after: Option<u64>,
}

async fn follow(
    State(feed): State<Feed>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // The header wins: a client that reconnects by itself repeats the first query.
    let resumed = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .map(|id| feed.sequence_of(id.trim()));
    let events = feed.stream(resumed.or(query.after).unwrap_or(0));
    let first = Event::default().comment("following");
    // Who comes for the first time misses nothing that happened before.
    let mut last = resumed;
    let told = move |(sequence, observation): (u64, Arc<Observation>)| {
        let missed = last.map_or(0, |last| sequence.saturating_sub(last.saturating_add(1)));
        last = Some(sequence);
        let gap = (missed > 0).then(|| {
            Event::default()
                .event(FEED_GAP_EVENT)
                .data(missed.to_string())
        });
        let event = Event::default()
            .id(feed.event_id(sequence))
            .json_data(&*observation)
            .unwrap_or_else(|_| Event::default().comment("not representable"));
        stream::iter(gap.into_iter().chain([event]).map(Ok))
    };
    Sse::new(stream::StreamExt::chain(
        // Sends the head of the answer at once, even when nothing has happened yet.
        stream::once(async { Ok(first) }),
        stream::StreamExt::flat_map(events, told),
    ))
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;

    use super::*;
    use crate::{
        protocol::observed::{Upstream, UpstreamRequest},
        support::clock::FakeClock,
    };

    fn observation(feed: &Feed, status: u16) -> Observation {
        Observation::Request(UpstreamRequest {
            upstream: Upstream::Supabase,
            occurred_at: feed.clock().now(),
            method: "GET".into(),
            path: "/".into(),
            operation: "test".into(),
            status,
            duration_us: 1,
            credential: None,
            acted_as: None,
            trace_parent: None,
            error: None,
        })
    }

    async fn next(stream: &mut (impl Stream<Item = (u64, Arc<Observation>)> + Unpin)) -> u64 {
        stream.next().await.unwrap().0
    }

    #[tokio::test]
    async fn a_follower_gets_what_was_missed_and_then_what_comes() {
        let feed = Feed::new(FakeClock::shared());
        feed.publish(observation(&feed, 200));
        feed.publish(observation(&feed, 200));
        let mut early = Box::pin(feed.stream(0));
        let mut late = Box::pin(feed.stream(2));
        assert_eq!(next(&mut early).await, 1);
        assert_eq!(next(&mut early).await, 2);
        feed.publish(observation(&feed, 404));
        assert_eq!(next(&mut early).await, 3);
        assert_eq!(next(&mut late).await, 3);
        feed.close();
        assert!(early.next().await.is_none());
    }

    #[tokio::test]
    async fn a_sequence_of_an_earlier_life_starts_at_the_beginning() {
        let feed = Feed::new(FakeClock::shared());
        feed.publish(observation(&feed, 200));
        assert_eq!(next(&mut Box::pin(feed.stream(77))).await, 1);
    }

    #[test]
    fn the_history_is_bounded() {
        let feed = Feed::new(FakeClock::shared());
        for _ in 0..KEPT + 10 {
            feed.publish(observation(&feed, 200));
        }
        let kept = feed.since(0);
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept[0].0, 11);
        assert!(feed.since(u64::MAX - 1).is_empty());
    }
}
