//! Authorization server metadata (RFC 8414) on Keycard's paths.

use crate::protocol::oauth::{AuthorizationServerMetadata, GRANT_TOKEN_EXCHANGE};

/// facts/keycard.md, 2.1.
pub const AUTHORIZE: &str = "/oauth/2/authorize";
/// facts/keycard.md, 2.1.
pub const TOKEN: &str = "/oauth/2/token";
/// facts/keycard.md, 2.1.
pub const REGISTRATION: &str = "/oauth/2/registration";
/// Where upstream providers come back (facts/keycard.md, 2.1).
pub const REDIRECT: &str = "/oauth/2/redirect";
/// facts/keycard.md, 2.1.
pub const JWKS: &str = "/openidconnect/jwks";
/// Below Keycard's `/login/`; the rest of the path is ours.
pub const SIGN_IN: &str = "/login/sign-in";
/// facts/keycard.md, 2.1.
pub const CONSENT: &str = "/login/consent";

/// The document for `issuer`, which has no trailing slash.
///
/// The registration path is Keycard's own `/oauth/2/registration`; clients take every path from here.
#[must_use]
pub fn document(issuer: &str, scopes: Vec<String>) -> AuthorizationServerMetadata {
    let at = |path: &str| Some(format!("{issuer}{path}"));
    let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
    AuthorizationServerMetadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at(AUTHORIZE),
        token_endpoint: at(TOKEN),
        registration_endpoint: at(REGISTRATION),
        jwks_uri: at(JWKS),
        response_types_supported: list(&["code"]),
        grant_types_supported: list(&[
            "authorization_code",
            "refresh_token",
            "client_credentials",
            GRANT_TOKEN_EXCHANGE,
        ]),
        code_challenge_methods_supported: list(&["S256"]),
        token_endpoint_auth_methods_supported: list(&[
            "none",
            "client_secret_basic",
            "client_secret_post",
        ]),
        scopes_supported: scopes,
        authorization_response_iss_parameter_supported: true,
        hoptrail_lab: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_lies_under_the_issuer() {
        let document = serde_json::to_value(document("http://127.0.0.1:9301", vec![])).unwrap();
        for (name, path) in [
            ("authorization_endpoint", "/oauth/2/authorize"),
            ("token_endpoint", "/oauth/2/token"),
            ("registration_endpoint", "/oauth/2/registration"),
            ("jwks_uri", "/openidconnect/jwks"),
        ] {
            assert_eq!(document[name], format!("http://127.0.0.1:9301{path}"));
        }
        assert_eq!(
            document["authorization_response_iss_parameter_supported"],
            true
        );
        assert_eq!(document["hoptrail_lab"], true);
    }
}
