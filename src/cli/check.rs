//! `hoptrail check`: the chapters' checks on a lab that is made for it and forgotten.

use std::{fs, path::PathBuf};

use super::{args::Common, settings};
use crate::{
    chapters::{Book, Chapter, ProbeResults, Stage, report::Report},
    runtime::{Consent, Options, check::observe},
    support::error::{Exit, Failure},
};

/// Runs the checks of one chapter or of all; the text and how it ends.
///
/// # Errors
/// If the chapter does not exist, or the lab's story could not be gone through.
pub async fn run(common: &Common, wanted: &str) -> Result<(String, Exit), Failure> {
    if let Some(url) = common.server.as_ref().or(common.lab.as_ref()) {
        return Err(Failure::new(
            Exit::Usage,
            format!("{url} was not checked"),
            "this version runs the checks on a lab of its own only",
            "leave --server and --lab out",
        ));
    }
    let book = Book::embedded().map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        Failure::new(
            Exit::Failed,
            "The chapters that are built in cannot be read",
            first,
            "this is a mistake in hoptrail; `hoptrail chapters lint` has the whole of it",
        )
    })?;
    let chapters = chosen(&book, wanted)?;
    let options = settings::options(common)?;
    let fresh = Fresh::below(&options)?;
    let options = Options {
        state: fresh.0.clone(),
        consent: match options.consent {
            Consent::Browser => Consent::Headless(common.user.clone()),
            given => given,
        },
        ..options
    };
    let projection = observe(options).await?;
    let results = ProbeResults::of_trace(&projection);
    let report = Report::of(chapters, &projection, &results, Stage::Limited);
    let text = if common.json {
        report.json()
    } else {
        report.text()
    };
    Ok((text, report.exit()))
}

fn chosen<'a>(book: &'a Book, wanted: &str) -> Result<Vec<&'a Chapter>, Failure> {
    if wanted == "all" {
        return Ok(book.chapters.iter().collect());
    }
    let number = wanted.parse().ok().and_then(|number| book.number(number));
    number
        .or_else(|| book.get(wanted))
        .map(|chapter| vec![chapter])
        .ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("There is no chapter {wanted}"),
                "a chapter has a number or an id",
                "see them with `hoptrail chapters list`, or say all",
            )
        })
}

/// A lab's state that ends with the check; below the usual one, where nobody else may look.
struct Fresh(PathBuf);

impl Fresh {
    fn below(options: &Options) -> Result<Self, Failure> {
        let dir = options.state.join(format!("check-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|error| {
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
