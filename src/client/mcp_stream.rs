//! The event stream that answers an MCP request: recorded, bounded, and never without an end.
//!
//! rmcp waits for an answer for ever when a stream breaks off or says something that is no
//! JSON-RPC; here such a stream ends with an error for the request that it was to answer, unless
//! the server numbers its events: then rmcp asks for the rest, and that is followed here too.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use rmcp::{
    model::{ErrorData, RequestId, ServerJsonRpcMessage},
    transport::streamable_http_client::SseError,
};
use serde_json::Value;
use sse_stream::{Sse, SseStream};

use super::{
    http::{Chunk, Hop, HttpError, HttpErrorKind, Reply},
    mask::{BODY_LIMIT, cut},
    mcp_wire::{McpWire, Remedy},
    progress,
};
use crate::{
    protocol::{observed::CallId, traceparent::SpanId},
    support::error::{Exit, Failure},
};

const PROGRESS: &str = "notifications/progress";

/// What was asked, as far as the trace must know.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub id: Option<String>,
    pub rpc_id: Option<RequestId>,
    pub call: Option<CallId>,
    pub span: Option<SpanId>,
    /// The progress token, for progress that comes by another way.
    pub token: Option<Value>,
}

/// Parsed server-sent events.
pub(super) type Events = stream::BoxStream<'static, Result<Sse, SseError>>;

/// The stream that answers one POST, or what is left of it `after` the event of that number.
pub fn answer(
    wire: McpWire,
    reply: Reply,
    question: Question,
    after: Option<String>,
    max_event: usize,
) -> impl Stream<Item = Result<Sse, SseError>> + Send + 'static {
    let (hop, status, headers, bytes) = reply.stream();
    let state = Answering {
        events: events(bytes, max_event),
        record: Some(Record {
            hop,
            status,
            headers,
            text: String::new(),
            bytes: 0,
        }),
        wire,
        question,
        end: End::Open,
        progress: Progress::None,
        last_event: after,
    };
    stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Some((event, state))
    })
}

/// The end of an answer that broke off and that nobody goes on with.
pub fn not_taken_up(
    wire: McpWire,
    question: Question,
    why: String,
) -> impl Stream<Item = Result<Sse, SseError>> + Send + 'static {
    stream::once(async move { Ok(tell_failure(&wire, &question, Exit::Unreachable, why)) })
}

/// A session's standing stream; what comes there answers no request.
pub fn standing(
    wire: McpWire,
    reply: Reply,
    max_event: usize,
) -> impl Stream<Item = Result<Sse, SseError>> + Send + 'static {
    let (hop, status, headers, bytes) = reply.stream();
    // It stays open for as long as the session: as a hop it is complete now.
    hop.returned(status, &headers, None);
    events(bytes, max_event).inspect(move |event| {
        if let Ok(Sse {
            data: Some(data), ..
        }) = event
            && let Ok(message) = serde_json::from_str::<Value>(data)
        {
            tell_progress(&wire, None, &message);
        }
    })
}

/// Parses events, none longer than `max_event` bytes.
pub(super) fn events(
    bytes: impl Stream<Item = Result<Chunk, HttpError>> + Send + 'static,
    max_event: usize,
) -> Events {
    let pending = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&pending);
    let bounded = bytes.map(move |chunk| {
        let chunk = chunk?;
        let before = counter.fetch_add(chunk.len(), Ordering::Relaxed);
        if before.saturating_add(chunk.len()) > max_event {
            return Err(HttpError {
                why: format!("an event is longer than {max_event} bytes"),
                kind: HttpErrorKind::TooLarge,
                url: String::new(),
            });
        }
        Ok(chunk)
    });
    SseStream::from_bytes_stream(bounded)
        .inspect(move |_| pending.store(0, Ordering::Relaxed))
        .boxed()
}

/// Whether it is plainly a progress notification, the commonest message by far: trying all shapes
/// that a message may have takes longer than everything else that is done with it.
fn is_progress(message: &Value) -> bool {
    let text = |name| message.get(name).and_then(Value::as_str);
    let Some(params) = message.get("params") else {
        return false;
    };
    text("jsonrpc") == Some("2.0")
        && text("method") == Some(PROGRESS)
        && message.get("id").is_none()
        && params.get("progress").is_some_and(Value::is_number)
        && params
            .get("progressToken")
            .is_some_and(|token| token.is_string() || token.is_i64())
        && ["total", "message", "_meta"]
            .iter()
            .all(|name| match params.get(*name) {
                None => true,
                Some(value) => match *name {
                    "total" => value.is_number(),
                    "message" => value.is_string(),
                    _ => value.is_object(),
                },
            })
}

fn tell_progress(wire: &McpWire, call: Option<CallId>, message: &Value) {
    if message.get("method").and_then(Value::as_str) != Some(PROGRESS) {
        return;
    }
    let Some(params) = message.get("params") else {
        return;
    };
    let call = call.or_else(|| {
        params
            .get("progressToken")
            .and_then(|token| wire.call_of(token))
    });
    progress::report(wire.http(), call, params);
}

struct Answering {
    events: Events,
    record: Option<Record>,
    wire: McpWire,
    question: Question,
    end: End,
    progress: Progress,
    /// The server's number of the last event, after which rmcp can ask for the rest.
    last_event: Option<String>,
}

/// Whether anything came: a server that only ever breaks off is not asked again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    None,
    Some,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The answer is still to come.
    Open,
    /// It came; what is left is read so that the connection can be used again.
    Answered,
    /// It will not come this way, and rmcp has been told.
    Broken,
}

struct Record {
    hop: Hop,
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    bytes: usize,
}

impl Record {
    fn complete(self) {
        let body = cut("text/event-stream".to_owned(), self.text, self.bytes);
        self.hop.returned(self.status, &self.headers, Some(body));
    }
}

impl Answering {
    async fn next(&mut self) -> Option<Result<Sse, SseError>> {
        if self.end == End::Broken {
            return None;
        }
        match self.events.next().await {
            Some(Ok(event)) => Some(Ok(self.judge(event))),
            Some(Err(error)) => {
                if self.end == End::Answered {
                    return None;
                }
                let why = broken(&error);
                if is_cut(&error) && self.progress == Progress::Some && self.set_aside() {
                    // rmcp asks for the rest.
                    self.end = End::Broken;
                    if let Some(record) = self.record.take() {
                        let _ = record.hop.fail(why, HttpErrorKind::Broken);
                    }
                    return Some(Err(error));
                }
                Some(Ok(self.break_off(Exit::Unreachable, why)))
            }
            None if self.end == End::Open && !self.set_aside() => {
                let why = "it ended before the answer".to_owned();
                Some(Ok(self.break_off(Exit::Unreachable, why)))
            }
            None => {
                if let Some(record) = self.record.take() {
                    record.complete();
                }
                None
            }
        }
    }

    /// Keeps the question for whoever asks for the rest; false if the server does not number its
    /// events, and nobody can.
    fn set_aside(&self) -> bool {
        let Some(last) = &self.last_event else {
            return false;
        };
        self.wire.set_aside(last, self.question.clone());
        true
    }

    fn judge(&mut self, event: Sse) -> Sse {
        self.progress = Progress::Some;
        if let Some(id) = &event.id {
            self.last_event = Some(id.clone()).filter(|id| !id.is_empty());
        }
        let Some(data) = event.data.as_deref().filter(|data| !data.trim().is_empty()) else {
            return event;
        };
        if self.end != End::Open {
            return event;
        }
        let Ok(mut message) = serde_json::from_str::<Value>(data) else {
            return self.break_off(Exit::Failed, "an event is no JSON".to_owned());
        };
        self.keep(data, &mut message);
        if !is_progress(&message) && serde_json::from_str::<ServerJsonRpcMessage>(data).is_err() {
            return self.break_off(Exit::Failed, "an event is no JSON-RPC message".to_owned());
        }
        tell_progress(&self.wire, self.question.call, &message);
        let is_answer = message.get("method").is_none()
            && (message.get("result").is_some() || message.get("error").is_some());
        if is_answer && !self.is_ours(&message) {
            return self.break_off(Exit::Failed, "it answers another request".to_owned());
        }
        if is_answer {
            self.end = End::Answered;
            self.wire.finish(self.question.token.as_ref());
            if let Some(record) = self.record.take() {
                record.complete();
            }
        }
        event
    }

    /// An error may come without an id, from a server that could not read it.
    fn is_ours(&self, message: &Value) -> bool {
        let asked = serde_json::to_value(&self.question.rpc_id).unwrap_or_default();
        match message.get("id") {
            None | Some(Value::Null) => message.get("error").is_some(),
            Some(id) => *id == asked,
        }
    }

    /// Keeps the event for the trace; masks the message.
    fn keep(&mut self, data: &str, message: &mut Value) {
        let Some(record) = &mut self.record else {
            return;
        };
        record.bytes += data.len();
        // One byte over the limit is enough for the cut to be seen.
        if record.text.len() <= BODY_LIMIT {
            let masker = self.wire.http().masker();
            let shown = masker.parsed(data, message, record.hop.leg());
            if !record.text.is_empty() {
                record.text.push('\n');
            }
            record.text.push_str(&shown);
        }
    }

    /// Ends the hop and the stream: it was cut, or what came is no answer.
    fn break_off(&mut self, exit: Exit, why: String) -> Sse {
        self.end = End::Broken;
        self.wire.finish(self.question.token.as_ref());
        let error = self
            .record
            .take()
            .map(|record| record.hop.fail(why.clone(), HttpErrorKind::Broken));
        let why = match error {
            Some(HttpError { url, why, .. }) => format!("{url}: {why}"),
            None => why,
        };
        tell_failure(&self.wire, &self.question, exit, why)
    }
}

/// Keeps the failure, and makes the error that rmcp hands to the caller.
fn tell_failure(wire: &McpWire, question: &Question, exit: Exit, why: String) -> Sse {
    let failure = Failure::new(
        exit,
        "The server's answer broke off",
        why,
        "try again; the server's log may say more",
    );
    let told = ServerJsonRpcMessage::error(
        ErrorData::internal_error(failure.what.clone(), None),
        question.rpc_id.clone(),
    );
    wire.note(question.id.as_deref(), failure, Remedy::None);
    Sse::default().data(serde_json::to_string(&told).unwrap_or_default())
}

/// Whether the connection ended before its time, so that what is missing may still come.
fn is_cut(error: &SseError) -> bool {
    let SseError::Body(cause) = error else {
        return false;
    };
    cause
        .downcast_ref::<HttpError>()
        .is_none_or(|error| error.kind != HttpErrorKind::TooLarge)
}

/// Why a feed came to its end: of one that broke off, what the parser last waited for says nothing.
pub(super) fn cut_off(error: &SseError) -> String {
    if is_cut(error) {
        "the connection broke off".to_owned()
    } else {
        broken(error)
    }
}

fn broken(error: &SseError) -> String {
    match error {
        SseError::Body(cause) => cause.to_string(),
        other => format!("its event stream cannot be read ({other})"),
    }
}
