//! Looks at the real server and the real folder.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{net::TcpStream, runtime::Handle, task::spawn_blocking};
use url::Url;

use super::{Door, Files, LOOK_EVERY, Sight, files};
use crate::{
    chapters::{ProbeResults, orientation::AT_REST},
    runtime::{
        Options,
        backend::Backend,
        check,
        probing::{self, Surroundings},
    },
    support::error::Failure,
};

pub(super) struct Eyes {
    /// Absent when it could not be opened; the folder can be looked at all the same.
    backend: Option<Arc<Backend>>,
    options: Options,
    project: Option<PathBuf>,
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
        }
    }

    async fn around(&self) -> Result<Surroundings, Failure> {
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
        asked.await.unwrap_or_default()
    }

    async fn door(&mut self) -> Door {
        knock(self.server().as_ref()).await
    }

    fn files(&mut self) -> Files {
        self.project.as_deref().map(files).unwrap_or_default()
    }

    async fn rest(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Whether anything listens there.
pub(super) async fn knock(server: Option<&Url>) -> Door {
    let at = server.and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let Some((host, port)) = at else {
        return Door::Silent;
    };
    let host = host.trim_matches(['[', ']']);
    match tokio::time::timeout(LOOK_EVERY, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Door::Answers,
        Ok(Err(_)) | Err(_) => Door::Silent,
    }
}
