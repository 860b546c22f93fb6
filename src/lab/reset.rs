//! Forgetting everything that a lab keeps.

use std::{io::ErrorKind, path::Path};

use super::{
    access,
    kept::{LINEAR, is_in_use},
    parts::PORTS_FILE,
};
use crate::{
    support::error::{Exit, Failure},
    zone::{self, store::DATABASE_FILE},
};

/// Forgets everything that a lab keeps: sessions, grants, policies, audit log, issues, keys.
///
/// # Errors
/// If a lab runs on the state, or a file cannot be removed.
pub async fn reset(state: &Path) -> Result<(), Failure> {
    for name in [DATABASE_FILE, LINEAR] {
        if is_in_use(&state.join(name)).await {
            return Err(Failure::new(
                Exit::Usage,
                format!("The state in {} is in use", state.display()),
                format!("another hoptrail runs its lab on it and has {name} open"),
                "stop that one, or name another folder with --state DIR; nothing was removed",
            ));
        }
    }
    zone::reset(state)?;
    // The last is there only if a lab was killed.
    for name in [
        LINEAR,
        "linear.db-wal",
        "linear.db-shm",
        PORTS_FILE,
        access::FILE,
    ] {
        match std::fs::remove_file(state.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("{name} in {} cannot be removed", state.display()),
                    error.to_string(),
                    "stop the lab that uses it, or remove the folder yourself",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lab::{self, LabConfig},
        support::{clock::FakeClock, ids::Ids},
    };

    #[tokio::test]
    async fn the_state_of_a_lab_that_runs_is_not_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let config = LabConfig::new(Some(state.clone()), FakeClock::shared(), Ids::seeded(1));
        let lab = lab::start(config).await.unwrap();
        for name in [DATABASE_FILE, LINEAR] {
            assert!(is_in_use(&state.join(name)).await, "{name}");
        }
        let failure = reset(&state).await.unwrap_err();
        assert!(failure.what.contains("in use"), "{failure}");
        assert!(state.join("zone.key").exists() && state.join("lab.toml").exists());
        lab.stop().await;
        reset(&state).await.unwrap();
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_damaged_state_can_be_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        for name in [DATABASE_FILE, LINEAR, access::FILE] {
            std::fs::write(dir.path().join(name), "no database ".repeat(100)).unwrap();
        }
        reset(dir.path()).await.unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        reset(&dir.path().join("nowhere")).await.unwrap();
    }
}
