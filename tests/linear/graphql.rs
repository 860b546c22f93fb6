//! GraphQL itself, and text that means harm.

use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::lab::{API_KEY, BASE, Lab, TEAM, read, text};

#[tokio::test]
async fn aliases_fragments_and_typename_work() {
    let lab = Lab::new().await;
    let data = lab
        .ok(
            API_KEY,
            "query Me { a: viewer { ...Who } b: viewer { __typename } } fragment Who on User { name }",
            Value::Null,
        )
        .await;
    assert_eq!(
        data,
        json!({ "a": { "name": "Workshop Admin" }, "b": { "__typename": "User" } })
    );
    let data = lab
        .ok(API_KEY, "{ __schema { queryType { name } } }", Value::Null)
        .await;
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
}

#[rstest]
#[case(
    "{ viewer { shoeSize } }",
    "GRAPHQL_VALIDATION_FAILED",
    "Cannot query field \"shoeSize\" on type \"User\"."
)]
#[case(
    "{ issues(filter: {shoe: {eq: 1}}) { nodes { id } } }",
    "GRAPHQL_VALIDATION_FAILED",
    ""
)]
#[case(
    "query($id: String!) { issue(id: $id) { id } }",
    "GRAPHQL_VALIDATION_FAILED",
    ""
)]
#[case("{ viewer {", "GRAPHQL_PARSE_FAILED", "")]
#[case("", "GRAPHQL_PARSE_FAILED", "")]
#[tokio::test]
async fn a_document_that_does_not_fit_is_a_graphql_error(
    #[case] query: &str,
    #[case] code: &str,
    #[case] message: &str,
) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, query, Value::Null).await;
    assert_eq!(status, 400, "{body}");
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["code"], code, "{body}");
    assert_eq!(error["extensions"]["type"], "graphql error");
    assert!(
        error["message"].as_str().unwrap().starts_with(message),
        "{body}"
    );
}

/// Asks with a filter of `written` levels of `and` in the query and `passed` more in a variable.
async fn nested(lab: &Lab, written: usize, passed: usize, list: bool) -> (StatusCode, Value) {
    let (open, close) = if list { ("[{", "}]") } else { ("{", "}") };
    let literal = format!("and: {open} ").repeat(written) + "and: $f" + &close.repeat(written);
    let query = format!(
        "query($f: [IssueFilter!]) {{ issues(filter: {{ {literal} }}) {{ nodes {{ id }} }} }}"
    );
    // As text: a value of such depth could not be read from it again.
    let open = open.replace('{', "{\"and\": ");
    let value = format!(
        "{}{{\"title\": {{\"eq\": \"x\"}}}}{}",
        open.repeat(passed),
        close.repeat(passed)
    );
    let body = format!(r#"{{"query": "{query}", "variables": {{"f": {value}}}}}"#);
    lab.post(API_KEY, body).await
}

/// A test's thread has the 2 MiB of stack that any thread has, and a stack that is used up ends the
/// process: the deepest filter that is read must fit.
#[rstest]
#[case::flat(0, 0, true, 200)]
#[case::usual(3, 3, true, 200)]
#[case::the_deepest(17, 17, false, 200)]
#[case::written_too_deep(18, 0, false, 400)]
#[case::passed_too_deep(0, 18, false, 400)]
#[case::by_far(0, 29, true, 400)]
#[case::written_by_far(120, 0, true, 400)]
#[case::deeper_than_json_is_read(0, 120, true, 400)]
#[tokio::test]
async fn a_filter_nests_only_so_deep(
    #[case] written: usize,
    #[case] passed: usize,
    #[case] list: bool,
    #[case] expected: u16,
) {
    let lab = Lab::new().await;
    let (status, body) = nested(&lab, written, passed, list).await;
    assert_eq!(status, expected, "{body}");
}

#[rstest]
#[case::braces("{a".repeat(200_000))]
#[case::lists(format!("{{ issues(filter: {} ) }}", "[".repeat(900_000)))]
#[case::many(format!("{{ {} }}", "viewer { id name } ".repeat(60_000)))]
#[case::deep_fragments({
    let mut text = "{ viewer { ...F0 } }".to_owned();
    for n in 0..60 {
        let next = n + 1;
        text.extend([" fragment F", &n.to_string(), " on User { organization { id } ...F"]);
        text.extend([&next.to_string(), " }"]);
    }
    text + " fragment F60 on User { id }"
})]
#[case::doubling_fragments({
    let mut text = "{ viewer { ...F0 } }".to_owned();
    for n in 0..30 {
        let next = n + 1;
        write!(text, " fragment F{n} on User {{ ...F{next} ...F{next} }}").unwrap();
    }
    text + " fragment F30 on User { id }"
})]
#[case::fragments_in_a_row({
    let mut text = "{ viewer { ...F0 } }".to_owned();
    for n in 0..30_000 {
        write!(text, " fragment F{n} on User {{ ...F{} }}", n + 1).unwrap();
    }
    text + " fragment F30000 on User { id }"
})]
#[case::fragments_in_a_circle("{ viewer { ...A } } fragment A on User { ...A ...A }".to_owned())]
#[tokio::test]
async fn a_query_that_is_too_much_is_refused_and_nothing_breaks(#[case] query: String) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, &query, Value::Null).await;
    assert!(status.is_client_error(), "{status}");
    assert!(body["errors"][0]["message"].is_string(), "{body}");
    lab.ok(API_KEY, "{ viewer { id } }", Value::Null).await;
}

#[rstest]
#[case("text/plain", "{\"query\":\"{ viewer { id } }\"}".to_owned(), 400)]
#[case("application/json", "not json".to_owned(), 400)]
#[case("application/json", "[]".to_owned(), 400)]
#[case("application/json", "{}".to_owned(), 400)]
#[case("application/json", format!("{{\"query\":\"{}\"}}", " ".repeat(3 << 20)), 413)]
#[tokio::test]
async fn a_body_that_is_no_request_is_refused(
    #[case] kind: &str,
    #[case] body: String,
    #[case] expected: u16,
) {
    let lab = Lab::new().await;
    let request = Request::post("/graphql")
        .header("host", "127.0.0.1:9999")
        .header("content-type", kind)
        .header("authorization", API_KEY)
        .body(Body::from(body))
        .unwrap();
    let (status, body) = read(lab.send(request).await).await;
    assert_eq!(status, expected);
    assert!(
        body["errors"][0]["extensions"]["type"].is_string(),
        "{body}"
    );
}

#[tokio::test]
async fn hostile_text_comes_back_as_data_and_cannot_run_on_the_page() {
    let lab = Lab::new().await;
    let hostile =
        "\u{1b}]0;owned\u{7}<script>alert(1)</script>\u{202e}\"'; DROP TABLE issues; --\u{0}";
    let input = json!({ "teamId": TEAM, "title": hostile, "description": hostile });
    let data = lab
        .ok(
            API_KEY,
            "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { issue { title description url } } }",
            json!({ "input": input }),
        )
        .await;
    let issue = &data["issueCreate"]["issue"];
    assert_eq!(issue["title"], hostile);
    assert_eq!(issue["description"], hostile);
    let path = issue["url"].as_str().unwrap().strip_prefix(BASE).unwrap();
    assert!(path.is_ascii());
    let request = Request::get(path)
        .header("host", "127.0.0.1:9999")
        .body(Body::empty())
        .unwrap();
    let response = lab.send(request).await;
    assert!(
        response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let (status, html) = text(response).await;
    assert_eq!(status, 200);
    assert!(html.contains("&lt;script&gt;"));
    assert!(!html.contains("<script") && !html.contains('\u{1b}') && !html.contains('\u{202e}'));
    assert!(html.contains("stand-in for Linear"));
}

#[tokio::test]
async fn the_page_of_an_issue_that_is_not_there_says_so() {
    let lab = Lab::new().await;
    let request = Request::get("/hoptrail-lab/issue/ENG-404")
        .header("host", "127.0.0.1:9999")
        .body(Body::empty())
        .unwrap();
    assert_eq!(lab.send(request).await.status(), 404);
}
