//! From a check to what it saw: the hop, the audit row, the line, the pane.

use std::collections::HashMap;

use super::Ground;
use crate::{
    app::{
        App,
        focus::PaneId,
        overlay::{Subject, TOKENS, What},
        panes::flow::FlowRow,
        toast::Tone,
    },
    chapters::{Evidence, Probe, Status, progress::Passed},
    projection::{AuditId, HopId, Seq},
    protocol::tickets::{ESCALATE_TICKET, Ticket},
    trace::Fact,
};

impl App {
    /// Goes to what a check saw; asked again, to the next of several.
    pub(super) fn show_evidence(&mut self, check: usize) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        let asked = learn.place().evidence;
        let shown = learn.shown(check);
        let before = shown
            .as_ref()
            .is_some_and(|shown| shown.passed == Some(Passed::Seen));
        let found = match shown.map(|shown| shown.status.clone()) {
            Some(Status::Passed { evidence }) => evidence,
            Some(Status::NotObservable { look_at }) => {
                return self.say(Tone::Plain, format!("look at {look_at}"));
            }
            Some(Status::Failed { .. }) => {
                return match self.answered(check) {
                    Some(probe) => self.jump_to_answer(&probe),
                    None => self.say(Tone::Plain, "the reason is above; there is no row to show"),
                };
            }
            Some(Status::Pending { .. }) if before => {
                return self.say(
                    Tone::Plain,
                    "it passed in an earlier run: do its steps again to see it here",
                );
            }
            Some(Status::Pending { .. }) | None => {
                return self.say(Tone::Plain, "this check has seen nothing to show yet");
            }
        };
        let count = found.len();
        let Some(evidence) = found.get(asked % count.max(1)) else {
            return self.say(
                Tone::Plain,
                "it holds by what was not seen: there is no row to show",
            );
        };
        learn.place_mut().evidence = asked + 1;
        self.jump_to(evidence);
        if count > 1 {
            let place = asked % count + 1;
            self.say(
                Tone::Plain,
                format!("{place} of {count} that the check saw"),
            );
        }
    }

    fn jump_to(&mut self, evidence: &Evidence) {
        match evidence {
            Evidence::Row(id) => self.jump_to_row(*id),
            Evidence::Hop(id) => self.jump_to_hop(*id),
            Evidence::Event(seq) => self.jump_to_event(*seq),
            Evidence::Probe(probe) => self.jump_to_answer(probe),
        }
    }

    fn jump_to_row(&mut self, id: AuditId) {
        let place = |app: &Self| app.panes.audit.rows().iter().position(|row| *row == id);
        if place(self).is_none() {
            self.look_for(PaneId::Audit, "");
        }
        if let Some(place) = place(self) {
            self.go_to(PaneId::Audit, place);
        }
        self.focus.show(PaneId::Audit);
    }

    pub(super) fn jump_to_hop(&mut self, id: HopId) {
        self.select_hop(id);
        self.focus.show(PaneId::Flow);
    }

    fn select_hop(&mut self, id: HopId) {
        let place = |app: &Self| {
            let rows = app.panes.flow.rows();
            rows.iter().position(|row| *row == FlowRow::Hop(id))
        };
        if place(self).is_none() {
            self.look_for(PaneId::Flow, "");
        }
        // A step of the browser lies behind the row that they are folded into.
        let near = |app: &Self| {
            let order = app.projection.hops().order();
            let places: HashMap<HopId, usize> = order.iter().copied().zip(0..).collect();
            let wanted = places.get(&id)?;
            let rows = app.panes.flow.rows();
            rows.iter()
                .rposition(|row| places.get(&row.hop()).is_some_and(|place| place <= wanted))
        };
        if let Some(place) = place(self).or_else(|| near(self)) {
            self.go_to(PaneId::Flow, place);
        }
    }

    fn jump_to_event(&mut self, seq: Seq) {
        if let Some(hop) = self.projection.hops().told_in(seq) {
            let (id, has_claims) = (hop.id, hop.evidence.token == Some(seq));
            if !has_claims {
                return self.jump_to_hop(id);
            }
            // The window is what there is to see, and behind it lies the page.
            self.select_hop(id);
            self.focus.set_beside(PaneId::Flow);
            return self.inspect(Subject::Hop(id), TOKENS);
        }
        let event = self.projection.log().event(seq);
        let call = event.as_ref().and_then(|event| event.call);
        let pane = match event.map(|event| event.fact) {
            Some(Fact::EnvRead { .. }) => PaneId::Env,
            Some(Fact::IssueSeen(issue)) => {
                self.choose_ticket_of(&issue.identifier);
                PaneId::Issue
            }
            Some(Fact::ToolCallFinished { tool, .. }) if tool == ESCALATE_TICKET => {
                let filed = call
                    .and_then(|call| self.projection.issues().of_call(call))
                    .map(|issue| issue.identifier.to_string());
                if let Some(identifier) = filed {
                    self.choose_ticket_of(&identifier);
                }
                PaneId::Issue
            }
            Some(Fact::PolicyRead(_)) => PaneId::Policy,
            Some(Fact::SessionsRead { .. }) => PaneId::Sessions,
            _ => PaneId::Trace,
        };
        if pane == PaneId::Trace {
            let place = |app: &Self| {
                let rows = app.panes.trace.rows();
                rows.binary_search_by_key(&seq, |row| *row).ok()
            };
            if place(self).is_none() {
                self.look_for(PaneId::Trace, "");
            }
            if place(self).is_none() {
                self.unfold_trace();
            }
            if let Some(place) = place(self) {
                self.go_to(PaneId::Trace, place);
            }
        }
        self.focus.show(pane);
    }

    /// Shows an issue beside the ticket that it was made of, from the top.
    fn choose_ticket_of(&mut self, identifier: &str) {
        let issues = self.projection.issues();
        let of = |ticket: &Ticket| {
            let issue = issues.of_ticket(ticket.id);
            issue.is_some_and(|issue| *issue.identifier == *identifier)
        };
        if let Some(place) = issues.tickets().iter().position(|ticket| of(ticket)) {
            self.panes.ticket = place;
        }
        self.panes.issue_scroll = 0;
    }

    /// What a probe brought back is in no trace: a window tells it.
    fn jump_to_answer(&mut self, probe: &Probe) {
        match probe {
            Probe::Env | Probe::Folder | Probe::Trials => self.focus.set_beside(PaneId::Env),
            Probe::Scope(_) => self.focus.set_beside(PaneId::Policy),
            Probe::Http(_) | Probe::Metadata | Probe::Zone | Probe::Client | Probe::Exchange(_) => {
            }
        }
        // The lab's .env is in its pane, before and after.
        let is_lab = self
            .learn
            .as_ref()
            .is_none_or(|learn| learn.ground() == Ground::Lab);
        if *probe == Probe::Env && is_lab {
            return self.focus.show(PaneId::Env);
        }
        self.tell(What::Answer(probe.clone()));
    }

    /// The first question of a check that has an answer to look at.
    fn answered(&self, check: usize) -> Option<Probe> {
        let learn = self.learn.as_ref()?;
        let check = learn.chapter().checks.get(check)?;
        let mut probes = check.expect.probes().into_iter();
        probes.find(|probe| self.told(&What::Answer(probe.clone())).is_some())
    }
}
