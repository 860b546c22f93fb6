//! Exchanges that wait until the instructor lets them go.

use super::Phase;
use crate::{
    app::{
        App,
        command::Command,
        effect::{Effects, Job},
        player::Source,
        toast::Tone,
    },
    config::sheet::Hold,
    projection::holds::Waiting,
};

impl App {
    /// Whether exchanges are held.
    #[must_use]
    pub const fn holding(&self) -> Hold {
        self.holding
    }

    /// Whether the cue is still at what it needs before its own call: that is not what the
    /// instructor wants to talk about, so it does not wait.
    #[must_use]
    pub fn is_preparing(&self) -> bool {
        matches!(self.source, Source::Live)
            && self
                .stage
                .as_ref()
                .and_then(|stage| stage.begun.as_ref())
                .is_some_and(|begun| {
                    matches!(begun.phase, Phase::Running(_)) && begun.calls.is_none()
                })
    }

    /// The exchange that waits for somebody to let it go on.
    #[must_use]
    pub fn held_exchange(&self) -> Option<&Waiting> {
        let first = self.projection.holds().first();
        first.filter(|_| !self.is_preparing())
    }

    /// Whether what runs waits for the person alone: then the policy may be switched under it, and what
    /// would become of it is told anew.
    pub(in crate::app) fn is_only_held(&self) -> bool {
        let calls = |job: &Job| matches!(job, Job::CallTool { .. });
        self.held_exchange().is_some() && self.tasks.values().all(|task| calls(&task.job))
    }

    /// Lets through what a cue needs before its own call.
    pub(in crate::app) fn pass_preparations(&mut self) -> Effects {
        if self.is_preparing() {
            self.let_go()
        } else {
            Effects::new()
        }
    }

    pub(super) fn busy_with_hold(&self) -> bool {
        let holds = |job: &Job| matches!(job, Job::Hold(_));
        self.tasks.values().any(|task| holds(&task.job))
    }

    /// Switches the holding.
    pub(in crate::app) fn turn_hold(&mut self) -> Effects {
        let wanted = match self.holding {
            Hold::On => Hold::Off,
            Hold::Off => Hold::On,
        };
        // An exchange that waits behind a picture that stands still would not be seen.
        self.catch_up();
        vec![self.start(Job::Hold(wanted))]
    }

    /// Lets the exchange go that waits longest; once, however often it is asked for.
    pub(in crate::app) fn let_go(&mut self) -> Effects {
        let Some(id) = self.projection.holds().first().map(|w| w.id.clone()) else {
            return Effects::new();
        };
        let job = Job::LetGo { id };
        if self.tasks.values().any(|task| task.job == job) {
            return Effects::new();
        }
        vec![self.start(job)]
    }

    /// The gate is open again, whoever opened it.
    pub(in crate::app) const fn holds_no_more(&mut self) {
        self.holding = Hold::Off;
    }

    pub(in crate::app) fn hold_is(&mut self, hold: Hold) {
        self.holding = hold;
        let key = self.keymap.shown(match self.stage {
            Some(_) => Command::NextCue,
            None => Command::LetGo,
        });
        match hold {
            Hold::On => self.say(
                Tone::Plain,
                format!("each exchange waits now, until {key} lets it go"),
            ),
            Hold::Off => self.say(Tone::Plain, "nothing waits any more"),
        }
    }
}
