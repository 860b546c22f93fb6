//! The scope parameter (RFC 6749, section 3.3), wherever it is sent.

use super::refusal::Refusal;
use crate::protocol::oauth::ErrorCode;

/// The most scopes in one request.
const MOST: usize = 64;
/// The longest scope, in bytes: each stands in the log.
const LONGEST: usize = 128;

/// Splits a scope string, each scope once, keeping the order.
///
/// # Errors
/// `invalid_scope` if one is no scope-token.
pub fn parse(text: &str) -> Result<Vec<String>, Refusal> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
        let is_token = scope.len() <= LONGEST
            && scope
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !is_token || scopes.len() == MOST {
            return Err(Refusal::new(
                ErrorCode::InvalidScope,
                "The scope is not a list of scope names.",
            ));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_keep_their_order_and_nothing_else_passes() {
        assert_eq!(
            parse("read issues:create read").unwrap(),
            ["read", "issues:create"]
        );
        assert!(parse("").unwrap().is_empty());
        assert!(parse("a\"b").is_err());
        assert!(parse("a\u{1b}").is_err());
        assert!(parse(&"a".repeat(129)).is_err());
    }
}
