//! Two lists to choose from: the places of a trace, and the traces that come along.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{extent, window};
use crate::{
    app::{notes::LandmarkKind, target::Target},
    shipped,
    ui::{
        HitMap, ViewCx,
        look::Role,
        timeline,
        widgets::{
            put::{self, span},
            scroll,
        },
    },
};

/// Draws the marks, bookmarks and notes of the trace.
pub fn landmarks(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, selected: usize) {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    let all = cx.app.landmarks();
    let rows: Vec<Line<'static>> = all
        .iter()
        .map(|landmark| {
            let (kind, role) = match landmark.kind {
                LandmarkKind::Mark(Some(chapter)) => (format!("ch {chapter}"), Role::Heading),
                LandmarkKind::Mark(None) => ("mark".to_owned(), Role::Heading),
                LandmarkKind::Bookmark if landmark.text.is_empty() => {
                    ("bookmark".to_owned(), Role::Key)
                }
                LandmarkKind::Bookmark => ("note".to_owned(), Role::Key),
            };
            Line::from(vec![
                span(format!("{:>9}  ", timeline::clock(landmark.at_us)), dim),
                span(format!("{:<6}", format!("#{}", landmark.place)), dim),
                span(format!("{kind:<9} "), look.bold(role)),
                span(landmark.text.clone(), look.style(Role::Text)),
            ])
        })
        .collect();
    choose(cx, body, buf, hits, "Marks and notes", &rows, selected);
}

/// Draws the shipped traces.
pub fn traces(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, selected: usize) {
    let look = cx.look;
    let rows: Vec<Line<'static>> = shipped::list()
        .iter()
        .map(|one| {
            Line::from(vec![
                span(format!("{:<16}", one.name), look.style(Role::Heading)),
                span(one.line, look.style(Role::Text)),
            ])
        })
        .collect();
    choose(cx, body, buf, hits, "Recorded traces", &rows, selected);
}

fn choose(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    title: &str,
    rows: &[Line<'static>],
    selected: usize,
) {
    let look = cx.look;
    let widest = rows.iter().map(put::line_width).max().unwrap_or(0);
    let size = (
        u16::try_from(widest + 7).unwrap_or(u16::MAX).clamp(40, 108),
        u16::try_from(rows.len() + 4).unwrap_or(u16::MAX),
    );
    let count = Line::styled(format!(" {} ", rows.len()), look.style(Role::Dim));
    let inner = window(cx, body, buf, hits, size, title, Role::Focus, &count);
    let list = Rect {
        height: inner.height.saturating_sub(2),
        ..put::below(inner, 1)
    };
    let selected = selected.min(rows.len().saturating_sub(1));
    let first = scroll::window(rows.len(), selected, usize::from(list.height));
    for ((place, row), area) in rows.iter().enumerate().skip(first).zip(list.rows()) {
        hits.add(area, Target::OverlayRow(place));
        if place == selected {
            let mark = look.glyphs.selected;
            put::text(buf, area, 0, 0, mark, look.bold(Role::Accent), look);
        }
        let text = Rect {
            x: area.x + 2.min(area.width),
            width: area.width.saturating_sub(3),
            ..area
        };
        put::line(buf, text, 0, row, look);
    }
    scroll::bar(buf, list, rows.len(), first, look);
    extent(hits, rows.len().saturating_sub(1));
}
