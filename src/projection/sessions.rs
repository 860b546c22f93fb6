//! A person's activity: what acts for them, what it touched, how it ended.

use std::sync::Arc;

use super::{
    Moment,
    audit::AuditRow,
    index::Index,
    log::Seq,
    names::{Name, Names},
    rows::Rows,
};
use crate::protocol::{
    audit::{AuditEvent, AuditStatus},
    console::{DelegatedGrant, Session},
};

/// The sessions pane's data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sessions {
    rows: Rows<SessionRow>,
    by_id: Index<Name, u32>,
    touch_at: Index<(u32, Name, Option<Name>), u32>,
    grants: Arc<Vec<DelegatedGrant>>,
    read: Option<Seq>,
}

/// One session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    pub id: Name,
    /// As the zone's list has it; absent when only the audit log named it.
    pub session: Option<Session>,
    /// Whose it is, from the list or from the audit log.
    pub user: Option<Name>,
    /// The applications that acted for the person, in order of appearance.
    pub applications: Vec<Name>,
    /// What was asked for, in order of first mention.
    pub touched: Vec<Touch>,
    pub issued: u32,
    pub failed: u32,
    /// The last audit row, in microseconds of the run.
    pub last_us: Option<u64>,
}

/// A resource and scope within a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    pub resource: Name,
    pub scope: Option<Name>,
    pub issued: u32,
    pub failed: u32,
    /// How the last request ended.
    pub last: AuditStatus,
    pub evidence: Seq,
}

impl SessionRow {
    /// Notes who acts for the person.
    fn acts(&mut self, application: &Name) {
        // A handful does; a hostile log may claim more than a pane could show or we should search.
        if self.applications.len() < 32 && !self.applications.contains(application) {
            self.applications.push(application.clone());
        }
    }
}

impl Sessions {
    /// All sessions: those of the last read first known first, then those that only rows named.
    #[must_use]
    pub const fn rows(&self) -> &Rows<SessionRow> {
        &self.rows
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<&SessionRow> {
        self.by_id
            .get(&Name::from(id))
            .and_then(|at| self.rows.get(at as usize))
    }

    /// The consents of the last read.
    #[must_use]
    pub fn grants(&self) -> &[DelegatedGrant] {
        &self.grants
    }

    /// The last read of the zone's list, if there was one.
    #[must_use]
    pub const fn read(&self) -> Option<Seq> {
        self.read
    }

    fn at(&mut self, id: Name) -> u32 {
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let place = self.by_id.get(&id).unwrap_or(next);
        if place == next {
            self.by_id.note(id.clone(), place);
            self.rows.push(SessionRow {
                id,
                session: None,
                user: None,
                applications: Vec::new(),
                touched: Vec::new(),
                issued: 0,
                failed: 0,
                last_us: None,
            });
        }
        place
    }

    pub(super) fn list(
        &mut self,
        at: &Moment,
        sessions: &[Session],
        grants: &[DelegatedGrant],
        names: &Names,
    ) {
        for session in sessions {
            let place = self.at(names.get(&session.id));
            let user = names.maybe(session.user_name.as_deref());
            let application = names.maybe(session.initiator_name.as_deref());
            let Some(row) = self.rows.get_mut(place as usize) else {
                continue;
            };
            row.user = user.or(row.user.take());
            if let Some(application) = application {
                row.acts(&application);
            }
            if row.session.as_ref() != Some(session) {
                row.session = Some(session.clone());
            }
        }
        if *self.grants != *grants {
            self.grants = Arc::new(grants.to_vec());
        }
        self.read = Some(at.seq);
    }

    pub(super) fn record(&mut self, audit: &AuditRow) {
        let Some(id) = &audit.session else { return };
        let place = self.at(id.clone());
        let Some(row) = self.rows.get_mut(place as usize) else {
            return;
        };
        row.last_us = Some(audit.at_us);
        if row.user.is_none() {
            row.user.clone_from(&audit.user);
        }
        if let Some(application) = &audit.application {
            row.acts(application);
        }
        if audit.event != AuditEvent::CredentialsIssue {
            return;
        }
        let (issued, failed) = match audit.status {
            AuditStatus::Issued => (1, 0),
            AuditStatus::Failure => (0, 1),
        };
        row.issued = row.issued.saturating_add(issued);
        row.failed = row.failed.saturating_add(failed);
        let Some(resource) = &audit.resource else {
            return;
        };
        let next = u32::try_from(row.touched.len()).unwrap_or(u32::MAX);
        let key = (place, resource.clone(), audit.scope.clone());
        let touch = self.touch_at.get(&key).unwrap_or(next);
        if touch == next {
            self.touch_at.note(key, touch);
            row.touched.push(Touch {
                resource: resource.clone(),
                scope: audit.scope.clone(),
                issued,
                failed,
                last: audit.status,
                evidence: audit.evidence,
            });
        } else if let Some(touch) = row.touched.get_mut(touch as usize) {
            touch.issued = touch.issued.saturating_add(issued);
            touch.failed = touch.failed.saturating_add(failed);
            touch.last = audit.status;
            touch.evidence = audit.evidence;
        }
    }
}
