//! The one stream that carries every fact about the outside world. Panes are folds of it, a
//! recording is a tee of it, and a replay is the same stream from a file.

pub mod codec;
pub mod event;
pub mod json;
pub mod lines;
pub mod reader;
pub mod sink;
pub mod skim;

pub use event::{Actor, Fact, TraceEvent, UnknownFact};
pub use json::Json;
