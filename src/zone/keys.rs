//! The zone's signing key: makes it, signs and verifies compact JWS with it, publishes it.
//!
//! Knows nothing of claims ([`super::tokens`]) and stores nothing: the caller seals what
//! [`SigningKey::to_pkcs8`] gives. RS256 with 2048 bits, because Keycard signs with nothing else and
//! one key of another type in the set breaks its TypeScript SDK (facts: wire.md, 2.2).

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{
        KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tokio::sync::SetOnce;

use crate::{protocol::secret::Secret, support::digest::sha256};

/// Longest token that is looked at, in bytes; ours are below 1,200.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Why a key could not be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the signing key could not be made")]
    NotMade,
    #[error("the stored signing key could not be read")]
    NotReadable,
    #[error("the signature could not be made")]
    NotSigned,
}

/// Why a token was not accepted by its form or signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    #[error("the token is no signed JWT")]
    Malformed,
    #[error("the token is not signed with RS256")]
    WrongAlgorithm,
    #[error("the token is signed with a key that is not this zone's")]
    UnknownKey,
    #[error("the token's signature does not match")]
    BadSignature,
}

/// The zone's key pair, parsed once.
pub struct SigningKey {
    pair: RsaKeyPair,
    public: ParsedPublicKey,
    jwk: Jwk,
    /// The encoded JOSE header of access tokens, the same for every one.
    header: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(kid: {})", self.jwk.kid)
    }
}

/// A JWK Set (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

/// A public RSA key (RFC 7518, section 6.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub kid: String,
    pub n: String,
    pub e: String,
    pub alg: String,
    #[serde(rename = "use")]
    pub key_use: String,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    kid: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

impl SigningKey {
    /// Makes a new key. Takes a tenth of a second or more of a processor: call it off the async threads.
    ///
    /// # Errors
    /// If the cryptographic library refuses.
    pub fn generate() -> Result<Self, KeyError> {
        RsaKeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| KeyError::NotMade)
            .and_then(Self::of)
    }

    /// Reads a key that [`Self::to_pkcs8`] gave.
    ///
    /// # Errors
    /// If the bytes are no PKCS#8 RSA key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        RsaKeyPair::from_pkcs8(der)
            .map_err(|_| KeyError::NotReadable)
            .and_then(Self::of)
    }

    /// The private key for sealed storage.
    ///
    /// # Errors
    /// If the cryptographic library refuses.
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, KeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| KeyError::NotMade)?;
        Ok(Secret::new(der.as_ref().to_vec()))
    }

    fn of(pair: RsaKeyPair) -> Result<Self, KeyError> {
        let n = pair
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
            .to_vec();
        let e = pair
            .public_key()
            .exponent()
            .big_endian_without_leading_zero()
            .to_vec();
        let public = PublicKeyComponents { n: &n, e: &e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| KeyError::NotReadable)?;
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        // RFC 7638, section 3.1: the thumbprint names the key, so a restored key keeps its kid.
        let thumbprint = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(sha256(thumbprint.as_bytes()));
        // RFC 9068, section 2.1: `at+jwt` tells an access token from every other JWT.
        let header =
            URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"at+jwt"}}"#));
        Ok(Self {
            pair,
            public,
            jwk: Jwk {
                kty: "RSA".into(),
                kid,
                n,
                e,
                alg: "RS256".into(),
                key_use: "sig".into(),
            },
            header,
        })
    }

    /// The key's public half.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: vec![self.jwk.clone()],
        }
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// Signs `payload` as an access token (compact JWS, `typ: at+jwt`).
    ///
    /// # Errors
    /// If the cryptographic library refuses.
    pub fn sign(&self, payload: &[u8]) -> Result<Secret, KeyError> {
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 350);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .map_err(|_| KeyError::NotSigned)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        Ok(Secret::new(token))
    }

    /// The payload of `token` once its signature was found to be this key's.
    ///
    /// # Errors
    /// If the token is no compact JWS, names another algorithm or key, or was changed.
    pub fn verified_payload(&self, token: &str) -> Result<Vec<u8>, JwsError> {
        if token.len() > LONGEST_TOKEN {
            return Err(JwsError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        if payload.contains('.') {
            return Err(JwsError::Malformed);
        }
        if header != self.header {
            self.check_header(header)?;
        }
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| JwsError::Malformed)?;
        self.public
            .verify_sig(signed.as_bytes(), &signature)
            .map_err(|_| JwsError::BadSignature)?;
        URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| JwsError::Malformed)
    }

    /// RFC 8725, section 3.1: the algorithm is ours to choose, never the token's.
    fn check_header(&self, header: &str) -> Result<(), JwsError> {
        let json = URL_SAFE_NO_PAD
            .decode(header)
            .map_err(|_| JwsError::Malformed)?;
        let header: Header<'_> = serde_json::from_slice(&json).map_err(|_| JwsError::Malformed)?;
        if header.crit.is_some() {
            return Err(JwsError::Malformed);
        }
        if header.alg != "RS256" {
            return Err(JwsError::WrongAlgorithm);
        }
        match header.kid {
            Some(kid) if kid == self.jwk.kid => Ok(()),
            _ => Err(JwsError::UnknownKey),
        }
    }
}

/// The zone's signing key as it is handed around: at the first start it is still being made while
/// the zone already answers, and whoever needs it waits.
#[derive(Debug, Clone, Default)]
pub struct Keys(Arc<SetOnce<Made>>);

type Made = Result<Arc<SigningKey>, NoKey>;

/// The zone has no signing key and will have none before its next start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The zone has no signing key: {0}")]
pub struct NoKey(pub String);

impl Keys {
    /// A key that is there.
    #[must_use]
    pub fn ready(key: SigningKey) -> Self {
        Self(Arc::new(SetOnce::new_with(Some(Ok(Arc::new(key))))))
    }

    /// A key that somebody still makes; see [`Self::provide`].
    #[must_use]
    pub fn pending() -> Self {
        Self::default()
    }

    /// Hands in the key that others wait for. A second key is ignored: tokens of the first may be out.
    pub fn provide(&self, key: SigningKey) {
        let _ = self.0.set(Ok(Arc::new(key)));
    }

    /// Tells all who wait that no key will come.
    pub fn give_up(&self, why: NoKey) {
        let _ = self.0.set(Err(why));
    }

    /// The key, as soon as there is one.
    ///
    /// # Errors
    /// If none could be made or stored.
    pub async fn signing(&self) -> Made {
        match self.0.get() {
            Some(made) => made.clone(),
            None => self.0.wait().await.clone(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The key of all tests, so that tokens in them are stable.
    pub(crate) fn fixed() -> SigningKey {
        SigningKey::from_pkcs8(include_bytes!("../../tests/fixtures/zone_signing_key.pk8")).unwrap()
    }

    #[test]
    fn a_signed_payload_is_read_back_and_a_changed_one_is_not() {
        let key = fixed();
        let token = key.sign(br#"{"sub":"u"}"#).unwrap();
        assert_eq!(
            key.verified_payload(token.expose()).unwrap(),
            br#"{"sub":"u"}"#
        );
        let (signed, signature) = token.expose().rsplit_once('.').unwrap();
        let other = URL_SAFE_NO_PAD.encode(br#"{"sub":"v"}"#);
        let header = signed.split_once('.').unwrap().0;
        assert_eq!(
            key.verified_payload(&format!("{header}.{other}.{signature}")),
            Err(JwsError::BadSignature)
        );
    }

    #[test]
    fn the_token_does_not_choose_how_it_is_verified() {
        let key = fixed();
        let with = |header: &str| {
            key.verified_payload(&format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header)))
        };
        assert_eq!(with(r#"{"alg":"none"}"#), Err(JwsError::WrongAlgorithm));
        assert_eq!(
            with(r#"{"alg":"HS256","kid":"x"}"#),
            Err(JwsError::WrongAlgorithm)
        );
        assert_eq!(with(r#"{"alg":"RS256"}"#), Err(JwsError::UnknownKey));
        assert_eq!(
            with(r#"{"alg":"RS256","kid":"x"}"#),
            Err(JwsError::UnknownKey)
        );
        for malformed in ["", "a", "a.b", "a.b.c.d", "....", "{}.{}.{}"] {
            assert!(key.verified_payload(malformed).is_err(), "{malformed}");
        }
    }

    #[test]
    fn another_implementation_accepts_what_we_sign() {
        use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
        let key = fixed();
        let token = key
            .sign(br#"{"sub":"u","aud":"http://r","iss":"http://z","exp":4000000000}"#)
            .unwrap();
        let jwk = &key.jwks().keys[0];
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["http://r"]);
        validation.set_issuer(&["http://z"]);
        let read = decode::<serde_json::Value>(
            token.expose(),
            &DecodingKey::from_rsa_components(&jwk.n, &jwk.e).unwrap(),
            &validation,
        )
        .unwrap();
        assert_eq!(read.claims["sub"], "u");
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(read.header.kid.as_deref(), Some(key.kid()));
    }

    #[test]
    fn a_stored_key_comes_back_as_itself() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
        assert_eq!(key.jwks(), again.jwks());
    }
}
