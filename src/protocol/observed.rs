//! What our own server and our stand-ins tell about the hops that the client cannot see itself.
//!
//! Three voices: the server's progress notifications carry a [`Step`] in their `_meta`, each
//! stand-in publishes [`UpstreamRequest`]s, and the Linear stand-in also [`Issue`]s. All of it is
//! ours; the real services say nothing of the kind, and then the product says "not observed".

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    secret::Fingerprint,
    traceparent::{SpanId, TraceId, TraceParent},
};

/// The `_meta` member of a progress notification that carries a [`Step`].
pub const STEP_META_KEY: &str = "dev.hoptrail/step";

/// Path of a stand-in's feed of observed requests (Server-Sent Events): data is an [`Observation`].
/// The header `Last-Event-ID` resumes, and begins anew if the stand-in was started since; `?after=`
/// takes a number in the order of what was seen.
pub const FEED_PATH: &str = "/hoptrail/feed";

/// The name of the feed's event that tells a resuming follower of a gap: its data is how many
/// observations were dropped before they could be read.
pub const FEED_GAP_EVENT: &str = "gap";

/// Path of the lab's description on the zone's origin: [`LabEndpoints`].
pub const LAB_PATH: &str = "/hoptrail/lab";

/// Below this path of the zone the lab hands out tokens that no server may take, each under its
/// [`StrayToken::name`]. Ours.
pub const LAB_TOKENS_PATH: &str = "/hoptrail/lab/tokens";

/// A resource that does not exist, beside an MCP server: by its origin alone it cannot be told from
/// that server.
#[must_use]
pub fn another_resource(server: &str) -> String {
    url::Url::parse(server)
        .and_then(|server| server.join("/hoptrail/another-resource"))
        .map_or_else(|_| "urn:hoptrail:another-resource".to_owned(), String::from)
}

/// A token with the zone's own signature that opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrayToken {
    /// For the MCP server, and over since an hour.
    Expired,
    /// For a resource that does not exist.
    OtherAudience,
}

impl StrayToken {
    /// The end of its path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::OtherAudience => "other-audience",
        }
    }

    /// The token of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Expired, Self::OtherAudience]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Path of the zone's audit feed (Server-Sent Events over [`super::audit::AuditRecord`], bearer:
/// a service account token). Keycard's own Events API is unpublished; this one is ours.
pub const AUDIT_FEED_PATH: &str = "/hoptrail/events";

/// A service that the server calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upstream {
    Supabase,
    Anthropic,
    Linear,
}

impl Upstream {
    /// The service's name as people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supabase => "Supabase",
            Self::Anthropic => "Anthropic",
            Self::Linear => "Linear",
        }
    }
}

/// Something that the server did within a tool call, told as it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The hop this belongs to; the same span id travels in that request's `traceparent`.
    pub span: SpanId,
    /// What was done.
    pub action: StepAction,
    /// For which service.
    pub upstream: Upstream,
    /// The scope of the credential, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Microseconds that it took; for a discarded credential how long it had lived.
    pub duration_us: u64,
    /// The credential's fingerprint, from issue to discard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Fingerprint>,
    /// A word more: the operation, the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    /// The caller's token was exchanged at the zone (or the exchange was refused).
    Exchanged,
    /// The credential was used on the service.
    Used,
    /// The credential was dropped and its memory zeroed.
    Discarded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    Succeeded,
    Refused,
    Failed,
}

/// One entry of a stand-in's feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// A request came in and was answered.
    Request(UpstreamRequest),
    /// An issue was made, changed, trashed or restored.
    Issue(Issue),
}

/// A request as the stand-in saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamRequest {
    pub upstream: Upstream,
    pub occurred_at: DateTime<Utc>,
    pub method: String,
    /// Path and query; queries of the stand-ins hold no secrets.
    pub path: String,
    /// `tickets?id=eq…`, `messages`, the GraphQL operation's name.
    pub operation: String,
    pub status: u16,
    pub duration_us: u64,
    /// Fingerprint of the credential that was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Fingerprint>,
    /// Whom the credential made the caller, where the service knows: the Linear user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_as: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<TraceParent>,
    /// The error's message, where the answer was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A Linear issue as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    pub id: String,
    pub identifier: String,
    pub url: String,
    pub title: String,
    pub description: String,
    /// 1 urgent … 4 low, 0 none.
    pub priority: u8,
    pub labels: Vec<String>,
    pub author: String,
    pub created_at: DateTime<Utc>,
    /// In the trash, from where it can be restored.
    pub trashed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<TraceParent>,
}

/// Where the parts of a lab listen. A part that was left out, or is the real service, has the URL
/// that was given for it and no feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabEndpoints {
    /// The MCP endpoint, with its path.
    pub server: String,
    /// The zone's issuer.
    pub zone: String,
    pub supabase: String,
    pub anthropic: String,
    pub linear: String,
    /// Which of the three services are stand-ins with a feed.
    pub stand_ins: Vec<Upstream>,
    /// Who serves the MCP endpoint.
    #[serde(default, skip_serializing_if = "ServedBy::is_lab")]
    pub served_by: ServedBy,
}

/// Who serves the MCP endpoint that a lab was made for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServedBy {
    #[default]
    Lab,
    /// Somebody's own server, which the lab stands behind.
    Yours,
}

impl ServedBy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    const fn is_lab(&self) -> bool {
        matches!(self, Self::Lab)
    }
}

/// The trace of a tool call, by the id that the client gave it.
pub type CallId = TraceId;
