//! The zone's metadata (RFC 8414): where its keys and its token endpoint are.
//!
//! One cache serves the bearer check, the exchange and whoever asks the server for the document. A
//! failure is told to those who waited for it and not kept: a zone that was down when the server
//! started is found as soon as it is up.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::{RwLock, RwLockReadGuard};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::{
    http::{Http, SMALL_BODY, send},
    settings::Address,
};
use crate::{
    protocol::oauth::WELL_KNOWN_AUTHORIZATION_SERVER,
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
        loopback::is_loopback,
        text::one_line,
    },
};

/// How long a document is good for.
const FRESH: TimeDelta = TimeDelta::hours(1);
const LIMIT: Duration = Duration::from_secs(10);

pub(super) struct Discovery {
    http: Http,
    issuer: Address,
    clock: SharedClock,
    known: RwLock<Known>,
    fetching: Mutex<()>,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, DateTime<Utc>)>,
    /// How often the zone was asked.
    attempts: u64,
    /// How the last attempt failed, if it did.
    failure: Option<Failure>,
}

/// What the server needs of the document; the rest is the client's business.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    #[serde(default)]
    token_endpoint: Option<String>,
    #[serde(default)]
    jwks_uri: Option<String>,
}

#[derive(Debug)]
pub(super) struct Metadata {
    /// All of it, as the zone tells it.
    pub document: Value,
    token_endpoint: Option<Url>,
    jwks_uri: Option<Url>,
    issuer: String,
}

impl Metadata {
    /// Where tokens are exchanged.
    pub fn token_endpoint(&self) -> Result<&Url, Failure> {
        self.token_endpoint
            .as_ref()
            .ok_or_else(|| self.missing("token_endpoint"))
    }

    /// Where the keys are that tokens are signed with.
    pub fn jwks_uri(&self) -> Result<&Url, Failure> {
        self.jwks_uri
            .as_ref()
            .ok_or_else(|| self.missing("jwks_uri"))
    }

    fn missing(&self, member: &str) -> Failure {
        failure(
            format!("its metadata has no {member}"),
            format!("check that {} is a zone's issuer", self.issuer),
        )
    }
}

fn failure(why: String, next: impl Into<String>) -> Failure {
    Failure::new(Exit::Unreachable, "The zone could not be used", why, next)
}

impl Discovery {
    pub fn new(http: Http, issuer: Address, clock: SharedClock) -> Self {
        Self {
            http,
            issuer,
            clock,
            known: RwLock::default(),
            fetching: Mutex::new(()),
        }
    }

    /// The zone's metadata, from the cache if it is not older than an hour.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, Failure> {
        if let Some(known) = self.cached() {
            return Ok(known);
        }
        let before = self.known().attempts;
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(known) = self.cached() {
            return Ok(known);
        }
        if let Some(failure) = self.failed_since(before) {
            return Err(failure);
        }
        let fetched = self.fetch().await.map(Arc::new);
        let mut known = self.known.write();
        known.attempts += 1;
        known.failure = fetched.as_ref().err().cloned();
        if let Ok(metadata) = &fetched {
            known.metadata = Some((Arc::clone(metadata), self.clock.now()));
        }
        fetched
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read()
    }

    fn cached(&self) -> Option<Arc<Metadata>> {
        let known = self.known();
        let (metadata, since) = known.metadata.as_ref()?;
        (self.clock.now() - since < FRESH).then(|| Arc::clone(metadata))
    }

    /// How the zone failed while somebody waited for their turn to ask it: each of them would wait as
    /// long for the same.
    fn failed_since(&self, attempts: u64) -> Option<Failure> {
        let known = self.known();
        (known.attempts > attempts).then(|| known.failure.clone())?
    }

    async fn fetch(&self) -> Result<Metadata, Failure> {
        let url = inserted(&self.issuer.url);
        let next = "check KEYCARD_URL, and that the zone is up";
        let answer = send(self.http.get(url.as_str()), LIMIT, SMALL_BODY)
            .await
            .map_err(|trouble| failure(format!("{url}: {trouble}"), next))?;
        if !answer.status.is_success() {
            let why = format!("{url} answered {}: {}", answer.status, answer.quote());
            return Err(failure(why, next));
        }
        let none = |_| {
            failure(
                format!("{url} answered no metadata: {}", answer.quote()),
                next,
            )
        };
        let told: Value = answer.json().map_err(none)?;
        let document = Document::deserialize(&told).map_err(none)?;
        // RFC 8414, section 3.3: the issuer must be the one that was asked. One trailing slash is
        // forgiven, since Keycard's own SDK forgives it.
        let issuer = document
            .issuer
            .strip_suffix('/')
            .unwrap_or(&document.issuer);
        if issuer != self.issuer.text {
            let why = format!(
                "its metadata names another issuer, {}",
                one_line(&document.issuer)
            );
            return Err(failure(
                why,
                format!(
                    "set KEYCARD_URL to the zone's issuer; it is {} now",
                    self.issuer.text
                ),
            ));
        }
        Ok(Metadata {
            token_endpoint: self.endpoint("token_endpoint", document.token_endpoint)?,
            jwks_uri: self.endpoint("jwks_uri", document.jwks_uri)?,
            issuer: self.issuer.text.clone(),
            document: told,
        })
    }

    /// An endpoint must be on the issuer's own origin: the one gets the client secret, the other
    /// decides whose signatures count.
    fn endpoint(&self, member: &str, text: Option<String>) -> Result<Option<Url>, Failure> {
        let Some(text) = text else { return Ok(None) };
        let refuse = |why: &str| {
            failure(
                format!("its {member} {} {why}", one_line(&text)),
                "ask who runs the zone: its metadata is not to be trusted",
            )
        };
        let url = Url::parse(&text).map_err(|_| refuse("is no URL"))?;
        if url.origin() != self.issuer.url.origin() {
            return Err(refuse("is on another origin than the issuer"));
        }
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(refuse("is neither https nor on this computer"));
        }
        Ok(Some(url))
    }
}

/// RFC 8414, section 3.1: the well-known part goes between host and path.
fn inserted(issuer: &Url) -> Url {
    let path = issuer.path().trim_end_matches('/');
    let mut url = issuer.clone();
    url.set_path(&format!("{WELL_KNOWN_AUTHORIZATION_SERVER}{path}"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_before_the_issuers_path() {
        let url = |text: &str| inserted(&Url::parse(text).unwrap()).to_string();
        assert_eq!(
            url("https://z.example"),
            "https://z.example/.well-known/oauth-authorization-server"
        );
        assert_eq!(
            url("https://z.example/zones/1"),
            "https://z.example/.well-known/oauth-authorization-server/zones/1"
        );
    }
}
