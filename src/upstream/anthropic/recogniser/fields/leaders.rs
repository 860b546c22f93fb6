//! `Last name ........ value`: what leads the eye from a name to its value.

use super::{Field, Form, LONGEST_KEY, keys::classify, value_at};
use crate::upstream::anthropic::recogniser::scan::{line_before, window_after};

/// No leader is followed further, in bytes.
const LONGEST_LEADER: usize = 160;

const fn leads(c: char) -> bool {
    matches!(c, '.' | '_' | '·' | '…')
}

/// Reads the value behind the leader that begins at `at`, if a name stands before it from the beginning
/// of the line on.
pub fn leader(text: &str, at: usize, fields: &mut Vec<Field>) {
    let bytes = text.as_bytes();
    let apart = at > 0 && bytes[at - 1] == b' ';
    // Most full stops end a sentence, and most underscores stand inside of a word.
    let more = bytes.get(at + 1) == Some(&bytes[at]) || bytes.get(at + 1) == Some(&b' ') && apart;
    if !(more || bytes[at] >= 0x80) {
        return;
    }
    let line = line_before(text, at, LONGEST_KEY);
    let begins = line.len() == at || text.as_bytes()[at - line.len() - 1] == b'\n';
    let name = line
        .trim_start_matches(['>', '*', '-', '#', '•', ' ', '\t'])
        .trim_end();
    if !begins || name.is_empty() || name.contains([':', '=']) || name.ends_with(leads) {
        return;
    }
    let rest = window_after(text, at, LONGEST_LEADER);
    let length = rest
        .find(|c: char| !(leads(c) || c == ' '))
        .unwrap_or(rest.len());
    let count: usize = rest[..length]
        .chars()
        .filter(|c| leads(*c))
        .map(|c| if c == '…' { 3 } else { 1 })
        .sum();
    // `Name .. value`, but `name...` only as three.
    let long = count >= if apart { 2 } else { 3 };
    if !long || !rest[..length].ends_with([' ', '_', '·']) {
        return;
    }
    if let Some(key) = classify(name)
        && let Some(value) = value_at(text, at + length, key, Form::Line)
    {
        fields.push(Field {
            key,
            value,
            form: Form::Line,
        });
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut fields = Vec::new();
        for (at, c) in text.char_indices() {
            if leads(c) {
                leader(text, at, &mut fields);
            }
        }
        fields.into_iter().map(|f| &text[f.value]).collect()
    }

    #[rstest]
    #[case("Last Name ........ Papadopoulos", "Papadopoulos")]
    #[case("x\n- Security answer .. Fluffy\n", "Fluffy")]
    #[case("> Surname..... Wren", "Wren")]
    #[case("Surname . . . . . Wren", "Wren")]
    #[case("Surname … Wren", "Wren")]
    #[case("Surname ····· Wren", "Wren")]
    #[case("Surname ____Wren", "Wren")]
    fn values_behind_leaders_are_found(#[case] text: &str, #[case] value: &str) {
        assert_eq!(found(text), [value]);
    }

    #[rstest]
    #[case("the log says so: Name ...... Foo")]
    #[case("wait ... Password")]
    #[case("Password. Reset it. Name.. no")]
    #[case("name_of.thing __init__ host ...... db1")]
    #[case("Password ......")]
    fn other_dots_lead_nowhere(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
