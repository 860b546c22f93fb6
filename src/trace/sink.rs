//! Where facts are handed over. Producers give what they know; the one writer behind the sink
//! stamps order and time and passes on.

use std::fmt::Debug;

use super::event::{Actor, Fact};
use crate::protocol::{observed::CallId, traceparent::SpanId};

/// A fact without its place in the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub span: Option<SpanId>,
    pub call: Option<CallId>,
    pub actor: Actor,
    pub fact: Fact,
}

impl Report {
    /// A fact that belongs to no hop and no call.
    #[must_use]
    pub const fn new(actor: Actor, fact: Fact) -> Self {
        Self {
            span: None,
            call: None,
            actor,
            fact,
        }
    }

    /// Says which hop it belongs to.
    #[must_use]
    pub const fn on(mut self, span: SpanId) -> Self {
        self.span = Some(span);
        self
    }

    /// Says which tool call it belongs to.
    #[must_use]
    pub const fn in_call(mut self, call: Option<CallId>) -> Self {
        self.call = call;
        self
    }
}

/// Takes facts. Never blocks and never fails: the observer must not disturb what it observes.
pub trait TraceSink: Debug + Send + Sync {
    /// Hands over one fact.
    fn report(&self, report: Report);
}

/// A sink as it is handed around.
pub type SharedSink = std::sync::Arc<dyn TraceSink>;
