//! What the replay's keys and messages do to the state.

mod goal;

use self::goal::Goal;
use super::{
    App,
    command::{Availability, Command},
    focus::PaneId,
    panes::flow::FlowIndex,
    player::{Growth, Pace, Player, Source, Speed, Tape},
    toast::Tone,
};
use crate::{
    projection::{
        Hops, Mark,
        timeline::{Direction, Kept, Unit},
    },
    trace::{
        TraceEvent,
        event::{CallOutcome, Fact},
    },
};

/// Events that are shown before the loop looks at the keyboard again.
const BATCH: usize = 512;

impl App {
    /// Where what is shown comes from.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The replay's player; `None` when things happen now.
    #[must_use]
    pub const fn player(&self) -> Option<&Player> {
        match &self.source {
            Source::Replay(player) => Some(player),
            Source::Live | Source::Opening(_) => None,
        }
    }

    /// The place in the trace that is shown: how many of its events have happened.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.projection.log().len()
    }

    /// The file that will be followed is not there yet.
    pub(super) fn awaited(&mut self) {
        if let Source::Opening(opening) = &mut self.source {
            opening.awaited = true;
        }
    }

    /// More of the file was read.
    pub(super) fn opening(&mut self, read: u8) {
        if let Source::Opening(opening) = &mut self.source {
            opening.percent = read.min(100);
            opening.awaited = false;
        }
    }

    /// The file was read: a finished one is shown from its beginning, a growing one at its end.
    pub(super) fn opened(&mut self, tape: Tape) {
        let warning = tape.warning.clone();
        let place = match tape.growth {
            Growth::Finished => self.where_the_show_is(tape.timeline.end()),
            Growth::Followed => Some(tape.timeline.len()),
        };
        let strange = self.is_of_another_sheet(tape.timeline.end());
        let warning = warning.or_else(|| {
            let told = match (strange, place) {
                (true, Some(_)) => "the recording is of another sheet: its cues are its own",
                (true, None) => "the recording is of another sheet: this is its beginning",
                (false, None) => "the recording has no such call: this is its beginning",
                (false, Some(_)) => return None,
            };
            Some(told.to_owned())
        });
        let place = place.unwrap_or(0);
        self.projection = tape.timeline.at(place);
        self.title.clone_from(&tape.title);
        self.source = Source::Replay(Box::new(Player::new(tape)));
        self.take_whole();
        self.see_anew();
        if let Some(warning) = warning {
            self.say(Tone::Warning, warning);
        }
    }

    /// The file grew; a cursor at its end goes along.
    pub(super) fn grew(&mut self, events: Vec<(TraceEvent, Kept)>) {
        let Source::Replay(player) = &mut self.source else {
            return;
        };
        let follows = self.projection.log().len() == player.timeline.len();
        let count = events.len();
        for (event, kept) in events {
            player.timeline.take(&event, kept);
        }
        player.timeline.settle();
        if follows {
            for _ in 0..count {
                if self.one_more().is_none() {
                    return;
                }
            }
        }
    }

    /// What grew is whole now.
    pub(super) fn grows_no_more(&mut self, warning: Option<String>) {
        let Source::Replay(player) = &mut self.source else {
            return;
        };
        player.end();
        self.take_whole();
        match warning {
            Some(warning) => self.say(Tone::Warning, warning),
            None => self.say(Tone::Plain, "the trace is whole now: its writer ended"),
        }
    }

    /// Shows the next event. Tells it, or `None` at the end; also where the event cannot be read any
    /// more: then the player stands still, and why is said.
    fn one_more(&mut self) -> Option<TraceEvent> {
        let place = self.place();
        let Source::Replay(player) = &mut self.source else {
            return None;
        };
        let event = player.timeline.advance(&mut self.projection);
        if event.is_some() {
            self.see_more();
        } else if place < player.timeline.len() {
            player.pause();
            let why = player.timeline.unreadable(place);
            self.say(Tone::Bad, why);
        }
        event
    }

    /// Plays what is due by now.
    pub(super) fn play_on(&mut self) {
        for _ in 0..BATCH {
            let place = self.place();
            let now_us = self.now_us;
            let Source::Replay(player) = &mut self.source else {
                return;
            };
            if !player.takes(place, now_us) {
                return;
            }
            let Some(event) = self.one_more() else {
                return;
            };
            self.comment(&event);
            self.name_note();
        }
    }

    /// Says what a person may miss.
    fn comment(&mut self, event: &TraceEvent) {
        match &event.fact {
            Fact::SignInRefused { failure } | Fact::FailureOccurred(failure) => {
                self.say(Tone::Bad, failure.what.clone());
            }
            Fact::FeedLost { feed, why } => {
                self.say(Tone::Warning, format!("{feed} stopped: {why}"));
            }
            Fact::NoteWritten { text } => self.say(Tone::Plain, text.clone()),
            Fact::MarkSet { .. } | Fact::CueBegan { .. } => self.name_part(),
            Fact::ToolCallFinished { tool, outcome, .. } if *outcome != CallOutcome::Succeeded => {
                let why = self.refusal_of(event.call);
                self.say(Tone::Bad, why.unwrap_or_else(|| format!("{tool} failed")));
            }
            _ => {}
        }
    }

    /// Goes to a place, back as easily as forward, and stays there.
    pub(super) fn jump(&mut self, place: usize) {
        let Source::Replay(player) = &mut self.source else {
            return;
        };
        player.pause();
        let before = self.projection.hops().clone();
        let brought = player.timeline.bring(&mut self.projection, place);
        self.toast = None;
        self.travel(&before);
        match brought {
            Err(why) => self.say(Tone::Bad, why),
            Ok(()) => self.name_note(),
        }
    }

    /// Brings the lists along to another place, where `before` are the hops that they were made of.
    fn travel(&mut self, before: &Hops) {
        let Source::Replay(player) = &mut self.source else {
            return;
        };
        let whole = player.whole(&self.flow_index);
        self.flow_index
            .travel(&self.projection, &mut self.panes.flow, before, whole);
        let rows = self.projection.audit().rows().len();
        self.panes.audit.cut(rows, |id| id.index() < rows);
        let events = self.projection.log().len();
        self.panes.trace.cut(events, |seq| seq.index() < events);
        for (pane, filtered) in [
            (PaneId::Audit, !self.panes.audit.query().is_empty()),
            (PaneId::Trace, !self.panes.trace.query().is_empty()),
        ] {
            // Without a filter every one is a row, and there is nothing to look at.
            self.look_further(pane, if filtered { 0 } else { usize::MAX });
        }
    }

    /// Goes to where everything up to the time that was typed has happened, or to an event.
    pub(super) fn go_to_written(&mut self, text: &str) {
        let place = match (Goal::read(text), self.player()) {
            (Some(Goal::Event(number)), Some(player)) if number > player.timeline.len() => {
                return self.go_beyond("the trace has fewer events: this is its end");
            }
            (Some(Goal::Event(number)), _) => number,
            (Some(Goal::Time { from, .. }), Some(player)) if from > player.timeline.lasts_us() => {
                return self.go_beyond("the trace ends before that: this is its end");
            }
            (Some(Goal::Time { to, .. }), Some(player)) => player.timeline.place_at(to),
            (Some(Goal::Part(part)), Some(player)) => {
                let Some(place) = player.timeline().marks().beginning_of(part) else {
                    let name = part.name().unwrap_or_default();
                    return self.say(Tone::Warning, format!("this trace has no mark of {name}"));
                };
                self.jump(place);
                self.name_part();
                return self.name_note();
            }
            (Some(Goal::Time { .. } | Goal::Part(_)), None) => return,
            (None, _) => {
                return self.say(
                    Tone::Warning,
                    "that is no place: write 1:02.5, 12 s, 500 ms, 90 m or 2h18:30, #41, ch 7 or cue 3",
                );
            }
        };
        self.jump(place);
    }

    fn go_beyond(&mut self, told: &str) {
        self.go_to_end();
        self.say(Tone::Warning, told);
    }

    /// Makes the lists anew, of another trace than they showed.
    fn see_anew(&mut self) {
        self.toast = None;
        if let Some(learn) = &mut self.learn {
            learn.judge_anew();
        }
        self.flow_index = FlowIndex::default();
        for pane in [PaneId::Flow, PaneId::Audit, PaneId::Trace] {
            let text = self.filter_of(pane).to_owned();
            self.look_for(pane, &text);
        }
        self.travel(&Hops::default());
    }

    pub(super) fn step_replay(&mut self, unit: Unit, direction: Direction) {
        let place = self.place();
        let Source::Replay(player) = &mut self.source else {
            return;
        };
        player.pause();
        let to = player.timeline.step(place, unit, direction);
        match (unit, direction, to) {
            (Unit::Event, Direction::Forward, Some(_)) => {
                if let Some(event) = self.one_more() {
                    self.toast = None;
                    self.comment(&event);
                    self.name_note();
                }
            }
            (_, _, Some(to)) => {
                self.jump(to);
                match unit {
                    Unit::Refusal => self.name_refusal(),
                    Unit::Part => self.name_part(),
                    Unit::Event | Unit::Hop | Unit::Call => {}
                }
                self.name_note();
            }
            (Unit::Part, Direction::Back, None) => {
                self.say(Tone::Plain, "no part of the story begins before this");
            }
            (Unit::Part, Direction::Forward, None) => {
                self.say(Tone::Plain, "no part of the story begins after this");
            }
            (Unit::Refusal, direction, None) => self.no_more_refusals(place, direction),
            (_, Direction::Back, None) => self.say(Tone::Plain, "this is the beginning"),
            (_, Direction::Forward, None) => self.say(Tone::Plain, "this is the end"),
        }
    }

    /// Where nothing was refused that way, something may have failed: the timeline shows both in red.
    fn no_more_refusals(&mut self, place: usize, direction: Direction) {
        let Source::Replay(player) = &self.source else {
            return;
        };
        let told = match direction {
            Direction::Back => "nothing was refused before this",
            Direction::Forward => "nothing is refused after this",
        };
        let told = match player.timeline.failure(place, direction) {
            Some(at) => format!("{told}; something failed at #{at}"),
            None => told.to_owned(),
        };
        self.say(Tone::Plain, told);
    }

    /// Says which part of the story begins here.
    fn name_part(&mut self) {
        let here = self.projection.marks().last().map(Mark::told);
        if let Some(text) = here {
            self.say(Tone::Plain, text);
        }
    }

    fn name_refusal(&mut self) {
        let row = self.projection.audit().rows().iter().next_back();
        if let Some(row) = row.filter(|row| row.is_refused_grant())
            && row.evidence.index() + 1 == self.place()
        {
            let why = row.reason.as_ref().or(row.error.as_ref());
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            return self.say(
                Tone::Bad,
                format!("the zone refused the client a token{why}"),
            );
        }
        let last = self.projection.hops().in_order().rev();
        let denied = last
            .take(64)
            .find(|hop| hop.verdict == crate::projection::Verdict::Denied);
        let call = denied.and_then(|hop| hop.call);
        if let Some(text) = self.refusal_of(call) {
            self.say(Tone::Bad, text);
        }
    }

    pub(super) fn play_or_pause(&mut self) {
        let (place, now_us) = (self.place(), self.now_us);
        let Source::Replay(player) = &mut self.source else {
            return;
        };
        if let Pace::Playing { .. } = player.pace() {
            return player.pause();
        }
        let place = if place == player.timeline.len() && player.growth() == Growth::Finished {
            self.jump(0);
            0
        } else {
            place
        };
        if let Source::Replay(player) = &mut self.source {
            player.play(place, now_us);
        }
        self.panes.flow.follow();
        self.panes.audit.follow();
        self.panes.trace.follow();
    }

    pub(super) fn change_speed(&mut self, change: impl Fn(Speed) -> Speed) {
        let (place, now_us) = (self.place(), self.now_us);
        if let Source::Replay(player) = &mut self.source {
            let speed = change(player.speed());
            player.set_speed(speed, place, now_us);
            self.say(Tone::Plain, format!("speed {}", speed.name()));
        }
    }

    pub(super) fn go_to_start(&mut self) {
        self.jump(0);
    }

    pub(super) fn go_to_end(&mut self) {
        self.jump(usize::MAX);
    }

    /// What a replay has to say to a command; `None` if it says nothing.
    pub(super) fn in_replay(&self, command: Command) -> Option<Availability> {
        let no = |why: &str| Some(Availability::Unavailable(why.to_owned()));
        let own = matches!(
            command,
            Command::Play
                | Command::Step(..)
                | Command::Slower
                | Command::Faster
                | Command::Start
                | Command::End
                | Command::Goto
                | Command::Bookmark
                | Command::Annotate
                | Command::Places
                | Command::Traces
        );
        match (&self.source, own) {
            (Source::Live, true) => no("only in a replay: hoptrail replay FILE"),
            (Source::Live, false) => None,
            (Source::Opening(opening), true) => match command {
                Command::Traces => Some(Availability::Ready),
                _ if opening.name.is_empty() => no("no trace is chosen yet"),
                _ => no("the trace is still being read"),
            },
            (Source::Replay(_), true) => match command {
                Command::Bookmark | Command::Annotate => self
                    .no_notes()
                    .map_or(Some(Availability::Ready), |why| no(&why)),
                Command::Places if !self.has_landmarks() => {
                    let key = self.keymap.shown(Command::Bookmark);
                    no(&format!(
                        "the trace has no marks and no notes: {key} sets a bookmark"
                    ))
                }
                _ => Some(Availability::Ready),
            },
            (Source::Opening(_) | Source::Replay(_), false) => match command {
                Command::SignIn
                | Command::ListTickets
                | Command::EscalateTicket
                | Command::DeleteIssue
                | Command::TogglePolicy
                | Command::CancelTask
                | Command::SignOut
                | Command::Refresh
                | Command::ReachEnd
                | Command::BeginChapter
                | Command::RunProbes
                | Command::ConsoleWork => {
                    if self.is_taken_over() {
                        let key = self.keymap.shown(Command::TakeOver);
                        no(&format!(
                            "this is a recording: {key} comes back to what is live"
                        ))
                    } else {
                        no("this is a replay: nothing is done anew")
                    }
                }
                Command::Record => no("this is a recording already"),
                Command::Freeze => no("a replay can be paused instead"),
                _ => None,
            },
        }
    }

    /// When the next event of a replay that plays is due.
    pub(super) fn replay_wake(&self) -> Option<u64> {
        match self.player()?.pace() {
            Pace::Playing { due_us } => Some(due_us / 1_000 * 1_000),
            Pace::Paused => None,
        }
    }
}
