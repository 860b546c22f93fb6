//! Tokens that no server may take: for those who try whether one does.
//!
//! A wrong audience and an expired token can only be told from a forged one if the signature is
//! the zone's own, and nobody but the zone can make that. What is handed out here opens nothing:
//! the one is over, the other is for a resource that does not exist.

use axum::{
    Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use chrono::TimeDelta;

use crate::{
    protocol::observed::{LAB_TOKENS_PATH, StrayToken, another_resource},
    zone::{
        Zone,
        tokens::{SubProfile, TokenRequest},
    },
};

/// Whom the tokens speak of and to whom they were issued: nobody that the zone knows.
const STRANGER: &str = "hoptrail-lab-stranger";

pub(super) fn router(zone: Zone, server: &str) -> Router {
    let server = server.to_owned();
    Router::new().route(
        &format!("{LAB_TOKENS_PATH}/{{kind}}"),
        get(
            async move |Path(kind): Path<String>| match StrayToken::named(&kind) {
                Some(kind) => mint(&zone, kind, &server).await,
                None => StatusCode::NOT_FOUND.into_response(),
            },
        ),
    )
}

async fn mint(zone: &Zone, kind: StrayToken, server: &str) -> Response {
    let state = zone.state();
    let Ok(key) = state.keys.signing().await else {
        // The zone has said so itself already.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (resource, age) = match kind {
        StrayToken::Expired => (server.to_owned(), TimeDelta::hours(2)),
        StrayToken::OtherAudience => (another_resource(server), TimeDelta::zero()),
    };
    let request = TokenRequest {
        sub: STRANGER.to_owned(),
        sub_profile: SubProfile::User,
        client_id: STRANGER.to_owned(),
        keycard_app_id: None,
        resource,
        scopes: vec!["read".to_owned(), "issues:create".to_owned()],
        session_id: None,
        lifetime: TimeDelta::hours(1),
    };
    match state.tokens.mint_in_the_past(&key, request, age) {
        Ok(minted) => minted.token.expose().clone().into_response(),
        Err(error) => {
            tracing::error!(%error, "a stray token could not be signed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
