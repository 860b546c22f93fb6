//! Small things that several panes are made of. They know the look and nothing of the state.

pub mod big;
pub mod field;
pub mod flowing;
pub mod json;
pub mod panel;
pub mod prose;
pub mod put;
pub mod scroll;
pub mod table;
pub mod verdict;
