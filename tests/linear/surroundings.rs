//! The feed, the faults and the state.

use std::{path::PathBuf, sync::Arc};

use axum::{body::Body, http::Request};
use chrono::TimeDelta;
use hoptrail::{
    protocol::secret::Fingerprint,
    support::{clock::FakeClock, ids::Ids},
    upstream::{
        faults::{Fault, Faults},
        feed::Feed,
        linear::{self, Config, OAuthClient, workspace::Team},
        people::PEOPLE,
    },
};
use serde_json::{Value, json};

use super::lab::{API_KEY, BASE, CLIENT, CLIENT_SECRET, Lab, TRACE, TRASH, bearer, refresh};

#[tokio::test]
async fn the_feed_tells_each_request_and_each_change_without_a_secret() {
    let lab = Lab::new().await;
    let tokens = lab.tokens("read,issues:create", "").await;
    let token = tokens["access_token"].as_str().unwrap();
    lab.create(&bearer(&tokens), "one").await;
    lab.ask(&bearer(&tokens), TRASH, json!({ "id": "ENG-1" }))
        .await;
    lab.ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    let seen = lab.requests();
    let [asked, made, refused, read] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(asked.operation, "POST /oauth/token");
    assert_eq!(asked.acted_as.as_deref(), Some("Ada Lindqvist"));
    assert_eq!((&*made.operation, made.status), ("CreateIssue", 200));
    assert_eq!(made.acted_as.as_deref(), Some("Ada Lindqvist"));
    assert_eq!(made.credential, Some(Fingerprint::of(token.as_bytes())));
    assert_eq!(made.trace_parent.unwrap().to_string(), TRACE);
    assert_eq!((&*refused.operation, refused.status), ("TrashIssue", 403));
    assert_eq!(
        refused.error.as_deref(),
        Some("Invalid scope: `write` required")
    );
    assert_eq!(read.operation, "viewer");
    let all = serde_json::to_string(
        &lab.feed
            .since(0)
            .iter()
            .map(|(_, o)| &**o)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    assert!(all.contains("\"issue\":{"));
    for secret in [
        token,
        tokens["refresh_token"].as_str().unwrap(),
        CLIENT_SECRET,
        API_KEY,
    ] {
        assert!(!all.contains(secret));
    }
}

#[tokio::test]
async fn a_scripted_fault_has_linears_shape() {
    let lab = Lab::new().await;
    lab.faults.push(Fault::status(429).when("viewer"));
    lab.ok(API_KEY, "{ organization { id } }", Value::Null)
        .await;
    let (status, body) = lab.ask(API_KEY, "{ viewer { id } }", Value::Null).await;
    assert_eq!(status, 429);
    assert_eq!(body["errors"][0]["extensions"]["type"], "ratelimited");
    lab.ok(API_KEY, "{ viewer { id } }", Value::Null).await;
}

#[tokio::test]
async fn a_restart_keeps_issues_comments_and_tokens_and_no_token_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deeper").join("linear.db");
    let clock = FakeClock::shared();
    let first = Lab::at(Some(file.clone()), clock.clone(), 1).await;
    let tokens = first.tokens("write", "noor@lab.example").await;
    let noor = bearer(&tokens);
    first.create(&noor, "one").await;
    first.create(&noor, "two").await;
    first.create(API_KEY, "three").await;
    first.ok(&noor, TRASH, json!({ "id": "ENG-2" })).await;
    first
        .ok(
            API_KEY,
            "mutation { issueDelete(id: \"ENG-3\", permanentlyDelete: true) { success }
            commentCreate(input: {issueId: \"ENG-1\", body: \"kept\"}) { lastSyncId } }",
            Value::Null,
        )
        .await;
    let before = first.linear.issues();
    drop(first);

    let second = Lab::at(Some(file.clone()), clock.clone(), 2).await;
    assert_eq!(second.linear.issues(), before);
    assert_eq!(before[0].author, "Noor Haddad");
    assert!(before[1].trashed);
    let data = second
        .ok(
            &noor,
            "{ issue(id: \"ENG-1\") { comments { nodes { body } } } }",
            Value::Null,
        )
        .await;
    assert_eq!(data["issue"]["comments"]["nodes"][0]["body"], "kept");
    let next = second.create(&noor, "four").await;
    assert_eq!(next["identifier"], "ENG-4");
    let restore = "mutation { issueUnarchive(id: \"ENG-2\") { success lastSyncId } }";
    let data = second.ok(&noor, restore, Value::Null).await;
    assert_eq!(data["issueUnarchive"]["lastSyncId"], 8);

    let mut stored = Vec::new();
    for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
        stored.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    for secret in ["access_token", "refresh_token"] {
        let secret = tokens[secret].as_str().unwrap().as_bytes();
        assert!(!stored.windows(secret.len()).any(|part| part == secret));
    }
    drop(second);

    clock.advance(TimeDelta::hours(24));
    let third = Lab::at(Some(file), clock, 3).await;
    assert_eq!(
        third.ask(&noor, "{ viewer { id } }", Value::Null).await.0,
        401
    );
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&third, token, None).await.0, 200);
}

#[tokio::test]
async fn a_state_file_that_cannot_be_used_is_told_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("linear.db");
    std::fs::write(&file, "this is no database, and long enough to look at").unwrap();
    let open = |state: PathBuf| async {
        let clock = FakeClock::shared();
        linear::open(Config {
            base_url: BASE.into(),
            state: Some(state),
            clock: clock.clone(),
            ids: Ids::seeded(1),
            people: PEOPLE,
            team: Team::default(),
            oauth_client: OAuthClient {
                id: CLIENT.into(),
                secret: CLIENT_SECRET.into(),
                redirect_uris: Vec::new(),
                name: "x".into(),
            },
            api_key: None,
            feed: Feed::new(clock),
            faults: Faults::new(linear::error_body),
        })
        .await
        .unwrap_err()
    };
    let failure = open(file.clone()).await;
    assert!(failure.why.contains("linear.db"), "{failure}");
    assert!(failure.next.contains("--state"), "{failure}");
    assert_eq!(
        std::fs::read(&file).unwrap(),
        b"this is no database, and long enough to look at"
    );
    // A folder where the file should be.
    let failure = open(folder.path().to_path_buf()).await;
    assert!(failure.what.contains("cannot keep its state"), "{failure}");
}

#[tokio::test]
async fn many_at_once_get_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("linear.db");
    let lab = Arc::new(Lab::at(Some(file), FakeClock::shared(), 1).await);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..40 {
        let lab = lab.clone();
        tasks.spawn(async move { lab.create(API_KEY, &format!("issue {n}")).await });
    }
    let mut seen: Vec<_> = tasks
        .join_all()
        .await
        .iter()
        .map(|issue| issue["identifier"].as_str().unwrap().to_owned())
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 40);
}

#[tokio::test]
async fn a_web_page_of_somebody_else_gets_nothing() {
    let lab = Lab::new().await;
    for path in ["/graphql", "/oauth/authorize"] {
        let request = Request::post(path)
            .header("host", "127.0.0.1:9999")
            .header("origin", "https://evil.test")
            .header("authorization", API_KEY)
            .body(Body::empty())
            .unwrap();
        assert_eq!(lab.send(request).await.status(), 403, "{path}");
    }
}
