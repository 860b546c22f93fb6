//! The two pages of the zone that ask a person something: who they are, and whether they agree.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    Front,
    authorize::{error_page, see_other},
    form::Params,
    metadata, redirect_uri,
    steps::{
        CLIENT_SESSION_LIFETIME, Parties, advance, commit, page_url, refuse, resume, still_open,
        upstream_state,
    },
    transaction::{self, Loaded, Stage, Transaction, consent_key, fresh_secret},
};
use crate::{
    protocol::{console::Session, oauth::ErrorCode, secret::Secret},
    support::{clock::Stopwatch, digest::sha256},
    zone::{
        brokered_login,
        directory::{Change, Directory, Resource, User},
        pages::{Audience, ConsentDependency, ConsentPage, FormTarget, SignInPage},
        refusal::Refusal,
        settled::settled,
        store::Commit,
        vault::SecretHash,
    },
};

/// A step of a sign-in as the browser asked for it.
struct Step {
    directory: Arc<Directory>,
    loaded: Loaded,
    browser: Secret,
    audience: Audience,
    form: Params,
}

impl Step {
    /// A page that was asked for.
    fn shown(front: &Front, headers: &HeaderMap, query: Option<&str>) -> Result<Self, Refusal> {
        Self::read(
            front,
            headers,
            Params::parse(query.unwrap_or_default().as_bytes()),
        )
    }

    /// A form that was sent, from a page of ours in the same browser.
    fn submitted(front: &Front, headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let refused = || {
            Refusal::new(
                ErrorCode::InvalidRequest,
                "This form was not sent from the zone's own page",
            )
        };
        if headers
            .get(header::ORIGIN)
            .is_some_and(|origin| origin.as_bytes() != front.zone.config.issuer.as_bytes())
        {
            return Err(refused());
        }
        let step = Self::read(front, headers, Params::parse(body))?;
        let expected = Secret::new(step.loaded.csrf(&step.browser));
        let sent = step.form.required("csrf")?;
        if !SecretHash::of(&expected).matches(&Secret::from(sent)) {
            return Err(refused());
        }
        Ok(step)
    }

    fn read(front: &Front, headers: &HeaderMap, form: Params) -> Result<Self, Refusal> {
        let directory = front.zone.directory();
        let browser = front.cookies.browser(headers);
        let loaded = Loaded::find(
            &front.zone.vault,
            &directory,
            front.zone.config.clock.now(),
            form.required("transaction")?,
            browser.as_ref(),
        )?;
        Ok(Self {
            directory,
            loaded,
            // `find` compared it, so it was there.
            browser: browser.unwrap_or_else(|| Secret::from("")),
            audience: Audience::of(headers),
            form,
        })
    }

    fn target(&self, front: &Front, path: &str, shown: Option<String>) -> FormTarget {
        FormTarget {
            action: format!("{}{path}", front.zone.config.issuer),
            transaction: self.loaded.handle.expose().clone(),
            csrf: self.loaded.csrf(&self.browser),
            shown,
        }
    }

    /// The signed-in person, if the sign-in is that far.
    fn person(&self, front: &Front) -> Option<(Arc<Session>, Arc<User>)> {
        match &self.loaded.transaction.stage {
            Stage::SignIn | Stage::IdentityProvider { .. } => None,
            Stage::Consent { session_id } | Stage::Provider { session_id, .. } => {
                transaction::active_session(
                    &self.directory,
                    front.zone.config.clock.now(),
                    session_id,
                )
            }
        }
    }
}

/// Answers with a page, or with the page that says why not.
fn answer(result: Result<Response, Refusal>, headers: &HeaderMap) -> Response {
    result.unwrap_or_else(|refusal| error_page(&refusal, Audience::of(headers)))
}

/// `GET /login/sign-in`
pub(super) async fn show_sign_in(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let step = match Step::shown(&front, &headers, query.as_deref()) {
        Ok(step) => step,
        Err(refusal) => return answer(Err(refusal), &headers),
    };
    match step.loaded.transaction.stage {
        Stage::SignIn | Stage::IdentityProvider { .. } => {}
        Stage::Consent { .. } | Stage::Provider { .. } => {
            return advance(&front, &step.loaded).await;
        }
    }
    let page = Parties::of(&step.directory, &step.loaded.transaction).map(|parties| {
        SignInPage {
            client_name: parties.agent.name.clone(),
            resource_name: parties.resource.name.clone(),
            provider_name: front.zone.config.identity_provider.name.clone(),
            target: step.target(&front, metadata::SIGN_IN, None),
        }
        .respond(step.audience)
    });
    answer(page, &headers)
}

/// `POST /login/sign-in`
pub(super) async fn submit_sign_in(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(
        to_identity_provider(&front, &headers, &body).await,
        &headers,
    )
}

async fn to_identity_provider(
    front: &Front,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Refusal> {
    let step = Step::submitted(front, headers, body)?;
    match step.loaded.transaction.stage {
        Stage::SignIn | Stage::IdentityProvider { .. } => {}
        // A form of before the person signed in, in another tab.
        Stage::Consent { .. } | Stage::Provider { .. } => {
            return Ok(advance(front, &step.loaded).await);
        }
    }
    let nonce = fresh_secret(&front.zone);
    let url = brokered_login::identity::identity_url(
        &front.zone.config.identity_provider,
        &front.redirect_uri(),
        &upstream_state(&step.loaded, &nonce),
    );
    commit(
        front,
        Commit {
            unchanged: vec![step.loaded.as_read()],
            changes: vec![step.loaded.moved(Stage::IdentityProvider {
                nonce: SecretHash::of(&nonce),
            })?],
            ..Commit::default()
        },
    )
    .await?;
    Ok(see_other(&url))
}

/// `GET /login/consent`
pub(super) async fn show_consent(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let step = match Step::shown(&front, &headers, query.as_deref()) {
        Ok(step) => step,
        Err(refusal) => return answer(Err(refusal), &headers),
    };
    let Some((_, user)) = step.person(&front) else {
        return advance(&front, &step.loaded).await;
    };
    match consent_page(&front, &step, &user) {
        Ok(Some(page)) => page.respond(step.audience),
        Ok(None) => advance(&front, &step.loaded).await,
        Err(refusal) => answer(Err(refusal), &headers),
    }
}

/// The page, or nothing if there is nothing to ask.
fn consent_page(front: &Front, step: &Step, user: &User) -> Result<Option<ConsentPage>, Refusal> {
    let now = front.zone.config.clock.now();
    let transaction = &step.loaded.transaction;
    let parties = Parties::of(&step.directory, transaction)?;
    if !parties.must_ask(&step.directory, now, transaction, user) {
        return Ok(None);
    }
    let dependencies = parties
        .dependencies
        .iter()
        .map(|dependency| ConsentDependency {
            name: dependency.resource.name.clone(),
            kind: dependency.provider.kind,
            provider_name: dependency.provider.name.clone(),
            scopes: dependency.scopes(&step.directory, user).to_vec(),
            sign_in_follows: dependency.sign_in_follows(&step.directory, now, transaction, user),
        })
        .collect();
    Ok(Some(ConsentPage {
        client_name: parties.agent.name.clone(),
        redirect_host: redirect_uri::shown_host(&transaction.redirect_uri),
        redirect_is_loopback: redirect_uri::classify(&transaction.redirect_uri)
            == Ok(redirect_uri::RedirectKind::Loopback),
        user_name: user.email.clone(),
        resource_name: parties.resource.name.clone(),
        resource_identifier: parties.resource.identifier.clone(),
        scopes: transaction.scopes.clone(),
        application_name: parties
            .application
            .as_ref()
            .map(|application| application.name.clone()),
        dependencies,
        target: step.target(
            front,
            metadata::CONSENT,
            Some(shown(&step.directory, &parties, transaction, user)),
        ),
    }))
}

/// Names what the consent page says and to whom: the answer to one page is no answer to another.
fn shown(
    directory: &Directory,
    parties: &Parties,
    transaction: &Transaction,
    user: &User,
) -> String {
    let resource = |resource: &Resource| {
        json!([
            resource.id,
            resource.identifier,
            resource.name,
            resource.scopes
        ])
    };
    let said = json!({
        "person": user.id,
        "scopes": transaction.scopes,
        "resource": resource(&parties.resource),
        "application": parties.application.as_ref().map(|application| &application.name),
        "dependencies": parties
            .dependencies
            .iter()
            .map(|dependency| {
                (
                    resource(&dependency.resource),
                    &dependency.provider.id,
                    dependency.scopes(directory, user),
                )
            })
            .collect::<Vec<_>>(),
    });
    URL_SAFE_NO_PAD.encode(sha256(said.to_string().as_bytes()))
}

/// `POST /login/consent`
pub(super) async fn submit_consent(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(decide(&front, &headers, &body).await, &headers)
}

async fn decide(front: &Front, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
    let started = Stopwatch::start();
    let step = Step::submitted(front, headers, body)?;
    let Some((session, user)) = step.person(front) else {
        return Ok(see_other(&page_url(front, metadata::SIGN_IN, &step.loaded)));
    };
    match step.form.required("decision")? {
        "allow" => {}
        "deny" => {
            let parties = Parties::of(&step.directory, &step.loaded.transaction)?;
            let draft = parties.grant_draft(front, &parties.resource, &user, &session.id, started);
            let refusal = Refusal::new(ErrorCode::AccessDenied, "The person refused to agree");
            return Ok(refuse(front, &step.loaded, &refusal, Some(draft), step.audience).await);
        }
        _ => {
            return Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "The answer is neither allow nor deny",
            ));
        }
    }
    let page = step.form.one("shown")?;
    let now = front.zone.config.clock.now();
    let (directory, agreed) = settled(&front.zone, |directory| {
        still_open(&step.loaded, directory)?;
        let transaction = &step.loaded.transaction;
        let parties = Parties::of(directory, transaction)?;
        let person = transaction::active_session(directory, now, &session.id)
            .filter(|(_, user)| page == Some(&shown(directory, &parties, transaction, user)));
        let Some((session, user)) = person else {
            return Ok((Commit::default(), false));
        };
        let commit = agreement(
            front,
            &step.loaded,
            directory,
            &parties,
            (&session, &user),
            started,
        )?;
        Ok((commit, true))
    })
    .await?;
    if agreed {
        resume(front, &step.loaded, Some(&step.browser), now, &directory).await
    } else {
        // The page says something else by now, or to somebody else.
        Ok(advance(front, &step.loaded).await)
    }
}

/// What agreeing changes. It rests on the whole directory, as the page does.
fn agreement(
    front: &Front,
    loaded: &Loaded,
    directory: &Directory,
    parties: &Parties,
    (session, user): (&Session, &User),
    started: Stopwatch,
) -> Result<Commit, Refusal> {
    let now = front.zone.config.clock.now();
    let transaction = &loaded.transaction;
    let grants = parties.missing_grants(front, directory, user);
    let audit = grants
        .iter()
        .filter_map(|grant| directory.resources.get(&grant.resource_id))
        .map(|resource| parties.grant_draft(front, resource, user, &session.id, started))
        .collect();
    let key = consent_key(&user.id, &parties.agent.identifier, &parties.resource.id);
    let mut changes: Vec<Change> = grants.into_iter().map(Change::put).collect();
    // What was agreed to earlier still is: the page asked for more, it took nothing back.
    let mut scopes = transaction::remembered_scopes(directory, now, &key).unwrap_or_default();
    scopes.extend(transaction.scopes.iter().cloned());
    scopes.sort();
    scopes.dedup();
    changes.push(transaction::remembered_consent(
        key,
        scopes,
        now + CLIENT_SESSION_LIFETIME,
    )?);
    changes.push(
        loaded.changed(Transaction {
            agreed: Some(
                parties
                    .dependencies
                    .iter()
                    .map(|dependency| dependency.resource.id.clone())
                    .collect(),
            ),
            stage: Stage::Consent {
                session_id: session.id.clone(),
            },
            ..transaction.clone()
        })?,
    );
    Ok(Commit {
        based_on: Some(directory.generation()),
        unchanged: vec![loaded.as_read()],
        changes,
        audit,
    })
}
