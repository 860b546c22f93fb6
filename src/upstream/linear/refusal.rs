//! Why a GraphQL request was refused, in the shape in which Linear's clients read it.
//!
//! `@linear/sdk` chooses its error class by `extensions.type` and its text by
//! `extensions.userPresentableMessage`. The sentences are ours.

use async_graphql::{Error, ErrorExtensionValues, Value, value};
use axum::http::StatusCode;
use serde_json::json;

use super::access::Scope;

/// A refusal. Deliberately without `Display`: `async_graphql` would then turn it into an error
/// without extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There was no credential.
    NoCredential,
    /// The credential is unknown, ended or revoked.
    BadCredential,
    /// The credential is good, but not for this.
    MissingScope(Scope),
    /// The scope is enough, but the person may not.
    AdminsOnly,
    /// Something that the request names is not there.
    NotFound(&'static str),
    /// Something about the input is wrong.
    InvalidInput(String),
    /// The body is no GraphQL request.
    Malformed(String),
    /// The document is no valid query against the schema.
    InvalidDocument(DocumentFault, String),
    /// The body is longer than the lab takes.
    TooLarge,
    /// A fault that was scripted, with its status.
    Scripted(StatusCode),
    /// The lab itself failed.
    Internal,
}

/// What is wrong with a GraphQL document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFault {
    Syntax,
    Validation,
}

impl Refusal {
    /// The HTTP status that the answer has.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoCredential | Self::BadCredential => StatusCode::UNAUTHORIZED,
            Self::MissingScope(_) | Self::AdminsOnly => StatusCode::FORBIDDEN,
            Self::NotFound(_)
            | Self::InvalidInput(_)
            | Self::Malformed(_)
            | Self::InvalidDocument(..) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Scripted(status) => *status,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// `extensions.type`: the words that `@linear/sdk` knows.
    const fn kind(&self) -> &'static str {
        match self {
            Self::NoCredential | Self::BadCredential => "authentication error",
            Self::MissingScope(_) | Self::AdminsOnly => "forbidden",
            Self::NotFound(_) | Self::InvalidInput(_) | Self::TooLarge => "invalid input",
            Self::Malformed(_) | Self::InvalidDocument(..) => "graphql error",
            Self::Scripted(status) => match status.as_u16() {
                401 => "authentication error",
                403 => "forbidden",
                429 => "ratelimited",
                400..=499 => "invalid input",
                _ => "internal error",
            },
            Self::Internal => "internal error",
        }
    }

    /// `extensions.code`.
    const fn code(&self) -> &'static str {
        match self {
            Self::NoCredential | Self::BadCredential => "AUTHENTICATION_ERROR",
            Self::MissingScope(_) | Self::AdminsOnly => "FORBIDDEN",
            Self::NotFound(_) | Self::InvalidInput(_) | Self::TooLarge => "INPUT_ERROR",
            Self::Malformed(_) => "BAD_REQUEST",
            Self::InvalidDocument(DocumentFault::Syntax, _) => "GRAPHQL_PARSE_FAILED",
            Self::InvalidDocument(DocumentFault::Validation, _) => "GRAPHQL_VALIDATION_FAILED",
            Self::Scripted(status) => match status.as_u16() {
                401 => "AUTHENTICATION_ERROR",
                403 => "FORBIDDEN",
                429 => "RATELIMITED",
                400..=499 => "INPUT_ERROR",
                _ => "INTERNAL_SERVER_ERROR",
            },
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }

    /// `message`: what a developer reads.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::NoCredential => "Authentication required, not authenticated".into(),
            Self::BadCredential => "Authentication required, the credential is not valid".into(),
            Self::MissingScope(scope) => {
                format!("Invalid scope: `{}` required", scope.as_str())
            }
            Self::AdminsOnly => "Only admins of the workspace may do this".into(),
            Self::NotFound(entity) => format!("Entity not found: {entity}"),
            Self::InvalidInput(why) | Self::Malformed(why) | Self::InvalidDocument(_, why) => {
                why.clone()
            }
            Self::TooLarge => "The request body is too large".into(),
            Self::Scripted(status) => match status.as_u16() {
                429 => "Rate limit exceeded (a scripted fault of the lab)".into(),
                _ => format!("A scripted fault of the lab: {status}"),
            },
            Self::Internal => "The stand-in could not keep this".into(),
        }
    }

    /// `extensions.userPresentableMessage`: what a person reads, where there is more to say.
    fn presentable(&self) -> Option<String> {
        match self {
            Self::NoCredential | Self::BadCredential => {
                Some("You need to sign in to do this.".into())
            }
            Self::MissingScope(scope) => Some(format!(
                "The application was not given the scope `{}`, which this needs.",
                scope.as_str()
            )),
            Self::AdminsOnly => Some("Only admins of the workspace may do this.".into()),
            Self::NotFound(entity) => Some(format!("Could not find the referenced {entity}.")),
            Self::InvalidInput(why) => Some(why.clone()),
            Self::TooLarge => Some("That is too long.".into()),
            Self::Scripted(status) if status.as_u16() == 429 => {
                Some("Too many requests. Try again later.".into())
            }
            Self::Malformed(_) | Self::InvalidDocument(..) | Self::Scripted(_) | Self::Internal => {
                None
            }
        }
    }

    /// Whether it is the caller's to put right.
    fn is_users(&self) -> bool {
        !self.status().is_server_error()
    }

    /// The error's `extensions`.
    #[must_use]
    pub fn extensions(&self) -> ErrorExtensionValues {
        let status = self.status().as_u16();
        let mut out = ErrorExtensionValues::default();
        out.set("type", self.kind());
        out.set("code", self.code());
        out.set("statusCode", status);
        out.set("userError", self.is_users());
        if let Some(text) = self.presentable() {
            out.set("userPresentableMessage", text);
        }
        out.set("http", value!({ "status": Value::from(status) }));
        out
    }

    /// The whole answer, for what is refused before a query runs.
    #[must_use]
    pub fn body(&self) -> serde_json::Value {
        json!({
            "errors": [{ "message": self.message(), "extensions": self.extensions() }]
        })
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let mut error = Self::new(refusal.message());
        error.extensions = Some(refusal.extensions());
        error
    }
}
