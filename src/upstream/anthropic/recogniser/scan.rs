//! The text as words and lines, and the small questions that every detector asks about them.
//!
//! Everything here looks at a bounded stretch around a position, so that a line of megabytes costs
//! no more per byte than a short one.

use std::ops::Range;

pub use crate::support::text::fold;

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `Marisol`, `McBride`, `O'Neill`, `Okonkwo-Brandt`.
    Capitalised,
    /// `MARISOL`, `HTTP`; one letter alone is an initial.
    Upper,
    /// `marisol`.
    Lower,
}

/// A run of letters, with hyphens and apostrophes inside of it.
#[derive(Debug, Clone, Copy)]
pub struct Word<'t> {
    /// The letters, without a possessive `'s`.
    pub text: &'t str,
    pub start: usize,
    pub end: usize,
    pub shape: Shape,
    /// Part of a path, an identifier, a host name: never a person by itself.
    pub glued: bool,
}

impl Word<'_> {
    /// An initial: one capital, as in `J. Weber`.
    pub fn is_initial(&self) -> bool {
        self.shape == Shape::Upper && self.text.chars().count() == 1
    }
}

/// The text and its words.
#[derive(Debug)]
pub struct Scan<'t> {
    pub text: &'t str,
    pub words: Vec<Word<'t>>,
}

impl<'t> Scan<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            words: words(text),
        }
    }

    /// Index of the first word that starts at `position` or later.
    pub fn word_at(&self, position: usize) -> usize {
        self.words.partition_point(|word| word.start < position)
    }

    /// The text between two neighbouring words.
    pub fn gap(&self, left: usize, right: usize) -> &'t str {
        &self.text[self.words[left].end..self.words[right].start]
    }

    /// Whether `position` is where a sentence or a line begins.
    pub fn begins_sentence(&self, position: usize) -> bool {
        let before = window_before(self.text, position, 8)
            .trim_end_matches([' ', '\t', '"', '\'', '*', '-', '>']);
        before.is_empty() && position <= 8 || before.ends_with(['.', '!', '?', '\n', ':', '•'])
    }
}

/// Where the next digit stands, from `from` on.
pub fn next_digit(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    Some(from + rest.iter().position(u8::is_ascii_digit)?)
}

/// Hyphens and dashes of all lengths, and the minus sign.
pub const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::with_capacity(text.len() / 6);
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !is_letter(first) {
            continue;
        }
        let mut end = start + first.len_utf8();
        let (mut uppers, mut lowers) = (
            usize::from(first.is_uppercase()),
            usize::from(!first.is_uppercase()),
        );
        while let Some(&(index, c)) = chars.peek() {
            let joins = matches!(c, '-' | '\'' | '’')
                && text[index + c.len_utf8()..]
                    .chars()
                    .next()
                    .is_some_and(is_letter);
            if !(is_letter(c) || joins) {
                break;
            }
            uppers += usize::from(c.is_uppercase());
            lowers += usize::from(is_letter(c) && !c.is_uppercase());
            end = index + c.len_utf8();
            chars.next();
        }
        let whole = &text[start..end];
        let glued = glued(text, start, end);
        for possessive in ["'s", "’s", "'S", "’S"] {
            if whole.ends_with(possessive) && whole.len() > possessive.len() {
                end -= possessive.len();
                lowers = lowers.saturating_sub(1);
                break;
            }
        }
        let shape = if !first.is_uppercase() {
            Shape::Lower
        } else if lowers == 0 {
            Shape::Upper
        } else if uppers > 3 {
            // `HTTPServer` and the like are no names.
            Shape::Lower
        } else {
            Shape::Capitalised
        };
        words.push(Word {
            text: &text[start..end],
            start,
            end,
            shape,
            glued,
        });
    }
    words
}

fn glued(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let mut after = text[end..].chars();
    let (next, following) = (after.next(), after.next());
    let word_like = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let sticks_before = before.is_some_and(|c| {
        c.is_alphanumeric()
            || matches!(
                c,
                '_' | '/' | '\\' | '@' | '#' | '$' | '.' | '-' | '~' | '%'
            )
    });
    let sticks_after = word_like(next)
        || matches!(next, Some('/' | '\\' | '@' | '('))
        || (matches!(next, Some('.' | ':' | '-' | '=')) && word_like(following));
    // `J.Weber`: an initial without a blank is still one.
    let initial = before == Some('.')
        && text[..start.saturating_sub(1)]
            .chars()
            .next_back()
            .is_some_and(char::is_uppercase);
    (sticks_before && !initial) || sticks_after
}

/// At most `bytes` before `position`, on character boundaries.
pub fn window_before(text: &str, position: usize, bytes: usize) -> &str {
    &text[text.ceil_char_boundary(position.saturating_sub(bytes))..position]
}

/// At most `bytes` from `position` on, on character boundaries.
pub fn window_after(text: &str, position: usize, bytes: usize) -> &str {
    &text[position..text.floor_char_boundary(position + bytes)]
}

/// [`window_before`], not beyond the beginning of the line.
pub fn line_before(text: &str, position: usize, bytes: usize) -> &str {
    let window = window_before(text, position, bytes);
    window.rsplit('\n').next().unwrap_or(window)
}

/// Where the first sentence of an address ends, before its full stop: `5 Kiln Row, York. Call me.`, but
/// neither `12 Oak St. Portland` nor `Straße des 17. Juni`.
pub fn sentence_end(text: &str) -> usize {
    let ends = |at: usize| {
        let mut after = text[at + 1..].chars();
        if after.next() != Some(' ') || !after.next().is_some_and(char::is_uppercase) {
            return false;
        }
        let before = text[..at]
            .rsplit(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        if !text[at..].starts_with('.') {
            return true;
        }
        let next = fold(window_after(text, at + 2, 8));
        let ordinal = before.len() <= 2
            && before.bytes().all(|b| b.is_ascii_digit())
            && ORDINAL.iter().any(|word| next.starts_with(word));
        let word = fold(before);
        let abbreviated = word.chars().count() < 2 && !word.bytes().all(|b| b.is_ascii_digit())
            || word.ends_with("str")
            || ABBREVIATED.contains(&word.as_str());
        !ordinal && !abbreviated
    };
    text.match_indices(['.', '!', '?'])
        .map(|(at, _)| at)
        .find(|at| ends(*at))
        .unwrap_or(text.len())
}

/// What stands before a full stop in an address and ends no sentence.
const ABBREVIATED: &[&str] = &[
    "st", "ste", "rd", "ave", "blvd", "ln", "dr", "ct", "pl", "pkwy", "ter", "sq", "cir", "hwy",
    "ft", "mt", "apt", "bldg", "fl", "rm", "no", "nr", "av", "avda", "ul", "al", "bd", "co", "jr",
    "sr",
];

/// How a word begins that stands behind the number of a day or of a floor in an address.
const ORDINAL: &[&str] = &[
    "jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez", "etage",
    "stock", "og", "bezirk",
];

/// The lines of `text` as ranges, without their line feeds.
pub fn lines(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let range = start..start + line.len();
        start += line.len() + 1;
        range
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_with_its_sentence() {
        for (text, address) in [
            ("5 Kiln Row, York. Call me. Now", "5 Kiln Row, York"),
            (
                "77 OAK ROAD, AUSTIN TX 78701. ALSO",
                "77 OAK ROAD, AUSTIN TX 78701",
            ),
            ("5 Kiln Row! Please", "5 Kiln Row"),
            ("12 Oak St. Portland", "12 Oak St. Portland"),
            ("Musterstr. Nord 5, 1.5 km", "Musterstr. Nord 5, 1.5 km"),
            ("Straße des 17. Juni 135", "Straße des 17. Juni 135"),
            ("Am Ring 12. Bitte", "Am Ring 12"),
            ("10.0.0.1. Server restarts", "10.0.0.1"),
            ("P.O. Box 7, J. Weber. é", "P.O. Box 7, J. Weber. é"),
        ] {
            assert_eq!(&text[..sentence_end(text)], address);
        }
    }

    #[test]
    fn words_know_their_shape_and_their_neighbours() {
        let scan = Scan::new("Ms O'Neill's API-call to Foo.bar by Okonkwo-Brandt, src/Main HTTP");
        let shown: Vec<_> = scan
            .words
            .iter()
            .map(|w| (w.text, w.shape, w.glued))
            .collect();
        assert!(shown.contains(&("O'Neill", Shape::Capitalised, false)));
        assert!(shown.contains(&("Okonkwo-Brandt", Shape::Capitalised, false)));
        assert!(shown.contains(&("Foo", Shape::Capitalised, true)));
        assert!(shown.contains(&("Main", Shape::Capitalised, true)));
        assert!(shown.contains(&("HTTP", Shape::Upper, false)));
    }
}
