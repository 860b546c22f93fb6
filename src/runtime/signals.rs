//! Signals of the operating system, as messages.

use crate::app::msg::Signal;

/// SIGTERM, SIGHUP and SIGINT (the keyboard's Ctrl-C is a key in raw mode, not a signal).
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    streams: Vec<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on. A signal that cannot be listened to keeps its default effect.
    #[must_use]
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::interrupt(),
        ];
        Self {
            streams: kinds
                .into_iter()
                .filter_map(|kind| signal(kind).ok())
                .collect(),
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        let waits = self.streams.iter_mut().map(|s| Box::pin(s.recv()));
        if waits.len() == 0 {
            return std::future::pending().await;
        }
        futures::future::select_all(waits).await;
        Signal::Terminate
    }
}

/// Ctrl-C, where there are no signals.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Listens from now on.
    #[must_use]
    pub fn listen() -> Self {
        Self
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
        Signal::Terminate
    }
}

/// Stops this process as Ctrl-Z does in a shell; returns when it was continued.
pub fn stop_this_process() {
    #[cfg(unix)]
    // If the system refuses, the program simply goes on.
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
}
