//! The built-in run sheet, cue by cue: what stands in on a stage where something fails.

use serde_json::json;

use super::{Stage, expect, other};
use crate::{
    config::sheet::{Action, Cue, Sheet},
    protocol::{
        console::{Owner, PolicySet},
        tickets::DELETE_ISSUE,
    },
    support::error::Failure,
    trace::{Actor, Fact, event::CallOutcome, sink::Report},
};

impl Stage {
    pub(super) async fn on_stage(&mut self) -> Result<(), Failure> {
        let sheet = Sheet::built_in();
        // Whether the delete comes through is the policy's to say.
        let mut outcome = CallOutcome::Failed;
        let mut issue = None;
        for (number, cue) in (1..).zip(&sheet.cues) {
            let title = cue.title.clone();
            let fact = Fact::CueBegan { number, title };
            self.sink.report(Report::new(Actor::You, fact));
            match cue.action {
                Action::SignIn => {
                    self.sign_in().await?;
                    self.reads(2).await;
                }
                Action::Escalate => {
                    // What a cue needs first belongs to it, as on a stage.
                    if self.projection.issues().tickets().is_empty() {
                        self.list().await?;
                    }
                    issue = Some(self.escalate_for(cue).await?);
                }
                Action::Delete => {
                    let id = issue.as_ref().ok_or_else(|| other("there is no issue"))?;
                    let called = self.call(DELETE_ISSUE, json!({ "issueId": id })).await?;
                    expect(called.outcome == outcome, "the policy did not decide it")?;
                }
                Action::PolicyOff => {
                    self.switch(Owner::Platform).await?;
                    outcome = CallOutcome::Succeeded;
                }
                Action::PolicyOn => {
                    self.switch(Owner::Customer).await?;
                    outcome = CallOutcome::Failed;
                }
                Action::SignOut | Action::ListTickets | Action::Talk => {
                    return Err(other("the built-in sheet has a cue that no scene plays"));
                }
            }
            self.read_zone().await?;
            self.reads(4).await;
        }
        Ok(())
    }

    async fn escalate_for(&mut self, cue: &Cue) -> Result<String, Failure> {
        let tickets = self.projection.issues().tickets();
        let ticket = tickets.get(cue.ticket.unwrap_or(0)).map(|ticket| ticket.id);
        let ticket = ticket.ok_or_else(|| other("there is no such ticket"))?;
        self.escalate_ticket(ticket).await
    }

    /// Makes the policy set of the platform or of the workshop the active one.
    async fn switch(&mut self, owner: Owner) -> Result<(), Failure> {
        let sets = self.projection.policies().overview();
        let set: &PolicySet = sets
            .and_then(|all| all.sets.iter().find(|set| set.owner_type == owner))
            .ok_or_else(|| other("the policy set is not there"))?;
        let version = set.latest_version;
        let id = set.id.clone();
        self.backend.activate(&id, version).await
    }
}
