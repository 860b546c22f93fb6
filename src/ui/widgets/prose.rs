//! Words that look different within a line, filled to a measure.

use ratatui::{
    style::Style,
    text::{Line, Span},
};
use unicode_segmentation::UnicodeSegmentation as _;

use super::put::span;
use crate::support::text::width;

/// A run of text and how it looks. Blanks in it are where a line may break.
pub type Run = (String, Style);

/// Fills lines of at most `cells`; a word that is longer is broken.
#[must_use]
pub fn fill(runs: &[Run], cells: usize) -> Vec<Line<'static>> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for word in words(runs) {
        let wide: usize = word.pieces.iter().map(|(text, _)| width(text)).sum();
        let gap = usize::from(word.blank && used > 0);
        if used + gap + wide > cells && used > 0 {
            lines.push(Line::from(std::mem::take(&mut line)));
            used = 0;
        } else if gap > 0 {
            // A blank looks like what stands before it, so that a link is underlined through.
            let style = word.gap;
            push(&mut line, " ", style);
            used += 1;
        }
        for (text, style) in word.pieces {
            for grapheme in text.graphemes(true) {
                let wide = width(grapheme);
                if used + wide > cells && used > 0 {
                    lines.push(Line::from(std::mem::take(&mut line)));
                    used = 0;
                }
                push(&mut line, grapheme, style);
                used += wide;
            }
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(Line::from(line));
    }
    lines
}

fn push(line: &mut Vec<Span<'static>>, text: &str, style: Style) {
    match line.last_mut() {
        Some(last) if last.style == style => last.content.to_mut().push_str(text),
        _ => line.push(span(text, style)),
    }
}

/// What must stay together, though it may change its look in the middle.
struct Word {
    /// Whether a blank stands before it.
    blank: bool,
    gap: Style,
    pieces: Vec<Run>,
}

fn words(runs: &[Run]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut blank = true;
    let mut gap = Style::new();
    for (text, style) in runs {
        for (place, piece) in text.split(' ').enumerate() {
            if place > 0 {
                blank = true;
                gap = *style;
            }
            if piece.is_empty() {
                continue;
            }
            match words.last_mut() {
                Some(word) if !blank => word.pieces.push((piece.to_owned(), *style)),
                _ => words.push(Word {
                    blank,
                    gap,
                    pieces: vec![(piece.to_owned(), *style)],
                }),
            }
            blank = false;
            gap = Style::new();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    #[test]
    fn words_are_filled_and_a_change_of_look_breaks_no_word() {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let runs = [
            ("put it into ".to_owned(), Style::new()),
            (".env".to_owned(), bold),
            (", please".to_owned(), Style::new()),
        ];
        let shown: Vec<String> = fill(&runs, 12).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["put it into", ".env, please"]);
        assert_eq!(fill(&runs, 12)[1].spans[0].style, bold);
        let long = [("abcdefgh".to_owned(), Style::new())];
        assert_eq!(fill(&long, 3).len(), 3);
        assert_eq!(fill(&[], 3).len(), 1);
    }
}
