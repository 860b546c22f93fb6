//! The windows over the panes: opening what is selected, turning pages, closing, accepting.

use crate::app::{
    App,
    effect::{Effect, Effects, Job},
    focus::{Layout, PaneId, Zoom},
    overlay::{HOP_TABS, Inspect, Overlay, Question, Subject},
    palette,
    player::Source,
    stage::Stage,
};

impl App {
    pub(in crate::app) fn inspect(&mut self, subject: Subject, tab: usize) {
        let tab = tab.min(subject.tabs().len().saturating_sub(1));
        self.overlays.push(Overlay::Inspect(Inspect {
            subject,
            tab,
            scroll: 0,
        }));
    }

    pub(super) fn turn_tab(&mut self, by: isize) {
        if let Some(Overlay::Both { tab, scroll }) = self.overlays.last_mut() {
            let next = (tab.cast_signed() + by).rem_euclid(HOP_TABS.len().cast_signed());
            (*tab, *scroll) = (next.unsigned_abs(), 0);
        }
        if let Some(Overlay::Inspect(inspect)) = self.overlays.last_mut() {
            let count = inspect.subject.tabs().len().cast_signed();
            let next = (inspect.tab.cast_signed() + by).rem_euclid(count);
            inspect.tab = next.unsigned_abs();
            inspect.scroll = 0;
        }
    }

    pub(super) fn inspect_neighbour(&mut self, by: isize) {
        if matches!(self.overlays.last(), Some(Overlay::Both { .. })) {
            return self.step_both(by);
        }
        let Some(Overlay::Inspect(open)) = self.overlays.last().cloned() else {
            return;
        };
        // The pane that it is a row of, which need not have the keys.
        let pane = match open.subject {
            Subject::Hop(_) => PaneId::Flow,
            Subject::Audit(_) => PaneId::Audit,
            Subject::Event(_) => self.focus.pane,
        };
        for _ in 0..3 {
            self.scroll_pane(pane, by);
            let Some(subject) = self.subject_in(pane) else {
                return;
            };
            if subject != open.subject {
                self.overlays.pop();
                return self.inspect(subject, open.tab);
            }
        }
    }

    /// Whether Escape leads from a pane back to the chapter that it stands beside: there is no window,
    /// filter or zoom to undo first.
    #[must_use]
    pub fn is_beside_the_chapter(&self) -> bool {
        let pane = self.focus.pane;
        self.overlays.is_empty()
            && self.focus.layout == Layout::Learn
            && self.focus.zoom == Zoom::Off
            && pane != PaneId::Chapter
            && self.filter_of(pane).is_empty()
    }

    /// Undoes one thing: the window on top, then the filter, then the zoom, then the way from the
    /// chapter to the pane beside it.
    pub(super) fn back(&mut self) -> Effects {
        if self.is_beside_the_chapter() {
            self.toast = None;
            self.focus.show(PaneId::Chapter);
            return Effects::new();
        }
        match self.overlays.pop() {
            Some(Overlay::Filter { pane, before, .. }) => self.look_for(pane, &before),
            Some(Overlay::Waiting { .. }) => {
                return self
                    .tasks
                    .iter()
                    .filter(|(_, task)| task.job == Job::SignIn)
                    .map(|(id, _)| Effect::CancelTask(*id))
                    .collect();
            }
            Some(Overlay::Form(form)) if form.is_touched() => {
                self.overlays.push(Overlay::Form(form));
                self.overlays.push(Overlay::Confirm(Question::DropForm));
            }
            // Without a trace there is nothing behind the list.
            Some(Overlay::Traces { .. }) if matches!(&self.source, Source::Opening(open) if open.name.is_empty()) =>
            {
                return vec![Effect::Quit];
            }
            Some(
                Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::Goto { .. }
                | Overlay::Note { .. }
                | Overlay::Places { .. }
                | Overlay::Traces { .. }
                | Overlay::Compare
                | Overlay::Both { .. }
                | Overlay::Inspect(_)
                | Overlay::Contents { .. }
                | Overlay::Told { .. }
                | Overlay::Console { .. }
                | Overlay::Form(_)
                | Overlay::Confirm(_)
                | Overlay::Failure { .. },
            ) => {}
            None => {
                let pane = self.focus.pane;
                if !self.filter_of(pane).is_empty() {
                    self.look_for(pane, "");
                } else if self.focus.zoom == Zoom::On {
                    self.focus.turn_zoom();
                } else {
                    self.toast = None;
                }
            }
        }
        Effects::new()
    }

    pub(super) fn quit(&mut self) -> Effects {
        if !self.overlays.is_empty() {
            return self.back();
        }
        if self.is_recording() {
            self.overlays
                .push(Overlay::Confirm(Question::QuitWhileRecording));
            return Effects::new();
        }
        let on_air = self.stage.as_ref().is_some_and(Stage::is_begun);
        if on_air && (matches!(self.source, Source::Live) || self.is_taken_over()) {
            self.overlays.push(Overlay::Confirm(Question::QuitOnStage));
            return Effects::new();
        }
        vec![Effect::Quit]
    }

    pub(super) fn accept(&mut self) -> Effects {
        match self.overlays.pop() {
            Some(Overlay::Palette { input, selected }) => {
                match palette::find(input.value()).get(selected).copied() {
                    Some(command) => self.perform(command),
                    None => Effects::new(),
                }
            }
            Some(Overlay::Filter { pane, input, .. }) => {
                let text = input.value().to_owned();
                if self.filter_of(pane) != text {
                    self.look_for(pane, &text);
                }
                Effects::new()
            }
            Some(Overlay::Goto { input }) => {
                self.go_to_written(input.value());
                Effects::new()
            }
            Some(Overlay::Note { input, place }) => self.take_note(place, input.value()),
            Some(Overlay::Places { selected }) => {
                self.go_to_landmark(selected);
                Effects::new()
            }
            Some(Overlay::Traces { selected }) => self.open_shipped(selected),
            Some(Overlay::Compare) => {
                self.overlays.push(Overlay::Compare);
                self.open_both();
                Effects::new()
            }
            Some(Overlay::Confirm(Question::QuitWhileRecording)) => {
                vec![Effect::StopRecording, Effect::Quit]
            }
            Some(Overlay::Confirm(Question::QuitOnStage)) => vec![Effect::Quit],
            Some(Overlay::Confirm(Question::Reset)) => {
                let mut effects: Effects =
                    self.tasks.keys().copied().map(Effect::CancelTask).collect();
                effects.push(Effect::Reset);
                effects
            }
            Some(Overlay::Confirm(Question::SkipChapter)) => {
                self.skip_chapter();
                Effects::new()
            }
            Some(Overlay::Confirm(Question::BeginChapter)) => self.begin_chapter(),
            Some(Overlay::Confirm(Question::ReachEnd)) => self.bring_to_the_end(),
            Some(Overlay::Confirm(Question::DropForm)) => {
                self.overlays.pop();
                Effects::new()
            }
            Some(Overlay::Contents { selected }) => {
                self.open_chapter(selected);
                Effects::new()
            }
            // Enter means "read it": these close.
            Some(Overlay::Failure { .. } | Overlay::Help { .. } | Overlay::Told { .. }) | None => {
                Effects::new()
            }
            Some(open @ Overlay::Console { .. }) => {
                self.overlays.push(open);
                self.take_selected_step()
            }
            Some(open @ Overlay::Form(_)) => {
                self.overlays.push(open);
                self.take_form()
            }
            Some(open @ Overlay::Waiting { .. }) => {
                self.overlays.push(open);
                if self.is_lab() {
                    vec![self.start(Job::SampleUser)]
                } else {
                    Effects::new()
                }
            }
            Some(open @ (Overlay::Inspect(_) | Overlay::Both { .. })) => {
                self.overlays.push(open);
                Effects::new()
            }
        }
    }
}
