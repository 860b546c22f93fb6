//! Text that flows down an area: wrapped, scrolled, placeholders marked.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{put, scroll};
use crate::{
    protocol::secret::scrub,
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

/// The part of a text that is laid out.
fn head(text: &str) -> &str {
    let end = text.char_indices().nth(MOST);
    end.map_or(text, |(end, _)| &text[..end])
}

/// [`foreign`] with every key in it hidden, as the client hides one in what it passes on.
#[must_use]
pub fn without_keys(text: &str, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let mut lines = laid_out(&scrub(head(text)), cells, look);
    lines.extend(rest(text, look));
    lines
}

/// Foreign text, harmless and wrapped; what stands in for personal data is marked.
#[must_use]
pub fn foreign(text: &str, cells: usize, look: &Look) -> Vec<Line<'static>> {
    let mut lines = laid_out(head(text), cells, look);
    lines.extend(rest(text, look));
    lines
}

/// Says how much of a text is not laid out.
fn rest(text: &str, look: &Look) -> Option<Line<'static>> {
    let more = text.len() - head(text).len();
    let dim = look.style(Role::Dim);
    (more > 0).then(|| Line::styled(format!("… and {more} more bytes"), dim))
}

fn laid_out(text: &str, cells: usize, look: &Look) -> Vec<Line<'static>> {
    // Many a web form ends its lines with both; shown as a symbol, the first would only disturb.
    let text = text.replace("\r\n", "\n").replace('\t', "    ");
    wrap(&sanitize(&text), cells)
        .into_iter()
        .map(|line| Line::from(placeholders(&line, Style::new(), look)))
        .collect()
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

/// Marks every occurrence of `words` in wrapped lines, also one that goes over the end of a line;
/// gives how many there are.
#[must_use]
pub fn mark(
    lines: Vec<Line<'static>>,
    words: &[String],
    style: Style,
) -> (Vec<Line<'static>>, usize) {
    // A line is broken at a blank or within a word that is too long; neither may hide what is looked for.
    let squeezed = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let pieces = lines.iter().flat_map(|line| &line.spans);
    let whole: String = pieces.map(|piece| squeezed(&piece.content)).collect();
    let words: Vec<String> = words.iter().map(|word| squeezed(word)).collect();
    let found = occurrences(&whole, &words);
    let mut places = found.iter().peekable();
    let mut at = 0;
    let mut marked = Vec::with_capacity(lines.len());
    for line in lines {
        let mut spans: Vec<Span<'static>> = Vec::new();
        for piece in line.spans {
            for c in piece.content.chars() {
                while places.next_if(|place| place.end <= at).is_some() {}
                let blank = c.is_whitespace();
                let inside = |place: &&Range<usize>| place.start < at + usize::from(!blank);
                let style = match places.peek().filter(|place| inside(place)) {
                    Some(_) => piece.style.patch(style),
                    None => piece.style,
                };
                match spans.last_mut().filter(|last| last.style == style) {
                    Some(last) => last.content.to_mut().push(c),
                    None => spans.push(put::span(c.to_string(), style)),
                }
                if !blank {
                    at += c.len_utf8();
                }
            }
        }
        marked.push(Line::from(spans).style(line.style));
    }
    (marked, found.len())
}

/// Where words stand in a text, without overlaps, of two at a place the longer.
fn occurrences(text: &str, words: &[String]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for word in words.iter().filter(|word| !word.is_empty()) {
        let places = text.match_indices(word.as_str());
        found.extend(places.map(|(at, word)| at..at + word.len()));
    }
    found.sort_unstable_by_key(|one| (one.start, std::cmp::Reverse(one.end)));
    let mut end = 0;
    found.retain(|one| {
        let is_free = one.start >= end;
        if is_free {
            end = one.end;
        }
        is_free
    });
    found
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
    fn a_word_is_found_wherever_the_room_breaks_it() {
        let look = Look::new(&LookConfig::default(), Charset::Unicode);
        let words = ["ada.of.a.long.name@lab.example".to_owned()];
        for cells in [5, 9, 16, 80] {
            let lines = foreign("write to ada.of.a.long.name@lab.example soon", cells, &look);
            let plain: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let (marked, count) = mark(lines, &words, Style::new().bold());
            assert_eq!(count, 1, "{cells}");
            let shown: Vec<String> = marked.iter().map(ToString::to_string).collect();
            assert_eq!(shown, plain);
        }
    }

    #[test]
    fn words_are_marked_whole_even_over_the_end_of_a_line() {
        let lines = ["call (555) 555-0142 at 18", "Lantern Quay"].map(Line::raw);
        let words = ["555-0142", "(555) 555-0142", "18 Lantern Quay"].map(str::to_owned);
        let style = Style::new().bold();
        let (lines, count) = mark(lines.to_vec(), &words, style);
        let marked: Vec<String> = lines
            .iter()
            .flat_map(|line| &line.spans)
            .filter(|span| span.style == style)
            .map(|span| span.content.to_string())
            .collect();
        assert_eq!(marked, ["(555) 555-0142", "18", "Lantern Quay"]);
        assert_eq!(count, 2);
    }

    #[test]
    fn a_text_of_megabytes_is_cut_before_it_is_laid_out() {
        let look = Look::new(&LookConfig::default(), Charset::Unicode);
        let lines = foreign(&"x".repeat(4_000_000), 80, &look);
        assert_eq!(lines.len(), 301);
        assert!(lines[300].to_string().ends_with("more bytes"));
    }
}
