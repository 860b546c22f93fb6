//! The only reader of arguments, environment and tty-ness.
//!
//! Turns the command line into options for `runtime` and `lab`, and a failure into three lines on
//! standard error and an exit code.

pub mod args;
pub mod doctor;
pub mod generate;
pub mod look;
pub mod servers;
pub mod settings;

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use self::args::{Cli, Command, Common};
use crate::{
    runtime::{
        Options, Output,
        headless::{self, Job, Voices},
        logging, tui,
    },
    support::error::{Exit, Failure},
};

/// Runs hoptrail; the whole program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
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
    match command {
        Some(Command::Completions { shell }) => {
            told(generate::completions(shell, &mut io::stdout()))
        }
        Some(Command::Man) => told(generate::man(&mut io::stdout())),
        Some(Command::Doctor) => {
            let findings = doctor::examine(&common);
            let text = doctor::render(&findings, common.ascii || !look::is_utf8());
            told(io::stdout().write_all(text.as_bytes()))?;
            let broken = findings
                .iter()
                .any(|f| f.verdict == doctor::Verdict::Broken);
            Ok(if broken { Exit::Failed } else { Exit::Ok })
        }
        Some(Command::Lab(lab)) => block_on(servers::lab(&common, *lab)),
        Some(Command::Serve { env_file, bind }) => block_on(servers::serve(&env_file, bind)),
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
        None if common.json => headless(&common, Job::Demo { ticket: None }),
        None if common.plain || !has_screen() => headless(&common, Job::Demo { ticket: None }),
        None => {
            let options = settings::options(&common)?;
            let tui = settings::tui(&common)?;
            let summary = block_on(tui::run(options, tui))?;
            for line in summary.lines {
                told(writeln!(io::stdout(), "{line}"))?;
            }
            Ok(Exit::Ok)
        }
    }
}

/// Whether panes can be drawn here.
fn has_screen() -> bool {
    io::stdout().is_terminal()
        && io::stdin().is_terminal()
        && std::env::var("TERM").map_or(true, |term| term != "dumb")
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

/// Two workers: the loop runs on this thread, the lab and the tasks beside it.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
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
        Err(error) => Err(Failure::new(
            Exit::Usage,
            "The output could not be written",
            error.to_string(),
            "check the pipe or the disk behind standard output",
        )),
    }
}
