//! A hop in words that its line and the table of hops share.

use crate::{
    projection::{Credential, Hop, HopKind, Projection},
    support::text::duration,
    trace::Actor,
};

/// The title; an exchange is told by what it is for.
pub(super) fn what(hop: &Hop) -> String {
    match (hop.kind, &hop.resource) {
        (HopKind::Exchange, Some(resource)) => format!("exchange for {resource}"),
        (HopKind::Exchange | HopKind::Request | HopKind::Upstream | HopKind::Browser, _) => {
            hop.title.to_string()
        }
    }
}

/// The first request without a token: its 401 is the answer that the client wants.
pub(super) fn asks_to_sign_in(hop: &Hop) -> bool {
    hop.kind == HopKind::Request && hop.status == Some(401) && hop.call.is_none()
}

/// `A → B`: which token was traded for which credential; `B`: which was used.
pub(super) fn key(hop: &Hop) -> String {
    let letter =
        |credential: Option<Credential>| credential.map(|credential| credential.letter.to_string());
    match (letter(hop.subject), letter(hop.credential)) {
        (Some(from), Some(to)) => format!("{from} → {to}"),
        (Some(from), None) => format!("{from} → none"),
        (None, Some(to)) => to,
        (None, None) => String::new(),
    }
}

/// How long it took by itself: what it was held at the gate is the holder's.
pub(super) fn took(hop: &Hop, projection: &Projection) -> String {
    let took = projection.hops().took_us(hop);
    took.map_or(String::new(), duration)
}

pub(super) fn parties(from: Actor, to: Actor) -> String {
    format!("{} → {}", actor(from), actor(to))
}

pub(super) const fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::You => "you",
        Actor::Client => "client",
        Actor::Server => "server",
        Actor::Zone => "zone",
        Actor::Supabase => "supabase",
        Actor::Anthropic => "anthropic",
        Actor::Linear => "linear",
    }
}
