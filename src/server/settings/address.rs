//! An address among the settings: where something is, and what the zone calls it.

use url::Url;

use crate::support::loopback::is_loopback;

/// A URL that is also a name: it goes to the zone exactly as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As written.
    pub text: String,
    /// As understood.
    pub url: Url,
}

impl Address {
    /// The URL of `path` (which begins with a slash) below this address.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text.trim_end_matches('/'))
    }

    /// True when it leads to this computer.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}
