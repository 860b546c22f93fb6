//! What the client refuses: a row for every line of the probes in the protocol facts (1.4), and
//! for every document that can lie.

#[expect(dead_code, reason = "each test binary uses a part of it")]
mod client_fake;

use client_fake::{
    Fake, Script,
    rig::{Rig, at_the_browser, config, rig},
};
use hoptrail::{
    client::{Client, browser::BrowserMode, discovery::MissingPkceAllowed},
    projection::{HopKind, Verdict},
    support::error::{Exit, Failure},
    trace::{Fact, event::Leg},
};
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Signs in at a fake that was told to misbehave.
async fn refused(edit: impl FnOnce(&mut Script, &str)) -> (Fake, Rig, Failure) {
    let fake = Fake::start().await;
    let issuer = fake.issuer.clone();
    fake.script(|script| edit(script, &issuer));
    let rig = rig(&fake.server, BrowserMode::Headless);
    let failure = rig
        .client
        .sign_in(CancellationToken::new())
        .await
        .unwrap_err();
    assert!(!rig.client.signed_in());
    let told = rig.sink.facts().into_iter().any(
        |fact| matches!(fact, Fact::SignInRefused { failure: ref found } if *found == failure),
    );
    assert!(told, "the trace says so too");
    for part in [&failure.what, &failure.why, &failure.next] {
        assert!(!part.is_empty() && !part.contains('\u{1b}'), "{failure}");
    }
    (fake, rig, failure)
}

fn set(member: &'static str, value: Value) -> impl Fn(&mut Value) + Send + Sync + 'static {
    move |document| document[member] = value.clone()
}

fn without(member: &'static str) -> impl Fn(&mut Value) + Send + Sync + 'static {
    move |document| {
        document.as_object_mut().unwrap().remove(member);
    }
}

#[rstest]
#[case::script(
    "authorization_endpoint",
    "javascript:alert(1)",
    "scheme is \"javascript\""
)]
#[case::file("authorization_endpoint", "file:///etc/passwd", "scheme is \"file\"")]
#[case::program("authorization_endpoint", "vscode://open", "scheme is \"vscode\"")]
#[case::user(
    "authorization_endpoint",
    "https://me:pw@example.com/",
    "user name or a password"
)]
#[case::plain("authorization_endpoint", "http://example.com/authorize", "plain http")]
#[case::plain_token("token_endpoint", "http://example.com/token", "plain http")]
#[case::cloud_token("token_endpoint", "http://169.254.169.254/token", "plain http")]
#[case::cloud_tls(
    "token_endpoint",
    "https://169.254.169.254/token",
    "cloud serves credentials"
)]
#[case::cloud_reg(
    "registration_endpoint",
    "https://169.254.169.254/r",
    "cloud serves credentials"
)]
#[case::plain_reg("registration_endpoint", "http://example.com/register", "plain http")]
#[case::keys("jwks_uri", "file:///keys", "scheme is \"file\"")]
#[tokio::test]
async fn an_endpoint_that_is_not_safe_is_never_called(
    #[case] member: &'static str,
    #[case] url: &str,
    #[case] why: &str,
) {
    let url = json!(url);
    let (fake, rig, failure) =
        refused(|script, _| script.metadata = Some(Box::new(set(member, url)))).await;
    assert_eq!(failure.exit, Exit::Refused);
    assert!(failure.why.contains(why), "{failure}");
    assert!(!failure.why.contains("pw"), "{failure}");
    assert_eq!(fake.saw("authorize"), 0);
    let opened = rig
        .sink
        .count(|fact| matches!(fact, Fact::BrowserOpened { .. }));
    assert_eq!(opened, 0, "no browser for such a URL");
}

#[tokio::test]
async fn metadata_without_pkce_is_refused_unless_the_issuer_is_named() {
    let absent = || Box::new(without("code_challenge_methods_supported"));
    let (_, _, failure) = refused(|script, _| script.metadata = Some(absent())).await;
    assert_eq!(
        failure.what,
        "The authorization server does not say that it checks PKCE"
    );

    let fake = Fake::start().await;
    fake.script(|script| script.metadata = Some(absent()));
    for (named, goes_on) in [
        (fake.issuer.clone(), true),
        ("https://other.example".into(), false),
    ] {
        let (mut config, ..) = config(&fake.server, BrowserMode::Headless);
        config.missing_pkce = MissingPkceAllowed::for_issuers(vec![named]);
        let client = Client::new(config).unwrap();
        assert_eq!(
            client.sign_in(CancellationToken::new()).await.is_ok(),
            goes_on
        );
    }
}

#[rstest]
#[case(json!(["plain"]), "does not offer PKCE with S256")]
#[case(json!([]), "does not offer PKCE with S256")]
#[tokio::test]
async fn metadata_without_s256_is_refused(#[case] methods: Value, #[case] what: &str) {
    let edit = set("code_challenge_methods_supported", methods);
    let (_, _, failure) = refused(|script, _| script.metadata = Some(Box::new(edit))).await;
    assert!(failure.what.contains(what), "{failure}");
}

#[rstest]
#[case::other("https://evil.example", "is about somebody else")]
#[case::slash("SELF/x", "is about somebody else")]
#[tokio::test]
async fn metadata_that_lies_about_its_issuer_is_refused(#[case] issuer: &str, #[case] what: &str) {
    let (_, _, failure) = refused(|script, own| {
        let lie = json!(issuer.replace("SELF", own));
        script.metadata = Some(Box::new(set("issuer", lie)));
    })
    .await;
    assert!(failure.what.contains(what), "{failure}");
}

#[tokio::test]
async fn metadata_without_an_issuer_is_refused() {
    let (_, _, failure) =
        refused(|script, _| script.metadata = Some(Box::new(without("issuer")))).await;
    assert!(failure.what.contains("does not say who it is"), "{failure}");
}

#[rstest]
#[case::host("https://other.example/mcp")]
#[case::path("SERVER/else")]
#[case::nonsense("not a url")]
#[tokio::test]
async fn resource_metadata_about_another_server_is_an_error_and_no_reason_to_guess(
    #[case] resource: &str,
) {
    for pointed_at in [true, false] {
        let (fake, _, failure) = refused(|script, _| {
            let resource = json!(resource.replace("SERVER", "http://127.0.0.1:1/mcp"));
            script.resource = Some(Box::new(set("resource", resource)));
            if !pointed_at {
                script.challenge = Some(Box::new(|_| "Bearer".to_owned()));
            }
        })
        .await;
        assert_eq!(
            failure.what,
            "The resource metadata is about another server"
        );
        assert_eq!(fake.saw("register"), 0);
    }
}

#[rstest]
#[case("127.0.0.1", "localhost")]
#[case("localhost", "127.0.0.1")]
#[tokio::test]
async fn a_server_on_this_computer_is_to_be_named_as_it_names_itself(
    #[case] asked: &str,
    #[case] own: &str,
) {
    let fake = Fake::start().await;
    let own = fake.server.replace("127.0.0.1", own);
    let resource = json!(own);
    fake.script(|script| script.resource = Some(Box::new(set("resource", resource))));
    let rig = rig(
        &fake.server.replace("127.0.0.1", asked),
        BrowserMode::Headless,
    );
    let failure = rig
        .client
        .sign_in(CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(failure.exit, Exit::Refused);
    assert_eq!(
        failure.next,
        format!("name the server as it names itself: {own}")
    );
    assert_eq!(fake.saw("register"), 0, "and it stays refused");
}

#[tokio::test]
async fn a_server_without_tls_is_to_be_named_with_http() {
    let fake = Fake::start().await;
    let server = fake.server.replacen("http:", "https:", 1);
    let failure = rig(&server, BrowserMode::Headless)
        .client
        .sign_in(CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(failure.why.ends_with("it does not speak TLS"), "{failure}");
    assert_eq!(failure.next, "name it with http:// instead of https://");
}

#[rstest]
#[case("https://169.254.169.254/latest", "cloud serves credentials")]
#[case("http://metadata.google.internal/", "plain http")]
#[case("file:///etc/passwd", "scheme")]
#[tokio::test]
async fn a_challenge_cannot_send_the_client_to_a_forbidden_place(
    #[case] pointer: &'static str,
    #[case] why: &str,
) {
    let (_, rig, failure) = refused(|script, _| {
        script.challenge = Some(Box::new(move |_| {
            format!(r#"Bearer resource_metadata="{pointer}""#)
        }));
    })
    .await;
    assert!(failure.why.contains(why), "{failure}");
    let called = rig.sink.count(|fact| {
        matches!(
            fact,
            Fact::HopSent {
                leg: Leg::Discovery,
                ..
            }
        )
    });
    assert_eq!(called, 0);
}

#[tokio::test]
async fn an_authorization_server_at_a_forbidden_place_is_refused() {
    let named = json!(["http://169.254.169.254/"]);
    let (_, _, failure) = refused(|script, _| {
        script.resource = Some(Box::new(set("authorization_servers", named)));
    })
    .await;
    assert_eq!(failure.what, "The authorization server is not safe to use");
}

#[tokio::test]
async fn where_nothing_is_published_no_endpoint_is_guessed() {
    let (fake, rig, failure) = refused(|script, _| {
        script.publish_nothing = true;
        script.challenge = Some(Box::new(|_| "Bearer".to_owned()));
    })
    .await;
    assert_eq!(failure.what, "The server does not say where to sign in");
    assert_eq!(
        fake.saw("register") + fake.saw("authorize") + fake.saw("token authorization_code"),
        0
    );
    let posted = rig.sink.count(|fact| {
        matches!(
            fact,
            Fact::HopSent {
                leg: Leg::Registration | Leg::Token,
                ..
            }
        )
    });
    assert_eq!(posted, 0);
}

#[tokio::test]
async fn a_server_without_registration_is_named_as_such() {
    let (_, _, failure) =
        refused(|script, _| script.metadata = Some(Box::new(without("registration_endpoint"))))
            .await;
    assert_eq!(failure.what, "This client cannot introduce itself");
}

#[rstest]
#[case::state("state=", "state=x", "does not belong to this sign-in")]
#[case::two_codes("code=", "code=a&code=", "is not clear")]
#[case::two_states("state=", "state=a&state=", "is not clear")]
#[case::two_issuers("iss=", "iss=a&iss=", "is not clear")]
#[case::issuer("iss=http", "iss=https", "comes from another authorization server")]
#[case::no_issuer("iss=", "was=", "does not say who it comes from")]
#[case::no_code("code=", "was=", "is empty")]
#[case::mixed_up(
    "code=",
    "error=access_denied&error_description=click+here&iss=http%3A%2F%2Fevil&was=",
    "is not clear"
)]
#[tokio::test]
async fn an_answer_that_is_not_plainly_ours_is_not_believed(
    #[case] from: &'static str,
    #[case] to: &'static str,
    #[case] what: &str,
) {
    let (fake, rig, failure) = refused(|script, _| {
        script.callback = Some(Box::new(move |query| query.replacen(from, to, 1)));
    })
    .await;
    assert!(failure.what.contains(what), "{failure}");
    assert_eq!(
        fake.saw("token authorization_code"),
        0,
        "the code is not sent"
    );
    assert!(!rig.sink.json().contains("click here"));
    let seen = rig.seen();
    assert_eq!(at_the_browser(&seen), [Verdict::Failed]);
    let hop = seen
        .hops()
        .rows()
        .iter()
        .find(|hop| hop.kind == HopKind::Browser);
    assert_eq!(hop.unwrap().note.as_deref(), Some(&*failure.why));
}

#[rstest]
#[case::registering(|script: &mut Script, error| script.registration_error = Some((500, error)))]
#[case::at_a_page(|script: &mut Script, error| script.page_error = Some((500, error)))]
#[case::coming_back(|script: &mut Script, _| script.callback = Some(Box::new(|query| {
    query.replacen("code=", "error=server_error&error_description=disk&was=", 1)
})))]
#[case::at_the_token(|script: &mut Script, error| script.token_error = Some((400, error)))]
#[tokio::test]
async fn a_server_that_fails_has_refused_nothing(#[case] edit: fn(&mut Script, Value)) {
    let error = json!({"error": "server_error", "error_description": "disk"});
    let (_, _, failure) = refused(|script, _| edit(script, error)).await;
    assert_eq!(failure.what, "The authorization server failed");
    assert_eq!(failure.why, "server_error: disk");
    assert!(failure.next.starts_with("try again"), "{failure}");
    assert_eq!(failure.exit, Exit::Unreachable);
}

#[tokio::test]
async fn an_error_from_another_issuer_is_not_shown() {
    let (_, rig, failure) = refused(|script, _| {
        script.callback = Some(Box::new(|query| {
            query
                .replacen(
                    "code=",
                    "error=access_denied&error_description=click-here&was=",
                    1,
                )
                .replacen("iss=http", "iss=https", 1)
        }));
    })
    .await;
    assert!(
        failure.what.contains("another authorization server"),
        "{failure}"
    );
    assert!(!failure.to_string().contains("click-here"));
    assert!(rig.sink.facts().contains(&Fact::CallbackReceived {
        error: None,
        description: None
    }));
}

#[rstest]
#[case(json!("DPoP"))]
#[case(json!("mac"))]
#[case(Value::Null)]
#[tokio::test]
async fn a_token_that_is_no_bearer_token_is_refused(#[case] kind: Value) {
    let (_, _, failure) =
        refused(|script, _| script.token = Some(Box::new(set("token_type", kind)))).await;
    assert_eq!(
        failure.what,
        "The token is of a kind that this client does not use"
    );
}

#[tokio::test]
async fn a_token_for_more_than_was_asked_is_taken_with_a_warning() {
    let fake = Fake::start().await;
    fake.script(|script| {
        script.token = Some(Box::new(set(
            "scope",
            json!("read issues:create admin\u{1b}[31m"),
        )));
    });
    let rig = rig(&fake.server, BrowserMode::Headless);
    rig.client.sign_in(CancellationToken::new()).await.unwrap();
    let warned = rig.sink.facts().into_iter().any(|fact| {
        matches!(fact, Fact::FailureOccurred(failure) if failure.why == "not asked for: admin␛[31m")
    });
    assert!(warned);
}

#[tokio::test]
async fn what_the_token_endpoint_says_reaches_the_person_harmless() {
    let (_, _, failure) = refused(|script, _| {
        let said = json!({"error": "invalid_grant", "error_description": "no\u{1b}]0;owned\u{7}"});
        script.token_error = Some((400, said));
    })
    .await;
    assert_eq!(failure.why, "invalid_grant: no␛]0;owned␇");
}

#[tokio::test]
async fn a_page_that_is_not_the_labs_is_not_walked_through() {
    let (fake, _, failure) = refused(|script, _| script.no_such_page = true).await;
    assert_eq!(failure.what, "The sample user lost the way");
    assert_eq!(fake.saw("token authorization_code"), 0);
}

#[tokio::test]
async fn only_a_lab_is_signed_in_to_without_a_person() {
    let fake = Fake::start().await;
    fake.script(|script| script.metadata = Some(Box::new(without("hoptrail_lab"))));
    let rig = rig(&fake.server, BrowserMode::Headless);
    let cancel = CancellationToken::new();
    let (client, token) = (std::sync::Arc::clone(&rig.client), cancel.clone());
    let signing_in = tokio::spawn(async move { client.sign_in(token).await });
    rig.shown.1.notified().await;
    assert_eq!(fake.saw("authorize"), 0);
    cancel.cancel();
    assert!(signing_in.await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_that_is_not_there_says_where_nobody_answered() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let rig = rig(&format!("http://{address}/mcp"), BrowserMode::Headless);
    let failure = rig
        .client
        .sign_in(CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(failure.why.contains(&address.to_string()), "{failure}");
}

#[rstest]
#[case("http://example.com/mcp")]
#[case("ftp://127.0.0.1/")]
#[case("http://user@127.0.0.1/")]
#[case("mcp")]
fn a_servers_address_that_cannot_be_used_is_refused_at_once(#[case] server: &str) {
    let (config, ..) = config(server, BrowserMode::Show);
    let failure = Client::new(config).unwrap_err();
    assert!(failure.what.contains("server's address"), "{failure}");
}

#[rstest]
#[case::resolved("http://localhost:1/mcp")]
#[case::tls("https://127.0.0.1:1/mcp")]
#[tokio::test]
async fn a_name_and_tls_reach_as_far_as_the_connection(#[case] server: &str) {
    let rig = rig(server, BrowserMode::Headless);
    let failure = rig
        .client
        .sign_in(CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable);
    assert!(failure.why.contains("refused"), "{failure}");
}
