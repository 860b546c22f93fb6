//! The whole escalation as hoptrail's own client sees it: its call, the server, four exchanges with
//! durable audit rows, four upstream calls; all over loopback, in one process, as in the product.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use hoptrail::{
    projection::Projection,
    protocol::{
        observed::StepAction,
        tickets::{ESCALATE_TICKET, GET_SUPPORT_TICKETS, Tickets},
    },
    runtime::{TargetChoice, backend, backend::Backend, stream},
    support::{clock::SystemClock, error::Failure},
    trace::{Fact, event::CallOutcome},
};
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use super::{Measured, options::options, sample::Sample, table::Row};

const WARM_UP: usize = 50;
const CALLS: usize = 1_000;

pub fn measure() -> Measured {
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let (sample, steps) = runtime
        .block_on(escalations(state.path()))
        .map_err(|failure| failure.to_string().replace('\n', "; "))?;
    let mut rows = vec![
        Row::at_most(
            "whole escalation over the lab, p50",
            2.5,
            sample.millis(50),
            "ms",
        ),
        Row::told("  p99", sample.millis(99), "ms"),
    ];
    for (step, sample) in steps {
        rows.push(Row::told(
            &format!("  {step}, p50"),
            sample.millis(50),
            "ms",
        ));
    }
    Ok(rows)
}

async fn escalations(state: &Path) -> Result<(Sample, BTreeMap<String, Sample>), Failure> {
    let (sink, mut stream) = stream::open(&SystemClock);
    let mut opening = backend::open(options(TargetChoice::Embedded, state), sink);
    let backend = opening.ready().await?;
    let mut work = tokio::spawn(calls(backend));
    let mut projection = Projection::default();
    let mut sample = Sample::default();
    let mut steps = BTreeMap::<String, Sample>::new();
    let ended = loop {
        tokio::select! {
            biased;
            Some(event) = stream.next() => {
                if let Fact::ToolCallFinished { tool, outcome, duration_us, .. } = &event.fact
                    && tool == ESCALATE_TICKET
                    && *outcome == CallOutcome::Succeeded
                {
                    sample.add(*duration_us);
                }
                if let Fact::StepReported(step) = &event.fact {
                    let name = match step.action {
                        StepAction::Exchanged => Some("the server's exchanges"),
                        StepAction::Used => Some(step.upstream.name()),
                        StepAction::Discarded => None,
                    };
                    if let Some(name) = name {
                        steps.entry(name.to_owned()).or_default().add(step.duration_us);
                    }
                }
                projection.apply(&event);
            }
            ended = &mut work => break ended,
        }
    };
    opening.close().await;
    ended.expect("the calls do not panic")?;
    Ok((sample.after(WARM_UP), steps))
}

async fn calls(backend: Arc<Backend>) -> Result<(), Failure> {
    let cancel = CancellationToken::new();
    backend.sign_in(&cancel).await?;
    let listed = backend
        .client
        .call_tool(GET_SUPPORT_TICKETS, Map::new(), cancel.clone())
        .await?;
    let tickets: Tickets = listed
        .structured
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or(Tickets {
            tickets: Vec::new(),
        });
    for ticket in tickets.tickets.iter().cycle().take(WARM_UP + CALLS) {
        let arguments = json!({ "ticketId": ticket.id });
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        backend
            .client
            .call_tool(ESCALATE_TICKET, arguments, cancel.clone())
            .await?;
    }
    Ok(())
}
