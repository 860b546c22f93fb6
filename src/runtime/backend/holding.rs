//! Holding the zone's token exchanges, and letting them go.

use tokio::sync::oneshot;

use super::{Backend, opening::stopping};
use crate::{
    client::hold,
    protocol::hold::GATE_NAME,
    support::error::{Exit, Failure},
    trace::{Actor, Fact, sink::Report},
};

impl Backend {
    /// Holds every token exchange from now on, until [`Self::hold_no_more`] or the run's end.
    ///
    /// # Errors
    /// If the zone is not the lab's, or does not let itself be held.
    pub async fn hold(&self) -> Result<(), Failure> {
        self.hold_no_more().await;
        let Some(console) = self.console.clone() else {
            return Err(Failure::new(
                Exit::Usage,
                "The zone cannot be held",
                "only the lab's own zone waits for somebody, and only for who has its console's credential",
                "start with --lab and --state as `hoptrail lab` prints them; HOPTRAIL_CONSOLE_ID and HOPTRAIL_CONSOLE_SECRET stand for --state",
            ));
        };
        let token = self.stop.child_token();
        // Called off while it begins, it holds nobody.
        let begins = token.clone().drop_guard();
        let (closed, is_closed) = oneshot::channel();
        let (held_up, ends) = (self.client.held_up(), token.clone());
        let held = self.feeds.spawn(async move {
            let ended = hold::hold(&console, &held_up, closed, &ends).await;
            if let Err(failure) = &ended {
                let fact = Fact::FeedLost {
                    feed: GATE_NAME.to_owned(),
                    why: failure.why.clone(),
                };
                console.http().sink().report(Report::new(Actor::Zone, fact));
            }
            ended
        });
        if is_closed.await.is_ok() {
            if let Some(before) = self.holding.lock().await.replace(token) {
                before.cancel();
            }
            begins.disarm();
            return Ok(());
        }
        match held.await {
            Ok(Err(failure)) => Err(failure),
            Ok(Ok(())) | Err(_) => Err(stopping()),
        }
    }

    /// Holds nothing any more; what waits goes on.
    pub async fn hold_no_more(&self) {
        if let Some(token) = self.holding.lock().await.take() {
            token.cancel();
        }
    }

    /// Lets one exchange go.
    ///
    /// # Errors
    /// If there is no console, or the zone does not answer.
    pub async fn let_go(&self, id: &str) -> Result<(), Failure> {
        match &self.console {
            Some(console) => console.let_go(id).await,
            None => Ok(()),
        }
    }
}
