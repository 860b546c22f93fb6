//! What the chapters ask a reader to do, done.

use serde_json::{Value, json};

use super::run::Doing;
use crate::{
    chapters::{Chapter, Orientation, Stage},
    client::CallResult,
    lab,
    protocol::tickets::{
        DELETE_ISSUE, ESCALATE_TICKET, Escalated, GET_SUPPORT_TICKETS, Severity, Tickets,
    },
    runtime::console_steps::Step,
    support::error::{Exit, Failure},
};

/// Brings a fresh lab to where a chapter begins.
pub(super) fn before(number: u16) -> impl AsyncFnOnce(Doing) -> Result<(), Failure> {
    async move |doing: Doing| {
        if number >= 2 {
            doing.steps(Step::CHAPTER_1).await?;
        }
        if number >= 4 {
            doing.go_to(number.min(6)).await?;
            doing.sign_in().await?;
        }
        if number >= 8 {
            doing.steps(Step::CHAPTER_7).await?;
        }
        Ok(())
    }
}

/// Does on the lab what the chapter asks, and brings the lab to its end.
pub(super) fn on_lab(number: u16) -> impl AsyncFnOnce(Doing) -> Result<(), Failure> {
    async move |doing: Doing| {
        doing.steps(Step::of_chapter(number)).await?;
        doing.go_to(number).await?;
        match number {
            0 => {
                doing.list_tools().await?;
                let ticket = doing.list_tickets().await?;
                doing.escalate(ticket).await?;
            }
            3 => {
                doing.sign_in().await?;
                doing.list_tickets().await?;
            }
            4 | 5 => {
                let ticket = doing.list_tickets().await?;
                doing.escalate(ticket).await?;
            }
            6..=8 => {
                let ticket = doing.list_tickets().await?;
                let issue = doing.escalate(ticket).await?;
                doing.delete(&issue).await?;
            }
            _ => {}
        }
        doing.backend.refresh_console().await
    }
}

/// Whether an attendee's folder tells how far their code has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderSeen {
    Yes,
    No,
}

/// What is done at an attendee's server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acts {
    sign_in: bool,
    list: bool,
    escalate: bool,
    delete: bool,
}

impl Acts {
    /// What these chapters ask for, as far as the server has come, or all of it where only its folder
    /// would tell. `find_out` tells that it is to be seen how far that is, for which somebody must be
    /// signed in.
    pub fn of(
        chapters: &[&Chapter],
        at: &Orientation,
        folder: FolderSeen,
        calls: bool,
        find_out: bool,
    ) -> Self {
        let any = |wanted: &[u16]| chapters.iter().any(|one| wanted.contains(&one.number));
        let protected = at.stage() >= Stage::Protected;
        Self {
            // A server that takes anyone is asked as anyone: that is what chapter 0 is about.
            sign_in: protected && (find_out || any(&[3, 4, 5, 6, 7, 8])),
            // Somebody who signs in at a server of chapter 2 has come to chapter 3.
            list: any(&[0, 3, 4, 5, 6, 7, 8]) || (protected && find_out),
            escalate: calls && any(&[0, 4, 5, 6, 7, 8]),
            delete: calls
                && (at.stage() >= Stage::Delegated || folder == FolderSeen::No)
                && any(&[6, 7, 8]),
        }
    }

    /// Does it; what did not work is told and does not keep the rest from being looked at.
    pub fn perform(self) -> impl AsyncFnOnce(Doing) -> Result<Vec<Failure>, Failure> {
        async move |doing: Doing| {
            let done = self.go(&doing).await;
            let read = doing.backend.refresh_console().await;
            Ok([done.err(), read.err()].into_iter().flatten().collect())
        }
    }

    async fn go(self, doing: &Doing) -> Result<(), Failure> {
        if self.sign_in {
            // No more than that: a server may refuse the token that a good sign-in brought.
            let cancel = doing.cancel.clone();
            doing.backend.client.sign_in(cancel).await?;
        }
        if !self.list {
            return Ok(());
        }
        // Who refuses the one refuses the other; the checks go by the call.
        let offered = doing.list_tools().await;
        let ticket = doing.list_tickets().await?;
        offered?;
        if self.escalate {
            let issue = doing.escalate(ticket).await?;
            if self.delete {
                doing.delete(&issue).await?;
            }
        }
        Ok(())
    }
}

impl Doing {
    async fn go_to(&self, number: u16) -> Result<(), Failure> {
        let number = u8::try_from(number).unwrap_or(u8::MAX);
        self.backend.go_to(lab::Chapter::new(number)?).await
    }

    async fn steps(&self, steps: &[Step]) -> Result<(), Failure> {
        for step in steps {
            self.backend.take_step(*step).await?;
        }
        Ok(())
    }

    async fn sign_in(&self) -> Result<(), Failure> {
        self.backend.sign_in(&self.cancel).await
    }

    async fn list_tools(&self) -> Result<(), Failure> {
        self.backend.client.list_tools(self.cancel.clone()).await
    }

    /// Lists the tickets and chooses the first critical one.
    async fn list_tickets(&self) -> Result<uuid::Uuid, Failure> {
        let listed = self.call(GET_SUPPORT_TICKETS, json!({})).await?;
        let tickets: Tickets = structured(&listed, GET_SUPPORT_TICKETS)?;
        let critical =
            |ticket: &&crate::protocol::tickets::Ticket| ticket.severity == Severity::Critical;
        let chosen = tickets
            .tickets
            .iter()
            .find(critical)
            .or(tickets.tickets.first());
        chosen.map(|ticket| ticket.id).ok_or_else(|| {
            Failure::new(
                Exit::Failed,
                "There is no ticket to escalate",
                "the ticket list is empty",
                "check the key in the vault: a key that row-level security binds sees no rows",
            )
        })
    }

    async fn escalate(&self, ticket: uuid::Uuid) -> Result<String, Failure> {
        let result = self
            .call(ESCALATE_TICKET, json!({ "ticketId": ticket }))
            .await?;
        let issue: Escalated = structured(&result, ESCALATE_TICKET)?;
        Ok(issue.issue_id)
    }

    /// Whether it should have been refused is for the checks to say.
    async fn delete(&self, issue: &str) -> Result<(), Failure> {
        self.call(DELETE_ISSUE, json!({ "issueId": issue }))
            .await
            .map(drop)
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<CallResult, Failure> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let cancel = self.cancel.clone();
        self.backend.client.call_tool(tool, arguments, cancel).await
    }
}

/// A tool's structured result.
fn structured<T: serde::de::DeserializeOwned>(
    result: &CallResult,
    tool: &str,
) -> Result<T, Failure> {
    result.given().map_err(|why| {
        Failure::new(
            Exit::Failed,
            format!("{tool} did not give what the chapters need"),
            crate::support::text::one_line(&why),
            "mend that first; the checks below say what was seen all the same",
        )
    })
}
