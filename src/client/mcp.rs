//! The MCP connection: one that is opened when it is needed and used again, tools listed and
//! called over it.

use std::{pin::pin, sync::Arc, time::Duration};

use rmcp::{
    RoleClient,
    model::{
        CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
        Implementation, ListToolsRequest, PaginatedRequestParams, ProtocolVersion,
        RequestMetaObject, ServerResult,
    },
    service::{
        ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, Peer,
        PeerRequestOptions, RunningService, ServiceError,
    },
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    hold::HeldUp,
    http::TracedHttp,
    mcp_wire::{McpWire, Remedy, Trouble},
    store::Tokens,
};
use crate::{
    protocol::traceparent::{TRACEPARENT, TraceParent},
    support::{
        error::{Exit, Failure},
        text::duration,
    },
    trace::{
        Actor, Fact, Json,
        event::{Leg, ToolView},
    },
};

/// How long connecting may take, all its requests together: others wait for it.
const CONNECT_WITHIN: Duration = Duration::from_mins(1);
/// How long any request may take; a tool that runs a model needs minutes.
const ANSWER_WITHIN: Duration = Duration::from_mins(5);
/// How long a server may take to end its session: a person who signs out or quits waits for it.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// Pages of a tool list; a server that never ends its list ends here.
const MOST_PAGES: usize = 100;

/// The connection to one server.
#[derive(Debug)]
pub struct Mcp {
    server: Url,
    http: TracedHttp,
    tokens: Tokens,
    running: tokio::sync::Mutex<Option<Running>>,
    held_up: Arc<HeldUp>,
    connect_within: Duration,
    /// Told when the connection is closed, also one that is still being made.
    closing: Notify,
}

/// A connection that was opened. Each has a seam of its own: rmcp numbers the requests of each from
/// the beginning, and what was kept for a number must not be taken for another connection's.
#[derive(Debug)]
struct Running {
    service: RunningService<RoleClient, ClientConfig>,
    wire: McpWire,
}

/// Why a request did not come through.
#[derive(Debug)]
pub enum Fault {
    /// It was called off.
    Cancelled,
    Trouble(Box<Trouble>),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Trouble(Box::new(Trouble {
            failure,
            remedy: Remedy::None,
        }))
    }
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolAnswer {
    /// The first text block.
    pub text: String,
    pub structured: Option<Value>,
    /// The tool said that it failed (`isError`).
    pub is_error: bool,
}

impl Mcp {
    /// A connection that is not yet open.
    #[must_use]
    pub fn new(server: Url, http: TracedHttp, tokens: Tokens) -> Self {
        Self {
            server,
            http,
            tokens,
            running: tokio::sync::Mutex::default(),
            held_up: Arc::default(),
            connect_within: CONNECT_WITHIN,
            closing: Notify::new(),
        }
    }

    /// The same, but connecting may take no longer than this.
    #[must_use]
    pub const fn connecting_within(mut self, limit: Duration) -> Self {
        self.connect_within = limit;
        self
    }

    /// What is held up by us on the way of a call.
    #[must_use]
    pub fn held_up(&self) -> Arc<HeldUp> {
        Arc::clone(&self.held_up)
    }

    /// The open connection and its seam; opens it first if need be.
    ///
    /// # Errors
    /// If the server does not take it, or does not come to an end with it.
    pub async fn connect(&self) -> Result<(Peer<RoleClient>, McpWire), Fault> {
        let mut closing = pin!(self.closing.notified());
        // Whoever waits for another's attempt is called off with it.
        let mut running = tokio::select! {
            biased;
            () = &mut closing => return Err(Fault::Cancelled),
            running = self.running.lock() => running,
        };
        if let Some(Running { service, wire }) = running.as_ref()
            && !service.is_closed()
            && !service.peer().is_transport_closed()
        {
            return Ok((service.peer().clone(), wire.clone()));
        }
        let wire = McpWire::new(self.http.clone(), self.tokens.clone());
        let opened = tokio::time::timeout(self.connect_within, self.open_either(&wire));
        let opened = tokio::select! {
            biased;
            () = &mut closing => return Err(Fault::Cancelled),
            opened = opened => opened,
        };
        let Ok(opened) = opened else {
            return Err(self.too_slow());
        };
        let service = opened.map_err(|error| self.connect_fault(&wire, &error))?;
        let peer = service.peer().clone();
        if let Some(info) = peer.peer_info() {
            if !ProtocolVersion::KNOWN_VERSIONS.contains(&info.protocol_version) {
                return Err(self.unknown_version(&info.protocol_version));
            }
            let (name, version) = info
                .server_info
                .as_ref()
                .map(|one| (one.name.clone(), one.version.clone()))
                .unwrap_or_default();
            self.http.report(
                Actor::Server,
                Fact::ServerConnected {
                    name: self.http.clean(&name),
                    version: self.http.clean(&version),
                    protocol: self.http.clean(info.protocol_version.as_str()),
                },
            );
        }
        *running = Some(Running {
            service,
            wire: wire.clone(),
        });
        Ok((peer, wire))
    }

    /// Closes the connection; one that is being made is called off.
    pub async fn close(&self) {
        self.closing.notify_waiters();
        let running = self.running.lock().await.take();
        if let Some(Running { mut service, .. }) = running
            && let Err(error) = service.close_with_timeout(CLOSE_WITHIN).await
        {
            tracing::warn!(%error, "the MCP connection did not close cleanly");
        }
    }

    async fn open_either(
        &self,
        wire: &McpWire,
    ) -> Result<RunningService<RoleClient, ClientConfig>, ClientInitializeError> {
        match self.open(wire, ClientLifecycleMode::Initialize).await {
            Err(ClientInitializeError::JsonRpcError(error)) if is_modern_only(error.code.0) => {
                let discover = ClientLifecycleMode::Discover {
                    preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                };
                self.open(wire, discover).await
            }
            other => other,
        }
    }

    async fn open(
        &self,
        wire: &McpWire,
        mode: ClientLifecycleMode,
    ) -> Result<RunningService<RoleClient, ClientConfig>, ClientInitializeError> {
        let transport = StreamableHttpClientTransport::with_client(
            wire.clone(),
            StreamableHttpClientTransportConfig::with_uri(self.server.as_str()),
        );
        let config = ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("hoptrail", env!("CARGO_PKG_VERSION")),
        )
        // The newest version has no `initialize` at all (protocol facts, 1.5).
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        config.serve_with_lifecycle(transport, mode).await
    }

    fn too_slow(&self) -> Fault {
        let limit = u64::try_from(self.connect_within.as_micros()).unwrap_or(u64::MAX);
        Failure::new(
            Exit::Unreachable,
            "The MCP server does not come to an end with connecting",
            format!("the connection is not open after {}", duration(limit)),
            "try again; the server's log may say more",
        )
        .into()
    }

    /// MCP's lifecycle has a client go that does not speak the server's version.
    fn unknown_version(&self, version: &ProtocolVersion) -> Fault {
        let known = ProtocolVersion::KNOWN_VERSIONS;
        let known: Vec<&str> = known.iter().map(ProtocolVersion::as_str).collect();
        Failure::new(
            Exit::Failed,
            "The MCP server speaks a version that this client does not know",
            format!(
                "it wants {}, and this client knows {}",
                self.http.clean(version.as_str()),
                known.join(", ")
            ),
            "bring the server or hoptrail up to date",
        )
        .into()
    }

    fn connect_fault(&self, wire: &McpWire, error: &ClientInitializeError) -> Fault {
        let why = match error {
            // rmcp tells these with the whole answer as Rust would print it.
            ClientInitializeError::ExpectedInitResponse(_)
            | ClientInitializeError::ExpectedInitResult(_) => {
                "its answer to initialize is not what MCP prescribes: protocolVersion, capabilities \
                 and serverInfo"
                    .to_owned()
            }
            other => other.to_string(),
        };
        let trouble = wire.take_first_trouble().unwrap_or_else(|| Trouble {
            failure: Failure::new(
                Exit::Failed,
                "The MCP server does not take the connection",
                self.http.clean(&why),
                "check the address; the server's log may say more",
            ),
            remedy: Remedy::None,
        });
        Fault::Trouble(Box::new(trouble))
    }

    /// Lists the tools, all pages of them.
    ///
    /// # Errors
    /// Why there is no list.
    pub async fn list_tools(&self, cancel: &CancellationToken) -> Result<Vec<ToolView>, Fault> {
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let params = PaginatedRequestParams::default().with_cursor(cursor);
            let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params));
            let result = self
                .request(request, PeerRequestOptions::no_options(), cancel)
                .await?;
            let ServerResult::ListToolsResult(page) = result else {
                return Err(other_answer("tools/list").into());
            };
            tools.extend(page.tools.iter().map(|tool| self.view(tool)));
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(tools);
            }
        }
        Err(Failure::new(
            Exit::Failed,
            "The server's list of tools has no end",
            format!("after {MOST_PAGES} pages it names another one"),
            "look at its pagination: the last page has no nextCursor",
        )
        .into())
    }

    fn view(&self, tool: &rmcp::model::Tool) -> ToolView {
        let masker = self.http.masker();
        // A server may write a key into a default or an example.
        let schema = |schema: &Map<String, Value>| {
            Json::from(&masker.value(&Value::Object(schema.clone()), Leg::Mcp))
        };
        ToolView {
            name: masker.text(&tool.name),
            title: tool.title.as_deref().map(|text| masker.text(text)),
            description: tool.description.as_deref().map(|text| masker.text(text)),
            input_schema: schema(&tool.input_schema),
            output_schema: tool.output_schema.as_deref().map(schema),
        }
    }

    /// Calls a tool within the trace that `parent` names.
    ///
    /// # Errors
    /// Why there is no answer. An answer that says that the tool failed is none.
    pub async fn call_tool(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        parent: TraceParent,
        cancel: &CancellationToken,
    ) -> Result<ToolAnswer, Fault> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let mut meta = RequestMetaObject::default();
        meta.insert(TRACEPARENT.to_owned(), parent.to_string().into());
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let options = PeerRequestOptions::no_options().with_meta(meta);
        let result = self.request(request, options, cancel).await?;
        let ServerResult::CallToolResult(result) = result else {
            return Err(other_answer("tools/call").into());
        };
        let masker = self.http.masker();
        let text = result
            .content
            .iter()
            .find_map(|block| block.as_text())
            .map(|block| masker.json(&block.text, Leg::Mcp))
            .unwrap_or_default();
        Ok(ToolAnswer {
            text,
            structured: result
                .structured_content
                .as_ref()
                .map(|value| masker.value(value, Leg::Mcp)),
            is_error: result.is_error.unwrap_or(false),
        })
    }

    /// Sends one request. Calling it off tells the server (`notifications/cancelled`).
    async fn request(
        &self,
        request: ClientRequest,
        options: PeerRequestOptions,
        cancel: &CancellationToken,
    ) -> Result<ServerResult, Fault> {
        let (peer, wire) = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Fault::Cancelled),
            connection = self.connect() => connection?,
        };
        let mut handle = peer
            .send_cancellable_request(request, options)
            .await
            .map_err(|error| self.fault_of(&error))?;
        let id = handle.id.to_string();
        let token = serde_json::to_value(&handle.progress_token).unwrap_or_default();
        let _ended = Ended {
            wire: &wire,
            id: &id,
            token,
        };
        let answered = tokio::select! {
            biased;
            answered = &mut handle.rx => answered,
            () = cancel.cancelled() => {
                self.call_off(handle, "called off by the person").await;
                return Err(Fault::Cancelled);
            }
            () = self.held_up.patience(ANSWER_WITHIN) => {
                self.call_off(handle, "no answer in time").await;
                return Err(Failure::new(
                    Exit::Unreachable,
                    "The server does not come to an end",
                    format!("no answer within {} minutes", ANSWER_WITHIN.as_secs() / 60),
                    "try again; the server's log may say more",
                ).into());
            }
        };
        let error = match answered {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(error)) => error,
            Err(_) => ServiceError::TransportClosed,
        };
        Err(wire.take_trouble(&id).map_or_else(
            || self.fault_of(&error),
            |trouble| Fault::Trouble(Box::new(trouble)),
        ))
    }

    async fn call_off(&self, handle: rmcp::service::RequestHandle<RoleClient>, reason: &str) {
        if let Err(error) = handle.cancel(Some(reason.to_owned())).await {
            tracing::warn!(%error, "the server was not told that the request is called off");
        }
    }

    fn fault_of(&self, error: &ServiceError) -> Fault {
        let failure = match error {
            ServiceError::McpError(error) => Failure::new(
                Exit::Failed,
                "The server refused the request",
                format!(
                    "{} (code {})",
                    self.http.clean(&error.message),
                    error.code.0
                ),
                "check the tool's name and arguments",
            ),
            other => Failure::new(
                Exit::Unreachable,
                "The connection to the MCP server is gone",
                self.http.clean(&other.to_string()),
                "try again",
            ),
        };
        failure.into()
    }
}

/// However a request ends, and be it that nobody waits for it: what was kept of it is forgotten.
struct Ended<'a> {
    wire: &'a McpWire,
    id: &'a str,
    token: Value,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.wire.ended(self.id, &self.token);
    }
}

/// JSON-RPC's "method not found" and MCP's "unsupported version": the answers of a server that
/// no longer knows `initialize`.
const fn is_modern_only(code: i32) -> bool {
    matches!(code, -32601 | -32022)
}

fn other_answer(method: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "The server answers with something that this client does not do",
        format!("its answer to {method} is none that MCP has, or asks for more than a result"),
        "look at the answer in the flow; another client may do what it asks for",
    )
}
