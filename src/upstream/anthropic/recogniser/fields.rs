//! Fields: values that are named by what stands before them or above them.
//!
//! `Full name: …`, `password=…`, `"phone": "…"`, `<email>…</email>`, `--token …`, and columns of
//! CSV and Markdown tables. A name before a value is the strongest evidence there is.

mod keys;

use std::ops::Range;

use self::keys::{classify, classify_column};
use super::scan::{lines, window_after, window_before};

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
    /// A password, key or token.
    Secret,
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
/// Wider tables than this are not read.
const MOST_COLUMNS: usize = 64;

/// All fields of `text`.
pub fn find(text: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    pairs(text, &mut fields);
    tables(text, &mut fields);
    fields
}

fn pairs(text: &str, fields: &mut Vec<Field>) {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b':' | b'=' => pair(text, at, fields),
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
    if let Some(value) = value_at(text, at + 1, key, form) {
        fields.push(Field { key, value, form });
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
        Key::Secret | Key::MaybeSecret | Key::Session => LONGEST_VALUE,
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
        Key::Secret | Key::MaybeSecret | Key::Session | Key::CardCode | Key::Username
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

/// Columns whose header names what they hold.
fn tables(text: &str, fields: &mut Vec<Field>) {
    let mut table: Option<(char, Vec<Option<Key>>)> = None;
    let mut header: Option<(char, Vec<Option<Key>>)> = None;
    for line in lines(text) {
        let content = &text[line.clone()];
        if let Some((delimiter, keys)) = header.take()
            && content.contains(delimiter)
        {
            table = Some((delimiter, keys));
        }
        let Some((delimiter, keys)) = &table else {
            header = read_header(content);
            continue;
        };
        if !content.contains(*delimiter) {
            // `...` between rows does not end a table; an empty line does.
            if content.trim().is_empty() {
                table = None;
            }
            continue;
        }
        for (cell, key) in cells(content, *delimiter).into_iter().zip(keys) {
            if let Some(key) = key {
                let range = line.start + cell.start..line.start + cell.end;
                push_trimmed(text, range, *key, Form::Cell, fields);
            }
        }
    }
}

fn read_header(line: &str) -> Option<(char, Vec<Option<Key>>)> {
    if line.len() > 1_000 {
        return None;
    }
    let delimiter = [',', '\t', '|', ';']
        .into_iter()
        .find(|d| line.contains(*d))?;
    let cells = cells(line, delimiter);
    if cells.len() < 2 {
        return None;
    }
    let keys: Vec<Option<Key>> = cells
        .iter()
        .map(|cell| line[cell.clone()].trim())
        .map(|name| {
            let plain = name.len() <= 30
                && name.split_whitespace().count() <= 3
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.' | '#' | '/'));
            plain.then(|| classify_column(name))
        })
        .collect::<Option<_>>()?;
    keys.iter()
        .any(Option::is_some)
        .then_some((delimiter, keys))
}

/// Cells of a row as ranges within the line, without quotes.
fn cells(line: &str, delimiter: char) -> Vec<Range<usize>> {
    let inner = if delimiter == '|' {
        line.trim().trim_matches('|')
    } else {
        line
    };
    let offset = inner.as_ptr() as usize - line.as_ptr() as usize;
    let mut cells = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (index, c) in inner.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == delimiter && !quoted {
            cells.push(start..index);
            start = index + 1;
            if cells.len() == MOST_COLUMNS {
                break;
            }
        }
    }
    cells.push(start..inner.len());
    cells
        .into_iter()
        .map(|cell| {
            let slice = &inner[cell.clone()];
            let lead = slice.len() - slice.trim_start_matches([' ', '"']).len();
            let kept = slice[lead..].trim_end_matches([' ', '"', '\r']).len();
            offset + cell.start + lead..offset + cell.start + lead + kept
        })
        .collect()
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
    #[case("DB_PASSWORD=hunter2", Key::Secret, "hunter2")]
    #[case("password: 'a b c'", Key::Secret, "a b c")]
    #[case("x?user=ana&token=abc&y=1", Key::Secret, "abc")]
    #[case("<surname>Ruiz</surname>", Key::Name, "Ruiz")]
    #[case("psql --password s3cret -h db", Key::Secret, "s3cret")]
    #[case("SSN (credit check): 900-11-2222", Key::NationalId, "900-11-2222")]
    #[case(
        "Ship to: 5 Kiln Row, York, Phone: 1",
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
    fn technical_names_say_nothing(#[case] text: &str) {
        assert!(shown(text).is_empty(), "{:?}", shown(text));
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
    }
}
