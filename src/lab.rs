//! Composes zone, server and stand-ins on loopback. Gives out URLs and a shutdown, nothing else.
//!
//! Every part listens on its own port of 127.0.0.1 and is told the others only by URL, so any of
//! them can be left out and replaced by the real service.

pub mod access;
pub mod chapter;
pub mod env_file;
pub mod kept;
mod parts;
pub mod ports;
mod reset;
mod stray;
mod switch;
mod thread;
pub mod wire;
mod workshop;

use std::{path::PathBuf, time::Duration};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    protocol::{env::EnvLine, oauth::ClientCredential, observed::LabEndpoints, secret::Secret},
    server::{self, Settings},
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
        ids::Ids,
    },
};

pub use self::{chapter::Chapter, reset::reset, thread::start, workshop::Materials};
use self::{ports::Port, switch::Switch};
use crate::zone::{
    Zone,
    seed::{Extent, Workshop},
};
pub use crate::zone::{console::ZONE_ID, gate::AT_MOST as HELD_AT_MOST};

/// The team that issues are filed in, unless `LINEAR_TEAM_ID` says otherwise (the workshop's own).
pub const TEAM_ID: &str = "030eb113-b144-44f8-864f-c0507c21e80d";
/// How long open requests may take to end: one that hangs must not hold up the exit, and what it had
/// committed is on disk.
const GRACE: Duration = Duration::from_secs(2);

/// What a lab is told at start.
#[derive(Debug, Clone)]
pub struct LabConfig {
    /// Where state lives between starts; `None` keeps everything in memory.
    pub state: Option<PathBuf>,
    pub clock: SharedClock,
    pub ids: Ids,
    pub ports: Ports,
    pub server: ServerPart,
    /// The chapter at whose end the lab is. Without one the server is the finished one, and the
    /// policy stays as the last start left it.
    pub stage: Option<Chapter>,
    /// What the zone holds of the workshop when the lab starts.
    pub objects: ZoneObjects,
    pub supabase: Service,
    pub anthropic: Service,
    pub linear: LinearService,
    pub zone: ZonePart,
    /// Is shown everything that passes the lab's sockets: for a proof, never for a product.
    pub wire: Option<wire::SharedWire>,
}

impl LabConfig {
    /// The whole lab, on free ports.
    #[must_use]
    pub fn new(state: Option<PathBuf>, clock: SharedClock, ids: Ids) -> Self {
        Self {
            state,
            clock,
            ids,
            ports: Ports::default(),
            server: ServerPart::Own,
            stage: None,
            objects: ZoneObjects::default(),
            supabase: Service::StandIn,
            anthropic: Service::StandIn,
            linear: LinearService::StandIn,
            zone: ZonePart::StandIn,
            wire: None,
        }
    }
}

/// The ports that were asked for; `None` is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ports {
    pub server: Option<u16>,
    pub zone: Option<u16>,
    pub supabase: Option<u16>,
    pub anthropic: Option<u16>,
    pub linear: Option<u16>,
    pub github: Option<u16>,
}

/// What the lab's zone holds of the workshop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ZoneObjects {
    /// Everything that chapters 1 and 7 make. What is there already stays as it was left.
    #[default]
    Made,
    /// Everything that chapter 1 makes, for who has chapter 7 before them. What is there already stays,
    /// policies too.
    MadeInChapter1,
    /// What somebody made in the console; in a new zone nothing.
    AsLeft,
}

/// Who serves the MCP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerPart {
    /// The lab's own support-escalation server.
    Own,
    /// Somebody else's, at this endpoint; the zone has a resource registered for it.
    Yours(String),
}

/// A service whose key lies in the zone's vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    StandIn,
    /// The real one, and its key if the zone is the lab's.
    Real {
        url: String,
        key: Option<Secret>,
    },
}

/// Linear, whose tokens the zone brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinearService {
    StandIn,
    /// The real one, with the OAuth application that the lab's zone acts through, and the key of
    /// a person for the chapters before the sixth.
    Real {
        url: String,
        client: Option<ClientCredential>,
        key: Option<Secret>,
    },
}

/// Who is the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZonePart {
    StandIn,
    /// A real Keycard zone, and the application's credential for the lab's server.
    Real {
        url: String,
        credential: ClientCredential,
    },
}

/// A lab that answers. Dropping it stops the servers without waiting; [`LabHandle::stop`] waits.
#[derive(Debug)]
pub struct LabHandle {
    pub endpoints: LabEndpoints,
    /// Where the zone sends people to sign in; absent when the zone is a real one.
    pub github: Option<String>,
    /// For the zone's management API; absent when the zone is a real one.
    pub console: Option<ClientCredential>,
    /// The `.env` files of the story, as they may be shown.
    pub env_before: Vec<EnvLine>,
    pub env_after: Vec<EnvLine>,
    env: RwLock<env_file::Values>,
    /// What the zone's objects are made from; absent when the zone is a real one.
    workshop: Option<Workshop>,
    /// The server's place; absent when the server is somebody else's.
    server: Option<Switch>,
    deps: server::Deps,
    /// Absent when the zone is a real one.
    zone: Option<Zone>,
    at: tokio::sync::Mutex<Chapter>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl LabHandle {
    /// The chapter at whose end the lab's server is.
    pub async fn stage(&self) -> Chapter {
        *self.at.lock().await
    }

    /// Brings the lab to the end of another chapter: the server changes on its port, and the policy
    /// set follows. What the zone lacks for it is made. Calls under way end on the server on which
    /// they began. A server or a zone that is not the lab's stays as it is.
    ///
    /// # Errors
    /// If the server cannot be set up, or the zone not be changed; then the server stays as it was.
    pub async fn go_to(&self, stage: Chapter) -> Result<(), Failure> {
        // Held to the end, so that two who go to different places do not end up between them.
        let mut at = self.at.lock().await;
        self.make_missing(stage).await?;
        let router = self.router_of(stage)?;
        if let Some(zone) = &self.zone {
            zone.activate(stage.policy_set()).await?;
        }
        if let Some((switch, router)) = router {
            switch.put(router);
        }
        *at = stage;
        Ok(())
    }

    /// Brings the server to the end of a chapter whose console work somebody did themselves: what
    /// they made in it, and which policy set is active, stays as it is. Only what earlier chapters
    /// make is made where it is not there.
    ///
    /// # Errors
    /// As for [`Self::go_to`].
    pub async fn arrive(&self, stage: Chapter) -> Result<(), Failure> {
        let mut at = self.at.lock().await;
        if let Some(before) = stage.before() {
            self.make_missing(before).await?;
        }
        if let Some((switch, router)) = self.router_of(stage)? {
            switch.put(router);
        }
        *at = stage;
        Ok(())
    }

    /// [`Self::go_to`], and then takes away what later chapters made in the zone: before chapter 1 that
    /// is everything, before chapter 7 the policies. People, their sessions and the log stay.
    ///
    /// # Errors
    /// As for [`Self::go_to`].
    pub async fn begin_again(&self, stage: Chapter) -> Result<(), Failure> {
        self.go_to(stage).await?;
        let kept = match stage.number() {
            0 => Extent::AsLeft,
            1..=6 => Extent::Objects,
            _ => Extent::Everything,
        };
        if let Some(zone) = &self.zone {
            crate::zone::clearing::beyond(zone, kept).await?;
        }
        if stage == Chapter::FIRST {
            self.keep(String::new(), Secret::new(String::new()));
        }
        Ok(())
    }

    /// What people made in the zone, a line for each thing; nothing of a real zone.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        self.zone.as_ref().map_or_else(Vec::new, workshop::objects)
    }

    fn router_of(&self, stage: Chapter) -> Result<Option<(&Switch, axum::Router)>, Failure> {
        let Some(switch) = &self.server else {
            return Ok(None);
        };
        Ok(Some((switch, server_of(&self.env(), stage, &self.deps)?)))
    }

    /// What chapters 1 and 7 make, where `stage` rests on it and it is not there.
    async fn make_missing(&self, stage: Chapter) -> Result<(), Failure> {
        let (Some(zone), Some(workshop)) = (&self.zone, &self.workshop) else {
            return Ok(());
        };
        let limit = stage.is_limited() && !workshop::has_limit(zone);
        let objects =
            stage > Chapter::FIRST && (self.has_no_credential() || !workshop::has_objects(zone));
        let extent = match (limit, objects) {
            (true, _) => Extent::Everything,
            (false, true) => Extent::Objects,
            (false, false) => return Ok(()),
        };
        let seeded = crate::zone::seed::workshop_to(zone, workshop.clone(), extent).await?;
        if let Some(seeded) = seeded {
            self.keep(seeded.client_id, seeded.client_secret);
        }
        Ok(())
    }

    /// A public client's id is not enough for an exchange.
    fn has_no_credential(&self) -> bool {
        let env = self.env();
        env.client_id.is_empty() || env.client_secret.expose().is_empty()
    }

    /// Puts a credential that was made in the console into the `.env`, as a person pastes it; a
    /// server that uses one already takes the new one.
    ///
    /// # Errors
    /// If the server cannot be set up with it.
    pub async fn paste_credential(&self, id: String, secret: Secret) -> Result<(), Failure> {
        let at = self.at.lock().await;
        self.keep(id, secret);
        if let Some((switch, router)) = self.router_of(*at)? {
            switch.put(router);
        }
        Ok(())
    }

    fn keep(&self, id: String, secret: Secret) {
        let mut env = self.env.write();
        env.client_id = id;
        env.client_secret = secret;
    }

    /// What the zone's objects are made from; `None` when the zone is a real one.
    #[must_use]
    pub fn materials(&self) -> Option<Materials> {
        let workshop = self.workshop.as_ref()?;
        Some(Materials::of(workshop, self.env().client_id))
    }

    /// What `--write-env` writes, chapter by chapter.
    #[must_use]
    pub fn env(&self) -> env_file::Values {
        self.env.read().clone()
    }

    /// The `.env` at the end of a chapter, as it may be shown.
    #[must_use]
    pub fn env_of(&self, chapter: Chapter) -> Vec<EnvLine> {
        self.env().shown(chapter)
    }

    /// Stops every server, lets open requests end, and closes the databases.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(GRACE, self.tasks.wait()).await;
    }
}

/// The lab's own server is configured through the same file as anybody's; only what the code of the
/// earlier chapters has built in, the addresses of Linear and of the model, it is told beside it.
fn server_of(
    env: &env_file::Values,
    stage: Chapter,
    deps: &server::Deps,
) -> Result<axum::Router, Failure> {
    let file = env_file::parse(&env.of(stage))?;
    let settings = Settings::for_stage(stage.stage(), |name| {
        file.get(name).cloned().or_else(|| match name {
            "LINEAR_API_URL" => Some(Secret::from(&*env.linear_url)),
            "ANTHROPIC_API_URL" => Some(Secret::from(&*env.anthropic_url)),
            _ => None,
        })
    })
    .map_err(server::SettingFaults::into_failure)?;
    server::router(settings, deps.clone())
}

impl Drop for LabHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A listener and the origin under which the others know it.
#[derive(Debug)]
struct BoundPort {
    listener: TcpListener,
    origin: String,
    port: u16,
}

impl BoundPort {
    async fn open(
        asked: Option<u16>,
        last: Option<u16>,
        flag: &'static str,
    ) -> Result<Self, Failure> {
        let port = match (asked, last) {
            (Some(port), _) if port != 0 => Port::Fixed { port, flag },
            (_, Some(port)) => Port::Preferred(port),
            _ => Port::Free,
        };
        let listener = ports::bind(port).await?;
        let port = listener
            .local_addr()
            .map_err(|e| {
                Failure::new(
                    Exit::Unreachable,
                    "A listener has no address",
                    e.to_string(),
                    "start again",
                )
            })?
            .port();
        Ok(Self {
            listener,
            origin: match port {
                // As URLs are written by whoever parses them: compared letter by letter, they must agree.
                80 => "http://127.0.0.1".to_owned(),
                port => format!("http://127.0.0.1:{port}"),
            },
            port,
        })
    }
}
