//! Sessions and consent as they stand at a moment, and how they end.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::protocol::{
    audit::{AuditEvent, CONSENT_REVOKED, IdentityChain, Party},
    console::{DelegatedGrant, LifeStatus, Session},
};

use super::{
    audit::{Draft, resource_ref, user_party},
    directory::{
        Change, Directory, Grant, Kind, RefreshStatus, RefreshToken, Session as StoredSession,
    },
};

use crate::support::clock::Stopwatch;

/// How long a session is kept after it has run out, for who looks how it ended. When one was revoked
/// is not kept, so it stays as long as if it had run out.
const ENDED_SESSION_KEPT: TimeDelta = TimeDelta::days(1);

/// The session as it is to be shown: names filled in, expiry told.
#[must_use]
pub fn session_view(directory: &Directory, session: &StoredSession, now: DateTime<Utc>) -> Session {
    let user = session
        .user_id
        .as_ref()
        .and_then(|id| directory.users.get(id));
    let agent = session
        .user_agent_id
        .as_ref()
        .and_then(|id| directory.user_agents.values().find(|agent| agent.id == *id));
    let application = session
        .application_id
        .as_ref()
        .and_then(|id| directory.applications.get(id));
    Session {
        user_name: user.map(|user| user.email.clone()),
        initiator_name: agent
            .map(|agent| agent.name.clone())
            .or_else(|| application.map(|application| application.name.clone())),
        status: match session.status {
            LifeStatus::Active if session.expires_at <= now => LifeStatus::Expired,
            status => status,
        },
        ..session.clone()
    }
}

/// The grant as it is to be shown. An upstream token that ended only ends the grant if nothing can
/// renew it.
#[must_use]
pub fn grant_view(grant: &Grant, now: DateTime<Utc>) -> DelegatedGrant {
    let ended = grant.refresh_token.is_none() && grant.expires_at.is_some_and(|end| end <= now);
    DelegatedGrant {
        id: grant.id.clone(),
        user_id: grant.user_id.clone(),
        resource_id: grant.resource_id.clone(),
        provider_id: grant.provider_id.clone(),
        scopes: grant.scopes.clone(),
        status: match grant.status {
            LifeStatus::Active if ended => LifeStatus::Expired,
            status => status,
        },
        created_at: grant.created_at,
    }
}

/// How many clients may be registered before the unused ones are dropped.
const MOST_AGENTS: usize = 500;

/// Ends a session, the sessions that came of it, and their refresh tokens. Access tokens stay signed,
/// but every exchange asks for the session.
#[must_use]
pub fn revoke_session(directory: &Directory, session: &StoredSession) -> Vec<Change> {
    let mut ended = vec![session.id.clone()];
    let mut next = 0;
    // Children of children, whatever the order in the table; a loop in the data ends it too.
    while let Some(parent) = ended.get(next).cloned() {
        for child in directory.sessions.values() {
            if child.parent_id.as_ref() == Some(&parent) && !ended.contains(&child.id) {
                ended.push(child.id.clone());
            }
        }
        next += 1;
    }
    let sessions = ended
        .iter()
        .filter_map(|id| directory.sessions.get(id))
        .map(|session| {
            Change::put(StoredSession {
                status: LifeStatus::Revoked,
                ..(**session).clone()
            })
        });
    let tokens = directory
        .refresh_tokens
        .values()
        .filter(|token| ended.contains(&token.session_id))
        .map(|token| {
            Change::put(RefreshToken {
                status: RefreshStatus::Revoked,
                ..(**token).clone()
            })
        });
    sessions.chain(tokens).collect()
}

/// Ends what clients hold for a resource that is deleted, as another one may get its id: refresh
/// tokens, and codes on their way.
pub fn tokens_revoked<'a>(
    directory: &'a Directory,
    resource_id: &'a str,
) -> impl Iterator<Item = Change> + 'a {
    let codes = directory
        .authorization_codes
        .iter()
        .filter(move |(_, code)| code.resource_id == resource_id)
        .map(|(key, _)| Change::Delete(Kind::AuthorizationCode, key.clone()));
    let tokens = directory
        .refresh_tokens
        .values()
        .filter(move |token| token.resource_id == resource_id)
        .map(|token| {
            Change::put(RefreshToken {
                status: RefreshStatus::Revoked,
                ..(**token).clone()
            })
        });
    codes.chain(tokens)
}

/// Withdraws a consent: the upstream tokens behind it are forgotten, and the log says who did it.
#[must_use]
pub fn revoke_grant(
    directory: &Directory,
    grant: &Grant,
    by: Party,
    request_id: String,
    started: Stopwatch,
) -> (Grant, Draft) {
    let revoked = Grant {
        status: LifeStatus::Revoked,
        access_token: None,
        refresh_token: None,
        ..grant.clone()
    };
    let mut draft = Draft::new(AuditEvent::DelegatedGrantsRevoke, request_id, started);
    draft.resource = directory
        .resources
        .get(&grant.resource_id)
        .map(|resource| resource_ref(resource));
    draft.scopes.clone_from(&grant.scopes);
    draft.actor = IdentityChain {
        application: Some(by),
        user: directory
            .users
            .get(&grant.user_id)
            .map(|user| user_party(user)),
    };
    draft.reason = Some(CONSENT_REVOKED.to_owned());
    (revoked, draft)
}

/// Deletes the oldest clients of which nothing ever came, where there are too many: anybody may
/// register one. Who still wants to sign in with it registers again and gets the same client id.
pub(super) fn surplus_agents(directory: &Directory) -> Vec<Change> {
    let surplus = (directory.user_agents.len() + 1).saturating_sub(MOST_AGENTS);
    if surplus == 0 {
        return Vec::new();
    }
    let signed_in: BTreeSet<&str> = directory
        .sessions
        .values()
        .filter_map(|session| session.user_agent_id.as_deref())
        .collect();
    let mut unused: Vec<_> = directory
        .user_agents
        .values()
        .filter(|agent| !signed_in.contains(agent.id.as_str()))
        .collect();
    unused.sort_by_key(|agent| agent.created_at);
    unused
        .into_iter()
        .take(surplus)
        .map(|agent| Change::Delete(Kind::UserAgent, agent.identifier.clone()))
        .collect()
}

/// Deletes what has run out and nobody can use any more: sign-ins, codes, refresh tokens, and sessions
/// that ended [a while ago](ENDED_SESSION_KEPT) and that nothing comes from any more.
#[must_use]
pub(super) fn sweep(directory: &Directory, now: DateTime<Utc>) -> Vec<Change> {
    let sign_ins = directory
        .sign_ins
        .iter()
        .filter(|(_, object)| object.expires_at <= now)
        .map(|(key, _)| Change::Delete(Kind::SignIn, key.clone()));
    let codes = directory
        .authorization_codes
        .iter()
        .filter(|(_, object)| object.expires_at <= now)
        .map(|(key, _)| Change::Delete(Kind::AuthorizationCode, key.clone()));
    let tokens = directory
        .refresh_tokens
        .iter()
        .filter(|(_, object)| object.expires_at <= now)
        .map(|(key, _)| Change::Delete(Kind::RefreshToken, key.clone()));
    // What else came of a session is over within that time too: only another session can outlive it.
    let parents: BTreeSet<&str> = directory
        .sessions
        .values()
        .filter_map(|session| session.parent_id.as_deref())
        .collect();
    let sessions = directory
        .sessions
        .iter()
        .filter(|(key, object)| {
            object.expires_at + ENDED_SESSION_KEPT <= now && !parents.contains(key.as_str())
        })
        .map(|(key, _)| Change::Delete(Kind::Session, key.clone()));
    sign_ins
        .chain(codes)
        .chain(tokens)
        .chain(sessions)
        .collect()
}
