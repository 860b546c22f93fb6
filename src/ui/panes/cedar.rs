//! Cedar source with a light hand: the effect in its verdict's colour, keywords bold, comments dim.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use crate::{
    support::text::{sanitize, width, wrap},
    ui::{
        look::{Look, Role},
        widgets::put::span,
    },
};

const KEYWORDS: &[&str] = &[
    "principal",
    "action",
    "resource",
    "context",
    "when",
    "unless",
    "in",
    "has",
    "is",
    "like",
    "if",
    "then",
    "else",
    "true",
    "false",
];

/// A policy's text, wrapped and marked.
#[must_use]
pub fn lines(source: &str, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let clean = sanitize(source).replace('\t', "  ");
    let all: Vec<&str> = clean.lines().take(2_000).collect();
    all.chunk_by(|one, next| remark(one).is_some() && remark(next).is_some())
        .flat_map(|run| match run {
            [code] if remark(code).is_none() => wrap_code(code, cells)
                .iter()
                .map(|part| Line::from(words(part, look)))
                .collect::<Vec<_>>(),
            remarks => wrap_remarks(remarks, cells)
                .into_iter()
                .map(|part| Line::styled(part, look.style(Role::Dim)))
                .collect(),
        })
        .collect()
}

/// What a line says that is a comment and nothing else.
fn remark(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("//").map(str::trim)
}

/// Comments as they stand; those too wide for the room flow into it, paragraph by paragraph.
fn wrap_remarks(lines: &[&str], cells: usize) -> Vec<String> {
    if lines.iter().all(|line| width(line) <= cells) {
        return lines.iter().map(|line| (*line).to_owned()).collect();
    }
    let said: Vec<&str> = lines.iter().filter_map(|line| remark(line)).collect();
    // A blank line parts two paragraphs, and a list's mark begins one.
    said.chunk_by(|one, next| !one.is_empty() && next.starts_with(char::is_alphanumeric))
        .flat_map(|paragraph| wrap(&paragraph.join(" "), cells.saturating_sub(3).max(1)))
        .map(|part| format!("// {part}").trim_end().to_owned())
        .collect()
}

/// A line of code in the room that there is; a method on a list reads well below it.
fn wrap_code(line: &str, cells: usize) -> Vec<String> {
    match line.find("].") {
        Some(list) if width(line) > cells => {
            let (before, call) = line.split_at(list + 1);
            let indent = before.len() - before.trim_start().len() + 4;
            let call = format!("{:indent$}{call}", "");
            [wrap(before, cells), wrap(&call, cells)].concat()
        }
        _ => wrap(line, cells),
    }
}

fn words(line: &str, look: &Look) -> Vec<Span<'static>> {
    let (code, comment) = line
        .find("//")
        .filter(|at| line[..*at].matches('"').count().is_multiple_of(2))
        .map_or((line, ""), |at| line.split_at(at));
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut rest = code;
    while !rest.is_empty() {
        let (piece, style, after) = next_piece(rest, look);
        spans.push(span(piece, style));
        rest = after;
    }
    if !comment.is_empty() {
        spans.push(span(comment, look.style(Role::Dim)));
    }
    spans
}

fn next_piece<'a>(text: &'a str, look: &Look) -> (&'a str, Style, &'a str) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '@';
    let first = text.chars().next().unwrap_or(' ');
    if first == '"' {
        let end = text[1..].find('"').map_or(text.len(), |at| at + 2);
        return (&text[..end], Style::new(), &text[end..]);
    }
    if is_word(first) {
        let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
        let word = &text[..end];
        let style = match word {
            "forbid" => look.bold(Role::Bad),
            "permit" => look.bold(Role::Good),
            w if w.starts_with('@') => look.style(Role::Dim),
            w if KEYWORDS.contains(&w) => look.style(Role::Heading),
            _ => Style::new(),
        };
        return (word, style, &text[end..]);
    }
    let end = text
        .find(|c| is_word(c) || c == '"')
        .unwrap_or(text.len())
        .max(first.len_utf8());
    (&text[..end], look.style(Role::Dim), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::{wrap_code, wrap_remarks};

    #[test]
    fn comments_that_are_too_wide_flow_and_others_stay_as_they_are() {
        let lines = [
            "// one two three four",
            "// five",
            "//",
            "// - six",
            "// - seven",
        ];
        assert_eq!(wrap_remarks(&lines, 80), lines);
        assert_eq!(
            wrap_remarks(&lines, 16),
            [
                "// one two three",
                "// four five",
                "//",
                "// - six",
                "// - seven"
            ]
        );
    }

    #[test]
    fn a_call_on_a_list_goes_below_it_where_both_do_not_fit() {
        let line = "  [\"a\", \"b\"].containsAll(x)";
        assert_eq!(wrap_code(line, 40), [line]);
        assert_eq!(
            wrap_code(line, 24),
            ["  [\"a\", \"b\"]", "      .containsAll(x)"]
        );
    }
}
