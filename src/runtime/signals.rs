//! Signals of the operating system, as messages.

use crate::app::msg::Signal;

/// SIGTERM, SIGHUP, SIGQUIT and SIGINT (the keyboard's Ctrl-C is a key in raw mode, not a signal).
#[derive(Debug)]
pub struct Signals {
    streams: Vec<(Kind, tokio::signal::unix::Signal)>,
}

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The system, or somebody who wants the program to end.
    End,
    /// Also the keyboard, for everything that runs on the terminal.
    Interrupt,
    /// The same; only heard where the terminal is to be given back first.
    Stop,
    /// Somebody let a stopped program go on, and the terminal may be another one's as it was.
    Continue,
}

impl Signals {
    /// Listens from now on. A signal that cannot be listened to keeps its default effect.
    #[must_use]
    pub fn listen() -> Self {
        use tokio::signal::unix::SignalKind;
        Self::of(&[
            (Kind::End, SignalKind::terminate()),
            (Kind::End, SignalKind::hangup()),
            (Kind::End, SignalKind::quit()),
            (Kind::Interrupt, SignalKind::interrupt()),
        ])
    }

    /// [`Self::listen`] for a program that has taken over the terminal: it also hears SIGTSTP, which
    /// then no longer stops it by itself.
    #[must_use]
    pub fn listen_on_the_screen() -> Self {
        use tokio::signal::unix::SignalKind;
        let of = SignalKind::from_raw;
        let mut all = Self::listen();
        let of_the_screen = Self::of(&[
            (Kind::Stop, of(signal_hook::consts::SIGTSTP)),
            (Kind::Continue, of(signal_hook::consts::SIGCONT)),
        ]);
        all.streams.extend(of_the_screen.streams);
        all
    }

    fn of(kinds: &[(Kind, tokio::signal::unix::SignalKind)]) -> Self {
        let listen = |number| tokio::signal::unix::signal(number).ok();
        Self {
            streams: kinds
                .iter()
                .filter_map(|(kind, number)| Some((*kind, listen(*number)?)))
                .collect(),
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        match self.any(|_| true).await {
            Kind::End | Kind::Interrupt => Signal::Terminate,
            Kind::Stop => Signal::Stop,
            Kind::Continue => Signal::Continued,
        }
    }

    /// Passes over what the keyboard sent to another program on the terminal, and what has not been
    /// handed out yet: two signals on their way are some milliseconds apart.
    pub async fn forget_interrupts(&mut self) {
        const ON_THEIR_WAY: std::time::Duration = std::time::Duration::from_millis(50);
        let ours = |kind| matches!(kind, Kind::Interrupt | Kind::Stop | Kind::Continue);
        while tokio::time::timeout(ON_THEIR_WAY, self.any(ours))
            .await
            .is_ok()
        {}
    }

    /// Waits for one that no key sends: while another program has the terminal, Ctrl-C is its own.
    /// When that one stops this one stops with it, or the shell would not get the terminal back.
    pub async fn end(&mut self) {
        while self
            .any(|kind| matches!(kind, Kind::End | Kind::Stop))
            .await
            == Kind::Stop
        {
            stop_this_process();
        }
    }

    async fn any(&mut self, wanted: impl Fn(Kind) -> bool) -> Kind {
        let streams = self.streams.iter_mut().filter(|(kind, _)| wanted(*kind));
        let waits: Vec<_> = streams
            .map(|(kind, one)| {
                Box::pin(async {
                    one.recv().await;
                    *kind
                })
            })
            .collect();
        if waits.is_empty() {
            return std::future::pending().await;
        }
        futures::future::select_all(waits).await.0
    }
}

/// Stops this process as Ctrl-Z does in a shell; returns when it was continued. Whoever leads its
/// session has no shell above it that could continue it: that one goes on, and is told so by `false`.
pub fn stop_this_process() -> bool {
    if rustix::process::getsid(None) == Ok(rustix::process::getpid()) {
        return false;
    }
    // If the system refuses, the program simply goes on.
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
    true
}
