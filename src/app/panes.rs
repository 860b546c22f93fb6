//! What the panes remember of the reader: where they are and what they look for.

pub mod flow;
pub mod listing;

use self::{flow::FlowRow, listing::Listing};
use super::focus::PaneId;
use crate::projection::{AuditId, Seq};

/// Whether each event of what hoptrail reads for itself is a row, or a stretch of them is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Along {
    #[default]
    Folded,
    Shown,
}

/// The reader's place in every pane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panes {
    pub flow: Listing<FlowRow>,
    pub audit: Listing<AuditId>,
    pub trace: Listing<Seq>,
    pub along: Along,
    /// Which ticket is chosen, by its place in the list.
    pub ticket: usize,
    /// Which policy is open, by its place in the manifest; `None` is the one that decided last.
    pub policy: Option<usize>,
    /// Rows that a pane of text is scrolled down.
    pub env_scroll: usize,
    pub issue_scroll: usize,
    pub policy_scroll: usize,
    pub sessions_scroll: usize,
}

impl Panes {
    /// The scroll of a pane of text; `None` for a pane that is a list.
    pub const fn scroll_mut(&mut self, pane: PaneId) -> Option<&mut usize> {
        match pane {
            PaneId::Env => Some(&mut self.env_scroll),
            PaneId::Issue => Some(&mut self.issue_scroll),
            PaneId::Policy => Some(&mut self.policy_scroll),
            PaneId::Sessions => Some(&mut self.sessions_scroll),
            PaneId::Flow | PaneId::Audit | PaneId::Trace | PaneId::Chapter => None,
        }
    }
}
