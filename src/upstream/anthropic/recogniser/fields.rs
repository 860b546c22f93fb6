//! Fields: values that are named by what stands before them or above them.
//!
//! `Full name: …`, `password=…`, `"phone": "…"`, `<email>…</email>`, `--token …`, and columns of
//! CSV and Markdown tables. A name before a value is the strongest evidence there is.

mod below;
mod keys;
mod leaders;
mod tables;

use std::ops::Range;

use self::{
    keys::classify,
    leaders::leader,
    tables::{inserts, tables},
};
use super::scan::{is_dash, sentence_end, window_after, window_before};

/// What a field's name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Name,
    /// A person or a company: `Customer`, `Contact`, `From`.
    Party,
    /// A person's login.
    Username,
    Phone,
    NationalId,
    Address,
    /// A part of an address that means little alone: city, postcode.
    Place,
    Card,
    CardCode,
    /// A key or token.
    Secret,
    /// A password: one word or several.
    Password,
    /// The answer to a security question: any words.
    Answer,
    /// A session or cookie: a secret only if it looks like one.
    Session,
    /// Something with `key` in it: a secret only if it looks like one.
    MaybeSecret,
}

/// Where a field was found; it decides how far its value is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `Key words: rest of the line`.
    Line,
    /// `key=value`, JSON, XML, a flag.
    Pair,
    /// A table's cell.
    Cell,
    /// `Key words:`, and alone on the line below it the value.
    Below,
}

/// A value and what it is called.
#[derive(Debug, Clone)]
pub struct Field {
    pub key: Key,
    pub value: Range<usize>,
    pub form: Form,
}

/// No name of a field is longer.
const LONGEST_KEY: usize = 48;
/// No value of a field is looked at beyond this.
const LONGEST_VALUE: usize = 512;
/// All fields of `text`.
pub fn find(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    pairs(text, &mut fields);
    tables(text, &mut fields);
    inserts(text, &mut fields);
    fields
}

fn pairs(text: &str, fields: &mut Vec<Field>) {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b':' | b'=' => pair(text, at, fields),
            b'.' | b'_' | 0xc2 | 0xe2 => leader(text, at, fields),
            b'*' if text[at..].starts_with("** ") => bold(text, at, fields),
            b'>' => element(text, at, fields),
            b'-' if bytes.get(at + 1) == Some(&b'-') && (at == 0 || bytes[at - 1] == b' ') => {
                flag(text, at + 2, fields);
            }
            _ => {}
        }
    }
}

fn pair(text: &str, at: usize, fields: &mut Vec<Field>) {
    let bytes = text.as_bytes();
    let equals = bytes[at] == b'=';
    let next = bytes.get(at + 1);
    if matches!(next, Some(b'/')) && bytes.get(at + 2) == Some(&b'/') {
        return;
    }
    let before = window_before(text, at, LONGEST_KEY);
    let trimmed = before.trim_end_matches([' ', '"', '\'', '\\', '`', '*', '_']);
    // `card[cvc]=123`: the part in brackets names it.
    let trimmed = match trimmed.strip_suffix(']') {
        Some(inner) if inner.contains('[') => inner,
        _ => trimmed,
    };
    let quoted = trimmed.len() < before.len() && before[trimmed.len()..].contains(['"', '\'']);
    let key_start = trimmed
        .char_indices()
        .rev()
        .find(|(_, c)| {
            let part = c.is_alphanumeric()
                || matches!(c, '_' | '-' | '.')
                || (!equals && matches!(c, ' ' | '(' | ')' | '/' | '\'' | '’'));
            !part
        })
        .map_or(0, |(index, c)| index + c.len_utf8());
    let raw = &trimmed[key_start..];
    let Some(key) = classify(raw) else { return };
    let form = if equals || quoted {
        Form::Pair
    } else {
        Form::Line
    };
    // `:token=>"…"`, as Ruby and PHP write it.
    let from = at + if equals && next == Some(&b'>') { 2 } else { 1 };
    if form == Form::Line && below::ends_line(text, from) && key != Key::Address {
        below::values(text, from, key, raw.ends_with(['s', 'S']), fields);
        return;
    }
    if let Some(value) = value_at(text, from, key, form) {
        fields.push(Field { key, value, form });
    }
}

/// `**Last name** – value`; `at` is where the bold ends.
fn bold(text: &str, at: usize, fields: &mut Vec<Field>) {
    let before = window_before(text, at, LONGEST_KEY);
    let rest = window_after(text, at + 3, 8);
    let dash = rest.chars().next().filter(|c| is_dash(*c));
    let (Some(open), Some(dash)) = (before.rfind("**"), dash) else {
        return;
    };
    let from = at + 3 + dash.len_utf8();
    if text[from..].starts_with(' ')
        && let Some(key) = classify(before[open + 2..].trim())
        && let Some(value) = value_at(text, from, key, Form::Line)
    {
        fields.push(Field {
            key,
            value,
            form: Form::Line,
        });
    }
}

/// `<key>value</key>`; `at` is the first `>`.
fn element(text: &str, at: usize, fields: &mut Vec<Field>) {
    let before = window_before(text, at, LONGEST_KEY);
    let Some(open) = before.rfind('<') else {
        return;
    };
    let name = before[open + 1..].split(' ').next().unwrap_or_default();
    let Some(key) = classify(name).filter(|_| !name.starts_with('/')) else {
        return;
    };
    let rest = window_after(text, at + 1, LONGEST_VALUE);
    if let Some(end) = rest.find('<')
        && rest[end..].starts_with("</")
    {
        push_trimmed(text, at + 1..at + 1 + end, key, Form::Pair, fields);
    }
}

/// `--password value`; `at` is where the name starts.
fn flag(text: &str, at: usize, fields: &mut Vec<Field>) {
    let rest = window_after(text, at, LONGEST_KEY);
    let Some(end) = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) else {
        return;
    };
    if rest.as_bytes()[end] != b' ' {
        return;
    }
    let Some(key) = classify(&rest[..end]) else {
        return;
    };
    if let Some(value) = value_at(text, at + end, key, Form::Pair)
        && !text[value.clone()].starts_with('-')
    {
        fields.push(Field {
            key,
            value,
            form: Form::Pair,
        });
    }
}

fn push_trimmed(text: &str, range: Range<usize>, key: Key, form: Form, fields: &mut Vec<Field>) {
    if let Some(value) = trimmed(text, range) {
        fields.push(Field { key, value, form });
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let slice = &text[range.clone()];
    let start = range.start + (slice.len() - slice.trim_start().len());
    let end = start + slice.trim().len();
    (start < end).then_some(start..end)
}

/// The value that begins at `from` or after the blanks and quotes there.
fn value_at(text: &str, from: usize, key: Key, form: Form) -> Option<Range<usize>> {
    let longest = match key {
        Key::Secret | Key::Password | Key::Answer | Key::MaybeSecret | Key::Session => {
            LONGEST_VALUE
        }
        Key::Address => LONGEST_VALUE / 2,
        Key::Name
        | Key::Party
        | Key::Username
        | Key::Phone
        | Key::NationalId
        | Key::Place
        | Key::Card
        | Key::CardCode => LONGEST_VALUE / 4,
    };
    let window = window_after(text, from, longest);
    // `**Password:** x` in Markdown.
    let bold = window.strip_prefix("**").unwrap_or(window);
    let mut rest = bold.trim_start_matches([' ', '\t']);
    let mut start = from + window.len() - rest.len();
    if form == Form::Line && rest.starts_with('\n') && key == Key::Address {
        return lines_below(text, start + 1);
    }
    for quote in ["\\\"", "\"", "'", "`", "“", "<"] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let close = match quote {
                "“" => "”",
                "<" => ">",
                same => same,
            };
            if let Some(end) = inner.find(close)
                && !inner[..end].contains('\n')
            {
                start += quote.len();
                return trimmed(text, start..start + end);
            }
            rest = inner;
            start += quote.len();
            break;
        }
    }
    let single = matches!(
        key,
        Key::Secret
            | Key::Password
            | Key::Answer
            | Key::MaybeSecret
            | Key::Session
            | Key::CardCode
            | Key::Username
    );
    let mut previous = ' ';
    let end = rest
        .char_indices()
        .find(|(index, c)| {
            let stops = match c {
                '\n' | '\r' | '|' | '\t' => true,
                ' ' => {
                    (form == Form::Pair && !matches!(key, Key::Name | Key::Party))
                        || single
                        || previous == ' '
                }
                ',' => (form == Form::Pair || single) && !matches!(key, Key::Address),
                '&' | ';' | '"' | '\'' | '`' | '<' | '}' => form == Form::Pair || single,
                '(' => !single,
                _ => false,
            };
            previous = *c;
            stops && *index > 0 || matches!(c, '\n' | '\r')
        })
        .map_or(rest.len(), |(index, _)| index);
    let mut value = &rest[..end];
    if matches!(key, Key::Address) {
        // `Address: 5 Kiln Row, Phone: …` is two fields.
        value = value
            .find(':')
            .and_then(|colon| value[..colon].rfind([',', ';']))
            .map_or(value, |comma| &value[..comma]);
        if form == Form::Line {
            value = &value[..sentence_end(value)];
        }
    }
    trimmed(text, start..start + value.len())
}

/// An address on the lines below its name: until a blank line or another field, at most five.
fn lines_below(text: &str, from: usize) -> Option<Range<usize>> {
    let window = window_after(text, from, LONGEST_VALUE);
    let mut end = 0;
    for line in window.split_inclusive('\n').take(5) {
        if line.trim().is_empty() || line.contains([':', '@', '=']) || line.trim().len() > 60 {
            break;
        }
        end += line.len();
    }
    trimmed(text, from..from + end)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shown(text: &str) -> Vec<(Key, &str)> {
        find(text)
            .into_iter()
            .map(|f| (f.key, &text[f.value]))
            .collect()
    }

    #[rstest]
    #[case("  Full name:  Ana Ruiz", Key::Name, "Ana Ruiz")]
    #[case(r#"{"customerName": "Ana Ruiz", "x": 1}"#, Key::Name, "Ana Ruiz")]
    #[case(r#"{\"phone\":\"555-0100\"}"#, Key::Phone, "555-0100")]
    #[case("DB_PASSWORD=hunter2", Key::Password, "hunter2")]
    #[case("password: 'a b c'", Key::Password, "a b c")]
    #[case("x?user=ana&token=abc&y=1", Key::Secret, "abc")]
    #[case("<surname>Ruiz</surname>", Key::Name, "Ruiz")]
    #[case("psql --password s3cret -h db", Key::Password, "s3cret")]
    #[case("SSN (credit check): 900-11-2222", Key::NationalId, "900-11-2222")]
    #[case("- **Last name** – van der Aa", Key::Name, "van der Aa")]
    #[case("-d 'card[cvc]=123'", Key::CardCode, "123")]
    #[case("secret_key_base: 4f3d2c1b", Key::Secret, "4f3d2c1b")]
    #[case("DB_PASSWORD_PROD=hunter2", Key::Password, "hunter2")]
    #[case("password2: hunter2", Key::Password, "hunter2")]
    #[case("\"newPasswordConfirmation\": \"hunter2\"", Key::Password, "hunter2")]
    #[case("Security answer: Rex", Key::Answer, "Rex")]
    #[case("пароль: Kot12345", Key::Password, "Kot12345")]
    #[case(
        "Ship to: 5 Kiln Row, York, Phone: 1",
        Key::Address,
        "5 Kiln Row, York"
    )]
    #[case(
        "my address: 5 Kiln Row, York. Call me.",
        Key::Address,
        "5 Kiln Row, York"
    )]
    #[case(
        "Address:\n  5 Kiln Row\n  York YO1 7AB\n\nx",
        Key::Address,
        "5 Kiln Row\n  York YO1 7AB"
    )]
    fn named_values_are_found(#[case] text: &str, #[case] key: Key, #[case] value: &str) {
        assert!(
            shown(text).contains(&(key, value)),
            "{text}: {:?}",
            shown(text)
        );
    }

    #[rstest]
    #[case("hostname: db.internal")]
    #[case("ip address: 10.0.0.1")]
    #[case("idempotency key: 6c1f")]
    #[case("token_type=Bearer")]
    #[case("https://example.test")]
    #[case("key_base: 4, database: x, token_count=3, password_field=2")]
    #[case("password policy: strict")]
    #[case("the token value 2: x, ipv4: y, utf8=z, base64: k")]
    fn technical_names_say_nothing(#[case] text: &str) {
        assert!(shown(text).is_empty(), "{:?}", shown(text));
    }

    #[rstest]
    #[case::with_a_header(
        "| Field | Value |\n|---|---|\n| Full name | Ana Ruiz |\n| Password | tulpen&klompen |\n| Note | late |"
    )]
    #[case::without("| Full name | Ana Ruiz |\n| Note | late |\n| Password | tulpen&klompen |")]
    #[case::tabs("Full name\tAna Ruiz\nPassword\ttulpen&klompen\n")]
    fn rows_of_two_are_named_by_their_first_cell(#[case] text: &str) {
        assert_eq!(
            shown(text),
            [(Key::Name, "Ana Ruiz"), (Key::Password, "tulpen&klompen")]
        );
    }

    #[test]
    fn inserted_values_are_named_by_the_list_of_columns() {
        let text = "INSERT INTO people (id, full_name, note, password) VALUES\n (1, 'Ana O''Neill', 'a, (b)', 'x1'),\n (2, 'Tom', NULL, NULL);\nname (1, 'no')";
        assert_eq!(
            shown(text),
            [
                (Key::Name, "Ana O''Neill"),
                (Key::Password, "x1"),
                (Key::Name, "Tom"),
                (Key::Password, "NULL"),
            ]
        );
    }

    #[test]
    fn columns_are_named_by_their_header() {
        let text = "id,name,phone\n1,\"Wren, Tobias\",555-0126\n...\n2,Amara,555-0131\n\nname, that was it";
        assert_eq!(
            shown(text),
            [
                (Key::Name, "Wren, Tobias"),
                (Key::Phone, "555-0126"),
                (Key::Name, "Amara"),
                (Key::Phone, "555-0131"),
            ]
        );
        let text = "| Customer | Note |\n|---|---|\n| Ana Ruiz | late |";
        assert!(shown(text).contains(&(Key::Party, "Ana Ruiz")));
        let text = "Name\tPhone\nAna Ruiz\t555-0126\nTom\t555-0127";
        assert_eq!(shown(text).len(), 4);
    }
}
