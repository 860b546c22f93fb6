//! What is selected in a pane: what Enter would open and `y` would copy.

use crate::{
    app::{
        App,
        effect::{Effect, Effects},
        focus::PaneId,
        overlay::{Overlay, Subject},
        panes::{Along, flow::FlowRow},
        toast::Tone,
    },
    projection::{Hop, Seq, issue::IssueView},
    protocol::console::Owner,
    support::error::Failure,
};

/// What `y` would copy, not yet read: every frame asks whether there is anything.
pub(in crate::app) enum Copyable<'a> {
    Text(&'a str),
    Failure(&'a Failure),
    /// The lines of these events.
    Events(Vec<Seq>),
}

impl App {
    /// The policy that the pane shows: the chosen one, else the one of this set that decided last, else
    /// the one that was added to the platform's.
    #[must_use]
    pub fn open_policy(&self) -> usize {
        let policies = self.projection.policies();
        let active = policies
            .overview()
            .map_or(&[][..], |overview| overview.active_policies.as_slice());
        let count = active.len();
        let in_force = policies.active().map(|set| set.name.as_str());
        let decided = || {
            let last = policies.last()?;
            let set = last.set.as_ref().map(|set| &*set.name);
            // What another set decided tells nothing of this one.
            let is_of_this_set = set.is_none() || set == in_force;
            let places = policies.highlight(last);
            places.first().copied().filter(|_| is_of_this_set)
        };
        let own = || {
            active
                .iter()
                .position(|one| one.owner_type == Owner::Customer)
        };
        self.panes
            .policy
            .or_else(decided)
            .or_else(own)
            .unwrap_or(count.saturating_sub(1))
            .min(count.saturating_sub(1))
    }

    /// The place of the selected row of a list.
    pub(in crate::app) fn place_in(&self, pane: PaneId) -> Option<usize> {
        match pane {
            PaneId::Flow => Some(self.panes.flow.selected()),
            PaneId::Audit => Some(self.panes.audit.selected()),
            PaneId::Trace => Some(self.panes.trace.selected()),
            PaneId::Issue => Some(self.panes.ticket),
            PaneId::Policy => Some(self.open_policy()),
            PaneId::Chapter => self.item_place(),
            PaneId::Env | PaneId::Sessions => None,
        }
    }

    /// The filter of a pane; empty for panes that have none.
    #[must_use]
    pub fn filter_of(&self, pane: PaneId) -> &str {
        match pane {
            PaneId::Flow => self.panes.flow.filter(),
            PaneId::Audit => self.panes.audit.filter(),
            PaneId::Trace => self.panes.trace.filter(),
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter => "",
        }
    }

    /// What Enter would open.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        self.subject_in(self.focus.pane)
    }

    /// What Enter would open in a pane.
    pub(super) fn subject_in(&self, pane: PaneId) -> Option<Subject> {
        let seen = &self.projection;
        match pane {
            PaneId::Flow => self.panes.flow.current().map(|row| match row {
                FlowRow::Heading(id)
                | FlowRow::Hop(id)
                | FlowRow::NoCall(id)
                | FlowRow::Folded(id)
                | FlowRow::Policy(id) => Subject::Hop(id),
            }),
            PaneId::Audit => self.panes.audit.current().map(Subject::Audit),
            PaneId::Trace => self.panes.trace.current().map(Subject::Event),
            PaneId::Env => {
                let env = seen.env();
                env.after()
                    .or_else(|| env.before())
                    .map(|file| Subject::Event(file.evidence))
            }
            PaneId::Issue => self
                .shown_issue()
                .map(|issue| Subject::Event(issue.evidence)),
            PaneId::Policy => seen
                .policies()
                .last()
                .map(|decision| Subject::Event(decision.evidence)),
            PaneId::Sessions => seen.sessions().read().map(Subject::Event),
            PaneId::Chapter => None,
        }
    }

    /// The issue beside the chosen ticket; with no tickets known, the newest issue.
    #[must_use]
    pub fn shown_issue(&self) -> Option<&IssueView> {
        let issues = self.projection.issues();
        match self.chosen_ticket() {
            Some(ticket) => issues.of_ticket(ticket.id),
            None => issues.latest(),
        }
    }

    /// How many hops Flow shows, and of how many.
    #[must_use]
    pub const fn flow_counts(&self) -> (usize, usize) {
        self.flow_index.counts()
    }

    /// How many steps the folded row at `place` stands for; none for any other row.
    #[must_use]
    pub fn folded_steps(&self, place: usize) -> usize {
        match self.panes.flow.rows().get(place) {
            Some(FlowRow::Folded(_)) => self.flow_index.folded(&self.projection, place).count(),
            Some(
                FlowRow::Heading(_) | FlowRow::Hop(_) | FlowRow::NoCall(_) | FlowRow::Policy(_),
            )
            | None => 0,
        }
    }

    /// How many events the row at `place` of Trace stands for.
    #[must_use]
    pub fn folded_events(&self, place: usize) -> usize {
        let trace = &self.panes.trace;
        let folds = self.panes.along == Along::Folded && trace.query().is_empty();
        let Some(first) = trace.rows().get(place).filter(|_| folds) else {
            return 1;
        };
        if !self.projection.along().contains(*first) {
            return 1;
        }
        let next = trace.rows().get(place + 1);
        let next = next.map_or(trace.seen(), |next| next.index());
        next.saturating_sub(first.index())
    }

    /// The worst that befell the steps of the folded row at `place`.
    #[must_use]
    pub fn folded_worst(&self, place: usize) -> Option<&Hop> {
        self.flow_index
            .folded(&self.projection, place)
            .max_by_key(|hop| hop.verdict)
    }

    /// Copies what is selected.
    pub(super) fn copy(&mut self) -> Effects {
        let text = match self.copyable() {
            None => return Effects::new(),
            Some(Copyable::Text(text)) => text.to_owned(),
            Some(Copyable::Failure(failure)) => failure.to_string(),
            Some(Copyable::Events(places)) => {
                let log = self.projection.log();
                let lines: Vec<_> = places.into_iter().filter_map(|at| log.line(at)).collect();
                if lines.is_empty() {
                    self.say(Tone::Bad, "what is selected cannot be read any more");
                    return Effects::new();
                }
                lines.join("\n")
            }
        };
        vec![Effect::Copy(text)]
    }

    /// What `y` would copy.
    pub(in crate::app) fn copyable(&self) -> Option<Copyable<'_>> {
        let of = |subject| {
            Some(Copyable::Events(match subject {
                Subject::Hop(id) => self.projection.hops().get(id)?.evidence.iter().collect(),
                Subject::Audit(id) => vec![self.projection.audit().get(id)?.evidence],
                Subject::Event(seq) => vec![seq],
            }))
        };
        match self.overlays.last() {
            Some(Overlay::Waiting { url, .. }) => return Some(Copyable::Text(url)),
            Some(Overlay::Failure { failure, .. }) => return Some(Copyable::Failure(failure)),
            Some(Overlay::Inspect(inspect)) => return of(inspect.subject),
            Some(
                Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::Filter { .. }
                | Overlay::Goto { .. }
                | Overlay::Contents { .. }
                | Overlay::Told { .. }
                | Overlay::Console { .. }
                | Overlay::Form(_)
                | Overlay::Note { .. }
                | Overlay::Places { .. }
                | Overlay::Traces { .. }
                | Overlay::Compare
                | Overlay::Both { .. }
                | Overlay::Confirm(_),
            ) => return None,
            None => {}
        }
        match self.focus.pane {
            PaneId::Issue => {
                let issue = self.shown_issue()?;
                (!issue.url.is_empty()).then_some(Copyable::Text(&issue.url))
            }
            PaneId::Policy => {
                let overview = self.projection.policies().overview()?;
                let policy = overview.active_policies.get(self.open_policy())?;
                Some(Copyable::Text(&policy.latest_version.cedar_raw))
            }
            PaneId::Sessions | PaneId::Chapter => None,
            PaneId::Flow | PaneId::Audit | PaneId::Trace | PaneId::Env => {
                self.subject().and_then(of)
            }
        }
    }
}
