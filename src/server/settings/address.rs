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

/// Why a text is no address. The text itself is not told: it may be a key in the wrong line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("it has no scheme such as https://")]
    NoScheme,
    #[error("it is no URL: {0}")]
    NoUrl(url::ParseError),
    #[error("its scheme is not http or https")]
    OtherScheme,
    #[error("it has a user name or password in it")]
    UserInfo,
    #[error("it has a query or a fragment")]
    Rest,
}

impl Address {
    /// Reads an address that people and programs may be sent to.
    ///
    /// # Errors
    /// If it is no http URL, or has more than a place in it.
    pub fn parse(text: String) -> Result<Self, AddressError> {
        let url = match Url::parse(&text) {
            Err(_) if !text.contains("://") => return Err(AddressError::NoScheme),
            Err(error) => return Err(AddressError::NoUrl(error)),
            Ok(url) => url,
        };
        if !matches!(url.scheme(), "http" | "https") {
            Err(AddressError::OtherScheme)
        } else if url.password().is_some() || !url.username().is_empty() {
            Err(AddressError::UserInfo)
        } else if url.query().is_some() || url.fragment().is_some() {
            Err(AddressError::Rest)
        } else {
            Ok(Self { text, url })
        }
    }

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
