//! A run without a terminal, held by the test: the runtime's backend over real loopback.

mod options;

use std::{path::Path, sync::Arc};

use hoptrail::{
    client::CallResult,
    projection::Projection,
    protocol::audit::AuditStatus,
    runtime::{
        Options, TargetChoice,
        backend::{self, Backend, Opening},
        stream::{self, Stream},
    },
    trace::{TraceEvent, codec::Header},
};
use serde_json::Value;
use tokio::time::{Duration, Instant, timeout_at};
use tokio_util::sync::CancellationToken;

pub use options::options;

/// How long a fact may take to arrive on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lab in the same process as somebody else's, with its console.
pub fn attached(lab: &hoptrail::lab::LabHandle, state: &Path) -> Options {
    Options {
        console: lab.console.clone(),
        ..options(TargetChoice::Lab(lab.endpoints.zone.clone()), state)
    }
}

/// A run that is under way.
pub struct Run {
    pub header: Header,
    pub events: Vec<TraceEvent>,
    pub projection: Projection,
    pub backend: Arc<Backend>,
    opening: Opening,
    stream: Stream,
}

impl Run {
    /// Opens the backend, and waits until it can be used.
    pub async fn open(options: Options) -> Self {
        let (sink, stream) = stream::open(&*options.clock);
        let header = stream.header();
        let mut opening = backend::open(options, sink);
        let backend = opening
            .ready()
            .await
            .unwrap_or_else(|failure| panic!("{failure}"));
        Self {
            projection: Projection::starting(header.started),
            header,
            events: Vec::new(),
            backend,
            opening,
            stream,
        }
    }

    pub async fn sign_in(&mut self) {
        let signed_in = self.backend.sign_in(&CancellationToken::new()).await;
        signed_in.unwrap_or_else(|failure| panic!("{failure}"));
        self.until("somebody is signed in", |p| p.identity().user().is_some())
            .await;
    }

    pub async fn call(&mut self, tool: &str, arguments: Value) -> CallResult {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let result = self
            .backend
            .client
            .call_tool(tool, arguments, CancellationToken::new())
            .await
            .unwrap_or_else(|failure| panic!("{failure}"));
        let call = result.call;
        self.until("the call's end is told", |p| {
            p.tools()
                .call(call)
                .is_some_and(|call| call.outcome.is_some())
        })
        .await;
        result
    }

    /// Makes a policy set the active one, and waits until that is seen.
    pub async fn activate(&mut self, set: &str) {
        let activated = self.backend.activate(set, 1).await;
        activated.unwrap_or_else(|failure| panic!("{failure}"));
        let active = |p: &Projection| p.policies().active().is_some_and(|s| s.name == set);
        self.until("the policy set is active", active).await;
    }

    /// Folds facts until the projection is as it should be.
    pub async fn until(&mut self, what: &str, is_it: impl Fn(&Projection) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_it(&self.projection) {
            match timeout_at(deadline, self.stream.next()).await {
                Ok(Some(event)) => self.fold(event),
                Ok(None) | Err(_) => panic!(
                    "never: {what}; the last facts are {:#?}",
                    self.events.iter().rev().take(3).collect::<Vec<_>>()
                ),
            }
        }
    }

    fn fold(&mut self, event: TraceEvent) {
        self.projection.apply(&event);
        self.events.push(event);
    }

    /// Ends the run and folds what was still on its way.
    pub async fn close(mut self) -> (Header, Vec<TraceEvent>, Projection) {
        self.opening.close().await;
        while let Some(event) = self.stream.try_next() {
            self.fold(event);
        }
        (self.header, self.events, self.projection)
    }
}

/// The audit log's rows of tool calls as the story tells them: tool, resource, scope, status.
pub fn table(projection: &Projection) -> Vec<String> {
    let text = |name: Option<&str>| name.unwrap_or("—").to_owned();
    projection
        .audit()
        .rows()
        .iter()
        .filter(|row| row.tool.is_some())
        .map(|row| {
            format!(
                "{} | {} | {} | {}",
                text(row.tool.as_deref()),
                text(row.resource.as_deref()),
                text(row.scope.as_deref()),
                match row.status {
                    AuditStatus::Issued => "Issued",
                    AuditStatus::Failure => "Failure",
                }
            )
        })
        .collect()
}
