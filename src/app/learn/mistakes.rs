//! The chapter's known mistakes: they stand open where something is wrong, and are folded where nothing
//! is, as who reads on would page through them for nothing.

use super::{Ground, Learn};
use crate::chapters::Status;

/// How the known mistakes of the open chapter are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistakes {
    /// Something is wrong, or the server is somebody's own.
    Standing,
    /// One line says how many there are.
    Folded,
    /// The reader wanted to see them.
    Unfolded,
}

impl Learn {
    /// How the known mistakes of the open chapter are shown.
    #[must_use]
    pub fn mistakes(&self) -> Mistakes {
        let mut shown = (0..self.statuses.len()).filter_map(|place| self.shown(place));
        let fails =
            shown.any(|shown| matches!(shown.status, Status::Failed { .. }) && !shown.is_done());
        if self.ground == Ground::Own || fails {
            Mistakes::Standing
        } else if self.unfolded.contains(&self.chapter().id) {
            Mistakes::Unfolded
        } else {
            Mistakes::Folded
        }
    }

    /// Whether the reader can unfold and fold them.
    pub(super) fn folds_mistakes(&self) -> bool {
        !self.chapter().mistakes.is_empty() && self.mistakes() != Mistakes::Standing
    }

    /// Unfolds them, or folds them.
    pub(in crate::app) fn turn_mistakes(&mut self) {
        let id = self.chapter().id.clone();
        if !self.unfolded.remove(&id) {
            self.unfolded.insert(id);
            if let Some(item) = self
                .items()
                .iter()
                .position(|i| *i == super::Item::Mistakes)
            {
                self.select(item);
            }
        }
    }
}
