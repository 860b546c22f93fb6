//! Sessions: who is signed in, what acts for them, what it touched, how it ended.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{counted, extent, or_dash, teach};
use crate::{
    app::{command::Command, focus::PaneId},
    projection::sessions::{SessionRow, Touch},
    protocol::{
        audit::AuditStatus,
        console::{LifeStatus, SessionType},
    },
    support::text::{number_of, padded, shorten_middle},
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{
            flowing,
            put::{self, span},
            verdict::Verdict,
        },
    },
};

/// The most sessions that are laid out: the newest are what one looks for.
const MOST: usize = 200;

/// What the title says.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let count = cx.app.projection().sessions().rows().len();
    counted(cx, PaneId::Sessions, count, ("session", "sessions"), "")
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let sessions = cx.app.projection().sessions();
    if sessions.rows().is_empty() {
        if let Some(how) = cx.app.projection().way_to_the_log() {
            let why = "The zone's sessions are not read: that needs a credential for its console.";
            return teach(cx, area, buf, &[why, how], &[]);
        }
        return teach(
            cx,
            area,
            buf,
            &[
                "A session begins when a person signs in. What acts on their behalf, what it touched and how each request ended will be listed under it.",
            ],
            &[(Command::SignIn, "sign in")],
        );
    }
    let area = put::inset(area, 1);
    let mut lines = Vec::new();
    for row in sessions.rows().iter().rev().take(MOST) {
        if !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        session(cx.look, row, &mut lines);
    }
    let active = sessions
        .grants()
        .iter()
        .filter(|grant| grant.status == LifeStatus::Active)
        .count();
    if active > 0 {
        lines.push(Line::raw(""));
        let are = if active == 1 { "is" } else { "are" };
        let grants = number_of(active, "delegated grant");
        let text = format!("{grants} {are} active");
        lines.push(Line::styled(text, cx.look.style(Role::Dim)));
    }
    let most = flowing::draw(buf, area, &lines, cx.app.panes().sessions_scroll, cx.look);
    extent(hits, PaneId::Sessions, most);
}

fn session(look: &Look, row: &SessionRow, lines: &mut Vec<Line<'static>>) {
    let dim = look.style(Role::Dim);
    let mut head = vec![or_dash(
        row.user.as_deref(),
        look.style(Role::Heading),
        look,
    )];
    if let Some(session) = &row.session {
        let word = match session.status {
            LifeStatus::Active => "active",
            LifeStatus::Expired => "expired",
            LifeStatus::Revoked => "revoked",
        };
        let kind = match session.session_type {
            SessionType::User if session.parent_id.is_some() => "user session of the client",
            SessionType::User => "user session in the browser",
            SessionType::Application if session.parent_id.is_some() => {
                "the client's session within it"
            }
            SessionType::Application => "application session",
        };
        head.push(span(format!("  {word} {kind}"), dim));
        head.push(span(
            format!("  since {}", session.authenticated_at.format("%H:%M:%S")),
            dim,
        ));
    } else {
        head.push(span("  known from the audit log only", dim));
    }
    lines.push(Line::from(head));
    lines.push(flowing::labelled(
        "session",
        vec![span(shorten_middle(&row.id, 24).into_owned(), dim)],
        13,
        look,
    ));
    for (place, application) in row.applications.iter().enumerate() {
        let label = if place == 0 { "acts for them" } else { "" };
        lines.push(flowing::labelled(
            label,
            vec![Span::raw(application.to_string())],
            13,
            look,
        ));
    }
    lines.push(outcome(look, row));
    lines.push(Line::raw(""));
    for touch in &row.touched {
        lines.push(touched(look, touch));
    }
}

fn outcome(look: &Look, row: &SessionRow) -> Line<'static> {
    let dim = look.style(Role::Dim);
    let label = span("outcome       ", dim);
    if (row.issued, row.failed) == (0, 0) {
        let of_the_browser = row.session.as_ref().is_some_and(|session| {
            session.session_type == SessionType::User && session.parent_id.is_none()
        });
        let why = if of_the_browser {
            "the sign-in itself"
        } else {
            "nothing asked for yet"
        };
        return Line::from(vec![label, span(why, dim)]);
    }
    let refused = if row.failed > 0 {
        look.bold(Role::Bad)
    } else {
        dim
    };
    Line::from(vec![
        label,
        span(
            format!("{} {} issued", look.glyphs.good, row.issued),
            look.style(Role::Good),
        ),
        span(
            format!("   {} {} refused", look.glyphs.bad, row.failed),
            refused,
        ),
    ])
}

fn touched(look: &Look, touch: &Touch) -> Line<'static> {
    let verdict = match touch.last {
        AuditStatus::Issued => Verdict::Good.show("issued ", look),
        AuditStatus::Failure => Verdict::Bad.show("refused", look),
    };
    let mut spans = vec![
        Span::raw("  "),
        verdict,
        span(format!("  {} ", padded(&touch.resource, 23)), Style::new()),
        span(
            padded(touch.scope.as_deref().unwrap_or(look.glyphs.dash), 15),
            look.style(Role::Heading),
        ),
    ];
    if touch.issued + touch.failed > 1 {
        let mut counts = Vec::new();
        for (count, word) in [(touch.issued, "issued"), (touch.failed, "refused")] {
            if count > 0 {
                counts.push(format!("{count} {word}"));
            }
        }
        spans.push(span(counts.join(", "), look.style(Role::Dim)));
    }
    Line::from(spans)
}
