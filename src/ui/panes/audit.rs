//! Audit: the zone's rows. Columns are dropped where it is narrow, never squeezed.

mod columns;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use self::columns::{Columns, NARROW};
use super::{Placement, behind_gutter, counted, grouped, or_dash, rows_in_view, selectable, teach};
use crate::{
    app::{
        command::Command,
        focus::{Layout, PaneId},
        target::Target,
    },
    projection::{
        AuditRow,
        audit::{Era, LOG_NOT_READ},
    },
    protocol::{
        audit::{AuditEvent, AuditStatus},
        traceparent::TraceId,
    },
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        tier::Tier,
        widgets::{
            flowing,
            put::{self, span},
            scroll,
            verdict::Verdict,
        },
    },
};

/// The rows that the list keeps where the selected row's detail stands under it.
const LIST_ROWS: usize = 8;

/// Counts for the title: what this run's rows tell of, and apart from it how many are earlier.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let audit = cx.app.projection().audit();
    let list = &cx.app.panes().audit;
    let run = audit.this_run();
    // Between the tabs of a narrow screen there is room for the verdicts only.
    let is_wide = match cx.tier {
        Tier::Compact | Tier::TooSmall => false,
        Tier::Standard | Tier::Wide => true,
    };
    let rows = match (is_wide, list.query().is_empty()) {
        (false, _) => 0,
        (true, true) => run.rows,
        (true, false) => list.rows().len(),
    };
    let mut line = counted(cx, PaneId::Audit, rows, ("row", "rows"), list.filter());
    if run.issued + run.failed > 0 {
        // Beside the number of all rows it has to be said which are counted.
        let (issued, failed) = if is_wide {
            ("issued ", "failed ")
        } else {
            ("", "")
        };
        line.push_span(span(
            format!(" {} {} {issued}", cx.look.glyphs.good, run.issued),
            cx.look.style(Role::Good),
        ));
        line.push_span(span(
            format!(" {} {} {failed}", cx.look.glyphs.bad, run.failed),
            if run.failed > 0 {
                cx.look.bold(Role::Bad)
            } else {
                cx.look.style(Role::Dim)
            },
        ));
    }
    let earlier = audit
        .unread_before()
        .saturating_add(u64::try_from(audit.earlier().rows).unwrap_or(u64::MAX));
    if earlier > 0 && (is_wide || run.rows == 0) {
        let dot = if run.rows > 0 {
            format!("{} ", cx.look.glyphs.dot)
        } else {
            String::new()
        };
        let text = format!(
            " {dot}{} earlier ",
            grouped(usize::try_from(earlier).unwrap_or(usize::MAX))
        );
        line.push_span(span(text, cx.look.style(Role::Dim)));
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
    let columns = Columns::of(cx, head.width);
    columns.heads(buf, head, cx.look);
    let body = put::below(area, 1);
    let lines = list
        .current()
        .and_then(|id| cx.app.projection().audit().get(id))
        .and_then(|row| detail(cx, row, placement, head.width));
    let lines = lines.filter(|lines| usize::from(body.height) >= lines.len() + LIST_ROWS);
    let body = match lines {
        Some(lines) => under_the_list(cx, body, buf, &lines),
        None => body,
    };
    for (place, id, line) in rows_in_view(body, list) {
        hits.add(line, Target::Row(PaneId::Audit, place));
        let inside = selectable(cx, buf, line, place == list.selected(), placement);
        let inside = Rect {
            width: head.width,
            ..inside
        };
        if let Some(row) = cx.app.projection().audit().get(id) {
            columns.row(buf, inside, row, cx.look);
        }
    }
    let first = scroll::window(list.rows().len(), list.selected(), usize::from(body.height));
    scroll::bar(buf, body, list.rows().len(), first, cx.look);
}

/// Draws the selected row's detail at the bottom and returns what is left for the list.
fn under_the_list(cx: &ViewCx, body: Rect, buf: &mut Buffer, lines: &[Line<'static>]) -> Rect {
    let rows = u16::try_from(lines.len() + 1).unwrap_or(u16::MAX);
    let list = Rect {
        height: body.height.saturating_sub(rows),
        ..body
    };
    let area = put::inset(put::below(body, list.height), 1);
    put::rule(
        buf,
        area,
        0,
        cx.look.glyphs.horizontal,
        cx.look.style(Role::Border),
    );
    for (row, line) in (1..).zip(lines) {
        put::line(buf, area, row, line, cx.look);
    }
    list
}

/// The selected row in full, whatever columns were dropped: in the reader's pane, and beside a
/// chapter, whose text speaks of tools and chains.
fn detail(
    cx: &ViewCx,
    row: &AuditRow,
    placement: Placement,
    cells: u16,
) -> Option<Vec<Line<'static>>> {
    let look = cx.look;
    let field = |label: &str, value: Vec<Span<'static>>| flowing::labelled(label, value, 11, look);
    let token = match row.credential {
        Some(credential) => vec![
            span(format!("{} ", credential.letter), look.bold(Role::Masked)),
            span(credential.fingerprint.to_string(), look.style(Role::Masked)),
        ],
        // Letters are for this run's; that there was one is the point of its row.
        None if row.status == AuditStatus::Issued && row.era == Era::Earlier => {
            vec![span("of an earlier run", look.style(Role::Dim))]
        }
        None => vec![span("none", look.style(Role::Dim))],
    };
    match (cx.app.focus().layout, placement) {
        (Layout::Learn, _) if cells < NARROW => Some(vec![
            field("tool", tool(row, look).spans),
            field(
                "acts",
                vec![or_dash(row.application.as_deref(), Style::new(), look)],
            ),
            field(
                "for",
                vec![or_dash(row.user.as_deref(), Style::new(), look)],
            ),
            field("because", because(row, look)),
            field("credential", token),
        ]),
        (Layout::Learn, _) | (Layout::Explore, Placement::Main) => {
            let what = match row.resource_identifier.as_deref() {
                Some(identifier) => vec![
                    span(
                        row.resource.as_deref().unwrap_or_default().to_owned(),
                        look.style(Role::Heading),
                    ),
                    span(format!("  {identifier}"), look.style(Role::Dim)),
                ],
                None => vec![
                    span(happened(row.event, row.status), Style::new()),
                    span(
                        row.about()
                            .map_or_else(String::new, |set| format!(" to {set}")),
                        look.style(Role::Heading),
                    ),
                    span(format!("  {}", row.event.as_str()), look.style(Role::Dim)),
                ],
            };
            let mut because = because(row, look);
            if row.policy.is_some() {
                because.push(span(": no credential was issued", Style::new()));
            }
            Some(vec![
                field("acting for", chain(row, look)),
                field("resource", what),
                field("because", because),
                field("credential", token),
            ])
        }
        (Layout::Explore | Layout::Stage, _) => None,
    }
}

fn empty(cx: &ViewCx, area: Rect, buf: &mut Buffer) {
    if !cx.app.filter_of(PaneId::Audit).is_empty() {
        return super::nothing_found(cx, area, buf, PaneId::Audit, "row");
    }
    let seen = cx.app.projection();
    if let Some(how) = seen.way_to_the_log() {
        let how = format!("{how} Until then Flow shows what the client and the server tell.");
        return teach(cx, area, buf, &[LOG_NOT_READ, &how], &[]);
    }
    if cx.app.is_open_to_all() {
        let reason = "The server here asks nobody who they are, and goes to Linear with a key of its own. The zone is asked for nothing, so nothing is recorded: nobody can tell later who did what.";
        return teach(cx, area, buf, &[reason], &[]);
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
            (Command::EscalateTicket, "escalate: one for each credential"),
            (
                Command::DeleteIssue,
                "delete: issued or refused, as policy decides",
            ),
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
                | AuditEvent::DelegatedGrantsRevoke
                | AuditEvent::PolicySetsActivate => "OK",
            },
            look,
        ),
        AuditStatus::Failure => Verdict::Bad.show("Failure", look),
    }
}

fn because(row: &AuditRow, look: &Look) -> Vec<Span<'static>> {
    match (&row.policy, &row.reason, row.status) {
        (Some(policy), _, _) => vec![
            span(policy.to_string(), look.bold(Role::Bad)),
            span(" forbids it", Style::new()),
        ],
        (None, Some(reason), _) => vec![span(reason.to_string(), Style::new())],
        (None, None, AuditStatus::Failure) => {
            vec![or_dash(row.error.as_deref(), Style::new(), look)]
        }
        (None, None, AuditStatus::Issued) => {
            let why = match row.event {
                AuditEvent::UsersAuthorize => "they signed in",
                AuditEvent::DelegatedGrantsCreate => "they agreed",
                AuditEvent::DelegatedGrantsRevoke
                | AuditEvent::PolicySetsActivate
                | AuditEvent::CredentialsIssue => "permitted",
            };
            vec![span(why, Style::new())]
        }
    }
}

/// `Application ⟶ person`: the application, acting on behalf of the person.
#[must_use]
pub fn chain(row: &AuditRow, look: &Look) -> Vec<Span<'static>> {
    let style = of_its_run(row, look);
    let mut spans = vec![or_dash(row.application.as_deref(), style, look)];
    if let Some(user) = &row.user {
        spans.push(span(
            format!(" {} ", look.glyphs.becomes),
            look.style(Role::Dim),
        ));
        spans.push(span(user.to_string(), style));
    }
    spans
}

/// What another run did is there to be read, not to be taken for this one's.
fn of_its_run(row: &AuditRow, look: &Look) -> Style {
    match row.era {
        Era::Earlier => look.style(Role::Dim),
        Era::ThisRun => Style::new(),
    }
}

/// An event that no tool asked for, in the words of people.
const fn happened(event: AuditEvent, status: AuditStatus) -> &'static str {
    let failed = matches!(status, AuditStatus::Failure);
    match event {
        AuditEvent::CredentialsIssue => "credential asked",
        AuditEvent::UsersAuthorize if failed => "sign-in",
        AuditEvent::UsersAuthorize => "signed in",
        AuditEvent::DelegatedGrantsCreate if failed => "consent asked",
        AuditEvent::DelegatedGrantsCreate => "consent given",
        AuditEvent::DelegatedGrantsRevoke => "consent revoked",
        AuditEvent::PolicySetsActivate if failed => "policy switch",
        AuditEvent::PolicySetsActivate => "policy switched",
    }
}

/// The tool that a row belongs to, or in other words where it comes from.
fn tool(row: &AuditRow, look: &Look) -> Line<'static> {
    let strong = strong(row, look);
    match &row.tool {
        Some(tool) => Line::styled(tool.to_string(), strong),
        None if row.call.is_some_and(TraceId::is_check) => {
            Line::styled("hoptrail's check", look.style(Role::Dim))
        }
        // The zone does not know tools; of a call that another run made nobody here does.
        None if row.exchange && row.era == Era::Earlier => {
            Line::styled("an earlier run", look.style(Role::Dim))
        }
        None if row.event == AuditEvent::CredentialsIssue => {
            Line::from(or_dash(None, strong, look))
        }
        None => Line::styled(happened(row.event, row.status), strong),
    }
}

fn strong(row: &AuditRow, look: &Look) -> Style {
    match (row.era, row.status) {
        (Era::ThisRun, AuditStatus::Failure) => look.style(Role::Heading),
        (Era::ThisRun | Era::Earlier, _) => of_its_run(row, look),
    }
}
