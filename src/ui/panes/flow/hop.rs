//! One hop in a row, in lanes or in words: who asked whom, what for, and what came back.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{KEY_GAP, ROOMY, WAY};
use crate::{
    projection::{Hop, HopKind, Verdict as HopVerdict},
    support::text::{duration, width},
    trace::{Actor, event::Leg},
    ui::{
        ViewCx,
        look::{Look, Role},
        panes::{
            fitting,
            lanes::{self, Lanes, Stroke},
            or_dash, short_resource,
        },
        widgets::{
            put::{self, span},
            verdict::Verdict,
        },
    },
};

/// `610 µs` and the credential's letter.
const USUAL_DETAIL: u16 = 8;

/// The verdict's glyph and word.
#[must_use]
pub fn verdict(hop: &Hop, look: &Look) -> Span<'static> {
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
pub(super) fn ink(cx: &ViewCx, hop: &Hop) -> Style {
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

pub(super) fn in_lanes(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop, lanes: Lanes) {
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

pub(super) fn in_words(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop) {
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
