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
    let scale = scale(body);
    let letters = big::height(cx.look, scale);
    // Beside the letters where there is room for a sentence, else under them.
    let beside = widest(scale) + usize::from(SENTENCE) <= usize::from(body.width);
    let band = match (beside, scale) {
        (true, Scale::Twice) => letters.max(big::height(cx.look, Scale::Once) + LINES) + 2,
        (true, Scale::Once) => letters.max(LINES) + 2,
        (false, _) => letters + LINES + 2,
    };
    let top = Rect {
        x: body.x + 2,
        y: body.y + 1,
        width: body.width.saturating_sub(4),
        height: band.saturating_sub(1).min(body.height),
    };
    let used = verdict(cx, top, buf, &headline, scale);
    let text = if beside {
        Rect {
            x: top.x + used + 4,
            width: top.width.saturating_sub(used + 4),
            ..top
        }
    } else {
        put::below(top, letters)
    };
    sentences(cx, text, buf, &headline, scale);
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

/// Draws the word; returns the cells used.
fn verdict(cx: &ViewCx, top: Rect, buf: &mut Buffer, headline: &Headline, scale: Scale) -> u16 {
    let words = large(headline);
    let style = match headline.tone {
        Tone::Good => cx.look.loud(Role::Good),
        Tone::Refused => cx.look.loud(Role::Bad),
        Tone::Alarm => cx.look.loud(Role::Warning),
        Tone::Waiting => cx.look.style(Role::Heading),
    };
    let plate = cx.look.plate(Role::Bad);
    let Some(plate) = plate.filter(|_| headline.tone == Tone::Refused) else {
        return big::draw(buf, top, &words, scale, style, cx.look);
    };
    let cells = u16::try_from(big::width(&words, scale)).unwrap_or(u16::MAX);
    if cells <= top.width {
        // The letters' last row is half empty; where it is not, the row under it is free.
        let below = u16::from(scale == Scale::Twice);
        let behind = Rect {
            x: top.x.saturating_sub(1),
            y: top.y.saturating_sub(1),
            width: cells + 2,
            height: big::height(cx.look, scale) + 1 + below,
        };
        for row in 0..behind.height {
            put::rule(buf, behind, row, " ", plate);
        }
    }
    big::draw(buf, top, &words, scale, plate, cx.look)
}

/// Draws what is told of the word: a rule's name in letters of its own where there is room for them.
fn sentences(cx: &ViewCx, text: Rect, buf: &mut Buffer, headline: &Headline, scale: Scale) {
    let mut lines = headline.lines.clone();
    let mut text = text;
    if let Some(rule) = &headline.rule {
        let name = rule.to_uppercase();
        let fits = big::width(&name, Scale::Once) <= usize::from(text.width);
        if scale == Scale::Twice && fits && big::can_spell(&name) {
            let style = cx.look.loud(Role::Bad);
            big::draw(buf, text, &name, Scale::Once, style, cx.look);
            text = put::below(text, big::height(cx.look, Scale::Once));
        } else if let Some(first) = lines.first_mut() {
            let style = cx.look.bold(Role::Bad);
            first.spans.insert(0, put::span(rule.clone(), style));
            first.spans.insert(1, put::span(" ", first.style));
        }
    }
    for (row, line) in (0..text.height).zip(&lines) {
        put::line(buf, text, row, line, cx.look);
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
