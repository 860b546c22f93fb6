//! Sizes: what a terminal of a size gets to see.

use ratatui::layout::Rect;

use crate::app::{FOR_THREE, FOR_TWO, LEAST};

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Under 60×15: only a message.
    TooSmall,
    /// Under 100×30: one pane and a row of tabs.
    Compact,
    /// Two panes.
    Standard,
    /// From 160 columns: three panes.
    Wide,
}

impl Tier {
    /// The tier of a screen.
    #[must_use]
    pub const fn of(area: Rect) -> Self {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            Self::TooSmall
        } else if area.width < FOR_TWO.0 || area.height < FOR_TWO.1 {
            Self::Compact
        } else if area.width < FOR_THREE.0 {
            Self::Standard
        } else {
            Self::Wide
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_into_tiers() {
        let tier = |w, h| Tier::of(Rect::new(0, 0, w, h));
        assert_eq!(tier(40, 10), Tier::TooSmall);
        assert_eq!(tier(80, 24), Tier::Compact);
        assert_eq!(tier(200, 24), Tier::Compact);
        assert_eq!(tier(120, 36), Tier::Standard);
        assert_eq!(tier(200, 60), Tier::Wide);
    }
}
