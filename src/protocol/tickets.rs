//! The support-escalation server's tools: their names, arguments and results, as the workshop's
//! finished server has them.

use serde::{Deserialize, Serialize};

pub const GET_SUPPORT_TICKETS: &str = "get_support_tickets";
pub const ESCALATE_TICKET: &str = "escalate_ticket";
pub const DELETE_ISSUE: &str = "delete_issue";

/// What stands in a tool's error between what went wrong and what to do about it.
pub const WHAT_TO_DO: &str = "\nWhat to do: ";

/// A row of `public.tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ticket {
    pub id: uuid::Uuid,
    pub created_at: String,
    pub customer_name: String,
    pub email: String,
    pub phone: String,
    pub plan_tier: PlanTier,
    pub severity: Severity,
    pub status: TicketStatus,
    pub subject: String,
    pub body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanTier {
    Free,
    Pro,
    Enterprise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Linear's priority: 1 is urgent, 4 is low.
    #[must_use]
    pub const fn linear_priority(self) -> u8 {
        match self {
            Self::Critical => 1,
            Self::High => 2,
            Self::Medium => 3,
            Self::Low => 4,
        }
    }

    /// The word as the ticket has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketStatus {
    Open,
    InProgress,
    Closed,
}

/// `get_support_tickets`' result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tickets {
    pub tickets: Vec<Ticket>,
}

/// `escalate_ticket`'s result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Escalated {
    pub ticket_id: uuid::Uuid,
    pub issue_id: String,
    pub identifier: String,
    pub url: String,
    /// Absent before chapter 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked_text: Option<String>,
    /// Absent before chapter 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_entities: Option<Vec<DetectedEntity>>,
}

/// A piece of personal data that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DetectedEntity {
    #[serde(rename = "type")]
    pub kind: EntityKind,
    /// `[EMAIL_1]` and the like.
    pub placeholder: String,
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntityKind {
    Name,
    Email,
    Phone,
    Ssn,
    Address,
    CreditCard,
    Credential,
}

impl EntityKind {
    /// Every kind, in the order in which schemas name them.
    pub const ALL: [Self; 7] = [
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::Ssn,
        Self::Address,
        Self::CreditCard,
        Self::Credential,
    ];
}

/// `delete_issue`'s result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    pub success: bool,
    pub issue_id: String,
}
