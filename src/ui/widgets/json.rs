//! JSON as lines: keys dim, strings plain, long values folded.

use ratatui::text::{Line, Span};
use serde_json::Value;

use super::{flowing::placeholders, put::span};
use crate::{
    support::text::{one_line, sanitize, wrap},
    ui::look::{Look, Role},
};

/// The most lines that a value is shown in.
const MOST: usize = 2_000;

/// A value as indented lines of at most `cells`.
#[must_use]
pub fn lines(value: &Value, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    write(value, "", 0, "", cells, look, &mut out);
    out
}

/// Text that may be JSON: shown as JSON where it is, else as text.
#[must_use]
pub fn text(text: &str, cells: usize, look: &Look) -> Vec<Line<'static>> {
    if text.len() < 200_000
        && text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        return lines(&value, cells, look);
    }
    super::flowing::foreign(text, cells, look)
}

fn write(
    value: &Value,
    key: &str,
    depth: usize,
    comma: &str,
    cells: usize,
    look: &Look,
    out: &mut Vec<Line<'static>>,
) {
    if out.len() >= MOST {
        if out.len() == MOST {
            out.push(Line::styled(
                "… the rest is not shown",
                look.style(Role::Dim),
            ));
        }
        return;
    }
    let dim = look.style(Role::Dim);
    let mut head: Vec<Span<'static>> = vec![span("  ".repeat(depth.min(20)), dim)];
    if !key.is_empty() {
        head.push(span(format!("{}: ", one_line(key)), look.style(Role::Key)));
    }
    match value {
        Value::Object(map) if !map.is_empty() => {
            head.push(span("{", dim));
            out.push(Line::from(head));
            for (place, (name, inner)) in map.iter().enumerate() {
                let comma = if place + 1 < map.len() { "," } else { "" };
                write(inner, name, depth + 1, comma, cells, look, out);
            }
            out.push(closing("}", depth, comma, look));
        }
        Value::Array(list) if list.iter().any(|v| v.is_object() || v.is_array()) => {
            head.push(span("[", dim));
            out.push(Line::from(head));
            for (place, inner) in list.iter().enumerate() {
                let comma = if place + 1 < list.len() { "," } else { "" };
                write(inner, "", depth + 1, comma, cells, look, out);
            }
            out.push(closing("]", depth, comma, look));
        }
        Value::String(text) => string(text, head, depth, comma, cells, look, out),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            let shown = value.to_string();
            head.extend(placeholders(
                &sanitize(&shown),
                ratatui::style::Style::new(),
                look,
            ));
            head.push(span(comma.to_owned(), dim));
            out.push(Line::from(head));
        }
    }
}

/// A string with line feeds, or a long one, becomes a block under its key.
fn string(
    text: &str,
    mut head: Vec<Span<'static>>,
    depth: usize,
    comma: &str,
    cells: usize,
    look: &Look,
    out: &mut Vec<Line<'static>>,
) {
    let dim = look.style(Role::Dim);
    let used: usize = head
        .iter()
        .map(|s| crate::support::text::width(&s.content))
        .sum();
    let plain = ratatui::style::Style::new();
    let cut: String = text.chars().take(24_000).collect();
    if !cut.contains('\n') && used + crate::support::text::width(&cut) < cells {
        head.push(span("\"", dim));
        head.extend(placeholders(&one_line(&cut), plain, look));
        head.push(span(format!("\"{comma}"), dim));
        out.push(Line::from(head));
        return;
    }
    let indent = "  ".repeat(depth.min(20) + 1);
    let room = cells.saturating_sub(indent.len() + 2).max(16);
    out.push(Line::from(head));
    for line in wrap(&sanitize(&cut).replace('\t', "    "), room) {
        let mut spans = vec![span(format!("{indent}{} ", look.glyphs.vertical), dim)];
        spans.extend(placeholders(&line, plain, look));
        out.push(Line::from(spans));
    }
}

fn closing(bracket: &str, depth: usize, comma: &str, look: &Look) -> Line<'static> {
    Line::styled(
        format!("{}{bracket}{comma}", "  ".repeat(depth.min(20))),
        look.style(Role::Dim),
    )
}
