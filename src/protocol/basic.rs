//! The Basic scheme (RFC 7617): a name and a secret in one header.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::secret::Secret;

/// Some clients leave the padding out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Name, colon and secret, from the value of an `Authorization` header; how the two are encoded in
/// there is for the caller. `None` if it is of another scheme or cannot be read.
#[must_use]
pub fn pair(authorization: &[u8]) -> Option<Secret> {
    let (scheme, encoded) = std::str::from_utf8(authorization).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = LENIENT.decode(encoded.trim()).ok()?;
    let pair = Secret::new(String::from_utf8(decoded).ok()?);
    pair.expose().contains(':').then_some(pair)
}

/// Name and secret as the header carries them behind its scheme, each percent-encoded before (RFC 6749,
/// section 2.3.1).
#[must_use]
pub fn encoded(name: &str, secret: &Secret) -> Secret {
    let form =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    plain(&form(name), &Secret::new(form(secret.expose())))
}

/// Name and secret as the header carries them behind its scheme, as they are: so does Keycard's own SDK
/// (facts/keycard.md, 2.6).
#[must_use]
pub fn plain(name: &str, secret: &Secret) -> Secret {
    let pair = Secret::new(format!("{name}:{}", secret.expose()));
    Secret::new(LENIENT.encode(pair.expose()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Basic YTpiOmM=", Some("a:b:c"))]
    #[case("basic  YTpiOmM ", Some("a:b:c"))]
    #[case("Bearer YTpiOmM=", None)]
    #[case("Basic", None)]
    #[case("Basic ??", None)]
    #[case("Basic /w==", None)]
    #[case("Basic YWJj", None)]
    fn a_pair_is_read_or_there_is_none(#[case] value: &str, #[case] expected: Option<&str>) {
        let found = pair(value.as_bytes());
        assert_eq!(found.as_ref().map(|pair| pair.expose().as_str()), expected);
    }
}
