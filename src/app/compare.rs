//! Two runs beside each other: the rows of the comparison, which one is selected, and what differs.
//!
//! The other run is whole. This one is whole too when it is a finished trace; a live one grows, and
//! what it has not come to yet is awaited, not missing.

mod rows;

use super::{
    App,
    overlay::Overlay,
    player::{Growth, Source},
    toast::Tone,
};
use crate::projection::{
    Comparison, HopId, Projection,
    compare::{Difference, HopPair, Pair, Relation, Tolerance},
};

pub use self::rows::{Reach, Row};

/// Above so many hops a live run is compared when the window is opened, not with each fact.
const LARGE: usize = 4_000;

/// A run that another is laid beside, as it is handed to the state machine.
#[derive(Debug, Clone)]
pub struct Against {
    /// What both are called: this one, the other.
    pub names: (String, String),
    /// The other's own title.
    pub title: Option<String>,
    pub projection: Projection,
    pub durations: Durations,
    /// What to tell of damage.
    pub warning: Option<String>,
}

/// Whether the two runs kept the same pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durations {
    Compared,
    /// One of them was recorded from services that were slowed down on purpose.
    LeftOut,
}

impl Durations {
    /// From where on a duration counts as another.
    #[must_use]
    pub fn tolerance(self) -> Tolerance {
        match self {
            Self::Compared => Tolerance::default(),
            Self::LeftOut => Tolerance {
                factor: f64::INFINITY,
                floor_us: u64::MAX,
            },
        }
    }
}

/// Two runs, laid beside each other.
#[derive(Debug, Clone)]
pub struct Compared {
    names: (String, String),
    title: Option<String>,
    other: Projection,
    durations: Durations,
    /// All of this run, where it is a trace that does not grow.
    whole: Option<Box<Projection>>,
    comparison: Comparison,
    rows: Vec<(Row, Reach)>,
    /// Where what is the same was unfolded: by its call and its first hop.
    unfolded: Vec<(usize, usize)>,
    selected: Option<usize>,
    stale: bool,
}

impl Compared {
    fn new(against: Against) -> Self {
        Self {
            names: against.names,
            title: against.title,
            other: against.projection,
            durations: against.durations,
            whole: None,
            comparison: Comparison {
                run: Vec::new(),
                calls: Vec::new(),
            },
            rows: Vec::new(),
            unfolded: Vec::new(),
            selected: None,
            stale: true,
        }
    }

    /// What both are called: this one, the other.
    #[must_use]
    pub const fn names(&self) -> &(String, String) {
        &self.names
    }

    /// The other's own title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The other run.
    #[must_use]
    pub const fn other(&self) -> &Projection {
        &self.other
    }

    #[must_use]
    pub const fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// Every row, in order.
    #[must_use]
    pub fn rows(&self) -> &[(Row, Reach)] {
        &self.rows
    }

    /// Whether durations count.
    #[must_use]
    pub const fn durations(&self) -> Durations {
        self.durations
    }

    /// The difference of the runs as wholes that is selected.
    #[must_use]
    pub fn current_of_run(&self) -> Option<&Difference> {
        match self.rows.get(self.selected())? {
            (row @ Row::Run(_), _) => self.difference(*row),
            (Row::Runs | Row::Call(_) | Row::Hop(..) | Row::Same(..) | Row::Detail(..), _) => None,
        }
    }

    /// Facts came since the runs were laid beside each other.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// The place of the selected row.
    #[must_use]
    pub fn selected(&self) -> usize {
        let last = self.rows.len().saturating_sub(1);
        self.selected
            .unwrap_or_else(|| self.first_choice())
            .min(last)
    }

    /// A trace: its first difference. A live run: as far as it has come.
    fn first_choice(&self) -> usize {
        if self.whole.is_some() {
            (0..self.rows.len())
                .find(|place| self.is_difference(*place))
                .or_else(|| self.choosable(0, 1))
                .unwrap_or(0)
        } else {
            let reached = |(row, reach): &(Row, Reach)| {
                matches!(row, Row::Call(_) | Row::Hop(..)) && *reach == Reach::Reached
            };
            self.rows.iter().rposition(reached).unwrap_or(0)
        }
    }

    /// The call of a row.
    #[must_use]
    pub fn call(&self, call: usize) -> Option<&Pair<HopPair>> {
        self.comparison.calls.get(call)
    }

    /// The pair of hops in a row; of a call its first.
    #[must_use]
    pub fn pair(&self, row: Row) -> Option<&HopPair> {
        match row {
            Row::Runs | Row::Run(_) | Row::Same(..) | Row::Detail(..) => None,
            Row::Call(call) => self.call(call)?.hops.first(),
            Row::Hop(call, hop) => self.call(call)?.hops.get(hop),
        }
    }

    /// The pair that is looked at closely.
    #[must_use]
    pub fn current(&self) -> Option<&HopPair> {
        let (row, _) = self.rows.get(self.selected())?;
        self.pair(*row)
    }

    /// A difference that a row shows.
    #[must_use]
    pub fn difference(&self, row: Row) -> Option<&Difference> {
        match row {
            Row::Run(place) => self.comparison.run.get(place),
            Row::Detail(call, None, place) => self.call(call)?.differences().get(place),
            Row::Detail(call, Some(hop), place) => {
                self.call(call)?.hops.get(hop)?.differences().get(place)
            }
            Row::Runs | Row::Call(_) | Row::Hop(..) | Row::Same(..) => None,
        }
    }

    fn is_difference(&self, place: usize) -> bool {
        match self.rows.get(place) {
            Some((Row::Run(_), Reach::Reached)) => true,
            Some((Row::Call(call), Reach::Reached)) => self
                .call(*call)
                .is_some_and(|pair| pair.standing != Relation::Same),
            Some((row @ Row::Hop(..), Reach::Reached)) => self
                .pair(*row)
                .is_some_and(|pair| pair.standing != Relation::Same),
            Some(
                (_, Reach::Awaited) | (Row::Runs | Row::Same(..) | Row::Detail(..), Reach::Reached),
            )
            | None => false,
        }
    }

    /// The next row from `place` on, in steps of `by`, that can be selected.
    fn choosable(&self, place: usize, by: isize) -> Option<usize> {
        let mut at = place;
        loop {
            match self.rows.get(at)? {
                (Row::Run(_) | Row::Call(_) | Row::Hop(..) | Row::Same(..), _) => return Some(at),
                (Row::Runs | Row::Detail(..), _) => at = at.checked_add_signed(by)?,
            }
        }
    }

    fn move_by(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        let to = self.selected().saturating_add_signed(by).min(last);
        let way = by.signum();
        let found = self.choosable(to, way).or_else(|| self.choosable(to, -way));
        if let Some(place) = found {
            self.selected = Some(place);
        }
    }

    fn select(&mut self, place: usize) {
        if let Some(place) = self.choosable(place, -1) {
            self.selected = Some(place);
        }
    }

    /// Selects the next difference that way; false if there is none.
    fn select_difference(&mut self, by: isize) -> bool {
        let mut at = self.selected();
        while let Some(next) = at.checked_add_signed(by).filter(|n| *n < self.rows.len()) {
            if self.is_difference(next) {
                self.selected = Some(next);
                return true;
            }
            at = next;
        }
        false
    }

    /// Selects the next pair of hops that way; false if there is none.
    fn select_hop(&mut self, by: isize) -> bool {
        let mut at = self.selected();
        while let Some(next) = at.checked_add_signed(by).filter(|n| *n < self.rows.len()) {
            let folded = self.unfold(next);
            let last = folded.filter(|_| by < 0).map_or(0, |count| count - 1);
            let next = next + last;
            if matches!(self.rows.get(next), Some((Row::Hop(..), _))) {
                self.selected = Some(next);
                return true;
            }
            at = next;
        }
        false
    }

    fn lay(&mut self, left: &Projection, growth: Growth) {
        let row = self.selected.and_then(|at| self.rows.get(at).copied());
        self.comparison = Comparison::of(left, &self.other, self.durations.tolerance());
        let lines = self.lines(growth == Growth::Followed);
        // A row that grows together with others would move under the reader's eyes.
        self.rows = match growth {
            Growth::Followed => lines,
            Growth::Finished => self.folded(&lines),
        };
        self.stale = false;
        if let Some((row, _)) = row {
            self.selected = self.rows.iter().position(|(other, _)| *other == row);
        }
    }
}

impl App {
    /// The two runs beside each other; `None` without another one.
    #[must_use]
    pub fn compared(&self) -> Option<&Compared> {
        self.compared.as_deref()
    }

    /// This run as it is compared.
    #[must_use]
    pub fn this_side(&self) -> &Projection {
        self.compared
            .as_ref()
            .and_then(|compared| compared.whole.as_deref())
            .unwrap_or(&self.projection)
    }

    /// The two hops that are looked at closely.
    #[must_use]
    pub fn both(&self) -> (Option<HopId>, Option<HopId>) {
        self.compared()
            .and_then(Compared::current)
            .map_or((None, None), |pair| pair.ids)
    }

    /// Another run came, to be laid beside this one; the window opens.
    pub(super) fn set_against(&mut self, against: Against) {
        if let Some(warning) = against.warning.clone() {
            let name = &against.names.1;
            self.say(Tone::Warning, format!("{name}: {warning}"));
        }
        self.compared = Some(Box::new(Compared::new(against)));
        self.take_whole();
        if matches!(self.source, Source::Opening(_) | Source::Replay(_)) {
            self.open_comparison();
        }
    }

    /// A trace that does not grow is compared as a whole, wherever its cursor is.
    pub(super) fn take_whole(&mut self) {
        let whole = match &self.source {
            Source::Replay(player) if player.growth() == Growth::Finished => {
                Some(Box::new(player.timeline().at(usize::MAX)))
            }
            _ => None,
        };
        if let Some(compared) = &mut self.compared {
            compared.whole = whole;
            compared.stale = true;
        }
    }

    /// Another trace is shown on this side.
    pub(super) fn call_this_side(&mut self, name: &str) {
        if let Some(compared) = &mut self.compared {
            name.clone_into(&mut compared.names.0);
        }
    }

    /// Facts came.
    pub(super) fn outdate(&mut self) {
        if let Some(compared) = &mut self.compared
            && compared.whole.is_none()
        {
            compared.stale = true;
        }
    }

    fn shows_comparison(&self) -> bool {
        let open = |overlay: &Overlay| matches!(overlay, Overlay::Compare | Overlay::Both { .. });
        self.overlays.iter().any(open)
    }

    /// Brings what the next frame shows up to date with the facts. Call it before drawing: a flood
    /// of facts is then compared once a frame and not once a fact.
    pub fn prepare(&mut self) {
        let small = |hops: usize| hops <= LARGE;
        let wanted = self.shows_comparison()
            && self.compared().is_some_and(|compared| {
                let hops = self.this_side().hops().len() + compared.other.hops().len();
                let waits = matches!(self.source, Source::Opening(_));
                compared.stale && !waits && (compared.rows.is_empty() || small(hops))
            });
        if wanted {
            self.lay_anew();
        }
    }

    fn lay_anew(&mut self) {
        let Some(mut compared) = self.compared.take() else {
            return;
        };
        match compared.whole.take() {
            Some(whole) => {
                compared.lay(&whole, Growth::Finished);
                compared.whole = Some(whole);
            }
            None => compared.lay(&self.projection, Growth::Followed),
        }
        self.compared = Some(compared);
    }

    /// Opens the comparison, or closes it.
    pub(super) fn turn_comparison(&mut self) {
        if self.shows_comparison() {
            self.overlays
                .retain(|open| !matches!(open, Overlay::Compare | Overlay::Both { .. }));
        } else {
            self.open_comparison();
        }
    }

    fn open_comparison(&mut self) {
        if self.compared.as_ref().is_some_and(|c| c.stale)
            && !matches!(self.source, Source::Opening(_))
        {
            self.lay_anew();
        }
        if !self.shows_comparison() {
            self.overlays.push(Overlay::Compare);
        }
    }

    pub(super) fn move_in_comparison(&mut self, by: isize) {
        if let Some(compared) = &mut self.compared {
            compared.move_by(by);
        }
    }

    pub(super) fn select_in_comparison(&mut self, place: usize) {
        if let Some(compared) = &mut self.compared {
            compared.select(place);
        }
    }

    pub(super) fn step_difference(&mut self, by: isize) {
        let Some(compared) = &mut self.compared else {
            return;
        };
        if compared.select_difference(by) {
            self.toast = None;
            self.rewind_both();
        } else {
            let text = match by {
                _ if compared.comparison().is_same() => "nothing differs",
                1.. => "nothing differs after this",
                _ => "nothing differs before this",
            };
            self.say(Tone::Plain, text);
        }
    }

    /// The next pair of hops, while two are looked at closely.
    pub(super) fn step_both(&mut self, by: isize) {
        if self.compared.as_mut().is_some_and(|c| c.select_hop(by)) {
            self.rewind_both();
        }
    }

    fn rewind_both(&mut self) {
        if let Some(Overlay::Both { scroll, .. }) = self.overlays.last_mut() {
            *scroll = 0;
        }
    }

    /// Opens both hops of the selected row; where it stands for several, shows them one by one.
    pub(super) fn open_both(&mut self) {
        if let Some(compared) = &mut self.compared {
            let selected = compared.selected();
            if compared.unfold(selected).is_some() {
                compared.selected = Some(selected);
                return;
            }
        }
        let of_run = self.compared().and_then(Compared::current_of_run);
        if of_run.is_none() && self.both() == (None, None) {
            self.say(Tone::Plain, "this row has no hop to open");
        } else {
            self.overlays.push(Overlay::Both { tab: 0, scroll: 0 });
        }
    }
}
