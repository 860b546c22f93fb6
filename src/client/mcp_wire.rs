//! rmcp's Streamable HTTP requests, put through the traced seam: bearer tokens, one renewal, one
//! clear failure for every way in which an answer can be wrong.
//!
//! What goes wrong is kept under the request's JSON-RPC id as [`Trouble`], because rmcp's errors
//! do not carry what a person needs.

mod judge;
mod transport;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::BoxStream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use parking_lot::Mutex;
use rmcp::{
    model::{ClientJsonRpcMessage, ClientRequest, ServerJsonRpcMessage},
    transport::streamable_http_client::{
        SseError, StreamableHttpError, StreamableHttpPostResponse, StreamableHttpResponseLimits,
    },
};
use serde_json::Value;
use sse_stream::Sse;
use tokio::sync::watch;
use url::Url;

use self::judge::{challenge_of, not_mcp};
use super::{
    http::{Answer, HttpError, Outgoing, Patience, Reply, TracedHttp},
    mcp_stream::{self, Question},
    store::Tokens,
};
use crate::{
    protocol::{
        observed::CallId,
        traceparent::{TRACEPARENT, TraceParent},
    },
    support::error::Failure,
    trace::event::Leg,
};

/// How long a request waits for the session's standing stream to open. rmcp does not wait, and a
/// server's request sent there at once would be lost (protocol facts, 1.5).
const STREAM_WITHIN: Duration = Duration::from_secs(1);

/// What went wrong with one request.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub failure: Failure,
    pub remedy: Remedy,
}

/// What may help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing that the client can do.
    None,
    /// Signing in; with the server's challenge.
    SignIn(Option<String>),
    /// Signing in for more (RFC 6750, 3.1: `insufficient_scope`); with the server's challenge.
    MoreScope(String),
}

/// An error of this layer, as rmcp passes it along.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WireError(String);

type WireResult<T> = Result<T, StreamableHttpError<WireError>>;

/// The seam for MCP requests. Cloning shares it.
#[derive(Debug, Clone)]
pub struct McpWire {
    http: TracedHttp,
    tokens: Tokens,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// By the request's id, in the order in which they came.
    troubles: Mutex<Vec<(String, Trouble)>>,
    /// Calls under way by their progress token, for progress that comes on the standing stream.
    calls: Mutex<HashMap<String, CallId>>,
    /// Requests whose answer broke off, by the number of the last event that came.
    broken_off: Mutex<HashMap<String, Question>>,
    /// True while the standing stream is being opened.
    opening: watch::Sender<bool>,
}

impl McpWire {
    /// The seam for one connection.
    #[must_use]
    pub fn new(http: TracedHttp, tokens: Tokens) -> Self {
        Self {
            http,
            tokens,
            shared: Arc::new(Shared {
                troubles: Mutex::default(),
                calls: Mutex::default(),
                broken_off: Mutex::default(),
                opening: watch::Sender::new(false),
            }),
        }
    }

    /// The HTTP seam.
    #[must_use]
    pub const fn http(&self) -> &TracedHttp {
        &self.http
    }

    /// What went wrong with the request of this id.
    #[must_use]
    pub fn take_trouble(&self, id: &str) -> Option<Trouble> {
        let mut troubles = self.shared.troubles.lock();
        let at = troubles.iter().position(|(of, _)| of == id)?;
        Some(troubles.remove(at).1)
    }

    /// What went wrong first while nothing but the connection itself was under way; the rest, which
    /// came of it, is forgotten.
    #[must_use]
    pub fn take_first_trouble(&self) -> Option<Trouble> {
        let troubles = std::mem::take(&mut *self.shared.troubles.lock());
        troubles.into_iter().next().map(|(_, trouble)| trouble)
    }

    /// Keeps what went wrong.
    pub fn note(&self, id: Option<&str>, failure: Failure, remedy: Remedy) {
        let (id, trouble) = (id.unwrap_or_default(), Trouble { failure, remedy });
        let mut troubles = self.shared.troubles.lock();
        match troubles.iter_mut().find(|(of, _)| of == id) {
            Some((_, kept)) => *kept = trouble,
            None => troubles.push((id.to_owned(), trouble)),
        }
    }

    /// The call that a progress token stands for.
    #[must_use]
    pub fn call_of(&self, token: &Value) -> Option<CallId> {
        self.shared.calls.lock().get(&token.to_string()).copied()
    }

    /// Forgets a call's progress token.
    pub fn finish(&self, token: Option<&Value>) {
        if let Some(token) = token {
            self.shared.calls.lock().remove(&token.to_string());
        }
    }

    /// Keeps a request whose answer broke off after the event of this number.
    pub fn set_aside(&self, event: &str, question: Question) {
        self.shared
            .broken_off
            .lock()
            .insert(event.to_owned(), question);
    }

    /// Forgets a request that came to its end.
    pub fn ended(&self, id: &str, token: &Value) {
        self.finish(Some(token));
        self.shared.troubles.lock().retain(|(of, _)| of != id);
        self.shared
            .broken_off
            .lock()
            .retain(|_, question| question.id.as_deref() != Some(id));
    }

    fn url(&self, uri: &str) -> WireResult<Url> {
        Url::parse(uri).map_err(|_| self.client_error("the server's address is no URL"))
    }

    fn client_error(&self, text: &str) -> StreamableHttpError<WireError> {
        StreamableHttpError::Client(WireError(self.http.clean(text)))
    }

    /// Keeps the failure and gives rmcp something to pass along.
    fn fail(
        &self,
        id: Option<&str>,
        failure: Failure,
        remedy: Remedy,
    ) -> StreamableHttpError<WireError> {
        let error = self.client_error(&failure.what);
        self.note(id, failure, remedy);
        error
    }

    fn http_fault(&self, id: Option<&str>, error: &HttpError) -> StreamableHttpError<WireError> {
        self.fail(
            id,
            error.failure("The MCP server did not answer"),
            Remedy::None,
        )
    }

    /// Sends with the token, and once more with a renewed one if the server refuses it.
    async fn send(
        &self,
        id: Option<&str>,
        make: impl Fn(Attempt) -> Outgoing,
    ) -> WireResult<Reply> {
        let bearer = self
            .tokens
            .bearer()
            .await
            .map_err(|failure| self.fail(id, failure, Remedy::SignIn(None)))?;
        let reply = self
            .http
            .send(authorized(make(Attempt::First), bearer.as_ref()))
            .await
            .map_err(|error| self.http_fault(id, &error))?;
        if reply.status == StatusCode::UNAUTHORIZED
            && let Some(rejected) = &bearer
        {
            let renewed = self.tokens.renew(rejected).await;
            match renewed {
                Ok(Some(fresh)) => {
                    self.drain(id, reply).await?;
                    let again = self
                        .http
                        .send(authorized(make(Attempt::Again), Some(&fresh)))
                        .await
                        .map_err(|error| self.http_fault(id, &error))?;
                    return self.judge_refusal(id, again, true).await;
                }
                Ok(None) => {}
                Err(failure) => {
                    let challenge = challenge_of(&reply.headers);
                    self.drain(id, reply).await?;
                    return Err(self.fail(id, failure, Remedy::SignIn(challenge)));
                }
            }
        }
        self.judge_refusal(id, reply, bearer.is_some()).await
    }

    async fn drain(&self, id: Option<&str>, reply: Reply) -> WireResult<Answer> {
        let limits = StreamableHttpResponseLimits::default();
        reply
            .read(limits.max_error_response_size)
            .await
            .map_err(|error| self.http_fault(id, &error))
    }

    async fn post(
        &self,
        uri: &str,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        custom: HashMap<HeaderName, HeaderValue>,
        limits: StreamableHttpResponseLimits,
    ) -> WireResult<StreamableHttpPostResponse> {
        let url = self.url(uri)?;
        let question = self.question(&message);
        let id = question.id.clone();
        let id = id.as_deref();
        if session.is_some() {
            self.await_stream(&message).await;
        }
        let body = serde_json::to_vec(&message)?;
        let reply = self
            .send(id, |attempt| {
                let mut outgoing = Outgoing::new(Method::POST, url.clone(), Leg::Mcp)
                    .header(header::ACCEPT, "application/json, text/event-stream")
                    .body("application/json", body.clone());
                with_session(&mut outgoing.headers, session.as_deref(), &custom);
                outgoing.call = question.call;
                outgoing.span = match attempt {
                    Attempt::First => question.span,
                    // Two requests are two hops.
                    Attempt::Again => None,
                };
                outgoing.patience = patience_for(&message);
                outgoing
            })
            .await?;
        let status = reply.status;
        let new_session = text(&reply.headers, "mcp-session-id");
        let is_request = id.is_some();
        if status == StatusCode::NOT_FOUND && session.is_some() {
            self.drain(id, reply).await?;
            return Err(StreamableHttpError::SessionExpired);
        }
        if !is_request && status.is_success() {
            reply
                .read(limits.max_json_response_size)
                .await
                .map_err(|error| self.http_fault(id, &error))?;
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if !status.is_success() {
            let answer = reply
                .read(limits.max_json_response_size)
                .await
                .map_err(|error| self.http_fault(id, &error))?;
            return self.judge_error(id, &message, &answer);
        }
        if reply.media_type() == "text/event-stream" {
            let stream = mcp_stream::answer(
                self.clone(),
                reply,
                question,
                None,
                limits.max_sse_event_size,
            );
            return Ok(StreamableHttpPostResponse::Sse(stream.boxed(), new_session));
        }
        let answer = reply
            .read(limits.max_json_response_size)
            .await
            .map_err(|error| self.http_fault(id, &error))?;
        self.finish(question.token.as_ref());
        match serde_json::from_slice::<ServerJsonRpcMessage>(&answer.body) {
            Ok(answered) => match judge::as_answer_to(answered, question.rpc_id.as_ref()) {
                Some(answered) => Ok(StreamableHttpPostResponse::Json(answered, new_session)),
                // rmcp would pass it by and wait.
                None => Err(self.fail(id, judge::answers_another(&answer), Remedy::None)),
            },
            Err(_) => Err(self.fail(id, not_mcp(&answer), Remedy::None)),
        }
    }

    /// What the trace must know of a message.
    fn question(&self, message: &ClientJsonRpcMessage) -> Question {
        let ClientJsonRpcMessage::Request(request) = message else {
            return Question::default();
        };
        let value = serde_json::to_value(&request.request).unwrap_or_default();
        let meta = |name: &str| {
            value
                .get("params")
                .and_then(|params| params.get("_meta"))
                .and_then(|meta| meta.get(name))
        };
        let parent = meta(TRACEPARENT)
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<TraceParent>().ok());
        let token = meta("progressToken").cloned();
        if let (Some(parent), Some(token)) = (parent, &token) {
            self.shared
                .calls
                .lock()
                .insert(token.to_string(), parent.trace);
        }
        Question {
            id: Some(request.id.to_string()),
            rpc_id: Some(request.id.clone()),
            call: parent.map(|parent| parent.trace),
            span: parent.map(|parent| parent.span),
            token,
        }
    }

    /// Holds requests back until the session's standing stream is open.
    async fn await_stream(&self, message: &ClientJsonRpcMessage) {
        match message {
            ClientJsonRpcMessage::Notification(_) => {
                // The next thing that rmcp does after `initialized` is to open the stream.
                self.shared.opening.send_if_modified(|opening| {
                    let first = !*opening && is_initialized(message);
                    *opening |= first;
                    first
                });
            }
            ClientJsonRpcMessage::Request(_) => {
                let mut opening = self.shared.opening.subscribe();
                let opened = opening.wait_for(|opening| !opening);
                if tokio::time::timeout(STREAM_WITHIN, opened).await.is_err() {
                    // Late is no failure: the request goes out, and those after it do not wait.
                    self.shared.opening.send_replace(false);
                }
            }
            ClientJsonRpcMessage::Response(_) | ClientJsonRpcMessage::Error(_) => {}
        }
    }

    async fn listen(
        &self,
        uri: &str,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
        max_event: usize,
    ) -> WireResult<BoxStream<'static, Result<Sse, SseError>>> {
        let url = self.url(uri)?;
        // What is asked for again belongs to the request whose answer broke off.
        let resumed = last_event
            .as_ref()
            .and_then(|event| self.shared.broken_off.lock().get(event).cloned());
        let id = resumed.as_ref().and_then(|question| question.id.clone());
        let id = id.as_deref();
        let opened = self
            .send(id, |_| {
                let mut outgoing = Outgoing::new(Method::GET, url.clone(), Leg::Mcp)
                    .header(header::ACCEPT, "text/event-stream");
                outgoing.call = resumed.as_ref().and_then(|question| question.call);
                with_session(&mut outgoing.headers, session.as_deref(), &custom);
                if let Some(last) = last_event.as_deref() {
                    outgoing = outgoing.header(HeaderName::from_static("last-event-id"), last);
                }
                outgoing.patience = Patience::Unlimited;
                outgoing
            })
            .await;
        self.shared.opening.send_replace(false);
        let reply = opened?;
        if let Some(question) = resumed
            && !reply.status.is_server_error()
        {
            if reply.status.is_success() && reply.media_type() == "text/event-stream" {
                let rest = mcp_stream::answer(self.clone(), reply, question, last_event, max_event);
                return Ok(rest.boxed());
            }
            let why = format!("asked for the rest, the server answered {}", reply.status);
            self.drain(id, reply).await?;
            return Ok(mcp_stream::not_taken_up(self.clone(), question, why).boxed());
        }
        if reply.status == StatusCode::METHOD_NOT_ALLOWED {
            self.drain(None, reply).await?;
            return Err(StreamableHttpError::ServerDoesNotSupportSse);
        }
        if !reply.status.is_success() || reply.media_type() != "text/event-stream" {
            let kind = reply.media_type();
            self.drain(None, reply).await?;
            return Err(StreamableHttpError::UnexpectedContentType(Some(kind)));
        }
        Ok(mcp_stream::standing(self.clone(), reply, max_event).boxed())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Again,
}

fn authorized(outgoing: Outgoing, bearer: Option<&crate::protocol::secret::Secret>) -> Outgoing {
    match bearer {
        Some(token) => {
            outgoing.header(header::AUTHORIZATION, &format!("Bearer {}", token.expose()))
        }
        None => outgoing,
    }
}

fn with_session(
    headers: &mut HeaderMap,
    session: Option<&str>,
    custom: &HashMap<HeaderName, HeaderValue>,
) {
    for (name, value) in custom {
        headers.insert(name.clone(), value.clone());
    }
    if let Some(session) = session.and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(HeaderName::from_static("mcp-session-id"), session);
    }
}

/// Only a tool may take its time: who calls it can call it off.
const fn patience_for(message: &ClientJsonRpcMessage) -> Patience {
    match message {
        ClientJsonRpcMessage::Request(request)
            if matches!(request.request, ClientRequest::CallToolRequest(_)) =>
        {
            Patience::Unlimited
        }
        ClientJsonRpcMessage::Request(_)
        | ClientJsonRpcMessage::Notification(_)
        | ClientJsonRpcMessage::Response(_)
        | ClientJsonRpcMessage::Error(_) => Patience::Answer,
    }
}

fn is_initialized(message: &ClientJsonRpcMessage) -> bool {
    matches!(
        message,
        ClientJsonRpcMessage::Notification(one)
            if matches!(
                one.notification,
                rmcp::model::ClientNotification::InitializedNotification(_)
            )
    )
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}
