//! A server that is not where, or not what, it is called: its code is not blamed.

use hoptrail::{
    chapters::{
        Reading, Status,
        probe::{HttpAnswer, HttpProbe, ProbeResults, ResourceMetadata},
    },
    projection::Projection,
    protocol::{env::classify, secret::Secret},
};
use rstest::rstest;
use serde_json::Value;

use crate::{status, story, told_otherwise};

/// What to do, by a check that failed.
fn remedy(check: &str, projection: &Projection, results: &ProbeResults) -> String {
    match status("lock", check, projection, results) {
        Status::Failed { fix, .. } => fix,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case("no-token")]
#[case("metadata")]
fn of_a_server_that_is_silent_the_middleware_is_not_blamed(#[case] check: &str) {
    let because = "the MCP server did not answer".to_owned();
    let mut results = ProbeResults {
        metadata: Reading::Failed {
            because: because.clone(),
        },
        ..ProbeResults::default()
    };
    results
        .http
        .insert(HttpProbe::NoToken, Reading::Failed { because });
    let fix = remedy(check, &story(), &results);
    assert!(fix.starts_with("Start your server"), "{fix}");
}

/// What is wrong with how the server is called is no fault of its code.
#[rstest]
#[case(
    "http://127.0.0.1:8000/mcp",
    "Call the server by the name that it gives itself: --server http://localhost:8000/mcp"
)]
#[case(
    "http://localhost:8000/",
    "Call the server by the name that it gives itself: --server http://localhost:8000/mcp"
)]
fn a_server_that_is_called_by_another_name_than_its_own_says_which(
    #[case] called: &str,
    #[case] expected: &str,
) {
    let results = ProbeResults {
        metadata: Reading::Told(ResourceMetadata {
            server: called.to_owned(),
            resource: "http://localhost:8000/mcp".to_owned(),
            authorization_servers: vec!["http://127.0.0.1:8100".to_owned()],
            issuer: Some("http://127.0.0.1:8100".to_owned()),
            scopes: vec![],
        }),
        ..ProbeResults::default()
    };
    let fix = remedy("metadata", &story(), &results);
    assert_eq!(fix, expected);
}

/// A server that names itself as it is called, as the SDK's does: the `.env` tells that it was called
/// otherwise than the zone knows it.
#[rstest]
#[case("http://localhost:8000/mcp", false)]
#[case("http://127.0.0.1:8000/mcp", true)]
#[case("http://localhost:8001/mcp", true)]
fn a_server_that_is_called_otherwise_than_its_env_says_is_told_so(
    #[case] called: &str,
    #[case] otherwise: bool,
) {
    let story = told_otherwise(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        if let Some(target) = event.pointer_mut("/fact/run_started") {
            target["server"] = called.into();
        }
        Some(event.to_string())
    });
    let own = "http://localhost:8000/mcp".to_owned();
    let results = ProbeResults {
        env: Reading::Told(vec![classify("MCP_RESOURCE_URL", &Secret::new(own))]),
        metadata: Reading::Told(ResourceMetadata {
            server: called.to_owned(),
            resource: called.to_owned(),
            authorization_servers: vec!["http://127.0.0.1:8100".to_owned()],
            issuer: Some("http://127.0.0.1:8100".to_owned()),
            scopes: vec![],
        }),
        ..ProbeResults::default()
    };
    match status("lock", "env-resource", &story, &results) {
        Status::Failed { fix, .. } => {
            assert!(otherwise);
            assert!(
                fix.starts_with("Call it by that URL, with --server"),
                "{fix}"
            );
        }
        other => assert!(!otherwise, "{other:?}"),
    }
}

#[rstest]
#[case("no-token")]
#[case("metadata")]
fn where_nothing_stands_the_middleware_is_not_blamed(#[case] check: &str) {
    let mut results = ProbeResults {
        metadata: Reading::Failed {
            because: "it answered 404 Not Found".to_owned(),
        },
        ..ProbeResults::default()
    };
    let answer = HttpAnswer {
        status: 404,
        www_authenticate: None,
        outcome: None,
    };
    results
        .http
        .insert(HttpProbe::NoToken, Reading::Told(answer));
    let fix = remedy(check, &Projection::default(), &results);
    assert!(fix.starts_with("Compare the URL here"), "{fix}");
}
