//! Sign-ins that are under way, codes and tokens. Only their hashes are kept.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    support::{clock::SharedClock, digest::sha256},
    upstream::people::Person,
};

/// GitHub's codes live for ten minutes; so does a page that is left open here.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// GitHub's tokens have no end; these last a working day, as nobody needs more in a lab.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(8);
/// More than this at a time is a program gone wild; the oldest go.
const MOST: usize = 1_024;

/// A sign-in that waits for somebody to choose who they are.
#[derive(Debug, Clone)]
pub struct Pending {
    pub client_id: String,
    pub redirect_uri: String,
    pub state: Option<String>,
    pub scope: String,
    pub code_challenge: Option<String>,
}

/// Values by the hash of a secret, each until its time is over.
#[derive(Debug)]
struct Expiring<T>(HashMap<[u8; 32], (DateTime<Utc>, T)>);

impl<T> Default for Expiring<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Expiring<T> {
    fn insert(&mut self, secret: &str, until: DateTime<Utc>, now: DateTime<Utc>, value: T) {
        if self.0.len() >= MOST {
            self.0.retain(|_, (until, _)| *until > now);
        }
        if self.0.len() >= MOST
            && let Some(first) = self
                .0
                .iter()
                .min_by_key(|(_, (until, _))| *until)
                .map(|(k, _)| *k)
        {
            self.0.remove(&first);
        }
        self.0.insert(sha256(secret.as_bytes()), (until, value));
    }

    fn take(&mut self, secret: &str, now: DateTime<Utc>) -> Option<T> {
        let (until, value) = self.0.remove(&sha256(secret.as_bytes()))?;
        (until > now).then_some(value)
    }

    fn get(&self, secret: &str, now: DateTime<Utc>) -> Option<&T> {
        let (until, value) = self.0.get(&sha256(secret.as_bytes()))?;
        (*until > now).then_some(value)
    }
}

#[derive(Debug, Default)]
struct Tables {
    pending: Expiring<Pending>,
    codes: Expiring<(Pending, &'static Person)>,
    tokens: Expiring<(&'static Person, String)>,
}

/// Everything that was handed out.
#[derive(Debug)]
pub struct Grants {
    clock: SharedClock,
    tables: Mutex<Tables>,
}

impl Grants {
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            tables: Mutex::default(),
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock()
    }

    pub fn begin(&self, ticket: &str, pending: Pending) {
        let now = self.clock.now();
        self.tables()
            .pending
            .insert(ticket, now + LIFETIME, now, pending);
    }

    /// A page can be sent once.
    pub fn take_pending(&self, ticket: &str) -> Option<Pending> {
        self.tables().pending.take(ticket, self.clock.now())
    }

    pub fn grant(&self, code: &str, pending: Pending, person: &'static Person) {
        let now = self.clock.now();
        self.tables()
            .codes
            .insert(code, now + LIFETIME, now, (pending, person));
    }

    /// A code can be used once.
    pub fn take_code(&self, code: &str) -> Option<(Pending, &'static Person)> {
        self.tables().codes.take(code, self.clock.now())
    }

    pub fn remember(&self, token: &str, person: &'static Person, scope: String) {
        let now = self.clock.now();
        self.tables()
            .tokens
            .insert(token, now + TOKEN_LIFETIME, now, (person, scope));
    }

    /// Whose token it is, and its scopes.
    pub fn caller(&self, token: &str) -> Option<(&'static Person, String)> {
        self.tables().tokens.get(token, self.clock.now()).cloned()
    }
}
