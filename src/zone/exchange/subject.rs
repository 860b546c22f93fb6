//! For whom an exchange is asked: what the presented token proves, by itself.

use crate::{
    protocol::{
        jwt::TokenView,
        oauth::{ErrorCode, TOKEN_TYPE_ACCESS_TOKEN},
        secret::Secret,
    },
    zone::{ZoneState, keys::SigningKey, refusal::Refusal, tokens::VerifiedClaims},
};

use super::ExchangeRequest;

/// RFC 8693, section 3: a JWT, which all of the zone's access tokens are.
const TOKEN_TYPE_JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A client names a person who sent nothing (facts/keycard.md, 2.9 rule 7).
const TOKEN_TYPE_SUBSTITUTE_USER: &str = "urn:keycard:params:oauth:token-type:substitute-user";

/// For whom.
#[derive(Debug)]
pub(super) enum Subject {
    /// Who sent this token.
    Token(VerifiedClaims),
    /// Whom the client names. Nothing proves it: only policy can allow it.
    Impersonated(String),
}

impl Subject {
    pub const fn claims(&self) -> Option<&VerifiedClaims> {
        match self {
            Self::Token(claims) => Some(claims),
            Self::Impersonated(_) => None,
        }
    }

    pub const fn is_impersonation(&self) -> bool {
        match self {
            Self::Token(_) => false,
            Self::Impersonated(_) => true,
        }
    }
}

fn invalid(text: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, text)
}

pub(super) fn subject_of(
    state: &ZoneState,
    key: &SigningKey,
    request: &ExchangeRequest,
) -> Result<Subject, Refusal> {
    let Some(token) = &request.subject_token else {
        return Err(invalid("subject_token is missing."));
    };
    let is_signed = match request.subject_token_type.as_deref() {
        Some(TOKEN_TYPE_ACCESS_TOKEN | TOKEN_TYPE_JWT) => true,
        Some(TOKEN_TYPE_SUBSTITUTE_USER) => false,
        Some(_) => {
            return Err(invalid(
                "This subject_token_type cannot be exchanged here; it must be an access token.",
            ));
        }
        None => return Err(invalid("subject_token_type is missing.")),
    };
    if !matches!(
        request.requested_token_type.as_deref(),
        None | Some(TOKEN_TYPE_ACCESS_TOKEN)
    ) {
        return Err(invalid("Only access tokens are issued here."));
    }
    if request.actor_token {
        return Err(invalid(
            "An actor_token is not accepted: the client itself is the actor.",
        ));
    }
    if !is_signed {
        return impersonated(token).map(Subject::Impersonated);
    }
    let claims = state
        .tokens
        .verify(key, token)
        .map_err(|error| invalid(&format!("The subject_token was not accepted: {error}.")))?;
    // Otherwise a delegated token could be passed on as if its person had sent it. The zone itself
    // puts neither claim into a token.
    if claims.act.is_some() || claims.may_act.is_some() {
        return Err(invalid(
            "The subject_token is a delegated one (act or may_act) and cannot be exchanged again.",
        ));
    }
    Ok(Subject::Token(claims))
}

/// Whom an unsigned JWT names: `{"typ":"vnd.kc.su+jwt","alg":"none"}`, `{"sub": …}` and no signature.
fn impersonated(token: &Secret) -> Result<String, Refusal> {
    let view = TokenView::of(token);
    let says = |name: &str, value: &str| {
        view.header.get(name).and_then(serde_json::Value::as_str) == Some(value)
    };
    let parts: Vec<_> = token.expose().split('.').collect();
    view.claim("sub")
        .filter(|sub| !sub.is_empty())
        .filter(|_| says("typ", "vnd.kc.su+jwt") && says("alg", "none"))
        .filter(|_| matches!(*parts, [_, _, ""]))
        .map(str::to_owned)
        .ok_or_else(|| invalid("The subject_token is no unsigned token that names a user."))
}
