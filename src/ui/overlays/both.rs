//! The same hop of two runs, close up: what differs, then each as the inspector shows it.
//!
//! Where there is room they stand side by side; else the one is above the other.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{compare, extent, inspect, inspect_hop, window};
use crate::{
    app::{
        compare::{Compared, Reach},
        overlay::HOP_TABS,
    },
    projection::{HopId, Projection, compare::Difference},
    support::text::{one_line, wrap},
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{
            flowing,
            put::{self, span},
        },
    },
};

/// From here on side by side.
const WIDE: u16 = 100;
/// Differences that stand above the hops; each stands in the list, too.
const MOST: usize = 4;

/// Draws both hops of the comparison's selected row.
pub fn draw(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    tab: usize,
    scroll: usize,
) {
    let Some(compared) = cx.app.compared() else {
        return;
    };
    if let Some(found) = compared.current_of_run() {
        let found = compare::as_statement(found);
        return whole(cx, body, buf, hits, compared, &found, scroll);
    }
    let Some(pair) = compared.current() else {
        return;
    };
    let look = cx.look;
    let size = (body.width, body.height);
    let title = one_line(&pair.title);
    let stands = Line::from(vec![
        Span::raw(" "),
        compare::standing(cx, &pair.standing, Reach::Reached),
        Span::raw(" "),
    ]);
    let inner = window(cx, body, buf, hits, size, &title, Role::Focus, &stands);
    inspect::bar(cx, inner, buf, hits, HOP_TABS, tab);
    let mut text = put::below(inner, 2);
    for found in pair.differences().iter().take(MOST) {
        let word = |text: &str| span(compare::value(text), look.style(Role::Heading));
        let line = Line::from(vec![
            span(format!("! {:<11} ", found.what), look.bold(Role::Warning)),
            span("A ", look.style(Role::Key)),
            word(&found.left),
            span("  B ", look.style(Role::Key)),
            word(&found.right),
        ]);
        put::line(buf, text, 0, &line, look);
        text = put::below(text, 1);
    }
    if !pair.differences().is_empty() {
        text = put::below(text, 1);
    }
    let (left, right) = compared.names();
    let sides = [
        ("A", left, cx.app.this_side(), pair.ids.0),
        ("B", right, compared.other(), pair.ids.1),
    ];
    if body.width < WIDE {
        let cells = usize::from(text.width.saturating_sub(1));
        let mut lines = Vec::new();
        for (letter, name, run, id) in sides {
            lines.extend(side(cx, (letter, name), run, id, tab, cells));
            lines.push(Line::raw(""));
        }
        let most = flowing::draw(buf, text, &lines, scroll, look);
        return extent(hits, most);
    }
    let half = text.width / 2;
    let mut most = 0;
    for (place, (letter, name, run, id)) in (0..).zip(sides) {
        let area = Rect {
            x: text.x + place * (half + 1),
            width: half.saturating_sub(1),
            ..text
        };
        let cells = usize::from(area.width.saturating_sub(1));
        let lines = side(cx, (letter, name), run, id, tab, cells);
        most = most.max(flowing::draw(buf, area, &lines, scroll, look));
    }
    put::pillar(
        buf,
        text,
        half.saturating_sub(1),
        look.glyphs.vertical,
        look.style(Role::Border),
    );
    extent(hits, most);
}

/// A difference of the runs as wholes, unabridged.
fn whole(
    cx: &ViewCx,
    body: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    compared: &Compared,
    found: &Difference,
    scroll: usize,
) {
    let look = cx.look;
    let size = (body.width.min(100), body.height.min(16));
    let none = Line::default();
    let inner = window(cx, body, buf, hits, size, &found.what, Role::Focus, &none);
    let text = put::below(inner, 1);
    let cells = usize::from(text.width.saturating_sub(3));
    let (left, right) = compared.names();
    let mut lines = Vec::new();
    for (letter, name, words) in [("A", left, &found.left), ("B", right, &found.right)] {
        lines.push(Line::from(vec![
            span(format!("{letter} "), look.bold(Role::Key)),
            span(one_line(name), look.style(Role::Heading)),
        ]));
        let wrapped = wrap(&compare::value(words), cells);
        lines.extend(
            wrapped
                .into_iter()
                .map(|line| Line::raw(format!("  {line}"))),
        );
        lines.push(Line::raw(""));
    }
    let most = flowing::draw(buf, text, &lines, scroll, look);
    extent(hits, most);
}

fn side(
    cx: &ViewCx,
    (letter, name): (&str, &str),
    run: &Projection,
    id: Option<HopId>,
    tab: usize,
    cells: usize,
) -> Vec<Line<'static>> {
    let look = cx.look;
    let mut lines = vec![
        Line::from(vec![
            span(format!("{letter} "), look.bold(Role::Key)),
            span(one_line(name), look.style(Role::Heading)),
        ]),
        Line::raw(""),
    ];
    match id {
        Some(id) => {
            let there = ViewCx { run, ..*cx };
            lines.extend(inspect_hop::lines(&there, id, tab, cells));
        }
        None => lines.push(Line::styled(
            "This hop did not happen here.",
            look.style(Role::Dim),
        )),
    }
    lines
}
