//! An OAuth error answer (RFC 6749, section 5.2) as the zone's endpoints give it.

use axum::{
    Json,
    extract::rejection::BytesRejection,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::keys::NoKey;
use crate::{
    protocol::oauth::{ErrorCode, ErrorResponse},
    support::text::{one_line, truncate},
};

/// The most characters that are quoted back of what was asked for.
const MOST_QUOTED: usize = 200;

/// A request that was refused: the code for programs, the sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub description: String,
}

impl From<NoKey> for Refusal {
    fn from(none: NoKey) -> Self {
        Self::new(ErrorCode::ServerError, none.to_string())
    }
}

impl From<BytesRejection> for Refusal {
    fn from(unread: BytesRejection) -> Self {
        let why = unread.body_text();
        Self::new(
            ErrorCode::InvalidRequest,
            format!("The body cannot be read: {why}"),
        )
    }
}

impl Refusal {
    /// A refusal; the description is made harmless, because it may quote the request.
    pub fn new(code: ErrorCode, description: impl AsRef<str>) -> Self {
        Self {
            code,
            description: one_line(description.as_ref()),
        }
    }

    /// Keycard's words (facts/keycard.md, 2.10); what it names behind them is not known, the lab
    /// names what was asked for.
    #[must_use]
    pub fn unknown_resource(identifier: &str) -> Self {
        Self::new(
            ErrorCode::InvalidTarget,
            format!(
                "Requested authorization for unknown resource {}",
                truncate(identifier, MOST_QUOTED)
            ),
        )
    }

    /// An application asked for what it does not depend on.
    #[must_use]
    pub fn no_dependency(application: &str, resource: &str) -> Self {
        Self::new(
            ErrorCode::AccessDenied,
            format!("Application \"{application}\" is not allowed to access \"{resource}\"."),
        )
    }

    /// The HTTP status. Keycard's are not recorded; RFC 6749, section 5.2 says 400, and 401 for a
    /// client that failed to authenticate. 403 for a policy's or a person's no is ours.
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

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let challenge = matches!(self.code, ErrorCode::InvalidClient);
        let body = ErrorResponse {
            error: self.code.as_str().to_owned(),
            error_description: Some(self.description),
            error_uri: None,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if challenge {
            // RFC 6749, section 5.2: a 401 names the scheme that would have been accepted.
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"zone\""),
            );
        }
        response
    }
}
