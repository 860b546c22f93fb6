//! What a lab left in its state folder, looked at without starting one.

use std::{path::Path, time::Duration};

use chrono::DateTime;
use sqlx::{
    Connection as _, SqliteConnection,
    error::DatabaseError,
    sqlite::{SqliteConnectOptions, SqliteLockingMode},
};

use super::parts;
use crate::{
    support::error::Failure,
    upstream::linear,
    zone::store::{self, DATABASE_FILE},
};

/// The database of the Linear stand-in.
pub(super) const LINEAR: &str = "linear.db";

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// No lab was started here.
    Nothing,
    /// A lab runs on it now.
    InUse,
    /// A lab that can go on.
    Lab {
        audit_rows: u64,
        /// Why its URLs will be others than last time, if they will.
        no_ports: Option<Failure>,
    },
}

/// Opens what a start would open, changes nothing and closes it again.
///
/// # Errors
/// Why a start would fail.
pub async fn look(state: &Path) -> Result<Kept, Failure> {
    let (zone, linear) = (state.join(DATABASE_FILE), state.join(LINEAR));
    for file in [&zone, &linear] {
        if file.exists() && is_in_use(file).await {
            return Ok(Kept::InUse);
        }
    }
    if linear.exists() {
        // In 1970 no token had ended yet, so none is forgotten.
        let opened = linear::store::Store::open(Some(&linear), DateTime::UNIX_EPOCH).await?;
        opened.close().await;
    }
    if !zone.exists() {
        return Ok(Kept::Nothing);
    }
    Ok(Kept::Lab {
        audit_rows: store::audit_rows(state).await?,
        no_ports: parts::read_ports(state).err(),
    })
}

/// Whether somebody has a database open. Everything else that is wrong with it may be what it is
/// to be reset for.
pub(super) async fn is_in_use(file: &Path) -> bool {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .locking_mode(SqliteLockingMode::Exclusive)
        .busy_timeout(Duration::ZERO);
    let taken = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::raw_sql("BEGIN EXCLUSIVE")
            .execute(&mut connection)
            .await?;
        connection.close().await
    };
    taken.await.is_err_and(|error| {
        // SQLITE_BUSY: somebody holds a lock.
        let code = error.as_database_error().and_then(DatabaseError::code);
        code.is_some_and(|code| code == "5")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lab::{self, LabConfig},
        support::{clock::FakeClock, ids::Ids},
    };

    #[tokio::test]
    async fn a_lab_is_found_running_kept_and_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        assert_eq!(look(&state).await.unwrap(), Kept::Nothing);
        let config = LabConfig::new(Some(state.clone()), FakeClock::shared(), Ids::seeded(1));
        let lab = lab::start(config).await.unwrap();
        assert_eq!(look(&state).await.unwrap(), Kept::InUse);
        lab.stop().await;
        let kept = Kept::Lab {
            audit_rows: 0,
            no_ports: None,
        };
        assert_eq!(look(&state).await.unwrap(), kept);

        std::fs::write(state.join("lab.toml"), "zone = \"here\"").unwrap();
        let Kept::Lab { no_ports, .. } = look(&state).await.unwrap() else {
            panic!("the lab is there");
        };
        assert!(no_ports.unwrap().why.contains("lab.toml:1:8"), "{kept:?}");

        let key = std::fs::read(state.join("zone.key")).unwrap();
        std::fs::write(state.join("zone.key"), "short").unwrap();
        let failure = look(&state).await.unwrap_err();
        assert!(failure.what.contains("is damaged"), "{failure}");
        std::fs::write(state.join("zone.key"), key).unwrap();

        std::fs::write(state.join(LINEAR), "no database ".repeat(100)).unwrap();
        let failure = look(&state).await.unwrap_err();
        assert!(failure.why.contains(LINEAR), "{failure}");
    }
}
