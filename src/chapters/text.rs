//! A chapter as plain text: for a pipe, and for a reader without a screen.

use super::{
    Chapter,
    parse::{self, Segment},
};
use crate::support::text::{sanitize, wrap};

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
            Segment::Markdown { text, .. } => markdown(text, &mut out),
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
                markdown(answer, &mut out);
            }
            (Fold::Folded, Some(_)) => out.push_str("(--answer tells the answer)\n"),
            (_, None) => {}
        }
    }
    if !chapter.mistakes.is_empty() {
        out.push_str("\nWhen it does not work\n\n");
        for mistake in &chapter.mistakes {
            let line = format!("{}: {}. {}.", mistake.seen, mistake.cause, mistake.fix);
            hang(&line, "  - ", "    ", &mut out);
        }
    }
    sanitize(&out).into_owned()
}

/// Paragraphs and list items are filled to the measure; code and tables stay as they are.
fn markdown(text: &str, out: &mut String) {
    let mut paragraph: Option<(String, String, String)> = None;
    let mut fence: Option<&str> = None;
    let flush = |paragraph: &mut Option<(String, String, String)>, out: &mut String| {
        if let Some((first, rest, text)) = paragraph.take() {
            hang(&text, &first, &rest, out);
        }
    };
    for line in text.lines() {
        let mark = parse::code_fence(line);
        match (fence, mark) {
            (None, Some(mark)) => {
                flush(&mut paragraph, out);
                fence = Some(mark);
                continue;
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                continue;
            }
            (Some(_), _) => {
                out.push_str("    ");
                out.push_str(line);
                out.push('\n');
                continue;
            }
            (None, None) => {}
        }
        let trimmed = line.trim();
        if trimmed.is_empty() {
            flush(&mut paragraph, out);
            if !out.ends_with("\n\n") {
                out.push('\n');
            }
        } else if trimmed.starts_with('#') || trimmed.starts_with('|') {
            flush(&mut paragraph, out);
            out.push_str(trimmed.trim_start_matches('#').trim());
            out.push('\n');
        } else if let Some((bullet, words)) = parse::list_item(trimmed) {
            flush(&mut paragraph, out);
            let first = format!("  {bullet} ");
            let rest = " ".repeat(first.chars().count());
            paragraph = Some((first, rest, words.to_owned()));
        } else if let Some((_, _, words)) = &mut paragraph {
            words.push(' ');
            words.push_str(trimmed);
        } else {
            paragraph = Some((String::new(), String::new(), trimmed.to_owned()));
        }
    }
    flush(&mut paragraph, out);
}

fn hang(text: &str, first: &str, rest: &str, out: &mut String) {
    let cells = MEASURE.saturating_sub(rest.chars().count());
    for (number, line) in wrap(text, cells).into_iter().enumerate() {
        let indent = if number == 0 { first } else { rest };
        out.push_str(format!("{indent}{line}").trim_end());
        out.push('\n');
    }
}
