//! What the stand-in remembers: issues, comments and tokens, in memory for reading and in SQLite
//! for the next start. Tokens are kept as SHA-256 only.
//!
//! Every write goes to the database first and is visible only once it is committed. The journal is
//! a WAL with `synchronous = NORMAL`: a killed process loses nothing, a power cut may lose the last
//! moments, which is good enough for a stand-in (the zone's audit log is stricter). One process
//! owns the file at a time.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::Mutex;

use super::{access::Scopes, database};
use crate::{
    protocol::{secret::Secret, traceparent::TraceParent},
    support::{digest::sha256, error::Failure},
};

/// An issue as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IssueRecord {
    pub id: String,
    pub number: u32,
    pub title: String,
    pub description: Option<String>,
    /// 0 none, 1 urgent … 4 low.
    pub priority: u8,
    pub label_ids: Vec<String>,
    pub creator_id: String,
    pub assignee_id: Option<String>,
    pub state_id: String,
    pub estimate: Option<i32>,
    /// `YYYY-MM-DD`.
    pub due_date: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub archived_at: Option<DateTime<Utc>>,
    pub place: Place,
    pub trace_parent: Option<TraceParent>,
}

/// Where an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the lists.
    Listed,
    /// Out of the lists, kept.
    Archived,
    /// In the trash, from where it can be restored.
    Trashed,
}

/// A comment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRecord {
    pub id: String,
    pub issue_id: String,
    pub body: String,
    pub user_id: String,
    pub created_at: DateTime<Utc>,
}

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// The name under which a token is kept.
#[must_use]
pub fn token_hash(token: &str) -> TokenHash {
    sha256(token.as_bytes())
}

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    pub kind: TokenKind,
    /// The consent that it came from: all tokens of one are revoked together.
    pub grant_id: String,
    pub user_id: String,
    pub scopes: Scopes,
    pub expires_at: DateTime<Utc>,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    Access,
    Refresh,
}

/// A write did not become durable; the reason went to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotStored;

/// A number that grows with every write: Linear's `lastSyncId`.
pub type SyncId = u64;

/// The store. Shared by `Arc`.
#[derive(Debug)]
pub struct Store {
    memory: RwLock<Memory>,
    /// `None` while the state lives in memory only.
    writer: Mutex<Option<SqliteConnection>>,
}

/// Everything that is read.
#[derive(Debug, Default)]
pub struct Memory {
    /// By number.
    pub issues: BTreeMap<u32, Arc<IssueRecord>>,
    pub numbers: HashMap<String, u32>,
    pub comments: Vec<Arc<CommentRecord>>,
    pub tokens: HashMap<TokenHash, TokenRecord>,
    pub last_number: u32,
    pub last_sync: SyncId,
}

impl Memory {
    /// The issue with this id.
    #[must_use]
    pub fn issue(&self, id: &str) -> Option<&Arc<IssueRecord>> {
        self.issues.get(self.numbers.get(id)?)
    }

    fn put(&mut self, issue: Arc<IssueRecord>) {
        self.last_number = self.last_number.max(issue.number);
        self.numbers.insert(issue.id.clone(), issue.number);
        self.issues.insert(issue.number, issue);
    }
}

impl Store {
    /// Opens the store; without a path it lives as long as the process.
    ///
    /// # Errors
    /// If the file cannot be opened, read or written, or is from a newer version.
    pub async fn open(path: Option<&Path>, now: DateTime<Utc>) -> Result<Arc<Self>, Failure> {
        let (memory, connection) = match path {
            None => (Memory::default(), None),
            Some(path) => {
                let (memory, connection) = database::open(path, now).await?;
                (memory, Some(connection))
            }
        };
        Ok(Arc::new(Self {
            memory: RwLock::new(memory),
            writer: Mutex::new(connection),
        }))
    }

    /// Closes the file.
    pub async fn close(&self) {
        if let Some(connection) = self.writer.lock().await.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the Linear stand-in's file did not close cleanly");
        }
    }

    /// What there is to read. Never held across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write()
    }

    /// Runs a write to its end even when the caller goes away halfway, so that memory and file
    /// never part.
    async fn commit<T: Send + 'static>(
        work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
    ) -> Result<T, NotStored> {
        match tokio::spawn(work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                tracing::error!(%error, "the Linear stand-in could not write its state");
                Err(NotStored)
            }
            Err(error) => {
                tracing::error!(%error, "a write of the Linear stand-in ended early");
                Err(NotStored)
            }
        }
    }

    /// Files an issue under the next number, which `draft` gets.
    pub async fn create(
        self: &Arc<Self>,
        draft: impl FnOnce(u32) -> IssueRecord + Send + 'static,
    ) -> Result<(Arc<IssueRecord>, SyncId), NotStored> {
        let store = Arc::clone(self);
        Self::commit(async move {
            let mut writer = store.writer.lock().await;
            let (number, sync) = {
                let memory = store.read();
                (memory.last_number + 1, memory.last_sync + 1)
            };
            let issue = Arc::new(draft(number));
            if let Some(connection) = writer.as_mut() {
                database::put_issue(connection, &issue, sync).await?;
            }
            let mut memory = store.write();
            memory.last_sync = sync;
            memory.put(Arc::clone(&issue));
            Ok((issue, sync))
        })
        .await
    }

    /// Changes an issue; `None` when it is gone.
    pub async fn change(
        self: &Arc<Self>,
        id: String,
        change: impl FnOnce(&mut IssueRecord) + Send + 'static,
    ) -> Result<Option<(Arc<IssueRecord>, SyncId)>, NotStored> {
        let store = Arc::clone(self);
        Self::commit(async move {
            let mut writer = store.writer.lock().await;
            let (found, sync) = {
                let memory = store.read();
                (memory.issue(&id).cloned(), memory.last_sync + 1)
            };
            let Some(found) = found else { return Ok(None) };
            let mut issue = (*found).clone();
            change(&mut issue);
            let issue = Arc::new(issue);
            if let Some(connection) = writer.as_mut() {
                database::put_issue(connection, &issue, sync).await?;
            }
            let mut memory = store.write();
            memory.last_sync = sync;
            memory.put(Arc::clone(&issue));
            Ok(Some((issue, sync)))
        })
        .await
    }

    /// Deletes an issue and its comments for good; its number is never used again.
    pub async fn erase(
        self: &Arc<Self>,
        id: String,
    ) -> Result<Option<(Arc<IssueRecord>, SyncId)>, NotStored> {
        let store = Arc::clone(self);
        Self::commit(async move {
            let mut writer = store.writer.lock().await;
            let (found, sync) = {
                let memory = store.read();
                (memory.issue(&id).cloned(), memory.last_sync + 1)
            };
            let Some(issue) = found else { return Ok(None) };
            if let Some(connection) = writer.as_mut() {
                database::erase_issue(connection, &issue, sync).await?;
            }
            let mut memory = store.write();
            memory.last_sync = sync;
            memory.numbers.remove(&issue.id);
            memory.issues.remove(&issue.number);
            memory.comments.retain(|c| c.issue_id != issue.id);
            Ok(Some((issue, sync)))
        })
        .await
    }

    /// Adds a comment.
    pub async fn comment(
        self: &Arc<Self>,
        comment: CommentRecord,
    ) -> Result<(Arc<CommentRecord>, SyncId), NotStored> {
        let store = Arc::clone(self);
        Self::commit(async move {
            let mut writer = store.writer.lock().await;
            let sync = store.read().last_sync + 1;
            if let Some(connection) = writer.as_mut() {
                database::put_comment(connection, &comment, sync).await?;
            }
            let comment = Arc::new(comment);
            let mut memory = store.write();
            memory.last_sync = sync;
            memory.comments.push(Arc::clone(&comment));
            Ok((comment, sync))
        })
        .await
    }

    /// What a token stands for, if it is known and has not ended.
    #[must_use]
    pub fn token(&self, token: &str, now: DateTime<Utc>) -> Option<TokenRecord> {
        self.read()
            .tokens
            .get(&token_hash(token))
            .filter(|record| record.expires_at > now)
            .cloned()
    }

    /// Keeps `tokens` and what becomes of the one that was `used` for them, all or none. `false` if that
    /// one has been revoked meanwhile: then nothing is kept.
    pub async fn put_tokens(
        self: &Arc<Self>,
        mut tokens: Vec<(TokenHash, TokenRecord)>,
        used: Option<(TokenHash, TokenRecord)>,
    ) -> Result<bool, NotStored> {
        let store = Arc::clone(self);
        Self::commit(async move {
            let mut writer = store.writer.lock().await;
            if let Some((hash, _)) = &used
                && !store.read().tokens.contains_key(hash)
            {
                return Ok(false);
            }
            tokens.extend(used);
            if let Some(connection) = writer.as_mut() {
                database::put_tokens(connection, &tokens).await?;
            }
            store.write().tokens.extend(tokens);
            Ok(true)
        })
        .await
    }

    /// Ends a token; with a refresh token the whole grant (RFC 7009, section 2.1).
    pub async fn revoke(self: &Arc<Self>, token: &Secret) -> Result<(), NotStored> {
        let hash = token_hash(token.expose());
        let store = Arc::clone(self);
        Self::commit(async move {
            let mut writer = store.writer.lock().await;
            let Some(record) = store.read().tokens.get(&hash).cloned() else {
                return Ok(());
            };
            match record.kind {
                TokenKind::Access => {
                    if let Some(connection) = writer.as_mut() {
                        database::drop_token(connection, &hash).await?;
                    }
                    store.write().tokens.remove(&hash);
                }
                TokenKind::Refresh => {
                    if let Some(connection) = writer.as_mut() {
                        database::drop_grant(connection, &record.grant_id).await?;
                    }
                    let grant = record.grant_id;
                    store.write().tokens.retain(|_, t| t.grant_id != grant);
                }
            }
            Ok(())
        })
        .await
    }

    /// Ends everything that came from one consent.
    pub async fn revoke_grant(self: &Arc<Self>, grant_id: String) -> Result<(), NotStored> {
        let store = Arc::clone(self);
        Self::commit(async move {
            let mut writer = store.writer.lock().await;
            if let Some(connection) = writer.as_mut() {
                database::drop_grant(connection, &grant_id).await?;
            }
            store.write().tokens.retain(|_, t| t.grant_id != grant_id);
            Ok(())
        })
        .await
    }
}

/// Puts what a file holds into memory; used by [`database::open`] only.
pub(super) fn load(
    issues: Vec<IssueRecord>,
    comments: Vec<CommentRecord>,
    tokens: HashMap<TokenHash, TokenRecord>,
    last_number: u32,
    last_sync: SyncId,
) -> Memory {
    let mut memory = Memory {
        comments: comments.into_iter().map(Arc::new).collect(),
        tokens,
        last_number,
        last_sync,
        ..Memory::default()
    };
    for issue in issues {
        memory.put(Arc::new(issue));
    }
    memory
}
