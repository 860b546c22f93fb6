//! The Markdown that chapters are written in, taken apart into blocks and words.
//!
//! As much of it as a chapter needs: headings, paragraphs, lists, quotes, tables, code, rules; bold,
//! italic, code and links within a line. Any text gives blocks; HTML is text.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{Chapter, parse::Segment};

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
                Segment::Markdown { blocks, .. } => Some(blocks),
                Segment::Check { .. } | Segment::Try { .. } | Segment::Show { .. } => None,
            })
            .flatten()
            .filter_map(|block| match block {
                Block::Heading { text, .. } => Some(plain(text)),
                _ => None,
            })
            .collect()
    }
}

/// Takes a text apart.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let mut page = Page::default();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        page.take(event);
    }
    page.close();
    page.blocks
}

/// A page as far as it was read.
#[derive(Default)]
struct Page {
    blocks: Vec<Block>,
    /// The words of the block that is open.
    words: Vec<Inline>,
    /// How the words look that come, the innermost last.
    looks: Vec<Looks>,
    /// The lists that are open, each with the number of its next item, if it counts.
    lists: Vec<Option<u64>>,
    /// The mark and the depth of an item that has no words yet.
    item: Option<(String, usize)>,
    quotes: usize,
    code: Option<String>,
    head: Vec<Vec<Inline>>,
    rows: Vec<Vec<Vec<Inline>>>,
    row: Vec<Vec<Inline>>,
}

enum Looks {
    Strong,
    Emphasis,
    Link(String),
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(text) => match self.link() {
                Some(to) => self.say(Inline::Link {
                    text: text.into_string(),
                    to,
                }),
                None => self.say(Inline::Code(text.into_string())),
            },
            Event::SoftBreak | Event::HardBreak => self.text(" "),
            Event::Rule => {
                self.close();
                self.blocks.push(Block::Rule);
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            // None of these is asked for.
            Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Strong => self.looks.push(Looks::Strong),
            Tag::Emphasis => self.looks.push(Looks::Emphasis),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.looks.push(Looks::Link(dest_url.into_string()));
            }
            Tag::TableHead | Tag::TableRow | Tag::TableCell => {}
            // Whatever stands in an item before a list or a table of its own ends there.
            block => {
                self.close();
                self.open_block(&block);
            }
        }
    }

    fn open_block(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::List(first) => self.lists.push(*first),
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}.", *number - 1)
                    }
                    _ => "-".to_owned(),
                };
                self.item = Some((mark, self.lists.len().saturating_sub(1)));
            }
            Tag::BlockQuote(_) => self.quotes += 1,
            Tag::CodeBlock(_) => self.code = Some(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Link | TagEnd::Image => {
                self.looks.pop();
            }
            TagEnd::Heading(level) => {
                let text = std::mem::take(&mut self.words);
                let level = level as usize;
                self.blocks.push(Block::Heading { level, text });
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                let lines = code.lines().map(str::to_owned).collect();
                self.blocks.push(Block::Code(lines));
            }
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.words)),
            TagEnd::TableHead => self.head = std::mem::take(&mut self.row),
            TagEnd::TableRow => self.rows.push(std::mem::take(&mut self.row)),
            TagEnd::Table => self.blocks.push(Block::Table {
                head: std::mem::take(&mut self.head),
                rows: std::mem::take(&mut self.rows),
            }),
            TagEnd::List(_) => {
                self.close();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.close();
                // One without words is still an item.
                if let Some((mark, depth)) = self.item.take() {
                    let text = Vec::new();
                    self.blocks.push(Block::Item { mark, depth, text });
                }
            }
            TagEnd::BlockQuote(_) => {
                self.close();
                self.quotes = self.quotes.saturating_sub(1);
            }
            _ => self.close(),
        }
    }

    /// Ends the words that are open: those of an item, of a quote, or of a paragraph.
    fn close(&mut self) {
        let text = std::mem::take(&mut self.words);
        if text.is_empty() {
            return;
        }
        self.blocks.push(match self.item.take() {
            Some((mark, depth)) => Block::Item { mark, depth, text },
            None if self.quotes > 0 => Block::Quote(text),
            None => Block::Paragraph(text),
        });
    }

    fn link(&self) -> Option<String> {
        self.looks.iter().rev().find_map(|looks| match looks {
            Looks::Link(to) => Some(to.clone()),
            Looks::Strong | Looks::Emphasis => None,
        })
    }

    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.push_str(text);
            return;
        }
        let text = text.to_owned();
        let inline = match (self.link(), self.looks.last()) {
            (Some(to), _) => Inline::Link { text, to },
            (None, Some(Looks::Strong)) => Inline::Strong(text),
            (None, Some(Looks::Emphasis)) => Inline::Emphasis(text),
            (None, _) => Inline::Text(text),
        };
        self.say(inline);
    }

    /// Adds words; what looks the same as the words before goes on with them.
    fn say(&mut self, inline: Inline) {
        match (self.words.last_mut(), inline) {
            (Some(Inline::Text(before)), Inline::Text(more))
            | (Some(Inline::Strong(before)), Inline::Strong(more))
            | (Some(Inline::Emphasis(before)), Inline::Emphasis(more)) => before.push_str(&more),
            (
                Some(Inline::Link { text, to }),
                Inline::Link {
                    text: more,
                    to: same,
                },
            ) if *to == same => {
                text.push_str(&more);
            }
            (_, inline) => self.words.push(inline),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_and_loose_marks_are_text() {
        let text = "A **bold** `a*b` [the `door`](00-door.md), 2 * 3 [x] ** <zone> a_b_c";
        let Some(Block::Paragraph(words)) = blocks(text).pop() else {
            panic!("{:?}", blocks(text));
        };
        let shown: Vec<_> = words.iter().map(|inline| format!("{inline:?}")).collect();
        assert_eq!(
            shown,
            [
                r#"Text("A ")"#,
                r#"Strong("bold")"#,
                r#"Text(" ")"#,
                r#"Code("a*b")"#,
                r#"Text(" ")"#,
                r#"Link { text: "the door", to: "00-door.md" }"#,
                r#"Text(", 2 * 3 [x] ** <zone> a_b_c")"#,
            ]
        );
    }

    #[test]
    fn a_text_is_taken_apart_into_blocks() {
        let text = "## Two\n\nOne\nline.\n- a\n  b\n- c\n  - in it\n\n3. d\n4. e\n\n```\n# no heading\n```\n> said\n> so\n\n| a | b |\n|---|---|\n| 1 | `x\\|y` |\n| - | - |\n\n---\n";
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
                "-1 in it",
                "3.0 d",
                "4.0 e",
                "code # no heading",
                "> said so",
                "table 2 2",
                "rule"
            ]
        );
    }
}
