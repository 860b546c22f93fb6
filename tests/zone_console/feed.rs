//! The audit feed as a stream.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use futures::StreamExt as _;
use hoptrail::{
    protocol::audit::{AuditPage, AuditRecord},
    zone::seed::FirstPolicy,
};
use tower::ServiceExt as _;

use crate::{api::Api, office::*};

/// Opens the feed as a stream.
async fn stream(api: &Api, path: &str, last_event_id: Option<&str>) -> Rows {
    let mut request = Request::get(path)
        .header(header::HOST, "127.0.0.1:4100")
        .header(header::AUTHORIZATION, format!("Bearer {}", api.token))
        .header(header::ACCEPT, "text/event-stream");
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    let answer = api
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    Rows {
        body: answer.into_body().into_data_stream(),
        text: String::new(),
    }
}

struct Rows {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Rows {
    async fn next(&mut self) -> Option<AuditRecord> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .unwrap()
                        .trim()
                        .to_owned()
                };
                let row: AuditRecord = serde_json::from_str(&field("data:")).unwrap();
                assert_eq!(field("id:"), row.sequence.to_string());
                self.text = rest.to_string();
                return Some(row);
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

#[tokio::test]
async fn the_feed_tells_the_past_then_the_present_and_ends_with_the_zone() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    office.exchange(SUPABASE, None).await.unwrap();
    let mut rows = stream(&api, "/hoptrail/events", None).await;
    assert_eq!(rows.next().await.unwrap().sequence, 1);
    let (row, _) = tokio::join!(rows.next(), office.exchange(LINEAR, Some("write")));
    let row = row.unwrap();
    assert_eq!(row.sequence, 2);
    assert_eq!(row.error.as_deref(), Some("access_denied"));
    office.zone.close().await;
    assert_eq!(rows.next().await, None);
}

#[tokio::test]
async fn the_feed_goes_on_where_its_reader_stopped() {
    let office = office(FirstPolicy::Limited).await;
    let api = Api::of(&office.zone).await;
    // More than memory keeps, so that the beginning comes from the disk.
    for _ in 0..300 {
        office.exchange(SUPABASE, None).await.unwrap();
    }
    for (path, last, expected) in [
        ("/hoptrail/events", None, 1),
        ("/hoptrail/events?after=12", None, 13),
        ("/hoptrail/events?after=299", None, 300),
        ("/hoptrail/events?latest=7", None, 294),
        ("/hoptrail/events?latest=1000", None, 1),
        ("/hoptrail/events?latest=7", Some("12"), 13),
        ("/hoptrail/events?after=12", Some("290"), 291),
    ] {
        let mut rows = stream(&api, path, last).await;
        for sequence in expected..=300 {
            assert_eq!(rows.next().await.unwrap().sequence, sequence, "{path}");
        }
    }
    let page: AuditPage = api.get("/hoptrail/events?after=3&limit=2").await;
    let numbers: Vec<_> = page.items.iter().map(|row| row.sequence).collect();
    assert_eq!(numbers, [4, 5]);
    let page: AuditPage = api.get("/hoptrail/events?after=300").await;
    assert!(page.items.is_empty());
}
