//! A whole trace, and the projection at any place in it.
//!
//! A place is the number of events that have happened: 0 is before the first. Going anywhere is
//! folding on from the nearest checkpoint before it; checkpoints share all rows that did not change
//! between them. Must not know how a person moves or what is drawn.

use chrono::{DateTime, Utc};

use super::{Log, Projection, Seq};
use crate::trace::{TraceEvent, lines::SharedLines};

mod marks;

pub use marks::Marks;
use marks::Origin;

/// Events from one checkpoint to the next, in a short trace.
const CLOSEST: usize = 256;
/// Events from one checkpoint to the next, in a long one: folding so many is what a jump costs.
const FARTHEST: usize = 2_048;
/// Checkpoints in a trace before they stand farther apart.
const MANY: usize = 64;

/// A trace that is read to its end, or to as much of it as there is.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// When each event happened, in microseconds of the run; never runs backwards.
    times: Vec<u64>,
    checkpoints: Vec<Projection>,
    /// Events from one checkpoint to the next.
    spacing: usize,
    /// The projection behind the last event.
    head: Projection,
    /// Nothing more will come.
    closed: bool,
    marks: Marks,
    /// What the marks were made of, from the first settling until nothing more comes.
    origin: Option<Origin>,
}

/// What a step goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    Event,
    Hop,
    Call,
    Refusal,
    /// Where a part of the story begins.
    Part,
}

/// How an event's line is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Line(String),
    /// By the byte of the source at which it begins.
    At(u64),
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    Back,
    Forward,
}

impl Timeline {
    /// An empty timeline of a run that began at `started`; it takes events until [`Self::close`].
    #[must_use]
    pub fn open(started: Option<DateTime<Utc>>) -> Self {
        Self::beginning(started.map_or_else(Projection::default, Projection::starting))
    }

    /// [`Self::open`] for a trace whose lines lie in `source`: it takes events by [`Self::take`].
    #[must_use]
    pub fn reading(started: DateTime<Utc>, source: SharedLines) -> Self {
        Self::beginning(Projection::reading(started, source))
    }

    /// The whole timeline of a trace that was read to its end, whose lines stay where they lie. Ends
    /// early where they cannot be read any more: its [`Self::len`] tells.
    #[must_use]
    pub fn again(end: &Projection) -> Self {
        let mut timeline = Self::open(end.started);
        while let Some(event) = end.log.skim(Seq::at(timeline.len())) {
            if !timeline.takes(&event) || timeline.head.advance(&end.log).is_none() {
                break;
            }
        }
        timeline.close();
        timeline
    }

    fn beginning(head: Projection) -> Self {
        Self {
            times: Vec::new(),
            checkpoints: vec![head.without_log()],
            spacing: CLOSEST,
            head,
            closed: false,
            marks: Marks::default(),
            origin: None,
        }
    }

    /// Takes the next event and the line that it was read from. After [`Self::close`] nothing is
    /// taken any more.
    pub fn push(&mut self, event: &TraceEvent, line: &str) {
        if self.takes(event) {
            self.head.apply_line(event, line);
            self.touched();
        }
    }

    /// [`Self::push`], with the line or where it begins.
    pub fn take(&mut self, event: &TraceEvent, kept: Kept) {
        if self.takes(event) {
            self.head.take(event, kept);
            self.touched();
        }
    }

    fn takes(&mut self, event: &TraceEvent) -> bool {
        if self.closed {
            return false;
        }
        let place = self.times.len();
        if place > 0 && place.is_multiple_of(self.spacing) {
            self.checkpoints.push(self.head.without_log());
            self.thin_out();
        }
        let last = self.times.last().copied().unwrap_or(0);
        self.times.push(event.at_us.max(last));
        true
    }

    /// Close together in a short trace, far apart in a long one. The first one always stays.
    fn thin_out(&mut self) {
        if self.checkpoints.len() > MANY && self.spacing < FARTHEST {
            self.spacing *= 2;
            let mut number = 0;
            self.checkpoints.retain(|_| {
                number += 1;
                number % 2 == 1
            });
        }
    }

    /// Takes note of what the last event changed, if the marks are made already.
    fn touched(&mut self) {
        if let (Some(origin), Some(seq)) = (&mut self.origin, self.head.log.last()) {
            origin.touch(self.head.hops.all_touched_by(seq));
        }
    }

    /// Brings the marks up to what was pushed. The first time costs the whole trace, each later one
    /// what came since.
    pub fn settle(&mut self) {
        if let Some(origin) = &mut self.origin {
            origin.bring(&mut self.marks, &self.head);
        } else {
            let (marks, origin) = Marks::of(&self.head);
            self.marks = marks;
            self.origin = Some(origin);
        }
    }

    /// [`Self::settle`] for the last time: nothing more will come.
    pub fn close(&mut self) {
        self.settle();
        self.origin = None;
        self.times.shrink_to_fit();
        self.closed = true;
    }

    /// The number of events, which is the last place.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.head.log.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.head.log.is_empty()
    }

    /// Every line of the trace but the header's.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.head.log
    }

    /// The projection behind the last event.
    #[must_use]
    pub const fn end(&self) -> &Projection {
        &self.head
    }

    #[must_use]
    pub const fn marks(&self) -> &Marks {
        &self.marks
    }

    /// When the event behind `place` happens, in microseconds of the run; `None` at the end.
    #[must_use]
    pub fn next_us(&self, place: usize) -> Option<u64> {
        self.times
            .get(place)
            .copied()
            .filter(|_| place < self.len())
    }

    /// The time at a place: that of the last event before it.
    #[must_use]
    pub fn time_at(&self, place: usize) -> u64 {
        place
            .min(self.len())
            .checked_sub(1)
            .and_then(|last| self.times.get(last))
            .copied()
            .unwrap_or(0)
    }

    /// When the last event happens, in microseconds of the run.
    #[must_use]
    pub fn lasts_us(&self) -> u64 {
        self.time_at(self.len())
    }

    /// The nearest place this way where a hop is known to have failed, which is no refusal.
    #[must_use]
    pub fn failure(&self, place: usize, direction: Direction) -> Option<usize> {
        nearest(self.marks.failed(), place, direction)
    }

    /// The place at which everything up to this microsecond has happened.
    #[must_use]
    pub fn place_at(&self, at_us: u64) -> usize {
        self.times
            .partition_point(|time| *time <= at_us)
            .min(self.len())
    }

    /// The projection at a place.
    #[must_use]
    pub fn at(&self, place: usize) -> Projection {
        let mut projection = self.nearest(place);
        // What cannot be read any more is told by who asked for the place.
        let _ = self.go_on(&mut projection, place);
        projection
    }

    /// Brings a projection of this trace to a place, from where it is or from a checkpoint,
    /// whichever is nearer.
    ///
    /// # Errors
    /// A few words, if the lines on the way cannot be read any more; the projection then stands as
    /// near as it came.
    pub fn bring(&self, projection: &mut Projection, place: usize) -> Result<(), String> {
        let place = place.min(self.len());
        let here = projection.log.len();
        if here > place || self.checkpoint_before(place) > here || place == self.len() {
            *projection = self.nearest(place);
        }
        self.go_on(projection, place)
    }

    /// Folds the next event; tells it as [`codec::skim`](crate::trace::codec::skim) reads it, or
    /// `None` at the end, and where its line cannot be read any more.
    pub fn advance(&self, projection: &mut Projection) -> Option<TraceEvent> {
        projection.advance(&self.head.log)
    }

    fn go_on(&self, projection: &mut Projection, place: usize) -> Result<(), String> {
        let place = place.min(self.len());
        while projection.log.len() < place {
            let here = projection.log.len();
            if self.advance(projection).is_none() {
                return Err(self.unreadable(here));
            }
        }
        Ok(())
    }

    /// Why [`Self::advance`] does not go on from `place`, though it is not the end, in a few words.
    #[must_use]
    pub fn unreadable(&self, place: usize) -> String {
        let why = self.head.log.read(Seq::at(place)).err();
        let why = why.unwrap_or_else(|| "its line is another one now".to_owned());
        format!("event {} cannot be read any more: {why}", place + 1)
    }

    /// The place of the last checkpoint that is not behind `place`.
    fn checkpoint_before(&self, place: usize) -> usize {
        let last = self.checkpoints.len().saturating_sub(1);
        self.spacing * (place / self.spacing).min(last)
    }

    /// The nearest projection that is kept.
    fn nearest(&self, place: usize) -> Projection {
        if place >= self.len() {
            return self.head.clone();
        }
        let at = self.checkpoint_before(place);
        let kept = self.checkpoints.get(at / self.spacing);
        let kept = kept.cloned().unwrap_or_default();
        kept.with_log(self.head.log.prefix(at))
    }

    /// Where a step of this kind leads; `None` if there is nothing that way.
    #[must_use]
    pub fn step(&self, place: usize, unit: Unit, direction: Direction) -> Option<usize> {
        let end = self.len();
        let marks = match unit {
            Unit::Event => {
                return match direction {
                    Direction::Back => place.checked_sub(1),
                    Direction::Forward => (place < end).then_some(place + 1),
                };
            }
            Unit::Hop => self.marks.hops(),
            Unit::Call => self.marks.calls(),
            Unit::Refusal => self.marks.denied(),
            Unit::Part => self.marks.part_marks(),
        };
        let found = nearest(marks, place, direction);
        // Over the last hop or call lies the end, before the first the beginning; a refusal that
        // is not there is not found.
        match (unit, direction) {
            (Unit::Event | Unit::Refusal | Unit::Part, _) => found,
            (Unit::Hop | Unit::Call, Direction::Back) => found.or((place > 0).then_some(0)),
            (Unit::Hop | Unit::Call, Direction::Forward) => found.or((place < end).then_some(end)),
        }
    }
}

/// The nearest of the sorted places that way.
fn nearest(marks: &[u32], place: usize, direction: Direction) -> Option<usize> {
    let found = match direction {
        Direction::Back => {
            let before = marks.partition_point(|mark| (*mark as usize) < place);
            before.checked_sub(1).and_then(|at| marks.get(at))
        }
        Direction::Forward => marks.get(marks.partition_point(|mark| *mark as usize <= place)),
    };
    found.map(|mark| *mark as usize)
}
