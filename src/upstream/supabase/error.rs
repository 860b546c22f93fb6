//! Errors in the shapes of Supabase's gateway and of PostgREST, with PostgREST's and Postgres' codes.

use axum::{
    Json,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::support::text::one_line;

/// An error as it goes onto the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgError {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    /// The gateway in front of PostgREST.
    Gateway {
        message: String,
        hint: Option<&'static str>,
    },
    /// PostgREST, or Postgres through it.
    Postgrest {
        code: &'static str,
        message: String,
        details: Option<String>,
        hint: Option<String>,
    },
}

impl PgError {
    fn gateway(status: StatusCode, message: &str, hint: Option<&'static str>) -> Self {
        Self {
            status,
            body: Body::Gateway {
                message: message.to_owned(),
                hint,
            },
        }
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            body: Body::Postgrest {
                code,
                message: message.into(),
                details: None,
                hint: None,
            },
        }
    }

    fn details(mut self, text: impl Into<String>) -> Self {
        if let Body::Postgrest { details, .. } = &mut self.body {
            *details = Some(text.into());
        }
        self
    }

    fn hint(mut self, text: impl Into<String>) -> Self {
        if let Body::Postgrest { hint, .. } = &mut self.body {
            *hint = Some(text.into());
        }
        self
    }

    /// The message alone.
    pub fn message(&self) -> &str {
        match &self.body {
            Body::Gateway { message, .. } | Body::Postgrest { message, .. } => message,
        }
    }

    pub fn gateway_no_key() -> Self {
        Self::gateway(
            StatusCode::UNAUTHORIZED,
            "No API key found in request",
            Some("No `apikey` request header or url param was found."),
        )
    }

    pub fn gateway_bad_key() -> Self {
        Self::gateway(
            StatusCode::UNAUTHORIZED,
            "Invalid API key",
            Some("Double check your Supabase `anon` or `service_role` API key."),
        )
    }

    pub fn gateway_no_route() -> Self {
        Self::gateway(
            StatusCode::NOT_FOUND,
            "no Route matched with those values",
            None,
        )
    }

    pub fn not_a_jwt(token: &str) -> Self {
        let parts = token.split('.').count();
        let message = if parts == 3 {
            "No suitable key or wrong key type".to_owned()
        } else {
            format!("Expected 3 parts in JWT; got {parts}")
        };
        Self::new(StatusCode::UNAUTHORIZED, "PGRST301", message)
    }

    pub fn no_table(name: &str) -> Self {
        let name = one_line(name);
        Self::new(
            StatusCode::NOT_FOUND,
            "PGRST205",
            format!("Could not find the table 'public.{name}' in the schema cache"),
        )
        .hint("Perhaps you meant the table 'public.tickets'")
    }

    pub fn no_function(name: &str) -> Self {
        let name = one_line(name);
        Self::new(
            StatusCode::NOT_FOUND,
            "PGRST202",
            format!("Could not find the function public.{name} in the schema cache"),
        )
        .details("The lab's database has no functions.")
    }

    pub fn no_schema(name: &str) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "PGRST106",
            format!("Invalid schema: {}", one_line(name)),
        )
        .hint("Only the following schemas are exposed: public")
    }

    pub fn no_media_type(accept: &str) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "PGRST107",
            format!(
                "None of these media types are available: {}",
                one_line(accept)
            ),
        )
    }

    pub fn no_column(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "42703",
            format!("column tickets.{} does not exist", one_line(name)),
        )
    }

    pub fn no_such_column_to_write(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PGRST204",
            format!(
                "Could not find the '{}' column of 'tickets' in the schema cache",
                one_line(name)
            ),
        )
    }

    pub fn no_relationship(name: &str) -> Self {
        let name = one_line(name);
        Self::new(
            StatusCode::BAD_REQUEST,
            "PGRST200",
            format!(
                "Could not find a relationship between 'tickets' and '{name}' in the schema cache"
            ),
        )
        .details("The lab's database has one table and no relationships.")
    }

    pub fn no_aggregates() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PGRST123",
            "Use of aggregate functions is not allowed",
        )
    }

    /// A query parameter that cannot be read: `what` is `filter`, `order`, `logic tree` …
    pub fn unreadable(what: &str, text: &str, expected: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PGRST100",
            format!(
                "\"failed to parse {what} ({})\" (line 1, column 1)",
                one_line(text)
            ),
        )
        .details(expected)
    }

    /// What PostgREST does and the lab does not: refused, never half done. The code and the words are
    /// ours.
    pub fn not_in_the_lab(what: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "PGRST100",
            format!("the lab's stand-in does not know {}", one_line(what)),
        )
        .details("PostgREST does.")
    }

    /// Supabase loads pg-safeupdate for whoever comes through the API.
    pub fn no_where_clause(statement: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "21000",
            format!("{statement} requires a WHERE clause"),
        )
    }

    pub fn bad_value(kind: &str, code: &'static str, value: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            code,
            format!(
                "invalid input syntax for type {kind}: \"{}\"",
                one_line(value)
            ),
        )
    }

    pub fn no_operator(kind: &str, operator: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "42883",
            format!("operator does not exist: {kind} {operator} unknown"),
        )
        .hint(
            "No operator matches the given name and argument types. You might need to add explicit type casts.",
        )
    }

    pub fn bad_range(details: impl Into<String>) -> Self {
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "PGRST103",
            "Requested range not satisfiable",
        )
        .details(details)
    }

    pub fn not_one(rows: usize) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
        )
        .details(format!("The result contains {rows} rows"))
    }

    pub fn bad_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "PGRST102", "Empty or invalid json")
    }

    pub fn null_in(column: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "23502",
            format!(
                "null value in column \"{column}\" of relation \"tickets\" violates not-null constraint"
            ),
        )
    }

    pub fn check_failed(column: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "23514",
            format!(
                "new row for relation \"tickets\" violates check constraint \"tickets_{column}_check\""
            ),
        )
    }

    pub fn duplicate(id: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "23505",
            "duplicate key value violates unique constraint \"tickets_pkey\"",
        )
        .details(format!("Key (id)=({id}) already exists."))
    }

    pub fn row_security() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "42501",
            "new row violates row-level security policy for table \"tickets\"",
        )
    }

    pub fn unsupported_method(method: &Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "PGRST117",
            format!("Unsupported HTTP method: {method}"),
        )
    }

    pub fn too_large(why: &str) -> Self {
        Self::gateway(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("Request size limit exceeded: {}", one_line(why)),
            None,
        )
    }
}

impl IntoResponse for PgError {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        if self.status == StatusCode::UNAUTHORIZED && matches!(self.body, Body::Postgrest { .. }) {
            headers.insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer"),
            );
        }
        let body = match self.body {
            Body::Gateway { message, hint } => {
                let mut body = json!({ "message": message });
                if let Some(hint) = hint {
                    body["hint"] = hint.into();
                }
                body
            }
            Body::Postgrest {
                code,
                message,
                details,
                hint,
            } => json!({
                "code": code,
                "details": details,
                "hint": hint,
                "message": message,
            }),
        };
        (self.status, headers, Json(body)).into_response()
    }
}

/// How the service words an error of `status`, for scripted faults.
#[must_use]
pub fn body_for_status(status: StatusCode) -> Value {
    match status {
        StatusCode::UNAUTHORIZED => json!({
            "message": "Invalid API key",
            "hint": "Double check your Supabase `anon` or `service_role` API key.",
        }),
        StatusCode::TOO_MANY_REQUESTS => json!({ "message": "API rate limit exceeded" }),
        StatusCode::SERVICE_UNAVAILABLE => json!({
            "code": "PGRST002",
            "details": null,
            "hint": null,
            "message": "Could not query the database for the schema cache. Retrying.",
        }),
        status => json!({
            "code": status.as_str(),
            "details": null,
            "hint": null,
            "message": status.canonical_reason().unwrap_or("Unknown error"),
        }),
    }
}
