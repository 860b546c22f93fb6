//! What the help's entries are grouped by.

/// The headings of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    Story,
    Chapters,
    Panes,
    Replay,
    Stage,
    Reading,
    Program,
    Overlay,
}

impl Group {
    /// Every heading, in order.
    pub const ALL: [Self; 8] = [
        Self::Story,
        Self::Chapters,
        Self::Panes,
        Self::Replay,
        Self::Stage,
        Self::Reading,
        Self::Program,
        Self::Overlay,
    ];

    /// The heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Story => "The story",
            Self::Chapters => "The chapters",
            Self::Panes => "Panes",
            Self::Replay => "In a replay",
            Self::Stage => "On stage (hoptrail stage)",
            Self::Reading => "Reading",
            Self::Program => "Program",
            Self::Overlay => "In a window",
        }
    }
}
