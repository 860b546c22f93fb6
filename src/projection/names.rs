//! Short texts that many rows share, kept once and made harmless on the way in.

use std::{collections::HashSet, sync::Arc};

use crate::support::text::{one_line, truncate};

/// The longest name that a row keeps, in cells; the whole of it is in the log.
const LONGEST: usize = 240;

/// A short text without control characters or line feeds.
pub type Name = Arc<str>;

/// The shared texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names(HashSet<Name>);

impl Names {
    /// `text`, harmless, on one line, cut at [`LONGEST`].
    pub fn get(&mut self, text: &str) -> Name {
        // One look is all that a row can show: do not walk a body of megabytes for it.
        let head = text
            .char_indices()
            .nth(LONGEST * 2)
            .map_or(text, |(end, _)| &text[..end]);
        let clean = one_line(head);
        let short = truncate(clean.trim(), LONGEST);
        if let Some(known) = self.0.get(&*short) {
            return Arc::clone(known);
        }
        let name = Name::from(&*short);
        self.0.insert(Arc::clone(&name));
        name
    }

    /// [`Self::get`] for what may be absent; empty counts as absent.
    pub fn maybe(&mut self, text: Option<&str>) -> Option<Name> {
        text.map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| self.get(text))
    }
}

/// The policy's own name at the end of a determining id (`SET::NAME`).
#[must_use]
pub fn policy_name(id: &str) -> &str {
    id.rsplit("::").next().unwrap_or(id)
}
