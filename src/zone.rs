//! The Keycard stand-in: authorization server, vault, policy, audit log, sessions, management API.

pub mod client_auth;
pub mod keys;
pub mod oauth;
pub mod pages;
pub mod tokens;
