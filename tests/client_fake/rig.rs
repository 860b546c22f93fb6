//! A client pointed at the fake, and all that it reports and shows.

use std::sync::{Arc, Mutex};

use hoptrail::{
    client::{
        Client, Config,
        browser::{Browser, BrowserMode},
        discovery::MissingPkceAllowed,
        http::ActorMap,
        robot,
    },
    projection::{HopKind, Projection, Verdict},
    support::{clock::FakeClock, ids::Ids},
    trace::{
        Fact, TraceEvent,
        sink::{Report, TraceSink},
    },
};
use tokio::sync::Notify;
use url::Url;

/// Keeps every report.
#[derive(Debug, Default)]
pub struct Collected(pub Mutex<Vec<Report>>);

impl TraceSink for Collected {
    fn report(&self, report: Report) {
        self.0.lock().unwrap().push(report);
    }
}

impl Collected {
    pub fn facts(&self) -> Vec<Fact> {
        let reports = self.0.lock().unwrap();
        reports.iter().map(|report| report.fact.clone()).collect()
    }

    pub fn json(&self) -> String {
        serde_json::to_string(&self.facts()).unwrap()
    }

    pub fn count(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.facts().iter().filter(|fact| is(fact)).count()
    }
}

/// A browser that cannot be opened, and that remembers what was shown.
#[derive(Debug, Default)]
pub struct Shown(pub Mutex<Option<Url>>, pub Notify);

impl Browser for Shown {
    fn open(&self, _: &Url) -> Result<(), String> {
        Err("there is no desktop here".to_owned())
    }

    fn show(&self, url: &Url) {
        *self.0.lock().unwrap() = Some(url.clone());
        self.1.notify_one();
    }
}

pub struct Rig {
    pub client: Arc<Client>,
    pub sink: Arc<Collected>,
    pub clock: Arc<FakeClock>,
    pub shown: Arc<Shown>,
}

impl Rig {
    /// What one sees who reads all that was told.
    pub fn seen(&self) -> Projection {
        let mut projection = Projection::default();
        for (seq, report) in (0..).zip(self.sink.0.lock().unwrap().iter()) {
            projection.apply(&TraceEvent {
                seq,
                at_us: seq,
                span: report.span,
                call: report.call,
                actor: report.actor,
                fact: report.fact.clone(),
            });
        }
        projection
    }
}

/// How the ways through the browser ended.
pub fn at_the_browser(projection: &Projection) -> Vec<Verdict> {
    let hops = projection.hops().rows().iter();
    hops.filter(|hop| hop.kind == HopKind::Browser)
        .map(|hop| hop.verdict)
        .collect()
}

pub fn config(
    server: &str,
    mode: BrowserMode,
) -> (Config, Arc<Collected>, Arc<FakeClock>, Arc<Shown>) {
    let sink = Arc::new(Collected::default());
    let clock = FakeClock::shared();
    let shown = Arc::new(Shown::default());
    let config = Config {
        server: server.to_owned(),
        mode,
        browser: Arc::clone(&shown) as _,
        answer: robot::Answer::default(),
        missing_pkce: MissingPkceAllowed::default(),
        sink: Arc::clone(&sink) as _,
        clock: Arc::clone(&clock) as _,
        ids: Ids::seeded(7),
        actors: ActorMap::default(),
    };
    (config, sink, clock, shown)
}

pub fn rig(server: &str, mode: BrowserMode) -> Rig {
    let (config, sink, clock, shown) = config(server, mode);
    Rig {
        client: Arc::new(Client::new(config).unwrap()),
        sink,
        clock,
        shown,
    }
}
