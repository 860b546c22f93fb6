//! Two lists to choose from: the places of a trace, and the traces that come along.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::window;
use crate::{
    app::notes::LandmarkKind,
    projection::Part,
    shipped,
    support::text::{width, wrap_at_most},
    ui::{
        HitMap, ViewCx,
        look::Role,
        timeline,
        widgets::put::{self, span},
    },
};

/// Rows up to which a list is as wide as its widest one; a longer one takes the room there is.
const MEASURED: usize = 500;

/// Cells of the widest list.
const WIDEST: u16 = 108;

/// Cells of a row before its text.
const BEFORE: usize = 27;

/// Draws the marks, bookmarks and notes of the trace.
pub fn landmarks(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, selected: usize) {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    let all = cx.app.landmarks();
    let row = |place: usize| {
        all.get(place).map_or_else(Line::default, |landmark| {
            let (kind, role) = match landmark.kind {
                LandmarkKind::Mark(Part::Chapter(number)) => {
                    (format!("ch {number}"), Role::Heading)
                }
                LandmarkKind::Mark(Part::Cue(number)) => (format!("cue {number}"), Role::Heading),
                LandmarkKind::Mark(Part::Unnumbered) => ("mark".to_owned(), Role::Heading),
                LandmarkKind::Bookmark if landmark.text.is_empty() => {
                    ("bookmark".to_owned(), Role::Key)
                }
                LandmarkKind::Bookmark => ("note".to_owned(), Role::Key),
            };
            Line::from(vec![
                span(format!("{:>9}  ", timeline::clock(landmark.at_us)), dim),
                span(format!("{:<6}", format!("#{}", landmark.place)), dim),
                span(format!("{kind:<9} "), look.bold(role)),
                span(landmark.text.to_string(), look.style(Role::Text)),
            ])
        })
    };
    let title = "Marks and notes";
    // Room for the longest note, so that the list stays where it is from row to row.
    let cells = usize::from(body.width.min(WIDEST).saturating_sub(6));
    let most = usize::from(body.height / 2);
    let told = |text: &str| wrap_at_most(text, cells, most);
    let rows = all.iter().filter(|one| width(&one.text) + BEFORE > cells);
    let room = rows.take(MEASURED).map(|one| told(&one.text).len()).max();
    let chosen = all.get(selected).map(|one| told(&one.text));
    let below = room.map(|room| (room, chosen.unwrap_or_default()));
    choose(
        cx,
        body,
        buf,
        hits,
        title,
        (all.len(), &row),
        selected,
        below,
    );
}

/// Draws the shipped traces.
pub fn traces(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, selected: usize) {
    let look = cx.look;
    let row = |place: usize| {
        shipped::list()
            .get(place)
            .map_or_else(Line::default, |one| {
                Line::from(vec![
                    span(format!("{:<16}", one.name), look.style(Role::Heading)),
                    span(one.line, look.style(Role::Text)),
                ])
            })
    };
    let rows = (shipped::list().len(), &row as &dyn Fn(usize) -> _);
    choose(cx, body, buf, hits, "Recorded traces", rows, selected, None);
}

fn choose(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    title: &str,
    (count, row): (usize, &dyn Fn(usize) -> Line<'static>),
    selected: usize,
    below: Option<(usize, Vec<String>)>,
) {
    let look = cx.look;
    let (room, told) = below.unwrap_or_default();
    let room = u16::try_from(room).unwrap_or(0);
    let widest = if count > MEASURED {
        usize::MAX - 7
    } else {
        let widths = (0..count).map(|place| put::line_width(&row(place)));
        widths.max().unwrap_or(0)
    };
    let size = (
        u16::try_from(widest + 7)
            .unwrap_or(u16::MAX)
            .clamp(40, WIDEST),
        u16::try_from(count + 4)
            .unwrap_or(u16::MAX)
            .saturating_add(if room > 0 { room + 1 } else { 0 }),
    );
    let total = Line::styled(format!(" {count} "), look.style(Role::Dim));
    let inner = window(cx, body, buf, hits, size, title, Role::Focus, &total);
    let list = Rect {
        height: inner
            .height
            .saturating_sub(2)
            .saturating_sub(if room > 0 { room + 1 } else { 0 }),
        ..put::below(inner, 1)
    };
    super::rows(cx, list, buf, hits, count, row, selected);
    let whole = put::inset(put::below(inner, list.height + 2), 1);
    for (row, line) in (0..whole.height.min(room)).zip(told) {
        put::line(buf, whole, row, &Line::raw(line), look);
    }
}
