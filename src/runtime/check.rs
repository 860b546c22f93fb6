//! Runs without a screen that do what the chapters ask and judge their checks: on a lab of their
//! own, which is taken through the chapters, or on somebody's own server and folder.
//!
//! An attendee's files are read and never written.

mod acts;
mod run;

use std::{collections::BTreeMap, io, path::Path};

use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    LabStart, Options, TargetChoice,
    probing::{self, ProbeTargets, env::EnvAt},
};
use crate::{
    chapters::{
        Chapter, Orientation, Probe, ProbeResults, Reading, Status,
        check::{self, Doubts},
        orientation,
        probe::Answers,
        report::Report,
    },
    client::{
        http::{DOCUMENT_LIMIT, Outgoing},
        url_policy::server_address,
    },
    lab::{self, ZoneObjects},
    projection::{Projection, Seq},
    protocol::observed::{LAB_PATH, LabEndpoints},
    support::{
        error::{Exit, Failure},
        loopback::is_loopback,
    },
    trace::event::Leg,
};

use self::{
    acts::{Acts, FolderSeen},
    run::Run,
};

/// A chapter as it was found.
#[derive(Debug)]
pub struct Found {
    pub report: Report,
    /// The trace up to here, line by line, its header first.
    pub trace: Vec<String>,
    pub results: ProbeResults,
}

/// Takes one fresh lab through `chapters`, in their order: does what each of them asks, and judges
/// it at its end. What lies before the first of them is done first.
///
/// # Errors
/// What stopped the run before its end.
pub async fn on_lab(
    options: Options,
    chapters: &[&Chapter],
    err: &mut dyn io::Write,
    cancel: &CancellationToken,
) -> Result<Vec<Found>, Failure> {
    let options = Options {
        target: TargetChoice::Embedded,
        lab: LabStart {
            stage: Some(lab::Chapter::FIRST),
            // Chapter 1 makes them; a lab that has them already would only pretend.
            objects: ZoneObjects::AsLeft,
        },
        ..options
    };
    let mut run = Run::open(options, err, cancel.clone()).await?;
    let walked = walk(&mut run, chapters).await;
    run.close().await;
    walked
}

async fn walk(run: &mut Run<'_>, chapters: &[&Chapter]) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for (place, chapter) in chapters.iter().enumerate() {
        let number = chapter.number;
        if place == 0 {
            run.during(acts::before(number)).await?;
        }
        let since = Seq::at(run.projection.log().len());
        run.during(acts::on_lab(number)).await?;
        let results = ask(run, chapter.probes(), None, since).await?;
        run.settle(|projection| waiting(chapter, projection, &results) == 0)
            .await?;
        found.push(Found {
            report: Report::of([*chapter], &run.projection, &results, None),
            trace: run.trace(),
            results,
        });
    }
    Ok(found)
}

/// Checks that may still pass: the feeds tell later than the calls end.
fn waiting(chapter: &Chapter, projection: &Projection, results: &ProbeResults) -> usize {
    chapter
        .checks
        .iter()
        .filter(|check| match chapter.status(check, projection, results) {
            Status::Pending { .. } | Status::Failed { .. } => true,
            Status::Passed { .. } | Status::NotObservable { .. } => false,
        })
        .count()
}

/// Whose server it is, and what may be done there.
#[derive(Debug, Clone)]
pub struct Yours {
    /// The folder that the attendee edits, if they named it.
    pub project: Option<std::path::PathBuf>,
    /// Whether tools are called: they file issues.
    pub calls: Calls,
}

/// Whether an attendee's tools are called for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// As the chapters ask.
    Made,
    /// Only where a lab stands behind the server and nobody else sees the issues.
    OnLabOnly,
}

/// What was found at an attendee's server.
#[derive(Debug)]
pub struct AtYours {
    pub orientation: Orientation,
    pub report: Report,
    /// What did not work on the way.
    pub troubles: Vec<Failure>,
}

/// Which chapters an attendee wants checked.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// The one that they have reached, out of these.
    Reached(&'a [&'a Chapter]),
    /// This one.
    One(&'a Chapter),
    /// All; what held at an earlier chapter's end only is not held against the server.
    All(&'a [&'a Chapter]),
}

/// Looks at an attendee's server and folder, does what the wanted chapters ask, and judges.
///
/// # Errors
/// If nothing could be looked at at all.
pub async fn on_yours(
    options: Options,
    yours: &Yours,
    wanted: Wanted<'_>,
    err: &mut dyn io::Write,
    cancel: &CancellationToken,
) -> Result<AtYours, Failure> {
    let lab = matches!(options.target, TargetChoice::Lab(_));
    let mut run = Run::open(options, err, cancel.clone()).await?;
    let mut troubles = Vec::new();
    let looked = at_yours(&mut run, yours, wanted, lab, &mut troubles).await;
    run.close().await;
    let (orientation, report) = looked?;
    Ok(AtYours {
        orientation,
        report,
        troubles,
    })
}

async fn at_yours(
    run: &mut Run<'_>,
    yours: &Yours,
    wanted: Wanted<'_>,
    lab: bool,
    troubles: &mut Vec<Failure>,
) -> Result<(Orientation, Report), Failure> {
    let project = yours.project.as_deref();
    let since = Seq::at(run.projection.log().len());
    let seen = ask(run, orientation::probes(), project, since).await?;
    let first = orientation::of(&seen, false);
    let chapters: Vec<&Chapter> = match wanted {
        Wanted::Reached(all) => up_to(all, first.reached),
        Wanted::One(chapter) => vec![chapter],
        Wanted::All(all) => all.to_vec(),
    };
    let calls = yours.calls == Calls::Made || lab;
    let sign_in = matches!(wanted, Wanted::Reached(_));
    let folder = match project {
        Some(_) => FolderSeen::Yes,
        None => FolderSeen::No,
    };
    let mut asking = chapters.clone();
    if sign_in {
        // For the earlier ones nothing is called: an issue that nobody asked for would be filed.
        asking.retain(|chapter| is_near(chapter, first.reached));
    }
    let acts = Acts::of(&asking, &first, folder, calls, sign_in);
    let gone = run.during(acts.perform()).await?;
    troubles.extend(gone);
    // A sign-in and an exchange may show more than the first look.
    let told = ask(run, orientation::probes(), project, since).await?;
    let signed_in = run.projection.identity().user().is_some();
    let orientation = orientation::of(&told, signed_in);
    let chapters = match wanted {
        Wanted::Reached(all) => up_to(all, orientation.reached),
        Wanted::One(_) | Wanted::All(_) => chapters,
    };
    let mut probes: Vec<Probe> = chapters.iter().flat_map(|one| one.probes()).collect();
    probes.sort();
    probes.dedup();
    let mut results = ask(run, probes, project, since).await?;
    // They were looked through on the way, whether or not a check wants it: a mistake may.
    if results.folder == Reading::NotAsked {
        results.folder = told.folder;
    }
    if results.env == Reading::NotAsked {
        results.env = told.env;
    }
    run.settle(|projection| {
        let open: usize = chapters
            .iter()
            .map(|chapter| waiting(chapter, projection, &results))
            .sum();
        open == 0
    })
    .await?;
    let mut doubts = Doubts::new();
    // Of an earlier chapter fails what a later one changed: `write`, say, which a policy refuses now.
    let stage = orientation.stage();
    let now = |chapter: &&&Chapter| matches!(wanted, Wanted::One(_)) || chapter.stage >= stage;
    for chapter in chapters.iter().filter(now) {
        for (call, exchanges) in check::doubts(chapter, &run.projection, &results) {
            doubts.entry(call).or_default().extend(exchanges);
        }
    }
    if !doubts.is_empty() {
        results.doubts = ask_in_doubt(run, doubts, project).await?;
    }
    let mut report = Report::default();
    for chapter in &chapters {
        let reached = match wanted {
            Wanted::All(_) | Wanted::Reached(_) => Some(&orientation),
            // Who asks for one chapter wants to know what it lacks.
            Wanted::One(_) => None,
        };
        let mut judged = Report::of([*chapter], &run.projection, &results, reached);
        if matches!(wanted, Wanted::Reached(_)) && !is_near(chapter, orientation.reached) {
            judged.keep_failed();
        }
        report.checks.extend(judged.checks);
    }
    Ok((orientation, report))
}

async fn ask(
    run: &mut Run<'_>,
    probes: Vec<Probe>,
    project: Option<&Path>,
    since: Seq,
) -> Result<ProbeResults, Failure> {
    let backend = run.backend();
    let project = project.map(Path::to_owned);
    run.during(async move |_| {
        let around = backend.look_around(project.as_deref(), Some(since)).await?;
        Ok(Box::pin(probing::ask(&probes, &around)).await)
    })
    .await
}

async fn ask_in_doubt(
    run: &mut Run<'_>,
    doubts: Doubts,
    project: Option<&Path>,
) -> Result<BTreeMap<Seq, Answers>, Failure> {
    let backend = run.backend();
    let project = project.map(Path::to_owned);
    run.during(async move |_| {
        let around = backend.look_around(project.as_deref(), None).await?;
        Ok(Box::pin(probing::in_doubt(&doubts, &around)).await)
    })
    .await
}

/// The chapters up to the one that was reached: what an earlier one made may hold no more.
fn up_to<'a>(all: &[&'a Chapter], reached: u8) -> Vec<&'a Chapter> {
    let mut all = all.to_vec();
    all.retain(|chapter| chapter.number <= u16::from(reached));
    all
}

/// Whether a chapter is told whole to who has come to another. Chapter 3 leaves the server as chapter
/// 2 made it, and anybody who can sign in is at its end, so both are.
fn is_near(chapter: &Chapter, reached: u8) -> bool {
    chapter.number == u16::from(reached) || (reached, chapter.number) == (3, 2)
}

/// What can be looked at when nothing could be connected.
pub(super) fn around(options: &Options, project: Option<&Path>) -> Result<ProbeTargets, Failure> {
    let server = match &options.target {
        TargetChoice::Server(url) => url.clone(),
        // A lab that does not answer cannot say where the server is; the project may.
        TargetChoice::Lab(_) | TargetChoice::Embedded | TargetChoice::Fresh => {
            server_of(None, project)?
        }
    };
    let server = server_address(&server)?;
    Ok(ProbeTargets {
        http: probing::quiet(&server, options.ids.clone())?,
        env: project.map_or(EnvAt::Nowhere, EnvAt::of),
        folder: project.map(Path::to_owned),
        lab: None,
        console: None,
        person: None,
        since: None,
        clock: std::sync::Arc::clone(&options.clock),
        ids: options.ids.clone(),
        server,
    })
}

/// The address of an attendee's server: as they said, or as their `.env` says.
///
/// # Errors
/// If nobody says it.
pub fn server_of(said: Option<&str>, project: Option<&Path>) -> Result<String, Failure> {
    if let Some(said) = said {
        return server_address(said).map(|_| said.to_owned());
    }
    let unknown = |why: String| {
        Failure::new(
            Exit::Usage,
            "It is not known where your server is",
            why,
            "say it with --server http://localhost:8000/mcp",
        )
    };
    let project = project.ok_or_else(|| unknown("no project was named either".to_owned()))?;
    match probing::env::named(&EnvAt::of(project), &["MCP_RESOURCE_URL", "PORT"]) {
        Reading::Told(values) => match values.as_slice() {
            [Some(url), _] => Ok(url.clone()),
            [None, Some(port)] => Ok(format!("http://localhost:{port}/mcp")),
            _ => Err(unknown(
                "its .env has neither MCP_RESOURCE_URL nor PORT".to_owned(),
            )),
        },
        Reading::Failed { because } => Err(unknown(because)),
        Reading::NotAsked | Reading::Unavailable { .. } => {
            Err(unknown("its .env was not read".to_owned()))
        }
    }
}

/// The lab that stands behind an attendee's server, by the zone that their `.env` names: its zone's
/// URL. `None` when it is a real zone, or the lab is about another server.
pub async fn lab_behind(options: &Options, server: &str, project: Option<&Path>) -> Option<String> {
    let file = EnvAt::of(project?);
    let Reading::Told(values) = probing::env::named(&file, &["KEYCARD_URL"]) else {
        return None;
    };
    let zone = values.into_iter().next().flatten()?;
    let url = Url::parse(&zone).ok()?;
    // A lab is on this computer; a real zone need not be asked whether it is one.
    if !is_loopback(&url) {
        return None;
    }
    let http = probing::quiet(&url, options.ids.clone()).ok()?;
    let outgoing = Outgoing::new(http::Method::GET, url.join(LAB_PATH).ok()?, Leg::Console);
    let answer = http.exchange(outgoing, DOCUMENT_LIMIT).await.ok()?;
    let lab: LabEndpoints = serde_json::from_slice(&answer.body).ok()?;
    (lab.server == server).then_some(zone)
}
