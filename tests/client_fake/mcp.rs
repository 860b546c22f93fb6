//! The MCP server: whom it lets in, and how it answers a call.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::StreamExt as _;
use hoptrail::protocol::observed::STEP_META_KEY;
use serde_json::{Value, json};

use super::Shared;

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
    /// Numbers its events, breaks off after the first, and goes on when asked for the rest.
    BreaksOff,
    /// The same, but it does not go on.
    BreaksOffForGood,
    AnswersAnother,
    /// The same, in one JSON body.
    AnswersAnotherAtOnce,
    /// An error that does not say to what.
    ErrsAtNobody,
    TooMany,
    Forbids,
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/mcp", post(mcp_post).get(mcp_get).delete(mcp_other))
        .route("/.well-known/oauth-protected-resource/mcp", get(resource))
        .with_state(shared)
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

async fn mcp_other() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response()
}

async fn mcp_get(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let how = shared.script.lock().unwrap().mcp;
    match (last, how) {
        (Some(last), Mcp::BreaksOff) => {
            shared.saw(format!("the rest after {last}"));
            let id = shared.broken_off.lock().unwrap().clone();
            let result = json!({"jsonrpc": "2.0", "id": id, "result": {
                "content": [{"type": "text", "text": "it is done"}], "isError": false,
            }});
            let events = format!("id: 2\nevent: message\ndata: {result}\n\n");
            ([(header::CONTENT_TYPE, "text/event-stream")], events).into_response()
        }
        (Some(_), _) => StatusCode::NOT_FOUND.into_response(),
        (None, _) => mcp_other().await,
    }
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
    let (behaviour, falls_silent) = {
        let mut script = shared.script.lock().unwrap();
        let asks = script.asks_at.is_none_or(|asked| asked == method);
        let mut good = script.open || !asks || shared.access.lock().unwrap().contains(&bearer);
        if good && script.refuse_tokens > 0 && method == "tools/call" {
            script.refuse_tokens -= 1;
            good = false;
        }
        let mut behaviour = script.mcp;
        if good && script.by_turns > 0 && method == "tools/call" {
            good = script.by_turns % 2 == 1;
            behaviour = Mcp::NeedsScope;
            script.by_turns -= 1;
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
        (behaviour, script.falls_silent)
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
        "notifications/initialized" if falls_silent => {
            shared.fell_silent.notify_one();
            std::future::pending().await
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
        Mcp::BreaksOff | Mcp::BreaksOffForGood => {
            *shared.broken_off.lock().unwrap() = id.clone();
            let words = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
                "progressToken": message["params"]["_meta"]["progressToken"],
                "progress": 1, "message": "half way",
            }});
            let event = format!("id: 1\nevent: message\ndata: {words}\n\n");
            (event_type, broken(event)).into_response()
        }
        Mcp::AnswersAnother => {
            let mut other = result("for somebody else", false);
            other["id"] = json!(4711);
            (event_type, format!("data: {other}\n\n")).into_response()
        }
        Mcp::AnswersAnotherAtOnce => {
            let mut other = result("for somebody else", false);
            other["id"] = json!(4711);
            Json(other).into_response()
        }
        Mcp::ErrsAtNobody => {
            let error = json!({"code": -32700, "message": "cannot read that"});
            Json(json!({"jsonrpc": "2.0", "id": null, "error": error})).into_response()
        }
        Mcp::TooMany => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]).into_response(),
        Mcp::Forbids => (StatusCode::FORBIDDEN, "not from there").into_response(),
        Mcp::ToolFails => Json(result("refused by policy", true)).into_response(),
        Mcp::EchoToken => Json(result(&format!("you sent {bearer}"), false)).into_response(),
    }
}

/// A body that breaks off.
fn broken(text: impl Into<String>) -> Body {
    let parts = [
        Ok(Bytes::from(text.into())),
        Err(std::io::Error::other("cut")),
    ];
    // The server writes a part only when the next one is not there yet.
    Body::from_stream(futures::stream::iter(parts).then(|part| async move {
        tokio::task::yield_now().await;
        part
    }))
}
