//! The SQLite file `linear.db`: its schema and every statement that runs on it.

use std::{collections::HashMap, error::Error, io, path::Path, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{
    Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    access::Scopes,
    store::{self, CommentRecord, IssueRecord, Memory, SyncId, TokenHash, TokenKind, TokenRecord},
};
use crate::support::{
    cause::MAKE_ROOM,
    error::{Exit, Failure},
    files,
};

/// Goes up when the schema changes.
const VERSION: i64 = 1;

/// A row of `issues` without a record is an issue that was deleted for good: it keeps its number
/// from being used twice.
const SCHEMA: &str = "
    CREATE TABLE issues (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        sync_id INTEGER NOT NULL,
        record TEXT
    ) STRICT;
    CREATE TABLE comments (
        id TEXT PRIMARY KEY,
        issue_id TEXT NOT NULL,
        sync_id INTEGER NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX comments_by_issue ON comments (issue_id);
    CREATE TABLE tokens (
        hash BLOB PRIMARY KEY,
        kind TEXT NOT NULL,
        grant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        scopes TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;
";

/// Opens the file, makes it if it is not there, forgets tokens that have ended and reads the rest.
pub async fn open(path: &Path, now: DateTime<Utc>) -> Result<(Memory, SqliteConnection), Failure> {
    if let Some(folder) = path.parent() {
        files::private_folder(folder).map_err(|error| broken(path, &error))?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(2));
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| broken(path, &error))?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| broken(path, &error))?;
    match version {
        0 => {
            // One script in one transaction: a file that was interrupted here is still empty.
            let mut transaction = connection
                .begin()
                .await
                .map_err(|error| broken(path, &error))?;
            sqlx::raw_sql(SCHEMA)
                .execute(&mut *transaction)
                .await
                .map_err(|error| broken(path, &error))?;
            transaction
                .commit()
                .await
                .map_err(|error| broken(path, &error))?;
        }
        VERSION => {}
        newer => {
            return Err(Failure::new(
                Exit::Usage,
                format!("The Linear stand-in cannot use {}", path.display()),
                format!(
                    "it is of version {newer}, made by a newer hoptrail; this one knows {VERSION}"
                ),
                "use the newer hoptrail, or another folder with --state DIR, or start anew with `hoptrail lab --reset`",
            ));
        }
    }
    let memory = read(&mut connection, now)
        .await
        .map_err(|error| broken(path, &error))?;
    Ok((memory, connection))
}

fn broken(path: &Path, error: &(dyn Error + 'static)) -> Failure {
    let code = match error.downcast_ref() {
        Some(sqlx::Error::Database(error)) => error.code(),
        _ => None,
    };
    let is_full = match (code.as_deref(), error.downcast_ref()) {
        // SQLITE_FULL.
        (Some(code), _) => code == "13",
        (None, Some(error)) => io::Error::kind(error) == io::ErrorKind::StorageFull,
        (None, None) => false,
    };
    // SQLITE_CORRUPT, SQLITE_NOTADB.
    let is_damaged = matches!(code.as_deref(), Some("11" | "26"));
    Failure::new(
        Exit::Usage,
        "The Linear stand-in cannot keep its state",
        format!("{}: {error}", path.display()),
        if is_full {
            MAKE_ROOM
        } else if is_damaged {
            "remove the file, and its issues and consents with it: it is made anew; or name another folder with --state DIR"
        } else {
            "make the folder writable, name another with --state DIR, or start anew with `hoptrail lab --reset`"
        },
    )
}

async fn read(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> Result<Memory, sqlx::Error> {
    sqlx::query("DELETE FROM tokens WHERE expires_at <= ?")
        .bind(now.timestamp_micros())
        .execute(&mut *connection)
        .await?;
    let mut last_number = 0;
    let mut last_sync = 0;
    let mut issues = Vec::new();
    for row in sqlx::query("SELECT number, sync_id, record FROM issues ORDER BY number")
        .fetch_all(&mut *connection)
        .await?
    {
        last_number = row.try_get::<u32, _>("number")?;
        last_sync = last_sync.max(row.try_get::<i64, _>("sync_id")?);
        if let Some(record) = row.try_get::<Option<String>, _>("record")? {
            issues.push(from_json::<IssueRecord>(&record)?);
        }
    }
    let mut comments = Vec::new();
    for row in sqlx::query("SELECT sync_id, record FROM comments ORDER BY sync_id")
        .fetch_all(&mut *connection)
        .await?
    {
        last_sync = last_sync.max(row.try_get::<i64, _>("sync_id")?);
        comments.push(from_json::<CommentRecord>(
            &row.try_get::<String, _>("record")?,
        )?);
    }
    let mut tokens = HashMap::new();
    for row in sqlx::query("SELECT hash, kind, grant_id, user_id, scopes, expires_at FROM tokens")
        .fetch_all(&mut *connection)
        .await?
    {
        let hash: TokenHash = row
            .try_get::<Vec<u8>, _>("hash")?
            .try_into()
            .map_err(|_| decode("a token's hash has 32 bytes"))?;
        tokens.insert(
            hash,
            TokenRecord {
                kind: match row.try_get::<String, _>("kind")?.as_str() {
                    "access" => TokenKind::Access,
                    "refresh" => TokenKind::Refresh,
                    _ => return Err(decode("a token is for access or for refresh")),
                },
                grant_id: row.try_get("grant_id")?,
                user_id: row.try_get("user_id")?,
                scopes: Scopes::parse(&row.try_get::<String, _>("scopes")?)
                    .map_err(|_| decode("a token has known scopes"))?,
                expires_at: DateTime::from_timestamp_micros(row.try_get("expires_at")?)
                    .ok_or_else(|| decode("a token ends at a time"))?,
            },
        );
    }
    Ok(store::load(
        issues,
        comments,
        tokens,
        last_number,
        SyncId::try_from(last_sync).unwrap_or_default(),
    ))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn decode(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

/// SQLite's integers are signed; the counter never comes near the difference.
fn integer(sync: SyncId) -> i64 {
    i64::try_from(sync).unwrap_or(i64::MAX)
}

/// Writes an issue, new or changed.
pub async fn put_issue(
    connection: &mut SqliteConnection,
    issue: &IssueRecord,
    sync: SyncId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO issues (number, id, sync_id, record) VALUES (?, ?, ?, ?)
         ON CONFLICT (number) DO UPDATE SET sync_id = excluded.sync_id, record = excluded.record",
    )
    .bind(issue.number)
    .bind(&issue.id)
    .bind(integer(sync))
    .bind(to_json(issue)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what an issue said, and its comments.
pub async fn erase_issue(
    connection: &mut SqliteConnection,
    issue: &IssueRecord,
    sync: SyncId,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("UPDATE issues SET record = NULL, sync_id = ? WHERE number = ?")
        .bind(integer(sync))
        .bind(issue.number)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM comments WHERE issue_id = ?")
        .bind(&issue.id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Writes a comment.
pub async fn put_comment(
    connection: &mut SqliteConnection,
    comment: &CommentRecord,
    sync: SyncId,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO comments (id, issue_id, sync_id, record) VALUES (?, ?, ?, ?)")
        .bind(&comment.id)
        .bind(&comment.issue_id)
        .bind(integer(sync))
        .bind(to_json(comment)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes tokens, all or none.
pub async fn put_tokens(
    connection: &mut SqliteConnection,
    tokens: &[(TokenHash, TokenRecord)],
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    for (hash, token) in tokens {
        sqlx::query(
            "INSERT OR REPLACE INTO tokens (hash, kind, grant_id, user_id, scopes, expires_at)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(hash.as_slice())
        .bind(match token.kind {
            TokenKind::Access => "access",
            TokenKind::Refresh => "refresh",
        })
        .bind(&token.grant_id)
        .bind(&token.user_id)
        .bind(token.scopes.to_string())
        .bind(token.expires_at.timestamp_micros())
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}

/// Forgets one token.
pub async fn drop_token(
    connection: &mut SqliteConnection,
    hash: &TokenHash,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM tokens WHERE hash = ?")
        .bind(hash.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets every token of one consent.
pub async fn drop_grant(
    connection: &mut SqliteConnection,
    grant_id: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM tokens WHERE grant_id = ?")
        .bind(grant_id)
        .execute(connection)
        .await?;
    Ok(())
}
