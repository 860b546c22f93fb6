//! The three tools as a client sees them: names, schemas, and what each of them does.

mod schemas;

use rmcp::model::{CallToolResult, ContentBlock, JsonObject};
use serde::Serialize;
use serde_json::Value;
use uuid::{Uuid, Variant};

pub(super) use schemas::{all, find};

use super::{
    anthropic::Mask,
    call::{Call, steps},
    draft::Draft,
    embedded,
    linear::{CreateIssue, LabelIds, TrashIssue},
    settings::Settings,
    supabase::{ListTickets, ReadTicket},
};
use crate::{
    protocol::{
        observed::Upstream,
        tickets::{
            DELETE_ISSUE, Deleted, ESCALATE_TICKET, Escalated, GET_SUPPORT_TICKETS, Ticket,
            Tickets, WHAT_TO_DO,
        },
    },
    support::{
        error::{Exit, Failure},
        text::one_line,
    },
};

/// A call that can be made: a known tool with arguments that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tool {
    GetSupportTickets(Option<Uuid>),
    EscalateTicket(Uuid),
    DeleteIssue(String),
}

/// Why it cannot.
pub(super) enum NoCall {
    /// There is no such tool: a fault of the protocol.
    UnknownTool,
    /// The model chose arguments that do not fit; it is told so in the result and may try again.
    Arguments(Failure),
}

impl Tool {
    /// Reads a call.
    pub fn read(name: &str, arguments: Option<JsonObject>) -> Result<Self, NoCall> {
        let mut arguments = Arguments {
            tool: name,
            given: arguments.unwrap_or_default(),
        };
        let tool = match name {
            GET_SUPPORT_TICKETS => Self::GetSupportTickets(arguments.optional_uuid("ticketId")?),
            ESCALATE_TICKET => match arguments.optional_uuid("ticketId")? {
                Some(id) => Self::EscalateTicket(id),
                None => return Err(arguments.fault("ticketId is missing")),
            },
            DELETE_ISSUE => match arguments.take("issueId") {
                // Whatever it says is Linear's to judge, if the zone lets it come there.
                Some(Value::String(id)) => Self::DeleteIssue(id),
                Some(_) => return Err(arguments.fault("issueId is no text")),
                None => return Err(arguments.fault("issueId is missing")),
            },
            _ => return Err(NoCall::UnknownTool),
        };
        arguments.nothing_left()?;
        Ok(tool)
    }

    /// How many steps it tells when all goes well.
    pub const fn steps(&self, settings: &Settings) -> u32 {
        let stage = settings.stage();
        let ticket = if stage.reads_datastore() {
            steps(settings, Upstream::Supabase)
        } else {
            0
        };
        let linear = steps(settings, Upstream::Linear);
        match self {
            Self::GetSupportTickets(_) => ticket,
            Self::DeleteIssue(_) => linear,
            Self::EscalateTicket(_) if stage.masks() => {
                ticket + steps(settings, Upstream::Anthropic) + 2 * linear
            }
            Self::EscalateTicket(_) => ticket + linear,
        }
    }

    /// Does it.
    pub async fn run(self, call: &Call) -> CallToolResult {
        match self {
            Self::GetSupportTickets(id) => result(get_support_tickets(call, id).await),
            Self::EscalateTicket(id) => result(escalate_ticket(call, id).await),
            Self::DeleteIssue(id) => result(delete_issue(call, id).await),
        }
    }
}

async fn get_support_tickets(call: &Call, id: Option<Uuid>) -> Result<Tickets, Failure> {
    let tickets = match id {
        Some(id) => vec![ticket(call, id).await?],
        None if call.stage().reads_datastore() => call.touch(ListTickets).await?,
        None => embedded::tickets(),
    };
    Ok(Tickets { tickets })
}

async fn ticket(call: &Call, id: Uuid) -> Result<Ticket, Failure> {
    if call.stage().reads_datastore() {
        call.touch(ReadTicket(id)).await
    } else {
        embedded::ticket(id)
    }
}

/// Ticket, mask, labels, issue: in this order, and a step that fails is the last one. Before
/// chapter 5 the ticket goes out as it is, and nobody chooses labels.
async fn escalate_ticket(call: &Call, id: Uuid) -> Result<Escalated, Failure> {
    let ticket = ticket(call, id).await?;
    if !call.stage().masks() {
        let issue = call
            .touch(CreateIssue {
                draft: Draft::verbatim(&ticket),
                severity: ticket.severity,
                label_ids: None,
            })
            .await?;
        return Ok(Escalated {
            ticket_id: ticket.id,
            issue_id: issue.id,
            identifier: issue.identifier,
            url: issue.url,
            masked_text: None,
            detected_entities: None,
        });
    }
    let masked = call.touch(Mask(&ticket)).await?;
    let label_ids = call.touch(LabelIds(&masked.labels)).await?;
    let issue = call
        .touch(CreateIssue {
            draft: Draft::masked(&ticket, &masked, call.acts_as()),
            severity: ticket.severity,
            label_ids: Some(label_ids),
        })
        .await?;
    Ok(Escalated {
        ticket_id: ticket.id,
        issue_id: issue.id,
        identifier: issue.identifier,
        url: issue.url,
        masked_text: Some(masked.text),
        detected_entities: Some(masked.entities),
    })
}

async fn delete_issue(call: &Call, issue_id: String) -> Result<Deleted, Failure> {
    call.touch(TrashIssue(&issue_id)).await?;
    Ok(Deleted {
        success: true,
        issue_id,
    })
}

fn result<T: Serialize>(outcome: Result<T, Failure>) -> CallToolResult {
    // The text is indented, as the workshop's server has it.
    let written = |value: T| {
        let text = serde_json::to_string_pretty(&value)?;
        serde_json::Result::Ok((text, serde_json::to_value(&value)?))
    };
    match outcome.map(written) {
        Ok(Ok((text, value))) => {
            let mut result = CallToolResult::structured(value);
            result.content = vec![ContentBlock::text(text)];
            result
        }
        Ok(Err(error)) => failed(&Failure::new(
            Exit::Failed,
            "The result could not be written",
            error.to_string(),
            "report this: it is a fault of the server",
        )),
        Err(failure) => failed(&failure),
    }
}

/// A failure as a tool's result: what, why, and what to do, for the model and its user to read.
pub(super) fn failed(failure: &Failure) -> CallToolResult {
    let Failure {
        what, why, next, ..
    } = failure;
    let text = format!("{what}: {why}{WHAT_TO_DO}{next}");
    CallToolResult::error(vec![ContentBlock::text(text)])
}

/// The workshop's server answers so, with a result and not with a JSON-RPC error (facts/wire.md, 6).
pub(super) fn unknown(name: &str) -> CallToolResult {
    let text = format!("MCP error -32602: Tool {name} not found");
    CallToolResult::error(vec![ContentBlock::text(text)])
}

struct Arguments<'a> {
    tool: &'a str,
    given: JsonObject,
}

impl Arguments<'_> {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.given.shift_remove(name)
    }

    fn optional_uuid(&mut self, name: &str) -> Result<Option<Uuid>, NoCall> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => match strict_uuid(&text) {
                Some(id) => Ok(Some(id)),
                None => Err(self.fault(&format!("{name} is no UUID"))),
            },
            Some(_) => Err(self.fault(&format!("{name} is no text"))),
        }
    }

    fn nothing_left(&self) -> Result<(), NoCall> {
        match self.given.keys().next() {
            None => Ok(()),
            Some(name) => {
                let name: String = one_line(name).chars().take(40).collect();
                Err(self.fault(&format!("there is no argument {name}")))
            }
        }
    }

    fn fault(&self, why: &str) -> NoCall {
        NoCall::Arguments(Failure::new(
            Exit::Usage,
            format!("{} was called with arguments that do not fit", self.tool),
            why,
            "look at the tool's input schema and call it again",
        ))
    }
}

/// A UUID as RFC 9562 writes it, with hyphens.
fn strict_uuid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
    is_strict(id).then_some(id)
}

/// Whether an id has one of the versions and the variant of RFC 9562.
pub(super) fn is_strict(id: Uuid) -> bool {
    (1..=8).contains(&id.get_version_num()) && id.get_variant() == Variant::RFC4122
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::server::stage::Stage;

    const ID: &str = "3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d";

    fn read(name: &str, arguments: &Value) -> Result<Tool, String> {
        Tool::read(name, arguments.as_object().cloned()).map_err(|no_call| match no_call {
            NoCall::UnknownTool => "unknown".to_owned(),
            NoCall::Arguments(failure) => failure.why,
        })
    }

    #[test]
    fn the_titles_are_the_workshops() {
        for stage in Stage::ALL {
            let titles = all(stage).into_iter().filter_map(|tool| tool.title);
            assert_eq!(
                titles.collect::<Vec<_>>(),
                [
                    "Get support tickets",
                    "Escalate ticket to engineering",
                    "Delete Linear issue"
                ]
            );
        }
    }

    #[rstest]
    #[case(GET_SUPPORT_TICKETS, json!({}), Ok(Tool::GetSupportTickets(None)))]
    #[case(GET_SUPPORT_TICKETS, json!({"ticketId": ID}), Ok(Tool::GetSupportTickets(ID.parse().ok())))]
    #[case(ESCALATE_TICKET, json!({"ticketId": ID}), Ok(Tool::EscalateTicket(ID.parse().unwrap())))]
    #[case(ESCALATE_TICKET, json!({}), Err("ticketId is missing"))]
    #[case(ESCALATE_TICKET, json!({"ticketId": 1}), Err("ticketId is no text"))]
    #[case(ESCALATE_TICKET, json!({"ticketId": "x"}), Err("ticketId is no UUID"))]
    #[case(ESCALATE_TICKET, json!({"ticketId": "3f9a2b1c7d4e4a8b9c6f1e2d3a4b5c6d"}), Err("ticketId is no UUID"))]
    #[case(ESCALATE_TICKET, json!({"ticketId": "3f9a2b1c-7d4e-0a8b-9c6f-1e2d3a4b5c6d"}), Err("ticketId is no UUID"))]
    #[case(ESCALATE_TICKET, json!({"ticketId": ID, "x": 1}), Err("there is no argument x"))]
    #[case(DELETE_ISSUE, json!({"issueId": "any-thing"}), Ok(Tool::DeleteIssue("any-thing".to_owned())))]
    #[case(DELETE_ISSUE, json!({"issueId": ""}), Ok(Tool::DeleteIssue(String::new())))]
    #[case(DELETE_ISSUE, json!({"issueId": 1}), Err("issueId is no text"))]
    #[case("nope", json!({}), Err("unknown"))]
    fn a_call_is_read_strictly(
        #[case] name: &str,
        #[case] arguments: Value,
        #[case] expected: Result<Tool, &str>,
    ) {
        assert_eq!(read(name, &arguments), expected.map_err(str::to_owned));
    }
}
