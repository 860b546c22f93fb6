//! What the room reads of a call that ended.

use ratatui::{style::Style, text::Line};

use super::{Headline, Tone, next};
use crate::{
    app::story,
    projection::{audit::AuditRow, issue::Whereabouts, tools::Call},
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
            rule: None,
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
            rule: None,
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
        rule: None,
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
    let rule = named.filter(|name| !name.is_empty() && name != "none");
    let by = if rule.is_some() { "" } else { "the zone " };
    Headline {
        tone: Tone::Refused,
        rule,
        word: "REFUSED".to_owned(),
        lines: vec![
            Line::styled(format!("{by}refused {} its credential", call.tool), bold),
            Line::styled(NO_CALL, bold),
            still(cx),
            Line::styled(
                "as the server tells it: the zone's log is not read",
                look.style(Role::Dim),
            ),
        ],
    }
}

/// What a refusal comes to.
const NO_CALL: &str = "no credential exists for it, so no call was made";

/// Which rule refused which scope, of whom, and what that means.
fn refused(cx: &ViewCx, call: &Call, row: &AuditRow) -> Headline {
    let look = cx.look;
    let bold = look.style(Role::Heading);
    let scope = row.scope.as_deref().unwrap_or("access");
    let resource = row.resource.as_deref().unwrap_or("a resource");
    let what = match (&row.policy, &row.set) {
        (Some(_), _) => Line::styled(format!("refused {scope} on {resource}"), bold),
        // Policy was asked, and what nothing permits is denied.
        (None, Some(_)) => Line::from(vec![
            span("no policy", look.bold(Role::Bad)),
            span(format!(" permits {scope} on {resource}"), bold),
        ]),
        (None, None) => Line::styled(format!("the zone refused {scope} on {resource}"), bold),
    };
    let mut whose = vec![
        span("wanted by ", Style::new()),
        span(call.tool.to_string(), bold),
    ];
    if let Some(user) = &row.user {
        whose.extend([span(", for ", Style::new()), span(user.to_string(), bold)]);
    }
    let mut lines = vec![what, Line::from(whose), Line::styled(NO_CALL, bold)];
    let reason = row.reason.as_ref();
    match reason.filter(|_| row.policy.is_none() && row.set.is_none()) {
        Some(reason) => lines.insert(1, Line::raw(reason.to_string())),
        None => lines.push(still(cx)),
    }
    Headline {
        tone: Tone::Refused,
        rule: row.policy.as_ref().map(ToString::to_string),
        word: "REFUSED".to_owned(),
        lines,
    }
}
