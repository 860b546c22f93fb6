//! A long trace: how fast it opens, how fast one moves in it, what it takes.
//!
//! `cargo bench --bench replay [EVENTS ...]`; by default 1,000 to 1,000,000.

#![expect(
    clippy::print_stdout,
    reason = "a bench tells its numbers on the standard output"
)]

use std::{fmt::Write as _, fs, io::BufReader};

use hoptrail::{
    app::{
        App, AppConfig,
        msg::{InputEvent, Msg},
        player::{Growth, Tape},
        target::Target,
    },
    config::LookConfig,
    projection::Timeline,
    support::clock::Stopwatch,
    trace::reader::{Item, Reader},
    ui::{
        self,
        look::{Charset, Look},
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

const JUMPS: usize = 60;
const FRAMES: usize = 300;

fn main() {
    let sizes: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![1_000, 10_000, 100_000, 1_000_000]
    } else {
        sizes
    };
    println!(
        "{:>9} {:>9} {:>10} {:>10} {:>10} {:>10}",
        "events", "open s", "jump p50", "jump max", "frame p99", "bytes/ev"
    );
    for size in sizes {
        println!("{}", measure(size));
    }
}

fn measure(count: usize) -> String {
    let dir = tempfile::tempdir().expect("a folder for the trace");
    let path = dir.path().join("long.jsonl");
    let events = write(&path, count);
    let before = resident();
    let watch = Stopwatch::start();
    let file = fs::File::open(&path).expect("it was just written");
    let (header, mut reader) = Reader::open(BufReader::new(file)).expect("it is a trace");
    let mut timeline = Timeline::open(Some(header.started));
    while let Item::Event(entry) = reader.read_next().expect("it can be read") {
        timeline.push(&entry.event, &entry.line);
    }
    timeline.close();
    let open = watch.micros();
    assert_eq!(timeline.len(), events);
    let mut app = App::new(AppConfig {
        size: (200, 60),
        replay: Some("long".to_owned()),
        ..AppConfig::default()
    });
    let tape = Tape {
        timeline,
        title: "long".to_owned(),
        growth: Growth::Finished,
        warning: None,
    };
    drop(app.update(Msg::Opened(Box::new(tape))));
    let mut jumps = Vec::new();
    let mut place = 7_919;
    for _ in 0..JUMPS {
        place = (place * 48_271 + 11) % events;
        let click = Msg::Input(InputEvent::Mouse {
            action: hoptrail::app::msg::MouseAction::Click,
            target: Some(Target::Place(place)),
        });
        let watch = Stopwatch::start();
        drop(app.update(click));
        jumps.push(watch.micros());
        assert_eq!(app.place(), place);
    }
    drop(app.perform(hoptrail::app::command::Command::End));
    let taken = resident().saturating_sub(before) / events;
    let look = Look::new(&LookConfig::default(), Charset::Unicode);
    let area = Rect::new(0, 0, 200, 60);
    let mut frames = Vec::new();
    for _ in 0..FRAMES {
        let mut buffer = Buffer::empty(area);
        let watch = Stopwatch::start();
        let _ = ui::draw_into(&app, &look, area, &mut buffer);
        frames.push(watch.micros());
    }
    jumps.sort_unstable();
    frames.sort_unstable();
    let millis = |micros: u64| f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1_000.0;
    format!(
        "{events:>9} {:>9.3} {:>7.1} ms {:>7.1} ms {:>7.2} ms {taken:>10}",
        millis(open) / 1_000.0,
        millis(jumps[JUMPS / 2]),
        millis(jumps[JUMPS - 1]),
        millis(frames[FRAMES * 99 / 100]),
    )
}

/// Writes the sample story over and over, each time with identifiers and times of its own.
fn write(path: &std::path::Path, count: usize) -> usize {
    let story = fs::read_to_string("tests/traces/story.jsonl").expect("the sample is there");
    let (header, lines) = story.split_once('\n').expect("it has a header");
    let lines: Vec<&str> = lines.lines().collect();
    let mut text = format!("{header}\n");
    let mut written = 0;
    for round in 0.. {
        if written >= count {
            break;
        }
        for line in &lines {
            renamed(line, round, &mut text);
            text.push('\n');
        }
        written += lines.len();
    }
    fs::write(path, text).expect("the disk takes it");
    written
}

fn renamed(line: &str, round: u64, out: &mut String) {
    let (head, rest) = line
        .split_once("\"at_us\":")
        .expect("every event has a time");
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let at_us: u64 = rest[..digits].parse().expect("it is a number");
    let _ = write!(out, "{head}\"at_us\":{}", at_us + round * 17_000_000);
    let rest = rest[digits..].replace("\"id\":\"ev-", &format!("\"id\":\"ev-{round}-"));
    let mut from = 0;
    let bytes = rest.as_bytes();
    while from < bytes.len() {
        let word = |byte: u8| byte.is_ascii_alphanumeric();
        let end = (from..bytes.len())
            .find(|at| word(bytes[*at]) != word(bytes[from]))
            .unwrap_or(bytes.len());
        let part = &rest[from..end];
        match (part.len(), u128::from_str_radix(part, 16)) {
            (16, Ok(id)) => drop(write!(out, "{:016x}", id ^ u128::from(round << 24))),
            (32, Ok(id)) => drop(write!(out, "{:032x}", id ^ u128::from(round << 24))),
            _ => out.push_str(part),
        }
        from = end;
    }
}

/// Bytes of memory that this process has now; 0 where the system does not say.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok())
        .map_or(0, |kilobytes| kilobytes * 1_024)
}
