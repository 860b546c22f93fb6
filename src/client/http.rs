//! The one seam through which every request of the client goes, and where it becomes a hop.
//!
//! No other module may send: what is not seen here is not in the trace. Follows no redirects,
//! connects only where [`UrlPolicy`] permits, and reads no more than it was told.

mod answer;

pub use self::answer::{Answer, Chunk, Hop, Reply};

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{HeaderMap, Method, header};
use parking_lot::Mutex;
use url::Url;

pub(crate) use self::answer::content_type;
use self::answer::explain;
use super::{
    mask::Masker,
    url_policy::{UrlFault, UrlPolicy, refused},
};
use crate::{
    protocol::{
        observed::CallId,
        traceparent::{SpanId, TraceParent},
    },
    support::{
        error::{Exit, Failure},
        ids::Ids,
        loopback::is_loopback,
        text::one_line,
    },
    trace::{
        Actor, Fact,
        event::Leg,
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
            .entry(url.origin().ascii_serialization())
            .or_insert(actor);
    }

    /// Who answers at the URL's origin.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<Actor> {
        self.0
            .lock()
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
    /// Somebody answered in another way than https has it.
    NoTls,
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
            HttpErrorKind::NoTls => Failure::new(
                Exit::Unreachable,
                what,
                format!("{}: {}", self.url, self.why),
                if Url::parse(&self.url).is_ok_and(|url| is_loopback(&url)) {
                    "name it with http:// instead of https://"
                } else {
                    "check the address and its port; http:// is for servers on this computer alone"
                },
            ),
            HttpErrorKind::Broken => Failure::new(
                Exit::Unreachable,
                what,
                format!("{}: {}", self.url, self.why),
                "try again; if it stays so, see that this address is an HTTP server's, and look at its log",
            ),
            HttpErrorKind::TooLarge => Failure::new(
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

    /// [`Self::report`], of something that happened at this place of a call's trace.
    pub fn report_at(&self, actor: Actor, at: Option<TraceParent>, fact: Fact) {
        let mut report = Report::new(actor, fact);
        if let Some(at) = at {
            report = report.on(at.span).in_call(Some(at.trace));
        }
        self.0.sink.report(report);
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
        let hop = Hop::begun(self.clone(), shown, span, call, to, leg);
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
            Ok(response) => Ok(Reply::new(hop, response)),
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
