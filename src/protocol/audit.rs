//! One row of the zone's audit log.
//!
//! Keycard's raw event JSON and its Events API are unpublished. The event type names,
//! `Failure`, the identity chain, session and request ids are Keycard's; `Issued` and the field layout
//! are ours.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{jwt::TokenView, secret::Fingerprint, traceparent::TraceParent};

/// One audit event. Holds no secret: tokens appear as [`TokenView`] or [`Fingerprint`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "Token: Deserialize<'de>"))]
pub struct AuditRecord<Token = TokenView> {
    /// The event's own id.
    pub id: String,
    /// Position in the zone's log, from 1, without gaps.
    pub sequence: u64,
    /// When the zone decided.
    pub occurred_at: DateTime<Utc>,
    /// What was done.
    pub event: AuditEvent,
    /// How it ended.
    pub status: AuditStatus,
    /// For which resource, where one was named and known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceRef>,
    /// The scopes asked for, in the order asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Who acted for whom: Keycard's `identity_chain`.
    pub actor: IdentityChain,
    /// Constant over all hops of one user session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Differs per hop; shared by an issuance and its authorization decision.
    pub request_id: String,
    /// The OAuth grant type that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<String>,
    /// The OAuth error code of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The sentence that went with the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What policy said, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<PolicyDecision>,
    /// The token that was presented for exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_token: Option<Token>,
    /// The credential that was issued; absent when none exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialView>,
    /// The caller's W3C trace context, by which the row belongs to a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<TraceParent>,
    /// How long the zone took to decide and to make it durable, in microseconds.
    #[serde(default)]
    pub duration_us: u64,
}

/// The reason that a row of [`AuditEvent::DelegatedGrantsRevoke`] gives.
pub const CONSENT_REVOKED: &str = "The consent was revoked.";

impl<Token> AuditRecord<Token> {
    /// The event that the row tells of. Before it had an event of its own, a revoked consent was a
    /// `delegated_grants:create` with that reason; stored rows and traces still hold such.
    #[must_use]
    pub fn told(&self) -> AuditEvent {
        match (self.event, self.reason.as_deref()) {
            (AuditEvent::DelegatedGrantsCreate, Some(CONSENT_REVOKED)) => {
                AuditEvent::DelegatedGrantsRevoke
            }
            (event, _) => event,
        }
    }

    /// The policy set that became the active one, where that is what the row tells of.
    #[must_use]
    pub fn activated(&self) -> Option<&PolicySetRef> {
        let decision = self.decision.as_ref();
        decision
            .filter(|_| self.event == AuditEvent::PolicySetsActivate)
            .and_then(|decision| decision.policy_set.as_ref())
    }

    /// The same record with its token in another form.
    #[must_use]
    pub fn with_token<Other>(self, other: impl FnOnce(Token) -> Other) -> AuditRecord<Other> {
        AuditRecord {
            id: self.id,
            sequence: self.sequence,
            occurred_at: self.occurred_at,
            event: self.event,
            status: self.status,
            resource: self.resource,
            scopes: self.scopes,
            actor: self.actor,
            session_id: self.session_id,
            request_id: self.request_id,
            grant_type: self.grant_type,
            error: self.error,
            reason: self.reason,
            decision: self.decision,
            subject_token: self.subject_token.map(other),
            credential: self.credential,
            trace_parent: self.trace_parent,
            duration_us: self.duration_us,
        }
    }
}

/// The event types that the lab's zone writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum AuditEvent {
    /// A credential was asked for.
    #[serde(rename = "credentials:issue")]
    CredentialsIssue,
    /// A person signed in or refused to.
    #[serde(rename = "users:authorize")]
    UsersAuthorize,
    /// Consent was recorded; see [`AuditRecord::told`] for older rows.
    #[serde(rename = "delegated_grants:create")]
    DelegatedGrantsCreate,
    /// Ours: consent was revoked.
    #[serde(rename = "delegated_grants:revoke")]
    DelegatedGrantsRevoke,
    /// Ours: a policy set version became the active one.
    #[serde(rename = "policy_sets:activate")]
    PolicySetsActivate,
}

impl AuditEvent {
    /// The name as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialsIssue => "credentials:issue",
            Self::UsersAuthorize => "users:authorize",
            Self::DelegatedGrantsCreate => "delegated_grants:create",
            Self::DelegatedGrantsRevoke => "delegated_grants:revoke",
            Self::PolicySetsActivate => "policy_sets:activate",
        }
    }
}

/// How an audit event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum AuditStatus {
    /// It was done; for `credentials:issue` a credential exists.
    Issued,
    /// It was refused; no credential exists.
    Failure,
}

/// A resource as the log names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceRef {
    /// The zone's internal id.
    pub id: String,
    /// The registered resource indicator, exactly.
    pub identifier: String,
    /// The display name.
    pub name: String,
}

/// Who acted, for whom. With both, `application` acted on behalf of `user`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdentityChain {
    /// The application or MCP client that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Party>,
    /// The person it acted for; absent when the application acted for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Party>,
}

/// One link of an identity chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Party {
    /// The zone's internal id.
    pub id: String,
    /// What tokens call it: `sub` for a user, the client id for an application.
    pub identifier: String,
    /// The display name: an e-mail address for a user.
    pub name: String,
}

/// What Cedar decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDecision {
    /// Allow or deny.
    pub effect: Effect,
    /// The active policy set at that moment; absent when there was none (then everything is denied).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_set: Option<PolicySetRef>,
    /// The policies that decided: the forbids of a denial, the permits of an allow;
    /// empty when nothing permitted it.
    pub determining: Vec<String>,
}

/// The outcome of an authorization request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Allow,
    Deny,
}

/// A policy set version as the log names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicySetRef {
    pub id: String,
    pub name: String,
    pub version: u32,
}

impl fmt::Display for PolicySetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.name, self.version)
    }
}

/// A credential that was issued, without the credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialView {
    /// Which kind of provider it came from.
    pub source: CredentialSource,
    /// The name by which it can be followed; a JWT also shows its claims.
    pub token: TokenView,
    /// Seconds until it ends, as told to the caller; absent when not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// Where a credential comes from: the three provider types of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialSource {
    /// The zone signs a JWT of its own (console name "Zone Provider").
    KeycardSts,
    /// A stored secret, handed out verbatim.
    KeycardVault,
    /// The upstream provider's token, brokered for that user.
    External,
}

impl CredentialSource {
    /// The word for it on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::KeycardSts => "keycard-sts",
            Self::KeycardVault => "keycard-vault",
            Self::External => "external",
        }
    }
}

/// A page of the audit feed (ours; see the module's note).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditPage<Row = AuditRecord> {
    pub items: Vec<Row>,
}

impl CredentialView {
    /// The fingerprint under which the credential is followed.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.token.fingerprint
    }
}
