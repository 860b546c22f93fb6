//! What two calls of a tool were asked and what they answered. The number, id and address of an issue
//! that a call filed or names are its run's own, as are the lab's ports: none of them differs.

use serde_json::Value;

use super::{Differences, Side};
use crate::{
    projection::tools::Call,
    support::text::{one_line, truncate},
    trace::Fact,
};

/// Characters of a value that are told.
const TOLD: usize = 60;
/// Cells of a member's name.
const NAME: usize = 32;
/// Characters of a value before the first one that differs.
const BEFORE: usize = 20;

/// Compares the arguments, and the results of two calls that ended alike.
pub(super) fn told(found: &mut Differences, sides: &(Side<'_>, Side<'_>), a: &Call, b: &Call) {
    let (left, right) = (Own::of(&sides.0, a), Own::of(&sides.1, b));
    if let (Some(left), Some(right)) = (left.arguments(a), right.arguments(b)) {
        differ(found, "arguments", &left, &right);
    }
    if a.outcome == b.outcome
        && let (Some(left), Some(right)) = (left.result(a), right.result(b))
    {
        differ(found, "result", &left, &right);
    }
}

/// A call's side, and what it has to itself.
struct Own<'a, 'b> {
    side: &'b Side<'a>,
    /// Texts that only this run has, with what they are.
    names: Vec<(&'a str, &'static str)>,
}

impl<'a, 'b> Own<'a, 'b> {
    fn of(side: &'b Side<'a>, call: &Call) -> Self {
        let issues = side.projection.issues();
        let filed = call.id.and_then(|id| issues.of_call(id));
        let asked_of = call.subject.as_deref().and_then(|id| issues.issue(id));
        let mut names = Vec::new();
        for issue in [filed, asked_of].into_iter().flatten() {
            // The address holds the number, so it goes first.
            names.extend([
                (&*issue.url, "its address"),
                (&*issue.identifier, "its number"),
                (&*issue.id, "its id"),
            ]);
        }
        names.extend(side.places.iter().copied());
        names.retain(|(name, _)| !name.is_empty());
        Self { side, names }
    }

    fn arguments(&self, call: &Call) -> Option<String> {
        match self.side.projection.log().event(call.started)?.fact {
            Fact::ToolCallStarted { arguments, .. } => Some(self.told(arguments.to_string())),
            _ => None,
        }
    }

    fn result(&self, call: &Call) -> Option<String> {
        match self.side.projection.log().event(call.finished?)?.fact {
            Fact::ToolCallFinished {
                text, structured, ..
            } => Some(self.told(structured.map_or(text, |told| told.text().to_owned()))),
            _ => None,
        }
    }

    fn told(&self, text: String) -> String {
        let named = |text: String, (name, what): &(&str, &str)| text.replace(name, what);
        self.names.iter().fold(text, named)
    }
}

/// Tells the members that differ, or else the place where two texts part.
fn differ(found: &mut Differences, what: &'static str, left: &str, right: &str) {
    if left == right {
        return;
    }
    let object = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        Ok(_) | Err(_) => None,
    };
    let (Some(mine), Some(yours)) = (object(left), object(right)) else {
        let (left, right) = parted(left, right);
        return found.compare(what, left, right);
    };
    let names = mine
        .keys()
        .chain(yours.keys().filter(|name| !mine.contains_key(*name)));
    for name in names.filter(|name| mine.get(*name) != yours.get(*name)) {
        let word = |value: Option<&Value>| match value {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let (left, right) = parted(&word(mine.get(name)), &word(yours.get(name)));
        found.compare(
            format!("{what} {}", truncate(&one_line(name), NAME)),
            left,
            right,
        );
    }
}

/// What two texts say where they part.
fn parted(left: &str, right: &str) -> (String, String) {
    let same = left
        .chars()
        .zip(right.chars())
        .take_while(|(one, other)| one == other)
        .count();
    let from = if same < TOLD { 0 } else { same - BEFORE };
    let told = |text: &str| {
        let shown: String = text.chars().skip(from).take(TOLD).collect();
        let before = if from > 0 { "…" } else { "" };
        let after = if text.chars().nth(from + TOLD).is_some() {
            "…"
        } else {
            ""
        };
        format!("{before}{}{after}", one_line(&shown))
    };
    (told(left), told(right))
}
