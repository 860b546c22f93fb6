//! Read models: each pane's data is a fold of the trace. No I/O, no time, no terminal.
//!
//! Applying one event costs the same at event 10 and at event 1,000,000: maps and appends only,
//! nothing walks back through history. Short texts in the models ([`Name`]) are harmless and on
//! one line; whole documents (tickets, issues, policies, env files, log lines) are as they came,
//! and whoever shows them must make them harmless (`support::text::sanitize`).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    protocol::observed::{CallId, LabEndpoints, Upstream},
    support::{error::Failure, text::first_line},
    trace::{
        TraceEvent,
        event::{Fact, Target},
        lines::SharedLines,
    },
};

pub mod along;
pub mod audit;
pub mod compare;
pub mod credentials;
pub mod env;
pub mod filter;
pub mod holds;
pub mod hops;
pub mod identity;
mod index;
pub mod issue;
pub mod log;
pub mod mark;
mod moment;
pub mod names;
pub mod policy;
pub mod rows;
pub mod sessions;
pub mod story;
mod tie;
pub mod timeline;
pub mod tools;

use self::moment::Moment;

pub use along::Along;
pub use audit::{Audit, AuditId, AuditRow};
pub use compare::Comparison;
pub use credentials::{Credential, Credentials, Letter};
pub use env::Env;
pub use filter::Query;
pub use holds::Holds;
pub use hops::{Asks, Hop, HopId, HopKind, Hops, Verdict};
pub use identity::Identity;
pub use issue::Issues;
pub use log::{Log, Seq};
pub use mark::{Mark, Part};
pub use names::{Name, policy_name};
pub use policy::Policies;
pub use rows::Rows;
pub use sessions::Sessions;
pub use story::Story;
pub use timeline::Timeline;
pub use tools::Tools;

/// Everything that the panes draw, folded from the events so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projection {
    started: Option<DateTime<Utc>>,
    now_us: u64,
    log: Log,
    target: Option<Target>,
    lab: Option<LabEndpoints>,
    lab_chapter: Option<u8>,
    identity: Identity,
    tools: Tools,
    hops: Hops,
    along: Along,
    credentials: Credentials,
    audit: Audit,
    sessions: Sessions,
    holds: Holds,
    policies: Policies,
    env: Env,
    issues: Issues,
    failures: Rows<(Seq, Arc<Failure>)>,
    lost: Rows<LostFeed>,
    notes: Rows<Seq>,
    marks: Rows<Mark>,
    unknown: u64,
    names: names::Names,
}

/// A feed that stopped; what it would have told is not observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostFeed {
    pub feed: Name,
    pub why: Name,
    pub evidence: Seq,
}

impl Projection {
    /// Nothing yet, of a run that began at `started` (the trace header's wall clock).
    #[must_use]
    pub fn starting(started: DateTime<Utc>) -> Self {
        Self {
            started: Some(started),
            ..Self::default()
        }
    }

    /// Nothing yet, of a trace whose lines lie in `source`: events come by [`Self::apply_at`].
    #[must_use]
    pub fn reading(started: DateTime<Utc>, source: SharedLines) -> Self {
        Self {
            log: Log::of(source),
            ..Self::starting(started)
        }
    }

    /// Folds every event of `events`.
    pub fn extend<'a>(&mut self, events: impl IntoIterator<Item = &'a TraceEvent>) {
        for event in events {
            self.apply(event);
        }
    }

    /// Folds one event. Total: what is not understood is counted and kept.
    pub fn apply(&mut self, event: &TraceEvent) {
        let seq = self.log.push(event);
        self.fold(seq, event);
    }

    /// [`Self::apply`] with the event's encoded line at hand, as a reader or a recorder has it.
    pub fn apply_line(&mut self, event: &TraceEvent, line: &str) {
        let seq = self.log.push_line(line);
        self.fold(seq, event);
    }

    /// [`Self::apply`] with the byte at which the event's line begins in [`Self::reading`]'s source.
    pub fn apply_at(&mut self, event: &TraceEvent, start: u64) {
        let seq = self.log.push_place(start);
        self.fold(seq, event);
    }

    /// [`Self::apply_line`] or [`Self::apply_at`], as the line is kept.
    pub fn take(&mut self, event: &TraceEvent, kept: timeline::Kept) {
        match kept {
            timeline::Kept::Line(line) => self.apply_line(event, &line),
            timeline::Kept::At(start) => self.apply_at(event, start),
        }
    }

    /// Everything but the log, which a timeline has once for all places: what a checkpoint keeps.
    fn without_log(&self) -> Self {
        Self {
            log: Log::default(),
            ..self.clone()
        }
    }

    /// A checkpoint with its log again.
    fn with_log(self, log: Log) -> Self {
        Self { log, ..self }
    }

    /// Folds the next event of `whole`, which this projection's log is the beginning of. Tells
    /// the event, skimmed; `None` at the end.
    fn advance(&mut self, whole: &Log) -> Option<TraceEvent> {
        let event = whole.skim(Seq::at(self.log.len()))?;
        let seq = self.log.follow(whole)?;
        self.fold(seq, &event);
        Some(event)
    }

    fn fold(&mut self, seq: Seq, event: &TraceEvent) {
        self.now_us = self.now_us.max(event.at_us);
        let mut at = Moment {
            seq,
            at_us: event.at_us,
            actor: event.actor,
            span: event.span,
            call: event.call,
            started: self.started,
            call_started_us: self.call_began(event.call),
        };
        let tied = match &event.fact {
            Fact::AuditRecorded(record) => self.call_of_exchange(record, event.at_us),
            Fact::UpstreamAnswered(request) => self.call_of_use(request, event.at_us),
            _ => None,
        };
        let names = &self.names;
        let mut shared = hops::Shared {
            names,
            credentials: &mut self.credentials,
        };
        match &event.fact {
            Fact::RunStarted(target) => self.target = Some(target.clone()),
            Fact::LabStarted(endpoints) => self.lab = Some(endpoints.clone()),
            Fact::LabMoved { chapter } => {
                self.lab_chapter = Some(*chapter);
                self.identity.lab_moved();
            }
            fact @ (Fact::SignInStarted { .. }
            | Fact::MetadataRead { .. }
            | Fact::ClientRegistered { .. }
            | Fact::SignInNotNeeded
            | Fact::SignInEnded { .. }
            | Fact::SignedOut) => {
                self.identity
                    .apply(&at, fact, shared.names, shared.credentials);
            }
            fact @ (Fact::BrowserOpened { .. }
            | Fact::TokenIssued { .. }
            | Fact::CallbackReceived { .. }
            | Fact::SignInRefused { .. }
            | Fact::SignInCancelled) => {
                self.identity
                    .apply(&at, fact, shared.names, shared.credentials);
                self.hops.client(&at, fact, &mut shared);
            }
            fact @ (Fact::HopSent { .. } | Fact::HopReturned { .. } | Fact::HopFailed { .. }) => {
                self.hops.client(&at, fact, &mut shared);
                if self.hops.touched_by(seq).is_some_and(Hop::is_read_along) {
                    self.along.note(seq);
                }
            }
            fact @ (Fact::ServerConnected { .. }
            | Fact::ToolsListed { .. }
            | Fact::ToolCallStarted { .. }
            | Fact::ProgressReported { .. }) => self.tools.apply(&at, fact, shared.names),
            fact @ Fact::ToolCallFinished { outcome, text, .. } => {
                // First: of a call without an id nothing is known once it has ended.
                self.issues.finished(&at, fact, &self.tools, shared.names);
                self.tools.apply(&at, fact, shared.names);
                if let Some(call) = at.call {
                    // What to do about it is a line of its own.
                    let note = shared.names.maybe(Some(first_line(text)));
                    self.hops.call_finished(&at, call, *outcome, note);
                }
            }
            Fact::StepReported(step) => self.hops.stepped(&at, step, &mut shared),
            fact @ Fact::AuditRecorded(record) => {
                let call = record.trace_parent.map(|parent| parent.trace).or(at.call);
                at.call = call.or(tied);
                at.call_started_us = began(&self.tools, at.call);
                let row = self.audit.record(
                    &at,
                    record,
                    &mut self.tools,
                    shared.names,
                    shared.credentials,
                );
                if let Some(row) = row {
                    self.sessions.record(row);
                    if !at.precedes_run(record.occurred_at) {
                        self.policies.activated(record, row);
                    }
                    self.policies.record(record, row);
                    self.hops.audited(&at, record, row, &mut shared);
                    self.identity
                        .apply(&at, fact, shared.names, shared.credentials);
                }
            }
            Fact::ExchangeHeld(held) => {
                at.call = held.trace_parent.map(|parent| parent.trace).or(at.call);
                self.hops.held(&at, held, &mut shared);
                self.holds.held(&at, held, shared.names);
            }
            Fact::ExchangeReleased(released) => {
                self.hops.released(&at, released);
                self.holds.released(released);
            }
            Fact::SessionsRead { sessions, grants } => {
                self.sessions.list(&at, sessions, grants, shared.names);
            }
            Fact::PolicyRead(overview) => self.policies.list(seq, overview, shared.names),
            Fact::UpstreamAnswered(request) => {
                let call = request.trace_parent.map(|parent| parent.trace).or(at.call);
                at.call = call.or(tied);
                at.call_started_us = began(&self.tools, at.call);
                self.hops.answered(&at, request, &mut shared);
            }
            Fact::IssueSeen(issue) => self.issues.seen(&at, issue, &self.tools, shared.names),
            Fact::EnvRead { which, file, lines } => self.env.read(seq, *which, file, lines),
            Fact::FeedLost { feed, why } => self.lost.push(LostFeed {
                feed: shared.names.get(feed),
                why: shared.names.get(why),
                evidence: seq,
            }),
            Fact::FailureOccurred(failure) => self.failures.push((seq, Arc::new(failure.clone()))),
            Fact::NoteWritten { .. } => self.notes.push(seq),
            Fact::MarkSet { chapter, text } => self.marks.push(Mark {
                part: chapter.map_or(Part::Unnumbered, Part::Chapter),
                text: shared.names.get(text),
                evidence: seq,
            }),
            Fact::CueBegan { number, title } => self.marks.push(Mark {
                part: Part::Cue(*number),
                text: shared.names.get(title),
                evidence: seq,
            }),
            // Nothing is as it was not before: it tells whoever reads the notes along.
            Fact::CueSkipped { .. } => {}
            Fact::Unknown(_) => self.unknown += 1,
        }
    }

    fn call_began(&self, call: Option<CallId>) -> u64 {
        began(&self.tools, call)
    }

    /// Wall clock at microsecond zero, where the run's header is known.
    #[must_use]
    pub const fn started(&self) -> Option<DateTime<Utc>> {
        self.started
    }

    /// The latest moment that any event tells of, in microseconds of the run.
    #[must_use]
    pub const fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Every event.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The chapter of the workshop at whose end the lab was said to be; `None` is the finished one.
    #[must_use]
    pub const fn lab_chapter(&self) -> Option<u8> {
        self.lab_chapter
    }

    /// What the run is pointed at.
    #[must_use]
    pub const fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// Where the lab listens, once it does.
    #[must_use]
    pub const fn lab(&self) -> Option<&LabEndpoints> {
        self.lab.as_ref()
    }

    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What hoptrail read for itself.
    #[must_use]
    pub const fn along(&self) -> &Along {
        &self.along
    }

    #[must_use]
    pub const fn tools(&self) -> &Tools {
        &self.tools
    }

    #[must_use]
    pub const fn hops(&self) -> &Hops {
        &self.hops
    }

    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    #[must_use]
    pub const fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Exchanges that wait to be let go.
    #[must_use]
    pub const fn holds(&self) -> &Holds {
        &self.holds
    }

    #[must_use]
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    #[must_use]
    pub const fn env(&self) -> &Env {
        &self.env
    }

    #[must_use]
    pub const fn issues(&self) -> &Issues {
        &self.issues
    }

    /// The story's seven steps, put together now.
    #[must_use]
    pub fn story(&self) -> Story {
        Story::of(self)
    }

    /// What failed that a person should know of, oldest first.
    #[must_use]
    pub const fn failures(&self) -> &Rows<(Seq, Arc<Failure>)> {
        &self.failures
    }

    /// Feeds that stopped, oldest first.
    #[must_use]
    pub const fn lost_feeds(&self) -> &Rows<LostFeed> {
        &self.lost
    }

    /// Where notes were written.
    #[must_use]
    pub const fn notes(&self) -> &Rows<Seq> {
        &self.notes
    }

    /// Where parts of the story begin, oldest first.
    #[must_use]
    pub const fn marks(&self) -> &Rows<Mark> {
        &self.marks
    }

    /// How many events were of a kind that this version does not know.
    #[must_use]
    pub const fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Which service a row's resource is: by the lab's URLs where there is a lab, else by the
    /// real service's host or the display name.
    #[must_use]
    pub fn service_of(&self, row: &AuditRow) -> Option<Upstream> {
        let identifier = row.resource_identifier.as_deref().unwrap_or("");
        let same = |url: &str| {
            !url.is_empty() && identifier.trim_end_matches('/') == url.trim_end_matches('/')
        };
        let by_url = self.lab.as_ref().and_then(|lab| {
            [
                (Upstream::Supabase, &lab.supabase),
                (Upstream::Anthropic, &lab.anthropic),
                (Upstream::Linear, &lab.linear),
            ]
            .into_iter()
            .find(|(_, url)| same(url))
            .map(|(service, _)| service)
        });
        by_url.or_else(|| {
            let name = row.resource.as_deref().unwrap_or("");
            [Upstream::Supabase, Upstream::Anthropic, Upstream::Linear]
                .into_iter()
                .find(|service| {
                    let word = service.name().to_lowercase();
                    [identifier, name]
                        .iter()
                        .any(|text| text.to_lowercase().contains(&word))
                })
        })
    }

    /// The ids of the policies that decided a row, as the zone writes them.
    #[must_use]
    pub fn determining(&self, row: &AuditRow) -> Vec<String> {
        match self.log.event(row.evidence).map(|event| event.fact) {
            Some(Fact::AuditRecorded(record)) => record
                .decision
                .map(|decision| decision.determining)
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

fn began(tools: &Tools, call: Option<CallId>) -> u64 {
    call.and_then(|call| tools.call(call))
        .map_or(0, |call| call.started_us)
}
