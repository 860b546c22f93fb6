//! What waits for somebody: for the person on the page, or for the application with its code.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use crate::{
    protocol::secret::Secret,
    upstream::linear::{
        Inner,
        access::Scopes,
        store::{TokenHash, token_hash},
    },
};

const CODE_LIFE: TimeDelta = TimeDelta::minutes(5);
const REQUEST_LIFE: TimeDelta = TimeDelta::minutes(30);

/// No more requests or codes wait at a time; the oldest go first.
const MOST_PENDING: usize = 1_000;

/// What waits for somebody: for the person on the page, or for the application with its code.
#[derive(Debug, Default)]
pub struct Pending {
    requests: Mutex<HashMap<String, Asked>>,
    codes: Mutex<HashMap<TokenHash, Code>>,
}

/// An authorization request that a person is looking at.
#[derive(Debug, Clone)]
pub struct Asked {
    pub redirect_uri: String,
    pub scopes: Scopes,
    pub state: Option<String>,
    pub challenge: Option<String>,
    pub expires_at: DateTime<Utc>,
}

/// A code that was given out.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub redirect_uri: String,
    pub scopes: Scopes,
    pub challenge: Option<String>,
    pub user_id: String,
    pub grant_id: String,
    expires_at: DateTime<Utc>,
    pub used: Used,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Used {
    Never,
    Once,
}

fn make_room<K: Clone + Eq + std::hash::Hash, V>(
    waiting: &mut HashMap<K, V>,
    now: DateTime<Utc>,
    expires_at: impl Fn(&V) -> DateTime<Utc>,
) {
    waiting.retain(|_, value| expires_at(value) > now);
    while waiting.len() >= MOST_PENDING {
        let oldest = waiting
            .iter()
            .min_by_key(|(_, value)| expires_at(value))
            .map(|(key, _)| key.clone());
        match oldest {
            Some(key) => waiting.remove(&key),
            None => break,
        };
    }
}

impl Inner {
    /// Keeps a request until the person has answered; gives back its name.
    pub(in crate::upstream::linear) fn ask(
        &self,
        redirect_uri: String,
        scopes: Scopes,
        state: Option<String>,
        challenge: Option<String>,
    ) -> String {
        let now = self.clock.now();
        let id = self.ids.token(24);
        let mut requests = self.pending.requests.lock();
        make_room(&mut requests, now, |asked| asked.expires_at);
        requests.insert(
            id.clone(),
            Asked {
                redirect_uri,
                scopes,
                state,
                challenge,
                expires_at: now + REQUEST_LIFE,
            },
        );
        id
    }

    /// Takes a request that was answered; a second answer finds nothing.
    pub(in crate::upstream::linear) fn answered(&self, id: &str) -> Option<Asked> {
        let now = self.clock.now();
        self.pending
            .requests
            .lock()
            .remove(id)
            .filter(|asked| asked.expires_at > now)
    }

    /// Makes a code for what `user_id` agreed to.
    pub(in crate::upstream::linear) fn code(&self, asked: &Asked, user_id: String) -> String {
        let now = self.clock.now();
        let code = self.ids.token(24);
        let mut codes = self.pending.codes.lock();
        make_room(&mut codes, now, |code| code.expires_at);
        codes.insert(
            token_hash(&code),
            Code {
                redirect_uri: asked.redirect_uri.clone(),
                scopes: asked.scopes,
                challenge: asked.challenge.clone(),
                user_id,
                grant_id: self.ids.uuid().to_string(),
                expires_at: now + CODE_LIFE,
                used: Used::Never,
            },
        );
        code
    }

    /// Marks a code as used and tells what it was before.
    pub(super) fn use_code(&self, code: &Secret) -> Option<Code> {
        let now = self.clock.now();
        let mut codes = self.pending.codes.lock();
        let found = codes.get_mut(&token_hash(code.expose()))?;
        let before = found.clone();
        found.used = Used::Once;
        (before.expires_at > now).then_some(before)
    }
}
