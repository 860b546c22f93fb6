//! The top row: what this is, where it points, who is signed in, whether it is live.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    ViewCx,
    look::Role,
    panes,
    widgets::put::{self, span},
};
use crate::{
    app::{
        Task,
        effect::Job,
        msg::RecordingState,
        player::{Growth, Pace, Player, Source, Speed},
    },
    config::{Animation, sheet::Hold},
    projection::{identity::SignIn, story::LIMIT_LINEAR_SCOPES},
    support::text::{one_line, truncate, width},
};

const NAME: &str = "hoptrail";
/// Blanks between two parts.
const GAP: usize = 2;

/// Draws the header.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer) {
    let area = put::inset(area, 1);
    let mut right = Vec::new();
    let [target, user] = capped(
        [target(cx), user(cx)],
        area.width,
        [&rule(cx), &hold(cx), &badge(cx)],
    );
    for part in [target, user, rule(cx), hold(cx), badge(cx)] {
        if !right.is_empty() && !part.is_empty() {
            right.push(span("  ", cx.look.style(Role::Dim)));
        }
        right.extend(part);
    }
    let right = Line::from(right);
    let taken = u16::try_from(put::line_width(&right)).unwrap_or(area.width);
    let left_area = Rect {
        width: area.width.saturating_sub(taken + 2),
        ..area
    };
    put::line(buf, left_area, 0, &left(cx), cx.look);
    put::line_right(buf, area, 0, &right, cx.look);
}

/// Shortens what a trace may make as long as it likes, so that what hoptrail itself says fits beside it:
/// its name, and whether this is a replay. The shorter one of the two stays whole if it can.
fn capped(
    names: [Vec<Span<'static>>; 2],
    cells: u16,
    fixed: [&Vec<Span<'static>>; 3],
) -> [Vec<Span<'static>>; 2] {
    let cells_of = |part: &[Span<'static>]| part.iter().map(|s| width(&s.content)).sum::<usize>();
    let fixed: usize = fixed
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| GAP + cells_of(part))
        .sum();
    let room = usize::from(cells).saturating_sub(width(NAME) + GAP + fixed + GAP);
    let wanted = [cells_of(&names[0]), cells_of(&names[1])];
    let fair = |own: usize, other: usize| own.min(room.saturating_sub(other).max(room / 2));
    let room = [fair(wanted[0], wanted[1]), fair(wanted[1], wanted[0])];
    let mut room = room.into_iter();
    names.map(|part| {
        let room = room.next().unwrap_or(0);
        let shorter =
            |one: Span<'static>| span(truncate(&one.content, room).into_owned(), one.style);
        // Less than a letter of it says nothing.
        let part = part.into_iter().filter(|_| room > 1);
        part.map(shorter).collect()
    })
}

fn left(cx: &ViewCx) -> Line<'static> {
    let mut spans = vec![span(NAME, cx.look.style(Role::Heading)), Span::raw("  ")];
    match cx.app.tasks().values().next() {
        Some(task) => spans.extend(working(cx, task)),
        None => match cx.app.learn().filter(|learn| learn.is_open()) {
            Some(learn) => spans.extend(panes::chapter::heading(cx, learn).spans),
            None => spans.push(span(one_line(cx.app.title()), cx.look.style(Role::Dim))),
        },
    }
    Line::from(spans)
}

fn working(cx: &ViewCx, task: &Task) -> [Span<'static>; 3] {
    const FRAME_US: u64 = 100_000;
    let frames = cx.look.glyphs.spinner;
    let now = cx.app.now_us();
    let frame = match cx.look.animation {
        Animation::On => usize::try_from(now / FRAME_US).unwrap_or(0) % frames.len(),
        Animation::Off => 0,
    };
    let what = match &task.job {
        Job::SignIn => match &cx.app.projection().identity().state {
            SignIn::SigningIn { leg, .. } => leg.words().to_owned(),
            SignIn::SignedOut
            | SignIn::SignedIn(_)
            | SignIn::NotNeeded
            | SignIn::Ended(_)
            | SignIn::Refused(_)
            | SignIn::Cancelled => "signing in".to_owned(),
        },
        Job::SampleUser => "the sample user answers".to_owned(),
        Job::SignOut => "signing out".to_owned(),
        Job::ListTools => "asking for the tools".to_owned(),
        Job::CallTool { tool, .. } => {
            let progress = cx
                .app
                .projection()
                .tools()
                .running()
                .and_then(|call| call.progress.as_ref()?.message.clone());
            progress.map_or_else(|| tool.clone(), |message| format!("{tool}: {message}"))
        }
        Job::ActivatePolicySet { .. } => "switching the policy set".to_owned(),
        Job::RefreshConsole => "reading the zone".to_owned(),
        Job::Hold(Hold::On) => "closing the zone's gate".to_owned(),
        Job::Hold(Hold::Off) => "opening the zone's gate".to_owned(),
        Job::LetGo { .. } => "letting it go on".to_owned(),
        Job::RunProbes { .. } => "asking what the checks need".to_owned(),
        Job::AskZone(_) => "asking the zone why".to_owned(),
        Job::ReadConsoleWork(_) => "looking at the console".to_owned(),
        Job::TakeStep { .. } => "working in the console".to_owned(),
        Job::BeginAgain { .. } => "bringing the lab back".to_owned(),
        Job::GoToChapter(chapter) => format!("bringing the lab to the end of chapter {chapter}"),
    };
    let seconds = now.saturating_sub(task.since_us) / 1_000_000;
    let since = if seconds > 0 {
        format!(" {seconds} s")
    } else {
        String::new()
    };
    [
        span(format!("{} ", frames[frame]), cx.look.style(Role::Accent)),
        span(one_line(&what), cx.look.style(Role::Text)),
        span(since, cx.look.style(Role::Dim)),
    ]
}

fn target(cx: &ViewCx) -> Vec<Span<'static>> {
    match cx.app.projection().target() {
        None => match cx.app.source() {
            Source::Live if cx.app.is_unreached() => {
                vec![span("not reached", cx.look.style(Role::Warning))]
            }
            Source::Live => vec![span("starting", cx.look.style(Role::Dim))],
            Source::Opening(_) | Source::Replay(_) => Vec::new(),
        },
        Some(target) => vec![span(one_line(&target.name), cx.look.style(Role::Heading))],
    }
}

fn user(cx: &ViewCx) -> Vec<Span<'static>> {
    match &cx.app.projection().identity().state {
        SignIn::SignedIn(user) => vec![span(user.name.to_string(), cx.look.style(Role::Text))],
        // Nobody knows yet who was.
        _ if matches!(cx.app.source(), Source::Opening(_)) => Vec::new(),
        SignIn::NotNeeded => vec![span("open to anyone", cx.look.style(Role::Text))],
        SignIn::Ended(_) => vec![span("sign-in ended", cx.look.style(Role::Warning))],
        SignIn::SignedOut | SignIn::SigningIn { .. } | SignIn::Refused(_) | SignIn::Cancelled => {
            vec![span("not signed in", cx.look.style(Role::Dim))]
        }
    }
}

/// Whether the rule that the story is about is in force; nothing while nobody told.
fn rule(cx: &ViewCx) -> Vec<Span<'static>> {
    match cx.app.projection().policies().forbids(LIMIT_LINEAR_SCOPES) {
        Some(true) => vec![span("RULE ON", cx.look.bold(Role::Good))],
        // Who reads an earlier chapter has not heard of the rule.
        Some(false) if cx.app.is_before_the_rule() => Vec::new(),
        Some(false) => vec![span("! RULE OFF", cx.look.loud(Role::Warning))],
        None => Vec::new(),
    }
}

/// Whether exchanges are held.
fn hold(cx: &ViewCx) -> Vec<Span<'static>> {
    match cx.app.holding() {
        Hold::On if !cx.app.is_taken_over() => vec![span("HOLD", cx.look.bold(Role::Warning))],
        Hold::On | Hold::Off => Vec::new(),
    }
}

fn replay(cx: &ViewCx, player: &Player) -> Vec<Span<'static>> {
    let glyphs = cx.look.glyphs;
    let (place, end) = (cx.app.place(), player.timeline().len());
    let (mark, role) = match (player.pace(), player.growth()) {
        (Pace::Playing { .. }, _) => (glyphs.head_right, Role::Accent),
        (Pace::Paused, Growth::Followed) if place == end => (glyphs.live, Role::Accent),
        (Pace::Paused, Growth::Finished | Growth::Followed) => (glyphs.frozen, Role::Warning),
    };
    let mut spans = Vec::new();
    if player.speed() != Speed::default() {
        spans.push(span(
            format!("{}  ", player.speed().name()),
            cx.look.style(Role::Text),
        ));
    }
    let more = match player.growth() {
        Growth::Finished => "",
        Growth::Followed => " so far",
    };
    spans.push(span(
        format!("{mark} REPLAY {place}/{end}{more}"),
        cx.look.bold(role),
    ));
    spans
}

fn badge(cx: &ViewCx) -> Vec<Span<'static>> {
    match cx.app.source() {
        Source::Live => {}
        Source::Opening(_) => return vec![span("REPLAY", cx.look.bold(Role::Warning))],
        Source::Replay(player) => return replay(cx, player),
    }
    let mut spans = Vec::new();
    if matches!(cx.app.recording(), RecordingState::On { .. }) {
        spans.push(span(
            format!("{} REC  ", cx.look.glyphs.record),
            cx.look.bold(Role::Warning),
        ));
    }
    spans.push(match cx.app.held_back() {
        None => span(
            format!("{} LIVE", cx.look.glyphs.live),
            cx.look.bold(Role::Accent),
        ),
        Some(behind) => span(
            format!("{} FROZEN +{behind}", cx.look.glyphs.frozen),
            cx.look.bold(Role::Warning),
        ),
    });
    spans
}
