//! The rule-based recogniser: personal data, a technical title, labels.
//!
//! Pure functions of a text; no I/O, no clock, no state between tickets. Rules, not a model: every
//! decision has a reason that can be read here. Everything is linear in the text's length and looks
//! at bounded stretches, so that a line of 4 MB is slow in proportion and no more.

mod addresses;
mod credentials;
mod emails;
mod fields;
mod labels;
mod lexicon;
mod names;
mod numbers;
mod people;
mod phones;
mod placeholders;
mod scan;
mod span;
mod title;

use std::borrow::Cow;

use crate::protocol::tickets::DetectedEntity;

pub use self::{
    labels::Label,
    placeholders::word as kind_word,
    span::{Span, Weight},
};

/// What the recogniser has to say about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognition {
    /// Short, technical, without personal data.
    pub title: String,
    /// The subject with placeholders.
    pub masked_subject: String,
    /// The body with placeholders.
    pub masked_text: String,
    /// Each placeholder in `masked_text` once, in order of appearance.
    pub entities: Vec<DetectedEntity>,
    /// One to three, the best first.
    pub labels: Vec<Label>,
}

/// Reads a ticket.
#[must_use]
pub fn recognise(subject: &str, body: &str) -> Recognition {
    let subject = visible(subject).replace('\n', " ");
    let body = visible(body);
    // Together, so that a name in the subject is known in the body.
    let text = format!("{body}\n\n{subject}");
    let (spans, people) = analyse(&text);
    let border = body.len();
    let in_body: Vec<Span> = spans
        .iter()
        .filter(|span| span.range.end <= border)
        .cloned()
        .collect();
    let (masked_text, entities) = placeholders::mask(&text[..border], &in_body, &people);
    // The whole once more, so that the subject's placeholders agree with the body's.
    let (whole, _) = placeholders::mask(&text, &spans, &people);
    let masked_subject = whole
        .rsplit_once("\n\n")
        .map_or_else(String::new, |(_, subject)| subject.to_owned());
    Recognition {
        title: title::title(&masked_subject, &masked_text),
        labels: labels::labels(&masked_subject, &masked_text),
        masked_subject,
        masked_text,
        entities,
    }
}

/// Builds the patterns, some 30 ms once; otherwise the first ticket pays for them. Call it off the
/// thread that serves.
pub fn warm_up() {
    let _ = recognise(
        "Warm up for Ana Ruiz",
        "Hi Ana,\nname: Ana Ruiz, 12 Oak Street, ana@lab.example, 555-0100, password=x1y2z3\ncard 4242 4242 4242 4242",
    );
}

/// The personal data in `text`, in order of position, without overlaps.
#[must_use]
pub fn spans(text: &str) -> Vec<Span> {
    analyse(text).0
}

fn analyse(text: &str) -> (Vec<Span>, people::People) {
    let fields = fields::find(text);
    let mut spans = Vec::new();
    emails::find(text, &mut spans);
    phones::find(text, &fields, &mut spans);
    numbers::cards(text, &fields, &mut spans);
    numbers::national_ids(text, &fields, &mut spans);
    credentials::find(text, &fields, &mut spans);
    addresses::find(text, &fields, &mut spans);
    let scan = scan::Scan::new(text);
    let people = names::find(&scan, &fields, &mut spans);
    (span::resolve(spans), people)
}

/// Without characters that nobody sees, and with plain ones for those that only look like them: they
/// would hide an address from the rules and not from whoever copies it.
fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let is_odd = |c: char| hidden(c) || plain(c) != c;
    if !(text.contains(is_odd)
        || text.contains("\r\n")
        || ENTITIES.iter().any(|(html, _)| text.contains(html)))
    {
        return Cow::Borrowed(text);
    }
    let mut text: String = text
        .chars()
        .filter(|c| !hidden(*c))
        .map(plain)
        .collect::<String>()
        .replace("\r\n", "\n");
    for (html, sign) in ENTITIES {
        text = text.replace(html, sign);
    }
    Cow::Owned(text)
}

/// What a pasted page has between the groups of a number, and in an address.
const ENTITIES: [(&str, &str); 5] = [
    ("&nbsp;", " "),
    ("&#160;", " "),
    ("&#8209;", "-"),
    ("&#64;", "@"),
    ("&commat;", "@"),
];

/// A blank for blanks of other widths, a hyphen for one that does not break, and ASCII for the digits and
/// the sign of an address in full width.
fn plain(c: char) -> char {
    match c {
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => ' ',
        '\u{2010}' | '\u{2011}' => '-',
        '\u{ff10}'..='\u{ff19}' | '\u{ff20}' => {
            // Full width lies so far above ASCII.
            char::from_u32(c as u32 - 0xfee0).unwrap_or(c)
        }
        c => c,
    }
}
