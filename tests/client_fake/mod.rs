//! A whole authorization server and MCP server, small and scripted, and a client pointed at them.

pub mod mcp;
pub mod rig;
mod zone;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::sync::Notify;

use mcp::Mcp;

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
    /// The next this many calls are answered by turns: with 401, and then as if more scope were needed.
    pub by_turns: u32,
    pub token_error: Option<(u16, Value)>,
    pub registration_error: Option<(u16, Value)>,
    pub page_error: Option<(u16, Value)>,
    /// The token endpoint answers only when it is told to go on.
    pub token_waits: bool,
    pub publish_nothing: bool,
    /// Answers initialize without a token.
    pub open: bool,
    /// Asks for a token at this method only.
    pub asks_at: Option<&'static str>,
    pub no_such_page: bool,
    /// Answers `initialize` and says nothing to `notifications/initialized`.
    pub falls_silent: bool,
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
    /// The id of the call whose answer broke off.
    broken_off: Mutex<Value>,
    count: Mutex<u32>,
    pub cancelled: Notify,
    pub called: Notify,
    pub fell_silent: Notify,
    pub token_asked: Notify,
    pub token_goes_on: Notify,
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
            broken_off: Mutex::default(),
            count: Mutex::default(),
            cancelled: Notify::new(),
            called: Notify::new(),
            fell_silent: Notify::new(),
            token_asked: Notify::new(),
            token_goes_on: Notify::new(),
        });
        let mcp_router = mcp::router(Arc::clone(&shared));
        let zone_router = zone::router(Arc::clone(&shared));
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
