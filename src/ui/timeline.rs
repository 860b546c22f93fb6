//! The row under the header while a trace is replayed: hops as ticks, and the cursor.
//!
//! A cell stands for as many events as fit; the worst of its hops decides how it looks.

use std::ops::Range;

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{
    HitMap, ViewCx,
    look::Role,
    widgets::put::{self, span},
};
use crate::{
    app::{
        player::{Opening, Player, Source},
        target::Target,
    },
    projection::Verdict,
    support::text::one_line,
};

/// The characters of the row; each takes one cell.
struct Marks {
    past: &'static str,
    future: &'static str,
    good: &'static str,
    bad: &'static str,
    plain: &'static str,
    /// A part of the story that has no number; a chapter and a cue show theirs.
    part: &'static str,
    bookmark: &'static str,
    cursor: &'static str,
}

const UNICODE: Marks = Marks {
    past: "━",
    future: "─",
    good: "┃",
    bad: "✗",
    plain: "╷",
    part: "§",
    bookmark: "¶",
    cursor: "◆",
};

const ASCII: Marks = Marks {
    past: "=",
    future: "-",
    good: "|",
    bad: "x",
    plain: ".",
    part: "#",
    bookmark: "*",
    cursor: "O",
};

/// Whether a run has this row.
#[must_use]
pub const fn is_shown(source: &Source) -> bool {
    match source {
        Source::Live => false,
        Source::Opening(_) | Source::Replay(_) => true,
    }
}

/// Draws the row.
pub fn draw(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let area = put::inset(area, 1);
    match cx.app.source() {
        Source::Live => {}
        Source::Opening(opening) => progress(cx, area, buf, opening),
        Source::Replay(player) => track(cx, area, buf, hits, player),
    }
}

fn progress(cx: &ViewCx, area: Rect, buf: &mut Buffer, opening: &Opening) {
    let look = cx.look;
    if opening.name.is_empty() {
        let line = Line::styled("choose a trace", look.style(Role::Dim));
        return put::line(buf, area, 0, &line, look);
    }
    let percent = match opening.percent {
        0 => "  ".to_owned(),
        percent => format!("  {percent} % "),
    };
    let doing = if opening.awaited {
        "waiting for "
    } else {
        "reading "
    };
    let line = Line::from(vec![
        span(doing, look.style(Role::Dim)),
        span(one_line(&opening.name), look.style(Role::Text)),
        span(percent, look.bold(Role::Accent)),
    ]);
    put::line(buf, area, 0, &line, look);
    let used = u16::try_from(put::line_width(&line)).unwrap_or(u16::MAX);
    let bar = Rect {
        x: area.x + used.min(area.width),
        width: area.width.saturating_sub(used),
        ..area
    };
    let marks = if look.is_ascii() { &ASCII } else { &UNICODE };
    let done = usize::from(bar.width) * usize::from(opening.percent) / 100;
    for (cell, x) in (0..usize::from(bar.width)).zip(bar.x..) {
        let (symbol, role) = if cell < done {
            (marks.past, Role::Accent)
        } else {
            (marks.future, Role::Dim)
        };
        let place = Rect { x, width: 1, ..bar };
        put::text(buf, place, 0, 0, symbol, look.style(role), look);
    }
}

fn track(cx: &ViewCx, area: Rect, buf: &mut Buffer, hits: &mut HitMap, player: &Player) {
    let look = cx.look;
    let timeline = player.timeline();
    let (here, end) = (cx.app.place(), timeline.len());
    let now = format!("{} ", clock(timeline.time_at(here)));
    let total = format!(" {}", clock(timeline.time_at(end)));
    let used = put::text(buf, area, 0, 0, &now, look.style(Role::Text), look);
    put::line_right(
        buf,
        area,
        0,
        &Line::styled(total.clone(), look.style(Role::Dim)),
        look,
    );
    let taken = used + u16::try_from(total.len()).unwrap_or(u16::MAX);
    let cells = usize::from(area.width.saturating_sub(taken));
    let Some(last) = cells.checked_sub(1).filter(|last| *last > 0) else {
        return;
    };
    let marks = if look.is_ascii() { &ASCII } else { &UNICODE };
    // The first place that falls into a cell; an empty trace has only the first cell.
    let first_in = |cell: usize| (cell * end).div_ceil(last);
    let cursor = (here * last).checked_div(end).unwrap_or(0);
    for (cell, x) in (0..cells).zip(area.x + used..) {
        let worst = timeline.marks().worst(first_in(cell), first_in(cell + 1));
        let role = match worst {
            None if cell < cursor => Role::Text,
            None | Some(Verdict::Pending | Verdict::Held) => Role::Dim,
            Some(Verdict::Ok) => Role::Good,
            Some(Verdict::Failed | Verdict::Denied) => Role::Bad,
        };
        let (symbol, style) = if cell == cursor {
            let role = if worst.is_some() { role } else { Role::Accent };
            (marks.cursor, look.bold(role))
        } else {
            match worst {
                None if cell < cursor => (marks.past, look.style(role)),
                None => (marks.future, look.style(role)),
                Some(Verdict::Pending | Verdict::Held) => (marks.plain, look.style(role)),
                Some(Verdict::Ok) => (marks.good, look.style(role)),
                Some(Verdict::Failed | Verdict::Denied) => (marks.bad, look.bold(role)),
            }
        };
        let place = Rect {
            x,
            width: 1,
            ..area
        };
        let landmark = (cell != cursor)
            .then(|| landmark(cx, player, marks, first_in(cell)..first_in(cell + 1)))
            .flatten();
        match landmark {
            Some((symbol, role)) => {
                put::text(buf, place, 0, 0, &symbol, look.bold(role), look);
            }
            None => {
                put::text(buf, place, 0, 0, symbol, style, look);
            }
        }
        hits.add(place, Target::Place(first_in(cell).min(end)));
    }
}

/// What stands in a cell instead of its hops: a bookmark, or the chapter or cue that begins there. A
/// refusal is never covered: a bookmark on one is as red as it.
fn landmark(
    cx: &ViewCx,
    player: &Player,
    marks: &Marks,
    places: Range<usize>,
) -> Option<(String, Role)> {
    let timeline = player.timeline().marks();
    let noted = |place: usize| {
        places.contains(&place) || place >= places.end && places.end > player.timeline().len()
    };
    let worst = timeline.worst(places.start, places.end);
    let refused = matches!(worst, Some(Verdict::Failed | Verdict::Denied));
    if cx.app.notes().all().iter().any(|note| noted(note.place)) {
        let role = if refused { Role::Bad } else { Role::Key };
        return Some((marks.bookmark.to_owned(), role));
    }
    if refused {
        return None;
    }
    let part = timeline.part(places.start, places.end)?;
    let symbol = match part.number() {
        Some(number) if number < 10 => number.to_string(),
        Some(_) | None => marks.part.to_owned(),
    };
    Some((symbol, Role::Heading))
}

/// Minutes, seconds and tenths of the run; of a long one hours, or days and hours.
#[must_use]
pub fn clock(micros: u64) -> String {
    let tenths = micros / 100_000;
    let (minutes, seconds) = (tenths / 600, tenths / 10 % 60);
    if minutes < 100 {
        return format!("{minutes}:{seconds:02}.{}", tenths % 10);
    }
    let (hours, minutes) = (minutes / 60, minutes % 60);
    if hours < 100 {
        return format!("{hours}h{minutes:02}:{seconds:02}");
    }
    format!("{}d{:02}h{minutes:02}", hours / 24, hours % 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_on_a_player() {
        assert_eq!(clock(0), "0:00.0");
        assert_eq!(clock(16_449_000), "0:16.4");
        assert_eq!(clock(3_725_900_000), "62:05.9");
        assert_eq!(clock(7_325_000_000), "2h02:05");
        assert_eq!(clock(3_456_009_400_000), "40d00h00");
    }
}
