//! How far texts can be scrolled: only a drawn frame knows, so it tells, and offsets are brought
//! back into range. No key depends on it but Enter in a chapter, which first goes to what it is about.

use super::{App, focus::PaneId, learn::PageView};

/// Something that scrolls by rows of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrolled {
    Pane(PaneId),
    Overlay,
    /// The chapter's text, and what of it the frame showed.
    Page(PageView),
}

/// How far something can be scrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub what: Scrolled,
    /// The greatest offset that still shows a full view.
    pub most: usize,
}

impl App {
    /// Brings offsets back to what the last frame could show. Changes nothing on the screen.
    pub fn settle(&mut self, extents: &[Extent]) {
        for extent in extents {
            let offset = match extent.what {
                Scrolled::Pane(pane) => self.panes.scroll_mut(pane),
                Scrolled::Page(view) => {
                    if let Some(learn) = &mut self.learn {
                        learn.settle(view);
                    }
                    continue;
                }
                Scrolled::Overlay => self.overlays.last_mut().and_then(|o| o.scroll_mut()),
            };
            if let Some(offset) = offset {
                *offset = (*offset).min(extent.most);
            }
        }
    }
}
