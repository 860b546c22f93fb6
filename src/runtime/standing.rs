//! Follows an attendee's own work while the chapters are open: looks at their folder, their `.env`
//! and their server, and again when a file changed.
//!
//! Reads and never writes. The server is knocked on when there is a reason to, so that its own
//! output stays readable.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    net::TcpStream,
    runtime::Handle,
    sync::{mpsc, watch},
    task::spawn_blocking,
};
use url::Url;

use super::{
    Options,
    backend::{Backend, BackendState},
    check, effects,
    probing::{self, env::root},
};
use crate::{
    app::msg::Msg,
    chapters::{ProbeResults, orientation::AT_REST},
};

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(700);
/// A server that restarts by itself after a change needs so long until it answers.
const RESTARTS_WITHIN: Duration = Duration::from_millis(1_500);
/// After so many looks the server is asked though nothing changed.
const ASK_ANYWAY: usize = 30;

/// The watch over somebody's own server.
#[derive(Debug)]
pub struct Standing {
    news: Option<mpsc::UnboundedReceiver<Msg>>,
}

impl Standing {
    /// Looks at nothing: the server is the lab's.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { news: None }
    }

    /// Looks at the server and the folder until this is dropped.
    #[must_use]
    pub fn of(
        backend: watch::Receiver<BackendState>,
        options: Options,
        project: Option<PathBuf>,
    ) -> Self {
        let (sender, news) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let backend = effects::ready(backend).await.ok();
            follow(backend.as_deref(), &options, project.as_deref(), &sender).await;
        });
        Self { news: Some(news) }
    }

    /// Waits for the next look that showed something else.
    pub async fn news(&mut self) -> Msg {
        match &mut self.news {
            Some(news) => match news.recv().await {
                Some(msg) => msg,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

async fn follow(
    backend: Option<&Backend>,
    options: &Options,
    project: Option<&Path>,
    news: &mpsc::UnboundedSender<Msg>,
) {
    let mut told = None;
    while !news.is_closed() {
        let before = project.map(files);
        let (seen, server) = look(backend, options, project).await;
        let door = door(server.as_ref()).await;
        if told.as_ref() != Some(&seen) {
            // Nobody is listening any more when the person has quit.
            let _ = news.send(Msg::LookedAround(Box::new(seen.clone())));
            told = Some(seen);
        }
        for _ in 0..ASK_ANYWAY {
            if news.is_closed() {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            if project.map(files) != before {
                tokio::time::sleep(RESTARTS_WITHIN).await;
                break;
            }
            if self::door(server.as_ref()).await != door {
                break;
            }
        }
    }
}

/// Whether anything listens at the server's port: a connection that asks nothing, which no server
/// writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Answers,
    Silent,
}

async fn door(server: Option<&Url>) -> Door {
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

async fn look(
    backend: Option<&Backend>,
    options: &Options,
    project: Option<&Path>,
) -> (ProbeResults, Option<Url>) {
    let around = match backend {
        Some(backend) => backend.look_around(project, None).await.map(Arc::new),
        None => check::around(options, project).map(Arc::new),
    };
    let Ok(around) = around else {
        return (ProbeResults::default(), None);
    };
    let server = around.server.clone();
    // On a thread of its own, as the probes of a chapter are: see the runner of jobs.
    let handle = Handle::current();
    let asked = spawn_blocking(move || handle.block_on(probing::ask(&AT_REST, &around)));
    (asked.await.unwrap_or_default(), Some(server))
}

/// The attendee's own files with when they changed.
#[must_use]
pub fn files(project: &Path) -> BTreeMap<PathBuf, Option<SystemTime>> {
    let project = root(project);
    let mut found = BTreeMap::new();
    for folder in [project.join("src"), project] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if let Ok(known) = entry.metadata()
                && known.is_file()
            {
                found.insert(entry.path(), known.modified().ok());
            }
        }
    }
    found
}
