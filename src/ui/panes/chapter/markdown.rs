//! Markdown as rows.

use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::page::{Page, indented};
use crate::{
    app::learn::Learn,
    chapters::markdown::{Block, Inline, blocks},
    support::text::{sanitize, width, wrap},
    ui::{
        ViewCx,
        look::Role,
        widgets::{prose, put::span},
    },
};

/// The least cells of a column of a table.
const LEAST_COLUMN: usize = 6;

/// Lays a text out; links to other chapters become items.
pub fn lay_out(cx: &ViewCx, learn: &Learn, blocks: &[Block], cells: usize, page: &mut Page) {
    let mut before: Option<&Block> = None;
    for block in blocks {
        space(before, block, page);
        let from = page.lines.len();
        lines(cx, block, cells, page);
        let rows = from..page.lines.len();
        page.items.extend(learn.links(block).map(|_| rows.clone()));
        before = Some(block);
    }
}

/// Lays a text out in which nothing can be followed.
pub fn lay_out_plain(cx: &ViewCx, text: &str, cells: usize, page: &mut Page) {
    let mut before: Option<Block> = None;
    for block in blocks(text) {
        space(before.as_ref(), &block, page);
        lines(cx, &block, cells, page);
        before = Some(block);
    }
}

/// Items of a list stand close; everything else has room.
fn space(before: Option<&Block>, block: &Block, page: &mut Page) {
    let close = matches!(
        (before, block),
        (Some(Block::Item { .. }), Block::Item { .. })
    );
    if !close && before.is_some() {
        page.gap();
    }
}

fn lines(cx: &ViewCx, block: &Block, cells: usize, page: &mut Page) {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    match block {
        Block::Heading { level, text } => {
            page.gap();
            page.headings.push(page.lines.len());
            let role = if *level <= 2 {
                Role::Accent
            } else {
                Role::Heading
            };
            let style = look.style(role);
            let words: Vec<prose::Run> = runs(cx, text)
                .into_iter()
                .map(|(text, own)| (text, own.patch(style)))
                .collect();
            page.prose(&words, cells);
            page.lines.push(Line::default());
        }
        Block::Paragraph(text) => page.prose(&runs(cx, text), cells),
        Block::Item { mark, depth, text } => {
            let indent = 2 + 2 * depth;
            let hang = indent + mark.len() + 1;
            let filled = prose::fill(&runs(cx, text), cells.saturating_sub(hang));
            for (place, line) in filled.into_iter().enumerate() {
                if place == 0 {
                    let mark = format!("{}{mark} ", " ".repeat(indent));
                    let mut spans = vec![span(mark, look.style(Role::Key))];
                    spans.extend(line.spans);
                    page.lines.push(Line::from(spans));
                } else {
                    page.lines.push(indented(hang, line));
                }
            }
        }
        Block::Quote(text) => {
            for line in prose::fill(&runs(cx, text), cells.saturating_sub(4)) {
                page.lines.push(barred(cx, line));
            }
        }
        Block::Code(code) => {
            for line in code {
                let line = sanitize(line).replace('\t', "    ");
                // Code is never cut: what does not fit goes on under it.
                for part in wrap(&line, cells.saturating_sub(4)) {
                    let part = span(part, look.style(Role::Code));
                    page.lines.push(barred(cx, Line::from(part)));
                }
            }
        }
        Block::Table { head, rows } => table(cx, head, rows, cells, page),
        Block::Rule => page
            .lines
            .push(Line::styled(look.glyphs.horizontal.repeat(cells), dim)),
    }
}

/// A bar before what was said or typed elsewhere.
fn barred(cx: &ViewCx, line: Line<'static>) -> Line<'static> {
    let bar = format!("  {} ", cx.look.glyphs.vertical);
    let mut spans = vec![span(bar, cx.look.style(Role::Border))];
    spans.extend(line.spans);
    Line::from(spans)
}

/// The looks of words. No key opens a page elsewhere, so its address is shown, for the terminal or
/// the reader to follow.
fn runs(cx: &ViewCx, text: &[Inline]) -> Vec<prose::Run> {
    let look = cx.look;
    let shown = |text: &str| sanitize(text).replace(['\t', '\n'], " ");
    text.iter()
        .flat_map(|inline| {
            let style = match inline {
                Inline::Text(_) => Style::new(),
                Inline::Strong(_) => look.style(Role::Heading),
                Inline::Emphasis(_) => Style::new().add_modifier(Modifier::ITALIC),
                Inline::Code(_) => look.style(Role::Code),
                Inline::Link { .. } => look.style(Role::Key).add_modifier(Modifier::UNDERLINED),
            };
            let address = match inline {
                Inline::Link { text, to } if to.contains("://") && text != to => {
                    Some((format!(" ({})", shown(to)), look.style(Role::Dim)))
                }
                _ => None,
            };
            [Some((shown(inline.text()), style)), address]
                .into_iter()
                .flatten()
        })
        .collect()
}

/// Columns as wide as what is in them, the widest made narrower until all fit.
fn table(
    cx: &ViewCx,
    head: &[Vec<Inline>],
    rows: &[Vec<Vec<Inline>>],
    cells: usize,
    page: &mut Page,
) {
    let columns = rows
        .iter()
        .map(Vec::len)
        .chain([head.len()])
        .max()
        .unwrap_or(0);
    if columns == 0 {
        return;
    }
    let mut wide: Vec<usize> = (0..columns)
        .map(|column| {
            let all = rows.iter().map(Vec::as_slice).chain([head]);
            all.filter_map(|row| row.get(column))
                .map(|cell| runs(cx, cell).iter().map(|(text, _)| width(text)).sum())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let room = cells.saturating_sub(2 + 2 * (columns - 1));
    while wide.iter().sum::<usize>() > room {
        let Some(widest) = wide.iter_mut().max().filter(|cells| **cells > LEAST_COLUMN) else {
            break;
        };
        *widest -= 1;
    }
    if !head.is_empty() {
        let bold = cx.look.style(Role::Heading);
        row(cx, head, &wide, bold, page);
        let line: Vec<String> = wide
            .iter()
            .map(|cells| cx.look.glyphs.horizontal.repeat(*cells))
            .collect();
        page.lines.push(Line::styled(
            format!("  {}", line.join("  ")),
            cx.look.style(Role::Border),
        ));
    }
    for cells in rows {
        row(cx, cells, &wide, Style::new(), page);
    }
}

fn row(cx: &ViewCx, cells: &[Vec<Inline>], wide: &[usize], style: Style, page: &mut Page) {
    let columns: Vec<Vec<Line<'static>>> = wide
        .iter()
        .enumerate()
        .map(|(column, room)| {
            let words: Vec<prose::Run> = cells
                .get(column)
                .map_or_else(Vec::new, |cell| runs(cx, cell))
                .into_iter()
                .map(|(text, own)| (text, style.patch(own)))
                .collect();
            prose::fill(&words, *room)
        })
        .collect();
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    for place in 0..tallest {
        let mut spans = Vec::new();
        // Blanks before a cell and none behind the last: they would be cut, and a mark say so.
        let mut pad = 2;
        for (column, room) in columns.iter().zip(wide) {
            let line = column.get(place).cloned().unwrap_or_default();
            spans.push(Span::raw(" ".repeat(pad)));
            pad = (room + 2).saturating_sub(line.width());
            spans.extend(line.spans);
        }
        page.lines.push(Line::from(spans));
    }
}
