//! The zone's audit rows, each with the tool that caused it where that is known by fact.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};

use super::{
    Moment, Projection,
    credentials::{Credential, Credentials},
    index::Index,
    log::Seq,
    names::{Name, Names, policy_name},
    rows::Rows,
    tools::Tools,
};
use crate::{
    protocol::{
        audit::{AuditEvent, AuditRecord, AuditStatus, PolicySetRef},
        oauth::{ErrorCode, GRANT_TOKEN_EXCHANGE},
        observed::CallId,
    },
    support::digest::sha256,
};

/// A row's name for selection: its place in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditId(u32);

impl AuditId {
    /// The place in [`Audit::rows`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Why there are no rows where the zone's log was not read.
pub const LOG_NOT_READ: &str = "The zone writes a row for every credential it is asked for, but its log was not read: that needs a credential for its console.";

/// The audit log as far as it was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Audit {
    rows: Rows<AuditRow>,
    /// By the hash of its whole id: a name is cut, and may be the name of many.
    by_id: Index<IdHash, AuditId>,
    by_call: Index<CallId, AuditId>,
    this_run: Tally,
    earlier: Tally,
    repeated: u64,
}

/// What rows tell of, by how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub rows: usize,
    /// How many credentials were issued.
    pub issued: u64,
    /// How many credentials were refused.
    pub failed: u64,
}

impl Tally {
    fn count(&mut self, row: &AuditRow) {
        self.rows += 1;
        match (row.event, row.status) {
            (AuditEvent::CredentialsIssue, AuditStatus::Issued) => self.issued += 1,
            (AuditEvent::CredentialsIssue, AuditStatus::Failure) => self.failed += 1,
            _ => {}
        }
    }
}

impl Projection {
    /// Whether the zone's log was read at all: without, nothing is known of what it holds.
    #[must_use]
    pub fn is_log_read(&self) -> bool {
        !self.audit().rows().is_empty() || self.policies().overview().is_some()
    }

    /// What to do to have the zone's log read, where somebody signed in and it was not.
    #[must_use]
    pub fn way_to_the_log(&self) -> Option<&'static str> {
        if self.is_log_read() || self.identity().user().is_none() {
            return None;
        }
        Some(if self.target().is_some_and(|target| target.lab) {
            "A lab leaves one in its state directory: start with the same --state. Otherwise give HOPTRAIL_CONSOLE_ID and HOPTRAIL_CONSOLE_SECRET."
        } else {
            "If the server works behind a `hoptrail lab`, start with --lab and --state as that one prints them, not with --server."
        })
    }
}

/// One row; the whole record is in the log at `evidence`.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    pub id: AuditId,
    /// The zone's own number for it.
    pub sequence: u64,
    pub occurred_at: DateTime<Utc>,
    /// When it reached us, in microseconds of the run.
    pub at_us: u64,
    pub event: AuditEvent,
    pub status: AuditStatus,
    /// True for a token exchange (RFC 8693), as opposed to a sign-in's own grants.
    pub exchange: bool,
    /// The call that the row's trace context names.
    pub call: Option<CallId>,
    /// The tool of that call; absent when it was not observed.
    pub tool: Option<Name>,
    /// The resource's display name.
    pub resource: Option<Name>,
    /// The registered resource indicator.
    pub resource_identifier: Option<Name>,
    /// Scopes separated by blanks, as asked.
    pub scope: Option<Name>,
    pub application: Option<Name>,
    /// The person on whose behalf it was asked.
    pub user: Option<Name>,
    pub session: Option<Name>,
    /// The OAuth error code.
    pub error: Option<Name>,
    pub reason: Option<Name>,
    /// The first determining policy's short name, where policy refused.
    pub policy: Option<Name>,
    /// The policy set that decided, or that became the active one.
    pub set: Option<SetVersion>,
    /// What was issued.
    pub credential: Option<Credential>,
    pub duration_us: u64,
    pub era: Era,
    pub evidence: Seq,
}

/// A version of a policy set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVersion {
    pub id: Name,
    pub name: Name,
    pub version: u32,
}

impl SetVersion {
    pub(super) fn of(set: &PolicySetRef, names: &Names) -> Self {
        Self {
            id: names.get(&set.id),
            name: names.get(&set.name),
            version: set.version,
        }
    }
}

impl fmt::Display for SetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.name, self.version)
    }
}

impl AuditRow {
    /// A token that the client itself asked for in this run and was refused: no hop of the server's
    /// tells of it.
    #[must_use]
    pub fn is_refused_grant(&self) -> bool {
        self.event == AuditEvent::CredentialsIssue
            && self.status == AuditStatus::Failure
            && !self.exchange
            && self.era == Era::ThisRun
    }

    /// A failure of the zone itself: it decided nothing.
    #[must_use]
    pub fn is_no_answer(&self) -> bool {
        self.error.as_deref().is_some_and(ErrorCode::is_own_fault)
    }

    /// What it is about: the resource, or the policy set that became the active one.
    #[must_use]
    pub fn about(&self) -> Option<Cow<'_, str>> {
        match (&self.resource, &self.set) {
            (Some(resource), _) => Some(Cow::Borrowed(resource)),
            (None, Some(set)) if self.event == AuditEvent::PolicySetsActivate => {
                Some(Cow::Owned(set.to_string()))
            }
            (None, _) => None,
        }
    }
}

/// When a row was written, as far as the run is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// Within the run, or nobody knows when that began.
    ThisRun,
    /// Before it: the log goes back further than the run does.
    Earlier,
}

impl Audit {
    /// All rows, in order of arrival.
    #[must_use]
    pub const fn rows(&self) -> &Rows<AuditRow> {
        &self.rows
    }

    /// How many rows the zone's log has before the first one that was read.
    #[must_use]
    pub fn unread_before(&self) -> u64 {
        let first = self.rows.get(0).map_or(1, |row| row.sequence);
        first.saturating_sub(1)
    }

    #[must_use]
    pub fn get(&self, id: AuditId) -> Option<&AuditRow> {
        self.rows.get(id.index())
    }

    /// The rows of a call, in order of arrival.
    pub fn of_call(&self, call: CallId) -> impl DoubleEndedIterator<Item = &AuditRow> {
        self.by_call
            .all(&call)
            .into_iter()
            .filter_map(|id| self.get(id))
    }

    /// How many credentials were issued, whenever that was.
    #[must_use]
    pub const fn issued(&self) -> u64 {
        self.this_run.issued + self.earlier.issued
    }

    /// How many credentials were refused, whenever that was.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.this_run.failed + self.earlier.failed
    }

    /// What the rows of this run tell of.
    #[must_use]
    pub const fn this_run(&self) -> Tally {
        self.this_run
    }

    /// What the rows tell of that were written before it.
    #[must_use]
    pub const fn earlier(&self) -> Tally {
        self.earlier
    }

    /// How many rows came twice (a feed that resumed) and were left out.
    #[must_use]
    pub const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Adds a row; `None` if it is already there.
    pub(super) fn record(
        &mut self,
        at: &Moment,
        record: &AuditRecord,
        tools: &mut Tools,
        names: &Names,
        credentials: &mut Credentials,
    ) -> Option<&AuditRow> {
        let id = AuditId(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        // A record without an id cannot be told apart from another: it is never a repetition.
        if !record.id.trim().is_empty() {
            let hash = hash_of(&record.id);
            if self.by_id.get(&hash).is_some() {
                self.repeated += 1;
                return None;
            }
            self.by_id.note(hash, id);
        }
        let call = record.trace_parent.map(|parent| parent.trace).or(at.call);
        let tool = call
            .and_then(|call| tools.call(call))
            .map(|call| call.tool.clone());
        if let Some(call) = call {
            self.by_call.note(call, id);
        }
        if record.event == AuditEvent::CredentialsIssue {
            let issued = record.status == AuditStatus::Issued;
            let is_answer = !record.error.as_deref().is_some_and(ErrorCode::is_own_fault);
            if let Some(call) = call.filter(|_| is_answer) {
                tools.count_credential(call, issued);
            }
        }
        let era = if tool.is_none() && at.precedes_run(record.occurred_at) {
            Era::Earlier
        } else {
            Era::ThisRun
        };
        if let (Some(subject), Era::ThisRun) = (&record.subject_token, era) {
            credentials.note(subject.fingerprint, at.seq);
        }
        let refused_by = record
            .decision
            .as_ref()
            .filter(|_| record.status == AuditStatus::Failure)
            .and_then(|decision| decision.determining.first());
        let row = AuditRow {
            id,
            sequence: record.sequence,
            occurred_at: record.occurred_at,
            at_us: at.at_us,
            event: record.told(),
            status: record.status,
            exchange: is_exchange(record),
            call,
            tool,
            resource: record.resource.as_ref().map(|r| names.get(&r.name)),
            resource_identifier: record.resource.as_ref().map(|r| names.get(&r.identifier)),
            scope: names.maybe(Some(&record.scopes.join(" "))),
            application: record
                .actor
                .application
                .as_ref()
                .map(|p| names.get(&p.name)),
            user: record.actor.user.as_ref().map(|p| names.get(&p.name)),
            session: names.maybe(record.session_id.as_deref()),
            error: names.maybe(record.error.as_deref()),
            reason: names.maybe(record.reason.as_deref()),
            policy: refused_by.map(|policy| names.get(policy_name(policy))),
            set: record
                .decision
                .as_ref()
                .and_then(|decision| decision.policy_set.as_ref())
                .map(|set| SetVersion::of(set, names)),
            credential: record
                .credential
                .as_ref()
                // Letters are for what the eye can follow through this run.
                .filter(|_| era == Era::ThisRun)
                .map(|credential| credentials.note(credential.fingerprint(), at.seq)),
            duration_us: record.duration_us,
            era,
            evidence: at.seq,
        };
        match era {
            Era::ThisRun => self.this_run.count(&row),
            Era::Earlier => self.earlier.count(&row),
        }
        self.rows.push(row);
        self.rows.last()
    }
}

/// As much of a SHA-256 as tells records apart.
type IdHash = [u8; 16];

fn hash_of(id: &str) -> IdHash {
    let mut hash = IdHash::default();
    hash.copy_from_slice(&sha256(id.as_bytes())[..16]);
    hash
}

/// Whether the record tells of a token exchange.
pub(super) fn is_exchange(record: &AuditRecord) -> bool {
    record.event == AuditEvent::CredentialsIssue
        && record
            .grant_type
            .as_deref()
            .is_some_and(|grant| grant == GRANT_TOKEN_EXCHANGE || grant == "token-exchange")
}
