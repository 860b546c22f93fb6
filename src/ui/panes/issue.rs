//! Issue: the ticket as the customer wrote it beside the issue as Linear received it.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{extent, teach};
use crate::{
    app::{command::Command, focus::PaneId, target::Target},
    chapters::personal,
    projection::issue::{IssueView, Whereabouts},
    protocol::tickets::{Severity, Ticket},
    support::text::{number_of, one_line, truncate},
    ui::{
        HitMap, ViewCx,
        look::{Look, Role},
        widgets::{
            flowing,
            put::{self, span},
            scroll,
            verdict::Verdict,
        },
    },
};

/// From here on ticket and issue stand side by side.
const SIDE_BY_SIDE: u16 = 72;
/// The lab's chapter from whose end on a ticket is masked.
const MASKED_FROM: u8 = 5;
/// What stands in place of a key.
const HIDDEN: &str = "[hidden]";
/// Tickets that the chooser shows at once.
const CHOOSER: u16 = 5;

/// What the title says.
pub fn state(cx: &ViewCx) -> Line<'static> {
    let issues = cx.app.projection().issues();
    let dim = cx.look.style(Role::Dim);
    match (issues.tickets().len(), issues.latest()) {
        (0, None) => Line::default(),
        (tickets, None) => Line::styled(format!(" {} ", number_of(tickets, "ticket")), dim),
        (_, Some(issue)) => Line::from(vec![
            span(format!(" {} ", issue.identifier), dim),
            whereabouts(cx.look, issue),
            span(" ", dim),
        ]),
    }
}

fn whereabouts(look: &Look, issue: &IssueView) -> Span<'static> {
    match issue.whereabouts {
        Whereabouts::Filed => span("filed", look.style(Role::Dim)),
        Whereabouts::There => Verdict::Good.show("there", look),
        Whereabouts::Trashed => span("! in the trash", look.bold(Role::Warning)),
    }
}

/// Draws the pane's inside.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let issues = cx.app.projection().issues();
    let issue = cx.app.shown_issue();
    if issues.tickets().is_empty() && issue.is_none() {
        return teach(
            cx,
            area,
            buf,
            &[if cx.app.lab_chapter() < MASKED_FROM {
                "The ticket as the customer wrote it will stand here beside the issue as Linear received it: what is personal in it, and whose issue it is."
            } else {
                "The ticket as the customer wrote it will stand here beside the issue as Linear received it: placeholders instead of personal data, labels, priority, author, and who acted for whom."
            }],
            &[
                (Command::ListTickets, "list the tickets"),
                (Command::EscalateTicket, "escalate the chosen one"),
            ],
        );
    }
    let rows = u16::try_from(issues.tickets().len()).unwrap_or(u16::MAX);
    // The list may take a third; the texts are what the pane is for.
    let rows = rows.min(CHOOSER).min(area.height / 3);
    let body = if rows > 0 {
        let list = Rect {
            height: rows,
            ..area
        };
        chooser(cx, list, buf, hits);
        put::rule(
            buf,
            area,
            rows,
            cx.look.glyphs.horizontal,
            cx.look.style(Role::Border),
        );
        put::below(area, rows + 1)
    } else {
        area
    };
    texts(
        cx,
        put::inset(body, 1),
        buf,
        hits,
        cx.app.chosen_ticket(),
        issue,
    );
}

/// Cells before a ticket's subject: the mark, the severity, and the blanks behind them.
const SUBJECT: usize = 12;

fn chooser(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let tickets = cx.app.projection().issues().tickets();
    let chosen = cx.app.panes().ticket.min(tickets.len().saturating_sub(1));
    let first = scroll::window(tickets.len(), chosen, usize::from(area.height));
    let look = cx.look;
    for ((place, ticket), row) in tickets.iter().enumerate().skip(first).zip(area.rows()) {
        hits.add(row, Target::Row(PaneId::Issue, place));
        let here = place == chosen;
        let style = if here {
            look.style(Role::Heading)
        } else {
            Style::new()
        };
        let mark = if here { look.glyphs.selected } else { " " };
        let filed = cx.app.projection().issues().of_ticket(ticket.id);
        let right = match filed {
            Some(issue) => Line::from(vec![
                span(
                    format!(" {} {} ", look.glyphs.arrow, issue.identifier),
                    look.style(Role::Heading),
                ),
                whereabouts(look, issue),
                Span::raw(" "),
            ]),
            None if here => Line::from(vec![
                span(
                    format!(" {}", cx.app.keymap().shown(Command::EscalateTicket)),
                    look.style(Role::Key),
                ),
                span(" escalates ", look.style(Role::Dim)),
            ]),
            None => Line::default(),
        };
        put::line_right(buf, row, 0, &right, look);
        let room = usize::from(row.width).saturating_sub(put::line_width(&right) + SUBJECT);
        let subject = truncate(&one_line(&ticket.subject), room).into_owned();
        let line = Line::from(vec![
            span(format!("{mark} "), look.bold(Role::Accent)),
            severity(look, ticket.severity),
            span(format!("  {subject}"), style),
        ]);
        put::line(buf, row, 0, &line, look);
    }
    scroll::bar(buf, area, tickets.len(), first, look);
}

/// The severity as the ticket has it; the worst stand out.
fn severity(look: &Look, severity: Severity) -> Span<'static> {
    let word = format!("{:<8}", severity.as_str());
    match severity {
        Severity::Critical | Severity::High => span(word, look.style(Role::Heading)),
        Severity::Medium | Severity::Low => span(word, look.style(Role::Dim)),
    }
}

fn texts(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    ticket: Option<&Ticket>,
    issue: Option<&IssueView>,
) {
    let offset = cx.app.panes().issue_scroll;
    if area.width < SIDE_BY_SIDE {
        let mut lines = received(cx, ticket, issue, area.width);
        lines.push(Line::raw(""));
        lines.extend(written(cx, ticket, area.width));
        let most = flowing::draw(buf, area, &lines, offset, cx.look);
        extent(hits, PaneId::Issue, most);
        return;
    }
    let (left, right) = put::halves(area, buf, cx.look);
    let a = flowing::draw(buf, left, &written(cx, ticket, left.width), offset, cx.look);
    let b = flowing::draw(
        buf,
        right,
        &received(cx, ticket, issue, right.width),
        offset,
        cx.look,
    );
    extent(hits, PaneId::Issue, a.max(b));
}

fn written(cx: &ViewCx, ticket: Option<&Ticket>, width: u16) -> Vec<Line<'static>> {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    let mut lines = vec![Line::styled("As the customer wrote it", dim)];
    let Some(ticket) = ticket else {
        lines.push(Line::raw(""));
        lines.push(Line::styled("The ticket was not observed.", dim));
        return lines;
    };
    // The scroll bar, and a column before it.
    let cells = usize::from(width.saturating_sub(2));
    let body = flowing::without_keys(&ticket.body, cells, look);
    lines.extend(hiding(look, &body));
    lines.extend(
        flowing::foreign(&ticket.subject, cells, look)
            .into_iter()
            .map(|line| line.style(look.style(Role::Heading))),
    );
    lines.push(Line::raw(""));
    // Personal data that the ticket itself names as such; the body may hold more.
    let personal = look.style(Role::Warning);
    let field = |label: &str, value: &str, style: Style| {
        flowing::labelled(label, vec![span(one_line(value), style)], 9, look)
    };
    lines.push(field("from", &ticket.customer_name, personal));
    lines.push(field("e-mail", &ticket.email, personal));
    lines.push(field("phone", &ticket.phone, personal));
    lines.push(field("severity", ticket.severity.as_str(), Style::new()));
    lines.push(Line::raw(""));
    lines.extend(flowing::mark(body, &personal::words_of(ticket), personal).0);
    lines
}

/// Says where a key would stand that hoptrail shows nobody.
fn hiding(look: &Look, text: &[Line<'static>]) -> Option<Line<'static>> {
    let mut pieces = text.iter().flat_map(|line| &line.spans);
    if !pieces.any(|piece| piece.content == HIDDEN) {
        return None;
    }
    let dim = look.style(Role::Dim);
    let mut spans = vec![span("hoptrail shows keys as ", dim)];
    spans.extend(flowing::placeholders(HIDDEN, dim, look));
    Some(Line::from(spans))
}

fn received(
    cx: &ViewCx,
    ticket: Option<&Ticket>,
    issue: Option<&IssueView>,
    width: u16,
) -> Vec<Line<'static>> {
    let look = cx.look;
    let dim = look.style(Role::Dim);
    let mut lines = vec![Line::styled("As Linear received it", dim)];
    let Some(issue) = issue else {
        lines.push(Line::raw(""));
        lines.push(Line::styled("Nothing yet.", dim));
        lines.push(super::key_line(
            cx,
            Command::EscalateTicket,
            "escalates the chosen ticket",
        ));
        return lines;
    };
    // The scroll bar, and a column before it.
    let cells = usize::from(width.saturating_sub(2));
    let log = cx.app.projection().log();
    let result = issue.result(log);
    let Some(seen) = issue.issue(log) else {
        lines.push(Line::from(vec![
            span(format!("{}  ", issue.identifier), look.style(Role::Heading)),
            whereabouts(look, issue),
        ]));
        let why = match issue.seen {
            None => "The issue itself was not observed; the tool told:",
            Some(_) => "The issue itself cannot be read any more; the tool told:",
        };
        lines.push(Line::styled(why, dim));
        lines.push(Line::raw(""));
        match result.and_then(|result| result.masked_text) {
            Some(text) => lines.extend(flowing::foreign(&text, cells, look)),
            None => lines.push(Line::styled("nothing of the text", dim)),
        }
        return lines;
    };
    let description = flowing::without_keys(&seen.description, cells, look);
    lines.extend(hiding(look, &description));
    // What is personal in the ticket should not stand here.
    let of_this = ticket.filter(|ticket| issue.ticket == Some(ticket.id));
    let words = of_this.map_or_else(Vec::new, personal::words_of);
    let leaked = look.bold(Role::Bad);
    let (title, in_title) = flowing::mark(
        flowing::without_keys(&seen.title, cells, look),
        &words,
        leaked,
    );
    let (description, in_text) = flowing::mark(description, &words, leaked);
    lines.extend(
        title
            .into_iter()
            .map(|line| line.style(look.style(Role::Heading))),
    );
    lines.push(Line::raw(""));
    let field = |label: &str, value: Vec<Span<'static>>| flowing::labelled(label, value, 9, look);
    lines.push(field(
        "issue",
        vec![
            span(format!("{}  ", issue.identifier), look.style(Role::Heading)),
            whereabouts(look, issue),
        ],
    ));
    lines.push(field("author", vec![Span::raw(one_line(&seen.author))]));
    let labels = if seen.labels.is_empty() {
        look.glyphs.dash.to_owned()
    } else {
        seen.labels.join(", ")
    };
    lines.push(field("labels", vec![Span::raw(one_line(&labels))]));
    lines.push(field("priority", vec![Span::raw(priority(seen.priority))]));
    let masked = result.and_then(|result| result.detected_entities);
    let masked = masked.map_or(0, |entities| entities.len());
    if masked > 0 {
        let text = match masked {
            1 => "1 piece, by a placeholder".to_owned(),
            count => format!("{count} pieces, by placeholders"),
        };
        lines.push(field("masked", vec![span(text, look.style(Role::Masked))]));
    }
    let open = in_title + in_text;
    if open > 0 {
        let text = format!("! {}, word for word", number_of(open, "place"));
        lines.push(field("personal", vec![span(text, leaked)]));
    }
    lines.push(Line::raw(""));
    lines.extend(description);
    lines
}

/// Linear's words for its numbers.
fn priority(number: u8) -> String {
    let word = match number {
        0 => "none",
        1 => "urgent",
        2 => "high",
        3 => "medium",
        4 => "low",
        _ => "unknown",
    };
    format!("{number} {word}")
}
