//! Issues in Linear, over its GraphQL.

use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    call::{Credential, Interruption, Setback, Touch, Visit},
    draft::Draft,
    http::{Answer, LARGE_BODY, quote, send, sensitive, trace_header},
    masked::Label,
};
use crate::{
    protocol::{observed::Upstream, tickets::Severity},
    support::{
        cause::misfit,
        error::{Exit, Failure},
    },
};

const LABEL_IDS: &str = "query LabelIds($names: [String!]!) { \
    issueLabels(filter: { name: { in: $names } }) { nodes { id } } }";
const CREATE_ISSUE: &str = "mutation CreateIssue($input: IssueCreateInput!) { \
    issueCreate(input: $input) { success issue { id identifier url } } }";
const TRASH_ISSUE: &str = "mutation TrashIssue($id: String!) { issueDelete(id: $id) { success } }";

/// The ids of labels, by their names. Names that Linear does not know have none.
pub(super) struct LabelIds<'a>(pub &'a [Label]);

/// A new issue.
pub(super) struct CreateIssue {
    pub draft: Draft,
    pub severity: Severity,
    /// Before chapter 5 nobody chooses labels.
    pub label_ids: Option<Vec<String>>,
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
        let data: Data = ask(
            visit,
            Self::INTERRUPTION,
            LABEL_IDS,
            json!({"names": self.0}),
        )
        .await?;
        Ok(data.issue_labels.nodes.into_iter().map(|n| n.id).collect())
    }
}

impl Touch for CreateIssue {
    type Output = Created;
    const UPSTREAM: Upstream = Upstream::Linear;
    const SCOPE: Option<&'static str> = Some("issues:create");
    const INTERRUPTION: Interruption = Interruption::NotOnceSent;
    const DONE: &'static str = "Linear filed the issue";

    fn operation(&self) -> String {
        "CreateIssue".to_owned()
    }

    async fn perform(&self, visit: Visit<'_>) -> Result<Created, Setback> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Input<'a> {
            team_id: &'a str,
            title: &'a str,
            description: &'a str,
            priority: u8,
            #[serde(skip_serializing_if = "Option::is_none")]
            label_ids: Option<&'a [String]>,
        }
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
        let issue = Input {
            team_id: visit.settings.linear_team(),
            title: &self.draft.title,
            description: &self.draft.description,
            priority: self.severity.linear_priority(),
            label_ids: self.label_ids.as_deref(),
        };
        let key = visit.credential;
        let data: Data = ask(
            visit,
            Self::INTERRUPTION,
            CREATE_ISSUE,
            json!({"input": issue}),
        )
        .await?;
        match data.issue_create {
            Payload {
                success: true,
                issue: Some(issue),
            } => Ok(issue),
            Payload { success: true, .. } => Err(Setback::failed(maybe_done(failure(
                key,
                "Linear did not say which issue it created".to_owned(),
                "it answered success: true without the issue",
            )))),
            Payload { success: false, .. } => Err(Setback::refused(failure(
                key,
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
        let key = visit.credential;
        let data: Data = ask(
            visit,
            Self::INTERRUPTION,
            TRASH_ISSUE,
            json!({"id": self.0}),
        )
        .await?;
        if data.issue_delete.success {
            return Ok(());
        }
        Err(Setback::refused(failure(
            key,
            format!("Linear did not trash issue {}", quote(self.0)),
            "it answered success: false and no reason",
        )))
    }
}

async fn ask<T: serde::de::DeserializeOwned>(
    visit: Visit<'_>,
    interruption: Interruption,
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
    let key = visit.credential;
    let Some(authorization) = authorization(key) else {
        return Err(Setback::failed(failure(
            key,
            "Linear could not be called".to_owned(),
            "the credential does not fit into a header",
        )));
    };
    let (trace_name, trace_value) = trace_header(visit.hop);
    let request = visit
        .http
        .post(&visit.address.join("/graphql"))
        .header(AUTHORIZATION, authorization)
        .header(trace_name, trace_value)
        .json(&json!({"query": query, "variables": variables}));
    let failed = |what: String, why: String| {
        let failure = failure(key, what, why);
        Setback::failed(match interruption {
            Interruption::NotOnceSent => maybe_done(failure),
            Interruption::Anytime => failure,
        })
    };
    let answer = send(request, visit.limit, LARGE_BODY)
        .await
        .map_err(|trouble| failed("Linear gave no answer".to_owned(), trouble.to_string()))?;
    let status = answer.status;
    if !status.is_success() {
        let what = format!("Linear API returned {}", status.as_u16());
        return Err(match status.as_u16() {
            401 | 403 => Setback::refused(failure(key, what, answer.quote())),
            400..=499 => {
                let failure = failure(key, what, answer.quote());
                Setback::failed(advised(failure, &answer))
            }
            _ => failed(what, answer.quote()),
        });
    }
    let body: GraphQl = answer.json().map_err(|_| {
        failed(
            "Linear answered something that is no GraphQL".to_owned(),
            answer.described(),
        )
    })?;
    if let Some(errors) = body.errors.filter(|errors| !errors.is_empty()) {
        let messages: Vec<_> = errors.into_iter().map(|error| error.message).collect();
        let failure = failure(
            key,
            "Linear GraphQL error".to_owned(),
            answer.quoted(&messages.join("; ")),
        );
        return Err(Setback::refused(advised(failure, &answer)));
    }
    let data = body.data.filter(|data| !data.is_null()).ok_or_else(|| {
        failed(
            "Linear returned no data".to_owned(),
            "the answer had neither data nor errors".to_owned(),
        )
    })?;
    T::deserialize(data).map_err(|error| {
        failed(
            "Linear's answer could not be understood".to_owned(),
            misfit(&error),
        )
    })
}

/// Whether Linear was asked more than it answers in an hour: it says so by the status, or by an error's
/// type under another one.
fn is_too_often(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<Said>,
    }
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        extensions: Extensions,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Extensions {
        #[serde(rename = "type")]
        kind: Option<String>,
        code: Option<String>,
    }
    let is = |word: &Option<String>| {
        let word = word.as_deref();
        word.is_some_and(|word| word.eq_ignore_ascii_case("ratelimited"))
    };
    answer.status == StatusCode::TOO_MANY_REQUESTS
        || answer.json::<Body>().is_ok_and(|body| {
            let mut said = body.errors.iter().map(|error| &error.extensions);
            said.any(|extensions| is(&extensions.kind) || is(&extensions.code))
        })
}

/// What helps where it is no setting that is wrong.
fn advised(failure: Failure, answer: &Answer) -> Failure {
    if !is_too_often(answer) {
        return failure;
    }
    Failure {
        next: "wait a little, then call the tool again; nothing was done".to_owned(),
        ..failure
    }
}

/// A change may have been made by a request whose answer did not come, or not whole: who simply
/// tries again may have two issues.
fn maybe_done(failure: Failure) -> Failure {
    Failure {
        next: "look in Linear before trying again: it may have been done all the same".to_owned(),
        ..failure
    }
}

/// A key of a person goes as it is, a token of an application behind its scheme.
fn authorization(credential: Credential<'_>) -> Option<HeaderValue> {
    match credential {
        Credential::Issued(token) => {
            sensitive(&Zeroizing::new(format!("Bearer {}", token.expose())))
        }
        Credential::Key(key) => sensitive(key.expose()),
    }
}

fn failure(credential: Credential<'_>, what: String, why: impl Into<String>) -> Failure {
    let next = match credential {
        Credential::Issued(_) => {
            "check LINEAR_API_URL, LINEAR_TEAM_ID and what your Linear account may do"
        }
        Credential::Key(_) => {
            "check LINEAR_API_KEY, LINEAR_TEAM_ID and what the key's owner may do"
        }
    };
    Failure::new(Exit::Failed, what, why, next)
}
