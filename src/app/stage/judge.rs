//! Whether a cue came to what it should.

use super::{App, Phase, Stage, story};
use crate::{
    config::sheet::{Action, Cue, Expect},
    projection::{story::LIMIT_LINEAR_SCOPES, tools::Call},
    trace::event::CallOutcome,
};

/// How the cue that was begun last went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It is under way.
    Running,
    /// It is under way once more; this is why it was not as planned before.
    TriedAgain(String),
    /// Nothing was expected of it.
    Unjudged,
    AsPlanned,
    /// What happened was not it.
    Otherwise(String),
    /// What would prove it was not seen, or not yet.
    NotSeen(String),
}

/// The cue at hand, where its outcome may be seen in no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtHand<'a> {
    Done(&'a Cue),
    CalledOff(&'a Cue),
    /// And why.
    Failed(&'a Cue, &'a str),
}

impl App {
    /// The cue that is over; `None` where a call of its own, or what happened since, tells more.
    #[must_use]
    pub fn cue_at_hand(&self) -> Option<AtHand<'_>> {
        let stage = self.stage.as_ref().filter(|_| !self.is_taken_over())?;
        let begun = stage.begun.as_ref()?;
        let cue = stage.sheet.cues.get(begun.cue)?;
        let calls = self.projection.tools().calls();
        let called = |before: usize| calls.len() > before;
        let is_call = matches!(
            cue.action,
            Action::ListTickets | Action::Escalate | Action::Delete
        );
        if is_call && begun.calls.is_some_and(called) {
            return None;
        }
        let later = [
            calls.last().map(|call| call.started),
            self.projection.identity().changed,
            self.projection
                .policies()
                .activations()
                .last()
                .map(|one| one.evidence),
        ];
        if later
            .into_iter()
            .flatten()
            .any(|seq| seq.index() >= begun.over)
        {
            return None;
        }
        Some(match &begun.phase {
            Phase::Running(_) => return None,
            Phase::Over => AtHand::Done(cue),
            Phase::CalledOff => AtHand::CalledOff(cue),
            Phase::Failed(why) => AtHand::Failed(cue, why),
        })
    }

    /// Whether a cue is under way.
    #[must_use]
    pub fn is_cue_running(&self) -> bool {
        !self.is_taken_over() && self.stage.as_ref().is_some_and(Stage::running)
    }

    /// How the current cue went; `None` before the first.
    #[must_use]
    pub fn judgement(&self) -> Option<Judgement> {
        let (cue, begun) = self.cue_under_way()?;
        Some(match begun.phase {
            Phase::Running(_) => begun
                .before
                .map_or(Judgement::Running, Judgement::TriedAgain),
            Phase::CalledOff => Judgement::Otherwise("it was called off".to_owned()),
            Phase::Failed(why) => Judgement::Otherwise(why),
            Phase::Over => match &cue.expect {
                None => Judgement::Unjudged,
                Some(expect) => self.judge(&cue, expect, begun.calls),
            },
        })
    }

    fn judge(&self, cue: &Cue, expect: &Expect, calls: Option<usize>) -> Judgement {
        let is = |so: bool, otherwise: &str| {
            if so {
                Judgement::AsPlanned
            } else {
                Judgement::Otherwise(otherwise.to_owned())
            }
        };
        let user = self.projection.identity().user();
        let rule = || match self.projection.policies().forbids(LIMIT_LINEAR_SCOPES) {
            Some(on) => Ok(on),
            None => Err(Judgement::NotSeen("the policies were not read".to_owned())),
        };
        match expect {
            Expect::SignedIn => is(user.is_some(), "nobody is signed in"),
            Expect::SignedOut => is(user.is_none(), "somebody is signed in"),
            Expect::PolicyOn => rule().map_or_else(|e| e, |on| is(on, "the rule is off")),
            Expect::PolicyOff => rule().map_or_else(|e| e, |on| is(!on, "the rule is in force")),
            Expect::Issued | Expect::Refused(_) | Expect::Succeeded => {
                let made = calls.and_then(|before| self.projection.tools().calls().get(before));
                match made {
                    Some(call) => self.judge_call(cue, expect, call),
                    None => Judgement::NotSeen("its call was not seen".to_owned()),
                }
            }
        }
    }

    fn judge_call(&self, cue: &Cue, expect: &Expect, call: &Call) -> Judgement {
        let otherwise = |why: &str| Judgement::Otherwise(why.to_owned());
        let refusal = story::refusal(self, call.id);
        let succeeded = match call.outcome {
            None => return Judgement::NotSeen("its end was not seen".to_owned()),
            Some(CallOutcome::Cancelled) => return otherwise("it was called off"),
            Some(CallOutcome::Broken) => return otherwise("the call did not come through"),
            Some(CallOutcome::Succeeded) => true,
            Some(CallOutcome::Failed) => false,
        };
        let told = story::issuance(self, call);
        match expect {
            Expect::Refused(_) if succeeded => otherwise(match cue.action {
                Action::Delete => "the delete went through",
                _ => "it went through: nothing refused it",
            }),
            Expect::Refused(wanted) => {
                match (refusal.and_then(|row| row.policy.as_deref()), wanted) {
                    (Some(policy), Some(wanted)) if policy == wanted => Judgement::AsPlanned,
                    (Some(_), None) => Judgement::AsPlanned,
                    (Some(policy), Some(_)) => otherwise(&format!("refused by {policy}")),
                    (None, _) if refusal.is_some() => otherwise("refused, but by no policy"),
                    (None, _) => Judgement::NotSeen("it failed; why is not in the log".to_owned()),
                }
            }
            Expect::Issued | Expect::Succeeded if !succeeded => {
                otherwise(match refusal.map(|row| row.policy.is_some()) {
                    Some(true) => "a policy refused it",
                    Some(false) => "the zone refused it",
                    None => "the tool failed",
                })
            }
            Expect::Issued if told.refused > 0 => otherwise("a credential was refused"),
            Expect::Issued if told.issued == 0 => {
                Judgement::NotSeen("what was issued is not observed".to_owned())
            }
            _ => Judgement::AsPlanned,
        }
    }
}
