//! Stand-in for GitHub as an identity provider: the page where a sample person signs in, the code,
//! the token, and who that is.
//!
//! The OAuth web application flow with GitHub's paths and error codes. There are no passwords, as
//! there is nobody to protect: the people are made up. Must not know what the zone does with them.

mod grants;
mod page;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Form, Query, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    protocol::{oauth::ErrorResponse, secret::Secret},
    support::{clock::SharedClock, digest::sha256, ids::Ids},
};

use self::grants::{Grants, Pending};
use super::{guard, observe::bearer, people::Person};

/// Nothing that is sent here is longer.
const LONGEST_REQUEST: usize = 64 << 10;
const AUTHORIZE: &str = "/login/oauth/authorize";
const DOCUMENTATION: &str = "https://docs.github.com/rest";

/// An OAuth app that is registered here.
#[derive(Debug, Clone)]
pub struct Client {
    pub client_id: String,
    pub client_secret: Secret,
    /// What the sign-in page calls it.
    pub name: String,
    /// Compared exactly; the first is where errors go.
    pub redirect_uris: Vec<String>,
}

/// What the stand-in needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own origin, without a slash at the end.
    pub base_url: String,
    /// Who can sign in; the first by default. Usually [`super::people::PEOPLE`].
    pub users: &'static [Person],
    pub clients: Vec<Client>,
    pub clock: SharedClock,
    pub ids: Ids,
}

/// The stand-in, behind the loopback guard.
pub fn router(config: Config) -> Router {
    let service = Arc::new(Service {
        grants: Grants::new(config.clock.clone()),
        config,
    });
    Router::new()
        .route(AUTHORIZE, get(show).post(choose))
        .route("/login/oauth/access_token", post(access_token))
        .route("/user", get(user))
        .route("/user/emails", get(emails))
        .fallback(|| async { not_found() })
        .layer(DefaultBodyLimit::max(LONGEST_REQUEST))
        .layer(middleware::from_fn(guard::loopback_only))
        .with_state(service)
}

#[derive(Debug)]
struct Service {
    config: Config,
    grants: Grants,
}

#[derive(Debug, Deserialize)]
struct Authorize {
    #[serde(default)]
    client_id: String,
    redirect_uri: Option<String>,
    state: Option<String>,
    #[serde(default)]
    scope: String,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

async fn show(
    State(service): State<Arc<Service>>,
    Query(query): Query<Authorize>,
    headers: HeaderMap,
) -> Response {
    let Some(client) = service
        .config
        .clients
        .iter()
        .find(|client| client.client_id == query.client_id)
    else {
        return page_error(
            &headers,
            StatusCode::NOT_FOUND,
            "invalid_client",
            "No application with this client_id is registered.",
        );
    };
    let redirect_uri = match (&query.redirect_uri, client.redirect_uris.first()) {
        (Some(asked), _) if client.redirect_uris.contains(asked) => asked.clone(),
        (None, Some(only)) => only.clone(),
        (Some(_) | None, _) => {
            return page_error(
                &headers,
                StatusCode::BAD_REQUEST,
                "redirect_uri_mismatch",
                "The redirect_uri MUST match the registered callback URL for this application.",
            );
        }
    };
    match (
        &query.code_challenge,
        query.code_challenge_method.as_deref(),
    ) {
        (None, _) | (Some(_), Some("S256")) => {}
        (Some(_), _) => {
            return page_error(
                &headers,
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "code_challenge_method must be S256.",
            );
        }
    }
    let ticket = service.config.ids.token(18);
    let name = client.name.clone();
    let form = page::form(&service.config, &name, &ticket);
    service.grants.begin(
        &ticket,
        Pending {
            client_id: client.client_id.clone(),
            redirect_uri: redirect_uri.clone(),
            state: query.state,
            scope: query.scope,
            code_challenge: query.code_challenge,
        },
    );
    let mut response = if wants_json(&headers) {
        Json(form).into_response()
    } else {
        page::html(&form, &name, service.config.users).into_response()
    };
    page::protect(&mut response);
    response
}

#[derive(Debug, Deserialize)]
struct Choice {
    ticket: String,
    login: String,
}

async fn choose(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    form: Result<Form<Choice>, FormRejection>,
) -> Response {
    let Ok(Form(choice)) = form else {
        return page_error(
            &headers,
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The form was incomplete.",
        );
    };
    let Some(pending) = service.grants.take_pending(&choice.ticket) else {
        return page_error(
            &headers,
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "This sign-in is over or never began. Start again from the application.",
        );
    };
    let Ok(mut target) = Url::parse(&pending.redirect_uri) else {
        return page_error(
            &headers,
            StatusCode::BAD_REQUEST,
            "redirect_uri_mismatch",
            "The registered callback URL is no URL.",
        );
    };
    let state = pending.state.clone();
    match service
        .config
        .users
        .iter()
        .find(|u| u.login == choice.login)
    {
        Some(person) => {
            let code = service.config.ids.token(15);
            service.grants.grant(&code, pending, person);
            target.query_pairs_mut().append_pair("code", &code);
        }
        None => {
            target
                .query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair(
                    "error_description",
                    "The user has denied your application access.",
                );
        }
    }
    if let Some(state) = state {
        target.query_pairs_mut().append_pair("state", &state);
    }
    let mut response = Redirect::to(target.as_str()).into_response();
    page::protect(&mut response);
    response
}

#[derive(Deserialize)]
struct Exchange {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    #[serde(default)]
    code: String,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

async fn access_token(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    form: Result<Form<Exchange>, FormRejection>,
) -> Response {
    let Ok(Form(exchange)) = form else {
        return token_error(&headers, "invalid_request", "The form was incomplete.");
    };
    let known = service.config.clients.iter().any(|client| {
        client.client_id == exchange.client_id && client.client_secret.is(&exchange.client_secret)
    });
    if !known {
        return token_error(
            &headers,
            "incorrect_client_credentials",
            "The client_id and/or client_secret passed are incorrect.",
        );
    }
    let bad_code = || {
        token_error(
            &headers,
            "bad_verification_code",
            "The code passed is incorrect or expired.",
        )
    };
    // Used up by the first try, also by one that fails after this.
    let Some((pending, person)) = service.grants.take_code(&exchange.code) else {
        return bad_code();
    };
    if pending.client_id != exchange.client_id {
        return bad_code();
    }
    if exchange
        .redirect_uri
        .is_some_and(|uri| uri != pending.redirect_uri)
    {
        return token_error(
            &headers,
            "redirect_uri_mismatch",
            "The redirect_uri MUST match the registered callback URL for this application.",
        );
    }
    if let Some(challenge) = &pending.code_challenge {
        let proven = exchange.code_verifier.is_some_and(|verifier| {
            URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())) == *challenge
        });
        if !proven {
            return bad_code();
        }
    }
    let token = format!("gho_{}", service.config.ids.token(27));
    let scope = pending.scope.replace([' ', '+'], ",");
    service.grants.remember(&token, person, scope.clone());
    token_answer(
        &headers,
        &[
            ("access_token", &token),
            ("scope", &scope),
            ("token_type", "bearer"),
        ],
    )
}

async fn user(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    match service.caller(&headers) {
        Some((person, _)) => no_store(Json(json!({
            "login": person.login,
            "id": person.id,
            "type": "User",
            "site_admin": false,
            "name": person.name,
            // As on GitHub: an address that is not public is not here but among the e-mails.
            "email": null,
            "html_url": format!("{}/{}", service.config.base_url, person.login),
        }))),
        None => bad_credentials(),
    }
}

async fn emails(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    match service.caller(&headers) {
        Some((person, scope)) if scope.split(',').any(|s| matches!(s, "user" | "user:email")) => {
            no_store(Json(json!([{
                "email": person.email,
                "primary": true,
                "verified": true,
                "visibility": "private",
            }])))
        }
        Some(_) => not_found(),
        None => bad_credentials(),
    }
}

impl Service {
    fn caller(&self, headers: &HeaderMap) -> Option<(&'static Person, String)> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = bearer(value).or_else(|| value.strip_prefix("token "))?;
        self.grants.caller(token)
    }
}

fn no_store(body: Json<Value>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn bad_credentials() -> Response {
    let body = json!({
        "message": "Bad credentials",
        "documentation_url": DOCUMENTATION,
        "status": "401",
    });
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

fn not_found() -> Response {
    let body = json!({
        "message": "Not Found",
        "documentation_url": DOCUMENTATION,
        "status": "404",
    });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"))
}

/// An error that a person sees, or a program in its own form.
fn page_error(headers: &HeaderMap, status: StatusCode, code: &str, message: &str) -> Response {
    let mut response = if wants_json(headers) {
        let body = ErrorResponse {
            error: code.to_owned(),
            error_description: Some(message.to_owned()),
            error_uri: None,
        };
        (status, Json(body)).into_response()
    } else {
        (status, page::message(message)).into_response()
    };
    page::protect(&mut response);
    response
}

/// GitHub answers 200 also when the token is refused.
fn token_error(headers: &HeaderMap, code: &str, message: &str) -> Response {
    token_answer(headers, &[("error", code), ("error_description", message)])
}

/// Form-encoded unless JSON is asked for.
fn token_answer(headers: &HeaderMap, members: &[(&str, &str)]) -> Response {
    let mut response = if wants_json(headers) {
        let body: serde_json::Map<String, Value> = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        Json(Value::Object(body)).into_response()
    } else {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(members)
            .finish();
        (
            [(
                header::CONTENT_TYPE,
                "application/x-www-form-urlencoded; charset=utf-8",
            )],
            body,
        )
            .into_response()
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
