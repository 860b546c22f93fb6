//! What changed when the lab was brought to another chapter: the `.env`, the policy set in force,
//! and the hops of an escalation before and after.

use super::Learn;
use crate::{
    app::App,
    projection::{
        HopKind, Projection, Seq,
        env::{self, EnvChange, EnvRow},
        tools::Call,
    },
    protocol::{env::EnvLine, tickets::ESCALATE_TICKET},
};

/// What the lab's server does, and the chapter at whose end it does so first.
const SERVER_DOES: [(u8, &str); 4] = [
    (2, "it asks for a token, and says where to get one"),
    (
        4,
        "it gets the Supabase key from the zone, for one use each time",
    ),
    (5, "it has a ticket's text masked before it files the issue"),
    (6, "it acts in Linear with a token of the person who calls"),
];

/// A journey of the lab.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub from: u8,
    pub to: u8,
    /// Where the run was when it began.
    pub since: Seq,
    env: Vec<EnvLine>,
    set: Option<String>,
    made: Vec<String>,
    gone: Vec<String>,
}

/// What a journey changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
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
    /// The policy set in force before and after, if it is another one.
    pub set: Option<(String, String)>,
    pub hops: HopChanges,
}

/// The hops of an escalation, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HopChanges {
    /// No ticket was escalated since the journey.
    NotSeen,
    /// Nothing to compare with: none was escalated before.
    Only(Vec<String>),
    Compared {
        appeared: Vec<String>,
        gone: Vec<String>,
    },
}

impl Learn {
    /// Takes in what became of the zone's objects on the way.
    pub(in crate::app) fn zone_changed(&mut self, made: Vec<String>, gone: Vec<String>) {
        if let Some(moving) = &mut self.moving {
            moving.made = made;
            moving.gone = gone;
        }
    }
}

impl App {
    /// How things are before the lab is brought to `to`.
    pub(super) fn before_moving(&self, to: u8) -> Moved {
        let seen = &self.projection;
        Moved {
            from: self.lab_chapter(),
            to,
            since: Seq::at(seen.log().len()),
            env: seen
                .env()
                .after()
                .map_or_else(Vec::new, |file| file.lines.clone()),
            set: seen.policies().active().map(|set| set.name.clone()),
            made: Vec::new(),
            gone: Vec::new(),
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
        let set = seen.policies().active().map(|set| set.name.clone());
        let between = |before: u8, after: u8| {
            let learned = SERVER_DOES.into_iter();
            let learned = learned.filter(|(chapter, _)| (before + 1..=after).contains(chapter));
            learned.map(|(_, does)| does).collect()
        };
        Some(Changes {
            from: moved.from,
            to: moved.to,
            does: between(moved.from, moved.to),
            does_no_more: between(moved.to, moved.from),
            env,
            made: moved.made.clone(),
            gone: moved.gone.clone(),
            set: match (&moved.set, set) {
                (Some(before), Some(after)) if *before != after => Some((before.clone(), after)),
                _ => None,
            },
            hops: hops(seen, moved.since),
        })
    }
}

fn hops(seen: &Projection, since: Seq) -> HopChanges {
    let escalations = || {
        let calls = seen.tools().calls().iter().rev();
        calls.filter(|call| &*call.tool == ESCALATE_TICKET && call.outcome.is_some())
    };
    let Some(after) = escalations().next().filter(|call| call.started >= since) else {
        return HopChanges::NotSeen;
    };
    let after = told(seen, after);
    let Some(before) = escalations().find(|call| call.started < since) else {
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
