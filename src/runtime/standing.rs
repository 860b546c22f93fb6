//! Follows an attendee's own work while the chapters are open: looks at their folder, their `.env`
//! and their server, and again when a file changed.
//!
//! Reads and never writes. The server is knocked on when there is a reason to, and else every 21 s
//! for what shows in no file, so that its own output stays readable.

mod eyes;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::sync::{mpsc, watch};
use url::Url;

use self::eyes::Eyes;
use super::{
    Options,
    backend::{self, BackendState},
    probing::{env::root, folder},
};
use crate::{app::msg::Msg, chapters::ProbeResults};

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(700);
/// A server that restarts by itself after a change needs so long until it answers.
const RESTARTS_WITHIN: Duration = Duration::from_millis(1_500);
/// After so many looks the server is asked though nothing changed.
const ASK_ANYWAY: usize = 30;

/// The watch over somebody's own server.
#[derive(Debug)]
pub struct ServerWatch {
    news: Option<mpsc::UnboundedReceiver<Msg>>,
}

impl ServerWatch {
    /// Looks at nothing: the server is the lab's.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { news: None }
    }

    /// Looks at the server and the folder until this is dropped.
    #[must_use]
    pub fn of(
        mut backend: watch::Receiver<BackendState>,
        options: Options,
        project: Option<PathBuf>,
    ) -> Self {
        let (sender, news) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let backend = backend::ready(&mut backend).await.ok();
            follow(&mut Eyes::new(backend, options, project), &sender).await;
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

/// What can be seen of somebody's work, and the time between two looks.
trait Sight {
    /// Asks the server, and reads the folder and its `.env`.
    async fn look(&mut self) -> ProbeResults;
    /// Whether anything listens at the server's port.
    async fn port(&mut self) -> PortState;
    /// The folder's files.
    async fn files(&mut self) -> Files;
    async fn rest(&mut self, time: Duration);
}

/// Whether anything listens at the server's port: a connection that asks nothing, which no server
/// writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PortState {
    Answers,
    Silent,
}

async fn follow(sight: &mut impl Sight, news: &mpsc::UnboundedSender<Msg>) {
    let mut told = None;
    while !news.is_closed() {
        // Before the look: what changes while the server is asked is asked for again.
        let (files, port) = (sight.files().await, sight.port().await);
        let seen = sight.look().await;
        if told.as_ref() != Some(&seen) {
            // Nobody is listening any more when the person has quit.
            let _ = news.send(Msg::LookedAround(Box::new(seen.clone())));
            told = Some(seen);
        }
        for _ in 0..ASK_ANYWAY {
            if news.is_closed() {
                return;
            }
            sight.rest(LOOK_EVERY).await;
            if sight.files().await != files {
                sight.rest(RESTARTS_WITHIN).await;
                break;
            }
            if sight.port().await != port {
                break;
            }
        }
    }
}

/// How a folder and a server's port are at one moment; what differs from an earlier one is a reason
/// to look again.
#[derive(Debug, PartialEq, Eq)]
pub struct Standpoint {
    files: Files,
    port: PortState,
}

impl Standpoint {
    /// Looks at both. What is no URL answers nobody.
    pub async fn of(project: &Path, server: Option<&str>) -> Self {
        let server = server.and_then(|url| Url::parse(url).ok());
        Self {
            files: read(project.to_owned()).await,
            port: eyes::knock(server.as_ref()).await,
        }
    }
}

/// Files with when they changed; `None` where that is not known.
type Files = BTreeMap<PathBuf, Option<SystemTime>>;

/// Reads [`files`] off the async threads: a folder may hold thousands, and lie on a slow disk.
async fn read(project: PathBuf) -> Files {
    let read = tokio::task::spawn_blocking(move || files(&project));
    read.await.unwrap_or_default()
}

/// The attendee's own files with when they changed.
fn files(project: &Path) -> Files {
    let changed = |path: &Path| fs::metadata(path).and_then(|known| known.modified()).ok();
    folder::files(&root(project))
        .into_iter()
        .map(|path| {
            let time = changed(&path);
            (path, time)
        })
        .collect()
}
