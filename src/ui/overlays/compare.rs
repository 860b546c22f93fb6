//! Two runs beside each other: a row a call and a hop, what differs under it, both values.
//!
//! From [`WIDE`] columns each run has a column; below, one column holds both values.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::window;
use crate::{
    app::{
        command::Command,
        compare::{Compared, Durations, Reach, Row},
        target::Target,
    },
    projection::{
        HopId, Projection,
        compare::{Difference, HopPair, Pair, Relation},
    },
    support::text::{duration, one_line, truncate, width},
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        panes,
        widgets::{
            put::{self, span},
            scroll,
            verdict::Verdict,
        },
    },
};

/// From here on a column for each run.
const WIDE: u16 = 100;
/// Cells for a hop's title below which not all of it is told.
const LITTLE: usize = 60;
/// Cells for the word that says how the two sides stand.
const STANDING: u16 = 10;

/// Where the columns of a row are.
#[derive(Clone, Copy)]
struct Columns {
    title: Rect,
    left: Rect,
    /// Absent where one column holds both.
    right: Option<Rect>,
}

impl Columns {
    fn of(area: Rect) -> Self {
        let from = |x: u16, width: u16| Rect {
            x: area.x + x.min(area.width),
            width: width.min(area.width.saturating_sub(x)),
            height: 1,
            ..area
        };
        let behind = STANDING + 2;
        if area.width < WIDE {
            let values = 24.min(area.width / 3);
            let title = area.width.saturating_sub(behind + values + 2);
            return Self {
                title: from(behind, title),
                left: from(behind + title + 2, values),
                right: None,
            };
        }
        let values = (area.width - behind) / 4;
        let title = area.width.saturating_sub(behind + 2 * values + 2);
        Self {
            title: from(behind, title),
            left: from(behind + title + 1, values.saturating_sub(1)),
            right: Some(from(behind + title + 1 + values, values.saturating_sub(1))),
        }
    }

    fn at(self, row: u16) -> Self {
        let down = |area: Rect| Rect { y: row, ..area };
        Self {
            title: down(self.title),
            left: down(self.left),
            right: self.right.map(down),
        }
    }
}

/// Draws the comparison.
pub fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let size = (body.width, body.height);
    let Some(compared) = cx.app.compared() else {
        return;
    };
    let counts = counts(cx, compared);
    let inner = window(cx, body, buf, hits, size, "Two runs", Role::Focus, &counts);
    names(cx, inner, buf, compared);
    let heads = put::below(inner, 3);
    let columns = Columns::of(Rect {
        width: inner.width.saturating_sub(1),
        ..heads
    });
    let dim = cx.look.style(Role::Dim);
    match columns.right {
        Some(right) => {
            put::text(
                buf,
                columns.left,
                0,
                0,
                "A",
                cx.look.bold(Role::Key),
                cx.look,
            );
            put::text(buf, right, 0, 0, "B", cx.look.bold(Role::Key), cx.look);
        }
        None => {
            put::text(
                buf,
                columns.left,
                0,
                0,
                "A / B",
                cx.look.bold(Role::Key),
                cx.look,
            );
        }
    }
    let head = match compared.durations() {
        Durations::Compared => "hop by hop",
        Durations::LeftOut => "hop by hop, durations left out",
    };
    put::text(buf, heads, 0, 2, head, dim, cx.look);
    let list = put::below(heads, 1);
    let rows = compared.rows();
    if rows.is_empty() {
        let text = if compared.is_stale() {
            "waiting for the first run to be read"
        } else {
            "nothing happened in either run"
        };
        put::text(buf, list, 1, 2, text, dim, cx.look);
    }
    let selected = compared.selected();
    let first = scroll::window(rows.len(), selected, usize::from(list.height));
    for ((place, (row, reach)), area) in rows.iter().enumerate().skip(first).zip(list.rows()) {
        hits.add(area, Target::OverlayRow(place));
        if place == selected {
            let mark = cx.look.glyphs.selected;
            put::text(buf, area, 0, 0, mark, cx.look.bold(Role::Accent), cx.look);
        }
        entry(cx, area, buf, compared, *row, *reach, columns.at(area.y));
    }
    scroll::bar(buf, list, rows.len(), first, cx.look);
}

fn counts(cx: &ViewCx, compared: &Compared) -> Line<'static> {
    let (counts, awaited) = compared.counts();
    let (dim, loud) = (cx.look.style(Role::Dim), cx.look.bold(Role::Warning));
    let differ = if counts.differ > 0 { loud } else { dim };
    let verb = if counts.differ == 1 {
        "differs"
    } else {
        "differ"
    };
    let mut spans = vec![
        span(format!(" {} the same  ", counts.same), dim),
        span(format!("{} {verb}  ", counts.differ), differ),
    ];
    for (count, word) in [
        (counts.only_left, "only A"),
        (counts.only_right, "only B"),
        (awaited, "not yet"),
    ] {
        if count > 0 {
            spans.push(span(format!("{count} {word}  "), dim));
        }
    }
    if compared.is_stale() && !compared.rows().is_empty() {
        spans.push(span("as of when it was opened ", loud));
    }
    Line::from(spans)
}

fn names(cx: &ViewCx, inner: Rect, buf: &mut Buffer, compared: &Compared) {
    let look = cx.look;
    let (left, right) = compared.names();
    let titles = [
        ("A", left, Some(cx.app.title())),
        ("B", right, compared.title()),
    ];
    for (row, (letter, name, title)) in (0..).zip(titles) {
        let title = title.filter(|title| title != name).unwrap_or_default();
        let line = Line::from(vec![
            span(format!("{letter} "), look.bold(Role::Key)),
            span(one_line(name), look.style(Role::Heading)),
            span(format!("  {}", one_line(title)), look.style(Role::Dim)),
        ]);
        put::line(buf, inner, row, &line, look);
    }
}

/// How the two sides stand to each other: glyph, word and colour.
pub fn standing(cx: &ViewCx, standing: &Relation, reach: Reach) -> Span<'static> {
    let look = cx.look;
    let (word, role) = match (reach, standing) {
        (Reach::Awaited, _) => ("not yet", Role::Dim),
        (Reach::Reached, Relation::Same) => ("same", Role::Dim),
        (Reach::Reached, Relation::Differs(_)) => ("differs", Role::Warning),
        (Reach::Reached, Relation::OnlyLeft) => ("only A", Role::Warning),
        (Reach::Reached, Relation::OnlyRight) => ("only B", Role::Warning),
    };
    let glyph = match (reach, standing) {
        (Reach::Awaited, _) => look.glyphs.waiting,
        (Reach::Reached, Relation::Same) => "=",
        (Reach::Reached, Relation::Differs(_)) => "!",
        (Reach::Reached, Relation::OnlyLeft) => "<",
        (Reach::Reached, Relation::OnlyRight) => ">",
    };
    let style = if role == Role::Warning {
        look.bold(role)
    } else {
        look.style(role)
    };
    span(format!("{glyph} {word}"), style)
}

fn entry(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    compared: &Compared,
    row: Row,
    reach: Reach,
    columns: Columns,
) {
    let look = cx.look;
    let (dim, heading) = (look.style(Role::Dim), look.style(Role::Heading));
    let behind = Rect {
        x: area.x + 2.min(area.width),
        width: STANDING,
        ..area
    };
    let mut stands = |of: &Relation| {
        let line = Line::from(standing(cx, of, reach));
        put::line(buf, behind, 0, &line, look);
    };
    let faded = |style| if reach == Reach::Awaited { dim } else { style };
    match row {
        Row::Runs => {
            let line = Line::styled("the runs as a whole", heading);
            put::line(buf, columns.title, 0, &line, look);
        }
        Row::Run(_) => {
            if let Some(found) = compared.difference(row) {
                stands(&Relation::Differs(Vec::new()));
                let title = Line::from(span(
                    format!("  {}", found.what),
                    faded(look.style(Role::Text)),
                ));
                put::line(buf, columns.title, 0, &title, look);
                both(cx, buf, columns, &as_statement(found));
            }
        }
        Row::Detail(_, hop, _) => {
            if let Some(found) = compared.difference(row) {
                let indent = if hop.is_some() { "    " } else { "  " };
                let title = Line::from(span(format!("{indent}{}", found.what), dim));
                put::line(buf, columns.title, 0, &title, look);
                both(cx, buf, columns, found);
            }
        }
        Row::Same(_, _, count) => {
            stands(&Relation::Same);
            let key = cx.app.keymap().shown(Command::Accept);
            let title = Line::from(span(format!("  {count} hops: {key} shows them"), dim));
            put::line(buf, columns.title, 0, &title, look);
        }
        Row::Call(call) => {
            let Some(pair) = compared.call(call) else {
                return;
            };
            let outside = pair.left.is_none() && pair.right.is_none();
            if !outside {
                stands(&pair.standing);
            }
            let title = Line::from(span(one_line(&pair.title), faded(heading)));
            put::line(buf, columns.title, 0, &title, look);
            ended(cx, buf, columns, call_ended(pair, look), pair.took);
        }
        Row::Hop(..) => {
            let Some(pair) = compared.pair(row) else {
                return;
            };
            stands(&pair.standing);
            let style = match (reach, &pair.standing) {
                (Reach::Awaited, _) | (Reach::Reached, Relation::Same) => dim,
                (Reach::Reached, _) => look.style(Role::Text),
            };
            let title = one_line(&pair.title);
            let title = told_within(&title, columns.title.width.saturating_sub(2));
            let title = Line::from(span(format!("  {title}"), style));
            put::line(buf, columns.title, 0, &title, look);
            let ends = hop_ended(cx, compared, pair);
            ended(cx, buf, columns, ends, pair.took);
        }
    }
}

/// A hop's title, `MCP server → Zone: exchange for Linear API (write)`; where there is little room without
/// who asks, and where there is less without who is asked.
fn told_within(title: &str, room: u16) -> &str {
    let room = usize::from(room);
    let asked = title.split_once("→ ").map(|(_, asked)| asked);
    match (asked, title.split_once(": ")) {
        (Some(asked), _) if room < LITTLE && width(asked) <= room => asked,
        (Some(_), Some((_, what))) if room < LITTLE => what,
        _ => title,
    }
}

/// Both values of a difference.
fn both(cx: &ViewCx, buf: &mut Buffer, columns: Columns, found: &Difference) {
    let look = cx.look;
    let word = |text: &str| {
        let role = if text.is_empty() {
            Role::Dim
        } else {
            Role::Text
        };
        span(value(text), look.style(role))
    };
    let (left, right) = (word(&found.left), word(&found.right));
    if let Some(area) = columns.right {
        put::line(buf, columns.left, 0, &Line::from(left), look);
        put::line(buf, area, 0, &Line::from(right), look);
        return;
    }
    let half = usize::from(columns.left.width.saturating_sub(3) / 2);
    let spare = half.saturating_sub(width(&left.content).min(half));
    let cut = |span: Span<'static>, room: usize| {
        Span::styled(truncate(&span.content, room).into_owned(), span.style)
    };
    let line = Line::from(vec![
        cut(left, half),
        span(" / ", look.style(Role::Dim)),
        cut(right, half + spare),
    ]);
    put::line(buf, columns.left, 0, &line, look);
}

/// How a call ended, on either side.
fn call_ended(pair: &Pair<HopPair>, look: &Look) -> (Option<Span<'static>>, Option<Span<'static>>) {
    let words = |side: &Option<String>| {
        side.as_deref().map(|word| match word {
            "succeeded" => Verdict::Good.show(word, look),
            "refused" | "failed" | "did not come through" => Verdict::Bad.show(word, look),
            word => Verdict::Waiting.show(word, look),
        })
    };
    (words(&pair.left), words(&pair.right))
}

/// How a hop ended, on either side, as the flow says it.
fn hop_ended(
    cx: &ViewCx,
    compared: &Compared,
    pair: &HopPair,
) -> (Option<Span<'static>>, Option<Span<'static>>) {
    let words = |run: &Projection, id: Option<HopId>| {
        let hop = run.hops().get(id?)?;
        Some(panes::hop_verdict(hop, cx.look))
    };
    (
        words(cx.app.this_side(), pair.ids.0),
        words(compared.other(), pair.ids.1),
    )
}

/// Both sides' ends and how long they took.
fn ended(
    cx: &ViewCx,
    buf: &mut Buffer,
    columns: Columns,
    (a, b): (Option<Span<'static>>, Option<Span<'static>>),
    (took, other): (Option<u64>, Option<u64>),
) {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    let absent = || span(look.glyphs.dash, dim);
    if a.is_none() && b.is_none() {
        return;
    }
    let Some(area) = columns.right else {
        let mut spans = vec![a.clone().unwrap_or_else(absent)];
        if a != b {
            spans.push(span(" / ", dim));
            spans.push(b.unwrap_or_else(absent));
        }
        return put::line(buf, columns.left, 0, &Line::from(spans), look);
    };
    for (place, side, took) in [(columns.left, a, took), (area, b, other)] {
        let took = took.filter(|_| side.is_some());
        let line = Line::from(vec![
            side.unwrap_or_else(absent),
            span(
                took.map_or_else(String::new, |took| format!("  {}", duration(took))),
                dim,
            ),
        ]);
        put::line(buf, place, 0, &line, look);
    }
}

/// Of what a run should come to, whether it did: `The text is masked`, yes and not so. An issue that is filed
/// with the server's own key is filed, but not as it should be.
pub fn as_statement(found: &Difference) -> Difference {
    let said = |word: &str| match word {
        "done" => "yes".to_owned(),
        "wrong" => "not so".to_owned(),
        word => word.to_owned(),
    };
    Difference {
        left: said(&found.left),
        right: said(&found.right),
        ..found.clone()
    }
}

/// A value as a person reads it.
pub fn value(text: &str) -> String {
    match text {
        "" => "none".to_owned(),
        // The zone's and the screens' own word for it.
        "denied" => "refused".to_owned(),
        text => one_line(text),
    }
}
