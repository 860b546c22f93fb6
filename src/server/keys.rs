//! The zone's signing keys (RFC 7517), as far as a token's check needs them.
//!
//! Only RS256 keys count; other kinds in the set are passed over. Must not let a stranger make the
//! zone work: unknown key ids lead to one refetch in ten seconds, not one for each token.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::RwLock;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    discovery::Discovery,
    http::{Http, SMALL_BODY, send},
};
use crate::support::{
    clock::SharedClock,
    error::{Exit, Failure},
};

/// How long a key is believed before the zone is asked again; as long may a withdrawn key count.
const FRESH: TimeDelta = TimeDelta::minutes(5);
/// How soon after a fetch that did not find its key an unknown key id may cause another. A fetch that
/// found its key begins no pause, so that a new key counts at once. Ours.
const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// How long a failed fetch answers for those who come after: while the zone hangs, the callers that
/// wait in line must not each wait their own ten seconds. Ours.
const FAILED: TimeDelta = TimeDelta::seconds(1);
const LIMIT: Duration = Duration::from_secs(10);
/// A set larger than this is cut, as Keycard's own SDK cuts its cache.
const MOST: usize = 256;

pub(super) struct Keys {
    http: Http,
    discovery: Arc<Discovery>,
    clock: SharedClock,
    known: RwLock<Known>,
    fetching: Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<ParsedPublicKey>>,
    fetched: Option<DateTime<Utc>>,
    /// When a fetch did not find the key that it was made for.
    missed: Option<DateTime<Utc>>,
    failed: Option<(Failure, DateTime<Utc>)>,
}

/// Why there is no key.
pub(super) enum NoKey {
    /// The zone has no such key.
    Unknown,
    /// The zone could not be asked.
    Unavailable(Failure),
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
}

impl Jwk {
    fn verifies_rs256(&self) -> bool {
        self.kty == "RSA"
            && self.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && self
                .purpose
                .as_deref()
                .is_none_or(|purpose| purpose == "sig")
    }

    fn parse(&self) -> Option<ParsedPublicKey> {
        let part = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        PublicKeyComponents {
            n: part(&self.n)?,
            e: part(&self.e)?,
        }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .ok()
    }
}

impl Keys {
    pub fn new(http: Http, discovery: Arc<Discovery>, clock: SharedClock) -> Self {
        Self {
            http,
            discovery,
            clock,
            known: RwLock::default(),
            fetching: Mutex::new(()),
        }
    }

    /// The key named `kid`.
    pub async fn get(&self, kid: &str) -> Result<Arc<ParsedPublicKey>, NoKey> {
        if let Some(settled) = self.settled(kid) {
            return settled;
        }
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(settled) = self.settled(kid) {
            return settled;
        }
        let fetched = self.fetch().await;
        let now = self.clock.now();
        let mut known = self.known.write();
        match fetched {
            Ok(keys) => {
                let found = keys.get(kid).cloned();
                known.keys = keys;
                known.fetched = Some(now);
                known.failed = None;
                if found.is_none() {
                    known.missed = Some(now);
                }
                found.ok_or(NoKey::Unknown)
            }
            Err(failure) => {
                known.failed = Some((failure.clone(), now));
                Err(NoKey::Unavailable(failure))
            }
        }
    }

    /// The answer, if it needs no request: a fresh key, or a stranger so soon after another that
    /// asking again would only be work for the zone, or a failure of just now.
    fn settled(&self, kid: &str) -> Option<Result<Arc<ParsedPublicKey>, NoKey>> {
        let known = self.known.read();
        let now = self.clock.now();
        let within = |since: Option<DateTime<Utc>>, limit| since.is_some_and(|t| now - t < limit);
        match known.keys.get(kid) {
            Some(key) if within(known.fetched, FRESH) => return Some(Ok(Arc::clone(key))),
            None if within(known.missed, PAUSE) => return Some(Err(NoKey::Unknown)),
            Some(_) | None => {}
        }
        let (failure, since) = known.failed.as_ref()?;
        (now - *since < FAILED).then(|| Err(NoKey::Unavailable(failure.clone())))
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<ParsedPublicKey>>, Failure> {
        let metadata = self.discovery.metadata().await?;
        let url = metadata.jwks_uri()?;
        let fail = |why: String| {
            Failure::new(
                Exit::Unreachable,
                "The zone's keys could not be had",
                format!("{url}: {why}"),
                "check that the zone is up",
            )
        };
        let answer = send(self.http.get(url.as_str()), LIMIT, SMALL_BODY)
            .await
            .map_err(|trouble| fail(trouble.to_string()))?;
        if !answer.status.is_success() {
            return Err(fail(format!("{}: {}", answer.status, answer.quote())));
        }
        let set: KeySet = answer
            .json()
            .map_err(|_| fail(format!("that is no key set: {}", answer.quote())))?;
        Ok(set
            .keys
            .into_iter()
            .take(MOST)
            // A kind of key that we do not know must not spoil the others (RFC 7517, section 5).
            .filter_map(|value| serde_json::from_value::<Jwk>(value).ok())
            .filter(Jwk::verifies_rs256)
            .filter_map(|jwk| Some((jwk.kid.clone(), Arc::new(jwk.parse()?))))
            .collect())
    }
}
