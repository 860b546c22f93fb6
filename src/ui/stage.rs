//! The projector's layout: the verdict in large letters, flow and audit, nothing else.

mod cues;
mod headline;

use ratatui::{buffer::Buffer, layout::Rect};

use self::headline::{Headline, Tone, headline};
use super::{
    HitMap, ViewCx,
    look::Role,
    panes::{self, Placement},
    split,
    tier::Tier,
    widgets::{
        big::{self, Scale},
        put,
    },
};
use crate::app::focus::{PaneId, Zoom};

/// Rows that two panes need.
const TWO_PANES: u16 = 9;

/// From this many rows on the two stand one above the other also where they would fit side by side:
/// each then has the room for all its columns, which the back of the room reads.
const TALL: u16 = 40;

/// Cells that a sentence beside the letters needs.
const SENTENCE: u16 = 62;

/// Sentences that a verdict has at most.
const LINES: u16 = 4;

/// The verdict that takes the most room.
const WIDEST: &str = "✓ POLICY ON";

/// From this many rows on, a projector's cells are so small that letters take two of them a pixel.
const SMALL_CELLS: u16 = 48;

/// Draws the layout.
pub fn draw(cx: &ViewCx, body: Rect, buf: &mut Buffer, hits: &mut HitMap) {
    let headline = headline(cx);
    let words = large(&headline);
    let scale = scale(body);
    let letters = big::height(cx.look, scale);
    // Beside the letters where there is room for a sentence, else under them.
    let beside = widest(scale) + usize::from(SENTENCE) <= usize::from(body.width);
    let band = if beside {
        letters.max(LINES) + 2
    } else {
        letters + LINES + 2
    };
    let top = Rect {
        x: body.x + 2,
        y: body.y + 1,
        width: body.width.saturating_sub(4),
        height: band.saturating_sub(1).min(body.height),
    };
    let style = match headline.tone {
        Tone::Good => cx.look.loud(Role::Good),
        Tone::Refused => cx.look.loud(Role::Bad),
        Tone::Alarm => cx.look.loud(Role::Warning),
        Tone::Waiting => cx.look.style(Role::Heading),
    };
    let used = big::draw(buf, top, &words, scale, style, cx.look);
    let text = if beside {
        Rect {
            x: top.x + used + 4,
            width: top.width.saturating_sub(used + 4),
            ..top
        }
    } else {
        put::below(top, letters)
    };
    for (row, line) in (0..text.height).zip(&headline.lines) {
        put::line(buf, text, row, line, cx.look);
    }
    let rest = cues::draw(cx, put::below(body, band), buf);
    if rest.height < 4 {
        return;
    }
    // Where there is room for one only, half of two would show neither.
    if cx.app.focus().zoom == Zoom::On || rest.height < TWO_PANES {
        panes::draw(cx, rest, buf, hits, cx.app.focus().pane, Placement::Main);
        return;
    }
    let (flow, audit) = if cx.tier == Tier::Wide && rest.height < TALL {
        let left = split(rest.width, 50);
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

/// As large as leaves a sentence beside them.
fn scale(body: Rect) -> Scale {
    let twice = widest(Scale::Twice) + usize::from(SENTENCE);
    if body.height >= SMALL_CELLS && twice <= usize::from(body.width) {
        Scale::Twice
    } else {
        Scale::Once
    }
}

/// Cells of the widest verdict with the room around it. What is drawn below must not move from one
/// verdict to the next.
fn widest(scale: Scale) -> usize {
    big::width(WIDEST, scale) + 6
}

fn large(headline: &Headline) -> String {
    let mark = match headline.tone {
        Tone::Good => "✓ ",
        Tone::Refused => "✗ ",
        Tone::Alarm => "! ",
        Tone::Waiting => "",
    };
    format!("{mark}{}", headline.word)
}
