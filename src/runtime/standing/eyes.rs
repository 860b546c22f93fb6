//! Looks at the real server and the real folder.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{net::TcpStream, runtime::Handle, task::spawn_blocking};
use url::Url;

use super::{Files, LOOK_EVERY, PortState, Sight, read};
use crate::{
    chapters::{ProbeResults, Reading, orientation::AT_REST},
    protocol::env::EnvLine,
    runtime::{
        Options,
        backend::{Backend, env_read},
        check,
        probing::{self, ProbeTargets},
    },
    support::error::Failure,
    trace::{Actor, event::EnvSide},
};

pub(super) struct Eyes {
    /// Absent when it could not be opened; the folder can be looked at all the same.
    backend: Option<Arc<Backend>>,
    options: Options,
    project: Option<PathBuf>,
    /// The `.env` as it was told last.
    env: Option<Vec<EnvLine>>,
}

impl Eyes {
    pub const fn new(
        backend: Option<Arc<Backend>>,
        options: Options,
        project: Option<PathBuf>,
    ) -> Self {
        Self {
            backend,
            options,
            project,
            env: None,
        }
    }

    /// The attendee's `.env` is a fact of the run; its secrets are not in it.
    fn tell_env(&mut self, seen: &Reading<Vec<EnvLine>>) {
        let (Some(backend), Reading::Told(lines)) = (&self.backend, seen) else {
            return;
        };
        if self.env.as_ref() == Some(lines) {
            return;
        }
        // A file without a key is not the one that the workshop begins with.
        let is_key = |line: &EnvLine| line.set && line.worth_stealing;
        let sides: &[EnvSide] = if self.env.is_none() && lines.iter().any(is_key) {
            &[EnvSide::Before, EnvSide::After]
        } else {
            &[EnvSide::After]
        };
        for side in sides {
            let fact = env_read(*side, lines.clone());
            backend.client.http().report(Actor::Client, fact);
        }
        self.env = Some(lines.clone());
    }

    async fn around(&self) -> Result<ProbeTargets, Failure> {
        let project = self.project.as_deref();
        match &self.backend {
            Some(backend) => backend.look_from_outside(project).await,
            None => check::around(&self.options, project),
        }
    }

    fn server(&self) -> Option<Url> {
        match &self.backend {
            Some(backend) => Some(backend.client.server().clone()),
            None => check::around(&self.options, self.project.as_deref())
                .ok()
                .map(|around| around.server),
        }
    }
}

impl Sight for Eyes {
    async fn look(&mut self) -> ProbeResults {
        let Ok(around) = self.around().await else {
            return ProbeResults::default();
        };
        // On a thread of its own, as the probes of a chapter are: see the runner of jobs.
        let handle = Handle::current();
        let asked = spawn_blocking(move || handle.block_on(probing::ask(&AT_REST, &around)));
        let seen = asked.await.unwrap_or_default();
        self.tell_env(&seen.env);
        seen
    }

    async fn port(&mut self) -> PortState {
        knock(self.server().as_ref()).await
    }

    async fn files(&mut self) -> Files {
        match self.project.clone() {
            Some(project) => read(project).await,
            None => Files::new(),
        }
    }

    async fn rest(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Whether anything listens there.
pub(super) async fn knock(server: Option<&Url>) -> PortState {
    let at = server.and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let Some((host, port)) = at else {
        return PortState::Silent;
    };
    let host = host.trim_matches(['[', ']']);
    match tokio::time::timeout(LOOK_EVERY, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => PortState::Answers,
        Ok(Err(_)) | Err(_) => PortState::Silent,
    }
}
