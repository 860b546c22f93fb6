//! People, the clients they came with, their sessions and their consent.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    protocol::console::{DelegatedGrant, LifeStatus, Page, Session, SessionType},
    support::clock::Stopwatch,
    zone::{
        ZoneState,
        directory::{Change, Directory, Grant, Kind, Stored as _, User, UserAgent},
        sessions::{grant_view, revoke_grant, revoke_session, session_view},
        store::Commit,
    },
};

use super::{ApiError, Asked, Body, OneId, Shared, page::Window, settle};

pub(super) fn router() -> Router<Arc<ZoneState>> {
    Router::new()
        .route("/users", get(list_users))
        .route("/users/{id}", get(one_user))
        .route("/user-agents", get(list_user_agents))
        .route("/user-agents/{id}", get(one_user_agent))
        .route("/sessions", get(list_sessions))
        .route(
            "/sessions/{id}",
            get(one_session).patch(end_session).delete(delete_session),
        )
        .route("/delegated-grants", get(list_grants))
        .route("/delegated-grants/{id}", get(one_grant).patch(end_grant))
}

#[derive(Serialize)]
struct UserView {
    id: String,
    identifier: String,
    email: String,
    name: String,
    created_at: DateTime<Utc>,
}

impl UserView {
    fn of(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            identifier: user.identifier.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            created_at: user.created_at,
        }
    }
}

async fn list_users(
    State(state): Shared,
    window: Window,
) -> Result<Json<Page<UserView>>, ApiError> {
    window
        .cut(&state.directory().users, |u| Some(UserView::of(u)))
        .map(Json)
}

async fn one_user(State(state): Shared, Path((_, id)): OneId) -> Result<Json<UserView>, ApiError> {
    state
        .directory()
        .users
        .get(&id)
        .map(|user| Json(UserView::of(user)))
        .ok_or_else(|| ApiError::not_found("user"))
}

#[derive(Serialize)]
struct UserAgentView {
    id: String,
    identifier: String,
    name: String,
    redirect_uris: Vec<String>,
    created_at: DateTime<Utc>,
}

impl UserAgentView {
    fn of(agent: &UserAgent) -> Self {
        Self {
            id: agent.id.clone(),
            identifier: agent.identifier.clone(),
            name: agent.name.clone(),
            redirect_uris: agent.redirect_uris.clone(),
            created_at: agent.created_at,
        }
    }
}

async fn list_user_agents(
    State(state): Shared,
    window: Window,
) -> Result<Json<Page<UserAgentView>>, ApiError> {
    window
        .cut(&state.directory().user_agents, |a| {
            Some(UserAgentView::of(a))
        })
        .map(Json)
}

async fn one_user_agent(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<UserAgentView>, ApiError> {
    state
        .directory()
        .user_agents
        .values()
        .find(|agent| agent.id == id)
        .map(|agent| Json(UserAgentView::of(agent)))
        .ok_or_else(|| ApiError::not_found("user agent"))
}

/// Keycard's filters of the session list.
#[derive(Deserialize)]
struct SessionFilter {
    status: Option<LifeStatus>,
    session_type: Option<SessionType>,
    user_id: Option<String>,
    active: Option<bool>,
}

impl SessionFilter {
    const NAMES: [&str; 4] = ["status", "session_type", "user_id", "active"];

    fn wants(&self, session: &Session) -> bool {
        let is_active = session.status == LifeStatus::Active;
        self.status.is_none_or(|status| status == session.status)
            && self
                .session_type
                .is_none_or(|kind| kind == session.session_type)
            && (self.user_id.is_none() || self.user_id == session.user_id)
            && self.active.is_none_or(|active| active == is_active)
    }
}

async fn list_sessions(
    State(state): Shared,
    window: Window,
    Asked(filter): Asked<SessionFilter>,
) -> Result<Json<Page<Session>>, ApiError> {
    let directory = state.directory();
    let now = state.config.clock.now();
    window
        .with_filters(&SessionFilter::NAMES)
        .cut(&directory.sessions, |session| {
            Some(session_view(&directory, session, now)).filter(|view| filter.wants(view))
        })
        .map(Json)
}

async fn one_session(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<Session>, ApiError> {
    let directory = state.directory();
    directory
        .sessions
        .get(&id)
        .map(|session| Json(session_view(&directory, session, state.config.clock.now())))
        .ok_or_else(|| ApiError::not_found("session"))
}

#[derive(Deserialize)]
struct StatusPatch {
    status: LifeStatus,
}

impl StatusPatch {
    fn revokes(&self) -> Result<(), ApiError> {
        match self.status {
            LifeStatus::Revoked => Ok(()),
            LifeStatus::Active | LifeStatus::Expired => Err(ApiError::invalid(
                "The only status that can be set is revoked.",
            )),
        }
    }
}

async fn end_session(
    State(state): Shared,
    Path((_, id)): OneId,
    Body(patch): Body<StatusPatch>,
) -> Result<Json<Session>, ApiError> {
    patch.revokes()?;
    // On the whole directory: a client that is signing in makes another session of this one.
    settle(&state, |directory| {
        let session = directory
            .sessions
            .get(&id)
            .ok_or_else(|| ApiError::not_found("session"))?;
        Ok((revoke_session(directory, session), ()))
    })
    .await?;
    let after = state.directory();
    after
        .sessions
        .get(&id)
        .map(|session| Json(session_view(&after, session, state.config.clock.now())))
        .ok_or_else(|| ApiError::not_found("session"))
}

/// The session and what came of it are gone from the list; to who holds a token of theirs they have
/// ended.
async fn delete_session(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<StatusCode, ApiError> {
    settle(&state, |directory| {
        let session = directory
            .sessions
            .get(&id)
            .ok_or_else(|| ApiError::not_found("session"))?;
        let mut changes = revoke_session(directory, session);
        let ended = changes.iter().filter_map(|change| match change {
            Change::Put(object) if object.kind() == Kind::Session => {
                Some(object.key().into_owned())
            }
            Change::Put(_) | Change::Delete(..) => None,
        });
        let gone: Vec<_> = ended.map(|id| Change::Delete(Kind::Session, id)).collect();
        changes.extend(gone);
        Ok((changes, ()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_grants(
    State(state): Shared,
    window: Window,
) -> Result<Json<Page<DelegatedGrant>>, ApiError> {
    let now = state.config.clock.now();
    window
        .cut(&state.directory().grants, |g| Some(grant_view(g, now)))
        .map(Json)
}

async fn one_grant(
    State(state): Shared,
    Path((_, id)): OneId,
) -> Result<Json<DelegatedGrant>, ApiError> {
    let directory = state.directory();
    grant_with_id(&directory, &id).map(|grant| Json(grant_view(grant, state.config.clock.now())))
}

fn grant_with_id<'a>(directory: &'a Directory, id: &str) -> Result<&'a Arc<Grant>, ApiError> {
    directory
        .grants
        .values()
        .find(|grant| grant.id == id)
        .ok_or_else(|| ApiError::not_found("delegated grant"))
}

async fn end_grant(
    State(state): Shared,
    Path((_, id)): OneId,
    Body(patch): Body<StatusPatch>,
) -> Result<Json<DelegatedGrant>, ApiError> {
    let started = Stopwatch::start();
    patch.revokes()?;
    let directory = state.directory();
    let grant = grant_with_id(&directory, &id)?;
    if grant.status == LifeStatus::Revoked {
        return Ok(Json(grant_view(grant, state.config.clock.now())));
    }
    let (revoked, draft) = revoke_grant(
        &directory,
        grant,
        state.console.party(),
        state.config.ids.short(),
        started,
    );
    let view = grant_view(&revoked, state.config.clock.now());
    state
        .store
        .commit(Commit {
            unchanged: vec![grant.clone().wrap()],
            changes: vec![Change::put(revoked)],
            audit: vec![draft],
            ..Commit::default()
        })
        .await?;
    Ok(Json(view))
}
