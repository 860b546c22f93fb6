//! The loopback address that the browser comes back to (RFC 8252, section 7.3), and what may be
//! believed of what it brings (RFC 9207 before anything else).
//!
//! Serves one page and ends with the first answer that knows the sign-in's state; nothing else on
//! this computer or on the web gets an answer that means anything.

use std::{
    future::IntoFuture as _,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::oauth_seam::server_failed;
use crate::{
    protocol::{oauth::ErrorCode, secret::Secret},
    support::{
        error::{Exit, Failure},
        html,
        text::one_line,
    },
};

#[cfg(test)]
mod tests;

const PAGE: &str = include_str!("../../assets/callback.html");
const PATH: &str = "/callback";
/// How long the page may take to reach the browser before the listener closes for good.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the answer is checked against.
#[derive(Debug, Clone)]
pub struct Expected {
    pub state: Secret,
    /// The issuer that the person was sent to.
    pub issuer: String,
    pub iss: IssParameter,
}

/// Whether the issuer said that it names itself in every answer (RFC 9207, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssParameter {
    Required,
    Optional,
}

/// A good answer.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub code: Secret,
    pub iss: Option<String>,
}

/// Why an answer is not believed, or what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackFault {
    /// A parameter that decides something came twice.
    Duplicate(&'static str),
    /// Not the answer to this sign-in.
    ForeignState,
    /// From another issuer than the one that was asked (a mix-up attack).
    ForeignIssuer { expected: String, received: String },
    /// The issuer promised to name itself and did not.
    NoIssuer { expected: String },
    /// The authorization server refused.
    Denied {
        error: String,
        description: Option<String>,
    },
    /// Neither a code nor an error.
    NoCode,
}

impl CallbackFault {
    /// The failure that a person sees.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let (what, why, next) = match self {
            Self::Duplicate(name) => (
                "The answer to the sign-in is not clear",
                format!("the parameter \"{name}\" came more than once"),
                "sign in again; if it happens again, tell the server's operator",
            ),
            Self::ForeignState => (
                "The answer does not belong to this sign-in",
                "its state is not the one that was sent".to_owned(),
                "close old sign-in pages and sign in again",
            ),
            Self::ForeignIssuer { expected, received } => (
                "The answer comes from another authorization server",
                format!("{received} answered, {expected} was asked"),
                "do not go on; tell the server's operator",
            ),
            Self::NoIssuer { expected } => (
                "The answer does not say who it comes from",
                format!("{expected} promises to name itself and did not"),
                "tell the server's operator",
            ),
            Self::Denied { error, description } => {
                let why = match description {
                    Some(text) => format!("{error}: {text}"),
                    None => error.clone(),
                };
                let what = match &**error {
                    own if ErrorCode::is_own_fault(own) => return server_failed(why),
                    "access_denied" => "The sign-in was denied",
                    _ => "The authorization server refused the sign-in",
                };
                let next = match &**error {
                    "invalid_target" => {
                        "call the server by the URL that the zone knows, or make a resource with exactly this one (chapter 1); then sign in again"
                    }
                    "invalid_scope" => {
                        "let the server name scopes that the zone's resource has (chapter 2), and sign in again"
                    }
                    _ => "sign in again and agree, if you want the client to act for you",
                };
                (what, why, next)
            }
            Self::NoCode => (
                "The answer to the sign-in is empty",
                "it carries neither a code nor an error".to_owned(),
                "sign in again; if it happens again, tell the server's operator",
            ),
        };
        Failure::new(Exit::Refused, what, why, next)
    }
}

/// Reads an answer, in the order in which its parts may be believed.
///
/// # Errors
/// What is wrong with it, or what it refuses. Error texts of an answer whose issuer does not
/// match are not read (RFC 9207, section 2.4).
pub fn read(query: &str, expected: &Expected) -> Result<Arrival, CallbackFault> {
    let mut found: [(&'static str, Option<String>); 5] = [
        ("code", None),
        ("state", None),
        ("iss", None),
        ("error", None),
        ("error_description", None),
    ];
    let mut duplicate = None;
    let mut is_ours = false;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if let Some((known, slot)) = found.iter_mut().find(|(known, _)| *known == name) {
            if slot.is_some() {
                duplicate = Some(*known);
            }
            is_ours |= *known == "state" && *value == *expected.state.expose().as_str();
            *slot = Some(value.into_owned());
        }
    }
    // Before all else: what anyone can send must not end a sign-in.
    if !is_ours {
        return Err(CallbackFault::ForeignState);
    }
    if let Some(name) = duplicate {
        return Err(CallbackFault::Duplicate(name));
    }
    let [code, _, iss, error, description] = found.map(|(_, value)| value);
    match &iss {
        Some(received) if *received != expected.issuer => {
            return Err(CallbackFault::ForeignIssuer {
                expected: one_line(&expected.issuer),
                received: one_line(received),
            });
        }
        None if expected.iss == IssParameter::Required => {
            return Err(CallbackFault::NoIssuer {
                expected: one_line(&expected.issuer),
            });
        }
        Some(_) | None => {}
    }
    if let Some(error) = error {
        return Err(CallbackFault::Denied {
            error: one_line(&error),
            description: description.map(|text| one_line(&text)),
        });
    }
    match code {
        Some(code) if !code.is_empty() => Ok(Arrival {
            code: Secret::new(code),
            iss,
        }),
        Some(_) | None => Err(CallbackFault::NoCode),
    }
}

/// The listener before it knows what to expect; the port is needed to register.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes a free port on this computer.
    ///
    /// # Errors
    /// If there is none.
    pub async fn bind() -> Result<Self, Failure> {
        let fault = |error: std::io::Error| {
            Failure::new(
                Exit::Failed,
                "The browser would have nowhere to come back to",
                format!("no port on 127.0.0.1 can be opened: {error}"),
                "check that programs may listen on this computer",
            )
        };
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(fault)?;
        let address = socket.local_addr().map_err(fault)?;
        Ok(Self { socket, address })
    }

    /// The redirect URI to register.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Opens the door.
    #[must_use]
    pub fn expect(self, expected: Expected) -> Waiting {
        let (sender, receiver) = oneshot::channel();
        let closing = CancellationToken::new();
        let door = Arc::new(Door {
            authority: self.address.to_string(),
            expected,
            sender: Mutex::new(Some(sender)),
            closing: closing.clone(),
        });
        let router = Router::new().fallback(answer).with_state(door);
        let serving = tokio::spawn(async move {
            let server = axum::serve(self.socket, router)
                .with_graceful_shutdown(closing.clone().cancelled_owned())
                .into_future();
            let farewell = async {
                closing.cancelled().await;
                tokio::time::sleep(FAREWELL).await;
            };
            tokio::select! {
                result = server => if let Err(error) = result {
                    tracing::warn!(%error, "the callback listener stopped");
                },
                () = farewell => {}
            }
        });
        Waiting {
            receiver,
            serving: Some(serving),
        }
    }
}

#[derive(Debug)]
struct Door {
    authority: String,
    expected: Expected,
    sender: Mutex<Option<oneshot::Sender<Result<Arrival, CallbackFault>>>>,
    closing: CancellationToken,
}

/// The open door. Dropping it closes it.
#[derive(Debug)]
pub struct Waiting {
    receiver: oneshot::Receiver<Result<Arrival, CallbackFault>>,
    serving: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Waits for the browser, however long it takes.
    ///
    /// # Errors
    /// What the answer is or says, if it is no good one.
    pub async fn arrival(mut self) -> Result<Arrival, CallbackFault> {
        let arrived = (&mut self.receiver).await;
        // The page is still on its way; the door closes by itself.
        self.serving = None;
        arrived.unwrap_or(Err(CallbackFault::NoCode))
    }

    /// What has come by now, when nobody is left who could bring it.
    ///
    /// # Errors
    /// What the answer is or says; what did not belong here if none came that does.
    pub fn arrived(mut self) -> Result<Arrival, CallbackFault> {
        let arrived = self.receiver.try_recv();
        if arrived.is_ok() {
            self.serving = None;
        }
        arrived.unwrap_or(Err(CallbackFault::ForeignState))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

async fn answer(State(door): State<Arc<Door>>, request: Request) -> Response {
    let headers = request.headers();
    if !is_for_us(headers, &door.authority) {
        return page(
            StatusCode::FORBIDDEN,
            Tone::Bad,
            "Not from here",
            "This address only takes a browser that was sent here by a sign-in.",
        );
    }
    if request.uri().path() != PATH {
        return page(
            StatusCode::NOT_FOUND,
            Tone::Bad,
            "Nothing here",
            "This address only serves the end of a sign-in.",
        );
    }
    if request.method() != Method::GET {
        return page(
            StatusCode::METHOD_NOT_ALLOWED,
            Tone::Bad,
            "Not this way",
            "The end of a sign-in comes as a plain page visit.",
        );
    }
    let result = read(request.uri().query().unwrap_or_default(), &door.expected);
    // Whoever does not know the state was not sent here by this sign-in, and the one who was is
    // still on the way.
    let is_ours = !matches!(result, Err(CallbackFault::ForeignState));
    let mut sender = door.sender.lock();
    let sender = if is_ours { sender.take() } else { None };
    if is_ours && sender.is_none() {
        return page(
            StatusCode::GONE,
            Tone::Bad,
            "Already used",
            "This sign-in has ended. Start a new one in the terminal.",
        );
    }
    let shown = match &result {
        Ok(_) => page(
            StatusCode::OK,
            Tone::Good,
            "You are through",
            "hoptrail has what it needs and fetches its token now.",
        ),
        Err(fault) => {
            let failure = fault.failure();
            page(
                StatusCode::BAD_REQUEST,
                Tone::Bad,
                &failure.what,
                &format!("{}.", failure.why),
            )
        }
    };
    if let Some(sender) = sender {
        // Nobody listens any more when the sign-in was called off; the page is right all the same.
        let _ = sender.send(result);
        door.closing.cancel();
    }
    shown
}

/// Host and Origin against DNS rebinding and other pages; `Sec-Fetch-Mode` against a script that
/// tries ports (it cannot set that header).
fn is_for_us(headers: &HeaderMap, authority: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host_fits = text("host") == Some(authority);
    let origin_fits = match text("origin") {
        None | Some("null") => true,
        Some(origin) => origin.strip_prefix("http://") == Some(authority),
    };
    let is_visit = matches!(text("sec-fetch-mode"), None | Some("navigate"));
    host_fits && origin_fits && is_visit
}

#[derive(Debug, Clone, Copy)]
enum Tone {
    Good,
    Bad,
}

fn page(status: StatusCode, tone: Tone, title: &str, text: &str) -> Response {
    let (class, mark) = match tone {
        Tone::Good => ("good", "✓"),
        Tone::Bad => ("bad", "✗"),
    };
    let html = PAGE
        .replace("{{tone}}", class)
        .replace("{{mark}}", mark)
        .replace("{{title}}", &escape(title))
        .replace("{{text}}", &escape(text));
    (
        status,
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
            ),
            (header::CONNECTION, "close"),
        ],
        html,
    )
        .into_response()
}

/// No placeholder of the page can come from outside either.
fn escape(text: &str) -> String {
    html::escape(&one_line(text)).replace('{', "&#123;")
}
