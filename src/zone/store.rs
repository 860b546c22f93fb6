//! What lasts: `zone.db`, written by one task that commits in groups.
//!
//! All writers hand their changes and audit rows to that task. It takes everything that waits,
//! makes it one transaction, and only then answers, so one `fdatasync` serves many. A decision's
//! audit row is the credential's record too: nobody holds a credential before the row is durable.

mod database;
mod writer;

use std::{collections::VecDeque, path::Path, sync::Arc};

use parking_lot::{Mutex, RwLock};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    protocol::audit::AuditRecord,
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
        ids::Ids,
    },
};

use super::{
    audit::Draft,
    directory::{Change, Directory, Object},
    vault::Vault,
};

pub use database::{DATABASE_FILE, SCHEMA_VERSION, is_database};

/// How many of the newest audit rows stay in memory, so that a reader who keeps up never makes
/// the writer read.
const RECENT: usize = 256;

/// The zone's durable state. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
    sequence: watch::Receiver<u64>,
}

/// What the writer publishes after each transaction.
#[derive(Debug)]
struct Shared {
    directory: RwLock<Arc<Directory>>,
    recent: Mutex<VecDeque<Arc<AuditRow>>>,
}

/// What is to become durable together, or not at all.
#[derive(Debug, Default)]
pub struct Commit {
    /// The generation that the decision was made on; the commit is [`CommitError::Stale`] when
    /// another has become current since. `None` for changes that rest on nothing.
    pub based_on: Option<u64>,
    /// Objects that must still be what they were when they were read: makes single use single.
    pub unchanged: Vec<Object>,
    pub changes: Vec<Change>,
    pub audit: Vec<Draft>,
}

/// A row of the audit log. It is written out once, and goes as it is to the disk and to whoever
/// reads the log.
#[derive(Debug)]
pub struct AuditRow {
    pub sequence: u64,
    /// The [`AuditRecord`].
    pub json: Box<RawValue>,
}

impl AuditRow {
    fn of(record: &AuditRecord) -> serde_json::Result<Self> {
        Ok(Self {
            sequence: record.sequence,
            json: to_raw_value(record)?,
        })
    }
}

/// Why nothing became durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Somebody was faster: read the directory again and decide again.
    #[error("the directory changed meanwhile")]
    Stale,
    /// The state could not be written.
    #[error("{0}")]
    Failed(Failure),
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale => Self::new(
                Exit::Failed,
                "The zone could not be changed",
                error.to_string(),
                "try again",
            ),
            CommitError::Failed(failure) => failure,
        }
    }
}

/// Opens the state of a zone as its start does, changes nothing and closes it again; gives how many rows
/// its log has.
///
/// # Errors
/// Why a start would fail: no key, another version, damage.
pub async fn audit_rows(state: &Path) -> Result<u64, Failure> {
    Vault::open(Some(state), Ids::system())?;
    let mut database = database::Database::open(Some(state)).await?;
    database.load().await?;
    let rows = database.last_sequence().await?;
    database.close().await?;
    Ok(rows)
}

#[derive(Debug)]
enum Job {
    Commit(
        Box<Commit>,
        oneshot::Sender<Result<Arc<Directory>, CommitError>>,
    ),
    AuditPage {
        after: u64,
        limit: u32,
        answer: oneshot::Sender<Result<Vec<Arc<AuditRow>>, Failure>>,
    },
    Close(oneshot::Sender<()>),
}

impl Store {
    /// Opens the database in the state directory, or one in memory, and loads the directory.
    ///
    /// # Errors
    /// If it cannot be written, was made by a newer version, or is in use.
    pub async fn open(state: Option<&Path>, clock: SharedClock, ids: Ids) -> Result<Self, Failure> {
        let mut database = database::Database::open(state).await?;
        let directory = Arc::new(database.load().await?);
        let last = database.last_sequence().await?;
        let shared = Arc::new(Shared {
            directory: RwLock::new(directory),
            recent: Mutex::new(VecDeque::with_capacity(RECENT)),
        });
        let (jobs, waiting) = mpsc::channel(1024);
        let (published, sequence) = watch::channel(last);
        let writer = writer::Writer {
            database,
            shared: shared.clone(),
            sequence: published,
            clock,
            ids,
        };
        tokio::spawn(writer.run(waiting));
        Ok(Self {
            jobs,
            shared,
            sequence,
        })
    }

    /// The directory as it stands now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.shared.directory()
    }

    /// Makes changes and audit rows durable, all or none; gives the directory with the changes in it.
    ///
    /// # Errors
    /// [`CommitError::Stale`] when what it rests on has changed; otherwise why it could not be written.
    pub async fn commit(&self, commit: Commit) -> Result<Arc<Directory>, CommitError> {
        let (answer, answered) = oneshot::channel();
        self.jobs
            .send(Job::Commit(Box::new(commit), answer))
            .await
            .map_err(|_| CommitError::Failed(closed()))?;
        answered.await.map_err(|_| CommitError::Failed(closed()))?
    }

    /// [`Store::commit`] for changes that rest on nothing else.
    ///
    /// # Errors
    /// Why it could not be written.
    pub async fn change(&self, changes: Vec<Change>) -> Result<Arc<Directory>, Failure> {
        self.commit(Commit {
            changes,
            ..Commit::default()
        })
        .await
        .map_err(Failure::from)
    }

    /// Audit rows after a sequence number, oldest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn audit_after(&self, after: u64, limit: u32) -> Result<Vec<Arc<AuditRow>>, Failure> {
        if let Some(rows) = self
            .shared
            .recent_after(after, limit, *self.sequence.borrow())
        {
            return Ok(rows);
        }
        let (answer, answered) = oneshot::channel();
        self.jobs
            .send(Job::AuditPage {
                after,
                limit,
                answer,
            })
            .await
            .map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// The number of the newest durable audit row; changes with every new one. Ends with the zone.
    #[must_use]
    pub fn sequence(&self) -> watch::Receiver<u64> {
        self.sequence.clone()
    }

    /// Finishes what waits and closes the database. Later commits fail.
    pub async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Close(answer)).await.is_ok() {
            // An error means that the writer is gone already, which is what was asked for.
            drop(answered.await);
        }
    }
}

impl Shared {
    fn directory(&self) -> Arc<Directory> {
        self.directory.read().clone()
    }

    fn publish(&self, directory: Arc<Directory>, rows: &[Arc<AuditRow>]) {
        *self.directory.write() = directory;
        let mut recent = self.recent.lock();
        for row in rows {
            if recent.len() == RECENT {
                recent.pop_front();
            }
            recent.push_back(row.clone());
        }
    }

    /// The rows after `after`, if memory holds all of them.
    fn recent_after(&self, after: u64, limit: u32, last: u64) -> Option<Vec<Arc<AuditRow>>> {
        if after >= last {
            return Some(Vec::new());
        }
        let recent = self.recent.lock();
        let first = recent.front()?.sequence;
        // Numbers have no gaps.
        let known = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let rows = recent.iter().skip(known).take(limit as usize);
        Some(rows.cloned().collect())
    }
}

fn closed() -> Failure {
    Failure::new(
        Exit::Failed,
        "The zone is closed",
        "it was stopped, so nothing more can be stored",
        "start it again",
    )
}
