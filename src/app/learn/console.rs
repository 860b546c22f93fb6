//! The console work of a chapter as a list of steps: what each fills in, and what came of it.
//!
//! What the steps are is known to whoever can take them; they come in with a message.

pub mod form;

use self::form::{Field, Filled, Form};
use super::Learn;
use crate::{
    app::{
        App,
        command::Availability,
        effect::{Effects, Job},
        overlay::{Overlay, Question},
    },
    chapters::{Attempt, expect::Service},
    support::error::Failure,
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
    /// What it makes.
    pub part: Part,
    /// What it fills in, field by field.
    pub form: Vec<Field>,
    /// What came of it, once it was taken.
    pub taken: Option<String>,
}

/// What a step makes in the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Provider,
    Application,
    Resource(Service),
    /// The key in the vault.
    Key(Service),
    Dependencies,
    Credential,
    Policy,
    PolicySet,
    /// A version of the set.
    Publication,
    Activation,
}

impl Step {
    /// Whether something else stands in a field than what was filled in.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.form.iter().any(Field::is_changed)
    }

    /// What stands in its fields.
    #[must_use]
    pub fn filled(&self) -> Filled {
        let held = |field: &Field| (field.label.clone(), field.value.clone());
        self.form.iter().map(held).collect()
    }
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

    /// Whether it was begun by hand and is not as it was filled in: a step waits, or was taken with
    /// something else.
    pub(super) fn is_work_the_readers_own(&self) -> bool {
        self.work().is_some_and(|work| {
            let taken = |step: &Step| step.taken.is_some();
            let own = |step: &Step| !taken(step) || step.is_changed();
            work.steps.iter().any(taken) && work.steps.iter().any(own)
        })
    }

    /// Takes in what there is to do. What was done stays so.
    fn take_work(&mut self, mut work: Work) {
        if let Some(known) = self
            .work
            .take()
            .filter(|known| known.chapter == work.chapter)
        {
            for (new, old) in work.steps.iter_mut().zip(known.steps) {
                // A step that has to be taken again left something in the zone, too.
                new.taken = old.taken;
                new.form = old.form;
            }
        }
        self.work = Some(work);
    }

    /// Takes in what came of a step, and which others have to be taken again because of it.
    pub(in crate::app) fn step_taken(
        &mut self,
        chapter: u16,
        place: usize,
        told: String,
        again: &[usize],
    ) {
        let Some(work) = self.work.as_mut().filter(|work| work.chapter == chapter) else {
            return;
        };
        if let Some(step) = work.steps.get_mut(place) {
            step.taken = Some(told);
        }
        for place in again {
            if let Some(step) = work.steps.get_mut(*place) {
                step.taken = None;
            }
        }
    }

    /// Keeps what a step was taken with. A thing that has another name now has it in the later
    /// steps' forms, too, where nobody wrote something else.
    fn keep_filled(&mut self, chapter: u16, place: usize, filled: &Filled) {
        let Some(work) = self.work.as_mut().filter(|work| work.chapter == chapter) else {
            return;
        };
        let Some(step) = work.steps.get_mut(place) else {
            return;
        };
        let mut renamed = None;
        for (field, (_, value)) in step.form.iter_mut().zip(filled) {
            let before = std::mem::replace(&mut field.value, value.clone());
            if field.label == form::NAME && before != *value {
                renamed = Some((before, value));
            }
        }
        let Some((before, now)) = renamed else {
            return;
        };
        for field in work
            .steps
            .iter_mut()
            .skip(place + 1)
            .flat_map(|step| &mut step.form)
        {
            if field.label == before {
                field.label.clone_from(now);
            }
            if field.kind == form::Kind::Text && field.label != form::NAME && field.value == before
            {
                field.value.clone_from(now);
                field.prefilled.clone_from(now);
            }
        }
    }

    /// Whether this part of the console work was done by a step that stands.
    pub(super) fn is_made(&self, part: Part) -> bool {
        let mut steps = self.work().into_iter().flat_map(|work| &work.steps);
        steps.any(|step| step.part == part && step.taken.is_some())
    }

    /// The first step in which something is made that a check does not like.
    #[must_use]
    pub fn step_at_fault(&self) -> Option<usize> {
        self.steps_at_fault().first().copied()
    }

    /// The steps in which something is made that a check does not like, the first check's first.
    #[must_use]
    pub fn steps_at_fault(&self) -> Vec<usize> {
        let steps = self.work().map_or(&[][..], |work| work.steps.as_slice());
        // A text is judged where it is in force: one that was changed since waits for that.
        let is_on_its_way = |place: usize| {
            matches!(steps[place].part, Part::Policy | Part::Publication)
                && steps[place..].iter().any(|step| step.taken.is_none())
        };
        let made = |part: &Part| {
            let is = |step: &Step| step.part == *part && step.taken.is_some();
            steps.iter().position(is)
        };
        let places = self.at_fault.iter().filter_map(made);
        places.filter(|place| !is_on_its_way(*place)).collect()
    }

    /// The step to begin with: the one that a check does not like, unless it was put right and others
    /// wait since.
    fn step_to_take(&self) -> usize {
        let waits = self.next_step();
        let is_changed = |place: &usize| {
            let work = self.work();
            let step = work.and_then(|work| work.steps.get(*place));
            step.is_some_and(Step::is_changed)
        };
        let at_fault = self.step_at_fault();
        at_fault
            .filter(|place| waits.is_none() || is_changed(place))
            .or(waits)
            .unwrap_or(0)
    }

    /// The first step that was not taken yet.
    fn next_step(&self) -> Option<usize> {
        let work = self.work()?;
        work.steps.iter().position(|step| step.taken.is_none())
    }
}

impl App {
    /// Once the last step was taken, the step that a check does not like is the one to change.
    pub(super) fn go_to_the_fault(&mut self, before: Option<usize>) {
        let Some(learn) = &self.learn else {
            return;
        };
        let fault = learn.step_at_fault();
        if let Some(fault) = fault.filter(|fault| before != Some(*fault) && learn.is_work_done())
            && let Some(Overlay::Console { selected, .. }) = self.overlays.last_mut()
        {
            *selected = fault;
        }
    }

    pub(in crate::app) fn open_console(&mut self) -> Effects {
        let Some(learn) = &self.learn else {
            return Effects::new();
        };
        let (number, selected) = (learn.chapter().number, learn.step_to_take());
        self.overlays.push(Overlay::Console {
            selected,
            going: Going::Step,
        });
        vec![self.start(Job::ReadConsoleWork(number))]
    }

    /// Takes in what there is to do in the console; a list that opened before it was known begins at
    /// the step that is due.
    pub(in crate::app) fn take_work(&mut self, work: Work) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        let was_known = learn.work().is_some();
        learn.take_work(work);
        let due = learn.step_to_take();
        if let Some(Overlay::Console { selected, .. }) = self.overlays.last_mut()
            && !was_known
        {
            *selected = due;
        }
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
        let Some((chapter, step)) =
            work.and_then(|work| Some((work.chapter, work.steps.get(place)?)))
        else {
            return Effects::new();
        };
        let filled = step.filled();
        vec![self.start(Job::TakeStep {
            chapter,
            place,
            filled,
        })]
    }

    /// Whether there is a form to be changed here.
    pub(in crate::app) fn changing_a_form(&self) -> Availability {
        let Some(Overlay::Console { selected, .. }) = self.overlays.last() else {
            return Availability::unless("only in the list of console steps");
        };
        let work = self.learn.as_ref().and_then(Learn::work);
        let step = work.and_then(|work| work.steps.get(*selected));
        if !step.is_some_and(|step| step.form.iter().any(Field::is_open)) {
            return Availability::unless("there is nothing in this form that could be another");
        }
        self.unless_busy()
    }

    /// Opens the selected step's form.
    pub(in crate::app) fn open_form(&mut self) {
        let Some(Overlay::Console { selected, going }) = self.overlays.last_mut() else {
            return;
        };
        *going = Going::Step;
        let place = *selected;
        let work = self.learn.as_ref().and_then(Learn::work);
        if let Some(step) = work.and_then(|work| work.steps.get(place)) {
            self.overlays
                .push(Overlay::Form(Box::new(Form::of(place, step))));
        }
    }

    /// The form that has the keys.
    #[must_use]
    pub fn form(&self) -> Option<&Form> {
        match self.overlays.last() {
            Some(Overlay::Form(form)) => Some(form),
            Some(_) | None => None,
        }
    }

    pub(in crate::app) fn form_mut(&mut self) -> Option<&mut Form> {
        match self.overlays.last_mut() {
            Some(Overlay::Form(form)) => Some(form),
            Some(_) | None => None,
        }
    }

    /// Takes the step with what is in its form; the form stays until the zone has taken it.
    pub(in crate::app) fn take_form(&mut self) -> Effects {
        let chapter = self.learn.as_ref().and_then(Learn::work);
        let Some(chapter) = chapter.map(|work| work.chapter) else {
            return Effects::new();
        };
        if self.busy() {
            return Effects::new();
        }
        let Some(form) = self.form_mut() else {
            return Effects::new();
        };
        form.try_again();
        let (place, filled) = (form.place, form.filled());
        vec![self.start(Job::TakeStep {
            chapter,
            place,
            filled,
        })]
    }

    /// A step was refused: its form says so, where it is open; the steps after it wait.
    pub(in crate::app) fn step_refused(&mut self, place: usize, failure: Failure) {
        for overlay in self.overlays.iter_mut().rev() {
            match overlay {
                Overlay::Form(form) if form.place == place => return form.refuse(failure),
                Overlay::Console { going, .. } => *going = Going::Step,
                _ => {}
            }
        }
        self.fail(failure);
    }

    /// What came of editing a long text elsewhere.
    pub(in crate::app) fn edited(&mut self, edited: Result<String, Failure>) {
        let Some(form) = self.form_mut() else {
            return;
        };
        match edited {
            Ok(text) => form.take_long_text(&text),
            Err(failure) => form.refuse(failure),
        }
    }

    /// A step was taken: on to the next one, and the checks are asked again. The reader stays where
    /// they are in the text until all of it is done.
    pub(in crate::app) fn after_step(
        &mut self,
        chapter: u16,
        place: usize,
        filled: &Filled,
    ) -> Effects {
        if let Some(learn) = &mut self.learn {
            learn.keep_filled(chapter, place, filled);
        }
        // Nor is there anything left to drop, if somebody was being asked that meanwhile.
        let is_over = |overlay: &Overlay| match overlay {
            Overlay::Form(form) => form.place == place,
            Overlay::Confirm(Question::DropForm) => true,
            _ => false,
        };
        self.overlays.retain(|overlay| !is_over(overlay));
        let next = self.learn.as_ref().and_then(Learn::next_step);
        let mut effects = self.probes_of_its_own();
        if next.is_none() {
            self.tried(Attempt::ConsoleWork);
        }
        let on_top = matches!(self.overlays.last(), Some(Overlay::Console { .. }));
        let console = self.overlays.iter_mut().find_map(|overlay| match overlay {
            Overlay::Console { selected, going } => Some((selected, going)),
            _ => None,
        });
        if let Some((selected, going)) = console {
            // Whoever opened another window over the steps no longer looks on.
            if !on_top {
                *going = Going::Step;
            }
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
