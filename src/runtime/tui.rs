//! The loop with a terminal: messages in, frames out.
//!
//! Input is looked at first and painted at once; facts are folded as they come and painted at most
//! sixty times a second; with nothing to do the process sleeps.

mod editor;
mod effects;
mod recording;

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use crossterm::event::EventStream;
use futures::StreamExt as _;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

#[cfg(debug_assertions)]
use super::PanicIn;
use super::{
    Options, TuiOptions, backend, chapters,
    collector::{self, Exporter},
    input,
    jobs::Runner,
    notes::NotesFile,
    record::Recorder,
    replay::{self, Place, Viewing},
    signals::Signals,
    stage,
    standing::ServerWatch,
    stream::{self, Stream},
    terminal::{self, Screen, TerminalGuard},
};
use crate::{
    app::{
        App, AppConfig, Settled,
        learn::Ground,
        msg::{Msg, Signal},
        notes::Notes,
    },
    support::error::{Exit, Failure},
    trace::{TraceEvent, codec::Header, sink::SharedSink},
    ui::{self, HitMap, look::Look},
};

/// The shortest time between two frames that only facts asked for.
const FRAME: Duration = Duration::from_millis(16);
/// Facts that are folded before the loop looks at the keyboard again.
const BATCH: usize = 512;

/// What is told on the terminal after it was given back.
#[derive(Debug)]
pub struct Summary {
    pub lines: Vec<String>,
    /// [`Exit::Ok`], unless a recording is not whole.
    pub exit: Exit,
}

/// Runs until the person quits or the system asks; with another run to compare it with.
///
/// # Errors
/// If the terminal cannot be used. What fails later is shown in the terminal.
pub async fn run(
    options: Options,
    tui: TuiOptions,
    against: Option<Place>,
) -> Result<Summary, Failure> {
    let (signals, guard, screen) = take_terminal()?;
    let mut tui = Tui::new(options, tui, guard, screen);
    if tui.app.stage().is_some() {
        tui.update(Msg::Begun(tui.header.started));
    }
    tui.comparing = against.map(|other| {
        let durations = other.durations(None);
        Viewing::against(other, "this run".to_owned(), durations)
    });
    tui.paint();
    let summary = tui.main_loop(signals).await;
    drop(tui);
    Ok(summary)
}

/// Shows a recorded trace until the person quits: no backend, no network. Without a trace the person
/// chooses one of those that come along.
///
/// # Errors
/// If the terminal cannot be used. A file that cannot be read is told in the terminal.
pub async fn watch(
    options: Options,
    tui: TuiOptions,
    trace: Option<replay::Trace>,
    against: Option<Place>,
) -> Result<Summary, Failure> {
    let (signals, guard, screen) = take_terminal()?;
    let this = trace.as_ref().map(|trace| trace.place.clone());
    let mut tui = Tui::viewing(options, tui, guard, screen, trace);
    tui.comparing = against.map(|other| {
        let durations = other.durations(this.as_ref());
        let name = this.as_ref().map_or_else(String::new, Place::name);
        Viewing::against(other, name, durations)
    });
    tui.paint();
    let summary = tui.main_loop(signals).await;
    drop(tui);
    Ok(summary)
}

fn take_terminal() -> Result<(Signals, TerminalGuard, Screen), Failure> {
    // Before the terminal is taken: who ends the program at once must find it as it was.
    let signals = Signals::listen_on_the_screen();
    let (guard, screen) = TerminalGuard::enter().map_err(|e| no_terminal(&e))?;
    Ok((signals, guard, screen))
}

fn no_terminal(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        "The terminal cannot be used",
        error.to_string(),
        "run hoptrail in a terminal, or use `hoptrail demo --plain`",
    )
}

struct Tui {
    app: App,
    look: Look,
    hits: HitMap,
    guard: TerminalGuard,
    screen: Screen,
    stream: Stream,
    runner: Runner,
    /// What was asked for a chapter's checks.
    answers: mpsc::UnboundedReceiver<Msg>,
    backend: backend::Opening,
    /// What is read of a recorded trace; a live run has none, unless it stands in.
    viewing: Option<Viewing>,
    live: Live,
    stand_in: Place,
    /// Labs whose place another one took, until they have stopped, and what sent their spans; with
    /// what a collector did not take.
    outgoing: JoinSet<Option<Failure>>,
    /// Another run that is read, to be laid beside this one.
    comparing: Option<Viewing>,
    notes: Option<NotesFile>,
    /// Where the trace is that is shown.
    replayed: Option<Place>,
    recorder: Option<Recorder>,
    exporter: Option<Exporter>,
    /// The folder with the chapters.
    watch: chapters::Watch,
    /// The folder of the attendee's own server.
    project: Option<PathBuf>,
    standing: ServerWatch,
    /// Where what the person does is told to the trace.
    sink: SharedSink,
    header: Header,
    options: Options,
    #[cfg(debug_assertions)]
    panic: Option<PanicIn>,
    dirty: bool,
    painted: Instant,
    quit: bool,
    /// A text that the person wants to have in their own editor.
    to_edit: Option<String>,
    /// See [`Summary`].
    lines: Vec<String>,
    exit: Exit,
}

/// Whether anything happens now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Live {
    Yes,
    /// A recorded trace is all there is.
    No,
}

impl Tui {
    fn new(options: Options, tui: TuiOptions, guard: TerminalGuard, screen: Screen) -> Self {
        let (sink, stream) = stream::open(&*options.clock);
        let backend = backend::open(options.clone(), Arc::clone(&sink));
        let mut new = Self::with(options, tui, guard, screen, (sink, stream, backend));
        new.watch_the_server();
        new
    }

    /// Follows the attendee's own server, if that is what the chapters are about.
    fn watch_the_server(&mut self) {
        let learn = self.app.learn();
        if learn.is_some_and(|learn| learn.ground() == Ground::Own) {
            self.standing = ServerWatch::of(
                self.backend.watch(),
                self.options.clone(),
                self.project.clone(),
            );
        }
    }

    fn viewing(
        options: Options,
        mut tui: TuiOptions,
        guard: TerminalGuard,
        screen: Screen,
        trace: Option<replay::Trace>,
    ) -> Self {
        tui.app.replay = Some(trace.as_ref().map_or_else(String::new, replay::Trace::name));
        let (sink, stream) = stream::open(&*options.clock);
        let parts = (sink, stream, backend::none());
        let mut tui = Self::with(options, tui, guard, screen, parts);
        tui.live = Live::No;
        if let Some(trace) = trace {
            tui.open_trace(trace);
        }
        tui
    }

    /// Reads a trace and the notes on it.
    fn open_trace(&mut self, trace: replay::Trace) {
        let mut notes = NotesFile::of(&trace.place, &self.options.state);
        let read = match &mut notes {
            Some(notes) => notes.read().unwrap_or_else(|failure| {
                let why = failure.what.clone();
                self.app.fail(failure);
                Notes::Unusable(why)
            }),
            None => Notes::Unusable("a trace that came through a pipe has none".to_owned()),
        };
        self.notes = notes;
        self.replayed = Some(trace.place.clone());
        self.viewing = Some(Viewing::begin(trace));
        self.update(Msg::Notes(read));
    }

    fn with(
        options: Options,
        tui: TuiOptions,
        guard: TerminalGuard,
        screen: Screen,
        (sink, stream, backend): (SharedSink, Stream, backend::Opening),
    ) -> Self {
        let header = stream.header();
        let mut app = App::new(AppConfig {
            started: Some(header.started),
            ..tui.app
        });
        if let Some(fault) = tui.fault {
            app.fail(fault);
        }
        let (sender, answers) = mpsc::unbounded_channel();
        let runner = Runner::new(backend.watch(), sender).with_project(tui.project.clone());
        #[cfg(debug_assertions)]
        let runner = runner.panicking(tui.panic == Some(PanicIn::Task));
        Self {
            app,
            look: tui.look,
            hits: HitMap::default(),
            guard,
            screen,
            stream,
            runner,
            answers,
            backend,
            live: Live::Yes,
            viewing: None,
            stand_in: tui.stand_in,
            outgoing: JoinSet::new(),
            comparing: None,
            notes: None,
            replayed: None,
            recorder: None,
            exporter: None,
            project: tui.project,
            standing: ServerWatch::nothing(),
            sink,
            watch: tui
                .chapters
                .map_or_else(chapters::Watch::nothing, chapters::Watch::folder),
            header,
            options,
            #[cfg(debug_assertions)]
            panic: tui.panic,
            dirty: true,
            painted: Instant::now(),
            quit: false,
            to_edit: None,
            lines: Vec::new(),
            exit: Exit::Ok,
        }
    }

    async fn main_loop(&mut self, mut signals: Signals) -> Summary {
        let mut keys = EventStream::new();
        if let Some(path) = self.options.record.clone() {
            self.start_recording(Some(&path));
        }
        self.start_exporting();
        while !self.quit {
            let wake = self.wake();
            // Biased: a key must never wait behind a flood of facts.
            tokio::select! {
                biased;
                event = keys.next() => match event {
                    Some(Ok(event)) => {
                        if let Some(msg) = input::translate(event, |x, y| self.hits.at(x, y)) {
                            self.tick();
                            self.update(msg);
                            self.paint();
                        }
                    }
                    Some(Err(_)) | None => self.quit = true,
                },
                signal = signals.next() => {
                    if signal == Signal::Continued {
                        // A shell has set its own modes meanwhile, behind crossterm's back.
                        self.guard.suspend();
                        self.take_back();
                        self.repaint();
                    }
                    self.update(Msg::Signal(signal));
                }
                (task, outcome) = self.runner.ended() => {
                    // A task's last facts and answers come before its end. What comes in meanwhile
                    // waits behind the keys.
                    self.drain(self.stream.waiting());
                    while let Ok(msg) = self.answers.try_recv() {
                        self.update(msg);
                    }
                    self.tick();
                    self.update(Msg::Task(task, outcome));
                }
                url = self.backend.browser_url() => self.update(Msg::BrowserUrl(url)),
                msg = replay::next(&mut self.viewing) => {
                    self.tick();
                    self.update(msg);
                }
                Some(msg) = self.answers.recv() => self.update(msg),
                msg = self.watch.changed() => {
                    self.tick();
                    self.update(msg);
                }
                msg = self.standing.news() => {
                    self.tick();
                    self.update(msg);
                }
                msg = replay::next(&mut self.comparing) => self.update(msg),
                failure = collector::notice(&mut self.exporter) => {
                    self.tick();
                    self.update(Msg::NotExported(failure));
                }
                event = self.stream.next(), if self.live == Live::Yes => if let Some(event) = event {
                    self.fact(event);
                    self.drain(BATCH);
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.tick(),
            }
            if let Some(text) = self.to_edit.take() {
                // Who reads the keys here would take the first ones from the editor.
                drop(keys);
                self.edit(&text, &mut signals).await;
                keys = EventStream::new();
            }
            if self.dirty && self.painted.elapsed() >= FRAME {
                self.paint();
            }
        }
        self.finish().await
    }

    /// Gives the terminal to the person's editor until it ends. The lab goes on meanwhile; what it
    /// tells is looked at afterwards.
    async fn edit(&mut self, text: &str, signals: &mut Signals) {
        let edited = match editor::chosen() {
            Ok(program) => match editor::Draft::write(&self.options.state, text) {
                Ok(draft) => {
                    self.guard.suspend();
                    let ended = match draft.open_in(&program) {
                        Ok(mut editor) => tokio::select! {
                            ended = &mut editor.end => ended.unwrap_or_else(|gone| Err(io::Error::other(gone))),
                            () = signals.end() => {
                                self.quit = true;
                                return editor.close().await;
                            }
                        },
                        Err(error) => Err(error),
                    };
                    // The keyboard's Ctrl-C was the editor's.
                    signals.forget_interrupts().await;
                    self.take_back();
                    self.repaint();
                    editor::outcome(&draft, ended)
                }
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        };
        self.tick();
        self.update(Msg::Edited(edited));
    }

    /// Takes the terminal over again.
    fn take_back(&mut self) {
        if self.guard.resume().is_err() {
            self.quit = true;
        }
    }

    /// When to wake though nothing happens: for a frame that is owed, or for the app's own clock.
    fn wake(&self) -> Option<Instant> {
        let owed = self.dirty.then(|| self.painted + FRAME);
        let app = self.app.next_wake().map(|at_us| {
            let now = self.stream.now_us();
            Instant::now() + Duration::from_micros(at_us.saturating_sub(now))
        });
        match (owed, app) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        }
    }

    fn tick(&mut self) {
        let now = self.stream.now_us();
        self.update(Msg::Tick(now / 1_000));
    }

    fn drain(&mut self, most: usize) {
        for _ in 0..most {
            let Some(event) = self.stream.try_next() else {
                return;
            };
            self.fact(event);
        }
    }

    fn fact(&mut self, event: TraceEvent) {
        if let Some(recorder) = &mut self.recorder
            && let Err(failure) = recorder.record(&event)
        {
            self.not_recorded(failure);
        }
        if let Some(exporter) = &self.exporter {
            exporter.tell(&event);
        }
        self.update(Msg::Trace(event));
    }

    fn update(&mut self, msg: Msg) {
        self.dirty = true;
        for effect in self.app.update(msg) {
            self.perform(effect);
        }
    }

    fn paint(&mut self) {
        #[cfg(debug_assertions)]
        assert!(
            self.panic != Some(PanicIn::Drawing),
            "provoked by HOPTRAIL_PANIC"
        );
        self.app.prepare();
        let mut hits = HitMap::default();
        let drawn = terminal::draw(&mut self.screen, |frame| {
            hits = ui::draw(&self.app, &self.look, frame);
        });
        if drawn.is_err() {
            // The terminal is gone (its window was closed); so is the person.
            self.quit = true;
        }
        self.dirty = self.app.settle(&hits.extents) == Settled::Otherwise;
        self.hits = hits;
        self.painted = Instant::now();
    }

    async fn finish(&mut self) -> Summary {
        stage::wind_up(&mut self.runner, &mut self.backend).await;
        self.drain(usize::MAX);
        self.stop_recording();
        if let Some(exporter) = self.exporter.take() {
            self.outgoing.spawn(exporter.finish());
        }
        while let Some(ended) = self.outgoing.join_next().await {
            if let Ok(Some(Failure { what, why, .. })) = ended {
                self.lines.push(format!("{what}: {why}"));
            }
        }
        Summary {
            lines: std::mem::take(&mut self.lines),
            exit: self.exit,
        }
    }
}
