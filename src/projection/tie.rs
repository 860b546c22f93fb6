//! What ties a voice to a call of this run when the server passed no trace context on, and whether
//! all voices of a call were heard.
//!
//! A workshop's server sends no `traceparent`. Its exchanges still carry the caller's own token, and
//! that token only this run's client holds: while one call alone is under way, an exchange that is
//! asked with it is that call's. With several at once nobody can tell, and nothing is tied.

use chrono::{DateTime, Utc};

use super::Projection;
use crate::protocol::{
    audit::AuditRecord,
    observed::{CallId, UpstreamRequest},
};

impl Projection {
    /// The call that an exchange was made for, of which was told at `at_us`.
    pub(super) fn call_of_exchange(&self, record: &AuditRecord, at_us: u64) -> Option<CallId> {
        let asked_with = record.subject_token.as_ref()?.fingerprint;
        let ours = self.identity.user()?.credential.fingerprint;
        (asked_with == ours)
            .then(|| self.only_call_at(record.occurred_at, at_us))
            .flatten()
    }

    /// The call that a credential was used for: it was issued within it.
    pub(super) fn call_of_use(&self, request: &UpstreamRequest, at_us: u64) -> Option<CallId> {
        let used = request.credential?;
        let call = self.only_call_at(request.occurred_at, at_us)?;
        self.hops.is_issued_in(call, used).then_some(call)
    }

    /// Whether all who take part in a call have told of it: of an exchange the zone's log, where it
    /// tells anything at all, of a use the service, and of what was issued its use.
    #[must_use]
    pub fn is_told_in_full(&self, call: CallId) -> bool {
        let has_log = !self.audit.rows().is_empty();
        self.hops.is_told_in_full(call, has_log)
    }

    /// A clock that is ahead of what it tells of proves nothing.
    fn only_call_at(&self, time: DateTime<Utc>, told_us: u64) -> Option<CallId> {
        let since = (time - self.started?).num_microseconds()?;
        let since = u64::try_from(since).ok().filter(|at| *at <= told_us)?;
        self.tools.only_one_at(since)
    }
}
