//! From sign-in to code: what is still needed before a client is answered, and the next step there.

use std::sync::Arc;

use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Front,
    authorize::{ReturnTo, error_page, see_other, stale},
    dependency::DependencyState,
    error::not_committed,
    metadata,
    transaction::{self, Loaded, Stage, Transaction, consent_key, fresh_secret, remembered_scopes},
};
use crate::{
    protocol::{
        audit::{AuditEvent, CredentialSource, IdentityChain},
        console::{Consent, LifeStatus, Session, SessionType},
        oauth::ErrorCode,
        secret::Secret,
    },
    support::clock::Stopwatch,
    zone::{
        audit::{Draft, application_party, resource_ref, user_agent_party, user_party},
        brokered_login,
        directory::{
            Application, AuthorizationCode, Change, Directory, Grant, Resource, User, UserAgent,
        },
        pages::Audience,
        refusal::Refusal,
        settled::settled,
        store::Commit,
        vault::SecretHash,
    },
};

/// RFC 6749, section 4.1.2 allows ten minutes; a program redeems its code at once.
const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(1);
/// How long a client may act for a person, and so how long its refresh tokens live
/// (facts/keycard.md, 2.5).
pub(super) const CLIENT_SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);

/// Who asked for what, of whom: the objects that a transaction names.
pub(super) struct Parties {
    pub agent: Arc<UserAgent>,
    pub resource: Arc<Resource>,
    /// The application that provides the resource.
    pub application: Option<Arc<Application>>,
    pub dependencies: Vec<DependencyState>,
}

impl Parties {
    /// Looks them up anew, as all of them can change while a person thinks.
    pub fn of(directory: &Directory, transaction: &Transaction) -> Result<Self, Refusal> {
        let gone = || {
            Refusal::new(
                ErrorCode::InvalidRequest,
                "What this sign-in was about is not there any more",
            )
        };
        let agent = directory
            .user_agents
            .get(&transaction.client_id)
            .ok_or_else(gone)?;
        let resource = directory
            .resources
            .get(&transaction.resource_id)
            .ok_or_else(gone)?;
        let application = resource
            .application_id
            .as_ref()
            .and_then(|id| directory.applications.get(id))
            .cloned();
        let dependencies = application
            .iter()
            .flat_map(|application| directory.dependencies_of(&application.id))
            // A resource without a provider gives nobody anything; there is nothing to agree to.
            .filter(|dependency| dependency.id != resource.id)
            .filter_map(|dependency| {
                let provider = dependency.credential_provider_id.as_ref()?;
                Some(DependencyState {
                    resource: dependency.clone(),
                    provider: directory.providers.get(provider)?.clone(),
                })
            })
            .collect();
        Ok(Self {
            agent: agent.clone(),
            resource: resource.clone(),
            application,
            dependencies,
        })
    }

    /// Whether the person must be asked before going on.
    pub fn must_ask(
        &self,
        directory: &Directory,
        now: DateTime<Utc>,
        transaction: &Transaction,
        user: &User,
    ) -> bool {
        let granted = |resource: &Resource| directory.whole_grant(&user.id, &resource.id).is_some();
        if let Some(agreed) = &transaction.agreed {
            // Agreed a moment ago, and a provider may not have been visited yet. What was added
            // since was not on the page.
            return !self.dependencies.iter().all(|dependency| {
                agreed.contains(&dependency.resource.id) || granted(&dependency.resource)
            });
        }
        if transaction.prompt_consent {
            return true;
        }
        let consent = self
            .application
            .as_ref()
            .map_or(Consent::Required, |application| application.consent);
        let key = consent_key(&user.id, &self.agent.identifier, &self.resource.id);
        match consent {
            Consent::Implicit => std::iter::once(&self.resource)
                .chain(self.dependencies.iter().map(|one| &one.resource))
                .any(|one| !directory.consented(self.application.as_deref(), &user.id, &one.id)),
            // Per client as well as per resource: a client that registered itself a minute ago
            // must not live off what the person allowed another, nor one that was allowed to read
            // come back to write.
            Consent::Required => {
                !remembered_scopes(directory, now, &key).is_some_and(|agreed| {
                    transaction
                        .scopes
                        .iter()
                        .all(|scope| agreed.contains(scope))
                }) || !granted(&self.resource)
                    || !self
                        .dependencies
                        .iter()
                        .all(|dependency| granted(&dependency.resource))
            }
        }
    }

    /// The grants that agreeing makes at once: all but those that need a provider's word.
    pub fn missing_grants(&self, front: &Front, directory: &Directory, user: &User) -> Vec<Grant> {
        let zone = &front.zone;
        std::iter::once(&self.resource)
            .chain(
                self.dependencies
                    .iter()
                    .filter(|dependency| dependency.provider.kind != CredentialSource::External)
                    .map(|dependency| &dependency.resource),
            )
            .filter(|resource| directory.whole_grant(&user.id, &resource.id).is_none())
            .map(|resource| Grant {
                id: directory
                    .active_grant(&user.id, &resource.id)
                    .map_or_else(|| zone.config.ids.short(), |grant| grant.id.clone()),
                user_id: user.id.clone(),
                resource_id: resource.id.clone(),
                provider_id: resource.credential_provider_id.clone(),
                scopes: resource.scopes.clone(),
                status: LifeStatus::Active,
                created_at: zone.config.clock.now(),
                access_token: None,
                refresh_token: None,
                expires_at: None,
            })
            .collect()
    }

    /// The next dependency whose provider the person must still be sent to.
    pub fn next_login(
        &self,
        directory: &Directory,
        now: DateTime<Utc>,
        transaction: &Transaction,
        user: &User,
    ) -> Option<&DependencyState> {
        self.dependencies
            .iter()
            .find(|dependency| dependency.sign_in_follows(directory, now, transaction, user))
    }

    /// An audit row about `resource`: the client and the person, and nothing decided yet.
    pub fn draft(
        &self,
        front: &Front,
        event: AuditEvent,
        resource: &Resource,
        user: Option<&User>,
        session_id: Option<&str>,
        started: Stopwatch,
    ) -> Draft {
        let mut draft = Draft::new(event, front.zone.config.ids.short(), started);
        draft.resource = Some(resource_ref(resource));
        draft.scopes.clone_from(&resource.scopes);
        draft.actor = IdentityChain {
            application: Some(user_agent_party(&self.agent)),
            user: user.map(user_party),
        };
        draft.session_id = session_id.map(str::to_owned);
        draft
    }

    /// The audit row of a grant: it lets the application that stands behind the resource act.
    pub fn grant_draft(
        &self,
        front: &Front,
        resource: &Resource,
        user: &User,
        session_id: &str,
        started: Stopwatch,
    ) -> Draft {
        let mut draft = self.draft(
            front,
            AuditEvent::DelegatedGrantsCreate,
            resource,
            Some(user),
            Some(session_id),
            started,
        );
        if let Some(application) = self
            .application
            .as_ref()
            .filter(|_| resource.id != self.resource.id)
        {
            draft.actor.application = Some(application_party(application, &application.identifier));
        }
        draft
    }
}

impl Loaded {
    /// Where the client is answered.
    pub fn return_to(&self) -> ReturnTo {
        ReturnTo {
            redirect_uri: self.transaction.redirect_uri.clone(),
            state: self.state.as_ref().map(|state| state.expose().clone()),
        }
    }
}

/// The next step of a sign-in: a page, a provider, or the client.
pub(super) async fn advance(front: &Front, loaded: &Loaded) -> Response {
    match try_advance(front, loaded).await {
        Ok(response) => response,
        Err(refusal) => loaded
            .return_to()
            .with_error(&front.zone.config.issuer, &refusal),
    }
}

/// Where the browser goes next.
enum Next {
    Page(&'static str),
    Provider(String),
    /// Back to the client, with a code.
    Client(Secret),
}

async fn try_advance(front: &Front, loaded: &Loaded) -> Result<Response, Refusal> {
    let started = Stopwatch::start();
    let (_, next) = settled(&front.zone, |directory| {
        next(front, loaded, directory, started)
    })
    .await?;
    Ok(match next {
        Next::Page(path) => see_other(&page_url(front, path, loaded)),
        Next::Provider(url) => see_other(&url),
        Next::Client(code) => loaded
            .return_to()
            .with_code(&front.zone.config.issuer, &code),
    })
}

/// Decides the next step on one snapshot. It rests on all of it: on the session and the person, on
/// grants that are not there yet, and on what else the application could ask for.
fn next(
    front: &Front,
    loaded: &Loaded,
    directory: &Directory,
    started: Stopwatch,
) -> Result<(Commit, Next), Refusal> {
    let now = front.zone.config.clock.now();
    let transaction = &loaded.transaction;
    let session_id = match &transaction.stage {
        Stage::SignIn | Stage::IdentityProvider { .. } => {
            return Ok((Commit::default(), Next::Page(metadata::SIGN_IN)));
        }
        Stage::Consent { session_id } | Stage::Provider { session_id, .. } => session_id,
    };
    let mut step = Commit {
        based_on: Some(directory.generation()),
        unchanged: vec![loaded.as_read()],
        ..Commit::default()
    };
    let Some((session, user)) = transaction::active_session(directory, now, session_id) else {
        still_open(loaded, directory)?;
        step.changes.push(loaded.moved(Stage::SignIn)?);
        return Ok((step, Next::Page(metadata::SIGN_IN)));
    };
    let parties = Parties::of(directory, transaction)?;
    if parties.must_ask(directory, now, transaction, &user) {
        return Ok((Commit::default(), Next::Page(metadata::CONSENT)));
    }
    still_open(loaded, directory)?;
    let grants = parties.missing_grants(front, directory, &user);
    step.audit = grants
        .iter()
        .filter_map(|grant| directory.resources.get(&grant.resource_id))
        .map(|resource| parties.grant_draft(front, resource, &user, &session.id, started))
        .collect();
    step.changes = grants.into_iter().map(Change::put).collect();
    let Some(dependency) = parties.next_login(directory, now, transaction, &user) else {
        let code = finish(front, loaded, &parties, &session, &user, &mut step);
        return Ok((step, Next::Client(code)));
    };
    let nonce = fresh_secret(&front.zone);
    step.changes.push(loaded.moved(Stage::Provider {
        session_id: session.id.clone(),
        resource_id: dependency.resource.id.clone(),
        provider_id: dependency.provider.id.clone(),
        nonce: SecretHash::of(&nonce),
    })?);
    let Some(oauth) = &dependency.provider.oauth else {
        return Err(Refusal::new(
            ErrorCode::ServerError,
            format!(
                "The provider {} has no OAuth client",
                dependency.provider.name
            ),
        ));
    };
    let url = brokered_login::provider_url(
        oauth,
        &dependency.resource,
        &user,
        &front.redirect_uri(),
        &upstream_state(loaded, &nonce),
    );
    Ok((step, Next::Provider(url)))
}

/// Refuses a step of a sign-in that went on meanwhile.
pub(super) fn still_open(loaded: &Loaded, directory: &Directory) -> Result<(), Refusal> {
    if loaded.stands(directory) {
        Ok(())
    } else {
        Err(stale())
    }
}

/// Ends the sign-in with a code.
fn finish(
    front: &Front,
    loaded: &Loaded,
    parties: &Parties,
    web_session: &Session,
    user: &User,
    step: &mut Commit,
) -> Secret {
    let zone = &front.zone;
    let now = zone.config.clock.now();
    let transaction = &loaded.transaction;
    // A session of its own for every sign-in of a client, so that it can be ended alone.
    let session = Session {
        id: zone.config.ids.short(),
        session_type: SessionType::User,
        user_id: Some(user.id.clone()),
        user_name: Some(user.email.clone()),
        application_id: None,
        user_agent_id: Some(parties.agent.id.clone()),
        initiator_name: Some(parties.agent.name.clone()),
        parent_id: Some(web_session.id.clone()),
        authenticated_at: web_session.authenticated_at,
        expires_at: now + CLIENT_SESSION_LIFETIME,
        status: LifeStatus::Active,
    };
    let code = fresh_secret(zone);
    step.changes.push(loaded.ended());
    step.changes.push(Change::put(AuthorizationCode {
        id: SecretHash::of(&code),
        client_id: transaction.client_id.clone(),
        redirect_uri: transaction.redirect_uri.clone(),
        code_challenge: transaction.code_challenge.clone(),
        user_id: user.id.clone(),
        session_id: session.id.clone(),
        resource_id: transaction.resource_id.clone(),
        scopes: transaction.scopes.clone(),
        nonce: transaction.nonce.clone(),
        expires_at: now + CODE_LIFETIME,
        used_at: None,
        family: None,
    }));
    step.changes.push(Change::put(session));
    code
}

/// Commits a step; a step that was done already is refused.
pub(super) async fn commit(front: &Front, commit: Commit) -> Result<Arc<Directory>, Refusal> {
    front
        .zone
        .store
        .commit(commit)
        .await
        .map_err(|error| not_committed(error, stale))
}

/// Goes on from where the sign-in stands in `directory`, after a step that was taken at `now`.
pub(super) async fn resume(
    front: &Front,
    loaded: &Loaded,
    browser: Option<&Secret>,
    now: DateTime<Utc>,
    directory: &Directory,
) -> Result<Response, Refusal> {
    let loaded = Loaded::find(
        &front.zone.vault,
        directory,
        now,
        loaded.handle.expose(),
        browser,
    )?;
    Ok(advance(front, &loaded).await)
}

/// Ends the sign-in with an error for the client, leaving `draft` as a failure in the log.
pub(super) async fn refuse(
    front: &Front,
    loaded: &Loaded,
    refusal: &Refusal,
    draft: Option<Draft>,
    audience: Audience,
) -> Response {
    let audit = draft.map(|mut draft| {
        draft.refuse(refusal);
        draft
    });
    let ended = commit(
        front,
        Commit {
            unchanged: vec![loaded.as_read()],
            changes: vec![loaded.ended()],
            audit: audit.into_iter().collect(),
            ..Commit::default()
        },
    )
    .await;
    match ended {
        Ok(_) => loaded
            .return_to()
            .with_error(&front.zone.config.issuer, refusal),
        Err(refusal) => error_page(&refusal, audience),
    }
}

/// The `state` that a provider brings back: which sign-in, and a proof that it is this leg of it.
pub(super) fn upstream_state(loaded: &Loaded, nonce: &Secret) -> Secret {
    Secret::new(format!("{}.{}", loaded.handle.expose(), nonce.expose()))
}

pub(super) fn page_url(front: &Front, path: &str, loaded: &Loaded) -> String {
    format!(
        "{}{path}?transaction={}",
        front.zone.config.issuer,
        loaded.handle.expose()
    )
}
