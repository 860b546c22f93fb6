//! GitHub: who signs in.

use crate::*;

const CALLBACK: &str = "http://127.0.0.1:9301/oauth/2/callback";

fn lab() -> (Router, Arc<FakeClock>) {
    let clock = FakeClock::shared();
    let router = github::router(github::Config {
        base_url: "http://127.0.0.1:9305".into(),
        users: PEOPLE,
        clients: vec![github::Client {
            client_id: "Iv1.lab".into(),
            client_secret: Secret::from("gh-secret"),
            name: "The lab's <zone>".into(),
            redirect_uris: vec![CALLBACK.into()],
        }],
        clock: clock.clone(),
        ids: Ids::seeded(3),
    });
    (router, clock)
}

const AUTHORIZE: &str = "/login/oauth/authorize?client_id=Iv1.lab&redirect_uri=http%3A%2F%2F127.0.0.1%3A9301%2Foauth%2F2%2Fcallback&state=a%20b%26c&scope=read:user%20user:email";

async fn form(router: &Router) -> PageForm {
    let page = request(
        Method::GET,
        AUTHORIZE,
        &[("accept", "application/json")],
        "",
    );
    serde_json::from_str(&send(router, page).await.text).unwrap()
}

async fn submit(router: &Router, fields: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
    ];
    let path = if fields[0].0 == "ticket" {
        "/login/oauth/authorize"
    } else {
        "/login/oauth/access_token"
    };
    send(router, request(Method::POST, path, &headers, &body)).await
}

async fn code(router: &Router, login: &str) -> String {
    let form = form(router).await;
    let answer = submit(
        router,
        &[("ticket", &form.fields["ticket"]), ("login", login)],
    )
    .await;
    assert_eq!(answer.status, 303);
    let target = url::Url::parse(answer.header("location")).unwrap();
    assert!(target.as_str().starts_with(CALLBACK));
    let query: std::collections::HashMap<_, _> = target.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "a b&c");
    query["code"].clone()
}

fn exchange<'a>(code: &'a str, secret: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("client_id", "Iv1.lab"),
        ("client_secret", secret),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ]
}

#[tokio::test]
async fn a_sample_person_signs_in_and_is_known() {
    let (router, _) = lab();
    let form = form(&router).await;
    assert_eq!(
        (form.page, form.action.as_str()),
        (
            PageKind::SignIn,
            "http://127.0.0.1:9305/login/oauth/authorize"
        )
    );
    assert_eq!(form.submission()["login"], "ada-lindqvist");
    let code = code(&router, "noor-haddad").await;
    let token = submit(&router, &exchange(&code, "gh-secret")).await.json();
    assert_eq!(
        (token["token_type"].as_str(), token["scope"].as_str()),
        (Some("bearer"), Some("read:user,user:email"))
    );
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let user = send(&router, request(Method::GET, "/user", &headers, ""))
        .await
        .json();
    assert_eq!(
        (user["login"].as_str(), user["name"].as_str()),
        (Some("noor-haddad"), Some("Noor Haddad"))
    );
    let emails = send(&router, request(Method::GET, "/user/emails", &headers, ""))
        .await
        .json();
    assert_eq!(
        emails,
        json!([{"email": "noor@lab.example", "primary": true, "verified": true, "visibility": "private"}])
    );
}

#[tokio::test]
async fn codes_and_pages_are_used_once_and_end() {
    let (router, clock) = lab();
    let used = code(&router, "ada-lindqvist").await;
    assert!(
        submit(&router, &exchange(&used, "gh-secret")).await.json()["access_token"].is_string()
    );
    assert_eq!(
        submit(&router, &exchange(&used, "gh-secret")).await.json()["error"],
        "bad_verification_code"
    );
    let old = code(&router, "ada-lindqvist").await;
    let page = form(&router).await;
    clock.advance(TimeDelta::minutes(11));
    assert_eq!(
        submit(&router, &exchange(&old, "gh-secret")).await.json()["error"],
        "bad_verification_code"
    );
    let late = submit(
        &router,
        &[
            ("ticket", &page.fields["ticket"]),
            ("login", "ada-lindqvist"),
        ],
    )
    .await;
    assert_eq!(
        (late.status.as_u16(), late.json()["error"].as_str()),
        (400, Some("invalid_request"))
    );
}

#[tokio::test]
async fn wrong_secrets_and_tokens_are_refused() {
    let (router, _) = lab();
    let code = code(&router, "ada-lindqvist").await;
    assert_eq!(
        submit(&router, &exchange(&code, "wrong")).await.json()["error"],
        "incorrect_client_credentials"
    );
    for headers in [&[][..], &[("authorization", "Bearer gho_wrong")][..]] {
        let answer = send(&router, request(Method::GET, "/user", headers, "")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["message"].as_str()),
            (401, Some("Bad credentials"))
        );
    }
}

#[tokio::test]
async fn cancelling_leads_back_with_access_denied() {
    let (router, _) = lab();
    let form = form(&router).await;
    let answer = submit(
        &router,
        &[("ticket", &form.fields["ticket"]), ("login", "-")],
    )
    .await;
    assert!(answer.header("location").contains("error=access_denied"));
    assert!(answer.header("location").contains("state=a+b%26c"));
}

#[rstest]
#[case("client_id=nobody", 404, "invalid_client")]
#[case(
    "client_id=Iv1.lab&redirect_uri=https://evil.test/",
    400,
    "redirect_uri_mismatch"
)]
#[case(
    "client_id=Iv1.lab&redirect_uri=http://127.0.0.1:9301/oauth/2/callback/",
    400,
    "redirect_uri_mismatch"
)]
#[case(
    "client_id=Iv1.lab&code_challenge=x&code_challenge_method=plain",
    400,
    "invalid_request"
)]
#[tokio::test]
async fn authorize_redirects_nowhere_it_should_not(
    #[case] query: &str,
    #[case] status: u16,
    #[case] error: &str,
) {
    let (router, _) = lab();
    let path = format!("/login/oauth/authorize?{query}");
    let answer = send(
        &router,
        request(Method::GET, &path, &[("accept", "application/json")], ""),
    )
    .await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (status, Some(error))
    );
    assert!(answer.headers.get("location").is_none());
}

#[tokio::test]
async fn pkce_is_checked_where_it_was_begun() {
    let (router, _) = lab();
    for (verifier, works) in [("the-right-verifier", true), ("another", false)] {
        // SHA-256 of `the-right-verifier` in base64url.
        let challenge = {
            use base64::Engine as _;
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"the-right-verifier");
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)
        };
        let path = format!("{AUTHORIZE}&code_challenge_method=S256&code_challenge={challenge}");
        let page = send(
            &router,
            request(Method::GET, &path, &[("accept", "application/json")], ""),
        )
        .await;
        let ticket = page.json()["fields"]["ticket"].as_str().unwrap().to_owned();
        let answer = submit(&router, &[("ticket", &ticket), ("login", "ada-lindqvist")]).await;
        let target = url::Url::parse(answer.header("location")).unwrap();
        let code = target
            .query_pairs()
            .find(|(name, _)| name == "code")
            .unwrap()
            .1
            .into_owned();
        let mut fields = exchange(&code, "gh-secret").to_vec();
        fields.push(("code_verifier", verifier));
        assert_eq!(
            submit(&router, &fields).await.json()["access_token"].is_string(),
            works
        );
    }
}

#[tokio::test]
async fn the_page_is_plain_and_says_what_it_is() {
    let (router, _) = lab();
    let page = send(
        &router,
        request(Method::GET, AUTHORIZE, &[("accept", "text/html")], ""),
    )
    .await;
    assert!(
        page.text
            .contains("Stand-in for GitHub in the hoptrail lab")
    );
    assert!(
        page.text
            .contains("The lab&#39;s &lt;zone&gt; wants to know")
    );
    assert!(
        page.text.contains("Tomás Rivera")
            && !page.text.contains("<script")
            && !page.text.contains("{{")
    );
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert_eq!(page.header("cache-control"), "no-store");
    let bad = send(
        &router,
        request(
            Method::GET,
            "/login/oauth/authorize?client_id=%3Cb%3E",
            &[],
            "",
        ),
    )
    .await;
    assert!(bad.text.contains("That did not work") && !bad.text.contains("<b>"));
}
