//! The one writer of the trace: gives facts their order and their time.
//!
//! Producers report from any task and are never held up. If they outrun the reader by the whole
//! channel, facts are dropped, counted, and the loss itself becomes a fact.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::{
    support::clock::{Clock, Stopwatch},
    trace::{
        Actor, Fact, TraceEvent,
        codec::Header,
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
    /// How many facts are ahead of those that were dropped.
    before_loss: Option<usize>,
    next_seq: u64,
    last_us: u64,
    began: Stopwatch,
    started: DateTime<Utc>,
}

/// Opens the stream; time zero is now.
#[must_use]
pub fn open(clock: &dyn Clock) -> (SharedSink, Stream) {
    open_with(CAPACITY, clock)
}

fn open_with(capacity: usize, clock: &dyn Clock) -> (SharedSink, Stream) {
    let (sender, receiver) = mpsc::channel(capacity);
    let dropped = Arc::new(AtomicU64::new(0));
    // In one breath: other parties' wall clocks are told in this stream's time by the difference.
    let (started, began) = (clock.now(), Stopwatch::start());
    let sink = ChannelSink {
        began,
        sender,
        dropped: Arc::clone(&dropped),
    };
    let stream = Stream {
        receiver,
        dropped,
        before_loss: None,
        next_seq: 0,
        last_us: 0,
        began,
        started,
    };
    (Arc::new(sink), stream)
}

impl Stream {
    /// The header of the trace that this stream is.
    #[must_use]
    pub fn header(&self) -> Header {
        Header::new(self.started)
    }

    /// Microseconds since the run began, on the clock that stamps the facts.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.began.micros()
    }

    /// How many events wait to be read.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.receiver.len()
    }

    /// Waits for the next event; `None` when every sink is gone.
    pub async fn next(&mut self) -> Option<TraceEvent> {
        if let Some(lost) = self.lost() {
            return Some(lost);
        }
        let (at_us, report) = self.receiver.recv().await?;
        Some(self.taken(at_us, report))
    }

    /// The next event if one is waiting.
    pub fn try_next(&mut self) -> Option<TraceEvent> {
        if let Some(lost) = self.lost() {
            return Some(lost);
        }
        let (at_us, report) = self.receiver.try_recv().ok()?;
        Some(self.taken(at_us, report))
    }

    /// What was dropped, told in its place: facts that waited by then were there before it.
    fn lost(&mut self) -> Option<TraceEvent> {
        if self.before_loss.is_none() && self.dropped.load(Ordering::Relaxed) > 0 {
            self.before_loss = Some(self.receiver.len());
        }
        if self.before_loss != Some(0) {
            return None;
        }
        self.before_loss = None;
        let count = self.dropped.swap(0, Ordering::Relaxed);
        let fact = Fact::FeedLost {
            feed: "trace".to_owned(),
            why: format!("{count} facts came faster than they could be shown and were dropped"),
        };
        Some(self.stamp(self.last_us, Report::new(Actor::Client, fact)))
    }

    fn taken(&mut self, at_us: u64, report: Report) -> TraceEvent {
        self.before_loss = self.before_loss.map(|ahead| ahead.saturating_sub(1));
        self.stamp(at_us, report)
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
    use crate::support::clock::{FakeClock, SystemClock};

    /// What is done between the two would be missing between its own clock and everybody else's.
    #[test]
    fn the_header_names_the_moment_of_the_stopwatch() {
        let clock = FakeClock::shared();
        let began = clock.now();
        let (_sink, stream) = open(&*clock);
        clock.advance(chrono::TimeDelta::seconds(1));
        assert_eq!(stream.header().started, began);
    }

    #[tokio::test]
    async fn facts_come_out_in_order_and_numbered() {
        let (sink, mut stream) = open(&SystemClock);
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
    async fn what_had_to_be_dropped_is_said_where_it_is_missing() {
        let (sink, mut stream) = open_with(2, &SystemClock);
        let tell = |fact: Fact| sink.report(Report::new(Actor::You, fact));
        for _ in 0..4 {
            tell(Fact::SignedOut);
        }
        assert_eq!(stream.next().await.unwrap().fact, Fact::SignedOut);
        tell(Fact::SignInCancelled);
        assert_eq!(stream.next().await.unwrap().fact, Fact::SignedOut);
        let lost = stream.next().await.unwrap().fact;
        assert!(matches!(lost, Fact::FeedLost { why, .. } if why.starts_with("2 facts")));
        assert_eq!(stream.try_next().unwrap().fact, Fact::SignInCancelled);
        assert_eq!(stream.try_next(), None);
    }
}
