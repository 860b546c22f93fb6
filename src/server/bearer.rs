//! Who is calling: the access token on `/mcp`, checked as RFC 6750 and RFC 9068 ask.
//!
//! Everything that needs no network is checked before anything that does, the issuer first of all,
//! so that a stranger's token costs nothing. The token leaves the headers here: the tools get it
//! as a [`Caller`], and nothing behind can log it.

use std::{borrow::Cow, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    keys::{Keys, NoKey},
    protected_resource,
    settings::{Address, Gate},
};
use crate::{protocol::secret::Secret, support::clock::SharedClock};

/// The signed-in caller, in the request's extensions behind the check.
#[derive(Debug)]
pub(super) struct Caller {
    /// The token as it was presented: the subject of every exchange.
    pub token: Secret,
}

pub(super) struct Bearer {
    keys: Keys,
    clock: SharedClock,
    issuer: String,
    resource: Address,
    challenge_url: String,
}

/// Why a request does not get in.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// No credentials at all: RFC 6750, section 3.1, gives no error code then.
    Missing,
    /// `Bearer` and nothing behind it.
    Malformed,
    Invalid(Cow<'static, str>),
    /// The zone could not be asked for its keys. The workshop's pinned SDK answers 500 here; newer
    /// ones answer this, and so do we.
    Unavailable,
}

const fn invalid(why: &'static str) -> Refusal {
    Refusal::Invalid(Cow::Borrowed(why))
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    alg: Value,
    #[serde(default)]
    kid: Value,
    #[serde(default)]
    crit: Value,
}

impl Bearer {
    pub fn new(gate: &Gate, keys: Keys, clock: SharedClock) -> Self {
        Self {
            keys,
            clock,
            issuer: gate.zone.text.clone(),
            resource: gate.resource.clone(),
            challenge_url: protected_resource::url(&gate.resource),
        }
    }

    async fn check(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let token = presented(headers)?;
        let mut parts = token.split('.');
        let (Some(head), Some(body), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid("Malformed JWT"));
        };
        let header: Header = decoded(head)?;
        let claims: Map<String, Value> = decoded(body)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| invalid("Malformed JWT"))?;

        match header.alg.as_str() {
            Some("RS256") => {}
            alg => {
                let alg = quotable(alg.unwrap_or("none"));
                return Err(Refusal::Invalid(
                    format!("Unsupported JWT algorithm: {alg}").into(),
                ));
            }
        }
        // We understand no extension (RFC 7515, section 4.1.11).
        if !header.crit.is_null() {
            return Err(invalid("Unsupported critical header"));
        }
        let audience = self.check_claims(&claims)?;
        let kid = header
            .kid
            .as_str()
            .filter(|kid| !kid.is_empty())
            .ok_or(invalid("JWT missing key id (kid) header"))?;
        let key = self.keys.get(kid).await.map_err(|no_key| match no_key {
            NoKey::Unknown => invalid("Unknown signing key"),
            NoKey::Unavailable(failure) => {
                tracing::warn!(%failure, "a token could not be checked");
                Refusal::Unavailable
            }
        })?;
        let signed = &token[..head.len() + 1 + body.len()];
        key.verify_sig(signed.as_bytes(), &signature)
            .map_err(|_| invalid("Invalid signature"))?;
        self.check_destination(audience, headers)?;
        Ok(Caller {
            token: Secret::from(token),
        })
    }

    /// The claims, in the order in which Keycard's SDK looks at them; gives the first audience.
    fn check_claims<'a>(&self, claims: &'a Map<String, Value>) -> Result<&'a str, Refusal> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).and_then(Value::as_f64);
        match text("iss") {
            None => return Err(invalid("JWT missing issuer (iss) claim")),
            Some(issuer) if issuer == self.issuer => {}
            Some(_) => return Err(invalid("Untrusted issuer")),
        }
        let expires = time("exp").ok_or(invalid("JWT missing expiration (exp) claim"))?;
        text("client_id").ok_or(invalid("JWT missing client_id claim"))?;
        // Since RFC 9068 these two are needed as well; the wording is ours.
        text("sub").ok_or(invalid("JWT missing subject (sub) claim"))?;
        time("iat").ok_or(invalid("JWT missing issued at (iat) claim"))?;

        #[expect(clippy::cast_precision_loss, reason = "exact until the year 285,000")]
        let now = self.clock.now().timestamp_micros() as f64 / 1e6;
        // RFC 7519, section 4.1.4: not accepted on or after. No leeway, as Keycard gives none.
        if now >= expires {
            return Err(invalid("Token expired"));
        }
        // RFC 7519, section 4.1.5: it may be left out, but what is there is a number. Wording ours.
        if let Some(not_before) = claims.get("nbf") {
            let not_before = not_before
                .as_f64()
                .ok_or(invalid("Malformed not before (nbf) claim"))?;
            if now < not_before {
                return Err(invalid("Token not yet valid"));
            }
        }
        let audiences: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let first = *audiences
            .first()
            .ok_or(invalid("JWT missing audience (aud) claim"))?;
        if !audiences.contains(&&*self.resource.text) {
            return Err(invalid("Audience mismatch"));
        }
        Ok(first)
    }

    /// The first audience must be on the origin that was called: 127.0.0.1 is not localhost.
    fn check_destination(&self, audience: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        let Ok(audience) = Url::parse(audience) else {
            return Ok(());
        };
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default();
        // Behind a proxy that ends TLS, the scheme is not in the request; our own name knows it.
        let scheme = match Url::parse(&format!("{}://{host}", self.resource.url.scheme())) {
            Ok(called) if called.origin() == self.resource.url.origin() => {
                self.resource.url.scheme()
            }
            _ => "http",
        };
        match Url::parse(&format!("{scheme}://{host}")) {
            Ok(called) if called.origin() == audience.origin() => Ok(()),
            _ => Err(invalid("Token not intended for resource")),
        }
    }

    fn answer(&self, refusal: &Refusal) -> Response {
        let metadata = format!("resource_metadata=\"{}\"", self.challenge_url);
        let challenge = match refusal {
            Refusal::Missing => format!("Bearer {metadata}"),
            Refusal::Malformed => return StatusCode::BAD_REQUEST.into_response(),
            Refusal::Unavailable => {
                let body = Json(json!({"error": "temporarily_unavailable"}));
                return (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
            }
            Refusal::Invalid(why) => {
                format!("Bearer error=\"invalid_token\", error_description=\"{why}\", {metadata}")
            }
        };
        let headers = [(header::WWW_AUTHENTICATE, challenge)];
        (StatusCode::UNAUTHORIZED, headers).into_response()
    }
}

/// The middleware: a request goes on with its [`Caller`], or not at all.
pub(super) async fn require(
    State(bearer): State<Arc<Bearer>>,
    mut request: Request,
    next: Next,
) -> Response {
    match bearer.check(request.headers()).await {
        Ok(caller) => {
            request.headers_mut().remove(header::AUTHORIZATION);
            request.extensions_mut().insert(Arc::new(caller));
            next.run(request).await
        }
        Err(refusal) => bearer.answer(&refusal),
    }
}

fn presented(headers: &HeaderMap) -> Result<&str, Refusal> {
    let value = headers
        .get(header::AUTHORIZATION)
        .ok_or(Refusal::Missing)?
        .to_str()
        .map_err(|_| Refusal::Malformed)?
        .trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(invalid("Unsupported authentication scheme"));
    }
    match token.trim() {
        "" => Err(Refusal::Malformed),
        token => Ok(token),
    }
}

fn decoded<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| invalid("Malformed JWT"))?;
    serde_json::from_slice(&bytes).map_err(|_| invalid("Malformed JWT"))
}

/// A stranger's word as it may stand within a quoted string of a header (RFC 9110, section 5.6.4).
fn quotable(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\'))
        .take(32)
        .collect()
}
