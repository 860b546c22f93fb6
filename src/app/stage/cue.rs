//! One cue after the other: begun by the one key, taken through what it needs, and held to be over,
//! called off or failed.

use super::{Begun, Need, Notes, Phase, Tried};
use crate::{
    app::{
        App,
        command::Command,
        effect::{Effect, Effects, Job},
        focus::{Focus, Layout, PaneId},
        msg::{TaskId, TaskOutcome},
        stage::{Judgement, Stage},
        story,
        toast::Tone,
    },
    config::sheet::{Cue, Expect},
    projection::{story::LIMIT_LINEAR_SCOPES, timeline::Direction},
    trace::event::CallOutcome,
};

/// Jobs that may come before a cue's own: listing, reading the policy, escalating what is to be
/// deleted. More than these means that they do not help.
const MOST_PREPARATIONS: u8 = 4;

impl App {
    /// The one key: lets go what waits, else begins the next cue; in the recording that took over,
    /// goes on by a cue of its own.
    pub(in crate::app) fn next_cue(&mut self) -> Effects {
        if self.is_taken_over() {
            self.go_on_in_the_recording(Direction::Forward);
            return Effects::new();
        }
        if self.held_exchange().is_some() {
            return self.let_go();
        }
        let under_way = self.stage.as_ref().is_some_and(Stage::running);
        if under_way || self.busy() {
            let key = self.keymap.shown(Command::CancelTask);
            self.say(Tone::Plain, format!("still under way: {key} calls it off"));
            return Effects::new();
        }
        let Some(stage) = &mut self.stage else {
            return Effects::new();
        };
        // One press too many must not take the closing picture away.
        if stage.upcoming().is_none() {
            let (reset, back) = (
                self.keymap.shown(Command::Reset),
                self.keymap.shown(Command::PreviousCue),
            );
            self.say(
                Tone::Plain,
                format!("the sheet is at its end: {reset} starts over, {back} goes a cue back"),
            );
            return Effects::new();
        }
        let cue = stage.next;
        self.begin(cue)
    }

    fn begin(&mut self, cue: usize) -> Effects {
        let judgement = self.judgement();
        let Some(stage) = &mut self.stage else {
            return Effects::new();
        };
        let earlier = stage.begun.take().filter(|begun| begun.cue == cue);
        let (tries, before) = match (earlier, judgement) {
            (None, _) => (1, None),
            (Some(begun), Some(Judgement::Otherwise(why) | Judgement::NotSeen(why))) => {
                (begun.tries.saturating_add(1), Some(why))
            }
            (Some(begun), _) => (begun.tries.saturating_add(1), None),
        };
        stage.next = cue + 1;
        stage.begun = Some(Begun {
            cue,
            phase: Phase::Over,
            preparations: 0,
            hold: Tried::NotYet,
            calls: None,
            over: 0,
            tries,
            before,
        });
        self.toast = None;
        self.show_stage();
        let mut effects = Effects::new();
        if let Some((number, Cue { title, .. })) = self.stage.as_ref().and_then(Stage::current) {
            let title = title.clone();
            effects.push(Effect::MarkCue {
                number: u16::try_from(number).unwrap_or(u16::MAX),
                title: title.clone(),
            });
            if tries > 1 {
                self.say(Tone::Plain, format!("tried again: {title}"));
            }
        }
        effects.extend(self.pursue());
        effects
    }

    /// One cue back, so that it can be repeated. Nothing is undone.
    pub(in crate::app) fn previous_cue(&mut self) {
        if self.is_taken_over() {
            return self.go_on_in_the_recording(Direction::Back);
        }
        let is_lifted = self.projection.policies().forbids(LIMIT_LINEAR_SCOPES) == Some(false);
        let key = self.keymap.shown(Command::TogglePolicy);
        if let Some(stage) = &mut self.stage {
            stage.next = stage.next.saturating_sub(1);
            if let Some((number, cue)) = stage.upcoming() {
                let text = format!("again from cue {number}: {}", cue.title);
                // What a later cue has lifted stays lifted.
                if is_lifted && matches!(cue.expect, Some(Expect::Refused(_))) {
                    let text = format!("the rule is off, {key} puts it back; {text}");
                    self.say(Tone::Warning, text);
                } else {
                    self.say(Tone::Plain, text);
                }
            }
        }
    }

    /// Past the next cue without it: one that cannot be done must not hold up those after it.
    pub(in crate::app) fn skip_cue(&mut self) -> Effects {
        let Some(stage) = &mut self.stage else {
            return Effects::new();
        };
        let Some((number, title)) = stage.upcoming().map(|(n, cue)| (n, cue.title.clone())) else {
            return Effects::new();
        };
        stage.next += 1;
        self.say(Tone::Plain, format!("cue {number} is skipped: {title}"));
        vec![Effect::MarkSkip {
            number: u16::try_from(number).unwrap_or(u16::MAX),
            title,
        }]
    }

    pub(in crate::app) const fn turn_notes(&mut self) {
        if let Some(stage) = &mut self.stage {
            stage.notes = match stage.notes {
                Notes::Shown => Notes::Hidden,
                Notes::Hidden => Notes::Shown,
            };
        }
    }

    pub(super) fn show_stage(&mut self) {
        self.focus = Focus {
            pane: PaneId::Flow,
            layout: Layout::Stage,
            ..Focus::default()
        };
        self.panes.flow.follow();
        self.panes.audit.follow();
    }

    /// Takes the cue as far as it goes without waiting.
    fn pursue(&mut self) -> Effects {
        let Some((cue, begun)) = self.cue_under_way() else {
            return Effects::new();
        };
        if let Some(wanted) = cue.hold
            && wanted != self.holding
            && begun.hold == Tried::NotYet
        {
            return self.go_on(Job::Hold(wanted), |begun| begun.hold = Tried::Yes);
        }
        match self.need(&cue) {
            Need::First(..) if begun.preparations >= MOST_PREPARATIONS => {
                let why = "what this cue needs could not be had";
                self.cue_over(Phase::Failed(why.to_owned()));
                self.say(Tone::Warning, why);
                Effects::new()
            }
            Need::First(job, said) => {
                if let Some(said) = said {
                    self.say(Tone::Plain, said);
                }
                self.go_on(job, |begun| begun.preparations += 1)
            }
            Need::Own(job) => {
                let calls = self.projection.tools().calls().len();
                self.go_on(job, |begun| begun.calls = Some(calls))
            }
            Need::Nothing(said) => {
                self.cue_over(Phase::Over);
                if let Some(said) = said {
                    self.say(Tone::Plain, said);
                }
                Effects::new()
            }
            Need::Cannot(why) => {
                self.cue_over(Phase::Failed(why.clone()));
                let skip = self.keymap.shown(Command::SkipCue);
                self.say(Tone::Warning, format!("{why}; {skip} goes on without it"));
                Effects::new()
            }
            Need::Wrong(failure) => {
                self.cue_over(Phase::Failed(failure.why.clone()));
                // No second try makes it right, and the show goes on.
                if let Some(stage) = &mut self.stage {
                    stage.next = begun.cue + 1;
                }
                self.fail(failure);
                Effects::new()
            }
        }
    }

    pub(super) fn cue_under_way(&self) -> Option<(Cue, Begun)> {
        let stage = self.stage.as_ref()?;
        let begun = stage.begun.as_ref()?;
        let cue = stage.sheet.cues.get(begun.cue)?;
        Some((cue.clone(), begun.clone()))
    }

    fn go_on(&mut self, job: Job, note: impl FnOnce(&mut Begun)) -> Effects {
        let effect = self.start(job);
        if let (Effect::Run(task, _), Some(stage)) = (&effect, &mut self.stage)
            && let Some(begun) = &mut stage.begun
        {
            begun.phase = Phase::Running(*task);
            note(begun);
        }
        vec![effect]
    }

    fn cue_over(&mut self, phase: Phase) {
        let over = self.projection.log().len();
        let Some(stage) = &mut self.stage else {
            return;
        };
        let Some(begun) = &mut stage.begun else {
            return;
        };
        // What could not be done is tried again by the same key.
        if matches!(phase, Phase::CalledOff | Phase::Failed(_)) {
            stage.next = begun.cue;
        }
        let show = stage.sheet.cues.get(begun.cue).and_then(|cue| cue.show);
        if let (Phase::Over, Some(pane)) = (&phase, show) {
            self.focus.put_on_stage(pane.into());
        }
        begun.phase = phase;
        begun.over = over;
    }

    /// A job ended that the cue may have waited for.
    pub(in crate::app) fn cue_task_ended(
        &mut self,
        task: TaskId,
        outcome: &TaskOutcome,
    ) -> Effects {
        let Some((_, begun)) = self.cue_under_way() else {
            return Effects::new();
        };
        if begun.phase != Phase::Running(task) {
            return Effects::new();
        }
        match outcome {
            TaskOutcome::Done if begun.calls.is_some() => {
                let made = begun
                    .calls
                    .and_then(|before| self.projection.tools().calls().get(before));
                // The job ends well though its call did not: that is told in the trace.
                let no_answer = made.is_some_and(|call| story::lacks_an_answer(self, call));
                let phase = match made.and_then(|call| call.outcome) {
                    Some(CallOutcome::Cancelled) => Phase::CalledOff,
                    Some(CallOutcome::Failed) if no_answer => {
                        Phase::Failed("the zone could not answer".to_owned())
                    }
                    Some(CallOutcome::Broken) => {
                        Phase::Failed("the call did not come through".to_owned())
                    }
                    Some(CallOutcome::Succeeded | CallOutcome::Failed) | None => Phase::Over,
                };
                self.cue_over(phase);
                Effects::new()
            }
            TaskOutcome::Done => self.pursue(),
            TaskOutcome::Cancelled => {
                self.cue_over(Phase::CalledOff);
                Effects::new()
            }
            TaskOutcome::Failed(failure) => {
                self.cue_over(Phase::Failed(failure.what.clone()));
                Effects::new()
            }
        }
    }
}
