//! Which options go with each other, and which with a command.
//!
//! Asked of the whole command line: clap would ask before it knows of the options that stand before
//! the command.

use super::args::{Command, Common};
use crate::support::error::{Exit, Failure};

/// Refuses what does not go together, before anything begins. `on_screen` tells that the terminal
/// interface would open.
///
/// # Errors
/// If an option would be passed over.
pub fn check(command: Option<&Command>, common: &Common, on_screen: bool) -> Result<(), Failure> {
    if common.lab.is_some() && common.server.is_some() {
        return Err(misfit(
            "--lab and --server do not go together",
            "each of them names the server to work with",
            "leave one of them out",
        ));
    }
    if common.plain && common.json {
        return Err(misfit(
            "--plain and --json do not go together",
            "lines of text and lines of JSON would be one output",
            "leave one of them out",
        ));
    }
    if common.user.is_some() && !common.headless && !common.deny {
        return Err(misfit(
            "--user does not go without --headless",
            "in a browser whoever sits there signs in",
            "add --headless, or choose the user on the sign-in page",
        ));
    }
    if let Some(Command::Learn {
        project: Some(_), ..
    }) = command
        && common.server.is_none()
        && common.lab.is_none()
    {
        return Err(misfit(
            "--project does not go without --server",
            "the folder is looked at together with the server that runs from it",
            "add --server URL, as your server prints it (http://localhost:8000/mcp)",
        ));
    }
    if common.against.is_some() && !compares(command, on_screen) {
        return Err(misfit(
            "--against does not go with this",
            "a run is laid beside a trace in the terminal interface only",
            "record the run with --record FILE, then: hoptrail diff FILE TRACE",
        ));
    }
    let other = match (&common.server, &common.lab) {
        (Some(_), _) => Some("--server"),
        (None, Some(_)) => Some("--lab"),
        (None, None) => None,
    };
    if let Some(other) = other
        && !reaches(command)
    {
        return Err(misfit(
            &format!("{other} does not go with this"),
            "the command signs in to no server, or names the one that it is about",
            "leave it out",
        ));
    }
    if let Some(Command::Diff {
        factor: Some(factor),
        ..
    }) = command
        && !(factor.is_finite() && *factor >= 1.0)
    {
        return Err(misfit(
            &format!("--factor does not take {factor}"),
            "it says how many times as long something has to take, which is 1 at least",
            "name a number from 1 on, such as --factor 3",
        ));
    }
    if let Some(Command::Replay {
        file: None,
        follow: true,
        ..
    }) = command
    {
        return Err(misfit(
            "--follow does not go without a trace",
            "there is no file to go along with",
            "name the file that is being recorded: hoptrail replay FILE --follow",
        ));
    }
    if common.json && !speaks_json(command) {
        return Err(misfit(
            "--json does not go with this",
            "the command tells what it has to tell as text only",
            "leave it out",
        ));
    }
    if common.record.is_some() && !records(command, common, on_screen) {
        return Err(misfit(
            "--record does not go with this",
            "there is no run of which a trace could be written",
            "leave it out; demo, call, probe, check, learn, stage and the terminal interface record",
        ));
    }
    if common.otlp.is_some() && !sends_spans(command, common, on_screen) {
        return Err(misfit(
            "--otlp does not go with this",
            "there is no run whose spans could be sent",
            "leave it out; `hoptrail export TRACE --to otlp` writes the spans of a recorded trace",
        ));
    }
    Ok(())
}

fn compares(command: Option<&Command>, on_screen: bool) -> bool {
    match command {
        None | Some(Command::Learn { .. }) => on_screen,
        Some(Command::Replay { file, other, .. }) => file.is_some() && other.is_none(),
        Some(_) => false,
    }
}

fn records(command: Option<&Command>, common: &Common, on_screen: bool) -> bool {
    match command {
        // Each look of a watch is a run of its own.
        Some(Command::Check(check)) => check.golden.is_none() && !check.watch,
        // As text or JSON it is copied while it is read; on the screen it is a file already.
        Some(Command::Replay { file, other, .. }) => {
            file.is_some() && other.is_none() && common.against.is_none() && !on_screen
        }
        command => is_run(command),
    }
}

fn sends_spans(command: Option<&Command>, common: &Common, on_screen: bool) -> bool {
    match command {
        Some(Command::Replay { file, other, .. }) => {
            file.is_some() && (on_screen || other.is_none() && common.against.is_none())
        }
        command => is_run(command),
    }
}

/// Whether the command looks for a server that can be named.
fn reaches(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Probe { .. }) => false,
        Some(Command::Check(check)) => check.golden.is_none(),
        command => is_run(command),
    }
}

/// Whether the command knows another form than text. A run in the terminal interface says so itself.
fn speaks_json(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Replay { .. } | Command::Diff { .. } | Command::Check(_)) => true,
        command => is_run(command),
    }
}

/// Whether the command drives a client whose facts are a trace.
fn is_run(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Stage {
            print_sheet,
            print_notes,
            follow,
            ..
        }) => !print_sheet && !print_notes && follow.is_none(),
        None
        | Some(
            Command::Learn { .. }
            | Command::Demo { .. }
            | Command::Call { .. }
            | Command::Probe { .. },
        ) => true,
        Some(
            Command::Replay { .. }
            | Command::Lab(_)
            | Command::Serve { .. }
            | Command::Traces { .. }
            | Command::Export(_)
            | Command::Diff { .. }
            | Command::Check(_)
            | Command::Chapters { .. }
            | Command::Doctor
            | Command::Completions { .. }
            | Command::Man,
        ) => false,
    }
}

fn misfit(what: &str, why: &str, next: &str) -> Failure {
    Failure::new(Exit::Usage, what, why, next)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use rstest::rstest;

    use super::*;
    use crate::cli::args::Cli;

    fn asked(line: &str, on_screen: bool) -> Result<(), String> {
        let cli = Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
        check(cli.command.as_ref(), &cli.common, on_screen).map_err(|failure| failure.what)
    }

    #[rstest]
    #[case("hoptrail --server http://a/mcp learn --project .")]
    #[case("hoptrail learn --project . --server http://a/mcp")]
    #[case("hoptrail learn --project . --lab http://a")]
    #[case("hoptrail --headless demo --user alice")]
    #[case("hoptrail demo --deny --user alice")]
    #[case("hoptrail check --record a.jsonl")]
    #[case("hoptrail --record a.jsonl demo --otlp http://a")]
    #[case("hoptrail stage --record a.jsonl")]
    #[case("hoptrail replay a --record b")]
    #[case("hoptrail replay a --otlp http://a")]
    #[case("hoptrail replay a --against b --plain")]
    fn what_goes_together_goes_on_either_side_of_the_command(#[case] line: &str) {
        assert_eq!(asked(line, false), Ok(()));
    }

    #[rstest]
    #[case(
        "hoptrail --server http://a/mcp demo --lab http://b",
        "--lab and --server"
    )]
    #[case("hoptrail --json demo --plain", "--plain and --json")]
    #[case("hoptrail demo --user alice", "--user")]
    #[case("hoptrail learn --project .", "--project")]
    #[case("hoptrail --against a", "--against")]
    #[case("hoptrail demo --against a", "--against")]
    #[case("hoptrail replay a b --record c", "--record")]
    #[case("hoptrail replay a b --otlp http://a", "--otlp")]
    #[case("hoptrail diff a b --record c", "--record")]
    #[case("hoptrail export a --to ocsf --record c", "--record")]
    #[case("hoptrail check --golden d --record c", "--record")]
    #[case("hoptrail check --otlp http://a", "--otlp")]
    #[case("hoptrail stage --print-sheet --record c", "--record")]
    #[case("hoptrail doctor --otlp http://a", "--otlp")]
    #[case("hoptrail replay a b --against c", "--against")]
    #[case("hoptrail replay --follow", "--follow")]
    #[case("hoptrail check --watch --project . --record c", "--record")]
    #[case("hoptrail probe http://a --server http://b", "--server")]
    #[case("hoptrail probe http://a --lab http://b", "--lab")]
    #[case("hoptrail --lab http://b export a --to ocsf", "--lab")]
    #[case("hoptrail doctor --server http://a", "--server")]
    #[case("hoptrail diff a b --factor 0.5", "--factor")]
    #[case("hoptrail diff a b --factor nan", "--factor")]
    #[case("hoptrail doctor --json", "--json")]
    #[case("hoptrail traces list --json", "--json")]
    fn what_would_be_passed_over_is_refused(#[case] line: &str, #[case] option: &str) {
        let what = asked(line, false).unwrap_err();
        assert!(what.starts_with(option) && what.contains("do"), "{what}");
    }

    #[test]
    fn on_the_screen_a_run_is_compared_and_a_replay_is_no_recording() {
        assert_eq!(asked("hoptrail --against a", true), Ok(()));
        assert_eq!(asked("hoptrail learn 3 --against a", true), Ok(()));
        assert_eq!(asked("hoptrail replay a b --otlp http://a", true), Ok(()));
        assert!(asked("hoptrail replay a --record b", true).is_err());
    }
}
