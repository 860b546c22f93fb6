//! Signing in, as far as it goes well.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod client_fake;

use chrono::TimeDelta;
use client_fake::{
    Fake,
    mcp::Mcp,
    rig::{config, rig},
};
use hoptrail::{
    client::{Client, browser::BrowserMode, robot},
    support::error::FailureKind,
    trace::{
        Fact,
        event::{BrowserLeg, ClientGrant, Leg, MetadataDocument},
    },
};
use serde_json::Map;
use tokio_util::sync::CancellationToken;

fn never() -> CancellationToken {
    CancellationToken::new()
}

#[tokio::test]
async fn the_sample_user_signs_in_without_a_browser() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    assert!(rig.client.signed_in());
    let story: Vec<&str> = rig
        .sink
        .facts()
        .iter()
        .filter_map(|fact| match fact {
            Fact::SignInStarted { .. } => Some("started"),
            Fact::MetadataRead {
                document: MetadataDocument::ProtectedResource,
                ..
            } => Some("resource"),
            Fact::MetadataRead {
                document: MetadataDocument::AuthorizationServer,
                ..
            } => Some("issuer"),
            Fact::ClientRegistered { .. } => Some("registered"),
            Fact::BrowserOpened {
                how: BrowserLeg::Headless,
                ..
            } => Some("browser"),
            Fact::CallbackReceived { error: None, .. } => Some("callback"),
            Fact::TokenIssued {
                grant: ClientGrant::AuthorizationCode,
                refreshable: true,
                ..
            } => Some("token"),
            Fact::HopSent { leg, .. } => Some(match leg {
                Leg::Discovery => "→discovery",
                Leg::Registration => "→registration",
                Leg::Authorization => "→page",
                Leg::Callback => "→callback",
                Leg::Token => "→token",
                Leg::Mcp => "→mcp",
                Leg::Console => "→console",
            }),
            _ => None,
        })
        .collect();
    assert_eq!(
        story,
        [
            "started",
            "→mcp",
            "→discovery",
            "resource",
            "→discovery",
            "issuer",
            "→registration",
            "registered",
            "browser",
            "→page",
            "→page",
            "→callback",
            "callback",
            "→token",
            "token",
        ]
    );
    let registered = fake.shared.requests.lock().unwrap()[0].clone();
    for member in [
        r#""client_name":"hoptrail""#,
        r#""application_type":"native""#,
        r#""token_endpoint_auth_method":"none""#,
    ] {
        assert!(registered.contains(member), "{registered}");
    }
    assert_eq!(fake.saw(r#""resource": "http://127.0.0.1"#), 1);
    assert_eq!(fake.saw(r#""scope": "read issues:create""#), 1);
}

#[tokio::test]
async fn every_hop_that_is_sent_comes_to_an_end() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    rig.client.list_tools(never()).await.unwrap();
    let reports = rig.sink.0.lock().unwrap();
    for sent in reports
        .iter()
        .filter(|one| matches!(one.fact, Fact::HopSent { .. }))
    {
        let ends = reports
            .iter()
            .filter(|one| one.span == sent.span)
            .filter(|one| matches!(one.fact, Fact::HopReturned { .. } | Fact::HopFailed { .. }))
            .count();
        assert_eq!(ends, 1, "{:?}", sent.fact);
    }
}

#[tokio::test]
async fn without_a_desktop_the_url_is_shown_and_the_callback_page_answers_a_browser() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Open);
    let client = std::sync::Arc::clone(&rig.client);
    let signing_in = tokio::spawn(async move { client.sign_in(never()).await });
    rig.shown.1.notified().await;
    let url = rig.shown.0.lock().unwrap().clone().unwrap();
    let query = |name: &str| {
        url.query_pairs()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.into_owned())
            .unwrap()
    };
    let redirect_uri = query("redirect_uri");
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let visit = |url: String, header: Option<(&'static str, &'static str)>| {
        let mut request = browser.get(url);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.send()
    };
    let wrong_host = visit(
        format!("{redirect_uri}?code=x"),
        Some(("host", "evil.example")),
    )
    .await;
    assert_eq!(wrong_host.unwrap().status(), 403);
    let foreign = visit(
        redirect_uri.clone(),
        Some(("origin", "https://evil.example")),
    )
    .await;
    assert_eq!(foreign.unwrap().status(), 403);
    let script = visit(redirect_uri.clone(), Some(("sec-fetch-mode", "no-cors"))).await;
    assert_eq!(script.unwrap().status(), 403);
    let elsewhere = visit(redirect_uri.replace("/callback", "/other"), None).await;
    assert_eq!(elsewhere.unwrap().status(), 404);

    let end = visit(
        format!(
            "{redirect_uri}?error=access_denied&error_description=%3Cb%3Eno&state={}&iss={}",
            query("state"),
            fake.issuer
        ),
        None,
    )
    .await
    .unwrap();
    assert_eq!(end.headers()["cache-control"], "no-store");
    assert!(
        end.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    let page = end.text().await.unwrap();
    assert!(
        page.contains("The sign-in was denied") && page.contains("&lt;b&gt;no"),
        "{page}"
    );
    assert!(!page.contains("<script"));
    let failure = signing_in.await.unwrap().unwrap_err();
    assert_eq!(failure.what, "The sign-in was denied");
    assert!(
        visit(redirect_uri, None).await.is_err(),
        "the door is closed"
    );
    assert!(rig.sink.facts().iter().any(|fact| matches!(
        fact,
        Fact::BrowserOpened {
            how: BrowserLeg::Shown,
            ..
        }
    )));
}

#[tokio::test]
async fn a_token_that_ends_is_renewed_once_and_the_rotated_one_is_used_after() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    for round in 1..=2 {
        rig.clock.advance(TimeDelta::seconds(580));
        rig.client
            .call_tool("escalate_ticket", Map::new(), never())
            .await
            .unwrap();
        let renewed = rig.sink.count(|fact| {
            matches!(
                fact,
                Fact::TokenIssued {
                    grant: ClientGrant::RefreshToken,
                    ..
                }
            )
        });
        assert_eq!(renewed, round);
    }
    assert_eq!(fake.saw("token refresh_token"), 2);
}

#[tokio::test]
async fn a_token_that_the_server_no_longer_takes_is_renewed_once() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    rig.client.list_tools(never()).await.unwrap();
    fake.script(|script| script.refuse_tokens = 1);
    rig.client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap();
    assert_eq!(fake.saw("token refresh_token"), 1);

    fake.script(|script| script.refuse_tokens = 9);
    let failure = rig
        .client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap_err();
    assert_eq!(failure.what, "The server does not take the token");
    assert_eq!(fake.saw("token refresh_token"), 2);
}

#[tokio::test]
async fn calls_at_the_same_time_share_one_renewal() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    rig.client.list_tools(never()).await.unwrap();
    fake.revoke();
    let call = || rig.client.call_tool("escalate_ticket", Map::new(), never());
    let (one, two, three) = tokio::join!(call(), call(), call());
    for result in [one, two, three] {
        result.unwrap();
    }
    assert_eq!(fake.saw("token refresh_token"), 1);
}

#[tokio::test]
async fn a_refresh_token_that_is_spent_ends_the_sign_in_with_one_clear_failure() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    fake.script(|script| {
        script.refuse_tokens = 9;
        script.token_error = Some((
            400,
            serde_json::json!({"error": "invalid_grant", "error_description": "spent"}),
        ));
    });
    let failure = rig
        .client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap_err();
    assert_eq!(failure.what, "The sign-in has ended");
    assert_eq!(failure.why, "invalid_grant: spent");
    assert!(!rig.client.signed_in());
    let ended: Vec<Fact> = rig
        .sink
        .facts()
        .into_iter()
        .filter(|fact| matches!(fact, Fact::SignInEnded { .. }))
        .collect();
    assert_eq!(ended, [Fact::SignInEnded { failure }], "it is told, once");
}

#[tokio::test]
async fn a_server_that_takes_anyone_needs_no_sign_in() {
    let fake = Fake::start().await;
    fake.script(|script| script.open = true);
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    assert!(!rig.client.signed_in());
    let facts = rig.sink.facts();
    assert!(facts.contains(&Fact::SignInNotNeeded));
    let is_listed = |fact: &Fact| matches!(fact, Fact::ToolsListed { .. });
    assert!(facts.iter().any(is_listed), "which is how it was found out");
}

#[tokio::test]
async fn a_server_may_ask_only_when_the_tools_are_listed() {
    let fake = Fake::start().await;
    fake.script(|script| script.asks_at = Some("tools/list"));
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    assert!(rig.client.signed_in());
    assert!(!rig.sink.facts().contains(&Fact::SignInNotNeeded));
    rig.client.list_tools(never()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_needed_no_sign_in_may_ask_at_a_call() {
    let fake = Fake::start().await;
    fake.script(|script| script.asks_at = Some("tools/call"));
    let rig = rig(&fake.server, BrowserMode::Headless);
    let call = || rig.client.call_tool("escalate_ticket", Map::new(), never());

    let failure = call().await.unwrap_err();
    assert_eq!(failure.kind, Some(FailureKind::SignInRequired));
    assert!(!rig.client.signed_in(), "nobody wanted to sign in");

    rig.client.sign_in(never()).await.unwrap();
    assert!(rig.sink.facts().contains(&Fact::SignInNotNeeded));
    call().await.unwrap();
    assert!(rig.client.signed_in());

    // Told to go by now, it is like any other: the next sign-in is the person's to begin.
    rig.client.sign_out().await;
    assert!(call().await.is_err());
    assert!(!rig.client.signed_in());
}

#[tokio::test]
async fn the_sample_user_may_say_no() {
    let fake = Fake::start().await;
    let (mut config, sink, ..) = config(&fake.server, BrowserMode::Headless);
    config.answer.consent = robot::Consent::Deny;
    let client = Client::new(config).unwrap();
    let failure = client.sign_in(never()).await.unwrap_err();
    assert_eq!(failure.what, "The sign-in was denied");
    assert_eq!(failure.why, "access_denied: the person said ␛[31mno");
    let told = sink.facts().into_iter().any(|fact| {
        matches!(fact, Fact::CallbackReceived { error: Some(error), .. } if error == "access_denied")
    });
    assert!(told);
}

#[tokio::test]
async fn waiting_for_the_browser_can_be_called_off() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Show);
    let cancel = CancellationToken::new();
    let client = std::sync::Arc::clone(&rig.client);
    let token = cancel.clone();
    let signing_in = tokio::spawn(async move { client.sign_in(token).await });
    rig.shown.1.notified().await;
    cancel.cancel();
    assert!(signing_in.await.unwrap().is_err());
    assert!(rig.sink.facts().contains(&Fact::SignInCancelled));
    let url = rig.shown.0.lock().unwrap().clone().unwrap();
    let redirect_uri = url
        .query_pairs()
        .find(|(n, _)| n == "redirect_uri")
        .unwrap()
        .1
        .into_owned();
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(
        browser.get(redirect_uri).send().await.is_err(),
        "the door is closed"
    );
}

#[tokio::test]
async fn the_sample_user_may_be_asked_while_a_browser_is_waited_for() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Show);
    let client = std::sync::Arc::clone(&rig.client);
    // Nobody waits yet: a press of the key is not kept for later.
    client.let_sample_user_answer();
    let signing_in = tokio::spawn(async move { client.sign_in(never()).await });
    rig.shown.1.notified().await;
    assert!(!rig.client.signed_in());
    // The URL is shown before the sign-in begins to wait; until then nobody hears it.
    while !signing_in.is_finished() {
        rig.client.let_sample_user_answer();
        tokio::task::yield_now().await;
    }
    signing_in.await.unwrap().unwrap();
    assert!(rig.client.signed_in());
    // The last page of it is read to its end, too.
    let cut_off = |fact: &Fact| matches!(fact, Fact::HopFailed { .. });
    assert_eq!(rig.sink.count(cut_off), 0);
}

#[tokio::test]
async fn a_sign_in_that_is_called_off_before_it_began_sends_nothing() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(rig.client.sign_in(cancel).await.is_err());
    assert_eq!(
        rig.sink.count(|fact| matches!(fact, Fact::HopSent { .. })),
        0
    );
}

#[tokio::test]
async fn nothing_that_was_ever_a_secret_is_in_the_trace() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    rig.client.list_tools(never()).await.unwrap();
    rig.client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap();
    fake.script(|script| script.mcp = Mcp::EchoToken);
    rig.client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap();
    rig.clock.advance(TimeDelta::seconds(580));
    rig.client
        .call_tool("escalate_ticket", Map::new(), never())
        .await
        .unwrap();
    let trace = rig.sink.json();
    let debug = format!("{:?} {:?}", rig.client, rig.sink);
    let secrets = fake.shared.secrets.lock().unwrap();
    assert!(secrets.len() >= 10, "{}", secrets.len());
    for secret in secrets.iter() {
        assert!(!trace.contains(secret.as_str()), "{secret} is in the trace");
        assert!(
            !debug.contains(secret.as_str()),
            "{secret} is in a Debug text"
        );
    }
    assert!(
        trace.contains("client-of-the-workshop"),
        "identifiers stay readable"
    );
}

#[tokio::test]
async fn a_stranger_at_the_callback_does_not_end_the_sign_in() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Show);
    let client = std::sync::Arc::clone(&rig.client);
    let signing_in = tokio::spawn(async move { client.sign_in(never()).await });
    rig.shown.1.notified().await;
    let url = rig.shown.0.lock().unwrap().clone().unwrap();
    let query = |name: &str| {
        let found = url.query_pairs().find(|(found, _)| found == name);
        found.unwrap().1.into_owned()
    };
    let (redirect_uri, state) = (query("redirect_uri"), query("state"));
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    for strange in [
        "",
        "code=x",
        "code=x&state=guessed",
        "code=x&code=y&state=guessed&state=again",
        "error=access_denied&error_description=click+here",
    ] {
        let answer = browser
            .get(format!("{redirect_uri}?{strange}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{strange}");
        let page = answer.text().await.unwrap();
        assert!(!page.contains("click here"), "{page}");
    }
    let facts = rig.sink.facts();
    let came = |fact: &&Fact| matches!(fact, Fact::CallbackReceived { .. });
    assert_eq!(facts.iter().find(came), None, "nobody came who counts");

    // The one who was sent comes later, and counts.
    let right = format!(
        "{redirect_uri}?error=access_denied&state={state}&iss={}",
        fake.issuer
    );
    let _ = browser.get(right).send().await.unwrap();
    let failure = signing_in.await.unwrap().unwrap_err();
    assert_eq!(failure.what, "The sign-in was denied");
}
