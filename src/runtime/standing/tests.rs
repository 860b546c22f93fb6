//! The watch over a server and a folder that a test changes between two looks: the time is the
//! test's own, so nothing waits.

use std::{collections::VecDeque, pin::pin};

use futures::FutureExt as _;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::chapters::{
    Reading,
    probe::{Folder, HttpAnswer, HttpProbe},
};
use crate::runtime::probing;

/// A server and its folder, as they change.
struct Scene {
    project: TempDir,
    server: Server,
    /// What happens after so much time, in order.
    to_come: VecDeque<(Duration, Event)>,
    /// What happens while the server is asked for the first time, too late for the answer.
    meanwhile: Option<Event>,
    now: Duration,
    /// When the server was asked, so that what was asked for nothing shows.
    asked: Vec<Duration>,
    news: Option<UnboundedReceiver<Msg>>,
    told: Vec<(Duration, ProbeResults)>,
}

#[derive(Debug, Clone, Copy)]
enum Server {
    Down,
    /// It answers so to nobody in particular.
    Up(u16),
}

#[derive(Debug, Clone)]
enum Event {
    Server(Server),
    Write(&'static str, &'static str),
    Delete,
    /// The person quits.
    End,
}

const OPEN: Server = Server::Up(200);
const LOCKED: Server = Server::Up(401);

impl Scene {
    fn new(server: Server) -> Self {
        let project = tempfile::tempdir().unwrap();
        fs::create_dir_all(project.path().join("src/lib")).unwrap();
        for file in [".env", "src/server.ts"] {
            fs::write(project.path().join(file), "A=1\n").unwrap();
        }
        Self {
            project,
            server,
            to_come: VecDeque::new(),
            meanwhile: None,
            now: Duration::ZERO,
            asked: Vec::new(),
            news: None,
            told: Vec::new(),
        }
    }

    fn at(mut self, millis: u64, event: Event) -> Self {
        self.to_come
            .push_back((Duration::from_millis(millis), event));
        self
    }

    /// Follows until `millis`, when the person quits.
    async fn until(self, millis: u64) -> Self {
        let mut scene = self.at(millis, Event::End);
        let (sender, news) = mpsc::unbounded_channel();
        scene.news = Some(news);
        follow(&mut scene, &sender).await;
        scene
    }

    fn happens(&mut self, event: &Event) {
        let root = self.project.path();
        match event {
            Event::Server(server) => self.server = *server,
            Event::Write(file, text) => {
                let path = root.join(file);
                let before = fs::metadata(&path).and_then(|known| known.modified());
                fs::write(&path, text).unwrap();
                // Two writes within one tick of the file system's clock are still two.
                if let Ok(before) = before {
                    let later = before + Duration::from_secs(1);
                    fs::File::options()
                        .write(true)
                        .open(&path)
                        .and_then(|file| file.set_modified(later))
                        .unwrap();
                }
            }
            Event::Delete => fs::remove_dir_all(root).unwrap(),
            Event::End => self.news = None,
        }
    }

    fn asked_at(&self) -> Vec<u128> {
        self.asked.iter().map(Duration::as_millis).collect()
    }

    /// When the person was told something, and what: the server's answer, and the `.env`.
    fn told(&self) -> Vec<(u128, String, String)> {
        let said = |seen: &ProbeResults| match seen.http.get(&HttpProbe::NoToken) {
            Some(Reading::Told(answer)) => answer.status.to_string(),
            _ => "no answer".to_owned(),
        };
        let env = |seen: &ProbeResults| match &seen.env {
            Reading::Told(lines) => {
                let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
                names.join(" ")
            }
            _ => "no .env".to_owned(),
        };
        self.told
            .iter()
            .map(|(at, seen)| (at.as_millis(), said(seen), env(seen)))
            .collect()
    }
}

impl Sight for Scene {
    async fn look(&mut self) -> ProbeResults {
        self.asked.push(self.now);
        let around = probing::env::EnvAt::of(self.project.path());
        let mut seen = ProbeResults {
            env: probing::env::read(&around),
            folder: Reading::Told(Folder::default()),
            ..ProbeResults::default()
        };
        let answer = match self.server {
            Server::Down => Reading::Failed {
                because: "the MCP server did not answer".to_owned(),
            },
            Server::Up(status) => Reading::Told(HttpAnswer {
                status,
                www_authenticate: None,
                outcome: None,
            }),
        };
        seen.http.insert(HttpProbe::NoToken, answer);
        if let Some(event) = self.meanwhile.take() {
            self.happens(&event);
        }
        seen
    }

    async fn port(&mut self) -> PortState {
        match self.server {
            Server::Down => PortState::Silent,
            Server::Up(_) => PortState::Answers,
        }
    }

    async fn files(&mut self) -> Files {
        files(self.project.path())
    }

    async fn rest(&mut self, time: Duration) {
        while let Some(Ok(msg)) = self.news.as_mut().map(UnboundedReceiver::try_recv) {
            let Msg::LookedAround(seen) = msg else {
                panic!("{msg:?}");
            };
            self.told.push((self.now, *seen));
        }
        self.now += time;
        while let Some((_, event)) = self.to_come.pop_front_if(|(at, _)| *at <= self.now) {
            self.happens(&event);
        }
    }
}

fn entry(at: u128, server: &str, env: &str) -> (u128, String, String) {
    (at, server.to_owned(), env.to_owned())
}

#[tokio::test]
async fn while_nothing_changes_nothing_is_asked() {
    let scene = Scene::new(OPEN).until(20_000).await;
    assert_eq!(scene.asked_at(), [0]);
    assert_eq!(scene.told(), [entry(0, "200", "A")]);
}

#[tokio::test]
async fn after_a_long_while_the_server_is_asked_all_the_same_and_says_nothing_new() {
    let scene = Scene::new(OPEN).until(45_000).await;
    assert_eq!(scene.asked_at(), [0, 21_000, 42_000]);
    assert_eq!(scene.told().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_seen_from_outside_shows_after_a_long_while() {
    let scene = Scene::new(OPEN).at(1_000, Event::Server(LOCKED));
    let scene = scene.until(30_000).await;
    assert_eq!(
        scene.told(),
        [entry(0, "200", "A"), entry(21_000, "401", "A")]
    );
}

#[tokio::test]
async fn a_file_that_changes_is_looked_at_once_the_server_had_time_to_restart() {
    let scene = Scene::new(OPEN)
        .at(1_000, Event::Write(".env", "A=1\nB=2\n"))
        .at(1_500, Event::Server(Server::Down))
        .at(2_500, Event::Server(LOCKED));
    let scene = scene.until(20_000).await;
    assert_eq!(scene.asked_at(), [0, 1_400 + 1_500]);
    assert_eq!(
        scene.told(),
        [entry(0, "200", "A"), entry(2_900, "401", "A B")]
    );
}

#[tokio::test]
async fn a_file_deep_in_the_folder_counts_as_well_and_one_of_somebody_elses_does_not() {
    let deep = Scene::new(OPEN).at(1_000, Event::Write("src/lib/keycard.ts", "A"));
    assert_eq!(deep.until(20_000).await.asked_at(), [0, 2_900]);
    let scene = Scene::new(OPEN);
    fs::create_dir(scene.project.path().join("node_modules")).unwrap();
    let foreign = scene.at(1_000, Event::Write("node_modules/a.js", "A"));
    assert_eq!(foreign.until(20_000).await.asked_at(), [0]);
}

#[tokio::test]
async fn a_file_that_changes_and_says_the_same_is_no_news() {
    let scene = Scene::new(OPEN).at(1_000, Event::Write("src/server.ts", "B"));
    let scene = scene.until(20_000).await;
    assert_eq!(scene.asked_at(), [0, 2_900]);
    assert_eq!(scene.told().len(), 1);
}

#[tokio::test]
async fn a_server_that_comes_up_is_seen_at_the_next_look() {
    let scene = Scene::new(Server::Down).at(5_000, Event::Server(OPEN));
    let scene = scene.until(20_000).await;
    assert_eq!(scene.asked_at(), [0, 5_600]);
    assert_eq!(
        scene.told(),
        [entry(0, "no answer", "A"), entry(5_600, "200", "A")]
    );
}

#[tokio::test]
async fn a_server_that_comes_up_while_it_is_asked_is_asked_again() {
    let mut scene = Scene::new(Server::Down);
    scene.meanwhile = Some(Event::Server(OPEN));
    let scene = scene.until(20_000).await;
    assert_eq!(
        scene.told(),
        [entry(0, "no answer", "A"), entry(700, "200", "A")]
    );
}

#[tokio::test]
async fn a_server_goes_away_and_comes_back_on_another_stage() {
    let scene = Scene::new(OPEN)
        .at(3_000, Event::Server(Server::Down))
        .at(8_000, Event::Server(LOCKED));
    let scene = scene.until(20_000).await;
    assert_eq!(
        scene.told(),
        [
            entry(0, "200", "A"),
            entry(3_500, "no answer", "A"),
            entry(8_400, "401", "A"),
        ]
    );
    assert_eq!(scene.asked_at().len(), 3, "and asked no more than that");
}

#[tokio::test]
async fn a_folder_that_is_deleted_is_told_once() {
    let scene = Scene::new(OPEN).at(1_000, Event::Delete);
    let scene = scene.until(20_000).await;
    assert_eq!(
        scene.told(),
        [entry(0, "200", "A"), entry(2_900, "200", "no .env")]
    );
    assert_eq!(scene.asked_at(), [0, 2_900]);
}

#[tokio::test]
async fn who_quits_is_not_followed_any_more() {
    let scene = Scene::new(OPEN).until(1_000).await;
    assert_eq!(scene.now, Duration::from_millis(1_400));
}

#[tokio::test]
async fn a_standpoint_differs_by_a_file_and_by_the_door() {
    let project = tempfile::tempdir().unwrap();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}/mcp", held.local_addr().unwrap());
    let of = async || Standpoint::of(project.path(), Some(&server)).await;
    let before = of().await;
    assert_eq!(before, of().await);
    fs::write(project.path().join(".env"), "A=1\n").unwrap();
    let written = of().await;
    assert_ne!(before, written);
    drop(held);
    assert_ne!(written, of().await);
}

#[test]
fn a_folder_is_not_read_on_the_thread_that_others_wait_for() {
    let project = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let mut standpoint = pin!(Standpoint::of(project.path(), None));
        let early = standpoint.as_mut().now_or_never();
        assert_eq!(early, None, "the thread for files has something else to do");
        drop(go_on);
        busy.await.unwrap().unwrap_err();
        assert_eq!(standpoint.await.files, Files::new());
    });
}
