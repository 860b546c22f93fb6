//! Audit: the zone's rows. Columns are dropped where it is narrow, never squeezed.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{Placement, behind_gutter, counted, fitting, or_dash, rows_in_view, selectable, teach};
use crate::{
    app::{command::Command, focus::PaneId, target::Target},
    projection::AuditRow,
    protocol::audit::{AuditEvent, AuditStatus},
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{
            put::{self, span},
            scroll,
            table::{self, Column},
            verdict::Verdict,
        },
    },
};

const COLUMNS: &[Column] = &[
    Column::words("Status", 9, 0),
    Column::words("Time", 8, 4),
    Column::words("Tool", 15, 3),
    Column::words("Resource", 17, 1).growing(),
    Column::words("Scope", 13, 0),
    Column::words("Acting for", 38, 5),
    Column::words("Reason", 34, 6).growing(),
];

/// Beside another pane: services by their short names.
const SHORT: &[Column] = &[
    Column::words("Status", 9, 0),
    Column::words("Resource", 12, 1).growing(),
    Column::words("Scope", 13, 0),
];

/// Under this width the short columns.
const NARROW: u16 = 50;

/// Counts for the title: how many issued, how many refused.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let audit = cx.app.projection().audit();
    let mut line = counted(
        cx,
        cx.app.panes().audit.rows().len(),
        "row",
        "rows",
        cx.app.panes().audit.filter(),
    );
    if audit.issued() + audit.failed() > 0 {
        line.push_span(span(
            format!(" {} {} ", cx.look.glyphs.good, audit.issued()),
            cx.look.style(Role::Good),
        ));
        line.push_span(span(
            format!(" {} {} ", cx.look.glyphs.bad, audit.failed()),
            if audit.failed() > 0 {
                cx.look.bold(Role::Bad)
            } else {
                cx.look.style(Role::Dim)
            },
        ));
    }
    line
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap, placement: Placement) {
    let list = &cx.app.panes().audit;
    if list.rows().is_empty() {
        return empty(cx, area, buf);
    }
    let mut head = behind_gutter(area, placement);
    head.width = head.width.saturating_sub(1);
    let columns = if head.width < NARROW { SHORT } else { COLUMNS };
    let slots = table::fit(columns, head.width);
    table::heads(buf, head, 0, columns, &slots, cx.look);
    let body = put::below(area, 1);
    for (place, id, line) in rows_in_view(body, list) {
        hits.add(line, Target::Row(PaneId::Audit, place));
        let inside = selectable(cx, buf, line, place == list.selected(), placement);
        let inside = Rect {
            width: head.width,
            ..inside
        };
        let Some(row) = cx.app.projection().audit().get(id) else {
            continue;
        };
        for slot in &slots {
            let content = cell(row, columns[slot.index].head, slot.width, cx.look);
            table::cell(
                buf,
                inside,
                0,
                *slot,
                columns[slot.index].align,
                &content,
                cx.look,
            );
        }
    }
    let first = scroll::window(list.rows().len(), list.selected(), usize::from(body.height));
    scroll::bar(buf, body, list.rows().len(), first, cx.look);
}

fn empty(cx: &ViewCx, area: Rect, buf: &mut Buffer) {
    if !cx.app.filter_of(PaneId::Audit).is_empty() {
        return teach(
            cx,
            area,
            buf,
            &["No row has these words."],
            &[(Command::Back, "show all again")],
        );
    }
    teach(
        cx,
        area,
        buf,
        &[
            "The zone writes a row for every credential it is asked for: issued or refused, for which tool, resource and scope, who acted for whom.",
        ],
        &[
            (Command::SignIn, "sign in: the first rows"),
            (Command::EscalateTicket, "escalate: four issued"),
            (Command::DeleteIssue, "delete: one refused"),
        ],
    );
}

/// The verdict in the log's own words.
#[must_use]
pub fn verdict(row: &AuditRow, look: &Look) -> Span<'static> {
    match row.status {
        AuditStatus::Issued => Verdict::Good.show(
            match row.event {
                AuditEvent::CredentialsIssue => "Issued",
                AuditEvent::UsersAuthorize
                | AuditEvent::DelegatedGrantsCreate
                | AuditEvent::PolicySetsActivate => "Done",
            },
            look,
        ),
        AuditStatus::Failure => Verdict::Bad.show("Failure", look),
    }
}

/// `Application ⟶ person`: the application, acting on behalf of the person.
#[must_use]
pub fn chain(row: &AuditRow, look: &Look) -> Vec<Span<'static>> {
    let mut spans = vec![or_dash(row.application.as_deref(), Style::new(), look)];
    if let Some(user) = &row.user {
        spans.push(span(
            format!(" {} ", look.glyphs.becomes),
            look.style(Role::Dim),
        ));
        spans.push(span(user.to_string(), Style::new()));
    }
    spans
}

fn cell(row: &AuditRow, column: &str, room: u16, look: &Look) -> Line<'static> {
    let refused = row.status == AuditStatus::Failure;
    let strong = if refused {
        look.style(Role::Heading)
    } else {
        Style::new()
    };
    match column {
        "Status" => Line::from(verdict(row, look)),
        "Time" => Line::styled(
            row.occurred_at.format("%H:%M:%S").to_string(),
            look.style(Role::Dim),
        ),
        "Tool" => match &row.tool {
            Some(tool) => Line::styled(tool.to_string(), strong),
            None if row.event == AuditEvent::CredentialsIssue => {
                Line::from(or_dash(None, strong, look))
            }
            None => Line::styled(row.event.as_str(), look.style(Role::Dim)),
        },
        "Resource" => Line::from(or_dash(
            row.resource.as_deref().map(|name| fitting(name, room)),
            strong,
            look,
        )),
        "Scope" => Line::from(or_dash(row.scope.as_deref(), strong, look)),
        "Acting for" => Line::from(chain(row, look)),
        _ => match (&row.policy, &row.reason, &row.error) {
            (Some(policy), _, _) => {
                Line::styled(format!("forbidden by {policy}"), look.style(Role::Bad))
            }
            (None, Some(reason), _) => Line::styled(reason.to_string(), look.style(Role::Dim)),
            (None, None, Some(error)) => Line::styled(error.to_string(), look.style(Role::Dim)),
            (None, None, None) => Line::default(),
        },
    }
}
