//! The Keycard stand-in: authorization server, vault, policy, audit log, sessions, management API.

pub mod keys;
pub mod tokens;
