//! Upstream tokens that have ended: refreshed just before an exchange hands one out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{UpstreamError, ask, sealed_grant};
use crate::{
    protocol::{console::LifeStatus, jwt::TokenView, secret::Secret},
    support::error::Failure,
    zone::{
        ZoneState,
        directory::{
            Change, Directory, GRANT_REFRESH_TOKEN, Grant, Provider, Resource, Stored as _,
        },
        oauth::error::internal,
        store::{Commit, CommitError},
        vault::{Belongs, Sealed},
    },
};

/// A token that ends within this time is refreshed first, so that it lasts for its one use.
const REFRESH_AHEAD: TimeDelta = TimeDelta::seconds(30);

/// Whether the provider's token in an active `grant` can still be used: it lasts, or it can be refreshed.
#[must_use]
pub fn is_usable(grant: &Grant, now: DateTime<Utc>) -> bool {
    grant.access_token.is_some() && (!ends_soon(grant, now) || grant.refresh_token.is_some())
}

fn ends_soon(grant: &Grant, now: DateTime<Utc>) -> bool {
    grant
        .expires_at
        .is_some_and(|end| end <= now + REFRESH_AHEAD)
}

/// Refreshes the upstream token that an exchange is about to hand out, if it has ended. A grant that
/// the provider takes no longer is expired, and the exchange says that the person must consent again;
/// any other failure leaves the grant as it is, for the next try.
///
/// A caller who goes away halfway takes nothing along: once the provider was asked, the refresh token
/// from before is spent, and what came in its place is kept.
pub async fn refresh_if_due(state: &Arc<ZoneState>, subject_token: &Secret, resource: &str) {
    let Some(sub) = due(state, subject_token, resource) else {
        return;
    };
    // Without a key the exchange itself says so.
    let Ok(key) = state.keys.signing().await else {
        return;
    };
    if !state
        .tokens
        .verify(&key, subject_token)
        .is_ok_and(|claims| claims.sub == sub)
    {
        return;
    }
    let (state, resource) = (Arc::clone(state), resource.to_owned());
    let refreshing = tokio::spawn(async move { refresh_alone(&state, &sub, &resource).await });
    if let Err(error) = refreshing.await {
        tracing::error!(%error, "the refresh of an upstream token ended early");
    }
}

async fn refresh_alone(state: &ZoneState, sub: &str, resource: &str) {
    let _alone = state.upstream.refreshing.lock().await;
    // Somebody may have refreshed while this one waited.
    let directory = state.directory();
    let Some(due) = Due::find(&directory, state.config.clock.now(), sub, resource) else {
        return;
    };
    if let Err(error) = refresh(state, &due).await {
        tracing::warn!(
            provider = %due.provider.name,
            reason = %error,
            "an upstream token could not be refreshed"
        );
    }
}

/// Whose token is due, if one is. Seldom anybody's is, and then the presented token need not be read;
/// its signature is checked once it matters.
fn due(state: &ZoneState, subject_token: &Secret, resource: &str) -> Option<String> {
    let (directory, now) = (state.directory(), state.config.clock.now());
    let resource_id = &directory.resource_identified(resource)?.id;
    let is_due = |grant: &Arc<Grant>| {
        grant.resource_id == *resource_id
            && grant.status == LifeStatus::Active
            && ends_soon(grant, now)
    };
    if !directory.grants.values().any(is_due) {
        return None;
    }
    let view = TokenView::of(subject_token);
    let sub = view.claim("sub")?;
    Due::find(&directory, now, sub, resource)?;
    Some(sub.to_owned())
}

/// An upstream token that is to be refreshed.
struct Due<'a> {
    provider: &'a Provider,
    resource: &'a Resource,
    grant: &'a Arc<Grant>,
    refresh_token: &'a Sealed,
}

impl<'a> Due<'a> {
    fn find(
        directory: &'a Directory,
        now: DateTime<Utc>,
        sub: &str,
        resource: &str,
    ) -> Option<Self> {
        let resource = directory.resource_identified(resource)?;
        let user = directory.user_identified(sub)?;
        let grant = directory
            .active_grant(&user.id, &resource.id)
            .filter(|grant| ends_soon(grant, now))?;
        Some(Self {
            provider: directory
                .providers
                .get(resource.credential_provider_id.as_ref()?)?,
            resource,
            grant,
            refresh_token: grant.refresh_token.as_ref()?,
        })
    }
}

async fn refresh(state: &ZoneState, due: &Due<'_>) -> Result<(), UpstreamError> {
    let ours = |failure: &Failure| UpstreamError::NotAsked(internal(failure));
    let Due {
        provider,
        resource,
        grant,
        refresh_token,
    } = *due;
    let belongs = Belongs {
        to: GRANT_REFRESH_TOKEN,
        id: &grant.id,
    };
    let refresh_token = state
        .vault
        .unseal(refresh_token, belongs)
        .map_err(|failure| ours(&failure))?;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose().as_str()),
    ];
    let (next, outcome) = match ask(state, provider, &form).await {
        Ok(mut tokens) => {
            // RFC 6749, section 6: without a new refresh token, the old one stays good.
            tokens.refresh_token = tokens.refresh_token.or(Some(refresh_token));
            // And without a scope it has those of before, whatever the resource has by now.
            tokens.scopes = tokens.scopes.or_else(|| Some(grant.scopes.clone()));
            let next = sealed_grant(state, &grant.user_id, resource, Some(grant), &tokens);
            (next, Ok(()))
        }
        // The provider takes it no longer: only the person can help, at the next sign-in.
        Err(ended @ UpstreamError::Ended { .. }) => {
            let next = Grant {
                status: LifeStatus::Expired,
                refresh_token: None,
                ..Grant::clone(grant)
            };
            (next, Err(ended))
        }
        Err(error) => return Err(error),
    };
    let committed = state
        .store
        .commit(Commit {
            unchanged: vec![grant.clone().wrap()],
            changes: vec![Change::put(next)],
            ..Commit::default()
        })
        .await;
    match committed {
        // Stale: the person revoked or signed in again meanwhile; that stands.
        Ok(_) | Err(CommitError::Stale) => outcome,
        Err(CommitError::Failed(failure)) => Err(ours(&failure)),
    }
}
