//! The SQLite file: opening it with care, its schema, and the statements on it.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde_json::value::RawValue;
use sqlx::{
    Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous},
};

use super::AuditRow;
use crate::{
    support::{
        cause::MAKE_ROOM,
        error::{Exit, Failure},
    },
    zone::{
        directory::{Change, Directory, Kind, Object},
        vault::{make_state_dir, unusable},
    },
};

/// The database's file in the state directory.
pub const DATABASE_FILE: &str = "zone.db";

/// Whether a file of this name is the database's, or one that SQLite puts beside it.
#[must_use]
pub fn is_database(name: &str) -> bool {
    name.strip_prefix(DATABASE_FILE)
        .is_some_and(|end| matches!(end, "" | "-wal" | "-shm" | "-journal"))
}

/// What to do about a file that is damaged.
const DAMAGED: &str = "put back a copy of the whole folder, name another with --state DIR, or start afresh with \
                       `hoptrail lab --reset`";

/// The newest schema that this program knows.
pub const SCHEMA_VERSION: u32 = 1;

/// Objects are documents: every read comes from the directory in memory, so no column but the key
/// would ever be asked for. Audit rows are read in order, and only so.
const SCHEMA: &str = "
    CREATE TABLE objects (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY,
        body TEXT NOT NULL
    ) STRICT;
    PRAGMA user_version = 1;
";

/// How SQLite's files begin.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where SQLite keeps `user_version` in its file header, big-endian.
const USER_VERSION_OFFSET: usize = 60;

/// The connection.
#[derive(Debug)]
pub(super) struct Database {
    connection: SqliteConnection,
}

impl Database {
    pub(super) async fn open(state: Option<&Path>) -> Result<Self, Failure> {
        let options = match state {
            Some(dir) => {
                let file = dir.join(DATABASE_FILE);
                look_before_opening(dir, &file)?;
                SqliteConnectOptions::new()
                    .filename(file)
                    .create_if_missing(true)
                    // Nobody else may write while the directory is in this process's memory.
                    // It also spares WAL its shared-memory file.
                    .locking_mode(SqliteLockingMode::Exclusive)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(Duration::from_millis(200))
            }
            None => SqliteConnectOptions::new()
                .in_memory(true)
                .busy_timeout(Duration::ZERO),
        };
        let fault = |error: &sqlx::Error| cannot_open(state, error);
        let connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| fault(&error))?;
        let mut database = Self { connection };
        let version: u32 = sqlx::query("PRAGMA user_version")
            .fetch_one(&mut database.connection)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| fault(&error))?;
        match version {
            0 => {
                let mut transaction = database
                    .connection
                    .begin_with("BEGIN EXCLUSIVE")
                    .await
                    .map_err(|error| fault(&error))?;
                sqlx::raw_sql(SCHEMA)
                    .execute(&mut *transaction)
                    .await
                    .map_err(|error| fault(&error))?;
                transaction.commit().await.map_err(|error| fault(&error))?;
            }
            SCHEMA_VERSION => {}
            newer => return Err(newer_schema(state.unwrap_or(Path::new("memory")), newer)),
        }
        Ok(database)
    }

    /// Reads every object.
    pub(super) async fn load(&mut self) -> Result<Directory, Failure> {
        let rows = sqlx::query("SELECT kind, body FROM objects")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| cannot_read(&error))?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            let kind: &str = row.try_get(0).map_err(|error| cannot_read(&error))?;
            let body: &str = row.try_get(1).map_err(|error| cannot_read(&error))?;
            let object = Kind::named(kind)
                .ok_or_else(|| cannot_read(&format!("it holds an unknown kind of object, {kind}")))
                .and_then(|kind| Object::read(kind, body).map_err(|error| cannot_read(&error)))?;
            changes.push(Change::Put(object));
        }
        Directory::default().after(&changes)
    }

    pub(super) async fn last_sequence(&mut self) -> Result<u64, Failure> {
        let last: i64 = sqlx::query("SELECT coalesce(max(sequence), 0) FROM audit")
            .fetch_one(&mut self.connection)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| cannot_read(&error))?;
        Ok(last.unsigned_abs())
    }

    pub(super) async fn audit_after(
        &mut self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Arc<AuditRow>>, Failure> {
        let rows = sqlx::query(
            "SELECT sequence, body FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?",
        )
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(&mut self.connection)
        .await
        .map_err(|error| cannot_read(&error))?;
        rows.iter()
            .map(|row| {
                let sequence: i64 = row.try_get(0).map_err(|error| cannot_read(&error))?;
                let body: String = row.try_get(1).map_err(|error| cannot_read(&error))?;
                let json = RawValue::from_string(body).map_err(|error| cannot_read(&error))?;
                Ok(Arc::new(AuditRow {
                    sequence: sequence.unsigned_abs(),
                    json,
                }))
            })
            .collect()
    }

    /// Writes a group, all or nothing.
    pub(super) async fn write(
        &mut self,
        changes: &[Change],
        rows: &[Arc<AuditRow>],
    ) -> Result<(), Failure> {
        if changes.is_empty() {
            // One statement is a transaction of its own: the way of every exchange.
            return insert_audit(&mut self.connection, rows)
                .await
                .map_err(|error| cannot_write(&error));
        }
        let written = self.write_together(changes, rows).await;
        if written.is_err() {
            // Not sqlx's transaction: where the disk was full SQLite has rolled back by itself, and
            // sqlx, whose own rollback then fails, begins no other one. For the same reason it is no
            // matter that this fails; a transaction that is open still is ended after the next write.
            let _ = sqlx::raw_sql("ROLLBACK")
                .execute(&mut self.connection)
                .await;
        }
        written.map_err(|error| cannot_write(&error))
    }

    async fn write_together(
        &mut self,
        changes: &[Change],
        rows: &[Arc<AuditRow>],
    ) -> Result<(), sqlx::Error> {
        let connection = &mut self.connection;
        sqlx::raw_sql("BEGIN IMMEDIATE")
            .execute(&mut *connection)
            .await?;
        for change in changes {
            match change {
                Change::Put(object) => {
                    let body = object
                        .body()
                        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
                    sqlx::query(
                        "INSERT INTO objects (kind, key, body) VALUES (?, ?, ?)
                         ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                    )
                    .bind(object.kind().as_str())
                    .bind(object.key())
                    .bind(body)
                    .execute(&mut *connection)
                    .await
                }
                Change::Delete(kind, key) => {
                    sqlx::query("DELETE FROM objects WHERE kind = ? AND key = ?")
                        .bind(kind.as_str())
                        .bind(key)
                        .execute(&mut *connection)
                        .await
                }
            }?;
        }
        insert_audit(&mut *connection, rows).await?;
        sqlx::raw_sql("COMMIT").execute(connection).await.map(drop)
    }

    pub(super) async fn close(self) -> Result<(), Failure> {
        self.connection
            .close()
            .await
            .map_err(|error| cannot_write(&error))
    }
}

async fn insert_audit(
    connection: &mut SqliteConnection,
    rows: &[Arc<AuditRow>],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO audit (sequence, body) ");
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(i64::try_from(row.sequence).unwrap_or(i64::MAX))
            .push_bind(row.json.get());
    });
    insert.build().execute(connection).await.map(drop)
}

/// Finds out what must not be touched before SQLite may touch it: opening alone would already
/// make or change files.
fn look_before_opening(dir: &Path, file: &Path) -> Result<(), Failure> {
    let mut header = [0; USER_VERSION_OFFSET + 4];
    match fs::File::open(file).and_then(|mut f| f.read_exact(&mut header)) {
        Ok(()) if !header.starts_with(MAGIC) => Err(Failure::new(
            Exit::Usage,
            format!("{} is no database", file.display()),
            "it does not begin as SQLite's files do",
            "move it away, name another folder with --state DIR, or start afresh with `hoptrail lab --reset`; nothing was changed",
        )),
        Ok(()) => {
            let version = header
                .last_chunk::<4>()
                .map_or(0, |bytes| u32::from_be_bytes(*bytes));
            if version > SCHEMA_VERSION {
                return Err(newer_schema(dir, version));
            }
            fs::OpenOptions::new()
                .append(true)
                .open(file)
                .map(drop)
                .map_err(|error| unusable(dir, &error))
        }
        // Not there yet, or SQLite's empty file before the first page.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => {
            make_state_dir(dir)
        }
        Err(error) => Err(unusable(dir, &error)),
    }
}

fn newer_schema(dir: &Path, version: u32) -> Failure {
    Failure::new(
        Exit::Usage,
        format!(
            "The state in {} was made by a newer hoptrail",
            dir.display()
        ),
        format!("its schema is version {version}; this program knows {SCHEMA_VERSION}"),
        "use the newer program, or another folder with --state DIR; nothing was changed",
    )
}

fn cannot_open(state: Option<&Path>, error: &sqlx::Error) -> Failure {
    let place = state.map_or_else(
        || "memory".to_owned(),
        |dir| dir.join(DATABASE_FILE).display().to_string(),
    );
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    let is = |number: &str| code.as_deref() == Some(number);
    // SQLITE_BUSY: somebody holds the exclusive lock. Below, SQLITE_FULL.
    if is("5") {
        Failure::new(
            Exit::Usage,
            format!("The zone's database {place} is in use"),
            "another hoptrail runs its lab on the same state",
            "stop that one and try again, or name another folder with --state DIR",
        )
    } else {
        Failure::new(
            Exit::Usage,
            format!("The zone's database {place} cannot be opened"),
            error.to_string(),
            if is("13") {
                MAKE_ROOM
            } else if is("11") || is("26") {
                // SQLITE_CORRUPT, SQLITE_NOTADB.
                DAMAGED
            } else {
                "make the folder writable, name another with --state DIR, or start afresh with `hoptrail lab --reset`"
            },
        )
    }
}

fn cannot_read(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        "The zone's database cannot be read",
        error.to_string(),
        "start afresh with `hoptrail lab --reset`",
    )
}

pub(super) fn cannot_write(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        "The zone could not store what it decided, so it did nothing",
        error.to_string(),
        "look for room on the disk, then try again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{protocol::console::Owner, zone::directory::PolicySet};

    fn set(name: String) -> Change {
        Change::put(PolicySet {
            id: "one".to_owned(),
            name,
            owner: Owner::Customer,
        })
    }

    #[tokio::test]
    async fn after_a_full_disk_the_next_write_is_as_any_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::open(Some(dir.path())).await.unwrap();
        sqlx::raw_sql("PRAGMA max_page_count = 10")
            .execute(&mut database.connection)
            .await
            .unwrap();
        for _ in 0..2 {
            let full = database.write(&[set("x".repeat(100_000))], &[]).await;
            assert!(full.unwrap_err().why.contains("full"));
        }
        database
            .write(&[set("small".to_owned())], &[])
            .await
            .unwrap();
        let kept = database.load().await.unwrap();
        assert_eq!(kept.policy_sets["one"].name, "small");
    }
}
