//! Tickets from Supabase, over PostgREST as supabase-js asks it.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    call::{Setback, Touch, Visit},
    http::{Answer, LARGE_BODY, send, sensitive, trace_header},
    tools::is_strict,
};
use crate::{
    protocol::{
        observed::Upstream,
        tickets::{GET_SUPPORT_TICKETS, Ticket},
    },
    support::{
        cause::misfit,
        error::{Exit, Failure},
    },
};

const WAIT: &str = "wait a little, then call the tool again";

/// All tickets, oldest first.
pub(super) struct ListTickets;

/// The ticket with this id.
pub(super) struct ReadTicket(pub Uuid);

impl Touch for ListTickets {
    type Output = Vec<Ticket>;
    const UPSTREAM: Upstream = Upstream::Supabase;
    const DONE: &'static str = "Supabase gave the tickets";

    fn operation(&self) -> String {
        "tickets".to_owned()
    }

    async fn perform(&self, visit: Visit<'_>) -> Result<Vec<Ticket>, Setback> {
        rows(visit, "select=*&order=created_at.asc").await
    }
}

impl Touch for ReadTicket {
    type Output = Ticket;
    const UPSTREAM: Upstream = Upstream::Supabase;
    const DONE: &'static str = "Supabase gave the ticket";

    fn operation(&self) -> String {
        format!("tickets?id=eq.{}", self.0)
    }

    async fn perform(&self, visit: Visit<'_>) -> Result<Ticket, Setback> {
        let mut rows = rows(visit, &format!("select=*&id=eq.{}", self.0)).await?;
        if rows.len() > 1 {
            return Err(unusable(format!(
                "{} rows have the id {}",
                rows.len(),
                self.0
            )));
        }
        rows.pop()
            .filter(|ticket| ticket.id == self.0)
            .ok_or_else(|| {
                Setback::failed(Failure::new(
                    Exit::Failed,
                    format!("There is no ticket {}", self.0),
                    "Supabase has no row with that id",
                    format!("call {GET_SUPPORT_TICKETS} without an id to see which there are"),
                ))
            })
    }
}

async fn rows(visit: Visit<'_>, query: &str) -> Result<Vec<Ticket>, Setback> {
    let url = visit.address.join(&format!("/rest/v1/tickets?{query}"));
    let key = visit.credential.secret().expose();
    let bearer = Zeroizing::new(format!("Bearer {key}"));
    let (Some(key_header), Some(bearer)) = (sensitive(key), sensitive(&bearer)) else {
        return Err(unusable(
            "the key from the vault does not fit into a header".to_owned(),
        ));
    };
    let (trace_name, trace_value) = trace_header(visit.hop);
    let mut request = visit
        .http
        .get(&url)
        .header("apikey", key_header)
        .header(AUTHORIZATION, bearer)
        .header("accept-profile", "public")
        .header(ACCEPT, "*/*")
        .header(trace_name, trace_value);
    if visit.retry > 0 {
        request = request.header("x-retry-count", visit.retry);
    }
    let answer = send(request, visit.limit, LARGE_BODY)
        .await
        .map_err(|trouble| {
            Setback::failed(failure(
                trouble.to_string(),
                "check SUPABASE_URL, and that the database is up",
            ))
            .or_again(None)
        })?;
    if !answer.status.is_success() {
        return Err(refusal(&answer));
    }
    let values: Vec<Value> = answer
        .json()
        .map_err(|_| unusable(format!("that is no list of rows: {}", answer.described())))?;
    values
        .into_iter()
        .enumerate()
        .map(|(number, value)| {
            let number = number + 1;
            let ticket = Ticket::deserialize(value).map_err(|error| {
                unusable(format!("row {number} is no ticket: {}", misfit(&error)))
            })?;
            // A ticket that is listed can be escalated: that call takes no other id.
            if !is_strict(ticket.id) {
                return Err(unusable(format!(
                    "row {number} is no ticket: its id is no UUID"
                )));
            }
            Ok(ticket)
        })
        .collect()
}

fn refusal(answer: &Answer) -> Setback {
    #[derive(Deserialize)]
    struct PostgrestError {
        message: String,
    }
    let said = answer
        .json::<PostgrestError>()
        .map_or_else(|_| answer.quote(), |error| answer.quoted(&error.message));
    let why = format!("{} ({})", said, answer.status.as_u16());
    match answer.status.as_u16() {
        401 | 403 => Setback::refused(failure(
            why,
            "check that the zone's vault holds the sb_secret_ key of this project",
        )),
        // What supabase-js tries again, and nothing else.
        503 | 520 => {
            let wait: Option<Duration> = answer.retry_after();
            Setback::failed(failure(why, WAIT)).or_again(wait)
        }
        429 => Setback::failed(failure(why, WAIT)),
        _ => Setback::failed(failure(
            why,
            "check SUPABASE_URL and the table public.tickets",
        )),
    }
}

fn failure(why: String, next: &str) -> Failure {
    Failure::new(Exit::Failed, "Supabase query failed", why, next)
}

fn unusable(why: String) -> Setback {
    Setback::failed(failure(
        why,
        "check the table public.tickets and SUPABASE_URL",
    ))
}
