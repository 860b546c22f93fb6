//! Who is calling and what they may do.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::Value;

use super::lab::{API_KEY, Lab, bearer};

#[rstest]
#[case("read", "{ viewer { id } }", None)]
#[case(
    "read",
    "mutation { issueDelete(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueDelete(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueUpdate(id: \"ENG-1\", input: {title: \"x\"}) { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueArchive(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueUnarchive(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { commentCreate(input: {issueId: \"ENG-1\", body: \"x\"}) { success } }",
    Some("comments:create")
)]
#[case(
    "comments:create",
    "mutation { commentCreate(input: {issueId: \"ENG-1\", body: \"x\"}) { success } }",
    None
)]
#[case(
    "read",
    "mutation { issueCreate(input: {teamId: \"030eb113-b144-44f8-864f-c0507c21e80d\", title: \"x\"}) { success } }",
    Some("issues:create")
)]
#[case(
    "issues:create",
    "mutation { issueCreate(input: {teamId: \"030eb113-b144-44f8-864f-c0507c21e80d\", title: \"x\"}) { success } }",
    None
)]
#[case(
    "write",
    "mutation { issueCreate(input: {teamId: \"030eb113-b144-44f8-864f-c0507c21e80d\", title: \"x\"}) { success } }",
    None
)]
#[case("write", "mutation { issueDelete(id: \"ENG-1\") { success } }", None)]
#[case("admin", "mutation { issueDelete(id: \"ENG-1\") { success } }", None)]
#[tokio::test]
async fn each_operation_needs_its_scope(
    #[case] scope: &str,
    #[case] operation: &str,
    #[case] missing: Option<&str>,
) {
    let lab = Lab::new().await;
    lab.create(API_KEY, "there").await;
    let token = lab.bearer(scope).await;
    let (status, body) = lab.ask(&token, operation, Value::Null).await;
    let Some(missing) = missing else {
        assert_eq!(status, 200, "{body}");
        assert!(body.get("errors").is_none(), "{body}");
        return;
    };
    assert_eq!(status, 403, "{body}");
    let error = &body["errors"][0];
    assert_eq!(
        error["message"],
        format!("Invalid scope: `{missing}` required")
    );
    assert_eq!(error["extensions"]["type"], "forbidden");
    assert_eq!(error["extensions"]["code"], "FORBIDDEN");
    assert_eq!(error["extensions"]["userError"], true);
    assert_eq!(error["extensions"]["http"]["status"], 403);
    assert!(!lab.linear.issue("ENG-1").unwrap().trashed);
    assert_eq!(lab.linear.issues().len(), 1);
}

#[rstest]
#[case("Bearer lin_oauth_unknown")]
#[case("lin_api_wrong")]
#[case("Bearer ")]
#[case("")]
#[tokio::test]
async fn an_unknown_credential_is_an_authentication_error(#[case] authorization: &str) {
    let lab = Lab::new().await;
    let (status, body) = lab
        .ask(authorization, "{ viewer { id } }", Value::Null)
        .await;
    assert_eq!(status, 401);
    let extensions = &body["errors"][0]["extensions"];
    assert_eq!(extensions["type"], "authentication error");
    assert_eq!(extensions["code"], "AUTHENTICATION_ERROR");
    assert_eq!(extensions["http"]["status"], 401);
    assert!(extensions["userPresentableMessage"].is_string());
    assert!(body.get("data").is_none());
    let seen = &lab.requests()[0];
    assert_eq!((seen.status, &seen.acted_as), (401, &None));
    assert!(seen.error.is_some());
}

#[tokio::test]
async fn an_access_token_ends_after_a_day_and_a_refresh_token_is_none() {
    let lab = Lab::new().await;
    let tokens = lab.tokens("read", "").await;
    assert_eq!(tokens["expires_in"], 86_400);
    assert_eq!(tokens["token_type"], "Bearer");
    let refresh = format!("Bearer {}", tokens["refresh_token"].as_str().unwrap());
    let (status, _) = lab.ask(&refresh, "{ viewer { id } }", Value::Null).await;
    assert_eq!(status, 401);
    lab.clock.advance(TimeDelta::seconds(86_399));
    lab.ok(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    lab.clock.advance(TimeDelta::seconds(1));
    let (status, _) = lab
        .ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn only_an_admin_deletes_for_good() {
    let lab = Lab::new().await;
    let ada = lab.bearer("admin").await;
    lab.create(&ada, "one").await;
    let (status, body) = lab
        .ask(
            &ada,
            "mutation { issueDelete(id: \"ENG-1\", permanentlyDelete: true) { success } }",
            Value::Null,
        )
        .await;
    assert_eq!(status, 403, "{body}");
    assert!(lab.linear.issue("ENG-1").is_some());
}
