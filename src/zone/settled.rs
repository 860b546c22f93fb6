//! Decisions that rest on a snapshot of the directory: what they rest on is checked as they become
//! durable, and if it changed meanwhile, the decision is made again.

use std::sync::Arc;

use super::{
    ZoneState,
    directory::Directory,
    refusal::Refusal,
    store::{Commit, CommitError},
};

/// How often a decision is made again because the directory changed under it. Of those who change the
/// same at once, one succeeds each time.
const ATTEMPTS: usize = 64;

/// Decides until a decision stands; gives the directory with it, and what was decided. What a decision
/// rests on stands in its commit.
pub(super) async fn until_settled<T, E: From<CommitError>>(
    zone: &ZoneState,
    mut decide: impl FnMut(&Directory) -> Result<(Commit, T), E>,
) -> Result<(Arc<Directory>, T), E> {
    for _ in 0..ATTEMPTS {
        let directory = zone.directory();
        let (commit, decided) = decide(&directory)?;
        if commit.changes.is_empty() && commit.audit.is_empty() {
            return Ok((directory, decided));
        }
        match zone.store.commit(commit).await {
            Ok(directory) => return Ok((directory, decided)),
            Err(CommitError::Stale) => {}
            Err(failed @ CommitError::Failed(_)) => return Err(failed.into()),
        }
    }
    Err(CommitError::Stale.into())
}

/// [`until_settled`], where a client waits for the answer.
pub(super) async fn settled<T>(
    zone: &ZoneState,
    decide: impl FnMut(&Directory) -> Result<(Commit, T), Refusal>,
) -> Result<(Arc<Directory>, T), Refusal> {
    until_settled(zone, decide).await
}
