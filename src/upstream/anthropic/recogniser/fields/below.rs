//! `Password:`, and the value alone on the line below.

use super::{Field, Form, Key};
use crate::upstream::anthropic::recogniser::scan::window_after;

/// No line with a value alone is longer, in bytes.
const LONGEST_LINE: usize = 80;
/// So many lines of `Recovery codes:` are read.
const MOST_LINES: usize = 16;

/// Whether nothing stands behind `from` on its line.
pub fn ends_line(text: &str, from: usize) -> bool {
    window_after(text, from, 8)
        .trim_start_matches(['*', ' ', '\t'])
        .starts_with('\n')
}

/// Reads the value on the line below the one that ends behind `from`; of `several`, each on its line.
pub fn values(text: &str, from: usize, key: Key, several: bool, fields: &mut Vec<Field>) {
    let Some(length) = window_after(text, from, 8).find('\n') else {
        return;
    };
    let mut start = from + length + 1;
    // A letter often leaves one line free.
    start += usize::from(text[start..].starts_with('\n'));
    for _ in 0..if several { MOST_LINES } else { 1 } {
        let window = window_after(text, start, LONGEST_LINE);
        let line = match window.find('\n') {
            Some(end) => &window[..end],
            None if start + window.len() == text.len() => window,
            None => return,
        };
        let value = line
            .trim_start_matches(|c: char| {
                matches!(c, '>' | ' ' | '\t' | '*' | '•' | '"' | '\'' | '`')
            })
            .trim_start_matches("- ");
        let begin = start + line.len() - value.len();
        let value = value.trim_end_matches([' ', '\t', '*', '"', '\'', '`']);
        if value.is_empty() || !fits(value, key) {
            return;
        }
        fields.push(Field {
            key,
            value: begin..begin + value.len(),
            form: Form::Below,
        });
        start += line.len() + 1;
        if start > text.len() {
            return;
        }
    }
}

/// Whether a line that is nothing but `value` may be one of this key: what names its field itself, and
/// what goes on as a sentence, is none.
fn fits(value: &str, key: Key) -> bool {
    let words = value.split(' ').count();
    match key {
        Key::Secret | Key::Password | Key::Answer => {
            words == 1 && !value.contains([':', '=', '(', '<', '{', '['])
        }
        // The first letters decide; `van der Aa` is the rest of a name.
        Key::Name => {
            words <= 4
                && value
                    .chars()
                    .all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | ',' | '-' | '\'' | '’'))
                && value
                    .split(' ')
                    .all(|word| word.len() <= 3 || word.starts_with(char::is_uppercase))
                && value.chars().any(char::is_uppercase)
        }
        Key::Phone | Key::NationalId | Key::Card | Key::CardCode => {
            value.bytes().any(|b| b.is_ascii_digit())
                && value
                    .chars()
                    .all(|c| !c.is_alphabetic() && !matches!(c, ':' | '=' | '@'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::upstream::anthropic::recogniser::spans;

    fn found(text: &str) -> Vec<&str> {
        spans(text).into_iter().map(|s| &text[s.range]).collect()
    }

    #[rstest]
    #[case("Password:\nTigerLily77", &["TigerLily77"])]
    #[case("**Password:**\n\n`TigerLily77`\nthanks", &["TigerLily77"])]
    #[case("> Recovery codes:\n> - 8F3K-22PL\n> - Q0ZM-77AB\n> that is all", &["8F3K-22PL", "Q0ZM-77AB"])]
    #[case("PIN:\n4711\n", &["4711"])]
    #[case("Last name:\nPapadopoulos\n", &["Papadopoulos"])]
    #[case("SSN:\n078051120\n", &["078051120"])]
    #[case("Phone:\n2105550134\n", &["2105550134"])]
    #[case("Security answer:\nFluffy\n", &["Fluffy"])]
    fn values_below_their_names_are_found(#[case] text: &str, #[case] values: &[&str]) {
        assert_eq!(found(text), values);
    }

    #[rstest]
    #[case("Password:\nreset does not work")]
    #[case("Password:\nThanks.\nMore")]
    #[case("token:\n  ttl: 3600\nsecret:\n  secretKeyRef:\n    x: 1")]
    #[case("password:\n\n\nTigerLily77 is no more than a word here")]
    #[case("Name:\nWebhook\nName:\nthe export of rows\n")]
    #[case("Phone:\nsee 4 lines below\nPassword:\n")]
    #[case("Password:\n1. open the page\nPassword:\n<redacted>\nPassword:\n********\n")]
    fn other_lines_below_stay(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
