//! Which pane has the keys, and how the panes share the screen.

/// A pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneId {
    Flow,
    Audit,
    Env,
    Issue,
    Policy,
    Sessions,
    Trace,
}

impl PaneId {
    /// Every pane, in the order of its digit.
    pub const ALL: [Self; 7] = [
        Self::Flow,
        Self::Audit,
        Self::Env,
        Self::Issue,
        Self::Policy,
        Self::Sessions,
        Self::Trace,
    ];

    /// The heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flow => "Flow",
            Self::Audit => "Audit",
            Self::Env => "Env",
            Self::Issue => "Issue",
            Self::Policy => "Policy",
            Self::Sessions => "Sessions",
            Self::Trace => "Trace",
        }
    }

    /// The digit that jumps there.
    #[must_use]
    pub const fn digit(self) -> usize {
        self as usize + 1
    }
}

/// How the panes share the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Layout {
    /// The pane of choice, and beside it what goes with it where there is room.
    #[default]
    Explore,
    /// For a projector: the verdict in large letters, flow and audit, nothing else.
    Stage,
}

/// Whether the focused pane has the screen for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Zoom {
    On,
    #[default]
    Off,
}

/// The focus and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Focus {
    pub pane: PaneId,
    pub layout: Layout,
    pub zoom: Zoom,
}

impl Default for Focus {
    fn default() -> Self {
        Self {
            pane: PaneId::Flow,
            layout: Layout::default(),
            zoom: Zoom::default(),
        }
    }
}

impl Focus {
    /// The panes that Tab goes through.
    #[must_use]
    pub const fn ring(&self) -> &'static [PaneId] {
        match self.layout {
            Layout::Explore => &PaneId::ALL,
            Layout::Stage => &[PaneId::Flow, PaneId::Audit],
        }
    }

    /// Moves `by` places around the ring.
    pub fn turn(&mut self, by: isize) {
        let ring = self.ring();
        let here = ring.iter().position(|p| *p == self.pane).unwrap_or(0);
        let len = ring.len().cast_signed();
        let next = (here.cast_signed() + by).rem_euclid(len).unsigned_abs();
        self.pane = ring[next];
    }

    /// Goes to a pane; one that the stage does not show leaves the stage.
    pub fn show(&mut self, pane: PaneId) {
        if !self.ring().contains(&pane) {
            self.layout = Layout::Explore;
        }
        self.pane = pane;
    }

    /// Changes the layout.
    pub fn switch_layout(&mut self) {
        self.layout = match self.layout {
            Layout::Explore => Layout::Stage,
            Layout::Stage => Layout::Explore,
        };
        self.zoom = Zoom::Off;
        if !self.ring().contains(&self.pane) {
            self.pane = PaneId::Flow;
        }
    }

    /// The panes that go beside the focused one, best first.
    #[must_use]
    pub const fn companions(&self) -> [PaneId; 2] {
        match self.pane {
            PaneId::Flow => [PaneId::Audit, PaneId::Issue],
            PaneId::Audit => [PaneId::Flow, PaneId::Policy],
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Trace => {
                [PaneId::Flow, PaneId::Audit]
            }
        }
    }
}
