//! `hoptrail stage`: the run sheet is read before the screen is taken.

use std::path::Path;

use super::{args::Common, settings};
use crate::{
    app::Resettable,
    config::sheet::{DEFAULT, Sheet},
    runtime::{
        Options, TargetChoice, TuiOptions,
        replay::{self, Place},
    },
    shipped,
    support::{
        error::{Exit, Failure},
        files,
        text::one_line,
    },
};

/// More than any run sheet has; a recording named by mistake is larger.
const LARGEST: u64 = 1 << 20;

/// What the run is told. The embedded lab is a new one in memory; one that was named stays what it is.
///
/// # Errors
/// If the sheet or the recording that it names cannot be read.
pub fn prepare(common: &Common, path: Option<&Path>) -> Result<(Options, TuiOptions), Failure> {
    let mut options = settings::options(common)?;
    let mut tui = settings::tui(common)?;
    let sheet = sheet(path)?;
    if let Some(trace) = &sheet.trace {
        let beside = path.and_then(Path::parent).unwrap_or(Path::new(""));
        let file = beside.join(trace);
        let place = match shipped::by_name(trace) {
            Some(shipped) if !file.exists() => Place::Shipped(shipped),
            Some(_) | None => Place::File(file),
        };
        // Found to be missing in front of a room, it would be of no help.
        replay::Source::open(&place)?;
        tui.stand_in = place;
    }
    tui.app.reset = match &options.target {
        TargetChoice::Embedded | TargetChoice::Fresh => Resettable::Yes,
        TargetChoice::Lab(_) | TargetChoice::Server(_) => Resettable::No,
    };
    if options.target == TargetChoice::Embedded {
        options.target = TargetChoice::Fresh;
    }
    tui.app.title.clone_from(&sheet.title);
    tui.app.sheet = Some(sheet);
    Ok((options, tui))
}

/// The sheet that is named, else the one that is built in.
///
/// # Errors
/// If the file cannot be read, or is no run sheet.
pub fn sheet(path: Option<&Path>) -> Result<Sheet, Failure> {
    match path {
        Some(path) => read(path),
        None => Sheet::parse(DEFAULT, "the built-in sheet"),
    }
}

fn read(path: &Path) -> Result<Sheet, Failure> {
    let shown = one_line(&path.display().to_string());
    let unreadable = |why: String| {
        Failure::new(
            Exit::Usage,
            format!("The run sheet {shown} cannot be read"),
            why,
            "`hoptrail stage --print-sheet > FILE` writes one to begin with",
        )
    };
    let text = files::text(path, LARGEST).map_err(|e| unreadable(e.to_string()))?;
    Sheet::parse(&text, &shown)
}

/// The stage needs a screen.
#[must_use]
pub fn no_screen() -> Failure {
    Failure::new(
        Exit::Usage,
        "The stage needs a terminal",
        "it is drawn for a room; there are no lines of it",
        "run it in a terminal, or tell the story in lines: hoptrail demo",
    )
}
