//! The signing key's way into and out of the store.

use crate::{
    protocol::secret::Secret,
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
    },
};

use super::{
    Foundation,
    directory::{Change, SIGNING_KEY, SigningKey as StoredKey},
    keys::{KeyError, Keys, NoKey, SigningKey},
    store::Store,
    vault::{Belongs, Sealed},
};

/// The stored key, or one that is being made.
pub(super) fn load_or_make(foundation: &Foundation) -> Result<Keys, Failure> {
    let directory = foundation.store.directory();
    if let Some(stored) = directory.signing_keys.values().next() {
        let der = foundation
            .vault
            .unseal_bytes(&stored.private, belongs(&stored.id))?;
        let key = SigningKey::from_pkcs8(der.expose()).map_err(unusable)?;
        return Ok(Keys::ready(key));
    }
    let keys = Keys::pending();
    let (pending, store) = (keys.clone(), foundation.store.clone());
    let (vault, clock) = (foundation.vault.clone(), foundation.config.clock.clone());
    tokio::spawn(async move {
        let made = tokio::task::spawn_blocking(move || {
            let key = SigningKey::generate()?;
            let der: Secret<Vec<u8>> = key.to_pkcs8()?;
            let sealed = vault.seal(&der, belongs(key.kid()));
            Ok::<_, KeyError>((key, sealed))
        })
        .await;
        let stored = match made {
            Ok(Ok((key, sealed))) => keep(&store, &clock, key, sealed).await,
            Ok(Err(error)) => Err(unusable(error)),
            // The runtime is going down; nobody waits for a key any more.
            Err(_) => return,
        };
        match stored {
            Ok(key) => pending.provide(key),
            Err(failure) => {
                tracing::error!(%failure, "the zone has no signing key");
                pending.give_up(NoKey(failure.why));
            }
        }
    });
    Ok(keys)
}

/// Stores the key before anything is signed with it: a token must outlive a restart.
async fn keep(
    store: &Store,
    clock: &SharedClock,
    key: SigningKey,
    private: Sealed,
) -> Result<SigningKey, Failure> {
    store
        .change(vec![Change::put(StoredKey {
            id: key.kid().to_owned(),
            private,
            created_at: clock.now(),
        })])
        .await?;
    Ok(key)
}

const fn belongs(kid: &str) -> Belongs<'_> {
    Belongs {
        to: SIGNING_KEY,
        id: kid,
    }
}

fn unusable(error: KeyError) -> Failure {
    Failure::new(
        Exit::Failed,
        "The zone has no signing key",
        error.to_string(),
        "start afresh with `hoptrail lab --reset`",
    )
}
