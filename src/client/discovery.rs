//! What a server's own documents must say before the client believes them: the strict half of
//! discovery, which rmcp leaves to its caller (protocol facts, 1.4).

use rmcp::transport::auth::AuthorizationMetadata;
use serde_json::Value;
use url::Url;

use super::{
    callback::IssParameter,
    url_policy::{UrlPolicy, bare},
};
use crate::{
    protocol::oauth::ProtectedResourceMetadata,
    support::{
        error::{Exit, Failure},
        loopback::is_loopback,
        text::one_line,
    },
};

/// The issuers for which a person said: go on although their metadata does not list PKCE methods.
/// (Entra ID and Cognito leave the member out.)
#[derive(Debug, Clone, Default)]
pub struct MissingPkceAllowed(Vec<String>);

impl MissingPkceAllowed {
    /// Goes on for exactly these issuers.
    #[must_use]
    pub const fn for_issuers(issuers: Vec<String>) -> Self {
        Self(issuers)
    }

    fn allows(&self, issuer: &str) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed.trim_end_matches('/') == issuer.trim_end_matches('/'))
    }
}

/// Authorization server metadata that passed every check.
#[derive(Debug, Clone)]
pub struct Accepted {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub iss: IssParameter,
    pub scopes: Vec<String>,
    /// The lab's own zone, whose sample user may answer by itself.
    pub lab: bool,
}

/// Reads protected resource metadata if the document is one.
///
/// # Errors
/// If it describes another resource than `server` (RFC 9728, section 3.3), or names only
/// authorization servers that must not be called.
pub fn read_resource(
    server: &Url,
    policy: &UrlPolicy,
    body: &[u8],
) -> Result<Option<ProtectedResourceMetadata>, Failure> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice::<Value>(body) else {
        return Ok(None);
    };
    if !members.contains_key("resource") && !members.contains_key("authorization_servers") {
        return Ok(None);
    }
    // Lists that are absent or null are empty; an unknown member must not spoil the document.
    for list in ["authorization_servers", "scopes_supported"] {
        if members.get(list).is_some_and(Value::is_null) {
            members.remove(list);
        }
    }
    let document: ProtectedResourceMetadata = serde_json::from_value(Value::Object(members))
        .map_err(|error| {
            lies(
                "The server's resource metadata cannot be read",
                one_line(&error.to_string()),
            )
        })?;
    let fits = Url::parse(&document.resource)
        .is_ok_and(|resource| resource.fragment().is_none() && covers(&resource, server));
    if !fits {
        let mut told = lies(
            "The resource metadata is about another server",
            format!(
                "it says {}, we asked {}",
                one_line(&document.resource),
                bare(server)
            ),
        );
        if let Some(own) = own_name(&document.resource, server) {
            told.next = format!("name the server as it names itself: {own}");
        }
        return Err(told);
    }
    if let Some(first) = document.authorization_servers.first()
        && !document
            .authorization_servers
            .iter()
            .any(|named| policy.check(named).is_ok())
    {
        policy.accept("authorization server", first)?;
    }
    Ok(Some(document))
}

/// The server's address by the name that it gives itself, where only the names of this computer
/// differ: it is the same place, but tokens are for a name.
fn own_name(resource: &str, server: &Url) -> Option<Url> {
    let resource = Url::parse(resource).ok()?;
    let mut own = server.clone();
    own.set_host(resource.host_str()).ok()?;
    let here = is_loopback(&resource) && is_loopback(server);
    (here && covers(&resource, &own)).then_some(own)
}

/// True if `resource` is `server` or an ancestor of it on the same origin (RFC 8707, section 2).
fn covers(resource: &Url, server: &Url) -> bool {
    let (prefix, path) = (resource.path().trim_end_matches('/'), server.path());
    resource.origin() == server.origin()
        && path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Judges authorization server metadata.
///
/// # Errors
/// If an endpoint may not be called, or PKCE with S256 is not offered.
pub fn accept_server(
    policy: &UrlPolicy,
    metadata: &AuthorizationMetadata,
    missing_pkce: &MissingPkceAllowed,
) -> Result<Accepted, Failure> {
    let issuer = metadata.issuer.clone().ok_or_else(|| {
        lies(
            "The authorization server does not say who it is",
            "its metadata has no issuer".to_owned(),
        )
    })?;
    policy.accept("issuer", &issuer)?;
    let authorization_endpoint =
        policy.accept("authorization endpoint", &metadata.authorization_endpoint)?;
    let token_endpoint = policy.accept("token endpoint", &metadata.token_endpoint)?;
    match &metadata.registration_endpoint {
        Some(endpoint) => {
            policy.accept("registration endpoint", endpoint)?;
        }
        None => {
            return Err(Failure::new(
                Exit::Refused,
                "This client cannot introduce itself",
                format!("{} offers no dynamic registration", one_line(&issuer)),
                "ask the operator to switch dynamic client registration on",
            ));
        }
    }
    if let Some(jwks) = &metadata.jwks_uri {
        policy.accept("key set's address", jwks)?;
    }
    match &metadata.code_challenge_methods_supported {
        Some(methods) if methods.iter().any(|method| method == "S256") => {}
        None if missing_pkce.allows(&issuer) => {}
        Some(methods) => {
            return Err(lies(
                "The authorization server does not offer PKCE with S256",
                format!("it offers {}", one_line(&methods.join(", "))),
            ));
        }
        None => {
            return Err(Failure::new(
                Exit::Refused,
                "The authorization server does not say that it checks PKCE",
                format!(
                    "{} lists no code_challenge_methods_supported, and the MCP specification \
                     demands it",
                    one_line(&issuer)
                ),
                format!(
                    "if you trust this issuer, start with --assume-pkce {}",
                    one_line(&issuer)
                ),
            ));
        }
    }
    let flag = |name: &str| {
        metadata
            .additional_fields
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    };
    Ok(Accepted {
        issuer,
        authorization_endpoint,
        token_endpoint,
        iss: if flag("authorization_response_iss_parameter_supported") {
            IssParameter::Required
        } else {
            IssParameter::Optional
        },
        scopes: metadata.scopes_supported.clone().unwrap_or_default(),
        lab: flag("hoptrail_lab"),
    })
}

/// The failure for a document that must not be believed.
#[must_use]
pub fn lies(what: &str, why: String) -> Failure {
    Failure::new(
        Exit::Refused,
        what,
        why,
        "do not go on; tell the server's operator",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:1/mcp", true)]
    #[case("http://127.0.0.1:1/", true)]
    #[case("http://127.0.0.1:1/mc", false)]
    #[case("http://127.0.0.1:2/mcp", false)]
    #[case("https://127.0.0.1:1/mcp", false)]
    #[case("http://127.0.0.1:1/mcp#x", false)]
    #[case("nonsense", false)]
    fn metadata_must_be_about_the_server_that_was_asked(
        #[case] resource: &str,
        #[case] fits: bool,
    ) {
        let server = Url::parse("http://127.0.0.1:1/mcp").unwrap();
        let body = format!(r#"{{"resource":"{resource}","authorization_servers":null}}"#);
        let read = read_resource(&server, &UrlPolicy::for_server(&server), body.as_bytes());
        assert_eq!(read.is_ok(), fits, "{resource}");
    }
}
