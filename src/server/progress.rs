//! Tells the caller each step as it happens, if the caller asked for progress.
//!
//! A step is queued, and a task of the call's own sends what is queued: the call goes on while the
//! transport takes its time. [`Progress::finish`] waits for the last one, so that no step can come
//! after the answer.

use std::sync::atomic::{AtomicU32, Ordering};

use rmcp::{
    Peer, RoleServer,
    model::{MetaObject, NotificationMetaObject, ProgressNotificationParam, ProgressToken},
};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::protocol::observed::{STEP_META_KEY, Step};

/// Where the steps of one call go.
pub(super) struct Progress {
    /// Absent when nobody asked.
    line: Option<Line>,
    told: AtomicU32,
    /// How many steps a call has when all goes well.
    total: u32,
}

struct Line {
    token: ProgressToken,
    queue: mpsc::UnboundedSender<ProgressNotificationParam>,
    sending: JoinHandle<()>,
}

impl Progress {
    pub fn new(peer: Peer<RoleServer>, token: Option<ProgressToken>, total: u32) -> Self {
        let line = token.map(|token| {
            // Never more than the steps of one call.
            let (queue, mut queued) = mpsc::unbounded_channel();
            let sending = tokio::spawn(async move {
                while let Some(param) = queued.recv().await {
                    if let Err(error) = peer.notify_progress(param).await {
                        tracing::debug!(%error, "a step could not be told");
                    }
                }
            });
            Line {
                token,
                queue,
                sending,
            }
        });
        Self {
            line,
            told: AtomicU32::new(0),
            total,
        }
    }

    /// Tells one step. Whether the caller still listens changes nothing: its going away shows in
    /// the call's cancellation, so a message that cannot be delivered is only logged.
    pub fn tell(&self, step: &Step, message: String) {
        let Some(line) = &self.line else {
            return;
        };
        let told = self.told.fetch_add(1, Ordering::Relaxed) + 1;
        let mut param = ProgressNotificationParam::new(line.token.clone(), f64::from(told))
            .with_message(message);
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
        // The task ends early only when the runtime does.
        let _ = line.queue.send(param);
    }

    /// Waits until every step is on its way; the call's answer may follow.
    pub async fn finish(self) {
        let Some(Line { queue, sending, .. }) = self.line else {
            return;
        };
        drop(queue);
        if let Err(error) = sending.await {
            tracing::debug!(%error, "the steps of a call were not all told");
        }
    }
}
