//! Errors in the shape of Anthropic's API: a type, a message, the request's name.

use axum::{
    extract::rejection::BytesRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::support::text::one_line;

/// No message has more characters; the number is ours.
const LONGEST_MESSAGE: usize = 1_000;

/// An error as it goes onto the wire, still without the request's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    kind: Kind,
    message: String,
}

/// The API's error types, as far as the stand-in has use for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    InvalidRequest,
    Authentication,
    Permission,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    RateLimit,
    Api,
    Overloaded,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest | Self::MethodNotAllowed => "invalid_request_error",
            Self::Authentication => "authentication_error",
            Self::Permission => "permission_error",
            Self::NotFound => "not_found_error",
            Self::TooLarge => "request_too_large",
            Self::RateLimit => "rate_limit_error",
            Self::Api => "api_error",
            Self::Overloaded => "overloaded_error",
        }
    }

    const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Authentication => 401,
            Self::Permission => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::RateLimit => 429,
            Self::Api => 500,
            Self::Overloaded => 529,
        }
    }
}

/// A message may quote what was sent, which may be megabytes.
fn shown(message: &str) -> String {
    let head: String = message.chars().take(LONGEST_MESSAGE).collect();
    let cut = if head.len() < message.len() {
        "…"
    } else {
        ""
    };
    one_line(&head) + cut
}

impl ApiError {
    fn new(kind: Kind, message: impl AsRef<str>) -> Self {
        Self {
            kind,
            message: shown(message.as_ref()),
        }
    }

    /// A request that is wrong; the message begins with the path of what is.
    pub fn invalid(message: impl AsRef<str>) -> Self {
        Self::new(Kind::InvalidRequest, message)
    }

    pub fn unauthenticated(message: &str) -> Self {
        Self::new(Kind::Authentication, message)
    }

    pub fn not_found(message: impl AsRef<str>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    pub fn method_not_allowed() -> Self {
        Self::new(Kind::MethodNotAllowed, "Method Not Allowed")
    }

    pub fn internal() -> Self {
        Self::new(Kind::Api, "Internal server error")
    }

    pub fn unreadable(rejection: &BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::new(Kind::TooLarge, "Request exceeds the maximum size")
        } else {
            Self::invalid("The request body could not be read")
        }
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn body(&self, request_id: Option<&str>) -> Value {
        json!({
            "type": "error",
            "error": { "type": self.kind.name(), "message": self.message },
            "request_id": request_id,
        })
    }
}

impl IntoResponse for ApiError {
    /// Only a carrier: the outer layer, that knows the request's name, writes the body.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// How the service words an error of `status`, for scripted faults.
#[must_use]
pub fn body_for_status(status: StatusCode) -> Value {
    let (kind, message) = match status.as_u16() {
        401 => (Kind::Authentication, "invalid x-api-key"),
        403 => (
            Kind::Permission,
            "Your API key does not have permission to use the specified resource",
        ),
        404 => (Kind::NotFound, "Not found"),
        413 => (Kind::TooLarge, "Request exceeds the maximum size"),
        429 => (
            Kind::RateLimit,
            "This request would exceed your organization's rate limit",
        ),
        503 | 529 => (Kind::Overloaded, "Overloaded"),
        400..=499 => (Kind::InvalidRequest, "Invalid request"),
        _ => (Kind::Api, "Internal server error"),
    };
    ApiError::new(kind, message).body(Some("req_scripted_fault"))
}
