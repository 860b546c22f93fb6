//! Wire types and nothing else: what travels between the client, the server, the zone and the
//! services. No I/O, no async, no terminal.

pub mod audit;
pub mod basic;
pub mod challenge;
pub mod console;
pub mod env;
pub mod hold;
pub mod jwt;
pub mod oauth;
pub mod observed;
pub mod page;
pub mod secret;
pub mod tickets;
pub mod traceparent;
