//! The bottom row: the next step of the story, the keys that work now, and news in their place.

mod news;
mod windows;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    HitMap, ViewCx,
    look::Role,
    overlays::ask,
    widgets::put::{self, span},
};
use crate::{
    app::{
        command::{Command, Context},
        compare::Compared,
        focus::{Layout, PaneId},
        overlay::Overlay,
        stage::Stage,
        target::Target,
    },
    projection::timeline::{Direction, Unit},
    support::text::width,
};

/// Keys of the panes, those that matter most first.
const PANES: &[Command] = &[
    Command::Show(PaneId::Chapter),
    Command::PageDown,
    Command::SignIn,
    Command::ListTickets,
    Command::EscalateTicket,
    Command::DeleteIssue,
    Command::TogglePolicy,
    Command::CancelTask,
    Command::Inspect,
    Command::Filter,
    Command::Freeze,
    Command::Zoom,
    Command::Compare,
    Command::SwitchLayout,
    Command::Copy,
    Command::Record,
    Command::Hold,
    Command::Picture,
];

/// Keys of a pane beside a chapter, whose text says to go along the rows and to open one.
const BESIDE: &[Command] = &[
    Command::Back,
    Command::Show(PaneId::Chapter),
    Command::CancelTask,
    Command::Down,
    Command::PageDown,
    Command::Inspect,
    Command::SignIn,
    Command::ListTickets,
    Command::EscalateTicket,
    Command::DeleteIssue,
    Command::Zoom,
    Command::Filter,
    Command::TogglePolicy,
    Command::SwitchLayout,
];

/// Keys of a stage with a run sheet.
const STAGE: &[Command] = &[
    Command::CancelTask,
    Command::PreviousCue,
    Command::SpeakerNote,
    Command::Hold,
    Command::TakeOver,
    Command::Reset,
    Command::SwitchLayout,
    Command::Inspect,
    Command::Zoom,
    Command::TogglePolicy,
    Command::EscalateTicket,
    Command::DeleteIssue,
    Command::SkipCue,
    Command::Picture,
];

/// Keys of a recording that stands in on a stage.
const STOOD_IN: &[Command] = &[
    Command::TakeOver,
    Command::PreviousCue,
    Command::Step(Unit::Hop, Direction::Forward),
    Command::Step(Unit::Hop, Direction::Back),
    Command::Step(Unit::Refusal, Direction::Forward),
    Command::Start,
    Command::End,
    Command::SwitchLayout,
    Command::Inspect,
    Command::Zoom,
];

/// Keys of a replay.
const REPLAY: &[Command] = &[
    Command::Step(Unit::Hop, Direction::Forward),
    Command::Step(Unit::Hop, Direction::Back),
    Command::Step(Unit::Refusal, Direction::Forward),
    Command::Step(Unit::Event, Direction::Forward),
    Command::Step(Unit::Call, Direction::Forward),
    Command::Step(Unit::Part, Direction::Forward),
    Command::Bookmark,
    Command::Annotate,
    Command::Places,
    Command::Compare,
    Command::Start,
    Command::End,
    Command::Faster,
    Command::Inspect,
    Command::Filter,
    Command::Zoom,
    Command::SwitchLayout,
];

/// Keys of a chapter.
const LEARN: &[Command] = &[
    Command::PageDown,
    Command::Inspect,
    Command::Right,
    Command::NextPane,
    Command::Hint,
    Command::ReachEnd,
    Command::ConsoleWork,
    Command::RunProbes,
    Command::Vouch,
    Command::EscalateTicket,
    Command::DeleteIssue,
    Command::NextChapter,
    Command::Contents,
    Command::Answer,
    Command::Mistakes,
    Command::Changes,
    Command::CancelTask,
];

/// Keys that are always there, at the right.
const ALWAYS: &[Command] = &[Command::Help, Command::Palette, Command::Quit];

/// The same where every cell counts.
const ALWAYS_NARROW: &[Command] = &[Command::Help, Command::Quit];

/// Draws the footer.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let area = put::inset(area, 1);
    if let Some(Overlay::Filter { pane, input, .. }) = cx.app.overlays().last() {
        return filter(cx, area, buf, *pane, input);
    }
    match cx.app.overlays().last() {
        Some(Overlay::Goto { input }) => {
            let hint = "1:02.5, 12 s, #41 for an event, ch 7, cue 3";
            return field(cx, area, buf, input, ["go to ", hint, "go", "stay"]);
        }
        Some(Overlay::Note { input, .. }) => {
            let hint = "what is to be seen here; no words remove the note";
            return field(cx, area, buf, input, ["note ", hint, "keep", "cancel"]);
        }
        Some(_) | None => {}
    }
    if let Some(toast) = cx.app.toast() {
        return news::draw(cx, area, buf, hits, toast);
    }
    match cx.app.overlays().last() {
        None => panes(cx, area, buf, hits),
        Some(overlay) => {
            keys(cx, area, buf, hits, &windows::of_overlay(cx, overlay));
        }
    }
}

fn panes(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let next = cx.app.next_step();
    let hint = Line::from(vec![
        span("next ", cx.look.style(Role::Dim)),
        span(cx.app.keymap().shown(next.command), cx.look.bold(Role::Key)),
        span(format!(" {}", next.text), cx.look.style(Role::Heading)),
        span(
            format!("  {}  ", cx.look.glyphs.vertical),
            cx.look.style(Role::Border),
        ),
    ]);
    put::line(buf, area, 0, &hint, cx.look);
    let hint_width = u16::try_from(put::line_width(&hint)).unwrap_or(area.width);
    hits.add(
        Rect {
            width: hint_width.min(area.width),
            ..area
        },
        Target::Command(next.command),
    );
    let last = if area.width < 100 {
        ALWAYS_NARROW
    } else {
        ALWAYS
    };
    let always: u16 = last
        .iter()
        .map(|command| hint_cells(cx, *command))
        .sum::<u16>()
        .saturating_sub(2);
    let start = hint_width.min(area.width);
    let end = area.width.saturating_sub(always + 2).max(start);
    let middle = Rect {
        x: area.x + start,
        width: end - start,
        ..area
    };
    let offered = offered_now(cx, next.command);
    keys(cx, middle, buf, hits, &offered);
    if area.width >= start + always {
        let right = Rect {
            x: area.right() - always,
            width: always,
            ..area
        };
        keys(cx, right, buf, hits, last);
    }
}

fn is_tried_again(cx: &ViewCx) -> bool {
    cx.app.stage().is_some_and(Stage::is_tried_again)
}

/// The panes' keys that do something now, without the next step's own.
fn offered_now(cx: &ViewCx, next: Command) -> Vec<Command> {
    let let_in = cx.app.projection().identity().is_let_in();
    let in_chapter = cx.app.focus().pane == PaneId::Chapter;
    let own = match (cx.app.stage(), cx.app.player()) {
        (Some(_), _) if cx.app.is_taken_over() => STOOD_IN,
        (Some(_), _) => STAGE,
        (None, _) if in_chapter => LEARN,
        (None, Some(_)) => REPLAY,
        (None, None) if cx.app.focus().layout == Layout::Learn => BESIDE,
        (None, None) => PANES,
    };
    let ways_on: &[Command] = if !cx.app.is_taken_over() && is_tried_again(cx) {
        &[Command::SkipCue, Command::TakeOver]
    } else {
        &[]
    };
    let others = own.iter().filter(|command| !ways_on.contains(command));
    ways_on
        .iter()
        .chain(others)
        .copied()
        .filter(|command| *command != next)
        .filter(|command| *command != Command::SignIn || !let_in)
        .filter(|command| match command {
            Command::Back => cx.app.is_beside_the_chapter(),
            // Where one key says it, the other need not.
            Command::Show(PaneId::Chapter) => {
                cx.app.focus().layout == Layout::Learn && !cx.app.is_beside_the_chapter()
            }
            Command::PageDown if in_chapter => cx.app.learn().is_some_and(|learn| !learn.is_read()),
            // The keys for a row choose a ticket there.
            Command::PageDown => {
                cx.app.focus().pane == PaneId::Issue && cx.app.shown_issue().is_some()
            }
            // Elsewhere it filters the flow, which is no key of this pane.
            Command::Filter => {
                cx.app.focus().pane.has_filter() && !cx.app.projection().log().is_empty()
            }
            _ => true,
        })
        .filter(|command| cx.app.availability(*command).is_ready())
        .collect()
}

fn hint_spans(cx: &ViewCx, command: Command) -> Option<[Span<'static>; 2]> {
    let key = cx.app.keymap().shown(command);
    if key.is_empty() {
        return None;
    }
    let in_chapter = cx.app.focus().pane == PaneId::Chapter;
    let label = match (command, cx.app.overlays().last()) {
        (Command::Back, Some(Overlay::Waiting { .. })) => "calls the sign-in off",
        (Command::Accept, Some(Overlay::Waiting { .. })) => "a sample user answers",
        (Command::Accept, Some(Overlay::Console { .. } | Overlay::Form(_))) => "take the step",
        (Command::Back, Some(Overlay::Form(_))) => "cancel",
        (Command::Back, None) if cx.app.is_beside_the_chapter() => "back to the chapter",
        (Command::NextCue, None) if cx.app.is_taken_over() => "go on",
        (Command::NextCue, None) if cx.app.held_exchange().is_some() => "let it go on",
        (Command::NextCue, None) if is_tried_again(cx) => "try again",
        (Command::Inspect, None) if in_chapter => cx.app.item_label().unwrap_or("open"),
        (Command::Right, None) if in_chapter => "next item",
        (Command::NextPane, None) if in_chapter => cx.app.focus().beside().name(),
        (Command::Accept, Some(Overlay::Confirm(question))) => ask::answers(cx, *question)[0],
        (Command::Back, Some(Overlay::Confirm(question))) => ask::answers(cx, *question)[1],
        (Command::Accept, Some(Overlay::Compare)) => {
            let compared = cx.app.compared();
            let folded = compared.is_some_and(Compared::is_at_a_fold);
            if folded { "show them" } else { "open both" }
        }
        (Command::Accept, Some(Overlay::Contents { .. } | Overlay::Traces { .. })) => "open",
        (Command::Back, Some(Overlay::Traces { .. }))
            if cx.app.place() == 0 && cx.app.player().is_none() =>
        {
            "quit"
        }
        _ => command.spec().label,
    };
    Some([
        span(key, cx.look.style(Role::Key)),
        span(format!(" {label}"), cx.look.style(Role::Text)),
    ])
}

fn hint_cells(cx: &ViewCx, command: Command) -> u16 {
    hint_spans(cx, command).map_or(0, |[key, label]| {
        u16::try_from(width(&key.content) + width(&label.content) + 2).unwrap_or(u16::MAX)
    })
}

/// Draws key hints; what does not fit whole is left out.
fn keys(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap, commands: &[Command]) {
    let mut x = 0;
    for command in commands {
        let Some(spans) = hint_spans(cx, *command) else {
            continue;
        };
        let cells = hint_cells(cx, *command) - 2;
        if x + cells > area.width {
            return;
        }
        let place = Rect {
            x: area.x + x,
            width: cells,
            ..area
        };
        put::line(buf, place, 0, &Line::from(spans.to_vec()), cx.look);
        hits.add(place, Target::Command(*command));
        x += cells + 2;
    }
}

/// A line that is typed: what it is for, an example, and what the two keys that end it do.
fn field(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    input: &tui_input::Input,
    [prompt, hint, accept, back]: [&str; 4],
) {
    let right = Line::from(vec![
        span(
            cx.app.keymap().shown(Command::Accept),
            cx.look.style(Role::Key),
        ),
        span(format!(" {accept}  "), cx.look.style(Role::Dim)),
        span(
            cx.app.keymap().shown(Command::Back),
            cx.look.style(Role::Key),
        ),
        span(format!(" {back}"), cx.look.style(Role::Dim)),
    ]);
    put::line_right(buf, area, 0, &right, cx.look);
    let taken = u16::try_from(put::line_width(&right)).unwrap_or(0) + 2;
    let left = Rect {
        width: area.width.saturating_sub(taken),
        ..area
    };
    let used = put::text(buf, left, 0, 0, prompt, cx.look.bold(Role::Key), cx.look);
    let field = Rect {
        x: left.x + used,
        width: left.width.saturating_sub(used),
        ..left
    };
    super::widgets::field::draw(buf, field, input, hint, cx.look);
}

fn filter(cx: &ViewCx, area: Rect, buf: &mut Buffer, pane: PaneId, input: &tui_input::Input) {
    let panes = cx.app.panes();
    let (shown, all) = match pane {
        PaneId::Flow => cx.app.flow_counts(),
        PaneId::Audit => (
            panes.audit.rows().len(),
            cx.app.projection().audit().rows().len(),
        ),
        PaneId::Env
        | PaneId::Issue
        | PaneId::Policy
        | PaneId::Sessions
        | PaneId::Trace
        | PaneId::Chapter => {
            let all = cx.app.projection().log().len();
            // Without words what is folded is there, too.
            let found = panes.trace.rows().len();
            let is_all = panes.trace.query().is_empty();
            (if is_all { all } else { found }, all)
        }
    };
    let (found, role) = match super::panes::searched(cx, pane) {
        Some(percent) => (
            format!("{shown} found, {percent} % searched   "),
            Role::Accent,
        ),
        None => (format!("{shown} of {all}   "), Role::Dim),
    };
    let right = Line::from(vec![
        span(found, cx.look.style(role)),
        span(
            cx.app.keymap().shown(Command::Accept),
            cx.look.style(Role::Key),
        ),
        span(" keep  ", cx.look.style(Role::Dim)),
        span(
            cx.app.keymap().shown(Command::Back),
            cx.look.style(Role::Key),
        ),
        span(" cancel", cx.look.style(Role::Dim)),
    ]);
    debug_assert_eq!(cx.app.context(), Context::Field);
    put::line_right(buf, area, 0, &right, cx.look);
    let taken = u16::try_from(put::line_width(&right)).unwrap_or(0) + 2;
    let left = Rect {
        width: area.width.saturating_sub(taken),
        ..area
    };
    let used = put::text(buf, left, 0, 0, "/ ", cx.look.bold(Role::Key), cx.look);
    let field = Rect {
        x: left.x + used,
        width: left.width.saturating_sub(used),
        ..left
    };
    super::widgets::field::draw(
        buf,
        field,
        input,
        "words, scope:write, status:failure, -not",
        cx.look,
    );
}
