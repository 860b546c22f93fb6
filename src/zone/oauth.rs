//! The zone's OAuth front: metadata, keys, registration, authorize, consent, token.
//!
//! Speaks the protocol and leads people through their sign-in; who may have what is decided by the
//! directory, policy and exchange. Host and Origin are checked before anything comes here.

mod authorize;
mod callback;
mod consent;
mod dependency;
pub(super) mod error;
pub mod form;
mod issue;
pub mod metadata;
pub mod pkce;
pub mod redirect_uri;
pub mod registration;
mod steps;
mod token;
mod transaction;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_http::cors::{Any, CorsLayer};

use self::{
    error::NO_STORE,
    registration::{Registration, RegistrationRequest},
    transaction::Cookies,
};
use super::{
    ZoneState,
    directory::{Change, UserAgent},
    refusal::Refusal,
    sessions,
    settled::settled,
    store::Commit,
};
use crate::protocol::oauth::{ErrorCode, WELL_KNOWN_AUTHORIZATION_SERVER, WELL_KNOWN_OPENID};

/// Longest body that is read, in bytes: a token request carries one or two tokens.
const LONGEST_BODY: usize = 64 * 1024;

/// What every handler here shares.
#[derive(Debug)]
pub(super) struct Front {
    zone: Arc<ZoneState>,
    cookies: Cookies,
}

impl Front {
    /// Where providers send the browser back to; registered with each of them.
    fn redirect_uri(&self) -> String {
        format!("{}{}", self.zone.config.issuer, metadata::REDIRECT)
    }
}

/// The OAuth endpoints and the pages behind them.
pub fn router(zone: Arc<ZoneState>) -> Router {
    let front = Arc::new(Front {
        cookies: Cookies::of(&zone.config.issuer),
        zone,
    });
    // What a client in a browser calls itself. None of it reads a cookie, so any page that may
    // talk to the zone at all may read the answers.
    let for_programs = Router::new()
        .route(WELL_KNOWN_AUTHORIZATION_SERVER, get(show_metadata))
        .route(WELL_KNOWN_OPENID, get(show_metadata))
        .route(metadata::JWKS, get(show_jwks))
        .route(metadata::REGISTRATION, post(register))
        .route(metadata::TOKEN, post(token::token))
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_methods(Any)
                .allow_headers(Any),
        );
    let for_people = Router::new()
        .route(metadata::AUTHORIZE, get(authorize::authorize))
        .route(metadata::REDIRECT, get(callback::callback))
        .route(
            metadata::SIGN_IN,
            get(consent::show_sign_in).post(consent::submit_sign_in),
        )
        .route(
            metadata::CONSENT,
            get(consent::show_consent).post(consent::submit_consent),
        );
    for_programs
        .merge(for_people)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(front)
}

/// `GET /.well-known/oauth-authorization-server` and `/.well-known/openid-configuration`: the same
/// document (facts/keycard.md, 2.1).
async fn show_metadata(State(front): State<Arc<Front>>) -> Response {
    let directory = front.zone.directory();
    let mut scopes: Vec<String> = directory
        .resources
        .values()
        .flat_map(|resource| resource.scopes.iter().cloned())
        .collect();
    scopes.sort();
    scopes.dedup();
    Json(metadata::document(&front.zone.config.issuer, scopes)).into_response()
}

/// `GET /openidconnect/jwks`
async fn show_jwks(State(front): State<Arc<Front>>) -> Result<Response, Refusal> {
    Ok(Json(front.zone.keys.signing().await?.jwks()).into_response())
}

/// `POST /oauth/2/registration` (RFC 7591, section 3.1).
async fn register(
    State(front): State<Arc<Front>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let request: RegistrationRequest = serde_json::from_slice(&body?).map_err(|_| {
        Refusal::new(
            ErrorCode::InvalidClientMetadata,
            "The body is not the JSON of a client registration",
        )
    })?;
    let registration = Registration::check(request)?;
    let (_, created_at) = settled(&front.zone, |directory| {
        // Whoever registers the same is the same client. Anybody may, so nothing is changed by it.
        if let Some(known) = directory.user_agents.get(&registration.client_id) {
            return Ok((Commit::default(), known.created_at));
        }
        let created_at = front.zone.config.clock.now();
        let mut changes = sessions::surplus_agents(directory);
        changes.push(Change::put(UserAgent {
            id: front.zone.config.ids.short(),
            identifier: registration.client_id.clone(),
            name: registration.name.clone(),
            redirect_uris: registration.redirect_uris.clone(),
            grant_types: registration.grant_types().to_vec(),
            created_at,
        }));
        let commit = Commit {
            based_on: Some(directory.generation()),
            changes,
            ..Commit::default()
        };
        Ok((commit, created_at))
    })
    .await?;
    let answer = registration.answered(created_at.timestamp());
    Ok((StatusCode::CREATED, NO_STORE, Json(answer)).into_response())
}

/// Whether a body is said to be form-encoded.
fn is_form(headers: &axum::http::HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value.split(';').next().is_some_and(|kind| {
                kind.trim()
                    .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            })
        })
}
