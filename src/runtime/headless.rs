//! The loop without a terminal: runs one job, writes what happens, and says how it ended.

use std::io;

use serde_json::{Map, Value, json};
use tokio::{
    sync::watch,
    time::{Duration, Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Options, Output,
    backend::{self, Backend, BackendState},
    collector::{self, Exporter, Patience},
    record::Recorder,
    signals::Signals,
    stream::{self, Stream},
};
use crate::{
    client::CallResult,
    plain::{Jsonl, Text},
    projection::Projection,
    protocol::tickets::{
        DELETE_ISSUE, ESCALATE_TICKET, Escalated, GET_SUPPORT_TICKETS, Severity, Tickets,
        WHAT_TO_DO,
    },
    support::error::{Exit, Failure},
    trace::{TraceEvent, codec::Header, event::CallOutcome},
};

/// How long the feeds may take to tell the last rows after the last answer came.
const SETTLE: Duration = Duration::from_secs(2);
/// How long the feeds may take to tell the last of a call; a part without a feed never does.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// The whole story; of this ticket, or of the first critical one.
    Demo { ticket: Option<Uuid> },
    Call {
        tool: String,
        arguments: Map<String, Value>,
    },
    /// Sign in and list the tools.
    Probe,
}

/// Where lines and words to the person go.
#[derive(Debug)]
pub struct Voices<'a, O, E> {
    pub out: &'a mut O,
    pub err: &'a mut E,
}

/// Runs `job`.
///
/// # Errors
/// What stopped it; for a demo also that the story did not hold.
pub async fn run<O: io::Write, E: io::Write>(
    options: Options,
    output: Output,
    job: Job,
    voices: Voices<'_, O, E>,
) -> Result<Exit, Failure> {
    let (sink, mut stream) = stream::open(&*options.clock);
    let header = stream.header();
    let recorder = match &options.record {
        Some(path) => Some(Recorder::create(path, &header)?),
        None => None,
    };
    let exporter = options
        .otlp
        .clone()
        .map(|to| Exporter::start(to, header.clone(), Patience::default()))
        .transpose()?;
    let mut teller = Teller {
        projection: Projection::starting(header.started),
        recorder,
        exporter,
        writer: Writer::new(output, voices.out, &header)?,
    };
    let mut backend = backend::open(options, sink);
    let cancel = CancellationToken::new();
    let mut work = tokio::spawn(drive(backend.watch(), job.clone(), cancel.clone()));
    let mut signals = Signals::listen();
    let (mut cancelled, mut abandoned) = (false, false);
    let driven = loop {
        tokio::select! {
            biased;
            Some(event) = stream.next() => teller.tell(&event)?,
            url = backend.browser_url() => {
                writeln!(voices.err, "Open this page to sign in, then come back here:\n\n  {url}\n")
                    .map_err(|e| Failure::unwritten(&e))?;
            }
            done = &mut work => break done,
            _ = signals.next() => {
                if cancelled {
                    // Asked twice: whatever still winds up is not waited for.
                    work.abort();
                    abandoned = true;
                    break Ok(Err(backend::stopping()));
                }
                cancelled = true;
                cancel.cancel();
            }
        }
    };
    let driven = driven.unwrap_or_else(|_| Err(Failure::task_stopped()));
    match (&job, &driven) {
        (Job::Demo { .. }, Ok(_)) => {
            let is_complete = |seen: &Projection| seen.story().verdict().is_ok();
            teller.settle(&mut stream, SETTLE, is_complete).await?;
        }
        (Job::Call { .. }, Ok(Some(result))) if teller.has_feeds() => {
            let is_complete = |seen: &Projection| seen.is_told_in_full(result.call);
            teller.settle(&mut stream, LAST_WORDS, is_complete).await?;
        }
        (Job::Demo { .. }, Err(_)) if !cancelled && teller.has_feeds() => {
            let is_complete = |seen: &Projection| {
                let last = seen.tools().calls().iter().rev().find_map(|call| call.id);
                last.is_none_or(|call| seen.is_told_in_full(call))
            };
            teller.settle(&mut stream, LAST_WORDS, is_complete).await?;
        }
        _ => {}
    }
    tokio::select! {
        biased;
        () = std::future::ready(()), if abandoned => {}
        () = backend.close() => {}
        _ = signals.next() => abandoned = true,
    }
    while let Some(event) = stream.try_next() {
        teller.tell(&event)?;
    }
    if let Some(exporter) = teller.exporter.take().filter(|_| !abandoned) {
        let unsent = tokio::select! {
            unsent = exporter.finish() => unsent,
            _ = signals.next() => None,
        };
        if let Some(failure) = unsent {
            collector::write(voices.err, &failure).map_err(|e| Failure::unwritten(&e))?;
        }
    }
    match driven {
        Ok(outcome) => teller.conclude(&job, outcome.as_ref()),
        Err(failure) => {
            teller.break_off(&job)?;
            Err(failure)
        }
    }
}

/// Does the job; everything it finds out is in the trace.
async fn drive(
    mut state: watch::Receiver<BackendState>,
    job: Job,
    cancel: CancellationToken,
) -> Result<Option<CallResult>, Failure> {
    let ready = cancel.run_until_cancelled(backend::ready(&mut state));
    let backend = ready.await.unwrap_or_else(|| Err(backend::stopping()))?;
    match job {
        Job::Demo { ticket } => demo(&backend, ticket, &cancel).await.map(Some),
        Job::Call { tool, arguments } => {
            backend.client.sign_in(cancel.clone()).await?;
            backend
                .client
                .call_tool(&tool, arguments, cancel)
                .await
                .map(Some)
        }
        Job::Probe => {
            backend.meet(&cancel).await?;
            Ok(None)
        }
    }
}

async fn demo(
    backend: &Backend,
    ticket: Option<Uuid>,
    cancel: &CancellationToken,
) -> Result<CallResult, Failure> {
    backend.sign_in(cancel).await?;
    let call = |tool: &'static str, arguments: Value| {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        backend.client.call_tool(tool, arguments, cancel.clone())
    };
    let listed = call(GET_SUPPORT_TICKETS, json!({})).await?;
    let tickets: Tickets = structured(&listed, GET_SUPPORT_TICKETS)?;
    let chosen = ticket
        .or_else(|| {
            tickets
                .tickets
                .iter()
                .find(|t| t.severity == Severity::Critical)
                .or(tickets.tickets.first())
                .map(|t| t.id)
        })
        .ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                "There is no ticket to escalate",
                "the ticket list is empty",
                "check the key in the vault: a key that row-level security binds sees no rows",
            )
        })?;
    let escalated = call(ESCALATE_TICKET, json!({ "ticketId": chosen })).await?;
    let issue: Escalated = structured(&escalated, ESCALATE_TICKET)?;
    let deleted = call(DELETE_ISSUE, json!({ "issueId": issue.issue_id })).await?;
    backend.refresh_console().await?;
    Ok(deleted)
}

/// A tool's structured result.
fn structured<T: serde::de::DeserializeOwned>(
    result: &CallResult,
    tool: &str,
) -> Result<T, Failure> {
    result.given().map_err(|why| {
        // A tool that was refused something says itself what to do about it.
        let (why, next) = why.split_once(WHAT_TO_DO).unwrap_or((
            &why,
            "look at the call's hop to see what came; `hoptrail doctor` looks at the rest",
        ));
        let what = format!("{tool} did not give what the story needs");
        Failure::new(Exit::Failed, what, why, next)
    })
}

enum Writer<'a, O> {
    Plain(Box<Text<&'a mut O>>),
    Json(Jsonl<&'a mut O>),
}

impl<'a, O: io::Write> Writer<'a, O> {
    fn new(output: Output, out: &'a mut O, header: &Header) -> Result<Self, Failure> {
        Ok(match output {
            Output::Plain(style) => Self::Plain(Box::new(Text::new(out, style))),
            Output::Json => {
                let mut json = Jsonl::new(out);
                json.header(header).map_err(|e| Failure::unwritten(&e))?;
                Self::Json(json)
            }
        })
    }
}

struct Teller<'a, O> {
    projection: Projection,
    recorder: Option<Recorder>,
    exporter: Option<Exporter>,
    writer: Writer<'a, O>,
}

impl<O: io::Write> Teller<'_, O> {
    fn tell(&mut self, event: &TraceEvent) -> Result<(), Failure> {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(event)?;
        }
        if let Some(exporter) = &self.exporter {
            exporter.tell(event);
        }
        self.projection.apply(event);
        match &mut self.writer {
            Writer::Plain(text) => text.event(event, &self.projection),
            Writer::Json(json) => json.event(event),
        }
        .map_err(|e| Failure::unwritten(&e))
    }

    /// Whether a lab tells what its parts do.
    fn has_feeds(&self) -> bool {
        self.projection.target().is_some_and(|target| target.lab)
    }

    /// Waits until all is told, or until the feeds had time enough to tell it.
    async fn settle(
        &mut self,
        stream: &mut Stream,
        within: Duration,
        is_complete: impl Fn(&Projection) -> bool,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + within;
        while !is_complete(&self.projection) {
            match timeout_at(deadline, stream.next()).await {
                Ok(Some(event)) => self.tell(&event)?,
                Ok(None) | Err(_) => break,
            }
        }
        Ok(())
    }

    /// What there is to see of a story that did not come to its end; why it did not is told by who called.
    fn break_off(&mut self, job: &Job) -> Result<(), Failure> {
        match (&mut self.writer, job) {
            (Writer::Plain(text), Job::Demo { .. }) => text
                .so_far(&self.projection)
                .map_err(|e| Failure::unwritten(&e)),
            _ => Ok(()),
        }
    }

    fn conclude(&mut self, job: &Job, result: Option<&CallResult>) -> Result<Exit, Failure> {
        let projection = &self.projection;
        if let Writer::Plain(text) = &mut self.writer {
            match job {
                Job::Demo { .. } => text.summary(projection),
                Job::Probe => text.hops(projection),
                Job::Call { .. } => result
                    .and_then(|result| projection.tools().call(result.call))
                    .map_or(Ok(()), |call| text.result(call, projection)),
            }
            .map_err(|e| Failure::unwritten(&e))?;
        }
        let held = match job {
            Job::Demo { .. } => projection.story().verdict().is_ok(),
            Job::Call { .. } => {
                result.is_some_and(|result| result.outcome == CallOutcome::Succeeded)
            }
            Job::Probe => true,
        };
        // The table says it in words; a trace does not.
        if let (Writer::Json(_), Job::Demo { .. }, Err(problems)) =
            (&self.writer, job, projection.story().verdict())
        {
            return Err(Failure::new(
                Exit::Failed,
                "The story did not hold",
                problems.join("; "),
                "run it with --plain for the table of what was issued and refused",
            ));
        }
        Ok(if held { Exit::Ok } else { Exit::Failed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::traceparent::TraceId;

    #[test]
    fn what_a_tool_says_to_do_is_the_next_step() {
        let said = |text: &str| {
            let result = CallResult {
                call: TraceId(1),
                outcome: CallOutcome::Failed,
                text: text.to_owned(),
                structured: None,
            };
            structured::<Tickets>(&result, ESCALATE_TICKET).unwrap_err()
        };
        let failure = said("No such ticket: there are five\nWhat to do: list the tickets");
        assert_eq!(failure.why, "No such ticket: there are five");
        assert_eq!(failure.next, "list the tickets");
        assert!(!said("broken").next.contains("refused"));
    }
}
