//! The tokens of this run: in memory, renewed when they end, one renewal at a time.
//!
//! Refresh tokens stay inside rmcp's authorization manager and are never written anywhere.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
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

/// When a token that came now and ends in `expires_in` seconds should be renewed; `None` if its end
/// was not told, or is beyond all dates.
#[must_use]
pub fn renew_at(now: DateTime<Utc>, expires_in: Option<u64>) -> Option<DateTime<Utc>> {
    expires_in
        .and_then(|seconds| i64::try_from(seconds).ok())
        .and_then(TimeDelta::try_seconds)
        .and_then(|life| now.checked_add_signed(life - MARGIN.min(life / 2)))
}

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
        let renew_at = renew_at(now, expires_in);
        Self {
            access,
            renew_at,
            refreshable,
        }
    }
}

/// What there is, and whose sign-in it is of.
#[derive(Debug, Default)]
struct Kept {
    held: Option<Held>,
    /// The sign-in or the sign-out that counts now.
    stands: u64,
    /// The one that began last.
    begun: u64,
}

/// Where the seam of one sign-in puts the tokens that come, those of its renewals too. What comes
/// after a sign-out, or after the token of a later sign-in, comes too late. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Slot {
    kept: Arc<Mutex<Kept>>,
    sign_in: u64,
}

impl Slot {
    /// Puts a token in, in place of the one before. False if it comes too late.
    #[must_use]
    pub fn put(&self, held: Held) -> bool {
        let mut kept = self.kept.lock();
        if self.sign_in < kept.stands {
            return false;
        }
        kept.stands = self.sign_in;
        kept.held = Some(held);
        true
    }

    /// The token, if it is this sign-in's.
    #[must_use]
    pub fn get(&self) -> Option<Held> {
        let kept = self.kept.lock();
        (self.sign_in == kept.stands)
            .then(|| kept.held.clone())
            .flatten()
    }

    /// Drops the token. False if it is not this sign-in's.
    fn drop_token(&self) -> bool {
        let mut kept = self.kept.lock();
        let is_ours = self.sign_in == kept.stands;
        if is_ours {
            kept.held = None;
        }
        is_ours
    }

    fn stands(&self) -> bool {
        self.sign_in == self.kept.lock().stands
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
    kept: Arc<Mutex<Kept>>,
    /// The inner lock is held while a token is renewed, the outer one never for long: nobody who
    /// signs out waits for a server.
    renewer: Arc<Mutex<Option<Arc<tokio::sync::Mutex<Renewer>>>>>,
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
            kept: Arc::default(),
            renewer: Arc::default(),
            clock,
        }
    }

    /// Where a new sign-in puts what comes.
    #[must_use]
    pub fn begin(&self) -> Slot {
        let mut kept = self.kept.lock();
        kept.begun += 1;
        Slot {
            kept: Arc::clone(&self.kept),
            sign_in: kept.begun,
        }
    }

    /// True when there is a token.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.kept.lock().held.is_some()
    }

    /// The token as it is, renewed or not.
    #[must_use]
    pub fn held(&self) -> Option<Secret> {
        let kept = self.kept.lock();
        kept.held.as_ref().map(|held| held.access.clone())
    }

    /// Another number once somebody signed in or out; a renewal changes nothing of it.
    #[must_use]
    pub fn sign_in(&self) -> u64 {
        self.kept.lock().stands
    }

    /// Keeps what can renew the token, if its sign-in still stands.
    pub fn keep(&self, renewer: Renewer) {
        let mut kept = self.renewer.lock();
        if renewer.seam.slot().stands() {
            *kept = Some(Arc::new(tokio::sync::Mutex::new(renewer)));
        }
    }

    /// Drops everything, also what a sign-in or a renewal under way will bring.
    pub fn clear(&self) {
        {
            let mut kept = self.kept.lock();
            kept.begun += 1;
            kept.stands = kept.begun;
            kept.held = None;
        }
        *self.renewer.lock() = None;
    }

    /// The token to send, renewed first if it is about to end.
    ///
    /// # Errors
    /// If it has ended and cannot be renewed.
    pub async fn bearer(&self) -> Result<Option<Secret>, Failure> {
        let Some(held) = self.kept.lock().held.clone() else {
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
    /// A caller who gives up halfway takes nothing along: once the zone was asked, the refresh token
    /// from before is spent, and using it again would end the sign-in.
    ///
    /// # Errors
    /// If the renewal failed, with the reason.
    pub async fn renew(&self, rejected: &Secret) -> Result<Option<Secret>, Failure> {
        let (tokens, rejected) = (self.clone(), rejected.clone());
        let renewing = tokio::spawn(async move { tokens.renew_alone(&rejected).await });
        renewing.await.unwrap_or_else(|error| {
            Err(Failure::new(
                Exit::Failed,
                "The token could not be renewed",
                error.to_string(),
                "sign in again",
            ))
        })
    }

    async fn renew_alone(&self, rejected: &Secret) -> Result<Option<Secret>, Failure> {
        let other = || self.held().filter(|held| held != rejected);
        let Some(renewer) = self.renewer.lock().clone() else {
            return Ok(other());
        };
        let renewer = renewer.lock().await;
        let Renewer { manager, seam } = &*renewer;
        match seam.slot().get() {
            Some(held) if held.access == *rejected && held.refreshable => {}
            Some(held) if held.access == *rejected => return Ok(None),
            Some(_) | None => return Ok(other()),
        }
        match manager.refresh_token().await {
            Ok(_) => Ok(self.held()),
            Err(AuthError::AuthorizationRequired | AuthError::TokenRefreshRejected(_))
                if seam.slot().drop_token() =>
            {
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
            // Somebody signed in or out meanwhile, and that stands.
            Err(_) if !seam.slot().stands() => Ok(other()),
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
