//! Whether a URL leads to this computer: one answer for all who ask.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// How a URL names this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// As RFC 8252 (section 7.3) has it: an address of `127.0.0.0/8`, `::1`, or plain `localhost`.
    Plain,
    /// In other words that lead here all the same: a name below `localhost` or with the root's dot
    /// behind it (RFC 6761, section 6.3), or an IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2).
    /// A NAT64 or 6to4 address is none: it goes out into the network.
    Otherwise,
}

/// How the URL names this computer; `None` if its host is another.
#[must_use]
pub fn loopback(url: &Url) -> Option<Loopback> {
    match url.host()? {
        Host::Ipv4(ip) => ip.is_loopback().then_some(Loopback::Plain),
        Host::Ipv6(Ipv6Addr::LOCALHOST) | Host::Domain("localhost") => Some(Loopback::Plain),
        Host::Ipv6(ip) => ip
            .to_ipv4_mapped()
            .is_some_and(|ip: Ipv4Addr| ip.is_loopback())
            .then_some(Loopback::Otherwise),
        Host::Domain(name) => is_local_name(name).then_some(Loopback::Otherwise),
    }
}

/// True when the URL's host is this computer, by whatever name.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    loopback(url).is_some()
}

/// True when the URL is plain HTTP on this computer, where neither a proxy nor a certificate has any
/// business.
#[must_use]
pub fn is_plain_loopback(url: &Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

/// Whether a `Host` header or an origin's `host` or `host:port` is this computer, by one of its three
/// usual names.
#[must_use]
pub fn is_loopback_authority(authority: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| {
        authority
            .split_at_checked(name.len())
            .is_some_and(|(host, port)| {
                let port = port.strip_prefix(':').map(str::parse::<u16>);
                host.eq_ignore_ascii_case(name)
                    && port.map_or(authority.len() == name.len(), |port| port.is_ok())
            })
    })
}

/// Whether a name is `localhost` or one below it, which resolve to this computer alone.
#[must_use]
pub fn is_local_name(name: &str) -> bool {
    let lower = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    lower == "localhost" || lower.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1", true)]
    #[case("127.0.0.1:9301", true)]
    #[case("LOCALHOST:1", true)]
    #[case("[::1]:8000", true)]
    #[case("[::1]", true)]
    #[case("[::1]x", false)]
    #[case("[::1", false)]
    #[case("127.0.0.1.evil.test", false)]
    #[case("localhost.evil.test:80", false)]
    #[case("127.0.0.1:", false)]
    #[case("127.0.0.1:99999", false)]
    #[case("127.0.0.1:80@evil.test", false)]
    #[case("evil.test", false)]
    #[case("192.168.0.4", false)]
    #[case("", false)]
    fn only_the_usual_names_of_this_computer_pass(#[case] authority: &str, #[case] passes: bool) {
        assert_eq!(is_loopback_authority(authority), passes);
    }

    #[rstest]
    #[case("http://127.0.0.1:1/cb", Some(Loopback::Plain))]
    #[case("http://127.9.9.9/", Some(Loopback::Plain))]
    #[case("http://2130706433/", Some(Loopback::Plain))]
    #[case("http://[::1]/", Some(Loopback::Plain))]
    #[case("http://LOCALHOST:8/", Some(Loopback::Plain))]
    #[case("http://localhost./", Some(Loopback::Otherwise))]
    #[case("http://api.localhost/", Some(Loopback::Otherwise))]
    #[case("http://api.localhost./", Some(Loopback::Otherwise))]
    #[case("http://[::ffff:127.0.0.1]/", Some(Loopback::Otherwise))]
    #[case("http://[64:ff9b::7f00:1]/", None)]
    #[case("http://[2002:7f00:1::]/", None)]
    #[case("http://0.0.0.0/", None)]
    #[case("http://localhost../", None)]
    #[case("http://localhost.evil.example/", None)]
    #[case("http://evillocalhost/", None)]
    #[case("http://127.0.0.1@evil.example/", None)]
    #[case("file:///etc/passwd", None)]
    fn a_url_leads_here_or_it_does_not(#[case] url: &str, #[case] expected: Option<Loopback>) {
        let url = Url::parse(url).unwrap();
        assert_eq!(loopback(&url), expected);
        assert_eq!(is_loopback(&url), expected.is_some());
    }
}
