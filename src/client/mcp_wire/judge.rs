//! Answers that are refusals, errors or no MCP at all: which failure the person sees, and what may help.

use http::{HeaderMap, StatusCode, header};
use rmcp::{
    model::{ClientJsonRpcMessage, ClientRequest, ErrorData, RequestId, ServerJsonRpcMessage},
    transport::streamable_http_client::{
        AuthRequiredError, InsufficientScopeError, StreamableHttpError, StreamableHttpPostResponse,
    },
};

use super::{McpWire, Remedy, WireResult};
use crate::{
    client::http::{Answer, Reply},
    protocol::challenge::parameter,
    support::{
        error::{Exit, Failure, FailureKind},
        text::{number_of, one_line},
    },
};

impl McpWire {
    /// 401 and 403 with a challenge end here.
    pub(super) async fn judge_refusal(
        &self,
        id: Option<&str>,
        reply: Reply,
        had_token: bool,
    ) -> WireResult<Reply> {
        let challenge = challenge_of(&reply.headers);
        match (reply.status, challenge) {
            (StatusCode::UNAUTHORIZED, challenge) => {
                let answer = self.drain(id, reply).await?;
                let said = challenge
                    .as_deref()
                    .and_then(|text| parameter(text, "error_description"))
                    .map_or_else(String::new, |text| format!(": {}", self.http.clean(&text)));
                let failure = if had_token {
                    Failure::new(
                        Exit::Refused,
                        "The server does not take the token",
                        format!("{} answered 401{said}", answer.url),
                        "sign in again; if it is new, see which issuer and audience the server wants",
                    )
                } else {
                    Failure {
                        kind: Some(FailureKind::SignInRequired),
                        ..Failure::new(
                            Exit::Refused,
                            "The server asks for a sign-in",
                            format!("{} answered 401{said}", answer.url),
                            "sign in",
                        )
                    }
                };
                self.note(id, failure, Remedy::SignIn(challenge.clone()));
                Err(StreamableHttpError::AuthRequired(AuthRequiredError::new(
                    challenge.unwrap_or_default(),
                )))
            }
            (StatusCode::FORBIDDEN, Some(challenge))
                if parameter(&challenge, "error").as_deref() == Some("insufficient_scope") =>
            {
                let answer = self.drain(id, reply).await?;
                let scope = parameter(&challenge, "scope");
                let failure = Failure::new(
                    Exit::Refused,
                    "The token may not do that",
                    format!(
                        "{} asks for the scope {}",
                        answer.url,
                        self.http.clean(scope.as_deref().unwrap_or("(not named)"))
                    ),
                    "sign in again and grant it",
                );
                self.note(id, failure, Remedy::MoreScope(challenge.clone()));
                Err(StreamableHttpError::InsufficientScope(
                    InsufficientScopeError::new(challenge, scope),
                ))
            }
            (_, _) => Ok(reply),
        }
    }

    /// A whole answer that is an error, or no JSON-RPC.
    pub(super) fn judge_error(
        &self,
        id: Option<&str>,
        message: &ClientJsonRpcMessage,
        answer: &Answer,
    ) -> WireResult<StreamableHttpPostResponse> {
        if let Ok(ServerJsonRpcMessage::Error(mut error)) = serde_json::from_slice(&answer.body) {
            // A refusal from in front of the server cannot repeat the id; rmcp would drop it.
            if let ClientJsonRpcMessage::Request(request) = message {
                error.id = Some(request.id.clone());
            }
            return Ok(StreamableHttpPostResponse::Json(
                ServerJsonRpcMessage::Error(error),
                None,
            ));
        }
        if answer.status.is_client_error()
            && answer.status != StatusCode::FORBIDDEN
            && let ClientJsonRpcMessage::Request(request) = message
            && is_discover(message)
        {
            // A server that knows only `initialize` may refuse the probe in any words.
            return Ok(StreamableHttpPostResponse::Json(
                ServerJsonRpcMessage::error(
                    ErrorData::invalid_request("server/discover was refused", None),
                    Some(request.id.clone()),
                ),
                None,
            ));
        }
        Err(self.fail(id, not_mcp(answer), Remedy::None))
    }
}

/// The challenge that concerns us: a server may send several headers.
pub(super) fn challenge_of(headers: &HeaderMap) -> Option<String> {
    let all: Vec<&str> = headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    all.iter()
        .find(|text| text.contains("resource_metadata"))
        .or_else(|| {
            all.iter().find(|text| {
                text.get(..6)
                    .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
            })
        })
        .map(|text| (*text).to_owned())
}

/// A message, if it answers the request of this id. An error may come without one, from a server that
/// could not read it; rmcp would drop it so.
pub(super) fn as_answer_to(
    message: ServerJsonRpcMessage,
    asked: Option<&RequestId>,
) -> Option<ServerJsonRpcMessage> {
    match message {
        ServerJsonRpcMessage::Response(answer) => {
            (Some(&answer.id) == asked).then_some(ServerJsonRpcMessage::Response(answer))
        }
        ServerJsonRpcMessage::Error(mut error) => {
            error.id = error.id.or_else(|| asked.cloned());
            (error.id.as_ref() == asked).then_some(ServerJsonRpcMessage::Error(error))
        }
        ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => None,
    }
}

/// The failure for an answer to something else than was asked.
pub(super) fn answers_another(answer: &Answer) -> Failure {
    Failure::new(
        Exit::Failed,
        "The MCP server answers another request",
        format!(
            "{} answered with another id than it was asked with",
            answer.url
        ),
        "look at the server: an answer repeats the id of its request",
    )
}

/// The failure for an answer that is no JSON-RPC.
pub(super) fn not_mcp(answer: &Answer) -> Failure {
    let what = match answer.media_type().as_str() {
        _ if answer.body.is_empty() => "nothing".to_owned(),
        "text/html" => "a web page".to_owned(),
        "application/json" => "JSON that is no JSON-RPC message".to_owned(),
        "" => format!("{} bytes without a type", answer.body.len()),
        other => one_line(other),
    };
    if answer.status.is_server_error() {
        return Failure::new(
            Exit::Unreachable,
            "The MCP server failed",
            format!("{} answered {} with {what}", answer.url, answer.status),
            "try again; the server's log may say more",
        );
    }
    let refused = |what_happened: &str, next: String| {
        Failure::new(
            Exit::Failed,
            what_happened,
            format!("{} answered {} with {what}", answer.url, answer.status),
            next,
        )
    };
    match answer.status {
        StatusCode::FORBIDDEN => {
            let next =
                "ask who runs it: it, or something in front of it, does not let this client in";
            return refused("The MCP server refuses the request", next.to_owned());
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = answer.headers.get(header::RETRY_AFTER);
            let wait = wait.and_then(|wait| wait.to_str().ok()?.parse::<u32>().ok());
            let wait = wait.map_or("a little".to_owned(), |wait| number_of(wait, "second"));
            return refused(
                "The MCP server has too much to do",
                format!("wait {wait}, then try again"),
            );
        }
        _ => {}
    }
    Failure::new(
        Exit::Failed,
        "This is not how an MCP server answers",
        format!("{} answered {} with {what}", answer.url, answer.status),
        "check the address: it must be the MCP endpoint, often ending in /mcp",
    )
}

fn is_discover(message: &ClientJsonRpcMessage) -> bool {
    matches!(
        message,
        ClientJsonRpcMessage::Request(request)
            if matches!(request.request, ClientRequest::DiscoverRequest(_))
    )
}
