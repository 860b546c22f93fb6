//! A Linear stand-in in memory, and the ways to ask it.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use hoptrail::{
    protocol::{
        observed::{Observation, UpstreamRequest},
        page::PageForm,
        secret::Secret,
    },
    support::{clock::FakeClock, ids::Ids},
    upstream::{
        faults::Faults,
        feed::Feed,
        linear::{self, Config, Linear, OAuthClient, workspace::Team},
        people::PEOPLE,
    },
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;

pub const BASE: &str = "http://127.0.0.1:9999";
pub const BACK: &str = "http://127.0.0.1:7777/oauth/callback";
pub const CLIENT: &str = "hoptrail-zone";
pub const CLIENT_SECRET: &str = "linear-client-secret-for-tests";
pub const API_KEY: &str = "lin_api_workshop_key_for_tests";
pub const TEAM: &str = "030eb113-b144-44f8-864f-c0507c21e80d";
pub const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub struct Lab {
    pub linear: Linear,
    pub router: Router,
    pub clock: Arc<FakeClock>,
    pub feed: Feed,
    pub faults: Faults,
}

impl Lab {
    pub async fn new() -> Self {
        Self::at(None, FakeClock::shared(), 7).await
    }

    pub async fn at(state: Option<PathBuf>, clock: Arc<FakeClock>, seed: u64) -> Self {
        let feed = Feed::new(clock.clone());
        let faults = Faults::new(linear::error_body);
        let linear = linear::open(Config {
            base_url: BASE.into(),
            state,
            clock: clock.clone(),
            ids: Ids::seeded(seed),
            people: PEOPLE,
            team: Team::default(),
            oauth_client: OAuthClient {
                id: CLIENT.into(),
                secret: CLIENT_SECRET.into(),
                redirect_uris: vec![BACK.into()],
                name: "Keycard zone (lab)".into(),
            },
            api_key: Some(Secret::from(API_KEY)),
            feed: feed.clone(),
            faults: faults.clone(),
        })
        .await
        .unwrap();
        Self {
            router: linear.router(),
            linear,
            clock,
            feed,
            faults,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A GraphQL request with this `Authorization` value.
    pub async fn ask(
        &self,
        authorization: &str,
        query: &str,
        variables: Value,
    ) -> (StatusCode, Value) {
        let mut body = json!({ "query": query });
        if !variables.is_null() {
            body["variables"] = variables;
        }
        self.post(authorization, body.to_string()).await
    }

    /// A body as it stands, for what is no GraphQL request.
    pub async fn post(&self, authorization: &str, body: String) -> (StatusCode, Value) {
        let request = Request::post("/graphql")
            .header("host", "127.0.0.1:9999")
            .header("content-type", "application/json")
            .header("authorization", authorization)
            .header("traceparent", TRACE)
            .body(Body::from(body))
            .unwrap();
        read(self.send(request).await).await
    }

    pub async fn ok(&self, authorization: &str, query: &str, variables: Value) -> Value {
        let (status, body) = self.ask(authorization, query, variables).await;
        assert_eq!(status, 200, "{body}");
        assert!(body.get("errors").is_none(), "{body}");
        body["data"].clone()
    }

    pub async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> (StatusCode, Value) {
        read(self.send(form(path, pairs)).await).await
    }

    /// Signs in as a person and gives back the token answer.
    pub async fn tokens(&self, scope: &str, hint: &str) -> Value {
        let code = self.code(scope, hint).await;
        let (status, body) = self
            .form(
                "/oauth/token",
                &[
                    ("grant_type", "authorization_code"),
                    ("code", &code),
                    ("redirect_uri", BACK),
                    ("client_id", CLIENT),
                    ("client_secret", CLIENT_SECRET),
                ],
            )
            .await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub async fn bearer(&self, scope: &str) -> String {
        bearer(&self.tokens(scope, "ada@lab.example").await)
    }

    pub async fn page_form(&self, pairs: &[(&str, &str)]) -> PageForm {
        let request = Request::get(authorize(pairs))
            .header("host", "127.0.0.1:9999")
            .header("accept", "application/json")
            .body(Body::empty())
            .unwrap();
        let (status, body) = read(self.send(request).await).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body).unwrap()
    }

    pub async fn submit(&self, form: &PageForm, change: &[(&str, &str)]) -> Response<Body> {
        let mut fields = form.submission();
        for (name, value) in change {
            fields.insert((*name).to_owned(), (*value).to_owned());
        }
        let pairs: Vec<_> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
        self.send(self::form("/oauth/authorize", &pairs)).await
    }

    pub async fn code(&self, scope: &str, hint: &str) -> String {
        let page = self
            .page_form(&[("scope", scope), ("login_hint", hint), ("state", "st")])
            .await;
        let back = redirect(&self.submit(&page, &[]).await);
        assert_eq!(query(&back, "state").as_deref(), Some("st"));
        query(&back, "code").unwrap()
    }

    pub async fn create(&self, authorization: &str, title: &str) -> Value {
        let input = json!({ "teamId": TEAM, "title": title, "description": "body", "priority": 1 });
        let data = self
            .ok(authorization, CREATE, json!({ "input": input }))
            .await;
        data["issueCreate"]["issue"].clone()
    }

    pub fn requests(&self) -> Vec<UpstreamRequest> {
        self.feed
            .since(0)
            .into_iter()
            .filter_map(|(_, seen)| match &*seen {
                Observation::Request(request) => Some(request.clone()),
                Observation::Issue(_) => None,
            })
            .collect()
    }
}

pub const CREATE: &str = "mutation CreateIssue($input: IssueCreateInput!) {
    issueCreate(input: $input) { success issue { id identifier url } } }";
pub const TRASH: &str = "mutation TrashIssue($id: String!) { issueDelete(id: $id) { success } }";
pub const LABELS: &str = "query LabelIds($names: [String!]!) {
    issueLabels(filter: {name: {in: $names}}) { nodes { id } } }";

pub fn authorize(pairs: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("client_id", CLIENT),
        ("redirect_uri", BACK),
        ("response_type", "code"),
    ];
    all.retain(|(name, _)| !pairs.iter().any(|(other, _)| other == name));
    all.extend(pairs.iter().filter(|(_, value)| !value.is_empty()));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(all)
        .finish();
    format!("/oauth/authorize?{query}")
}

pub fn form(path: &str, pairs: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Request::post(path)
        .header("host", "127.0.0.1:9999")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

pub async fn text(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

pub async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let (status, text) = text(response).await;
    (status, serde_json::from_str(&text).unwrap_or(json!(text)))
}

pub fn redirect(response: &Response<Body>) -> Url {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with(BACK), "{location}");
    Url::parse(location).unwrap()
}

pub fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

pub fn bearer(tokens: &Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

pub async fn refresh(lab: &Lab, token: &str, scope: Option<&str>) -> (StatusCode, Value) {
    let mut pairs = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    pairs.extend(scope.map(|scope| ("scope", scope)));
    lab.form("/oauth/token", &pairs).await
}
