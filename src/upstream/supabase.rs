//! Stand-in for Supabase: the part of PostgREST that supabase-js uses on `public.tickets`.
//!
//! Row-level security is on and there are no policies, as in the workshop: the publishable key sees
//! an empty table, only the secret key reads and writes rows. Rows live in memory. What PostgREST
//! does beyond this (embedding, functions, full-text search) is refused, never half done.

mod answer;
mod error;
mod filter;
mod query;
mod table;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::any,
};
use parking_lot::RwLock;

use crate::{
    protocol::{observed::Upstream, secret::Secret, tickets::Ticket},
    support::{clock::SharedClock, ids::Ids},
};

use self::{
    answer::{Media, Preferences},
    error::PgError,
    query::Query,
    table::{Table, Write},
};
use super::{
    faults::Faults,
    feed::Feed,
    observe::{Noted, bearer, operator},
    stand_in,
};

pub use self::error::body_for_status as error_body;

/// Requests longer than this are refused; tickets may have lines of 4 MB.
const LONGEST_REQUEST: usize = 16 << 20;

/// What the stand-in needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The `sb_secret_…` key, that is not bound by row-level security.
    pub secret_key: Secret,
    /// The `sb_publishable_…` key, that sees nothing.
    pub publishable_key: Secret,
    /// Where requests are told.
    pub feed: Feed,
    /// Scripted faults; made with [`error_body`].
    pub faults: Faults,
    /// Stamps new rows.
    pub clock: SharedClock,
    /// Names new rows.
    pub ids: Ids,
    /// The rows to begin with.
    pub tickets: Vec<Ticket>,
}

/// The five sample tickets of the lab.
///
/// # Panics
/// Never: the file is part of the program and a test reads it.
#[must_use]
pub fn sample_tickets() -> Vec<Ticket> {
    serde_json::from_str(include_str!("../../assets/lab/tickets.json"))
        .expect("the lab's tickets are well-formed")
}

/// The stand-in, complete with feed and fault script.
pub fn router(config: Config) -> Router {
    let Config {
        secret_key,
        publishable_key,
        feed,
        faults,
        clock,
        ids,
        tickets,
    } = config;
    let state = Arc::new(Service {
        secret_key,
        publishable_key,
        clock,
        ids,
        table: RwLock::new(Table::new(tickets)),
    });
    let routes = Router::new()
        .route("/rest/v1/{table}", any(serve))
        .route("/rest/v1/rpc/{function}", any(no_functions))
        .fallback(|| async { PgError::gateway_no_route() })
        .layer(DefaultBodyLimit::max(LONGEST_REQUEST))
        .with_state(state);
    stand_in(routes, Upstream::Supabase, &feed, &faults)
}

#[derive(Debug)]
struct Service {
    secret_key: Secret,
    publishable_key: Secret,
    clock: SharedClock,
    ids: Ids,
    table: RwLock<Table>,
}

/// Who the key makes the caller, in the database's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Bypasses row-level security.
    ServiceRole,
    /// Bound by row-level security; there is no policy that lets anything through.
    Anon,
}

impl Service {
    /// The gateway's check of `apikey`, then PostgREST's of `Authorization`.
    fn role(&self, headers: &HeaderMap) -> Result<Role, PgError> {
        let key = headers
            .get("apikey")
            .and_then(|value| value.to_str().ok())
            .filter(|key| !key.is_empty())
            .ok_or_else(PgError::gateway_no_key)?;
        let role = if self.secret_key.is(key) {
            Role::ServiceRole
        } else if self.publishable_key.is(key) {
            Role::Anon
        } else {
            return Err(PgError::gateway_bad_key());
        };
        // These keys are no JWTs: the gateway lets them pass only as a repetition of `apikey`.
        match headers.get(header::AUTHORIZATION).map(|v| v.to_str()) {
            None => Ok(role),
            Some(Ok(value)) if bearer(value) == Some(key) => Ok(role),
            Some(value) => Err(PgError::not_a_jwt(
                value.ok().and_then(bearer).unwrap_or_default(),
            )),
        }
    }
}

async fn serve(
    State(service): State<Arc<Service>>,
    Path(table): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let query = query.as_deref().unwrap_or_default();
    let noted = Noted::operation(operation(&method, &table, query));
    match answer(&service, &table, query, &method, &headers, body) {
        Ok(mut response) => {
            response.extensions_mut().insert(noted);
            response
        }
        Err(error) => {
            let noted = noted.error(without_values(error.message(), query));
            let mut response = error.into_response();
            response.extensions_mut().insert(noted);
            response
        }
    }
}

fn answer(
    service: &Service,
    table: &str,
    query: &str,
    method: &Method,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, PgError> {
    let role = service.role(headers)?;
    answer::check_profile(method, headers)?;
    if table != "tickets" {
        return Err(PgError::no_table(table));
    }
    let body = body.map_err(|error| PgError::too_large(&error.body_text()))?;
    let preferences = Preferences::read(headers);
    let media = Media::read(headers)?;
    let query = Query::parse(query, headers)?;
    match *method {
        Method::GET | Method::HEAD => {
            let table = service.table.read();
            let found = match role {
                Role::ServiceRole => table.select(&query),
                Role::Anon => table::Found::nothing(),
            };
            answer::rows(&found, &query, media, preferences)
        }
        Method::POST | Method::PATCH | Method::DELETE => {
            if query.filters.is_empty() && *method != Method::POST {
                let delete = *method == Method::DELETE;
                return Err(PgError::no_where_clause(if delete {
                    "DELETE"
                } else {
                    "UPDATE"
                }));
            }
            let write = match *method {
                Method::POST => Write::insert(&body, preferences.conflict, &service.ids)?,
                Method::PATCH => Write::update(&body)?,
                _ => Write::Delete,
            };
            let mut table = service.table.write();
            let change = match (role, &write) {
                (Role::ServiceRole, _) => table.plan(&write, &query, service.clock.now())?,
                (Role::Anon, Write::Insert { .. }) => return Err(PgError::row_security()),
                // Rows that cannot be seen cannot be changed either, and that is no error.
                (Role::Anon, Write::Update(_) | Write::Delete) => table::Change::nothing(),
            };
            let response = answer::written(&write, &change, &query, media, preferences)?;
            table.apply(change);
            Ok(response)
        }
        _ => Err(PgError::unsupported_method(method)),
    }
}

async fn no_functions(
    State(service): State<Arc<Service>>,
    Path(function): Path<String>,
    headers: HeaderMap,
) -> PgError {
    match service.role(&headers) {
        Ok(_) => PgError::no_function(&function),
        Err(error) => error,
    }
}

/// The request in a few words: `tickets`, `tickets?id=eq…`, `insert tickets`.
fn operation(method: &Method, table: &str, query: &str) -> String {
    let verb = match *method {
        Method::POST => "insert ",
        Method::PATCH => "update ",
        Method::DELETE => "delete ",
        _ => "",
    };
    let filters: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !query::is_reserved(name))
        .map(|(name, value)| format!("{name}={}…", operator(&value)))
        .collect();
    if filters.is_empty() {
        format!("{verb}{table}")
    } else {
        format!("{verb}{table}?{}", filters.join("&"))
    }
}

/// An error's message without what was looked for, which PostgREST quotes.
fn without_values(message: &str, query: &str) -> String {
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !query::is_reserved(name))
        .fold(message.to_owned(), |message, (_, value)| {
            let operand = value.split_once('.').map_or("", |(_, operand)| operand);
            [&*value, operand]
                .iter()
                .filter(|text| text.len() > 2)
                .fold(message, |message, text| message.replace(text, "…"))
        })
}

/// The status of a success without anything to show.
const NOTHING_TO_SHOW: StatusCode = StatusCode::NO_CONTENT;
