//! A token as it may be shown: what it says, never what it is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::secret::{Fingerprint, Secret};

/// The readable part of a token. Nothing was verified: this is for showing, not for trusting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenView {
    /// The name under which the token can be followed from hop to hop.
    pub fingerprint: Fingerprint,
    /// The JOSE header, empty for an opaque token.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub header: Map<String, Value>,
    /// The claims, empty for an opaque token.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
}

impl TokenView {
    /// Reads a token's header and claims if it is a JWT; an opaque token gives only a fingerprint.
    #[must_use]
    pub fn of(token: &Secret) -> Self {
        let mut parts = token.expose().split('.');
        let mut part = || -> Option<Map<String, Value>> {
            let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        let (header, claims) = match (part(), part()) {
            (Some(header), Some(claims)) => (header, claims),
            _ => (Map::new(), Map::new()),
        };
        Self {
            fingerprint: token.fingerprint(),
            header,
            claims,
        }
    }

    /// A claim that is a string.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// `aud`, which may be a string or a list of strings (RFC 7519, section 4.1.3).
    #[must_use]
    pub fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}
