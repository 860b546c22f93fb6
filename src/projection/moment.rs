//! A fact's place in the run, and what other parties' clocks prove of it.

use chrono::{DateTime, Utc};

use super::Seq;
use crate::{
    protocol::{observed::CallId, traceparent::SpanId},
    trace::Actor,
};

/// A fact's place in the run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub seq: Seq,
    pub at_us: u64,
    pub actor: Actor,
    pub span: Option<SpanId>,
    pub call: Option<CallId>,
    pub(super) started: Option<DateTime<Utc>>,
    /// When the fact's call began; nothing of the call can have happened earlier.
    pub(super) call_started_us: u64,
}

impl Moment {
    /// The beginning of what took `duration_us` and is over now.
    pub(super) fn before(&self, duration_us: u64) -> u64 {
        self.at_us
            .saturating_sub(duration_us)
            .max(self.call_started_us.min(self.at_us))
    }

    /// True for a time before the run began, where it is known when that was.
    pub(super) fn precedes_run(&self, occurred_at: DateTime<Utc>) -> bool {
        self.started.is_some_and(|started| occurred_at < started)
    }

    /// Another party's wall clock as a moment of the run, kept within the call and before its
    /// arrival here: that clock proves no more. Without a header the arrival counts.
    ///
    /// Neither the zone nor a stand-in says whether it stamps the beginning or the end; the order
    /// of an exchange, its use and the next exchange comes out right either way.
    pub(super) fn happened(&self, occurred_at: DateTime<Utc>, duration_us: u64) -> u64 {
        self.started
            .and_then(|started| (occurred_at - started).num_microseconds())
            .and_then(|micros| u64::try_from(micros).ok())
            .map_or_else(
                || self.before(duration_us),
                |micros| micros.clamp(self.call_started_us.min(self.at_us), self.at_us),
            )
    }
}
