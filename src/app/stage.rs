//! The instructor's run: cues one after the other by one key, each held against what it should come
//! to; exchanges that wait; a recording that takes over, and the way back to the start.
//!
//! Must not know how anything is done: a cue asks for the same jobs as the keys do.

mod cue;
mod holding;
mod judge;
mod need;
mod take_over;

use chrono::{DateTime, Utc};

use super::{
    App, Resettable,
    command::{Availability, Command},
    effect::{Effects, Job},
    msg::{RecordingState, TaskId},
    panes::{Panes, flow::FlowIndex},
    player::Source,
    story,
    toast::Tone,
};
use crate::{
    config::sheet::{Begin, Cue, Hold, Sheet},
    projection::Projection,
};

pub use self::judge::{AtHand, Judgement};
use self::need::Need;
pub(super) use self::take_over::Away;

/// A run sheet, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    sheet: Sheet,
    /// The cue that comes next, from 0; the number of cues at the end.
    next: usize,
    begun: Option<Begun>,
    notes: Notes,
}

/// Whether the speaker's notes are on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notes {
    Shown,
    Hidden,
}

/// The cue that was begun last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Begun {
    cue: usize,
    phase: Phase,
    preparations: u8,
    hold: Tried,
    /// How many calls there were before its own; `None` before its own job.
    calls: Option<usize>,
    /// How many events there were when it was over.
    over: usize,
    /// How often it was begun, one time after the other.
    tries: u16,
    /// Why the time before was not as it should be.
    before: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// This job has to end first.
    Running(TaskId),
    Over,
    CalledOff,
    /// Why.
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tried {
    Yes,
    NotYet,
}

/// What the one key does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    pub command: Command,
    pub text: String,
}

impl Stage {
    /// Before the first cue.
    #[must_use]
    pub const fn new(sheet: Sheet) -> Self {
        Self {
            sheet,
            next: 0,
            begun: None,
            notes: Notes::Hidden,
        }
    }

    /// The sheet.
    #[must_use]
    pub const fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// The cue that was begun last, with its number from 1.
    #[must_use]
    pub fn current(&self) -> Option<(usize, &Cue)> {
        let place = self.begun.as_ref()?.cue;
        self.sheet.cues.get(place).map(|cue| (place + 1, cue))
    }

    /// The cue that comes next, with its number from 1; `None` at the end.
    #[must_use]
    pub fn upcoming(&self) -> Option<(usize, &Cue)> {
        self.sheet
            .cues
            .get(self.next)
            .map(|cue| (self.next + 1, cue))
    }

    /// Whether the notes are on the screen.
    #[must_use]
    pub const fn notes(&self) -> Notes {
        self.notes
    }

    /// Whether a cue was begun.
    #[must_use]
    pub const fn is_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// How often the current cue was begun, one time after the other; 0 before the first cue.
    #[must_use]
    pub fn tries(&self) -> u16 {
        self.begun.as_ref().map_or(0, |begun| begun.tries)
    }

    /// Whether the one key tries the cue at hand again: it could not be done.
    #[must_use]
    pub fn is_tried_again(&self) -> bool {
        let failed = |begun: &Begun| {
            begun.cue == self.next && matches!(begun.phase, Phase::CalledOff | Phase::Failed(_))
        };
        self.begun.as_ref().is_some_and(failed)
    }

    fn running(&self) -> bool {
        let runs = |begun: &Begun| matches!(begun.phase, Phase::Running(_));
        self.begun.as_ref().is_some_and(runs)
    }
}

impl App {
    /// The run sheet and how far it is; `None` where there is none.
    #[must_use]
    pub const fn stage(&self) -> Option<&Stage> {
        self.stage.as_ref()
    }

    /// What to do next, and in what words: the sheet's next cue where there is one.
    #[must_use]
    pub fn next_step(&self) -> NextStep {
        let of = |command, text: &str| NextStep {
            command,
            text: text.to_owned(),
        };
        let go_on = match self.stage {
            Some(_) => Command::NextCue,
            None => Command::LetGo,
        };
        if self.is_taken_over() {
            let at_end = self
                .player()
                .is_some_and(|player| self.place() == player.timeline().len());
            return if at_end {
                of(Command::TakeOver, "back to what is live")
            } else {
                of(Command::NextCue, "go on in the recording")
            };
        }
        if let Source::Opening(opening) = &self.source
            && !opening.name.is_empty()
        {
            return of(Command::Help, "the keys, while the trace is read");
        }
        let live = matches!(self.source, Source::Live);
        if live && self.held_exchange().is_some() {
            return of(go_on, "let it go on");
        }
        match &self.stage {
            None => {
                let next = story::next(self);
                of(next.command, next.text)
            }
            Some(_) if live && (self.is_cue_running() || self.busy()) => {
                of(Command::CancelTask, "call it off")
            }
            Some(stage) => match stage.upcoming() {
                Some((_, cue)) if stage.is_tried_again() => {
                    of(Command::NextCue, &format!("try again: {}", cue.title))
                }
                Some((_, cue)) => of(Command::NextCue, &cue.title),
                None => of(Command::Reset, "back to the start"),
            },
        }
    }

    /// Whether a command of the stage can be carried out now; `None` for any other command.
    pub(super) fn on_stage(&self, command: Command) -> Option<Availability> {
        let no = |why: &str| Availability::Unavailable(why.to_owned());
        let live = matches!(self.source, Source::Live);
        let lab = self.projection.target().is_some_and(|target| target.lab);
        Some(match command {
            Command::NextCue
            | Command::PreviousCue
            | Command::SkipCue
            | Command::SpeakerNote
            | Command::TakeOver
                if self.stage.is_none() =>
            {
                no("only with a run sheet: hoptrail stage")
            }
            Command::Reset if self.stage.is_none() => {
                no("only on stage, where the lab is new each time: hoptrail stage")
            }
            Command::NextCue | Command::PreviousCue
                if self.is_taken_over() && matches!(self.source, Source::Opening(_)) =>
            {
                no("the recording is still being read")
            }
            Command::PreviousCue
                if !self.is_taken_over()
                    && self.stage.as_ref().is_some_and(|stage| stage.next == 0) =>
            {
                no("this is the first cue")
            }
            Command::SkipCue if self.is_taken_over() => {
                no("a recording has only what happened: go on in it")
            }
            Command::PreviousCue | Command::SkipCue
                if self.stage.as_ref().is_some_and(Stage::running) =>
            {
                no("the cue before is still under way")
            }
            Command::SkipCue
                if self
                    .stage
                    .as_ref()
                    .is_some_and(|stage| stage.upcoming().is_none()) =>
            {
                no("the sheet is at its end")
            }
            Command::Reset if self.reset == Resettable::No => {
                no("the lab belongs to another process: start that one again")
            }
            Command::Hold if !live => no("nothing happens in a recording that could be held"),
            Command::Hold if self.busy_with_hold() => no("it is being switched"),
            // What a real zone decides is not ours to delay.
            Command::Hold if !lab => no(match self.projection.target() {
                Some(_) => "only a lab's zone waits: start with --lab URL, not --server",
                None if self.is_unreached() => "no lab answers",
                None => "the lab is still starting",
            }),
            Command::LetGo if !live => no("what a recording tells of waits for nobody"),
            Command::LetGo if self.held_exchange().is_none() => no("nothing waits"),
            // A cue is judged, and an exchange let go, by what is seen.
            Command::Freeze if live && self.stage.is_some() => {
                no("on stage the picture goes along; H holds an exchange")
            }
            Command::Freeze if live && self.holding == Hold::On && self.held.is_none() => {
                no("an exchange that waits would not be seen")
            }
            Command::NextCue
            | Command::PreviousCue
            | Command::SkipCue
            | Command::SpeakerNote
            | Command::TakeOver
            | Command::Reset
            | Command::Hold
            | Command::LetGo => Availability::Ready,
            _ => return None,
        })
    }

    /// A run begins, for the first time or anew: everything that was seen is gone.
    pub(super) fn begun(&mut self, started: DateTime<Utc>) -> Effects {
        let again = !self.projection.log().is_empty();
        if let Some(away) = self.away.take() {
            self.title = away.title;
        }
        self.source = Source::Live;
        self.projection = Projection::starting(started);
        self.panes = Panes::default();
        self.flow_index = FlowIndex::default();
        self.overlays.clear();
        self.toast = None;
        self.later = None;
        self.tasks.clear();
        self.now_us = 0;
        self.held = None;
        self.browser_url = None;
        self.holding = Hold::Off;
        let Some(stage) = &mut self.stage else {
            return Effects::new();
        };
        stage.next = 0;
        stage.begun = None;
        let (begin, hold) = (stage.sheet.begin, stage.sheet.hold);
        let mut doubts = stage.sheet.doubts().into_iter();
        self.show_stage();
        let mut effects = Effects::new();
        // Not `Hold` first: a sign-in exchanges nothing, but a list of tickets would wait.
        if begin == Begin::SignedIn {
            effects.push(self.start(Job::SignIn));
        }
        if hold == Hold::On {
            effects.push(self.start(Job::Hold(Hold::On)));
        }
        if again {
            // The one before was another run; what it told is kept, and is told of once.
            let text = match std::mem::take(&mut self.recording) {
                RecordingState::Saved { file, .. } => {
                    format!("back at the start; the recording up to here is in {file}")
                }
                RecordingState::Off | RecordingState::On { .. } | RecordingState::Failed(_) => {
                    "back at the start: a new lab, nothing happened yet".to_owned()
                }
            };
            self.say(Tone::Good, text);
        } else if let Some(doubt) = doubts.next().filter(|_| self.reset == Resettable::Yes) {
            self.say(Tone::Warning, doubt);
        }
        effects
    }
}
