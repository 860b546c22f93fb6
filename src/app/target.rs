//! What a click can mean.

use super::{command::Command, focus::PaneId};

/// Something on the screen that can be clicked or scrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Anywhere in a pane.
    Pane(PaneId),
    /// A row of a pane's list, by its place in the list.
    Row(PaneId, usize),
    /// A command shown as a key hint or a tab.
    Command(Command),
    /// A row of the open overlay.
    OverlayRow(usize),
    /// A tab of the open overlay.
    OverlayTab(usize),
    /// Inside the open overlay.
    Overlay,
    /// A place in the trace that is replayed.
    Place(usize),
    /// Outside the open overlay.
    Outside,
}
