//! A backend that opens while the screen is drawn already, and what it comes to.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Backend, Options};
use crate::{
    support::error::{Exit, Failure},
    trace::{
        Actor, Fact,
        sink::{Report, SharedSink},
    },
};

/// Whether the backend can be used yet.
#[derive(Debug, Clone)]
pub enum BackendState {
    Opening,
    Ready(Arc<Backend>),
    Failed(Failure),
}

/// A backend that opens while the first frame is already on the screen.
#[derive(Debug)]
pub struct Opening {
    state: watch::Receiver<BackendState>,
    urls: mpsc::UnboundedReceiver<String>,
    stop: CancellationToken,
}

/// Begins to open the backend; facts about it go to `sink`.
#[must_use]
pub fn open(options: Options, sink: SharedSink) -> Opening {
    let (state, watch) = watch::channel(BackendState::Opening);
    let (urls, shown) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let opened = Backend::connect(&options, &sink, urls, token).await;
        let opened = match opened {
            Ok(backend) => BackendState::Ready(Arc::new(backend)),
            Err(failure) => {
                sink.report(Report::new(
                    Actor::Client,
                    Fact::FailureOccurred(failure.clone()),
                ));
                BackendState::Failed(failure)
            }
        };
        // Nobody is listening any more when the person has quit already.
        let _ = state.send(opened);
        state.closed().await;
    });
    Opening {
        state: watch,
        urls: shown,
        stop,
    }
}

/// A backend that is never there: a replay needs none and must have none.
#[must_use]
pub fn none() -> Opening {
    let failure = Failure::new(
        Exit::Usage,
        "This is a replay",
        "nothing is connected to it",
        "start hoptrail without a trace to do things anew",
    );
    let (_, state) = watch::channel(BackendState::Failed(failure));
    let (_, urls) = mpsc::unbounded_channel();
    Opening {
        state,
        urls,
        stop: CancellationToken::new(),
    }
}

impl Opening {
    /// The state, for those who wait for it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BackendState> {
        self.state.clone()
    }

    /// Whether it came to nothing.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(*self.state.borrow(), BackendState::Failed(_))
    }

    /// Waits for a URL that a person must open by hand.
    pub async fn browser_url(&mut self) -> String {
        match self.urls.recv().await {
            Some(url) => url,
            None => std::future::pending().await,
        }
    }

    /// Waits until the backend can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn ready(&mut self) -> Result<Arc<Backend>, Failure> {
        ready(&mut self.state).await
    }

    /// Stops what was opened. What is being opened is told to stop, and not waited for.
    pub async fn close(&mut self) {
        self.stop.cancel();
        let backend = match &*self.state.borrow() {
            BackendState::Ready(backend) => Arc::clone(backend),
            BackendState::Opening | BackendState::Failed(_) => return,
        };
        backend.close().await;
    }
}

/// Waits until a backend can be used.
///
/// # Errors
/// Why it cannot.
pub async fn ready(state: &mut watch::Receiver<BackendState>) -> Result<Arc<Backend>, Failure> {
    loop {
        match &*state.borrow_and_update() {
            BackendState::Opening => {}
            BackendState::Ready(backend) => return Ok(Arc::clone(backend)),
            BackendState::Failed(failure) => return Err(failure.clone()),
        }
        if state.changed().await.is_err() {
            return Err(stopping());
        }
    }
}

/// The failure of whoever still waits when the run ends.
#[must_use]
pub fn stopping() -> Failure {
    Failure::new(
        Exit::Failed,
        "hoptrail is stopping",
        "the run ended before this could begin",
        "start hoptrail again",
    )
}
