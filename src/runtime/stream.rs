//! The one writer of the trace: gives facts their order and their time.
//!
//! Producers report from any task and are never held up. If they outrun the reader by the whole
//! channel, facts are dropped, counted, and the loss itself becomes a fact.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::mpsc;

use crate::{
    support::clock::Stopwatch,
    trace::{
        Actor, Fact, TraceEvent,
        sink::{Report, SharedSink, TraceSink},
    },
};

/// Facts that may wait for the reader; at 5,000 a second that is thirteen seconds.
const CAPACITY: usize = 65_536;

#[derive(Debug)]
struct ChannelSink {
    began: Stopwatch,
    sender: mpsc::Sender<(u64, Report)>,
    dropped: Arc<AtomicU64>,
}

impl TraceSink for ChannelSink {
    fn report(&self, report: Report) {
        // A closed channel means that the run is over; there is nobody left to tell.
        if let Err(mpsc::error::TrySendError::Full(_)) =
            self.sender.try_send((self.began.micros(), report))
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The reading end: facts with their place in the stream.
#[derive(Debug)]
pub struct Stream {
    receiver: mpsc::Receiver<(u64, Report)>,
    dropped: Arc<AtomicU64>,
    next_seq: u64,
    last_us: u64,
    began: Stopwatch,
}

/// Opens the stream; time zero is now.
#[must_use]
pub fn open() -> (SharedSink, Stream) {
    open_with(CAPACITY)
}

fn open_with(capacity: usize) -> (SharedSink, Stream) {
    let (sender, receiver) = mpsc::channel(capacity);
    let dropped = Arc::new(AtomicU64::new(0));
    let began = Stopwatch::start();
    let sink = ChannelSink {
        began,
        sender,
        dropped: Arc::clone(&dropped),
    };
    let stream = Stream {
        receiver,
        dropped,
        next_seq: 0,
        last_us: 0,
        began,
    };
    (Arc::new(sink), stream)
}

impl Stream {
    /// Microseconds since the run began, on the clock that stamps the facts.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.began.micros()
    }

    /// Waits for the next event; `None` when every sink is gone.
    pub async fn next(&mut self) -> Option<TraceEvent> {
        if let Some(lost) = self.lost() {
            return Some(lost);
        }
        let (at_us, report) = self.receiver.recv().await?;
        Some(self.stamp(at_us, report))
    }

    /// The next event if one is waiting.
    pub fn try_next(&mut self) -> Option<TraceEvent> {
        if let Some(lost) = self.lost() {
            return Some(lost);
        }
        let (at_us, report) = self.receiver.try_recv().ok()?;
        Some(self.stamp(at_us, report))
    }

    fn lost(&mut self) -> Option<TraceEvent> {
        let count = self.dropped.swap(0, Ordering::Relaxed);
        (count > 0).then(|| {
            let fact = Fact::FeedLost {
                feed: "trace".to_owned(),
                why: format!("{count} facts came faster than they could be shown and were dropped"),
            };
            self.stamp(self.last_us, Report::new(Actor::Client, fact))
        })
    }

    fn stamp(&mut self, at_us: u64, report: Report) -> TraceEvent {
        // Two tasks may report in the other order than they read the time; the stream's time
        // never runs backwards.
        self.last_us = self.last_us.max(at_us);
        let seq = self.next_seq;
        self.next_seq += 1;
        TraceEvent {
            seq,
            at_us: self.last_us,
            span: report.span,
            call: report.call,
            actor: report.actor,
            fact: report.fact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn facts_come_out_in_order_and_numbered() {
        let (sink, mut stream) = open();
        sink.report(Report::new(Actor::You, Fact::SignedOut));
        sink.report(Report::new(Actor::You, Fact::SignInCancelled));
        let first = stream.next().await.unwrap();
        let second = stream.try_next().unwrap();
        assert_eq!((first.seq, second.seq), (0, 1));
        assert!(second.at_us >= first.at_us);
        drop(sink);
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn what_had_to_be_dropped_is_said() {
        let (sink, mut stream) = open_with(1);
        for _ in 0..3 {
            sink.report(Report::new(Actor::You, Fact::SignedOut));
        }
        let event = stream.next().await.unwrap();
        assert!(matches!(event.fact, Fact::FeedLost { why, .. } if why.starts_with("2 facts")));
    }
}
