//! From a key to its frame while facts pour in, and what a frame costs by itself.
//!
//! The loop here is `runtime::tui`'s own, with a channel for the keyboard and a writer that throws
//! the bytes away for the terminal.

use std::{io, thread, time::Duration};

use hoptrail::{
    app::{
        App, AppConfig,
        msg::{InputEvent, Msg},
    },
    config::{
        LookConfig,
        keys::{Key, KeyCode, Modifier},
    },
    runtime::stream,
    support::clock::{Stopwatch, SystemClock},
    trace::sink::Report,
    ui::{
        self,
        look::{Charset, Look},
    },
};
use ratatui::{Terminal, TerminalOptions, Viewport, backend::CrosstermBackend, layout::Rect};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{Measured, flood, sample::Sample, table::Row};

const SIZE: (u16, u16) = (200, 60);
const EVENTS: usize = 50_000;
const PER_MILLISECOND: usize = 5;
const FRAME: Duration = Duration::from_millis(16);
const BATCH: usize = 512;
/// Keys that change the whole picture and keys that move in it.
const KEYS: [char; 12] = ['1', 'j', 'j', '2', 'k', '7', 'j', '4', 'v', 'v', 'z', 'z'];

struct Screen {
    app: App,
    look: Look,
    terminal: Terminal<CrosstermBackend<io::Sink>>,
}

impl Screen {
    fn new() -> Self {
        let area = Rect::new(0, 0, SIZE.0, SIZE.1);
        let options = TerminalOptions {
            viewport: Viewport::Fixed(area),
        };
        Self {
            app: App::new(AppConfig {
                size: SIZE,
                ..AppConfig::default()
            }),
            look: Look::new(&LookConfig::default(), Charset::Unicode),
            terminal: Terminal::with_options(CrosstermBackend::new(io::sink()), options)
                .expect("nothing is asked of a sink"),
        }
    }

    /// Nobody performs the effects: the keys here only look around.
    fn update(&mut self, msg: Msg) {
        drop(self.app.update(msg));
    }

    fn key(&mut self, key: char) {
        self.update(Msg::Input(InputEvent::Key(Key {
            code: KeyCode::Char(key),
            modifier: Modifier::None,
        })));
    }

    fn paint(&mut self) {
        let (app, look) = (&self.app, &self.look);
        let mut extents = Vec::new();
        self.terminal
            .draw(|frame| extents = ui::draw(app, look, frame).extents)
            .expect("a sink takes everything");
        self.app.settle(&extents);
    }
}

pub fn measure() -> Measured {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let (waited, screen) = runtime.block_on(flooded());
    let after_flood = frames(screen, 2_000);
    let mut screen = Screen::new();
    for event in flood::story() {
        screen.update(Msg::Trace(event));
    }
    let after_story = frames(screen, 5_000);
    Ok(vec![
        Row::at_most(
            "key to frame at 5,000 events/s, 200×60, p99",
            16.0,
            waited.millis(99),
            "ms",
        ),
        Row::told("  p50", waited.millis(50), "ms"),
        Row::at_most(
            "one frame at 200×60 after the story, p99",
            2.0,
            after_story.millis(99),
            "ms",
        ),
        Row::at_most(
            "  after 50,000 events, p99",
            2.0,
            after_flood.millis(99),
            "ms",
        ),
    ])
}

/// A key and its frame, over and over: each frame differs from the one before.
fn frames(mut screen: Screen, count: usize) -> Sample {
    let mut sample = Sample::default();
    for key in KEYS.iter().cycle().take(count) {
        screen.key(*key);
        let watch = Stopwatch::start();
        screen.paint();
        sample.add(watch.micros());
    }
    sample
}

async fn flooded() -> (Sample, Screen) {
    let (sink, mut stream) = stream::open(&SystemClock);
    let events = flood::events(EVENTS);
    let (press, mut keys) = mpsc::unbounded_channel::<(Stopwatch, char)>();
    let pouring = thread::spawn(move || {
        let began = Stopwatch::start();
        for (index, event) in events.into_iter().enumerate() {
            let due = index / PER_MILLISECOND;
            while began.micros() < due as u64 * 1_000 {
                thread::sleep(Duration::from_micros(200));
            }
            let mut report = Report::new(event.actor, event.fact).in_call(event.call);
            report.span = event.span;
            sink.report(report);
        }
    });
    thread::spawn(move || {
        // 29 ms share no factor with 16 ms: keys fall on every moment of a frame.
        for key in KEYS.iter().cycle() {
            thread::sleep(Duration::from_millis(29));
            if press.send((Stopwatch::start(), *key)).is_err() {
                return;
            }
        }
    });
    let mut screen = Screen::new();
    let mut sample = Sample::default();
    let (mut dirty, mut painted) = (true, Instant::now());
    loop {
        let owed = painted + FRAME;
        tokio::select! {
            biased;
            Some((pressed, key)) = keys.recv() => {
                screen.update(Msg::Tick(stream.now_us() / 1_000));
                screen.key(key);
                screen.paint();
                sample.add(pressed.micros());
                (dirty, painted) = (false, Instant::now());
            }
            event = stream.next() => match event {
                Some(event) => {
                    screen.update(Msg::Trace(event));
                    for _ in 0..BATCH {
                        let Some(event) = stream.try_next() else { break };
                        screen.update(Msg::Trace(event));
                    }
                    dirty = true;
                }
                None => break,
            },
            () = sleep_until(owed), if dirty => {}
        }
        if dirty && painted.elapsed() >= FRAME {
            screen.paint();
            (dirty, painted) = (false, Instant::now());
        }
    }
    pouring.join().expect("the flood ends by itself");
    (sample, screen)
}
