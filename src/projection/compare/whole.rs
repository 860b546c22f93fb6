//! What differs about two runs as wholes: who, under which policy, how the story ended.

use super::{Difference, Differences};
use crate::{
    projection::{Projection, story::StepState},
    protocol::console::Policy,
    support::text::one_line,
};

pub(super) fn compared(left: &Projection, right: &Projection) -> Vec<Difference> {
    let mut found = Differences::default();
    let user = |projection: &Projection| {
        let user = projection.identity().user();
        user.map_or_else(|| "nobody".to_owned(), |user| user.name.to_string())
    };
    found.compare("user", user(left), user(right));
    let policy = |projection: &Projection| {
        let policies = projection.policies();
        let names = policies.overview().map_or_else(Vec::new, |overview| {
            let active = overview.active_policies.iter();
            active.map(|policy| policy.name.clone()).collect()
        });
        match policies.active() {
            Some(set) => format!("{}: {}", set.name, names.join(", ")),
            None => "none".to_owned(),
        }
    };
    found.compare("policy at the end", policy(left), policy(right));
    let texts = |projection: &Projection, other: &Projection| {
        let overview = projection.policies().overview()?;
        let others = &other.policies().overview()?.active_policies;
        let same = |policy: &Policy| {
            let mut twins = others.iter().filter(|twin| twin.name == policy.name);
            twins.all(|twin| twin.latest_version.cedar_raw == policy.latest_version.cedar_raw)
        };
        let changed = overview
            .active_policies
            .iter()
            .filter(|policy| !same(policy));
        let names: Vec<&str> = changed.map(|policy| policy.name.as_str()).collect();
        (!names.is_empty()).then(|| one_line(&names.join(", ")))
    };
    if let Some(names) = texts(left, right) {
        found.compare(
            "policies of the same name",
            format!("{names}: one text"),
            "another text",
        );
    }
    let worth = |projection: &Projection| {
        let file = projection.env().latest();
        file.map_or_else(
            || "no .env read".to_owned(),
            |file| file.worth_stealing().to_string(),
        )
    };
    found.compare("keys worth stealing", worth(left), worth(right));
    let (one, other) = (left.story(), right.story());
    let state = |state: StepState| match state {
        StepState::Waiting => "not yet",
        StepState::Done => "done",
        StepState::Wrong => "wrong",
        StepState::NotJudged => "not judged",
    };
    for (a, b) in one.steps.iter().zip(&other.steps) {
        found.compare(a.title, state(a.state), state(b.state));
    }
    found.0
}
