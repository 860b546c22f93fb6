//! `hoptrail check`: the chapters' checks, on a lab that is made for it and forgotten, or on
//! somebody's own server and folder.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    args::{CheckArgs, Common},
    say, settings,
};
use crate::{
    chapters::{Book, Chapter, Orientation, report::Report},
    runtime::{
        Consent, Options, TargetChoice,
        check::{self, AtYours, Calls, Wanted, Yours},
        probing::env,
        signals::Signals,
        standing::Standpoint,
    },
    support::{
        error::{Exit, Failure},
        files,
        ids::Ids,
        text::wrap,
    },
};

/// How often the folder and the server's port are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long what was interrupted may take to end in good order.
const GRACE: Duration = Duration::from_secs(2);
/// Cells of a line of text.
const COLUMNS: usize = 80;

/// Runs the checks that were asked for and writes what they came to.
///
/// # Errors
/// If the chapter does not exist, or what stopped the run before its end.
pub async fn run(common: &Common, args: &CheckArgs) -> Result<Exit, Failure> {
    let book = Book::embedded().map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        Failure::new(
            Exit::Failed,
            "The chapters that are built in cannot be read",
            first,
            "this is a mistake in hoptrail; `hoptrail chapters lint` has the whole of it",
        )
    })?;
    // Once for the whole command: between two waits nobody would listen.
    let mut ending = Ending {
        signals: Signals::listen(),
        cancel: CancellationToken::new(),
    };
    let all: Vec<&Chapter> = book.chapters.iter().collect();
    let one = match args.chapter.as_deref() {
        None | Some("all") => None,
        Some(wanted) => Some(book.named(wanted)?),
    };
    if common.server.is_none() && common.lab.is_none() && args.project.is_none() {
        if args.watch {
            return Err(Failure::new(
                Exit::Usage,
                "There is nothing to watch",
                "a fresh lab does not change",
                "name your project with --project DIR",
            ));
        }
        let chapters = one.map_or(all, |one| vec![one]);
        let work = Box::pin(on_lab(common, args, &chapters, ending.cancel.clone()));
        return ending.unless_ended(work).await.ok_or_else(called_off)?;
    }
    let wanted = match (one, args.chapter.is_some()) {
        (Some(one), _) => Wanted::One(one),
        (None, true) => Wanted::All(&all),
        (None, false) => Wanted::Reached(&all),
    };
    if args.watch {
        Box::pin(watch(common, args, wanted, &mut ending)).await
    } else {
        let cancel = ending.cancel.clone();
        let work = Box::pin(on_yours(common, args, wanted, Calls::Made, cancel));
        ending.unless_ended(work).await.ok_or_else(called_off)?
    }
}

async fn on_lab(
    common: &Common,
    args: &CheckArgs,
    chapters: &[&Chapter],
    cancel: CancellationToken,
) -> Result<Exit, Failure> {
    let options = settings::options(common)?;
    let fresh = Fresh::below(&options)?;
    let options = Options {
        state: fresh.0.clone(),
        consent: match options.consent {
            Consent::Browser => Consent::Headless(common.user.clone()),
            given @ (Consent::Headless(_) | Consent::Deny(_)) => given,
        },
        ..options
    };
    if let Some(dir) = &args.golden {
        return golden(&options, chapters, dir, &cancel).await;
    }
    let mut report = Report::default();
    for found in check::on_lab(options, chapters, &mut io::stderr(), &cancel).await? {
        report.checks.extend(found.report.checks);
    }
    let text = if common.json {
        report.json()
    } else {
        report.text()
    };
    say(&text)?;
    Ok(report.exit_when_done())
}

/// Each chapter on a lab of its own, so that its trace holds what it needs and no more.
async fn golden(
    options: &Options,
    chapters: &[&Chapter],
    dir: &Path,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let refuse = |error: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Usage,
            format!("The traces cannot be written into {}", dir.display()),
            error.to_string(),
            "name a folder that you may write to",
        )
    };
    fs::create_dir_all(dir).map_err(|error| refuse(&error))?;
    let mut exit = Exit::Ok;
    for chapter in chapters {
        let options = Options {
            state: options.state.join(&chapter.id),
            record: None,
            ids: Ids::seeded(u64::from(chapter.number)),
            ..options.clone()
        };
        for found in check::on_lab(options, &[*chapter], &mut io::stderr(), cancel).await? {
            let mut trace = found.trace.join("\n");
            trace.push('\n');
            let mut results =
                serde_json::to_string_pretty(&found.results).map_err(|error| refuse(&error))?;
            results.push('\n');
            for (name, text) in [("jsonl", trace), ("probes.json", results)] {
                let path = dir.join(format!("{}.{name}", chapter.id));
                fs::write(path, text).map_err(|error| refuse(&error))?;
            }
            say(&found.report.text())?;
            if found.report.exit_when_done() != Exit::Ok {
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

/// The settings, aimed at an attendee's own server: as they said, or as their `.env` says, and with
/// the lab that stands behind it, if one does.
///
/// # Errors
/// If the project is no folder, or nobody says where the server is.
pub async fn aimed(common: &Common, project: Option<&Path>) -> Result<Options, Failure> {
    if let Some(project) = project
        && !project.is_dir()
    {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} is no folder", project.display()),
            "the project is the folder with your package.json and .env",
            "name it with --project DIR",
        ));
    }
    let mut options = settings::options(common)?;
    if !matches!(options.target, TargetChoice::Lab(_)) {
        let server = check::server_of(common.server.as_deref(), project)?;
        let behind = check::lab_behind(&options, &server, project).await;
        options.target = match behind {
            Some(zone) => TargetChoice::Lab(zone),
            None => TargetChoice::Server(server),
        };
        options.console = settings::console(&options.target, &options.state)?;
    }
    Ok(options)
}

async fn on_yours(
    common: &Common,
    args: &CheckArgs,
    wanted: Wanted<'_>,
    calls: Calls,
    cancel: CancellationToken,
) -> Result<Exit, Failure> {
    let project = args.project.as_deref();
    let options = aimed(common, project).await?;
    let yours = Yours {
        project: args.project.clone(),
        calls,
    };
    let mut err = io::stderr();
    let found = Box::pin(check::on_yours(options, &yours, wanted, &mut err, &cancel)).await?;
    let text = if common.json {
        json_of(&found)
    } else {
        text_of(&found)
    };
    say(&text)?;
    let exit = found.report.exit_when_done();
    Ok(match found.troubles.first() {
        // What passed or failed was seen, whatever else went wrong; what is open may be for that.
        Some(trouble) if exit != Exit::Ok && found.report.exit() == Exit::Ok => trouble.exit,
        Some(_) | None => exit,
    })
}

fn text_of(found: &AtYours) -> String {
    let mut out = seen(&found.orientation);
    for trouble in &found.troubles {
        let _ = writeln!(out, "\n{trouble}");
    }
    out.push('\n');
    out.push_str(&found.report.text());
    out
}

fn seen(orientation: &Orientation) -> String {
    let troubles = troubles(orientation);
    if orientation.signs.is_empty() {
        return format!("Nothing shows which chapter your server is at.\n{troubles}");
    }
    let reached = orientation.reached;
    let mut out = if orientation.troubles.is_empty() {
        format!("Your server is at the end of chapter {reached}. What shows it:\n")
    } else {
        format!("Your server is at the end of chapter {reached}, as far as can be told (see !):\n")
    };
    for sign in &orientation.signs {
        for (number, line) in wrap(&sign.words, COLUMNS - 8).into_iter().enumerate() {
            let head = if number == 0 {
                format!("  {:>3}   ", sign.chapter)
            } else {
                " ".repeat(8)
            };
            let _ = writeln!(out, "{head}{}", line.trim_end());
        }
    }
    out.push_str(&troubles);
    out
}

/// What could not be looked at.
fn troubles(orientation: &Orientation) -> String {
    let mut out = String::new();
    for trouble in &orientation.troubles {
        for (number, line) in wrap(trouble, COLUMNS - 8).into_iter().enumerate() {
            let head = if number == 0 { "    !   " } else { "        " };
            let _ = writeln!(out, "{head}{}", line.trim_end());
        }
    }
    out
}

fn json_of(found: &AtYours) -> String {
    let signs: Vec<_> = found
        .orientation
        .signs
        .iter()
        .map(|sign| json!({ "chapter": sign.chapter, "seen": sign.words }))
        .collect();
    let first = json!({
        "reached": found.orientation.reached,
        "signs": signs,
        "troubles": found.orientation.troubles,
    });
    let mut out = format!("{first}\n");
    for trouble in &found.troubles {
        let line = json!({
            "trouble": trouble.what,
            "because": trouble.why,
            "fix": trouble.next,
        });
        let _ = writeln!(out, "{line}");
    }
    out.push_str(&found.report.json());
    out
}

/// Repeats when a file of the project changes or the server comes or goes, until it is interrupted.
async fn watch(
    common: &Common,
    args: &CheckArgs,
    wanted: Wanted<'_>,
    ending: &mut Ending,
) -> Result<Exit, Failure> {
    let Some(project) = args.project.as_deref().map(env::root) else {
        return Err(Failure::new(
            Exit::Usage,
            "There is nothing to watch",
            "only a folder's changes can be seen",
            "name your project with --project DIR",
        ));
    };
    // What was never judged did not pass.
    let mut exit = Exit::Failed;
    loop {
        let server = check::server_of(common.server.as_deref(), Some(&project)).ok();
        let before = Standpoint::of(&project, server.as_deref()).await;
        let cancel = ending.cancel.clone();
        let work = Box::pin(on_yours(common, args, wanted, Calls::OnLabOnly, cancel));
        match ending.unless_ended(work).await {
            None => return Ok(exit),
            Some(Ok(found)) => exit = found,
            Some(Err(failure)) => {
                // The next change may mend it.
                let _ = writeln!(io::stderr(), "hoptrail: {failure}");
                exit = failure.exit;
            }
        }
        if !common.json {
            say("\nWaiting for a change. Ctrl-C ends.\n\n")?;
        }
        let change = Box::pin(async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if Standpoint::of(&project, server.as_deref()).await != before {
                    break;
                }
            }
            // A server that restarts by itself has not bound its port yet.
            tokio::time::sleep(LOOK_EVERY).await;
        });
        if ending.unless_ended(change).await.is_none() {
            return Ok(exit);
        }
    }
}

/// How the process is told to end, by Ctrl-C or otherwise, and what calls off its work then.
struct Ending {
    signals: Signals,
    cancel: CancellationToken,
}

impl Ending {
    /// Does `work`; `None` when the process was told to end first. Then the work may still end what
    /// it began.
    async fn unless_ended<T>(&mut self, mut work: impl Future<Output = T> + Unpin) -> Option<T> {
        tokio::select! {
            biased;
            _ = self.signals.next() => {
                self.cancel.cancel();
                let _ = tokio::time::timeout(GRACE, work).await;
                None
            }
            done = &mut work => Some(done),
        }
    }
}

fn called_off() -> Failure {
    Failure::new(
        Exit::Failed,
        "The check was called off",
        "it was interrupted",
        "start it again when you like",
    )
}

/// A lab's state that ends with the check; below the usual one, where nobody else may look.
struct Fresh(PathBuf);

impl Fresh {
    fn below(options: &Options) -> Result<Self, Failure> {
        let dir = options.state.join(format!("check-{}", options.ids.short()));
        files::private_folder(&dir).map_err(|error| {
            Failure::new(
                Exit::Usage,
                format!("{} cannot be made", dir.display()),
                error.to_string(),
                "name a folder that you may write to with --state DIR",
            )
        })?;
        Ok(Self(dir))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // What cannot be removed is the state of a lab that nobody uses any more.
        let _ = fs::remove_dir_all(&self.0);
    }
}
