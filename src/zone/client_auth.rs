//! How a client of the token endpoint says who it is (RFC 6749, section 2.3).
//!
//! Reads what was presented; whether it is right is for the caller, who has the store.

use axum::http::{HeaderMap, header};

use super::oauth::form::Params;
use crate::protocol::{
    basic,
    oauth::{ClientCredential, ErrorCode},
};

/// What a client presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret_basic`. The readings of the header, the most likely first: RFC 6749 has both
    /// parts form-encoded, Keycard's SDKs send them raw (facts/keycard.md, 2.7).
    Basic(Vec<ClientCredential>),
    /// `client_secret_post`.
    Post(ClientCredential),
    /// `none`: a public client gives only its name.
    Public(String),
}

/// Why a presented authentication cannot even be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    #[error("The client did not say who it is")]
    Missing,
    #[error("The Authorization header cannot be read")]
    Unreadable,
    #[error("The client authenticated in more than one way")]
    Several,
    #[error("This client authentication method is not supported")]
    Unsupported,
    #[error("A client parameter was sent more than once")]
    Repeated,
}

impl ClientAuthError {
    /// RFC 6749, section 5.2.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Missing | Self::Unreadable | Self::Unsupported => ErrorCode::InvalidClient,
            Self::Several | Self::Repeated => ErrorCode::InvalidRequest,
        }
    }
}

impl ClientAuth {
    /// Reads the header and the form.
    ///
    /// # Errors
    /// If nothing, something unreadable or more than one method was presented.
    pub fn read(headers: &HeaderMap, form: &Params) -> Result<Self, ClientAuthError> {
        let one = |name| form.one(name).map_err(|_| ClientAuthError::Repeated);
        let in_form = (one("client_id")?, one("client_secret")?);
        if one("client_assertion")?.is_some() {
            return Err(ClientAuthError::Unsupported);
        }
        let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = authorization.next() else {
            return match in_form {
                (Some(client_id), Some(secret)) => Ok(Self::Post(ClientCredential {
                    client_id: client_id.into(),
                    client_secret: secret.into(),
                })),
                (Some(client_id), None) => Ok(Self::Public(client_id.into())),
                (None, _) => Err(ClientAuthError::Missing),
            };
        };
        // RFC 6749, section 2.3: never more than one method. A `client_id` beside Basic is no second
        // method, but it must name the same client.
        if authorization.next().is_some() || in_form.1.is_some() {
            return Err(ClientAuthError::Several);
        }
        let mut readings = readings(value.as_bytes()).ok_or(ClientAuthError::Unreadable)?;
        if let Some(named) = in_form.0 {
            readings.retain(|reading| reading.client_id == named);
            if readings.is_empty() {
                return Err(ClientAuthError::Several);
            }
        }
        Ok(Self::Basic(readings))
    }
}

/// What a `Basic` header may mean, the most likely first; `None` if it cannot be read.
pub(super) fn readings(value: &[u8]) -> Option<Vec<ClientCredential>> {
    let pair = basic::pair(value)?;
    let pair = pair.expose();
    let (id, secret) = pair.split_once(':')?;
    let mut readings = vec![ClientCredential {
        client_id: id.into(),
        client_secret: secret.into(),
    }];
    // A dynamic client's id holds a colon (`ua:…`); raw it may stand before the last one.
    if let Some((id, secret)) = pair.rsplit_once(':').filter(|(id, _)| id.contains(':')) {
        readings.push(ClientCredential {
            client_id: id.into(),
            client_secret: secret.into(),
        });
    }
    if pair.contains(['%', '+']) {
        readings.push(ClientCredential {
            client_id: form_decoded(id),
            client_secret: form_decoded(secret).into(),
        });
    }
    Some(readings)
}

/// One value decoded as `application/x-www-form-urlencoded`.
fn form_decoded(text: &str) -> String {
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use rstest::rstest;

    use super::*;

    fn read(pair: Option<&str>, form: &str) -> Result<ClientAuth, ClientAuthError> {
        let mut headers = HeaderMap::new();
        if let Some(pair) = pair {
            let value = format!("Basic {}", STANDARD.encode(pair));
            headers.insert(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap());
        }
        ClientAuth::read(&headers, &Params::parse(form.as_bytes()))
    }

    fn pairs(auth: ClientAuth) -> Vec<(String, String)> {
        match auth {
            ClientAuth::Basic(readings) => readings
                .into_iter()
                .map(|r| (r.client_id, r.client_secret.expose().clone()))
                .collect(),
            ClientAuth::Post(one) => vec![(one.client_id, one.client_secret.expose().clone())],
            ClientAuth::Public(id) => vec![(id, String::new())],
        }
    }

    #[rstest]
    #[case("app:s3cret", &[("app", "s3cret")])]
    #[case("app:s c:r&t", &[("app", "s c:r&t"), ("app:s c", "r&t")])]
    #[case("app:p%2Bq", &[("app", "p%2Bq"), ("app", "p+q")])]
    #[case("a%3Ab:x+y", &[("a%3Ab", "x+y"), ("a:b", "x y")])]
    fn basic_is_read_raw_and_form_encoded(#[case] pair: &str, #[case] expected: &[(&str, &str)]) {
        let found = pairs(read(Some(pair), "").unwrap());
        let found: Vec<_> = found
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case(None, "", ClientAuthError::Missing)]
    #[case(None, "client_secret=x", ClientAuthError::Missing)]
    #[case(Some("a:b"), "client_secret=b", ClientAuthError::Several)]
    #[case(Some("a:b"), "client_id=other", ClientAuthError::Several)]
    #[case(Some("nocolon"), "", ClientAuthError::Unreadable)]
    #[case(None, "client_id=a&client_id=b", ClientAuthError::Repeated)]
    #[case(None, "client_id=a&client_assertion=x", ClientAuthError::Unsupported)]
    fn what_is_no_single_method_is_refused(
        #[case] basic: Option<&str>,
        #[case] form: &str,
        #[case] error: ClientAuthError,
    ) {
        assert_eq!(read(basic, form), Err(error));
    }

    #[test]
    fn a_public_client_and_a_posted_secret_are_told_apart() {
        assert_eq!(
            read(None, "client_id=ua:1"),
            Ok(ClientAuth::Public("ua:1".into()))
        );
        assert!(matches!(
            read(None, "client_id=a&client_secret=b"),
            Ok(ClientAuth::Post(_))
        ));
        assert!(read(Some("a:b"), "client_id=a").is_ok());
    }
}
