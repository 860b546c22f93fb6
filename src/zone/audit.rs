//! Audit rows before they are rows: what happened, without number, time or id, which the writer
//! gives in the order in which rows become durable.

use chrono::{DateTime, Utc};

use crate::{
    protocol::{
        audit::{
            AuditEvent, AuditRecord, AuditStatus, CredentialView, IdentityChain, Party,
            PolicyDecision, ResourceRef,
        },
        jwt::TokenView,
        traceparent::TraceParent,
    },
    support::clock::Stopwatch,
};

use super::{
    directory::{Application, Resource, User, UserAgent},
    refusal::Refusal,
};

/// An audit row that is yet to be numbered.
#[derive(Debug, Clone)]
pub struct Draft {
    pub event: AuditEvent,
    pub status: AuditStatus,
    pub resource: Option<ResourceRef>,
    pub scopes: Vec<String>,
    pub actor: IdentityChain,
    pub session_id: Option<String>,
    pub request_id: String,
    pub grant_type: Option<String>,
    pub error: Option<String>,
    pub reason: Option<String>,
    pub decision: Option<PolicyDecision>,
    pub subject_token: Option<TokenView>,
    pub credential: Option<CredentialView>,
    pub trace_parent: Option<TraceParent>,
    /// Runs since the request came in.
    pub started: Stopwatch,
}

impl Draft {
    /// A row for something that was done.
    #[must_use]
    pub fn new(event: AuditEvent, request_id: impl Into<String>, started: Stopwatch) -> Self {
        Self {
            event,
            status: AuditStatus::Issued,
            resource: None,
            scopes: Vec::new(),
            actor: IdentityChain::default(),
            session_id: None,
            request_id: request_id.into(),
            grant_type: None,
            error: None,
            reason: None,
            decision: None,
            subject_token: None,
            credential: None,
            trace_parent: None,
            started,
        }
    }

    /// Turns the row into one of a refusal; a credential in it is dropped.
    pub fn refuse(&mut self, refusal: &Refusal) {
        self.status = AuditStatus::Failure;
        self.error = Some(refusal.code.as_str().to_owned());
        self.reason = Some(refusal.description.clone());
        self.credential = None;
    }

    /// The row with its number. The duration ends here, as the row is handed to the disk.
    pub(super) fn number(
        self,
        id: String,
        sequence: u64,
        occurred_at: DateTime<Utc>,
    ) -> AuditRecord {
        AuditRecord {
            id,
            sequence,
            occurred_at,
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
            subject_token: self.subject_token,
            credential: self.credential,
            trace_parent: self.trace_parent,
            duration_us: self.started.micros(),
        }
    }
}

/// A resource as the log names it.
#[must_use]
pub fn resource_ref(resource: &Resource) -> ResourceRef {
    ResourceRef {
        id: resource.id.clone(),
        identifier: resource.identifier.clone(),
        name: resource.name.clone(),
    }
}

/// An application as the log names it, by the client id that it used.
#[must_use]
pub fn application_party(application: &Application, client_id: &str) -> Party {
    Party {
        id: application.id.clone(),
        identifier: client_id.to_owned(),
        name: application.name.clone(),
    }
}

/// A dynamically registered client as the log names it.
#[must_use]
pub fn user_agent_party(agent: &UserAgent) -> Party {
    Party {
        id: agent.id.clone(),
        identifier: agent.identifier.clone(),
        name: agent.name.clone(),
    }
}

/// A person as the log names them.
#[must_use]
pub fn user_party(user: &User) -> Party {
    Party {
        id: user.id.clone(),
        identifier: user.identifier.clone(),
        name: user.email.clone(),
    }
}
