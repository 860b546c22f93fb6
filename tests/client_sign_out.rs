//! Signing out, whatever is under way.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod client_fake;

use std::sync::Arc;

use chrono::TimeDelta;
use client_fake::{
    Fake,
    rig::{Rig, rig},
};
use hoptrail::{
    client::browser::BrowserMode,
    protocol::secret::Secret,
    support::error::{Failure, FailureKind},
    trace::Fact,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

fn never() -> CancellationToken {
    CancellationToken::new()
}

type Renewing = JoinHandle<Result<Option<Secret>, Failure>>;

/// Signed in, and the zone takes its time with the renewal that it was asked for.
async fn renewing() -> (Fake, Rig, Renewing) {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    rig.clock.advance(TimeDelta::seconds(580));
    fake.script(|script| script.token_waits = true);
    let client = Arc::clone(&rig.client);
    let renewing = tokio::spawn(async move { client.bearer().await });
    fake.shared.token_asked.notified().await;
    (fake, rig, renewing)
}

#[tokio::test]
async fn signing_out_drops_the_token() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(never()).await.unwrap();
    rig.client.sign_out().await;
    assert!(!rig.client.signed_in());
    let failure = rig.client.list_tools(never()).await.unwrap_err();
    assert_eq!(failure.kind, Some(FailureKind::SignInRequired));
}

#[tokio::test]
async fn signing_out_waits_for_no_renewal_and_what_that_brings_is_dropped() {
    let (fake, rig, renewing) = renewing().await;

    rig.client.sign_out().await;
    assert!(!rig.client.signed_in());
    fake.shared.token_goes_on.notify_one();
    assert_eq!(renewing.await.unwrap().unwrap(), None);
    assert!(!rig.client.signed_in(), "the token came too late");
    let tokens = rig
        .sink
        .count(|fact| matches!(fact, Fact::TokenIssued { .. }));
    assert_eq!(tokens, 1, "and nobody is told to be signed in");
}

#[tokio::test]
async fn signing_out_ends_a_sign_in_whose_token_is_on_its_way() {
    let fake = Fake::start().await;
    let rig = rig(&fake.server, BrowserMode::Headless);
    fake.script(|script| script.token_waits = true);
    let client = Arc::clone(&rig.client);
    let signing_in = tokio::spawn(async move { client.sign_in(never()).await });
    fake.shared.token_asked.notified().await;
    rig.client.sign_out().await;
    fake.shared.token_goes_on.notify_one();
    let failure = signing_in.await.unwrap().unwrap_err();
    assert_eq!(failure.what, "The token came too late");
    assert!(!rig.client.signed_in());

    fake.script(|script| script.token_waits = false);
    rig.client.sign_in(never()).await.unwrap();
    assert!(rig.client.signed_in(), "the next one is another one");
}

#[tokio::test]
async fn who_gives_up_while_a_token_is_renewed_does_not_throw_the_new_one_away() {
    let (fake, rig, renewing) = renewing().await;
    renewing.abort();
    assert!(renewing.await.unwrap_err().is_cancelled());

    fake.script(|script| script.token_waits = false);
    fake.shared.token_goes_on.notify_one();
    assert!(rig.client.bearer().await.unwrap().is_some());
    assert_eq!(fake.saw("token refresh_token"), 1);
}
