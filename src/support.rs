//! Small things that every layer needs: time, identifiers, text and positions in it, digests, paths, names of panes,
//! failures.
//!
//! Must not know anything of OAuth, MCP or the terminal; the wall clock and
//! randomness are read in `clock` and `ids` and nowhere else.

pub mod cause;
pub mod clock;
pub mod digest;
pub mod error;
pub mod files;
pub mod html;
pub mod ids;
pub mod loopback;
pub mod pane;
pub mod paths;
pub mod position;
pub mod text;
