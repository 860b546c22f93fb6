//! The same facts as lines of text or JSON Lines, for pipes and screen readers.
//!
//! It must not decide anything: what is shown is what the projection says. Text from outside is
//! made harmless before it is written.

pub mod compare;
pub mod jsonl;
pub mod style;
mod table;
pub mod text;

pub use jsonl::Jsonl;
pub use style::{Color, Glyphs, Style};
pub use text::Text;
