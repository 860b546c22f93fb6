//! Records the shipped traces: each is a scene on a lab of its own that is forgotten afterwards.
//!
//! Dates, ids and addresses are the same at every recording; durations are as they were. What the
//! program itself reads of the zone (feeds, lists) is left out, and long bodies are cut: a scene is
//! for looking at. Must not invent an event.

mod on_stage;
mod plays;
mod written;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::plays::Scene;
use super::{
    Consent, Options, TargetChoice,
    backend::{self, Backend, Opening},
    stream::{self, Stream},
};
use crate::{
    client::{
        CallResult,
        http::{DOCUMENT_LIMIT, Outgoing},
    },
    lab::{self, Chapter, LabConfig, LabHandle, wire::SharedWire},
    projection::{HopKind, Projection},
    protocol::tickets::{ESCALATE_TICKET, GET_SUPPORT_TICKETS, Severity},
    shipped,
    support::{
        clock::{Clock, Stopwatch},
        error::{Exit, Failure},
        ids::Ids,
    },
    trace::{
        Actor, Fact, TraceEvent,
        codec::Header,
        event::{CallOutcome, EnvSide, Leg},
        sink::{Report, SharedSink},
    },
};

/// When every scene begins: a Tuesday morning.
const MORNING: &str = "2026-11-24T09:00:00Z";
/// The longest that a voice may take to tell what it saw.
const PATIENCE: Duration = Duration::from_secs(10);
/// Nobody says anything for so long: the step is over.
const QUIET: Duration = Duration::from_millis(120);

/// Records one of the shipped traces and gives its text. `wire` is shown what passes the lab's
/// sockets: for a proof.
///
/// # Errors
/// If there is no such trace, or the lab did not behave as the scene says.
pub async fn record(name: &str, wire: Option<SharedWire>) -> Result<String, Failure> {
    let place = shipped::list().iter().position(|one| one.name == name);
    let (Some(scene), Some(place)) = (Scene::named(name), place) else {
        return Err(Failure::new(
            Exit::Usage,
            format!("There is no shipped trace named {name}"),
            "only those can be recorded again",
            match shipped::nearest(name) {
                Some(meant) => format!(
                    "did you mean {}? `hoptrail traces list` has all",
                    meant.name
                ),
                None => "see them with `hoptrail traces list`".to_owned(),
            },
        ));
    };
    let mut stage = Stage::open(scene, place as u64, wire).await?;
    let played = stage.play(scene).await;
    let text = written::text(&stage.header, shipped::list()[place].line, &stage.events);
    stage.close().await;
    played.map(|()| text)
}

/// A clock that began at [`MORNING`] and can be set ahead: nobody waits for a person who reads.
#[derive(Debug)]
struct SceneClock {
    began: Stopwatch,
    start: DateTime<Utc>,
    ahead_us: AtomicI64,
}

impl Clock for SceneClock {
    fn now(&self) -> DateTime<Utc> {
        let ran = i64::try_from(self.began.micros()).unwrap_or(0);
        self.start + TimeDelta::microseconds(ran + self.ahead_us.load(Ordering::SeqCst))
    }
}

/// A lab, a client before it, and what was told so far.
struct Stage {
    clock: Arc<SceneClock>,
    lab: LabHandle,
    opening: Opening,
    backend: Arc<Backend>,
    sink: SharedSink,
    stream: Stream,
    header: Header,
    events: Vec<TraceEvent>,
    projection: Projection,
    /// Hops of the program's own reading.
    own: HashSet<crate::protocol::traceparent::SpanId>,
    ahead_us: u64,
}

impl Stage {
    async fn open(scene: Scene, seed: u64, wire: Option<SharedWire>) -> Result<Self, Failure> {
        let chapter = Chapter::new(scene.chapter())?;
        let clock = Arc::new(SceneClock {
            began: Stopwatch::start(),
            start: MORNING.parse().unwrap_or_default(),
            ahead_us: AtomicI64::new(0),
        });
        let (sink, stream) = stream::open(&*clock);
        let header = Header::new(clock.start);
        let lab = lab::start(LabConfig {
            stage: Some(chapter),
            wire,
            ..LabConfig::new(None, clock.clone(), Ids::seeded(seed))
        })
        .await?;
        let consent = match scene {
            Scene::ConsentRefused => Consent::Deny(None),
            Scene::OpenDoor
            | Scene::Unmasked
            | Scene::Masked
            | Scene::Escalation
            | Scene::Denial
            | Scene::NoDefaults
            | Scene::UpstreamFails
            | Scene::Expired
            | Scene::OnStage => Consent::Headless(None),
        };
        let options = Options {
            target: TargetChoice::Lab(lab.endpoints.zone.clone()),
            consent,
            record: None,
            otlp: None,
            state: std::path::PathBuf::new(),
            assume_pkce: Vec::new(),
            console: lab.console.clone(),
            lab: super::LabStart::default(),
            clock: clock.clone(),
            ids: Ids::seeded(seed + 100),
        };
        let mut opening = backend::open(options, Arc::clone(&sink));
        let backend = opening.ready().await?;
        let sides = [
            (EnvSide::Before, lab.env_before.clone()),
            (EnvSide::After, lab.env_of(chapter)),
        ];
        // At chapter 0 there is no after yet.
        for (which, lines) in sides
            .into_iter()
            .take(1 + usize::from(chapter.number() > 0))
        {
            sink.report(Report::new(
                Actor::Server,
                Fact::EnvRead {
                    which,
                    file: ".env".to_owned(),
                    lines,
                },
            ));
        }
        let mut stage = Self {
            clock,
            lab,
            opening,
            backend,
            sink,
            stream,
            projection: Projection::starting(header.started),
            header,
            events: Vec::new(),
            own: HashSet::new(),
            ahead_us: 0,
        };
        stage.slow_services().await?;
        stage.settle().await;
        Ok(stage)
    }

    async fn sign_in(&mut self) -> Result<(), Failure> {
        self.backend.sign_in(&CancellationToken::new()).await?;
        self.settle().await;
        expect(
            self.projection.identity().user().is_some(),
            "nobody is signed in",
        )
    }

    /// A server that asks for nothing is greeted, not signed in to.
    async fn connect(&mut self) -> Result<(), Failure> {
        self.backend.sign_in(&CancellationToken::new()).await?;
        self.settle().await;
        Ok(())
    }

    async fn list(&mut self) -> Result<(), Failure> {
        let listed = self.call(GET_SUPPORT_TICKETS, json!({})).await?;
        expect(
            listed.outcome == CallOutcome::Succeeded,
            "the tickets were not read",
        )
    }

    fn ticket(&self) -> Result<uuid::Uuid, Failure> {
        let tickets = self.projection.issues().tickets();
        tickets
            .iter()
            .find(|ticket| ticket.severity == Severity::Critical)
            .map(|ticket| ticket.id)
            .ok_or_else(|| other("there is no critical ticket"))
    }

    /// Escalates the critical ticket; the new issue's id.
    async fn escalate(&mut self) -> Result<String, Failure> {
        let ticket = self.ticket()?;
        self.escalate_ticket(ticket).await
    }

    async fn escalate_ticket(&mut self, ticket: uuid::Uuid) -> Result<String, Failure> {
        let called = self.call(ESCALATE_TICKET, json!({ "ticketId": ticket }));
        let called = called.await?;
        let issue = self.projection.issues().latest();
        let id = issue.map(|issue| issue.id.to_string());
        match (called.outcome, id) {
            (CallOutcome::Succeeded, Some(id)) => Ok(id),
            _ => Err(other(&format!("nothing was filed: {}", called.text))),
        }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Result<CallResult, Failure> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let client = &self.backend.client;
        let result = client
            .call_tool(tool, arguments, CancellationToken::new())
            .await?;
        self.settle().await;
        Ok(result)
    }

    async fn read_zone(&mut self) -> Result<(), Failure> {
        self.backend.refresh_console().await?;
        self.settle().await;
        Ok(())
    }

    fn mark(&self, chapter: u8, text: &str) {
        let chapter = Some(chapter);
        let text = text.to_owned();
        self.sink
            .report(Report::new(Actor::You, Fact::MarkSet { chapter, text }));
    }

    /// A person looks at the screen for so many seconds.
    async fn reads(&mut self, seconds: i64) {
        self.ahead(TimeDelta::seconds(seconds)).await;
    }

    async fn ahead(&mut self, by: TimeDelta) {
        self.settle().await;
        let by = by.num_microseconds().unwrap_or(0);
        self.clock.ahead_us.fetch_add(by, Ordering::SeqCst);
        self.ahead_us += by.unsigned_abs();
    }

    /// Takes what is told, until every voice has told of every hop and all are quiet.
    async fn settle(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_told() {
            match timeout_at(deadline, self.stream.next()).await {
                Ok(Some(event)) => self.take(event),
                // Not all voices came; what the scene expects will tell.
                Ok(None) | Err(_) => break,
            }
        }
        while let Ok(Some(event)) = timeout(QUIET, self.stream.next()).await {
            self.take(event);
        }
    }

    fn is_told(&self) -> bool {
        self.projection.hops().in_order().all(|hop| match hop.kind {
            HopKind::Exchange => hop.evidence.audit.is_some(),
            HopKind::Upstream => hop.evidence.upstream.is_some(),
            HopKind::Request | HopKind::Browser => hop.evidence.returned.is_some(),
        })
    }

    fn take(&mut self, mut event: TraceEvent) {
        let own = match (&event.fact, event.span) {
            (
                // Another policy set in force is a part of the story; the rest is how it is set.
                Fact::HopSent {
                    leg: Leg::Console,
                    method,
                    ..
                },
                Some(span),
            ) if method != "PATCH" => {
                self.own.insert(span);
                true
            }
            (Fact::HopReturned { .. } | Fact::HopFailed { .. }, Some(span)) => {
                self.own.contains(&span)
            }
            _ => false,
        };
        if own {
            return;
        }
        event.seq = self.events.len() as u64;
        event.at_us += self.ahead_us;
        self.projection.apply(&event);
        self.events.push(event);
    }

    /// Lets the stand-ins take as long as services elsewhere would, so that a replay has a pace.
    async fn slow_services(&self) -> Result<(), Failure> {
        let services = &self.lab.endpoints;
        for (url, millis) in [
            (&services.supabase, 90),
            (&services.anthropic, 900),
            (&services.linear, 240),
        ] {
            let script = json!([{ "times": 10_000, "delay_ms": millis }]);
            self.script(url, script).await?;
        }
        Ok(())
    }

    /// Sets a stand-in's script of faults.
    async fn script(&self, stand_in: &str, script: Value) -> Result<(), Failure> {
        let url = Url::parse(stand_in)
            .and_then(|url| url.join("/hoptrail/faults"))
            .map_err(|error| other(&error.to_string()))?;
        let outgoing = Outgoing::new(Method::PUT, url, Leg::Console)
            .body("application/json", script.to_string().into_bytes());
        self.ask(outgoing).await.map(drop)
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        body: &Value,
    ) -> Result<T, Failure> {
        let console = self.backend.console();
        let console = console.ok_or_else(|| other("the lab has no console"))?;
        let mut url = console.api().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(["zones", lab::ZONE_ID]).extend(path);
        }
        let bearer = console.bearer().await?;
        let outgoing = Outgoing::new(Method::POST, url, Leg::Console)
            .body("application/json", body.to_string().into_bytes())
            .header(
                http::header::AUTHORIZATION,
                &format!("Bearer {}", bearer.expose()),
            );
        let answer = self.ask(outgoing).await?;
        serde_json::from_slice(&answer).map_err(|error| other(&error.to_string()))
    }

    async fn ask(&self, outgoing: Outgoing) -> Result<Vec<u8>, Failure> {
        let http = self.backend.client.http();
        let answer = http
            .exchange(outgoing, DOCUMENT_LIMIT)
            .await
            .map_err(|error| error.failure("The lab cannot be set up for the scene"))?;
        if !answer.status.is_success() {
            return Err(other(&format!("the lab answered {}", answer.status)));
        }
        Ok(answer.body)
    }

    async fn close(mut self) {
        self.opening.close().await;
        self.lab.stop().await;
    }
}

fn expect(held: bool, why: &str) -> Result<(), Failure> {
    if held { Ok(()) } else { Err(other(why)) }
}

fn other(why: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "The scene did not go as it is told",
        why,
        "this is a mistake in hoptrail; start with --log FILE to have the details for a report",
    )
}
