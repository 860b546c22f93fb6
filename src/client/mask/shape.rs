//! What a value looks like: text that is no whole JSON says `"code"` of an authorization code and of
//! an error's kind alike.

use std::sync::LazyLock;

use regex::Regex;

/// The longest value that may be a word.
const LONGEST: usize = 64;

/// Whether a value is a word that a service says of an error or a state, and no authorization code.
///
/// A code is random and long: RFC 6749 (section 10.10) wants at least 128 bits, which are 22 characters
/// of base64, 26 of base32 and 32 hexadecimal digits. Here a word is at most sixteen letters of one
/// case, and more letters are several words with a separator between them (`USAGE_LIMIT_EXCEEDED`,
/// `In Progress`); or it is a code of a catalogue (`PGRST116`, SQL's five characters). A number alone is
/// none: it may be what somebody has just got on their phone.
pub(super) fn is_word(value: &str) -> bool {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        let word = "(?:[A-Z]?[a-z]{1,16}|[A-Z]{1,16})";
        Regex::new(&format!(
            "^(?:{word}(?:[_ .]{word})*|[A-Z]{{1,8}}[0-9]{{1,5}}|[0-9A-Z]{{5}})$"
        ))
        .expect("a constant pattern")
    });
    value.len() <= LONGEST && WORD.is_match(value)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::is_word;

    #[rstest]
    #[case("FORBIDDEN")]
    #[case("AUTHENTICATION_ERROR")]
    #[case("GRAPHQL_VALIDATION_FAILED")]
    #[case("invalid_request_error")]
    #[case("permission.denied")]
    #[case("In Progress")]
    #[case("open")]
    #[case("PGRST116")]
    #[case("42501")]
    #[case("22P02")]
    fn what_a_service_says_is_a_word(#[case] value: &str) {
        assert!(is_word(value));
    }

    #[rstest]
    #[case::github("4f8a1c9e07b3d265ea1f")]
    #[case::google("4/0AY0e-g7Xq3bLd9")]
    #[case::base64url("SplxlOBeZQQYbYS6WxSbIA")]
    #[case::base32("gezdgnbvgy3tqojqgezdgnbvgy")]
    #[case::base32_without_digits("mfzwizthnbvgwzdfmzzwq")]
    #[case::hexadecimal_letters("abcdefabcdefabcdefabcdefabcdefab")]
    #[case::uuid("c5b7d9d2-6c9e-4a0c-8b80-3f6f0b9d1f7a")]
    #[case::of_a_device("WDJB-MJHT")]
    #[case::once("123456")]
    #[case::mixed("aBcDeFgHiJ")]
    #[case::empty("")]
    fn what_may_open_something_is_none(#[case] value: &str) {
        assert!(!is_word(value));
    }
}
