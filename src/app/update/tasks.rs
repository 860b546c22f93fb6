//! A task's end: what to say of it, and what it leads to.

use crate::{
    app::{
        App,
        command::Command,
        effect::{Effects, Job},
        focus::PaneId,
        learn,
        msg::{TaskId, TaskOutcome},
        story,
        toast::Tone,
    },
    projection::{identity::SignIn, story::LIMIT_LINEAR_SCOPES},
    protocol::{
        observed::CallId,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
    support::text::{first_line, number_of},
    trace::event::CallOutcome,
};

impl App {
    pub(in crate::app) fn ended(&mut self, id: TaskId, outcome: TaskOutcome) -> Effects {
        if let Some(away) = &mut self.away {
            away.keep_end(id, outcome);
            return Effects::new();
        }
        let Some(task) = self.tasks.remove(&id) else {
            return Effects::new();
        };
        if task.job == Job::SignIn {
            self.stop_waiting();
            self.browser_url = None;
        }
        if let Some(learn) = &mut self.learn {
            learn.judge_anew();
        }
        let told = outcome.clone();
        let mut effects = match outcome {
            TaskOutcome::Done => self.done(&task.job),
            TaskOutcome::Failed(failure) => {
                match &task.job {
                    Job::TakeStep { place, .. } => self.step_refused(*place, failure),
                    _ => self.fail(failure),
                }
                // What the lock refused was tried, and is to be seen.
                if self.is_locked_as_meant()
                    && let Some(attempt) = learn::attempt_of(&task.job)
                {
                    self.tried(attempt);
                }
                Effects::new()
            }
            TaskOutcome::Cancelled => {
                let text = match task.job {
                    // The server may be past the point where it could stop.
                    Job::CallTool { .. } => {
                        "called off; what was sent on before that may still happen"
                    }
                    _ => "called off",
                };
                self.say(Tone::Plain, text);
                match task.job {
                    // The zone may have heard it before it was called off.
                    Job::ActivatePolicySet { .. } => vec![self.start(Job::RefreshConsole)],
                    _ => Effects::new(),
                }
            }
        };
        // By now the zone's log had its say about the call before.
        if task.job == Job::RefreshConsole {
            effects.extend(self.ask_in_doubt());
        }
        effects.extend(self.cue_task_ended(id, &told));
        effects
    }

    fn done(&mut self, job: &Job) -> Effects {
        if self.held.is_some() {
            let key = self.keymap.shown(Command::Freeze);
            self.say(
                Tone::Plain,
                format!("done behind the frozen picture: {key} catches up"),
            );
        } else if let Some((tone, text)) = self.news(job) {
            self.say(tone, text);
        }
        if let Some(attempt) = learn::attempt_of(job) {
            self.tried(attempt);
        }
        if matches!(
            job,
            Job::ActivatePolicySet { .. }
                | Job::TakeStep { .. }
                | Job::GoToChapter(_)
                | Job::BeginAgain { .. }
        ) {
            // The place was chosen in another set.
            self.panes.policy = None;
        }
        match job {
            // That no sign-in is needed was found out by listing them.
            Job::SignIn if self.projection.identity().state == SignIn::NotNeeded => {
                vec![self.start(Job::RefreshConsole)]
            }
            Job::SignIn => vec![self.start(Job::ListTools), self.start(Job::RefreshConsole)],
            // A consent may have run out and policy been switched elsewhere since they were read. Not
            // a part of the call: it succeeded, whether or not the console can be read.
            Job::CallTool { .. } | Job::ActivatePolicySet { .. } | Job::SignOut => {
                if matches!(job, Job::ActivatePolicySet { .. }) {
                    self.forget_what_the_policy_said();
                }
                vec![self.start(Job::RefreshConsole)]
            }
            Job::Hold(hold) => {
                self.hold_is(*hold);
                Effects::new()
            }
            Job::GoToChapter(lab) | Job::BeginAgain { lab, .. } => {
                if let Job::BeginAgain { chapter, .. } = job {
                    self.forget_chapter(chapter);
                }
                self.arrived();
                let mut effects = self.sign_out_before_the_sign_in(*lab);
                effects.extend(self.probes_of_its_own());
                effects
            }
            Job::TakeStep {
                chapter,
                place,
                filled,
            } => self.after_step(*chapter, *place, filled),
            Job::ListTools
            | Job::RefreshConsole
            | Job::RunProbes { .. }
            | Job::AskZone(_)
            | Job::ReadConsoleWork(_)
            | Job::SampleUser
            | Job::LetGo { .. } => Effects::new(),
        }
    }

    /// What to say about a job that came to its end.
    fn news(&self, job: &Job) -> Option<(Tone, String)> {
        match job {
            Job::SignIn => {
                let identity = self.projection.identity();
                if identity.state == SignIn::NotNeeded {
                    let text = "nobody has to sign in here: the server is open to anyone";
                    return Some((Tone::Plain, text.to_owned()));
                }
                let user = identity.user()?;
                Some((Tone::Good, format!("signed in as {}", user.name)))
            }
            Job::SignOut => Some((Tone::Plain, "signed out; the tokens are gone".to_owned())),
            Job::ActivatePolicySet { set_id, version } => {
                let policies = self.projection.policies();
                let sets = &policies.overview()?.sets;
                let set = sets.iter().find(|set| set.id == *set_id)?;
                // Before the sets were read again nobody knows what the switch did to the rule.
                let known = set.active_version.is_some();
                let active = format!("{} v{version} is active", set.name);
                Some(match policies.forbids(LIMIT_LINEAR_SCOPES) {
                    Some(true) if known => {
                        (Tone::Good, format!("the rule is back in force: {active}"))
                    }
                    Some(false) if known => (Tone::Warning, format!("the rule is off: {active}")),
                    Some(_) | None => (
                        Tone::Plain,
                        format!("{} v{version} is in force now", set.name),
                    ),
                })
            }
            Job::CallTool { tool, .. } => self.news_of_call(tool),
            Job::GoToChapter(chapter) => Some((
                Tone::Good,
                format!("the lab is as at the end of chapter {chapter}"),
            )),
            Job::BeginAgain { .. } => Some((
                Tone::Good,
                "the lab and this chapter's checks begin again".to_owned(),
            )),
            Job::RunProbes { .. } if self.overlays.is_empty() => Some((
                Tone::Good,
                "asked; the checks say what came back".to_owned(),
            )),
            Job::ListTools
            | Job::RefreshConsole
            | Job::RunProbes { .. }
            | Job::AskZone(_)
            | Job::ReadConsoleWork(_)
            | Job::TakeStep { .. }
            | Job::Hold(_)
            | Job::SampleUser
            | Job::LetGo { .. } => None,
        }
    }

    fn news_of_call(&self, tool: &str) -> Option<(Tone, String)> {
        let call = self.projection.tools().latest(tool)?;
        let succeeded = call.outcome == Some(CallOutcome::Succeeded);
        if !succeeded {
            let why = self
                .refusal_of(call.id)
                .or_else(|| call.text.as_deref().map(first_line).map(str::to_owned))
                .unwrap_or_else(|| format!("{tool} failed and gave no reason"));
            return Some((Tone::Bad, why));
        }
        let text = match tool {
            GET_SUPPORT_TICKETS => {
                let count = self.projection.issues().tickets().len();
                let key = |command| self.keymap.shown(command);
                let (pane, down, up) = (
                    key(Command::Show(PaneId::Issue)),
                    key(Command::Down),
                    key(Command::Up),
                );
                let tickets = number_of(count, "ticket");
                format!("{tickets}: {pane} shows them, {down} and {up} choose")
            }
            ESCALATE_TICKET => {
                let issue = call.id.and_then(|id| self.projection.issues().of_call(id));
                let name = issue.map_or("the issue", |issue| &*issue.identifier);
                let told = story::issuance(self, call);
                if self.files_with_its_own_key() && told == story::Issuance::default() {
                    format!("{name} filed with the key in .env")
                } else {
                    format!("{name} filed: {}", story::told_of_issuance(told))
                }
            }
            DELETE_ISSUE => {
                return Some((Tone::Warning, "deleted: no rule forbade it".to_owned()));
            }
            _ => format!("{tool} done"),
        };
        Some((Tone::Good, text))
    }

    /// The refusal within a call, as the zone's log tells it.
    pub(in crate::app) fn refusal_of(&self, call: Option<CallId>) -> Option<String> {
        let row = story::refusal(self, call)?;
        let scope = row.scope.as_deref().unwrap_or("access");
        Some(match &row.policy {
            Some(policy) => format!("{scope} refused by {policy}: no credential, no call"),
            None => format!("{scope} refused: no credential, no call"),
        })
    }
}
