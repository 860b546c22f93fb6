//! Tables: columns that their header names, rows of two that name themselves, `INSERT` statements.

use std::ops::Range;

use super::{
    Field, Form, Key,
    keys::{classify, classify_column},
    push_trimmed,
};
use crate::upstream::anthropic::recogniser::scan::{lines, window_after};

/// Wider tables than this are not read.
const MOST_COLUMNS: usize = 64;

/// No row of two cells and no list of columns of an `INSERT` is longer, in bytes.
const LONGEST_LIST: usize = 1_000;

/// No row of an `INSERT` is looked at beyond this.
const LONGEST_TUPLE: usize = 16 << 10;

/// Columns whose header names what they hold.
pub fn tables(text: &str, fields: &mut Vec<Field>) {
    let mut table: Option<(char, Vec<Option<Key>>)> = None;
    let mut header: Option<(char, Vec<Option<Key>>)> = None;
    let rows: Vec<Range<usize>> = lines(text).collect();
    let mut at = 0;
    // What stands above this row is known not to be a table of pairs.
    let mut looked_until = 0;
    while let Some(line) = rows.get(at).cloned() {
        if table.is_none() && header.is_none() && at >= looked_until {
            let length = rows_of_two(text, &rows[at..]);
            looked_until = at + length.max(1);
            if pairs(text, &rows[at..at + length], fields) {
                at += length;
                continue;
            }
        }
        at += 1;
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

/// What may stand between the cells of a row that names itself.
const DELIMITERS: [char; 2] = ['|', '\t'];

/// The two cells of a row that has no more.
fn two_cells(row: &str) -> Option<(Range<usize>, Range<usize>)> {
    let delimiter = DELIMITERS.into_iter().find(|c| row.contains(*c))?;
    if row.len() > LONGEST_LIST {
        return None;
    }
    match cells(row, delimiter).as_slice() {
        [name, value] => Some((name.clone(), value.clone())),
        _ => None,
    }
}

/// With how many rows of two cells `rows` begins.
fn rows_of_two(text: &str, rows: &[Range<usize>]) -> usize {
    rows.iter()
        .take_while(|row| two_cells(&text[(*row).clone()]).is_some())
        .count()
}

/// A table of two columns whose rows are a name and its value, as at least two of them say.
fn pairs(text: &str, rows: &[Range<usize>], fields: &mut Vec<Field>) -> bool {
    let mut found = Vec::new();
    for row in rows {
        let content = &text[row.clone()];
        let Some((name, value)) = two_cells(content) else {
            continue;
        };
        // A header's second cell is a name too.
        if let Some(key) = classify(content[name].trim_matches('*'))
            && classify_column(&content[value.clone()]).is_none()
        {
            found.push((key, row.start + value.start..row.start + value.end));
        }
    }
    if found.len() < 2 {
        return false;
    }
    for (key, value) in found {
        push_trimmed(text, value, key, Form::Cell, fields);
    }
    true
}

/// The values of `INSERT INTO t (name, …) VALUES ('…', …), (…)`.
pub fn inserts(text: &str, fields: &mut Vec<Field>) {
    for (at, word) in text
        .match_indices(") VALUES")
        .chain(text.match_indices(") values"))
    {
        let start = text.ceil_char_boundary(at.saturating_sub(LONGEST_LIST));
        let Some(open) = text[start..at].rfind('(') else {
            continue;
        };
        let keys: Vec<Option<Key>> = text[start + open + 1..at]
            .split(',')
            .map(|name| classify_column(name.trim_matches(['"', '`', '[', ']', ' ', '\n'])))
            .collect();
        if keys.iter().all(Option::is_none) {
            continue;
        }
        let mut from = at + word.len();
        while let Some(end) = tuple(text, from, &keys, fields) {
            from = end;
        }
    }
}

/// Reads one `(…)` of values after a comma or blanks; gives back where it ends.
fn tuple(text: &str, from: usize, keys: &[Option<Key>], fields: &mut Vec<Field>) -> Option<usize> {
    let rest = window_after(text, from, LONGEST_TUPLE);
    let start = rest.find(|c: char| !(c.is_whitespace() || c == ','))?;
    let inner = rest[start..].strip_prefix('(')?;
    let base = from + start + 1;
    let (mut cell, mut quoted) = (0, false);
    let mut column = keys.iter();
    for (index, c) in inner.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            ',' | ')' if !quoted => {
                if let Some(Some(key)) = column.next() {
                    let value = &inner[cell..index];
                    let lead = value.len() - value.trim_start_matches([' ', '\n', '\'']).len();
                    let kept = value.trim_end_matches([' ', '\n', '\'']).len().max(lead);
                    let range = base + cell + lead..base + cell + kept;
                    push_trimmed(text, range, *key, Form::Cell, fields);
                }
                cell = index + 1;
                if c == ')' {
                    return Some(base + index + 1);
                }
            }
            _ => {}
        }
    }
    None
}
