//! OAuth errors as JSON answers (RFC 6749, section 5.2).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::protocol::oauth::{ErrorCode, ErrorResponse};

/// An error of the token or registration endpoint, or of an authorization request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    pub code: ErrorCode,
    pub description: String,
    challenge: Challenge,
}

/// Whether the answer names the way in (RFC 6749, section 5.2: it must, if the client used it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    None,
    Basic,
}

impl OAuthError {
    /// An error with its sentence. The sentence holds no secret.
    #[must_use]
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            challenge: Challenge::None,
        }
    }

    /// The same, for a client that tried `Authorization: Basic`.
    #[must_use]
    pub const fn with_basic_challenge(mut self) -> Self {
        self.challenge = Challenge::Basic;
        self
    }

    /// For what went wrong in the zone itself; the reason stays in the zone's log.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            ErrorCode::ServerError,
            "The zone could not answer. Try again",
        )
    }

    /// Keycard's status per error is not recorded (facts/keycard.md, 2.10): these are RFC 6749's,
    /// and 403 for what was understood and refused is ours.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.code {
            ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
            ErrorCode::AccessDenied | ErrorCode::InsufficientAuthorization => StatusCode::FORBIDDEN,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::InvalidRequest
            | ErrorCode::InvalidGrant
            | ErrorCode::UnauthorizedClient
            | ErrorCode::UnsupportedGrantType
            | ErrorCode::UnsupportedResponseType
            | ErrorCode::InvalidScope
            | ErrorCode::InvalidTarget
            | ErrorCode::InvalidRedirectUri
            | ErrorCode::InvalidClientMetadata => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut response = (
            self.status(),
            no_store(),
            Json(ErrorResponse {
                error: self.code.as_str().into(),
                error_description: Some(self.description),
                error_uri: None,
            }),
        )
            .into_response();
        if self.challenge == Challenge::Basic {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(r#"Basic realm="hoptrail lab zone""#),
            );
        }
        response
    }
}

/// RFC 6749, section 5.1: answers that hold tokens are never cached, nor are their errors.
#[must_use]
pub const fn no_store() -> [(header::HeaderName, &'static str); 2] {
    [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ]
}
