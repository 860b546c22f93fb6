//! A trace in the forms that others read: OTLP, OCSF, Markdown, asciicast, SVG.
//!
//! Pure: a projection in, text out. It must not read files, know the command line or decide
//! anything: what is written is what the projection says. Whatever reached a trace is free of
//! secrets, so whatever leaves here is too; text from outside is escaped for the form it goes to.

pub mod cast;
pub mod markdown;
pub mod ocsf;
pub mod otlp;
pub mod screen;
pub mod svg;
