//! News in the place of the keys, and the keys that stay beside them.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{hint_cells, is_tried_again, keys, offered_now, windows};
use crate::{
    app::{
        command::Command,
        stage::Judgement,
        toast::{Toast, Tone},
    },
    support::text::{truncate, width},
    ui::{
        HitMap, ViewCx,
        look::Role,
        widgets::put::{self, span},
    },
};

/// Cells of a message that are shown where a cue failed, however many ways out there are.
const LEAST_OF_NEWS: u16 = 40;

/// Cells between a message and the first key.
const GAP: u16 = 2;

/// Draws what is said, and the keys for which it leaves room.
pub(super) fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap, toast: &Toast) {
    let (mark, role) = match toast.tone {
        Tone::Plain => (cx.look.glyphs.bullet, Role::Text),
        Tone::Good => (cx.look.glyphs.good, Role::Good),
        Tone::Bad => (cx.look.glyphs.bad, Role::Bad),
        Tone::Warning | Tone::Unavailable => ("!", Role::Warning),
    };
    let of_window = cx.app.overlays().last().map(|overlay| {
        let mut keys = windows::of_overlay(cx, overlay);
        keys.retain(|key| *key != Command::Back);
        // The way out of a window and the key that it is about are never taken away; that a text goes on
        // downwards is known.
        let about = keys.first().is_some_and(|key| *key != Command::Down);
        keys.insert(0, Command::Back);
        (keys, 1 + usize::from(about))
    });
    let kept = match &of_window {
        None => kept_beside_news(cx, area.width, cells(width(&toast.text) + 2)),
        Some((keys, kept)) => {
            let kept = keys.iter().take(*kept);
            kept.map(|key| hint_cells(cx, *key)).sum()
        }
    };
    let room = area.width.saturating_sub(kept);
    let text = truncate(&toast.text, usize::from(room.saturating_sub(2)));
    let line = Line::from(vec![
        span(format!("{mark} "), cx.look.bold(role)),
        span(text.into_owned(), cx.look.bold(role)),
    ]);
    put::line(buf, area, 0, &line, cx.look);
    // What fits beside the news stays: the next step first.
    let used = cells(put::line_width(&line)).saturating_add(GAP);
    let rest = Rect {
        x: area.x + used.min(area.width),
        width: area.width.saturating_sub(used),
        ..area
    };
    match of_window {
        None => beside_news(cx, rest, buf, hits),
        Some((offered, _)) => keys(cx, rest, buf, hits, &offered),
    }
}

/// Keys that no message takes away on a stage: to go on, and the ways out.
fn urgent(cx: &ViewCx) -> Vec<Command> {
    if cx.app.stage().is_none() || !cx.app.overlays().is_empty() {
        return Vec::new();
    }
    let next = cx.app.next_step().command;
    let mut urgent = vec![next, Command::TakeOver];
    if is_tried_again(cx) {
        urgent.push(Command::SkipCue);
    }
    if next != Command::Reset {
        urgent.push(Command::Reset);
    }
    urgent.dedup();
    urgent.retain(|command| cx.app.availability(*command).is_ready());
    urgent
}

fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn has_failed(cx: &ViewCx) -> bool {
    matches!(cx.app.judgement(), Some(Judgement::Otherwise(_)))
}

/// Cells that a message of so many leaves to those keys: always to the first, to the others while all of
/// it can be read, or most where a cue failed.
fn kept_beside_news(cx: &ViewCx, width: u16, news: u16) -> u16 {
    let least = if has_failed(cx) { LEAST_OF_NEWS } else { news };
    let mut kept = 0;
    for command in urgent(cx) {
        let more = kept + hint_cells(cx, command);
        if kept > 0 && width.saturating_sub(more) < least {
            break;
        }
        kept = more;
    }
    kept
}

/// The next step and the keys of the story, in what room the news leave.
fn beside_news(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let next = cx.app.next_step().command;
    let mut offered = vec![Command::Help];
    if cx.app.is_beside_the_chapter() {
        offered.insert(0, Command::Back);
    }
    if hint_cells(cx, next).saturating_sub(2) <= area.width {
        offered.insert(0, next);
    }
    let failed = has_failed(cx);
    for command in urgent(cx).into_iter().skip(1) {
        if !offered.contains(&command) {
            let place = match command {
                Command::TakeOver if failed => 0,
                _ => offered.len() - 1,
            };
            offered.insert(place, command);
        }
    }
    for command in offered_now(cx, next) {
        if !offered.contains(&command) {
            offered.push(command);
        }
    }
    keys(cx, area, buf, hits, &offered);
}
