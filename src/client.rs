//! The OAuth and MCP client. Every request passes one traced seam.
