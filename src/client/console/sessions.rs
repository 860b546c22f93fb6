//! The zone's sessions, as often as they are asked for: those that hold, and how those ended that
//! held when this process looked before. What ended earlier is not read again and again.

use std::collections::BTreeMap;

use http::Method;

use super::{Console, Found, Outgoing, parse};
use crate::{
    protocol::console::{DelegatedGrant, LifeStatus, Session},
    support::error::Failure,
    trace::{Actor, Fact, event::Leg},
};

/// The largest page that the API gives.
const PAGE: &str = "100";

/// Ended sessions that are kept: each read tells all of them again.
const MOST_ENDED: usize = 100;

/// The sessions that this process knows of: how each ended, once it did.
pub(super) type Known = BTreeMap<String, Option<Session>>;

impl Console {
    /// Reads the sessions that hold or ended since this process saw them, and the grants, and
    /// reports them.
    ///
    /// # Errors
    /// If the zone does not answer.
    pub async fn read_sessions(&self) -> Result<(), Failure> {
        let mut known = self.sessions.lock().await;
        let mut sessions: Vec<Session> = self
            .list_where(&["sessions"], &[("status", "active"), ("limit", PAGE)])
            .await?;
        let left: Vec<String> = known
            .iter()
            .filter(|(id, end)| end.is_none() && sessions.iter().all(|one| one.id != **id))
            .map(|(id, _)| id.clone())
            .collect();
        for id in left {
            match self.session(&id).await? {
                Some(session) if session.status != LifeStatus::Active => {
                    known.insert(id, Some(session));
                }
                // It began to hold again, or the list was longer than is read.
                Some(session) => sessions.push(session),
                // The zone has forgotten it.
                None => {
                    known.remove(&id);
                }
            }
        }
        for session in &sessions {
            known.entry(session.id.clone()).or_insert(None);
        }
        forget_oldest(&mut known);
        sessions.extend(known.values().flatten().cloned());
        drop(known);
        let grants: Vec<DelegatedGrant> = self.list(&["delegated-grants"]).await?;
        self.http
            .report(Actor::Zone, Fact::SessionsRead { sessions, grants });
        Ok(())
    }

    async fn session(&self, id: &str) -> Result<Option<Session>, Failure> {
        let url = self.zone_url(&["sessions", id])?;
        let found = self
            .request_or_missing(|| Outgoing::new(Method::GET, url.clone(), Leg::Console))
            .await?;
        match found {
            Found::Answer(answer) => parse(&answer).map(Some),
            Found::Nothing(_) => Ok(None),
        }
    }
}

/// Forgets the ended sessions that began longest ago, where there are more than are kept.
fn forget_oldest(known: &mut Known) {
    let mut ended: Vec<_> = known
        .values()
        .flatten()
        .map(|session| (session.authenticated_at, session.id.clone()))
        .collect();
    ended.sort_unstable();
    let over = ended.len().saturating_sub(MOST_ENDED);
    for (_, id) in ended.drain(..over) {
        known.remove(&id);
    }
}
