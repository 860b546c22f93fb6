//! A chapter as plain text: for a pipe, and for a reader without a screen.

use super::{
    Chapter,
    markdown::{Block, Inline, blocks},
    parse::Segment,
};
use crate::support::text::{padded, sanitize, width, wrap};

/// The measure of a comfortable line.
pub const MEASURE: usize = 76;

/// Whether a question's answer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    Folded,
    Open,
}

/// Renders a chapter at [`MEASURE`] columns.
#[must_use]
pub fn render(chapter: &Chapter, fold: Fold) -> String {
    let mut out = format!(
        "{}. {}\n{} min\n",
        chapter.number, chapter.title, chapter.minutes
    );
    for segment in &chapter.segments {
        match segment {
            Segment::Markdown { blocks, .. } => markdown(blocks, &mut out),
            Segment::Check { id, .. } => {
                let check = chapter.check(id);
                let title = check.map_or(id.as_str(), |check| check.title.as_str());
                let mark = if check.is_some_and(|check| !check.required) {
                    " (not required)"
                } else {
                    ""
                };
                hang(&format!("{title}{mark}"), "  [ ] ", "      ", &mut out);
            }
            Segment::Try { attempt, .. } => {
                let line = format!("{} ({})", attempt.words(), attempt.name());
                hang(&line, "  try ", "      ", &mut out);
            }
            Segment::Show { .. } => {}
        }
    }
    if let Some((question, _)) = &chapter.question {
        out.push_str("\nPause\n\n");
        hang(question, "", "", &mut out);
        match (fold, &chapter.answer) {
            (Fold::Open, Some(answer)) => {
                out.push('\n');
                markdown(&blocks(answer), &mut out);
            }
            (Fold::Folded, Some(_)) => out.push_str("(--answer tells the answer)\n"),
            (_, None) => {}
        }
    }
    if !chapter.mistakes.is_empty() {
        out.push_str("\nWhen it does not work\n\n");
        for mistake in &chapter.mistakes {
            let (cause, fix) = (mistake.cause.general(), mistake.fix.general());
            let line = format!("{}: {cause}. {fix}.", mistake.seen);
            hang(&line, "  - ", "    ", &mut out);
        }
    }
    sanitize(&out).into_owned()
}

/// Paragraphs and list items are filled to the measure; code and tables stay as they are.
fn markdown(blocks: &[Block], out: &mut String) {
    let mut before: Option<&Block> = None;
    for block in blocks {
        let in_a_list = matches!(
            (before, block),
            (Some(Block::Item { .. }), Block::Item { .. })
        );
        if !in_a_list && !out.ends_with("\n\n") {
            out.push('\n');
        }
        match block {
            Block::Heading { text, .. } | Block::Paragraph(text) => hang(&words(text), "", "", out),
            Block::Item { mark, depth, text } => {
                let first = format!("{:indent$}{mark} ", "", indent = 2 + 2 * depth);
                let rest = " ".repeat(first.len());
                hang(&words(text), &first, &rest, out);
            }
            Block::Quote(text) => hang(&words(text), "  > ", "  > ", out),
            Block::Code(lines) => {
                for line in lines {
                    out.push_str(format!("    {line}").trim_end());
                    out.push('\n');
                }
            }
            Block::Table { head, rows } => table(head, rows, out),
            Block::Rule => {
                out.push_str(&"-".repeat(MEASURE));
                out.push('\n');
            }
        }
        before = Some(block);
    }
    out.push('\n');
}

/// Words without their looks; code keeps its marks, and a page elsewhere its address.
fn words(text: &[Inline]) -> String {
    let word = |inline: &Inline| match inline {
        Inline::Code(code) => format!("`{code}`"),
        Inline::Link { text, to } if to.contains("://") && text != to => format!("{text} ({to})"),
        other => other.text().to_owned(),
    };
    text.iter().map(word).collect()
}

fn table(head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>], out: &mut String) {
    let rows: Vec<Vec<String>> = std::iter::once(head)
        .chain(rows.iter().map(Vec::as_slice))
        .map(|row| row.iter().map(|cell| words(cell)).collect())
        .collect();
    let column = |place: usize| {
        let cells = rows.iter().filter_map(|row| row.get(place));
        cells.map(|cell| width(cell)).max().unwrap_or(0)
    };
    for row in &rows {
        let cells = row.iter().enumerate();
        let line: Vec<String> = cells
            .map(|(place, cell)| padded(cell, column(place)))
            .collect();
        out.push_str(format!("  {}", line.join("  ")).trim_end());
        out.push('\n');
    }
}

fn hang(text: &str, first: &str, rest: &str, out: &mut String) {
    let cells = MEASURE.saturating_sub(rest.chars().count());
    for (number, line) in wrap(text, cells).into_iter().enumerate() {
        let indent = if number == 0 { first } else { rest };
        out.push_str(format!("{indent}{line}").trim_end());
        out.push('\n');
    }
}
