//! What a page has left to do or to look at that no check waits for.

use super::{Item, Learn};
use crate::{
    app::{
        App,
        command::Command,
        focus::{Layout, PaneId},
        story::Next,
    },
    chapters::Status,
};

/// The way to a pane, in words for the footer.
const fn look(pane: PaneId) -> &'static str {
    match pane {
        PaneId::Flow => "look at Flow",
        PaneId::Audit => "look at Audit",
        PaneId::Env => "look at Env",
        PaneId::Issue => "look at Issue",
        PaneId::Policy => "look at Policy",
        PaneId::Sessions => "look at Sessions",
        PaneId::Trace => "look at Trace",
        PaneId::Chapter => "back to the chapter",
    }
}

impl App {
    /// What is left before the check at `until`, in the order of the page: a pane that was not seen
    /// since something is to be seen there, and behind the last check what was not tried. What stands
    /// behind something that was not tried in this run waits for that, unless what it is for holds
    /// already: the chapter before may have done it.
    pub(super) fn left_to_do(&self, learn: &Learn, until: usize) -> Option<Next> {
        let here = self.focus.pane;
        if self.focus.layout == Layout::Learn
            && here != PaneId::Chapter
            && self.stands(here).is_none()
        {
            let command = Command::Show(PaneId::Chapter);
            let text = look(PaneId::Chapter);
            return Some(Next { command, text });
        }
        let items = learn.items();
        let last_check = items.iter().rposition(|i| matches!(i, Item::Check(_)));
        let looked = learn.looked.get(&learn.chapter().id);
        let mut is_due = true;
        for (place, item) in items.iter().enumerate().take(until) {
            match item {
                Item::Try(attempt) => {
                    let is_tried = self.is_tried(*attempt);
                    if is_due && !is_tried && last_check.is_none_or(|check| place > check) {
                        return Some(self.step_to(*attempt));
                    }
                    let check = items[place..].iter().find_map(|item| match item {
                        Item::Check(check) => learn.shown(*check),
                        _ => None,
                    });
                    is_due = is_tried
                        || check.is_some_and(|shown| matches!(shown.status, Status::Passed { .. }));
                }
                Item::Show(pane) => {
                    let pane = PaneId::from(*pane);
                    if is_due && !looked.is_some_and(|looked| looked.contains(&pane)) {
                        let command = Command::Show(pane);
                        let text = look(pane);
                        return Some(Next { command, text });
                    }
                }
                Item::Check(_) | Item::Chapter(_) | Item::Question | Item::Mistakes => {}
            }
        }
        None
    }
}
