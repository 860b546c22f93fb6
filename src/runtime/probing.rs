//! Asks the questions of the chapters' checks: of the server, the `.env`, the project's folder and
//! the zone.
//!
//! What is asked here stays out of the trace: it is looking, not a part of the story, and a check
//! must not pass because of hoptrail's own knocking. No answer holds a secret.

mod client;
pub mod env;
mod exchange;
pub mod folder;
mod forge;
mod knock;
mod metadata;
mod scope;
mod trials;
mod zone;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use futures::future::join_all;
use http::HeaderName;
use url::Url;

use crate::{
    chapters::{
        Chapter, Probe, ProbeResults, Reading,
        check::Doubts,
        probe::{Answers, HttpProbe, ResourceMetadata},
    },
    client::{
        console::Console,
        http::{ActorMap, Outgoing, TracedHttp},
        url_policy::UrlPolicy,
    },
    projection::Seq,
    protocol::{
        observed::LabEndpoints,
        secret::Secret,
        traceparent::{SpanId, TRACEPARENT, TraceId, TraceParent},
    },
    support::{clock::SharedClock, error::Failure, ids::Ids},
    trace::sink::{Report, TraceSink},
};

use self::{env::EnvAt, forge::Forge, metadata::Named};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the probes may look at.
#[derive(Debug, Clone)]
pub struct ProbeTargets {
    /// The MCP endpoint.
    pub server: Url,
    /// The seam of the probes; see [`quiet`].
    pub http: TracedHttp,
    pub env: EnvAt,
    /// The attendee's project; on a lab the folder of its state.
    pub folder: Option<PathBuf>,
    /// Where the lab's parts are, when it is a lab.
    pub lab: Option<LabEndpoints>,
    /// The zone's management API, when there is a way in.
    pub console: Option<Console>,
    /// The token of the person who is signed in.
    pub person: Option<Secret>,
    /// Where the reader began the chapter.
    pub since: Option<Seq>,
    pub clock: SharedClock,
    pub ids: Ids,
}

impl ProbeTargets {
    /// A request whose trace says that a check made it: the zone and the stand-ins write it down,
    /// and their rows must not pass for a part of the run.
    fn marked(&self, outgoing: Outgoing) -> Outgoing {
        let parent = TraceParent {
            trace: TraceId::of_check(self.ids.u64()),
            span: SpanId(self.ids.u64()),
        };
        outgoing.header(HeaderName::from_static(TRACEPARENT), &parent.to_string())
    }
}

/// Asks what the chapter's checks want to be asked.
pub async fn probe(chapter: &Chapter, around: &ProbeTargets) -> ProbeResults {
    Box::pin(ask(&chapter.probes(), around)).await
}

/// Asks these questions. Each has ten seconds; one that fails says why and holds up no other.
pub async fn ask(probes: &[Probe], around: &ProbeTargets) -> ProbeResults {
    let knocks: Vec<HttpProbe> = probes
        .iter()
        .filter_map(|probe| match probe {
            Probe::Http(knock) => Some(*knock),
            _ => None,
        })
        .collect();
    let scopes: Vec<&str> = probes
        .iter()
        .filter_map(|probe| match probe {
            Probe::Scope(scope) => Some(scope.as_str()),
            _ => None,
        })
        .collect();
    let wants = |probe: &Probe| probes.contains(probe);
    let (env, metadata, folder, zone, trials, client) = tokio::join!(
        when(wants(&Probe::Env), async { env::read(&around.env) }),
        when(wants(&Probe::Metadata) || !knocks.is_empty(), async {
            within("the metadata document", metadata::fetch(around)).await
        }),
        when(wants(&Probe::Folder), folder::read(around.folder.clone())),
        when(wants(&Probe::Zone), async {
            within("the zone", zone::read(around)).await
        }),
        when(wants(&Probe::Trials), trials::run(around)),
        when(wants(&Probe::Client), async {
            within("the zone", client::ask(around)).await
        }),
    );
    let http = knock(&knocks, &metadata, around).await;
    let scopes = join_all(scopes.into_iter().map(async |scope| {
        let answer = within("the zone", scope::ask(scope, around)).await;
        (scope.to_owned(), answer)
    }))
    .await;
    ProbeResults {
        since: around.since,
        begun_again: false,
        changed: None,
        http: http.into_iter().collect(),
        metadata,
        env,
        folder,
        zone,
        scopes: scopes.into_iter().collect(),
        doubts: BTreeMap::new(),
        trials,
        client,
    }
}

/// Asks the zone for what calls did not get, as their tools ask. What is issued is thrown away.
pub async fn in_doubt(doubts: &Doubts, around: &ProbeTargets) -> BTreeMap<Seq, Answers> {
    let mut told = BTreeMap::new();
    for (call, exchanges) in doubts {
        let answers = join_all(exchanges.iter().map(async |exchange| {
            let asked = exchange::ask(exchange.service, exchange.scope, around);
            (exchange.clone(), within("the zone", asked).await)
        }));
        told.insert(*call, answers.await.into_iter().collect());
    }
    told
}

async fn knock(
    probes: &[HttpProbe],
    metadata: &Reading<ResourceMetadata>,
    around: &ProbeTargets,
) -> Vec<(HttpProbe, Reading<crate::chapters::probe::HttpAnswer>)> {
    if probes.is_empty() {
        return Vec::new();
    }
    let issuer = match within("the zone's metadata", Named::find(metadata, around)).await {
        Reading::Told(issuer) => issuer,
        Reading::NotAsked | Reading::Unavailable { .. } | Reading::Failed { .. } => {
            Named::unknown()
        }
    };
    let forge = if probes.iter().all(|probe| *probe == HttpProbe::NoToken) {
        None
    } else {
        Some(Forge::get().await)
    };
    let forge = forge.as_ref();
    join_all(probes.iter().map(async |probe| {
        let what = "the MCP server";
        let answer = within(what, knock::run(*probe, &issuer, forge, around)).await;
        (*probe, answer)
    }))
    .await
}

async fn when<T>(wanted: bool, question: impl Future<Output = Reading<T>>) -> Reading<T> {
    if wanted {
        question.await
    } else {
        Reading::NotAsked
    }
}

async fn within<T>(whom: &str, question: impl Future<Output = Reading<T>>) -> Reading<T> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(reading) => reading,
        Err(_) => Reading::Failed {
            because: format!(
                "{whom} gave no answer within {} seconds",
                PATIENCE.as_secs()
            ),
        },
    }
}

/// Why a question was not answered, as a check says it.
fn failed<T>(because: impl Into<String>) -> Reading<T> {
    Reading::Failed {
        because: because.into(),
    }
}

/// A failure as a check says it: one sentence.
fn told<T>(failure: &Failure) -> Reading<T> {
    let what = failure.what.trim_end_matches('.');
    failed(format!("{what}: {}", failure.why.trim_end_matches('.')))
}

/// A seam whose hops nobody is told of.
///
/// # Errors
/// If the HTTP client cannot be built.
pub fn quiet(server: &Url, ids: Ids) -> Result<TracedHttp, Failure> {
    TracedHttp::new(
        UrlPolicy::for_server(server),
        Arc::new(Nobody),
        ids,
        ActorMap::default(),
    )
}

#[derive(Debug)]
struct Nobody;

impl TraceSink for Nobody {
    fn report(&self, _: Report) {}
}
