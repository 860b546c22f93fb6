//! What a run is connected to: a client, and where there is a lab its console and its feeds.

mod around;
mod holding;
mod opening;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::around::{Surroundings, parse};
pub use self::opening::{BackendState, Opening, none, open, ready, stopping};
use super::{
    Consent, Options, TargetChoice,
    console_steps::{Step, Taken},
    probing::{self, ProbeTargets, env::EnvAt},
};
use crate::{
    app::learn::console::form::Filled,
    client::{
        self, Client,
        browser::{BrowserMode, SystemBrowser},
        console::Console,
        discovery::MissingPkceAllowed,
        feed, robot,
    },
    lab::{self, Chapter, LabHandle},
    projection::Seq,
    protocol::{
        env::EnvLine,
        observed::{LabEndpoints, Upstream},
        secret::Secret,
    },
    support::{
        clock::SharedClock,
        error::{Exit, Failure},
        ids::Ids,
    },
    trace::{Actor, Fact, event::EnvSide, sink::SharedSink},
};

/// Rows of the audit log that a start reads of what was before it: some fifty times the story. A zone's
/// log is never cut, and a start must not take longer with every one before it.
const LATEST_ROWS: u64 = 1_000;

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

impl Backend {
    async fn connect(
        options: &Options,
        sink: &SharedSink,
        urls: mpsc::UnboundedSender<String>,
        stop: CancellationToken,
    ) -> Result<Self, Failure> {
        let around = Surroundings::of(options, sink).await?;
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
                access,
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
        if let Err(failure) = backend.begin().await {
            // Whoever follows a feed would go on for ever beside the next backend's followers.
            backend.close().await;
            return Err(failure);
        }
        Ok(backend)
    }

    /// Follows the feeds, and looks at what the zone has to say.
    async fn begin(&self) -> Result<(), Failure> {
        if let Some(endpoints) = &self.endpoints {
            self.follow(endpoints)?;
        }
        self.refresh_console().await
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
                .spawn(async move { feed::follow_audit(&console, LATEST_ROWS, stop).await });
        }
        Ok(())
    }

    /// Signs in, and asks which tools there are.
    ///
    /// # Errors
    /// Why there is no token, or no list.
    pub async fn meet(&self, cancel: &CancellationToken) -> Result<(), Failure> {
        self.client.sign_in(cancel.clone()).await?;
        // Where no sign-in is needed, listing them is how that was found out.
        if self.client.signed_in() {
            self.client.list_tools(cancel.clone()).await?;
        }
        Ok(())
    }

    /// Signs in, and looks at what the zone has to say of it.
    ///
    /// # Errors
    /// Why there is no token.
    pub async fn sign_in(&self, cancel: &CancellationToken) -> Result<(), Failure> {
        self.meet(cancel).await?;
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
                "read the zone again, and then switch",
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
        let mut left = before.clone();
        let went = async {
            match kept {
                Kept::All => lab.go_to(chapter).await,
                Kept::AsMade => lab.arrive(chapter).await,
                Kept::Earlier => {
                    if let Some(earlier) = chapter.before() {
                        lab.begin_again(earlier).await?;
                    }
                    left = lab.objects();
                    lab.go_to(chapter).await
                }
                Kept::AsAtTheEnd => lab.begin_again(chapter).await,
            }
        }
        .await;
        // Half a journey leads somewhere too.
        let (at, http) = (lab.stage().await, self.client.http());
        http.report(Actor::Server, env_read(EnvSide::After, lab.env_of(at)));
        http.report(Actor::Server, moved(at));
        went?;
        let after = lab.objects();
        self.refresh_console().await?;
        let beside = |some: &[String], others: &[String]| -> Vec<String> {
            let new = some.iter().filter(|line| !others.contains(line));
            new.cloned().collect()
        };
        Ok(Remade {
            made: beside(&after, &before),
            gone: beside(&before, &after),
            anew: beside(&beside(&after, &left), &beside(&after, &before)),
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

    /// The steps of the console work that were taken before, by what the zone holds.
    ///
    /// # Errors
    /// If there is no way to the console, or the zone does not answer.
    pub async fn steps_found(&self) -> Result<BTreeSet<Step>, Failure> {
        let materials = self.materials().await;
        let (Some(console), Some(materials)) = (&self.console, materials) else {
            return Err(no_lab("The console's work is done on a lab only"));
        };
        Step::found(console, &materials).await
    }

    /// Takes a step of the console work as it is filled in at first: [`Self::take_step_with`].
    ///
    /// # Errors
    /// If there is no way to the console, or the zone refuses.
    pub async fn take_step(&self, step: Step) -> Result<Taken, Failure> {
        let materials = self.materials().await;
        let filled = materials.map(|materials| step.filled(&materials));
        self.take_step_with(step, &filled.unwrap_or_default()).await
    }

    /// Takes a step of the console work with what is filled in; a new credential is put into the
    /// lab's `.env` at once.
    ///
    /// # Errors
    /// If there is no way to the console, or the zone refuses.
    pub async fn take_step_with(&self, step: Step, filled: &Filled) -> Result<Taken, Failure> {
        let materials = self.materials().await;
        let (Some(console), Some(materials)) = (&self.console, materials) else {
            return Err(no_lab("The console's work is done on a lab only"));
        };
        let taken = step.take(console, &materials, filled).await?;
        if let Some((id, secret)) = taken.credential.clone()
            && let Some(lab) = &*self.lab.lock().await
        {
            // A public client has no secret, and its line in the .env stays empty.
            let secret = secret.unwrap_or_else(|| Secret::new(String::new()));
            lab.paste_credential(id, secret).await?;
        }
        // The last step of a chapter's work is its end.
        let ends = match step {
            Step::Credential => Some(Chapter::YOUR_ZONE),
            Step::Activate => Some(Chapter::LIMIT),
            _ => None,
        };
        if let Some(end) = ends
            && self.stage().await.is_some_and(|at| at <= end)
        {
            self.travel(end, Kept::AsMade).await?;
        }
        Ok(taken)
    }

    /// What can be looked at without the token of who is signed in: see [`Self::look_around`].
    ///
    /// # Errors
    /// If the lab's parts have no proper addresses.
    pub async fn look_from_outside(&self, project: Option<&Path>) -> Result<ProbeTargets, Failure> {
        self.look_as(None, project, None).await
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
    ) -> Result<ProbeTargets, Failure> {
        let person = self.client.bearer().await?;
        self.look_as(person, project, since).await
    }

    async fn look_as(
        &self,
        person: Option<Secret>,
        project: Option<&Path>,
        since: Option<Seq>,
    ) -> Result<ProbeTargets, Failure> {
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
        for secret in probing::env::secrets(&env) {
            http.masker().pin(secret.expose());
            self.client.http().masker().pin(secret.expose());
        }
        let folder = project
            .map(ToOwned::to_owned)
            .or_else(|| matches!(env, EnvAt::Text(_)).then(|| self.state.clone()));
        Ok(ProbeTargets {
            server: server.clone(),
            console: self.console.as_ref().map(|one| one.through(http.clone())),
            http,
            env,
            folder,
            lab: self.endpoints.clone(),
            person,
            since,
            clock: Arc::clone(&self.clock),
            ids: self.ids.clone(),
        })
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

/// What becomes of what was made in the zone when the lab is brought back to a chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It stays.
    All,
    /// It stays as it is, and nothing is added: somebody made it by their own hand.
    AsMade,
    /// What earlier chapters made stays; what the chapter itself makes is made anew.
    Earlier,
    /// What later chapters made goes away.
    AsAtTheEnd,
}

/// What a journey of the lab made in the zone, and what went away; a line for each thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remade {
    pub made: Vec<String>,
    pub gone: Vec<String>,
    /// What went away and was made again as it was.
    pub anew: Vec<String>,
}

fn no_lab(what: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        what,
        "this run does not work on a lab of its own",
        "do it in the zone's console, or start without --server and --lab",
    )
}

pub(super) fn env_read(which: EnvSide, lines: Vec<EnvLine>) -> Fact {
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
