//! The support-escalation MCP server: a drop-in for the workshop's finished one.
//!
//! Same tools, same `.env`; only URLs tell it whether Keycard, Supabase, Anthropic and Linear are
//! the real ones or stand-ins. It holds no key that opens a service: for each thing it touches it
//! exchanges the caller's token at the zone, uses what it gets once, and throws it away.
//!
//! It can also be the server of any chapter before that ([`Stage`]), so that what each chapter
//! mends is as real as the mending.
//!
//! Must not bind a port, read the environment or know of the zone's and the stand-ins' code: the
//! caller hands in [`Settings`] and serves the [`router`].

mod anthropic;
mod bearer;
mod call;
mod discovery;
mod draft;
mod embedded;
mod exchange;
mod handler;
mod http;
mod keys;
mod linear;
mod masked;
mod progress;
mod protected_resource;
mod rpc_errors;
pub mod settings;
pub mod stage;
mod supabase;
mod tools;

use std::{future::IntoFuture as _, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    http::{Response, StatusCode, header},
    middleware::{from_fn_with_state, map_response},
    response::IntoResponse,
    routing::MethodRouter,
    serve::ListenerExt as _,
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    protocol::observed::Upstream,
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
        ids::Ids,
    },
};

pub use settings::{Address, AddressError, DEFAULT_PORT, MCP_PATH, SettingFaults, Settings};
pub use stage::Stage;

/// The name under which the server introduces itself.
pub const SERVER_NAME: &str = "support-escalation";
/// The version that the workshop's server says it is.
pub const SERVER_VERSION: &str = "0.1.0";

/// How long calls under way may go on when the server is stopped.
const GRACE: Duration = Duration::from_secs(2);

/// What a client may send in one request; arguments are an id.
const LARGEST_REQUEST: usize = 256 << 10;

/// What the server needs from outside.
#[derive(Debug, Clone)]
pub struct Deps {
    pub clock: SharedClock,
    pub ids: Ids,
    pub patience: Patience,
}

impl Deps {
    /// With the usual patience.
    #[must_use]
    pub fn new(clock: SharedClock, ids: Ids) -> Self {
        Self {
            clock,
            ids,
            patience: Patience::default(),
        }
    }
}

/// How long the server waits, and how often it tries again.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For the zone's answer to an exchange.
    pub zone: Duration,
    /// For an answer of Supabase or Linear.
    pub service: Duration,
    /// For the model, which takes its time.
    pub model: Duration,
    /// The pauses before each further try of a read from Supabase.
    pub supabase_pauses: Vec<Duration>,
    /// The pauses before each further try of the model.
    pub anthropic_pauses: Vec<Duration>,
}

impl Default for Patience {
    /// As supabase-js and the AI SDK have it: three tries more after 1, 2 and 4 seconds, and two
    /// more after 2 and 4.
    fn default() -> Self {
        Self {
            zone: Duration::from_secs(10),
            service: Duration::from_secs(20),
            model: Duration::from_mins(2),
            supabase_pauses: [1, 2, 4].map(Duration::from_secs).to_vec(),
            anthropic_pauses: [2, 4].map(Duration::from_secs).to_vec(),
        }
    }
}

impl Patience {
    const fn limit(&self, upstream: Upstream) -> Duration {
        match upstream {
            Upstream::Supabase | Upstream::Linear => self.service,
            Upstream::Anthropic => self.model,
        }
    }

    /// Linear is never asked twice: a second try could file a second issue.
    fn pauses(&self, upstream: Upstream) -> &[Duration] {
        match upstream {
            Upstream::Supabase => &self.supabase_pauses,
            Upstream::Anthropic => &self.anthropic_pauses,
            Upstream::Linear => &[],
        }
    }
}

/// The whole server as a router; the caller binds the port.
///
/// # Errors
/// If the HTTP client cannot be set up, or the client secret fits into no header.
pub fn router(settings: Settings, deps: Deps) -> Result<Router, Failure> {
    let reach = if settings.is_all_loopback() {
        http::Reach::Loopback
    } else {
        http::Reach::Network
    };
    let http = http::Http::new(reach)?;
    let config = transport(&settings);
    let door = settings
        .gate()
        .map(|gate| CallerCheck::new(gate, &http, &deps.clock));
    let exchanger = match (settings.application(), &door) {
        (Some(application), Some(door)) => Some(exchange::Exchanger::new(
            http.clone(),
            Arc::clone(&door.discovery),
            application,
        )?),
        (_, None) | (None, _) => None,
    };
    let documents = settings
        .gate()
        .zip(door.as_ref())
        .map(|(gate, door)| protected_resource::router(gate, Arc::clone(&door.discovery)));
    let services = Arc::new(call::Services {
        exchanger,
        http,
        settings: Arc::new(settings),
        ids: deps.ids,
        patience: deps.patience,
    });
    let handler = handler::SupportEscalation::new(services);
    let mcp = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let mut endpoint = MethodRouter::new()
        .post_service(mcp)
        .layer(map_response(rpc_errors::told));
    if let Some(door) = door {
        endpoint = endpoint.layer(from_fn_with_state(door.bearer, bearer::require));
    }
    // Behind the check on purpose: what is not POST is refused without asking who calls.
    let endpoint = endpoint.fallback(method_not_allowed);
    Ok(Router::new()
        .route(MCP_PATH, endpoint)
        .merge(documents.unwrap_or_default())
        .layer(CatchPanicLayer::custom(internal_error)))
}

/// What knows the zone: the check of callers, and what both it and the exchange look up.
struct CallerCheck {
    discovery: Arc<discovery::Discovery>,
    bearer: Arc<bearer::Bearer>,
}

impl CallerCheck {
    fn new(gate: &settings::Gate, http: &http::Http, clock: &SharedClock) -> Self {
        let discovery = Arc::new(discovery::Discovery::new(
            http.clone(),
            gate.zone.clone(),
            Arc::clone(clock),
        ));
        let keys = keys::Keys::new(http.clone(), Arc::clone(&discovery), Arc::clone(clock));
        Self {
            bearer: Arc::new(bearer::Bearer::new(gate, keys, Arc::clone(clock))),
            discovery,
        }
    }
}

/// Serves `app` on `listener` until `shutdown` ends; calls under way get two seconds more.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    // An SSE answer is a head and then an event, two writes: with Nagle's algorithm the second
    // waits for the client's delayed acknowledgement, 40 ms in each call.
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays slow");
        }
    });
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let server = axum::serve(listener, app).with_graceful_shutdown(stopped);
    let grace = async {
        shutdown.await;
        stop.cancel();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended.map_err(|error| {
            Failure::new(
                Exit::Failed,
                "The server stopped",
                error.to_string(),
                "start it again",
            )
        }),
        () = grace => Ok(()),
    }
}

/// Where a page comes from that this computer serves, on any port.
const LOCAL_PAGES: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

fn transport(settings: &Settings) -> StreamableHttpServerConfig {
    let mut hosts = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    if let Some(host) = settings
        .gate()
        .and_then(|gate| gate.resource.url.host_str())
    {
        hosts.push(host.to_owned());
    }
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_allowed_hosts(hosts)
        // MCP, "Security warning" of the transport: a page from elsewhere must not drive the server; a
        // tool's own page on this computer may.
        .with_allowed_origins(LOCAL_PAGES)
        .with_max_request_body_bytes(LARGEST_REQUEST)
}

async fn method_not_allowed() -> impl IntoResponse {
    let body = json!({
        "jsonrpc": "2.0",
        "error": {
            "code": -32000,
            "message": "Method Not Allowed: stateless server, use POST /mcp"
        },
        "id": null
    });
    (
        StatusCode::METHOD_NOT_ALLOWED,
        [(header::ALLOW, "POST")],
        Json(body),
    )
}

/// The last resort; what the panic said stays in the log.
fn internal_error(_panic: Box<dyn std::any::Any + Send>) -> Response<Body> {
    let body = json!({
        "jsonrpc": "2.0",
        "error": {"code": -32603, "message": "Internal server error"},
        "id": null
    });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
