//! Which pane has the keys, and how the panes share the screen.

use crate::support::pane::Pane;

/// A pane: one of those about the run, which files and options may name ([`Pane`]), or the chapter,
/// which they must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneId {
    Flow,
    Audit,
    Env,
    Issue,
    Policy,
    Sessions,
    Trace,
    /// The chapter's text; only beside another pane, in [`Layout::Learn`].
    Chapter,
}

impl From<Pane> for PaneId {
    fn from(pane: Pane) -> Self {
        match pane {
            Pane::Flow => Self::Flow,
            Pane::Audit => Self::Audit,
            Pane::Env => Self::Env,
            Pane::Issue => Self::Issue,
            Pane::Policy => Self::Policy,
            Pane::Sessions => Self::Sessions,
            Pane::Trace => Self::Trace,
        }
    }
}

impl PaneId {
    /// Whether it is a list that can be filtered.
    #[must_use]
    pub const fn has_filter(self) -> bool {
        match self {
            Self::Flow | Self::Audit | Self::Trace => true,
            Self::Env | Self::Issue | Self::Policy | Self::Sessions | Self::Chapter => false,
        }
    }

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
            Self::Chapter => "Chapter",
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
    /// The chapter, and beside it where there is room the pane that it speaks of.
    Learn,
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
    /// The pane beside the chapter.
    pub(super) beside: PaneId,
    /// The layout before the stage.
    pub(super) off_stage: Layout,
}

impl Default for Focus {
    fn default() -> Self {
        Self {
            pane: PaneId::Flow,
            layout: Layout::default(),
            zoom: Zoom::default(),
            beside: PaneId::Flow,
            off_stage: Layout::default(),
        }
    }
}

impl Focus {
    /// The panes that Tab goes through.
    #[must_use]
    pub fn ring(&self) -> Vec<PaneId> {
        match self.layout {
            Layout::Explore => Pane::ALL.map(PaneId::from).to_vec(),
            Layout::Stage => vec![PaneId::Flow, PaneId::Audit],
            Layout::Learn => vec![PaneId::Chapter, self.beside],
        }
    }

    /// The pane beside the chapter.
    #[must_use]
    pub const fn beside(&self) -> PaneId {
        self.beside
    }

    /// The pane that goes under it where there is room.
    #[must_use]
    pub const fn second_beside(&self) -> PaneId {
        match self.beside {
            PaneId::Flow => PaneId::Audit,
            PaneId::Audit
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Trace
            | PaneId::Chapter => PaneId::Flow,
        }
    }

    /// Puts a pane beside the chapter; the keys stay with the chapter if it has them.
    pub fn set_beside(&mut self, pane: PaneId) {
        if self.layout == Layout::Learn && self.pane == self.beside {
            self.pane = pane;
        }
        self.beside = pane;
    }

    /// Moves `by` places around the ring; from a pane that is not in it, to where it begins.
    pub fn turn(&mut self, by: isize) {
        let ring = self.ring();
        if !ring.contains(&self.pane) {
            return self.settle();
        }
        let here = ring.iter().position(|p| *p == self.pane).unwrap_or(0);
        let len = ring.len().cast_signed();
        let next = (here.cast_signed() + by).rem_euclid(len).unsigned_abs();
        self.pane = ring[next];
    }

    /// Goes to a pane; one that the stage does not show leaves the stage.
    pub fn show(&mut self, pane: PaneId) {
        if pane == PaneId::Chapter {
            self.layout = Layout::Learn;
        } else if self.layout == Layout::Learn {
            self.beside = pane;
        } else if !self.ring().contains(&pane) {
            self.layout = self.off_stage;
            if self.layout == Layout::Learn {
                self.beside = pane;
            }
        } else if !self.ring().contains(&self.pane) {
            self.zoom = Zoom::Off;
        }
        self.pane = pane;
    }

    /// Goes onto the stage with a pane, which has all of it below the verdict if it is none of those
    /// that the stage shows.
    pub fn put_on_stage(&mut self, pane: PaneId) {
        self.layout = Layout::Stage;
        self.pane = pane;
        self.zoom = if self.ring().contains(&pane) {
            Zoom::Off
        } else {
            Zoom::On
        };
    }

    /// Gives the focused pane the screen for itself, or takes it back.
    pub fn turn_zoom(&mut self) {
        match self.zoom {
            Zoom::On => self.settle(),
            Zoom::Off => self.zoom = Zoom::On,
        }
    }

    /// Goes onto the stage, or back to where one was before.
    pub fn switch_layout(&mut self) {
        if self.layout == Layout::Stage {
            self.layout = self.off_stage;
        } else {
            self.off_stage = self.layout;
            self.layout = Layout::Stage;
        }
        self.settle();
    }

    /// From the chapter to the panes alone, and back.
    pub fn leave_chapter(&mut self) {
        self.layout = Layout::Explore;
        self.settle();
    }

    fn settle(&mut self) {
        self.zoom = Zoom::Off;
        let ring = self.ring();
        if !ring.contains(&self.pane) {
            self.pane = ring[0];
        }
    }

    /// The panes that go beside the focused one, best first.
    #[must_use]
    pub const fn companions(&self) -> [PaneId; 2] {
        match self.pane {
            PaneId::Flow => [PaneId::Audit, PaneId::Issue],
            PaneId::Audit => [PaneId::Flow, PaneId::Policy],
            PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Trace
            | PaneId::Chapter => [PaneId::Flow, PaneId::Audit],
        }
    }
}
