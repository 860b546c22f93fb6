//! `hoptrail call` on a lab that runs already: from the start of the process to its end.

use std::process::{Command, Stdio};

use hoptrail::support::clock::Stopwatch;

use super::{
    Measured,
    process::{HOPTRAIL, Lab},
    sample::Sample,
    table::Row,
};

const CALLS: usize = 60;

pub fn measure() -> Measured {
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let lab = Lab::start(state.path(), &[])?;
    let (mut calls, mut nothing) = (Sample::default(), Sample::default());
    for round in 0..CALLS + 3 {
        let called = run(Command::new(HOPTRAIL).args([
            "call",
            "get_support_tickets",
            "--headless",
            "--lab",
            &lab.zone,
        ]))?;
        let empty = run(Command::new(HOPTRAIL).arg("--version"))?;
        if round >= 3 {
            calls.add(called);
            nothing.add(empty);
        }
    }
    Ok(vec![
        Row::at_most(
            "`hoptrail call` on a running lab, p50",
            60.0,
            calls.millis(50),
            "ms",
        ),
        Row::told("  p99", calls.millis(99), "ms"),
        Row::told("  `hoptrail --version`, p50", nothing.millis(50), "ms"),
    ])
}

/// Microseconds that a command took; it must succeed.
fn run(command: &mut Command) -> Result<u64, String> {
    let watch = Stopwatch::start();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    let took = watch.micros();
    if output.status.success() {
        Ok(took)
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "the call failed: {}",
            said.trim().replace('\n', "; ")
        ))
    }
}
