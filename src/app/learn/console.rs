//! The console work of a chapter as a list of steps: what each fills in, and what came of it.
//!
//! What the steps are is known to whoever can take them; they come in with a message.

use super::Learn;
use crate::{
    app::{
        App,
        effect::{Effects, Job},
        overlay::Overlay,
    },
    chapters::Attempt,
};

/// The work of a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The chapter's number.
    pub chapter: u16,
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does, as an instruction.
    pub title: String,
    /// What it fills in, field by field.
    pub form: Vec<(String, String)>,
    /// What came of it, once it was taken.
    pub taken: Option<String>,
}

/// How the steps are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// One at a time, each by the reader's hand.
    Step,
    /// All that are left, one after another.
    All,
}

impl Learn {
    /// Whether the open chapter has work in the zone's console.
    #[must_use]
    pub fn has_console_work(&self) -> bool {
        matches!(self.chapter().number, 1 | 7)
    }

    /// The open chapter's console work, once it was read.
    #[must_use]
    pub fn work(&self) -> Option<&Work> {
        let number = self.chapter().number;
        self.work.as_ref().filter(|work| work.chapter == number)
    }

    /// Whether every step of it was taken.
    #[must_use]
    pub fn is_work_done(&self) -> bool {
        let done = |work: &Work| work.steps.iter().all(|step| step.taken.is_some());
        self.work().is_some_and(done)
    }

    /// Takes in what there is to do. What was done stays so.
    pub(in crate::app) fn take_work(&mut self, mut work: Work) {
        if let Some(known) = self
            .work
            .take()
            .filter(|known| known.chapter == work.chapter)
        {
            for (new, old) in work.steps.iter_mut().zip(known.steps) {
                new.taken = new.taken.take().or(old.taken);
            }
        }
        self.work = Some(work);
    }

    /// Takes in what came of a step.
    pub(in crate::app) fn step_taken(&mut self, chapter: u16, place: usize, told: String) {
        let work = self.work.as_mut().filter(|work| work.chapter == chapter);
        if let Some(step) = work.and_then(|work| work.steps.get_mut(place)) {
            step.taken = Some(told);
        }
    }

    /// The first step that was not taken yet.
    fn next_step(&self) -> Option<usize> {
        let work = self.work()?;
        work.steps.iter().position(|step| step.taken.is_none())
    }
}

impl App {
    pub(in crate::app) fn open_console(&mut self) -> Effects {
        let Some(learn) = &self.learn else {
            return Effects::new();
        };
        let (number, selected) = (learn.chapter().number, learn.next_step().unwrap_or(0));
        self.overlays.push(Overlay::Console {
            selected,
            going: Going::Step,
        });
        vec![self.start(Job::ReadConsoleWork(number))]
    }

    /// Takes the selected step.
    pub(in crate::app) fn take_selected_step(&mut self) -> Effects {
        match self.overlays.last() {
            Some(Overlay::Console { selected, .. }) if !self.busy() => {
                let place = *selected;
                self.take_step(place)
            }
            _ => Effects::new(),
        }
    }

    /// Takes every step that is left.
    pub(in crate::app) fn take_all_steps(&mut self) -> Effects {
        if self.busy() {
            return Effects::new();
        }
        let next = self.learn.as_ref().and_then(Learn::next_step);
        if let (Some(Overlay::Console { going, selected }), Some(next)) =
            (self.overlays.last_mut(), next)
        {
            *going = Going::All;
            *selected = next;
            return self.take_step(next);
        }
        Effects::new()
    }

    fn take_step(&mut self, place: usize) -> Effects {
        let work = self.learn.as_ref().and_then(Learn::work);
        match work
            .filter(|work| place < work.steps.len())
            .map(|work| work.chapter)
        {
            Some(chapter) => vec![self.start(Job::TakeStep { chapter, place })],
            None => Effects::new(),
        }
    }

    /// A step was taken: on to the next one, and the checks are asked again. The reader stays where
    /// they are in the text until all of it is done.
    pub(in crate::app) fn after_step(&mut self) -> Effects {
        let next = self.learn.as_ref().and_then(Learn::next_step);
        let mut effects = self.probes_of_its_own();
        if next.is_none() {
            self.tried(Attempt::ConsoleWork);
        }
        if let Some(Overlay::Console { selected, going }) = self.overlays.last_mut() {
            match (next, *going) {
                (Some(next), Going::Step) => *selected = next,
                (Some(next), Going::All) => {
                    *selected = next;
                    effects.extend(self.take_step(next));
                }
                (None, _) => {
                    *going = Going::Step;
                    effects.push(self.start(Job::RefreshConsole));
                }
            }
        }
        effects
    }
}
