//! The zone as a client of other providers: people sign in at one, and lend it their accounts at
//! others. Speaks HTTP to them; what a login means to the zone is decided by the callers.

pub mod forgotten;
pub mod identity;
pub mod refresh;

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use axum::http::header;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::Mutex;
use url::Url;

use super::{
    ZoneState,
    directory::{
        GRANT_ACCESS_TOKEN, GRANT_REFRESH_TOKEN, Grant, PROVIDER_SECRET, Provider, ProviderOAuth,
        Resource, User,
    },
    oauth::error::internal,
    refusal::Refusal,
    vault::Belongs,
};
use crate::{
    protocol::{
        console::LifeStatus,
        oauth::ErrorCode,
        secret::{Secret, hide},
    },
    support::{
        cause::innermost,
        loopback::is_plain_loopback,
        text::{one_line, truncate},
    },
};

/// Longest answer that is read from a provider, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);
/// What is secret of what a token endpoint is sent.
const SECRET_FIELDS: [&str; 3] = ["code", "refresh_token", "client_secret"];

/// The way to providers.
#[derive(Debug, Default)]
pub struct Upstream {
    /// For providers on this computer; made when it is first needed, as is the other.
    near: OnceLock<reqwest::Client>,
    /// For those elsewhere, by way of the proxy that the environment names.
    far: OnceLock<reqwest::Client>,
    /// Held while a token is refreshed: providers rotate refresh tokens too, and take a second use
    /// of one for theft.
    refreshing: Mutex<()>,
}

/// Why a provider gave nothing. Holds no secret; foreign text is made harmless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    #[error("{0} could not be reached")]
    Unreachable(String),
    #[error("{name} refused: {reason}")]
    Refused { name: String, reason: String },
    /// RFC 6749, section 5.2, `invalid_grant`: the code or the refresh token is good for nothing.
    #[error("{name} does not take what the person gave any more: {reason}")]
    Ended { name: String, reason: String },
    #[error("{0} gave an answer that cannot be read")]
    Unreadable(String),
    /// The zone itself could not ask.
    #[error("{}", .0.description)]
    NotAsked(Refusal),
}

impl UpstreamError {
    /// What the client of the zone is told.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        if let Self::NotAsked(refusal) = self {
            return refusal.clone();
        }
        let code = match self {
            Self::Unreachable(_) => ErrorCode::TemporarilyUnavailable,
            Self::Refused { .. } | Self::Ended { .. } => ErrorCode::AccessDenied,
            Self::Unreadable(_) | Self::NotAsked(_) => ErrorCode::ServerError,
        };
        Refusal::new(code, self.to_string())
    }
}

/// What a provider's token endpoint gave.
#[derive(Debug, Clone)]
pub struct UpstreamTokens {
    pub access_token: Secret,
    pub refresh_token: Option<Secret>,
    pub expires_at: Option<DateTime<Utc>>,
    /// As granted, where the provider says.
    pub scopes: Option<Vec<String>>,
}

/// GitHub answers an error with status 200, so the body alone says what it is.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    expires_in: Option<i64>,
    scope: Option<ScopeAnswer>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Linear has answered with both.
#[derive(Deserialize)]
#[serde(untagged)]
enum ScopeAnswer {
    Text(String),
    List(Vec<String>),
}

impl Upstream {
    fn client(&self, name: &str, url: &str) -> Result<&reqwest::Client, UpstreamError> {
        let is_near = Url::parse(url).is_ok_and(|url| is_plain_loopback(&url));
        let place = if is_near { &self.near } else { &self.far };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("hoptrail-zone/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            // A redirected token request would carry the client secret to somebody else.
            .redirect(reqwest::redirect::Policy::none());
        if is_near {
            // A proxy would read the client secret on its way back to this computer.
            builder = builder.no_proxy();
        }
        let made = builder.build().map_err(|error| unreachable(name, &error))?;
        Ok(place.get_or_init(|| made))
    }

    async fn answer<T: DeserializeOwned>(
        name: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<(bool, T), UpstreamError> {
        let unreachable = |error: reqwest::Error| unreachable(name, &error.without_url());
        let mut response = request
            .header(header::ACCEPT, "application/json")
            .send()
            .await
            .map_err(unreachable)?;
        let fine = response.status().is_success();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(UpstreamError::Unreadable(name.to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let read = serde_json::from_slice(&body);
        zeroize::Zeroize::zeroize(&mut body);
        read.map(|answer| (fine, answer))
            .map_err(|_| UpstreamError::Unreadable(name.to_owned()))
    }

    async fn tokens(
        &self,
        name: &str,
        endpoint: &str,
        form: &[(&str, &str)],
        now: DateTime<Utc>,
    ) -> Result<UpstreamTokens, UpstreamError> {
        let request = self.client(name, endpoint)?.post(endpoint).form(form);
        let (fine, answer): (_, TokenAnswer) = Self::answer(name, request).await?;
        match answer {
            TokenAnswer {
                access_token: Some(access_token),
                error: None,
                ..
            } if fine && !access_token.expose().is_empty() => Ok(UpstreamTokens {
                access_token,
                refresh_token: answer.refresh_token,
                expires_at: answer
                    .expires_in
                    .filter(|seconds| *seconds > 0)
                    .and_then(TimeDelta::try_seconds)
                    // What ends beyond all dates ends as little as what no end is told of.
                    .and_then(|lifetime| now.checked_add_signed(lifetime)),
                scopes: answer.scope.map(|scope| match scope {
                    ScopeAnswer::List(list) => list,
                    ScopeAnswer::Text(text) => text
                        .split([' ', ','])
                        .filter(|scope| !scope.is_empty())
                        .map(str::to_owned)
                        .collect(),
                }),
            }),
            TokenAnswer {
                error: Some(error),
                error_description,
                ..
            } => {
                // It may repeat what it was sent, and its words go into the log.
                let said = form
                    .iter()
                    .filter(|(name, _)| SECRET_FIELDS.contains(name))
                    .fold(
                        error_description.unwrap_or_else(|| error.clone()),
                        |said, (_, secret)| hide(&said, secret),
                    );
                Err(match refused(name, &said) {
                    UpstreamError::Refused { name, reason } if error == "invalid_grant" => {
                        UpstreamError::Ended { name, reason }
                    }
                    other => other,
                })
            }
            TokenAnswer { .. } => Err(UpstreamError::Unreadable(name.to_owned())),
        }
    }
}

/// What the client is told is short; why is in the log.
fn unreachable(name: &str, error: &reqwest::Error) -> UpstreamError {
    tracing::warn!(
        provider = name,
        why = innermost(error),
        "a provider gave no answer"
    );
    UpstreamError::Unreachable(name.to_owned())
}

fn refused(name: &str, reason: &str) -> UpstreamError {
    UpstreamError::Refused {
        name: name.to_owned(),
        reason: truncate(&one_line(reason), 200).into_owned(),
    }
}

/// The URL at which `user` lends the zone their account for `resource`.
#[must_use]
pub fn provider_url(
    oauth: &ProviderOAuth,
    resource: &Resource,
    user: &User,
    redirect_uri: &str,
    state: &Secret,
) -> String {
    let scope = resource.scopes.join(&oauth.scope_separator);
    let parameters = oauth
        .authorization_parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    with_query(
        &oauth.authorization_endpoint,
        [
            ("client_id", oauth.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("scope", scope.as_str()),
            ("state", state.expose()),
            // OpenID Connect Core, section 3.1.2.1: whose account it is likely to be. Without it a
            // provider would propose whoever used it last.
            ("login_hint", user.email.as_str()),
        ]
        .into_iter()
        .chain(parameters),
    )
}

/// Redeems the code that a resource's provider gave.
///
/// # Errors
/// If the provider cannot be reached, refuses, or says what cannot be read.
pub async fn redeem(
    state: &ZoneState,
    provider: &Provider,
    redirect_uri: &str,
    code: &Secret,
) -> Result<UpstreamTokens, Refusal> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.expose().as_str()),
        ("redirect_uri", redirect_uri),
    ];
    ask(state, provider, &form)
        .await
        .map_err(|error| error.refusal())
}

/// The grant of `user_id` for `resource`, with the tokens sealed into it. Keeps the id of the one it
/// replaces.
#[must_use]
pub fn sealed_grant(
    state: &ZoneState,
    user_id: &str,
    resource: &Resource,
    before: Option<&Grant>,
    tokens: &UpstreamTokens,
) -> Grant {
    let id = before.map_or_else(|| state.config.ids.short(), |grant| grant.id.clone());
    let seal = |token: &Secret, to| state.vault.seal(token, Belongs { to, id: &id });
    Grant {
        user_id: user_id.to_owned(),
        resource_id: resource.id.clone(),
        provider_id: resource.credential_provider_id.clone(),
        scopes: tokens
            .scopes
            .clone()
            .unwrap_or_else(|| resource.scopes.clone()),
        status: LifeStatus::Active,
        created_at: before
            .filter(|grant| grant.status == LifeStatus::Active)
            .map_or_else(|| state.config.clock.now(), |grant| grant.created_at),
        access_token: Some(seal(&tokens.access_token, GRANT_ACCESS_TOKEN)),
        refresh_token: tokens
            .refresh_token
            .as_ref()
            .map(|token| seal(token, GRANT_REFRESH_TOKEN)),
        expires_at: tokens.expires_at,
        id,
    }
}

async fn ask(
    state: &ZoneState,
    provider: &Provider,
    form: &[(&str, &str)],
) -> Result<UpstreamTokens, UpstreamError> {
    let Some(oauth) = &provider.oauth else {
        return Err(UpstreamError::NotAsked(Refusal::new(
            ErrorCode::ServerError,
            format!("The provider {} has no OAuth client", provider.name),
        )));
    };
    let secret = oauth
        .client_secret
        .as_ref()
        .map(|sealed| {
            let belongs = Belongs {
                to: PROVIDER_SECRET,
                id: &provider.id,
            };
            state.vault.unseal(sealed, belongs)
        })
        .transpose()
        .map_err(|failure| UpstreamError::NotAsked(internal(&failure)))?;
    let mut form = form.to_vec();
    form.push(("client_id", &oauth.client_id));
    if let Some(secret) = &secret {
        form.push(("client_secret", secret.expose()));
    }
    state
        .upstream
        .tokens(
            &provider.name,
            &oauth.token_endpoint,
            &form,
            state.config.clock.now(),
        )
        .await
}

/// `base` with parameters appended; later ones replace earlier ones of the same name.
fn with_query<'a>(base: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ordered: Vec<(&str, &str)> = Vec::new();
    for (name, value) in parameters {
        if let Some(&at) = seen.get(name) {
            ordered[at].1 = value;
        } else {
            seen.insert(name, ordered.len());
            ordered.push((name, value));
        }
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(ordered);
    let separator = if base.contains('?') { '&' } else { '?' };
    format!("{base}{separator}{}", query.finish())
}
