//! Chapter: the text, what to try, the checks as they stand, the question to pause at.

mod checks;
mod markdown;
mod page;

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use self::page::Page;
use super::teach;
use crate::{
    app::{
        Extent, Scrolled,
        command::Command,
        focus::PaneId,
        learn::{InView, Learn, PageView, View},
        target::Target,
    },
    support::text::one_line,
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{put, put::span, scroll},
    },
};

/// The measure of a comfortable line.
pub const MEASURE: u16 = 76;
/// Beside the text: the mark of the selected item and a blank, a blank and the scroll bar.
const MARGINS: u16 = 4;

/// Columns that the pane takes where there is room, its border included.
pub const WIDE: u16 = MEASURE + MARGINS + 2;

/// What the title says.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let Some(learn) = cx.app.learn() else {
        return Line::default();
    };
    let (done, count) = learn.tally();
    if learn.has_lapsed() {
        return Line::styled(
            format!(" {done} of {count} checks now "),
            cx.look.bold(Role::Bad),
        );
    }
    Line::styled(
        format!(" {done} of {count} checks "),
        cx.look.style(Role::Dim),
    )
}

/// The chapter's name, for the header.
pub fn heading(cx: &ViewCx, learn: &Learn) -> Line<'static> {
    let chapter = learn.chapter();
    let (done, count) = learn.tally();
    Line::from(vec![
        span(
            format!("{}. {}", chapter.number, one_line(&chapter.title)),
            cx.look.style(Role::Heading),
        ),
        span(format!("  {done}/{count}"), cx.look.style(Role::Dim)),
    ])
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let Some(learn) = cx.app.learn() else {
        return teach(cx, area, buf, &["There are no chapters here."], &[]);
    };
    let cells = area.width.saturating_sub(MARGINS).min(MEASURE);
    let page = page::page(cx, learn, usize::from(cells));
    let place = learn.place();
    let height = usize::from(area.height);
    let most = page.lines.len().saturating_sub(height);
    let wanted = page
        .row_of(place.anchor)
        .saturating_add_signed(place.by)
        .min(most);
    let first = match place.view {
        View::Stays => wanted,
        View::Follows => page
            .with_item_in_view(place.selected, wanted, height)
            .min(most),
    };
    let left = area.width.saturating_sub(cells + MARGINS) / 2;
    let text = Rect {
        x: area.x + left + 2,
        width: cells,
        ..area
    };
    for (row, line) in (0..area.height).zip(&page.lines[first.min(page.lines.len())..]) {
        put::line(buf, text, row, line, cx.look);
    }
    items(cx, text, buf, hits, (&page, first));
    scroll::bar(buf, area, page.lines.len(), first, cx.look);
    let shown = first..first + height;
    let selected = match page.items.get(place.selected) {
        Some(rows) if !shown.contains(&rows.start) => InView::No,
        Some(_) | None => InView::Yes,
    };
    let end = if first == most {
        InView::Yes
    } else {
        InView::No
    };
    hits.extents.push(Extent {
        what: Scrolled::Page(PageView {
            anchor: page.anchor_of(first),
            selected,
            end,
        }),
        most,
    });
}

/// Marks the selected item, and makes every one clickable.
fn items(
    cx: &ViewCx,
    text: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    (page, first): (&Page, usize),
) {
    let selected = cx.app.learn().map_or(0, |learn| learn.place().selected);
    for (item, rows) in page.items.iter().enumerate() {
        for row in rows.clone() {
            let Some(row) = row
                .checked_sub(first)
                .and_then(|row| u16::try_from(row).ok())
            else {
                continue;
            };
            if row >= text.height {
                break;
            }
            let line = Rect {
                y: text.y + row,
                height: 1,
                ..text
            };
            hits.add(line, Target::Row(PaneId::Chapter, item));
            if item == selected {
                let gutter = Rect {
                    x: text.x.saturating_sub(2),
                    width: 1,
                    ..line
                };
                let has_keys = cx.app.focus().pane == PaneId::Chapter;
                let role = if has_keys { Role::Accent } else { Role::Dim };
                put::text(
                    buf,
                    gutter,
                    0,
                    0,
                    cx.look.glyphs.selected,
                    cx.look.style(role),
                    cx.look,
                );
            }
        }
    }
}

/// A key as it stands in a text: `[e]`.
fn key(cx: &ViewCx, command: Command) -> ratatui::text::Span<'static> {
    span(cx.app.keymap().shown(command), cx.look.bold(Role::Key))
}
