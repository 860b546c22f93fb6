//! `POST /graphql`: who calls, what they ask, and how Linear would answer.

use async_graphql::{
    Request as Query, ServerError, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, Selection},
};
use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Linear,
    access::{Caller, Scopes},
    bounds,
    refusal::{DocumentFault, Refusal},
    schema::MOST_FIELDS,
    store::{TokenKind, token_hash},
};
use crate::upstream::observe::{self, Noted};

/// No request body is longer; the number is ours.
const LONGEST_BODY: usize = 2 << 20;

/// A GraphQL request. `@linear/sdk` leaves `variables` out when there are none.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: String,
    #[serde(default)]
    variables: Option<serde_json::Value>,
    #[serde(default)]
    operation_name: Option<String>,
}

/// Answers a GraphQL request.
pub async fn answer(State(linear): State<Linear>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let caller = match linear.caller(&parts.headers) {
        Ok(caller) => caller,
        Err(refusal) => return refused(&refusal, Noted::default()),
    };
    let noted = Noted::default().acted_as(caller.member.name.clone());
    match linear.run(&parts.headers, body, caller).await {
        Ok(answered) => {
            let noted = Noted {
                operation: Some(answered.operation),
                error: answered.error,
                ..noted
            };
            let mut response = (answered.status, Json(answered.response)).into_response();
            response.extensions_mut().insert(noted);
            response
        }
        Err(refusal) => refused(&refusal, noted),
    }
}

fn refused(refusal: &Refusal, noted: Noted) -> Response {
    let mut response = (refusal.status(), Json(refusal.body())).into_response();
    response
        .extensions_mut()
        .insert(noted.error(refusal.message()));
    response
}

/// A query that ran, or failed to be one.
struct Answered {
    operation: String,
    status: StatusCode,
    error: Option<String>,
    response: async_graphql::Response,
}

impl Linear {
    /// Whose credential it is. A bare value is a personal API key; behind `Bearer` Linear takes
    /// both.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        if headers.get(header::AUTHORIZATION).is_none() {
            return Err(Refusal::NoCredential);
        }
        let token = observe::presented(headers).ok_or(Refusal::BadCredential)?;
        let lab = &self.inner;
        if lab.api_key.is_some_and(|key| key == token_hash(token)) {
            return lab
                .workspace
                .admin()
                .map(|member| Caller {
                    member: member.clone(),
                    scopes: Scopes::ALL,
                })
                .ok_or(Refusal::BadCredential);
        }
        if !observe::is_bearer(headers) {
            return Err(Refusal::BadCredential);
        }
        lab.store
            .token(token, lab.clock.now())
            .filter(|record| record.kind == TokenKind::Access)
            .and_then(|record| {
                Some(Caller {
                    member: lab.workspace.member(&record.user_id)?.clone(),
                    scopes: record.scopes,
                })
            })
            .ok_or(Refusal::BadCredential)
    }

    async fn run(
        &self,
        headers: &HeaderMap,
        body: Body,
        caller: Caller,
    ) -> Result<Answered, Refusal> {
        if !is_json(headers) {
            return Err(Refusal::Malformed(
                "the body must be application/json".into(),
            ));
        }
        let bytes = to_bytes(body, LONGEST_BODY)
            .await
            .map_err(|_| Refusal::TooLarge)?;
        let asked: Asked = serde_json::from_slice(&bytes).map_err(|_| {
            Refusal::Malformed("the body must be a JSON object with a `query`".into())
        })?;
        let too_much =
            |why: &str| Refusal::InvalidDocument(DocumentFault::Validation, why.to_owned());
        if bounds::nests_too_deep(&asked.query) {
            return Err(too_much("the query nests too deep"));
        }
        if asked
            .variables
            .as_ref()
            .is_some_and(bounds::value_nests_too_deep)
        {
            return Err(too_much("the variables nest too deep"));
        }
        let mut query = Query::new(asked.query).data(caller);
        query.operation_name = asked.operation_name;
        if let Some(variables) = asked.variables {
            query.variables = Variables::from_json(variables);
        }
        if let Some(trace_parent) = observe::trace_parent(headers) {
            query = query.data(trace_parent);
        }
        let mut operation = query.operation_name.clone();
        // What cannot be parsed is told by the engine, as its other errors are.
        if let Ok(document) = query.parsed_query() {
            if bounds::selects_too_much(document, MOST_FIELDS) {
                return Err(too_much("the query is too complex"));
            }
            operation = operation.or_else(|| operation_name(document));
        }
        let mut response = self.schema.execute(query).await;
        for error in &mut response.errors {
            word_as_linear(error);
        }
        // Linear's transport takes the status of an answer from its first error.
        let status = response.errors.first().map_or(StatusCode::OK, status_of);
        let error = (!response.errors.is_empty()).then(|| {
            let messages: Vec<_> = response.errors.iter().map(|e| e.message.as_str()).collect();
            messages.join("; ")
        });
        Ok(Answered {
            operation: operation.unwrap_or_else(|| "graphql".into()),
            status,
            error,
            response,
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The operation's name, or that of its first field.
fn operation_name(document: &ExecutableDocument) -> Option<String> {
    let first_field = |operation: &OperationDefinition| {
        operation
            .selection_set
            .node
            .items
            .iter()
            .find_map(|selection| match &selection.node {
                Selection::Field(field) => Some(field.node.name.node.to_string()),
                Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
            })
    };
    match &document.operations {
        DocumentOperations::Single(operation) => first_field(&operation.node),
        DocumentOperations::Multiple(operations) => {
            operations.keys().next().map(ToString::to_string)
        }
    }
}

/// Gives an error of the GraphQL engine the extensions and, for the commonest one, the words that
/// Linear's engine has. Errors of ours have theirs.
fn word_as_linear(error: &mut ServerError) {
    if error.extensions.is_some() {
        return;
    }
    if let Some(rest) = error.message.strip_prefix("Unknown field ") {
        error.message = format!("Cannot query field {rest}");
    }
    let fault = if error.message.starts_with(" -->") {
        DocumentFault::Syntax
    } else {
        DocumentFault::Validation
    };
    let refusal = Refusal::InvalidDocument(fault, error.message.clone());
    error.extensions = Some(refusal.extensions());
}

fn status_of(error: &ServerError) -> StatusCode {
    let status = error.extensions.as_ref().and_then(|e| e.get("statusCode"));
    match status {
        Some(async_graphql::Value::Number(number)) => number
            .as_u64()
            .and_then(|number| u16::try_from(number).ok())
            .and_then(|number| StatusCode::from_u16(number).ok())
            .unwrap_or(StatusCode::BAD_REQUEST),
        _ => StatusCode::BAD_REQUEST,
    }
}
