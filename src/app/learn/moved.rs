//! Journeys of the lab to another chapter, and what they changed: the `.env`, the policy set in force,
//! and the hops of an escalation before and after.

use super::{
    Learn,
    console::Work,
    judge::{Lab, lab_chapter, rank},
};
use crate::{
    app::{
        App,
        effect::{Effects, Job},
        overlay::{Overlay, Question, What},
    },
    chapters::Stage,
    projection::{
        HopKind, Projection, Seq,
        env::{self, EnvChange, EnvRow},
        tools::Call,
    },
    protocol::{console::Policy, env::EnvLine, tickets::ESCALATE_TICKET},
};

/// What the lab's server does, and the stage from which on it does so.
const SERVER_DOES: [(Stage, &str); 4] = [
    (
        Stage::Protected,
        "it asks for a token, and says where to get one",
    ),
    (
        Stage::Vault,
        "it gets the Supabase key from the zone, for one use each time",
    ),
    (
        Stage::Masked,
        "it has a ticket's text masked before it files the issue",
    ),
    (
        Stage::Delegated,
        "it acts in Linear with a token of the person who calls",
    ),
];

/// A journey of the lab.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub from: u8,
    pub to: u8,
    /// Where the run was when it began.
    pub since: Seq,
    /// Where the server that was left began: an escalation from before it was another server's.
    served: Option<Seq>,
    env: Vec<EnvLine>,
    in_force: Option<InForce>,
    made: Vec<String>,
    gone: Vec<String>,
    anew: Vec<String>,
}

/// The policy set in force.
#[derive(Debug, Clone, PartialEq)]
struct InForce {
    name: String,
    policies: Vec<Policy>,
}

impl InForce {
    fn named(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name == name)
    }
}

/// What a journey changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The chapter at whose end it was; of several with the same end the last.
    pub from: u8,
    pub to: u8,
    /// What the server does now that it did not do before, and what it does no more.
    pub does: Vec<&'static str>,
    pub does_no_more: Vec<&'static str>,
    /// Only the variables that are not what they were.
    pub env: Vec<EnvRow>,
    /// What was made in the zone's console, and what went away.
    pub made: Vec<String>,
    pub gone: Vec<String>,
    /// What was made anew as it was.
    pub anew: Vec<String>,
    pub in_force: InForceChanges,
    pub hops: HopChanges,
}

/// What was in force, line by line, and what is: the set if it is another one, and each policy that
/// is not what it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InForceChanges {
    pub before: Vec<String>,
    pub after: Vec<String>,
}

/// The hops of an escalation, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HopChanges {
    /// No ticket was escalated since the journey.
    NotSeen,
    /// Nothing to compare with: none was escalated on the server before.
    Only(Vec<String>),
    Compared {
        appeared: Vec<String>,
        gone: Vec<String>,
    },
}

impl Learn {
    /// Takes in what became of the zone's objects on the way.
    pub(in crate::app) fn zone_changed(
        &mut self,
        made: Vec<String>,
        gone: Vec<String>,
        anew: Vec<String>,
    ) {
        if let Some(moving) = &mut self.moving {
            moving.made = made;
            moving.gone = gone;
            moving.anew = anew;
        }
    }
}

impl App {
    /// Brings the lab to the open chapter's end, or puts right there what a check does not like. A lab that
    /// is further on is asked for: the way there is a way back.
    pub(in crate::app) fn reach_end(&mut self) -> Effects {
        if self.lab() == Lab::Beyond {
            self.overlays.push(Overlay::Confirm(Question::ReachEnd));
            return Effects::new();
        }
        self.bring_to_the_end()
    }

    /// [`Self::reach_end`], once it was asked for.
    pub(in crate::app) fn bring_to_the_end(&mut self) -> Effects {
        let is_there = self.lab() == Lab::At;
        let Some(learn) = &mut self.learn else {
            return Effects::new();
        };
        if is_there {
            // What the console holds is made anew, and is no more what the reader filled in.
            learn.work = None;
        }
        let to = lab_chapter(learn.chapter());
        self.set_out(to, Job::GoToChapter(to))
    }

    /// Brings the lab back to the open chapter's beginning.
    pub(in crate::app) fn begin_chapter(&mut self) -> Effects {
        let since = Seq::at(self.projection.log().len());
        let Some(learn) = &mut self.learn else {
            return Effects::new();
        };
        let chapter = &learn.book.chapters[learn.open];
        learn.since.insert(chapter.id.clone(), since);
        learn.again.insert(chapter.id.clone());
        learn.relist = true;
        learn.results.remove(&chapter.id);
        learn.progress.forget(chapter);
        learn.places.remove(&chapter.id);
        learn.work = None;
        learn.unsaved = true;
        let chapter = chapter.id.clone();
        let lab = learn.beginning();
        self.set_out(lab, Job::BeginAgain { lab, chapter })
    }

    /// On its way back the lab is still as it was, and checks that passed then count no more.
    pub(in crate::app) fn forget_chapter(&mut self, id: &str) {
        if let Some(learn) = &mut self.learn
            && let Some(chapter) = learn.book.chapters.iter().find(|one| one.id == id)
        {
            learn.progress.forget(chapter);
            learn.unsaved = true;
        }
    }

    fn set_out(&mut self, to: u8, job: Job) -> Effects {
        let moving = self.before_moving(to);
        if let Some(learn) = &mut self.learn {
            learn.moving = Some(Box::new(moving));
        }
        vec![self.start(job)]
    }

    /// The lab arrived: shows what changed.
    pub(in crate::app) fn arrived(&mut self) {
        let Some(learn) = &mut self.learn else {
            return;
        };
        if let Some(moved) = learn.moving.take() {
            learn.moved = Some(moved);
            // The lab did what the reader had left; what they chose otherwise is still theirs.
            let is_own = |work: &Work| {
                let mut steps = work.steps.iter();
                steps.any(|step| step.taken.is_some() && step.is_changed())
            };
            learn.work = learn.work.take().filter(is_own);
            learn.judge_anew();
            // So that the next start finds the lab here again.
            learn.unsaved = true;
            self.tell(What::Changes);
        }
    }

    /// How things are before the lab is brought to `to`.
    pub(super) fn before_moving(&self, to: u8) -> Moved {
        let seen = &self.projection;
        Moved {
            from: self.lab_chapter(),
            to,
            since: Seq::at(seen.log().len()),
            served: self.learn.as_ref().and_then(Learn::served_since),
            env: seen
                .env()
                .after()
                .map_or_else(Vec::new, |file| file.lines.clone()),
            in_force: in_force(seen),
            made: Vec::new(),
            gone: Vec::new(),
            anew: Vec::new(),
        }
    }

    /// What the last journey of the lab changed, as far as it was seen.
    #[must_use]
    pub fn changes(&self) -> Option<Changes> {
        let moved = self.learn.as_ref().and_then(Learn::moved)?;
        let seen = &self.projection;
        let now = seen
            .env()
            .after()
            .map_or(&[][..], |file| file.lines.as_slice());
        let mut env = env::compare(&moved.env, now);
        env.retain(|row| row.change != EnvChange::Kept);
        let between = |before: u8, after: u8| {
            let learned = SERVER_DOES.into_iter();
            let (before, after) = (Stage::at_end_of(before), Stage::at_end_of(after));
            let learned = learned.filter(|(stage, _)| before < *stage && *stage <= after);
            learned.map(|(_, does)| does).collect()
        };
        Some(Changes {
            from: latest_like(moved.from, moved.to),
            to: moved.to,
            does: between(moved.from, moved.to),
            does_no_more: between(moved.to, moved.from),
            env,
            made: moved.made.clone(),
            gone: moved.gone.clone(),
            anew: moved.anew.clone(),
            in_force: match (&moved.in_force, in_force(seen)) {
                (Some(before), Some(after)) => in_force_changes(before, &after),
                _ => InForceChanges::default(),
            },
            hops: hops(seen, moved),
        })
    }
}

/// The last chapter before `to` at whose end the lab is as at the end of `from`: what lies between
/// changes nothing.
fn latest_like(from: u8, to: u8) -> u8 {
    let like = |chapter: &u8| rank(*chapter) == rank(from);
    (from..to).rfind(like).unwrap_or(from)
}

fn in_force(seen: &Projection) -> Option<InForce> {
    let policies = seen.policies();
    let name = policies.active()?.name.clone();
    let policies = policies.overview()?.active_policies.clone();
    Some(InForce { name, policies })
}

fn in_force_changes(before: &InForce, after: &InForce) -> InForceChanges {
    let mut changes = InForceChanges::default();
    if before.name != after.name {
        changes.before.push(before.name.clone());
        changes.after.push(after.name.clone());
        return changes;
    }
    for was in &before.policies {
        match after.named(&was.name) {
            None => changes.before.push(does(was)),
            Some(is) if is.latest_version.cedar_raw == was.latest_version.cedar_raw => {}
            Some(is) if does(is) == does(was) => {
                changes
                    .after
                    .push(format!("{}, with another text", does(is)));
            }
            Some(is) => {
                changes.before.push(does(was));
                changes.after.push(does(is));
            }
        }
    }
    let new = after.policies.iter();
    let new = new.filter(|policy| before.named(&policy.name).is_none());
    changes.after.extend(new.map(does));
    changes
}

/// A policy, and what it does.
fn does(policy: &Policy) -> String {
    let name = &policy.name;
    match policy.effect() {
        Some(effect) => format!("{name} {}", effect.words()),
        None => name.clone(),
    }
}

fn hops(seen: &Projection, moved: &Moved) -> HopChanges {
    let since = moved.since;
    let escalations = || {
        let calls = seen.tools().calls().iter().rev();
        calls.filter(|call| &*call.tool == ESCALATE_TICKET && call.outcome.is_some())
    };
    let Some(after) = escalations().next().filter(|call| call.started >= since) else {
        return HopChanges::NotSeen;
    };
    let after = told(seen, after);
    let left = |call: &&Call| {
        call.started < since && moved.served.is_none_or(|served| call.started >= served)
    };
    let Some(before) = escalations().find(left) else {
        return HopChanges::Only(after);
    };
    let before = told(seen, before);
    HopChanges::Compared {
        appeared: without(&after, &before),
        gone: without(&before, &after),
    }
}

/// The hops of a call in words, in the order in which they began.
fn told(seen: &Projection, call: &Call) -> Vec<String> {
    let hops = call
        .id
        .into_iter()
        .flat_map(|id| seen.hops().of_call(id).iter());
    let mut found: Vec<_> = hops.filter_map(|id| seen.hops().get(*id)).collect();
    found.sort_by_key(|hop| hop.started_us);
    found
        .into_iter()
        .filter_map(|hop| {
            let way = format!("{} to {}", hop.from.name(), hop.to.name());
            match hop.kind {
                HopKind::Exchange => {
                    let scope = hop.scope.as_deref().unwrap_or("no scope");
                    let what = hop.resource.as_deref().unwrap_or("a credential");
                    Some(format!("{way}: a credential for {what}, {scope}"))
                }
                HopKind::Upstream => Some(format!("{way}: {}", hop.title)),
                HopKind::Request | HopKind::Browser => None,
            }
        })
        .collect()
}

/// The hops that are not among the known ones, each as often as it is missing.
fn without(hops: &[String], known: &[String]) -> Vec<String> {
    let mut known = known.to_vec();
    hops.iter()
        .filter(|hop| match known.iter().position(|other| other == *hop) {
            Some(place) => {
                known.swap_remove(place);
                false
            }
            None => true,
        })
        .cloned()
        .collect()
}
