//! The servers that run, and how they are stopped.

use std::convert::Infallible;

use axum::{ServiceExt, extract::Request, response::Response, serve::ListenerExt as _};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    lab::{
        BoundPort,
        wire::{SharedWire, Tapped},
    },
    upstream::feed::Feed,
    zone::Zone,
};

/// The servers that run, and how they are stopped.
pub(super) struct Serving {
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    wire: Option<SharedWire>,
}

impl Serving {
    pub(super) fn new(wire: Option<SharedWire>) -> Self {
        Self {
            wire,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    pub(super) fn serve<S>(&self, place: BoundPort, service: S)
    where
        S: tower::Service<Request, Response = Response, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        self.serve_then(place, service, async {});
    }

    /// Serves, and does `after` when the last request has ended.
    pub(super) fn serve_then<S>(
        &self,
        place: BoundPort,
        service: S,
        after: impl Future<Output = ()> + Send + 'static,
    ) where
        S: tower::Service<Request, Response = Response, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        let service = ServiceExt::<Request>::into_make_service(service);
        let (stop, wire) = (self.stop.clone(), self.wire.clone());
        self.tasks.spawn(async move {
            // Nagle's delay would hold back the second event of a stream by 40 ms. A socket that
            // refuses the option still works.
            let listener = place
                .listener
                .tap_io(|socket| drop(socket.set_nodelay(true)));
            let stopped = async move { stop.cancelled().await };
            let served = match wire {
                None => {
                    axum::serve(listener, service)
                        .with_graceful_shutdown(stopped)
                        .await
                }
                Some(wire) => {
                    axum::serve(Tapped::new(listener, place.port, wire), service)
                        .with_graceful_shutdown(stopped)
                        .await
                }
            };
            if let Err(error) = served {
                tracing::error!(origin = place.origin, %error, "a listener ended");
            }
            after.await;
        });
    }

    /// A feed whose followers are let go at the end; otherwise they would hold up the shutdown.
    pub(super) fn feed(&self, feed: Feed) -> Feed {
        let (stop, ending) = (self.stop.clone(), feed.clone());
        self.tasks.spawn(async move {
            stop.cancelled().await;
            ending.close();
        });
        feed
    }

    /// The zone, of which nothing holds up the shutdown.
    pub(super) fn let_go_at_end(&self, zone: Zone) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.cancelled().await;
            zone.let_go();
        });
    }
}
