//! What can be said in a trace. Facts are in the past tense.
//!
//! Nothing here can hold a secret: tokens enter as [`TokenView`], headers and bodies masked by
//! the seam that saw them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Json;
use crate::{
    protocol::{
        audit::AuditRecord,
        console::{DelegatedGrant, PolicyOverview, Session},
        env::EnvLine,
        hold::{HeldExchange, ReleasedExchange},
        jwt::TokenView,
        observed::{CallId, Issue, LabEndpoints, Step, Upstream, UpstreamRequest},
        traceparent::SpanId,
    },
    support::error::Failure,
};

/// One fact, with its place in the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// Position in the stream, from 0, without gaps.
    pub seq: u64,
    /// Microseconds since the run began (the header holds the wall clock).
    pub at_us: u64,
    /// The hop that this belongs to: a sent and a returned fact share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<SpanId>,
    /// The tool call that this belongs to, by fact and not by guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Who it is about: the one who did it.
    pub actor: Actor,
    /// What happened.
    pub fact: Fact,
}

/// The parties of the story; the lanes of the Flow pane, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    You,
    Client,
    Server,
    Zone,
    Supabase,
    Anthropic,
    Linear,
}

impl From<Upstream> for Actor {
    fn from(upstream: Upstream) -> Self {
        match upstream {
            Upstream::Supabase => Self::Supabase,
            Upstream::Anthropic => Self::Anthropic,
            Upstream::Linear => Self::Linear,
        }
    }
}

impl Actor {
    /// Every lane, from left to right.
    pub const ALL: [Self; 7] = [
        Self::You,
        Self::Client,
        Self::Server,
        Self::Zone,
        Self::Supabase,
        Self::Anthropic,
        Self::Linear,
    ];

    /// The lane's heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::You => "You",
            Self::Client => "Client",
            Self::Server => "MCP server",
            Self::Zone => "Zone",
            Self::Supabase => "Supabase",
            Self::Anthropic => "Anthropic",
            Self::Linear => "Linear",
        }
    }
}

/// Everything that can be known. A kind that this version does not know survives as `Unknown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The run began, against this target.
    RunStarted(Target),
    /// The embedded lab answers.
    LabStarted(LabEndpoints),
    /// The lab is now as it is at the end of this chapter of the workshop, from 0 to 8.
    LabMoved { chapter: u8 },

    /// The client began to sign in.
    SignInStarted { server: String },
    /// A metadata document was read and accepted.
    MetadataRead {
        document: MetadataDocument,
        url: String,
        /// `resource` or `issuer`.
        subject: String,
        scopes: Vec<String>,
    },
    /// The client was registered dynamically (RFC 7591).
    ClientRegistered { client_id: String, issuer: String },
    /// The person was sent to the authorization endpoint. `url` is masked.
    BrowserOpened { url: String, how: BrowserLeg },
    /// The browser came back to the loopback callback.
    CallbackReceived {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// The client holds a token.
    TokenIssued {
        token: TokenView,
        scope: Option<String>,
        /// Seconds.
        expires_in: Option<u64>,
        refreshable: bool,
        grant: ClientGrant,
    },
    /// The sign-in ended without a token.
    SignInRefused { failure: Failure },
    /// The person called the sign-in off.
    SignInCancelled,
    /// The server takes anyone: none was made, and the client is let in without a token.
    SignInNotNeeded,
    /// The authorization server renews the token no longer; the client dropped it.
    SignInEnded { failure: Failure },
    /// The client dropped its tokens.
    SignedOut,

    /// The client sent a request.
    HopSent {
        to: Actor,
        leg: Leg,
        method: String,
        url: String,
        /// Names in lower case, values masked.
        headers: Vec<(String, String)>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Body>,
    },
    /// The answer came.
    HopReturned {
        status: u16,
        headers: Vec<(String, String)>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Body>,
        duration_us: u64,
    },
    /// No answer came.
    HopFailed { why: String, duration_us: u64 },

    /// The MCP server answered `initialize` or `server/discover`.
    ServerConnected {
        name: String,
        version: String,
        protocol: String,
    },
    /// `tools/list` was answered.
    ToolsListed { tools: Vec<ToolView> },
    /// A tool call began. `TraceEvent::call` is its id.
    ToolCallStarted { tool: String, arguments: Value },
    /// The server told of a step within a call.
    StepReported(Step),
    /// The server reported progress in words only (a server that is not ours).
    ProgressReported {
        message: Option<String>,
        progress: f64,
        total: Option<f64>,
    },
    /// A tool call ended.
    ToolCallFinished {
        tool: String,
        outcome: CallOutcome,
        /// The first text block of the result, or the error.
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        structured: Option<Json>,
        duration_us: u64,
    },

    /// The zone wrote an audit row.
    AuditRecorded(Box<AuditRecord>),
    /// A token exchange waits before it is decided, because somebody holds it.
    ExchangeHeld(Box<HeldExchange>),
    /// It goes on; what is decided comes as an audit row.
    ExchangeReleased(ReleasedExchange),
    /// A read of the zone's sessions and grants.
    SessionsRead {
        sessions: Vec<Session>,
        grants: Vec<DelegatedGrant>,
    },
    /// A read of the zone's policy sets.
    PolicyRead(PolicyOverview),
    /// A stand-in answered a request.
    UpstreamAnswered(UpstreamRequest),
    /// An issue is now like this.
    IssueSeen(Issue),
    /// A `.env` file was read.
    EnvRead {
        which: EnvSide,
        file: String,
        lines: Vec<EnvLine>,
    },

    /// A feed that was followed stopped answering; what it would have told is not observed.
    FeedLost { feed: String, why: String },
    /// Something failed that a person should know of.
    FailureOccurred(Failure),
    /// A person wrote a note.
    NoteWritten { text: String },
    /// A part of the story begins here: a place that is worth going to.
    MarkSet {
        /// The workshop's chapter that it belongs to, from 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chapter: Option<u8>,
        text: String,
    },
    /// A cue of the instructor's run sheet began: such a place, too.
    CueBegan {
        /// Its place in the sheet, from 1.
        number: u16,
        title: String,
    },
    /// The instructor went past a cue without it.
    CueSkipped { number: u16, title: String },

    /// A kind from a newer version, kept as it was; the codec reads and writes it.
    #[serde(skip)]
    Unknown(UnknownFact),
}

/// A fact of a kind that this version does not know, in the two forms that serde gives a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum UnknownFact {
    /// Nothing but its kind.
    Bare(String),
    /// Its kind, and what it says.
    Full(Map<String, Value>),
}

impl UnknownFact {
    /// The name of its kind; `None` for what is no fact in any version.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::Bare(kind) => Some(kind),
            Self::Full(map) if map.len() == 1 => map.keys().next().map(String::as_str),
            Self::Full(_) => None,
        }
    }
}

/// What the run is pointed at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// True for the embedded lab or one that was named, whoever serves the MCP endpoint.
    pub lab: bool,
    /// `LAB`, or the server's host when the server is not the lab's.
    pub name: String,
    /// The MCP endpoint; empty until the lab has started.
    pub server: String,
    /// Whether there is a way into the lab's console.
    #[serde(default, skip_serializing_if = "ConsoleDoor::is_open")]
    pub console: ConsoleDoor,
}

impl Target {
    /// Whether the zone's log and what stands in its console are read in this run. A real zone's
    /// never are, a lab's only with the credential for its console.
    #[must_use]
    pub const fn tells_of_the_zone(&self) -> bool {
        self.lab && self.console.is_open()
    }
}

/// Whether a run has the credential for the zone's console.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleDoor {
    #[default]
    Open,
    Closed,
}

impl ConsoleDoor {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataDocument {
    /// RFC 9728.
    ProtectedResource,
    /// RFC 8414 or OpenID Connect Discovery.
    AuthorizationServer,
}

/// How the person was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrowserLeg {
    /// A browser was opened.
    Opened,
    /// No browser could be opened; the URL was shown.
    Shown,
    /// The lab's sample user consents by itself (`--headless`).
    Headless,
}

/// How the client got its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientGrant {
    AuthorizationCode,
    RefreshToken,
}

/// What a hop of the client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// A protected resource or authorization server metadata document.
    Discovery,
    /// Dynamic client registration.
    Registration,
    /// The browser's way through sign-in and consent, as far as the client makes it itself.
    Authorization,
    /// The browser came back.
    Callback,
    /// The token endpoint.
    Token,
    /// The MCP endpoint.
    Mcp,
    /// The zone's management API and feeds.
    Console,
}

/// A request or response body as it may be shown: masked, and cut at a size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The `Content-Type` without parameters.
    pub media_type: String,
    /// The text, secrets masked; empty for binary content.
    pub text: String,
    /// Bytes on the wire, where known.
    pub bytes: u64,
    /// True when `text` is not all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// A tool as the server offers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolView {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub input_schema: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Json>,
}

/// How a tool call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    Succeeded,
    /// The tool said that it failed (`isError`).
    Failed,
    /// The call did not come through: transport, protocol, authorization.
    Broken,
    Cancelled,
}

/// Which of the two `.env` files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvSide {
    Before,
    After,
}
