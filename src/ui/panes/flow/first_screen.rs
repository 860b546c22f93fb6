//! What the pane teaches before anything happened: the way through the story, and its keys.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    app::{
        command::Command,
        focus::{Layout, PaneId},
        player::Source,
        story::{self, Done},
        target::Target,
    },
    support::text::{one_line, width, wrap},
    ui::{
        HitMap, ViewCx,
        look::Role,
        panes::{Placement, REPLAY, nothing_found, teach},
        timeline,
        widgets::put::{self, span},
    },
};

/// The way into the chapters.
const CHAPTER: Command = Command::Show(PaneId::Chapter);
/// Cells of a step before what it shows.
const BEFORE_SHOWS: usize = 24;

/// What the pane teaches before anything happened.
pub(super) fn first_screen(
    cx: &ViewCx,
    area: Rect,
    buf: &mut Buffer,
    hits: &mut HitMap,
    placement: Placement,
) {
    if !cx.app.filter_of(PaneId::Flow).is_empty() {
        return nothing_found(cx, area, buf, PaneId::Flow, "hop");
    }
    if let Source::Opening(opening) = cx.app.source()
        && !opening.name.is_empty()
    {
        let name = one_line(&opening.name);
        let text = match opening.percent {
            _ if opening.awaited => {
                format!(
                    "Nobody has written anything to {name} yet: it is shown as soon as somebody does."
                )
            }
            0 => format!("{name} is being read, and is shown when all has come that there is."),
            percent => format!(
                "{name} is being read, and is shown from its beginning when all of it is there: {percent} %.",
            ),
        };
        return teach(
            cx,
            area,
            buf,
            &[&text, "Until then the panes say what they will show."],
            &[],
        );
    }
    if timeline::is_shown(cx.app.source()) {
        return teach(
            cx,
            area,
            buf,
            &["This is the beginning of the trace: its first hop is yet to come."],
            REPLAY,
        );
    }
    let look = cx.look;
    let area = put::inset(area, 2);
    let intro = "Every hop of a credential will appear here as it happens: who asked, for whom, \
                 for which resource, with which scope, and what came back. The zone is the \
                 authorization server: Keycard, or the lab's stand-in for it.";
    let mut lines: Vec<(Line<'static>, Option<Command>)> =
        wrap(intro, usize::from(area.width.min(76)))
            .into_iter()
            .map(|line| (Line::raw(line), None))
            .collect();
    lines.push((Line::raw(""), None));
    let next = story::next(cx.app).command;
    let steps = story::steps(cx.app);
    // Beside a chapter there is no room for it, and a part of a sentence tells nothing.
    let told = steps
        .iter()
        .all(|step| BEFORE_SHOWS + width(step.shows) <= usize::from(area.width));
    for step in steps {
        let (mark, style) = match step.done {
            Done::Yes => (look.glyphs.good, look.style(Role::Good)),
            Done::NotYet if step.command == next => (look.glyphs.open, look.bold(Role::Accent)),
            Done::NotYet => (" ", Style::new()),
        };
        let title = if step.command == next {
            look.style(Role::Heading)
        } else {
            Style::new()
        };
        let line = Line::from(vec![
            span(format!("{mark} "), style),
            span(
                format!("{:<3}", cx.app.keymap().shown(step.command)),
                look.bold(Role::Key),
            ),
            span(format!("{:<19}", step.title), title),
            span(if told { step.shows } else { "" }, look.style(Role::Dim)),
        ]);
        lines.push((line, Some(step.command)));
        if area.height >= 16 && placement == Placement::Main {
            lines.push((Line::raw(""), None));
        }
    }
    if cx.app.learn().is_some_and(|learn| !learn.is_open()) {
        let line = Line::from(vec![
            Span::raw("  "),
            span(
                format!("{:<3}", cx.app.keymap().shown(CHAPTER)),
                look.bold(Role::Key),
            ),
            span(format!("{:<19}", "or learn it"), Style::new()),
            span(
                "nine chapters, from the open door on",
                look.style(Role::Dim),
            ),
        ]);
        lines.push((line, Some(CHAPTER)));
    }
    if area.height < 16 {
        lines.push((Line::raw(""), None));
    }
    let layout = match cx.app.focus().layout {
        Layout::Explore | Layout::Learn => "projector layout ",
        Layout::Stage => "explore layout   ",
    };
    let mut keys = Vec::new();
    let mut used = 0;
    for (command, words) in [
        (Command::Help, "every key        "),
        (Command::SwitchLayout, layout),
        (Command::NextPane, " next pane"),
    ] {
        let key = format!("  {:<3}", cx.app.keymap().shown(command));
        used += width(&key) + width(words);
        // Of what has no room nothing is told: a part of it would be a riddle.
        if used > usize::from(area.width) {
            break;
        }
        keys.push(span(key, look.bold(Role::Key)));
        keys.push(span(words, look.style(Role::Dim)));
    }
    lines.push((Line::from(keys), Some(Command::Help)));
    let top = u16::from(area.height > 18);
    for (row, (line, command)) in (top..area.height).zip(&lines) {
        put::line(buf, area, row, line, look);
        if let Some(command) = command {
            let place = Rect {
                y: area.y + row,
                height: 1,
                ..area
            };
            hits.add(place, Target::Command(*command));
        }
    }
}
