//! The server's settings: the eight variables of the workshop's `.env`, and `PORT`.
//!
//! Reads nothing itself: the caller hands in a way to look a name up. Everything that is wrong is
//! told at once, before a port opens.

use std::fmt;

use url::Url;

use crate::{
    protocol::{observed::Upstream, secret::Secret},
    support::{
        error::{Exit, Failure},
        text::one_line,
    },
};

/// Where the server listens when `PORT` says nothing.
pub const DEFAULT_PORT: u16 = 8000;

/// The path of the MCP endpoint; the workshop's server has no other.
pub const MCP_PATH: &str = "/mcp";

/// What the server was told. [`Settings::from_vars`] makes sure that it makes sense.
#[derive(Debug, Clone)]
pub struct Settings {
    pub port: u16,
    /// The zone's issuer (`KEYCARD_URL`), byte for byte: tokens are compared with it.
    pub zone: Address,
    /// This server as the zone knows it (`MCP_RESOURCE_URL`): the audience of every token.
    pub resource: Address,
    pub client_id: String,
    pub client_secret: Secret,
    pub supabase: Address,
    pub anthropic: Address,
    pub linear: Address,
    pub linear_team: String,
    /// What is odd but not wrong; the caller shows it.
    pub warnings: Vec<Failure>,
}

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
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Everything that was wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFaults(pub Vec<Failure>);

impl SettingFaults {
    /// All of it as one failure, for a place that shows one.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        let names: Vec<_> = self.0.iter().map(|fault| fault.what.clone()).collect();
        let why: Vec<_> = self.0.iter().map(|fault| fault.why.clone()).collect();
        let mut next: Vec<_> = self.0.iter().map(|fault| fault.next.clone()).collect();
        next.dedup();
        Failure::new(
            Exit::Usage,
            names.join("; "),
            why.join("; "),
            next.join("; "),
        )
    }
}

impl fmt::Display for SettingFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingFaults {}

impl Settings {
    /// Settings from variables; `lookup` gives a variable's value by its name. A blank value
    /// counts as missing, since `.env.example` ships blank lines.
    ///
    /// # Errors
    /// Every variable that is missing or malformed, by name.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<Secret>) -> Result<Self, SettingFaults> {
        let mut reader = Reader {
            lookup: &lookup,
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        let zone = reader.address("KEYCARD_URL", "the zone whose tokens are accepted");
        let resource = reader.address("MCP_RESOURCE_URL", "the name this server has at the zone");
        let client_id = reader.text("KEYCARD_CLIENT_ID", "the application's name at the zone");
        let client_secret = reader.secret("KEYCARD_CLIENT_SECRET", "the application's proof");
        let supabase = reader.address("SUPABASE_URL", "the ticket database");
        let anthropic = reader.address("ANTHROPIC_API_URL", "the model that masks tickets");
        let linear = reader.address("LINEAR_API_URL", "where issues are filed");
        let linear_team = reader.text("LINEAR_TEAM_ID", "the Linear team that gets the issues");
        let port = reader.port();

        if let Some(zone) = &zone {
            reader.check_zone(zone);
        }
        if let Some(id) = &client_id
            && id.contains(':')
        {
            reader.fault(
                "KEYCARD_CLIENT_ID is malformed",
                "it has a colon, which ends the name in a Basic header (RFC 7617, section 2)",
                "copy the client id from the application's credentials in the console",
            );
        }
        if let Some(resource) = &resource {
            reader.check_resource(resource, port);
        }
        for (name, address) in [
            ("SUPABASE_URL", &supabase),
            ("ANTHROPIC_API_URL", &anthropic),
            ("LINEAR_API_URL", &linear),
        ] {
            if let Some(address) = address {
                reader.check_upstream(name, address);
            }
        }

        let Reader {
            faults, warnings, ..
        } = reader;
        match (
            zone,
            resource,
            client_id,
            client_secret,
            supabase,
            anthropic,
            linear,
            linear_team,
            port,
        ) {
            (
                Some(zone),
                Some(resource),
                Some(client_id),
                Some(client_secret),
                Some(supabase),
                Some(anthropic),
                Some(linear),
                Some(linear_team),
                Some(port),
            ) if faults.is_empty() => Ok(Self {
                port,
                zone,
                resource,
                client_id,
                client_secret,
                supabase,
                anthropic,
                linear,
                linear_team,
                warnings,
            }),
            _ => Err(SettingFaults(faults)),
        }
    }

    /// Where a service is, and the name it has at the zone.
    #[must_use]
    pub const fn upstream(&self, upstream: Upstream) -> &Address {
        match upstream {
            Upstream::Supabase => &self.supabase,
            Upstream::Anthropic => &self.anthropic,
            Upstream::Linear => &self.linear,
        }
    }

    /// True if nothing that the server calls is outside this computer.
    #[must_use]
    pub fn is_all_loopback(&self) -> bool {
        [&self.zone, &self.supabase, &self.anthropic, &self.linear]
            .iter()
            .all(|address| address.is_loopback())
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<Secret>,
    faults: Vec<Failure>,
    warnings: Vec<Failure>,
}

impl Reader<'_> {
    fn fault(&mut self, what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) {
        self.faults.push(Failure::new(Exit::Usage, what, why, next));
    }

    fn warn(&mut self, what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) {
        self.warnings
            .push(Failure::new(Exit::Usage, what, why, next));
    }

    fn secret(&mut self, name: &str, purpose: &str) -> Option<Secret> {
        let value = (self.lookup)(name).filter(|value| !value.expose().trim().is_empty());
        let Some(value) = value else {
            self.fault(
                format!("{name} is missing"),
                format!("it is {purpose}, and it is blank or not set"),
                "copy .env.example to .env and fill it in, or let `hoptrail lab --write-env` write one",
            );
            return None;
        };
        if value.expose().chars().any(char::is_control) {
            self.fault(
                format!("{name} is malformed"),
                "it has a line break or another control character in it",
                format!("write {name} again, on one line"),
            );
            return None;
        }
        Some(value)
    }

    fn text(&mut self, name: &str, purpose: &str) -> Option<String> {
        let value = self.secret(name, purpose)?;
        Some(value.expose().trim().to_owned())
    }

    fn address(&mut self, name: &str, purpose: &str) -> Option<Address> {
        let text = self.text(name, purpose)?;
        let shown = one_line(&text);
        let wrong = match Url::parse(&text) {
            Err(_) if !text.contains("://") => {
                Some(format!("`{shown}` has no scheme such as https://"))
            }
            Err(error) => Some(format!("`{shown}` is no URL: {error}")),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                Some(format!("its scheme is {}, not http or https", url.scheme()))
            }
            Ok(url) if url.password().is_some() || !url.username().is_empty() => {
                Some("it has a user name or password in it".to_owned())
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                Some(format!("`{shown}` has a query or a fragment"))
            }
            Ok(url) => return Some(Address { text, url }),
        };
        self.fault(
            format!("{name} is malformed"),
            wrong.unwrap_or_default(),
            format!("set {name} to an address like https://host.example"),
        );
        None
    }

    fn port(&mut self) -> Option<u16> {
        let Some(value) = (self.lookup)("PORT").filter(|v| !v.expose().trim().is_empty()) else {
            return Some(DEFAULT_PORT);
        };
        let text = value.expose().trim();
        // 0 would let the system choose, and then MCP_RESOURCE_URL could not name the port.
        let port = text.parse::<u16>().ok().filter(|port| *port > 0);
        if port.is_none() {
            self.fault(
                "PORT is malformed",
                format!("`{}` is no number from 1 to 65535", one_line(text)),
                format!("set PORT to a free port, or take the line out for {DEFAULT_PORT}"),
            );
        }
        port
    }

    fn check_zone(&mut self, zone: &Address) {
        if zone.text.ends_with('/') {
            self.fault(
                "KEYCARD_URL is malformed",
                "it ends in a slash, and the issuer in a token is compared with it byte for byte",
                "take the slash at its end away",
            );
        }
        if zone.url.scheme() == "http" && !zone.is_loopback() {
            self.fault(
                "KEYCARD_URL is not safe",
                "the client secret would travel unencrypted to another computer",
                "use the zone's https address",
            );
        }
    }

    fn check_resource(&mut self, resource: &Address, port: Option<u16>) {
        if resource.text.ends_with('/') {
            self.fault(
                "MCP_RESOURCE_URL is malformed",
                "it ends in a slash, and a token's audience is compared with it byte for byte",
                "take the slash at its end away, here and where the zone has it",
            );
            return;
        }
        if resource.url.path() != MCP_PATH {
            self.warn(
                format!("MCP_RESOURCE_URL does not end in {MCP_PATH}"),
                format!(
                    "the server answers at {MCP_PATH}, so clients will not find it by that name"
                ),
                format!("end it in {MCP_PATH}, or put a proxy between that maps one to the other"),
            );
        }
        if let Some(port) = port
            && resource.is_loopback()
            && resource.url.port_or_known_default() != Some(port)
        {
            self.warn(
                "MCP_RESOURCE_URL and PORT do not agree",
                format!("the server listens on port {port}, which is not the port in that URL; every token will be refused"),
                "change PORT, MCP_RESOURCE_URL and the resource at the zone together",
            );
        }
    }

    fn check_upstream(&mut self, name: &str, address: &Address) {
        if address.text.ends_with('/') {
            self.warn(
                format!("{name} ends in a slash"),
                "the zone knows a resource by its exact identifier, and most have none",
                "compare it with the resource in the console, character by character",
            );
        }
        if address.url.scheme() == "http" && !address.is_loopback() {
            self.warn(
                format!("{name} is not encrypted"),
                "the credential for it would travel in the clear",
                "use its https address",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    fn good() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([
            ("KEYCARD_URL", "https://zone.keycard.cloud"),
            ("MCP_RESOURCE_URL", "http://localhost:8000/mcp"),
            ("KEYCARD_CLIENT_ID", "app"),
            ("KEYCARD_CLIENT_SECRET", "s3cr3t"),
            ("SUPABASE_URL", "https://x.supabase.co"),
            ("ANTHROPIC_API_URL", "https://api.anthropic.com"),
            ("LINEAR_API_URL", "https://api.linear.app"),
            ("LINEAR_TEAM_ID", "030eb113-b144-44f8-864f-c0507c21e80d"),
        ])
    }

    fn read(vars: &BTreeMap<&str, &str>) -> Result<Settings, SettingFaults> {
        Settings::from_vars(|name| vars.get(name).map(|value| Secret::from(*value)))
    }

    #[test]
    fn the_workshops_env_is_understood() {
        let settings = read(&good()).unwrap();
        assert_eq!(settings.port, DEFAULT_PORT);
        assert_eq!(
            settings.linear.join("/graphql"),
            "https://api.linear.app/graphql"
        );
        assert!(settings.warnings.is_empty());
        assert!(!format!("{settings:?}").contains("s3cr3t"));
    }

    #[test]
    fn every_missing_variable_is_named_at_once() {
        let faults = read(&BTreeMap::from([("KEYCARD_CLIENT_ID", " ")])).unwrap_err();
        let told = faults.to_string();
        for name in good().keys() {
            assert!(
                told.contains(&format!("{name} is missing")),
                "{name}: {told}"
            );
        }
        assert_eq!(faults.0.len(), 8);
    }

    #[rstest]
    #[case("KEYCARD_URL", "zone.keycard.cloud", "no scheme")]
    #[case("KEYCARD_URL", "https://zone.keycard.cloud/", "ends in a slash")]
    #[case("KEYCARD_URL", "ftp://zone.keycard.cloud", "not http or https")]
    #[case("KEYCARD_URL", "http://zone.keycard.cloud", "unencrypted")]
    #[case("KEYCARD_URL", "https://a:b@zone", "user name or password")]
    #[case("MCP_RESOURCE_URL", "http://localhost:8000/mcp/", "ends in a slash")]
    #[case("MCP_RESOURCE_URL", "http://localhost:8000/mcp?a=b", "a query")]
    #[case("SUPABASE_URL", "https://", "no URL")]
    #[case("PORT", "eighty", "no number")]
    #[case("PORT", "0", "no number")]
    #[case("PORT", "70000", "no number")]
    #[case("KEYCARD_CLIENT_ID", "a:b", "colon")]
    #[case("KEYCARD_CLIENT_SECRET", "a\nb", "line break")]
    fn a_malformed_variable_is_named(
        #[case] name: &'static str,
        #[case] value: &'static str,
        #[case] why: &str,
    ) {
        let mut vars = good();
        vars.insert(name, value);
        let faults = read(&vars).unwrap_err();
        assert_eq!(faults.0.len(), 1, "{faults}");
        assert!(
            faults.0[0].what.contains(name) && faults.0[0].why.contains(why),
            "{faults}"
        );
    }

    #[rstest]
    #[case("PORT", "8001", "do not agree")]
    #[case(
        "MCP_RESOURCE_URL",
        "http://localhost:8000/other",
        "does not end in /mcp"
    )]
    #[case("LINEAR_API_URL", "https://api.linear.app/", "ends in a slash")]
    #[case("SUPABASE_URL", "http://db.example", "not encrypted")]
    fn what_is_odd_is_only_warned_of(
        #[case] name: &'static str,
        #[case] value: &'static str,
        #[case] what: &str,
    ) {
        let mut vars = good();
        vars.insert(name, value);
        let warnings = read(&vars).unwrap().warnings;
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].what.contains(what), "{warnings:?}");
    }
}
