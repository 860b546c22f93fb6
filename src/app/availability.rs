//! Whether a command can be carried out now, and if not, why.

use super::{
    App, FOR_TWO,
    command::{Availability, Command, Context},
    effect::Job,
    focus::{Layout, PaneId},
    learn::{Lab, console::form::Field},
    msg::RecordingState,
    overlay::Overlay,
};
use crate::{
    chapters::Attempt,
    projection::{
        HopKind, Verdict,
        issue::{IssueView, Whereabouts},
    },
    protocol::{
        console::{Owner, PolicySet},
        tickets::Ticket,
    },
};

/// Where a command can be wished for that cannot be in `context`.
fn where_else(command: Command, context: Context) -> &'static str {
    match context {
        Context::Overlay | Context::Field | Context::Form => "the window comes first",
        Context::Panes | Context::Stage if command.spec().is_in(Context::Overlay) => {
            "only in a window"
        }
        Context::Panes | Context::Stage => "only in the form of a console step",
    }
}

/// How long a task may take before its end is no longer waited for, in microseconds.
const EXPECTED_US: u64 = 1_000_000;

impl App {
    /// Whether a command can be carried out now.
    #[must_use]
    pub fn availability(&self, command: Command) -> Availability {
        self.availability_in(command, self.context())
    }

    /// Whether a command could be carried out if the keys went to `context`: the palette asks for
    /// what lies under it.
    #[must_use]
    pub fn availability_in(&self, command: Command, context: Context) -> Availability {
        if let Some(said) = self.on_stage(command) {
            return said;
        }
        if !command.spec().is_in(context) {
            return Availability::unless(where_else(command, context));
        }
        if let Some(said) = self.in_replay(command) {
            return said;
        }
        match command {
            Command::SignIn => match self.projection.identity().user() {
                _ if self.busy_with(&Job::SignIn) => {
                    Availability::Unavailable("the sign-in is under way".to_owned())
                }
                Some(user) => Availability::Unavailable(format!(
                    "already signed in as {}: {} signs out first",
                    user.name,
                    self.keymap.shown(Command::SignOut)
                )),
                None if self.is_learning() && self.is_open_to_all() => {
                    Availability::Unavailable(match self.lab() {
                        Lab::Before => format!(
                            "the lab's server asks nobody who they are yet: {} brings it to this chapter",
                            self.keymap.shown(Command::BeginChapter)
                        ),
                        Lab::Absent | Lab::At | Lab::Beyond => {
                            "the server of this chapter asks nobody who they are".to_owned()
                        }
                    })
                }
                None => self.unless_busy(),
            },
            Command::ListTickets => self.needs_user(),
            Command::EscalateTicket => match self.needs_user() {
                // In a chapter the steps say what comes first; elsewhere the list is fetched for it.
                Availability::Ready if self.chosen_ticket().is_none() && self.is_learning() => {
                    let list = self.keymap.shown(Command::ListTickets);
                    Availability::Unavailable(if self.lacks_a_sign_in() {
                        let sign_in = self.keymap.shown(Command::SignIn);
                        format!("{sign_in} signs in first, then {list} lists the tickets")
                    } else {
                        format!("no ticket is known yet: {list} lists them")
                    })
                }
                other => other,
            },
            Command::DeleteIssue => match self.needs_user() {
                Availability::Ready if self.standing_issue().is_none() => {
                    let escalate = self.keymap.shown(Command::EscalateTicket);
                    let delete = self.keymap.shown(Command::DeleteIssue);
                    Availability::Unavailable(if self.lacks_a_sign_in() {
                        let sign_in = self.keymap.shown(Command::SignIn);
                        format!("{sign_in} signs in first, then {escalate} files an issue")
                    } else if self.projection.issues().issues().is_empty() {
                        format!(
                            "there is no issue to delete: {escalate} escalates a ticket into one"
                        )
                    } else {
                        format!("the issue is in the trash already: {escalate}, then {delete}")
                    })
                }
                other => other,
            },
            Command::TogglePolicy => Availability::unless(match self.other_policy_set() {
                _ if self.busy() && !self.is_only_held() => return self.unless_busy(),
                Some(_) => None,
                None if self.projection.policies().overview().is_none() => {
                    Some("the zone's policy sets were not read yet")
                }
                None => Some("the zone has only one policy set"),
            }),
            Command::CancelTask => {
                Availability::unless(self.tasks.is_empty().then_some("nothing is running"))
            }
            Command::SignOut => Availability::unless(
                self.projection
                    .identity()
                    .user()
                    .is_none()
                    .then_some("nobody is signed in"),
            ),
            Command::Refresh => self.unless_busy(),
            Command::Inspect => Availability::unless(
                (self.subject().is_none() && !self.has_item())
                    .then_some("there is nothing to open here"),
            ),
            Command::NextMatch | Command::PreviousMatch => {
                Availability::unless(if !self.focus.pane.has_filter() {
                    Some("only Flow, Audit and Trace can be filtered")
                } else if self.projection.log().is_empty() {
                    Some("there is nothing to look through yet")
                } else {
                    None
                })
            }
            Command::Refusal => Availability::unless(
                self.refusal_row(PaneId::Flow)
                    .or_else(|| self.refusal_row(PaneId::Audit))
                    .is_none()
                    .then(|| self.why_no_refusal()),
            ),
            Command::Copy => Availability::unless(
                self.copyable()
                    .is_none()
                    .then_some("there is nothing to copy here"),
            ),
            Command::NextTab | Command::PreviousTab
                if matches!(self.overlays.last(), Some(Overlay::Both { .. }))
                    && self
                        .compared()
                        .is_some_and(|compared| compared.current_of_run().is_some()) =>
            {
                Availability::unless(Some("only where two hops are open"))
            }
            Command::NextTab | Command::PreviousTab | Command::NextHop | Command::PreviousHop => {
                Availability::unless(match self.overlays.last() {
                    Some(Overlay::Inspect(_) | Overlay::Both { .. }) => None,
                    Some(_) | None => Some("only when something is inspected"),
                })
            }
            Command::AllSteps => match self.overlays.last() {
                Some(Overlay::Console { .. }) => self.unless_busy(),
                Some(_) | None => Availability::unless("only in the list of console steps"),
            },
            Command::ChangeForm => self.changing_a_form(),
            Command::NextField
            | Command::PreviousField
            | Command::NextChoice
            | Command::PreviousChoice
            | Command::SetBack
            | Command::BreakLine
            | Command::OwnEditor => self.form_availability(command),
            Command::Compare => Availability::unless(
                self.compared()
                    .is_none()
                    .then_some("there is no other run: hoptrail replay A B, or --against TRACE"),
            ),
            Command::NextDifference | Command::PreviousDifference => {
                Availability::unless(match self.overlays.last() {
                    Some(Overlay::Compare | Overlay::Both { .. }) => None,
                    Some(_) | None => Some("only when two runs are compared"),
                })
            }
            Command::Unfold => Availability::unless(match self.focus.pane {
                PaneId::Flow => None,
                PaneId::Trace if self.filter_of(PaneId::Trace).is_empty() => None,
                PaneId::Trace => Some("a filter shows each line as it is"),
                PaneId::Audit
                | PaneId::Env
                | PaneId::Issue
                | PaneId::Policy
                | PaneId::Sessions
                | PaneId::Chapter => Some("only in Flow and Trace"),
            }),
            Command::Zoom => Availability::unless(
                (self.focus.layout != Layout::Stage && !self.has_room(FOR_TWO))
                    .then_some("the pane has the whole screen already"),
            ),
            Command::Left | Command::Right => Availability::unless(match self.focus.pane {
                PaneId::Issue | PaneId::Policy | PaneId::Chapter => None,
                PaneId::Flow | PaneId::Audit | PaneId::Env | PaneId::Sessions | PaneId::Trace => {
                    Some("only in Issue, Policy and Chapter")
                }
            }),
            Command::Show(PaneId::Chapter)
            | Command::Contents
            | Command::NextChapter
            | Command::PreviousChapter
            | Command::ReachEnd
            | Command::BeginChapter
            | Command::Changes
            | Command::Whereabouts
            | Command::RunProbes
            | Command::ConsoleWork
            | Command::Hint
            | Command::Answer
            | Command::Mistakes
            | Command::Vouch => self.chapter_availability(command),
            // Where a pane has nothing to filter, the flow has: a word that somebody types behind the key
            // must never be taken for commands.
            Command::Filter
            | Command::Show(_)
            | Command::NextPane
            | Command::PreviousPane
            | Command::SwitchLayout
            | Command::Down
            | Command::Up
            | Command::PageDown
            | Command::PageUp
            | Command::Top
            | Command::Bottom
            | Command::Freeze
            | Command::Help
            | Command::Palette
            | Command::Record
            | Command::ToggleMouse
            | Command::Redraw
            | Command::Suspend
            | Command::Back
            | Command::Quit
            | Command::ForceQuit
            | Command::Accept
            | Command::Play
            | Command::Step(..)
            | Command::Slower
            | Command::Faster
            | Command::Start
            | Command::End
            | Command::Goto
            | Command::NextCue
            | Command::PreviousCue
            | Command::SkipCue
            | Command::SpeakerNote
            | Command::Hold
            | Command::LetGo
            | Command::TakeOver
            | Command::Reset
            | Command::Picture
            | Command::Bookmark
            | Command::Annotate
            | Command::Places
            | Command::Traces => Availability::Ready,
        }
    }

    /// Why no row of a refusal can be shown: there is none, or none that the filters let through.
    fn why_no_refusal(&self) -> &'static str {
        let filtered = [PaneId::Flow, PaneId::Audit]
            .into_iter()
            .any(|pane| !self.filter_of(pane).is_empty());
        let refused = || {
            let mut hops = self.projection.hops().rows().iter();
            self.projection.audit().failed() > 0
                || hops.any(|hop| hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied)
        };
        if filtered && refused() {
            "the filters hide what was refused"
        } else {
            "nothing was refused yet"
        }
    }

    fn form_availability(&self, command: Command) -> Availability {
        let Some(form) = self.form() else {
            return Availability::unless("only in the form of a console step");
        };
        let is_long = form.long_text().is_some();
        Availability::unless(match command {
            Command::SetBack if !form.current().is_some_and(Field::is_changed) => {
                Some("nothing to do, this field is as it was at first")
            }
            Command::BreakLine | Command::OwnEditor if !is_long => {
                Some("only in a text of several lines")
            }
            _ => None,
        })
    }

    /// Whether a call of the open chapter would be turned away for want of a sign-in.
    fn lacks_a_sign_in(&self) -> bool {
        self.is_learning() && self.first_of_all(Attempt::EscalateTicket) == Attempt::SignIn
    }

    fn needs_user(&self) -> Availability {
        // In a chapter it is for the server to say that it wants a token.
        if !self.projection.identity().is_let_in() && !self.is_learning() {
            return Availability::Unavailable(format!(
                "nobody is signed in: {} signs in",
                self.keymap.shown(Command::SignIn)
            ));
        }
        self.unless_busy()
    }

    /// Whether Enter does something in the chapter.
    fn has_item(&self) -> bool {
        self.focus.pane == PaneId::Chapter && self.item_label().is_some()
    }

    /// One thing at a time: the flow would tell two stories at once.
    pub(super) fn busy(&self) -> bool {
        let works = |job: &Job| match job {
            Job::SignIn
            | Job::SignOut
            | Job::CallTool { .. }
            | Job::ActivatePolicySet { .. }
            | Job::GoToChapter(_)
            | Job::BeginAgain { .. }
            | Job::TakeStep { .. } => true,
            Job::ListTools
            | Job::RefreshConsole
            | Job::RunProbes { .. }
            | Job::AskZone(_)
            | Job::ReadConsoleWork(_)
            | Job::Hold(_)
            | Job::SampleUser
            | Job::LetGo { .. } => false,
        };
        self.tasks.values().any(|task| works(&task.job))
    }

    pub(super) fn unless_busy(&self) -> Availability {
        if !self.busy() {
            return Availability::Ready;
        }
        Availability::Unavailable(match self.keymap.shown(Command::CancelTask) {
            key if key.is_empty() => "something is running already".to_owned(),
            key => format!("something is running already: {key} calls it off"),
        })
    }

    /// Whether what runs takes longer than anybody expects: then calling it off is the next thing to do.
    pub(super) fn is_kept_waiting(&self) -> bool {
        let long = |since_us| self.now_us.saturating_sub(since_us) >= EXPECTED_US;
        self.busy() && self.tasks.values().any(|task| long(task.since_us))
    }

    fn busy_with(&self, job: &Job) -> bool {
        self.tasks.values().any(|task| task.job == *job)
    }

    /// The ticket that an escalation would take.
    #[must_use]
    pub fn chosen_ticket(&self) -> Option<&Ticket> {
        let tickets = self.projection.issues().tickets();
        let place = self.panes.ticket.min(tickets.len().saturating_sub(1));
        tickets.get(place).map(AsRef::as_ref)
    }

    /// The issue that a deletion would take: the newest, if it is not in the trash. An older one is
    /// nobody's wish: whoever presses the key twice means the same one.
    #[must_use]
    pub fn standing_issue(&self) -> Option<&IssueView> {
        let newest = self.projection.issues().issues().last();
        newest.filter(|issue| issue.whereabouts != Whereabouts::Trashed)
    }

    /// The policy set that a switch would make active: the platform's when the workshop's is
    /// active, and the other way round.
    #[must_use]
    pub fn other_policy_set(&self) -> Option<&PolicySet> {
        let sets = &self.projection.policies().overview()?.sets;
        let active = self.projection.policies().active();
        let wanted = match active.map(|set| set.owner_type) {
            Some(Owner::Customer) => Owner::Platform,
            Some(Owner::Platform) | None => Owner::Customer,
        };
        sets.iter()
            .find(|set| set.owner_type == wanted)
            .or_else(|| sets.iter().find(|set| set.active_version.is_none()))
    }

    /// True while facts are being written to a file.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        matches!(self.recording, RecordingState::On { .. })
    }
}
