//! The OAuth and MCP client. Every request passes one traced seam.
//!
//! What happens is told as facts through the sink; the functions answer only whether it worked.
//! The client draws nothing, reads no files and keeps no secret beyond the run.

pub mod address;
pub mod browser;
pub mod callback;
pub mod console;
pub mod discovery;
pub mod feed;
pub mod hold;
pub mod http;
pub mod mask;
pub mod mcp;
pub mod mcp_stream;
pub mod mcp_wire;
pub mod oauth;
pub mod oauth_seam;
pub mod progress;
pub mod robot;
pub mod store;
pub mod url_policy;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::{
    browser::{Browser, BrowserMode},
    discovery::MissingPkceAllowed,
    http::{ActorMap, TracedHttp},
    mcp::{Fault, Mcp, ToolAnswer},
    mcp_wire::Remedy,
    oauth::SignIn,
    store::Tokens,
    url_policy::{UrlFault, UrlPolicy, refused, server_address},
};
use crate::{
    protocol::{
        observed::CallId,
        secret::Secret,
        traceparent::{SpanId, TraceId, TraceParent},
    },
    support::{
        clock::{SharedClock, Stopwatch},
        error::{Exit, Failure},
        ids::Ids,
    },
    trace::{
        Actor, Fact, Json,
        event::{CallOutcome, Leg},
        sink::{Report, SharedSink},
    },
};

/// Sign-ins that a run may make because a server keeps asking for more scope. rmcp's own counter
/// starts anew with every token (protocol facts, 1.2), so a server could ask for ever.
const MOST_STEP_UPS: u32 = 3;

/// What is told of a call that was called off.
const CALLED_OFF: &str = "called off: what the server had begun by then may be done all the same, so \
                          look before you try again";

/// What a client is made of.
#[derive(Debug)]
pub struct Config {
    /// The MCP endpoint.
    pub server: String,
    pub mode: BrowserMode,
    pub browser: Arc<dyn Browser>,
    /// What the lab's sample user answers in [`BrowserMode::Headless`].
    pub answer: robot::Answer,
    pub missing_pkce: MissingPkceAllowed,
    pub sink: SharedSink,
    pub clock: SharedClock,
    pub ids: Ids,
    /// Who answers where, as far as it is known before anything was asked.
    pub actors: ActorMap,
}

/// The client of one server. All of it is behind `&self`: share it in an [`Arc`].
#[derive(Debug)]
pub struct Client {
    server: Url,
    mode: BrowserMode,
    browser: Arc<dyn Browser>,
    answer: robot::Answer,
    sample: Notify,
    missing_pkce: MissingPkceAllowed,
    http: TracedHttp,
    clock: SharedClock,
    ids: Ids,
    tokens: Tokens,
    mcp: Mcp,
    /// One sign-in at a time: nobody wants two browser windows.
    signing_in: tokio::sync::Mutex<Vec<String>>,
    step_ups: AtomicU32,
    /// The sign-in that was asked for last found nobody who asked for it.
    not_needed: AtomicBool,
}

/// What a request without a token met.
enum Door {
    Open,
    Locked { challenge: Option<String> },
}

/// How a tool call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CallResult {
    /// The call's id in the trace.
    pub call: CallId,
    /// Succeeded, failed by its own word, or cancelled; what broke is a [`Failure`].
    pub outcome: CallOutcome,
    /// The first text block, secrets hidden.
    pub text: String,
    pub structured: Option<Value>,
}

impl CallResult {
    /// What a tool gave that succeeded.
    ///
    /// # Errors
    /// Why there is nothing of that shape: the tool's own words, or what is missing.
    pub fn given<T: DeserializeOwned>(&self) -> Result<T, String> {
        if self.outcome != CallOutcome::Succeeded {
            return Err(self.text.clone());
        }
        let value = self
            .structured
            .as_ref()
            .ok_or("it has no structured content")?;
        T::deserialize(value).map_err(|error| error.to_string())
    }
}

impl Client {
    /// A client that has not said anything yet.
    ///
    /// # Errors
    /// If the server's address cannot be used.
    pub fn new(config: Config) -> Result<Self, Failure> {
        let Config {
            server,
            mode,
            browser,
            answer,
            missing_pkce,
            sink,
            clock,
            ids,
            actors,
        } = config;
        let unusable = |url: &str, fault: &UrlFault| Failure {
            exit: Exit::Usage,
            ..refused("server's address", url, fault)
        };
        let server = server_address(&server)?;
        let policy = UrlPolicy::for_server(&server);
        policy
            .check_url(&server)
            .map_err(|fault| unusable(server.as_str(), &fault))?;
        actors.learn(&server, Actor::Server);
        let http = TracedHttp::new(policy, sink, ids.clone(), actors)?;
        let tokens = Tokens::new(Arc::clone(&clock));
        let mcp = Mcp::new(server.clone(), http.clone(), tokens.clone());
        Ok(Self {
            server,
            mode,
            browser,
            answer,
            sample: Notify::new(),
            missing_pkce,
            http,
            clock,
            ids,
            tokens,
            mcp,
            signing_in: tokio::sync::Mutex::default(),
            step_ups: AtomicU32::new(0),
            not_needed: AtomicBool::new(false),
        })
    }

    /// The seam, for the console and the feeds, so that their requests are hops too.
    #[must_use]
    pub const fn http(&self) -> &TracedHttp {
        &self.http
    }

    /// The MCP endpoint.
    #[must_use]
    pub const fn server(&self) -> &Url {
        &self.server
    }

    /// What is held up at the zone's gate, for whoever holds it: [`hold::hold`].
    #[must_use]
    pub fn held_up(&self) -> Arc<hold::HeldUp> {
        self.mcp.held_up()
    }

    /// True when the client holds a token.
    #[must_use]
    pub fn signed_in(&self) -> bool {
        self.tokens.is_held()
    }

    /// The token that the client would send now, for those who ask the zone in the same person's
    /// name. `None` when nobody is signed in.
    ///
    /// # Errors
    /// If it has ended and cannot be renewed.
    pub async fn bearer(&self) -> Result<Option<Secret>, Failure> {
        self.tokens.bearer().await
    }

    /// Signs in: asks the server, and does what its challenge says. A server that takes anyone
    /// needs no sign-in, and then none is made; its tools are listed by then. One that takes anyone
    /// at first and asks at a call is signed in to at that call.
    ///
    /// # Errors
    /// Why there is no token; it is in the trace too.
    pub async fn sign_in(&self, cancel: CancellationToken) -> Result<(), Failure> {
        self.http.report(
            Actor::Client,
            Fact::SignInStarted {
                server: self.http.masker().url(&self.server),
            },
        );
        self.unless_called_off(&cancel, Box::pin(self.try_sign_in()))
            .await
            .map_err(|why| why.unwrap_or_else(|| called_off("The sign-in was called off")))
    }

    /// Waits for a sign-in, and tells it when nothing came of it; without a failure it was called
    /// off.
    async fn unless_called_off<T>(
        &self,
        cancel: &CancellationToken,
        sign_in: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Option<Failure>> {
        let ended = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(None),
            ended = sign_in => ended.map_err(Some),
        };
        ended.inspect_err(|why| {
            let fact = match why.clone() {
                Some(failure) => Fact::SignInRefused { failure },
                None => Fact::SignInCancelled,
            };
            self.http.report(Actor::Client, fact);
        })
    }

    async fn try_sign_in(&self) -> Result<(), Failure> {
        let mut granted = self.signing_in.lock().await;
        self.drop_tokens().await;
        let challenge = match self.knock().await? {
            Door::Locked { challenge } => challenge,
            Door::Open => {
                self.not_needed.store(true, Ordering::Relaxed);
                self.http.report(Actor::Client, Fact::SignInNotNeeded);
                return Ok(());
            }
        };
        *granted = self.authorize(challenge.as_deref(), &[]).await?;
        self.step_ups.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Goes as far as one gets without a token. Some servers take anyone's `initialize` and ask at
    /// the first request that matters.
    async fn knock(&self) -> Result<Door, Failure> {
        let met = match self.mcp.connect().await {
            Ok(_) => self.mcp.list_tools(&CancellationToken::new()).await,
            Err(fault) => Err(fault),
        };
        match met {
            Ok(tools) => {
                self.http.report(Actor::Server, Fact::ToolsListed { tools });
                Ok(Door::Open)
            }
            Err(Fault::Cancelled) => Err(called_off("The sign-in was called off")),
            Err(Fault::Trouble(trouble)) => match trouble.remedy {
                Remedy::SignIn(challenge) => Ok(Door::Locked { challenge }),
                Remedy::MoreScope(challenge) => Ok(Door::Locked {
                    challenge: Some(challenge),
                }),
                Remedy::None => Err(trouble.failure),
            },
        }
    }

    async fn authorize(
        &self,
        challenge: Option<&str>,
        keep_scopes: &[String],
    ) -> Result<Vec<String>, Failure> {
        SignIn {
            http: &self.http,
            server: &self.server,
            tokens: &self.tokens,
            clock: &self.clock,
            mode: self.mode,
            browser: &self.browser,
            answer: &self.answer,
            sample: &self.sample,
            missing_pkce: &self.missing_pkce,
            keep_scopes,
        }
        .run(challenge)
        .await
        .inspect(|_| self.not_needed.store(false, Ordering::Relaxed))
    }

    /// Has a lab's sample user answer a sign-in that waits for a browser; without one that waits,
    /// nothing happens.
    pub fn let_sample_user_answer(&self) {
        self.sample.notify_waiters();
    }

    /// Drops the tokens and closes the connection.
    pub async fn sign_out(&self) {
        self.drop_tokens().await;
        self.http.report(Actor::Client, Fact::SignedOut);
    }

    async fn drop_tokens(&self) {
        self.not_needed.store(false, Ordering::Relaxed);
        self.mcp.close().await;
        self.tokens.clear();
    }

    /// Ends the MCP session in good order; the client can be used again.
    pub async fn close(&self) {
        self.mcp.close().await;
    }

    /// Lists the tools into the trace.
    ///
    /// # Errors
    /// Why there is no list.
    pub async fn list_tools(&self, cancel: CancellationToken) -> Result<(), Failure> {
        match self.mcp.list_tools(&cancel).await {
            Ok(tools) => {
                self.http.report(Actor::Server, Fact::ToolsListed { tools });
                Ok(())
            }
            Err(Fault::Cancelled) => Err(called_off("Listing the tools was called off")),
            Err(Fault::Trouble(trouble)) => Err(trouble.failure),
        }
    }

    /// Calls a tool; everything it tells on the way is in the trace under the call's id.
    ///
    /// # Errors
    /// Why the call did not come through. A tool that says that it failed is a result.
    pub async fn call_tool(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        cancel: CancellationToken,
    ) -> Result<CallResult, Failure> {
        let call = TraceId(self.ids.u128());
        let watch = Stopwatch::start();
        let shown = Value::Object(arguments.clone());
        self.tell(
            call,
            Fact::ToolCallStarted {
                tool: tool.to_owned(),
                arguments: self.http.masker().value(&shown, Leg::Mcp),
            },
        );
        let answered = self.try_call(tool, arguments, call, &cancel).await;
        let (outcome, text, structured, failure) = match answered {
            Ok(ToolAnswer {
                text,
                structured,
                is_error,
            }) => {
                let outcome = if is_error {
                    CallOutcome::Failed
                } else {
                    CallOutcome::Succeeded
                };
                (outcome, text, structured, None)
            }
            Err(Fault::Cancelled) => (CallOutcome::Cancelled, CALLED_OFF.to_owned(), None, None),
            Err(Fault::Trouble(trouble)) => (
                CallOutcome::Broken,
                format!("{}: {}", trouble.failure.what, trouble.failure.why),
                None,
                Some(trouble.failure),
            ),
        };
        self.tell(
            call,
            Fact::ToolCallFinished {
                tool: tool.to_owned(),
                outcome,
                text: text.clone(),
                structured: structured.as_ref().map(Json::from),
                duration_us: watch.micros(),
            },
        );
        match failure {
            Some(failure) => Err(failure),
            None => Ok(CallResult {
                call,
                outcome,
                text,
                structured,
            }),
        }
    }

    /// Calls, and if the token does not reach so far, or there is none and one is wanted after all,
    /// asks the person and calls again.
    async fn try_call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        call: CallId,
        cancel: &CancellationToken,
    ) -> Result<ToolAnswer, Fault> {
        let mut asked_again = false;
        loop {
            let sign_in = self.tokens.sign_in();
            let called = self
                .mcp
                .call_tool(tool, arguments.clone(), self.parent(call), cancel)
                .await;
            let Err(Fault::Trouble(trouble)) = called else {
                return called;
            };
            let challenge = match &trouble.remedy {
                Remedy::MoreScope(challenge) => Some(challenge.as_str()),
                Remedy::SignIn(challenge) if self.not_needed.load(Ordering::Relaxed) => {
                    challenge.as_deref()
                }
                Remedy::SignIn(_) | Remedy::None => return Err(Fault::Trouble(trouble)),
            };
            if asked_again {
                return Err(Fault::Trouble(trouble));
            }
            let mut granted = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Fault::Cancelled),
                granted = self.signing_in.lock() => granted,
            };
            // Another call has asked the person meanwhile: that may have been enough. A token that was
            // only renewed may do no more than the one before.
            if self.tokens.sign_in() != sign_in {
                continue;
            }
            if self.step_ups.fetch_add(1, Ordering::Relaxed) >= MOST_STEP_UPS {
                return Err(Fault::Trouble(trouble));
            }
            asked_again = true;
            let asked = Box::pin(self.authorize(challenge, &granted));
            *granted = self
                .unless_called_off(cancel, asked)
                .await
                .map_err(|why| why.map_or(Fault::Cancelled, Fault::from))?;
        }
    }

    /// A new hop within the call's trace.
    fn parent(&self, call: CallId) -> TraceParent {
        TraceParent {
            trace: call,
            span: SpanId(self.ids.u64()),
        }
    }

    fn tell(&self, call: CallId, fact: Fact) {
        self.http
            .sink()
            .report(Report::new(Actor::Client, fact).in_call(Some(call)));
    }
}

fn called_off(what: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        what,
        "it was cancelled",
        "start it again when you like",
    )
}
