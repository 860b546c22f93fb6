//! What to press next in a chapter, by what is open in it.

use super::{Item, Learn, Shown, judge::Lab};
use crate::{
    app::{
        App,
        command::{Command, Context},
        effect::Job,
        focus::PaneId,
        player::Source,
        story::Next,
    },
    chapters::{Attempt, Probe, Stage, Status},
    protocol::{
        console::{Owner, PolicySet},
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
    trace::event::CallOutcome,
};

/// What a person presses for something to try.
#[must_use]
pub const fn command_of(attempt: Attempt) -> Command {
    match attempt {
        Attempt::SignIn => Command::SignIn,
        Attempt::SignOut => Command::SignOut,
        Attempt::ListTickets => Command::ListTickets,
        Attempt::EscalateTicket => Command::EscalateTicket,
        Attempt::DeleteIssue => Command::DeleteIssue,
        Attempt::TogglePolicy => Command::TogglePolicy,
        Attempt::Refresh => Command::Refresh,
        Attempt::ReachStage => Command::ReachEnd,
        Attempt::RunProbes => Command::RunProbes,
        Attempt::ConsoleWork => Command::ConsoleWork,
    }
}

/// What was tried with a job.
#[must_use]
pub fn attempt_of(job: &Job) -> Option<Attempt> {
    Some(match job {
        Job::SignIn => Attempt::SignIn,
        Job::SignOut => Attempt::SignOut,
        Job::CallTool { tool, .. } => match tool.as_str() {
            GET_SUPPORT_TICKETS => Attempt::ListTickets,
            ESCALATE_TICKET => Attempt::EscalateTicket,
            DELETE_ISSUE => Attempt::DeleteIssue,
            _ => return None,
        },
        Job::ActivatePolicySet { .. } => Attempt::TogglePolicy,
        Job::RefreshConsole => Attempt::Refresh,
        Job::GoToChapter(_) => Attempt::ReachStage,
        Job::RunProbes { .. } => Attempt::RunProbes,
        Job::ListTools
        | Job::BeginAgain { .. }
        | Job::AskZone(_)
        | Job::ReadConsoleWork(_)
        | Job::TakeStep { .. }
        | Job::Hold(_)
        | Job::SampleUser
        | Job::LetGo { .. } => return None,
    })
}

/// The next step, in words for the footer.
const fn words(attempt: Attempt) -> &'static str {
    match attempt {
        Attempt::SignIn => "sign in",
        Attempt::SignOut => "sign out",
        Attempt::ListTickets => "list the tickets",
        Attempt::EscalateTicket => "escalate a ticket",
        Attempt::DeleteIssue => "delete the issue",
        Attempt::TogglePolicy => "switch the policy",
        Attempt::Refresh => "read the zone again",
        Attempt::ReachStage => "let the lab do the steps",
        Attempt::RunProbes => "ask server and zone",
        Attempt::ConsoleWork => "work in the console",
    }
}

impl App {
    /// What to do next in the open chapter; `None` while no chapter is open.
    #[must_use]
    pub fn guide(&self) -> Option<Next> {
        let learn = self.learn.as_ref().filter(|learn| learn.is_open())?;
        let of = |command, text| Some(Next { command, text });
        if self.has_no_lab() {
            // Whatever asks for something opens it again; this asks for the least.
            return of(Command::Refresh, "try to open the lab again");
        }
        let Some((place, open)) = first_open(learn) else {
            return if let Some(next) = self.left_to_do(learn, usize::MAX) {
                Some(next)
            } else if !learn.is_read() {
                if self.focus.pane == PaneId::Chapter {
                    of(Command::PageDown, "read on, every check is done")
                } else {
                    let chapter = Command::Show(PaneId::Chapter);
                    of(chapter, "read on, every check is done")
                }
            } else if learn.following().is_some() {
                of(Command::NextChapter, "go on to the next chapter")
            } else {
                of(Command::Contents, "done: see all chapters")
            };
        };
        if self.lab() == Lab::Beyond {
            return of(Command::BeginChapter, "bring the lab back to this chapter");
        }
        if let Some(next) = self.repair(learn) {
            return Some(next);
        }
        if let Some(next) = self.left_to_do(learn, place) {
            return Some(next);
        }
        let mut tries = tries_towards(learn, place);
        if let Some(next) = self.untried(&tries) {
            return Some(next);
        }
        if self.lab() == Lab::Absent {
            // On one's own server no key of the page does the steps; what they did has to be asked.
            tries.retain(|attempt| !matches!(attempt, Attempt::ReachStage | Attempt::ConsoleWork));
            let probes = open.check.expect.probes();
            if probes.iter().any(|probe| *probe != Probe::Env) {
                tries.push(Attempt::RunProbes);
                if !self.is_tried(Attempt::RunProbes) {
                    return Some(self.step_to(Attempt::RunProbes));
                }
            }
        }
        match open.status {
            Status::NotObservable { .. } => of(Command::Vouch, "say that you saw it"),
            _ if open.hints < open.hints_left_over().len() => of(Command::Hint, "get a hint"),
            _ => match tries.last() {
                Some(attempt) => of(command_of(*attempt), words(*attempt)),
                None => of(Command::NextChapter, "go on to the next chapter"),
            },
        }
    }

    /// What to press for a check, on a lab, where each step is a key.
    #[must_use]
    pub fn towards(&self, check: &str) -> Option<Next> {
        let learn = self.learn.as_ref().filter(|learn| learn.is_open())?;
        if matches!(self.lab(), Lab::Absent | Lab::Beyond) {
            return None;
        }
        let checks = &learn.chapter().checks;
        let at = checks.iter().position(|one| one.id == check)?;
        // What failed behind a fault in the console fails again until that is mended.
        let failed = |shown: Shown<'_>| matches!(shown.status, Status::Failed { .. });
        let mended_there =
            checks[at].expect.is_of_the_console() || learn.shown(at).is_some_and(failed);
        if mended_there && let Some(next) = self.repair(learn) {
            return Some(next);
        }
        let this = |item: &Item| matches!(item, Item::Check(at) if checks[*at].id == check);
        let place = learn.items().iter().position(this)?;
        let tries = tries_towards(learn, place);
        self.untried(&tries)
            .or_else(|| tries.last().map(|attempt| self.step_to(*attempt)))
    }

    /// What to press where a check does not like what is in the zone's console.
    fn repair(&self, learn: &Learn) -> Option<Next> {
        if learn.at_fault.is_empty() {
            return None;
        }
        let put_right = Next {
            command: Command::ConsoleWork,
            text: "put it right in the console",
        };
        if learn.is_work_the_readers_own() {
            return Some(put_right);
        }
        if self.lab() != Lab::At || !learn.has_console_work() {
            return None;
        }
        // Nothing has to be made: the set is there, and another one is active.
        let policies = self.projection.policies();
        let owner = |set: &PolicySet| set.owner_type;
        let is_own_set_off = policies.active().map(owner) != Some(Owner::Customer)
            && self.other_policy_set().map(owner) == Some(Owner::Customer);
        let switch = self.availability_in(Command::TogglePolicy, Context::Panes);
        if is_own_set_off && switch.is_ready() {
            return Some(Next {
                command: Command::TogglePolicy,
                text: "switch the rule on again",
            });
        }
        Some(put_right)
    }

    /// Whether a check of the open chapter does not like what is in the zone's console.
    #[must_use]
    pub fn has_console_fault(&self) -> bool {
        self.learn
            .as_ref()
            .is_some_and(|learn| !learn.at_fault.is_empty())
    }

    /// What something to try is called: where the lab is there already it can only put things right.
    #[must_use]
    pub fn words_of(&self, attempt: Attempt) -> &'static str {
        let is_there = attempt == Attempt::ReachStage && self.lab() == Lab::At;
        if is_there && self.has_console_fault() {
            "let the lab put it right"
        } else {
            match attempt {
                Attempt::RunProbes => self.words_of_probes().unwrap_or(attempt.words()),
                _ => attempt.words(),
            }
        }
    }

    /// What the open chapter's questions are, where they are of one kind.
    fn words_of_probes(&self) -> Option<&'static str> {
        let probes = self.learn.as_ref().map(|learn| learn.chapter().probes());
        let all = |is: fn(&Probe) -> bool| {
            let mut probes = probes
                .iter()
                .flatten()
                .filter(|probe| **probe != Probe::Env);
            probes.clone().next().is_some() && probes.all(is)
        };
        if all(|probe| *probe == Probe::Trials) {
            Some("try each value of .env on each service")
        } else if all(|probe| matches!(probe, Probe::Http(_) | Probe::Metadata)) {
            Some("knock on the server")
        } else if all(|probe| matches!(probe, Probe::Scope(_))) {
            Some("ask the zone for other scopes")
        } else {
            None
        }
    }

    fn is_work_the_readers_own(&self) -> bool {
        self.learn
            .as_ref()
            .is_some_and(Learn::is_work_the_readers_own)
    }

    /// The first of these that was not tried, or what it needs first.
    fn untried(&self, tries: &[Attempt]) -> Option<Next> {
        let open = tries.iter().find(|attempt| !self.is_tried(**attempt))?;
        Some(self.step_to(*open))
    }

    /// The key for something to try, or for what it needs first.
    pub(super) fn step_to(&self, attempt: Attempt) -> Next {
        let first = self.first_of_all(attempt);
        let of_probes = self
            .words_of_probes()
            .filter(|_| first == Attempt::RunProbes);
        Next {
            command: command_of(first),
            text: of_probes.unwrap_or(words(first)),
        }
    }

    /// Whether a chapter is open that comes before the one in which the rule is made.
    #[must_use]
    pub fn is_before_the_rule(&self) -> bool {
        let open = self.learn.as_ref().filter(|learn| learn.is_open());
        open.is_some_and(|learn| learn.chapter().stage < Stage::Limited)
    }

    /// Whether something was done in the open chapter, for the page to say so.
    #[must_use]
    pub fn is_done(&self, attempt: Attempt) -> bool {
        let is_live = matches!(self.source, Source::Live);
        is_live
            && match attempt {
                Attempt::ReachStage | Attempt::ConsoleWork if self.has_console_fault() => false,
                Attempt::ReachStage => self.lab() == Lab::At && !self.is_work_the_readers_own(),
                Attempt::ConsoleWork => match self.learn.as_ref().filter(|l| l.work().is_some()) {
                    Some(learn) => learn.is_work_done(),
                    None => self.lab() == Lab::At,
                },
                Attempt::SignIn => self.projection.identity().user().is_some(),
                Attempt::ListTickets
                | Attempt::EscalateTicket
                | Attempt::DeleteIssue
                | Attempt::RunProbes => self.is_tried(attempt),
                Attempt::SignOut | Attempt::TogglePolicy | Attempt::Refresh => false,
            }
    }

    /// What has to be done before something can be tried.
    #[must_use]
    pub fn first_of_all(&self, attempt: Attempt) -> Attempt {
        let works = matches!(
            attempt,
            Attempt::ListTickets | Attempt::EscalateTicket | Attempt::DeleteIssue
        );
        let signed_in = self.projection.identity().user().is_some();
        let asks_as_the_person = attempt == Attempt::RunProbes
            && self.learn.as_ref().is_some_and(|learn| {
                let probes = learn.chapter().probes();
                probes.iter().any(|probe| matches!(probe, Probe::Scope(_)))
            });
        let has_to_sign_in =
            !(signed_in || self.is_open_to_all() || (works && self.is_locked_as_meant()));
        if (works || asks_as_the_person) && has_to_sign_in {
            return Attempt::SignIn;
        }
        if works && attempt != Attempt::ListTickets && self.chosen_ticket().is_none() {
            return Attempt::ListTickets;
        }
        if attempt == Attempt::DeleteIssue && self.standing_issue().is_none() {
            return Attempt::EscalateTicket;
        }
        attempt
    }

    /// Whether something was tried since the chapter was opened, on the server that it is about.
    pub(super) fn is_tried(&self, attempt: Attempt) -> bool {
        let Some(learn) = &self.learn else {
            return false;
        };
        let seen = &self.projection;
        let since = learn
            .since
            .get(&learn.chapter().id)
            .map_or(0, |seq| seq.index())
            .max(learn.moved().map_or(0, |moved| moved.since.index()));
        let latest = |tool: &str| {
            seen.tools()
                .latest(tool)
                .filter(|call| call.outcome.is_some() && call.started.index() >= since)
        };
        // Where the rule is what it is about, a call from before the set in force tells nothing of it.
        let activated = seen.policies().activations().last();
        let ruled = activated
            .filter(|_| learn.chapter().stage >= Stage::Limited)
            .map_or(0, |activation| activation.evidence.index());
        match attempt {
            Attempt::SignIn => seen.identity().user().is_some() || self.is_open_to_all(),
            Attempt::SignOut => seen.identity().user().is_none(),
            // Whoever escalated had a ticket to choose, but a check may be about the list itself.
            Attempt::ListTickets => {
                latest(GET_SUPPORT_TICKETS).is_some()
                    || (latest(ESCALATE_TICKET).is_some() && !learn.waits_for_a_list())
            }
            Attempt::EscalateTicket => {
                latest(ESCALATE_TICKET).is_some_and(|c| c.outcome == Some(CallOutcome::Succeeded))
            }
            Attempt::DeleteIssue => {
                let escalated = latest(ESCALATE_TICKET).map_or(0, |call| call.started.index());
                let least = escalated.max(ruled);
                latest(DELETE_ISSUE).is_some_and(|call| call.started.index() >= least)
            }
            Attempt::TogglePolicy => !seen.policies().activations().is_empty(),
            Attempt::Refresh => true,
            // Somebody's own server is brought along by themselves.
            Attempt::ReachStage => matches!(self.lab(), Lab::At | Lab::Absent),
            // What another server answered was not asked of this chapter's.
            Attempt::RunProbes => {
                let asked = learn.results().is_some_and(|results| {
                    let probes = learn.chapter().probes();
                    probes.iter().all(|probe| results.was_asked(probe))
                });
                asked && self.lab() != Lab::Before
            }
            Attempt::ConsoleWork => matches!(self.lab(), Lab::At | Lab::Absent),
        }
    }
}

/// What a page has to try before one of its items. What stands before a check that is done is behind
/// the reader, but for what brings the lab to the chapter, as long as something else is left.
fn tries_towards(learn: &Learn, place: usize) -> Vec<Attempt> {
    let mut all = Vec::new();
    let mut left = Vec::new();
    for item in learn.items().into_iter().take(place) {
        match item {
            Item::Try(attempt) => {
                all.push(attempt);
                left.push(attempt);
            }
            Item::Check(check) if learn.shown(check).is_some_and(|shown| shown.is_done()) => {
                left.retain(|attempt| brings_the_lab(*attempt));
            }
            _ => {}
        }
    }
    if left.iter().all(|attempt| brings_the_lab(*attempt)) {
        all
    } else {
        left
    }
}

const fn brings_the_lab(attempt: Attempt) -> bool {
    matches!(attempt, Attempt::ReachStage | Attempt::ConsoleWork)
}

/// The first check that is not done, with the place of its item.
fn first_open(learn: &Learn) -> Option<(usize, Shown<'_>)> {
    learn
        .items()
        .into_iter()
        .enumerate()
        .filter_map(|(place, item)| match item {
            Item::Check(check) => Some((place, learn.shown(check)?)),
            _ => None,
        })
        .find(|(_, shown)| !shown.is_done())
}

impl Learn {
    /// Whether a check of the open chapter waits for the tickets to be listed.
    fn waits_for_a_list(&self) -> bool {
        let mut shown = (0..self.statuses.len()).filter_map(|place| self.shown(place));
        shown.any(|shown| {
            matches!(shown.status, Status::Pending { .. })
                && !shown.is_done()
                && shown.check.expect.tools() == [GET_SUPPORT_TICKETS]
        })
    }

    /// The place of the item of the first check that is not done.
    pub(super) fn first_open_item(&self) -> Option<usize> {
        first_open(self).map(|(place, _)| place)
    }
}
