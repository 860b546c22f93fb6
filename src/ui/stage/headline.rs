//! The verdict of what happened last, and the sentences under it.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::SENTENCE;
use crate::{
    app::{effect::Job, story},
    config::sheet::Hold,
    projection::{
        Name, audit::AuditRow, holds::Waiting, hops::HopKind, identity::SignIn, issue::Whereabouts,
        story::LIMIT_LINEAR_SCOPES, tools::Call,
    },
    protocol::{
        audit::AuditStatus,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
    support::text::{number_of, wrap},
    trace::event::{CallOutcome, ConsoleDoor},
    ui::{ViewCx, look::Role, widgets::put::span},
};

/// What the room should read.
pub(super) struct Headline {
    pub tone: Tone,
    /// In large letters.
    pub word: String,
    pub lines: Vec<Line<'static>>,
}

/// How the room should take it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Refused,
    Waiting,
    /// It went through though it should not.
    Alarm,
}

pub(super) fn headline(cx: &ViewCx) -> Headline {
    let seen = cx.app.projection();
    let working = cx.app.tasks().values().any(|task| {
        matches!(
            task.job,
            Job::SignIn | Job::CallTool { .. } | Job::ActivatePolicySet { .. }
        )
    });
    let last = seen.tools().calls().last();
    if let Some(waiting) = cx.app.held_exchange() {
        return held(cx, waiting);
    }
    if let Some(headline) = switched(cx, last).filter(|_| !working) {
        return headline;
    }
    match last {
        Some(call) if call.outcome.is_some() && !working => ended(cx, call),
        Some(_) | None if working => Headline {
            tone: Tone::Waiting,
            word: "WORKING".to_owned(),
            lines: working_on(cx),
        },
        Some(call) => ended(cx, call),
        None => before_any_call(cx),
    }
}

fn before_any_call(cx: &ViewCx) -> Headline {
    let heading = cx.look.style(Role::Heading);
    match &cx.app.projection().identity().state {
        SignIn::SignedIn(user) => Headline {
            tone: Tone::Good,
            word: "SIGNED IN".to_owned(),
            lines: vec![
                Line::styled(user.name.to_string(), heading),
                Line::raw("the client holds one token: it proves who drives"),
                next(cx),
            ],
        },
        SignIn::NotNeeded => Headline {
            tone: Tone::Waiting,
            word: "OPEN".to_owned(),
            lines: vec![
                Line::raw("the server is open to anyone: nobody has to sign in"),
                next(cx),
            ],
        },
        SignIn::Refused(failure) | SignIn::Ended(failure) => {
            let why = wrap(&failure.why, usize::from(SENTENCE))
                .into_iter()
                .take(2);
            let mut lines = vec![Line::styled(failure.what.clone(), heading)];
            lines.extend(why.map(Line::raw));
            lines.push(next(cx));
            Headline {
                tone: Tone::Refused,
                word: "NO TOKEN".to_owned(),
                lines,
            }
        }
        SignIn::SignedOut | SignIn::SigningIn { .. } | SignIn::Cancelled => Headline {
            tone: Tone::Waiting,
            word: "READY".to_owned(),
            lines: vec![
                Line::raw("nobody is signed in, no credential exists"),
                without_the_log(cx).unwrap_or_default(),
                next(cx),
            ],
        },
    }
}

/// That the audit rows and the policy will be missing, and what brings them.
fn without_the_log(cx: &ViewCx) -> Option<Line<'static>> {
    let target = cx.app.projection().target()?;
    let closed = target.lab && target.console == ConsoleDoor::Closed;
    closed.then(|| {
        Line::styled(
            "! audit and policy cannot be read: start with the lab's --state",
            cx.look.bold(Role::Warning),
        )
    })
}

fn working_on(cx: &ViewCx) -> Vec<Line<'static>> {
    let mut lines = vec![Line::raw("every hop appears below as it happens")];
    if cx.app.holding() == Hold::On && cx.app.is_preparing() {
        let first = "first what this cue needs, without waiting";
        lines.push(Line::styled(first, cx.look.style(Role::Heading)));
    }
    lines
}

/// Which exchange of its call waits, as far as its call is known.
fn place(cx: &ViewCx, waiting: &Waiting) -> Option<String> {
    let seen = cx.app.projection();
    let call = waiting.call?;
    let tool = &seen.tools().call(call)?.tool;
    let hops = seen.hops().of_call(call);
    let exchanges = hops
        .iter()
        .filter_map(|id| seen.hops().get(*id))
        .filter(|hop| hop.kind == HopKind::Exchange)
        .count();
    Some(format!("{tool}, exchange {exchanges}"))
}

/// What is about to be asked, and what will be said.
fn held(cx: &ViewCx, waiting: &Waiting) -> Headline {
    let look = cx.look;
    let bold = look.style(Role::Heading);
    let name = |name: &Option<Name>, or: &str| name.as_deref().unwrap_or(or).to_owned();
    let resource = name(&waiting.resource, "a resource");
    let wanted = match &waiting.scope {
        Some(scope) => format!("{scope} on {resource}"),
        None => resource,
    };
    let policies: Vec<&str> = waiting.policies.iter().map(|policy| &**policy).collect();
    let policies = policies.join(", ");
    let forecast = match (waiting.status, waiting.decided, policies.is_empty()) {
        (AuditStatus::Issued, _, true) => ("policy will permit it".to_owned(), Role::Good),
        (AuditStatus::Issued, _, false) => (format!("{policies} will permit it"), Role::Good),
        (AuditStatus::Failure, true, false) => (format!("{policies} will forbid it"), Role::Bad),
        (AuditStatus::Failure, true, true) => ("no policy will permit it".to_owned(), Role::Bad),
        (AuditStatus::Failure, false, _) => (
            format!(
                "will be refused: {}",
                name(&waiting.reason, "no reason is given")
            ),
            Role::Bad,
        ),
    };
    let mark = match waiting.status {
        AuditStatus::Issued => look.glyphs.good,
        AuditStatus::Failure => look.glyphs.bad,
    };
    let mut go_on = next(cx);
    if let Some(place) = place(cx, waiting) {
        go_on.push_span(span(format!("  {place}"), look.style(Role::Dim)));
    }
    Headline {
        tone: Tone::Alarm,
        word: "HELD".to_owned(),
        lines: vec![
            Line::from(vec![
                span(name(&waiting.application, "an application"), bold),
                span(" for ", Style::new()),
                span(name(&waiting.user, "nobody that is known"), bold),
            ]),
            Line::styled(format!("wants {wanted}"), bold),
            Line::styled(format!("{mark} {}", forecast.0), look.bold(forecast.1)),
            go_on,
        ],
    }
}

/// The policy was switched after the last call.
fn switched(cx: &ViewCx, last: Option<&Call>) -> Option<Headline> {
    let policies = cx.app.projection().policies();
    let switch = policies.activations().last()?;
    let switched = switch.evidence;
    if last.is_some_and(|call| call.finished.unwrap_or(call.started) > switched) {
        return None;
    }
    // Before the sets are read again nobody knows what the switch did to the rule.
    policies.read().filter(|read| *read > switched)?;
    let rule = span(LIMIT_LINEAR_SCOPES, cx.look.style(Role::Heading));
    let set = switch.set.as_ref().map(|set| {
        let dim = cx.look.style(Role::Dim);
        Line::styled(format!("{set} is the active policy set"), dim)
    });
    let lines = |told: &'static str, then: Line<'static>| {
        let first = Line::from(vec![rule, span(told, Style::new())]);
        let lines = [first, then].into_iter().chain(set);
        lines.chain([next(cx)]).collect()
    };
    Some(if policies.forbids(LIMIT_LINEAR_SCOPES)? {
        Headline {
            tone: Tone::Good,
            word: "POLICY ON".to_owned(),
            lines: lines(
                " is in force again",
                Line::raw("from the very next request on"),
            ),
        }
    } else {
        let allowed = "! write on Linear is allowed now";
        Headline {
            tone: Tone::Alarm,
            word: "POLICY OFF".to_owned(),
            lines: lines(
                " is not in force",
                Line::styled(allowed, cx.look.bold(Role::Warning)),
            ),
        }
    })
}

fn next(cx: &ViewCx) -> Line<'static> {
    let next = cx.app.next_step();
    Line::from(vec![
        span(cx.app.keymap().shown(next.command), cx.look.bold(Role::Key)),
        span(format!(" {}", next.text), Style::new()),
    ])
}

fn ended(cx: &ViewCx, call: &Call) -> Headline {
    let look = cx.look;
    let refusal = call.id.and_then(|id| {
        cx.app
            .projection()
            .audit()
            .of_call(id)
            .rfind(|row| row.status == AuditStatus::Failure)
    });
    if let Some(row) = refusal {
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
        let why = wrap(why, usize::from(SENTENCE)).into_iter().take(3);
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
    let mut why: Vec<Span<'static>> = match &row.policy {
        Some(policy) => vec![
            span(policy.to_string(), look.bold(Role::Bad)),
            span(" forbids it: no credential", bold),
        ],
        None => vec![span("the zone refused it: no credential", bold)],
    };
    if let (None, Some(reason)) = (&row.policy, &row.reason) {
        why = vec![span(reason.to_string(), bold)];
    }
    let subtitle = match &row.policy {
        Some(_) => "the policy said no, as it should",
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
