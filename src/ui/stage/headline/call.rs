//! What the room reads of a call that ended.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{Headline, Tone, next};
use crate::{
    app::{stage::Judgement, story},
    projection::{audit::AuditRow, issue::Whereabouts, story::LIMIT_LINEAR_SCOPES, tools::Call},
    protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    support::text::{first_line, number_of, wrap_at_most},
    trace::event::CallOutcome,
    ui::{ViewCx, look::Role, stage::SENTENCE, widgets::put::span},
};

pub(super) fn ended(cx: &ViewCx, call: &Call) -> Headline {
    let look = cx.look;
    if let Some(row) = story::refusal(cx.app, call.id) {
        return refused(cx, call, row);
    }
    let succeeded = call.outcome == Some(CallOutcome::Succeeded);
    let tool = span(format!("{} ", call.tool), look.style(Role::Heading));
    if call.outcome == Some(CallOutcome::Cancelled) {
        return Headline {
            tone: Tone::Waiting,
            word: "CALLED OFF".to_owned(),
            lines: vec![
                Line::from(vec![tool, span("was called off", Style::new())]),
                next(cx),
            ],
        };
    }
    if !succeeded && story::issuance(cx.app, call).refused > 0 {
        return refused_as_told(cx, call);
    }
    if !succeeded {
        let why = call.text.as_deref().unwrap_or("no reason was given");
        // Why it failed often stands at the end of the sentence.
        let why = wrap_at_most(first_line(why), usize::from(SENTENCE), 3).into_iter();
        let what = Line::from(vec![tool, span("did not come through", Style::new())]);
        return Headline {
            tone: Tone::Refused,
            word: "FAILED".to_owned(),
            lines: std::iter::once(what).chain(why.map(Line::raw)).collect(),
        };
    }
    let issues = cx.app.projection().issues();
    let what = match &*call.tool {
        ESCALATE_TICKET => {
            let issue = call.id.and_then(|id| issues.of_call(id));
            let name = issue.map_or("the issue", |issue| &*issue.identifier);
            let author = issue
                .and_then(|issue| issue.author.as_ref())
                .map_or(String::new(), |author| format!(" as {author}"));
            format!("filed {name}{author}")
        }
        GET_SUPPORT_TICKETS if call.ticket.is_some() => "read 1 ticket".to_owned(),
        GET_SUPPORT_TICKETS => format!("read {}", number_of(issues.tickets().len(), "ticket")),
        DELETE_ISSUE => "went through: no rule forbade it".to_owned(),
        _ => "is done".to_owned(),
    };
    let count = story::issuance(cx.app, call).issued;
    let (tone, word) = match (&*call.tool, count) {
        (DELETE_ISSUE, _) => (Tone::Alarm, "DELETED".to_owned()),
        (_, 0) => (Tone::Good, "DONE".to_owned()),
        (_, count) => (Tone::Good, format!("{count} ISSUED")),
    };
    Headline {
        tone,
        word,
        lines: vec![
            Line::from(vec![tool, span(what, Style::new())]),
            after(cx, call),
        ],
    }
}

/// What is so now that the call came through.
fn after(cx: &ViewCx, call: &Call) -> Line<'static> {
    let gone = call
        .subject
        .as_deref()
        .filter(|_| &*call.tool == DELETE_ISSUE)
        .and_then(|id| cx.app.projection().issues().issue(id));
    match gone {
        Some(issue) => Line::styled(
            format!("! {} is in the trash", issue.identifier),
            cx.look.bold(Role::Warning),
        ),
        None => Line::styled(
            story::told_of_issuance(story::issuance(cx.app, call)),
            cx.look.style(Role::Heading),
        ),
    }
}

/// What was to be deleted, and that it is still there, as far as it was seen.
fn still(cx: &ViewCx) -> Line<'static> {
    match cx.app.standing_issue() {
        Some(issue) if issue.whereabouts == Whereabouts::There => Line::from(vec![
            span(issue.identifier.to_string(), cx.look.style(Role::Heading)),
            span(" is still there", cx.look.style(Role::Heading)),
        ]),
        Some(_) | None => Line::default(),
    }
}

/// Without the zone's log: what the server and the zone's words in its answer tell.
fn refused_as_told(cx: &ViewCx, call: &Call) -> Headline {
    let look = cx.look;
    let bold = look.style(Role::Heading);
    let text = call.text.as_deref().unwrap_or_default();
    let named = text.split_once("Determining policies:").map(|(_, rest)| {
        let first = rest.split([',', '.']).next().unwrap_or_default();
        first
            .rsplit("::")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    });
    let why = match named.filter(|name| !name.is_empty() && name != "none") {
        Some(policy) => Line::from(vec![
            span(policy, look.bold(Role::Bad)),
            span(" forbids it: no credential", bold),
        ]),
        None => Line::styled("the zone refused it: no credential", bold),
    };
    Headline {
        tone: Tone::Refused,
        word: "REFUSED".to_owned(),
        lines: vec![
            Line::raw("as the server tells it: the zone's log is not read"),
            Line::from(vec![
                span(call.tool.to_string(), bold),
                span(" was refused its credential", bold),
            ]),
            why,
            still(cx),
        ],
    }
}

fn refused(cx: &ViewCx, call: &Call, row: &AuditRow) -> Headline {
    let look = cx.look;
    let bold = look.style(Role::Heading);
    let scope = row.scope.as_deref().unwrap_or("access").to_owned();
    let why: Vec<Span<'static>> = match (&row.policy, &row.set, &row.reason) {
        (Some(policy), _, _) => vec![
            span(policy.to_string(), look.bold(Role::Bad)),
            span(" forbids it: no credential", bold),
        ],
        // Policy was asked, and what nothing permits is denied.
        (None, Some(_), _) => vec![
            span("no policy", look.bold(Role::Bad)),
            span(" permits it: no credential", bold),
        ],
        (None, None, Some(reason)) => vec![span(reason.to_string(), bold)],
        (None, None, None) => vec![span("the zone refused it: no credential", bold)],
    };
    // A sheet may have wanted it to come through, or another policy to refuse it.
    let is_planned = !matches!(cx.app.judgement(), Some(Judgement::Otherwise(_)));
    let subtitle = match row.policy.as_deref() {
        Some(LIMIT_LINEAR_SCOPES) if is_planned => "the policy said no, as it should",
        Some(_) => "a policy said no",
        None => "the zone said no",
    };
    Headline {
        tone: Tone::Refused,
        word: "REFUSED".to_owned(),
        lines: vec![
            Line::raw(subtitle),
            Line::styled(
                format!(
                    "{} wanted {scope} on {}",
                    call.tool,
                    row.resource.as_deref().unwrap_or("a resource")
                ),
                bold,
            ),
            Line::from(why),
            still(cx),
        ],
    }
}
