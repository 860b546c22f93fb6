//! What is wrong with a trace that can be read all the same: named, never hidden.

use std::fmt;

use super::Place;
use crate::{
    support::error::{Exit, Failure},
    trace::codec::CodecError,
};

/// Stretches of damaged lines that are named one by one; the rest is counted.
const NAMED: usize = 20;

/// Lines one after another that have the same fault.
#[derive(Debug)]
pub struct Stretch {
    first: CodecError,
    lines: u64,
}

impl Stretch {
    /// Takes the line behind it in, if that has the same fault.
    fn takes(&mut self, error: &CodecError) -> bool {
        let place = |error: &CodecError| match error {
            CodecError::Damaged { line, column, why } => Some((*line, *column, why.clone())),
            _ => None,
        };
        let next = place(&self.first).map(|(line, column, why)| (line + self.lines, column, why));
        let goes_on = next.is_some() && next == place(error);
        self.lines += u64::from(goes_on);
        goes_on
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.first {
            CodecError::Damaged { line, column, why } if self.lines > 1 => {
                let last = line + self.lines - 1;
                write!(f, "lines {line} to {last}, column {column}: {why}")
            }
            first => first.fmt(f),
        }
    }
}

/// What was wrong with a trace that could be read all the same.
#[derive(Debug, Default)]
pub struct Damage {
    /// The first few stretches of lines that were skipped.
    pub named: Vec<Stretch>,
    /// How many were skipped.
    pub lines: u64,
    /// The file ends within a line.
    pub torn: bool,
    /// There is more than can be kept; so many events are shown.
    pub full: Option<usize>,
    /// The line at which the events' own numbers did not rise, the first such.
    pub unordered: Option<u64>,
    /// The number of the event before, and how many there were.
    last: Option<u64>,
    events: u64,
}

impl Damage {
    pub(super) fn note(&mut self, error: CodecError) {
        self.lines += 1;
        let goes_on = |last: &mut Stretch| last.takes(&error);
        if !self.named.last_mut().is_some_and(goes_on) && self.named.len() < NAMED {
            self.named.push(Stretch {
                first: error,
                lines: 1,
            });
        }
    }

    /// Looks at the number that an event gives itself.
    pub(super) fn see(&mut self, seq: u64) {
        self.events += 1;
        if self.unordered.is_none() && self.last.is_some_and(|last| seq <= last) {
            // The header is the first line.
            self.unordered = Some(1 + self.events + self.lines);
        }
        self.last = Some(seq);
    }

    /// What to say of events that are not in order.
    #[must_use]
    pub fn disorder(&self) -> Option<String> {
        let line = self.unordered?;
        Some(format!(
            "the events' numbers do not rise at line {line}: they are shown in the file's order"
        ))
    }

    /// What a person should know who looks at `place`: every line that is known by its place.
    #[must_use]
    pub fn failure(&self, place: &Place) -> Option<Failure> {
        if self.lines == 0 && self.full.is_none() {
            return None;
        }
        let what = match (self.lines, self.full) {
            (0, _) => format!("{} is longer than can be shown", place.shown()),
            (1, _) => format!("A line of {} was skipped", place.shown()),
            (lines, _) => format!("{lines} lines of {} were skipped", place.shown()),
        };
        let next = match self.full {
            Some(_) => "cut the file, with its first line before every part",
            None => "look at the program that wrote or changed the file; all else is shown",
        };
        Some(Failure::new(
            Exit::Failed,
            what,
            self.sentences().join("; "),
            next,
        ))
    }

    /// Every line that is known by its place, then how many more there are.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .named
            .iter()
            .map(|stretch| format!("skipped: {stretch}"))
            .collect();
        let named: u64 = self.named.iter().map(|stretch| stretch.lines).sum();
        let more = self.lines.saturating_sub(named);
        if more > 0 {
            all.push(format!("skipped: {more} damaged lines more"));
        }
        if let Some(events) = self.full {
            all.push(format!(
                "the first {events} events are shown; there are more"
            ));
        }
        all.extend(self.disorder());
        if self.torn {
            all.push("the file ends within a line; what is whole was read".to_owned());
        }
        all
    }
}
