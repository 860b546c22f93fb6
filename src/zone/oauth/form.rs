//! Parameters of a query or of a form body, by the rules that OAuth sets for them.

use crate::{
    protocol::oauth::ErrorCode,
    zone::{refusal::Refusal, scopes},
};

/// Most parameters that a request may carry.
const MOST: usize = 64;

/// Decoded parameters, in the order sent.
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

/// Only the names: the values hold codes, tokens and secrets.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Drop for Params {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

impl Params {
    /// Decodes `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn parse(encoded: &[u8]) -> Self {
        Self(
            url::form_urlencoded::parse(encoded)
                .take(MOST)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// A parameter that may stand once. An empty one counts as left out (RFC 6749, section 3.1).
    ///
    /// # Errors
    /// `invalid_request` if it stands more than once (RFC 6749, section 3.1).
    pub fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut found = self.0.iter().filter(|(n, _)| n == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(Refusal::new(
                ErrorCode::InvalidRequest,
                format!("The parameter {name} was sent more than once"),
            ));
        }
        Ok(first
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty()))
    }

    /// A parameter that must stand once.
    ///
    /// # Errors
    /// `invalid_request` if it is missing, empty or stands more than once.
    pub fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.one(name)?.ok_or_else(|| {
            Refusal::new(
                ErrorCode::InvalidRequest,
                format!("The parameter {name} is missing"),
            )
        })
    }

    /// Every value of a parameter that may stand more than once (RFC 8707, section 2: `resource`).
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(n, value)| n == name && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// The scopes of `scope`, in order, each once; `None` if none was sent.
    ///
    /// # Errors
    /// `invalid_scope` if one is no scope-token (RFC 6749, section 3.3).
    pub fn scopes(&self) -> Result<Option<Vec<String>>, Refusal> {
        self.one("scope")?.map(scopes::parse).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused_and_an_empty_one_is_left_out() {
        let form = Params::parse(b"a=1&b=&a=2&c=x+y%26");
        assert!(form.one("a").is_err());
        assert_eq!(form.one("b").unwrap(), None);
        assert_eq!(form.one("c").unwrap(), Some("x y&"));
        assert!(form.required("b").is_err());
    }

    #[test]
    fn parameters_do_not_show_their_values() {
        assert_eq!(
            format!("{:?}", Params::parse(b"code=secret-code")),
            r#"["code"]"#
        );
    }
}
