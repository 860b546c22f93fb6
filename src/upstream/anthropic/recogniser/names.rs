//! Names of people: by fields, greetings, signatures, introductions, roles, e-mail addresses, and
//! given names of many cultures; then every other mention of whoever was found.

mod contacts;
mod cues;
mod letters;

use std::ops::Range;

use crate::protocol::tickets::EntityKind;

use super::{
    fields::{Field, Form, Key},
    lexicon::{is_ambiguous, is_given_name, is_never_name, is_organisation, is_particle},
    people::{Fit, People, is_title, may_stand_alone, parts},
    scan::{Scan, Shape, fold, line_before},
    span::{Span, Weight},
};

/// A name has at most this many words.
const LONGEST_NAME: usize = 5;

/// Finds names; gives back who the people are. `spans` holds what was found before: e-mail
/// addresses and telephone numbers say who is mentioned beside them.
pub fn find(scan: &Scan<'_>, fields: &[Field], spans: &mut Vec<Span>) -> People {
    let mut finder = Finder {
        scan,
        folded: scan.words.iter().map(|word| fold(word.text)).collect(),
        found: Vec::new(),
    };
    finder.fields(fields);
    finder.greetings_and_signatures();
    finder.cues();
    finder.beside_contacts(spans);
    finder.email_hints(spans);

    let mut people = People::default();
    let mut mentions: Vec<&Mention> = finder.found.iter().collect();
    mentions
        .sort_by_key(|mention| std::cmp::Reverse(parts(&scan.text[mention.range.clone()]).len()));
    for mention in mentions {
        people.add(&scan.text[mention.range.clone()], mention.fit);
    }
    finder.usernames(fields, &mut people);
    finder.everywhere(&people);
    finder.join();
    spans.extend(
        finder
            .found
            .into_iter()
            .map(|mention| Span::new(mention.range, EntityKind::Name, mention.weight)),
    );
    people
}

#[derive(Debug)]
struct Mention {
    range: Range<usize>,
    weight: Weight,
    fit: Fit,
}

struct Finder<'a, 't> {
    scan: &'a Scan<'t>,
    folded: Vec<String>,
    found: Vec<Mention>,
}

/// How sure one must be before a word on its own counts as a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Single {
    /// Any capitalised word that is not known for something else.
    Any,
    /// A common given name only.
    Given,
}

impl Finder<'_, '_> {
    fn push(&mut self, range: Range<usize>, weight: Weight, fit: Fit) {
        self.found.push(Mention { range, weight, fit });
    }

    fn is_name_word(&self, index: usize) -> bool {
        let word = &self.scan.words[index];
        let folded = &self.folded[index];
        !word.glued
            && (word.shape == Shape::Capitalised || word.is_initial())
            && !is_never_name(folded)
            && !is_title(folded)
    }

    /// The name that begins at word `index`: the index behind its last word.
    fn run(&self, index: usize) -> Option<usize> {
        let words = &self.scan.words;
        if index >= words.len() || !self.is_name_word(index) {
            return None;
        }
        let mut end = index + 1;
        while end < words.len() && end - index < LONGEST_NAME {
            let gap = self.scan.gap(end - 1, end);
            let close = gap == " " || (words[end - 1].is_initial() && matches!(gap, ". " | "."));
            if !close {
                break;
            }
            let bound = is_particle(&self.folded[end])
                && (end + 1 < words.len() && self.scan.gap(end, end + 1) == " ")
                && (self.is_name_word(end + 1)
                    || (is_particle(&self.folded[end + 1])
                        && end + 2 < words.len()
                        && self.scan.gap(end + 1, end + 2) == " "
                        && self.is_name_word(end + 2)));
            let article = !words[end].glued && begins_with_article(words[end].text);
            if !(self.is_name_word(end) || bound || article) {
                break;
            }
            end += 1;
        }
        // `Harper Logistics` is a company, also when its last word is known for something else.
        let company = (index..end).any(|i| is_organisation(&self.folded[i]))
            || (end < words.len()
                && self.scan.gap(end - 1, end) == " "
                && is_organisation(&self.folded[end])
                && words[end].shape != Shape::Lower);
        let initials_only = (index..end).all(|i| words[i].is_initial());
        (!company && !initials_only).then_some(end)
    }

    fn range(&self, start: usize, end: usize) -> Range<usize> {
        self.scan.words[start].start..self.scan.words[end - 1].end
    }

    /// The run at `index`, if it is long enough or its one word is good enough.
    fn name_at(&self, index: usize, single: Single) -> Option<Range<usize>> {
        let end = self.run(index)?;
        let good = end - index > 1
            || match single {
                Single::Any => {
                    may_stand_alone(&self.folded[index]) || is_given_name(&self.folded[index])
                }
                Single::Given => is_given_name(&self.folded[index]),
            };
        good.then(|| self.range(index, end))
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            let single = match (field.key, field.form) {
                (Key::Name, _) => Single::Any,
                (Key::Party, _) => Single::Given,
                _ => continue,
            };
            let value = &self.scan.text[field.value.clone()];
            if field.form != Form::Line && field.key == Key::Name && is_plain_name(value) {
                self.push(field.value.clone(), Weight::Named, Fit::Parts);
                continue;
            }
            let mut first = self.scan.word_at(field.value.start);
            while first < self.folded.len()
                && is_title(&self.folded[first])
                && self.scan.words[first].end < field.value.end
            {
                first += 1;
            }
            let near = |index: usize| {
                self.scan
                    .words
                    .get(index)
                    .is_some_and(|word| word.start < field.value.end)
            };
            // `van der Aa`, in a field that is called a name.
            let mut begins = None;
            while field.key == Key::Name
                && near(first + 1)
                && is_particle(&self.folded[first])
                && self.scan.gap(first, first + 1) == " "
            {
                begins = begins.or(Some(self.scan.words[first].start));
                first += 1;
            }
            if !near(first) {
                continue;
            }
            let lead = &self.scan.text[field.value.start..self.scan.words[first].start];
            if lead.contains(|c: char| c.is_ascii_digit() || matches!(c, '/' | '@')) {
                continue;
            }
            // `Cole, Bartholomew`, and nothing behind it but an address.
            let turned = self.name_at(first, Single::Any).and_then(|family| {
                let next = self.scan.word_at(family.end);
                let given =
                    near(next) && self.scan.text[family.end..self.scan.words[next].start] == *", ";
                let rest = self.name_at(next, Single::Given).filter(|_| given)?;
                let ends =
                    rest.end == field.value.end || self.scan.text[rest.end..].starts_with(" <");
                ends.then_some(family.start..rest.end)
            });
            if let Some(mut range) = turned.or_else(|| self.name_at(first, single)) {
                range.start = begins.unwrap_or(range.start);
                self.push(range, Weight::Named, Fit::Parts);
                if field.key == Key::Party {
                    self.listed(field);
                }
            } else if field.key == Key::Name && is_lower_name(value, self.names_itself(field)) {
                self.push(field.value.clone(), Weight::Named, Fit::Parts);
            } else if let Some(range) = self.shouted(first) {
                self.push(range, Weight::Named, Fit::Parts);
            } else if field.key == Key::Party {
                self.listed(field);
            }
        }
    }

    /// Whether the field stands at the beginning of a line. In a list or in a block of configuration
    /// it names a thing as often.
    fn names_itself(&self, field: &Field) -> bool {
        let line = line_before(self.scan.text, field.value.start, 64);
        field.form == Form::Line && !line.starts_with([' ', '\t', '-'])
    }

    /// `Cc: Billing; Hyun-woo Seo`: the others of a list.
    fn listed(&mut self, field: &Field) {
        let value = &self.scan.text[field.value.clone()];
        let others: Vec<Range<usize>> = value
            .match_indices(';')
            .filter_map(|(at, _)| {
                let index = self.scan.word_at(field.value.start + at);
                self.name_at(index, Single::Given)
                    .filter(|range| range.end <= field.value.end)
            })
            .collect();
        for range in others {
            self.push(range, Weight::Named, Fit::Parts);
        }
    }

    /// `MARISOL VEXLEY`: capitals throughout.
    fn shouted(&self, index: usize) -> Option<Range<usize>> {
        let good = |i: usize| {
            self.scan.words.get(i).is_some_and(|word| {
                word.shape == Shape::Upper
                    && !word.glued
                    && word.text.len() >= 2
                    && !is_never_name(&self.folded[i])
                    && !is_organisation(&self.folded[i])
            })
        };
        let pair = good(index) && good(index + 1) && self.scan.gap(index, index + 1) == " ";
        (pair
            && (is_given_name(&self.folded[index]) || is_given_name(&self.folded[index + 1]))
            && self.scan.words[index + 1].text.len() >= 3)
            .then(|| self.range(index, index + 2))
    }

    /// Logins that are a known person's or plainly a name; home directories likewise.
    fn usernames(&mut self, fields: &[Field], people: &mut People) {
        let text = self.scan.text;
        let mut candidates: Vec<Range<usize>> = fields
            .iter()
            .filter(|field| field.key == Key::Username)
            .map(|field| field.value.clone())
            .collect();
        // A login of somebody who is known, wherever it stands: `principal 'ana.ruiz'`, `@ana.ruiz`.
        let dotted = text.match_indices('.').filter_map(|(at, _)| {
            let letter = |c: char| !(c.is_lowercase() || c == '.');
            let before = super::scan::window_before(text, at, 32);
            let after = super::scan::window_after(text, at, 32);
            let start = at - before.len()
                + before.rfind(letter).map_or(0, |index| {
                    index + before[index..].chars().next().map_or(1, char::len_utf8)
                });
            let end = at + after.find(letter).unwrap_or(after.len());
            let alone = !text[end..].starts_with(['@', '(', '/', '_', '-', '%'])
                && !text[end..].starts_with(char::is_alphanumeric)
                && !text[..start].ends_with(['/', '_', '-', '$', '%'])
                && !text[..start].ends_with(char::is_alphanumeric);
            let login = text[start..end].trim_end_matches('.');
            (alone && people.by_handle(login).is_some()).then(|| start..start + login.len())
        });
        candidates.extend(dotted);
        for marker in ["/home/", "/Users/", "\\Users\\", "/users/"] {
            candidates.extend(text.match_indices(marker).filter_map(|(at, _)| {
                let start = at + marker.len();
                let rest = super::scan::window_after(text, start, 40);
                let end = rest.find(['/', '\\', '\n', '"', '\'', ':'])?;
                Some(start..start + end)
            }));
        }
        for range in candidates {
            let value = &text[range.clone()];
            if value.is_empty() || value.len() > 40 || value.contains(['@', '=']) {
                continue;
            }
            let names = parts(value);
            let letters_only = value
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, '.' | '_' | '-' | ' '));
            let plain = letters_only
                && names.len() == 2
                && names
                    .iter()
                    .any(|name| is_given_name(name) && !is_ambiguous(name))
                && !names
                    .iter()
                    .any(|name| is_never_name(name) || is_organisation(name));
            let known = people.by_handle(value).is_some()
                || (names.len() == 1
                    && names
                        .first()
                        .is_some_and(|name| people.with_part(name).is_some()));
            let given = letters_only
                && names.len() == 1
                && names
                    .first()
                    .is_some_and(|name| is_given_name(name) && !is_ambiguous(name));
            if plain || known || given {
                people.add(value, if known { Fit::ShortForm } else { Fit::Parts });
                self.push(range, Weight::Context, Fit::Parts);
            }
        }
    }

    /// Every other mention of those who are known.
    fn everywhere(&mut self, people: &People) {
        if people.is_empty() {
            return;
        }
        let mut more = Vec::new();
        for (index, folded) in self.folded.iter().enumerate() {
            let word = &self.scan.words[index];
            if word.glued || folded.chars().count() < 3 || people.with_part(folded).is_none() {
                continue;
            }
            // `Cole, Bartholomew`: beside the rest of the name even a common word is one.
            let person = people.with_part(folded);
            let beside = self.folded.get(index + 1).is_some_and(|next| {
                people.with_part(next) == person
                    && next != folded
                    && matches!(self.scan.gap(index, index + 1), ", " | " ")
                    && word.shape != Shape::Lower
                    && self.scan.words[index + 1].shape != Shape::Lower
                    && !self.scan.words[index + 1].glued
            });
            if beside {
                more.push((self.range(index, index + 2), Weight::Context));
                continue;
            }
            let common = is_never_name(folded) || is_ambiguous(folded) || is_organisation(folded);
            // `El Amrani`: what binds a name belongs to it.
            let mut start = index;
            while start > 0
                && is_particle(&self.folded[start - 1])
                && self.scan.gap(start - 1, start) == " "
                && (self.scan.words[start - 1].shape != Shape::Lower
                    || matches!(
                        self.folded[start - 1].as_str(),
                        "van" | "von" | "der" | "den" | "bin"
                    ))
            {
                start -= 1;
            }
            // `J. Baker`: the initial is the person's, too.
            let initialled = start > 0
                && self.scan.words[start - 1].is_initial()
                && word.shape != Shape::Lower
                && match self.scan.gap(start - 1, start) {
                    ". " | " " => !self.scan.words[start - 1].glued,
                    gap => gap == ".",
                }
                && people.has_initial(folded, &self.folded[start - 1]);
            start -= usize::from(initialled);
            let fits = match word.shape {
                Shape::Capitalised => {
                    !common
                        || (initialled
                            || !self.scan.begins_sentence(word.start)
                            || self.acts(word.end))
                            && !is_never_name(folded)
                }
                Shape::Upper => !common,
                Shape::Lower => {
                    !common && (is_given_name(folded) && folded.len() >= 4 || folded.len() >= 6)
                }
            };
            if fits {
                more.push((self.scan.words[start].start..word.end, Weight::Shape));
            }
        }
        for (range, weight) in more {
            self.push(range, weight, Fit::Parts);
        }
    }

    /// `Cole, Bartholomew` was found as two: one mention is enough.
    fn join(&mut self) {
        self.found
            .sort_by_key(|m| (m.range.start, std::cmp::Reverse(m.range.end)));
        let mut joined: Vec<Mention> = Vec::with_capacity(self.found.len());
        for mention in self.found.drain(..) {
            match joined.last_mut() {
                Some(last)
                    if mention.range.start > last.range.end
                        && &self.scan.text[last.range.end..mention.range.start] == ", "
                        && last.weight == Weight::Shape
                        && mention.weight == Weight::Shape
                        && !self.scan.text[last.range.clone()].contains(' ')
                        && !self.scan.text[mention.range.clone()].contains(' ')
                        && is_given_name(&fold(&self.scan.text[mention.range.clone()]))
                        && !is_given_name(&fold(&self.scan.text[last.range.clone()])) =>
                {
                    last.range.end = mention.range.end;
                }
                _ => joined.push(mention),
            }
        }
        self.found = joined;
    }
}

/// `al-Rashid`, `d'Angelo`: a small letter, and still a name.
fn begins_with_article(word: &str) -> bool {
    [
        "al-", "el-", "ad-", "ar-", "as-", "d'", "d’", "dell'", "dell’",
    ]
    .iter()
    .filter_map(|article| word.strip_prefix(article))
    .any(|name| name.starts_with(char::is_uppercase))
}

/// A cell or a quoted value that is a name and nothing else, however it is written.
fn is_plain_name(value: &str) -> bool {
    let words: Vec<String> = value
        .split([' ', ',', '.'])
        .filter(|word| !word.is_empty())
        .map(fold)
        .collect();
    let letters = value
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, ' ' | ',' | '.' | '-' | '\'' | '’'));
    let cased = value.chars().any(char::is_uppercase)
        || value.chars().all(|c| !c.is_lowercase())
        || words.iter().any(|word| is_given_name(word));
    letters
        && cased
        && (1..=LONGEST_NAME).contains(&words.len())
        // `------` parts the head of a table from its rows.
        && value.chars().filter(|c| c.is_alphabetic()).count() >= 2
        && !words.iter().any(|word| is_organisation(word))
        && !words
            .iter()
            .any(|word| is_never_name(word) && !is_given_name(word) && !is_title(word))
}

/// `tom baker` in a field that is called a name; where that is `sure`, two words of which neither is
/// known for something else are enough.
fn is_lower_name(value: &str, sure: bool) -> bool {
    let words: Vec<String> = value.split_whitespace().map(fold).collect();
    let plain = |word: &String| !is_ambiguous(word) && !is_organisation(word);
    (1..=3).contains(&words.len())
        && value
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '\''))
        && (words.iter().any(|word| is_given_name(word))
            || value.chars().all(|c| !c.is_lowercase())
            || sure && words.len() > 1 && !value.contains('-') && words.iter().all(plain))
        && !words.iter().any(|word| is_never_name(word))
}
