//! Where providers send the browser back (`/oauth/2/redirect`): from the identity provider with
//! who it is, from a resource's provider with leave to use the account there.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::Response,
};

use super::{
    Front,
    authorize::error_page,
    form::Params,
    steps::{Parties, refuse, resume, still_open},
    transaction::{self, Loaded, Stage, WEB_SESSION_LIFETIME, fresh_secret},
};
use crate::{
    protocol::{
        audit::AuditEvent,
        console::{LifeStatus, Session, SessionType},
        oauth::ErrorCode,
        secret::Secret,
    },
    support::{
        clock::Stopwatch,
        text::{one_line, truncate},
    },
    zone::{
        UserIdentifier,
        audit::user_party,
        brokered_login::{
            self,
            identity::{self, Profile},
        },
        directory::{Change, Directory, Resource, Stored as _, User},
        pages::Audience,
        refusal::Refusal,
        settled::settled,
        store::Commit,
    },
};

/// `GET /oauth/2/redirect`
pub(super) async fn callback(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let audience = Audience::of(&headers);
    let query = Params::parse(query.unwrap_or_default().as_bytes());
    let browser = front.cookies.browser(&headers);
    match find(&front, &query, browser.as_ref()) {
        Ok(Leg::Identity(loaded)) => {
            sign_in(&front, &loaded, &query, browser.as_ref(), audience).await
        }
        Ok(Leg::Provider {
            loaded,
            session_id,
            resource_id,
            provider_id,
        }) => {
            let leg = ProviderLeg {
                loaded: &loaded,
                session_id: &session_id,
                resource_id: &resource_id,
                provider_id: &provider_id,
                browser: browser.as_ref(),
            };
            connect(&front, leg, &query, audience).await
        }
        Err(refusal) => error_page(&refusal, audience),
    }
}

/// Which leg of a sign-in came back.
enum Leg {
    Identity(Loaded),
    Provider {
        loaded: Loaded,
        session_id: String,
        resource_id: String,
        provider_id: String,
    },
}

fn find(front: &Front, query: &Params, browser: Option<&Secret>) -> Result<Leg, Refusal> {
    let unknown = || {
        Refusal::new(
            ErrorCode::InvalidRequest,
            "This answer belongs to no sign-in that is under way in this browser",
        )
    };
    let (handle, nonce) = query
        .required("state")?
        .split_once('.')
        .ok_or_else(unknown)?;
    let nonce = Secret::from(nonce);
    let directory = front.zone.directory();
    let loaded = Loaded::find(
        &front.zone.vault,
        &directory,
        front.zone.config.clock.now(),
        handle,
        browser,
    )?;
    match &loaded.transaction.stage {
        Stage::IdentityProvider { nonce: expected } if expected.matches(&nonce) => {
            Ok(Leg::Identity(loaded))
        }
        Stage::Provider {
            nonce: expected,
            session_id,
            resource_id,
            provider_id,
        } if expected.matches(&nonce) => Ok(Leg::Provider {
            session_id: session_id.clone(),
            resource_id: resource_id.clone(),
            provider_id: provider_id.clone(),
            loaded,
        }),
        Stage::SignIn
        | Stage::Consent { .. }
        | Stage::IdentityProvider { .. }
        | Stage::Provider { .. } => Err(unknown()),
    }
}

/// The code, or why the provider sent none.
fn code(query: &Params, provider: &str) -> Result<Secret, Refusal> {
    if let Some(error) = query.one("error")? {
        let said = query.one("error_description")?.unwrap_or(error);
        let said = truncate(&one_line(said), 200).into_owned();
        return Err(Refusal::new(
            ErrorCode::AccessDenied,
            match error {
                "access_denied" => format!("The person refused at {provider}: {said}"),
                _ => format!("{provider} refused: {said}"),
            },
        ));
    }
    query.required("code").map(Secret::from)
}

/// The person came back from the identity provider.
async fn sign_in(
    front: &Front,
    loaded: &Loaded,
    query: &Params,
    browser: Option<&Secret>,
    audience: Audience,
) -> Response {
    let started = Stopwatch::start();
    let zone = &front.zone;
    let provider = &zone.config.identity_provider;
    let directory = zone.directory();
    let parties = match Parties::of(&directory, &loaded.transaction) {
        Ok(parties) => parties,
        Err(refusal) => return refuse(front, loaded, &refusal, None, audience).await,
    };
    let draft = parties.draft(
        front,
        AuditEvent::UsersAuthorize,
        &parties.resource,
        None,
        None,
        started,
    );
    let identified = match code(query, &provider.name) {
        Ok(code) => identity::identify(
            &zone.upstream,
            provider,
            &front.redirect_uri(),
            &code,
            zone.config.clock.now(),
        )
        .await
        .map_err(|error| error.refusal()),
        Err(refusal) => Err(refusal),
    };
    let profile = match identified {
        Ok(profile) => profile,
        Err(refusal) => return refuse(front, loaded, &refusal, Some(draft), audience).await,
    };
    let welcomed = async {
        let now = zone.config.clock.now();
        // Only now is the directory read: others may have signed in while the provider was asked.
        let (directory, cookie) = settled(&front.zone, |directory| {
            still_open(loaded, directory)?;
            let known = known(directory, &profile);
            let user = person(front, known, &profile);
            let session = web_session(front, &user);
            let cookie = fresh_secret(zone);
            let mut draft = draft.clone();
            draft.actor.user = Some(user_party(&user));
            draft.session_id = Some(session.id.clone());
            let commit = Commit {
                // That there is no such person yet is true of this directory alone.
                based_on: known.is_none().then(|| directory.generation()),
                unchanged: std::iter::once(loaded.as_read())
                    .chain(known.map(|user| user.clone().wrap()))
                    .collect(),
                changes: vec![
                    transaction::browser_row(&cookie, &session)?,
                    loaded.moved(Stage::Consent {
                        session_id: session.id.clone(),
                    })?,
                    Change::put(user),
                    Change::put(session),
                ],
                audit: vec![draft],
            };
            Ok((commit, cookie))
        })
        .await?;
        let mut response = resume(front, loaded, browser, now, &directory).await?;
        response
            .headers_mut()
            .append(header::SET_COOKIE, front.cookies.set_session(&cookie));
        Ok(response)
    }
    .await;
    welcomed.unwrap_or_else(|refusal: Refusal| error_page(&refusal, audience))
}

/// The person, if they signed in before.
fn known<'a>(directory: &'a Directory, profile: &Profile) -> Option<&'a Arc<User>> {
    directory
        .users
        .values()
        .find(|user| user.subject == profile.subject)
}

/// The person as the zone knows them; made at the first sign-in, brought up to date at every other.
fn person(front: &Front, known: Option<&Arc<User>>, profile: &Profile) -> User {
    let Profile {
        subject,
        email,
        name,
    } = profile.clone();
    if let Some(user) = known {
        return User {
            email,
            name,
            ..User::clone(user)
        };
    }
    let id = front.zone.config.ids.short();
    User {
        identifier: match front.zone.config.identity_provider.user_identifier {
            UserIdentifier::ZoneId => id.clone(),
            UserIdentifier::Email => email.clone(),
        },
        id,
        email,
        name,
        subject,
        created_at: front.zone.config.clock.now(),
    }
}

fn web_session(front: &Front, user: &User) -> Session {
    let now = front.zone.config.clock.now();
    Session {
        id: front.zone.config.ids.short(),
        session_type: SessionType::User,
        user_id: Some(user.id.clone()),
        user_name: Some(user.email.clone()),
        application_id: None,
        user_agent_id: None,
        initiator_name: None,
        parent_id: None,
        authenticated_at: now,
        expires_at: now + WEB_SESSION_LIFETIME,
        status: LifeStatus::Active,
    }
}

/// A way back from a resource's provider.
struct ProviderLeg<'a> {
    loaded: &'a Loaded,
    session_id: &'a str,
    resource_id: &'a str,
    provider_id: &'a str,
    browser: Option<&'a Secret>,
}

impl ProviderLeg<'_> {
    /// Whether it is still this provider's resource: a code, and the tokens for it, go to nobody else.
    fn is_of(&self, resource: &Resource) -> bool {
        resource.id == self.resource_id
            && resource.credential_provider_id.as_deref() == Some(self.provider_id)
    }
}

/// The person came back from a resource's provider.
async fn connect(
    front: &Front,
    leg: ProviderLeg<'_>,
    query: &Params,
    audience: Audience,
) -> Response {
    let started = Stopwatch::start();
    let zone = &front.zone;
    let directory = zone.directory();
    let now = zone.config.clock.now();
    let loaded = leg.loaded;
    let gone = Refusal::new(
        ErrorCode::InvalidRequest,
        "What this sign-in was about is not there any more",
    );
    let found = Parties::of(&directory, &loaded.transaction)
        .ok()
        .zip(transaction::active_session(&directory, now, leg.session_id));
    let Some((parties, (session, user))) = found else {
        return refuse(front, loaded, &gone, None, audience).await;
    };
    let Some(dependency) = parties
        .dependencies
        .iter()
        .find(|dependency| leg.is_of(&dependency.resource))
    else {
        return refuse(front, loaded, &gone, None, audience).await;
    };
    let (resource, provider) = (&dependency.resource, &dependency.provider);
    let draft = parties.grant_draft(front, resource, &user, &session.id, started);
    let redeemed = match code(query, &provider.name) {
        Ok(code) => brokered_login::redeem(zone, provider, &front.redirect_uri(), &code).await,
        Err(refusal) => Err(refusal),
    };
    let tokens = match redeemed {
        Ok(tokens) => tokens,
        Err(refusal) => return refuse(front, loaded, &refusal, Some(draft), audience).await,
    };
    let connected = async {
        let now = zone.config.clock.now();
        // Only now is the directory read: the session or the resource may have gone while the
        // provider was asked.
        let (directory, ()) = settled(&front.zone, |directory| {
            still_open(loaded, directory)?;
            let session = transaction::active_session(directory, now, leg.session_id);
            let resource = directory.resources.get(leg.resource_id);
            let resource = resource.filter(|resource| leg.is_of(resource));
            let ((session, user), resource) = session.zip(resource).ok_or_else(|| gone.clone())?;
            let before = directory.grant(&user.id, &resource.id);
            let grant = brokered_login::sealed_grant(
                zone,
                &user.id,
                resource,
                before.map(|grant| &**grant),
                &tokens,
            );
            let mut draft = draft.clone();
            draft.scopes.clone_from(&grant.scopes);
            let mut unchanged = vec![
                loaded.as_read(),
                session.clone().wrap(),
                resource.clone().wrap(),
            ];
            unchanged.extend(before.map(|grant| grant.clone().wrap()));
            let mut next = loaded.transaction.clone();
            next.visited.push(resource.id.clone());
            next.stage = Stage::Consent {
                session_id: session.id.clone(),
            };
            let commit = Commit {
                // That there is no grant yet is true of this directory alone.
                based_on: before.is_none().then(|| directory.generation()),
                unchanged,
                changes: vec![Change::put(grant), loaded.changed(next)?],
                audit: vec![draft],
            };
            Ok((commit, ()))
        })
        .await?;
        resume(front, loaded, leg.browser, now, &directory).await
    }
    .await;
    connected.unwrap_or_else(|refusal: Refusal| error_page(&refusal, audience))
}
