//! Which panes stand beside the page, and which of them the reader has had before their eyes.

use crate::app::{
    App, FOR_THREE, FOR_TWO,
    command::Command,
    focus::{Layout, PaneId, Zoom},
    toast::Tone,
};

/// Where a pane stands beside the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    Right,
    /// At the right, under another one.
    Below,
}

impl Stands {
    /// Where that is.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Right => "stands at the right",
            Self::Below => "stands at the right, below",
        }
    }
}

impl App {
    /// Where a pane stands beside the page; `None` where it would take its place.
    #[must_use]
    pub fn stands(&self, pane: PaneId) -> Option<Stands> {
        let focus = self.focus;
        if focus.layout != Layout::Learn || focus.zoom == Zoom::On || !self.has_room(FOR_TWO) {
            None
        } else if focus.beside() == pane {
            Some(Stands::Right)
        } else {
            (focus.second_beside() == pane && self.has_room(FOR_THREE)).then_some(Stands::Below)
        }
    }

    /// Shows a pane: beside the page where there is room, and the keys stay with the page.
    pub(in crate::app) fn look_at(&mut self, pane: PaneId) {
        let is_beside = self.stands(self.focus.beside()).is_some();
        if self.focus.pane != PaneId::Chapter || !is_beside {
            self.focus.show(pane);
        } else if self.focus.beside() == pane {
            let key = self.keymap.shown(Command::NextPane);
            let (name, where_to) = (pane.name(), Stands::Right.words());
            let text = format!("{name} {where_to}: {key} goes into it");
            self.say(Tone::Plain, text);
        } else {
            self.focus.set_beside(pane);
        }
    }

    /// Takes note of the panes that the reader sees.
    pub(in crate::app) fn note_looks(&mut self) {
        let focus = self.focus;
        let is_seen = |pane: &PaneId| *pane == focus.pane || self.stands(*pane).is_some();
        let seen = [focus.pane, focus.beside(), focus.second_beside()];
        let seen: Vec<PaneId> = seen.into_iter().filter(is_seen).collect();
        if let Some(learn) = self.learn.as_mut().filter(|learn| learn.is_open()) {
            let id = &learn.book.chapters[learn.open].id;
            let known = learn.looked.get(id);
            if known.is_none_or(|known| seen.iter().any(|pane| !known.contains(pane))) {
                learn.looked.entry(id.clone()).or_default().extend(seen);
            }
        }
    }
}
