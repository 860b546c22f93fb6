//! What hoptrail asks the zone's console for itself, to know how things stand: no part of the story.

use super::{log::Seq, rows::Rows};

/// The events of such requests and their answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Along {
    places: Rows<Seq>,
}

impl Along {
    pub(super) fn note(&mut self, seq: Seq) {
        self.places.push(seq);
    }

    /// Whether the event is one of them.
    #[must_use]
    pub fn contains(&self, seq: Seq) -> bool {
        self.places
            .binary_search_by_key(&seq, |place| *place)
            .is_ok()
    }

    /// Those from this place on, in their order.
    pub fn from(&self, seq: Seq) -> impl Iterator<Item = Seq> + '_ {
        let first = self.places.partition_point(|place| *place < seq);
        self.places.from(first).copied()
    }
}
