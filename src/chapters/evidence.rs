//! What a passed check points to, so that a reader can go and look.

use super::probe::Probe;
use crate::projection::{AuditId, HopId, Seq};

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// An event of the trace.
    Event(Seq),
    /// A row of the flow pane.
    Hop(HopId),
    /// A row of the audit pane.
    Row(AuditId),
    /// What a probe brought back.
    Probe(Probe),
}
