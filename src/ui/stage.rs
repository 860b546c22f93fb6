//! The projector's layout: the verdict in large letters, flow and audit, nothing else.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{
    HitMap, ViewCx,
    look::Role,
    panes::{self, Placement},
    split,
    tier::Tier,
    widgets::{
        big,
        put::{self, span},
        verdict::Verdict,
    },
};
use crate::{
    app::{
        effect::Job,
        focus::{PaneId, Zoom},
        story,
    },
    projection::{audit::AuditRow, issue::Whereabouts, tools::Call},
    protocol::{
        audit::AuditStatus,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
    trace::event::CallOutcome,
};

/// Rows of the verdict with its blank rows.
const BAND: u16 = big::HEIGHT + 2;

/// What the room should read.
struct Headline {
    verdict: Verdict,
    /// In large letters.
    word: String,
    lines: Vec<Line<'static>>,
}

/// Draws the layout.
pub fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let headline = headline(cx);
    let words = large(cx, &headline);
    let cells = u16::try_from(big::width(&words)).unwrap_or(u16::MAX);
    // Beside the letters where there is room for a sentence, else under them.
    let beside = body.width.saturating_sub(cells.saturating_add(6)) >= 64;
    let band = if beside { BAND } else { BAND + 2 };
    let top = Rect {
        x: body.x + 2,
        y: body.y + 1,
        width: body.width.saturating_sub(4),
        height: band.saturating_sub(1).min(body.height),
    };
    let style = match headline.verdict {
        Verdict::Good | Verdict::Bad => cx.look.bold(headline.verdict.role()),
        Verdict::Waiting | Verdict::Neutral => cx.look.style(Role::Heading),
    };
    let used = big::draw(buf, top, &words, style, cx.look);
    let text = if beside {
        Rect {
            x: top.x + used + 4,
            width: top.width.saturating_sub(used + 4),
            ..top
        }
    } else {
        put::below(top, big::HEIGHT)
    };
    for (row, line) in (0..text.height).zip(&headline.lines) {
        put::line(buf, text, row, line, cx.look);
    }
    let rest = put::below(body, band);
    if rest.height < 4 {
        return;
    }
    if cx.app.focus().zoom == Zoom::On {
        panes::draw(cx, rest, buf, hits, cx.app.focus().pane, Placement::Main);
        return;
    }
    let (flow, audit) = if cx.tier == Tier::Wide {
        let left = split(rest.width, 56);
        (
            Rect {
                width: left,
                ..rest
            },
            Rect {
                x: rest.x + left - 1,
                width: rest.width - left + 1,
                ..rest
            },
        )
    } else {
        let upper = split(rest.height, 60);
        (
            Rect {
                height: upper,
                ..rest
            },
            Rect {
                y: rest.y + upper - 1,
                height: rest.height - upper + 1,
                ..rest
            },
        )
    };
    let mut both = [(PaneId::Flow, flow), (PaneId::Audit, audit)];
    // The focused frame is drawn last, so that its border wins where they meet.
    both.sort_by_key(|(pane, _)| *pane == cx.app.focus().pane);
    for (pane, area) in both {
        panes::frame(cx, area, buf, pane, Placement::Main);
    }
    for (pane, area) in both {
        panes::fill(cx, area, buf, hits, pane, Placement::Main);
    }
}

fn large(cx: &ViewCx, headline: &Headline) -> String {
    let mark = match headline.verdict {
        Verdict::Good => "✓ ",
        Verdict::Bad => "✗ ",
        Verdict::Waiting | Verdict::Neutral => "",
    };
    if cx.look.is_ascii() {
        format!("{} {}", headline.verdict.glyph(cx.look), headline.word)
    } else {
        format!("{mark}{}", headline.word)
    }
}

fn headline(cx: &ViewCx) -> Headline {
    let seen = cx.app.projection();
    let working = cx.app.tasks().values().any(|task| {
        matches!(
            task.job,
            Job::SignIn | Job::CallTool { .. } | Job::ActivatePolicySet { .. }
        )
    });
    let last = seen.tools().calls().last();
    match last {
        Some(call) if call.outcome.is_some() && !working => ended(cx, call),
        Some(_) | None if working => Headline {
            verdict: Verdict::Waiting,
            word: "WORKING".to_owned(),
            lines: vec![Line::raw("every hop appears below as it happens")],
        },
        Some(call) => ended(cx, call),
        None => match seen.identity().user() {
            Some(user) => Headline {
                verdict: Verdict::Good,
                word: "SIGNED IN".to_owned(),
                lines: vec![
                    Line::styled(user.name.to_string(), cx.look.style(Role::Heading)),
                    Line::raw("the client holds one token: it proves who drives"),
                    next(cx),
                ],
            },
            None => Headline {
                verdict: Verdict::Waiting,
                word: "READY".to_owned(),
                lines: vec![
                    Line::raw("nobody is signed in, no credential exists"),
                    next(cx),
                ],
            },
        },
    }
}

fn next(cx: &ViewCx) -> Line<'static> {
    let next = story::next(cx.app);
    Line::from(vec![
        span(cx.app.keymap().shown(next.command), cx.look.bold(Role::Key)),
        span(format!(" {}", next.text), cx.look.style(Role::Dim)),
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
    if !succeeded {
        let why = call.text.as_deref().unwrap_or("no reason was given");
        return Headline {
            verdict: Verdict::Bad,
            word: "FAILED".to_owned(),
            lines: vec![
                Line::from(vec![tool, span("did not come through", Style::new())]),
                Line::styled(why.to_owned(), look.style(Role::Dim)),
            ],
        };
    }
    let issues = cx.app.projection().issues();
    let what = match &*call.tool {
        ESCALATE_TICKET => {
            let issue = call.id.and_then(|id| issues.of_call(id));
            let name = issue.map_or("the issue", |issue| &*issue.identifier);
            let author = issue
                .and_then(|issue| issue.seen.as_ref())
                .map_or(String::new(), |seen| {
                    format!(" as {}", crate::support::text::one_line(&seen.author))
                });
            format!("filed {name}{author}")
        }
        GET_SUPPORT_TICKETS => format!("read {} tickets", issues.tickets().len()),
        DELETE_ISSUE => "deleted it: nothing forbade it".to_owned(),
        _ => "is done".to_owned(),
    };
    let word = if call.issued > 0 {
        format!("{} ISSUED", call.issued)
    } else {
        "DONE".to_owned()
    };
    Headline {
        verdict: Verdict::Good,
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
            "each credential for one thing, used once, thrown away",
            cx.look.style(Role::Dim),
        ),
    }
}

/// What was to be deleted, and that it is still there, as far as it was seen.
fn still(cx: &ViewCx) -> Line<'static> {
    match cx.app.standing_issue() {
        Some(issue) if issue.whereabouts == Whereabouts::There => Line::from(vec![
            span(issue.identifier.to_string(), cx.look.style(Role::Heading)),
            span(" is still there", Style::new()),
        ]),
        Some(_) | None => Line::default(),
    }
}

fn refused(cx: &ViewCx, call: &Call, row: &AuditRow) -> Headline {
    let look = cx.look;
    let scope = row.scope.as_deref().unwrap_or("access").to_owned();
    let mut why: Vec<Span<'static>> = match &row.policy {
        Some(policy) => vec![
            span(policy.to_string(), look.bold(Role::Bad)),
            span(" forbids it: the credential never existed", Style::new()),
        ],
        None => vec![span(
            "the zone refused it: the credential never existed",
            Style::new(),
        )],
    };
    if let (None, Some(reason)) = (&row.policy, &row.reason) {
        why = vec![span(reason.to_string(), Style::new())];
    }
    Headline {
        verdict: Verdict::Bad,
        word: "FAILURE".to_owned(),
        lines: vec![
            Line::from(vec![
                span(format!("{} ", call.tool), look.style(Role::Heading)),
                span("wanted ", Style::new()),
                span(scope, look.style(Role::Heading)),
                span(
                    format!(" on {}", row.resource.as_deref().unwrap_or("a resource")),
                    Style::new(),
                ),
            ]),
            Line::from(why),
            still(cx),
        ],
    }
}
