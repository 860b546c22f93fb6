//! What the stage needs of the outside world: the recording that stands in, a lab that begins anew,
//! and the screen as a picture.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    jobs::Runner,
    replay::{Place, Trace, Viewing},
};
use crate::{
    app::player::Growth,
    shipped,
    support::{
        cause::remedy,
        error::{Exit, Failure},
        files,
    },
};

/// How long the jobs that are called off at an end may take to end in good order.
const LAST_JOBS: Duration = Duration::from_secs(1);

/// Which of the traces that come along stands in when a sheet names none.
const STAND_IN: &str = "on-stage";

/// The recording that stands in when a sheet names none.
///
/// # Panics
/// Never: a test looks for it.
#[must_use]
pub fn stand_in() -> Place {
    Place::Shipped(shipped::by_name(STAND_IN).expect("a test looks for the trace"))
}

/// Begins to read what stands in.
#[must_use]
pub fn begin(place: &Place) -> Viewing {
    Viewing::begin(Trace {
        place: place.clone(),
        growth: Growth::Finished,
    })
}

/// Ends what a reset or the end leaves behind: the jobs first, so that a call under way is called off,
/// then what they worked on.
pub async fn wind_up(runner: &mut Runner, backend: &mut super::backend::Opening) {
    runner.cancel_all();
    // A call is called off before its connection goes, but nobody waits for a server that hangs.
    let _ = tokio::time::timeout(LAST_JOBS, runner.all_ended()).await;
    backend.close().await;
}

/// Makes a file beside the place where hoptrail was started, or else with the state; never over
/// another file.
///
/// # Errors
/// If neither folder takes it: with where it was tried last.
pub(super) fn beside<T>(
    name: &str,
    extension: &str,
    state: &Path,
    make: impl Fn(&Path) -> io::Result<T>,
) -> Result<T, (PathBuf, io::Error)> {
    let mut last = (state.to_path_buf(), io::Error::other("no folder"));
    for folder in [Path::new(""), state] {
        if folder == state {
            // What cannot be made shows at the file.
            let _ = files::private_folder(state);
        }
        for number in 1..100 {
            let path = folder.join(match number {
                1 => format!("{name}.{extension}"),
                more => format!("{name}-{more}.{extension}"),
            });
            match make(&path) {
                Ok(file) => return Ok(file),
                Err(error) => {
                    let is_taken = error.kind() == io::ErrorKind::AlreadyExists;
                    last = (path, error);
                    if !is_taken {
                        break;
                    }
                }
            }
        }
    }
    Err(last)
}

/// Writes a picture beside the place where hoptrail was started. Returns where it is.
///
/// # Errors
/// If no folder takes it.
pub fn write_picture(picture: &str, name: &str, state: &Path) -> Result<PathBuf, Failure> {
    let written = beside(name, "svg", state, |path| {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(picture.as_bytes()).inspect_err(|_| {
            // Half a picture is none.
            let _ = fs::remove_file(path);
        })?;
        Ok(path.to_path_buf())
    });
    written.map_err(|(_, error)| {
        Failure::new(
            Exit::Failed,
            "The picture could not be written",
            error.to_string(),
            remedy(&error, "start hoptrail in a folder that you may write to"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_tells_the_refusal() {
        let Place::Shipped(shipped) = stand_in() else {
            panic!("it comes along");
        };
        assert!(shipped.text.contains("limit-linear-scopes"));
    }

    #[test]
    fn a_picture_never_takes_another_ones_place() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join("screen");
        let name = name.to_str().unwrap();
        let first = write_picture("<svg/>", name, dir.path()).unwrap();
        let second = write_picture("<svg/>", name, dir.path()).unwrap();
        assert_ne!(first, second);
        assert!(second.to_str().unwrap().ends_with("screen-2.svg"));
        let failure = write_picture("", "no/such/folder", dir.path()).unwrap_err();
        assert_eq!(failure.what, "The picture could not be written");
    }
}
