//! Whatever a file holds, reading and folding it neither panics nor takes more than it may.
#![no_main]

#[path = "../../tests/reader_law/mod.rs"]
mod reader_law;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reader_law::holds(bytes));
