//! Who is asked for consent, who is asked again, and who is not asked at all.

use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        console::{Application, Consent, LifeStatus, Session},
        page::{PageDetail, PageKind},
    },
    zone::directory::{Change, Grant, Provider, Resource, SignIn},
};
use rstest::rstest;
use serde_json::json;

use crate::{
    browser::{Browser, authorize_url},
    harness::{Answer, ISSUER, LINEAR, Lab, REDIRECT, SUPABASE, depends, query, resource},
};

#[tokio::test]
async fn the_second_sign_in_needs_neither_github_nor_consent_nor_linear() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let answer = browser.visit(&authorize_url(&client, &[])).await;
    assert!(query(&answer.location()).contains_key("code"));
    let asked_again = browser
        .visit(&authorize_url(&client, &[("prompt", "consent")]))
        .await;
    assert_eq!(asked_again.form().page, PageKind::Consent);
    let answer = browser.submit(&asked_again).await;
    assert!(query(&answer.location()).contains_key("code"));
    let signs_in_again = browser
        .visit(&authorize_url(&client, &[("prompt", "login")]))
        .await;
    assert_eq!(signs_in_again.form().page, PageKind::SignIn);
    lab.clock.advance(TimeDelta::hours(13));
    let later = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(later.form().page, PageKind::SignIn);
}

#[tokio::test]
async fn another_client_must_ask_for_itself() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let other = lab.register_as("Another", REDIRECT).await;
    let page = browser.visit(&authorize_url(&other, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
}

#[tokio::test]
async fn a_client_that_asks_for_more_than_was_agreed_to_must_ask_the_person() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let less = authorize_url(&client, &[("scope", "read")]);
    let answer = browser.visit(&less).await;
    assert!(query(&answer.location()).contains_key("code"));
    let more = authorize_url(&client, &[("scope", "read write")]);
    let page = browser.visit(&more).await;
    assert_eq!(page.form().page, PageKind::Consent);
    let answer = browser.submit(&page).await;
    assert!(query(&answer.location()).contains_key("code"));
    // Both pages were agreed to, and neither takes back the other.
    let all = authorize_url(&client, &[("scope", "write issues:create read")]);
    let answer = browser.visit(&all).await;
    assert!(query(&answer.location()).contains_key("code"));
}

#[tokio::test]
async fn a_consent_of_before_scopes_were_kept_is_asked_for_again() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let directory = lab.zone.state().directory();
    let row = directory
        .sign_ins
        .values()
        .find(|row| row.data["kind"] == "remembered_consent")
        .unwrap();
    lab.change(vec![Change::put(SignIn {
        data: json!({"kind": "remembered_consent"}),
        ..SignIn::clone(row)
    })])
    .await;
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
}

#[tokio::test]
async fn an_added_dependency_brings_the_consent_page_back() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    lab.change(vec![
        resource(
            "r-anthropic",
            "Anthropic API",
            "http://127.0.0.1:9303",
            Some("p-vault"),
            &[],
        ),
        depends("r-anthropic"),
    ])
    .await;
    let refused = lab.exchange(&token, "http://127.0.0.1:9303").await;
    assert_eq!(refused.error(), "insufficient_authorization");
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
    assert!(
        page.form()
            .details
            .iter()
            .any(|d| d.label == "Anthropic API")
    );
    let back = browser.submit(&page).await;
    assert!(query(&back.location()).contains_key("code"));
}

#[tokio::test]
async fn an_application_whose_consent_is_implicit_shows_no_consent_page() {
    let lab = Lab::open().await;
    lab.change(vec![Change::put(Application {
        id: "a-mcp".into(),
        name: "Support Escalation".into(),
        identifier: "urn:app:support-escalation".into(),
        consent: Consent::Implicit,
    })])
    .await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let to_linear = browser.up_to_consent(&client).await;
    assert!(to_linear.location().contains("/oauth/authorize?"));
    let back = browser
        .come_back(&to_linear.location(), &[("code", "lin-code")])
        .await;
    assert!(query(&back.location()).contains_key("code"));
}

#[rstest]
#[case("r-linear", "/oauth/authorize?")]
#[case("r-supabase", "code=")]
#[case("r-mcp", "code=")]
#[tokio::test]
async fn a_revoked_grant_needs_consent_again_and_where_there_is_one_the_provider(
    #[case] revoked: &str,
    #[case] next: &str,
) {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    let directory = lab.zone.state().directory();
    let grant = directory
        .grants
        .values()
        .find(|grant| grant.resource_id == revoked)
        .unwrap();
    lab.change(vec![Change::put(Grant {
        status: LifeStatus::Revoked,
        ..Grant::clone(grant)
    })])
    .await;
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
    let answer = browser.submit(&page).await;
    assert!(answer.location().contains(next), "{}", answer.location());
}

/// Up to Linear's own page, with the sign-in page that is still open in another tab.
async fn up_to_linear(browser: &mut Browser<'_>, client: &str) -> (Answer, String) {
    let sign_in = browser.visit(&authorize_url(client, &[])).await;
    let to_github = browser.submit(&sign_in).await.location();
    let consent = browser.come_back(&to_github, &[("code", "gh-code")]).await;
    let to_linear = browser.submit(&consent).await.location();
    (sign_in, to_linear)
}

#[tokio::test]
async fn a_sign_in_form_that_is_sent_after_the_consent_starts_nothing_anew() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let (sign_in, to_linear) = up_to_linear(&mut browser, &client).await;
    let again = browser.submit(&sign_in).await.location();
    let page = |url: &str| url.split('?').next().unwrap().to_owned();
    assert_eq!(page(&again), page(&to_linear), "where the sign-in stands");
}

/// A code that one provider gave is not shown to another, nor are its tokens taken for the other's.
#[tokio::test]
async fn a_code_goes_to_nobody_but_the_provider_that_the_person_was_sent_to() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let (_, to_linear) = up_to_linear(&mut browser, &client).await;
    let directory = lab.zone.state().directory();
    let other = Provider {
        id: "p-other".into(),
        name: "Another".into(),
        ..Provider::clone(&directory.providers["p-linear"])
    };
    lab.change(vec![
        Change::put(other),
        Change::put(Resource {
            credential_provider_id: Some("p-other".into()),
            ..Resource::clone(&directory.resources["r-linear"])
        }),
    ])
    .await;
    let asked = lab.upstreams.linear_forms.lock().unwrap().len();
    let answer = browser.come_back(&to_linear, &[("code", "lin-code")]).await;
    let sent = query(&answer.location());
    assert_eq!(sent["error"], "invalid_request", "{sent:?}");
    assert_eq!(lab.upstreams.linear_forms.lock().unwrap().len(), asked);
    let directory = lab.zone.state().directory();
    let of_linear = |grant: &Grant| grant.resource_id == "r-linear";
    assert!(!directory.grants.values().any(|grant| of_linear(grant)));
}

#[tokio::test]
async fn what_one_person_agreed_to_does_not_count_for_the_next_in_the_same_sign_in() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let (sign_in, _) = up_to_linear(&mut browser, &client).await;
    let directory = lab.zone.state().directory();
    let session = directory.sessions.values().next().unwrap();
    lab.change(vec![Change::put(Session {
        status: LifeStatus::Revoked,
        ..Session::clone(session)
    })])
    .await;
    let handle = &sign_in.form().fields["transaction"];
    let page = browser
        .visit(&format!("{ISSUER}/login/sign-in?transaction={handle}"))
        .await;
    assert_eq!(page.form().page, PageKind::SignIn);
    *lab.upstreams.github_user.lock().unwrap() =
        Some(json!({"login": "noor", "id": 43, "name": "Noor", "email": "noor@example.com"}));
    let to_github = browser.submit(&page).await.location();
    let page = browser.come_back(&to_github, &[("code", "gh-code")]).await;
    assert_eq!(page.form().page, PageKind::Consent);
}

#[tokio::test]
async fn nobody_agrees_to_what_the_page_did_not_list() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let page = browser.up_to_consent(&client).await;
    let payroll = "http://127.0.0.1:9306";
    lab.change(vec![
        resource("r-payroll", "Payroll", payroll, Some("p-vault"), &[]),
        depends("r-payroll"),
    ])
    .await;
    let again = browser.submit(&page).await;
    assert_eq!(again.form().page, PageKind::Consent);
    let listed = |detail: &PageDetail| detail.label == "Payroll";
    assert!(again.form().details.iter().any(listed));
    assert!(lab.zone.state().directory().grants.is_empty());
    let to_linear = browser.submit(&again).await;
    assert!(to_linear.location().contains("/oauth/authorize?"));
    let directory = lab.zone.state().directory();
    assert!(
        directory
            .grants
            .values()
            .any(|g| g.resource_id == "r-payroll")
    );
}

#[tokio::test]
async fn a_consent_that_was_withdrawn_is_asked_for_even_where_none_has_to_be_given() {
    let lab = Lab::open().await;
    let implicit = Application {
        consent: Consent::Implicit,
        ..Application::clone(&lab.zone.state().directory().applications["a-mcp"])
    };
    lab.change(vec![Change::put(implicit)]).await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let to_linear = browser.up_to_consent(&client).await.location();
    let back = browser.come_back(&to_linear, &[("code", "lin-code")]).await;
    let code = query(&back.location())["code"].clone();
    let token = lab.redeem(&client, &code).await.token();
    lab.exchange(&token, SUPABASE).await.token();
    let directory = lab.zone.state().directory();
    let grant = directory
        .grants
        .values()
        .find(|grant| grant.resource_id == "r-supabase")
        .unwrap();
    lab.change(vec![Change::put(Grant {
        status: LifeStatus::Revoked,
        ..Grant::clone(grant)
    })])
    .await;
    let refused = lab.exchange(&token, SUPABASE).await;
    assert_eq!(refused.error(), "insufficient_authorization");
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert_eq!(page.form().page, PageKind::Consent);
    browser.submit(&page).await;
    lab.exchange(&token, SUPABASE).await.token();
}

async fn linear_has(lab: &Lab, scopes: &[&str]) {
    let directory = lab.zone.state().directory();
    lab.change(vec![Change::put(Resource {
        scopes: scopes.iter().map(ToString::to_string).collect(),
        ..Resource::clone(&directory.resources["r-linear"])
    })])
    .await;
}

fn linear_gives(lab: &Lab, scope: &str) {
    *lab.upstreams.linear_answer.lock().unwrap() = Some((
        200,
        json!({"access_token": format!("lin {scope}"), "token_type": "Bearer", "scope": scope}),
    ));
}

fn linear_detail(page: &Answer) -> PageDetail {
    let details = page.form().details;
    let linear = details.into_iter().find(|one| one.label == "Linear API");
    linear.unwrap()
}

#[tokio::test]
async fn scopes_that_were_added_to_a_resource_are_asked_for_before_they_are_given() {
    let lab = Lab::open().await;
    linear_has(&lab, &["read"]).await;
    linear_gives(&lab, "read");
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    linear_has(&lab, &["read", "write", "issues:create"]).await;
    linear_gives(&lab, "read write issues:create");

    let refused = lab.exchange_for(&token, LINEAR, "issues:create").await;
    assert_eq!(refused.error(), "insufficient_authorization");
    let held = lab.exchange_for(&token, LINEAR, "read").await;
    assert_eq!(held.json()["scope"], "read");

    let page = browser.visit(&authorize_url(&client, &[])).await;
    let said = linear_detail(&page).value;
    assert!(said.contains("Linear asks you next"), "{said}");
    assert!(said.contains("read write issues:create"), "{said}");
    let to_linear = browser.submit(&page).await.location();
    assert_eq!(query(&to_linear)["scope"], "read,write,issues:create");
    let back = browser.come_back(&to_linear, &[("code", "lin-code")]).await;
    assert!(query(&back.location()).contains_key("code"));
    let given = lab.exchange_for(&token, LINEAR, "issues:create").await;
    assert_eq!(given.json()["scope"], "issues:create");
    assert_eq!(given.token().expose(), "lin read write issues:create");
}

#[tokio::test]
async fn a_provider_that_gives_less_than_it_is_asked_is_visited_once_in_a_sign_in() {
    let lab = Lab::open().await;
    linear_gives(&lab, "read");
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    let answer = browser.sign_in(&client).await;
    let token = lab.redeem(&client, &answer["code"]).await.token();
    let refused = lab.exchange_for(&token, LINEAR, "write").await;
    assert_eq!(refused.error(), "insufficient_authorization");
    // No page asks for it, so no consent is missing; but no token has it either.
    let unheard_of = lab.exchange_for(&token, LINEAR, "read admin").await;
    assert_eq!(unheard_of.json()["scope"], "read");
    let page = browser.visit(&authorize_url(&client, &[])).await;
    assert!(linear_detail(&page).value.contains("Linear asks you next"));
}

#[tokio::test]
async fn a_page_lists_what_a_connected_account_gives_though_the_resource_has_less_by_now() {
    let lab = Lab::open().await;
    let client = lab.register().await;
    let mut browser = Browser::of(&lab);
    browser.sign_in(&client).await;
    linear_has(&lab, &["read"]).await;
    let other = lab.register_as("Another", REDIRECT).await;
    let page = browser.visit(&authorize_url(&other, &[])).await;
    let said = linear_detail(&page).value;
    assert!(said.contains("already connected"), "{said}");
    assert!(said.contains("read write issues:create"), "{said}");
}
