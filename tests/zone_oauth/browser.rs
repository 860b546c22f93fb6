//! A person with a browser before the zone.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{StatusCode, header},
};

use crate::harness::{Answer, CHALLENGE, ISSUER, Lab, MCP, REDIRECT, encode, query, request};

/// A browser, or a program that reads pages as JSON: keeps cookies, follows nothing by itself.
pub struct Browser<'a> {
    pub lab: &'a Lab,
    pub accept: &'static str,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub fn of(lab: &'a Lab) -> Self {
        Self {
            lab,
            accept: "application/json",
            cookies: BTreeMap::new(),
        }
    }

    async fn send(&mut self, mut request: http::request::Builder, body: String) -> Answer {
        request = request.header(header::ACCEPT, self.accept);
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = self.lab.send(request.body(Body::from(body)).unwrap()).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            assert!(
                text.contains("HttpOnly") && text.contains("SameSite=Lax"),
                "{text}"
            );
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        answer
    }

    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(request("GET", url), String::new()).await
    }

    /// A GET, and then every redirect that stays in the zone.
    pub async fn visit(&mut self, url: &str) -> Answer {
        let mut answer = self.get(url).await;
        while answer.status == StatusCode::SEE_OTHER && answer.location().starts_with(ISSUER) {
            answer = self.get(&answer.location()).await;
        }
        answer
    }

    pub async fn post(&mut self, url: &str, form: &BTreeMap<String, String>) -> Answer {
        let pairs: Vec<_> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let request = request("POST", url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, ISSUER);
        let mut answer = self.send(request, encode(&pairs)).await;
        while answer.status == StatusCode::SEE_OTHER && answer.location().starts_with(ISSUER) {
            answer = self.get(&answer.location()).await;
        }
        answer
    }

    /// Sends a page's form with its default answer.
    pub async fn submit(&mut self, page: &Answer) -> Answer {
        let form = page.form();
        self.post(&form.action, &form.submission()).await
    }

    /// Comes back from a provider that the zone sent the browser to.
    pub async fn come_back(&mut self, from: &str, parameters: &[(&str, &str)]) -> Answer {
        let sent = query(from);
        assert_eq!(sent["redirect_uri"], format!("{ISSUER}/oauth/2/redirect"));
        let mut pairs = parameters.to_vec();
        pairs.push(("state", &sent["state"]));
        self.visit(&format!("/oauth/2/redirect?{}", encode(&pairs)))
            .await
    }

    /// Up to the consent page of a first sign-in.
    pub async fn up_to_consent(&mut self, client: &str) -> Answer {
        let page = self.visit(&authorize_url(client, &[])).await;
        let to_github = self.submit(&page).await;
        self.come_back(&to_github.location(), &[("code", "gh-code")])
            .await
    }

    /// A whole first sign-in; what the client's redirect URI got.
    pub async fn sign_in(&mut self, client: &str) -> BTreeMap<String, String> {
        let consent = self.up_to_consent(client).await;
        let to_linear = self.submit(&consent).await;
        let back = self
            .come_back(&to_linear.location(), &[("code", "lin-code")])
            .await;
        assert!(back.location().starts_with(REDIRECT), "{}", back.location());
        query(&back.location())
    }
}

/// An authorization request; `changes` replace or, when empty, remove parameters.
pub fn authorize_url(client: &str, changes: &[(&str, &str)]) -> String {
    let mut parameters = BTreeMap::from([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", REDIRECT),
        ("state", "client-state"),
        ("scope", "read issues:create"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", MCP),
    ]);
    for (name, value) in changes {
        if value.is_empty() {
            parameters.remove(name);
        } else {
            parameters.insert(name, value);
        }
    }
    let pairs: Vec<_> = parameters.into_iter().collect();
    format!("/oauth/2/authorize?{}", encode(&pairs))
}
