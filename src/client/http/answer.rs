//! Answers, whole or as they come, and the hop that each request is until its answer is told.

use futures::{Stream, StreamExt as _};
use http::{HeaderMap, StatusCode, header};

use super::{ANSWER_WITHIN, HttpError, HttpErrorKind, TracedHttp};
use crate::{
    client::mask::essence,
    protocol::{observed::CallId, traceparent::SpanId},
    support::{cause::innermost, clock::Stopwatch},
    trace::{
        Actor, Fact,
        event::{Body, Leg},
        sink::Report,
    },
};

/// The head of an answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    hop: Hop,
    response: reqwest::Response,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Where it came from, masked.
    pub url: String,
}

impl Answer {
    /// The media type, without parameters.
    #[must_use]
    pub fn media_type(&self) -> String {
        essence(&content_type(&self.headers))
    }
}

impl Reply {
    pub(super) fn new(hop: Hop, response: reqwest::Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            hop,
            response,
        }
    }

    /// The media type, without parameters.
    #[must_use]
    pub fn media_type(&self) -> String {
        essence(&content_type(&self.headers))
    }

    /// Reads all of the answer, which completes the hop.
    ///
    /// # Errors
    /// If it ends too early or is longer than `limit`.
    pub async fn read(self, limit: usize) -> Result<Answer, HttpError> {
        let Self {
            status,
            headers,
            hop,
            response,
        } = self;
        let media_type = content_type(&headers);
        let announced = response.content_length();
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(hop.too_large(limit));
        }
        let mut body = Vec::new();
        let mut stream = std::pin::pin!(response.bytes_stream());
        // Each piece of a whole answer follows at once, however long the answer took to begin.
        while let Some(chunk) = match tokio::time::timeout(ANSWER_WITHIN, stream.next()).await {
            Ok(chunk) => chunk,
            Err(_) => {
                return Err(hop.fail(
                    "the answer stopped halfway".to_owned(),
                    HttpErrorKind::TimedOut,
                ));
            }
        } {
            match chunk {
                Ok(chunk) if chunk.len() > limit - body.len() => return Err(hop.too_large(limit)),
                Ok(chunk) => body.extend_from_slice(&chunk),
                Err(error) => {
                    let (why, kind) = explain(&error);
                    return Err(hop.fail(why, kind));
                }
            }
        }
        let shown = hop.http.0.masker.body(&media_type, &body, hop.leg);
        let url = hop.url.clone();
        hop.returned(status, &headers, shown);
        Ok(Answer {
            status,
            headers,
            body,
            url,
        })
    }

    /// Hands out the body as it comes; the hop is for the caller to complete.
    pub fn stream(
        self,
    ) -> (
        Hop,
        StatusCode,
        HeaderMap,
        impl Stream<Item = Result<Chunk, HttpError>> + Send + 'static,
    ) {
        let url = self.hop.url.clone();
        let stream = self.response.bytes_stream().map(move |chunk| {
            chunk.map_err(|error| {
                let (why, kind) = explain(&error);
                HttpError {
                    why,
                    kind,
                    url: url.clone(),
                }
            })
        });
        (self.hop, self.status, self.headers, stream)
    }
}

/// A piece of a body.
pub type Chunk = axum::body::Bytes;

/// A request under way. One that is dropped before it is completed was called off, and the trace
/// says so.
#[derive(Debug)]
pub struct Hop {
    http: TracedHttp,
    url: String,
    span: SpanId,
    call: Option<CallId>,
    to: Actor,
    leg: Leg,
    watch: Stopwatch,
    open: bool,
}

impl Hop {
    pub(super) fn begun(
        http: TracedHttp,
        url: String,
        span: SpanId,
        call: Option<CallId>,
        to: Actor,
        leg: Leg,
    ) -> Self {
        Self {
            http,
            url,
            span,
            call,
            to,
            leg,
            watch: Stopwatch::start(),
            open: true,
        }
    }

    /// What the request is for.
    #[must_use]
    pub const fn leg(&self) -> Leg {
        self.leg
    }

    /// The tool call that the request belongs to.
    #[must_use]
    pub const fn call(&self) -> Option<CallId> {
        self.call
    }

    /// The answer came.
    pub fn returned(mut self, status: StatusCode, headers: &HeaderMap, body: Option<Body>) {
        self.open = false;
        self.tell(Fact::HopReturned {
            status: status.as_u16(),
            headers: self.http.0.masker.headers(headers),
            body,
            duration_us: self.watch.micros(),
        });
    }

    /// No answer came.
    #[must_use]
    pub fn fail(mut self, why: impl Into<String>, kind: HttpErrorKind) -> HttpError {
        self.open = false;
        let why = self.http.clean(&why.into());
        self.tell(Fact::HopFailed {
            why: why.clone(),
            duration_us: self.watch.micros(),
        });
        HttpError {
            why,
            kind,
            url: self.url.clone(),
        }
    }

    fn too_large(self, limit: usize) -> HttpError {
        self.fail(
            format!("the answer is longer than {limit} bytes"),
            HttpErrorKind::TooLarge,
        )
    }

    fn tell(&self, fact: Fact) {
        self.http
            .0
            .sink
            .report(Report::new(self.to, fact).on(self.span).in_call(self.call));
    }
}

impl Drop for Hop {
    fn drop(&mut self) {
        if self.open {
            self.tell(Fact::HopFailed {
                why: "called off before the answer came".to_owned(),
                duration_us: self.watch.micros(),
            });
        }
    }
}

pub(crate) fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

/// What rustls says of an answer that is none of TLS: of plain HTTP, nearly always.
const NO_TLS: &str = "InvalidContentType";

/// Why a request failed, and in which way.
pub(super) fn explain(error: &reqwest::Error) -> (String, HttpErrorKind) {
    let why = innermost(error).unwrap_or_else(|| "the request failed".to_owned());
    if error.is_timeout() {
        ("no answer in time".to_owned(), HttpErrorKind::TimedOut)
    } else if error.is_connect() && why.contains(NO_TLS) {
        ("it does not speak TLS".to_owned(), HttpErrorKind::NoTls)
    } else if error.is_connect() {
        (why, HttpErrorKind::Unreachable)
    } else {
        (why, HttpErrorKind::Broken)
    }
}
