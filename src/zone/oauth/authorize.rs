//! The authorization endpoint (RFC 6749, section 4.1.1): checks a request and begins a sign-in.
//!
//! What is wrong before the redirect URI is known to be the client's is shown to the person; what
//! is wrong afterwards goes back to the client.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Front,
    error::not_committed,
    form::Params,
    pkce::CodeChallenge,
    redirect_uri,
    steps::advance,
    transaction::{self, Loaded, Stage, Transaction, fresh_secret},
};
use crate::{
    protocol::{audit::CredentialSource, oauth::ErrorCode, secret::Secret},
    zone::{
        directory::{Directory, Resource, UserAgent},
        pages::{Audience, ErrorPage},
        refusal::Refusal,
        sessions,
        store::Commit,
        vault::SecretHash,
    },
};

/// Where a client is answered, whatever the answer.
#[derive(Debug, Clone)]
pub(super) struct ReturnTo {
    pub redirect_uri: String,
    pub state: Option<String>,
}

impl ReturnTo {
    /// Sends the browser back with a code.
    pub fn with_code(&self, issuer: &str, code: &Secret) -> Response {
        self.redirect(issuer, &[("code", code.expose())])
    }

    /// Sends the browser back with an error (RFC 6749, section 4.1.2.1).
    pub fn with_error(&self, issuer: &str, refusal: &Refusal) -> Response {
        self.redirect(
            issuer,
            &[
                ("error", refusal.code.as_str()),
                ("error_description", &ascii(&refusal.description)),
            ],
        )
    }

    fn redirect(&self, issuer: &str, parameters: &[(&str, &str)]) -> Response {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        // RFC 9207, section 2: on success and on error.
        query.append_pair("iss", issuer);
        let separator = if self.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        see_other(&format!(
            "{}{separator}{}",
            self.redirect_uri,
            query.finish()
        ))
    }
}

/// RFC 6749, section 4.1.2.1: a description is printable ASCII. It would also be without quotes, but
/// Keycard's sentences have them (facts/keycard.md, 2.3), and they are percent-encoded anyway.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, ' '..='~') { c } else { '?' })
        .collect()
}

/// 303 (RFC 9700, section 4.12: the browser must not send a form on to the next place).
pub(super) fn see_other(location: &str) -> Response {
    let Ok(value) = HeaderValue::try_from(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::LOCATION, value),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A page for what must not go back to the client.
pub(super) fn error_page(refusal: &Refusal, audience: Audience) -> Response {
    ErrorPage {
        status: refusal.status(),
        code: refusal.code,
        title: "This sign-in cannot go on",
        description: refusal.description.clone(),
        next: "Close this page and start again from your client.",
    }
    .respond(audience)
}

/// `GET /oauth/2/authorize`
pub(super) async fn authorize(
    State(front): State<Arc<Front>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes());
    let directory = front.zone.directory();
    let (agent, back) = match client(&directory, &query) {
        Ok(found) => found,
        Err(refusal) => return error_page(&refusal, Audience::of(&headers)),
    };
    match begin(&front, &directory, &agent, &back, &query, &headers).await {
        Ok(response) => response,
        Err(refusal) => back.with_error(&front.zone.config.issuer, &refusal),
    }
}

fn client(directory: &Directory, query: &Params) -> Result<(Arc<UserAgent>, ReturnTo), Refusal> {
    let refused = |text: &str| Refusal::new(ErrorCode::InvalidRequest, text);
    let client_id = query.required("client_id")?;
    let agent = directory.user_agents.get(client_id).ok_or_else(|| {
        Refusal::new(
            ErrorCode::InvalidClient,
            "This client is not registered with the zone. It must register again",
        )
    })?;
    let asked = query.required("redirect_uri")?;
    if !agent
        .redirect_uris
        .iter()
        .any(|registered| redirect_uri::matches(registered, asked))
    {
        return Err(refused(
            "The redirect URI is not one that this client registered",
        ));
    }
    Ok((
        agent.clone(),
        ReturnTo {
            redirect_uri: asked.to_owned(),
            state: query.one("state")?.map(str::to_owned),
        },
    ))
}

async fn begin(
    front: &Front,
    directory: &Directory,
    agent: &UserAgent,
    back: &ReturnTo,
    query: &Params,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let code_challenge = check_response_type(query).and_then(|()| CodeChallenge::read(query))?;
    let resource = resource(directory, query)?;
    let now = front.zone.config.clock.now();
    let browser = front.cookies.browser(headers);
    let is_new = browser.is_none();
    let browser = browser.unwrap_or_else(|| fresh_secret(&front.zone));
    let prompts = |prompt: &str| -> Result<bool, Refusal> {
        Ok(query
            .one("prompt")?
            .is_some_and(|all| all.split(' ').any(|one| one == prompt)))
    };
    let session = transaction::signed_in(directory, now, front.cookies.session(headers).as_ref());
    let stage = match session {
        Some((session, _)) if !prompts("login")? => Stage::Consent {
            session_id: session.id.clone(),
        },
        _ => Stage::SignIn,
    };
    let handle = fresh_secret(&front.zone);
    let transaction = Transaction {
        browser: SecretHash::of(&browser),
        client_id: agent.identifier.clone(),
        redirect_uri: back.redirect_uri.clone(),
        state: back
            .state
            .as_deref()
            .map(|state| transaction::sealed_state(&front.zone.vault, &handle, state)),
        resource_id: resource.id.clone(),
        scopes: query.scopes()?.unwrap_or_default(),
        code_challenge: code_challenge.as_str().to_owned(),
        nonce: query.one("nonce")?.map(str::to_owned),
        prompt_consent: prompts("consent")?,
        agreed: None,
        visited: Vec::new(),
        stage,
    };
    // With every new sign-in, so that the tables cannot grow for ever.
    let mut changes = sessions::sweep(directory, now);
    changes.push(transaction::row(&handle, now, transaction)?);
    let directory = front
        .zone
        .store
        .commit(Commit {
            changes,
            ..Commit::default()
        })
        .await
        .map_err(|error| not_committed(error, stale))?;
    let loaded = Loaded::find(
        &front.zone.vault,
        &directory,
        now,
        handle.expose(),
        Some(&browser),
    )?;
    let mut response = advance(front, &loaded).await;
    if is_new {
        response
            .headers_mut()
            .append(header::SET_COOKIE, front.cookies.set_browser(&browser));
    }
    Ok(response)
}

/// Somebody was faster: a button pressed twice.
pub(super) fn stale() -> Refusal {
    Refusal::new(
        ErrorCode::InvalidRequest,
        "This step of the sign-in was done already",
    )
}

fn check_response_type(query: &Params) -> Result<(), Refusal> {
    match query.required("response_type")? {
        "code" => Ok(()),
        _ => Err(Refusal::new(
            ErrorCode::UnsupportedResponseType,
            "The only response type is code",
        )),
    }
}

/// RFC 8707, section 2. Keycard without `resource` gives a token for its userinfo resource
/// (facts/keycard.md, 2.3); the lab has none and says so.
fn resource(directory: &Directory, query: &Params) -> Result<Arc<Resource>, Refusal> {
    let target = |text: String| Refusal::new(ErrorCode::InvalidTarget, text);
    let Some(identifier) = query.one("resource")? else {
        return Err(target(
            "The parameter resource is missing: name the MCP server that the token is for".into(),
        ));
    };
    let resource = directory
        .resource_identified(identifier)
        .ok_or_else(|| Refusal::unknown_resource(identifier))?;
    signs_for(directory, resource)?;
    Ok(resource.clone())
}

/// Whether the zone signs the resource's tokens itself.
pub(super) fn signs_for(directory: &Directory, resource: &Resource) -> Result<(), Refusal> {
    let target = |text: String| Refusal::new(ErrorCode::InvalidTarget, text);
    let provider = resource
        .credential_provider_id
        .as_ref()
        .and_then(|id| directory.providers.get(id));
    match provider.map(|provider| provider.kind) {
        Some(CredentialSource::KeycardSts) => Ok(()),
        // A browser never carries a vaulted key or an upstream token away: those are for
        // applications that exchange. The sentence is ours.
        Some(CredentialSource::KeycardVault | CredentialSource::External) => Err(target(format!(
            "Resource \"{}\" is not one that the zone signs tokens for",
            resource.name
        ))),
        None => Err(target(format!(
            "Resource \"{}\" is missing a credential provider",
            resource.name
        ))),
    }
}
