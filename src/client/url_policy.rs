//! The one rule for every URL that somebody else chose, and for every URL before a browser opens
//! it (protocol facts, 1.4 and 4.3: CVE-2025-6514 and its class).

use url::{ParseError, Url};

use super::address::{AddressFault, AddressPolicy};
use crate::support::{
    error::{Exit, Failure},
    loopback::is_loopback,
    text::{one_line, truncate},
};

/// Why a URL is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    #[error("it is not a URL")]
    NotAUrl,
    #[error("its scheme is \"{0}\"; only https, and http on this computer, are followed")]
    Scheme(String),
    #[error("it is plain http to another computer, where anyone on the way can read along")]
    PlainHttp,
    #[error("it is plain http, and the server itself is https")]
    Downgrade,
    #[error("it carries a user name or a password")]
    UserInfo,
    #[error("it carries a fragment")]
    Fragment,
    #[error(transparent)]
    Address(#[from] AddressFault),
}

/// The rule for one run. Cloning shares it.
#[derive(Debug, Clone)]
pub struct UrlPolicy {
    addresses: AddressPolicy,
    server_is_https: bool,
}

impl UrlPolicy {
    /// The rule that follows from the server that the person named.
    #[must_use]
    pub fn for_server(server: &Url) -> Self {
        Self {
            addresses: AddressPolicy::for_server(server),
            server_is_https: server.scheme() == "https",
        }
    }

    /// The addresses' half of the rule.
    #[must_use]
    pub const fn addresses(&self) -> &AddressPolicy {
        &self.addresses
    }

    /// Judges a URL that a server named.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, text: &str) -> Result<Url, UrlFault> {
        let url = Url::parse(text).map_err(|_| UrlFault::NotAUrl)?;
        self.check_url(&url)?;
        if self.server_is_https && url.scheme() != "https" {
            return Err(UrlFault::Downgrade);
        }
        Ok(url)
    }

    /// Judges any URL before it is called: its scheme, its user, its address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_url(&self, url: &Url) -> Result<(), UrlFault> {
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) => {}
            "http" => return Err(UrlFault::PlainHttp),
            other => return Err(UrlFault::Scheme(other.to_owned())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlFault::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(UrlFault::Fragment);
        }
        self.addresses.check(url)?;
        Ok(())
    }

    /// [`UrlPolicy::check`], with the sentence that a person sees. `what` names the URL's role.
    ///
    /// # Errors
    /// If the URL may not be used.
    pub fn accept(&self, what: &str, text: &str) -> Result<Url, Failure> {
        self.check(text)
            .map_err(|fault| refused(what, text, &fault))
    }
}

/// The address of a server, as a person gives it.
///
/// # Errors
/// If it cannot be read: with what it may be meant to be.
pub fn server_address(text: &str) -> Result<Url, Failure> {
    const LIKE: &str = "write it whole, like http://127.0.0.1:8000/mcp";
    let shown = || shown(text);
    let whole = with_scheme(text);
    let not_whole = |whole: Option<Url>| {
        Failure::new(
            Exit::Usage,
            "The server's address is not whole",
            format!("{}: it has no http:// or https:// in front", shown()),
            whole.map_or_else(
                || LIKE.to_owned(),
                |url| {
                    let more = if url.query().is_some() { "?…" } else { "" };
                    format!("write it whole: {}{more}", bare(&url))
                },
            ),
        )
    };
    match Url::parse(text) {
        // The name before the port is read as a scheme.
        Ok(url) if url.cannot_be_a_base() => Err(not_whole(whole)),
        Ok(url) => Ok(url),
        Err(ParseError::RelativeUrlWithoutBase) => Err(not_whole(whole)),
        Err(error) => Err(Failure::new(
            Exit::Usage,
            "The server's address cannot be read",
            format!("{}: {error}", shown()),
            match error {
                ParseError::InvalidPort => "take a port from 1 to 65535",
                _ => LIKE,
            },
        )),
    }
}

/// An address that lacks its scheme, with one: a host that can be told from a word.
fn with_scheme(text: &str) -> Option<Url> {
    let plain = Url::parse(&format!("http://{text}")).ok()?;
    if !plain.username().is_empty() || plain.password().is_some() {
        return None;
    }
    if is_loopback(&plain) {
        return Some(plain);
    }
    let is_a_host = plain.host_str()?.contains('.') || plain.port().is_some();
    is_a_host.then(|| Url::parse(&format!("https://{text}")).ok())?
}

/// A URL without what may be a secret in it: user, password, query and fragment.
#[must_use]
pub fn bare(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Cannot fail where there is a user; where there is none, nothing is to be removed.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The same of what may be no URL, short enough to be told.
#[must_use]
pub fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let user = authority.rfind('@').map_or(0, |at| at + 1);
    let bare = format!("{scheme}{}", &rest[user..]);
    one_line(&truncate(&bare, 200))
}

/// The failure for a URL that is not used.
#[must_use]
pub fn refused(what: &str, text: &str, fault: &UrlFault) -> Failure {
    Failure::new(
        Exit::Refused,
        format!("The {what} is not safe to use"),
        format!("{}: {fault}", shown(text)),
        "check the server's address; if it is right, tell its operator",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn policy(server: &str) -> UrlPolicy {
        UrlPolicy::for_server(&Url::parse(server).unwrap())
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("file:///etc/passwd")]
    #[case("vscode://open")]
    #[case("data:text/html,x")]
    #[case("ftp://example.com/")]
    fn other_schemes_are_not_followed(#[case] text: &str) {
        assert!(
            matches!(
                policy("https://example.com/").check(text),
                Err(UrlFault::Scheme(_))
            ),
            "{text}"
        );
    }

    #[rstest]
    #[case("http://example.com/authorize", UrlFault::PlainHttp)]
    #[case("https://user@example.com/", UrlFault::UserInfo)]
    #[case("https://example.com/#x", UrlFault::Fragment)]
    #[case("not a url", UrlFault::NotAUrl)]
    fn the_rest_is_named_for_what_it_is(#[case] text: &str, #[case] fault: UrlFault) {
        assert_eq!(policy("https://example.com/").check(text), Err(fault));
    }

    #[rstest]
    #[case("localhost:8000/mcp", "write it whole: http://localhost:8000/mcp")]
    #[case("127.0.0.1:8000/mcp", "write it whole: http://127.0.0.1:8000/mcp")]
    #[case("mcp.example.com/mcp", "write it whole: https://mcp.example.com/mcp")]
    #[case("example.com:8443/mcp", "write it whole: https://example.com:8443/mcp")]
    #[case("mcp", "write it whole, like")]
    #[case("http://127.0.0.1:99999/mcp", "take a port from 1 to 65535")]
    #[case("http://", "write it whole, like")]
    fn an_address_that_cannot_be_read_says_how_to_write_it(#[case] text: &str, #[case] next: &str) {
        let failure = server_address(text).unwrap_err();
        assert!(failure.next.starts_with(next), "{failure}");
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[rstest]
    #[case("localhost:8000/mcp?key=opens-it")]
    #[case("http://me:opens-it@h:99999/mcp")]
    #[case("me:opens-it@h/mcp")]
    #[case("https://me:opens-it@h/mcp?opens-it#opens-it")]
    fn nothing_of_it_that_may_open_something_is_told(#[case] text: &str) {
        let told = match server_address(text) {
            Ok(url) => bare(&url) + &refused("server", text, &UrlFault::UserInfo).to_string(),
            Err(failure) => failure.to_string(),
        };
        assert!(!told.contains("opens-it"), "{told}");
    }

    #[test]
    fn an_https_server_cannot_send_its_codes_over_http() {
        assert_eq!(
            policy("https://127.0.0.1:1/mcp").check("http://127.0.0.1:2/token"),
            Err(UrlFault::Downgrade)
        );
        assert!(
            policy("http://127.0.0.1:1/mcp")
                .check("http://127.0.0.1:2/token")
                .is_ok()
        );
    }
}
