//! OAuth documents and error codes as they stand on the wire.

use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// RFC 8693, section 2.1: the token exchange grant.
pub const GRANT_TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// RFC 8693, section 3: an OAuth access token.
pub const TOKEN_TYPE_ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// RFC 8414, section 3.
pub const WELL_KNOWN_AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
/// OpenID Connect Discovery 1.0, section 4.
pub const WELL_KNOWN_OPENID: &str = "/.well-known/openid-configuration";
/// RFC 9728, section 3.
pub const WELL_KNOWN_PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// What a confidential client proves itself with (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredential {
    pub client_id: String,
    pub client_secret: Secret,
}

/// Authorization server metadata (RFC 8414, section 2), the members that the product reads or serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    pub issuer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    /// RFC 9207: the server sends `iss` with every authorization response.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Ours: set by the lab's zone, so that `--headless` may let the sample user consent by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hoptrail_lab: bool,
}

/// Protected resource metadata (RFC 9728, section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedResourceMetadata {
    pub resource: String,
    #[serde(default)]
    pub authorization_servers: Vec<String>,
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
}

/// A successful token response (RFC 6749, section 5.1; RFC 8693, section 2.2.1), as a client reads it.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenResponse {
    pub access_token: Secret,
    #[serde(default)]
    pub token_type: Option<String>,
    /// Lifetime in seconds.
    #[serde(default)]
    pub expires_in: Option<u64>,
    #[serde(default)]
    pub refresh_token: Option<Secret>,
    #[serde(default)]
    pub scope: Option<String>,
    #[serde(default)]
    pub issued_token_type: Option<String>,
}

/// An error response (RFC 6749, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    pub error: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
}

/// The error codes that the zone answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// RFC 6749, 5.2.
    InvalidRequest,
    /// RFC 6749, 5.2.
    InvalidClient,
    /// RFC 6749, 5.2.
    InvalidGrant,
    /// RFC 6749, 5.2.
    UnauthorizedClient,
    /// RFC 6749, 5.2.
    UnsupportedGrantType,
    /// RFC 6749, 4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749, 5.2.
    InvalidScope,
    /// RFC 6749, 4.1.2.1; on the token endpoint it is Keycard's word for "policy said no".
    AccessDenied,
    /// RFC 8707, section 2.
    InvalidTarget,
    /// Keycard: no delegated grant, or a revoked one.
    InsufficientAuthorization,
    /// RFC 7591, 3.2.2.
    InvalidRedirectUri,
    /// RFC 7591, 3.2.2.
    InvalidClientMetadata,
    /// RFC 6749, 4.1.2.1.
    ServerError,
    /// RFC 6749, 4.1.2.1.
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// Whether a code on the wire is about the server that sends it: then nothing was decided, and
    /// nobody has refused anything.
    #[must_use]
    pub fn is_own_fault(code: &str) -> bool {
        [Self::ServerError, Self::TemporarilyUnavailable]
            .iter()
            .any(|own| own.as_str() == code)
    }

    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::InvalidTarget => "invalid_target",
            Self::InsufficientAuthorization => "insufficient_authorization",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}
