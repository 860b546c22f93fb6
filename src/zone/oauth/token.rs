//! The token endpoint (RFC 6749, section 3.2): who asks, and by which grant.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{Front, error::NO_STORE, form::Params, is_form, issue};
use crate::{
    protocol::{
        oauth::{ClientCredential, ErrorCode, GRANT_TOKEN_EXCHANGE},
        secret::Secret,
        traceparent::{TRACEPARENT, TraceParent},
    },
    support::clock::Stopwatch,
    zone::{
        brokered_login,
        client_auth::ClientAuth,
        directory::{ApplicationCredential, CredentialKind, Directory, UserAgent},
        exchange::{ExchangeRequest, exchange},
        gate,
        refusal::Refusal,
    },
};

/// A client that showed who it is.
#[derive(Debug, Clone)]
pub(super) enum Client {
    /// An application, by one of its credentials.
    Application(Arc<ApplicationCredential>),
    /// A client that registered itself.
    UserAgent(Arc<UserAgent>),
}

/// What came with a request beside its parameters.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub request_id: String,
    pub trace_parent: Option<TraceParent>,
    pub started: Stopwatch,
}

/// What a grant gives.
#[derive(Debug)]
pub(super) struct Tokens {
    pub access_token: Secret,
    pub refresh_token: Option<Secret>,
    /// Seconds.
    pub expires_in: Option<u64>,
    pub scope: Option<String>,
    pub issued_token_type: Option<&'static str>,
}

/// RFC 6749, section 5.1; RFC 8693, section 2.2.1.
#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

impl IntoResponse for Tokens {
    fn into_response(self) -> Response {
        let answer = Answer {
            access_token: self.access_token.expose(),
            token_type: "Bearer",
            expires_in: self.expires_in,
            refresh_token: self
                .refresh_token
                .as_ref()
                .map(|token| token.expose().as_str()),
            scope: self.scope.as_deref(),
            issued_token_type: self.issued_token_type,
        };
        (NO_STORE, Json(answer)).into_response()
    }
}

/// `POST /oauth/2/token`
pub(super) async fn token(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Tokens, Refusal> {
    let body = body?;
    let asked = Asked {
        request_id: front.zone.config.ids.short(),
        trace_parent: headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok()),
        started: Stopwatch::start(),
    };
    if !is_form(&headers) {
        return Err(Refusal::new(
            ErrorCode::InvalidRequest,
            "The body must be application/x-www-form-urlencoded",
        ));
    }
    let form = Params::parse(&body);
    let client = authenticate(&front.zone.directory(), &headers, &form)?;
    match (form.required("grant_type")?, &client) {
        ("authorization_code", Client::UserAgent(agent)) => {
            issue::authorization_code(&front, agent, &form, &asked).await
        }
        ("refresh_token", Client::UserAgent(agent)) => {
            issue::refresh_token(&front, agent, &form, &asked).await
        }
        ("client_credentials", Client::Application(credential)) => {
            confidential(credential)?;
            issue::application::client_credentials(&front, credential, &form, &asked).await
        }
        (GRANT_TOKEN_EXCHANGE, Client::Application(credential)) => {
            token_exchange(&front, credential, &form, asked).await
        }
        ("authorization_code" | "refresh_token", Client::Application(_))
        | ("client_credentials" | GRANT_TOKEN_EXCHANGE, Client::UserAgent(_)) => Err(Refusal::new(
            ErrorCode::UnauthorizedClient,
            "This kind of client may not use this grant",
        )),
        _ => Err(Refusal::new(
            ErrorCode::UnsupportedGrantType,
            "The zone does not know this grant",
        )),
    }
}

/// Finds the client that a request proves to come from. Whether the name or the secret was wrong is
/// not told apart.
fn authenticate(
    directory: &Directory,
    headers: &HeaderMap,
    form: &Params,
) -> Result<Client, Refusal> {
    let presented = ClientAuth::read(headers, form)
        .map_err(|error| Refusal::new(error.code(), error.to_string()))?;
    let found = match &presented {
        ClientAuth::Basic(readings) => readings
            .iter()
            .find_map(|reading| with_secret(directory, reading)),
        ClientAuth::Post(pair) => with_secret(directory, pair),
        ClientAuth::Public(client_id) => public(directory, client_id),
    };
    found.ok_or_else(|| {
        Refusal::new(
            ErrorCode::InvalidClient,
            "The client is not known, or its secret is wrong",
        )
    })
}

fn with_secret(directory: &Directory, pair: &ClientCredential) -> Option<Client> {
    if let Some(credential) = directory.application_credentials.get(&pair.client_id) {
        let right = match credential.kind {
            CredentialKind::Password => credential
                .secret
                .as_ref()
                .is_some_and(|hash| hash.matches(&pair.client_secret)),
            CredentialKind::Public => false,
        };
        return right.then(|| Client::Application(credential.clone()));
    }
    let agent = directory.user_agents.get(&pair.client_id)?;
    // Some libraries send an empty password for a public client.
    pair.client_secret
        .expose()
        .is_empty()
        .then(|| Client::UserAgent(agent.clone()))
}

fn public(directory: &Directory, client_id: &str) -> Option<Client> {
    if let Some(credential) = directory.application_credentials.get(client_id) {
        return match credential.kind {
            CredentialKind::Public => Some(Client::Application(credential.clone())),
            CredentialKind::Password => None,
        };
    }
    directory
        .user_agents
        .get(client_id)
        .map(|agent| Client::UserAgent(agent.clone()))
}

/// A public application proves nothing, so it may neither act for itself (RFC 6749, section 4.4)
/// nor for anybody by exchange.
fn confidential(credential: &ApplicationCredential) -> Result<(), Refusal> {
    match credential.kind {
        CredentialKind::Password => Ok(()),
        CredentialKind::Public => Err(Refusal::new(
            ErrorCode::UnauthorizedClient,
            "A public client may not use this grant",
        )),
    }
}

/// RFC 8693, section 2.1.
async fn token_exchange(
    front: &Front,
    credential: &Arc<ApplicationCredential>,
    form: &Params,
    asked: Asked,
) -> Result<Tokens, Refusal> {
    confidential(credential)?;
    let text = |name| Ok::<_, Refusal>(form.one(name)?.map(str::to_owned));
    let secret = |name| Ok::<_, Refusal>(form.one(name)?.map(Secret::from));
    let mut request = ExchangeRequest {
        credential: credential.clone(),
        subject_token: secret("subject_token")?,
        subject_token_type: text("subject_token_type")?,
        requested_token_type: text("requested_token_type")?,
        actor_token: secret("actor_token")?.is_some(),
        resources: form.all("resource"),
        audience: text("audience")?,
        scope: text("scope")?,
        trace_parent: asked.trace_parent,
        request_id: asked.request_id,
        started: asked.started,
    };
    gate::pass(&front.zone, &mut request).await;
    if let (Some(token), Ok(resource)) = (&request.subject_token, request.target()) {
        brokered_login::refresh::refresh_if_due(&front.zone, token, resource).await;
    }
    let response = exchange(&front.zone, request).await?;
    Ok(Tokens {
        access_token: response.access_token,
        refresh_token: None,
        expires_in: response.expires_in,
        scope: response.scope,
        issued_token_type: Some(response.issued_token_type),
    })
}
