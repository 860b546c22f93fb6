//! The only reader of arguments, environment and tty-ness.
//!
//! Turns the command line into options for `runtime` and `lab`, and a failure into three lines on
//! standard error and an exit code.

pub mod args;
pub mod chapters;
pub mod check;
pub mod doctor;
pub mod fit;
pub mod generate;
pub mod learn;
pub mod look;
mod reading;
pub mod servers;
pub mod settings;
pub mod stage;
pub mod traces;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use self::args::{ChaptersCommand, Cli, Command, Common};
use crate::{
    app::player::Growth,
    config::sheet,
    runtime::{
        Options, Output, TuiOptions,
        collector::{self, Exporter, Patience},
        headless::{self, Job, Voices},
        logging,
        replay::{self, Place},
        tui,
    },
    server::Stage,
    support::error::{Exit, Failure},
};

/// How long a pipe may take to begin before it is waited for on the screen.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Runs hoptrail; the whole program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::read();
    let ended = run(cli);
    let exit = match ended {
        Ok(exit) => exit,
        Err(failure) => {
            // If standard error is gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "hoptrail: {failure}");
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { command, common } = cli;
    let _log = common.log.as_deref().map(logging::start).transpose()?;
    if matches!(command, Some(Command::Serve { .. })) && common.log.is_none() {
        logging::warn_on_stderr();
    }
    let draws_panes = !common.plain
        && !common.json
        && match &command {
            Some(Command::Replay {
                file: Some(file), ..
            }) => has_screen_for(&Place::named(file)),
            _ => has_screen(),
        };
    fit::check(command.as_ref(), &common, draws_panes)?;
    match command {
        Some(Command::Completions { shell }) => {
            told(generate::completions(shell, &mut io::stdout()))
        }
        Some(Command::Man) => told(generate::man(&mut io::stdout())),
        Some(Command::Check(args)) => block_on(check::run(&common, &args)),
        Some(Command::Chapters { command }) => {
            let command = command.unwrap_or(ChaptersCommand::List { dir: None });
            let said = chapters::run(&command)?;
            told(io::stdout().write_all(said.text.as_bytes()))?;
            Ok(said.exit)
        }
        Some(Command::Doctor) => {
            let findings = block_on(async { Ok(doctor::examine(&common).await) })?;
            let text = doctor::render(&findings, common.ascii || look::draws_unicode().is_err());
            told(io::stdout().write_all(text.as_bytes()))?;
            let broken = findings
                .iter()
                .any(|f| f.verdict == doctor::Verdict::Broken);
            Ok(if broken { Exit::Failed } else { Exit::Ok })
        }
        Some(Command::Export(args)) => traces::export(&common, &args),
        Some(Command::Diff {
            left,
            right,
            factor,
        }) => traces::diff(&common, &Place::named(&left), &Place::named(&right), factor),
        Some(Command::Lab(lab)) => block_on(servers::lab(&common, *lab)),
        Some(Command::Serve {
            stage,
            env_file,
            bind,
        }) => block_on(servers::serve(
            Stage::of_chapter(stage),
            env_file.as_deref(),
            bind,
        )),
        Some(Command::Learn {
            chapter,
            chapters,
            project,
        }) => {
            if common.json || common.plain || !has_screen() {
                return Err(learn::no_screen(&common));
            }
            let opened = learn::opened(&common, chapter.as_deref(), chapters, project);
            panes(&common, block_on(opened)?)
        }
        Some(Command::Demo { ticket }) => headless(&common, Job::Demo { ticket }),
        Some(Command::Call { tool, arguments }) => {
            let arguments = settings::arguments(&arguments)?;
            headless(&common, Job::Call { tool, arguments })
        }
        Some(Command::Probe { url }) => {
            let common = Common {
                server: Some(url),
                ..common
            };
            headless(&common, Job::Probe)
        }
        Some(Command::Traces { command }) => {
            let text = block_on(traces::traces(command))?;
            told(io::stdout().write_all(text.as_bytes()))
        }
        Some(Command::Stage {
            print_sheet: true, ..
        }) => told(io::stdout().write_all(sheet::DEFAULT.as_bytes())),
        Some(Command::Stage {
            sheet,
            print_notes: true,
            ..
        }) => {
            let sheet = stage::sheet(sheet.as_deref())?;
            for doubt in sheet.doubts() {
                // Nobody may be there to read it.
                let _ = writeln!(io::stderr(), "hoptrail: {doubt}");
            }
            told(io::stdout().write_all(sheet.printed().as_bytes()))
        }
        Some(Command::Stage {
            sheet,
            follow: Some(trace),
            ..
        }) => {
            let sheet = stage::sheet(sheet.as_deref())?;
            let trace = followed(Place::named(&trace));
            replay::tell_notes(&trace, &sheet, &mut io::stdout(), &mut io::stderr())
        }
        Some(Command::Stage { sheet, .. }) => {
            let (options, tui) = stage::prepare(&common, sheet.as_deref())?;
            if common.json || common.plain || !has_screen() {
                return Err(stage::no_screen());
            }
            on_screen(options, tui, None)
        }
        Some(Command::Replay {
            file,
            other,
            follow,
        }) => {
            let other = other.as_deref().or(common.against.as_deref());
            match (file, other) {
                (Some(file), other) => {
                    let place = Place::named(&file);
                    let trace = if follow {
                        followed(place)
                    } else {
                        replay::Trace {
                            place,
                            growth: Growth::Finished,
                        }
                    };
                    watch(&common, trace, other)
                }
                (None, _) => choose(&common),
            }
        }
        None if common.json => headless(&common, Job::Demo { ticket: None }),
        None if common.plain || !has_screen() => headless(&common, Job::Demo { ticket: None }),
        None => panes(&common, learn::at_hand(&common)?),
    }
}

/// The terminal interface, with the chapters at hand or open.
fn panes(common: &Common, learn: learn::Learning) -> Result<Exit, Failure> {
    let mut tui = settings::tui(common)?;
    tui.app.learn = Some(learn.config);
    tui.chapters = learn.folder;
    tui.project = learn.project;
    tui.fault = learn.fault;
    let against = against(common.against.as_deref())?;
    on_screen(learn.options, tui, against)
}

fn on_screen(options: Options, tui: TuiOptions, against: Option<Place>) -> Result<Exit, Failure> {
    summed_up(block_on(tui::run(options, tui, against))?)
}

/// Tells what a person has in hand when the screen is gone.
fn summed_up(summary: tui::Summary) -> Result<Exit, Failure> {
    for line in summary.lines {
        told(writeln!(io::stdout(), "{line}"))?;
    }
    Ok(summary.exit)
}

/// Whether panes can be drawn here.
fn has_screen() -> bool {
    draws() && io::stdin().is_terminal()
}

/// As [`has_screen`], for a trace: one that comes through standard input leaves the keys to the
/// terminal that the process belongs to.
fn has_screen_for(place: &Place) -> bool {
    let keys = || io::stdin().is_terminal() || std::fs::File::open("/dev/tty").is_ok();
    match place {
        Place::Pipe(_) => draws() && keys(),
        Place::File(_) | Place::Shipped(_) => has_screen(),
    }
}

fn draws() -> bool {
    io::stdout().is_terminal() && !is_dumb()
}

/// Whether the terminal says of itself that it only takes lines.
fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

/// A trace that another process still writes. A pipe is at its end when its writer is, whether or not
/// somebody looks on, and what comes along with hoptrail is whole.
fn followed(place: Place) -> replay::Trace {
    let growth = match place {
        Place::Pipe(_) | Place::Shipped(_) => Growth::Finished,
        Place::File(_) => Growth::Followed,
    };
    replay::Trace { place, growth }
}

/// The other trace, which must be one.
fn against(given: Option<&Path>) -> Result<Option<Place>, Failure> {
    let place = given.map(Place::named);
    if let Some(place) = &place {
        replay::Source::open(place)?;
    }
    Ok(place)
}

/// Lets a person choose one of the traces that come along, or lists them where there is no screen.
fn choose(common: &Common) -> Result<Exit, Failure> {
    if common.json || common.plain || !has_screen() {
        return told(io::stdout().write_all(traces::list().as_bytes()));
    }
    let options = settings::options(common)?;
    let mut tui = settings::tui(common)?;
    tui.app.learn = Some(learn::beside_a_replay()?);
    summed_up(block_on(tui::watch(options, tui, None, None))?)
}

/// Shows a trace on the screen, or writes it where there is none; with another, what differs.
fn watch(common: &Common, trace: replay::Trace, other: Option<&Path>) -> Result<Exit, Failure> {
    if common.otlp.is_some() && matches!(trace.place, Place::Pipe(_)) {
        return Err(Failure::new(
            Exit::Usage,
            "A trace that comes through a pipe cannot be shown and sent to a collector at once",
            "it can be read once, and each of the two reads it",
            "write it into a file and name that; `hoptrail export - --to otlp` makes the spans of a pipe",
        ));
    }
    let otlp = settings::otlp(common)?;
    if common.json || common.plain || !has_screen_for(&trace.place) {
        if let Some(other) = other {
            return traces::diff(common, &trace.place, &Place::named(other), None);
        }
        let output = if common.json {
            Output::Json
        } else {
            Output::Plain(settings::style(common))
        };
        let (place, record) = (trace.place.clone(), common.record.as_deref());
        let (out, err) = (&mut io::stdout(), &mut io::stderr());
        let exit = if record.is_some() {
            // The copy is whole, whoever has read enough.
            let out = &mut UntilClosed(out);
            replay::print(&trace, output, record, Voices { out, err })?
        } else {
            replay::print(&trace, output, None, Voices { out, err })?
        };
        if let Some(to) = otlp {
            let sent = block_on(async {
                let exporter = Exporter::replaying(to, place, Patience::default())?;
                Ok::<_, Failure>(exporter.finish().await)
            })?;
            if let Some(failure) = sent {
                told(collector::write(&mut io::stderr(), &failure))?;
            }
        }
        return Ok(exit);
    }
    // What is wrong with the file as a whole is told before the screen is taken; one that is followed
    // may not be there yet.
    match (&trace.place, trace.growth) {
        (Place::Pipe(_), _) => begins_well(trace.place.clone())?,
        (_, Growth::Finished) => drop(replay::Source::open(&trace.place)?),
        (_, Growth::Followed) => drop(replay::Source::reopen(&trace.place)?),
    }
    let other = against(other)?;
    let options = settings::options(common)?;
    let mut tui = settings::tui(common)?;
    tui.app.learn = Some(learn::beside_a_replay()?);
    summed_up(block_on(tui::watch(options, tui, Some(trace), other))?)
}

/// Looks whether what comes through a pipe is a trace, if it comes at once. A writer that takes its time
/// is waited for on the screen, where one can call it off.
fn begins_well(pipe: Place) -> Result<(), Failure> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more when it took too long; then it is told on the screen.
        let _ = tell.send(replay::Source::open(&pipe).map(drop));
    });
    told.recv_timeout(AT_ONCE).unwrap_or(Ok(()))
}

fn headless(common: &Common, job: Job) -> Result<Exit, Failure> {
    let options: Options = settings::options(common)?;
    let output = if common.json {
        Output::Json
    } else {
        Output::Plain(settings::style(common))
    };
    let voices = Voices {
        out: &mut UntilClosed(io::stdout()),
        err: &mut io::stderr(),
    };
    block_on(headless::run(options, output, job, voices))
}

/// The loop runs on this thread, what the client does on one beside it: a task that panics then leaves
/// the terminal alone. The lab has a thread of its own, and so has what takes long.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| {
            Failure::new(
                Exit::Failed,
                "hoptrail cannot start",
                e.to_string(),
                "the system refuses new threads; close other programs",
            )
        })?;
    let ended = runtime.block_on(work);
    // A thread that waits for a keystroke that never comes must not hold up the exit.
    runtime.shutdown_background();
    ended
}

/// Standard output that may be closed by who reads it: `hoptrail demo | head` is no mistake, and
/// the run still ends as it would have.
#[derive(Debug)]
struct UntilClosed<W>(W);

impl<W: io::Write> io::Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

fn told(result: io::Result<()>) -> Result<Exit, Failure> {
    match result {
        Ok(()) => Ok(Exit::Ok),
        // `hoptrail man | head` is no mistake.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Ok),
        Err(error) => Err(Failure::unwritten(&error)),
    }
}

/// Writes to standard output, where it is seen at once.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    told(out.write_all(text.as_bytes()).and_then(|()| out.flush())).map(drop)
}
