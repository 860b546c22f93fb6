//! One message at a time.

mod input;
mod lists;
mod tasks;

use super::{
    App,
    effect::{Effect, Effects},
    msg::{InputEvent, Msg, RecordingState, Signal},
    overlay::Overlay,
    toast::{STAY_US, Toast, Tone, Topic},
};
use crate::{
    protocol::hold::GATE_NAME,
    support::text::{number_of, one_line},
    trace::event::{BrowserLeg, Fact, TraceEvent},
};

impl App {
    /// Takes a message; says what is to be done.
    #[must_use]
    pub fn update(&mut self, msg: Msg) -> Effects {
        let mut effects = self.take(msg);
        self.note_looks();
        self.look_at_checks(&mut effects);
        effects
    }

    fn take(&mut self, msg: Msg) -> Effects {
        match msg {
            Msg::Input(event) if self.is_unseen() => self.unseen(&event),
            Msg::Input(InputEvent::Key(key)) => self.key(key),
            Msg::Input(InputEvent::Paste(text)) => {
                self.paste(&text);
                Effects::new()
            }
            Msg::Input(InputEvent::Mouse { action, target }) => self.mouse(action, target),
            Msg::Trace(event) => {
                self.fact(event);
                self.pass_preparations()
            }
            Msg::Task(id, outcome) => self.ended(id, outcome),
            Msg::Tick(millis) => {
                self.at(millis.saturating_mul(1_000));
                self.play_on();
                self.look_on();
                Effects::new()
            }
            Msg::Resized(columns, rows) => {
                self.size = (columns, rows);
                Effects::new()
            }
            Msg::Signal(Signal::Terminate) => vec![Effect::Quit],
            Msg::Signal(Signal::Stop) => vec![Effect::Suspend],
            Msg::Signal(Signal::Continued) => vec![Effect::Redraw],
            Msg::Signal(Signal::NotStopped) => {
                self.say(
                    Tone::Warning,
                    "suspend: no shell is there that could continue hoptrail",
                );
                Effects::new()
            }
            Msg::Recording(state) => {
                self.recorded(state);
                Effects::new()
            }
            Msg::BrowserUrl(url) => {
                if let Some(Overlay::Waiting { url: shown, .. }) = self
                    .overlays
                    .iter_mut()
                    .find(|o| matches!(o, Overlay::Waiting { .. }))
                {
                    shown.clone_from(&url);
                }
                self.browser_url = Some(url);
                Effects::new()
            }
            Msg::Probed(chapter, results) => {
                if let Some(learn) = &mut self.learn {
                    learn.take_results(&chapter, *results);
                }
                Effects::new()
            }
            Msg::ZoneAnswered(answers) => {
                self.zone_answered(answers);
                Effects::new()
            }
            Msg::ConsoleWork(work) => {
                self.take_work(work);
                Effects::new()
            }
            Msg::StepTaken {
                chapter,
                place,
                told,
                again,
            } => {
                if let Some(learn) = &mut self.learn {
                    learn.step_taken(chapter, place, told, &again);
                }
                Effects::new()
            }
            Msg::Edited(edited) => {
                self.edited(edited);
                Effects::new()
            }
            Msg::ZoneChanged { made, gone, anew } => {
                if let Some(learn) = &mut self.learn {
                    learn.zone_changed(made, gone, anew);
                }
                Effects::new()
            }
            Msg::LookedAround(seen) => {
                self.looked_around(seen);
                Effects::new()
            }
            Msg::Book(book) => {
                if let Some(learn) = &mut self.learn {
                    let mended = learn.unreadable.take();
                    learn.take_book(*book);
                    self.overlays.retain(|overlay| match overlay {
                        Overlay::Failure { failure, .. } => Some(failure) != mended.as_ref(),
                        _ => true,
                    });
                    self.say(Tone::Plain, "the chapters were read again");
                }
                Effects::new()
            }
            Msg::Awaited => {
                self.awaited();
                Effects::new()
            }
            Msg::Opening(percent) => {
                self.opening(percent);
                Effects::new()
            }
            Msg::Opened(tape) => {
                self.opened(*tape);
                Effects::new()
            }
            Msg::Grew(events) => {
                self.grew(events);
                Effects::new()
            }
            Msg::Ended { warning } => {
                self.grows_no_more(warning);
                Effects::new()
            }
            Msg::Copied(characters) => {
                let characters = number_of(characters, "character");
                self.say(
                    Tone::Plain,
                    format!("copied {characters}, if the terminal lets it"),
                );
                Effects::new()
            }
            Msg::NotExported(failure) => {
                self.say(Tone::Warning, format!("{}: {}", failure.what, failure.why));
                Effects::new()
            }
            Msg::NotesNotKept(failure) => {
                self.not_kept(failure);
                Effects::new()
            }
            Msg::Notes(notes) => {
                self.noted(notes);
                Effects::new()
            }
            Msg::Against(against) => {
                self.set_against(*against);
                Effects::new()
            }
            Msg::Begun(started) => self.begun(started),
            Msg::Pictured(Ok(file)) => {
                self.say(Tone::Good, format!("the screen is in {file}"));
                Effects::new()
            }
            Msg::BookUnreadable(failure) => {
                if let Some(learn) = &mut self.learn {
                    learn.unreadable = Some(failure.clone());
                }
                self.fail(failure);
                Effects::new()
            }
            Msg::Pictured(Err(failure)) | Msg::Unreadable(failure) => {
                self.fail(failure);
                Effects::new()
            }
        }
    }

    fn at(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        if self
            .toast
            .as_ref()
            .is_some_and(|toast| toast.until_us <= self.now_us)
        {
            self.toast = None;
            if let Some((tone, topic, text)) = self.later.take() {
                self.say_of(topic, tone, &text);
            }
        }
    }

    /// Says it when what is being said has been read.
    pub(super) fn say_next(&mut self, topic: Topic, tone: Tone, text: String) {
        if self.toast.is_some() {
            self.later = Some((tone, topic, text));
        } else {
            self.say_of(topic, tone, &text);
        }
    }

    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.say_of(Topic::Anything, tone, &text.into());
    }

    fn say_of(&mut self, topic: Topic, tone: Tone, text: &str) {
        self.toast = Some(Toast {
            tone,
            topic,
            text: one_line(text),
            // Ticks count milliseconds: an end between two of them would be woken for in vain.
            until_us: (self.now_us / 1_000)
                .saturating_mul(1_000)
                .saturating_add(STAY_US),
        });
    }

    pub(super) fn fact(&mut self, event: TraceEvent) {
        self.at(event.at_us);
        if let Some(away) = &mut self.away {
            return away.keep(event);
        }
        self.watch(&event.fact);
        match &mut self.held {
            Some(held) => held.push(event),
            None => self.fold(&event),
        }
    }

    /// Folds a fact and brings the lists up to date.
    pub(super) fn fold(&mut self, event: &TraceEvent) {
        self.projection.apply(event);
        if matches!(event.fact, Fact::IssueSeen(_)) {
            // Another text: one begins to read at its top.
            self.panes.issue_scroll = 0;
        }
        self.see_more();
    }

    /// Opens and closes windows that follow from a fact, held picture or not.
    fn watch(&mut self, fact: &Fact) {
        self.note_tools(fact);
        match fact {
            Fact::BrowserOpened {
                url,
                how: how @ (BrowserLeg::Opened | BrowserLeg::Shown),
            } => {
                let url = self.browser_url.clone().unwrap_or_else(|| one_line(url));
                self.stop_waiting();
                self.overlays.push(Overlay::Waiting { url, how: *how });
            }
            Fact::CallbackReceived { .. } | Fact::TokenIssued { .. } | Fact::SignInCancelled => {
                self.stop_waiting();
            }
            // The renewal may have been the standing stream's, of which nobody hears otherwise.
            Fact::SignInEnded { failure } => self.say(
                Tone::Warning,
                format!("the sign-in has ended: {}", failure.why),
            ),
            Fact::SignInRefused { failure } => {
                self.stop_waiting();
                self.fail(failure.clone());
            }
            Fact::FailureOccurred(failure) => self.fail(failure.clone()),
            Fact::FeedLost { feed, why } => {
                if feed == GATE_NAME {
                    self.holds_no_more();
                }
                self.say(
                    Tone::Warning,
                    format!("{feed} stopped: {why}; what it would tell is not observed"),
                );
            }
            _ => {}
        }
    }

    fn stop_waiting(&mut self) {
        self.overlays
            .retain(|overlay| !matches!(overlay, Overlay::Waiting { .. }));
    }

    fn recorded(&mut self, state: RecordingState) {
        // What was still to be said of it is no longer so.
        let _ = self
            .later
            .take_if(|(_, topic, _)| *topic == Topic::Recording);
        match &state {
            RecordingState::Off => {}
            RecordingState::On { file } => {
                self.mark_anew();
                let text = format!("recording to {file}");
                if self.projection.log().is_empty() {
                    // That a run begins anew is told first.
                    self.say_next(Topic::Recording, Tone::Plain, text);
                } else {
                    self.say(Tone::Plain, text);
                }
            }
            RecordingState::Saved { file, events } => {
                let text = format!("{} saved in {file}", number_of(*events, "event"));
                self.say(Tone::Good, text);
            }
            RecordingState::Failed(failure) => {
                if self.is_recording() {
                    self.say(Tone::Warning, "nothing more is recorded");
                }
                self.fail(failure.clone());
            }
        }
        self.recording = state;
    }
}
