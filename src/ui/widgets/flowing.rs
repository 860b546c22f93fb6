//! Text that flows down an area: wrapped, scrolled, placeholders marked.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{put, scroll};
use crate::{
    support::text::{sanitize, wrap},
    ui::look::{Look, Role},
};

/// The most of a text that is laid out, in characters: a body of megabytes must not cost a frame.
const MOST: usize = 24_000;

/// Draws the lines from `offset` on; returns the greatest offset that makes sense.
pub fn draw(buf: &mut Buffer, area: Rect, lines: &[Line<'_>], offset: usize, look: &Look) -> usize {
    let height = usize::from(area.height);
    let most = lines.len().saturating_sub(height);
    let first = offset.min(most);
    let text_area = Rect {
        width: area.width.saturating_sub(u16::from(most > 0)),
        ..area
    };
    for (row, line) in (0..area.height).zip(&lines[first..]) {
        put::line(buf, text_area, row, line, look);
    }
    scroll::bar(buf, area, lines.len(), first, look);
    most
}

/// Foreign text, harmless and wrapped; what stands in for personal data is marked.
#[must_use]
pub fn foreign(text: &str, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let head = text
        .char_indices()
        .nth(MOST)
        .map_or(text, |(end, _)| &text[..end]);
    // Many a web form ends its lines with both; shown as a symbol, the first would only disturb.
    let head_lines = head.replace("\r\n", "\n").replace('\t', "    ");
    let mut lines: Vec<Line<'static>> = wrap(&sanitize(&head_lines), cells)
        .into_iter()
        .map(|line| Line::from(placeholders(&line, Style::new(), look)))
        .collect();
    if head.len() < text.len() {
        lines.push(Line::styled(
            format!("… and {} more bytes", text.len() - head.len()),
            look.style(Role::Dim),
        ));
    }
    lines
}

/// Splits a line at placeholders such as `[EMAIL_1]` and marks them.
#[must_use]
pub fn placeholders(line: &str, plain: Style, look: &Look) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some((before, mark, after)) = next_placeholder(rest) {
        if !before.is_empty() {
            spans.push(put::span(before, plain));
        }
        spans.push(put::span(mark, look.bold(Role::Masked)));
        rest = after;
    }
    if !rest.is_empty() {
        spans.push(put::span(rest, plain));
    }
    spans
}

fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('[').map(|at| at + from) {
        let inside = &text[open + 1..];
        if let Some(close) = inside.find(']')
            && is_placeholder(&inside[..close])
        {
            let end = open + 1 + close + 1;
            return Some((&text[..open], &text[open..end], &text[end..]));
        }
        from = open + 1;
    }
    None
}

fn is_placeholder(word: &str) -> bool {
    // What the client's seam writes in place of a secret.
    if word == "hidden" {
        return true;
    }
    let Some((kind, number)) = word.rsplit_once('_') else {
        return false;
    };
    !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
        && !kind.is_empty()
        && kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// Marks every occurrence of `words` in a line.
#[must_use]
pub fn mark(line: Line<'static>, words: &[&str], style: Style) -> Line<'static> {
    let base = line.style;
    let mut spans = Vec::new();
    for piece in line.spans {
        let mut rest: &str = &piece.content;
        while let Some((at, word)) = words
            .iter()
            .filter(|word| word.chars().count() > 2)
            .filter_map(|word| rest.find(word).map(|at| (at, *word)))
            .min_by_key(|(at, _)| *at)
        {
            let (before, after) = rest.split_at(at);
            if !before.is_empty() {
                spans.push(put::span(before, piece.style));
            }
            spans.push(put::span(word, piece.style.patch(style)));
            rest = &after[word.len()..];
        }
        if !rest.is_empty() {
            spans.push(put::span(rest, piece.style));
        }
    }
    Line::from(spans).style(base)
}

/// A label and a value that may take several lines.
#[must_use]
pub fn labelled(
    label: &str,
    value: Vec<Span<'static>>,
    label_cells: usize,
    look: &Look,
) -> Line<'static> {
    let mut spans = vec![put::span(
        format!("{label:<label_cells$} "),
        look.style(Role::Dim),
    )];
    spans.extend(value);
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::LookConfig, ui::look::Charset};

    #[test]
    fn placeholders_are_found_and_nothing_else() {
        let look = Look::new(&LookConfig::default(), Charset::Unicode);
        let words = |text: &str| -> Vec<String> {
            placeholders(text, Style::new(), &look)
                .into_iter()
                .map(|s| s.content.into_owned())
                .collect()
        };
        assert_eq!(
            words("Hi [NAME_1], see [x] or [CREDIT_CARD_12]."),
            ["Hi ", "[NAME_1]", ", see [x] or ", "[CREDIT_CARD_12]", "."]
        );
        assert_eq!(words("[[EMAIL_1]"), ["[", "[EMAIL_1]"]);
    }

    #[test]
    fn a_text_of_megabytes_is_cut_before_it_is_laid_out() {
        let look = Look::new(&LookConfig::default(), Charset::Unicode);
        let lines = foreign(&"x".repeat(4_000_000), 80, &look);
        assert_eq!(lines.len(), 301);
        assert!(lines[300].to_string().ends_with("more bytes"));
    }
}
