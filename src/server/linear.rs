//! Issues in Linear, over its GraphQL.

use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{Interruption, Setback, Touch, Visit},
    http::{LARGE_BODY, quote, send, sensitive, trace_header},
    masked::{Label, Masked},
};
use crate::{
    protocol::{observed::Upstream, tickets::Ticket},
    support::error::{Exit, Failure},
};

const LABEL_IDS: &str = "query LabelIds($names: [String!]!) { \
    issueLabels(filter: { name: { in: $names } }) { nodes { id } } }";
const CREATE_ISSUE: &str = "mutation CreateIssue($input: IssueCreateInput!) { \
    issueCreate(input: $input) { success issue { id identifier url } } }";
const TRASH_ISSUE: &str = "mutation TrashIssue($id: String!) { issueDelete(id: $id) { success } }";

/// The ids of labels, by their names. Names that Linear does not know have none.
pub(super) struct LabelIds<'a>(pub &'a [Label]);

/// A new issue.
pub(super) struct CreateIssue<'a> {
    pub ticket: &'a Ticket,
    pub masked: &'a Masked,
    pub label_ids: Vec<String>,
}

/// Moves an issue to the trash.
pub(super) struct TrashIssue<'a>(pub &'a str);

#[derive(Debug, Deserialize)]
pub(super) struct Created {
    pub id: String,
    pub identifier: String,
    pub url: String,
}

impl Touch for LabelIds<'_> {
    type Output = Vec<String>;
    const UPSTREAM: Upstream = Upstream::Linear;
    const SCOPE: Option<&'static str> = Some("read");
    const DONE: &'static str = "Linear gave the labels' ids";

    fn operation(&self) -> String {
        "LabelIds".to_owned()
    }

    async fn perform(&self, visit: Visit<'_>) -> Result<Vec<String>, Setback> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            issue_labels: Nodes,
        }
        #[derive(Deserialize)]
        struct Nodes {
            nodes: Vec<Node>,
        }
        #[derive(Deserialize)]
        struct Node {
            id: String,
        }
        let data: Data = ask(visit, LABEL_IDS, json!({"names": self.0})).await?;
        Ok(data.issue_labels.nodes.into_iter().map(|n| n.id).collect())
    }
}

impl Touch for CreateIssue<'_> {
    type Output = Created;
    const UPSTREAM: Upstream = Upstream::Linear;
    const SCOPE: Option<&'static str> = Some("issues:create");
    const INTERRUPTION: Interruption = Interruption::NotOnceSent;
    const DONE: &'static str = "Linear filed the issue";

    fn operation(&self) -> String {
        "CreateIssue".to_owned()
    }

    async fn perform(&self, visit: Visit<'_>) -> Result<Created, Setback> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            issue_create: Payload,
        }
        #[derive(Deserialize)]
        struct Payload {
            success: bool,
            issue: Option<Created>,
        }
        let settings = visit.settings;
        let input = json!({
            "teamId": settings.linear_team,
            "title": format!("[case] {}", self.masked.title),
            "description": description(self.ticket, &self.masked.text, &settings.client_id),
            "priority": self.ticket.severity.linear_priority(),
            "labelIds": self.label_ids,
        });
        let data: Data = ask(visit, CREATE_ISSUE, json!({"input": input})).await?;
        match data.issue_create {
            Payload {
                success: true,
                issue: Some(issue),
            } => Ok(issue),
            _ => Err(Setback::refused(failure(
                "Linear did not create the issue".to_owned(),
                "it answered success: false and no reason",
            ))),
        }
    }
}

impl Touch for TrashIssue<'_> {
    type Output = ();
    const UPSTREAM: Upstream = Upstream::Linear;
    const SCOPE: Option<&'static str> = Some("write");
    const INTERRUPTION: Interruption = Interruption::NotOnceSent;
    const DONE: &'static str = "Linear moved the issue to the trash";

    fn operation(&self) -> String {
        "TrashIssue".to_owned()
    }

    async fn perform(&self, visit: Visit<'_>) -> Result<(), Setback> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            issue_delete: Payload,
        }
        #[derive(Deserialize)]
        struct Payload {
            success: bool,
        }
        let data: Data = ask(visit, TRASH_ISSUE, json!({"id": self.0})).await?;
        if data.issue_delete.success {
            return Ok(());
        }
        Err(Setback::refused(failure(
            format!("Linear did not trash issue {}", quote(self.0)),
            "it answered success: false and no reason",
        )))
    }
}

/// The issue's text: the masked ticket, what it is about, and who filed it for whom.
fn description(ticket: &Ticket, masked: &str, client_id: &str) -> String {
    let plan = match ticket.plan_tier {
        crate::protocol::tickets::PlanTier::Free => "free",
        crate::protocol::tickets::PlanTier::Pro => "pro",
        crate::protocol::tickets::PlanTier::Enterprise => "enterprise",
    };
    [
        masked,
        "---",
        &format!(
            "**Plan:** {plan} · **Severity:** {}",
            ticket.severity.as_str()
        ),
        &format!("**Support ticket:** {}", ticket.id),
        "---",
        &format!("Submitted by Keycard app `{client_id}` via Support Escalation MCP"),
    ]
    .join("\n\n")
}

async fn ask<T: serde::de::DeserializeOwned>(
    visit: Visit<'_>,
    query: &str,
    variables: Value,
) -> Result<T, Setback> {
    #[derive(Deserialize)]
    struct GraphQl {
        #[serde(default)]
        data: Option<Value>,
        #[serde(default)]
        errors: Option<Vec<GraphQlError>>,
    }
    #[derive(Deserialize)]
    struct GraphQlError {
        #[serde(default)]
        message: String,
    }
    let Some(bearer) = sensitive(&format!("Bearer {}", visit.credential.expose())) else {
        return Err(Setback::failed(failure(
            "Linear could not be called".to_owned(),
            "the credential does not fit into a header",
        )));
    };
    let (trace_name, trace_value) = trace_header(visit.hop);
    let request = visit
        .http
        .client()
        .post(visit.settings.linear.join("/graphql"))
        .header(AUTHORIZATION, bearer)
        .header(trace_name, trace_value)
        .json(&json!({"query": query, "variables": variables}));
    let answer = send(request, visit.limit, LARGE_BODY)
        .await
        .map_err(|trouble| {
            let mut failure = failure("Linear gave no answer".to_owned(), trouble.to_string());
            if query.starts_with("mutation") {
                "look in Linear before trying again: it may have been done all the same"
                    .clone_into(&mut failure.next);
            }
            Setback::failed(failure)
        })?;
    let status = answer.status;
    if !status.is_success() {
        let failure = failure(
            format!("Linear API returned {}", status.as_u16()),
            answer.quote(),
        );
        return Err(match status.as_u16() {
            401 | 403 => Setback::refused(failure),
            _ => Setback::failed(failure),
        });
    }
    let body: GraphQl = answer.json().map_err(|_| {
        Setback::failed(failure(
            "Linear answered something that is no GraphQL".to_owned(),
            answer.quote(),
        ))
    })?;
    if let Some(errors) = body.errors.filter(|errors| !errors.is_empty()) {
        let messages: Vec<_> = errors.into_iter().map(|error| error.message).collect();
        return Err(Setback::refused(failure(
            "Linear GraphQL error".to_owned(),
            quote(&messages.join("; ")),
        )));
    }
    let data = body.data.filter(|data| !data.is_null()).ok_or_else(|| {
        Setback::failed(failure(
            "Linear returned no data".to_owned(),
            "the answer had neither data nor errors",
        ))
    })?;
    T::deserialize(data).map_err(|error| {
        Setback::failed(failure(
            "Linear's answer could not be understood".to_owned(),
            quote(&error.to_string()),
        ))
    })
}

fn failure(what: String, why: impl Into<String>) -> Failure {
    Failure::new(
        Exit::Failed,
        what,
        why,
        "check LINEAR_API_URL, LINEAR_TEAM_ID and what your Linear account may do",
    )
}
