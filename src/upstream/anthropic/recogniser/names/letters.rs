//! Names in the parts of a letter: the greeting and the signature.

use crate::upstream::anthropic::recogniser::{
    lexicon::{is_ambiguous, is_given_name, is_never_name},
    people::{Fit, is_title},
    scan::lines,
    span::Weight,
};

use super::{Finder, Single};

impl Finder<'_, '_> {
    pub(super) fn greetings_and_signatures(&mut self) {
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
            | "groeten" | "ty" | "kind" | "warm" | "warmest" | "kindest" | "mit" | "viele"
            | "liebe" | "beste" | "bien" | "un" | "med" | "met" | "cordiali" | "distinti" => true,
            "best" => second != "practice" && second != "practices",
            "many" => second == "thanks",
            "thank" => second == "you",
            "yours" | "take" | "all" => matches!(
                second,
                "sincerely" | "faithfully" | "truly" | "care" | "the"
            ),
            "with" => matches!(second, "regards" | "best" | "kind" | "thanks"),
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
        let end = start + content.len();
        // `i. A. Jörg Pfeiffer`: on somebody's behalf.
        let behalf = [
            "i. A. ", "i.A. ", "i. V. ", "i.V. ", "ppa. ", "p.p. ", "pp ",
        ];
        let name = behalf.iter().find_map(|short| content.strip_prefix(short));
        let start = name.map_or(start, |name| end - name.len());
        let mut first = self.scan.word_at(start);
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
}
