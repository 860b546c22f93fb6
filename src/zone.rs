//! The Keycard stand-in: an authorization server, a vault, Cedar policy, an audit log and the
//! management API, on Keycard's own paths.
//!
//! Everything that a decision needs is in one immutable snapshot ([`directory::Directory`]);
//! everything that must last goes through one writer ([`store::Store`]). Must not know of the
//! MCP server or the upstream stand-ins: it sees only clients, resources and providers.

pub mod audit;
pub mod brokered_login;
pub mod clearing;
pub mod client_auth;
pub mod console;
pub mod directory;
pub mod exchange;
mod feed;
pub mod gate;
mod guard;
pub mod keys;
pub mod oauth;
pub mod pages;
pub mod policy;
pub mod refusal;
mod scopes;
pub mod seed;
pub mod sessions;
mod settled;
mod signing;
pub mod store;
pub mod tokens;
pub mod vault;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_util::sync::CancellationToken;

use crate::{
    protocol::{oauth::ClientCredential, secret::Secret},
    support::{clock::SharedClock, error::Failure, ids::Ids},
};

use self::{
    brokered_login::Upstream, console::ConsoleAccess, directory::Directory, keys::Keys,
    store::Store, tokens::Tokens, vault::Vault,
};

/// What a zone is told at start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The zone's origin, without a trailing slash: `http://127.0.0.1:4100`.
    pub issuer: String,
    /// Where `zone.db` and `zone.key` live; `None` keeps everything in memory.
    pub state: Option<PathBuf>,
    pub clock: SharedClock,
    pub ids: Ids,
    /// Whom the zone lets sign people in.
    pub identity_provider: IdentityProvider,
}

/// The OAuth provider that knows the people ("Continue with GitHub").
#[derive(Debug, Clone)]
pub struct IdentityProvider {
    /// The name on the sign-in button.
    pub name: String,
    pub authorize_url: String,
    pub token_url: String,
    /// Where the signed-in person's profile is read.
    pub user_url: String,
    /// Where their e-mail addresses are read when the profile hides them (GitHub's `/user/emails`).
    pub emails_url: Option<String>,
    /// What tokens call a person.
    pub user_identifier: UserIdentifier,
    pub client_id: String,
    pub client_secret: Secret,
}

/// What becomes a token's `sub` (facts/keycard.md, 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserIdentifier {
    /// The zone's own id of the person: Keycard's default.
    ZoneId,
    /// The e-mail address: a provider with `user_identifier_claim` set to `email`.
    Email,
}

/// A zone that is open.
#[derive(Debug, Clone)]
pub struct Zone {
    state: Arc<ZoneState>,
}

/// What every handler of the zone shares.
#[derive(Debug)]
pub struct ZoneState {
    pub config: Config,
    pub store: Store,
    pub vault: Vault,
    /// The signing key, which may still be in the making.
    pub keys: Keys,
    /// Mints and verifies the zone's own tokens.
    pub tokens: Tokens,
    /// Who may use the management API.
    pub console: ConsoleAccess,
    /// The way to other providers.
    pub upstream: Upstream,
    /// Where exchanges wait while somebody holds them.
    pub gate: gate::Gate,
    /// Ends whoever follows the audit feed.
    pub ending: CancellationToken,
}

/// The zone before it has signing keys: what is needed to load them.
#[derive(Debug)]
pub struct Foundation {
    pub config: Config,
    pub store: Store,
    pub vault: Vault,
}

impl Foundation {
    /// Opens the state directory, or makes it.
    ///
    /// # Errors
    /// If the state cannot be written, belongs to a newer version or to a running zone.
    pub async fn open(config: Config) -> Result<Self, Failure> {
        let vault = Vault::open(config.state.as_deref(), config.ids.clone())?;
        let store = Store::open(
            config.state.as_deref(),
            config.clock.clone(),
            config.ids.clone(),
        )
        .await?;
        Ok(Self {
            config,
            store,
            vault,
        })
    }

    /// The zone on this foundation, swept and with the platform's own objects.
    async fn into_zone(self, keys: Keys) -> Result<Zone, Failure> {
        let config = &self.config;
        let console = ConsoleAccess::new(&config.ids);
        let tokens = Tokens::new(&*config.issuer, config.clock.clone(), config.ids.clone());
        let zone = Zone {
            state: Arc::new(ZoneState {
                config: self.config,
                store: self.store,
                vault: self.vault,
                keys,
                tokens,
                console,
                upstream: Upstream::default(),
                gate: gate::Gate::default(),
                ending: CancellationToken::new(),
            }),
        };
        let state = &zone.state;
        let over = sessions::sweep(&state.directory(), state.config.clock.now());
        if !over.is_empty() {
            state.store.change(over).await?;
        }
        seed::fresh(state).await?;
        Ok(zone)
    }
}

impl Zone {
    /// Opens a zone with what it has stored, or a new one. At the very first start the signing key
    /// is made in the background, so that the zone answers at once; who needs the key waits for it.
    ///
    /// # Errors
    /// If the state cannot be used (see [`Foundation::open`]), or its signing key not be read.
    pub async fn open(config: Config) -> Result<Self, Failure> {
        let foundation = Foundation::open(config).await?;
        let keys = signing::load_or_make(&foundation)?;
        foundation.into_zone(keys).await
    }

    /// [`Zone::open`] with a signing key that is already there and is not stored: for tests, which
    /// should not wait for one to be made.
    ///
    /// # Errors
    /// As [`Zone::open`].
    pub async fn open_with(config: Config, keys: Keys) -> Result<Self, Failure> {
        Foundation::open(config).await?.into_zone(keys).await
    }

    /// Everything the zone serves, checked for Host and Origin.
    pub fn router(&self) -> axum::Router {
        self.router_with(axum::Router::new())
    }

    /// [`Self::router`] with `more` beside it, checked for the same.
    pub fn router_with(&self, more: axum::Router) -> axum::Router {
        more.merge(console::router(self.state.clone()))
            .merge(feed::router(self.state.clone()))
            .merge(gate::router(self.state.clone()))
            .merge(oauth::router(self.state.clone()))
            .layer(axum::middleware::from_fn(guard::loopback_only))
    }

    /// The service account of the management API and the audit feed: new at each start.
    #[must_use]
    pub fn console_credential(&self) -> &ClientCredential {
        self.state.console.credential()
    }

    /// Makes the latest version of a policy set the active one, as the console does it; the log gets
    /// its row. Nothing happens to a set of which a version is active already.
    ///
    /// # Errors
    /// If there is no such set, or the change cannot be stored.
    pub async fn activate(&self, set: &str) -> Result<(), Failure> {
        console::activate_latest(&self.state, set).await
    }

    /// Lets go whoever would hold up the end of the zone's requests: held exchanges, and the readers
    /// of its feeds.
    pub fn let_go(&self) {
        self.state.gate.open_for_good();
        self.state.ending.cancel();
    }

    /// Finishes what waits, ends the audit feeds and closes the database.
    pub async fn close(&self) {
        self.let_go();
        self.state.store.close().await;
    }

    /// What the zone's handlers share.
    #[must_use]
    pub fn state(&self) -> &Arc<ZoneState> {
        &self.state
    }
}

impl ZoneState {
    /// The directory as it stands now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.store.directory()
    }
}

/// Deletes a zone's state, so that the next start is the first. A zone that is still open on it must be
/// closed before.
///
/// # Errors
/// If a file is there and cannot be deleted.
pub fn reset(state_dir: &Path) -> Result<(), Failure> {
    let fault = |error: &std::io::Error| vault::unusable(state_dir, error);
    let entries = match std::fs::read_dir(state_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fault(&error)),
    };
    let (mut database, mut keys) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(|error| fault(&error))?;
        let name = entry.file_name();
        // What else begins so is a person's own, a copy for instance.
        match name.to_str() {
            Some(name) if store::is_database(name) => database.push(entry.path()),
            Some(name) if vault::is_key(name) => keys.push(entry.path()),
            Some(_) | None => {}
        }
    }
    // The key last: a database without its key would not open, a key without a database is a start.
    for path in database.iter().chain(&keys) {
        std::fs::remove_file(path).map_err(|error| fault(&error))?;
    }
    Ok(())
}
