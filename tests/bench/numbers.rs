//! The numbers that hoptrail is held to, measured side by side in one run.
//!
//! `cargo bench --bench numbers` measures all of them; `-- NAME…` only some. Prints one table and
//! always succeeds: the clock of a shared machine is no judge. Linux only (it reads `/proc`).

mod call;
mod escalation;
mod exchange;
mod flood;
mod frames;
mod load;
#[path = "../running/options.rs"]
mod options;
mod peer;
mod plain;
mod process;
mod sample;
mod start;
mod table;

use std::{
    io::{self, Write as _},
    path::Path,
};

use table::Row;

type Measured = Result<Vec<Row>, String>;

/// A number's name, and how it is measured.
type Number = (&'static str, fn() -> Measured);

/// What can be measured, in the order of the table.
const NUMBERS: [Number; 7] = [
    ("start", start::measure),
    ("call", call::measure),
    ("frames", frames::measure),
    ("escalation", escalation::measure),
    ("plain", plain::measure),
    ("exchange", exchange::measure),
    ("rest", start::at_rest),
];

fn main() {
    // `cargo bench` itself passes `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    if let [role, state] = &*wanted
        && role == exchange::ZONE_ROLE
    {
        exchange::zone(Path::new(state));
        return;
    }
    let mut rows = Vec::new();
    for (name, measure) in NUMBERS {
        if !wanted.is_empty() && !wanted.iter().any(|w| w == name) {
            continue;
        }
        say(&format!("measuring {name} …\n"));
        match measure() {
            Ok(measured) => rows.extend(measured),
            Err(why) => rows.push(Row::skipped(name, &why)),
        }
    }
    say(&table::render(&rows));
}

/// Says it on standard output.
fn say(text: &str) {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .expect("standard output is there");
}
