//! The token and revocation endpoints (RFC 6749, RFC 7009, RFC 7636) and what the authorize page
//! hands over to them.
//!
//! Linear's: opaque tokens, 24 hours, `read` in every grant, rotating refresh tokens. Ours: the
//! other lifetimes, PKCE with S256 only, and that a used refresh token stays good for half an hour,
//! so that an answer that got lost on the way does not cost the person a new consent.

mod pending;

pub use self::pending::Pending;

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Json,
    extract::{Form, State, rejection::FormRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::json;

use self::pending::Used;
use super::{
    Inner,
    access::Scopes,
    store::{NotStored, TokenHash, TokenKind, TokenRecord, token_hash},
};
use crate::{
    protocol::{
        basic,
        oauth::{ErrorCode, ErrorResponse},
        secret::Secret,
    },
    support::digest::sha256,
    upstream::observe::{Noted, bearer},
};

const ACCESS_LIFE: TimeDelta = TimeDelta::hours(24);
const REFRESH_LIFE: TimeDelta = TimeDelta::days(90);
const REFRESH_GRACE: TimeDelta = TimeDelta::minutes(30);

impl Inner {
    fn is_client(&self, id: &str, secret: &Secret) -> bool {
        let same =
            |a: &str, b: &str| verify_slices_are_equal(&token_hash(a), &token_hash(b)).is_ok();
        same(id, &self.oauth_client.id) & same(secret.expose(), self.oauth_client.secret.expose())
    }
}

/// What comes to the token endpoint.
#[derive(Debug, Deserialize)]
pub struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    code: Option<Secret>,
    redirect_uri: Option<String>,
    code_verifier: Option<Secret>,
    refresh_token: Option<Secret>,
    scope: Option<String>,
}

/// What comes to the revocation endpoint.
#[derive(Debug, Deserialize)]
pub struct RevokeRequest {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    token: Option<Secret>,
}

/// An error answer (RFC 6749, section 5.2).
struct Denial(ErrorCode, &'static str);

impl From<NotStored> for Denial {
    fn from(_: NotStored) -> Self {
        Self(ErrorCode::ServerError, "The stand-in could not keep this.")
    }
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        let Self(code, description) = self;
        let status = match code {
            ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = ErrorResponse {
            error: code.as_str().to_owned(),
            error_description: Some(description.to_owned()),
            error_uri: None,
        };
        let mut response =
            (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Basic realm=\"linear\""),
            );
        }
        response
            .extensions_mut()
            .insert(Noted::default().error(format!("{}: {description}", code.as_str())));
        response
    }
}

/// `POST /oauth/token`.
pub async fn token(
    State(lab): State<Arc<Inner>>,
    headers: HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Response {
    match grant(&lab, &headers, form).await {
        Ok(response) | Err(response) => response,
    }
}

async fn grant(
    lab: &Arc<Inner>,
    headers: &HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Result<Response, Response> {
    let Ok(Form(request)) = form else {
        return Err(not_a_form());
    };
    authenticate(
        lab,
        headers,
        request.client_id.as_deref(),
        request.client_secret.as_ref(),
    )
    .map_err(IntoResponse::into_response)?;
    match request.grant_type.as_deref() {
        Some("authorization_code") => by_code(lab, &request).await,
        Some("refresh_token") => by_refresh_token(lab, &request).await,
        Some(_) => Err(Denial(
            ErrorCode::UnsupportedGrantType,
            "Only authorization_code and refresh_token are known here.",
        )),
        None => Err(Denial(
            ErrorCode::InvalidRequest,
            "The grant_type is missing.",
        )),
    }
    .map_err(IntoResponse::into_response)
}

fn not_a_form() -> Response {
    Denial(
        ErrorCode::InvalidRequest,
        "The body must be one form, each parameter at most once.",
    )
    .into_response()
}

/// RFC 6749, section 2.3.1: the secret in the header or in the body, never in both.
fn authenticate(
    lab: &Inner,
    headers: &HeaderMap,
    id: Option<&str>,
    secret: Option<&Secret>,
) -> Result<(), Denial> {
    let bad = || Denial(ErrorCode::InvalidClient, "The client is not known.");
    let (id, secret) = match (in_header(headers), secret) {
        (Some(_), Some(_)) => {
            return Err(Denial(
                ErrorCode::InvalidRequest,
                "The client authenticated twice.",
            ));
        }
        (Some((header_id, secret)), None) => {
            if id.is_some_and(|id| id != header_id) {
                return Err(bad());
            }
            (header_id, secret)
        }
        (None, Some(secret)) => (id.ok_or_else(bad)?.to_owned(), secret.clone()),
        (None, None) => return Err(bad()),
    };
    if lab.is_client(&id, &secret) {
        Ok(())
    } else {
        Err(bad())
    }
}

fn in_header(headers: &HeaderMap) -> Option<(String, Secret)> {
    let pair = basic::pair(headers.get(header::AUTHORIZATION)?.as_bytes())?;
    let (id, secret) = pair.expose().split_once(':')?;
    // Both halves are form-encoded inside of the header.
    let plain = |text: &str| {
        url::form_urlencoded::parse(format!("v={text}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, Secret::new(plain(secret)?)))
}

async fn by_code(lab: &Arc<Inner>, request: &TokenRequest) -> Result<Response, Denial> {
    let missing = Denial(ErrorCode::InvalidRequest, "The code is missing.");
    let code = lab
        .use_code(request.code.as_ref().ok_or(missing)?)
        .ok_or(Denial(
            ErrorCode::InvalidGrant,
            "The code is unknown or has ended.",
        ))?;
    if code.used == Used::Once {
        // RFC 6749, section 4.1.2: somebody else may have it, so what came of it ends.
        lab.store.revoke_grant(code.grant_id).await?;
        return Err(Denial(
            ErrorCode::InvalidGrant,
            "The code was used before; its tokens are revoked.",
        ));
    }
    if request.redirect_uri.as_deref() != Some(code.redirect_uri.as_str()) {
        return Err(Denial(
            ErrorCode::InvalidGrant,
            "The redirect_uri is not the one that the code was made for.",
        ));
    }
    let proven = match (&code.challenge, &request.code_verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            URL_SAFE_NO_PAD.encode(sha256(verifier.expose().as_bytes())) == *challenge
        }
        (Some(_), None) | (None, Some(_)) => false,
    };
    if !proven {
        return Err(Denial(
            ErrorCode::InvalidGrant,
            "The code_verifier does not fit the code.",
        ));
    }
    issue(
        lab,
        code.grant_id,
        code.user_id,
        code.scopes,
        code.scopes,
        None,
    )
    .await
}

async fn by_refresh_token(lab: &Arc<Inner>, request: &TokenRequest) -> Result<Response, Denial> {
    let now = lab.clock.now();
    let missing = Denial(ErrorCode::InvalidRequest, "The refresh_token is missing.");
    let token = request.refresh_token.as_ref().ok_or(missing)?;
    let mut old = lab
        .store
        .token(token.expose(), now)
        .filter(|record| record.kind == TokenKind::Refresh)
        .ok_or(Denial(
            ErrorCode::InvalidGrant,
            "The refresh token is unknown, has ended or was revoked.",
        ))?;
    let scopes = match request.scope.as_deref() {
        None | Some("") => old.scopes,
        Some(text) => Scopes::parse(text)
            .ok()
            .filter(|scopes| old.scopes.contains(*scopes))
            .ok_or(Denial(
                ErrorCode::InvalidScope,
                "The scope goes beyond what was granted.",
            ))?,
    };
    let (grant, user, granted) = (old.grant_id.clone(), old.user_id.clone(), old.scopes);
    old.expires_at = old.expires_at.min(now + REFRESH_GRACE);
    let rotated = (token_hash(token.expose()), old);
    issue(lab, grant, user, scopes, granted, Some(rotated)).await
}

/// Makes an access token for `scopes` and a refresh token for all that was `granted`, and keeps
/// them together with the refresh token that was `used`, all or none.
async fn issue(
    lab: &Arc<Inner>,
    grant_id: String,
    user_id: String,
    scopes: Scopes,
    granted: Scopes,
    used: Option<(TokenHash, TokenRecord)>,
) -> Result<Response, Denial> {
    let now = lab.clock.now();
    let access = Secret::new(format!("lin_oauth_{}", lab.ids.token(32)));
    // The same beginning, so that whatever hides access tokens hides these.
    let refresh = Secret::new(format!("lin_oauth_refresh_{}", lab.ids.token(32)));
    let record = |kind, scopes, life| TokenRecord {
        kind,
        grant_id: grant_id.clone(),
        user_id: user_id.clone(),
        scopes,
        expires_at: now + life,
    };
    let tokens = vec![
        (
            token_hash(access.expose()),
            record(TokenKind::Access, scopes, ACCESS_LIFE),
        ),
        (
            token_hash(refresh.expose()),
            record(TokenKind::Refresh, granted, REFRESH_LIFE),
        ),
    ];
    if !lab.store.put_tokens(tokens, used).await? {
        return Err(Denial(
            ErrorCode::InvalidGrant,
            "The refresh token was revoked while it was used.",
        ));
    }
    let mut response = (
        [
            (header::CACHE_CONTROL, "no-store"),
            (header::PRAGMA, "no-cache"),
        ],
        Json(json!({
            "access_token": access.expose(),
            "token_type": "Bearer",
            "expires_in": ACCESS_LIFE.num_seconds(),
            "refresh_token": refresh.expose(),
            "scope": scopes.to_string(),
        })),
    )
        .into_response();
    let name = lab.workspace.member(&user_id).map(|m| m.name.clone());
    response.extensions_mut().insert(Noted {
        acted_as: name,
        ..Noted::default()
    });
    Ok(response)
}

/// `POST /oauth/revoke`. Whoever holds a token may end it, by form or as a bearer (Linear takes
/// both); a client that names itself must prove it. An unknown token is no error (RFC 7009, 2.2).
pub async fn revoke(
    State(lab): State<Arc<Inner>>,
    headers: HeaderMap,
    form: Result<Form<RevokeRequest>, FormRejection>,
) -> Response {
    let presented = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(bearer)
        .map(Secret::from);
    let (token, named) = match form {
        Ok(Form(form)) => {
            let secret = form.client_secret.as_ref();
            let id = form.client_id.as_deref();
            let names_itself = secret.is_some() || in_header(&headers).is_some();
            let named = if names_itself {
                authenticate(&lab, &headers, id, secret)
            } else {
                Ok(())
            };
            (form.token.or(presented), named)
        }
        // A bearer alone needs no form.
        Err(_) if presented.is_some() => (presented, Ok(())),
        Err(_) => return not_a_form(),
    };
    if let Err(denial) = named {
        return denial.into_response();
    }
    let Some(token) = token else {
        return Denial(ErrorCode::InvalidRequest, "The token is missing.").into_response();
    };
    match lab.store.revoke(&token).await {
        Ok(()) => (
            StatusCode::OK,
            [(header::CACHE_CONTROL, "no-store")],
            Json(json!({})),
        )
            .into_response(),
        Err(error) => Denial::from(error).into_response(),
    }
}
