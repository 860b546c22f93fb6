//! Makes a long trace: the sample story and the shipped ones in turn, over and over, each time with
//! identifiers, credentials and times of its own. The same count gives the same bytes.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

/// In the order in which a class would go through them.
const SCENES: [&str; 7] = [
    "tests/traces/story.jsonl",
    "assets/traces/escalation.jsonl",
    "assets/traces/masked.jsonl",
    "assets/traces/denial.jsonl",
    "assets/traces/upstream-fails.jsonl",
    "assets/traces/unmasked.jsonl",
    "assets/traces/consent-refused.jsonl",
];

/// Writes about `count` events, whole scenes only; tells how many.
pub fn write(path: &Path, count: usize) -> usize {
    let scenes: Vec<String> = SCENES
        .iter()
        .map(|file| fs::read_to_string(file).expect("the recording is there"))
        .collect();
    let (header, _) = scenes[0].split_once('\n').expect("it has a header");
    let mut out = BufWriter::new(File::create(path).expect("the disk takes it"));
    writeln!(out, "{header}").expect("the disk takes it");
    let (mut written, mut began_us) = (0, 0);
    let mut line = String::new();
    for (round, scene) in (0..).zip(scenes.iter().cycle()) {
        if written >= count {
            break;
        }
        let mut last_us = 0;
        for event in scene.lines().skip(1) {
            line.clear();
            last_us = last_us.max(renamed(event, round, began_us, written, &mut line));
            line.push('\n');
            out.write_all(line.as_bytes()).expect("the disk takes it");
            written += 1;
        }
        began_us += last_us + 1_000_000;
    }
    out.flush().expect("the disk takes it");
    written
}

/// Tells the time that the event had in its own recording.
fn renamed(event: &str, round: u64, began_us: u64, seq: usize, out: &mut String) -> u64 {
    let (_, rest) = event
        .split_once("\"at_us\":")
        .expect("every event has a time");
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let at_us: u64 = rest[..digits].parse().expect("it is a number");
    write!(out, "{{\"seq\":{seq},\"at_us\":{}", began_us + at_us).expect("it is a string");
    let rest = rest[digits..].replace("\"id\":\"ev-", &format!("\"id\":\"ev-{round}-"));
    let bytes = rest.as_bytes();
    let word = |byte: u8| byte.is_ascii_alphanumeric();
    let mut from = 0;
    while from < bytes.len() {
        let end = (from..bytes.len())
            .find(|at| word(bytes[*at]) != word(bytes[from]))
            .unwrap_or(bytes.len());
        let part = &rest[from..end];
        match (part.len(), u128::from_str_radix(part, 16)) {
            // Fingerprints, spans and calls.
            (8, Ok(id)) => write!(out, "{:08x}", id ^ u128::from(round)),
            (16, Ok(id)) => write!(out, "{:016x}", id ^ u128::from(round << 24)),
            (32, Ok(id)) => write!(out, "{:032x}", id ^ u128::from(round << 24)),
            _ => out.write_str(part),
        }
        .expect("it is a string");
        from = end;
    }
    at_us
}
