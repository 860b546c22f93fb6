//! Which redirect URIs a client may register, and which it may then use.

use url::Url;

use crate::support::loopback::{Loopback, loopback};

/// Schemes that browsers or systems act upon by themselves; none is a native application's own.
const NEVER: &[&str] = &[
    "about",
    "blob",
    "data",
    "file",
    "ftp",
    "javascript",
    "mailto",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// What kind of client a redirect URI belongs to (facts/keycard.md, 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectKind {
    /// `https`, a claimed address.
    Web,
    /// `http` on this computer: any port at authorize time (RFC 8252, section 7.3).
    Loopback,
    /// A scheme of the application's own (RFC 8252, section 7.1).
    CustomScheme,
}

/// The kind of `uri`, or why it may not be registered.
///
/// # Errors
/// A sentence for `invalid_redirect_uri`.
pub fn classify(uri: &str) -> Result<RedirectKind, &'static str> {
    if uri.len() > 2_048 || !uri.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("A redirect URI is too long or holds characters that no URI has");
    }
    let url = Url::parse(uri).map_err(|_| "A redirect URI must be absolute")?;
    if url.fragment().is_some() {
        // RFC 6749, section 3.1.2.
        return Err("A redirect URI must not have a fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("A redirect URI must not hold a user name or password");
    }
    match url.scheme() {
        "https" => Ok(RedirectKind::Web),
        "http" if is_plain_loopback(&url) => Ok(RedirectKind::Loopback),
        "http" => Err("An http redirect URI must be on this computer; elsewhere use https"),
        scheme if NEVER.contains(&scheme) => Err("A redirect URI must not have this scheme"),
        _ => Ok(RedirectKind::CustomScheme),
    }
}

/// Nothing but the plain forms: a code goes there. RFC 8252, section 8.3 would rather have the IP
/// address than `localhost`, but real clients register that.
fn is_plain_loopback(url: &Url) -> bool {
    loopback(url) == Some(Loopback::Plain)
}

/// Whether a client that registered `registered` may be answered at `asked`: byte for byte the
/// same, except for the port of a loopback redirect (RFC 8252, section 7.3).
#[must_use]
pub fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return classify(asked).is_ok();
    }
    if [registered, asked].map(classify) != [Ok(RedirectKind::Loopback); 2] {
        return false;
    }
    without_port(registered) == without_port(asked)
}

/// The text of a loopback URI without its port. Works on the text, not on a parsed URL: parsing
/// resolves `/a/../b`, and what is not the same text is not the same redirect.
#[must_use]
pub fn without_port(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let authority_end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(authority_end);
    let host = match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => &authority[..at],
        _ => authority,
    };
    format!("{scheme}://{host}{tail}")
}

/// Host and port that a person is told (`127.0.0.1:39998`), or the scheme of a native application.
#[must_use]
pub fn shown_host(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else {
        return uri.to_owned();
    };
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) if matches!(url.scheme(), "http" | "https") => {
            format!("{host}:{port}")
        }
        (Some(host), None) if matches!(url.scheme(), "http" | "https") => host.to_owned(),
        _ => format!("{}:", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://client.example/cb", Ok(RedirectKind::Web))]
    #[case("http://127.0.0.1/cb", Ok(RedirectKind::Loopback))]
    #[case("http://localhost:8888/callback", Ok(RedirectKind::Loopback))]
    #[case("http://[::1]:1/cb", Ok(RedirectKind::Loopback))]
    #[case("com.example.app:/cb", Ok(RedirectKind::CustomScheme))]
    #[case("cursor://mcp/callback", Ok(RedirectKind::CustomScheme))]
    fn these_may_be_registered(
        #[case] uri: &str,
        #[case] kind: Result<RedirectKind, &'static str>,
    ) {
        assert_eq!(classify(uri), kind);
    }

    #[rstest]
    #[case("http://client.example/cb")]
    #[case("http://127.0.0.1.evil.example/cb")]
    #[case("http://localhost.evil.example/cb")]
    #[case("http://api.localhost/cb")]
    #[case("http://localhost./cb")]
    #[case("http://[::ffff:127.0.0.1]/cb")]
    #[case("http://127.0.0.1@evil.example/cb")]
    #[case("https://client.example/cb#f")]
    #[case("https://user:pw@client.example/cb")]
    #[case("javascript:alert(1)")]
    #[case("data:text/html,x")]
    #[case("file:///etc/passwd")]
    #[case("/relative")]
    #[case("")]
    #[case("https://client.example/\r\nx")]
    fn these_may_not(#[case] uri: &str) {
        assert!(classify(uri).is_err());
    }

    #[rstest]
    #[case("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", true)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:5000/cb", true)]
    #[case("http://[::1]:1/cb", "http://[::1]:2/cb", true)]
    #[case("http://localhost:1/cb", "http://localhost/cb", true)]
    #[case("http://localhost:1/cb", "http://127.0.0.1:1/cb", false)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:1/cb/", false)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:1/cb?x=1", false)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:1/a/../cb", false)]
    #[case("http://127.0.0.1:1/cb", "http://127.0.0.1:1@evil.example/cb", false)]
    #[case("https://client.example/cb", "https://client.example:8443/cb", false)]
    #[case("https://client.example/cb", "https://client.example/cb", true)]
    #[case("https://client.example/cb", "https://CLIENT.example/cb", false)]
    fn only_the_port_of_a_loopback_redirect_is_free(
        #[case] registered: &str,
        #[case] asked: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(matches(registered, asked), expected);
    }

    #[test]
    fn a_person_is_told_where_the_answer_goes() {
        assert_eq!(shown_host("http://127.0.0.1:39998/cb"), "127.0.0.1:39998");
        assert_eq!(shown_host("https://client.example/cb"), "client.example");
        assert_eq!(shown_host("cursor://mcp/cb"), "cursor:");
    }
}
