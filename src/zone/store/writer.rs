//! The one task that writes.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    protocol::audit::AuditRecord,
    support::{clock::SharedClock, error::Failure, ids::Ids},
};

use super::{
    AuditRow, Commit, CommitError, Job, Shared,
    database::{Database, cannot_write},
};
use crate::zone::directory::{Change, Directory};

/// The most commits in one transaction; bounds how long the first of a group waits.
const GROUP: usize = 64;

pub(super) struct Writer {
    pub(super) database: Database,
    pub(super) shared: Arc<Shared>,
    /// The number of the newest durable audit row.
    pub(super) sequence: watch::Sender<u64>,
    pub(super) clock: SharedClock,
    pub(super) ids: Ids,
}

type Answer = oneshot::Sender<Result<Arc<Directory>, CommitError>>;

/// A group on its way to the disk.
struct Group {
    directory: Arc<Directory>,
    changes: Vec<Change>,
    records: Vec<AuditRecord>,
    accepted: Vec<Answer>,
    refused: Vec<(Answer, CommitError)>,
}

impl Writer {
    pub(super) async fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(GROUP);
        while waiting.recv_many(&mut jobs, GROUP).await > 0 {
            let mut commits = Vec::new();
            for job in jobs.drain(..) {
                match job {
                    Job::Commit(commit, answer) => commits.push((*commit, answer)),
                    Job::AuditPage {
                        after,
                        limit,
                        answer,
                    } => {
                        // The asker may have hung up; there is nobody else to tell.
                        drop(answer.send(self.database.audit_after(after, limit).await));
                    }
                    Job::Close(answer) => {
                        waiting.close();
                        self.commit(std::mem::take(&mut commits)).await;
                        while let Ok(job) = waiting.try_recv() {
                            if let Job::Commit(commit, answer) = job {
                                self.commit(vec![(*commit, answer)]).await;
                            }
                        }
                        if let Err(failure) = self.database.close().await {
                            tracing::warn!(%failure, "the zone's database did not close cleanly");
                        }
                        let _ = answer.send(());
                        return;
                    }
                }
            }
            self.commit(commits).await;
        }
        if let Err(failure) = self.database.close().await {
            tracing::warn!(%failure, "the zone's database did not close cleanly");
        }
    }

    async fn commit(&mut self, commits: Vec<(Commit, Answer)>) {
        if commits.is_empty() {
            return;
        }
        let group = self.gather(commits);
        match self.write(&group).await {
            Ok(rows) => {
                self.shared.publish(group.directory.clone(), &rows);
                if let Some(last) = rows.last() {
                    self.sequence.send_replace(last.sequence);
                }
                for answer in group.accepted {
                    drop(answer.send(Ok(group.directory.clone())));
                }
            }
            Err(failure) => {
                for answer in group.accepted {
                    drop(answer.send(Err(CommitError::Failed(failure.clone()))));
                }
            }
        }
        // Only now, when the winner's change can be seen: sooner, the loser would decide on the
        // same old directory again.
        for (answer, error) in group.refused {
            drop(answer.send(Err(error)));
        }
    }

    async fn write(&mut self, group: &Group) -> Result<Vec<Arc<AuditRow>>, Failure> {
        let rows: Vec<_> = group
            .records
            .iter()
            .map(|record| AuditRow::of(record).map(Arc::new))
            .collect::<Result<_, _>>()
            .map_err(|error| cannot_write(&error))?;
        self.database.write(&group.changes, &rows).await?;
        Ok(rows)
    }

    /// Decides in order which commits still stand, each on the directory that those before it leave.
    fn gather(&self, commits: Vec<(Commit, Answer)>) -> Group {
        let mut group = Group {
            directory: self.shared.directory(),
            changes: Vec::new(),
            records: Vec::new(),
            accepted: Vec::new(),
            refused: Vec::new(),
        };
        let mut sequence = *self.sequence.borrow();
        let now = self.clock.now();
        for (commit, answer) in commits {
            let current = &group.directory;
            let stands = commit
                .based_on
                .is_none_or(|generation| generation == current.generation())
                && commit.unchanged.iter().all(|object| current.holds(object));
            if !stands {
                group.refused.push((answer, CommitError::Stale));
                continue;
            }
            if !commit.changes.is_empty() {
                match current.after(&commit.changes) {
                    Ok(next) => group.directory = Arc::new(next),
                    Err(failure) => {
                        group.refused.push((answer, CommitError::Failed(failure)));
                        continue;
                    }
                }
                group.changes.extend(commit.changes);
            }
            for draft in commit.audit {
                sequence += 1;
                let id = self.ids.uuid().to_string();
                group.records.push(draft.number(id, sequence, now));
            }
            group.accepted.push(answer);
        }
        group
    }
}
