//! Values that must never be seen: tokens, keys, codes, verifiers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroize;

use crate::support::digest::sha256;

/// A secret: no `Serialize`, no `Display`, redacted `Debug`, zeroed on drop.
///
/// Read it with [`Secret::expose`] at the very place where it goes onto the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize = String>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a secret.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The secret itself. Every call is a place to look at in a review.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Whether this is what somebody presents. Compared by hash, so that timing tells nothing of it.
    pub fn is(&self, presented: &str) -> bool {
        sha256(self.0.as_ref()) == sha256(presented.as_bytes())
    }

    /// A short name for the secret by which it can be followed but not guessed.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.as_ref())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<'de> Deserialize<'de> for Secret<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// The first 32 bits of a SHA-256, in hexadecimal: enough to tell two secrets
/// of a run apart, useless to anyone who wants one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u32);

impl Fingerprint {
    /// The fingerprint of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let [a, b, c, d, ..] = sha256(bytes);
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        u32::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| serde::de::Error::custom("a fingerprint is eight hexadecimal digits"))
    }
}

/// Hides everything in `text` that looks like a credential: three-part JWTs, `Bearer`/`Basic`
/// values, `sb_secret_`, `sk-ant-`, `lin_api_` and `lin_oauth_` keys.
///
/// The last line of defence for text whose shape is unknown; typed code uses [`Secret`].
#[must_use]
pub fn scrub(text: &str) -> std::borrow::Cow<'_, str> {
    static PATTERN: std::sync::LazyLock<regex::Regex> = std::sync::LazyLock::new(|| {
        // The word boundaries are ASCII's: with Unicode's, one letter beyond ASCII in the text would
        // send the whole of it through the slowest of the engines (minutes for a few megabytes).
        regex::Regex::new(
            r"(?:[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,})|(?:(?-u:\b)(?:sb_secret_|sb_publishable_|sk-ant-|lin_api_|lin_oauth_|whsec_|sk_live_|sk_test_)[A-Za-z0-9_-]{4,})|(?:(?-u:\b)(?i:bearer|basic)\s+[A-Za-z0-9+/=._~-]{12,})",
        )
        .expect("a constant pattern")
    });
    PATTERN.replace_all(text, HIDDEN)
}

/// Stands where a secret stood.
const HIDDEN: &str = "[hidden]";
/// Characters by which a secret is known again, also where only its beginning is repeated.
const HEAD: usize = 8;
/// What is shorter may stand in a text as a word.
const SHORTEST: usize = 6;

/// `text` with `secret` hidden, and with what only begins like it: who was sent a secret may repeat it.
#[must_use]
pub fn hide(text: &str, secret: &str) -> String {
    if secret.len() < SHORTEST {
        return text.to_owned();
    }
    let head = &secret[..secret.floor_char_boundary(HEAD)];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(head) {
        let (before, found) = rest.split_at(at);
        let same = found.chars().zip(secret.chars());
        let same = same.take_while(|(one, other)| one == other);
        let end: usize = same.map(|(one, _)| one.len_utf8()).sum();
        out.push_str(before);
        out.push_str(HIDDEN);
        rest = &found[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let secret = Secret::from("sk-ant-very-secret");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.fingerprint().to_string().len(), 8);
    }

    #[test]
    fn scrubbing_hides_what_looks_like_a_credential() {
        assert_eq!(
            scrub("Authorization: Bearer abcdefghijklmnop"),
            "Authorization: [hidden]"
        );
        assert_eq!(scrub("key sb_secret_abcdef1234 end"), "key [hidden] end");
        assert_eq!(scrub("plain words only"), "plain words only");
    }

    #[test]
    fn a_word_is_no_secret_that_was_sent() {
        for secret in ["", "code", "short"] {
            assert_eq!(hide("a short code", secret), "a short code");
        }
    }
}
