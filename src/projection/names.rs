//! Short texts that many rows share, kept once and made harmless on the way in.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::{
    support::text::{one_line, truncate},
    trace::skim,
};

/// The longest name that a row keeps, in cells; the whole of it is in the log.
const LONGEST: usize = 240;
/// Characters of a text that are looked at for its name.
const HEAD: usize = LONGEST * 2;
const _: () = assert!(HEAD <= skim::HEAD, "a skimmed text has the same name");
/// Bytes of names that are kept; a file can name more than a memory holds.
const ROOM: usize = 256 * 1024 * 1024;
/// Stands for a name that came when the room was used up; the log has it.
const NO_ROOM: &str = "… (too many names)";

/// A short text without control characters or line feeds.
pub type Name = Arc<str>;

/// The shared texts. Copies share the pool: what is in it changes nothing that a row says.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Arc<Mutex<Pool>>);

#[derive(Debug)]
struct Pool {
    names: HashSet<Name, RandomState>,
    bytes: usize,
    room: usize,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            names: HashSet::default(),
            bytes: 0,
            room: ROOM,
        }
    }
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
        let mut pool = self.0.lock();
        // What is in the pool is harmless already, so most texts need no cleaning. A long one is
        // hardly there, and would have to be hashed to its end.
        if text.len() <= HEAD
            && let Some(known) = pool.names.get(text)
        {
            return Arc::clone(known);
        }
        // One look is all that a row can show: do not walk a body of megabytes for it.
        let head = text
            .char_indices()
            .nth(HEAD)
            .map_or(text, |(end, _)| &text[..end]);
        let short = short(head);
        if let Some(known) = pool.names.get(&*short) {
            return Arc::clone(known);
        }
        let name = if pool.bytes + short.len() > pool.room {
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

/// A text, harmless, on one line, cut at [`LONGEST`].
fn short(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        // Nothing to clean, and a cell is a byte.
        let text = text.trim_matches(' ');
        return match text.get(..LONGEST - 1) {
            Some(head) if text.len() > LONGEST => Cow::Owned(format!("{head}…")),
            Some(_) | None => Cow::Borrowed(text),
        };
    }
    Cow::Owned(truncate(one_line(text).trim(), LONGEST).into_owned())
}

/// The policy's own name at the end of a determining id (`SET::NAME`).
#[must_use]
pub fn policy_name(id: &str) -> &str {
    id.rsplit("::").next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_take_more_than_their_room() {
        let names = Names(Arc::new(Mutex::new(Pool {
            room: 1_000,
            ..Pool::default()
        })));
        let kept = names.get("kept");
        for number in 0..10_000 {
            names.get(&format!("name {number}"));
        }
        let pool = names.0.lock();
        let bytes: usize = pool.names.iter().map(|name| name.len()).sum();
        assert!(bytes <= 1_000 + NO_ROOM.len(), "{bytes}");
        drop(pool);
        assert_eq!(&*names.get("name 9999"), NO_ROOM);
        assert!(
            Arc::ptr_eq(&names.get("kept"), &kept),
            "what is there stays"
        );
    }

    #[test]
    fn a_plain_text_gets_the_name_that_any_text_gets() {
        for length in [0, 1, 238, 239, 240, 241, 242, 480] {
            let text = format!("  {} ", "a b".repeat(200).get(..length).unwrap());
            let slow = truncate(one_line(&text).trim(), LONGEST).into_owned();
            assert_eq!(short(&text), slow, "{length}");
        }
        assert_eq!(short("a\tb\n"), "a b⏎");
    }
}
