//! The one seam through which every request of the client goes, and where it becomes a hop.
//!
//! No other module may send: what is not seen here is not in the trace. Follows no redirects,
//! connects only where [`UrlPolicy`] permits, and reads no more than it was told.

use std::{
    collections::BTreeMap,
    error::Error as _,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt as _};
use http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use super::{
    mask::{Masker, essence},
    url_policy::{UrlFault, UrlPolicy, refused},
};
use crate::{
    protocol::{observed::CallId, traceparent::SpanId},
    support::{
        clock::Stopwatch,
        error::{Exit, Failure},
        ids::Ids,
        text::one_line,
    },
    trace::{
        Actor, Fact,
        event::{Body, Leg},
        sink::{Report, SharedSink},
    },
};

/// The longest answer that is read as a whole, in bytes (rmcp's own limit for JSON answers).
pub const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
/// The longest document of a sign-in: metadata, registration, token.
pub const DOCUMENT_LIMIT: usize = 1024 * 1024;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Who answers at which origin, learned as discovery goes. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct ActorMap(Arc<Mutex<BTreeMap<String, Actor>>>);

impl ActorMap {
    /// Takes note that `actor` answers at the URL's origin; the first to be learned stays.
    pub fn learn(&self, url: &Url, actor: Actor) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(url.origin().ascii_serialization())
            .or_insert(actor);
    }

    /// Who answers at the URL's origin.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<Actor> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&url.origin().ascii_serialization())
            .copied()
    }
}

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Half a minute for all of it.
    Answer,
    /// However long it takes; the caller has a way to call it off.
    Unlimited,
}

/// A request that is to be sent.
#[derive(Debug)]
pub struct Outgoing {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub leg: Leg,
    pub call: Option<CallId>,
    /// The hop's name if the request carries it inside; otherwise a new one is made.
    pub span: Option<SpanId>,
    pub patience: Patience,
    /// Who sends: the client, or the person whose browser the robot plays.
    pub from: Actor,
}

impl Outgoing {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url, leg: Leg) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            leg,
            call: None,
            span: None,
            patience: Patience::Answer,
            from: Actor::Client,
        }
    }

    /// Adds a header; a value that cannot be one is left out, for the server to complain of.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = http::HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds a body and its type.
    #[must_use]
    pub fn body(self, content_type: &str, body: Vec<u8>) -> Self {
        let mut with_type = self.header(header::CONTENT_TYPE, content_type);
        with_type.body = body;
        with_type
    }
}

/// Why no answer came.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub struct HttpError {
    /// In plain words, without secrets.
    pub why: String,
    pub kind: HttpErrorKind,
    /// Where the request was for, masked.
    pub url: String,
}

/// What kind of failure to answer it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// The URL may not be called.
    Forbidden(UrlFault),
    /// Nobody answered.
    Unreachable,
    /// The answer ended too early or was no HTTP.
    Broken,
    /// The answer was longer than permitted.
    TooLarge,
    /// No answer in time.
    TimedOut,
}

impl HttpError {
    /// The failure that a person sees; `what` names what did not work.
    #[must_use]
    pub fn failure(&self, what: &str) -> Failure {
        match &self.kind {
            HttpErrorKind::Forbidden(fault) => refused("address", &self.url, fault),
            HttpErrorKind::Unreachable | HttpErrorKind::TimedOut => Failure::new(
                Exit::Unreachable,
                what,
                format!("{}: {}", self.url, self.why),
                "check that the server runs and that the address is right",
            ),
            HttpErrorKind::Broken | HttpErrorKind::TooLarge => Failure::new(
                Exit::Failed,
                what,
                format!("{}: {}", self.url, self.why),
                "look at the hop to see what came; the server's log may say more",
            ),
        }
    }
}

/// The seam. Cloning shares it.
#[derive(Debug, Clone)]
pub struct TracedHttp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    plain: reqwest::Client,
    /// Made at the first https request: reading the system's certificates takes longer than a
    /// whole call to the lab.
    secure: OnceLock<Result<reqwest::Client, String>>,
    sink: SharedSink,
    ids: Ids,
    masker: Masker,
    policy: UrlPolicy,
    actors: ActorMap,
}

impl TracedHttp {
    /// The seam for one run.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub fn new(
        policy: UrlPolicy,
        sink: SharedSink,
        ids: Ids,
        actors: ActorMap,
    ) -> Result<Self, Failure> {
        let plain = builder(&policy)
            .tls_certs_only(std::iter::empty())
            .build()
            .map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    "The HTTP client could not be made",
                    error.to_string(),
                    "this is a fault of hoptrail; please report it",
                )
            })?;
        Ok(Self(Arc::new(Inner {
            plain,
            secure: OnceLock::new(),
            sink,
            ids,
            masker: Masker::default(),
            policy,
            actors,
        })))
    }

    /// Where facts go.
    #[must_use]
    pub fn sink(&self) -> &SharedSink {
        &self.0.sink
    }

    /// What hides secrets.
    #[must_use]
    pub fn masker(&self) -> &Masker {
        &self.0.masker
    }

    /// The rule for URLs.
    #[must_use]
    pub fn policy(&self) -> &UrlPolicy {
        &self.0.policy
    }

    /// Who answers where.
    #[must_use]
    pub fn actors(&self) -> &ActorMap {
        &self.0.actors
    }

    /// Text from outside made fit for a [`Failure`] or a fact: no secret, no control characters.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        one_line(&self.0.masker.text(text))
    }

    /// Reports a fact.
    pub fn report(&self, actor: Actor, fact: Fact) {
        self.0.sink.report(Report::new(actor, fact));
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// If the URL is forbidden or no answer came. Both are hops in the trace.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Reply, HttpError> {
        let Outgoing {
            method,
            url,
            mut headers,
            body,
            leg,
            call,
            span,
            patience,
            from,
        } = outgoing;
        let shown = self.0.masker.url(&url);
        let to = self.0.actors.of(&url).unwrap_or(match leg {
            Leg::Mcp => Actor::Server,
            Leg::Callback => Actor::Client,
            Leg::Discovery | Leg::Registration | Leg::Authorization | Leg::Token | Leg::Console => {
                Actor::Zone
            }
        });
        let span = span.unwrap_or_else(|| SpanId(self.0.ids.u64()));
        let media_type = content_type(&headers);
        headers
            .entry(header::ACCEPT)
            .or_insert(http::HeaderValue::from_static("application/json"));
        self.0.sink.report(
            Report::new(
                from,
                Fact::HopSent {
                    to,
                    leg,
                    method: method.to_string(),
                    url: shown.clone(),
                    headers: self.0.masker.headers(&headers),
                    body: self.0.masker.body(&media_type, &body, leg),
                },
            )
            .on(span)
            .in_call(call),
        );
        let hop = Hop {
            http: self.clone(),
            url: shown,
            span,
            call,
            to,
            leg,
            watch: Stopwatch::start(),
            open: true,
        };
        if let Err(fault) = self.0.policy.check_url(&url) {
            return Err(hop.fail(fault.to_string(), HttpErrorKind::Forbidden(fault)));
        }
        let client = match self.client(&url) {
            Ok(client) => client,
            Err(why) => return Err(hop.fail(why, HttpErrorKind::Unreachable)),
        };
        let mut request = client.request(method, url).headers(headers);
        if !body.is_empty() {
            request = request.body(body);
        }
        if patience == Patience::Answer {
            request = request.timeout(ANSWER_WITHIN);
        }
        match request.send().await {
            Ok(response) => Ok(Reply {
                status: response.status(),
                headers: response.headers().clone(),
                hop,
                response,
            }),
            Err(error) => {
                let (why, kind) = explain(&error);
                Err(hop.fail(why, kind))
            }
        }
    }

    /// Sends a request and reads all of the answer.
    ///
    /// # Errors
    /// As [`TracedHttp::send`] and [`Reply::read`].
    pub async fn exchange(&self, outgoing: Outgoing, limit: usize) -> Result<Answer, HttpError> {
        self.send(outgoing).await?.read(limit).await
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client, String> {
        if url.scheme() == "http" {
            return Ok(&self.0.plain);
        }
        self.0
            .secure
            .get_or_init(|| {
                builder(&self.0.policy)
                    .build()
                    .map_err(|error| one_line(&error.to_string()))
            })
            .as_ref()
            .map_err(Clone::clone)
    }
}

fn builder(policy: &UrlPolicy) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("hoptrail/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WITHIN)
        // A proxy would resolve names itself, out of the address filter's sight.
        .no_proxy()
        .dns_resolver(policy.addresses().clone())
        // No timer that wakes up a computer at rest; a closed connection is noticed anyway.
        .pool_idle_timeout(None)
        .tcp_nodelay(true)
}

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

fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

/// The innermost cause, which is the one that says something.
fn explain(error: &reqwest::Error) -> (String, HttpErrorKind) {
    let mut cause = error.source();
    let mut why = None;
    while let Some(inner) = cause {
        why = Some(one_line(&inner.to_string()));
        cause = inner.source();
    }
    let why = why.unwrap_or_else(|| "the request failed".to_owned());
    if error.is_timeout() {
        ("no answer in time".to_owned(), HttpErrorKind::TimedOut)
    } else if error.is_connect() {
        (why, HttpErrorKind::Unreachable)
    } else {
        (why, HttpErrorKind::Broken)
    }
}
