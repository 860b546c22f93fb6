//! What a `WWW-Authenticate` header asks for.

use std::sync::LazyLock;

use regex::Regex;

/// The `resource_metadata` URL of a challenge (RFC 9728, section 5.1), if it names one.
#[must_use]
pub fn pointer(challenge: &str) -> Option<String> {
    parameter(challenge, "resource_metadata")
}

/// A parameter of a `WWW-Authenticate` challenge (RFC 9110, section 11.2).
#[must_use]
pub fn parameter(challenge: &str, name: &str) -> Option<String> {
    static PARAMETER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:^|[\s,])([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))"#)
            .expect("a constant pattern")
    });
    PARAMETER
        .captures_iter(challenge)
        .find(|found| found[1].eq_ignore_ascii_case(name))
        .and_then(|found| found.get(2).or_else(|| found.get(3)))
        .map(|value| value.as_str().replace("\\\"", "\""))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"Bearer resource_metadata="http://h/x", scope="a b""#,
        Some("http://h/x")
    )]
    #[case(
        r#"Bearer error="invalid_token", resource_metadata=http://h/y"#,
        Some("http://h/y")
    )]
    #[case(r#"Bearer Resource_Metadata = "http://h/z""#, Some("http://h/z"))]
    #[case(r#"Bearer resource_metadata="""#, Some(""))]
    #[case("Bearer", None)]
    #[case(r#"Bearer my_resource_metadata="http://h/x""#, None)]
    fn a_challenge_names_where_its_metadata_is(
        #[case] challenge: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(pointer(challenge).as_deref(), expected);
    }
}
