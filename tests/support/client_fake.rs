//! A whole authorization server and MCP server, small and scripted, and a client pointed at them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Form, Json, Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::StreamExt as _;
use hoptrail::{
    client::{
        Client, Config,
        browser::{Browser, BrowserMode},
        discovery::MissingPkceAllowed,
        http::ActorMap,
        robot,
    },
    protocol::observed::STEP_META_KEY,
    support::{clock::FakeClock, ids::Ids},
    trace::{
        Fact,
        sink::{Report, TraceSink},
    },
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use url::Url;

type Edit = Box<dyn Fn(&mut Value) + Send + Sync>;
type EditText = Box<dyn Fn(String) -> String + Send + Sync>;

/// What the fake does otherwise than usual.
#[derive(Default)]
pub struct Script {
    pub challenge: Option<EditText>,
    pub resource: Option<Edit>,
    pub metadata: Option<Edit>,
    pub token: Option<Edit>,
    pub callback: Option<EditText>,
    pub mcp: Mcp,
    /// The next this many calls with a good token are answered with 401.
    pub refuse_tokens: u32,
    pub token_error: Option<(u16, Value)>,
    pub publish_nothing: bool,
    /// Answers initialize without a token.
    pub open: bool,
    pub no_such_page: bool,
}

/// How `tools/call` is answered.
#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mcp {
    #[default]
    Usual,
    Html,
    Status500,
    Empty,
    HalfJson,
    HalfEvents,
    EventIsNoJson,
    WrongJson,
    JsonRpcError,
    Hang,
    NeedsScope,
    ToolFails,
    EchoToken,
}

pub struct Fake {
    pub server: String,
    pub issuer: String,
    pub shared: Arc<Shared>,
}

pub struct Shared {
    pub script: Mutex<Script>,
    pub server: String,
    pub issuer: String,
    /// Everything that must never be seen.
    pub secrets: Mutex<Vec<String>>,
    pub requests: Mutex<Vec<String>>,
    grants: Mutex<BTreeMap<String, (String, String, String)>>,
    access: Mutex<Vec<String>>,
    refresh: Mutex<Vec<String>>,
    count: Mutex<u32>,
    pub cancelled: Notify,
    pub called: Notify,
}

impl Shared {
    fn mint(&self, kind: &str) -> String {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        let secret = format!(
            "{kind}-opaque-{:08x}-{}",
            0x9e37_79b9_u32.wrapping_mul(*count),
            *count
        );
        self.secrets.lock().unwrap().push(secret.clone());
        secret
    }

    fn saw(&self, what: impl Into<String>) {
        self.requests.lock().unwrap().push(what.into());
    }
}

impl Fake {
    pub async fn start() -> Self {
        let mcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let zone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}/mcp", mcp.local_addr().unwrap());
        let issuer = format!("http://{}", zone.local_addr().unwrap());
        let shared = Arc::new(Shared {
            script: Mutex::default(),
            server: server.clone(),
            issuer: issuer.clone(),
            secrets: Mutex::default(),
            requests: Mutex::default(),
            grants: Mutex::default(),
            access: Mutex::default(),
            refresh: Mutex::default(),
            count: Mutex::default(),
            cancelled: Notify::new(),
            called: Notify::new(),
        });
        let mcp_router = Router::new()
            .route("/mcp", post(mcp_post).get(mcp_other).delete(mcp_other))
            .route("/.well-known/oauth-protected-resource/mcp", get(resource))
            .with_state(Arc::clone(&shared));
        let zone_router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/register", post(register))
            .route("/authorize", get(authorize))
            .route("/consent", post(consent))
            .route("/token", post(token))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(mcp, mcp_router).await.unwrap() });
        tokio::spawn(async move { axum::serve(zone, zone_router).await.unwrap() });
        Self {
            server,
            issuer,
            shared,
        }
    }

    pub fn script(&self, edit: impl FnOnce(&mut Script)) {
        edit(&mut self.shared.script.lock().unwrap());
    }

    /// No token that was given out is good any more.
    pub fn revoke(&self) {
        self.shared.access.lock().unwrap().clear();
    }

    pub fn saw(&self, what: &str) -> usize {
        let requests = self.shared.requests.lock().unwrap();
        requests.iter().filter(|one| one.contains(what)).count()
    }
}

async fn resource(State(shared): State<Arc<Shared>>) -> Response {
    let script = shared.script.lock().unwrap();
    if script.publish_nothing {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut document = json!({
        "resource": shared.server,
        "authorization_servers": [shared.issuer],
        "scopes_supported": ["read", "issues:create"],
    });
    if let Some(edit) = &script.resource {
        edit(&mut document);
    }
    Json(document).into_response()
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    let script = shared.script.lock().unwrap();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["read", "issues:create", "write"],
        "authorization_response_iss_parameter_supported": true,
        "hoptrail_lab": true,
    });
    if let Some(edit) = &script.metadata {
        edit(&mut document);
    }
    Json(document).into_response()
}

async fn register(State(shared): State<Arc<Shared>>, Json(mut body): Json<Value>) -> Response {
    shared.saw(format!("register {body}"));
    body["client_id"] = json!("client-of-the-workshop");
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn authorize(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    shared.saw(format!("authorize {query:?}"));
    if shared.script.lock().unwrap().no_such_page {
        return "<html>sign in here</html>".into_response();
    }
    {
        let mut secrets = shared.secrets.lock().unwrap();
        secrets.push(query["state"].clone());
        secrets.push(query["code_challenge"].clone());
    }
    let csrf = shared.mint("csrf");
    let cookie = shared.mint("cookie");
    let form = json!({
        "page": "consent", "title": "Allow hoptrail?",
        "action": format!("{}/consent?next={csrf}", shared.issuer), "method": "POST",
        "fields": {
            "csrf": csrf, "redirect_uri": query["redirect_uri"], "state": query["state"],
            "code_challenge": query["code_challenge"], "cookie_was": cookie,
            "scope": query.get("scope").cloned().unwrap_or_default(),
        },
        "choices": [
            {"name": "decision", "value": "deny", "label": "Deny"},
            {"name": "decision", "value": "allow", "label": "Allow", "default": true},
        ],
    });
    (
        [(
            header::SET_COOKIE,
            format!("sid={cookie}; Path=/; HttpOnly"),
        )],
        Json(form),
    )
        .into_response()
}

async fn consent(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    assert_eq!(
        headers["cookie"].to_str().unwrap(),
        format!("sid={}", form["cookie_was"])
    );
    assert_eq!(headers["origin"].to_str().unwrap(), shared.issuer);
    let mut answer = url::form_urlencoded::Serializer::new(String::new());
    if form["decision"] == "allow" {
        let code = shared.mint("code");
        shared.grants.lock().unwrap().insert(
            code.clone(),
            (
                form["code_challenge"].clone(),
                form["redirect_uri"].clone(),
                form["scope"].clone(),
            ),
        );
        answer.append_pair("code", &code);
    } else {
        answer.append_pair("error", "access_denied");
        answer.append_pair("error_description", "the person said \u{1b}[31mno");
    }
    answer.append_pair("state", &form["state"]);
    answer.append_pair("iss", &shared.issuer);
    let mut query = answer.finish();
    if let Some(edit) = &shared.script.lock().unwrap().callback {
        query = edit(query);
    }
    (
        StatusCode::SEE_OTHER,
        [(
            header::LOCATION,
            format!("{}?{query}", form["redirect_uri"]),
        )],
    )
        .into_response()
}

async fn token(
    State(shared): State<Arc<Shared>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    shared.saw(format!("token {}", form["grant_type"]));
    let script = shared.script.lock().unwrap();
    if let Some((status, body)) = &script.token_error {
        let status = StatusCode::from_u16(*status).unwrap();
        return (status, Json(body.clone())).into_response();
    }
    assert_eq!(form["resource"], shared.server);
    let scope = if form["grant_type"] == "authorization_code" {
        let verifier = &form["code_verifier"];
        shared.secrets.lock().unwrap().push(verifier.clone());
        let grant = shared.grants.lock().unwrap().remove(&form["code"]);
        let (challenge, redirect_uri, scope) = grant.expect("a code is used once");
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        assert_eq!(hash, challenge);
        assert_eq!(form["redirect_uri"], redirect_uri);
        scope
    } else {
        let mut live = shared.refresh.lock().unwrap();
        let known = live.iter().position(|one| *one == form["refresh_token"]);
        let Some(at) = known else {
            let spent = json!({"error": "invalid_grant", "error_description": "spent"});
            return (StatusCode::BAD_REQUEST, Json(spent)).into_response();
        };
        live.remove(at);
        "read issues:create".to_owned()
    };
    let access = shared.mint("access");
    let refresh = shared.mint("refresh");
    {
        let mut live = shared.access.lock().unwrap();
        live.clear();
        live.push(access.clone());
    }
    shared.refresh.lock().unwrap().push(refresh.clone());
    let mut answer = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": 600,
        "refresh_token": refresh, "scope": scope,
    });
    if let Some(edit) = &script.token {
        edit(&mut answer);
    }
    Json(answer).into_response()
}

async fn mcp_other() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response()
}

async fn mcp_post(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(message): Json<Value>,
) -> Response {
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    let bearer = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default()
        .to_owned();
    let behaviour = {
        let mut script = shared.script.lock().unwrap();
        let mut good = script.open || shared.access.lock().unwrap().contains(&bearer);
        if good && script.refuse_tokens > 0 && method == "tools/call" {
            script.refuse_tokens -= 1;
            good = false;
        }
        if !good {
            let origin = shared.server.trim_end_matches("/mcp");
            let mut challenge = format!(
                r#"Bearer resource_metadata="{origin}/.well-known/oauth-protected-resource/mcp""#
            );
            if let Some(edit) = &script.challenge {
                challenge = edit(challenge);
            }
            return (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, challenge)],
                "no",
            )
                .into_response();
        }
        script.mcp
    };
    shared.saw(format!("mcp {method} {}", message["params"]));
    let id = message["id"].clone();
    match method.as_str() {
        "initialize" => Json(json!({"jsonrpc": "2.0", "id": id, "result": {
            "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
            "serverInfo": {"name": "fake\u{1b}[31m", "version": "1.0"},
        }}))
        .into_response(),
        "tools/list" => Json(json!({"jsonrpc": "2.0", "id": id, "result": {"tools": [
            {"name": "escalate_ticket", "title": "Escalate", "inputSchema": {"type": "object"}},
        ]}}))
        .into_response(),
        "tools/call" => {
            shared.called.notify_one();
            call(&shared, behaviour, &id, &message, &bearer)
        }
        "notifications/cancelled" => {
            shared.cancelled.notify_one();
            StatusCode::ACCEPTED.into_response()
        }
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

fn call(shared: &Shared, how: Mcp, id: &Value, message: &Value, bearer: &str) -> Response {
    let json_type = [(header::CONTENT_TYPE, "application/json")];
    let event_type = [(header::CONTENT_TYPE, "text/event-stream")];
    let result = |text: &str, is_error: bool| {
        json!({"jsonrpc": "2.0", "id": id, "result": {
            "content": [{"type": "text", "text": text}], "isError": is_error,
        }})
    };
    match how {
        Mcp::Usual => {
            let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": message["params"]["_meta"]["progressToken"],
                "progress": 1, "total": 2, "message": "exchanging",
                "_meta": {STEP_META_KEY: {
                    "span": "00000000000000aa", "action": "exchanged", "upstream": "linear",
                    "scope": "read", "outcome": "succeeded", "duration_us": 5,
                }},
            }});
            let words = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": message["params"]["_meta"]["progressToken"],
                "progress": 2, "message": "done",
            }});
            let mut events = String::new();
            for event in [progress, words, result("it is done", false)] {
                write!(events, "event: message\ndata: {event}\n\n").unwrap();
            }
            (event_type, events).into_response()
        }
        Mcp::Html => (
            [(header::CONTENT_TYPE, "text/html")],
            "<html>welcome</html>",
        )
            .into_response(),
        Mcp::Status500 => (StatusCode::INTERNAL_SERVER_ERROR, "boom").into_response(),
        Mcp::Empty => json_type.into_response(),
        Mcp::HalfJson => (json_type, broken(r#"{"jsonrpc":"2.0","#)).into_response(),
        Mcp::HalfEvents => (event_type, broken("event: message\ndata: {\"jsonr")).into_response(),
        Mcp::EventIsNoJson => (event_type, "data: hello\n\n").into_response(),
        Mcp::WrongJson => Json(json!({"hello": "world"})).into_response(),
        Mcp::JsonRpcError => Json(json!({"jsonrpc": "2.0", "id": id, "error": {
            "code": -32602, "message": "Tool \u{1b}]0;x nope not found",
        }}))
        .into_response(),
        Mcp::Hang => {
            let silence = futures::stream::pending::<Result<Bytes, std::io::Error>>();
            (event_type, Body::from_stream(silence)).into_response()
        }
        Mcp::NeedsScope => (
            StatusCode::FORBIDDEN,
            [(
                header::WWW_AUTHENTICATE,
                format!(
                    r#"Bearer error="insufficient_scope", scope="write", resource_metadata="{}/.well-known/oauth-protected-resource/mcp""#,
                    shared.server.trim_end_matches("/mcp")
                ),
            )],
        )
            .into_response(),
        Mcp::ToolFails => Json(result("refused by policy", true)).into_response(),
        Mcp::EchoToken => Json(result(&format!("you sent {bearer}"), false)).into_response(),
    }
}

/// A body that breaks off.
fn broken(text: &'static str) -> Body {
    let parts = [
        Ok(Bytes::from_static(text.as_bytes())),
        Err(std::io::Error::other("cut")),
    ];
    // The server writes a part only when the next one is not there yet.
    Body::from_stream(futures::stream::iter(parts).then(|part| async move {
        tokio::task::yield_now().await;
        part
    }))
}

/// Keeps every report.
#[derive(Debug, Default)]
pub struct Collected(pub Mutex<Vec<Report>>);

impl TraceSink for Collected {
    fn report(&self, report: Report) {
        self.0.lock().unwrap().push(report);
    }
}

impl Collected {
    pub fn facts(&self) -> Vec<Fact> {
        let reports = self.0.lock().unwrap();
        reports.iter().map(|report| report.fact.clone()).collect()
    }

    pub fn json(&self) -> String {
        serde_json::to_string(&self.facts()).unwrap()
    }

    pub fn count(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.facts().iter().filter(|fact| is(fact)).count()
    }
}

/// A browser that cannot be opened, and that remembers what was shown.
#[derive(Debug, Default)]
pub struct Shown(pub Mutex<Option<Url>>, pub Notify);

impl Browser for Shown {
    fn open(&self, _: &Url) -> Result<(), String> {
        Err("there is no desktop here".to_owned())
    }

    fn show(&self, url: &Url) {
        *self.0.lock().unwrap() = Some(url.clone());
        self.1.notify_one();
    }
}

pub struct Rig {
    pub client: Arc<Client>,
    pub sink: Arc<Collected>,
    pub clock: Arc<FakeClock>,
    pub shown: Arc<Shown>,
}

pub fn config(
    server: &str,
    mode: BrowserMode,
) -> (Config, Arc<Collected>, Arc<FakeClock>, Arc<Shown>) {
    let sink = Arc::new(Collected::default());
    let clock = FakeClock::shared();
    let shown = Arc::new(Shown::default());
    let config = Config {
        server: server.to_owned(),
        mode,
        browser: Arc::clone(&shown) as _,
        answer: robot::Answer::default(),
        missing_pkce: MissingPkceAllowed::default(),
        sink: Arc::clone(&sink) as _,
        clock: Arc::clone(&clock) as _,
        ids: Ids::seeded(7),
        actors: ActorMap::default(),
    };
    (config, sink, clock, shown)
}

pub fn rig(server: &str, mode: BrowserMode) -> Rig {
    let (config, sink, clock, shown) = config(server, mode);
    Rig {
        client: Arc::new(Client::new(config).unwrap()),
        sink,
        clock,
        shown,
    }
}
