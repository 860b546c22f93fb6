//! x
pub mod recogniser;
