//! Cedar source with a light hand: the effect in its verdict's colour, keywords bold, comments dim.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use crate::{
    support::text::{sanitize, wrap},
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
    let clean = sanitize(source);
    clean
        .lines()
        .take(2_000)
        .flat_map(|line| {
            let comment = line.trim_start().starts_with("//");
            let room = if comment {
                cells.saturating_sub(3).max(1)
            } else {
                cells
            };
            wrap(&line.replace('\t', "  "), room)
                .into_iter()
                .map(move |part| {
                    // What is wrapped must still read as a comment.
                    let part = if comment && !part.trim_start().starts_with("//") {
                        format!("// {}", part.trim_start())
                    } else {
                        part
                    };
                    (part, comment)
                })
        })
        .map(|(part, comment)| {
            if comment {
                Line::styled(part, look.style(Role::Dim))
            } else {
                Line::from(words(&part, look))
            }
        })
        .collect()
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
