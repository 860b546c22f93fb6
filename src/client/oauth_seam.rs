//! rmcp's authorization requests, put through the traced seam, and judged on their way.
//!
//! rmcp drives the flow; here is where it is stricter than rmcp: every URL passes the URL rule,
//! metadata must be about the server that was asked, a token must be a bearer token. What is
//! wrong is kept as [`Failure`], because rmcp's own errors say less.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use parking_lot::{Mutex, MutexGuard};
use rmcp::transport::auth::{OAuthHttpClient, OAuthHttpClientFuture, OAuthHttpRequest};
use url::Url;

use super::{
    discovery::read_resource,
    http::{Answer, DOCUMENT_LIMIT, Outgoing, TracedHttp},
    store::{Held, Slot},
};
use crate::{
    protocol::{
        jwt::TokenView,
        oauth::{ErrorCode, ErrorResponse, TokenResponse, WELL_KNOWN_PROTECTED_RESOURCE},
    },
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
    },
    trace::{
        Actor, Fact,
        event::{ClientGrant, Leg, MetadataDocument},
    },
};

/// The protocol version that discovery names; rmcp names an older one, for which some servers
/// answer with documents of that time.
const PROTOCOL_VERSION: &str = "2025-11-25";

/// The seam of one sign-in and of the renewals after it.
#[derive(Debug)]
pub struct OAuthSeam {
    http: TracedHttp,
    server: Url,
    clock: SharedClock,
    slot: Slot,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    trouble: Option<Failure>,
    /// Where the last authorization server metadata was read, masked.
    server_document: Option<String>,
    /// Why the server's own document does not say where to sign in, if it does not.
    no_resource_metadata: Option<String>,
    asked: Vec<String>,
}

/// What a registration must have at least (RFC 7591, 3.2.1).
#[derive(serde::Deserialize)]
struct Registration {
    #[serde(rename = "client_id")]
    _client_id: String,
}

/// What rmcp gets to see of a failure; the person sees the [`Failure`] itself.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

impl OAuthSeam {
    /// The seam for a sign-in at `server`.
    #[must_use]
    pub fn new(http: TracedHttp, server: Url, clock: SharedClock, slot: Slot) -> Self {
        Self {
            http,
            server,
            clock,
            slot,
            notes: Mutex::default(),
        }
    }

    /// Where the tokens of this sign-in go.
    #[must_use]
    pub const fn slot(&self) -> &Slot {
        &self.slot
    }

    /// The failure behind the first error that rmcp got from here since this was asked.
    #[must_use]
    pub fn take_trouble(&self) -> Option<Failure> {
        self.notes().trouble.take()
    }

    /// Where the authorization server's metadata was read.
    #[must_use]
    pub fn server_document(&self) -> Option<String> {
        self.notes().server_document.clone()
    }

    /// Why the server's own document does not say where to sign in, if it was asked for and does not.
    #[must_use]
    pub fn no_resource_metadata(&self) -> Option<String> {
        self.notes().no_resource_metadata.clone()
    }

    /// The scopes that the person is asked for: a token must not carry more.
    pub fn set_asked(&self, scopes: Vec<String>) {
        self.notes().asked = scopes;
    }

    /// Tells that the token was dropped because it is renewed no longer.
    pub fn ended(&self, failure: Failure) {
        self.http
            .report(Actor::Client, Fact::SignInEnded { failure });
    }

    /// Text from outside, made harmless.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        self.http.clean(text)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock()
    }

    async fn run(&self, request: OAuthHttpRequest) -> Result<Answer, Failure> {
        let (parts, body) = request.request.into_parts();
        let leg = leg(&parts.method, &parts.headers);
        let role = match leg {
            Leg::Registration => "registration endpoint",
            Leg::Token => "token endpoint",
            Leg::Discovery | Leg::Authorization | Leg::Callback | Leg::Mcp | Leg::Console => {
                "metadata's address"
            }
        };
        let url = self.http.policy().accept(role, &parts.uri.to_string())?;
        let mut outgoing = Outgoing::new(parts.method, url, leg);
        outgoing.headers = parts.headers;
        outgoing
            .headers
            .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let version = HeaderName::from_static("mcp-protocol-version");
        if outgoing.headers.contains_key(&version) {
            outgoing
                .headers
                .insert(version, HeaderValue::from_static(PROTOCOL_VERSION));
        }
        outgoing.body = body;
        let form = (leg == Leg::Token).then(|| outgoing.body.clone());
        let answer = self
            .http
            .exchange(outgoing, DOCUMENT_LIMIT)
            .await
            .map_err(|error| {
                error.failure(match leg {
                    Leg::Registration => "The client could not be registered",
                    Leg::Token => "The token could not be fetched",
                    Leg::Discovery
                    | Leg::Authorization
                    | Leg::Callback
                    | Leg::Mcp
                    | Leg::Console => "The sign-in could not be prepared",
                })
            })?;
        match leg {
            Leg::Token => self.judge_token(&form.unwrap_or_default(), &answer)?,
            Leg::Registration => self.judge_registration(&answer)?,
            Leg::Discovery | Leg::Authorization | Leg::Callback | Leg::Mcp | Leg::Console => {
                self.judge_document(&answer)?;
            }
        }
        Ok(answer)
    }

    fn judge_document(&self, answer: &Answer) -> Result<(), Failure> {
        let is_resource_metadata = answer.url.contains(WELL_KNOWN_PROTECTED_RESOURCE);
        if is_resource_metadata {
            let why = format!("{} answered {}", answer.url, answer.status);
            self.notes().no_resource_metadata = Some(why);
        }
        if answer.status != http::StatusCode::OK {
            return Ok(());
        }
        if let Some(document) = read_resource(&self.server, self.http.policy(), &answer.body)? {
            self.notes().no_resource_metadata = document
                .authorization_servers
                .is_empty()
                .then(|| format!("{} names no authorization server", answer.url));
            for named in &document.authorization_servers {
                if let Ok(url) = Url::parse(named) {
                    self.http.actors().learn(&url, Actor::Zone);
                }
            }
            self.http.report(
                Actor::Client,
                Fact::MetadataRead {
                    document: MetadataDocument::ProtectedResource,
                    url: answer.url.clone(),
                    subject: self.clean(&document.resource),
                    scopes: cleaned(&self.http, &document.scopes_supported),
                },
            );
            return Ok(());
        }
        if is_resource_metadata {
            let why = format!("{} holds no resource metadata", answer.url);
            self.notes().no_resource_metadata = Some(why);
        } else {
            self.notes().server_document = Some(answer.url.clone());
        }
        Ok(())
    }

    fn judge_registration(&self, answer: &Answer) -> Result<(), Failure> {
        if answer.status.is_success() {
            let registration = serde_json::from_slice::<Registration>(&answer.body);
            return registration.map(drop).map_err(|_| {
                Failure::new(
                    Exit::Failed,
                    "The authorization server's answer holds no registration",
                    format!(
                        "{}: the answer is not the JSON of RFC 7591, 3.2.1",
                        answer.url
                    ),
                    "look at the hop to see what came",
                )
            });
        }
        if has_failed(answer) {
            return Err(server_failed(self.explain(answer)));
        }
        Err(Failure::new(
            Exit::Refused,
            "The authorization server did not register this client",
            self.explain(answer),
            "ask the operator whether dynamic client registration is on",
        ))
    }

    fn judge_token(&self, form: &[u8], answer: &Answer) -> Result<(), Failure> {
        let field = |name: &str| {
            url::form_urlencoded::parse(form)
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.into_owned())
        };
        let grant = if field("grant_type").as_deref() == Some("refresh_token") {
            ClientGrant::RefreshToken
        } else {
            ClientGrant::AuthorizationCode
        };
        if !answer.status.is_success() {
            let why = self.explain(answer);
            let failure = if has_failed(answer) {
                server_failed(why)
            } else {
                Failure::new(
                    Exit::Refused,
                    "The authorization server gave no token",
                    why,
                    "sign in again",
                )
            };
            // rmcp reads the error code itself: it decides whether the refresh token is spent.
            self.notes().trouble = Some(failure);
            return Ok(());
        }
        let token: TokenResponse = serde_json::from_slice(&answer.body).map_err(|_| {
            Failure::new(
                Exit::Failed,
                "The authorization server's answer holds no token",
                format!(
                    "{}: the answer is not the JSON of RFC 6749, 5.1",
                    answer.url
                ),
                "look at the hop to see what came",
            )
        })?;
        // RFC 6749, 7.1: a client must not use a token whose type it does not understand.
        match token.token_type.as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("bearer") => {}
            kind => {
                return Err(Failure::new(
                    Exit::Refused,
                    "The token is of a kind that this client does not use",
                    format!(
                        "its type is \"{}\", not Bearer",
                        self.clean(kind.unwrap_or(""))
                    ),
                    "ask the operator for plain bearer tokens",
                ));
            }
        }
        let refreshable = token.refresh_token.is_some()
            || (grant == ClientGrant::RefreshToken
                && self.slot.get().is_some_and(|held| held.refreshable));
        let held = Held::new(
            token.access_token.clone(),
            self.clock.now(),
            token.expires_in,
            refreshable,
        );
        if !self.slot.put(held) {
            return Err(Failure::new(
                Exit::Failed,
                "The token came too late",
                "somebody signed out or signed in anew while it was on its way, so it was dropped",
                "sign in if you want to go on",
            ));
        }
        self.warn_of_more(token.scope.as_deref());
        self.http.report(
            Actor::Client,
            Fact::TokenIssued {
                token: TokenView::of(&token.access_token),
                scope: token.scope.as_deref().map(|scope| self.clean(scope)),
                expires_in: token.expires_in,
                refreshable,
                grant,
            },
        );
        Ok(())
    }

    /// A token may carry less than was asked for, but more is a thing to know of.
    fn warn_of_more(&self, granted: Option<&str>) {
        let asked = self.notes().asked.clone();
        if asked.is_empty() {
            return;
        }
        let more: Vec<&str> = granted
            .unwrap_or_default()
            .split_whitespace()
            .filter(|scope| !asked.iter().any(|one| one == scope))
            .collect();
        if !more.is_empty() {
            self.http.report(
                Actor::Client,
                Fact::FailureOccurred(Failure::new(
                    Exit::Failed,
                    "The token may do more than was asked for",
                    format!("not asked for: {}", self.clean(&more.join(" "))),
                    "nothing is wrong with going on; tell the operator",
                )),
            );
        }
    }

    /// What an error answer says, or what it is if it says nothing.
    fn explain(&self, answer: &Answer) -> String {
        match serde_json::from_slice::<ErrorResponse>(&answer.body) {
            Ok(ErrorResponse {
                error,
                error_description: Some(description),
                ..
            }) => self.clean(&format!("{error}: {description}")),
            Ok(ErrorResponse { error, .. }) => self.clean(&error),
            Err(_) => format!("{} answered {}", answer.url, answer.status),
        }
    }
}

impl OAuthHttpClient for OAuthSeam {
    fn execute(&self, request: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(async move {
            match self.run(request).await {
                Ok(answer) => {
                    let mut response = http::Response::new(answer.body);
                    *response.status_mut() = answer.status;
                    *response.headers_mut() = answer.headers;
                    Ok(response)
                }
                Err(failure) => {
                    let told = Told(failure.why.clone());
                    self.notes().trouble.get_or_insert(failure);
                    Err(Box::new(told) as Box<dyn std::error::Error + Send + Sync>)
                }
            }
        })
    }
}

/// Whether an answer says that the fault is the server's own; then nobody has refused anything.
pub(super) fn has_failed(answer: &Answer) -> bool {
    answer.status.is_server_error()
        || serde_json::from_slice::<ErrorResponse>(&answer.body)
            .is_ok_and(|said| ErrorCode::is_own_fault(&said.error))
}

/// The failure for a server that has failed.
pub(super) fn server_failed(why: String) -> Failure {
    Failure::new(
        Exit::Unreachable,
        "The authorization server failed",
        why,
        "try again; the server's log may say more",
    )
}

/// Scopes from outside, made harmless.
#[must_use]
pub fn cleaned(http: &TracedHttp, scopes: &[String]) -> Vec<String> {
    scopes.iter().map(|scope| http.clean(scope)).collect()
}

fn leg(method: &Method, headers: &HeaderMap) -> Leg {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    match *method {
        Method::POST if is_json => Leg::Registration,
        Method::POST => Leg::Token,
        _ => Leg::Discovery,
    }
}
