//! What an application uses on a person's behalf, and how far the person agreed to it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::transaction::Transaction;
use crate::{
    protocol::audit::CredentialSource,
    zone::{
        brokered_login,
        directory::{Directory, Provider, Resource, User},
    },
};

/// One resource that the application uses on the person's behalf.
pub(super) struct DependencyState {
    pub resource: Arc<Resource>,
    pub provider: Arc<Provider>,
}

impl DependencyState {
    /// Whether the person must still be sent to the provider.
    pub fn sign_in_follows(
        &self,
        directory: &Directory,
        now: DateTime<Utc>,
        transaction: &Transaction,
        user: &User,
    ) -> bool {
        let id = &self.resource.id;
        let grant = if transaction.visited.contains(id) {
            directory.active_grant(&user.id, id)
        } else {
            directory.whole_grant(&user.id, id)
        };
        self.provider.kind == CredentialSource::External
            && !grant.is_some_and(|grant| brokered_login::refresh::is_usable(grant, now))
    }

    /// The scopes that are granted, or will be once the person agrees.
    pub fn scopes<'a>(&'a self, directory: &'a Directory, user: &User) -> &'a [String] {
        directory
            .whole_grant(&user.id, &self.resource.id)
            .map_or(&self.resource.scopes, |grant| &grant.scopes)
    }
}
