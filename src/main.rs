//! The `hoptrail` program.

fn main() {}
