//! The inspector: one hop, one audit row or one event, close up.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{claims, extent, inspect_hop, window};
use crate::{
    app::{
        overlay::{Inspect, Subject},
        target::Target,
    },
    projection::{Seq, policy_name},
    protocol::audit::{AuditEvent, AuditRecord, AuditStatus, Effect, IdentityChain, Party},
    support::text::{duration, one_line},
    trace::{TraceEvent, event::Fact},
    ui::{
        HitMap, ViewCx,
        look::Role,
        panes::summary,
        widgets::{
            flowing, json,
            put::{self, span},
            verdict::Verdict,
        },
    },
};

/// Draws the inspector.
pub fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap, inspect: Inspect) {
    let size = if body.width < 150 {
        (body.width, body.height)
    } else {
        (140, body.height.saturating_sub(6))
    };
    let title = title(cx, inspect.subject);
    let inner = window(
        cx,
        body,
        buf,
        hits,
        size,
        &title,
        Role::Focus,
        &Line::default(),
    );
    let tabs = inspect.subject.tabs();
    let text = if tabs.len() > 1 {
        bar(cx, inner, buf, hits, tabs, inspect.tab);
        put::below(inner, 2)
    } else {
        put::below(inner, 1)
    };
    let cells = usize::from(text.width.saturating_sub(1));
    let lines = match inspect.subject {
        Subject::Hop(id) => inspect_hop::lines(cx, id, inspect.tab, cells),
        Subject::Audit(id) => match cx.run.audit().get(id) {
            Some(row) => audit(cx, row.evidence, inspect.tab, cells),
            None => Vec::new(),
        },
        Subject::Event(seq) => event(cx, seq, cells),
    };
    let most = flowing::draw(buf, text, &lines, inspect.scroll, cx.look);
    extent(hits, most);
}

fn title(cx: &ViewCx, subject: Subject) -> String {
    let seen = cx.run;
    match subject {
        Subject::Hop(id) => seen.hops().get(id).map_or_else(
            || "Hop".to_owned(),
            |hop| {
                format!(
                    "{} {} {}: {}",
                    hop.from.name(),
                    cx.look.glyphs.arrow,
                    hop.to.name(),
                    hop.title
                )
            },
        ),
        Subject::Audit(id) => seen.audit().get(id).map_or_else(
            || "Audit".to_owned(),
            |row| format!("Audit row {}", row.sequence),
        ),
        Subject::Event(seq) => match seen.log().event(seq) {
            // By the number of its row in Trace.
            Some(event) => format!(
                "Event {}: {}",
                seq.index() + 1,
                summary::kind(&event.fact).0
            ),
            None => "Event".to_owned(),
        },
    }
}

pub fn bar(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    tabs: &[&'static str],
    open: usize,
) {
    let mut x = 0;
    for (place, tab) in tabs.iter().enumerate() {
        let style = if place == open {
            cx.look
                .bold(Role::Accent)
                .add_modifier(ratatui::style::Modifier::UNDERLINED)
        } else {
            cx.look.style(Role::Dim)
        };
        let used = put::text(buf, area, 0, x, tab, style, cx.look);
        let place_area = Rect {
            x: area.x + x,
            width: used,
            height: 1.min(area.height),
            ..area
        };
        hits.add(place_area, Target::OverlayTab(place));
        x += used + 3;
    }
}

/// The audit record in an event.
pub fn record(cx: &ViewCx, seq: Option<Seq>) -> Option<AuditRecord> {
    match cx.run.log().event(seq?)?.fact {
        Fact::AuditRecorded(record) => Some(*record),
        _ => None,
    }
}

/// A fact of the log, with its place.
pub fn fact(cx: &ViewCx, seq: Option<Seq>) -> Option<TraceEvent> {
    cx.run.log().event(seq?)
}

fn audit(cx: &ViewCx, seq: Seq, tab: usize, cells: usize) -> Vec<Line<'static>> {
    let Some(record) = record(cx, Some(seq)) else {
        return vec![Line::raw("The row cannot be read.")];
    };
    match tab {
        0 => overview(cx, &record, cells),
        1 => claims::exchange(&record, cx.run, cells, cx.look),
        _ => serde_json::to_value(&record)
            .map_or_else(|_| Vec::new(), |value| json::lines(&value, cells, cx.look)),
    }
}

fn overview(cx: &ViewCx, record: &AuditRecord, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    let field = |label: &str, value: Vec<Span<'static>>| flowing::labelled(label, value, 12, look);
    let word = match (record.event, record.status) {
        (AuditEvent::CredentialsIssue, _) | (_, AuditStatus::Failure) => {
            crate::projection::filter::status_word(record.status)
        }
        // Of what issues nothing the list says the same.
        (_, AuditStatus::Issued) => "OK",
    };
    let verdict = match record.status {
        AuditStatus::Issued => Verdict::Good,
        AuditStatus::Failure => Verdict::Bad,
    };
    let mut lines = vec![
        field("status", vec![verdict.show(word, look)]),
        field("event", vec![Span::raw(record.event.as_str())]),
    ];
    if let Some(resource) = &record.resource {
        lines.push(field(
            "resource",
            vec![
                span(one_line(&resource.name), look.style(Role::Heading)),
                span(
                    format!("  {}", one_line(&resource.identifier)),
                    look.style(Role::Dim),
                ),
            ],
        ));
    }
    lines.push(field(
        "scope",
        vec![span(
            if record.scopes.is_empty() {
                look.glyphs.dash.to_owned()
            } else {
                one_line(&record.scopes.join(" "))
            },
            look.style(Role::Heading),
        )],
    ));
    lines.push(Line::raw(""));
    lines.extend(chain(cx, &record.actor));
    lines.push(Line::raw(""));
    lines.extend(decision(cx, record, cells));
    lines.push(Line::raw(""));
    if let Some(grant) = &record.grant_type {
        lines.push(field(
            "grant",
            vec![span(one_line(grant), look.style(Role::Dim))],
        ));
    }
    if let Some(session) = &record.session_id {
        lines.push(field(
            "session",
            vec![span(one_line(session), look.style(Role::Dim))],
        ));
    }
    lines.push(field(
        "request",
        vec![span(one_line(&record.request_id), look.style(Role::Dim))],
    ));
    lines.push(field(
        "when",
        vec![span(
            format!(
                "{}, took {}",
                record.occurred_at.format("%Y-%m-%d %H:%M:%S%.3f UTC"),
                duration(record.duration_us)
            ),
            look.style(Role::Dim),
        )],
    ));
    if record.event == AuditEvent::CredentialsIssue && record.status == AuditStatus::Issued {
        // The workshop's pages and the console of today differ in their words (facts/keycard.md, 4.4).
        lines.push(field(
            "words",
            vec![span(
                "the workshop's; today's console says “Credential Issued”",
                look.style(Role::Dim),
            )],
        ));
    }
    lines
}

/// The application, acting on behalf of the user.
pub fn chain(cx: &ViewCx, actor: &IdentityChain) -> Vec<Line<'static>> {
    let look = cx.look;
    let party = |party: &Party| {
        let mut spans = vec![span(one_line(&party.name), look.style(Role::Heading))];
        // A person who is known by an address only would be told twice.
        if party.identifier != party.name {
            spans.push(span(
                format!("  {}", one_line(&party.identifier)),
                look.style(Role::Dim),
            ));
        }
        spans
    };
    let mut lines = Vec::new();
    match (&actor.application, &actor.user) {
        (Some(application), Some(user)) => {
            lines.push(flowing::labelled(
                "application",
                party(application),
                12,
                look,
            ));
            lines.push(flowing::labelled(
                "",
                vec![span(
                    format!("{} on behalf of", look.glyphs.becomes),
                    look.style(Role::Dim),
                )],
                12,
                look,
            ));
            lines.push(flowing::labelled("user", party(user), 12, look));
        }
        (Some(application), None) => {
            lines.push(flowing::labelled(
                "application",
                party(application),
                12,
                look,
            ));
            lines.push(flowing::labelled(
                "",
                vec![span("acting for itself", look.style(Role::Dim))],
                12,
                look,
            ));
        }
        (None, Some(user)) => lines.push(flowing::labelled("user", party(user), 12, look)),
        (None, None) => lines.push(flowing::labelled(
            "chain",
            vec![span("not told", look.style(Role::Dim))],
            12,
            look,
        )),
    }
    lines
}

/// What policy said.
pub fn decision(cx: &ViewCx, record: &AuditRecord, cells: usize) -> Vec<Line<'static>> {
    let look = cx.look;
    let field = |label: &str, value: Vec<Span<'static>>| flowing::labelled(label, value, 12, look);
    let mut lines = Vec::new();
    match (&record.decision, record.activated()) {
        // Whoever switches sets was allowed to, and no policy was asked.
        (_, Some(set)) => lines.push(field(
            "policy set",
            vec![
                span(one_line(&set.to_string()), look.style(Role::Heading)),
                span(" became the active one", Style::new()),
            ],
        )),
        (None, None) => lines.push(field(
            "policy",
            vec![span("was not asked", look.style(Role::Dim))],
        )),
        (Some(decision), None) => {
            let verdict = match decision.effect {
                Effect::Allow => Verdict::Good.show("Allow", look),
                Effect::Deny => Verdict::Bad.show("Deny", look),
            };
            let names: Vec<&str> = decision
                .determining
                .iter()
                .map(|id| policy_name(id))
                .collect();
            let by = if names.is_empty() {
                "no policy permits it".to_owned()
            } else {
                format!("by {}", names.join(", "))
            };
            lines.push(field(
                "policy",
                vec![
                    verdict,
                    span(format!("  {}", one_line(&by)), look.style(Role::Heading)),
                ],
            ));
            if let Some(set) = &decision.policy_set {
                lines.push(field(
                    "",
                    vec![span(
                        format!("{} v{} was in force", one_line(&set.name), set.version),
                        look.style(Role::Dim),
                    )],
                ));
            }
        }
    }
    if let Some(error) = &record.error {
        lines.push(field(
            "error",
            vec![span(one_line(error), look.bold(Role::Bad))],
        ));
    }
    if let Some(reason) = &record.reason {
        let parts = flowing::foreign(reason, cells.saturating_sub(14), look);
        for (place, part) in parts.into_iter().enumerate() {
            lines.push(field(if place == 0 { "reason" } else { "" }, part.spans));
        }
    }
    lines
}

fn event(cx: &ViewCx, seq: Seq, cells: usize) -> Vec<Line<'static>> {
    let Some(line) = cx.run.log().line(seq) else {
        return vec![Line::raw("The event cannot be read.")];
    };
    json::text(&line, cells, cx.look)
}
