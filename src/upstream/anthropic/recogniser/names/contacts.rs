//! Names that an e-mail address or a telephone number beside them gives away.

use std::collections::{HashMap, HashSet};

use crate::{
    protocol::tickets::EntityKind,
    upstream::anthropic::recogniser::{
        lexicon::{is_given_name, is_never_name, is_particle},
        people::{Fit, may_stand_alone},
        scan::{Shape, fold},
        span::{Span, Weight},
    },
};

use super::{Finder, LONGEST_NAME};

impl Finder<'_, '_> {
    /// `Ingrid Solheim (ingrid@…`, `Ana Ruiz <ana@…`, `reach Yusuf Demir at 555-0165`.
    pub(super) fn beside_contacts(&mut self, spans: &[Span]) {
        let mut names = Vec::new();
        for span in spans {
            if !matches!(
                span.kind,
                EntityKind::Email | EntityKind::Phone | EntityKind::Ssn
            ) {
                continue;
            }
            let mut last = self.scan.word_at(span.range.start);
            // Words like `at`, `on`, `SSN` may stand between.
            for _ in 0..3 {
                if last == 0 {
                    break;
                }
                let word = &self.scan.words[last - 1];
                let between = &self.scan.text[word.end..span.range.start];
                let linking = matches!(
                    self.folded[last - 1].as_str(),
                    "at" | "on"
                        | "under"
                        | "via"
                        | "tel"
                        | "phone"
                        | "mobile"
                        | "cell"
                        | "email"
                        | "mail"
                        | "ssn"
                        | "mailto"
                );
                if between.len() > 24 || between.contains('\n') {
                    break;
                }
                if linking {
                    last -= 1;
                    continue;
                }
                break;
            }
            if last == 0 {
                continue;
            }
            let gap = self
                .scan
                .words
                .get(last)
                .map_or(span.range.start, |w| w.start.min(span.range.start));
            let between = &self.scan.text[self.scan.words[last - 1].end..gap];
            let linked = between.len() <= 4
                && between.chars().all(|c| {
                    matches!(
                        c,
                        ' ' | '(' | '<' | ',' | '-' | ':' | '"' | '–' | '/' | '[' | '|'
                    )
                });
            if !linked {
                continue;
            }
            let mut start = last;
            while start > 0 && last - start < LONGEST_NAME {
                let fits = (self.is_name_word(start - 1)
                    || is_particle(&self.folded[start - 1]) && start < last)
                    && (start == last || matches!(self.scan.gap(start - 1, start), " " | ". "));
                if !fits {
                    break;
                }
                start -= 1;
            }
            while start < last && !self.is_name_word(start) {
                start += 1;
            }
            let long = last - start >= 2 || (start < last && is_given_name(&self.folded[start]));
            if long && self.run(start) == Some(last) {
                names.push(self.range(start, last));
            }
        }
        for range in names {
            self.push(range, Weight::Context, Fit::Parts);
        }
    }

    /// `ingrid.solheim@…` says that `Ingrid Solheim`, `Ingrid` and `Solheim` are a person.
    pub(super) fn email_hints(&mut self, spans: &[Span]) {
        let mut hints: Vec<(String, Option<String>)> = spans
            .iter()
            .filter(|span| span.kind == EntityKind::Email)
            .filter_map(|span| {
                let address = &self.scan.text[span.range.clone()];
                let local = address.split(['@', '%', '[', '(']).next()?;
                let mut names = local
                    .split(|c: char| !c.is_alphabetic())
                    .filter(|part| !part.is_empty())
                    .map(fold);
                let first = names.next()?;
                let second = names.next();
                (!is_never_name(&first)).then_some((first, second))
            })
            .collect();
        hints.sort();
        hints.dedup();
        let hints = Hints::new(&hints);
        let mut names = Vec::new();
        for (index, folded) in self.folded.iter().enumerate() {
            if self.scan.words[index].shape != Shape::Capitalised || !self.is_name_word(index) {
                continue;
            }
            let next = self
                .folded
                .get(index + 1)
                .filter(|_| self.scan.gap(index, index + 1) == " " && self.is_name_word(index + 1));
            let hinted = hints.tell(folded, next.map(String::as_str));
            if hinted && let Some(end) = self.run(index) {
                names.push(self.range(index, end));
            }
        }
        for range in names {
            self.push(range, Weight::Context, Fit::Parts);
        }
    }
}

/// What the local parts of addresses tell: their first name, and the second where there is one. A map,
/// as there may be thousands of them.
struct Hints<'a>(HashMap<&'a str, HashSet<Option<&'a str>>>);

impl<'a> Hints<'a> {
    fn new(hints: &'a [(String, Option<String>)]) -> Self {
        let mut by_first: HashMap<&str, HashSet<Option<&str>>> = HashMap::new();
        for (first, second) in hints {
            let seconds = by_first.entry(first).or_default();
            seconds.insert(second.as_deref());
        }
        Self(by_first)
    }

    fn has(&self, first: &str, second: Option<&str>) -> bool {
        let seconds = self.0.get(first);
        seconds.is_some_and(|seconds| seconds.contains(&second))
    }

    /// Whether an address belongs to `given`, perhaps with the name that follows.
    fn tell(&self, given: &str, next: Option<&str>) -> bool {
        let long = given.chars().count() >= 3;
        let Some(next) = next else {
            let seconds = self.0.get(given).filter(|_| long);
            return seconds
                .is_some_and(|seconds| seconds.contains(&None) || may_stand_alone(given));
        };
        // `ingrid@`, `ingrid.solheim@`, `ingrid.s@`, `i.solheim@`, `isolheim@`, `ingridsolheim@`.
        long && (self.has(given, None)
            || self.has(given, Some(next))
            || self.has(given, initial(next)))
            || initial(given).is_some_and(|initial| {
                self.has(initial, Some(next))
                    || next.chars().count() >= 3 && self.has(&format!("{initial}{next}"), None)
            })
            || self.has(&format!("{given}{next}"), None)
    }
}

fn initial(name: &str) -> Option<&str> {
    let first = name.chars().next()?;
    Some(&name[..first.len_utf8()])
}
