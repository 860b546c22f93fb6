//! A recording takes over from what is live, and what is live comes back.

use std::collections::BTreeMap;

use crate::{
    app::{
        App, Task,
        effect::{Effect, Effects},
        focus::{Focus, Layout},
        msg::{TaskId, TaskOutcome},
        panes::{Panes, flow::FlowIndex},
        player::{Opening, Source},
        stage::Judgement,
        toast::Tone,
    },
    config::sheet::Action,
    projection::{
        Mark, Part, Projection,
        timeline::{Direction, Unit},
    },
    protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    trace::TraceEvent,
};

/// What is live, put aside while a recording is shown. It goes on all the same; what it tells is kept.
#[derive(Debug, Clone)]
pub(in crate::app) struct Away {
    pub(in crate::app) title: String,
    projection: Projection,
    panes: Panes,
    flow_index: FlowIndex,
    focus: Focus,
    tasks: BTreeMap<TaskId, Task>,
    held: Option<Vec<TraceEvent>>,
    events: Vec<TraceEvent>,
    ended: Vec<(TaskId, TaskOutcome)>,
    /// The cue at hand when it went.
    cue: CueAtHand,
}

/// Whether the show is past the cue at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CueAtHand {
    Done,
    Open,
}

impl Away {
    pub(in crate::app) fn keep(&mut self, event: TraceEvent) {
        self.events.push(event);
    }

    pub(in crate::app) fn keep_end(&mut self, task: TaskId, outcome: TaskOutcome) {
        self.ended.push((task, outcome));
    }
}

/// Where a recording of the same sheet has a cue, the last time that it began.
fn where_it_began(recorded: &Projection, number: usize, title: &str) -> Option<usize> {
    let part = Part::Cue(u16::try_from(number).ok()?);
    let is = |mark: &&Mark| mark.part == part && *mark.text == *title;
    let mark = recorded.marks().iter().rev().find(is)?;
    Some(mark.evidence.index() + 1)
}

/// Where what a cue came to stands there whole: before the next one begins.
fn where_it_ended(recorded: &Projection, began: usize) -> usize {
    let mut cues = recorded.marks().iter().filter(|mark| is_cue(mark));
    cues.find(|mark| mark.evidence.index() >= began)
        .map_or(recorded.log().len(), |mark| mark.evidence.index())
}

const fn is_cue(mark: &Mark) -> bool {
    matches!(mark.part, Part::Cue(_))
}

impl App {
    /// Whether a recording stands in for what is live.
    #[must_use]
    pub const fn is_taken_over(&self) -> bool {
        self.away.is_some()
    }

    /// The cue of the recording that stands in, as it tells it: number from 1 and title.
    #[must_use]
    pub fn recorded_cue(&self) -> Option<(usize, &str)> {
        let mut marks = self.projection.marks().iter().rev();
        let mark = marks
            .find(|mark| is_cue(mark))
            .filter(|_| self.is_taken_over())?;
        Some((usize::from(mark.part.number()?), &*mark.text))
    }

    /// Whether the recording that stands in has cues, and the one at hand is none of them.
    pub(in crate::app) fn is_of_another_sheet(&self, recorded: &Projection) -> bool {
        let stage = self.stage.as_ref().filter(|_| self.is_taken_over());
        let cue = stage.and_then(|stage| stage.current().or_else(|| stage.upcoming()));
        cue.is_some_and(|(number, cue)| {
            recorded.marks().iter().any(is_cue)
                && where_it_began(recorded, number, &cue.title).is_none()
        })
    }

    /// Where a recording has to begin so that the show goes on: where it has what the cue at hand came
    /// to, or where that cue begins if it is not done; else by what the cue does, `None` if the recording
    /// does not do it. One that nobody's cue asked for begins at its beginning.
    pub(in crate::app) fn where_the_show_is(&self, recorded: &Projection) -> Option<usize> {
        let done = matches!(&self.away, Some(away) if away.cue == CueAtHand::Done);
        let stage = self.stage.as_ref().filter(|_| self.is_taken_over());
        let cue = stage.and_then(|stage| stage.current().or_else(|| stage.upcoming()));
        if let Some((number, cue)) = cue
            && let Some(place) = where_it_began(recorded, number, &cue.title)
        {
            return Some(if done {
                where_it_ended(recorded, place)
            } else {
                place
            });
        }
        let mut calls = recorded.tools().calls().iter();
        let action = cue.map(|(_, cue)| cue.action);
        let tool = match action {
            Some(Action::ListTickets) => GET_SUPPORT_TICKETS,
            Some(Action::Escalate) => ESCALATE_TICKET,
            Some(Action::Delete | Action::PolicyOff | Action::PolicyOn) => DELETE_ISSUE,
            Some(Action::SignIn) if done => {
                return Some(calls.next().map_or(0, |call| call.started.index()));
            }
            Some(Action::SignIn | Action::SignOut | Action::Talk) | None => return Some(0),
        };
        let is_switch = matches!(action, Some(Action::PolicyOff | Action::PolicyOn));
        calls
            .find(|call| *call.tool == *tool)
            .map(|call| match call.finished {
                Some(finished) if done && !is_switch => finished.index() + 1,
                Some(_) | None => call.started.index(),
            })
    }

    /// The recording takes over, or what is live comes back.
    pub(in crate::app) fn take_over(&mut self) -> Effects {
        match self.away.take() {
            Some(away) => self.come_back(*away),
            None => self.step_aside(),
        }
    }

    /// Goes to where the recording's next cue, or the one before, begins; in one without cues on or
    /// back by a tool call.
    pub(super) fn go_on_in_the_recording(&mut self, direction: Direction) {
        match self.neighbouring_cue(direction) {
            Some(place) => self.jump(place),
            None => self.step_replay(Unit::Call, direction),
        }
    }

    /// Before the mark: what the cue at hand came to stands there whole.
    fn neighbouring_cue(&self, direction: Direction) -> Option<usize> {
        let timeline = self.player()?.timeline();
        let here = self.place();
        let cues = timeline.end().marks().iter().filter(|mark| is_cue(mark));
        let mut begins = cues.map(|mark| mark.evidence.index()).peekable();
        begins.peek()?;
        Some(match direction {
            Direction::Forward => begins.find(|at| *at > here).unwrap_or(timeline.len()),
            Direction::Back => begins.take_while(|at| *at < here).last().unwrap_or(0),
        })
    }

    fn step_aside(&mut self) -> Effects {
        // A failure that is open was read, and a question is answered by going away.
        self.overlays.clear();
        self.toast = None;
        let focus = self.focus;
        self.focus.layout = Layout::Stage;
        let cue = match self.judgement() {
            Some(Judgement::AsPlanned | Judgement::Unjudged) => CueAtHand::Done,
            Some(_) | None => CueAtHand::Open,
        };
        self.away = Some(Box::new(Away {
            title: self.title.clone(),
            projection: std::mem::take(&mut self.projection),
            panes: std::mem::take(&mut self.panes),
            flow_index: std::mem::take(&mut self.flow_index),
            focus,
            tasks: std::mem::take(&mut self.tasks),
            held: self.held.take(),
            events: Vec::new(),
            ended: Vec::new(),
            cue,
        }));
        self.source = Source::Opening(Opening {
            name: "the recorded run".to_owned(),
            percent: 0,
            awaited: false,
        });
        vec![Effect::TakeOver]
    }

    fn come_back(&mut self, away: Away) -> Effects {
        let Away {
            title,
            projection,
            panes,
            flow_index,
            focus,
            tasks,
            held,
            events,
            ended,
            cue: _,
        } = away;
        self.source = Source::Live;
        self.overlays.clear();
        self.title = title;
        self.projection = projection;
        self.panes = panes;
        self.flow_index = flow_index;
        self.focus = focus;
        self.tasks = tasks;
        self.held = held;
        self.take_whole();
        self.say(Tone::Plain, "live again");
        let mut effects = vec![Effect::ComeBack];
        for event in events {
            self.fact(event);
        }
        effects.extend(self.pass_preparations());
        for (task, outcome) in ended {
            effects.extend(self.ended(task, outcome));
        }
        effects
    }
}
