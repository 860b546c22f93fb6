//! Moving through panes: rows, pages, choices, folds, and the way to the last refusal.

use crate::{
    app::{
        App,
        focus::PaneId,
        overlay::Overlay,
        panes::{Along, flow::FlowRow},
        toast::Tone,
    },
    projection::{HopKind, Verdict},
    protocol::audit::AuditStatus,
};

impl App {
    pub(super) fn page(&self) -> isize {
        isize::try_from(self.size.1 / 2).unwrap_or(1).max(1)
    }

    /// A row up or down, of whatever has the keys.
    pub(super) fn step(&mut self, by: isize) {
        if self.overlays.is_empty()
            && self.focus.pane == PaneId::Issue
            && !self.projection.issues().tickets().is_empty()
        {
            self.choose(by);
        } else {
            self.scroll(by);
        }
    }

    pub(super) fn scroll(&mut self, by: isize) {
        if matches!(self.overlays.last(), Some(Overlay::Compare)) {
            return self.move_in_comparison(by);
        }
        if let Some(overlay) = self.overlays.last_mut() {
            if let Some(scroll) = overlay.scroll_mut() {
                *scroll = scroll.saturating_add_signed(by);
            }
        } else {
            self.scroll_pane(self.focus.pane, by);
        }
    }

    pub(in crate::app) fn scroll_pane(&mut self, pane: PaneId, by: isize) {
        match pane {
            PaneId::Flow => self.panes.flow.move_by(by),
            PaneId::Audit => self.panes.audit.move_by(by),
            PaneId::Trace => self.panes.trace.move_by(by),
            PaneId::Chapter => {
                if let Some(learn) = &mut self.learn {
                    learn.scroll(by);
                }
            }
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions => {
                if let Some(scroll) = self.panes.scroll_mut(pane) {
                    *scroll = scroll.saturating_add_signed(by);
                }
            }
        }
    }

    pub(super) fn bottom(&mut self) {
        if self.overlays.is_empty() {
            match self.focus.pane {
                PaneId::Flow => return self.panes.flow.follow(),
                PaneId::Audit => return self.panes.audit.follow(),
                PaneId::Trace => return self.panes.trace.follow(),
                PaneId::Env
                | PaneId::Issue
                | PaneId::Policy
                | PaneId::Sessions
                | PaneId::Chapter => {}
            }
        }
        self.scroll(isize::MAX);
    }

    pub(super) fn choose(&mut self, by: isize) {
        match self.focus.pane {
            PaneId::Issue => {
                let last = self.projection.issues().tickets().len().saturating_sub(1);
                self.panes.ticket = self.panes.ticket.saturating_add_signed(by).min(last);
                self.panes.issue_scroll = 0;
            }
            PaneId::Policy => {
                let count = self
                    .projection
                    .policies()
                    .overview()
                    .map_or(0, |overview| overview.active_policies.len());
                let here = self.open_policy();
                self.panes.policy =
                    Some(here.saturating_add_signed(by).min(count.saturating_sub(1)));
                self.panes.policy_scroll = 0;
            }
            PaneId::Chapter => self.choose_item(by),
            PaneId::Flow | PaneId::Audit | PaneId::Env | PaneId::Sessions | PaneId::Trace => {}
        }
    }

    pub(in crate::app) fn go_to(&mut self, pane: PaneId, place: usize) {
        match pane {
            PaneId::Flow => self.panes.flow.select(place),
            PaneId::Audit => self.panes.audit.select(place),
            PaneId::Trace => self.panes.trace.select(place),
            PaneId::Issue => self.panes.ticket = place,
            PaneId::Policy => self.panes.policy = Some(place),
            PaneId::Chapter => {
                if let Some(learn) = &mut self.learn {
                    learn.select(place);
                }
            }
            PaneId::Env | PaneId::Sessions => {}
        }
    }

    pub(super) fn on_folded_steps(&self) -> bool {
        match self.focus.pane {
            PaneId::Flow => self.folded_steps(self.panes.flow.selected()) > 1,
            PaneId::Trace => self.folded_events(self.panes.trace.selected()) > 1,
            PaneId::Audit
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Chapter => false,
        }
    }

    pub(super) fn unfold(&mut self) {
        if self.focus.pane == PaneId::Trace {
            return self.unfold_trace();
        }
        let before = self.panes.flow.rows().len();
        self.flow_index.turn(&self.projection, &mut self.panes.flow);
        if self.panes.flow.rows().len() == before {
            let text = "there is no sign-in with steps in the browser to unfold";
            self.say(Tone::Plain, text);
        }
    }

    /// Gives each event that hoptrail read for itself a row, or folds them; the reader stays.
    pub(in crate::app) fn unfold_trace(&mut self) {
        let trace = &self.panes.trace;
        let before = trace.rows().len();
        let kept = trace.current().filter(|_| !trace.follows());
        self.panes.along = match self.panes.along {
            Along::Folded => Along::Shown,
            Along::Shown => Along::Folded,
        };
        self.look_for(PaneId::Trace, "");
        if let Some(seq) = kept {
            let after = self.panes.trace.rows().partition_point(|row| *row <= seq);
            self.panes.trace.select(after.saturating_sub(1));
        }
        if self.panes.trace.rows().len() == before {
            self.say(Tone::Plain, "nothing here was read by hoptrail for itself");
        }
    }

    /// The last refusal in the pane that has one.
    pub(in crate::app) fn refusal_row(&self, pane: PaneId) -> Option<usize> {
        let seen = &self.projection;
        match pane {
            PaneId::Audit => self.panes.audit.rows().iter().rposition(|id| {
                seen.audit()
                    .get(*id)
                    .is_some_and(|row| row.status == AuditStatus::Failure)
            }),
            PaneId::Flow
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Trace
            | PaneId::Chapter => self.panes.flow.rows().iter().rposition(|row| {
                matches!(row, FlowRow::Hop(id) if seen.hops().get(*id).is_some_and(|hop| {
                    hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied
                }))
            }),
        }
    }

    pub(super) fn show_refusal(&mut self) {
        let pane = match self.focus.pane {
            PaneId::Audit => PaneId::Audit,
            PaneId::Flow
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Trace
            | PaneId::Chapter => PaneId::Flow,
        };
        let other = if pane == PaneId::Audit {
            PaneId::Flow
        } else {
            PaneId::Audit
        };
        let found = [pane, other]
            .into_iter()
            .find_map(|pane| Some((pane, self.refusal_row(pane)?)));
        if let Some((shown, place)) = found {
            self.focus.show(shown);
            self.go_to(shown, place);
            if shown != pane && !self.filter_of(pane).is_empty() {
                let told = format!("the filter of {} hides its row", pane.name());
                self.say(Tone::Plain, told);
            }
        }
    }
}
