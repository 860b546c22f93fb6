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

/// Whether what the last frame showed is still so once the app knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    AsDrawn,
    /// Other keys are offered now: a page was read to its end, or its selected item came or went.
    Otherwise,
}

impl App {
    /// Brings offsets back to what the last frame could show, and says whether another frame is due.
    pub fn settle(&mut self, extents: &[Extent]) -> Settled {
        let mut settled = Settled::AsDrawn;
        for extent in extents {
            let offset = match extent.what {
                Scrolled::Pane(pane) => self.panes.scroll_mut(pane),
                Scrolled::Page(view) => {
                    if let Some(learn) = &mut self.learn
                        && learn.settle(view) == Settled::Otherwise
                    {
                        settled = Settled::Otherwise;
                    }
                    continue;
                }
                Scrolled::Overlay => self.overlays.last_mut().and_then(|o| o.scroll_mut()),
            };
            if let Some(offset) = offset {
                *offset = (*offset).min(extent.most);
            }
        }
        settled
    }
}
