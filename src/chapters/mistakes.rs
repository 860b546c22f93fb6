//! What commonly goes wrong in a chapter, found again in what was really seen.

use super::{
    Chapter, Place,
    check::{self, Check, Status},
    expect::Expect,
    probe::ProbeResults,
};
use crate::projection::Projection;

/// A known mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The checks that it spoils, with their places in the file; all when empty.
    pub checks: Vec<(String, Place)>,
    /// What a person sees.
    pub seen: String,
    /// Why.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// What shows that it is this one.
    pub when: Expect,
}

/// Puts the first mistake that fits into a failed check's words; anything else stays as it is.
pub(super) fn explain(
    chapter: &Chapter,
    check: &Check,
    status: Status,
    projection: &Projection,
    results: &ProbeResults,
) -> Status {
    let Status::Failed { because, fix } = status else {
        return status;
    };
    let fits = |mistake: &&Mistake| {
        // What got no answer shows no mistake, not even by a `not`.
        let answered = |probe| !results.failed(probe);
        mistake.when.probes().iter().all(answered)
            && (mistake.checks.is_empty() || mistake.checks.iter().any(|(id, _)| *id == check.id))
            && matches!(
                check::judge(&mistake.when, check.within, projection, results),
                Status::Passed { .. }
            )
    };
    match chapter.mistakes.iter().find(fits) {
        Some(mistake) => Status::Failed {
            because: format!("{because}; likely {}", mistake.cause),
            fix: mistake.fix.clone(),
        },
        None => Status::Failed { because, fix },
    }
}
