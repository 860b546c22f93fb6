//! What every stand-in wears: the guard, faults, the feed.

use futures::{FutureExt as _, StreamExt as _};

use crate::{supabase_stand_in::lab, *};

const READ: &[(&str, &str)] = &[("apikey", SECRET)];

fn read() -> Request<Body> {
    request(Method::GET, "/rest/v1/tickets?select=id", READ, "")
}

#[rstest]
#[case(&[("host", "evil.test")], 421)]
#[case(&[("origin", "https://evil.test")], 403)]
#[case(&[("origin", "null")], 403)]
#[tokio::test]
async fn strangers_are_turned_away(#[case] headers: &[(&str, &str)], #[case] status: u16) {
    for path in ["/rest/v1/tickets", FEED_PATH, FAULTS_PATH] {
        let mut request = Request::get(path).header("apikey", SECRET);
        if headers[0].0 != "host" {
            request = request.header("host", "127.0.0.1:1");
        }
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let answer = send(&lab().router, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_fault_happens_as_often_as_it_should_and_in_the_services_words() {
    let lab = lab();
    lab.faults.push(Fault {
        retry_after: Some(3),
        ..Fault::status(503).times(2).when("/rest/v1/tickets")
    });
    for _ in 0..2 {
        let answer = send(&lab.router, read()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after")),
            (503, "3")
        );
        assert_eq!(answer.json()["code"], "PGRST002");
    }
    assert_eq!(send(&lab.router, read()).await.status, 200);
    assert!(lab.faults.list().is_empty());
    assert_eq!(
        requests(&lab.feed)[0].error.as_deref(),
        Some("scripted fault: 503")
    );
}

#[tokio::test]
async fn faults_can_be_scripted_over_http() {
    let lab = lab();
    let script = r#"[{"malformed":true},{"when":"nothing like it","status":500}]"#;
    let json = [("content-type", "application/json")];
    let put = request(Method::PUT, FAULTS_PATH, &json, script);
    assert_eq!(send(&lab.router, put).await.status, 200);
    let broken = send(&lab.router, read()).await;
    assert_eq!(broken.status, 200);
    assert!(serde_json::from_str::<Value>(&broken.text).is_err());
    assert!(broken.text.starts_with("[{\"id\""));
    let left = send(&lab.router, request(Method::GET, FAULTS_PATH, &[], "")).await;
    assert_eq!(left.json()[0]["when"], "nothing like it");
    assert_eq!(
        send(&lab.router, request(Method::DELETE, FAULTS_PATH, &[], ""))
            .await
            .status,
        204
    );
    assert!(lab.faults.list().is_empty());
    for bad in ["{}", "[{\"status\":42}]", "[{\"colour\":1}]"] {
        let put = request(Method::PUT, FAULTS_PATH, &json, bad);
        assert_eq!(send(&lab.router, put).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_cut_off_answer_breaks_halfway() {
    let lab = lab();
    lab.faults.push(Fault {
        cut_off: true,
        times: 1,
        ..Fault::default()
    });
    let response = lab.router.clone().oneshot(read()).await.unwrap();
    let promised: usize = response.headers()["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let mut body = response.into_body().into_data_stream();
    assert_eq!(body.next().await.unwrap().unwrap().len(), promised / 2);
    assert!(body.next().await.unwrap().is_err());
}

#[tokio::test]
async fn a_delay_delays() {
    let lab = lab();
    assert!(send(&lab.router, read()).now_or_never().is_some());
    lab.faults.push(Fault {
        delay_ms: Some(600_000),
        times: 1,
        ..Fault::default()
    });
    assert!(send(&lab.router, read()).now_or_never().is_none());
    assert!(send(&lab.router, read()).now_or_never().is_some());
}

#[tokio::test]
async fn the_feed_is_followed_and_resumed() {
    let lab = lab();
    for _ in 0..3 {
        send(&lab.router, read()).await;
    }
    lab.feed.close();
    let all = send(&lab.router, request(Method::GET, FEED_PATH, &[], "")).await;
    assert_eq!(all.header("content-type"), "text/event-stream");
    assert_eq!(
        all.text.matches("\ndata: {\"request\"").count(),
        3,
        "{}",
        all.text
    );
    let rest = send(
        &lab.router,
        request(Method::GET, &format!("{FEED_PATH}?after=2"), &[], ""),
    )
    .await;
    assert_eq!(ids(&rest.text), ids(&all.text)[2..]);
    let second = &ids(&all.text)[1];
    let resumed = resume(&lab.router, second).await;
    assert_eq!(ids(&resumed), ids(&all.text)[2..]);
    assert!(!resumed.contains("event: gap"), "{resumed}");
}

#[tokio::test]
async fn a_stand_in_that_was_started_anew_tells_all_that_it_saw() {
    let (before, after) = (lab(), lab());
    for (lab, requests) in [(&before, 1), (&after, 3)] {
        for _ in 0..requests {
            send(&lab.router, read()).await;
        }
        lab.feed.close();
    }
    let seen = send(&before.router, request(Method::GET, FEED_PATH, &[], "")).await;
    let [last] = &ids(&seen.text)[..] else {
        panic!("{}", seen.text);
    };
    for id in [last.as_str(), "1", "x-1", "-", ""] {
        assert_eq!(ids(&resume(&after.router, id).await).len(), 3, "{id}");
    }
}

#[tokio::test]
async fn a_follower_who_was_away_for_too_long_is_told_how_much_is_missing() {
    let lab = lab();
    send(&lab.router, read()).await;
    let (_, observation) = lab.feed.since(0)[0].clone();
    let first = request(Method::GET, FEED_PATH, &[], "");
    let mut body = lab
        .router
        .clone()
        .oneshot(first)
        .await
        .unwrap()
        .into_body()
        .into_data_stream();
    let mut text = String::new();
    while ids(&text).is_empty() {
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    for _ in 0..5_000 {
        lab.feed.publish((*observation).clone());
    }
    lab.feed.close();
    let (oldest, _) = lab.feed.since(0)[0];
    let resumed = resume(&lab.router, &ids(&text)[0]).await;
    let gap = format!("event: gap\ndata: {}\n", oldest - 2);
    assert_eq!(resumed.matches(&gap).count(), 1);
    let late = send(&lab.router, request(Method::GET, FEED_PATH, &[], "")).await;
    assert!(
        !late.text.contains("event: gap"),
        "who comes late was not there"
    );
}

fn ids(events: &str) -> Vec<String> {
    let ids = events.lines().filter_map(|line| line.strip_prefix("id: "));
    ids.map(str::to_owned).collect()
}

/// What is told to a follower whose last event was this one; the query is from its first request.
async fn resume(router: &Router, last: &str) -> String {
    let path = format!("{FEED_PATH}?after=0");
    let resumed = request(Method::GET, &path, &[("last-event-id", last)], "");
    send(router, resumed).await.text
}

#[tokio::test]
async fn the_feed_keeps_short_texts_and_no_customer() {
    let lab = lab();
    let id = "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d";
    for query in [
        "email=eq.marisol.vexley@northgate.example&select=id",
        "email=marisol.vexley@northgate.example",
        "or=(email.eq.marisol.vexley@northgate.example)",
        &format!("id=eq.{id}"),
        &format!("select={}", "x".repeat(60_000)),
    ] {
        let path = format!("/rest/v1/tickets?{query}");
        send(&lab.router, request(Method::GET, &path, READ, "")).await;
    }
    let told = requests(&lab.feed);
    assert_eq!(told[0].path, "/rest/v1/tickets?email=eq…&select=id");
    assert_eq!(told[0].operation, "tickets?email=eq…");
    assert_eq!(told[1].path, "/rest/v1/tickets?email=…");
    assert_eq!(told[1].operation, "tickets?email=…");
    assert_eq!(told[2].path, "/rest/v1/tickets?or=…");
    assert_eq!(told[3].path, format!("/rest/v1/tickets?id=eq.{id}"));
    for told in told {
        let told = format!("{told:?}");
        assert!(told.len() < 2_000 && !told.contains("vexley@"), "{told}");
    }
}
