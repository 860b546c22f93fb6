//! What the app asks for, done.

use std::sync::Arc;

use ratatui::{buffer::Buffer, layout::Rect};
use tokio::sync::mpsc;

use super::{Live, Tui};
#[cfg(debug_assertions)]
use crate::runtime::PanicIn;
use crate::{
    app::{
        command::Command,
        effect::{Capture, Effect},
        msg::{Msg, Signal},
        player::Growth,
    },
    export::svg,
    runtime::{
        backend, chapters, clipboard,
        jobs::Runner,
        replay::{self, Place},
        signals, stage, stream,
    },
    support::{
        error::{Exit, Failure},
        text::one_line,
    },
    trace::{Actor, Fact, sink::Report},
    ui,
};

impl Tui {
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Run(task, job) => {
                self.open_again();
                self.runner.start(task, job);
            }
            Effect::CancelTask(task) => self.runner.cancel(task),
            Effect::Copy(text) => match clipboard::copy(&text) {
                Ok(()) => self.update(Msg::Copied(text.chars().count())),
                Err(error) => {
                    let key = self.app.keymap().shown(Command::ToggleMouse);
                    self.app.fail(Failure::new(
                        Exit::Failed,
                        "Nothing was copied",
                        error.to_string(),
                        format!(
                            "select the text with the mouse; {key} gives the mouse to the terminal"
                        ),
                    ));
                }
            },
            Effect::StartRecording => self.start_recording(None),
            Effect::StopRecording => self.stop_recording(),
            Effect::Suspend => self.suspend(),
            Effect::Redraw => self.repaint(),
            Effect::Edit(text) => self.to_edit = Some(text),
            Effect::SetMouseCapture(capture) => {
                // A terminal without a mouse ignores it; there is nothing to tell.
                let _ = self.guard.set_mouse(capture == Capture::On);
            }
            Effect::Picture => {
                let told = self.picture();
                self.update(Msg::Pictured(told));
            }
            Effect::TakeOver => self.viewing = Some(stage::begin(&self.stand_in)),
            Effect::ComeBack => self.viewing = None,
            Effect::Reset => self.reset(),
            Effect::KeepProgress(progress) => {
                if let Err(failure) = chapters::keep(&self.options.state, &progress) {
                    self.app.fail(failure);
                }
            }
            Effect::Mark { chapter, text } => {
                self.sink
                    .report(Report::new(Actor::You, Fact::MarkSet { chapter, text }));
            }
            Effect::MarkCue { number, title } => {
                self.sink
                    .report(Report::new(Actor::You, Fact::CueBegan { number, title }));
            }
            Effect::MarkSkip { number, title } => {
                self.sink
                    .report(Report::new(Actor::You, Fact::CueSkipped { number, title }));
            }
            Effect::SaveNotes(notes) => {
                if let Some(Err(failure)) = self.notes.as_mut().map(|file| file.save(&notes)) {
                    self.update(Msg::NotesNotKept(failure));
                }
            }
            Effect::OpenShipped(shipped) => self.open_trace(replay::Trace {
                place: Place::Shipped(shipped),
                growth: Growth::Finished,
            }),
            Effect::Quit => self.quit = true,
        }
    }

    /// What could not be opened is opened again for whoever asks something of it: the program that held
    /// the state may have ended, the server may have started.
    fn open_again(&mut self) {
        if self.live == Live::Yes && self.backend.has_failed() {
            self.backend = backend::open(self.options.clone(), Arc::clone(&self.sink));
            self.runner.turn_to(self.backend.watch());
            self.watch_the_server();
        }
    }

    /// A new lab takes the place of the one that runs. The old one ends beside it: its jobs first, so
    /// that what runs is called off and not cut.
    fn reset(&mut self) {
        // A trace has one beginning: what comes now is another run, in a recording of its own.
        let was_recorded = self.recorder.is_some();
        self.drain(self.stream.waiting());
        self.stop_recording();
        if let Some(exporter) = self.exporter.take() {
            self.outgoing.spawn(exporter.finish());
        }
        self.viewing = None;
        let (sink, stream) = stream::open(&*self.options.clock);
        let backend = backend::open(self.options.clone(), Arc::clone(&sink));
        self.sink = sink;
        let (sender, answers) = mpsc::unbounded_channel();
        let runner = Runner::new(backend.watch(), sender).with_project(self.project.clone());
        #[cfg(debug_assertions)]
        let runner = runner.panicking(self.panic == Some(PanicIn::Task));
        self.stream = stream;
        self.answers = answers;
        let mut backend = std::mem::replace(&mut self.backend, backend);
        let mut runner = std::mem::replace(&mut self.runner, runner);
        self.outgoing.spawn(async move {
            stage::wind_up(&mut runner, &mut backend).await;
            None
        });
        self.header = self.stream.header();
        self.start_exporting();
        self.update(Msg::Begun(self.header.started));
        if was_recorded {
            self.record_anew();
        }
    }

    /// The screen as it is.
    fn picture(&self) -> Result<String, Failure> {
        let (width, height) = crossterm::terminal::size().unwrap_or((80, 24));
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        ui::draw_into(&self.app, &self.look, area, &mut buffer);
        let title = one_line(self.app.title());
        let now = self.options.clock.now().format("%Y%m%d-%H%M%S");
        stage::write_picture(
            &svg::picture(&buffer, &title),
            &format!("hoptrail-{now}"),
            &self.options.state,
        )
        .map(|path| one_line(&path.display().to_string()))
    }

    pub(super) fn repaint(&mut self) {
        // Not `clear`: it asks the terminal where its cursor is, and one that does not answer would
        // hold up the program for seconds and then end it.
        let size = crossterm::terminal::size();
        if let Ok((columns, rows)) = size {
            // Who had the terminal meanwhile may have taken the news of it.
            self.update(Msg::Resized(columns, rows));
        }
        let anew = size.and_then(|(w, h)| self.screen.resize(Rect::new(0, 0, w, h)));
        self.quit |= anew.is_err();
        self.dirty = true;
    }

    fn suspend(&mut self) {
        self.guard.suspend();
        let signal = if signals::stop_this_process() {
            Signal::Continued
        } else {
            Signal::NotStopped
        };
        self.take_back();
        self.update(Msg::Signal(signal));
        self.repaint();
    }
}
