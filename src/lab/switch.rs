//! A place on a port whose server can be exchanged while it listens.
//!
//! Each request goes to the server that stands there when it comes in, also on a connection that
//! is kept; a call that is under way ends on the server on which it began.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, extract::Request, response::Response, routing::future::RouteFuture};
use parking_lot::RwLock;
use tower::Service;

/// The server at a place.
#[derive(Debug, Clone)]
pub(super) struct Switch(Arc<RwLock<Router>>);

impl Switch {
    pub fn new(router: Router) -> Self {
        Self(Arc::new(RwLock::new(ready(router))))
    }

    /// From here on `router` answers.
    pub fn put(&self, router: Router) {
        *self.0.write() = ready(router);
    }

    fn current(&self) -> Router {
        self.0.read().clone()
    }
}

/// Makes the routes now; otherwise axum would do it with each request.
pub(super) fn ready(router: Router) -> Router {
    router.with_state(())
}

impl Service<Request> for Switch {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // As a router says of itself: always.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.current().call(request)
    }
}
