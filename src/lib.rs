#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]
//! hoptrail: a terminal companion for the Keycard MCP workshop.
//!
//! One [`trace::TraceEvent`] stream carries every fact about the outside world; every pane is a
//! fold of it ([`projection`]). `ARCHITECTURE.md` has the map and the reasons.

#[cfg(not(unix))]
compile_error!("hoptrail runs on Linux, macOS and other Unix systems; on Windows, in WSL");

pub mod app;
pub mod chapters;
pub mod cli;
pub mod client;
pub mod config;
pub mod export;
pub mod lab;
pub mod plain;
pub mod projection;
pub mod protocol;
pub mod runtime;
pub mod server;
pub mod shipped;
pub mod support;
pub mod trace;
pub mod ui;
pub mod upstream;
pub mod zone;
