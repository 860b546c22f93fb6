//! Which addresses the client may connect to (protocol facts, 1.4: server-side request forgery by
//! a server's own metadata).
//!
//! A server on the internet must not make this computer call something in its own network. The
//! rule is applied twice: to addresses written in a URL, and to what a name resolves to, at the
//! moment of connecting.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::support::loopback::{is_local_name, is_loopback};

/// Where the clouds serve their machines' credentials; never a place for us.
const METADATA_NAMES: &[&str] = &[
    "metadata",
    "metadata.google.internal",
    "metadata.azure.internal",
    "instance-data",
];

/// Why an address is not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error("{0} is where a cloud serves credentials")]
    CloudMetadata(String),
    #[error("{0} is an address inside this network, and the server is not")]
    Private(String),
    #[error("{0} is this computer, and the server is somewhere else")]
    Loopback(String),
}

/// How near the server is that the person named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// On this computer: everything but cloud metadata may be called.
    Here,
    /// Elsewhere: only public addresses, and the hosts that the person named.
    Elsewhere,
}

/// The rule for one run. Cloning shares it.
#[derive(Debug, Clone)]
pub struct AddressPolicy {
    reach: Reach,
    /// Hosts that the person named themselves, and so may be anywhere.
    named: Arc<Mutex<HashSet<String>>>,
}

impl AddressPolicy {
    /// The rule that follows from the server that the person named.
    #[must_use]
    pub fn for_server(server: &Url) -> Self {
        let policy = Self {
            reach: if is_loopback(server) {
                Reach::Here
            } else {
                Reach::Elsewhere
            },
            named: Arc::default(),
        };
        policy.allow(server);
        policy
    }

    /// Takes note of a host that the person named.
    pub fn allow(&self, url: &Url) {
        if let Some(host) = url.host_str() {
            self.named.lock().insert(host.to_ascii_lowercase());
        }
    }

    /// Judges the host of a URL as it is written.
    ///
    /// # Errors
    /// If it is a place that must not be called.
    pub fn check(&self, url: &Url) -> Result<(), AddressFault> {
        match url.host() {
            Some(Host::Ipv4(ip)) => self.check_ip(IpAddr::V4(ip), url.host_str().unwrap_or("")),
            Some(Host::Ipv6(ip)) => self.check_ip(IpAddr::V6(ip), url.host_str().unwrap_or("")),
            Some(Host::Domain(name)) => {
                let lower = name.trim_end_matches('.').to_ascii_lowercase();
                if METADATA_NAMES.contains(&lower.as_str()) {
                    return Err(AddressFault::CloudMetadata(lower));
                }
                if is_local_name(&lower) && self.reach == Reach::Elsewhere && !self.is_named(&lower)
                {
                    return Err(AddressFault::Loopback(lower));
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Judges an address, be it written or resolved from `host`.
    ///
    /// # Errors
    /// If it is a place that must not be called.
    pub fn check_ip(&self, ip: IpAddr, host: &str) -> Result<(), AddressFault> {
        let ip = plain(ip);
        if is_cloud_metadata(ip) {
            return Err(AddressFault::CloudMetadata(ip.to_string()));
        }
        if self.reach == Reach::Here || self.is_named(host) {
            return Ok(());
        }
        if ip.is_loopback() || ip.is_unspecified() {
            return Err(AddressFault::Loopback(ip.to_string()));
        }
        if is_private(ip) {
            return Err(AddressFault::Private(ip.to_string()));
        }
        Ok(())
    }

    fn is_named(&self, host: &str) -> bool {
        self.named.lock().contains(&host.to_ascii_lowercase())
    }
}

/// Resolves names and lets only permitted addresses through, so that a name cannot point
/// somewhere else at the moment of connecting.
impl Resolve for AddressPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let mut fault = None;
            let mut permitted = Vec::new();
            for address in tokio::net::lookup_host((host.as_str(), 0)).await? {
                match policy.check_ip(address.ip(), &host) {
                    Ok(()) => permitted.push(address),
                    Err(found) => fault = Some(found),
                }
            }
            match fault {
                Some(fault) if permitted.is_empty() => Err(Box::new(fault).into()),
                Some(_) | None => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}

/// An IPv4 address that came dressed as IPv6, undressed: mapped, NAT64 (RFC 6052) and 6to4
/// (RFC 3056) forms all reach the IPv4 address.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let parts = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        _ => ip,
    }
}

fn is_cloud_metadata(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_link_local()
                || ip == Ipv4Addr::new(100, 100, 100, 200)
                || ip == Ipv4Addr::new(192, 0, 0, 192)
        }
        IpAddr::V6(ip) => ip == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_broadcast()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || ip.octets().starts_with(&[192, 0, 0])
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn verdict(server: &str, called: &str) -> Result<(), AddressFault> {
        AddressPolicy::for_server(&Url::parse(server).unwrap()).check(&Url::parse(called).unwrap())
    }

    #[rstest]
    #[case("http://169.254.169.254/latest")]
    #[case("http://[::ffff:169.254.169.254]/")]
    #[case("http://[64:ff9b::a9fe:a9fe]/")]
    #[case("http://2852039166/")]
    #[case("http://metadata.google.internal/")]
    #[case("http://[fd00:ec2::254]/")]
    fn a_clouds_credential_store_is_never_called(#[case] called: &str) {
        for server in ["http://127.0.0.1:1/mcp", "https://example.com/mcp"] {
            assert!(
                matches!(verdict(server, called), Err(AddressFault::CloudMetadata(_))),
                "{called}"
            );
        }
    }

    #[rstest]
    #[case("https://10.0.0.1/")]
    #[case("https://192.168.1.1/")]
    #[case("https://127.0.0.1/")]
    #[case("https://localhost/")]
    #[case("https://[::1]/")]
    #[case("https://[fe80::1]/")]
    #[case("https://100.64.0.1/")]
    #[case("https://0.0.0.0/")]
    fn a_public_server_cannot_point_inside(#[case] called: &str) {
        assert!(
            verdict("https://example.com/mcp", called).is_err(),
            "{called}"
        );
        assert!(
            verdict("http://127.0.0.1:1/mcp", called).is_ok(),
            "{called}"
        );
    }

    #[test]
    fn what_the_person_named_may_be_anywhere() {
        assert!(verdict("https://10.0.0.1/mcp", "https://10.0.0.1/token").is_ok());
        assert!(verdict("https://10.0.0.1/mcp", "https://10.0.0.2/token").is_err());
        assert!(verdict("https://example.com/mcp", "https://auth.example.org/").is_ok());
    }
}
