//! A whole trace, and the projection at any place in it.
//!
//! A place is the number of events that have happened: 0 is before the first. Going back is folding
//! again from the nearest checkpoint; the log's text is there once, whatever looks at it. Must not
//! know how a person moves or what is drawn.

use chrono::{DateTime, Utc};

use super::{HopKind, Log, Projection, Seq, Verdict};
use crate::trace::{TraceEvent, event::Leg};

/// The closest that checkpoints stand.
const CLOSEST: usize = 256;
/// What one event adds to every later checkpoint, in bytes: rows and the indices to them.
const PER_EVENT: usize = 200;
/// Bytes that all checkpoints together may take; above it every second one goes.
const ROOM: usize = 96 * 1024 * 1024;

/// A trace that is read to its end, or to as much of it as there is.
#[derive(Debug, Clone)]
pub struct Timeline {
    started: Option<DateTime<Utc>>,
    log: Log,
    /// When each event happened, in microseconds of the run; never runs backwards.
    times: Vec<u64>,
    checkpoints: Vec<Projection>,
    /// Events from one checkpoint to the next.
    spacing: usize,
    /// The projection at the end, while more may come.
    head: Option<Projection>,
    marks: Marks,
}

/// Places that a person may want to go to; each is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Where a hop is known to have gone well.
    good: Vec<u32>,
    /// Where a hop is known to have gone wrong.
    failed: Vec<u32>,
    /// Where a hop is known to have been refused.
    denied: Vec<u32>,
    /// Where a hop was seen whose end nobody told, or one that was asked for a token.
    plain: Vec<u32>,
    /// Every one of these, once.
    hops: Vec<u32>,
    /// Before each tool call begins, so that all of the one before is seen.
    calls: Vec<u32>,
}

/// What a step goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    Event,
    Hop,
    Call,
    Refusal,
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
        Self {
            started,
            log: Log::default(),
            times: Vec::new(),
            checkpoints: Vec::new(),
            spacing: CLOSEST,
            head: Some(blank(started)),
            marks: Marks::default(),
        }
    }

    /// Takes the next event and the line that it was read from. After [`Self::close`] nothing is
    /// taken any more.
    pub fn push(&mut self, event: &TraceEvent, line: &str) {
        let Some(head) = &mut self.head else { return };
        let place = self.times.len();
        if place > 0 && place.is_multiple_of(self.spacing) {
            self.checkpoints.push(head.without_log());
            self.thin_out(place);
        }
        if let Some(head) = &mut self.head {
            head.apply_line(event, line);
        }
        let last = self.times.last().copied().unwrap_or(0);
        self.times.push(event.at_us.max(last));
    }

    /// Checkpoints grow with their place: far apart in a long trace, so that memory stays bounded.
    fn thin_out(&mut self, place: usize) {
        let count = self.checkpoints.len();
        if count > 2 && count * place / 2 * PER_EVENT > ROOM {
            self.spacing *= 2;
            let mut number = 0;
            self.checkpoints.retain(|_| {
                number += 1;
                number % 2 == 0
            });
        }
    }

    /// Brings marks and log up to what was pushed.
    pub fn settle(&mut self) {
        if let Some(head) = &self.head {
            self.log = head.log.clone();
            self.marks = Marks::of(head);
        }
    }

    /// [`Self::settle`] for the last time: nothing more will come.
    pub fn close(&mut self) {
        self.settle();
        self.head = None;
    }

    /// The number of events, which is the last place.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.log.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// Every line of the trace but the header's.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
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
        let place = place.min(self.len());
        let mut projection = self.checkpoint(place);
        self.go_on(&mut projection, place);
        projection
    }

    /// Brings a projection of this trace to a place, from where it is or from a checkpoint,
    /// whichever is nearer.
    pub fn bring(&self, projection: &mut Projection, place: usize) {
        let place = place.min(self.len());
        let here = projection.log.len();
        if here > place || place - here > place - self.nearest(place) {
            *projection = self.checkpoint(place);
        }
        self.go_on(projection, place);
    }

    /// Folds the next event; tells it, or `None` at the end.
    pub fn advance(&self, projection: &mut Projection) -> Option<TraceEvent> {
        projection.advance(&self.log)
    }

    fn go_on(&self, projection: &mut Projection, place: usize) {
        while projection.log.len() < place {
            let before = projection.log.len();
            let _ = projection.advance(&self.log);
            if projection.log.len() == before {
                return;
            }
        }
    }

    /// The place of the last checkpoint that is not behind `place`.
    fn nearest(&self, place: usize) -> usize {
        self.spacing * (place / self.spacing).min(self.checkpoints.len())
    }

    fn checkpoint(&self, place: usize) -> Projection {
        let at = self.nearest(place);
        (at / self.spacing)
            .checked_sub(1)
            .and_then(|number| self.checkpoints.get(number))
            .map_or_else(
                || blank(self.started),
                |kept| kept.clone().with_log(self.log.prefix(at)),
            )
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
            Unit::Hop => &self.marks.hops,
            Unit::Call => &self.marks.calls,
            Unit::Refusal => &self.marks.denied,
        };
        let found = match direction {
            Direction::Back => {
                let before = marks.partition_point(|mark| (*mark as usize) < place);
                before.checked_sub(1).map(|at| marks[at] as usize)
            }
            Direction::Forward => {
                let after = marks.partition_point(|mark| *mark as usize <= place);
                marks.get(after).map(|mark| *mark as usize)
            }
        };
        // Over the last hop or call lies the end, before the first the beginning; a refusal that
        // is not there is not found.
        match (unit, direction) {
            (Unit::Event | Unit::Refusal, _) => found,
            (Unit::Hop | Unit::Call, Direction::Back) => found.or((place > 0).then_some(0)),
            (Unit::Hop | Unit::Call, Direction::Forward) => found.or((place < end).then_some(end)),
        }
    }
}

fn blank(started: Option<DateTime<Utc>>) -> Projection {
    started.map_or_else(Projection::default, Projection::starting)
}

impl Marks {
    fn of(projection: &Projection) -> Self {
        let mut marks = Self::default();
        for hop in projection.hops().rows() {
            // What the program reads of the zone is no part of the story.
            if hop.leg == Some(Leg::Console) {
                continue;
            }
            let evidence = hop.evidence;
            let ends = match hop.kind {
                HopKind::Request | HopKind::Browser => [evidence.returned, None, None],
                HopKind::Exchange => [evidence.audit, evidence.step, None],
                HopKind::Upstream => [evidence.upstream, evidence.step, evidence.returned],
            };
            let told = ends.into_iter().flatten().min();
            let Some(seq) = told.or_else(|| evidence.iter().min()) else {
                continue;
            };
            // A request without a token is meant to be refused: that is how the client learns whom
            // to ask, and nothing to stop at.
            let asks = hop.kind == HopKind::Request && hop.status == Some(401);
            let list = match hop.verdict {
                Verdict::Denied if asks => &mut marks.plain,
                Verdict::Pending => &mut marks.plain,
                Verdict::Ok => &mut marks.good,
                Verdict::Failed => &mut marks.failed,
                Verdict::Denied => &mut marks.denied,
            };
            list.push(behind(seq));
        }
        let calls = projection.tools().calls().iter();
        marks.calls = calls
            .filter_map(|call| u32::try_from(call.started.index()).ok())
            .collect();
        for list in [
            &mut marks.good,
            &mut marks.failed,
            &mut marks.denied,
            &mut marks.plain,
            &mut marks.calls,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        marks.hops = [&marks.good, &marks.failed, &marks.denied, &marks.plain]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        marks.hops.sort_unstable();
        marks.hops.dedup();
        marks
    }

    /// The worst that is known of the hops that end at a place in `from..to`; `None` without any.
    #[must_use]
    pub fn worst(&self, from: usize, to: usize) -> Option<Verdict> {
        [
            (&self.denied, Verdict::Denied),
            (&self.failed, Verdict::Failed),
            (&self.good, Verdict::Ok),
            (&self.plain, Verdict::Pending),
        ]
        .into_iter()
        .find(|(list, _)| {
            let first = list.partition_point(|mark| (*mark as usize) < from);
            list.get(first).is_some_and(|mark| (*mark as usize) < to)
        })
        .map(|(_, verdict)| verdict)
    }

    /// The number of refused hops.
    #[must_use]
    pub const fn refusals(&self) -> usize {
        self.denied.len()
    }
}

/// The place right behind an event.
fn behind(seq: Seq) -> u32 {
    u32::try_from(seq.index() + 1).unwrap_or(u32::MAX)
}
