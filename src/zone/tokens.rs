//! What the rest of the zone asks of its signing keys, without knowing them.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{protocol::secret::Secret, support::error::Failure};

/// Mints and verifies the zone's own JWTs (RS256; RFC 9068).
pub trait Tokens: Debug + Send + Sync {
    /// Signs an access token; `iss` is the signer's to add.
    ///
    /// # Errors
    /// If the key refuses to sign.
    fn mint(&self, claims: &AccessClaims) -> Result<Secret, Failure>;

    /// Checks signature, algorithm, key id, issuer and expiry of a token that this zone made.
    /// Audience is the caller's question: whom a token is for depends on what it is used for.
    ///
    /// # Errors
    /// Why the token is not one of ours, or no longer.
    fn verify(&self, token: &Secret, now: DateTime<Utc>) -> Result<VerifiedToken, TokenFault>;
}

/// The claims of an access token, as Keycard documents them, without `iss`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The user's `identifier`, or the application's when it acts for itself.
    pub sub: String,
    pub sub_profile: SubProfile,
    /// The application's stable id; absent for a dynamically registered client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keycard_app_id: Option<String>,
    /// The credential that asked.
    pub client_id: String,
    /// The resource's identifier.
    pub aud: String,
    /// Space-separated; absent when no scope was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// RFC 8693, section 4.1: who acts, when it is not the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<ActClaim>,
    /// Seconds since 1970.
    pub iat: i64,
    pub exp: i64,
    pub jti: String,
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubProfile {
    User,
    App,
}

/// The party that acts for the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActClaim {
    pub sub: String,
    pub sub_profile: SubProfile,
    /// The party before it, when the chain is longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<ActClaim>>,
}

/// A token whose signature, issuer and expiry were checked.
#[derive(Debug, Clone)]
pub struct VerifiedToken {
    pub claims: VerifiedClaims,
    /// All claims as they stand in the token.
    pub raw: Map<String, Value>,
}

/// The claims of a verified token that the zone reads.
#[derive(Debug, Clone, Deserialize)]
pub struct VerifiedClaims {
    pub sub: String,
    pub sub_profile: SubProfile,
    pub client_id: String,
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    #[serde(default)]
    pub sid: Option<String>,
    #[serde(default)]
    pub act: Option<ActClaim>,
    /// Present in a token that somebody may act upon; none of ours carries it.
    #[serde(default)]
    pub may_act: Option<Value>,
    pub exp: i64,
    pub jti: String,
}

/// Why a token was not accepted. The text is for an `error_description`; it names no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    #[error("the token is not a JWT")]
    Malformed,
    #[error("the token's algorithm is not RS256")]
    Algorithm,
    #[error("the token names no key of this zone")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token was issued by somebody else")]
    Issuer,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token lacks a claim that an access token must have")]
    Claims,
}

/// `aud` is a string or a list of strings (RFC 7519, section 4.1.3).
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    })
}
