//! A letter for every credential, in order of appearance, so that the eye can follow one.

use std::fmt;

use super::{index::Index, log::Seq, rows::Rows};
use crate::protocol::secret::Fingerprint;

/// A credential as rows show it: `A 1f2e3d4c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credential {
    pub letter: Letter,
    pub fingerprint: Fingerprint,
}

/// `A`, `B`, … `Z`, `AA`, `AB`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Letter(u32);

impl Letter {
    /// The place in the order of appearance, from 0: choose a colour by it.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut letters = Vec::with_capacity(2);
        loop {
            letters.push(b'A' + u8::try_from(rest % 26).unwrap_or(0));
            rest /= 26;
            if rest == 0 {
                break;
            }
            rest -= 1;
        }
        letters
            .iter()
            .rev()
            .try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// Every credential that was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Credentials {
    known: Index<Fingerprint, Letter>,
    order: Rows<(Credential, Seq)>,
}

impl Credentials {
    /// The credential with this fingerprint; the first time, the next letter is given to it.
    pub(super) fn note(&mut self, fingerprint: Fingerprint, seq: Seq) -> Credential {
        let next = Letter(u32::try_from(self.order.len()).unwrap_or(u32::MAX));
        let letter = self.known.get(&fingerprint).unwrap_or(next);
        let credential = Credential {
            letter,
            fingerprint,
        };
        if letter == next {
            self.known.note(fingerprint, letter);
            self.order.push((credential, seq));
        }
        credential
    }

    /// The letter of a fingerprint that was seen.
    #[must_use]
    pub fn letter(&self, fingerprint: Fingerprint) -> Option<Letter> {
        self.known.get(&fingerprint)
    }

    /// All, in order of appearance, each with the event that showed it first.
    #[must_use]
    pub const fn all(&self) -> &Rows<(Credential, Seq)> {
        &self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_z() {
        let shown: Vec<_> = [0, 25, 26, 27, 51, 52, 701, 702]
            .map(|n| Letter(n).to_string())
            .into();
        assert_eq!(shown, ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]);
    }
}
