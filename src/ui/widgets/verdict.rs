//! A verdict is glyph, word and colour together, so that no one of them has to be seen.

use ratatui::{style::Style, text::Span};

use super::put::span;
use crate::ui::look::{Look, Role};

/// How something ended, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Good,
    Bad,
    Waiting,
    /// Neither good nor bad: it is how things go.
    Neutral,
}

impl Verdict {
    /// The mark.
    #[must_use]
    pub const fn glyph(self, look: &Look) -> &'static str {
        match self {
            Self::Good => look.glyphs.good,
            Self::Bad => look.glyphs.bad,
            Self::Waiting => look.glyphs.waiting,
            Self::Neutral => look.glyphs.bullet,
        }
    }

    /// The colour's role.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Good => Role::Good,
            Self::Bad => Role::Bad,
            Self::Waiting | Self::Neutral => Role::Dim,
        }
    }

    /// The style: a refusal is bold, because it is what one looks for.
    #[must_use]
    pub fn style(self, look: &Look) -> Style {
        match self {
            Self::Bad => look.bold(Role::Bad),
            Self::Good | Self::Waiting | Self::Neutral => look.style(self.role()),
        }
    }

    /// Glyph and word.
    #[must_use]
    pub fn show(self, word: &str, look: &Look) -> Span<'static> {
        span(format!("{} {word}", self.glyph(look)), self.style(look))
    }
}
