//! What the zone's access tokens say: mints and verifies claims (RFC 9068, facts/keycard.md 2.4).
//!
//! Decides nothing about who may have a token.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::keys::{JwsError, KeyError, SigningKey};
use crate::{
    protocol::secret::Secret,
    support::{clock::SharedClock, ids::Ids},
};

/// How long an access token lives where its resource names no lifetime (facts/keycard.md, 2.5).
pub const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// On whose authority a token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubProfile {
    /// A person authorized it.
    User,
    /// An application acts for itself.
    App,
}

/// The claims of one of the zone's access tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: String,
    pub sub: String,
    pub sub_profile: SubProfile,
    /// The credential or user agent that asked.
    pub client_id: String,
    /// The stable id of the application that asked; absent for a user agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keycard_app_id: Option<String>,
    /// The one resource that may accept the token: minted as a string, as the SDKs compare the first
    /// audience with the request (facts/wire.md, 2.2).
    pub aud: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The zone's session, constant over all hops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    /// RFC 8693, section 4.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
    /// RFC 8693, section 4.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_act: Option<Value>,
}

impl AccessClaims {
    /// The scopes, in order.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split_ascii_whitespace()
    }
}

/// Claims whose signature, issuer and lifetime were checked. Only [`Tokens::verify`] makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedClaims(AccessClaims);

impl std::ops::Deref for VerifiedClaims {
    type Target = AccessClaims;

    fn deref(&self) -> &AccessClaims {
        &self.0
    }
}

/// What a token is to be minted for; the rest ([`Tokens::mint`]) is the zone's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    pub sub: String,
    pub sub_profile: SubProfile,
    pub client_id: String,
    pub keycard_app_id: Option<String>,
    /// The resource's registered identifier.
    pub resource: String,
    pub scopes: Vec<String>,
    pub session_id: Option<String>,
    pub lifetime: TimeDelta,
}

/// A token that was minted, with what it says.
#[derive(Debug, Clone)]
pub struct MintedToken {
    pub token: Secret,
    pub claims: AccessClaims,
    /// Seconds.
    pub expires_in: u64,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error("the token lacks claims that every access token of this zone has")]
    Claims,
    #[error("the token was issued by somebody else")]
    Issuer,
    #[error("the token has expired")]
    Expired,
}

/// Mints and verifies for one issuer.
#[derive(Debug, Clone)]
pub struct Tokens {
    issuer: String,
    clock: SharedClock,
    ids: Ids,
}

impl Tokens {
    /// For `issuer`, exactly as it stands in the metadata.
    #[must_use]
    pub fn new(issuer: impl Into<String>, clock: SharedClock, ids: Ids) -> Self {
        Self {
            issuer: issuer.into(),
            clock,
            ids,
        }
    }

    /// Mints an access token.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn mint(&self, key: &SigningKey, request: TokenRequest) -> Result<MintedToken, KeyError> {
        self.mint_in_the_past(key, request, TimeDelta::zero())
    }

    /// Mints a token as it would have been minted `ago`: for a lab that shows what an expired one is
    /// answered with.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn mint_in_the_past(
        &self,
        key: &SigningKey,
        request: TokenRequest,
        ago: TimeDelta,
    ) -> Result<MintedToken, KeyError> {
        let now: DateTime<Utc> = self.clock.now() - ago;
        let lifetime = request.lifetime.num_seconds().max(1);
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            sub: request.sub,
            sub_profile: request.sub_profile,
            client_id: request.client_id,
            keycard_app_id: request.keycard_app_id,
            aud: request.resource,
            scope: request.scopes.join(" "),
            sid: request.session_id,
            exp: now.timestamp() + lifetime,
            iat: now.timestamp(),
            jti: self.ids.short(),
            act: None,
            may_act: None,
        };
        let payload = serde_json::to_vec(&claims).map_err(|_| KeyError::NotSigned)?;
        Ok(MintedToken {
            token: key.sign(&payload)?,
            claims,
            expires_in: lifetime.unsigned_abs(),
        })
    }

    /// Checks signature, issuer and lifetime. The audience is the caller's question
    /// (facts/keycard.md, 2.9 rule 3).
    ///
    /// # Errors
    /// If anything about the token is not this zone's, or it is over.
    pub fn verify(&self, key: &SigningKey, token: &Secret) -> Result<VerifiedClaims, TokenError> {
        let payload = key.verified_payload(token.expose())?;
        let claims: AccessClaims =
            serde_json::from_slice(&payload).map_err(|_| TokenError::Claims)?;
        if claims.iss != self.issuer {
            return Err(TokenError::Issuer);
        }
        // RFC 7519, section 4.1.4: not accepted on or after `exp`; no leeway, the clock is our own.
        if self.clock.now().timestamp() >= claims.exp {
            return Err(TokenError::Expired);
        }
        Ok(VerifiedClaims(claims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{support::clock::FakeClock, zone::keys::tests::fixed};

    fn request() -> TokenRequest {
        TokenRequest {
            sub: "user-1".into(),
            sub_profile: SubProfile::User,
            client_id: "ua:1".into(),
            keycard_app_id: None,
            resource: "http://127.0.0.1:8000/mcp".into(),
            scopes: vec!["read".into(), "issues:create".into()],
            session_id: Some("s1".into()),
            lifetime: ACCESS_TOKEN_LIFETIME,
        }
    }

    #[test]
    fn a_minted_token_says_what_the_sdks_demand() {
        let tokens = Tokens::new("http://127.0.0.1:1", FakeClock::shared(), Ids::seeded(1));
        let key = fixed();
        let minted = tokens.mint(&key, request()).unwrap();
        assert_eq!(minted.expires_in, 3_600);
        let view = crate::protocol::jwt::TokenView::of(&minted.token);
        for claim in ["iss", "sub", "aud", "client_id", "scope", "jti", "sid"] {
            assert!(view.claim(claim).is_some(), "{claim}");
        }
        assert_eq!(view.claim("sub_profile"), Some("user"));
        assert_eq!(view.header["typ"], "at+jwt");
        let verified = tokens.verify(&key, &minted.token).unwrap();
        assert_eq!(*verified, minted.claims);
    }

    #[test]
    fn a_token_ends_at_its_second_and_belongs_to_its_issuer() {
        let clock = FakeClock::shared();
        let tokens = Tokens::new("http://127.0.0.1:1", clock.clone(), Ids::seeded(1));
        let key = fixed();
        let minted = tokens.mint(&key, request()).unwrap();
        let other = Tokens::new("http://127.0.0.1:2", clock.clone(), Ids::seeded(2));
        assert_eq!(other.verify(&key, &minted.token), Err(TokenError::Issuer));
        clock.advance(TimeDelta::seconds(3_599));
        assert!(tokens.verify(&key, &minted.token).is_ok());
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(tokens.verify(&key, &minted.token), Err(TokenError::Expired));
    }
}
