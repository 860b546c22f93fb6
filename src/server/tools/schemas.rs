//! What `tools/list` says. Names and shapes are the workshop's; titles and sentences are ours.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS};

static TOOLS: LazyLock<[Tool; 3]> = LazyLock::new(|| {
    [
        tool(
            GET_SUPPORT_TICKETS,
            "Get support tickets",
            "Reads customer support tickets: all of them, oldest first, or the one with ticketId. \
             The answer holds personal data as the customer wrote it.",
            json!({"ticketId": ticket_id("Only this ticket")}),
            &[],
            json!({"tickets": {"type": "array", "items": ticket()}}),
            ToolAnnotations::new().read_only(true).open_world(true),
        ),
        tool(
            ESCALATE_TICKET,
            "Escalate ticket",
            "Files a support ticket as an issue for engineering in Linear. Personal data is replaced \
             by placeholders, labels are chosen, and the priority follows the ticket's severity.",
            json!({"ticketId": ticket_id("The ticket to escalate")}),
            &["ticketId"],
            json!({
                "ticketId": ticket_id("The ticket that was escalated"),
                "issueId": {"type": "string", "description": "The issue's id in Linear"},
                "identifier": {"type": "string", "description": "The issue's short name, such as ENG-1"},
                "url": {"type": "string", "description": "Where the issue can be read"},
                "maskedText": {"type": "string", "description": "The ticket's body as engineers see it"},
                "detectedEntities": {"type": "array", "items": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "enum": [
                            "NAME", "EMAIL", "PHONE", "SSN", "ADDRESS", "CREDIT_CARD", "CREDENTIAL"
                        ]},
                        "placeholder": {"type": "string"}
                    },
                    "required": ["type", "placeholder"],
                    "additionalProperties": false
                }}
            }),
            ToolAnnotations::new()
                .read_only(false)
                .destructive(false)
                .idempotent(false)
                .open_world(true),
        ),
        tool(
            DELETE_ISSUE,
            "Delete issue",
            "Moves an issue to Linear's trash, from where it can be restored.",
            json!({"issueId": {"type": "string", "description": "The issue's id in Linear"}}),
            &["issueId"],
            json!({"success": {"type": "boolean"}, "issueId": {"type": "string"}}),
            ToolAnnotations::new()
                .read_only(false)
                .destructive(true)
                .idempotent(true)
                .open_world(true),
        ),
    ]
});

/// All tools.
pub(in crate::server) fn all() -> Vec<Tool> {
    TOOLS.to_vec()
}

/// The tool called `name`.
pub(in crate::server) fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

fn tool(
    name: &'static str,
    title: &str,
    description: &'static str,
    input: Value,
    required: &[&str],
    output: Value,
    annotations: ToolAnnotations,
) -> Tool {
    let always: Vec<String> = output
        .as_object()
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    let always: Vec<&str> = always.iter().map(String::as_str).collect();
    Tool::new(name, description, object(input, required))
        .with_title(title)
        .with_raw_output_schema(object(output, &always))
        .with_annotations(annotations)
}

fn object(properties: Value, required: &[&str]) -> Arc<JsonObject> {
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), properties);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    Arc::new(schema)
}

fn ticket_id(description: &str) -> Value {
    json!({"type": "string", "format": "uuid", "description": description})
}

fn ticket() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "created_at": text,
            "customer_name": text,
            "email": text,
            "phone": text,
            "plan_tier": {"type": "string", "enum": ["free", "pro", "enterprise"]},
            "severity": {"type": "string", "enum": ["low", "medium", "high", "critical"]},
            "status": {"type": "string", "enum": ["open", "in_progress", "closed"]},
            "subject": text,
            "body": text
        },
        "required": [
            "id", "created_at", "customer_name", "email", "phone",
            "plan_tier", "severity", "status", "subject", "body"
        ],
        "additionalProperties": false
    })
}
