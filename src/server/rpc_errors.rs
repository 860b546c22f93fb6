//! What the transport refuses in plain text, as a JSON-RPC error: a client of MCP has no use for
//! another kind. Statuses and texts as the workshop's server has them (facts/wire.md, 6).
//!
//! Must sit right around the transport: the check of callers has answers of its own.

use axum::{
    Json,
    body::{Body, to_bytes},
    http::{Response, StatusCode, header},
    response::IntoResponse as _,
};
use rmcp::model::ProtocolVersion;
use serde_json::json;

use crate::support::text::one_line;

/// The transport's own texts are a line.
const LONGEST: usize = 4 << 10;

/// JSON-RPC 2.0, section 5.1.
const PARSE_ERROR: i32 = -32_700;
/// What the MCP SDKs use for a refusal of the transport.
const REFUSED: i32 = -32_000;

/// Rewrites an answer that refuses without a JSON body; lets all others through.
pub(super) async fn told(answer: Response<Body>) -> Response<Body> {
    let status = answer.status();
    if !(status.is_client_error() || status.is_server_error()) || is_json(&answer) {
        return answer;
    }
    let text = match to_bytes(answer.into_body(), LONGEST).await {
        Ok(bytes) => one_line(&String::from_utf8_lossy(&bytes)),
        Err(error) => {
            tracing::warn!(%error, "the transport's refusal could not be read");
            "Internal server error".to_owned()
        }
    };
    let (status, code, message) = worded(status, text);
    let body = json!({
        "jsonrpc": "2.0",
        "error": {"code": code, "message": message},
        "id": null
    });
    (status, Json(body)).into_response()
}

fn worded(status: StatusCode, text: String) -> (StatusCode, i32, String) {
    if let Some(why) = text.strip_prefix("fail to deserialize request body ") {
        // rmcp says 415 here, as if the media type were wrong.
        let message = format!("Parse error: the body is no JSON-RPC message: {why}");
        return (StatusCode::BAD_REQUEST, PARSE_ERROR, message);
    }
    if text.contains("Unsupported MCP-Protocol-Version") {
        let known: Vec<_> = ProtocolVersion::KNOWN_VERSIONS
            .iter()
            .rev()
            .map(ProtocolVersion::as_str)
            .collect();
        let message = format!("{text} (supported versions: {})", known.join(", "));
        return (status, REFUSED, message);
    }
    (status, REFUSED, text)
}

fn is_json(answer: &Response<Body>) -> bool {
    answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
