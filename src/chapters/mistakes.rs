//! What commonly goes wrong in a chapter, found again in what was really seen.

use super::{
    Chapter, TextPosition,
    check::{self, Check, Status},
    evidence::Evidence,
    expect::{Expect, Service},
    probe::ProbeResults,
};
use crate::projection::{Projection, Seq};

/// A known mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The checks that it spoils, with their places in the file; all when empty.
    pub checks: Vec<(String, TextPosition)>,
    /// What a person sees.
    pub seen: String,
    /// Why.
    pub cause: Advice,
    /// What to do.
    pub fix: Advice,
    /// What shows that it is this one.
    pub when: Expect,
    pub(super) at: TextPosition,
}

/// Words in which `{service}` stands for the service that was refused, and `{url}` for the setting that
/// says where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice(pub(super) String);

impl Advice {
    /// Of whichever service it may be.
    #[must_use]
    pub fn general(&self) -> String {
        self.about(None)
    }

    fn about(&self, service: Option<Service>) -> String {
        let (name, url) = match service {
            Some(Service::Supabase) => ("Supabase", "SUPABASE_URL"),
            Some(Service::Anthropic) => ("Anthropic", "the Anthropic URL"),
            Some(Service::Linear) => ("Linear", "LINEAR_API_URL"),
            Some(Service::McpServer) => ("the MCP server", "MCP_RESOURCE_URL"),
            None => ("the service", "the service's URL"),
        };
        self.0.replace("{service}", name).replace("{url}", url)
    }
}

/// Puts a mistake that fits into a failed check's words, the one that was seen last: an earlier one
/// may be mended by now. Anything else stays as it is.
pub(super) fn explain<'a>(
    chapter: &'a Chapter,
    check: &Check,
    status: Status,
    projection: &Projection,
    results: &ProbeResults,
) -> Status {
    let Status::Failed { because, fix } = status else {
        return status;
    };
    let fits = |mistake: &'a Mistake| {
        // What got no answer shows no mistake, not even by a `not`.
        let answered = |probe| !results.failed(probe);
        let is_about =
            mistake.checks.is_empty() || mistake.checks.iter().any(|(id, _)| *id == check.id);
        if !is_about || !mistake.when.probes().iter().all(answered) {
            return None;
        }
        match check::explains(&mistake.when, check.within, projection, results) {
            Status::Passed { evidence } => {
                let shown = shown_at(&evidence, projection);
                let service = check::service_of(&evidence, projection, results);
                Some((mistake, shown, service))
            }
            _ => None,
        }
    };
    // Of several that were seen at the same time the first counts.
    let fitting = chapter.mistakes.iter().rev().filter_map(fits);
    match fitting.max_by_key(|(_, shown, _)| *shown) {
        Some((mistake, _, service)) => Status::Failed {
            because: format!("{because}; likely {}", mistake.cause.about(service)),
            fix: mistake.fix.about(service),
        },
        None => Status::Failed { because, fix },
    }
}

/// When a mistake was seen last. What no event of the run shows is so now.
fn shown_at(evidence: &[Evidence], projection: &Projection) -> usize {
    let seen = evidence.iter().filter_map(|one| match one {
        Evidence::Event(seq) => Some(*seq),
        Evidence::Hop(id) => projection.hops().get(*id)?.evidence.iter().max(),
        Evidence::Row(id) => Some(projection.audit().get(*id)?.evidence),
        Evidence::Probe(_) => None,
    });
    seen.max().map_or(usize::MAX, Seq::index)
}
