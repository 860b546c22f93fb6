//! The lists that a filter thins out: they look at what is new in small pieces, so that no frame waits
//! for a long log.

use crate::{
    app::{App, focus::PaneId, panes::Along},
    projection::Seq,
};

/// Events that a filter looks at in one go: as much as fits between two frames.
const LINES: usize = 4_096;
/// Hops or audit rows that a filter looks at in one go.
const ROWS: usize = 8_192;

impl App {
    /// Brings the lists up to date after one fact. A list that is still looking for something
    /// comes to it in its turn.
    pub(in crate::app) fn see_more(&mut self) {
        const NEAR: usize = 64;
        self.outdate();
        let rows = self.projection.audit().rows().len();
        if rows - self.panes.audit.seen().min(rows) <= NEAR {
            self.look_at_rows(NEAR);
        }
        let events = self.projection.log().len();
        if events - self.panes.trace.seen().min(events) <= NEAR {
            self.look_at_events(NEAR);
        }
        self.flow_index.sync(&self.projection, &mut self.panes.flow);
    }

    /// Lets a list of rows or events look at so many more.
    pub(in crate::app) fn look_further(&mut self, pane: PaneId, most: usize) {
        match pane {
            PaneId::Audit => self.look_at_rows(most),
            PaneId::Trace => self.look_at_events(most),
            PaneId::Flow
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Chapter => {}
        }
    }

    fn look_at_rows(&mut self, most: usize) {
        let rows = self.projection.audit().rows();
        self.panes.audit.look_on(rows.len(), most, |at, query| {
            let row = rows.get(at)?;
            (query.is_empty() || row.matches(query)).then_some(row.id)
        });
    }

    fn look_at_events(&mut self, most: usize) {
        let (log, along) = (self.projection.log(), self.projection.along());
        let seen = self.panes.trace.seen();
        let folds = self.panes.along == Along::Folded;
        let mut before = seen > 0 && along.contains(Seq::at(seen - 1));
        let mut own = along.from(Seq::at(seen)).peekable();
        self.panes.trace.look_on(log.len(), most, |at, query| {
            let seq = Seq::at(at);
            if !query.is_empty() {
                return log.matches(seq, query).then_some(seq);
            }
            let is_own = own.next_if(|place| *place == seq).is_some();
            let goes_on = is_own && before;
            before = is_own;
            (!goes_on || !folds).then_some(seq)
        });
    }

    /// How much of what a pane's filter asks about was looked at, in hundredths; `None` when all.
    #[must_use]
    pub fn searched(&self, pane: PaneId) -> Option<usize> {
        let (seen, all) = match pane {
            PaneId::Flow => {
                let all = self.projection.hops().len();
                (all - self.flow_index.behind(&self.projection), all)
            }
            PaneId::Audit => (
                self.panes.audit.seen(),
                self.projection.audit().rows().len(),
            ),
            PaneId::Trace => (self.panes.trace.seen(), self.projection.log().len()),
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter => {
                return None;
            }
        };
        (seen < all).then(|| seen * 100 / all)
    }

    /// Lets one list that is behind look on: the one in view first.
    pub(super) fn look_on(&mut self) {
        let panes = [self.focus.pane, PaneId::Flow, PaneId::Audit, PaneId::Trace];
        let behind = panes
            .into_iter()
            .find(|pane| self.searched(*pane).is_some());
        match behind {
            Some(PaneId::Flow) => {
                self.flow_index
                    .look_on(&self.projection, &mut self.panes.flow, ROWS);
            }
            Some(PaneId::Audit) => self.look_at_rows(ROWS),
            Some(PaneId::Trace) => self.look_at_events(LINES),
            Some(
                PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter,
            )
            | None => {}
        }
    }

    /// When to go on looking: at once, as long as a list is behind.
    pub(in crate::app) fn search_wake(&self) -> Option<u64> {
        [PaneId::Flow, PaneId::Audit, PaneId::Trace]
            .into_iter()
            .any(|pane| self.searched(pane).is_some())
            .then_some(self.now_us)
    }

    /// Looks for something in a pane.
    pub(in crate::app) fn look_for(&mut self, pane: PaneId, text: &str) {
        match pane {
            PaneId::Flow => {
                self.panes.flow.look_for(text);
                self.flow_index
                    .rebuild(&self.projection, &mut self.panes.flow, most(text, ROWS));
            }
            PaneId::Audit => {
                self.panes.audit.look_for(text);
                self.look_at_rows(most(text, ROWS));
            }
            PaneId::Trace => {
                self.panes.trace.look_for(text);
                self.look_at_events(most(text, LINES));
            }
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter => {}
        }
    }
}

/// How many things to look at in one go: without a filter there is nothing to look for.
const fn most(filter: &str, some: usize) -> usize {
    if filter.is_empty() { usize::MAX } else { some }
}
