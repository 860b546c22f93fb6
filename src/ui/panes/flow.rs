//! Flow: lanes for the parties, time runs down, one row per hop. Where lanes do not fit, a row
//! reads `Server → Zone`.

pub(super) mod hop;

mod first_screen;
mod heading;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use self::{
    first_screen::first_screen,
    heading::heading,
    hop::{in_lanes, in_words, ink, verdict},
};
use super::{
    Placement, behind_gutter, counted,
    lanes::{Lanes, Stroke},
    rows_in_view, selectable, short_resource,
};
use crate::{
    app::{
        command::Command,
        focus::{Layout, PaneId, Zoom},
        panes::flow::FlowRow,
        target::Target,
    },
    projection::{Hop, HopId, HopKind, Verdict as HopVerdict, story::LIMIT_LINEAR_SCOPES},
    protocol::console::Owner,
    support::text::{one_line, width},
    trace::Actor,
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::{
            put::{self, span},
            scroll,
            verdict::Verdict,
        },
    },
};

/// Cells for verdict, duration and credential, with their gaps.
const FIXED: u16 = 1 + 9 + 1 + 1 + 7 + 1 + 2;
/// From here on a row in words has room for duration and credential.
const ROOMY: u16 = 56;
/// Cells for what was asked: `issues:create`.
const LEAST_WORDS: u16 = 14;
/// Cells between the letters and the edge, where the scroll bar is.
const KEY_GAP: u16 = 2;

/// Cells for `Server → Supabase` in rows of words.
const WAY: u16 = 19;

/// Counts for the title.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let flow = &cx.app.panes().flow;
    let (shown, _) = cx.app.flow_counts();
    let mut line = counted(cx, PaneId::Flow, shown, ("hop", "hops"), flow.filter());
    if !flow.follows() {
        let key = cx.app.keymap().shown(Command::Bottom);
        line.push_span(span(
            format!("{} {key} follows ", cx.look.glyphs.dot),
            cx.look.style(Role::Dim),
        ));
    }
    line
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap, placement: Placement) {
    let list = &cx.app.panes().flow;
    let empty = list.rows().is_empty();
    let beside = match area.width {
        // Nothing stands beside the lanes yet.
        _ if empty => 0,
        122.. => FIXED + 30,
        101.. => FIXED + 24,
        _ => FIXED + LEAST_WORDS,
    };
    let lanes = Lanes::fit(area.width.saturating_sub(2), beside);
    let body = match lanes {
        Some(lanes) => {
            let head = Rect {
                x: area.x + 2,
                width: area.width - 2,
                ..area
            };
            lanes.headings(buf, head, 0, cx.look);
            if !empty {
                let key = Rect {
                    width: head.width.saturating_sub(KEY_GAP),
                    ..head
                };
                let word = Line::styled("key", cx.look.style(Role::Heading));
                put::line_right(buf, key, 0, &word, cx.look);
            }
            put::below(area, 1)
        }
        None => area,
    };
    if empty {
        if let Some(lanes) = lanes {
            let row = Rect {
                x: body.x + 2,
                width: body.width.saturating_sub(2),
                height: 1.min(body.height),
                ..body
            };
            lanes.lines(buf, row, cx.look);
        }
        return first_screen(cx, put::below(body, 2), buf, hits, placement);
    }
    if let Some(rows) = last_groups(cx, usize::from(body.height)) {
        for ((place, row), line) in rows.into_iter().zip(body.rows()) {
            hits.add(line, Target::Row(PaneId::Flow, place));
            let inside = behind_gutter(line, placement);
            drawn(cx, inside, buf, (place, row), lanes);
            if matches!(row, FlowRow::NoCall(_)) || is_exchange(cx, row) {
                let bold = Style::new().add_modifier(Modifier::BOLD);
                buf.set_style(put::on_screen(inside, buf), bold);
            }
        }
        return;
    }
    // Beside the lanes a cell is free for the bar.
    let is_covered = lanes.is_none() && list.rows().len() > usize::from(body.height);
    for (place, row, line) in rows_in_view(body, list) {
        hits.add(line, Target::Row(PaneId::Flow, place));
        let chosen = place == list.selected();
        let inside = selectable(cx, buf, line, chosen, placement);
        let inside = Rect {
            width: inside.width.saturating_sub(u16::from(is_covered)),
            ..inside
        };
        drawn(cx, inside, buf, (place, row), lanes);
    }
    let first = scroll::window(list.rows().len(), list.selected(), usize::from(body.height));
    scroll::bar(buf, body, list.rows().len(), first, cx.look);
}

fn drawn(
    cx: &ViewCx,
    inside: Rect,
    buf: &mut Buffer,
    (place, row): (usize, FlowRow),
    lanes: Option<Lanes>,
) {
    let Some(hop) = cx.app.projection().hops().get(row.hop()) else {
        return;
    };
    match (row, lanes) {
        (FlowRow::Heading(_), _) => heading(cx, inside, buf, hop),
        (FlowRow::Folded(_), _) if cx.app.folded_steps(place) > 1 => {
            folded(cx, inside, buf, place, lanes);
        }
        (FlowRow::Hop(_) | FlowRow::Folded(_), Some(lanes)) => {
            in_lanes(cx, inside, buf, hop, lanes);
        }
        (FlowRow::Hop(_) | FlowRow::Folded(_), None) => in_words(cx, inside, buf, hop),
        (FlowRow::NoCall(id), lanes) => no_call(cx, inside, buf, id, lanes),
        (FlowRow::Policy(_), _) => policy(cx, inside, buf, hop),
    }
}

fn is_exchange(cx: &ViewCx, row: FlowRow) -> bool {
    matches!(row, FlowRow::Hop(id) if cx
        .app
        .projection()
        .hops()
        .get(id)
        .is_some_and(|hop| hop.kind == HopKind::Exchange))
}

/// On the stage, while the end is followed: the last groups that fit whole; of the one before them,
/// and of one that is too long by itself, what the zone issued or refused. `None` where the reader
/// moves through all rows.
fn last_groups(cx: &ViewCx, height: usize) -> Option<Vec<(usize, FlowRow)>> {
    let focus = cx.app.focus();
    let list = &cx.app.panes().flow;
    if focus.layout != Layout::Stage || focus.zoom == Zoom::On || !list.follows() {
        return None;
    }
    let rows = list.rows();
    let begins = |row: &FlowRow| matches!(row, FlowRow::Heading(_));
    let fits = rows.len().saturating_sub(height);
    let start = match rows.from(fits).position(begins) {
        Some(behind) => fits + behind,
        None => rows.iter().rposition(begins)?,
    };
    let issued = |(_, row): &(usize, FlowRow)| match row {
        FlowRow::Hop(_) => is_exchange(cx, *row),
        _ => true,
    };
    let mut shown: Vec<_> = (start..).zip(rows.from(start).copied()).collect();
    if shown.len() > height {
        shown.retain(issued);
    }
    let over = shown.len().saturating_sub(height);
    shown.drain(..over);
    let Some(before) = rows.iter().take(start).rposition(begins) else {
        return Some(shown);
    };
    let before = (before..start).zip(rows.from(before).copied());
    let mut before: Vec<_> = before.filter(issued).collect();
    let exchanged = before.iter().any(|(_, row)| is_exchange(cx, *row));
    if exchanged && before.len() + shown.len() <= height {
        before.append(&mut shown);
        return Some(before);
    }
    Some(shown)
}

/// The browser's steps as one row.
fn folded(cx: &ViewCx, row: Rect, buf: &mut Buffer, place: usize, lanes: Option<Lanes>) {
    let look = cx.look;
    let Some(hop) = cx.app.folded_worst(place) else {
        return;
    };
    let steps = cx.app.folded_steps(place);
    let start = if let Some(lanes) = lanes {
        lanes.lines(buf, row, look);
        let ink = ink(cx, hop);
        lanes.arrow(buf, row, Actor::You, Actor::Zone, Stroke::Solid, ink, look);
        lanes.width() + 1
    } else {
        put::text(buf, row, 0, 0, "   You", Style::new(), look);
        put::text(buf, row, 0, 7, look.glyphs.arrow, ink(cx, hop), look);
        put::text(buf, row, 0, 9, "Zone", Style::new(), look);
        WAY
    };
    let word = match verdict(hop, look) {
        // One page's 302 is not how the whole went.
        _ if hop.verdict == HopVerdict::Ok => Verdict::Good.show("ok", look),
        other => other,
    };
    let mut line = Line::from(vec![
        word.clone(),
        Span::raw(" ".repeat(10_usize.saturating_sub(width(&word.content)).max(1))),
        span(format!("sign in and consent ({steps} steps)"), Style::new()),
    ]);
    let hint = format!("  {} unfolds", cx.app.keymap().shown(Command::Unfold));
    let room = usize::from(row.width.saturating_sub(start + KEY_GAP));
    if put::line_width(&line) + width(&hint) <= room {
        line.push_span(span(hint, look.style(Role::Dim)));
    }
    put::line(buf, from_left(row, start), 0, &line, look);
}

/// `policy: limit-linear-scopes is off · default-zone-policies v1 in force`
fn policy(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop) {
    let look = cx.look;
    let policies = cx.app.projection().policies();
    let set = hop.policy_set().and_then(|id| {
        let sets = &policies.overview()?.sets;
        sets.iter().find(|set| set.id == id)
    });
    // The version is the zone's to tell, in the row that it wrote of this request.
    let told = hop
        .policy_set()
        .and_then(|id| policies.activation_after(id, hop.evidence.sent?));
    // What a set holds is known of the platform's own, which has no rule of the workshop's, of a
    // version that was read while it was active, and of the one in force.
    let rule = set.and_then(|set| match (set.owner_type, told) {
        (Owner::Platform, _) => Some(false),
        (Owner::Customer, Some(told)) => policies.has_rule(told),
        (Owner::Customer, None) => set
            .active_version
            .and_then(|_| policies.forbids(LIMIT_LINEAR_SCOPES)),
    });
    let mut spans = vec![span("policy: ", look.style(Role::Heading))];
    match rule {
        Some(true) => spans.push(span(
            format!("{LIMIT_LINEAR_SCOPES} is on"),
            look.bold(Role::Good),
        )),
        Some(false) => spans.push(span(
            format!("! {LIMIT_LINEAR_SCOPES} is off"),
            look.bold(Role::Warning),
        )),
        None => {}
    }
    let name = match (told, set) {
        (Some(told), _) => told.to_string(),
        (None, Some(set)) => one_line(&set.name),
        (None, None) => "another set".to_owned(),
    };
    let dot = if rule.is_some() {
        format!("  {} ", look.glyphs.dot)
    } else {
        String::new()
    };
    spans.push(span(format!("{dot}{name} in force "), Style::new()));
    put::rule(
        buf,
        row,
        0,
        look.glyphs.horizontal,
        look.style(Role::Border),
    );
    put::line(buf, row, 0, &Line::from(spans), look);
}

/// The call that never was: there was no credential to make it with.
fn no_call(cx: &ViewCx, row: Rect, buf: &mut Buffer, id: HopId, lanes: Option<Lanes>) {
    let style = cx.look.style(Role::Bad);
    let words = "no credential, no call";
    match (lanes, upstream_of(cx, id)) {
        (Some(lanes), Some(to)) => {
            lanes.lines(buf, row, cx.look);
            let ink = style.remove_modifier(Modifier::REVERSED);
            lanes.arrow(buf, row, Actor::Server, to, Stroke::Never, ink, cx.look);
            put::text(buf, row, 0, lanes.width() + 1, words, style, cx.look);
        }
        (Some(lanes), None) => {
            lanes.lines(buf, row, cx.look);
            put::text(buf, row, 0, lanes.width() + 1, words, style, cx.look);
        }
        (None, _) => {
            put::text(buf, row, 0, WAY, words, style, cx.look);
        }
    }
}

/// The service that the refused credential was for.
fn upstream_of(cx: &ViewCx, id: HopId) -> Option<Actor> {
    let seen = cx.app.projection();
    let hop = seen.hops().get(id)?;
    let Some(evidence) = hop.evidence.audit else {
        // The server's own report names the service.
        let name = hop.resource.as_deref()?;
        return [Actor::Supabase, Actor::Anthropic, Actor::Linear]
            .into_iter()
            .find(|actor| actor.name() == short_resource(name));
    };
    let row = seen
        .audit()
        .of_call(hop.call?)
        .find(|row| row.evidence == evidence)?;
    seen.service_of(row).map(Actor::from)
}

/// The area without its first `cells` columns.
fn from_left(area: Rect, cells: u16) -> Rect {
    let cells = cells.min(area.width);
    Rect {
        x: area.x + cells,
        width: area.width - cells,
        ..area
    }
}
