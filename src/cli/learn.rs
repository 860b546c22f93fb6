//! The chapters at the start: which one is opened, and where the lab is then.

use std::path::{Path, PathBuf};

use super::{args::Common, check, settings};
use crate::{
    app::learn::{Ground, Keeping, LearnConfig},
    chapters::{Book, Chapter, Progress, progress::ChapterState},
    lab,
    runtime::{LabStart, Options, chapters},
    support::error::{Exit, Failure},
};

/// What a start with chapters begins with.
#[derive(Debug)]
pub struct Learning {
    pub config: LearnConfig,
    /// The settings; the lab starts at the chapter, and an attendee's own server is known.
    pub options: Options,
    /// The folder of the attendee's own server.
    pub project: Option<PathBuf>,
    pub folder: Option<PathBuf>,
    /// What is wrong, though not so wrong that nothing can be done.
    pub fault: Option<Failure>,
}

/// `hoptrail learn`: a chapter is open.
///
/// # Errors
/// If there is no such chapter, or the chapters or the progress cannot be read: an hour's reading
/// must not be lost at its end; or if it is not known where the attendee's server is.
pub async fn opened(
    common: &Common,
    wanted: Option<&str>,
    folder: Option<PathBuf>,
    project: Option<PathBuf>,
) -> Result<Learning, Failure> {
    let ground = ground(common, project.as_deref());
    let options = match ground {
        Ground::Own => check::aimed(common, project.as_deref()).await?,
        Ground::Lab => settings::options(common)?,
    };
    let progress = chapters::progress(&options.state)?;
    let book = chapters::book(folder.as_deref())?;
    let chapter = match wanted {
        Some(wanted) => book.named(wanted)?,
        None => progress.resume(&book).ok_or_else(no_chapters)?,
    };
    let at = chapter.id.clone();
    let follows = wanted.is_none() && progress.place.is_none();
    let begins = beginning(&book, chapter, &progress)?;
    Ok(Learning {
        config: LearnConfig {
            book,
            progress,
            at: Some(at),
            keeping: Keeping::On,
            ground,
            follows,
        },
        options: Options {
            lab: start_at(begins),
            ..options
        },
        project,
        folder,
        fault: None,
    })
}

/// `hoptrail`: at the chapter where one stopped, or with the chapters closed. Progress that cannot
/// be read is told, and nothing is written over it.
///
/// # Errors
/// If the state folder is not known.
pub fn at_hand(common: &Common) -> Result<Learning, Failure> {
    let options = settings::options(common)?;
    let book = chapters::book(None)?;
    let (progress, keeping, fault) = match chapters::progress(&options.state) {
        Ok(progress) => (progress, Keeping::On, None),
        Err(failure) => (Progress::default(), Keeping::Off, Some(failure)),
    };
    let here = progress
        .place
        .as_ref()
        .and_then(|place| book.get(&place.chapter));
    let begins = here
        .map(|chapter| beginning(&book, chapter, &progress))
        .transpose()?;
    let at = here.map(|chapter| chapter.id.clone());
    Ok(Learning {
        config: LearnConfig {
            book,
            progress,
            at,
            keeping,
            ground: ground(common, None),
            follows: false,
        },
        options: Options {
            lab: begins.map_or_else(LabStart::default, start_at),
            ..options
        },
        project: None,
        folder: None,
        fault,
    })
}

/// The chapters beside a trace that is shown: nobody's progress.
///
/// # Errors
/// Never in a released build: a test lints them.
pub fn beside_a_replay() -> Result<LearnConfig, Failure> {
    Ok(LearnConfig {
        book: chapters::book(None)?,
        progress: Progress::default(),
        at: None,
        keeping: Keeping::Off,
        ground: Ground::Lab,
        follows: false,
    })
}

/// Whose server the chapters are about.
const fn ground(common: &Common, project: Option<&Path>) -> Ground {
    if common.server.is_some() || common.lab.is_some() || project.is_some() {
        Ground::Own
    } else {
        Ground::Lab
    }
}

/// Where the lab is when a chapter is opened: where the reader left it in this chapter, at its end if
/// its checks are done, else where the chapter before it ended.
fn beginning(book: &Book, chapter: &Chapter, progress: &Progress) -> Result<lab::Chapter, Failure> {
    let place = book.chapters.iter().position(|one| one.id == chapter.id);
    let before = place
        .and_then(|place| place.checked_sub(1))
        .and_then(|place| book.chapters.get(place));
    let at = match (progress.standing(chapter), before) {
        (ChapterState::Open | ChapterState::Skipped, Some(before)) => before,
        (ChapterState::Done, _) | (_, None) => chapter,
    };
    let left = progress
        .place
        .as_ref()
        .filter(|place| place.chapter == chapter.id)
        .and_then(|place| place.lab);
    let of = crate::app::learn::lab_chapter;
    let between = |lab: &u8| (before.map_or(0, of)..=of(chapter)).contains(lab);
    lab::Chapter::new(left.filter(between).unwrap_or_else(|| of(at)))
}

/// Before chapter 1 was gone through, the zone holds nothing of the workshop, and before chapter 7 no
/// policy of its: they are made there.
fn start_at(stage: lab::Chapter) -> LabStart {
    LabStart {
        stage: Some(stage),
        objects: if stage == lab::Chapter::FIRST {
            lab::ZoneObjects::AsLeft
        } else if stage.is_limited() {
            lab::ZoneObjects::Made
        } else {
            lab::ZoneObjects::MadeInChapter1
        },
    }
}

fn no_chapters() -> Failure {
    Failure::new(
        Exit::Usage,
        "There is nothing to read",
        "the book has no chapters",
        "name a folder with chapters such as 00-hello.md",
    )
}

/// Reading needs a screen.
pub fn no_screen(common: &Common) -> Failure {
    let (why, first) = if common.json || common.plain {
        ("lines were asked for", "start it without --json or --plain")
    } else if super::is_dumb() {
        (
            "TERM is dumb: such a terminal takes lines only",
            "set TERM to what your terminal is",
        )
    } else {
        (
            "standard input or output is no terminal",
            "start it in a terminal",
        )
    };
    Failure::new(
        Exit::Usage,
        "The chapters cannot be shown here",
        why,
        format!(
            "{first}; `hoptrail chapters show 0` prints a chapter, `hoptrail check` runs its checks"
        ),
    )
}
