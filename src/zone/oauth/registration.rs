//! Dynamic client registration (RFC 7591): what may be registered and what is answered.
//!
//! Every client that registers itself is public: the zone hands out no secret here
//! (facts/keycard.md, 2.3: a registered client becomes a user agent).

use serde::{Deserialize, Serialize};
use url::Url;

use super::redirect_uri::{self, RedirectKind};
use crate::{
    protocol::oauth::ErrorCode,
    support::{
        digest::{hex, sha256},
        loopback::is_loopback,
        text,
    },
    zone::refusal::Refusal,
};

/// The grants that a user agent can be given.
const GRANTS: &[&str] = &["authorization_code", "refresh_token"];
const LONGEST_NAME: usize = 80;
const MOST_REDIRECTS: usize = 16;

/// What a client posts; what is not listed is ignored (RFC 7591, section 2).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RegistrationRequest {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    client_uri: Option<String>,
    software_id: Option<String>,
    software_version: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    application_type: Option<ApplicationType>,
    scope: Option<String>,
}

/// OpenID Connect Dynamic Client Registration 1.0, section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ApplicationType {
    Native,
    Web,
}

/// A client that may be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// `ua:` and a SHA-256.
    pub client_id: String,
    pub name: String,
    pub redirect_uris: Vec<String>,
    answer: RegistrationResponse,
}

/// RFC 7591, section 3.2.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistrationResponse {
    client_id: String,
    client_id_issued_at: i64,
    client_name: String,
    redirect_uris: Vec<String>,
    grant_types: Vec<String>,
    response_types: Vec<String>,
    token_endpoint_auth_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_type: Option<ApplicationType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl Registration {
    /// Checks a request.
    ///
    /// # Errors
    /// `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591, section 3.2.2).
    pub fn check(request: RegistrationRequest) -> Result<Self, Refusal> {
        let metadata = |text: &str| Refusal::new(ErrorCode::InvalidClientMetadata, text);
        check_redirects(&request)?;
        let asked = request
            .grant_types
            .unwrap_or_else(|| vec!["authorization_code".into()]);
        // The server may answer with fewer grants than were asked for (RFC 7591, section 3.2.1).
        let grant_types: Vec<String> = GRANTS
            .iter()
            .map(|&grant| grant.to_owned())
            .filter(|grant| asked.contains(grant))
            .collect();
        if !grant_types.iter().any(|grant| grant == GRANTS[0]) {
            return Err(metadata(
                "A client that registers itself uses the grant authorization_code",
            ));
        }
        let response_types = request
            .response_types
            .unwrap_or_else(|| vec!["code".into()]);
        if response_types != ["code"] {
            return Err(metadata("The only response type is code"));
        }
        let name = request
            .client_name
            .map(|name| text::truncate(text::one_line(&name).trim(), LONGEST_NAME).into_owned())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "A client without a name".into());
        let short = |value: Option<String>| value.filter(|v| v.len() <= 512);
        let client_id = client_id(&name, &request.redirect_uris, &grant_types);
        Ok(Self {
            answer: RegistrationResponse {
                client_id: client_id.clone(),
                client_id_issued_at: 0,
                client_name: name.clone(),
                redirect_uris: request.redirect_uris.clone(),
                grant_types,
                response_types,
                token_endpoint_auth_method: "none",
                application_type: request.application_type,
                client_uri: short(request.client_uri),
                software_id: short(request.software_id),
                software_version: short(request.software_version),
                scope: short(request.scope),
            },
            client_id,
            name,
            redirect_uris: request.redirect_uris,
        })
    }

    /// The grants that the client may use.
    #[must_use]
    pub fn grant_types(&self) -> &[String] {
        &self.answer.grant_types
    }

    /// The answer, once the client was stored at `issued_at` (seconds since 1970).
    #[must_use]
    pub fn answered(self, issued_at: i64) -> RegistrationResponse {
        RegistrationResponse {
            client_id_issued_at: issued_at,
            ..self.answer
        }
    }
}

fn check_redirects(request: &RegistrationRequest) -> Result<(), Refusal> {
    let refused = |text: &str| Refusal::new(ErrorCode::InvalidRedirectUri, text);
    let uris = &request.redirect_uris;
    if uris.is_empty() {
        return Err(refused("At least one redirect URI is needed"));
    }
    if uris.len() > MOST_REDIRECTS {
        return Err(refused("Too many redirect URIs"));
    }
    for uri in uris {
        let kind = redirect_uri::classify(uri).map_err(refused)?;
        match (request.application_type, kind) {
            (Some(ApplicationType::Web), RedirectKind::Loopback | RedirectKind::CustomScheme) => {
                return Err(refused("A web client's redirect URIs must be https"));
            }
            (Some(ApplicationType::Web), RedirectKind::Web) if leads_here(uri) => {
                return Err(refused(
                    "A web client's redirect URIs must not lead to localhost",
                ));
            }
            (Some(ApplicationType::Native), RedirectKind::Web) => {
                return Err(refused(
                    "A native client's redirect URIs must lead to localhost or have a scheme of its own",
                ));
            }
            (Some(ApplicationType::Web), RedirectKind::Web)
            | (
                Some(ApplicationType::Native),
                RedirectKind::Loopback | RedirectKind::CustomScheme,
            )
            | (None, _) => {}
        }
    }
    Ok(())
}

fn leads_here(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| is_loopback(&url))
}

/// Names a client by what it registered: the shape is Keycard's (`ua:` and a SHA-256), what is
/// hashed is ours. The name and the redirects are in it, so a consent that is remembered for a
/// client id can only ever lead back to where it led before, and registering twice adds no row. The
/// grants are in it, so nobody can change those of another. A client of before they were keeps its
/// row and its id until it registers anew.
fn client_id(name: &str, redirect_uris: &[String], grant_types: &[String]) -> String {
    let mut redirects: Vec<String> = redirect_uris
        .iter()
        .map(|uri| match redirect_uri::classify(uri) {
            Ok(RedirectKind::Loopback) => redirect_uri::without_port(uri),
            _ => uri.clone(),
        })
        .collect();
    redirects.sort();
    redirects.dedup();
    let hashed = serde_json::json!([name, redirects, grant_types]).to_string();
    format!("ua:{}", hex(&sha256(hashed.as_bytes())))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn check(body: serde_json::Value) -> Result<Registration, Refusal> {
        Registration::check(serde_json::from_value(body).unwrap())
    }

    #[test]
    fn the_recorded_request_of_mcp_remote_is_answered_with_its_fields() {
        let registration = check(json!({
            "redirect_uris": ["http://127.0.0.1:39998/oauth/callback"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "client_name": "MCP CLI Proxy",
            "software_version": "0.15.1",
            "scope": "read issues:create",
            "application_type": "native"
        }))
        .unwrap();
        let answer = serde_json::to_value(registration.answered(7)).unwrap();
        let id = answer["client_id"].as_str().unwrap();
        assert!(id.starts_with("ua:") && id.len() == 67, "{id}");
        assert_eq!(answer["client_id_issued_at"], 7);
        assert_eq!(answer["token_endpoint_auth_method"], "none");
        assert_eq!(answer["client_name"], "MCP CLI Proxy");
        assert!(answer.get("client_secret").is_none());
    }

    #[test]
    fn one_client_on_another_port_is_the_same_client() {
        let id = |uri: &str| check(json!({"redirect_uris": [uri]})).unwrap().client_id;
        assert_eq!(id("http://127.0.0.1:1/cb"), id("http://127.0.0.1:2/cb"));
        assert_ne!(id("http://127.0.0.1:1/cb"), id("http://127.0.0.1:1/other"));
        assert_ne!(id("https://a.example/cb"), id("https://b.example/cb"));
    }

    #[test]
    fn a_client_with_other_grants_is_another_client() {
        let id = |grants: serde_json::Value| {
            check(json!({"redirect_uris": ["https://a.example/cb"], "grant_types": grants}))
                .unwrap()
                .client_id
        };
        let both = id(json!(["authorization_code", "refresh_token"]));
        assert_ne!(id(json!(["authorization_code"])), both);
        assert_eq!(
            id(json!(["refresh_token", "authorization_code", "password"])),
            both
        );
    }

    #[rstest]
    #[case(json!({}), ErrorCode::InvalidRedirectUri)]
    #[case(json!({"redirect_uris": ["http://client.example/cb"]}), ErrorCode::InvalidRedirectUri)]
    #[case(json!({"redirect_uris": ["http://localhost/cb"], "application_type": "web"}), ErrorCode::InvalidRedirectUri)]
    #[case(json!({"redirect_uris": ["https://localhost/cb"], "application_type": "web"}), ErrorCode::InvalidRedirectUri)]
    #[case(json!({"redirect_uris": ["https://a.example/cb"], "application_type": "native"}), ErrorCode::InvalidRedirectUri)]
    #[case(json!({"redirect_uris": ["https://a.example/cb"], "grant_types": ["password"]}), ErrorCode::InvalidClientMetadata)]
    #[case(json!({"redirect_uris": ["https://a.example/cb"], "response_types": ["token"]}), ErrorCode::InvalidClientMetadata)]
    fn what_cannot_be_registered_is_named(
        #[case] body: serde_json::Value,
        #[case] code: ErrorCode,
    ) {
        assert_eq!(check(body).unwrap_err().code, code);
    }

    #[test]
    fn a_hostile_name_is_made_harmless() {
        let registration = check(json!({
            "redirect_uris": ["https://a.example/cb"],
            "client_name": "\u{1b}[31mBank\u{202e}"
        }))
        .unwrap();
        assert_eq!(registration.name, "␛[31mBank�");
    }
}
