//! Playing a recorded trace: where the cursor is, how fast it moves, what waits to be seen.
//!
//! Pure: time comes in with ticks, on the run's own clock. Must not draw and must not read files.

use super::panes::flow::{FlowIndex, Whole};
use crate::projection::{Hops, Timeline};

/// Gaps of the recording longer than this are shortened to it, in microseconds: nobody wants to
/// watch a person read a consent page.
pub const LONGEST_GAP_US: u64 = 2_000_000;

/// Where what is shown comes from.
#[derive(Debug, Clone, Default)]
pub enum Source {
    /// Things happen now.
    #[default]
    Live,
    /// A trace is being read.
    Opening(Opening),
    /// A trace is shown.
    Replay(Box<Player>),
}

/// A trace that is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The file's name.
    pub name: String,
    /// How much of it is read, in hundredths; 0 for what comes through a pipe, whose length nobody knows.
    pub percent: u8,
    /// Nobody has begun to write it.
    pub awaited: bool,
}

/// Whether the file may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    Finished,
    /// Another process writes it, into a file or a pipe, and we look on.
    Followed,
}

/// A trace that was read, as it is handed to the state machine.
#[derive(Debug, Clone)]
pub struct Tape {
    pub timeline: Timeline,
    /// What the trace calls itself, or the file's name.
    pub title: String,
    pub growth: Growth,
    /// What to tell the person of damage; empty for a whole file.
    pub warning: Option<String>,
}

/// A trace and how it is played. The cursor is the length of the projection's log.
#[derive(Debug, Clone)]
pub struct Player {
    pub(super) timeline: Timeline,
    /// The flow's rows of the whole trace, once they were needed.
    whole: Option<Whole>,
    title: String,
    growth: Growth,
    pace: Pace,
    speed: Speed,
}

/// Whether the cursor moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    Paused,
    /// The next event happens at this microsecond of our own run.
    Playing {
        due_us: u64,
    },
}

/// How fast; 1 is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(usize);

/// Numerator and denominator of every speed, and how it is written.
const SPEEDS: [(u64, u64, &str); 7] = [
    (1, 4, "0.25×"),
    (1, 2, "0.5×"),
    (1, 1, "1×"),
    (2, 1, "2×"),
    (4, 1, "4×"),
    (8, 1, "8×"),
    (16, 1, "16×"),
];

impl Default for Speed {
    fn default() -> Self {
        Self(2)
    }
}

impl Speed {
    /// The next faster one; the fastest stays.
    #[must_use]
    pub fn faster(self) -> Self {
        Self((self.0 + 1).min(SPEEDS.len() - 1))
    }

    /// The next slower one; the slowest stays.
    #[must_use]
    pub const fn slower(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// As it is shown: `0.25×`.
    #[must_use]
    pub fn name(self) -> &'static str {
        SPEEDS.get(self.0).map_or("", |(_, _, name)| name)
    }

    /// How long a gap of the recording takes at this speed, long ones shortened.
    #[must_use]
    pub fn gap(self, micros: u64) -> u64 {
        let (times, per, _) = SPEEDS.get(self.0).copied().unwrap_or((1, 1, ""));
        micros.min(LONGEST_GAP_US) * per / times
    }
}

impl Player {
    /// Ready to play, paused.
    #[must_use]
    pub fn new(tape: Tape) -> Self {
        Self {
            timeline: tape.timeline,
            whole: None,
            title: tape.title,
            growth: tape.growth,
            pace: Pace::Paused,
            speed: Speed::default(),
        }
    }

    /// The whole trace.
    #[must_use]
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What the trace calls itself.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    #[must_use]
    pub const fn growth(&self) -> Growth {
        self.growth
    }

    #[must_use]
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    #[must_use]
    pub const fn speed(&self) -> Speed {
        self.speed
    }

    /// Nothing more comes: from here on it is a finished trace.
    pub(super) fn end(&mut self) {
        self.timeline.close();
        self.growth = Growth::Finished;
    }

    /// The flow's rows of the whole trace, folded as `index` folds them, and its hops.
    pub(super) fn whole(&mut self, index: &FlowIndex) -> (&Whole, &Hops) {
        let end = self.timeline.end();
        let kept = self.whole.take().filter(|whole| whole.fits(index, end));
        let whole = kept.unwrap_or_else(|| index.whole(end));
        (self.whole.insert(whole), end.hops())
    }

    /// Lets the cursor stand.
    pub const fn pause(&mut self) {
        self.pace = Pace::Paused;
    }

    /// Lets the cursor move from `place` on, from now.
    pub fn play(&mut self, place: usize, now_us: u64) {
        self.pace = match self.timeline.next_us(place) {
            Some(next_us) => Pace::Playing {
                due_us: now_us + self.gap_before(place, next_us),
            },
            None => Pace::Paused,
        };
    }

    /// Moves at another speed, the gap that is running included.
    pub fn set_speed(&mut self, speed: Speed, place: usize, now_us: u64) {
        self.speed = speed;
        if matches!(self.pace, Pace::Playing { .. }) {
            self.play(place, now_us);
        }
    }

    /// True if the event behind `place` happens by now; it is then taken as happened, and the one
    /// after it is due next.
    pub fn takes(&mut self, place: usize, now_us: u64) -> bool {
        let Pace::Playing { due_us } = self.pace else {
            return false;
        };
        // Ticks count milliseconds: what is due within this one is due.
        if due_us / 1_000 > now_us / 1_000 || place >= self.timeline.len() {
            return false;
        }
        self.pace = match self.timeline.next_us(place + 1) {
            Some(next_us) => Pace::Playing {
                due_us: due_us + self.gap_before(place + 1, next_us),
            },
            None => Pace::Paused,
        };
        true
    }

    fn gap_before(&self, place: usize, next_us: u64) -> u64 {
        self.speed
            .gap(next_us.saturating_sub(self.timeline.time_at(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_go_from_a_quarter_to_sixteen_and_long_gaps_are_shortened() {
        let mut speed = Speed::default();
        assert_eq!((speed.name(), speed.gap(1_000)), ("1×", 1_000));
        for _ in 0..9 {
            speed = speed.slower();
        }
        assert_eq!((speed.name(), speed.gap(1_000)), ("0.25×", 4_000));
        for _ in 0..9 {
            speed = speed.faster();
        }
        assert_eq!((speed.name(), speed.gap(1_600)), ("16×", 100));
        assert_eq!(Speed::default().gap(60_000_000), LONGEST_GAP_US);
    }
}
