//! Short texts that many rows share, kept once and made harmless on the way in.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::support::text::{one_line, truncate};

/// The longest name that a row keeps, in cells; the whole of it is in the log.
const LONGEST: usize = 240;
/// Bytes of names that are kept; a file can name more than a memory holds.
const ROOM: usize = 256 * 1024 * 1024;
/// Stands for a name that came when the room was used up; the log has it.
const NO_ROOM: &str = "… (too many names)";

/// A short text without control characters or line feeds.
pub type Name = Arc<str>;

/// The shared texts. Copies share the pool: what is in it changes nothing that a row says.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Arc<Mutex<Pool>>);

#[derive(Debug, Default)]
struct Pool {
    names: HashSet<Name>,
    bytes: usize,
}

impl PartialEq for Names {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Names {
    /// `text`, harmless, on one line, cut at [`LONGEST`].
    pub fn get(&self, text: &str) -> Name {
        // Nothing that runs under the lock can leave the pool half-written.
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What is in the pool is harmless already, so most texts need no cleaning.
        if let Some(known) = pool.names.get(text) {
            return Arc::clone(known);
        }
        // One look is all that a row can show: do not walk a body of megabytes for it.
        let head = text
            .char_indices()
            .nth(LONGEST * 2)
            .map_or(text, |(end, _)| &text[..end]);
        let clean = one_line(head);
        let short = truncate(clean.trim(), LONGEST);
        if let Some(known) = pool.names.get(&*short) {
            return Arc::clone(known);
        }
        let name = if pool.bytes + short.len() > ROOM {
            Name::from(NO_ROOM)
        } else {
            Name::from(&*short)
        };
        if pool.names.insert(Arc::clone(&name)) {
            pool.bytes += name.len();
        }
        name
    }

    /// [`Self::get`] for what may be absent; empty counts as absent.
    pub fn maybe(&self, text: Option<&str>) -> Option<Name> {
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
