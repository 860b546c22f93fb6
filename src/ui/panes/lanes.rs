//! The seven lanes of the Flow pane: where they are, and an arrow from one to another.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    support::text::width,
    trace::Actor,
    ui::{
        look::{Look, Role},
        widgets::put,
    },
};

/// The lanes' geometry: seven cells of equal width, the line in the middle of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lanes {
    pitch: u16,
}

/// The narrowest lane that still has a readable heading.
const NARROWEST: u16 = 5;
/// Wider lanes only stretch the arrows.
const WIDEST: u16 = 14;

/// How an arrow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// It happened.
    Solid,
    /// It did not: dashed, and a cross ends it just before the lane.
    Never,
}

impl Lanes {
    /// Lanes beside `beside` cells of words; `None` where there is no room for them.
    #[must_use]
    pub const fn fit(width: u16, beside: u16) -> Option<Self> {
        let pitch = width.saturating_sub(beside) / 7;
        if pitch < NARROWEST {
            return None;
        }
        Some(Self {
            pitch: if pitch > WIDEST { WIDEST } else { pitch },
        })
    }

    /// Cells that the lanes take.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.pitch * 7
    }

    const fn column(self, actor: Actor) -> u16 {
        actor as u16 * self.pitch + self.pitch / 2
    }

    /// Draws the headings.
    pub fn headings(self, buf: &mut Buffer, area: Rect, row: u16, look: &Look) {
        for actor in Actor::ALL {
            let name = label(actor, self.pitch);
            let cells = u16::try_from(width(name)).unwrap_or(0);
            let left = (actor as u16 * self.pitch) + (self.pitch.saturating_sub(cells)) / 2;
            put::text(buf, area, row, left, name, look.style(Role::Heading), look);
        }
    }

    /// Draws the seven lines of a row.
    pub fn lines(self, buf: &mut Buffer, row: Rect, look: &Look) {
        let style = look.style(Role::Border);
        for actor in Actor::ALL {
            put::text(
                buf,
                row,
                0,
                self.column(actor),
                look.glyphs.lane,
                style,
                look,
            );
        }
    }

    /// Draws an arrow over the lines.
    pub fn arrow(
        self,
        buf: &mut Buffer,
        row: Rect,
        from: Actor,
        to: Actor,
        stroke: Stroke,
        style: Style,
        look: &Look,
    ) {
        let glyphs = look.glyphs;
        let (start, end) = (self.column(from), self.column(to));
        if start == end {
            put::text(buf, row, 0, start, glyphs.bullet, style, look);
            return;
        }
        let rightwards = start < end;
        let (left, right) = (start.min(end), start.max(end));
        let line = match stroke {
            Stroke::Solid => glyphs.line,
            Stroke::Never => glyphs.dashed,
        };
        // What never was stops a cell short: its cross is no other lane's, and not the service's own.
        let (first, last) = match (stroke, rightwards) {
            (Stroke::Solid, _) => (left + 1, right),
            (Stroke::Never, true) => (left + 1, right - 1),
            (Stroke::Never, false) => (left + 2, right),
        };
        for x in first..last {
            put::text(buf, row, 0, x, line, style, look);
        }
        let (tail, head) = if rightwards {
            (glyphs.from_right, glyphs.head_right)
        } else {
            (glyphs.from_left, glyphs.head_left)
        };
        put::text(buf, row, 0, start, tail, style, look);
        match stroke {
            // The head stands before the lane, so that the lane's line goes on.
            Stroke::Solid => {
                let tip = if rightwards { end - 1 } else { end + 1 };
                put::text(buf, row, 0, tip, head, style, look);
            }
            Stroke::Never => {
                let tip = if rightwards { end - 2 } else { end + 2 };
                put::text(buf, row, 0, tip, glyphs.bad, style, look);
            }
        }
    }
}

/// A party's name at its shortest, as the narrowest lanes have it.
pub(super) fn shortest(name: &str) -> Option<&'static str> {
    Actor::ALL
        .into_iter()
        .find(|actor| actor.name() == name)
        .map(|actor| label(actor, NARROWEST))
}

/// A lane's heading in lanes of this width.
const fn label(actor: Actor, pitch: u16) -> &'static str {
    match actor {
        Actor::You => "You",
        Actor::Client if pitch < 7 => "Clnt",
        Actor::Client => "Client",
        Actor::Server if pitch < 7 => "Srvr",
        Actor::Server if pitch < 11 => "Server",
        Actor::Server => "MCP server",
        Actor::Zone => "Zone",
        Actor::Supabase if pitch < 9 => "Supa",
        Actor::Supabase => "Supabase",
        Actor::Anthropic if pitch < 7 => "Anth",
        Actor::Anthropic if pitch < 10 => "Anthr.",
        Actor::Anthropic => "Anthropic",
        Actor::Linear if pitch < 7 => "Linr",
        Actor::Linear => "Linear",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_fit_their_lanes() {
        for pitch in NARROWEST..=WIDEST {
            for actor in Actor::ALL {
                assert!(
                    width(label(actor, pitch)) < usize::from(pitch),
                    "{actor:?} at {pitch}"
                );
            }
        }
    }
}
