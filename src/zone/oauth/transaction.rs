//! A sign-in on its way through the browser: what is kept of it, and to which browser it belongs.
//!
//! The handle travels in URLs, so it alone opens nothing: every step also needs the cookie of the
//! browser in which the sign-in began. A callback that is lured into another browser finds nothing.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::error::internal;
use crate::{
    protocol::{
        console::{LifeStatus, Session},
        oauth::ErrorCode,
        secret::Secret,
    },
    support::{
        digest::sha256,
        error::{Exit, Failure},
    },
    zone::{
        ZoneState,
        directory::{Change, Directory, Kind, Object, SignIn, Stored as _, User},
        refusal::Refusal,
        vault::{Belongs, Sealed, SecretHash, Vault},
    },
};

/// How long a person may take to sign in.
pub(super) const TRANSACTION_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How long the zone remembers who sits at a browser. Keycard's is not known; this is ours.
pub(super) const WEB_SESSION_LIFETIME: TimeDelta = TimeDelta::hours(12);

/// What the `data` of a [`SignIn`] row is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum SignInData {
    /// By the hash of the transaction's handle.
    Transaction(Transaction),
    /// Who is signed in at a browser, by the hash of its session cookie.
    Browser { session_id: String },
    /// That a person agreed to a client before, by the hash of [`consent_key`], and to which scopes.
    /// A row from before they were kept names none and stands for nothing: the person is asked.
    RememberedConsent {
        #[serde(default)]
        scopes: Option<Vec<String>>,
    },
}

/// An authorization request between `/authorize` and its answer. All of it was validated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transaction {
    /// The browser that began it.
    pub browser: SecretHash,
    pub client_id: String,
    pub redirect_uri: String,
    /// The client's own `state`, given back as it came. Sealed: it is what protects the client
    /// from answers that it did not ask for.
    pub state: Option<Sealed>,
    pub resource_id: String,
    pub scopes: Vec<String>,
    pub code_challenge: String,
    pub nonce: Option<String>,
    /// The client asked to see the consent page again.
    pub prompt_consent: bool,
    /// The dependencies that the consent page listed when the person agreed to it.
    pub agreed: Option<Vec<String>>,
    /// The dependencies whose provider lent the person's account in this sign-in. One that gave
    /// less than it was asked for is not asked again at once.
    #[serde(default)]
    pub visited: Vec<String>,
    pub stage: Stage,
}

/// Where the person is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(super) enum Stage {
    /// Before the sign-in page.
    SignIn,
    /// At the identity provider, which brings the nonce back.
    IdentityProvider { nonce: SecretHash },
    /// Before the consent page, signed in.
    Consent { session_id: String },
    /// At the provider of a resource, which brings the nonce back.
    Provider {
        session_id: String,
        resource_id: String,
        /// The resource may get another provider meanwhile, and then the answer is not for that one.
        provider_id: String,
        nonce: SecretHash,
    },
}

/// A transaction as it was loaded, with what is needed to move it on.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub handle: Secret,
    pub transaction: Transaction,
    /// The transaction's own, open.
    pub state: Option<Secret>,
    row: Arc<SignIn>,
}

/// The names of this zone's cookies. Cookies ignore ports, so the port is in the name: two zones on
/// one computer must not sign each other's people out.
#[derive(Debug, Clone)]
pub(super) struct Cookies {
    browser: String,
    session: String,
    attributes: &'static str,
}

impl Cookies {
    pub fn of(issuer: &str) -> Self {
        let port = url::Url::parse(issuer)
            .ok()
            .and_then(|url| url.port_or_known_default())
            .unwrap_or_default();
        Self {
            browser: format!("hoptrail_browser_{port}"),
            session: format!("hoptrail_session_{port}"),
            // `Lax`, not `Strict`: the way back from an identity provider is a cross-site navigation.
            attributes: if issuer.starts_with("https:") {
                "; Path=/; HttpOnly; SameSite=Lax; Secure"
            } else {
                "; Path=/; HttpOnly; SameSite=Lax"
            },
        }
    }

    pub fn browser(&self, headers: &HeaderMap) -> Option<Secret> {
        cookie(headers, &self.browser)
    }

    pub fn session(&self, headers: &HeaderMap) -> Option<Secret> {
        cookie(headers, &self.session)
    }

    pub fn set_browser(&self, value: &Secret) -> HeaderValue {
        self.set(&self.browser, value)
    }

    pub fn set_session(&self, value: &Secret) -> HeaderValue {
        self.set(&self.session, value)
    }

    fn set(&self, name: &str, value: &Secret) -> HeaderValue {
        let text = format!("{name}={}{}", value.expose(), self.attributes);
        let mut header =
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && (16..=128).contains(&value.len()))
        .map(|(_, value)| Secret::from(value))
}

impl Loaded {
    /// The transaction of `handle`, if it is not over and `browser` began it.
    pub fn find(
        vault: &Vault,
        directory: &Directory,
        now: DateTime<Utc>,
        handle: &str,
        browser: Option<&Secret>,
    ) -> Result<Self, Refusal> {
        let over = || {
            Refusal::new(
                ErrorCode::InvalidRequest,
                "This sign-in is over, or it was begun in another browser",
            )
        };
        let handle = Secret::from(handle);
        let row = directory
            .sign_ins
            .get(SecretHash::of(&handle).as_str())
            .filter(|row| row.expires_at > now)
            .ok_or_else(over)?;
        let Some(SignInData::Transaction(transaction)) = data(row) else {
            return Err(over());
        };
        if !browser.is_some_and(|browser| transaction.browser.matches(browser)) {
            return Err(over());
        }
        let id = row.id.as_str();
        let unseal = |sealed| vault.unseal(sealed, state_of(id)).map_err(|_| over());
        Ok(Self {
            state: transaction.state.as_ref().map(unseal).transpose()?,
            handle,
            transaction,
            row: row.clone(),
        })
    }

    /// The row as it was read: in [`super::super::store::Commit::unchanged`] it makes a step happen once.
    pub fn as_read(&self) -> Object {
        self.row.clone().wrap()
    }

    /// Whether the transaction stands in `directory` as it was read.
    pub fn stands(&self, directory: &Directory) -> bool {
        directory.holds(&self.as_read())
    }

    /// The change that moves the transaction to `stage`.
    pub fn moved(&self, stage: Stage) -> Result<Change, Refusal> {
        let mut next = self.transaction.clone();
        match stage {
            // Whoever signs in next may be somebody else, who agreed to nothing.
            Stage::SignIn | Stage::IdentityProvider { .. } => {
                next.agreed = None;
                next.visited.clear();
            }
            Stage::Consent { .. } | Stage::Provider { .. } => {}
        }
        next.stage = stage;
        self.changed(next)
    }

    /// The change that replaces what is kept of the transaction.
    pub fn changed(&self, transaction: Transaction) -> Result<Change, Refusal> {
        Ok(Change::put(SignIn {
            id: self.row.id.clone(),
            expires_at: self.row.expires_at,
            data: to_data(&SignInData::Transaction(transaction))?,
        }))
    }

    /// The change that ends the transaction.
    pub fn ended(&self) -> Change {
        Change::Delete(Kind::SignIn, self.row.id.as_str().to_owned())
    }

    /// The token that proves that a form was rendered for this browser and this sign-in. Nothing
    /// of it is stored: both halves come with the request.
    pub fn csrf(&self, browser: &Secret) -> String {
        let text = format!("csrf {} {}", self.handle.expose(), browser.expose());
        URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()))
    }
}

/// What a transaction's sealed `state` belongs to, by the row's id.
const fn state_of(id: &str) -> Belongs<'_> {
    Belongs {
        to: "sign_ins.state",
        id,
    }
}

/// A client's `state` as a transaction keeps it.
pub(super) fn sealed_state(vault: &Vault, handle: &Secret, state: &str) -> Sealed {
    let id = SecretHash::of(handle);
    vault.seal(&Secret::from(state), state_of(id.as_str()))
}

/// A new transaction's row.
pub(super) fn row(
    handle: &Secret,
    now: DateTime<Utc>,
    transaction: Transaction,
) -> Result<Change, Refusal> {
    Ok(Change::put(SignIn {
        id: SecretHash::of(handle),
        expires_at: now + TRANSACTION_LIFETIME,
        data: to_data(&SignInData::Transaction(transaction))?,
    }))
}

/// The row that says who sits at a browser.
pub(super) fn browser_row(cookie: &Secret, session: &Session) -> Result<Change, Refusal> {
    Ok(Change::put(SignIn {
        id: SecretHash::of(cookie),
        expires_at: session.expires_at,
        data: to_data(&SignInData::Browser {
            session_id: session.id.clone(),
        })?,
    }))
}

/// Who sits at this browser, if anybody does.
pub(super) fn signed_in(
    directory: &Directory,
    now: DateTime<Utc>,
    cookie: Option<&Secret>,
) -> Option<(Arc<Session>, Arc<User>)> {
    let row = directory
        .sign_ins
        .get(SecretHash::of(cookie?).as_str())
        .filter(|row| row.expires_at > now)?;
    match data(row)? {
        SignInData::Browser { session_id } => active_session(directory, now, &session_id),
        SignInData::Transaction(_) | SignInData::RememberedConsent { .. } => None,
    }
}

/// A session that still holds, with its person.
pub(super) fn active_session(
    directory: &Directory,
    now: DateTime<Utc>,
    session_id: &str,
) -> Option<(Arc<Session>, Arc<User>)> {
    let session = directory
        .sessions
        .get(session_id)
        .filter(|session| session.status == LifeStatus::Active && session.expires_at > now)?;
    let user = directory.users.get(session.user_id.as_deref()?)?;
    Some((session.clone(), user.clone()))
}

/// Names the consent of a person to a client and a resource.
pub(super) fn consent_key(user_id: &str, client_id: &str, resource_id: &str) -> SecretHash {
    SecretHash::of(&Secret::new(format!(
        "consent {user_id} {client_id} {resource_id}"
    )))
}

/// The scopes of that consent, if it is remembered.
pub(super) fn remembered_scopes(
    directory: &Directory,
    now: DateTime<Utc>,
    key: &SecretHash,
) -> Option<Vec<String>> {
    let row = directory
        .sign_ins
        .get(key.as_str())
        .filter(|row| row.expires_at > now)?;
    match data(row)? {
        SignInData::RememberedConsent { scopes } => scopes,
        SignInData::Transaction(_) | SignInData::Browser { .. } => None,
    }
}

/// The row that remembers a consent to `scopes`.
pub(super) fn remembered_consent(
    key: SecretHash,
    scopes: Vec<String>,
    expires_at: DateTime<Utc>,
) -> Result<Change, Refusal> {
    Ok(Change::put(SignIn {
        id: key,
        expires_at,
        data: to_data(&SignInData::RememberedConsent {
            scopes: Some(scopes),
        })?,
    }))
}

fn data(row: &SignIn) -> Option<SignInData> {
    SignInData::deserialize(&row.data).ok()
}

fn to_data(data: &SignInData) -> Result<serde_json::Value, Refusal> {
    serde_json::to_value(data).map_err(|error| {
        internal(&Failure::new(
            Exit::Failed,
            "A sign-in could not be stored",
            error.to_string(),
            "report this",
        ))
    })
}

/// An unguessable value of 256 bits.
pub(super) fn fresh_secret(state: &ZoneState) -> Secret {
    Secret::new(state.config.ids.token(32))
}
