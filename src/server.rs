//! The support-escalation MCP server: a drop-in for the workshop's finished one.
