//! Flow: lanes for the parties, time runs down, one row per hop. Where lanes do not fit, a row
//! reads `Server → Zone`.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    Placement, behind_gutter, counted, fitting,
    lanes::{self, Lanes, Stroke},
    or_dash, rows_in_view, selectable, short_resource,
};
use crate::{
    app::{
        command::Command,
        focus::{Layout, PaneId, Zoom},
        panes::flow::{FlowRow, Section, policy_set, section},
        player::Source,
        story::{self, Done},
        target::Target,
    },
    projection::{
        Hop, HopId, HopKind, Verdict as HopVerdict, story::LIMIT_LINEAR_SCOPES, tools::Call,
    },
    protocol::console::Owner,
    support::text::{duration, one_line, shorten_middle, truncate, width},
    trace::{
        Actor,
        event::{CallOutcome, Leg},
    },
    ui::{
        HitMap, ViewCx,
        look::Role,
        timeline,
        widgets::{
            put::{self, span},
            scroll,
            verdict::Verdict,
        },
    },
};

/// The way into the chapters.
const CHAPTER: Command = Command::Show(PaneId::Chapter);
/// Cells for verdict, duration and credential, with their gaps.
const FIXED: u16 = 1 + 9 + 1 + 1 + 7 + 1 + 2;
/// From here on a row in words has room for duration and credential.
const ROOMY: u16 = 56;
/// Cells for what was asked: `issues:create`.
const LEAST_WORDS: u16 = 14;
/// Cells between the letters and the edge, where the scroll bar is.
const KEY_GAP: u16 = 2;

/// `610 µs` and the credential's letter.
const USUAL_DETAIL: u16 = 8;
/// Cells for `Server → Supabase` in rows of words.
const WAY: u16 = 19;

/// Counts for the title.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let flow = &cx.app.panes().flow;
    let (shown, _) = cx.app.flow_counts();
    let mut line = counted(cx, PaneId::Flow, shown, ("hop", "hops"), flow.filter());
    if !flow.follows() {
        line.push_span(span(
            format!("{} {} ", cx.look.glyphs.dot, "G follows"),
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
    if let Some(rows) = last_group(cx, usize::from(body.height)) {
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
    for (place, row, line) in rows_in_view(body, list) {
        hits.add(line, Target::Row(PaneId::Flow, place));
        let chosen = place == list.selected();
        let inside = selectable(cx, buf, line, chosen, placement);
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

/// On the stage, while the end is followed: the last group alone, and of a long one what the
/// zone issued or refused. `None` where the reader moves through all rows.
fn last_group(cx: &ViewCx, height: usize) -> Option<Vec<(usize, FlowRow)>> {
    let focus = cx.app.focus();
    let list = &cx.app.panes().flow;
    if focus.layout != Layout::Stage || focus.zoom == Zoom::On || !list.follows() {
        return None;
    }
    let rows = list.rows();
    let start = rows
        .iter()
        .rposition(|row| matches!(row, FlowRow::Heading(_)))?;
    let mut group: Vec<_> = (start..).zip(rows.from(start).copied()).collect();
    if group.len() > height {
        group.retain(|(_, row)| !matches!(row, FlowRow::Hop(_)) || is_exchange(cx, *row));
    }
    let over = group.len().saturating_sub(height);
    group.drain(..over);
    Some(group)
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

/// `policy: limit-linear-scopes is off · default-zone-policies in force`
fn policy(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop) {
    let look = cx.look;
    let policies = cx.app.projection().policies();
    let set = policy_set(hop).and_then(|id| {
        let sets = &policies.overview()?.sets;
        sets.iter().find(|set| set.id == id)
    });
    // What a set holds is known of the platform's own, which has no rule of the workshop's, and
    // of the one in force.
    let rule = set.and_then(|set| match set.owner_type {
        Owner::Platform => Some(false),
        Owner::Customer => set
            .active_version
            .and_then(|_| policies.is_active(LIMIT_LINEAR_SCOPES)),
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
    let name = set.map_or_else(|| "another set".to_owned(), |set| one_line(&set.name));
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

/// What the pane teaches before anything happened.
fn first_screen(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    placement: Placement,
) {
    if !cx.app.filter_of(PaneId::Flow).is_empty() {
        return super::nothing_found(cx, area, buf, PaneId::Flow, "hop");
    }
    if let Source::Opening(opening) = cx.app.source()
        && !opening.name.is_empty()
    {
        let name = one_line(&opening.name);
        let text = match opening.percent {
            0 => format!("{name} is being read, and is shown when all has come that there is."),
            percent => format!(
                "{name} is being read, and is shown from its beginning when all of it is there: {percent} %.",
            ),
        };
        return super::teach(
            cx,
            area,
            buf,
            &[&text, "Until then the panes say what they will show."],
            &[],
        );
    }
    if timeline::is_shown(cx.app.source()) {
        return super::teach(
            cx,
            area,
            buf,
            &["This is the beginning of the trace: nothing has happened yet."],
            super::REPLAY,
        );
    }
    let look = cx.look;
    let area = put::inset(area, 2);
    let intro = "Every hop of a credential will appear here as it happens: who asked, for whom, \
                 for which resource, with which scope, and what came back. The zone is the \
                 authorization server: Keycard, or the lab's stand-in for it.";
    let mut lines: Vec<(Line<'static>, Option<Command>)> =
        crate::support::text::wrap(intro, usize::from(area.width.min(76)))
            .into_iter()
            .map(|line| (Line::raw(line), None))
            .collect();
    lines.push((Line::raw(""), None));
    let next = story::next(cx.app).command;
    for step in story::steps(cx.app) {
        let (mark, style) = match step.done {
            Done::Yes => (look.glyphs.good, look.style(Role::Good)),
            Done::NotYet if step.command == next => (look.glyphs.open, look.bold(Role::Accent)),
            Done::NotYet => (" ", Style::new()),
        };
        let title = if step.command == next {
            look.style(Role::Heading)
        } else {
            Style::new()
        };
        let line = Line::from(vec![
            span(format!("{mark} "), style),
            span(
                format!("{:<3}", cx.app.keymap().shown(step.command)),
                look.bold(Role::Key),
            ),
            span(format!("{:<19}", step.title), title),
            span(step.shows, look.style(Role::Dim)),
        ]);
        lines.push((line, Some(step.command)));
        if area.height >= 16 && placement == Placement::Main {
            lines.push((Line::raw(""), None));
        }
    }
    if cx.app.learn().is_some() {
        let line = Line::from(vec![
            Span::raw("  "),
            span(
                format!("{:<3}", cx.app.keymap().shown(CHAPTER)),
                look.bold(Role::Key),
            ),
            span(format!("{:<19}", "or learn it"), Style::new()),
            span(
                "nine chapters, from the open door on",
                look.style(Role::Dim),
            ),
        ]);
        lines.push((line, Some(CHAPTER)));
    }
    if area.height < 16 {
        lines.push((Line::raw(""), None));
    }
    let layout = match cx.app.focus().layout {
        Layout::Explore | Layout::Learn => "projector layout ",
        Layout::Stage => "explore layout   ",
    };
    lines.push((
        Line::from(vec![
            span(
                format!("  {:<3}", cx.app.keymap().shown(Command::Help)),
                look.bold(Role::Key),
            ),
            span("every key        ", look.style(Role::Dim)),
            span(
                format!("  {:<3}", cx.app.keymap().shown(Command::SwitchLayout)),
                look.bold(Role::Key),
            ),
            span(layout, look.style(Role::Dim)),
            span(
                format!("  {:<3}", cx.app.keymap().shown(Command::NextPane)),
                look.bold(Role::Key),
            ),
            span(" next pane", look.style(Role::Dim)),
        ]),
        Some(Command::Help),
    ));
    let top = u16::from(area.height > 18);
    for (row, (line, command)) in (top..area.height).zip(&lines) {
        put::line(buf, area, row, line, look);
        if let Some(command) = command {
            let place = Rect {
                y: area.y + row,
                height: 1,
                ..area
            };
            hits.add(place, Target::Command(*command));
        }
    }
}

/// `▸ escalate_ticket 7f3a…  ───────  ✓ done · 4 issued  2.1 ms`
fn heading(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop) {
    let look = cx.look;
    let call = match section(hop) {
        Section::Call(id) => cx.app.projection().tools().call(id),
        Section::SignIn | Section::Session => None,
    };
    let name = match (section(hop), call) {
        (Section::Call(_), Some(call)) => call.tool.to_string(),
        (Section::Call(_), None) => "a call that was not observed".to_owned(),
        (Section::SignIn, _) => "sign-in".to_owned(),
        (Section::Session, _) => "session".to_owned(),
    };
    let mut left = vec![span(name, look.style(Role::Heading))];
    let right = call.map_or_else(Vec::new, |call| outcome(cx, call, row.width));
    let right = Line::from(right);
    if let Some(subject) = call.and_then(|call| about(cx, call)) {
        let taken = put::line_width(&right) + width(&left[0].content) + 7;
        let room = usize::from(row.width).saturating_sub(taken);
        if room > 4 {
            left.push(span(
                format!("  {}", truncate(&subject, room)),
                look.style(Role::Dim),
            ));
        }
    }
    left.push(Span::raw(" "));
    put::rule(
        buf,
        row,
        0,
        look.glyphs.horizontal,
        look.style(Role::Border),
    );
    put::line(buf, row, 0, &Line::from(left), look);
    let place = Rect {
        width: row.width.saturating_sub(1),
        ..row
    };
    put::line_right(buf, place, 0, &right, look);
}

/// What a call is about, in the words of people: the ticket's subject, the issue's name.
fn about(cx: &ViewCx, call: &Call) -> Option<String> {
    let issues = cx.app.projection().issues();
    if let Some(ticket) = call.ticket.and_then(|id| issues.ticket(id)) {
        return Some(one_line(&ticket.subject));
    }
    let subject = call.subject.as_deref()?;
    Some(match issues.issue(subject) {
        Some(issue) if !issue.identifier.is_empty() => issue.identifier.to_string(),
        Some(_) | None => shorten_middle(subject, 13).into_owned(),
    })
}

fn outcome(cx: &ViewCx, call: &Call, room: u16) -> Vec<Span<'static>> {
    let look = cx.look;
    let told = story::issuance(cx.app, call);
    let verdict = match call.outcome {
        None => Verdict::Waiting.show("running", look),
        Some(CallOutcome::Succeeded) => Verdict::Good.show("done", look),
        Some(CallOutcome::Failed) if told.refused > 0 => Verdict::Bad.show("refused", look),
        Some(CallOutcome::Failed) => Verdict::Bad.show("failed", look),
        Some(CallOutcome::Broken) => Verdict::Bad.show("broken", look),
        Some(CallOutcome::Cancelled) => Verdict::Neutral.show("called off", look),
    };
    let mut spans = vec![Span::raw(" "), verdict];
    if room < ROOMY {
        spans.push(Span::raw(" "));
        return spans;
    }
    if told.issued > 0 {
        spans.push(span(format!("  {} issued", told.issued), Style::new()));
    }
    if let Some(micros) = call.duration_us {
        spans.push(span(
            format!("  {:>7}", duration(micros)),
            look.style(Role::Text),
        ));
    }
    spans.push(Span::raw(" "));
    spans
}

/// The verdict's glyph and word.
#[must_use]
pub fn verdict(hop: &Hop, look: &crate::ui::look::Look) -> Span<'static> {
    let (verdict, word) = match (hop.verdict, hop.kind) {
        (HopVerdict::Held, _) => (Verdict::Waiting, "held".to_owned()),
        (HopVerdict::Pending, _) => (Verdict::Waiting, "waiting".to_owned()),
        (HopVerdict::Ok, HopKind::Exchange) => (Verdict::Good, "issued".to_owned()),
        (HopVerdict::Denied, HopKind::Exchange) => (Verdict::Bad, "refused".to_owned()),
        (HopVerdict::Ok, HopKind::Request | HopKind::Upstream | HopKind::Browser) => (
            Verdict::Good,
            hop.status.map_or("ok".to_owned(), |s| s.to_string()),
        ),
        // A first request without a token is meant to be refused: 401 is how the client learns
        // whom to ask. It is a refusal all the same, but none of policy.
        (HopVerdict::Denied, HopKind::Request) if hop.status == Some(401) => {
            (Verdict::Neutral, "401".to_owned())
        }
        (HopVerdict::Failed, HopKind::Browser) if called_off(hop) => {
            return span(format!("{} called off", look.fit("–")), Style::new());
        }
        (HopVerdict::Failed | HopVerdict::Denied, _) => {
            // The transport's 200 would belie the tool's own error.
            let told = hop.status.filter(|status| *status >= 400);
            let word = if hop.verdict == HopVerdict::Denied {
                "refused"
            } else {
                "failed"
            };
            (
                Verdict::Bad,
                told.map_or_else(|| word.to_owned(), |status| status.to_string()),
            )
        }
    };
    verdict.show(&word, look)
}

/// True for a sign-in that the person called off: no fault of anybody's.
fn called_off(hop: &Hop) -> bool {
    hop.kind == HopKind::Browser && hop.note.as_deref() == Some("called off")
}

/// What was asked, as short as the room wants it.
fn words(cx: &ViewCx, hop: &Hop, room: u16) -> Line<'static> {
    let look = cx.look;
    match hop.kind {
        HopKind::Exchange => {
            let resource = hop.resource.as_deref();
            let scope = hop.scope.as_deref();
            let scope_span = |text: &str| span(text.to_owned(), look.style(Role::Heading));
            match (resource, scope) {
                (Some(resource), Some(scope)) if room >= 32 => Line::from(vec![
                    span(format!("{resource}  "), Style::new()),
                    scope_span(scope),
                ]),
                (Some(resource), Some(scope)) => {
                    let short = short_resource(resource);
                    let fits = |name: &&str| width(name) + 2 + width(scope) <= usize::from(room);
                    let name = [Some(short), lanes::shortest(short)]
                        .into_iter()
                        .flatten()
                        .find(fits);
                    let mut spans = Vec::new();
                    spans.extend(name.map(|name| span(format!("{name}: "), Style::new())));
                    spans.push(scope_span(scope));
                    Line::from(spans)
                }
                (None, Some(scope)) => Line::from(scope_span(scope)),
                (resource, None) => Line::from(or_dash(
                    resource.map(|name| fitting(name, room)),
                    Style::new(),
                    look,
                )),
            }
        }
        HopKind::Upstream => {
            let mut spans = vec![span(short_path(&hop.title, room), Style::new())];
            if let Some(name) = &hop.acted_as {
                spans.push(span(format!(" as {name}"), Style::new()));
            }
            Line::from(spans)
        }
        HopKind::Request | HopKind::Browser => {
            let title = match hop.leg {
                Some(Leg::Discovery) => hop.title.replace("/.well-known/", ""),
                // The heading names the tool.
                Some(Leg::Mcp) if hop.call.is_some() => {
                    let method = hop.title.split_whitespace().next();
                    method.unwrap_or_default().to_owned()
                }
                Some(
                    Leg::Registration
                    | Leg::Authorization
                    | Leg::Callback
                    | Leg::Token
                    | Leg::Mcp
                    | Leg::Console,
                )
                | None => hop.title.to_string(),
            };
            Line::raw(title)
        }
    }
}

/// `GET /rest/v1/tickets`, where there is no room `GET …/tickets`.
fn short_path(title: &str, room: u16) -> String {
    match (title.split_once(' '), title.rsplit_once('/')) {
        (Some((method, _)), Some((_, last))) if width(title) > usize::from(room) => {
            format!("{method} …/{last}")
        }
        _ => title.to_owned(),
    }
}

fn credential(cx: &ViewCx, hop: &Hop) -> Span<'static> {
    match hop.credential {
        Some(credential) => span(credential.letter.to_string(), cx.look.bold(Role::Masked)),
        None => Span::raw(" "),
    }
}

fn took(cx: &ViewCx, hop: &Hop) -> String {
    let took = cx.app.projection().hops().took_us(hop);
    took.map_or(String::new(), duration)
}

/// How an arrow looks: a refusal stands out, the rest is plain. Reverse is for words only.
fn ink(cx: &ViewCx, hop: &Hop) -> Style {
    let style = match (hop.verdict, hop.kind) {
        (HopVerdict::Pending, _) => cx.look.style(Role::Dim),
        (HopVerdict::Held, _) => cx.look.bold(Role::Warning),
        (HopVerdict::Ok, HopKind::Exchange) => cx.look.style(Role::Good),
        (HopVerdict::Denied, HopKind::Request) if hop.status == Some(401) => Style::new(),
        (HopVerdict::Failed, HopKind::Browser) if called_off(hop) => Style::new(),
        (HopVerdict::Denied | HopVerdict::Failed, _) => cx.look.bold(Role::Bad),
        (HopVerdict::Ok, HopKind::Request | HopKind::Upstream | HopKind::Browser) => Style::new(),
    };
    style.remove_modifier(Modifier::REVERSED)
}

fn in_lanes(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop, lanes: Lanes) {
    lanes.lines(buf, row, cx.look);
    lanes.arrow(
        buf,
        row,
        hop.from,
        hop.to,
        Stroke::Solid,
        ink(cx, hop),
        cx.look,
    );
    let rest = Rect {
        x: row.x + lanes.width() + 1,
        width: row.width.saturating_sub(lanes.width() + 1),
        ..row
    };
    told(cx, rest, buf, hop, Detail::All);
}

/// Whether there is room for duration and credential.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    All,
    Short,
}

/// Verdict, words, duration, credential.
fn told(cx: &ViewCx, area: Rect, buf: &mut Buffer, hop: &Hop, detail: Detail) {
    let verdict = verdict(hop, cx.look);
    let start = u16::try_from(width(&verdict.content) + 1).map_or(10, |cells| cells.max(10));
    put::line(buf, area, 0, &Line::from(verdict), cx.look);
    let taken = match detail {
        Detail::All => {
            let end = Rect {
                width: area.width.saturating_sub(KEY_GAP),
                ..area
            };
            let right = Line::from(vec![
                span(format!("{} ", took(cx, hop)), cx.look.style(Role::Dim)),
                credential(cx, hop),
            ]);
            put::line_right(buf, end, 0, &right, cx.look);
            // As much as a duration mostly needs: the words stay as they are when it is known.
            let taken = u16::try_from(right.width()).unwrap_or(area.width);
            1 + taken.max(USUAL_DETAIL) + KEY_GAP
        }
        Detail::Short => 0,
    };
    let middle = Rect {
        x: area.x + start.min(area.width),
        width: area.width.saturating_sub(start + taken),
        ..area
    };
    put::line(buf, middle, 0, &words(cx, hop, middle.width), cx.look);
}

fn in_words(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop) {
    let short = |actor: Actor| match actor {
        Actor::Server => "Server",
        Actor::You
        | Actor::Client
        | Actor::Zone
        | Actor::Supabase
        | Actor::Anthropic
        | Actor::Linear => actor.name(),
    };
    let way = Line::from(vec![
        span(format!("{:>6} ", short(hop.from)), Style::new()),
        span(cx.look.glyphs.arrow, ink(cx, hop)),
        span(format!(" {}", short(hop.to)), Style::new()),
    ]);
    put::line(buf, row, 0, &way, cx.look);
    let rest = Rect {
        x: row.x + WAY.min(row.width),
        width: row.width.saturating_sub(WAY),
        ..row
    };
    let detail = if row.width < ROOMY {
        Detail::Short
    } else {
        Detail::All
    };
    told(cx, rest, buf, hop, detail);
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
