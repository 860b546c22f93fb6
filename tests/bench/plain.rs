//! The whole escalation as any MCP client sees it that asks for its result and nothing else: no progress,
//! no feeds, the lab in a process of its own. What hoptrail pays for looking on is the difference to
//! [`super::escalation`].

use std::{fs, path::Path};

use hoptrail::{
    protocol::tickets::{ESCALATE_TICKET, GET_SUPPORT_TICKETS, Tickets},
    runtime::{TargetChoice, backend, stream},
    support::{
        clock::{Stopwatch, SystemClock},
        error::Failure,
    },
};
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use super::{Measured, options::options, process::Lab, sample::Sample, table::Row};

const WARM_UP: usize = 50;
const CALLS: usize = 1_000;

pub fn measure() -> Measured {
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let env = state.path().join("lab.env");
    let lab = Lab::start(
        &state.path().join("lab"),
        &["--write-env".as_ref(), env.as_os_str()],
    )?;
    let written = fs::read_to_string(&env).map_err(|e| e.to_string())?;
    let server = written
        .lines()
        .find_map(|line| line.strip_prefix("MCP_RESOURCE_URL="))
        .ok_or("the lab named no server")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let sample = runtime.block_on(async {
        let (token, tickets) = person(server, &state.path().join("client"))
            .await
            .map_err(|failure| failure.to_string().replace('\n', "; "))?;
        escalations(server, &token, &tickets)
            .await
            .map_err(|error| error.to_string())
    })?;
    drop(lab);
    Ok(vec![Row::at_most(
        "  asked by a plain MCP client, p50",
        2.5,
        sample.after(WARM_UP).millis(50),
        "ms",
    )])
}

/// A token, and the ids of the tickets that there are.
async fn person(server: &str, state: &Path) -> Result<(String, Tickets), Failure> {
    let (sink, _stream) = stream::open(&SystemClock);
    let options = options(TargetChoice::Server(server.to_owned()), state);
    let mut opening = backend::open(options, sink);
    let backend = opening.ready().await?;
    let cancel = CancellationToken::new();
    backend.client.sign_in(cancel.clone()).await?;
    let listed = backend
        .client
        .call_tool(GET_SUPPORT_TICKETS, Map::new(), cancel)
        .await?;
    let token = backend.client.bearer().await?;
    opening.close().await;
    let tickets = listed
        .structured
        .and_then(|value| serde_json::from_value(value).ok());
    Ok((
        token
            .map(|token| token.expose().clone())
            .unwrap_or_default(),
        tickets.unwrap_or(Tickets {
            tickets: Vec::new(),
        }),
    ))
}

async fn escalations(
    server: &str,
    token: &str,
    tickets: &Tickets,
) -> Result<Sample, Box<dyn std::error::Error>> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(std::iter::empty())
        .tcp_nodelay(true)
        .build()?;
    let mut sample = Sample::default();
    let tickets = tickets.tickets.iter().cycle();
    for (number, ticket) in (1..=WARM_UP + CALLS).zip(tickets) {
        let call = json!({
            "jsonrpc": "2.0", "id": number, "method": "tools/call",
            "params": {"name": ESCALATE_TICKET, "arguments": {"ticketId": ticket.id}},
        });
        let watch = Stopwatch::start();
        let answer = client
            .post(server)
            .bearer_auth(token)
            .header("accept", "application/json, text/event-stream")
            .json(&call)
            .send()
            .await?
            .text()
            .await?;
        sample.add(watch.micros());
        if !answer.contains("\"isError\":false") {
            return Err(format!("the call failed: {answer}").into());
        }
    }
    Ok(sample)
}
