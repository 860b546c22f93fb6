//! The Markdown that chapters are written in, taken apart into blocks and words.
//!
//! As much of it as a chapter needs: headings, paragraphs, lists, quotes, tables, code, rules; bold,
//! italic, code and links within a line. Any text gives blocks; what is not understood is text.

use super::{Chapter, parse, parse::Segment};

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Heading {
        /// 1 is the largest.
        level: usize,
        text: Vec<Inline>,
    },
    Paragraph(Vec<Inline>),
    Item {
        /// `-`, or `3.`.
        mark: String,
        /// 0 for a list of its own, 1 for one within another.
        depth: usize,
        text: Vec<Inline>,
    },
    Quote(Vec<Inline>),
    Code(Vec<String>),
    Table {
        head: Vec<Vec<Inline>>,
        rows: Vec<Vec<Vec<Inline>>>,
    },
    Rule,
}

/// Words that look the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    Text(String),
    Strong(String),
    Emphasis(String),
    Code(String),
    Link { text: String, to: String },
}

impl Inline {
    /// What is read.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text)
            | Self::Strong(text)
            | Self::Emphasis(text)
            | Self::Code(text)
            | Self::Link { text, .. } => text,
        }
    }
}

/// What is read, without its looks.
#[must_use]
pub fn plain(text: &[Inline]) -> String {
    text.iter().map(Inline::text).collect()
}

/// The links of a text, in order, each with where it leads.
pub fn links(block: &Block) -> impl Iterator<Item = &str> {
    let texts: Vec<&Inline> = match block {
        Block::Heading { text, .. }
        | Block::Paragraph(text)
        | Block::Item { text, .. }
        | Block::Quote(text) => text.iter().collect(),
        Block::Table { head, rows } => head.iter().chain(rows.iter().flatten()).flatten().collect(),
        Block::Code(_) | Block::Rule => Vec::new(),
    };
    texts.into_iter().filter_map(|inline| match inline {
        Inline::Link { to, .. } => Some(to.as_str()),
        Inline::Text(_) | Inline::Strong(_) | Inline::Emphasis(_) | Inline::Code(_) => None,
    })
}

impl Chapter {
    /// The headings of its text, in order.
    #[must_use]
    pub fn headings(&self) -> Vec<String> {
        self.segments
            .iter()
            .filter_map(|segment| match segment {
                Segment::Markdown { text, .. } => Some(blocks(text)),
                Segment::Check { .. } | Segment::Try { .. } | Segment::Show { .. } => None,
            })
            .flatten()
            .filter_map(|block| match block {
                Block::Heading { text, .. } => Some(plain(&text)),
                _ => None,
            })
            .collect()
    }
}

/// What a line that is not finished yet belongs to.
enum Open {
    Nothing,
    Paragraph(String),
    Item {
        mark: String,
        depth: usize,
        text: String,
    },
    Quote(String),
    Table(Vec<Vec<String>>),
}

/// Takes a text apart.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = Open::Nothing;
    let mut code: Option<(&str, Vec<String>)> = None;
    for line in text.lines() {
        if let Some((mark, lines)) = &mut code {
            if parse::code_fence(line) == Some(*mark) {
                blocks.push(Block::Code(std::mem::take(lines)));
                code = None;
            } else {
                lines.push(line.to_owned());
            }
            continue;
        }
        if let Some(mark) = parse::code_fence(line) {
            close(&mut open, &mut blocks);
            code = Some((mark, Vec::new()));
            continue;
        }
        take(line, &mut open, &mut blocks);
    }
    if let Some((_, lines)) = code {
        blocks.push(Block::Code(lines));
    }
    close(&mut open, &mut blocks);
    blocks
}

fn take(line: &str, open: &mut Open, blocks: &mut Vec<Block>) {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return close(open, blocks);
    }
    if let Some((level, words)) = heading(trimmed) {
        close(open, blocks);
        blocks.push(Block::Heading {
            level,
            text: inlines(words),
        });
    } else if is_rule(trimmed) {
        close(open, blocks);
        blocks.push(Block::Rule);
    } else if trimmed.starts_with('|') {
        if !matches!(open, Open::Table(_)) {
            close(open, blocks);
            *open = Open::Table(Vec::new());
        }
        if let Open::Table(rows) = open {
            rows.push(cells(trimmed));
        }
    } else if let Some(words) = trimmed.strip_prefix('>') {
        if !matches!(open, Open::Quote(_)) {
            close(open, blocks);
            *open = Open::Quote(String::new());
        }
        if let Open::Quote(text) = open {
            join(text, words.trim());
        }
    } else if let Some((mark, words)) = parse::list_item(trimmed) {
        close(open, blocks);
        let indent = line.len() - line.trim_start().len();
        *open = Open::Item {
            mark: mark.to_owned(),
            depth: usize::from(indent >= 2),
            text: words.trim().to_owned(),
        };
    } else {
        match open {
            Open::Paragraph(text) | Open::Item { text, .. } | Open::Quote(text) => {
                join(text, trimmed);
            }
            Open::Nothing | Open::Table(_) => {
                close(open, blocks);
                *open = Open::Paragraph(trimmed.to_owned());
            }
        }
    }
}

fn join(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

fn close(open: &mut Open, blocks: &mut Vec<Block>) {
    blocks.push(match std::mem::replace(open, Open::Nothing) {
        Open::Nothing => return,
        Open::Paragraph(text) => Block::Paragraph(inlines(&text)),
        Open::Item { mark, depth, text } => Block::Item {
            mark,
            depth,
            text: inlines(&text),
        },
        Open::Quote(text) => Block::Quote(inlines(&text)),
        Open::Table(rows) => {
            let is_line = |row: &Vec<String>| {
                row.iter()
                    .all(|cell| cell.chars().all(|c| matches!(c, '-' | ':' | ' ')))
            };
            let words =
                |row: Vec<String>| -> Vec<Vec<Inline>> { row.iter().map(|c| inlines(c)).collect() };
            let has_head = rows.get(1).is_some_and(is_line);
            let mut rows = rows.into_iter().filter(|row| !is_line(row)).map(words);
            let head = if has_head { rows.next() } else { None };
            Block::Table {
                head: head.unwrap_or_default(),
                rows: rows.collect(),
            }
        }
    });
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|c| *c == '#').count();
    let words = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| (level, words.trim()))
}

fn is_rule(line: &str) -> bool {
    ['-', '*', '_']
        .into_iter()
        .any(|mark| line.len() >= 3 && line.chars().all(|c| c == mark))
}

pub(super) fn cells(line: &str) -> Vec<String> {
    let inner = line.trim_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// Takes a line apart. A mark without its end is text.
#[must_use]
pub fn inlines(text: &str) -> Vec<Inline> {
    let mut found = Vec::new();
    let mut words = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (inline, used) = match c {
            '`' => enclosed(rest, "`", Inline::Code),
            '*' if rest.starts_with("**") => enclosed(rest, "**", Inline::Strong),
            '*' => enclosed(rest, "*", Inline::Emphasis),
            '[' => link(rest),
            _ => None,
        }
        .unzip();
        if let (Some(inline), Some(used)) = (inline, used) {
            if !words.is_empty() {
                found.push(Inline::Text(std::mem::take(&mut words)));
            }
            found.push(inline);
            rest = &rest[used..];
        } else {
            words.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if !words.is_empty() {
        found.push(Inline::Text(words));
    }
    found
}

fn enclosed(text: &str, mark: &str, make: fn(String) -> Inline) -> Option<(Inline, usize)> {
    let inner = text.strip_prefix(mark)?;
    let end = inner.find(mark)?;
    let words = &inner[..end];
    let is_loose = words.is_empty() || (mark != "`" && words.starts_with(' '));
    (!is_loose).then(|| (make(words.to_owned()), end + 2 * mark.len()))
}

fn link(text: &str) -> Option<(Inline, usize)> {
    let (words, after) = text.strip_prefix('[')?.split_once("](")?;
    let (to, _) = after.split_once(')')?;
    let inline = Inline::Link {
        text: words.to_owned(),
        to: to.to_owned(),
    };
    (!words.contains(['[', ']'])).then(|| (inline, words.len() + to.len() + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_and_loose_marks_are_text() {
        let shown: Vec<_> = inlines("A **bold** `a*b` [door](00-door.md), 2 * 3 [x] **")
            .into_iter()
            .map(|inline| format!("{inline:?}"))
            .collect();
        assert_eq!(
            shown,
            [
                r#"Text("A ")"#,
                r#"Strong("bold")"#,
                r#"Text(" ")"#,
                r#"Code("a*b")"#,
                r#"Text(" ")"#,
                r#"Link { text: "door", to: "00-door.md" }"#,
                r#"Text(", 2 * 3 [x] **")"#,
            ]
        );
    }

    #[test]
    fn a_text_is_taken_apart_into_blocks() {
        let text = "## Two\n\nOne\nline.\n- a\n  b\n- c\n\n1. d\n```\n# no heading\n```\n> said\n> so\n\n| a | b |\n|---|---|\n| 1 | 2 |\n---\n";
        let kinds: Vec<_> = blocks(text)
            .iter()
            .map(|block| match block {
                Block::Heading { level, text } => format!("h{level} {}", plain(text)),
                Block::Paragraph(text) => format!("p {}", plain(text)),
                Block::Item { mark, depth, text } => format!("{mark}{depth} {}", plain(text)),
                Block::Quote(text) => format!("> {}", plain(text)),
                Block::Code(lines) => format!("code {}", lines.join("/")),
                Block::Table { head, rows } => format!("table {} {}", head.len(), rows.len()),
                Block::Rule => "rule".to_owned(),
            })
            .collect();
        assert_eq!(
            kinds,
            [
                "h2 Two",
                "p One line.",
                "-0 a b",
                "-0 c",
                "1.0 d",
                "code # no heading",
                "> said so",
                "table 2 1",
                "rule"
            ]
        );
    }
}
