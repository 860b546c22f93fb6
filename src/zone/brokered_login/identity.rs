//! Who signs in, as the zone's identity provider tells.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Upstream, UpstreamError, refused, with_query};
use crate::{
    protocol::secret::Secret,
    support::text::{one_line, truncate},
    zone::IdentityProvider,
};

/// What is asked of GitHub: to read who the person is, no more.
const IDENTITY_SCOPES: &str = "read:user user:email";

/// Who signed in, as the identity provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The provider's id of the person.
    pub subject: String,
    pub email: String,
    pub name: String,
}

#[derive(Deserialize)]
struct UserAnswer {
    id: serde_json::Value,
    login: String,
    name: Option<String>,
    email: Option<String>,
}

/// The URL at which a person signs in.
#[must_use]
pub fn identity_url(provider: &IdentityProvider, redirect_uri: &str, state: &Secret) -> String {
    with_query(
        &provider.authorize_url,
        [
            ("client_id", provider.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("response_type", "code"),
            ("scope", IDENTITY_SCOPES),
            ("state", state.expose()),
        ],
    )
}

/// Redeems the code that the identity provider gave, and asks who it is.
///
/// # Errors
/// If the provider cannot be reached, refuses, or says what cannot be read.
pub async fn identify(
    upstream: &Upstream,
    provider: &IdentityProvider,
    redirect_uri: &str,
    code: &Secret,
    now: DateTime<Utc>,
) -> Result<Profile, UpstreamError> {
    let name = &provider.name;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", redirect_uri),
        ("client_id", provider.client_id.as_str()),
        ("client_secret", provider.client_secret.expose()),
    ];
    let tokens = upstream
        .tokens(name, &provider.token_url, &form, now)
        .await?;
    let request = upstream
        .client(name, &provider.user_url)?
        .get(&provider.user_url)
        .headers(bearer(&tokens.access_token, name)?);
    let (fine, user): (_, serde_json::Value) = Upstream::answer(name, request).await?;
    if !fine {
        return Err(refused(name, "it did not say who signed in"));
    }
    let user: UserAnswer =
        serde_json::from_value(user).map_err(|_| UpstreamError::Unreadable(name.to_owned()))?;
    let subject = match user.id {
        serde_json::Value::String(id) => id,
        serde_json::Value::Number(id) => id.to_string(),
        _ => return Err(UpstreamError::Unreadable(name.to_owned())),
    };
    let text = |text: Option<String>| {
        text.map(|text| truncate(one_line(&text).trim(), 200).into_owned())
            .filter(|text| !text.is_empty())
    };
    let login = text(Some(user.login)).unwrap_or_else(|| subject.clone());
    let email = match (text(user.email), &provider.emails_url) {
        (None, Some(url)) => text(hidden_email(upstream, name, url, &tokens.access_token).await?),
        (email, _) => email,
    };
    Ok(Profile {
        subject,
        email: email.unwrap_or_else(|| login.clone()),
        name: text(user.name).unwrap_or(login),
    })
}

#[derive(Deserialize)]
struct EmailAnswer {
    email: String,
    primary: bool,
    verified: bool,
}

/// The primary address, which GitHub leaves out of the profile of a person who hides it. Only a
/// verified one counts: anybody can claim any other.
async fn hidden_email(
    upstream: &Upstream,
    name: &str,
    url: &str,
    token: &Secret,
) -> Result<Option<String>, UpstreamError> {
    let request = upstream
        .client(name, url)?
        .get(url)
        .headers(bearer(token, name)?);
    let (fine, emails): (_, serde_json::Value) = Upstream::answer(name, request).await?;
    if !fine {
        return Ok(None);
    }
    let emails: Vec<EmailAnswer> =
        serde_json::from_value(emails).map_err(|_| UpstreamError::Unreadable(name.to_owned()))?;
    Ok(emails
        .into_iter()
        .find(|email| email.primary && email.verified)
        .map(|email| email.email))
}

fn bearer(token: &Secret, name: &str) -> Result<HeaderMap, UpstreamError> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
        .map_err(|_| UpstreamError::Unreadable(name.to_owned()))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
}
