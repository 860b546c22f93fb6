//! Tells the caller each step as it happens, if the caller asked for progress.

use std::sync::atomic::{AtomicU32, Ordering};

use rmcp::{
    Peer, RoleServer,
    model::{MetaObject, NotificationMetaObject, ProgressNotificationParam, ProgressToken},
};

use crate::protocol::observed::{STEP_META_KEY, Step};

pub(super) struct Progress {
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    told: AtomicU32,
    /// How many steps a call has when all goes well.
    total: u32,
}

impl Progress {
    pub fn new(peer: Peer<RoleServer>, token: Option<ProgressToken>, total: u32) -> Self {
        Self {
            peer,
            token,
            told: AtomicU32::new(0),
            total,
        }
    }

    /// Tells one step. Whether the caller still listens changes nothing: its going away shows in
    /// the call's cancellation, so a message that cannot be delivered is only logged.
    pub async fn tell(&self, step: &Step, message: String) {
        let Some(token) = self.token.clone() else {
            return;
        };
        let told = self.told.fetch_add(1, Ordering::Relaxed) + 1;
        let mut param =
            ProgressNotificationParam::new(token, f64::from(told)).with_message(message);
        // A retry makes more steps than were foreseen; progress must not pass its total.
        if told <= self.total {
            param = param.with_total(f64::from(self.total));
        }
        let mut meta = MetaObject::new();
        match serde_json::to_value(step) {
            Ok(value) => {
                meta.insert(STEP_META_KEY.to_owned(), value);
            }
            Err(error) => tracing::error!(%error, "a step could not be written"),
        }
        param.meta = Some(NotificationMetaObject(meta));
        if let Err(error) = self.peer.notify_progress(param).await {
            tracing::debug!(%error, "a step could not be told");
        }
    }
}
