//! What comes back from the browser, and what of it is believed.

use rstest::rstest;

use super::*;

fn expected(iss: IssParameter) -> Expected {
    Expected {
        state: Secret::from("s1"),
        issuer: "https://as.example".to_owned(),
        iss,
    }
}

#[rstest]
#[case("code=c&state=s1")]
#[case("code=c&state=s1&iss=https%3A%2F%2Fas.example")]
#[case("iss=https%3A%2F%2Fas.example&state=s1&code=c&session_state=x")]
fn a_good_answer_gives_its_code(#[case] query: &str) {
    let arrival = read(query, &expected(IssParameter::Optional)).unwrap();
    assert_eq!(arrival.code.expose(), "c");
}

#[rstest]
#[case("code=a&code=b&state=s1", CallbackFault::Duplicate("code"))]
#[case("code=a&state=s1&state=s1", CallbackFault::Duplicate("state"))]
#[case("code=a&state=s2", CallbackFault::ForeignState)]
#[case("code=a", CallbackFault::ForeignState)]
#[case("code=a&code=b", CallbackFault::ForeignState)]
#[case("code=a&state=s2&state=s3", CallbackFault::ForeignState)]
#[case("code=a&state=s2&state=s1", CallbackFault::Duplicate("state"))]
#[case("error=access_denied&state=s2", CallbackFault::ForeignState)]
#[case("state=s1", CallbackFault::NoCode)]
#[case("code=&state=s1", CallbackFault::NoCode)]
#[case(
    "error=access_denied&state=s1",
    CallbackFault::Denied { error: "access_denied".into(), description: None }
)]
#[case(
    "error=access_denied&error_description=%1b%5D0;x&state=s1",
    CallbackFault::Denied { error: "access_denied".into(), description: Some("␛]0;x".into()) }
)]
fn the_rest_is_refused_for_what_it_is(#[case] query: &str, #[case] fault: CallbackFault) {
    let found = read(query, &expected(IssParameter::Optional)).map(|_| ());
    assert_eq!(found, Err(fault));
}

#[rstest]
#[case("code=a&state=s1&iss=https%3A%2F%2Fevil.example")]
#[case("code=a&state=s1&iss=https%3A%2F%2Fas.example%2F")]
#[case("error=access_denied&error_description=click+here&state=s1&iss=https%3A%2F%2Fevil.example")]
fn another_issuers_words_are_never_read(#[case] query: &str) {
    let fault = read(query, &expected(IssParameter::Optional)).unwrap_err();
    assert!(
        matches!(fault, CallbackFault::ForeignIssuer { .. }),
        "{fault:?}"
    );
    assert!(!fault.failure().to_string().contains("click here"));
}

#[test]
fn an_issuer_that_promised_to_name_itself_must() {
    let fault = read("code=a&state=s1", &expected(IssParameter::Required)).unwrap_err();
    assert!(matches!(fault, CallbackFault::NoIssuer { .. }));
}

#[test]
fn text_from_outside_cannot_become_markup() {
    assert_eq!(escape("<b>{{text}}&"), "&lt;b&gt;&#123;&#123;text}}&amp;");
}
