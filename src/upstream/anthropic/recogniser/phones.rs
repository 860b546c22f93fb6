//! Telephone numbers.

use std::ops::Range;

use crate::protocol::tickets::EntityKind;

use super::{
    fields::{Field, Form, Key},
    scan::{fold, is_dash, line_before, window_after},
    span::{Span, Weight},
};

/// Words that announce a telephone number.
const ANNOUNCE: &[&str] = &[
    "phone",
    "tel",
    "mobile",
    "cell",
    "call",
    "ring",
    "fax",
    "dial",
    "whatsapp",
    "text me",
    "reach",
    "callback",
    "hotline",
    "landline",
    "handy",
    "sms",
    "voicemail",
    "desk",
    "extension",
    "contact",
    "signal",
    "number is",
    "num:",
    "pager",
    "mob",
    "ph:",
    "direct",
    "telef",
    "portable",
    "celular",
    "movil",
    "gsm",
    "rufnummer",
];

/// Words before a number that say it is something else.
const OTHER: &[&str] = &[
    "order",
    "invoice",
    "ticket",
    "case",
    "ref",
    "reference",
    "id",
    "build",
    "version",
    "port",
    "pid",
    "error",
    "code",
    "sku",
    "job",
    "batch",
    "row",
    "rows",
    "line",
    "lines",
    "account",
    "tracking",
    "po",
    "rev",
    "page",
    "issue",
    "pr",
    "room",
    "model",
    "serial",
    "commit",
    "bytes",
    "at",
    "took",
    "event",
    "charge",
    "offset",
];

/// Finds telephone numbers: by their form, by a word before them, by a field's name.
pub fn find(text: &str, fields: &[Field], spans: &mut Vec<Span>) {
    for field in fields.iter().filter(|field| field.key == Key::Phone) {
        let value = &text[field.value.clone()];
        let end = number_end(value);
        if digits(&value[..end]) >= 5 {
            let range = field.value.start..field.value.start + end;
            spans.push(Span::new(
                with_extension(text, range),
                EntityKind::Phone,
                Weight::Named,
            ));
        } else if field.form == Form::Cell && digits(value) >= 5 {
            spans.push(Span::new(
                field.value.clone(),
                EntityKind::Phone,
                Weight::Named,
            ));
        }
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let opens = match bytes[at] {
            b'+' => bytes
                .get(at + 1)
                .is_some_and(|b| b.is_ascii_digit() || *b == b'('),
            b'(' => bytes
                .get(at + 1)
                .is_some_and(|b| b.is_ascii_digit() || *b == b'+'),
            b => b.is_ascii_digit(),
        };
        if !opens {
            at += 1;
            continue;
        }
        let length = number_end(window_after(text, at, LONGEST_NUMBER * 3));
        let range = at..at + length;
        if let Some(weight) = judge(text, &range) {
            spans.push(Span::new(
                with_extension(text, range.clone()),
                EntityKind::Phone,
                weight,
            ));
            at = range.end;
        } else {
            // The next candidate begins after this run of digits.
            at += 1 + bytes[at + 1..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count();
        }
    }
}

/// No telephone number has more characters.
const LONGEST_NUMBER: usize = 28;

/// How far the text goes on like a telephone number.
fn number_end(text: &str) -> usize {
    let (mut end, mut parentheses) = (0, 0_i32);
    let mut before = None;
    for (index, (at, c)) in text.char_indices().take(LONGEST_NUMBER).enumerate() {
        let c = if is_dash(c) { '-' } else { c };
        match c {
            '0'..='9' => end = at + 1,
            '+' if index == 0 || index == 1 && before == Some('(') => {}
            '(' => parentheses += 1,
            ')' if parentheses > 0 => parentheses -= 1,
            ' ' | '-' | '.' | '/' => {
                // Two separators in a row only as in `) ` and ` (`, or the spaced ` - ` and ` / `.
                let spaced = matches!(before, Some(' ' | '-' | '.' | '/'))
                    && !(c == ' ' && matches!(before, Some('-' | '/')))
                    && !(before == Some(' ') && matches!(c, '-' | '/'));
                if spaced {
                    break;
                }
            }
            _ => break,
        }
        before = Some(c);
    }
    end
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

fn judge(text: &str, range: &Range<usize>) -> Option<Weight> {
    let number = &text[range.clone()];
    let before = text[..range.start].chars().next_back();
    let mut after = text[range.end..].chars();
    let next = after.next();
    let following = after.next();
    let inside = before.is_some_and(|c| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '#' | '+' | '$' | '€' | '£')
    }) || next
        .is_some_and(|c| c.is_alphabetic() && !matches!(c, 'x') || matches!(c, '_' | '%'))
        || (matches!(next, Some(':' | '-' | '.' | '/' | ','))
            && following.is_some_and(char::is_alphanumeric));
    if inside {
        return None;
    }
    let count = digits(number);
    let groups: Vec<&str> = number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    if is_date(&groups, number) {
        return None;
    }
    if number.starts_with('+') || number.starts_with("(+") {
        return (8..=15).contains(&count).then_some(Weight::Certain);
    }
    let line = fold(line_before(text, range.start, 48));
    let last_word = line
        .trim_end_matches([' ', '#', ':', '=', '.', '(', '"'])
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    // `crashed at 0151 23456789`, but `call me at …`.
    let called = last_word == "at"
        && line
            .rsplit(' ')
            .filter(|word| !word.is_empty())
            .skip(1)
            .take(2)
            .any(|word| {
                matches!(
                    word,
                    "call" | "ring" | "reach" | "phone" | "text" | "contact"
                )
            });
    if OTHER.contains(&last_word) && !called || line.ends_with('#') {
        return (groups.first() == Some(&"555") && lengths == [3, 4] && last_word == "at")
            .then_some(Weight::Shape);
    }
    // `1000 2000 3000`: counts, ports, error codes.
    if lengths.len() >= 3 && lengths.iter().all(|length| *length == 4) {
        return None;
    }
    let dotted = number.contains('.');
    // North America: (555) 555-0142, 555-555-0142, 555.555.0142, 1-555-555-0142.
    if matches!(lengths[..], [3, 3, 4]) || (matches!(lengths[..], [1, 3, 3, 4]) && groups[0] == "1")
    {
        return (!number.contains('/')).then_some(Weight::Context);
    }
    if lengths == [3, 4] && groups[0] == "555" && !dotted && !number.contains('/') {
        return Some(Weight::Context);
    }
    // `020 7946 0958`, `07700 900123`, `06 12 34 56 78`, `0171/1234567`.
    let national = number.starts_with('0') || number.starts_with("(0");
    // `4000 0566 …`: the middle of something longer.
    let middle = line.strip_suffix([' ', '-']).is_some_and(|left| {
        left.bytes()
            .rev()
            .take(3)
            .filter(u8::is_ascii_digit)
            .count()
            == 3
    });
    if national
        && !middle
        && (9..=12).contains(&count)
        && groups.len() >= 2
        && !dotted
        && lengths.iter().all(|length| *length >= 2)
    {
        return Some(Weight::Context);
    }
    // `0044 20 7946 0958`, `06.55.50.01.77`.
    let abroad = number.starts_with("00") && groups.len() >= 3 && (10..=15).contains(&count);
    let in_pairs = number.starts_with('0') && lengths == [2, 2, 2, 2, 2];
    if abroad && !middle && !dotted || in_pairs {
        return Some(Weight::Context);
    }
    let announced = ANNOUNCE.iter().any(|word| line.contains(word)) && !line.contains("call stack");
    (announced
        && !middle
        && (7..=15).contains(&count)
        && !(dotted && groups.len() == 4 && count < 11))
        .then_some(Weight::Shape)
}

/// `2026-06-02`, `02.06.2026`, `2026/06/02`, perhaps with an hour behind.
fn is_date(groups: &[&str], number: &str) -> bool {
    let year =
        |group: &str| group.len() == 4 && (group.starts_with("19") || group.starts_with("20"));
    let small = |group: &str| group.len() <= 2;
    if number.starts_with(['+', '(']) {
        return false;
    }
    match groups {
        [y, m, d, ..] if year(y) && small(m) && small(d) => true,
        [d, m, y, ..] if year(y) && small(m) && small(d) => true,
        // Ranges of years and of ports.
        [a, b] if year(a) && year(b) => true,
        _ => false,
    }
}

/// Takes an `ext. 12` or `x12` along.
fn with_extension(text: &str, range: Range<usize>) -> Range<usize> {
    let rest = window_after(text, range.end, 24);
    let folded = rest.to_ascii_lowercase();
    for marker in [
        " ext. ",
        " ext ",
        ", ext. ",
        ", ext ",
        " extension ",
        " x",
        "x",
        " ext.",
    ] {
        if let Some(tail) = folded.strip_prefix(marker) {
            let count = tail.bytes().take_while(u8::is_ascii_digit).count();
            let ends = !tail[count..].starts_with(|c: char| c.is_alphanumeric());
            if (1..=6).contains(&count) && ends {
                return range.start..range.end + marker.len() + count;
            }
        }
    }
    range
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::upstream::anthropic::recogniser::{fields, span::texts};

    fn found(text: &str) -> Vec<&str> {
        texts(text, |text, spans| find(text, &fields::find(text), spans))
    }

    #[rstest]
    #[case("call 555-0142 now", &["555-0142"])]
    #[case("(555) 555-0142 or 1-555-555-0143 ext. 12", &["(555) 555-0142", "1-555-555-0143 ext. 12"])]
    #[case("+44 (0)20 7946 0958, +4915112345678", &["+44 (0)20 7946 0958", "+4915112345678"])]
    #[case("06 12 34 56 78 und 0171/1234567", &["06 12 34 56 78", "0171/1234567"])]
    #[case("my mobile is 5555550142", &["5555550142"])]
    #[case("Tel: 030 123456", &["030 123456"])]
    #[case("202–555–0143 or 202\u{2011}555\u{2011}0144, 202 – 555 – 0145", &["202–555–0143", "202\u{2011}555\u{2011}0144", "202 – 555 – 0145"])]
    #[case("06.55.50.01.77 und 0044 20 7946 0958", &["06.55.50.01.77", "0044 20 7946 0958"])]
    #[case("celular (11) 95555-0123", &["(11) 95555-0123"])]
    #[case("Reach 1000 2000 3000 items, call stack 1234567890", &[])]
    #[case("2026-06-02T14:23:00+00:00 203.0.113.24 v10.2.555 10,000 1718000000", &[])]
    #[case("order 123-4567, evt_555-0142, 3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d", &[])]
    #[case("HTTP 504 after 30000 ms, 4242 4242 4242 4242, 900-12-3456", &[])]
    fn phones_and_what_is_none(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(found(text), expected);
    }
}
