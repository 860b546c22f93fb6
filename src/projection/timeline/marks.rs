//! Where in a trace a person may want to go: the ends of its hops, its calls, its parts.
//!
//! Made whole once; while the trace grows, what changed is taken out and put in again.

use crate::{
    projection::{Hop, HopId, HopKind, Hops, Part, Projection, Seq, Verdict},
    trace::event::Leg,
};

/// Places that a person may want to go to; each list is sorted, with a place for every hop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Where a hop is known to have gone well.
    good: Vec<u32>,
    /// Where a hop is known to have gone wrong.
    failed: Vec<u32>,
    /// Where a hop is known to have been refused, once for each refusal, and where the zone wrote that it
    /// refused the client a token.
    denied: Vec<u32>,
    /// Where a hop was seen whose end nobody told, one that was asked for a token, or a call's request
    /// behind the refusal that ended it.
    plain: Vec<u32>,
    /// Every one of these.
    hops: Vec<u32>,
    /// Before each tool call begins, so that all of the one before is seen.
    calls: Vec<u32>,
    /// Where a part of the story begins.
    parts: Vec<u32>,
    /// What begins at each of them.
    begins: Vec<Part>,
    /// Audit rows that are in.
    rows: usize,
}

/// Which list a hop's place is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Good,
    Failed,
    Denied,
    Plain,
}

/// What the marks of a trace that grows were made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// Each hop's own place.
    places: Vec<Option<(List, u32)>>,
    /// Hops that changed since.
    touched: Vec<HopId>,
}

impl Origin {
    pub(super) fn touch(&mut self, hops: impl Iterator<Item = HopId>) {
        self.touched.extend(hops);
    }

    /// Brings the marks up to a projection whose changes were all noted.
    pub(super) fn bring(&mut self, marks: &mut Marks, projection: &Projection) {
        self.places.resize(projection.hops().len(), None);
        self.touched.sort_unstable();
        self.touched.dedup();
        for id in self.touched.drain(..) {
            let Some(place) = self.places.get_mut(id.index()) else {
                continue;
            };
            let hops = projection.hops();
            let now = hops.get(id).and_then(|hop| place_of(hops, hop));
            let before = std::mem::replace(place, now);
            if before == now {
                continue;
            }
            if let Some((list, place)) = before {
                take_out(marks.list(list), place);
                take_out(&mut marks.hops, place);
            }
            if let Some((list, place)) = now {
                put_in(marks.list(list), place);
                put_in(&mut marks.hops, place);
            }
        }
        marks.go_on(projection);
    }
}

fn take_out(list: &mut Vec<u32>, place: u32) {
    if let Ok(at) = list.binary_search(&place) {
        list.remove(at);
    }
}

fn put_in(list: &mut Vec<u32>, place: u32) {
    let at = list.partition_point(|mark| *mark <= place);
    list.insert(at, place);
}

/// Where a hop is known to have ended, and how.
fn place_of(hops: &Hops, hop: &Hop) -> Option<(List, u32)> {
    // What the program reads of the zone is no part of the story.
    if hop.leg == Some(Leg::Console) {
        return None;
    }
    let evidence = hop.evidence;
    let ends = match hop.kind {
        HopKind::Request | HopKind::Browser => [evidence.returned, None, None],
        // Its row names the policy, so it is what there is to stop at.
        HopKind::Exchange if hop.verdict == Verdict::Denied => {
            [evidence.audit.or(evidence.step), None, None]
        }
        HopKind::Exchange => [evidence.audit, evidence.step, None],
        HopKind::Upstream => [evidence.upstream, evidence.step, evidence.returned],
    };
    let told = ends.into_iter().flatten().min();
    let seq = told.or_else(|| evidence.iter().min())?;
    // A request without a token is meant to be refused: that is how the client learns whom to ask,
    // and nothing to stop at.
    let asks = hop.kind == HopKind::Request && hop.status == Some(401);
    let list = match hop.verdict {
        Verdict::Denied if asks || hops.repeats_a_refusal(hop) => List::Plain,
        Verdict::Pending | Verdict::Held => List::Plain,
        Verdict::Ok => List::Good,
        Verdict::Failed => List::Failed,
        Verdict::Denied => List::Denied,
    };
    Some((list, behind(seq)))
}

impl Marks {
    /// The marks of a projection, and what they were made of.
    pub(super) fn of(projection: &Projection) -> (Self, Origin) {
        let mut marks = Self::default();
        let hops = projection.hops();
        let places: Vec<_> = hops.rows().iter().map(|hop| place_of(hops, hop)).collect();
        for (list, place) in places.iter().flatten() {
            marks.list(*list).push(*place);
            marks.hops.push(*place);
        }
        for list in [
            &mut marks.good,
            &mut marks.failed,
            &mut marks.denied,
            &mut marks.plain,
            &mut marks.hops,
        ] {
            list.sort_unstable();
        }
        marks.go_on(projection);
        let origin = Origin {
            places,
            touched: Vec::new(),
        };
        (marks, origin)
    }

    /// Adds the calls, parts and audit rows that are not in yet: they stand in the order in which they
    /// came.
    fn go_on(&mut self, projection: &Projection) {
        for part in projection.marks().from(self.parts.len()) {
            self.parts.push(behind(part.evidence));
            self.begins.push(part.part);
        }
        for row in projection.audit().rows().from(self.rows) {
            if row.is_refused_grant() {
                put_in(&mut self.denied, behind(row.evidence));
            }
        }
        self.rows = projection.audit().rows().len();
        for call in projection.tools().calls().from(self.calls.len()) {
            let place = u32::try_from(call.started.index()).unwrap_or(u32::MAX);
            self.calls.push(place);
        }
    }

    const fn list(&mut self, list: List) -> &mut Vec<u32> {
        match list {
            List::Good => &mut self.good,
            List::Failed => &mut self.failed,
            List::Denied => &mut self.denied,
            List::Plain => &mut self.plain,
        }
    }

    pub(super) fn hops(&self) -> &[u32] {
        &self.hops
    }

    pub(super) fn calls(&self) -> &[u32] {
        &self.calls
    }

    pub(super) fn denied(&self) -> &[u32] {
        &self.denied
    }

    pub(super) fn failed(&self) -> &[u32] {
        &self.failed
    }

    pub(super) fn part_marks(&self) -> &[u32] {
        &self.parts
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

    /// The first part of the story that begins at a place in `from..to`.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Option<Part> {
        let first = self.parts.partition_point(|mark| (*mark as usize) < from);
        let place = *self.parts.get(first)? as usize;
        self.begins.get(first).copied().filter(|_| place < to)
    }

    /// Where a part begins, the first time; `None` if the trace has no mark of it.
    #[must_use]
    pub fn beginning_of(&self, part: Part) -> Option<usize> {
        let found = self.begins.iter().position(|one| *one == part)?;
        self.parts.get(found).map(|mark| *mark as usize)
    }

    /// Every place where a part of the story begins, in order.
    pub fn parts(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().map(|mark| *mark as usize)
    }
}

/// The place right behind an event.
fn behind(seq: Seq) -> u32 {
    u32::try_from(seq.index() + 1).unwrap_or(u32::MAX)
}
