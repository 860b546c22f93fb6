//! Sends a run's spans to an OpenTelemetry collector while it goes on: OTLP/HTTP with JSON.
//!
//! Beside the run and never in its way: facts go over a channel that nobody waits for, requests are
//! made on a task of their own, and what the collector does not take is told once. Must not look
//! into what the spans say.

mod destination;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, StatusCode, header, redirect};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

pub use self::destination::Destination;
use super::replay::{self, Place};
use crate::{
    export::otlp::{self, Request, Sent, Wanted},
    projection::Projection,
    support::{
        cause::innermost,
        error::{Exit, Failure},
        loopback::is_plain_loopback,
        text::{number_of, one_line},
    },
    trace::{TraceEvent, codec::Header, event::Fact},
};

/// Facts that may wait while a request is under way.
const CAPACITY: usize = 16_384;
/// Spans in a request.
const SPANS: usize = 512;
/// Attempts at one request: as many as fit into the patience at the end of a run, so that the reason
/// is told and not only that there was no answer.
const ATTEMPTS: u32 = 4;
/// The longest wait that a collector may ask for before the next attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How patient the sender is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the end of a call to its spans: other voices still have to tell of it.
    pub quiet: Duration,
    /// Before the second attempt; doubled before each one after it.
    pub retry: Duration,
    /// For what is left when the run is over.
    pub last: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(500),
            retry: Duration::from_millis(500),
            last: Duration::from_secs(5),
        }
    }
}

/// The sending end.
#[derive(Debug)]
pub struct Exporter {
    /// Gone once the run is over.
    facts: Option<mpsc::Sender<TraceEvent>>,
    missed: Arc<AtomicU64>,
    notices: mpsc::Receiver<Failure>,
    task: JoinHandle<()>,
    patience: Patience,
}

impl Exporter {
    /// Begins to send the run with this header to a collector.
    ///
    /// # Errors
    /// If requests cannot be made at all.
    pub fn start(to: Destination, header: Header, patience: Patience) -> Result<Self, Failure> {
        let (tell, notices) = mpsc::channel(1);
        let post = Post::to(to, tell, patience)?;
        let (facts, told) = mpsc::channel(CAPACITY);
        let task = tokio::spawn(live(post, header, told, patience));
        Ok(Self {
            facts: Some(facts),
            missed: Arc::default(),
            notices,
            task,
            patience,
        })
    }

    /// Begins to send a recorded run, all of it.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn replaying(to: Destination, place: Place, patience: Patience) -> Result<Self, Failure> {
        let (tell, notices) = mpsc::channel(1);
        let post = Post::to(to, tell, patience)?;
        let task = tokio::spawn(recorded(post, place));
        Ok(Self {
            facts: None,
            missed: Arc::default(),
            notices,
            task,
            patience,
        })
    }

    /// Hands a fact over; never waits.
    pub fn tell(&self, event: &TraceEvent) {
        if let Some(facts) = &self.facts
            && facts.try_send(event.clone()).is_err()
        {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What went wrong first; for ever nothing if nothing does.
    pub async fn notice(&mut self) -> Failure {
        match self.notices.recv().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }

    /// Sends what is left, as long as patience lasts. Tells what went wrong if nobody was told yet.
    pub async fn finish(mut self) -> Option<Failure> {
        drop(self.facts.take());
        let last = self.patience.last;
        match timeout(last, &mut self.task).await {
            Ok(Ok(())) => {}
            // Whatever was told before, this is not the collector's doing.
            Ok(Err(_)) => return Some(broken()),
            Err(_) => {
                self.task.abort();
                let why = format!("its answer was not there after {} ms", last.as_millis());
                return Some(self.notices.try_recv().unwrap_or_else(|_| lost(&why)));
            }
        }
        let missed = self.missed.load(Ordering::Relaxed);
        let too_fast = || {
            let missed = number_of(missed, "fact");
            lost(&format!("it was too slow for the run, and missed {missed}"))
        };
        let told = self.notices.try_recv().ok();
        told.or_else(|| (missed > 0).then(too_fast))
    }
}

/// Writes what went wrong as a line.
///
/// # Errors
/// What the writer says.
pub fn write(out: &mut impl io::Write, failure: &Failure) -> io::Result<()> {
    let Failure {
        what, why, next, ..
    } = failure;
    writeln!(out, "hoptrail: {what}: {why}; {next}")
}

/// The next notice of an exporter, if there is one.
pub async fn notice(exporter: &mut Option<Exporter>) -> Failure {
    match exporter {
        Some(exporter) => exporter.notice().await,
        None => std::future::pending().await,
    }
}

async fn live(
    mut post: Post,
    header: Header,
    mut told: mpsc::Receiver<TraceEvent>,
    patience: Patience,
) {
    let mut projection = Projection::starting(header.started);
    let mut sent = Sent::default();
    let mut due: Option<Instant> = None;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                due = None;
                post.all(&header, &projection, &mut sent, Wanted::Ended).await;
            }
            event = told.recv() => {
                let Some(event) = event else { break };
                projection.apply(&event);
                if is_end(&event.fact) && due.is_none() {
                    due = Some(Instant::now() + patience.quiet);
                }
            }
        }
    }
    post.all(&header, &projection, &mut sent, Wanted::All).await;
}

/// Whether something that has a span may have come to its end.
fn is_end(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::ToolCallFinished { .. }
            | Fact::TokenIssued { .. }
            | Fact::SignInRefused { .. }
            | Fact::SignInCancelled
    )
}

async fn recorded(mut post: Post, place: Place) {
    let loaded = tokio::task::spawn_blocking(move || replay::load(&place)).await;
    match loaded {
        Ok(Ok(loaded)) => {
            let mut sent = Sent::default();
            let (header, projection) = (&loaded.header, &loaded.projection);
            post.all(header, projection, &mut sent, Wanted::All).await;
        }
        Ok(Err(failure)) => post.notice(failure),
        Err(_) => post.notice(lost("the trace could not be read")),
    }
}

fn lost(why: &str) -> Failure {
    Failure::new(
        Exit::Unreachable,
        "The collector did not take all spans",
        why,
        "look at the collector and at --otlp; `hoptrail export FILE --to otlp` writes them to a file",
    )
}

fn broken() -> Failure {
    Failure {
        what: "The collector did not get all spans".to_owned(),
        why: "the task that sends them stopped unexpectedly; this is a mistake in hoptrail"
            .to_owned(),
        ..Failure::task_stopped()
    }
}

/// Makes the requests.
struct Post {
    client: Client,
    to: Destination,
    tell: mpsc::Sender<Failure>,
    patience: Patience,
    /// The collector let a request down: the next ones get one attempt each until it is back.
    down: bool,
}

/// Why an attempt did not work.
enum Refused {
    /// It may work later.
    ForNow(String, Option<Duration>),
    ForGood(String),
}

impl Post {
    fn to(
        to: Destination,
        tell: mpsc::Sender<Failure>,
        patience: Patience,
    ) -> Result<Self, Failure> {
        let mut builder = Client::builder()
            .user_agent(concat!("hoptrail/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .pool_idle_timeout(None);
        if is_plain_loopback(to.url()) {
            // A proxy would read the collector's key on its way back to this computer.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| lost(&explain(&error)))?;
        Ok(Self {
            client,
            to,
            tell,
            patience,
            down: false,
        })
    }

    /// Sends everything that is wanted and was not sent, request by request.
    async fn all(
        &mut self,
        header: &Header,
        projection: &Projection,
        sent: &mut Sent,
        wanted: Wanted,
    ) {
        while let Some(request) = otlp::next(header, projection, sent, wanted, SPANS) {
            self.send(request).await;
        }
    }

    async fn send(&mut self, Request { body, spans }: Request) {
        let attempts = if self.down { 1 } else { ATTEMPTS };
        let mut pause = self.patience.retry;
        for attempt in 1..=attempts {
            let why = match self.attempt(body.clone()).await {
                Ok(()) => {
                    self.down = false;
                    return;
                }
                Err(Refused::ForGood(why)) => why,
                Err(Refused::ForNow(_, wait)) if attempt < attempts => {
                    sleep(wait.unwrap_or(pause).min(LONGEST_WAIT)).await;
                    pause *= 2;
                    continue;
                }
                Err(Refused::ForNow(why, _)) => {
                    self.down = true;
                    format!("{why}, after {}", number_of(attempt, "attempt"))
                }
            };
            let url = one_line(self.to.url().as_str());
            // Why comes first: a narrow screen has no room for all of it.
            let spans = number_of(spans, "span");
            self.notice(lost(&format!("{why}, for {spans} at {url}")));
            return;
        }
    }

    async fn attempt(&self, body: String) -> Result<(), Refused> {
        let request = self.client.post(self.to.url().clone());
        let request = request
            .headers(self.to.headers().collect())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        let mut response = request
            .send()
            .await
            .map_err(|error| Refused::ForNow(explain(&error), None))?;
        let status = response.status();
        // The codes that OTLP calls retryable.
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        ) {
            let wait = response.headers().get(header::RETRY_AFTER);
            let wait = wait.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let why = format!("it answered {status}");
            return Err(Refused::ForNow(why, wait.map(Duration::from_secs)));
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let why = format!("it answered {status}; OTEL_EXPORTER_OTLP_HEADERS says who sends");
            return Err(Refused::ForGood(why));
        }
        if !status.is_success() {
            return Err(Refused::ForGood(format!("it answered {status}")));
        }
        let mut answer = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            if answer.len() + chunk.len() > LONGEST_ANSWER {
                break;
            }
            answer.extend_from_slice(&chunk);
        }
        match rejected(&answer) {
            Some(why) => Err(Refused::ForGood(why)),
            None => Ok(()),
        }
    }

    /// Tells once; whoever was told knows.
    fn notice(&self, failure: Failure) {
        // Full is told already, closed is nobody there.
        let _ = self.tell.try_send(failure);
    }
}

/// What a collector says that took a part only (`ExportTracePartialSuccess`).
fn rejected(answer: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let partial = answer.get("partialSuccess")?;
    let count = partial.get("rejectedSpans")?;
    // A 64-bit integer is a string in protobuf's JSON, and a number in many a program's.
    let count = count
        .as_str()
        .map_or_else(|| count.as_u64(), |text| text.parse().ok())?;
    let words = partial
        .get("errorMessage")
        .and_then(serde_json::Value::as_str);
    (count > 0).then(|| {
        format!(
            "it rejected {count}: {}",
            one_line(words.unwrap_or("no reason"))
        )
    })
}

fn explain(error: &reqwest::Error) -> String {
    innermost(error).unwrap_or_else(|| one_line(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sender_that_breaks_is_told_at_the_end() {
        let (_tell, notices) = mpsc::channel(1);
        let exporter = Exporter {
            facts: None,
            missed: Arc::default(),
            notices,
            task: tokio::spawn(async { panic!("provoked") }),
            patience: Patience::default(),
        };
        assert_eq!(exporter.finish().await, Some(broken()));
    }
}
