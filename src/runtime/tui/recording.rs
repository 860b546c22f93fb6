//! Where the facts go besides the screen: into a file, and to a collector.

use std::path::Path;

use super::Tui;
use crate::{
    app::msg::{Msg, RecordingState},
    runtime::{
        collector::{Exporter, Patience},
        record::Recorder,
    },
    support::{error::Failure, text::number_of},
};

impl Tui {
    /// Begins to send spans, if that was asked for: of the recording, or of the run as it goes on.
    pub(super) fn start_exporting(&mut self) {
        let Some(to) = self.options.otlp.clone() else {
            return;
        };
        let patience = Patience::default();
        let started = match self.replayed.clone() {
            Some(place) => Exporter::replaying(to, place, patience),
            None => Exporter::start(to, self.header.clone(), patience),
        };
        match started {
            Ok(exporter) => self.exporter = Some(exporter),
            Err(failure) => self.update(Msg::NotExported(failure)),
        }
    }

    /// Begins to record, into this file or into one of its own. What happened before is recorded
    /// too: a trace tells its story from the beginning.
    pub(super) fn start_recording(&mut self, path: Option<&Path>) {
        let created = path.map_or_else(
            || {
                let now = self.options.clock.now().format("%Y%m%d-%H%M%S");
                Recorder::beside(
                    &format!("hoptrail-{now}"),
                    &self.options.state,
                    &self.header,
                )
            },
            |path| Recorder::create(path, &self.header),
        );
        self.recording(created);
    }

    /// Goes on recording after a reset: of a recording that was asked for by name the next one.
    pub(super) fn record_anew(&mut self) {
        match self.options.record.as_deref() {
            Some(path) => {
                let created = Recorder::after(path, &self.header);
                self.recording(created);
            }
            None => self.start_recording(None),
        }
    }

    fn recording(&mut self, created: Result<Recorder, Failure>) {
        let started = created.and_then(|mut recorder| {
            let log = self.app.projection().log();
            recorder.record_lines(log.lines())?;
            for event in self.app.behind_the_picture() {
                recorder.record(event)?;
            }
            Ok(recorder)
        });
        match started {
            Ok(recorder) => {
                let file = recorder.path().display().to_string();
                self.recorder = Some(recorder);
                self.update(Msg::Recording(RecordingState::On { file }));
            }
            Err(failure) => self.not_recorded(failure),
        }
    }

    /// Records no further; that is told now and, for who has the file in hand then, at the end.
    pub(super) fn not_recorded(&mut self, failure: Failure) {
        self.recorder = None;
        let Failure { what, why, .. } = &failure;
        self.lines.push(format!("{what}: {why}"));
        self.exit = failure.exit;
        self.update(Msg::Recording(RecordingState::Failed(failure)));
    }

    pub(super) fn stop_recording(&mut self) {
        if let Some(recorder) = self.recorder.take() {
            let file = recorder.path().display().to_string();
            let events = recorder.events();
            self.lines
                .push(format!("Recorded {} to {file}", number_of(events, "event")));
            self.update(Msg::Recording(RecordingState::Saved { file, events }));
        }
    }
}
