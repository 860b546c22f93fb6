//! The OAuth and MCP client. Every request passes one traced seam.

pub mod address;
pub mod browser;
pub mod callback;
pub mod discovery;
pub mod http;
pub mod mask;
pub mod oauth;
pub mod oauth_seam;
pub mod robot;
pub mod store;
pub mod url_policy;
pub mod mcp;
pub mod mcp_stream;
pub mod mcp_wire;
pub mod progress;
