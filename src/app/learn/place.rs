//! Where a reader is in a chapter: where a page begins, and how a later start finds the place again.

use super::{Anchor, Item, Learn, MISTAKES, PAUSE, PagePlace};
use crate::chapters::{Chapter, progress::ReadingPlace};

impl Learn {
    /// Finds the line again at which the reader stopped.
    pub(super) fn go_back_to_the_place(&mut self) {
        let Some(place) = self.progress.place.clone() else {
            return;
        };
        let Some(chapter) = self.book.get(&place.chapter) else {
            return;
        };
        let heading = headings(chapter)
            .iter()
            .position(|heading| *heading == place.heading);
        if let Some(heading) = heading {
            let anchor = Anchor {
                heading,
                below: place.line,
            };
            self.places.insert(
                place.chapter,
                PagePlace {
                    anchor,
                    selected: self.item_to_go_on_with(chapter),
                    ..PagePlace::default()
                },
            );
        }
    }

    /// The top, and the first thing to do: a link would lead away from what was not read yet.
    pub(super) fn beginning_of_page(&self) -> PagePlace {
        let items = self.items();
        let first = items
            .iter()
            .position(|item| !matches!(item, Item::Chapter(_)));
        PagePlace {
            selected: first.unwrap_or(0),
            ..PagePlace::default()
        }
    }

    /// The place for the progress file.
    pub(super) fn reading_place(&self) -> ReadingPlace {
        let anchor = self.place().anchor;
        let chapter = self.chapter();
        ReadingPlace {
            chapter: chapter.id.clone(),
            heading: headings(chapter)
                .into_iter()
                .nth(anchor.heading)
                .unwrap_or_default(),
            line: anchor.below,
            lab: None,
        }
    }

    /// The first thing to do after the last check that passed before the first that is open.
    fn item_to_go_on_with(&self, chapter: &Chapter) -> usize {
        let items = self.items_of(chapter);
        let is_done = |item: &Item| match item {
            Item::Check(check) => {
                let id = &chapter.checks[*check].id;
                Some(self.progress.passed(chapter, id).is_some())
            }
            _ => None,
        };
        let open = items.iter().position(|item| is_done(item) == Some(false));
        let before = &items[..open.unwrap_or(0)];
        let done = before.iter().rposition(|item| is_done(item) == Some(true));
        let from = done.map_or(0, |done| done + 1);
        let due = items[from..]
            .iter()
            .position(|item| matches!(item, Item::Try(_) | Item::Check(_)));
        due.map_or(0, |due| from + due)
    }
}

/// The places that an [`Anchor`] counts: the top, the text's headings, and those that the page adds.
fn headings(chapter: &Chapter) -> Vec<String> {
    let mut headings = vec![String::new()];
    headings.extend(chapter.headings());
    headings.extend([PAUSE, MISTAKES].map(str::to_owned));
    headings
}
