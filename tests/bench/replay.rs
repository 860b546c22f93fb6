//! A long trace: how fast it opens, how fast one moves in it and finds something, what it takes.
//!
//! `cargo bench --bench replay [EVENTS ...]`; by default 1,000 to 1,000,000. With a path as well, the
//! trace is written there, if there is none yet, and stays: to be looked at, or measured again. With
//! the word `open` it is opened five times and nothing else, which a profiler likes.

#![expect(
    clippy::print_stdout,
    reason = "a bench tells its numbers on the standard output"
)]

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use hoptrail::{
    app::{
        App, AppConfig,
        command::Command,
        focus::PaneId,
        msg::{InputEvent, MouseAction, Msg},
        player::{Growth, Tape},
        target::Target,
    },
    config::{
        LookConfig,
        keys::{Key, KeyCode, Modifier},
    },
    runtime::replay::{Damage, Place, Source},
    support::clock::Stopwatch,
    ui::{
        self,
        look::{Charset, Look},
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

mod long;

const JUMPS: usize = 300;
const FRAMES: usize = 400;
/// What is looked for: it stands in one scene of seven.
const WORD: &str = "limit-linear";

fn main() {
    let sizes: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![1_000, 10_000, 100_000, 1_000_000]
    } else {
        sizes
    };
    let kept = std::env::args()
        .skip(1)
        .map(PathBuf::from)
        .find(|word| word.extension().is_some_and(|end| end == "jsonl"));
    println!(
        "{:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "events",
        "open s",
        "jump p50",
        "jump p99",
        "jump max",
        "frame p99",
        "key p50",
        "key max",
        "found s",
        "bytes/ev"
    );
    for size in sizes {
        println!("{}", measure(size, kept.as_deref()));
    }
}

/// Lines but the header's.
fn events_in(path: &Path) -> usize {
    let file = File::open(path).expect("it is there");
    BufReader::new(file).split(b'\n').count() - 1
}

fn measure(count: usize, kept: Option<&Path>) -> String {
    let dir = tempfile::tempdir().expect("a folder for the trace");
    let path = kept.map_or_else(|| dir.path().join("long.jsonl"), Path::to_path_buf);
    let events = if path.exists() {
        events_in(&path)
    } else {
        long::write(&path, count)
    };
    if std::env::args().any(|word| word == "open") {
        let place = Place::File(path);
        let times = (0..5).map(|_| millis(opened(&place, events).1) / 1_000.0);
        return format!("{events:>9} {:>8.3?}", times.collect::<Vec<_>>());
    }
    let before = resident();
    let (mut app, open) = opened(&Place::File(path), events);
    let mut jumps = Vec::new();
    let mut place = 7_919;
    let look = Look::new(&LookConfig::default(), Charset::Unicode);
    let mut frames = Vec::new();
    for round in 0..JUMPS {
        place = (place * 48_271 + 11) % events;
        let click = Msg::Input(InputEvent::Mouse {
            action: MouseAction::Click,
            target: Some(Target::Place(place)),
        });
        let watch = Stopwatch::start();
        drop(app.update(click));
        jumps.push(watch.micros());
        assert_eq!(app.place(), place);
        if round % 4 == 0 {
            frames.push(frame(&app, &look));
        }
    }
    drop(app.perform(Command::End));
    let taken = resident().saturating_sub(before) / events;
    let rest = FRAMES - frames.len();
    frames.extend((0..rest).map(|_| frame(&app, &look)));
    let (mut keys, found) = search(&mut app);
    jumps.sort_unstable();
    frames.sort_unstable();
    keys.sort_unstable();
    let p = |sample: &[u64], percent: usize| {
        millis(sample[(sample.len() * percent / 100).min(sample.len() - 1)])
    };
    format!(
        "{events:>9} {:>8.3} {:>6.2} ms {:>6.2} ms {:>6.2} ms {:>6.2} ms {:>6.2} ms {:>6.2} ms {:>9.3} {taken:>8}",
        millis(open) / 1_000.0,
        p(&jumps, 50),
        p(&jumps, 99),
        p(&jumps, 100),
        p(&frames, 99),
        p(&keys, 50),
        p(&keys, 100),
        millis(found) / 1_000.0,
    )
}

/// Opens the trace as the program does, but for the thread that it does it on.
fn opened(place: &Place, events: usize) -> (App, u64) {
    let watch = Stopwatch::start();
    let mut source = Source::open(place).expect("it is a trace");
    let mut timeline = source.timeline();
    let mut damage = Damage::default();
    let read = source.read_on(
        Growth::Finished,
        &mut damage,
        |event, kept| timeline.take(event, kept),
        |_| ControlFlow::Continue(()),
    );
    assert!(read.expect("it can be read").is_continue());
    assert!(damage.lines == 0 && damage.full.is_none());
    timeline.close();
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
    (app, watch.micros())
}

fn frame(app: &App, look: &Look) -> u64 {
    let area = Rect::new(0, 0, 200, 60);
    let mut buffer = Buffer::empty(area);
    let watch = Stopwatch::start();
    let _ = ui::draw_into(app, look, area, &mut buffer);
    watch.micros()
}

/// Types a filter into each list, with a tick behind each key, and lets it be found to the end.
/// Every message's time, and the longest search's.
fn search(app: &mut App) -> (Vec<u64>, u64) {
    let (mut keys, mut longest) = (Vec::new(), 0);
    for pane in [PaneId::Flow, PaneId::Audit, PaneId::Trace] {
        drop(app.perform(Command::Show(pane)));
        drop(app.perform(Command::Filter));
        let whole = Stopwatch::start();
        for letter in WORD.chars() {
            let key = Key {
                code: KeyCode::Char(letter),
                modifier: Modifier::None,
            };
            timed(app, Msg::Input(InputEvent::Key(key)), &mut keys);
            timed(app, Msg::Tick(1_000), &mut keys);
        }
        while app.searched(pane).is_some() {
            timed(app, Msg::Tick(1_000), &mut keys);
        }
        longest = longest.max(whole.micros());
        drop(app.perform(Command::Accept));
    }
    (keys, longest)
}

fn timed(app: &mut App, msg: Msg, into: &mut Vec<u64>) {
    let watch = Stopwatch::start();
    drop(app.update(msg));
    into.push(watch.micros());
}

fn millis(micros: u64) -> f64 {
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1_000.0
}

/// Bytes of memory that this process has now; 0 where the system does not say.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok())
        .map_or(0, |kilobytes| kilobytes * 1_024)
}
