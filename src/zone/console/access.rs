//! Who may use the management API and the audit feed: the holder of the service account that the
//! zone makes anew at each start.

use std::{collections::HashMap, fmt, sync::Arc};

use axum::{
    Json,
    extract::{FromRequestParts, Path, Request, State},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde_json::json;

use crate::{
    protocol::{
        audit::Party,
        oauth::{ClientCredential, ErrorCode},
        secret::Secret,
    },
    support::ids::Ids,
    zone::{ZoneState, client_auth, refusal::Refusal, vault::SecretHash},
};

use super::{ApiError, ZONE_ID};

/// How long a service account token lives.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// The name of the service account in the audit log.
const ACCOUNT_NAME: &str = "Console";

/// The service account and its tokens. Nothing of it outlives the process.
pub struct ConsoleAccess {
    credential: ClientCredential,
    tokens: Mutex<HashMap<SecretHash, DateTime<Utc>>>,
}

impl fmt::Debug for ConsoleAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsoleAccess(…)")
    }
}

impl ConsoleAccess {
    pub(in crate::zone) fn new(ids: &Ids) -> Self {
        Self {
            credential: ClientCredential {
                client_id: format!("sa:{}", ids.short()),
                client_secret: Secret::new(ids.token(32)),
            },
            tokens: Mutex::default(),
        }
    }

    /// The service account's credential.
    pub const fn credential(&self) -> &ClientCredential {
        &self.credential
    }

    /// The service account as the audit log names it.
    pub(super) fn party(&self) -> Party {
        Party {
            id: self.credential.client_id.clone(),
            identifier: self.credential.client_id.clone(),
            name: ACCOUNT_NAME.to_owned(),
        }
    }

    fn issue(&self, ids: &Ids, now: DateTime<Utc>) -> Secret {
        let token = Secret::new(ids.token(32));
        let mut tokens = self.tokens.lock();
        tokens.retain(|_, end| *end > now);
        tokens.insert(SecretHash::of(&token), now + TOKEN_LIFETIME);
        token
    }

    fn accepts(&self, token: &Secret, now: DateTime<Utc>) -> bool {
        self.tokens
            .lock()
            .get(&SecretHash::of(token))
            .is_some_and(|end| *end > now)
    }
}

/// Proof that the request carries a service account token.
#[derive(Debug, Clone, Copy)]
pub struct Authorized;

impl FromRequestParts<Arc<ZoneState>> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<ZoneState>,
    ) -> Result<Self, Self::Rejection> {
        authorize(state, &parts.headers)
    }
}

fn authorize(state: &ZoneState, headers: &HeaderMap) -> Result<Authorized, ApiError> {
    let unauthorized = || {
        ApiError::new(
            axum::http::StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A service account token is needed: POST /service-account-token gives one.",
        )
    };
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| Secret::from(token.trim()))
        .ok_or_else(unauthorized)?;
    if state.console.accepts(&token, state.config.clock.now()) {
        Ok(Authorized)
    } else {
        Err(unauthorized())
    }
}

/// Every path below a zone: the token first, then whether it is this zone.
pub(super) async fn of_this_zone(
    State(state): State<Arc<ZoneState>>,
    Path(params): Path<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(error) = authorize(&state, request.headers()) {
        return error.into_response();
    }
    if params.get("zone").is_some_and(|zone| zone != ZONE_ID) {
        return ApiError::not_found("zone").into_response();
    }
    next.run(request).await
}

/// `POST /service-account-token`: client credentials in the body or as Basic.
pub(super) async fn token(
    State(state): State<Arc<ZoneState>>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refusal> {
    let mut form: HashMap<String, Secret> = url::form_urlencoded::parse(body.as_bytes())
        .map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())))
        .collect();
    match form.remove("grant_type") {
        Some(grant) if grant.expose() == "client_credentials" => {}
        Some(_) => {
            return Err(Refusal::new(
                ErrorCode::UnsupportedGrantType,
                "A service account uses client_credentials.",
            ));
        }
        None => {
            return Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "grant_type is missing.",
            ));
        }
    }
    let presented = match in_header(&headers) {
        Some(readings) => readings,
        None => in_form(&mut form).into_iter().collect(),
    };
    let expected = state.console.credential();
    let is_expected = |one: &ClientCredential| {
        SecretHash::of(&expected.client_secret).matches(&one.client_secret)
            && one.client_id == expected.client_id
    };
    if !presented.iter().any(is_expected) {
        return Err(wrong());
    }
    let token = state
        .console
        .issue(&state.config.ids, state.config.clock.now());
    let body = json!({
        "access_token": token.expose(),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME.num_seconds(),
    });
    let mut response = Json(body).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn wrong() -> Refusal {
    Refusal::new(
        ErrorCode::InvalidClient,
        "The service account's id or secret is wrong.",
    )
}

/// The account's id holds a colon, so it is read as the token endpoint reads a client's: percent-encoded
/// (RFC 6749, section 2.3.1) and raw.
fn in_header(headers: &HeaderMap) -> Option<Vec<ClientCredential>> {
    client_auth::readings(headers.get(header::AUTHORIZATION)?.as_bytes())
}

fn in_form(form: &mut HashMap<String, Secret>) -> Option<ClientCredential> {
    Some(ClientCredential {
        client_id: form.remove("client_id")?.expose().clone(),
        client_secret: form.remove("client_secret")?,
    })
}
