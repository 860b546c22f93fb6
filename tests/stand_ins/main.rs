//! The stand-ins as their clients meet them: each behaviour and each refusal, in-process.

mod anthropic_stand_in;
mod github_stand_in;
mod shell;
mod supabase_stand_in;
mod supabase_writes;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        observed::{FEED_PATH, Observation, UpstreamRequest},
        page::{PageForm, PageKind},
        secret::{Fingerprint, Secret},
    },
    support::{
        clock::{FakeClock, SharedClock},
        ids::Ids,
    },
    upstream::{
        anthropic,
        faults::{FAULTS_PATH, Fault, Faults},
        feed::Feed,
        github,
        people::PEOPLE,
        supabase::{self, sample_tickets},
    },
};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const SECRET: &str = "sb_secret_lab_0123456789";
const PUBLISHABLE: &str = "sb_publishable_lab_0123456789";
const ANTHROPIC: &str = "sk-ant-lab-0123456789";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:9302");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// What is published on a feed so far.
fn requests(feed: &Feed) -> Vec<UpstreamRequest> {
    feed.since(0)
        .into_iter()
        .filter_map(|(_, observation)| match &*observation {
            Observation::Request(request) => Some(request.clone()),
            Observation::Issue(_) => None,
        })
        .collect()
}
