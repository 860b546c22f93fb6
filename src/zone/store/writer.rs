//! The one task that writes.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    protocol::audit::AuditRecord,
    support::{clock::SharedClock, ids::Ids},
};

use super::{Commit, CommitError, Committed, Job, Shared, database::Database};
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

type Answer = oneshot::Sender<Result<Committed, CommitError>>;

/// A group on its way to the disk.
struct Group {
    directory: Arc<Directory>,
    changes: Vec<Change>,
    rows: Vec<Arc<AuditRecord>>,
    /// Each accepted commit's rows, as a range of `rows`.
    accepted: Vec<(Answer, std::ops::Range<usize>)>,
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
        let written = if group.accepted.is_empty() {
            Ok(())
        } else {
            self.database.write(&group.changes, &group.rows).await
        };
        match written {
            Ok(()) => {
                self.shared.publish(group.directory.clone(), &group.rows);
                if let Some(last) = group.rows.last() {
                    self.sequence.send_replace(last.sequence);
                }
                for (answer, rows) in group.accepted {
                    drop(answer.send(Ok(Committed {
                        audit: group.rows[rows].to_vec(),
                        directory: group.directory.clone(),
                    })));
                }
            }
            Err(failure) => {
                for (answer, _) in group.accepted {
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

    /// Decides in order which commits still stand, each on the directory that those before it leave.
    fn gather(&self, commits: Vec<(Commit, Answer)>) -> Group {
        let mut group = Group {
            directory: self.shared.directory(),
            changes: Vec::new(),
            rows: Vec::new(),
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
            let first = group.rows.len();
            for draft in commit.audit {
                sequence += 1;
                group
                    .rows
                    .push(draft.number(self.ids.uuid().to_string(), sequence, now));
            }
            group.accepted.push((answer, first..group.rows.len()));
        }
        group
    }
}
