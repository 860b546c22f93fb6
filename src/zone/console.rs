//! The management API: what Keycard's console does, on Keycard's paths, for the TUI and for people
//! who build the workshop's objects step by step.
//!
//! Reads come from the directory; changes go through the store with what they rest on, so that two
//! editors never overwrite each other silently and no check is overtaken by a change beside it. Field
//! names are Keycard's where they are known; the shape of errors is ours.

mod access;
mod applications;
mod page;
mod people;
mod policies;
mod policy_sets;
mod providers;
mod resources;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRequest, FromRequestParts, Path, Query, State, rejection::JsonRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use serde_json::json;

use crate::{protocol::console::Page, support::error::Failure};

use super::{
    ZoneState,
    directory::{Change, Directory, Object},
    settled::until_settled,
    store::{Commit, CommitError},
};

pub(super) use policy_sets::activate_latest;

pub use access::{Authorized, ConsoleAccess};

/// The lab's one zone. Keycard's ids are 26 characters that say nothing; this one is for reading.
pub const ZONE_ID: &str = "lab";

pub(super) fn router(state: Arc<ZoneState>) -> Router {
    let zone = Router::new()
        .merge(providers::router())
        .merge(resources::router())
        .merge(applications::router())
        .merge(people::router())
        .merge(policies::router())
        .merge(policy_sets::router())
        .fallback(nothing_here)
        .route_layer(axum::middleware::from_fn_with_state(
            state.clone(),
            access::of_this_zone,
        ));
    Router::new()
        .route("/service-account-token", post(access::token))
        .route("/zones", get(zones))
        .route("/zones/{zone}", get(one_zone))
        .nest("/zones/{zone}", zone)
        .with_state(state)
}

#[derive(Debug, Serialize)]
struct ZoneView {
    id: &'static str,
    name: &'static str,
    issuer: String,
}

impl ZoneView {
    fn of(state: &ZoneState) -> Self {
        Self {
            id: ZONE_ID,
            name: "hoptrail lab",
            issuer: state.config.issuer.clone(),
        }
    }
}

async fn zones(State(state): State<Arc<ZoneState>>, _: Authorized) -> Json<Page<ZoneView>> {
    Json(Page {
        items: vec![ZoneView::of(&state)],
        pagination: crate::protocol::console::Pagination::default(),
    })
}

async fn one_zone(
    State(state): State<Arc<ZoneState>>,
    _: Authorized,
    Path(zone): Path<String>,
) -> Result<Json<ZoneView>, ApiError> {
    if zone == ZONE_ID {
        Ok(Json(ZoneView::of(&state)))
    } else {
        Err(ApiError::not_found("zone"))
    }
}

async fn nothing_here() -> ApiError {
    ApiError::not_found("path")
}

/// An error of the management API: `{"error": code, "message": sentence}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl AsRef<str>) -> Self {
        Self {
            status,
            code,
            message: crate::support::text::sanitize(message.as_ref()).into_owned(),
        }
    }

    fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {what}."),
        )
    }

    fn invalid(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    fn conflict(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    fn read_only(what: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("This {what} belongs to the platform and is read-only; make one of your own."),
        )
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            format!("{}: {}", failure.what, failure.why),
        )
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale => {
                Self::conflict("It was changed meanwhile; read it again, then repeat the change.")
            }
            CommitError::Failed(failure) => failure.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({"error": self.code, "message": self.message}));
        let mut response = (self.status, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            );
        }
        response
    }
}

/// A JSON body, with this API's errors.
struct Body<T>(T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(
        request: axum::extract::Request,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        Json::<T>::from_request(request, state)
            .await
            .map(|Json(body)| Self(body))
            .map_err(|rejection: JsonRejection| {
                ApiError::new(rejection.status(), "invalid_request", rejection.body_text())
            })
    }
}

/// A query string, with this API's errors.
pub(super) struct Asked<T>(pub T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Query::<T>::from_request_parts(parts, state)
            .await
            .map(|Query(asked)| Self(asked))
            .map_err(|rejection| ApiError::invalid(rejection.body_text()))
    }
}

/// The handlers' view of the zone.
type Shared = State<Arc<ZoneState>>;

/// The path's zone and one id below it.
type OneId = Path<(String, String)>;

/// The path's zone and two ids below it.
type TwoIds = Path<(String, String, String)>;

/// Makes changes that rest on objects as they were read.
async fn change(
    state: &ZoneState,
    unchanged: Vec<Object>,
    changes: Vec<Change>,
) -> Result<(), ApiError> {
    let commit = Commit {
        unchanged,
        changes,
        ..Commit::default()
    };
    state.store.commit(commit).await?;
    Ok(())
}

/// Makes changes that rest on the whole directory: that a name is free, that nothing uses what is
/// deleted. What changed meanwhile is looked at again.
async fn settle<T>(
    state: &ZoneState,
    mut decide: impl FnMut(&Directory) -> Result<(Vec<Change>, T), ApiError>,
) -> Result<T, ApiError> {
    let (_, decided) = until_settled(state, |directory| {
        let (changes, decided) = decide(directory)?;
        let commit = Commit {
            based_on: Some(directory.generation()),
            changes,
            ..Commit::default()
        };
        Ok::<_, ApiError>((commit, decided))
    })
    .await?;
    Ok(decided)
}

/// A name that a person gave: one line, not empty, not endless.
fn clean_name(name: &str) -> Result<String, ApiError> {
    const LONGEST: usize = 200;
    let name = crate::support::text::one_line(name.trim());
    if name.is_empty() || name.chars().count() > LONGEST {
        return Err(ApiError::invalid(format!(
            "A name has 1 to {LONGEST} characters."
        )));
    }
    Ok(name)
}

/// An id that tells what the object is, made of its name, as the seed's ids are; Keycard's are
/// random, and so is this one where the name is taken already or says nothing.
fn readable_id(state: &ZoneState, name: &str, taken: impl Fn(&str) -> bool) -> String {
    let slug: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let slug = slug.join("-");
    if slug.is_empty() || taken(&slug) {
        state.config.ids.short()
    } else {
        slug
    }
}
