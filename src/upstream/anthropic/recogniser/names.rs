//! Names of people: by fields, greetings, signatures, introductions, roles, e-mail addresses, and
//! given names of many cultures; then every other mention of whoever was found.

use std::ops::Range;

use crate::protocol::tickets::EntityKind;

use super::{
    fields::{Field, Form, Key},
    lexicon::{is_ambiguous, is_given_name, is_never_name, is_organisation, is_particle},
    people::{Fit, People, is_title, may_stand_alone, parts},
    scan::{Scan, Shape, fold, line_before, lines},
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
            if self.is_name_word(end) {
                end += 1;
            } else if is_particle(&self.folded[end])
                && (end + 1 < words.len() && self.scan.gap(end, end + 1) == " ")
                && (self.is_name_word(end + 1)
                    || (is_particle(&self.folded[end + 1])
                        && end + 2 < words.len()
                        && self.scan.gap(end + 1, end + 2) == " "
                        && self.is_name_word(end + 2)))
            {
                end += 1;
            } else {
                break;
            }
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
            if !near(first) {
                continue;
            }
            let lead = &self.scan.text[field.value.start..self.scan.words[first].start];
            if lead.contains(|c: char| c.is_ascii_digit() || matches!(c, '/' | '@')) {
                continue;
            }
            if let Some(mut range) = self.name_at(first, single) {
                // `Cole, Bartholomew`
                let next = self.scan.word_at(range.end);
                if near(next)
                    && &self.scan.text[range.end..self.scan.words[next].start] == ", "
                    && let Some(rest) = self.name_at(next, Single::Given)
                    && rest.end == field.value.end
                {
                    range.end = rest.end;
                }
                self.push(range, Weight::Named, Fit::Parts);
            } else if field.key == Key::Name && is_lower_name(value) {
                self.push(field.value.clone(), Weight::Named, Fit::Parts);
            } else if let Some(range) = self.shouted(first) {
                self.push(range, Weight::Named, Fit::Parts);
            }
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

    fn greetings_and_signatures(&mut self) {
        let text = self.scan.text;
        let mut closing_open = 0_u8;
        for line in lines(text) {
            let content = text[line.clone()].trim_start_matches(['>', ' ', '\t']);
            let start = line.end - content.len();
            let content = content.trim_end();
            if content.is_empty() {
                continue;
            }
            if content.len() > 400 && closing_open == 0 && !content.is_char_boundary(1) {
                continue;
            }
            self.greeting(start, content);
            if closing_open > 0 {
                closing_open -= 1;
                if self.signature(start, content) {
                    closing_open = 0;
                    continue;
                }
            }
            if self.closing(start, content) {
                closing_open = 1;
            }
        }
    }

    fn greeting(&mut self, start: usize, content: &str) {
        let first = self.scan.word_at(start);
        let Some(word) = self.folded.get(first) else {
            return;
        };
        if self.scan.words[first].start != start {
            return;
        }
        let mut at = match word.as_str() {
            "hi" | "hello" | "hey" | "dear" | "hallo" | "bonjour" | "hola" | "ciao" | "liebe"
            | "lieber" | "cher" | "chere" | "estimado" | "estimada" | "hej" | "ola" | "howdy"
            | "querida" | "querido" | "gentile" | "caro" | "cara" => first + 1,
            "good" | "sehr" | "buenos" | "guten" => first + 2,
            _ => return,
        };
        let end = start + content.len();
        let mut named = 0;
        while at < self.folded.len() && self.scan.words[at].start < end && named < 4 {
            if matches!(self.folded[at].as_str(), "and" | "und" | "et" | "y" | "e") {
                at += 1;
                continue;
            }
            if is_title(&self.folded[at]) {
                at += 1;
                continue;
            }
            let gap = self.scan.gap(at - 1, at);
            if gap.len() > 3 || gap.contains(['.', '!', '?', ':', '\n']) && gap != ". " {
                break;
            }
            let lower_ok = is_given_name(&self.folded[at])
                && !is_ambiguous(&self.folded[at])
                && !is_never_name(&self.folded[at]);
            if let Some(range) = self.name_at(at, Single::Any) {
                let next = self.scan.word_at(range.end);
                let followed = self.folded.get(next).is_some_and(|word| {
                    matches!(
                        word.as_str(),
                        "team" | "support" | "folks" | "crew" | "staff"
                    )
                }) && self.scan.words[next].start - range.end <= 1;
                if followed {
                    return;
                }
                self.push(range, Weight::Context, Fit::ShortForm);
                at = next;
            } else if lower_ok {
                self.push(self.range(at, at + 1), Weight::Context, Fit::ShortForm);
                at += 1;
            } else {
                break;
            }
            named += 1;
            // After a comma a new sentence may begin.
            let rest = &self.scan.text[self.scan.words[at - 1].end..];
            if !(rest.starts_with(" and ") || rest.starts_with(" & ") || rest.starts_with(" und "))
            {
                break;
            }
        }
    }

    /// Whether the line closes a letter; takes a name that follows on the same line.
    fn closing(&mut self, start: usize, content: &str) -> bool {
        let dashed = content.trim_start_matches(['-', '–', '—', '~', '/', '*']);
        if dashed.len() < content.len() && content.len() <= 40 {
            // `- Noor`: also a bullet, so only names that are surely such.
            let first = self.scan.word_at(start);
            if let Some(range) = self.name_at(first, Single::Given)
                && range.end == start + content.len()
                && (is_given_name(&self.folded[first]))
                && !is_ambiguous(&self.folded[first])
            {
                self.push(range, Weight::Context, Fit::ShortForm);
            }
            return dashed.trim().is_empty() && content.len() == 2;
        }
        if content.len() > 60 {
            return false;
        }
        let first = self.scan.word_at(start);
        let Some(word) = self.folded.get(first) else {
            return false;
        };
        if self.scan.words[first].start != start {
            return false;
        }
        let second = self.folded.get(first + 1).map_or("", String::as_str);
        let closes = match word.as_str() {
            "regards" | "sincerely" | "cheers" | "thanks" | "thx" | "cordially"
            | "respectfully" | "cordialement" | "saludos" | "atentamente" | "greetings" | "ta"
            | "sincerement" | "gruss" | "grusse" | "grüße" | "hilsen" | "vriendelijke"
            | "groeten" | "ty" => true,
            "best" => second != "practice" && second != "practices",
            "kind" | "warm" | "warmest" | "kindest" => true,
            "many" => second == "thanks",
            "thank" => second == "you",
            "yours" | "take" | "all" => matches!(
                second,
                "sincerely" | "faithfully" | "truly" | "care" | "the"
            ),
            "with" => matches!(second, "regards" | "best" | "kind" | "thanks"),
            "mit" | "viele" | "liebe" | "beste" => true,
            "bien" | "un" | "med" | "met" | "cordiali" | "distinti" => true,
            _ => false,
        };
        if !closes {
            return false;
        }
        let end = start + content.len();
        // `Thanks, Dashiell` and `Cheers - Tom (ops)`.
        if let Some(sign) = content.find([',', '-', '–', '—', '!']) {
            let after = self.scan.word_at(start + sign);
            if let Some(word) = self.scan.words.get(after)
                && word.start < end
            {
                if let Some(range) = self.name_at(after, Single::Any)
                    && self.scan.text[range.end..end]
                        .trim_matches(['.', ' ', '!'])
                        .chars()
                        .next()
                        .is_none_or(|c| matches!(c, '(' | ',' | '|'))
                {
                    self.push(range, Weight::Context, Fit::ShortForm);
                } else if is_given_name(&self.folded[after]) && word.end == end {
                    self.push(word.start..word.end, Weight::Context, Fit::ShortForm);
                }
            }
        }
        true
    }

    /// The line under a closing; true if it held a name.
    fn signature(&mut self, start: usize, content: &str) -> bool {
        let mut first = self.scan.word_at(start);
        let end = start + content.len();
        while first < self.folded.len() && is_title(&self.folded[first]) {
            first += 1;
        }
        let Some(word) = self.scan.words.get(first) else {
            return false;
        };
        if word.start >= end || word.start - start > 8 {
            return false;
        }
        if let Some(range) = self.name_at(first, Single::Any) {
            let rest = self.scan.text[range.end..end]
                .trim_start_matches('.')
                .trim();
            let ends = rest.is_empty()
                || rest.starts_with([',', '|', '(', '-', '–', '—', '/', '<', '·', '@']);
            if ends {
                self.push(range, Weight::Context, Fit::ShortForm);
                return true;
            }
        } else if let Some(range) = self.shouted(first) {
            self.push(range, Weight::Context, Fit::ShortForm);
            return true;
        } else if is_given_name(&self.folded[first]) && content.split_whitespace().count() <= 2 {
            self.push(start..end, Weight::Context, Fit::ShortForm);
            return true;
        }
        false
    }

    /// What stands before a name and says that one follows; and given names.
    fn cues(&mut self) {
        let mut index = 0;
        while index < self.folded.len() {
            match self.cue(index) {
                Some((range, weight)) => {
                    let next = self.scan.word_at(range.end);
                    self.push(range, weight, Fit::Parts);
                    index = next.max(index + 1);
                }
                None => index += 1,
            }
        }
    }

    fn cue(&self, index: usize) -> Option<(Range<usize>, Weight)> {
        let word = &self.scan.words[index];
        let before =
            |n: usize| -> &str { index.checked_sub(n).map_or("", |i| self.folded[i].as_str()) };
        let gap = if index > 0 {
            self.scan.gap(index - 1, index)
        } else {
            ""
        };
        if word.shape == Shape::Lower {
            // `my name is tom baker`
            let named = gap == " " && before(1) == "is" && before(2) == "name";
            if named && !is_never_name(&self.folded[index]) && is_given_name(&self.folded[index]) {
                let second = self.scan.words.get(index + 1).is_some_and(|next| {
                    next.shape == Shape::Lower
                        && self.scan.gap(index, index + 1) == " "
                        && !is_never_name(&self.folded[index + 1])
                        && next.text.len() > 2
                });
                let end = index + 1 + usize::from(second);
                return Some((self.range(index, end), Weight::Context));
            }
            return None;
        }
        if word.glued {
            return None;
        }
        let close = matches!(
            gap,
            " " | ". " | ", " | ": " | " (" | "\n" | " \"" | ", \"" | " – " | " - "
        );
        if close
            && is_title(before(1))
            && matches!(gap, " " | ". ")
            && self.scan.words[index - 1].shape != Shape::Lower
        {
            return self
                .name_at(index, Single::Any)
                .map(|r| (r, Weight::Context));
        }
        if gap == " " {
            let introduces = (before(1) == "is" && before(2) == "name")
                || (before(1) == "name" && matches!(before(2), "my" | "his" | "her" | "their"))
                || (matches!(before(1), "named" | "called") && is_given_name(&self.folded[index]))
                || (matches!(before(1), "heisse" | "llamo")
                    || (before(1) == "appelle" || before(1) == "m'appelle"));
            if introduces {
                return self
                    .name_at(index, Single::Any)
                    .map(|r| (r, Weight::Context));
            }
        }
        if close && is_role(before(1)) || gap == " " && is_lead(before(1), before(2)) {
            let found = self.name_at(index, Single::Given);
            if let Some(range) = found
                && !(is_ambiguous(&self.folded[index]) && self.scan.word_at(range.end) == index + 1)
            {
                return Some((range, Weight::Context));
            }
        }
        if let Some(range) = self.shouted(index)
            && is_given_name(&self.folded[index])
            && !is_ambiguous(&self.folded[index])
        {
            return Some((range, Weight::Shape));
        }
        self.given(index)
    }

    /// A common given name, alone or with what follows.
    fn given(&self, index: usize) -> Option<(Range<usize>, Weight)> {
        let folded = &self.folded[index];
        let word = &self.scan.words[index];
        if word.shape != Shape::Capitalised || !is_given_name(folded) && !self.double_given(folded)
        {
            return None;
        }
        let end = self.run(index)?;
        let range = self.range(index, end);
        if !is_ambiguous(folded) {
            return Some((range, Weight::Shape));
        }
        // `Will Harper`, but neither `Will` nor `Austin, Texas` nor `Mark Export` at a beginning.
        let sure = end - index > 1
            && self.scan.words[end - 1].text.len() > 1
            && (!self.scan.begins_sentence(word.start)
                || is_given_name(&self.folded[index + 1])
                || line_before(self.scan.text, word.start, 4).trim().is_empty()
                    && self.scan.text[range.end..].starts_with(['\n', ',']));
        sure.then_some((range, Weight::Shape))
    }

    /// `Anne-Marie`: two given names in one.
    fn double_given(&self, folded: &str) -> bool {
        folded
            .split_once('-')
            .is_some_and(|(left, right)| is_given_name(left) && is_given_name(right))
    }

    /// `Ingrid Solheim (ingrid@…`, `Ana Ruiz <ana@…`, `reach Yusuf Demir at 555-0165`.
    fn beside_contacts(&mut self, spans: &[Span]) {
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
    fn email_hints(&mut self, spans: &[Span]) {
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
        let mut names = Vec::new();
        for (index, folded) in self.folded.iter().enumerate() {
            if self.scan.words[index].shape != Shape::Capitalised || !self.is_name_word(index) {
                continue;
            }
            let next = self
                .folded
                .get(index + 1)
                .filter(|_| self.scan.gap(index, index + 1) == " " && self.is_name_word(index + 1));
            let hinted = hints.iter().any(|(first, second)| {
                let given = folded == first && first.len() >= 3;
                match (second, next) {
                    (Some(second), Some(next)) => {
                        (given && next == second)
                            || (first.len() == 1
                                && folded.starts_with(first.as_str())
                                && next == second)
                            || (given && second.len() == 1 && next.starts_with(second.as_str()))
                    }
                    (None, Some(next)) => {
                        given
                            || (first.len() >= 4
                                && first.strip_prefix(|c| folded.starts_with(c))
                                    == Some(next.as_str()))
                            || *first == format!("{folded}{next}")
                    }
                    (None, None) => given,
                    (Some(_), None) => given && may_stand_alone(folded),
                }
            });
            if hinted && let Some(end) = self.run(index) {
                names.push(self.range(index, end));
            }
        }
        for range in names {
            self.push(range, Weight::Context, Fit::Parts);
        }
    }

    /// Logins that are a known person's or plainly a name; home directories likewise.
    fn usernames(&mut self, fields: &[Field], people: &mut People) {
        let text = self.scan.text;
        let mut candidates: Vec<Range<usize>> = fields
            .iter()
            .filter(|field| field.key == Key::Username)
            .map(|field| field.value.clone())
            .collect();
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
            let fits = match word.shape {
                Shape::Capitalised => {
                    !common || !self.scan.begins_sentence(word.start) && !is_never_name(folded)
                }
                Shape::Upper => !common,
                Shape::Lower => {
                    !common && (is_given_name(folded) && folded.len() >= 4 || folded.len() >= 6)
                }
            };
            if fits {
                more.push((word.start..word.end, Weight::Shape));
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
        && value.chars().count() >= 2
        && !words.iter().any(|word| is_organisation(word))
        && !words
            .iter()
            .any(|word| is_never_name(word) && !is_given_name(word) && !is_title(word))
}

/// `tom baker` in a field that is called a name.
fn is_lower_name(value: &str) -> bool {
    let words: Vec<String> = value.split_whitespace().map(fold).collect();
    (1..=3).contains(&words.len())
        && value
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '\''))
        && (words.iter().any(|word| is_given_name(word))
            || value.chars().all(|c| !c.is_lowercase()))
        && !words.iter().any(|word| is_never_name(word))
}

/// Words for what a person is, before the name: `our CTO Fen Okafor`.
fn is_role(folded: &str) -> bool {
    matches!(
        folded,
        "ceo"
            | "cto"
            | "cfo"
            | "coo"
            | "manager"
            | "director"
            | "engineer"
            | "developer"
            | "analyst"
            | "consultant"
            | "assistant"
            | "officer"
            | "president"
            | "founder"
            | "cofounder"
            | "accountant"
            | "nurse"
            | "doctor"
            | "teacher"
            | "driver"
            | "colleague"
            | "boss"
            | "deputy"
            | "customer"
            | "client"
            | "patient"
            | "employee"
            | "intern"
            | "contractor"
            | "wife"
            | "husband"
            | "partner"
            | "son"
            | "daughter"
            | "mother"
            | "father"
            | "sister"
            | "brother"
            | "friend"
            | "admin"
            | "administrator"
            | "lead"
            | "user"
            | "member"
            | "student"
            | "tenant"
            | "guest"
            | "subscriber"
            | "buyer"
            | "seller"
            | "owner"
            | "cashier"
            | "clerk"
            | "agent"
            | "rep"
            | "representative"
            | "attendee"
            | "speaker"
            | "secretary"
            | "bookkeeper"
            | "designer"
            | "treasurer"
            | "coordinator"
            | "supervisor"
            | "technician"
            | "pharmacist"
            | "lawyer"
            | "attorney"
            | "architect"
            | "cc"
            | "contact"
            | "professor"
            | "colleagues"
            | "teammate"
    )
}

/// Words that lead to a name: `ask for …`, `signed by …`, `call …`.
fn is_lead(last: &str, before: &str) -> bool {
    match last {
        "by" => true,
        "for" => matches!(
            before,
            "ask" | "asked" | "asking" | "account" | "record" | "card"
        ),
        "to" | "with" => matches!(
            before,
            "speak"
                | "talk"
                | "spoke"
                | "speaking"
                | "talking"
                | "belongs"
                | "belonging"
                | "assigned"
                | "registered"
                | "issued"
                | "talked"
                | "addressed"
                | "delivered"
                | "refund"
                | "write"
                | "reply"
                | "replied"
                | "working"
                | "worked"
                | "thanks"
        ),
        "of" => matches!(
            before,
            "behalf" | "name" | "attention" | "account" | "wife" | "records"
        ),
        "am" | "i'm" => true,
        "is" => matches!(
            before,
            "this" | "manager" | "owner" | "contact" | "holder" | "here" | "boss"
        ),
        "call" | "phone" | "ring" | "contact" | "tell" | "told" | "reach" | "text" | "inform"
        | "notify" | "invited" | "invite" | "cc'ing" | "ccing" | "looping" | "loop" | "hired"
        | "attn" | "asked" | "emailed" | "impersonating" | "and" => last != "and",
        _ => false,
    }
}
