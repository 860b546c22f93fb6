//! The tokens of this run: in memory, renewed when they end, one renewal at a time.
//!
//! Refresh tokens stay inside rmcp's authorization manager and are never written anywhere.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use rmcp::transport::auth::{AuthError, AuthorizationManager};

use super::oauth_seam::OAuthSeam;
use crate::{
    protocol::secret::Secret,
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
    },
};

/// A token is renewed when less than this is left of it (or half its life, if that is shorter).
const MARGIN: TimeDelta = TimeDelta::seconds(30);

/// An access token and what is known of it.
#[derive(Debug, Clone)]
pub struct Held {
    pub access: Secret,
    /// When it should be renewed; `None` if its end was not told.
    pub renew_at: Option<DateTime<Utc>>,
    pub refreshable: bool,
}

impl Held {
    /// A token that came now and ends in `expires_in` seconds.
    #[must_use]
    pub fn new(
        access: Secret,
        now: DateTime<Utc>,
        expires_in: Option<u64>,
        refreshable: bool,
    ) -> Self {
        let renew_at = expires_in
            .and_then(|seconds| i64::try_from(seconds).ok())
            .and_then(TimeDelta::try_seconds)
            .and_then(|life| now.checked_add_signed(life - MARGIN.min(life / 2)));
        Self {
            access,
            renew_at,
            refreshable,
        }
    }
}

/// Where the seam puts a token that came. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Slot(Arc<Mutex<Option<Held>>>);

impl Slot {
    /// Puts a token in, in place of the one before.
    pub fn put(&self, held: Option<Held>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// The token.
    #[must_use]
    pub fn get(&self) -> Option<Held> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What can renew a token.
pub struct Renewer {
    pub manager: AuthorizationManager,
    pub seam: Arc<OAuthSeam>,
}

/// The tokens of this run. Cloning shares them.
#[derive(Clone)]
pub struct Tokens {
    slot: Slot,
    renewer: Arc<tokio::sync::Mutex<Option<Renewer>>>,
    clock: SharedClock,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// No tokens yet.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            slot: Slot::default(),
            renewer: Arc::default(),
            clock,
        }
    }

    /// Where the seam puts what came.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot.clone()
    }

    /// True when there is a token.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.slot.get().is_some()
    }

    /// The token as it is, renewed or not.
    #[must_use]
    pub fn held(&self) -> Option<Secret> {
        self.slot.get().map(|held| held.access)
    }

    /// Keeps what can renew the token.
    pub async fn keep(&self, renewer: Renewer) {
        *self.renewer.lock().await = Some(renewer);
    }

    /// Drops everything.
    pub async fn clear(&self) {
        self.slot.put(None);
        *self.renewer.lock().await = None;
    }

    /// The token to send, renewed first if it is about to end.
    ///
    /// # Errors
    /// If it has ended and cannot be renewed.
    pub async fn bearer(&self) -> Result<Option<Secret>, Failure> {
        let Some(held) = self.slot.get() else {
            return Ok(None);
        };
        if held.refreshable && held.renew_at.is_some_and(|at| at <= self.clock.now()) {
            return self.renew(&held.access).await;
        }
        Ok(Some(held.access))
    }

    /// A token other than `rejected`: the one that another call has renewed meanwhile, or a new
    /// one. `None` if the token cannot be renewed.
    ///
    /// # Errors
    /// If the renewal failed, with the reason.
    pub async fn renew(&self, rejected: &Secret) -> Result<Option<Secret>, Failure> {
        let renewer = self.renewer.lock().await;
        match self.slot.get() {
            None => return Ok(None),
            Some(held) if held.access != *rejected => return Ok(Some(held.access)),
            Some(held) if !held.refreshable => return Ok(None),
            Some(_) => {}
        }
        let Some(Renewer { manager, seam }) = renewer.as_ref() else {
            return Ok(None);
        };
        match manager.refresh_token().await {
            Ok(_) => Ok(self.slot.get().map(|held| held.access)),
            Err(AuthError::AuthorizationRequired | AuthError::TokenRefreshRejected(_)) => {
                self.slot.put(None);
                let told = seam.take_trouble();
                let failure = Failure::new(
                    Exit::Refused,
                    "The sign-in has ended",
                    told.map_or_else(
                        || "the refresh token is no longer taken".to_owned(),
                        |failure| failure.why,
                    ),
                    "sign in again",
                );
                seam.ended(failure.clone());
                Err(failure)
            }
            Err(error) => Err(seam.take_trouble().unwrap_or_else(|| {
                Failure::new(
                    Exit::Unreachable,
                    "The token could not be renewed",
                    seam.clean(&error.to_string()),
                    "try again; sign in again if it stays like this",
                )
            })),
        }
    }
}
