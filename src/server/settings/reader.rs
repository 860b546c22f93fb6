//! Reads the variables one by one and keeps what is wrong or odd, so that all of it can be told at
//! once.

use url::Url;

use super::{Address, Application, DEFAULT_PORT, Gate, MCP_PATH};
use crate::{
    protocol::secret::Secret,
    support::error::{Exit, Failure},
};

/// What the server adds to an address, where libraries want it written into it.
const ADDED_PATHS: [(&str, &str); 5] = [
    ("SUPABASE_URL", "/rest/v1/tickets"),
    ("SUPABASE_URL", "/rest/v1"),
    ("ANTHROPIC_API_URL", "/v1/messages"),
    ("ANTHROPIC_API_URL", "/v1"),
    ("LINEAR_API_URL", "/graphql"),
];

/// Each of its readings gives `None` only when it has left a fault behind.
pub(super) struct Reader<'a> {
    pub(super) lookup: &'a dyn Fn(&str) -> Option<Secret>,
    pub(super) faults: Vec<Failure>,
    pub(super) warnings: Vec<Failure>,
}

impl Reader<'_> {
    fn fault(&mut self, what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) {
        self.faults.push(Failure::new(Exit::Usage, what, why, next));
    }

    fn warn(&mut self, what: impl Into<String>, why: impl Into<String>, next: impl Into<String>) {
        self.warnings
            .push(Failure::new(Exit::Usage, what, why, next));
    }

    pub(super) fn secret(&mut self, name: &str, purpose: &str) -> Option<Secret> {
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

    pub(super) fn text(&mut self, name: &str, purpose: &str) -> Option<String> {
        let value = self.secret(name, purpose)?;
        Some(value.expose().trim().to_owned())
    }

    fn address(&mut self, name: &str, purpose: &str) -> Option<Address> {
        let text = self.text(name, purpose)?;
        match Address::parse(text) {
            Ok(address) => Some(address),
            Err(why) => {
                self.fault(
                    format!("{name} is malformed"),
                    why.to_string(),
                    format!("set {name} to an address like https://host.example"),
                );
                None
            }
        }
    }

    pub(super) fn port(&mut self) -> Option<u16> {
        let Some(value) = (self.lookup)("PORT").filter(|v| !v.expose().trim().is_empty()) else {
            return Some(DEFAULT_PORT);
        };
        let text = value.expose().trim();
        // 0 would let the system choose, and then MCP_RESOURCE_URL could not name the port.
        let port = text.parse::<u16>().ok().filter(|port| *port > 0);
        if port.is_none() {
            self.fault(
                "PORT is malformed",
                "it is no number from 1 to 65535",
                format!("set PORT to a free port, or take the line out for {DEFAULT_PORT}"),
            );
        }
        port
    }

    pub(super) fn gate(&mut self, port: Option<u16>) -> Option<Gate> {
        let zone = self.address("KEYCARD_URL", "the zone whose tokens are accepted");
        let resource = self.address("MCP_RESOURCE_URL", "the name this server has at the zone");
        if let Some(zone) = &zone {
            self.check_zone(zone);
        }
        if let Some(resource) = &resource {
            self.check_resource(resource, port);
        }
        Some(Gate {
            zone: zone?,
            resource: resource?,
        })
    }

    pub(super) fn application(&mut self) -> Option<Application> {
        let client_id = self.text("KEYCARD_CLIENT_ID", "the application's name at the zone");
        let client_secret = self.secret("KEYCARD_CLIENT_SECRET", "the application's proof");
        if client_id.as_ref().is_some_and(|id| id.contains(':')) {
            self.fault(
                "KEYCARD_CLIENT_ID is malformed",
                "it has a colon, which ends the name in a Basic header (RFC 7617, section 2)",
                "copy the client id from the application's credentials in the console",
            );
        }
        Some(Application {
            client_id: client_id?,
            client_secret: client_secret?,
        })
    }

    pub(super) fn upstream(&mut self, name: &str, purpose: &str) -> Option<Address> {
        let address = self.address(name, purpose)?;
        self.check_upstream(name, &address);
        Some(address)
    }

    /// As the code has it, unless the variable says otherwise.
    pub(super) fn upstream_or(
        &mut self,
        name: &str,
        purpose: &str,
        built_in: &str,
    ) -> Option<Address> {
        let is_set = (self.lookup)(name).is_some_and(|value| !value.expose().trim().is_empty());
        if is_set {
            return self.upstream(name, purpose);
        }
        let url = Url::parse(built_in).expect("the built-in addresses are URLs");
        Some(Address {
            text: built_in.to_owned(),
            url,
        })
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
        let path = address.url.path().trim_end_matches('/');
        let doubled = ADDED_PATHS
            .iter()
            .find(|(of, added)| *of == name && path.ends_with(added));
        if let Some((_, added)) = doubled {
            self.fault(
                format!("{name} is malformed"),
                format!(
                    "it ends in {added}, which the server adds itself: the path would be doubled"
                ),
                format!("take {added} away, so that {name} is the resource as the zone has it"),
            );
            return;
        }
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
