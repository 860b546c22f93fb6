//! Decisions that rest on a snapshot of the directory: what they rest on is checked as they become
//! durable, and if it changed meanwhile, the decision is made again.

use std::sync::Arc;

use super::{
    ZoneState,
    directory::Directory,
    oauth::error::internal,
    refusal::Refusal,
    store::{Commit, CommitError},
};
use crate::protocol::oauth::ErrorCode;

/// How often a decision is made again because the directory changed under it. Of those who change the
/// same at once, one succeeds each time.
pub(super) const ATTEMPTS: usize = 64;

/// Decides until a decision stands; gives the directory with it, and what was decided. What a decision
/// rests on stands in its commit.
pub(super) async fn settled<T>(
    zone: &ZoneState,
    mut decide: impl FnMut(&Directory) -> Result<(Commit, T), Refusal>,
) -> Result<(Arc<Directory>, T), Refusal> {
    for _ in 0..ATTEMPTS {
        let directory = zone.directory();
        let (commit, decided) = decide(&directory)?;
        if commit.changes.is_empty() && commit.audit.is_empty() {
            return Ok((directory, decided));
        }
        match zone.store.commit(commit).await {
            Ok(directory) => return Ok((directory, decided)),
            Err(CommitError::Stale) => {}
            Err(CommitError::Failed(failure)) => return Err(internal(&failure)),
        }
    }
    // RFC 6749, section 5.2 has no word of its own for it.
    Err(Refusal::new(
        ErrorCode::ServerError,
        "The zone's configuration kept changing; try again",
    ))
}
