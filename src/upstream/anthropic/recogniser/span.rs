//! What detectors find, and who wins where two find something in the same place.

use std::{collections::BTreeMap, ops::Range};

use crate::protocol::tickets::EntityKind;

/// A stretch of the text that is personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub range: Range<usize>,
    pub kind: EntityKind,
    pub weight: Weight,
}

/// How sure a detector is, and so who wins; later is stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It looks like one.
    Shape,
    /// Something beside it says so.
    Context,
    /// A field's name says so.
    Named,
    /// Its form leaves no doubt: a checksum, a prefix that only keys have.
    Certain,
    /// It holds others: a block with a key, the login of a URL.
    Whole,
}

impl Span {
    pub const fn new(range: Range<usize>, kind: EntityKind, weight: Weight) -> Self {
        Self {
            range,
            kind,
            weight,
        }
    }
}

/// Keeps the strongest of overlapping spans, the longest among equals; in order of position.
pub fn resolve(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| !span.range.is_empty());
    spans.sort_by(|a, b| {
        b.weight
            .cmp(&a.weight)
            .then(b.range.len().cmp(&a.range.len()))
            .then(a.range.start.cmp(&b.range.start))
    });
    let mut kept: BTreeMap<usize, Span> = BTreeMap::new();
    for span in spans {
        let free = kept
            .range(..span.range.end)
            .next_back()
            .is_none_or(|(_, left)| left.range.end <= span.range.start);
        if free {
            kept.insert(span.range.start, span);
        }
    }
    kept.into_values().collect()
}

/// What a detector finds, word for word: for the detectors' tests.
#[cfg(test)]
pub fn texts<'t>(text: &'t str, detect: impl FnOnce(&'t str, &mut Vec<Span>)) -> Vec<&'t str> {
    let mut spans = Vec::new();
    detect(text, &mut spans);
    let found = resolve(spans).into_iter();
    found.map(|span| &text[span.range]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_wins_and_then_the_longer() {
        let span = |range, weight| Span::new(range, EntityKind::Name, weight);
        let kept = resolve(vec![
            span(0..4, Weight::Shape),
            span(2..9, Weight::Context),
            span(3..5, Weight::Context),
            span(9..12, Weight::Shape),
        ]);
        assert_eq!(
            kept,
            [span(2..9, Weight::Context), span(9..12, Weight::Shape)]
        );
    }
}
