//! The Linear stand-in, asked as its real clients ask.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use base64::Engine as _;
use chrono::TimeDelta;
use hoptrail::{
    protocol::{
        observed::{Observation, UpstreamRequest},
        page::PageForm,
        secret::{Fingerprint, Secret},
    },
    support::{clock::FakeClock, ids::Ids},
    upstream::{
        faults::{Fault, Faults},
        feed::Feed,
        linear::{self, Config, Linear, OAuthClient, workspace::Team},
        people::PEOPLE,
    },
};
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;

const BASE: &str = "http://127.0.0.1:9999";
const BACK: &str = "http://127.0.0.1:7777/oauth/callback";
const CLIENT: &str = "hoptrail-zone";
const CLIENT_SECRET: &str = "linear-client-secret-for-tests";
const API_KEY: &str = "lin_api_workshop_key_for_tests";
const TEAM: &str = "030eb113-b144-44f8-864f-c0507c21e80d";
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

struct Lab {
    linear: Linear,
    router: Router,
    clock: Arc<FakeClock>,
    feed: Feed,
    faults: Faults,
}

impl Lab {
    async fn new() -> Self {
        Self::at(None, FakeClock::shared(), 7).await
    }

    async fn at(state: Option<PathBuf>, clock: Arc<FakeClock>, seed: u64) -> Self {
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

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A GraphQL request with this `Authorization` value.
    async fn ask(&self, authorization: &str, query: &str, variables: Value) -> (StatusCode, Value) {
        let mut body = json!({ "query": query });
        if !variables.is_null() {
            body["variables"] = variables;
        }
        let request = Request::post("/graphql")
            .header("host", "127.0.0.1:9999")
            .header("content-type", "application/json")
            .header("authorization", authorization)
            .header("traceparent", TRACE)
            .body(Body::from(body.to_string()))
            .unwrap();
        read(self.send(request).await).await
    }

    async fn ok(&self, authorization: &str, query: &str, variables: Value) -> Value {
        let (status, body) = self.ask(authorization, query, variables).await;
        assert_eq!(status, 200, "{body}");
        assert!(body.get("errors").is_none(), "{body}");
        body["data"].clone()
    }

    async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> (StatusCode, Value) {
        read(self.send(form(path, pairs)).await).await
    }

    /// Signs in as a person and gives back the token answer.
    async fn tokens(&self, scope: &str, hint: &str) -> Value {
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

    async fn bearer(&self, scope: &str) -> String {
        bearer(&self.tokens(scope, "ada@lab.example").await)
    }

    async fn page_form(&self, pairs: &[(&str, &str)]) -> PageForm {
        let request = Request::get(authorize(pairs))
            .header("host", "127.0.0.1:9999")
            .header("accept", "application/json")
            .body(Body::empty())
            .unwrap();
        let (status, body) = read(self.send(request).await).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body).unwrap()
    }

    async fn submit(&self, form: &PageForm, change: &[(&str, &str)]) -> Response<Body> {
        let mut fields = form.submission();
        for (name, value) in change {
            fields.insert((*name).to_owned(), (*value).to_owned());
        }
        let pairs: Vec<_> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
        self.send(crate::form("/oauth/authorize", &pairs)).await
    }

    async fn code(&self, scope: &str, hint: &str) -> String {
        let page = self
            .page_form(&[("scope", scope), ("login_hint", hint), ("state", "st")])
            .await;
        let back = redirect(&self.submit(&page, &[]).await);
        assert_eq!(query(&back, "state").as_deref(), Some("st"));
        query(&back, "code").unwrap()
    }

    async fn create(&self, authorization: &str, title: &str) -> Value {
        let input = json!({ "teamId": TEAM, "title": title, "description": "body", "priority": 1 });
        let data = self
            .ok(authorization, CREATE, json!({ "input": input }))
            .await;
        data["issueCreate"]["issue"].clone()
    }

    fn requests(&self) -> Vec<UpstreamRequest> {
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

const CREATE: &str = "mutation CreateIssue($input: IssueCreateInput!) {
    issueCreate(input: $input) { success issue { id identifier url } } }";
const TRASH: &str = "mutation TrashIssue($id: String!) { issueDelete(id: $id) { success } }";
const LABELS: &str = "query LabelIds($names: [String!]!) {
    issueLabels(filter: {name: {in: $names}}) { nodes { id } } }";

fn authorize(pairs: &[(&str, &str)]) -> String {
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

fn form(path: &str, pairs: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Request::post(path)
        .header("host", "127.0.0.1:9999")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

async fn text(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let (status, text) = text(response).await;
    (status, serde_json::from_str(&text).unwrap_or(json!(text)))
}

fn redirect(response: &Response<Body>) -> Url {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with(BACK), "{location}");
    Url::parse(location).unwrap()
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn bearer(tokens: &Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

// The workshop's three requests.

#[tokio::test]
async fn the_workshops_requests_get_the_answers_that_it_reads() {
    let lab = Lab::new().await;
    let ada = lab.bearer("read,write,issues:create").await;

    let found = lab
        .ok(
            &ada,
            LABELS,
            json!({ "names": ["payments", "api", "nothing"] }),
        )
        .await;
    let labels: Vec<_> = found["issueLabels"]["nodes"].as_array().unwrap().clone();
    assert_eq!(labels.len(), 2);

    let input = json!({
        "teamId": TEAM, "title": "[case] Card charged twice", "description": "text",
        "priority": 1, "labelIds": labels.iter().map(|l| l["id"].clone()).collect::<Vec<_>>(),
    });
    let made = lab.ok(&ada, CREATE, json!({ "input": input })).await;
    assert_eq!(made["issueCreate"]["success"], true);
    let issue = &made["issueCreate"]["issue"];
    assert_eq!(issue["identifier"], "ENG-1");
    assert_eq!(
        issue["url"],
        format!("{BASE}/hoptrail-lab/issue/ENG-1/case-card-charged-twice")
    );

    let seen = lab.linear.issue(issue["id"].as_str().unwrap()).unwrap();
    assert_eq!(seen.author, "Ada Lindqvist");
    assert_eq!(seen.labels, ["payments", "api"]);
    assert_eq!(seen.priority, 1);
    assert_eq!(seen.trace_parent.unwrap().to_string(), TRACE);

    let gone = lab.ok(&ada, TRASH, json!({ "id": issue["id"] })).await;
    assert_eq!(gone["issueDelete"]["success"], true);
    assert!(lab.linear.issue("ENG-1").unwrap().trashed);
}

#[tokio::test]
async fn the_bare_workshop_key_acts_as_the_admin_with_every_scope() {
    let lab = Lab::new().await;
    lab.create(API_KEY, "one").await;
    assert_eq!(lab.linear.issue("ENG-1").unwrap().author, "Workshop Admin");
    let data = lab
        .ok(
            API_KEY,
            "mutation { issueDelete(id: \"ENG-1\", permanentlyDelete: true) { success entity { id } } }",
            Value::Null,
        )
        .await;
    assert_eq!(
        data["issueDelete"],
        json!({ "success": true, "entity": null })
    );
    assert!(lab.linear.issue("ENG-1").is_none());
    // The number is not used again.
    let next = lab.create(API_KEY, "two").await;
    assert_eq!(next["identifier"], "ENG-2");
}

// Scopes and credentials.

#[rstest]
#[case("read", "{ viewer { id } }", None)]
#[case(
    "read",
    "mutation { issueDelete(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueDelete(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueUpdate(id: \"ENG-1\", input: {title: \"x\"}) { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueArchive(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { issueUnarchive(id: \"ENG-1\") { success } }",
    Some("write")
)]
#[case(
    "issues:create",
    "mutation { commentCreate(input: {issueId: \"ENG-1\", body: \"x\"}) { success } }",
    Some("comments:create")
)]
#[case(
    "comments:create",
    "mutation { commentCreate(input: {issueId: \"ENG-1\", body: \"x\"}) { success } }",
    None
)]
#[case(
    "read",
    "mutation { issueCreate(input: {teamId: \"030eb113-b144-44f8-864f-c0507c21e80d\", title: \"x\"}) { success } }",
    Some("issues:create")
)]
#[case(
    "issues:create",
    "mutation { issueCreate(input: {teamId: \"030eb113-b144-44f8-864f-c0507c21e80d\", title: \"x\"}) { success } }",
    None
)]
#[case(
    "write",
    "mutation { issueCreate(input: {teamId: \"030eb113-b144-44f8-864f-c0507c21e80d\", title: \"x\"}) { success } }",
    None
)]
#[case("write", "mutation { issueDelete(id: \"ENG-1\") { success } }", None)]
#[case("admin", "mutation { issueDelete(id: \"ENG-1\") { success } }", None)]
#[tokio::test]
async fn each_operation_needs_its_scope(
    #[case] scope: &str,
    #[case] operation: &str,
    #[case] missing: Option<&str>,
) {
    let lab = Lab::new().await;
    lab.create(API_KEY, "there").await;
    let token = lab.bearer(scope).await;
    let (status, body) = lab.ask(&token, operation, Value::Null).await;
    let Some(missing) = missing else {
        assert_eq!(status, 200, "{body}");
        assert!(body.get("errors").is_none(), "{body}");
        return;
    };
    assert_eq!(status, 403, "{body}");
    let error = &body["errors"][0];
    assert_eq!(
        error["message"],
        format!("Invalid scope: `{missing}` required")
    );
    assert_eq!(error["extensions"]["type"], "forbidden");
    assert_eq!(error["extensions"]["code"], "FORBIDDEN");
    assert_eq!(error["extensions"]["userError"], true);
    assert_eq!(error["extensions"]["http"]["status"], 403);
    assert!(!lab.linear.issue("ENG-1").unwrap().trashed);
    assert_eq!(lab.linear.issues().len(), 1);
}

#[rstest]
#[case("Bearer lin_oauth_unknown")]
#[case("lin_api_wrong")]
#[case("Bearer ")]
#[case("")]
#[tokio::test]
async fn an_unknown_credential_is_an_authentication_error(#[case] authorization: &str) {
    let lab = Lab::new().await;
    let (status, body) = lab
        .ask(authorization, "{ viewer { id } }", Value::Null)
        .await;
    assert_eq!(status, 401);
    let extensions = &body["errors"][0]["extensions"];
    assert_eq!(extensions["type"], "authentication error");
    assert_eq!(extensions["code"], "AUTHENTICATION_ERROR");
    assert_eq!(extensions["http"]["status"], 401);
    assert!(extensions["userPresentableMessage"].is_string());
    assert!(body.get("data").is_none());
    let seen = &lab.requests()[0];
    assert_eq!((seen.status, &seen.acted_as), (401, &None));
    assert!(seen.error.is_some());
}

#[tokio::test]
async fn an_access_token_ends_after_a_day_and_a_refresh_token_is_none() {
    let lab = Lab::new().await;
    let tokens = lab.tokens("read", "").await;
    assert_eq!(tokens["expires_in"], 86_400);
    assert_eq!(tokens["token_type"], "Bearer");
    let refresh = format!("Bearer {}", tokens["refresh_token"].as_str().unwrap());
    let (status, _) = lab.ask(&refresh, "{ viewer { id } }", Value::Null).await;
    assert_eq!(status, 401);
    lab.clock.advance(TimeDelta::seconds(86_399));
    lab.ok(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    lab.clock.advance(TimeDelta::seconds(1));
    let (status, _) = lab
        .ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn only_an_admin_deletes_for_good() {
    let lab = Lab::new().await;
    let ada = lab.bearer("admin").await;
    lab.create(&ada, "one").await;
    let (status, body) = lab
        .ask(
            &ada,
            "mutation { issueDelete(id: \"ENG-1\", permanentlyDelete: true) { success } }",
            Value::Null,
        )
        .await;
    assert_eq!(status, 403, "{body}");
    assert!(lab.linear.issue("ENG-1").is_some());
}

// Issues.

#[tokio::test]
async fn a_trashed_issue_leaves_the_lists_and_can_be_restored() {
    let lab = Lab::new().await;
    let ada = lab.bearer("write").await;
    let first = lab.create(&ada, "one").await;
    lab.create(&ada, "two").await;
    lab.ok(&ada, TRASH, json!({ "id": "eng-1" })).await;

    let listed = "{ issues { nodes { identifier trashed } } }";
    let data = lab.ok(&ada, listed, Value::Null).await;
    assert_eq!(
        data["issues"]["nodes"],
        json!([{ "identifier": "ENG-2", "trashed": false }])
    );
    let all = "{ issues(includeArchived: true) { nodes { identifier trashed } } }";
    let data = lab.ok(&ada, all, Value::Null).await;
    assert_eq!(data["issues"]["nodes"][1]["trashed"], true);
    let one = "query($id: String!) { issue(id: $id) { identifier trashed archivedAt } }";
    let data = lab.ok(&ada, one, json!({ "id": first["id"] })).await;
    assert_eq!(data["issue"]["trashed"], true);
    assert_eq!(data["issue"]["archivedAt"], "2026-11-24T09:00:00.000Z");

    let restore = "mutation { issueUnarchive(id: \"ENG-1\") { success entity { id trashed } } }";
    let data = lab.ok(&ada, restore, Value::Null).await;
    assert_eq!(data["issueUnarchive"]["entity"]["id"], first["id"]);
    assert_eq!(data["issueUnarchive"]["entity"]["trashed"], false);
    let data = lab.ok(&ada, listed, Value::Null).await;
    assert_eq!(data["issues"]["nodes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn archiving_hides_without_trashing() {
    let lab = Lab::new().await;
    lab.create(API_KEY, "one").await;
    let archive =
        "mutation { issueArchive(id: \"ENG-1\") { success entity { trashed archivedAt } } }";
    let data = lab.ok(API_KEY, archive, Value::Null).await;
    assert_eq!(data["issueArchive"]["entity"]["trashed"], false);
    assert!(data["issueArchive"]["entity"]["archivedAt"].is_string());
    let data = lab
        .ok(API_KEY, "{ issues { nodes { id } } }", Value::Null)
        .await;
    assert_eq!(data["issues"]["nodes"], json!([]));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let lab = Lab::new().await;
    lab.create(API_KEY, "old").await;
    let workspace = lab.linear.workspace();
    let (label, done) = (&workspace.labels[2].id, &workspace.states[3].id);
    let noor = &workspace.members[1].id;
    let update =
        "mutation U($input: IssueUpdateInput!) { issueUpdate(id: \"ENG-1\", input: $input) {
        success lastSyncId issue { title description priority priorityLabel
        state { name type } assignee { name } labels { nodes { name } } } } }";
    let input = json!({
        "title": "new", "addedLabelIds": [label], "stateId": done, "assigneeId": noor
    });
    let data = lab.ok(API_KEY, update, json!({ "input": input })).await;
    assert_eq!(
        data["issueUpdate"],
        json!({
            "success": true, "lastSyncId": 2,
            "issue": {
                "title": "new", "description": "body", "priority": 1, "priorityLabel": "Urgent",
                "state": { "name": "Done", "type": "completed" },
                "assignee": { "name": "Noor Haddad" },
                "labels": { "nodes": [{ "name": "data-export" }] },
            }
        })
    );
    let input = json!({ "description": null, "assigneeId": null, "removedLabelIds": [label] });
    let data = lab.ok(API_KEY, update, json!({ "input": input })).await;
    let issue = &data["issueUpdate"]["issue"];
    assert_eq!(issue["description"], Value::Null);
    assert_eq!(issue["assignee"], Value::Null);
    assert_eq!(issue["labels"]["nodes"], json!([]));
    assert_eq!(issue["title"], "new");
}

#[rstest]
#[case(json!({ "teamId": "nope", "title": "x" }), "Entity not found: Team")]
#[case(json!({ "teamId": TEAM }), "an issue needs a title")]
#[case(json!({ "teamId": TEAM, "title": "  " }), "an issue needs a title")]
#[case(json!({ "teamId": TEAM, "title": "x", "priority": 5 }), "a priority is 0 to 4")]
#[case(json!({ "teamId": TEAM, "title": "x", "labelIds": ["nope"] }), "Entity not found: IssueLabel")]
#[case(json!({ "teamId": TEAM, "title": "x", "assigneeId": "nope" }), "Entity not found: User")]
#[case(json!({ "teamId": TEAM, "title": "x", "stateId": "nope" }), "Entity not found: WorkflowState")]
#[case(json!({ "teamId": TEAM, "title": "x", "id": "nope" }), "an id is a UUID")]
#[tokio::test]
async fn bad_input_makes_no_issue(#[case] input: Value, #[case] message: &str) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, CREATE, json!({ "input": input })).await;
    assert_eq!(status, 400, "{body}");
    let error = &body["errors"][0];
    assert_eq!(error["message"], message);
    assert_eq!(error["path"], json!(["issueCreate"]));
    assert_eq!(error["extensions"]["type"], "invalid input");
    assert_eq!(error["extensions"]["code"], "INPUT_ERROR");
    assert!(lab.linear.issues().is_empty());
}

#[tokio::test]
async fn deleting_what_is_not_there_says_so() {
    let lab = Lab::new().await;
    let (status, body) = lab
        .ask(API_KEY, TRASH, json!({ "id": "no such thing" }))
        .await;
    assert_eq!(status, 400);
    assert_eq!(body["errors"][0]["message"], "Entity not found: Issue");
    assert_eq!(body["data"], Value::Null);
}

#[tokio::test]
async fn comments_stand_below_their_issue() {
    let lab = Lab::new().await;
    let ada = lab.bearer("comments:create").await;
    lab.create(API_KEY, "one").await;
    let write = "mutation { commentCreate(input: {issueId: \"ENG-1\", body: \"hello\"}) {
        success comment { body user { name } issue { identifier } } } }";
    let data = lab.ok(&ada, write, Value::Null).await;
    assert_eq!(
        data["commentCreate"]["comment"],
        json!({ "body": "hello", "user": { "name": "Ada Lindqvist" },
                "issue": { "identifier": "ENG-1" } })
    );
    let read = "{ issue(id: \"ENG-1\") { comments(first: 5) { nodes { body } } } }";
    let data = lab.ok(&ada, read, Value::Null).await;
    assert_eq!(data["issue"]["comments"]["nodes"][0]["body"], "hello");
}

#[rstest]
#[case("{number: {eq: 2}}", &["ENG-2"])]
#[case("{number: {gte: 2}}", &["ENG-3", "ENG-2"])]
#[case("{id: {in: [\"ENG-1\", \"ENG-3\"]}}", &["ENG-3", "ENG-1"])]
#[case("{title: {containsIgnoreCase: \"ALPHA\"}}", &["ENG-1"])]
#[case("{title: {startsWith: \"beta\"}}", &["ENG-2"])]
#[case("{or: [{title: {eq: \"alpha\"}}, {title: {eq: \"gamma\"}}]}", &["ENG-3", "ENG-1"])]
#[case("{and: [{priority: {eq: 1}}, {number: {lt: 2}}]}", &["ENG-1"])]
#[case("{creator: {name: {eq: \"Ada Lindqvist\"}}}", &["ENG-3"])]
#[case("{assignee: {null: true}, team: {key: {eq: \"ENG\"}}, number: {neq: 1}}", &["ENG-3", "ENG-2"])]
#[case("{assignee: {null: false}}", &[])]
#[case("{labels: {name: {eq: \"api\"}}}", &[])]
#[case("{labels: {every: {name: {eq: \"api\"}}}}", &["ENG-3", "ENG-2", "ENG-1"])]
#[case("{createdAt: {gt: \"2026-11-24T09:00:00Z\"}}", &[])]
#[case("{state: {type: {in: [\"backlog\"]}}, createdAt: {lte: \"2026-11-24T09:00:00Z\"}, number: {nin: [1, 3]}}", &["ENG-2"])]
#[tokio::test]
async fn lists_can_be_filtered(#[case] filter: &str, #[case] expected: &[&str]) {
    let lab = Lab::new().await;
    lab.create(API_KEY, "alpha").await;
    lab.create(API_KEY, "beta").await;
    lab.create(&lab.bearer("issues:create").await, "gamma")
        .await;
    let query = format!("{{ issues(filter: {filter}) {{ nodes {{ identifier }} }} }}");
    let data = lab.ok(API_KEY, &query, Value::Null).await;
    let found: Vec<_> = data["issues"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["identifier"].as_str().unwrap())
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn pages_follow_one_another_without_loss() {
    let lab = Lab::new().await;
    for n in 0..7 {
        lab.create(API_KEY, &format!("issue {n}")).await;
    }
    let query = "query($after: String) { issues(first: 3, after: $after) {
        edges { cursor node { id number } }
        pageInfo { startCursor endCursor hasPreviousPage hasNextPage } } }";
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = lab.ok(API_KEY, query, json!({ "after": after })).await;
        let edges = data["issues"]["edges"].as_array().unwrap().clone();
        seen.extend(edges.iter().map(|e| e["node"]["number"].as_u64().unwrap()));
        let info = &data["issues"]["pageInfo"];
        assert_eq!(info["endCursor"], edges.last().unwrap()["cursor"]);
        assert_eq!(info["hasPreviousPage"], !after.is_null());
        if info["hasNextPage"] == false {
            break;
        }
        after = info["endCursor"].clone();
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    let last = "{ issues(last: 2) { nodes { number } pageInfo { hasPreviousPage hasNextPage } } }";
    let data = lab.ok(API_KEY, last, Value::Null).await;
    assert_eq!(
        data["issues"],
        json!({ "nodes": [{ "number": 2 }, { "number": 1 }],
                "pageInfo": { "hasPreviousPage": true, "hasNextPage": false } })
    );
}

#[rstest]
#[case("{ issues(first: 0) { nodes { id } } }")]
#[case("{ issues(first: 251) { nodes { id } } }")]
#[case("{ issues(first: 1, last: 1) { nodes { id } } }")]
#[case("{ issues(after: \"nowhere\") { nodes { id } } }")]
#[tokio::test]
async fn a_page_that_cannot_be_is_refused(#[case] query: &str) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, query, Value::Null).await;
    assert_eq!(status, 400, "{body}");
    assert_eq!(body["errors"][0]["extensions"]["type"], "invalid input");
}

#[tokio::test]
async fn the_workspace_can_be_read() {
    let lab = Lab::new().await;
    let ada = lab.bearer("read").await;
    let data = lab
        .ok(
            &ada,
            "{ viewer { name email isMe admin } users { nodes { name } }
               teams { nodes { id key states { nodes { name } } labels(first: 1) { nodes { name } } } }
               team(id: \"ENG\") { id } organization { name urlKey }
               workflowStates(filter: {type: {eq: \"started\"}}) { nodes { name team { key } } }
               issueLabels { nodes { name } } }",
            Value::Null,
        )
        .await;
    assert_eq!(data["viewer"]["email"], "ada@lab.example");
    assert_eq!(data["viewer"]["isMe"], true);
    assert_eq!(data["viewer"]["admin"], false);
    assert_eq!(data["users"]["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(data["teams"]["nodes"][0]["id"], TEAM);
    assert_eq!(
        data["teams"]["nodes"][0]["labels"]["nodes"][0]["name"],
        "payments"
    );
    assert_eq!(data["organization"]["urlKey"], "hoptrail-lab");
    assert_eq!(data["workflowStates"]["nodes"][0]["name"], "In Progress");
    let labels: Vec<_> = data["issueLabels"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        labels,
        [
            "payments",
            "webhooks",
            "data-export",
            "auth",
            "frontend",
            "api",
            "infrastructure",
            "notifications"
        ]
    );
}

// GraphQL itself.

#[tokio::test]
async fn aliases_fragments_and_typename_work() {
    let lab = Lab::new().await;
    let data = lab
        .ok(
            API_KEY,
            "query Me { a: viewer { ...Who } b: viewer { __typename } } fragment Who on User { name }",
            Value::Null,
        )
        .await;
    assert_eq!(
        data,
        json!({ "a": { "name": "Workshop Admin" }, "b": { "__typename": "User" } })
    );
    let data = lab
        .ok(API_KEY, "{ __schema { queryType { name } } }", Value::Null)
        .await;
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
}

#[rstest]
#[case(
    "{ viewer { shoeSize } }",
    "GRAPHQL_VALIDATION_FAILED",
    "Cannot query field \"shoeSize\" on type \"User\"."
)]
#[case(
    "{ issues(filter: {shoe: {eq: 1}}) { nodes { id } } }",
    "GRAPHQL_VALIDATION_FAILED",
    ""
)]
#[case(
    "query($id: String!) { issue(id: $id) { id } }",
    "GRAPHQL_VALIDATION_FAILED",
    ""
)]
#[case("{ viewer {", "GRAPHQL_PARSE_FAILED", "")]
#[case("", "GRAPHQL_PARSE_FAILED", "")]
#[tokio::test]
async fn a_document_that_does_not_fit_is_a_graphql_error(
    #[case] query: &str,
    #[case] code: &str,
    #[case] message: &str,
) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, query, Value::Null).await;
    assert_eq!(status, 400, "{body}");
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["code"], code, "{body}");
    assert_eq!(error["extensions"]["type"], "graphql error");
    assert!(
        error["message"].as_str().unwrap().starts_with(message),
        "{body}"
    );
}

#[rstest]
#[case::braces("{a".repeat(200_000))]
#[case::lists(format!("{{ issues(filter: {} ) }}", "[".repeat(900_000)))]
#[case::many(format!("{{ {} }}", "viewer { id name } ".repeat(60_000)))]
#[case::deep_fragments({
    let mut text = "{ viewer { ...F0 } }".to_owned();
    for n in 0..60 {
        let next = n + 1;
        text.extend([" fragment F", &n.to_string(), " on User { organization { id } ...F"]);
        text.extend([&next.to_string(), " }"]);
    }
    text + " fragment F60 on User { id }"
})]
#[tokio::test]
async fn a_query_that_is_too_much_is_refused_and_nothing_breaks(#[case] query: String) {
    let lab = Lab::new().await;
    let (status, body) = lab.ask(API_KEY, &query, Value::Null).await;
    assert!(status.is_client_error(), "{status}");
    assert!(body["errors"][0]["message"].is_string(), "{body}");
    lab.ok(API_KEY, "{ viewer { id } }", Value::Null).await;
}

#[rstest]
#[case("text/plain", "{\"query\":\"{ viewer { id } }\"}".to_owned(), 400)]
#[case("application/json", "not json".to_owned(), 400)]
#[case("application/json", "[]".to_owned(), 400)]
#[case("application/json", "{}".to_owned(), 400)]
#[case("application/json", format!("{{\"query\":\"{}\"}}", " ".repeat(3 << 20)), 413)]
#[tokio::test]
async fn a_body_that_is_no_request_is_refused(
    #[case] kind: &str,
    #[case] body: String,
    #[case] expected: u16,
) {
    let lab = Lab::new().await;
    let request = Request::post("/graphql")
        .header("host", "127.0.0.1:9999")
        .header("content-type", kind)
        .header("authorization", API_KEY)
        .body(Body::from(body))
        .unwrap();
    let (status, body) = read(lab.send(request).await).await;
    assert_eq!(status, expected);
    assert!(
        body["errors"][0]["extensions"]["type"].is_string(),
        "{body}"
    );
}

#[tokio::test]
async fn hostile_text_comes_back_as_data_and_cannot_run_on_the_page() {
    let lab = Lab::new().await;
    let hostile =
        "\u{1b}]0;owned\u{7}<script>alert(1)</script>\u{202e}\"'; DROP TABLE issues; --\u{0}";
    let input = json!({ "teamId": TEAM, "title": hostile, "description": hostile });
    let data = lab
        .ok(
            API_KEY,
            "mutation($input: IssueCreateInput!) { issueCreate(input: $input) { issue { title description url } } }",
            json!({ "input": input }),
        )
        .await;
    let issue = &data["issueCreate"]["issue"];
    assert_eq!(issue["title"], hostile);
    assert_eq!(issue["description"], hostile);
    let path = issue["url"].as_str().unwrap().strip_prefix(BASE).unwrap();
    assert!(path.is_ascii());
    let request = Request::get(path)
        .header("host", "127.0.0.1:9999")
        .body(Body::empty())
        .unwrap();
    let response = lab.send(request).await;
    assert!(
        response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let (status, html) = text(response).await;
    assert_eq!(status, 200);
    assert!(html.contains("&lt;script&gt;"));
    assert!(!html.contains("<script") && !html.contains('\u{1b}') && !html.contains('\u{202e}'));
    assert!(html.contains("stand-in for Linear"));
}

#[tokio::test]
async fn the_page_of_an_issue_that_is_not_there_says_so() {
    let lab = Lab::new().await;
    let request = Request::get("/hoptrail-lab/issue/ENG-404")
        .header("host", "127.0.0.1:9999")
        .body(Body::empty())
        .unwrap();
    assert_eq!(lab.send(request).await.status(), 404);
}

// OAuth.

#[tokio::test]
async fn the_page_says_who_what_and_where() {
    let lab = Lab::new().await;
    let form = lab
        .page_form(&[
            ("scope", "read,issues:create"),
            ("login_hint", "noor@lab.example"),
        ])
        .await;
    assert!(
        form.title
            .contains("act as you in the workspace Hoptrail Lab")
    );
    assert_eq!(form.action, format!("{BASE}/oauth/authorize"));
    let labels: Vec<_> = form.details.iter().map(|d| &*d.label).collect();
    assert_eq!(labels, ["Application", "Acts as", "read", "issues:create"]);
    assert_eq!(form.details[1].value, "Noor Haddad <noor@lab.example>");

    let request = Request::get(authorize(&[("scope", "read,write"), ("state", "\"><b>")]))
        .header("host", "127.0.0.1:9999")
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .body(Body::empty())
        .unwrap();
    let (status, html) = text(lab.send(request).await).await;
    assert_eq!(status, 200);
    for part in [
        "Ada Lindqvist",
        "Tomás Rivera",
        "Keycard zone (lab)",
        "Allow",
        "Deny",
        "Change and delete anything",
        "stand-in for Linear",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<script") && !html.contains("\"><b>"));
    assert!(!html.contains("Workshop Admin"));
    assert!(
        lab.requests().is_empty(),
        "a sign-in's state is not for the feed"
    );
}

#[tokio::test]
async fn the_first_person_signs_in_when_nobody_is_named() {
    let lab = Lab::new().await;
    let token = bearer(&lab.tokens("read", "").await);
    let data = lab.ok(&token, "{ viewer { name } }", Value::Null).await;
    assert_eq!(data["viewer"]["name"], "Ada Lindqvist");
    let token = bearer(&lab.tokens("read", "tomas@lab.example").await);
    let data = lab.ok(&token, "{ viewer { name } }", Value::Null).await;
    assert_eq!(data["viewer"]["name"], "Tomás Rivera");
}

#[tokio::test]
async fn a_refusal_goes_back_to_the_application() {
    let lab = Lab::new().await;
    let form = lab.page_form(&[("scope", "read"), ("state", "s 1")]).await;
    let back = redirect(&lab.submit(&form, &[("decision", "deny")]).await);
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&back, "state").as_deref(), Some("s 1"));
    assert_eq!(query(&back, "code"), None);
    // A page is answered once.
    assert_eq!(lab.submit(&form, &[]).await.status(), 400);
}

#[rstest]
#[case(&[("client_id", "somebody-else")])]
#[case(&[("redirect_uri", "http://127.0.0.1:7777/oauth/callback/")])]
#[case(&[("redirect_uri", "http://127.0.0.1:7778/oauth/callback")])]
#[case(&[("redirect_uri", "")])]
#[tokio::test]
async fn nobody_is_sent_to_an_address_that_was_not_registered(#[case] pairs: &[(&str, &str)]) {
    let lab = Lab::new().await;
    let request = Request::get(authorize(pairs))
        .header("host", "127.0.0.1:9999")
        .header("accept", "application/json")
        .body(Body::empty())
        .unwrap();
    let response = lab.send(request).await;
    assert!(response.headers().get(header::LOCATION).is_none());
    let (status, body) = read(response).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"], "invalid_request");
}

#[rstest]
#[case(&[("response_type", "token")], "unsupported_response_type")]
#[case(&[("response_type", "")], "invalid_request")]
#[case(&[("scope", "read everything")], "invalid_scope")]
#[case(&[("actor", "app")], "invalid_request")]
#[case(&[("code_challenge", "abc")], "invalid_request")]
#[case(&[("code_challenge", "abc"), ("code_challenge_method", "plain")], "invalid_request")]
#[tokio::test]
async fn other_faults_of_a_request_go_back_with_an_error(
    #[case] pairs: &[(&str, &str)],
    #[case] error: &str,
) {
    let lab = Lab::new().await;
    let mut pairs = pairs.to_vec();
    pairs.push(("state", "st"));
    let request = Request::get(authorize(&pairs))
        .header("host", "127.0.0.1:9999")
        .body(Body::empty())
        .unwrap();
    let back = redirect(&lab.send(request).await);
    assert_eq!(query(&back, "error").as_deref(), Some(error));
    assert_eq!(query(&back, "state").as_deref(), Some("st"));
}

#[tokio::test]
async fn a_code_works_once_and_its_second_use_ends_what_came_of_it() {
    let lab = Lab::new().await;
    let code = lab.code("read", "").await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    let (_, tokens) = lab.form("/oauth/token", &pairs).await;
    lab.ok(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    let (status, body) = lab.form("/oauth/token", &pairs).await;
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (400, &json!("invalid_grant"))
    );
    let (status, _) = lab
        .ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    assert_eq!(status, 401);
}

#[rstest]
#[case(&[("client_secret", "wrong")], 401, "invalid_client")]
#[case(&[("client_secret", "")], 401, "invalid_client")]
#[case(&[("client_id", "other")], 401, "invalid_client")]
#[case(&[("redirect_uri", "http://127.0.0.1:7777/other")], 400, "invalid_grant")]
#[case(&[("redirect_uri", "")], 400, "invalid_grant")]
#[case(&[("code", "unknown")], 400, "invalid_grant")]
#[case(&[("code", "")], 400, "invalid_request")]
#[case(&[("code_verifier", "v")], 400, "invalid_grant")]
#[case(&[("grant_type", "password")], 400, "unsupported_grant_type")]
#[case(&[("grant_type", "")], 400, "invalid_request")]
#[tokio::test]
async fn a_token_request_that_does_not_fit_is_refused(
    #[case] change: &[(&str, &str)],
    #[case] expected: u16,
    #[case] error: &str,
) {
    let lab = Lab::new().await;
    let code = lab.code("read", "").await;
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    pairs.retain(|(name, _)| !change.iter().any(|(other, _)| other == name));
    pairs.extend(change.iter().filter(|(_, value)| !value.is_empty()));
    let (status, body) = lab.form("/oauth/token", &pairs).await;
    assert_eq!(status, expected, "{body}");
    assert_eq!(body["error"], error);
}

#[tokio::test]
async fn a_code_ends_after_five_minutes() {
    let lab = Lab::new().await;
    let code = lab.code("read", "").await;
    lab.clock.advance(TimeDelta::minutes(5));
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    let (status, body) = lab.form("/oauth/token", &pairs).await;
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[tokio::test]
async fn the_client_may_authenticate_with_basic_and_prove_its_code_with_pkce() {
    let lab = Lab::new().await;
    // RFC 7636, appendix B.
    let page = lab
        .page_form(&[
            ("scope", "read"),
            (
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
            ("code_challenge_method", "S256"),
        ])
        .await;
    let code = query(&redirect(&lab.submit(&page, &[]).await), "code").unwrap();
    let mut request = form(
        "/oauth/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", BACK),
            (
                "code_verifier",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
        ],
    );
    let basic =
        base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{CLIENT_SECRET}"));
    request
        .headers_mut()
        .insert("authorization", format!("Basic {basic}").parse().unwrap());
    let response = lab.send(request).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (status, body) = read(response).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["scope"], "read");
}

async fn refresh(lab: &Lab, token: &str, scope: Option<&str>) -> (StatusCode, Value) {
    let mut pairs = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
    ];
    pairs.extend(scope.map(|scope| ("scope", scope)));
    lab.form("/oauth/token", &pairs).await
}

#[tokio::test]
async fn refreshing_rotates_and_may_narrow_but_never_widen() {
    let lab = Lab::new().await;
    let tokens = lab.tokens("read,issues:create", "").await;
    let old = tokens["refresh_token"].as_str().unwrap();
    let (status, narrow) = refresh(&lab, old, Some("read")).await;
    assert_eq!(status, 200, "{narrow}");
    assert_eq!(narrow["scope"], "read");
    let new = narrow["refresh_token"].as_str().unwrap();
    assert_ne!(new, old);
    // The grant itself did not shrink.
    let (_, again) = refresh(&lab, new, None).await;
    assert_eq!(again["scope"], "read issues:create");
    let (status, body) = refresh(&lab, new, Some("write")).await;
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (400, &json!("invalid_scope"))
    );
    // An answer may have got lost: the old one is good for half an hour.
    assert_eq!(refresh(&lab, old, None).await.0, 200);
    lab.clock.advance(TimeDelta::minutes(30));
    assert_eq!(refresh(&lab, old, None).await.1["error"], "invalid_grant");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        refresh(&lab, access, None).await.1["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_the_whole_grant() {
    let lab = Lab::new().await;
    let kept = lab.tokens("read", "").await;
    let tokens = lab.tokens("read", "").await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let (status, _) = lab.form("/oauth/revoke", &[("token", token)]).await;
    assert_eq!(status, 200);
    assert_eq!(
        lab.ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
            .await
            .0,
        401
    );
    assert_eq!(refresh(&lab, token, None).await.1["error"], "invalid_grant");
    lab.ok(&bearer(&kept), "{ viewer { id } }", Value::Null)
        .await;
    // Unknown tokens are no error, wrong clients are.
    assert_eq!(lab.form("/oauth/revoke", &[("token", "x")]).await.0, 200);
    assert_eq!(lab.form("/oauth/revoke", &[]).await.0, 400);
    let wrong = [
        ("token", token),
        ("client_id", CLIENT),
        ("client_secret", "x"),
    ];
    assert_eq!(lab.form("/oauth/revoke", &wrong).await.0, 401);
}

// The feed, the faults, the state.

#[tokio::test]
async fn the_feed_tells_each_request_and_each_change_without_a_secret() {
    let lab = Lab::new().await;
    let tokens = lab.tokens("read,issues:create", "").await;
    let token = tokens["access_token"].as_str().unwrap();
    lab.create(&bearer(&tokens), "one").await;
    lab.ask(&bearer(&tokens), TRASH, json!({ "id": "ENG-1" }))
        .await;
    lab.ask(&bearer(&tokens), "{ viewer { id } }", Value::Null)
        .await;
    let seen = lab.requests();
    let [asked, made, refused, read] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(asked.operation, "POST /oauth/token");
    assert_eq!(asked.acted_as.as_deref(), Some("Ada Lindqvist"));
    assert_eq!((&*made.operation, made.status), ("CreateIssue", 200));
    assert_eq!(made.acted_as.as_deref(), Some("Ada Lindqvist"));
    assert_eq!(made.credential, Some(Fingerprint::of(token.as_bytes())));
    assert_eq!(made.trace_parent.unwrap().to_string(), TRACE);
    assert_eq!((&*refused.operation, refused.status), ("TrashIssue", 403));
    assert_eq!(
        refused.error.as_deref(),
        Some("Invalid scope: `write` required")
    );
    assert_eq!(read.operation, "viewer");
    let all = serde_json::to_string(
        &lab.feed
            .since(0)
            .iter()
            .map(|(_, o)| &**o)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    assert!(all.contains("\"issue\":{"));
    for secret in [
        token,
        tokens["refresh_token"].as_str().unwrap(),
        CLIENT_SECRET,
        API_KEY,
    ] {
        assert!(!all.contains(secret));
    }
}

#[tokio::test]
async fn a_scripted_fault_has_linears_shape() {
    let lab = Lab::new().await;
    lab.faults.push(Fault::status(429).when("viewer"));
    lab.ok(API_KEY, "{ organization { id } }", Value::Null)
        .await;
    let (status, body) = lab.ask(API_KEY, "{ viewer { id } }", Value::Null).await;
    assert_eq!(status, 429);
    assert_eq!(body["errors"][0]["extensions"]["type"], "ratelimited");
    lab.ok(API_KEY, "{ viewer { id } }", Value::Null).await;
}

#[tokio::test]
async fn a_restart_keeps_issues_comments_and_tokens_and_no_token_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deeper").join("linear.db");
    let clock = FakeClock::shared();
    let first = Lab::at(Some(file.clone()), clock.clone(), 1).await;
    let tokens = first.tokens("write", "noor@lab.example").await;
    let noor = bearer(&tokens);
    first.create(&noor, "one").await;
    first.create(&noor, "two").await;
    first.create(API_KEY, "three").await;
    first.ok(&noor, TRASH, json!({ "id": "ENG-2" })).await;
    first
        .ok(
            API_KEY,
            "mutation { issueDelete(id: \"ENG-3\", permanentlyDelete: true) { success }
            commentCreate(input: {issueId: \"ENG-1\", body: \"kept\"}) { lastSyncId } }",
            Value::Null,
        )
        .await;
    let before = first.linear.issues();
    drop(first);

    let second = Lab::at(Some(file.clone()), clock.clone(), 2).await;
    assert_eq!(second.linear.issues(), before);
    assert_eq!(before[0].author, "Noor Haddad");
    assert!(before[1].trashed);
    let data = second
        .ok(
            &noor,
            "{ issue(id: \"ENG-1\") { comments { nodes { body } } } }",
            Value::Null,
        )
        .await;
    assert_eq!(data["issue"]["comments"]["nodes"][0]["body"], "kept");
    let next = second.create(&noor, "four").await;
    assert_eq!(next["identifier"], "ENG-4");
    let restore = "mutation { issueUnarchive(id: \"ENG-2\") { success lastSyncId } }";
    let data = second.ok(&noor, restore, Value::Null).await;
    assert_eq!(data["issueUnarchive"]["lastSyncId"], 8);

    let mut stored = Vec::new();
    for entry in std::fs::read_dir(file.parent().unwrap()).unwrap() {
        stored.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    for secret in ["access_token", "refresh_token"] {
        let secret = tokens[secret].as_str().unwrap().as_bytes();
        assert!(!stored.windows(secret.len()).any(|part| part == secret));
    }
    drop(second);

    clock.advance(TimeDelta::hours(24));
    let third = Lab::at(Some(file), clock, 3).await;
    assert_eq!(
        third.ask(&noor, "{ viewer { id } }", Value::Null).await.0,
        401
    );
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&third, token, None).await.0, 200);
}

#[tokio::test]
async fn a_state_file_that_cannot_be_used_is_told_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("linear.db");
    std::fs::write(&file, "this is no database, and long enough to look at").unwrap();
    let open = |state: PathBuf| async {
        let clock = FakeClock::shared();
        linear::open(Config {
            base_url: BASE.into(),
            state: Some(state),
            clock: clock.clone(),
            ids: Ids::seeded(1),
            people: PEOPLE,
            team: Team::default(),
            oauth_client: OAuthClient {
                id: CLIENT.into(),
                secret: CLIENT_SECRET.into(),
                redirect_uris: Vec::new(),
                name: "x".into(),
            },
            api_key: None,
            feed: Feed::new(clock),
            faults: Faults::new(linear::error_body),
        })
        .await
        .unwrap_err()
    };
    let failure = open(file.clone()).await;
    assert!(failure.why.contains("linear.db"), "{failure}");
    assert!(failure.next.contains("--state"), "{failure}");
    assert_eq!(
        std::fs::read(&file).unwrap(),
        b"this is no database, and long enough to look at"
    );
    // A folder where the file should be.
    let failure = open(folder.path().to_path_buf()).await;
    assert!(failure.what.contains("cannot keep its state"), "{failure}");
}

#[tokio::test]
async fn many_at_once_get_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("linear.db");
    let lab = Arc::new(Lab::at(Some(file), FakeClock::shared(), 1).await);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..40 {
        let lab = lab.clone();
        tasks.spawn(async move { lab.create(API_KEY, &format!("issue {n}")).await });
    }
    let mut seen: Vec<_> = tasks
        .join_all()
        .await
        .iter()
        .map(|issue| issue["identifier"].as_str().unwrap().to_owned())
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 40);
}

#[tokio::test]
async fn a_web_page_of_somebody_else_gets_nothing() {
    let lab = Lab::new().await;
    for path in ["/graphql", "/oauth/authorize"] {
        let request = Request::post(path)
            .header("host", "127.0.0.1:9999")
            .header("origin", "https://evil.test")
            .header("authorization", API_KEY)
            .body(Body::empty())
            .unwrap();
        assert_eq!(lab.send(request).await.status(), 403, "{path}");
    }
}
