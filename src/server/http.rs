//! The one outgoing HTTP client: keep-alive, no redirects, bounded answers, everything in time.
//!
//! Must not interpret an answer: what a status means is known where the request is made.

mod sent;

use std::{error::Error, fmt, time::Duration};

use reqwest::{
    Client, RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use url::Url;

use self::sent::Sent;
use crate::{
    protocol::{
        secret::{Secret, scrub},
        traceparent::{TRACEPARENT, TraceParent},
    },
    support::{
        cause::without_number,
        error::{Exit, Failure},
        loopback::is_plain_loopback,
        text::{one_line, truncate},
    },
};

/// What the zone may answer with; its documents are small.
pub(super) const SMALL_BODY: usize = 256 << 10;
/// What a service may answer with: tickets of several megabytes are allowed for.
pub(super) const LARGE_BODY: usize = 32 << 20;

/// How much of a foreign answer an error message quotes.
const QUOTED: usize = 300;

/// Bytes of an answer that are looked through for a quotation.
const LONGEST_QUOTE: usize = 64 * 1024;

const USER_AGENT: &str = concat!("hoptrail/", env!("CARGO_PKG_VERSION"));

/// What is on this computer is asked directly: a proxy would be in the way, and would read the client's
/// secret on it. What is elsewhere is asked through `HTTPS_PROXY` and its kin, as the network around
/// may need them.
#[derive(Debug, Clone)]
pub(super) struct Http {
    near: Client,
    far: Option<Client>,
}

/// What has to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nothing but plain HTTP on this computer.
    Loopback,
    Network,
}

/// An answer, read to its end. The body may hold a credential and is zeroed when dropped.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Secret<Vec<u8>>,
    sent: Sent,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No connection, or it broke before an answer began.
    Unreachable(String),
    TimedOut(Duration),
    /// The answer began and did not end.
    CutOff(String),
    TooLarge(usize),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "no answer came: {why}"),
            Self::TimedOut(limit) => write!(f, "no answer came within {} s", limit.as_secs()),
            Self::CutOff(why) => write!(f, "the answer broke off half way: {why}"),
            Self::TooLarge(limit) => {
                write!(f, "the answer was larger than {} KB", limit >> 10)
            }
        }
    }
}

impl Http {
    pub fn new(reach: Reach) -> Result<Self, Failure> {
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                // A redirected token request would hand the client secret to whoever is named.
                .redirect(Policy::none())
                .tcp_nodelay(true)
                .connect_timeout(Duration::from_secs(5))
        };
        let near = builder()
            .no_proxy()
            // Nothing here speaks TLS, and reading the system's certificates would take longer than
            // all the rest of a start.
            .tls_certs_only(std::iter::empty())
            // No timer that wakes up a computer at rest; a closed connection is noticed anyway.
            .pool_idle_timeout(None);
        let far = (reach == Reach::Network).then(|| builder().build());
        let failure = |error: reqwest::Error| {
            Failure::new(
                Exit::Failed,
                "The HTTP client could not be set up",
                chain(&error),
                "check the system's certificates and proxy settings",
            )
        };
        Ok(Self {
            near: near.build().map_err(failure)?,
            far: far.transpose().map_err(failure)?,
        })
    }

    pub fn get(&self, url: &str) -> RequestBuilder {
        self.client(url).get(url)
    }

    pub fn post(&self, url: &str) -> RequestBuilder {
        self.client(url).post(url)
    }

    fn client(&self, url: &str) -> &Client {
        let is_near = || Url::parse(url).is_ok_and(|url| is_plain_loopback(&url));
        match &self.far {
            Some(far) if !is_near() => far,
            Some(_) | None => &self.near,
        }
    }
}

/// Sends `request` and reads the answer, at most `largest` bytes of it, within `limit`.
pub(super) async fn send(
    request: RequestBuilder,
    limit: Duration,
    largest: usize,
) -> Result<Answer, Trouble> {
    let failed = |error: reqwest::Error| {
        if error.is_timeout() {
            Trouble::TimedOut(limit)
        } else {
            Trouble::Unreachable(chain(&error.without_url()))
        }
    };
    let (client, request) = request.timeout(limit).build_split();
    let request = request.map_err(failed)?;
    let sent = Sent::with(&request);
    let mut response = client.execute(request).await.map_err(failed)?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let expected = response.content_length().unwrap_or(0);
    let mut body = Vec::with_capacity(usize::try_from(expected).unwrap_or(largest).min(largest));
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if body.len() + chunk.len() <= largest => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => return Err(Trouble::TooLarge(largest)),
            Err(error) if error.is_timeout() => return Err(Trouble::TimedOut(limit)),
            Err(error) => return Err(Trouble::CutOff(chain(&error.without_url()))),
        }
    }
    Ok(Answer {
        status,
        headers,
        body: Secret::new(body),
        sent,
    })
}

impl Answer {
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.body.expose())
    }

    /// The body for an error message: as [`Self::quoted`].
    pub fn quote(&self) -> String {
        let body = self.body.expose();
        let head = &body[..body.len().min(LONGEST_QUOTE)];
        let text = self.quoted(&String::from_utf8_lossy(head));
        if text.is_empty() {
            return "(an empty body)".to_owned();
        }
        text
    }

    /// Words of the answer for an error message: harmless, short, and without what was sent or anything
    /// like a key.
    pub fn quoted(&self, words: &str) -> String {
        quote(
            &self
                .sent
                .hide(&words[..words.floor_char_boundary(LONGEST_QUOTE)]),
        )
    }

    /// The body by its size and kind. What succeeded holds what customers wrote, so it is never
    /// quoted.
    pub fn described(&self) -> String {
        let kind = self.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok());
        let kind = kind.map(|kind| self.quoted(kind));
        format!(
            "{} bytes of {}",
            self.body.expose().len(),
            kind.as_deref().unwrap_or("no named kind")
        )
    }

    /// `Retry-After` in seconds (RFC 9110, section 10.2.3); the date form is left to the caller's
    /// own delay.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        text.trim().parse().ok().map(Duration::from_secs)
    }
}

/// Foreign text for an error message: harmless, one line, short, and with anything like a key hidden.
pub(super) fn quote(text: &str) -> String {
    // Cut before looking closer: the text may be megabytes.
    let head: String = text.trim().chars().take(QUOTED * 4).collect();
    truncate(&one_line(&scrub(&head)), QUOTED).into_owned()
}

/// A header value that is kept out of any debug output.
pub(super) fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header of `hop`.
pub(super) fn trace_header(hop: TraceParent) -> (&'static str, String) {
    (TRACEPARENT, hop.to_string())
}

/// An error with its causes; reqwest's own text stops at "error sending request".
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    quote(&without_number(&text))
}
