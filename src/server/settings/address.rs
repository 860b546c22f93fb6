//! An address among the settings: where something is, and what the zone calls it.

use url::Url;

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

    /// True for `localhost` and the loopback addresses.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// True for `localhost` and the loopback addresses.
pub(in crate::server) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
