//! Stand-ins for Supabase, Anthropic, Linear and GitHub.
//!
//! Each is an [`axum::Router`] that answers as its real counterpart answers the workshop's clients,
//! and beside that tells on a feed what it saw and lets faults be scripted. Must not open a socket
//! (the lab does) and must not know the zone or the server: a stand-in sees requests, no more.

pub mod anthropic;
pub mod faults;
pub mod feed;
pub mod github;
pub mod guard;
pub mod observe;
pub mod people;
pub mod supabase;

use axum::{Router, middleware};

use crate::protocol::observed::Upstream;

use self::{faults::Faults, feed::Feed};

/// The shell that every stand-in of a service wears: loopback only, observed, with scripted faults
/// and the routes to follow and to script them. `routes` are the service's own.
pub fn stand_in(routes: Router, upstream: Upstream, feed: &Feed, faults: &Faults) -> Router {
    routes
        .layer(middleware::from_fn_with_state(
            faults.clone(),
            faults::inject,
        ))
        .layer(middleware::from_fn_with_state(
            observe::Observer::new(upstream, feed.clone()),
            observe::observe,
        ))
        .merge(feed.router())
        .merge(faults.router())
        .layer(middleware::from_fn(guard::loopback_only))
}
