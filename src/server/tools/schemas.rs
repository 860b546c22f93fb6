//! What `tools/list` says at each stage. Names, titles and shapes are the workshop's; sentences are ours.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET, EntityKind, GET_SUPPORT_TICKETS};
use crate::server::stage::Stage;

/// The tools of chapter 5 and later.
static MASKING: LazyLock<[Tool; 3]> = LazyLock::new(|| tools(masking_escalation()));

/// The tools before it: the ticket goes out as it is, and nothing was detected in it.
static VERBATIM: LazyLock<[Tool; 3]> = LazyLock::new(|| tools(verbatim_escalation()));

const fn at(stage: Stage) -> &'static LazyLock<[Tool; 3]> {
    if stage.masks() { &MASKING } else { &VERBATIM }
}

/// All tools.
pub(in crate::server) fn all(stage: Stage) -> Vec<Tool> {
    at(stage).to_vec()
}

/// The tool called `name`.
pub(in crate::server) fn find(stage: Stage, name: &str) -> Option<&'static Tool> {
    at(stage).iter().find(|tool| tool.name == name)
}

fn tools(escalation: Tool) -> [Tool; 3] {
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
        escalation,
        tool(
            DELETE_ISSUE,
            "Delete Linear issue",
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
}

fn masking_escalation() -> Tool {
    let mut output = filed();
    output.extend([
        (
            "maskedText",
            json!({"type": "string", "description": "The ticket's body as engineers see it"}),
        ),
        (
            "detectedEntities",
            json!({"type": "array", "items": {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": EntityKind::ALL},
                    "placeholder": {"type": "string"}
                },
                "required": ["type", "placeholder"],
                "additionalProperties": false
            }}),
        ),
    ]);
    escalation(
        "Files a support ticket as an issue for engineering in Linear. Personal data is replaced \
         by placeholders, labels are chosen, and the priority follows the ticket's severity.",
        output,
    )
}

fn verbatim_escalation() -> Tool {
    escalation(
        "Files a support ticket as an issue for engineering in Linear, as the customer wrote it: \
         personal data included. The priority follows the ticket's severity.",
        filed(),
    )
}

fn escalation(description: &'static str, output: Vec<(&str, Value)>) -> Tool {
    let output: JsonObject = output
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    tool(
        ESCALATE_TICKET,
        "Escalate ticket to engineering",
        description,
        json!({"ticketId": ticket_id("The ticket to escalate")}),
        &["ticketId"],
        output.into(),
        ToolAnnotations::new()
            .read_only(false)
            .destructive(false)
            .idempotent(false)
            .open_world(true),
    )
}

fn filed() -> Vec<(&'static str, Value)> {
    let text = |description: &str| json!({"type": "string", "description": description});
    vec![
        ("ticketId", ticket_id("The ticket that was escalated")),
        ("issueId", text("The issue's id in Linear")),
        ("identifier", text("The issue's short name, such as ENG-1")),
        ("url", text("Where the issue can be read")),
    ]
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
