//! The verdict of what happened last, and the sentences under it.

mod call;

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::SENTENCE;
use crate::{
    app::{command::Command, effect::Job, stage::AtHand, story},
    config::sheet::{Action, Hold},
    projection::{
        Name, Seq, holds::Waiting, hops::HopKind, identity::SignIn, story::LIMIT_LINEAR_SCOPES,
    },
    protocol::audit::AuditStatus,
    support::text::wrap_at_most,
    trace::event::ConsoleDoor,
    ui::{ViewCx, look::Role, widgets::put::span},
};

/// What the room should read.
pub(super) struct Headline {
    pub tone: Tone,
    /// In large letters.
    pub word: String,
    /// The rule that refused; the first sentence goes on from its name.
    pub rule: Option<String>,
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
    if let Some(waiting) = cx.app.held_exchange() {
        return held(cx, waiting);
    }
    let works = |job: &Job| {
        matches!(
            job,
            Job::SignIn | Job::SignOut | Job::CallTool { .. } | Job::ActivatePolicySet { .. }
        )
    };
    if cx.app.is_cue_running() || cx.app.tasks().values().any(|task| works(&task.job)) {
        return Headline {
            tone: Tone::Waiting,
            rule: None,
            word: "WORKING".to_owned(),
            lines: working_on(cx),
        };
    }
    let of_the_cue = cx.app.cue_at_hand().and_then(|cue| at_hand(cx, &cue));
    of_the_cue.unwrap_or_else(|| latest(cx))
}

/// Of the cue at hand, where nothing that happened tells it.
fn at_hand(cx: &ViewCx, cue: &AtHand<'_>) -> Option<Headline> {
    let signed = cx.app.projection().identity();
    Some(match cue {
        AtHand::Failed(cue, _)
            if cue.action == Action::SignIn
                && matches!(signed.state, SignIn::Refused(_) | SignIn::Ended(_)) =>
        {
            who_drives(cx)
        }
        AtHand::Failed(cue, why) => came_to_nothing(cx, (Tone::Refused, "FAILED"), &cue.title, why),
        AtHand::CalledOff(cue) => {
            let verdict = (Tone::Waiting, "CALLED OFF");
            came_to_nothing(cx, verdict, &cue.title, "it was called off")
        }
        AtHand::Done(cue) => match cue.action {
            Action::SignIn if signed.is_let_in() => who_drives(cx),
            Action::SignOut if !signed.is_let_in() => who_drives(cx),
            Action::PolicyOn | Action::PolicyOff => rule(cx)?,
            Action::SignIn
            | Action::SignOut
            | Action::ListTickets
            | Action::Escalate
            | Action::Delete
            | Action::Talk => return None,
        },
    })
}

/// What there was to be, and why it is not.
fn came_to_nothing(
    cx: &ViewCx,
    (tone, word): (Tone, &'static str),
    what: &str,
    why: &str,
) -> Headline {
    let mut lines = vec![Line::styled(what.to_owned(), cx.look.style(Role::Heading))];
    let why = wrap_at_most(why, usize::from(SENTENCE), 2);
    lines.extend(why.into_iter().map(Line::raw));
    lines.push(next(cx));
    Headline {
        tone,
        rule: None,
        word: word.to_owned(),
        lines,
    }
}

/// Of what happened last, whoever asked for it.
fn latest(cx: &ViewCx) -> Headline {
    let seen = cx.app.projection();
    let last = seen.tools().calls().last();
    let called = last.map(|call| call.finished.unwrap_or(call.started));
    let switched = switched(cx);
    let came_or_went = seen.identity().changed;
    if came_or_went > called.max(switched) {
        return who_drives(cx);
    }
    if switched > called
        && let Some(headline) = rule(cx)
    {
        return headline;
    }
    match last {
        // A recording can stand still within a call.
        Some(call) if call.outcome.is_none() && story::refusal(cx.app, call.id).is_none() => {
            Headline {
                tone: Tone::Waiting,
                rule: None,
                word: "WORKING".to_owned(),
                lines: working_on(cx),
            }
        }
        Some(call) => call::ended(cx, call),
        None => who_drives(cx),
    }
}

fn who_drives(cx: &ViewCx) -> Headline {
    let heading = cx.look.style(Role::Heading);
    let seen = cx.app.projection();
    match &seen.identity().state {
        SignIn::SignedIn(user) => Headline {
            tone: Tone::Good,
            rule: None,
            word: "SIGNED IN".to_owned(),
            lines: vec![
                Line::styled(user.name.to_string(), heading),
                Line::raw("the client holds one token: it proves who drives"),
                next(cx),
            ],
        },
        SignIn::NotNeeded => Headline {
            tone: Tone::Waiting,
            rule: None,
            word: "OPEN".to_owned(),
            lines: vec![
                Line::raw("the server is open to anyone: nobody has to sign in"),
                next(cx),
            ],
        },
        SignIn::Refused(failure) | SignIn::Ended(failure) => {
            let verdict = (Tone::Refused, "NO TOKEN");
            came_to_nothing(cx, verdict, &failure.what, &failure.why)
        }
        SignIn::SignedOut if seen.identity().changed.is_some() => Headline {
            tone: Tone::Waiting,
            rule: None,
            word: "SIGNED OUT".to_owned(),
            lines: vec![
                Line::raw("nobody is signed in: the client's tokens are gone"),
                next(cx),
            ],
        },
        SignIn::SignedOut | SignIn::SigningIn { .. } | SignIn::Cancelled
            if cx.app.is_unreached() =>
        {
            let failure = seen.failures().last().map(|(_, failure)| failure);
            let what = failure.map_or("nothing answers", |failure| &failure.what);
            let why = failure.map_or("", |failure| &failure.why);
            came_to_nothing(cx, (Tone::Refused, "NO ANSWER"), what, why)
        }
        SignIn::SignedOut | SignIn::SigningIn { .. } | SignIn::Cancelled => Headline {
            tone: Tone::Waiting,
            rule: None,
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
    let mut wants = Line::from(span(format!("wants {wanted}"), bold));
    if let Some(place) = place(cx, waiting) {
        let place = format!("  {} {place}", look.glyphs.dot);
        wants.push_span(span(place, look.style(Role::Dim)));
    }
    // The last line is the keys' alone.
    let mut go_on = next(cx);
    // Where the rule has a say, the room can see what it says with and without it.
    let lifted = cx.app.projection().policies().forbids(LIMIT_LINEAR_SCOPES) == Some(false);
    let forbidden = waiting.status == AuditStatus::Failure && waiting.decided;
    if (lifted || forbidden) && cx.app.availability(Command::TogglePolicy).is_ready() {
        let key = cx.app.keymap().shown(Command::TogglePolicy);
        go_on.push_span(Span::raw("  "));
        go_on.push_span(span(key, look.style(Role::Key)));
        go_on.push_span(span(" policy on/off", look.style(Role::Text)));
    }
    Headline {
        tone: Tone::Alarm,
        rule: None,
        word: "HELD".to_owned(),
        lines: vec![
            Line::from(vec![
                span(name(&waiting.application, "an application"), bold),
                span(" for ", Style::new()),
                span(name(&waiting.user, "nobody that is known"), bold),
            ]),
            wants,
            Line::styled(format!("{mark} {}", forecast.0), look.bold(forecast.1)),
            go_on,
        ],
    }
}

/// When the policy was switched last. Before the sets are read again nobody knows what that did to
/// the rule.
fn switched(cx: &ViewCx) -> Option<Seq> {
    let policies = cx.app.projection().policies();
    let switched = policies.activations().last()?.evidence;
    // Whoever reads an earlier chapter has not heard of the rule.
    if cx.app.is_before_the_rule() {
        return None;
    }
    policies.read().filter(|read| *read > switched)?;
    Some(switched)
}

/// Whether the rule is in force; `None` if nobody knows.
fn rule(cx: &ViewCx) -> Option<Headline> {
    let policies = cx.app.projection().policies();
    let switch = policies.activations().last();
    let rule = span(LIMIT_LINEAR_SCOPES, cx.look.style(Role::Heading));
    let set = switch.and_then(|switch| switch.set.as_ref()).map(|set| {
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
            rule: None,
            word: "POLICY ON".to_owned(),
            lines: lines(
                if switch.is_some() {
                    " is in force again"
                } else {
                    " is in force"
                },
                Line::raw("from the very next request on"),
            ),
        }
    } else {
        let allowed = "! write on Linear is allowed now";
        Headline {
            tone: Tone::Alarm,
            rule: None,
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
