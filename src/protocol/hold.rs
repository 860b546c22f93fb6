//! Holding token exchanges before they are decided, so that a room can see what is about to be
//! asked. Ours: Keycard has nothing of the kind, and a real zone cannot be held.

use serde::{Deserialize, Serialize};

use super::{
    audit::{AuditStatus, Party, PolicyDecision, ResourceRef},
    traceparent::TraceParent,
};

/// Path of the zone's gate (bearer: a service account token). Whoever reads it (Server-Sent Events
/// over [`GateEvent`]) holds every token exchange until it is let go; the gate stands open again
/// when the last reader is gone. `POST PATH/ID/release` lets one exchange go, and does nothing if it went already.
pub const GATE_PATH: &str = "/hoptrail/gate";

/// What the gate's feed is called when it stops.
pub const GATE_NAME: &str = "gate";

/// What the gate tells its readers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateEvent {
    /// From now on exchanges are held; each at most so long.
    Closed { at_most_seconds: u64 },
    /// An exchange waits; told again when something else would become of it.
    Held(HeldExchange),
    /// It goes on.
    Released(ReleasedExchange),
}

/// A token exchange that waits, and what would become of it if it were decided now. Nothing is
/// issued and nothing is written by looking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldExchange {
    /// By which it is let go.
    pub id: String,
    /// Which application asks; absent where the request does not say it well enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Party>,
    /// For whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Party>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceRef>,
    pub scopes: Vec<String>,
    pub forecast: Forecast,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<TraceParent>,
}

/// What the zone would say now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    pub status: AuditStatus,
    /// What Cedar says; absent when the request would be refused before it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<PolicyDecision>,
    /// The OAuth error, if it would be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The sentence that goes with the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A token exchange that waits no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedExchange {
    pub id: String,
    pub why: ReleaseReason,
    /// Microseconds that it had waited.
    pub held_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<TraceParent>,
}

/// Why an exchange waits no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// Somebody let it go.
    LetGo,
    /// The last one who held it is gone, or holds no more.
    HolderGone,
    /// It had waited as long as anything may.
    TimedOut,
    /// Who asked gave up; nothing is decided.
    AskerGone,
}

impl ReleaseReason {
    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::LetGo => "let go",
            Self::HolderGone => "nobody holds it any more",
            Self::TimedOut => "held long enough",
            Self::AskerGone => "who asked gave up",
        }
    }
}
