//! Proof Key for Code Exchange (RFC 7636), S256 only.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::form::Params;
use crate::{protocol::oauth::ErrorCode, support::digest::sha256, zone::refusal::Refusal};

/// A challenge that came with an authorization request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// `invalid_request` if PKCE was not used, or with anything but S256 (RFC 7636, section 4.4.1).
    pub fn read(query: &Params) -> Result<Self, Refusal> {
        let refused = |text: &str| Refusal::new(ErrorCode::InvalidRequest, text);
        let challenge = query
            .one("code_challenge")?
            .ok_or_else(|| refused("PKCE is required: code_challenge is missing"))?;
        match query.one("code_challenge_method")? {
            Some("S256") => {}
            // Left out means `plain` (RFC 7636, section 4.3).
            _ => return Err(refused("code_challenge_method must be S256")),
        }
        Self::stored(challenge).ok_or_else(|| refused("code_challenge is no SHA-256 in base64url"))
    }

    /// A challenge as it was kept; `None` if it cannot be one.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        (text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|d| d.len() == 32))
            .then(|| Self(text.to_owned()))
    }

    /// The challenge as it is kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// RFC 7636, section 4.6; the verifier's form is section 4.1's.
    #[must_use]
    pub fn accepts(&self, verifier: &str) -> bool {
        let well_formed = (43..=128).contains(&verifier.len())
            && verifier
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        let computed = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        well_formed && verify_slices_are_equal(computed.as_bytes(), self.0.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_holds() {
        let challenge = CodeChallenge::stored(CHALLENGE).unwrap();
        assert!(challenge.accepts(VERIFIER));
        assert!(!challenge.accepts("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!challenge.accepts("short"));
    }

    #[rstest]
    #[case("")]
    #[case("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    #[case(
        "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain"
    )]
    #[case("code_challenge=short&code_challenge_method=S256")]
    #[case("code_challenge_method=S256")]
    fn anything_but_s256_is_refused(#[case] query: &str) {
        let error = CodeChallenge::read(&Params::parse(query.as_bytes())).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }
}
