//! The line above a group of hops: which call it was, what it was about and how it ended.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::ROOMY;
use crate::{
    app::{
        panes::flow::{Section, section},
        story,
    },
    projection::{Hop, tools::Call},
    support::text::{duration, one_line, shorten_middle, truncate, width},
    trace::event::CallOutcome,
    ui::{
        ViewCx,
        look::Role,
        widgets::{
            put::{self, span},
            verdict::Verdict,
        },
    },
};

/// `▸ escalate_ticket 7f3a…  ───────  ✓ done · 4 issued  2.1 ms`
pub(super) fn heading(cx: &ViewCx, row: Rect, buf: &mut Buffer, hop: &Hop) {
    let look = cx.look;
    let call = match section(hop) {
        Section::Call(id) => cx.app.projection().tools().call(id),
        Section::SignIn | Section::Session | Section::SomeCall => None,
    };
    let name = match (section(hop), call) {
        (Section::Call(_), Some(call)) => call.tool.to_string(),
        (Section::Call(_), None) => "a call that was not observed".to_owned(),
        (Section::SignIn, _) => "sign-in".to_owned(),
        (Section::Session, _) => "session".to_owned(),
        (Section::SomeCall, _) => "a call, not observed which".to_owned(),
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

/// Whether the server wanted another token, or any: the call came through, and was not let in.
fn was_refused(cx: &ViewCx, call: &Call) -> bool {
    let hops = cx.app.projection().hops();
    let mut of_call = hops.of_call(call.id).iter().filter_map(|id| hops.get(*id));
    of_call.any(|hop| hop.status == Some(401))
}

fn outcome(cx: &ViewCx, call: &Call, room: u16) -> Vec<Span<'static>> {
    let look = cx.look;
    let told = story::issuance(cx.app, call);
    let verdict = match call.outcome {
        None => Verdict::Waiting.show("running", look),
        Some(CallOutcome::Succeeded) => Verdict::Good.show("done", look),
        Some(CallOutcome::Failed) if told.refused > 0 => Verdict::Bad.show("refused", look),
        Some(CallOutcome::Failed) => Verdict::Bad.show("failed", look),
        Some(CallOutcome::Broken) if was_refused(cx, call) => Verdict::Bad.show("refused", look),
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
    let waited = cx.app.projection().hops().waited_in_call_us(call.id);
    if let Some(micros) = call.duration_us.map(|took| took.saturating_sub(waited)) {
        spans.push(span(
            format!("  {:>7}", duration(micros)),
            look.style(Role::Text),
        ));
    }
    spans.push(Span::raw(" "));
    spans
}
