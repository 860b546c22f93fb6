//! Every key and what it does, from the registry and the keymap in force.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use super::{extent, window};
use crate::{
    app::command::{COMMANDS, Group, Spec},
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{flowing, put::span},
    },
};

/// Cells for the keys.
const KEYS: usize = 16;
/// From here on two columns.
const TWO_COLUMNS: u16 = 150;

/// Draws the help.
pub fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, scroll: usize) {
    let two = body.width >= TWO_COLUMNS;
    let width = if two { body.width - 8 } else { 96 };
    let groups = |groups: &[Group]| -> Vec<Line<'static>> {
        groups
            .iter()
            .flat_map(|group| section(cx, *group))
            .collect()
    };
    let columns = if two {
        vec![
            groups(&[Group::Story, Group::Panes, Group::Replay]),
            groups(&[Group::Reading, Group::Program, Group::Overlay]),
        ]
    } else {
        vec![groups(&Group::ALL)]
    };
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let height = u16::try_from(tallest + 2).unwrap_or(u16::MAX);
    let inner = window(
        cx,
        body,
        buf,
        hits,
        (width, height),
        "Keys",
        Role::Focus,
        &Line::default(),
    );
    let count = u16::try_from(columns.len()).unwrap_or(1).max(1);
    let each = inner.width / count;
    let mut most = 0;
    for (place, lines) in (0..count).zip(&columns) {
        let area = Rect {
            x: inner.x + place * each,
            width: each.saturating_sub(u16::from(two)),
            ..inner
        };
        most = most.max(flowing::draw(buf, area, lines, scroll, cx.look));
    }
    extent(hits, most);
}

fn section(cx: &ViewCx, group: Group) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(group.name(), cx.look.style(Role::Heading))];
    lines.extend(
        COMMANDS
            .iter()
            .filter(|spec| spec.group == group)
            .map(|spec| entry(cx, spec)),
    );
    lines.push(Line::raw(""));
    lines
}

fn entry(cx: &ViewCx, spec: &Spec) -> Line<'static> {
    let keys: Vec<String> = cx
        .app
        .keymap()
        .keys(spec.command)
        .iter()
        .map(ToString::to_string)
        .collect();
    let keys = if keys.is_empty() {
        cx.look.glyphs.dash.to_owned()
    } else {
        keys.join(" ")
    };
    Line::from(vec![
        span(format!("  {keys:<KEYS$}"), cx.look.style(Role::Key)),
        span(spec.doc, Style::new()),
    ])
}
