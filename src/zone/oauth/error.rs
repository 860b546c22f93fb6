//! Helpers around [`Refusal`], the error answer of every endpoint here.

use axum::http::header;

use crate::{
    protocol::oauth::ErrorCode,
    support::error::Failure,
    zone::{refusal::Refusal, store::CommitError},
};

/// For what went wrong in the zone itself: the reason goes to the zone's log, not to the client.
pub fn internal(failure: &Failure) -> Refusal {
    tracing::error!(%failure, "the zone could not answer");
    Refusal::new(
        ErrorCode::ServerError,
        "The zone could not answer; its log says why",
    )
}

/// A commit that did not happen. `stale` says what it means when somebody was faster.
pub fn not_committed(error: CommitError, stale: impl FnOnce() -> Refusal) -> Refusal {
    match error {
        CommitError::Stale => stale(),
        CommitError::Failed(failure) => internal(&failure),
    }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        // RFC 6749, section 5.2 has no word of its own for it.
        let stale = || {
            Self::new(
                ErrorCode::ServerError,
                "The zone's configuration kept changing; try again",
            )
        };
        not_committed(error, stale)
    }
}

/// RFC 6749, section 5.1: answers that hold tokens are never cached.
pub const NO_STORE: [(header::HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::PRAGMA, "no-cache"),
];
