//! What an issue says: the ticket as the customer wrote it, or as engineers may see it.

use super::masked::Masked;
use crate::protocol::tickets::{PlanTier, Ticket};

/// An issue before it is filed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub title: String,
    pub description: String,
}

impl Draft {
    /// Before chapter 5: everything that the customer wrote, and who the customer is.
    pub fn verbatim(ticket: &Ticket) -> Self {
        Self {
            title: format!("[support-escalation] {}", ticket.subject),
            description: [
                &*ticket.body,
                "---",
                &format!(
                    "**Customer:** {} ({}, {})",
                    ticket.customer_name, ticket.email, ticket.phone
                ),
                &about(ticket),
                &reference(ticket),
            ]
            .join("\n\n"),
        }
    }

    /// The masked ticket; `application` is the one that files it for the caller, from chapter 6 on.
    pub fn masked(ticket: &Ticket, masked: &Masked, application: Option<&str>) -> Self {
        let mut parts = vec![
            masked.text.clone(),
            "---".to_owned(),
            about(ticket),
            reference(ticket),
        ];
        if let Some(id) = application {
            parts.push("---".to_owned());
            parts.push(format!(
                "Submitted by Keycard app `{id}` via Support Escalation MCP"
            ));
        }
        Self {
            title: format!("[case] {}", masked.title),
            description: parts.join("\n\n"),
        }
    }
}

fn about(ticket: &Ticket) -> String {
    let plan = match ticket.plan_tier {
        PlanTier::Free => "free",
        PlanTier::Pro => "pro",
        PlanTier::Enterprise => "enterprise",
    };
    format!(
        "**Plan:** {plan} · **Severity:** {}",
        ticket.severity.as_str()
    )
}

fn reference(ticket: &Ticket) -> String {
    format!("**Support ticket:** {}", ticket.id)
}
