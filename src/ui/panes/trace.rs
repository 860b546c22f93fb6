//! Trace: every event, raw. Only the rows in view are decoded.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{Placement, counted, rows_in_view, selectable, summary, teach};
use crate::{
    app::{command::Command, focus::PaneId, target::Target},
    projection::Seq,
    trace::TraceEvent,
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{
            put::{self, span},
            scroll,
            table::{self, Column},
        },
    },
};

const COLUMNS: &[Column] = &[
    Column::numbers("#", 7, 2),
    Column::numbers("Time", 10, 1),
    Column::words("Who", 10, 4),
    Column::words("What", 20, 0),
    Column::words("", 18, 3).growing(),
];

/// The column from which a row of several events says what they are.
const FOLDED: usize = 2;

/// What the title says.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let list = &cx.app.panes().trace;
    let count = if list.query().is_empty() {
        list.seen()
    } else {
        list.rows().len()
    };
    let mut line = counted(cx, PaneId::Trace, count, ("event", "events"), list.filter());
    if !list.follows() {
        let key = cx.app.keymap().shown(Command::Bottom);
        line.push_span(span(format!("{key} follows "), cx.look.style(Role::Dim)));
    }
    line
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let list = &cx.app.panes().trace;
    if list.rows().is_empty() {
        if cx.app.filter_of(PaneId::Trace).is_empty() {
            return teach(
                cx,
                area,
                buf,
                &["Every fact of the run will be listed here as it is written to a recording."],
                &[(Command::SignIn, "sign in"), (Command::Record, "record")],
            );
        }
        return super::nothing_found(cx, area, buf, PaneId::Trace, "event");
    }
    let head = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        ..area
    };
    let slots = table::fit(COLUMNS, head.width);
    table::heads(buf, head, 0, COLUMNS, &slots, cx.look);
    let body = put::below(area, 1);
    for (place, seq, line) in rows_in_view(body, list) {
        hits.add(line, Target::Row(PaneId::Trace, place));
        let inside = selectable(cx, buf, line, place == list.selected(), Placement::Main);
        let inside = Rect {
            width: head.width,
            ..inside
        };
        let event = cx.app.projection().log().event(seq);
        let folded = cx.app.folded_events(place);
        for slot in &slots {
            let content = match &event {
                Some(_) if folded > 1 && slot.index >= FOLDED => fold(cx, folded, slot.index),
                Some(event) => cell(seq, event, slot.index, cx.look),
                None => Line::styled("cannot be read", cx.look.style(Role::Warning)),
            };
            table::cell(
                buf,
                inside,
                0,
                *slot,
                COLUMNS[slot.index].align,
                &content,
                cx.look,
            );
        }
    }
    let first = scroll::window(list.rows().len(), list.selected(), usize::from(body.height));
    scroll::bar(buf, body, list.rows().len(), first, cx.look);
}

/// A row that stands for a stretch of what hoptrail read for itself.
fn fold(cx: &ViewCx, count: usize, column: usize) -> Line<'static> {
    let text = match column {
        FOLDED => "hoptrail".to_owned(),
        3 => "looks at the zone".to_owned(),
        _ => format!(
            "{count} lines, {} unfolds",
            cx.app.keymap().shown(Command::Unfold)
        ),
    };
    Line::styled(text, cx.look.style(Role::Dim))
}

#[expect(clippy::cast_precision_loss, reason = "shown with three decimals")]
fn cell(seq: Seq, event: &TraceEvent, column: usize, look: &Look) -> Line<'static> {
    let dim = look.style(Role::Dim);
    match column {
        // As every other number of an event: how many have happened there.
        0 => Line::styled((seq.index() + 1).to_string(), dim),
        1 => Line::styled(format!("+{:.3}s", event.at_us as f64 / 1e6), dim),
        2 => Line::styled(event.actor.name(), Style::new()),
        3 => {
            let (name, role) = summary::kind(&event.fact);
            Line::styled(
                name,
                match role {
                    Role::Text => Style::new(),
                    other => look.bold(other),
                },
            )
        }
        _ => Line::from(Span::styled(summary::detail(&event.fact), dim)),
    }
}
