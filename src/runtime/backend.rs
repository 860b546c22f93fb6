//! What a run is connected to: a client, and where there is a lab its console and its feeds.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use super::{
    Consent, ConsoleAccess, Options, TargetChoice,
    console_steps::{Step, Taken},
    probing::{self, Surroundings as Look, env::EnvAt},
};
use crate::{
    client::{
        self, Client,
        browser::{BrowserMode, SystemBrowser},
        console::{Console, Credential},
        discovery::MissingPkceAllowed,
        feed, hold,
        http::{ActorMap, DOCUMENT_LIMIT, Outgoing, TracedHttp},
        robot,
        url_policy::UrlPolicy,
    },
    lab::{self, Chapter, LabConfig, LabHandle},
    projection::Seq,
    protocol::{
        env::EnvLine,
        hold::GATE_NAME,
        observed::{LAB_PATH, LabEndpoints, Upstream},
    },
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
        ids::Ids,
    },
    trace::{
        Actor, Fact,
        event::{EnvSide, Leg, Target},
        sink::{Report, SharedSink},
    },
};

/// Whether the backend can be used yet.
#[derive(Debug, Clone)]
pub enum BackendState {
    Opening,
    Ready(Arc<Backend>),
    Failed(Failure),
}

/// A backend that opens while the first frame is already on the screen.
#[derive(Debug)]
pub struct Opening {
    state: watch::Receiver<BackendState>,
    urls: mpsc::UnboundedReceiver<String>,
    stop: CancellationToken,
}

/// A client and what stands around it.
#[derive(Debug)]
pub struct Backend {
    pub client: Client,
    console: Option<Console>,
    lab: tokio::sync::Mutex<Option<LabHandle>>,
    /// Where the lab's parts are, when it is one.
    endpoints: Option<LabEndpoints>,
    /// The folder of the lab's state.
    state: PathBuf,
    clock: SharedClock,
    ids: Ids,
    feeds: TaskTracker,
    /// Ends the holding of exchanges, while they are held.
    holding: tokio::sync::Mutex<Option<CancellationToken>>,
    stop: CancellationToken,
}

/// Begins to open the backend; facts about it go to `sink`.
#[must_use]
pub fn open(options: Options, sink: SharedSink) -> Opening {
    let (state, watch) = watch::channel(BackendState::Opening);
    let (urls, shown) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let opened = Backend::connect(&options, &sink, urls, token).await;
        let opened = match opened {
            Ok(backend) => BackendState::Ready(Arc::new(backend)),
            Err(failure) => {
                sink.report(Report::new(
                    Actor::Client,
                    Fact::FailureOccurred(failure.clone()),
                ));
                BackendState::Failed(failure)
            }
        };
        // Nobody is listening any more when the person has quit already.
        let _ = state.send(opened);
        state.closed().await;
    });
    Opening {
        state: watch,
        urls: shown,
        stop,
    }
}

/// A backend that is never there: a replay needs none and must have none.
#[must_use]
pub fn none() -> Opening {
    let failure = Failure::new(
        Exit::Usage,
        "This is a replay",
        "nothing is connected to it",
        "start hoptrail without a trace to do things anew",
    );
    let (_, state) = watch::channel(BackendState::Failed(failure));
    let (_, urls) = mpsc::unbounded_channel();
    Opening {
        state,
        urls,
        stop: CancellationToken::new(),
    }
}

impl Opening {
    /// The state, for those who wait for it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BackendState> {
        self.state.clone()
    }

    /// Waits for a URL that a person must open by hand.
    pub async fn browser_url(&mut self) -> String {
        match self.urls.recv().await {
            Some(url) => url,
            None => std::future::pending().await,
        }
    }

    /// Waits until the backend can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn ready(&mut self) -> Result<Arc<Backend>, Failure> {
        loop {
            match &*self.state.borrow_and_update() {
                BackendState::Opening => {}
                BackendState::Ready(backend) => return Ok(Arc::clone(backend)),
                BackendState::Failed(failure) => return Err(failure.clone()),
            }
            if self.state.changed().await.is_err() {
                return Err(stopping());
            }
        }
    }

    /// Stops what was opened.
    pub async fn close(&mut self) {
        self.stop.cancel();
        let backend = match &*self.state.borrow() {
            BackendState::Ready(backend) => Arc::clone(backend),
            BackendState::Opening | BackendState::Failed(_) => return,
        };
        backend.close().await;
    }
}

/// The failure of whoever still waits when the run ends.
#[must_use]
pub fn stopping() -> Failure {
    Failure::new(
        Exit::Failed,
        "hoptrail is stopping",
        "the run ended before this could begin",
        "start hoptrail again",
    )
}

/// What is known of the place that the client works against.
struct Surroundings {
    server: String,
    actors: ActorMap,
    endpoints: Option<LabEndpoints>,
    lab: Option<LabHandle>,
    console: Option<ConsoleAccess>,
}

impl Backend {
    async fn connect(
        options: &Options,
        sink: &SharedSink,
        urls: mpsc::UnboundedSender<String>,
        stop: CancellationToken,
    ) -> Result<Self, Failure> {
        let around = match &options.target {
            TargetChoice::Embedded => start_lab(options, Some(options.state.clone()), sink).await?,
            TargetChoice::Fresh => start_lab(options, None, sink).await?,
            TargetChoice::Lab(zone) => find_lab(zone, options, sink).await?,
            TargetChoice::Server(url) => {
                sink.report(Report::new(Actor::Client, run_started(url, url, false)));
                Surroundings {
                    server: url.clone(),
                    actors: ActorMap::default(),
                    endpoints: None,
                    lab: None,
                    console: None,
                }
            }
        };
        let answers = |user: &Option<String>, consent| {
            let user = user.clone();
            (BrowserMode::Headless, robot::Answer { user, consent })
        };
        let (mode, answer) = match &options.consent {
            Consent::Browser => (BrowserMode::Open, robot::Answer::default()),
            Consent::Headless(user) => answers(user, robot::Consent::Give),
            Consent::Deny(user) => answers(user, robot::Consent::Deny),
        };
        let client = Client::new(client::Config {
            server: around.server,
            mode,
            browser: Arc::new(SystemBrowser::new(move |url| {
                // Nobody is listening any more when the run is over.
                let _ = urls.send(url.to_string());
            })),
            answer,
            missing_pkce: MissingPkceAllowed::for_issuers(options.assume_pkce.clone()),
            sink: Arc::clone(sink),
            clock: Arc::clone(&options.clock),
            ids: options.ids.clone(),
            actors: around.actors,
        })?;
        let console = match (&around.endpoints, around.console) {
            (Some(endpoints), Some(access)) => Some(Console::new(
                parse(&endpoints.zone)?,
                lab::ZONE_ID,
                Credential {
                    client_id: access.client_id,
                    client_secret: access.client_secret,
                },
                client.http().clone(),
                Arc::clone(&options.clock),
            )),
            _ => None,
        };
        let backend = Self {
            client,
            console,
            lab: tokio::sync::Mutex::new(around.lab),
            endpoints: around.endpoints.clone(),
            state: options.state.clone(),
            clock: Arc::clone(&options.clock),
            ids: options.ids.clone(),
            feeds: TaskTracker::new(),
            holding: tokio::sync::Mutex::default(),
            stop,
        };
        if let Some(endpoints) = &around.endpoints {
            backend.follow(endpoints)?;
        }
        backend.refresh_console().await?;
        Ok(backend)
    }

    fn follow(&self, endpoints: &LabEndpoints) -> Result<(), Failure> {
        for upstream in &endpoints.stand_ins {
            let url = parse(match upstream {
                Upstream::Supabase => &endpoints.supabase,
                Upstream::Anthropic => &endpoints.anthropic,
                Upstream::Linear => &endpoints.linear,
            })?;
            let (http, stop, upstream) = (self.client.http().clone(), self.stop.clone(), *upstream);
            self.feeds
                .spawn(async move { feed::follow_stand_in(&http, &url, upstream, stop).await });
        }
        if let Some(console) = self.console.clone() {
            let stop = self.stop.clone();
            self.feeds
                .spawn(async move { feed::follow_audit(&console, 0, stop).await });
        }
        Ok(())
    }

    /// Signs in, and looks at what the zone has to say of it.
    ///
    /// # Errors
    /// Why there is no token.
    pub async fn sign_in(&self, cancel: &CancellationToken) -> Result<(), Failure> {
        self.client.sign_in(cancel.clone()).await?;
        self.client.list_tools(cancel.clone()).await?;
        self.refresh_console().await
    }

    /// Reads policy sets, sessions and grants anew; without a console there is nothing to read.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn refresh_console(&self) -> Result<(), Failure> {
        let Some(console) = &self.console else {
            return Ok(());
        };
        console.read_policy().await?;
        console.read_sessions().await
    }

    /// Makes a policy set version the active one.
    ///
    /// # Errors
    /// If there is no console, or the zone refuses.
    pub async fn activate(&self, set: &str, version: u32) -> Result<(), Failure> {
        let Some(console) = &self.console else {
            return Err(Failure::new(
                Exit::Usage,
                "The policy cannot be changed from here",
                "the zone's management API takes a credential that hoptrail does not have",
                "change it in the zone's console, or give HOPTRAIL_CONSOLE_ID and HOPTRAIL_CONSOLE_SECRET",
            ));
        };
        let versions = console.versions(set).await?;
        let found = versions.iter().find(|one| one.version == version);
        let Some(found) = found else {
            return Err(Failure::new(
                Exit::Failed,
                format!("The policy set has no version {version}"),
                "it was changed meanwhile",
                "read the policy again with F5",
            ));
        };
        console.activate(set, &found.id).await.map(drop)
    }

    /// The zone's management API; absent where hoptrail has no credential for it.
    #[must_use]
    pub const fn console(&self) -> Option<&Console> {
        self.console.as_ref()
    }

    /// Brings the lab to the end of a chapter, and tells what its `.env` holds there.
    ///
    /// # Errors
    /// If the lab is not this process's own, or cannot be changed.
    pub async fn go_to(&self, chapter: Chapter) -> Result<(), Failure> {
        self.travel(chapter, Kept::All).await.map(drop)
    }

    /// [`Self::go_to`]; tells what was made in the zone on the way, and what went away.
    ///
    /// # Errors
    /// As for [`Self::go_to`].
    pub async fn travel(&self, chapter: Chapter, kept: Kept) -> Result<Remade, Failure> {
        let lab = self.lab.lock().await;
        let Some(lab) = lab.as_ref() else {
            return Err(no_lab("Only a lab can be brought to a chapter's end"));
        };
        let before = lab.objects();
        match kept {
            Kept::All => lab.go_to(chapter).await?,
            Kept::AsAtTheEnd => lab.begin_again(chapter).await?,
        }
        let after = lab.objects();
        let http = self.client.http();
        http.report(Actor::Server, env_read(EnvSide::After, lab.env_of(chapter)));
        http.report(Actor::Server, moved(chapter));
        self.refresh_console().await?;
        let beside = |some: &[String], others: &[String]| {
            let new = some.iter().filter(|line| !others.contains(line));
            new.cloned().collect()
        };
        Ok(Remade {
            made: beside(&after, &before),
            gone: beside(&before, &after),
        })
    }

    /// The chapter at whose end the lab is; `None` without a lab of this process's own.
    pub async fn stage(&self) -> Option<lab::Chapter> {
        match &*self.lab.lock().await {
            Some(lab) => Some(lab.stage().await),
            None => None,
        }
    }

    /// The `.env` at the end of a chapter, as it may be shown; `None` without a lab of this
    /// process's own.
    pub async fn env_of(&self, chapter: lab::Chapter) -> Option<Vec<EnvLine>> {
        let lab = self.lab.lock().await;
        lab.as_ref().map(|lab| lab.env_of(chapter))
    }

    /// What the console work of chapters 1 and 7 is done with; `None` where it cannot be done from
    /// here.
    pub async fn materials(&self) -> Option<lab::Materials> {
        self.console.as_ref()?;
        let lab = self.lab.lock().await;
        lab.as_ref()?.materials()
    }

    /// Takes a step of the console work; a new credential is put into the lab's `.env` at once.
    ///
    /// # Errors
    /// If there is no way to the console, or the zone refuses.
    pub async fn take_step(&self, step: Step) -> Result<Taken, Failure> {
        let materials = self.materials().await;
        let (Some(console), Some(materials)) = (&self.console, materials) else {
            return Err(no_lab("The console's work is done on a lab only"));
        };
        let taken = step.take(console, &materials).await?;
        if let Some((id, secret)) = taken.credential.clone()
            && let Some(lab) = &*self.lab.lock().await
        {
            lab.paste_credential(id, secret).await?;
        }
        // The last step of a chapter's work is its end.
        let ends = match step {
            Step::Credential => Some(Chapter::new(1)?),
            Step::Activate => Some(Chapter::new(7)?),
            _ => None,
        };
        if let Some(end) = ends
            && self.stage().await.is_some_and(|at| at <= end)
        {
            self.go_to(end).await?;
        }
        Ok(taken)
    }

    /// What the chapters' probes may look at: the lab, or the attendee's `project`. `since` is where
    /// the reader began the chapter.
    ///
    /// # Errors
    /// If the sign-in has ended.
    pub async fn look_around(
        &self,
        project: Option<&Path>,
        since: Option<Seq>,
    ) -> Result<Look, Failure> {
        let server = self.client.server();
        let http = probing::quiet(server, self.ids.clone())?;
        for url in [&self.endpoints]
            .into_iter()
            .flatten()
            .flat_map(|at| [&at.zone, &at.supabase, &at.anthropic, &at.linear])
        {
            http.policy().addresses().allow(&parse(url)?);
        }
        let env = match (project, &*self.lab.lock().await) {
            (Some(project), _) => EnvAt::of(project),
            (None, Some(lab)) => EnvAt::Text(lab.env().of(lab.stage().await)),
            (None, None) => EnvAt::Nowhere,
        };
        let folder = project
            .map(ToOwned::to_owned)
            .or_else(|| matches!(env, EnvAt::Text(_)).then(|| self.state.clone()));
        Ok(Look {
            server: server.clone(),
            console: self.console.as_ref().map(|one| one.through(http.clone())),
            http,
            env,
            folder,
            lab: self.endpoints.clone(),
            person: self.client.bearer().await?,
            since,
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        })
    }

    /// Holds every token exchange from now on, until [`Self::hold_no_more`] or the run's end.
    ///
    /// # Errors
    /// If the zone is not the lab's, or does not let itself be held.
    pub async fn hold(&self) -> Result<(), Failure> {
        let mut holding = self.holding.lock().await;
        if let Some(token) = holding.take() {
            token.cancel();
        }
        let Some(console) = self.console.clone() else {
            return Err(Failure::new(
                Exit::Usage,
                "The zone cannot be held",
                "only the lab's own zone waits for somebody, and only for who has its console's credential",
                "start with --lab and --state as `hoptrail lab` prints them; HOPTRAIL_CONSOLE_ID and HOPTRAIL_CONSOLE_SECRET stand for --state",
            ));
        };
        let token = self.stop.child_token();
        let (closed, is_closed) = oneshot::channel();
        let (held_up, ends) = (self.client.held_up(), token.clone());
        let held = self.feeds.spawn(async move {
            let ended = hold::hold(&console, &held_up, closed, &ends).await;
            if let Err(failure) = &ended {
                let fact = Fact::FeedLost {
                    feed: GATE_NAME.to_owned(),
                    why: failure.why.clone(),
                };
                console.http().sink().report(Report::new(Actor::Zone, fact));
            }
            ended
        });
        if is_closed.await.is_ok() {
            *holding = Some(token);
            return Ok(());
        }
        match held.await {
            Ok(Err(failure)) => Err(failure),
            Ok(Ok(())) | Err(_) => Err(stopping()),
        }
    }

    /// Holds nothing any more; what waits goes on.
    pub async fn hold_no_more(&self) {
        if let Some(token) = self.holding.lock().await.take() {
            token.cancel();
        }
    }

    /// Lets one exchange go.
    ///
    /// # Errors
    /// If there is no console, or the zone does not answer.
    pub async fn let_go(&self, id: &str) -> Result<(), Failure> {
        match &self.console {
            Some(console) => console.let_go(id).await,
            None => Ok(()),
        }
    }

    async fn close(&self) {
        self.stop.cancel();
        self.client.close().await;
        self.feeds.close();
        if let Some(lab) = self.lab.lock().await.take() {
            lab.stop().await;
        }
        self.feeds.wait().await;
    }
}

async fn start_lab(
    options: &Options,
    state: Option<PathBuf>,
    sink: &SharedSink,
) -> Result<Surroundings, Failure> {
    sink.report(Report::new(Actor::Client, run_started("LAB", "", true)));
    let lab = lab::start(LabConfig {
        stage: options.lab.stage,
        objects: options.lab.objects,
        ..LabConfig::new(state, Arc::clone(&options.clock), options.ids.clone())
    })
    .await?;
    sink.report(Report::new(
        Actor::Zone,
        Fact::LabStarted(lab.endpoints.clone()),
    ));
    let now = match options.lab.stage {
        Some(chapter) => lab.env_of(chapter),
        None => lab.env_after.clone(),
    };
    for (which, lines) in [
        (EnvSide::Before, lab.env_before.clone()),
        (EnvSide::After, now),
    ] {
        sink.report(Report::new(Actor::Server, env_read(which, lines)));
    }
    if let Some(chapter) = options.lab.stage {
        sink.report(Report::new(Actor::Server, moved(chapter)));
    }
    Ok(Surroundings {
        server: lab.endpoints.server.clone(),
        actors: actors(&lab.endpoints)?,
        endpoints: Some(lab.endpoints.clone()),
        console: lab.console.as_ref().map(|console| ConsoleAccess {
            client_id: console.client_id.clone(),
            client_secret: console.client_secret.clone(),
        }),
        lab: Some(lab),
    })
}

/// What becomes of what was made in the zone when the lab is brought back to a chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It stays.
    All,
    /// What later chapters made goes away.
    AsAtTheEnd,
}

/// What a journey of the lab made in the zone, and what went away; a line for each thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remade {
    pub made: Vec<String>,
    pub gone: Vec<String>,
}

/// Asks a running lab's zone where the other parts are.
async fn find_lab(
    zone: &str,
    options: &Options,
    sink: &SharedSink,
) -> Result<Surroundings, Failure> {
    let zone = parse(zone)?;
    let http = TracedHttp::new(
        UrlPolicy::for_server(&zone),
        Arc::clone(sink),
        options.ids.clone(),
        ActorMap::default(),
    )?;
    http.actors().learn(&zone, Actor::Zone);
    let url = zone
        .join(LAB_PATH)
        .map_err(|e| not_a_url(zone.as_str(), e))?;
    let no_lab = |why: String| {
        Failure::new(
            Exit::Unreachable,
            format!("No lab answers at {zone}"),
            why,
            "start one with `hoptrail lab` and take the zone's URL from what it prints",
        )
    };
    let answer = http
        .exchange(
            Outgoing::new(http::Method::GET, url, Leg::Console),
            DOCUMENT_LIMIT,
        )
        .await
        .map_err(|e| no_lab(e.why))?;
    if !answer.status.is_success() {
        return Err(no_lab(format!("it answered {}", answer.status)));
    }
    let endpoints: LabEndpoints =
        serde_json::from_slice(&answer.body).map_err(|e| no_lab(e.to_string()))?;
    sink.report(Report::new(
        Actor::Client,
        run_started("LAB", &endpoints.server, true),
    ));
    sink.report(Report::new(
        Actor::Zone,
        Fact::LabStarted(endpoints.clone()),
    ));
    Ok(Surroundings {
        server: endpoints.server.clone(),
        actors: actors(&endpoints)?,
        endpoints: Some(endpoints),
        lab: None,
        console: options.console.clone(),
    })
}

fn no_lab(what: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        what,
        "this run does not work on a lab of its own",
        "do it in the zone's console, or start without --server and --lab",
    )
}

fn env_read(which: EnvSide, lines: Vec<EnvLine>) -> Fact {
    Fact::EnvRead {
        which,
        file: ".env".to_owned(),
        lines,
    }
}

const fn moved(chapter: Chapter) -> Fact {
    Fact::LabMoved {
        chapter: chapter.number(),
    }
}

fn run_started(name: &str, server: &str, lab: bool) -> Fact {
    Fact::RunStarted(Target {
        lab,
        name: Url::parse(name)
            .ok()
            .and_then(|url| {
                let host = url.host_str()?.to_owned();
                Some(
                    url.port()
                        .map_or(host.clone(), |port| format!("{host}:{port}")),
                )
            })
            .unwrap_or_else(|| name.to_owned()),
        server: server.to_owned(),
    })
}

fn actors(endpoints: &LabEndpoints) -> Result<ActorMap, Failure> {
    let actors = ActorMap::default();
    for (url, actor) in [
        (&endpoints.server, Actor::Server),
        (&endpoints.zone, Actor::Zone),
        (&endpoints.supabase, Actor::Supabase),
        (&endpoints.anthropic, Actor::Anthropic),
        (&endpoints.linear, Actor::Linear),
    ] {
        actors.learn(&parse(url)?, actor);
    }
    Ok(actors)
}

fn parse(url: &str) -> Result<Url, Failure> {
    Url::parse(url).map_err(|e| not_a_url(url, e))
}

fn not_a_url(url: &str, error: url::ParseError) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("{url} is not a URL"),
        error.to_string(),
        "write it whole, like http://127.0.0.1:8000/mcp",
    )
}
