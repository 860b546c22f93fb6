//! What each command does.

mod moving;
mod selected;
mod windows;

use serde_json::json;
use tui_input::Input;

use super::{
    App, Task,
    command::{Availability, Command},
    effect::{Capture, Effect, Effects, Job},
    focus::PaneId,
    learn::console::form::Form,
    msg::TaskId,
    overlay::{Overlay, Question, What},
    player::Speed,
    toast::Tone,
};
use crate::{
    protocol::tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    support::text::number_of,
};

impl App {
    /// Carries out a command, or says why it cannot be.
    pub fn perform(&mut self, command: Command) -> Effects {
        match self.availability(command) {
            Availability::Ready => {
                // Why another command could not be done is nobody's question any more.
                self.toast.take_if(|toast| toast.tone == Tone::Unavailable);
                self.carry_out(command)
            }
            Availability::Unavailable(why) => self.say_why_not(command, &why),
        }
    }

    /// [`Self::perform`] for what lies under the window on top, which closes for it; what cannot be
    /// done says why, with the window still there.
    pub(super) fn perform_behind(&mut self, command: Command) -> Effects {
        match self.availability_in(command, self.ground()) {
            Availability::Ready => {
                let mut effects = self.perform(Command::Back);
                effects.extend(self.perform(command));
                effects
            }
            Availability::Unavailable(why) => self.say_why_not(command, &why),
        }
    }

    fn say_why_not(&mut self, command: Command, why: &str) -> Effects {
        let label = command.spec().label;
        self.say(Tone::Unavailable, format!("{label}: {why}"));
        Effects::new()
    }

    fn carry_out(&mut self, command: Command) -> Effects {
        match command {
            Command::SignIn => return vec![self.start(Job::SignIn)],
            Command::SignOut => return vec![self.start(Job::SignOut)],
            Command::Refresh => {
                let text = "policies, sessions and grants are read again";
                self.say(Tone::Plain, text);
                return vec![self.start(Job::RefreshConsole)];
            }
            Command::ListTickets => {
                // Without a sign-in nobody has asked yet which tools there are.
                let tools = self.lists_tools_first().then(|| self.start(Job::ListTools));
                let mut effects: Effects = tools.into_iter().collect();
                effects.extend(self.call(GET_SUPPORT_TICKETS, json!({})));
                return effects;
            }
            Command::EscalateTicket => {
                let Some(id) = self.chosen_ticket().map(|ticket| ticket.id) else {
                    let key = self.keymap.shown(Command::EscalateTicket);
                    let text =
                        format!("the tickets come first; then {key} escalates the chosen one");
                    self.say(Tone::Plain, text);
                    return self.carry_out(Command::ListTickets);
                };
                return self.call(ESCALATE_TICKET, json!({ "ticketId": id }));
            }
            Command::DeleteIssue => {
                if let Some(id) = self.standing_issue().map(|issue| issue.id.clone()) {
                    return self.call(DELETE_ISSUE, json!({ "issueId": &*id }));
                }
            }
            Command::TogglePolicy => {
                if let Some(set) = self.other_policy_set() {
                    let job = Job::ActivatePolicySet {
                        set_id: set.id.clone(),
                        version: set.latest_version,
                    };
                    return vec![self.start(job)];
                }
            }
            Command::CancelTask => {
                return self.tasks.keys().copied().map(Effect::CancelTask).collect();
            }
            Command::Show(PaneId::Chapter) if self.focus.pane == PaneId::Chapter => {
                self.focus.leave_chapter();
                let key = self.keymap.shown(Command::Show(PaneId::Chapter));
                self.say(Tone::Plain, format!("{key} opens the chapter again"));
            }
            Command::Show(PaneId::Chapter) => self.show_chapter(),
            Command::Show(pane) => self.look_at(pane),
            Command::Contents => {
                if let Some(learn) = &self.learn {
                    let selected = learn.open();
                    self.overlays.push(Overlay::Contents { selected });
                }
            }
            Command::NextChapter => self.next_chapter(),
            Command::PreviousChapter => self.previous_chapter(),
            Command::ReachEnd => return self.reach_end(),
            Command::BeginChapter => {
                self.overlays.push(Overlay::Confirm(Question::BeginChapter));
            }
            Command::Changes => self.tell(What::Changes),
            Command::Whereabouts => self.tell(What::Whereabouts),
            Command::RunProbes => return self.run_probes(),
            Command::ConsoleWork => return self.open_console(),
            Command::AllSteps => return self.take_all_steps(),
            Command::ChangeForm => self.open_form(),
            Command::NextField => self.in_form(|form| form.go(1)),
            Command::PreviousField => self.in_form(|form| form.go(-1)),
            Command::NextChoice => self.in_form(|form| form.choose(1)),
            Command::PreviousChoice => self.in_form(|form| form.choose(-1)),
            Command::SetBack => self.in_form(Form::set_back),
            Command::BreakLine => self.in_form(Form::break_line),
            Command::OwnEditor => {
                let text = self.form().and_then(Form::long_text);
                return text
                    .map(str::to_owned)
                    .map(Effect::Edit)
                    .into_iter()
                    .collect();
            }
            Command::Hint => self.hint(),
            Command::Answer => self.answer(),
            Command::Mistakes => {
                if let Some(learn) = &mut self.learn {
                    learn.turn_mistakes();
                }
            }
            Command::Vouch => self.vouch(),
            Command::NextPane => self.focus.turn(1),
            Command::PreviousPane => self.focus.turn(-1),
            Command::Zoom => self.focus.turn_zoom(),
            Command::SwitchLayout => self.focus.switch_layout(),
            Command::Down | Command::NextMatch => self.step(1),
            Command::Up | Command::PreviousMatch => self.step(-1),
            Command::PageDown => self.scroll(self.page()),
            Command::PageUp => self.scroll(-self.page()),
            Command::Top => self.scroll(isize::MIN),
            Command::Bottom => self.bottom(),
            Command::Left => self.choose(-1),
            Command::Right => self.choose(1),
            Command::Inspect if self.focus.pane == PaneId::Chapter => return self.enter_item(),
            Command::Inspect if self.on_folded_steps() => self.unfold(),
            Command::Unfold => self.unfold(),
            Command::Refusal => self.show_refusal(),
            Command::Inspect => {
                if let Some(subject) = self.subject() {
                    self.inspect(subject, 0);
                }
            }
            Command::Filter => {
                if !self.focus.pane.has_filter() {
                    self.focus.show(PaneId::Flow);
                }
                let pane = self.focus.pane;
                let before = self.filter_of(pane).to_owned();
                self.overlays.push(Overlay::Filter {
                    pane,
                    input: Input::new(before.clone()),
                    before,
                });
            }
            Command::Freeze => self.freeze(),
            Command::Copy => return self.copy(),
            Command::Help => {
                if matches!(self.overlays.last(), Some(Overlay::Help { .. })) {
                    self.overlays.pop();
                } else {
                    self.overlays.push(Overlay::Help { scroll: 0 });
                }
            }
            Command::Palette => self.overlays.push(Overlay::Palette {
                input: Input::default(),
                selected: 0,
            }),
            Command::Record => {
                return vec![if self.is_recording() {
                    Effect::StopRecording
                } else {
                    Effect::StartRecording
                }];
            }
            Command::ToggleMouse => return self.toggle_mouse(),
            Command::Redraw => return vec![Effect::Redraw],
            Command::Suspend => return vec![Effect::Suspend],
            Command::Back => return self.back(),
            Command::Quit => return self.quit(),
            Command::ForceQuit => return vec![Effect::Quit],
            Command::NextTab => self.turn_tab(1),
            Command::PreviousTab => self.turn_tab(-1),
            Command::NextHop => self.inspect_neighbour(1),
            Command::PreviousHop => self.inspect_neighbour(-1),
            Command::Accept => return self.accept(),
            Command::Play => self.play_or_pause(),
            Command::Step(unit, direction) => self.step_replay(unit, direction),
            Command::Slower => self.change_speed(Speed::slower),
            Command::Faster => self.change_speed(Speed::faster),
            Command::Start => self.go_to_start(),
            Command::End => self.go_to_end(),
            Command::NextCue => return self.next_cue(),
            Command::PreviousCue => self.previous_cue(),
            Command::SkipCue => return self.skip_cue(),
            Command::SpeakerNote => self.turn_notes(),
            Command::Hold => return self.turn_hold(),
            Command::LetGo => return self.let_go(),
            Command::TakeOver => return self.take_over(),
            Command::Reset => self.overlays.push(Overlay::Confirm(Question::Reset)),
            Command::Picture => return vec![Effect::Picture],
            Command::Goto => self.overlays.push(Overlay::Goto {
                input: Input::default(),
            }),
            Command::Bookmark => return self.turn_bookmark(),
            Command::Annotate => self.annotate(),
            Command::Places => {
                let selected = self.landmark_here();
                self.overlays.push(Overlay::Places { selected });
            }
            Command::Traces => self.overlays.push(Overlay::Traces { selected: 0 }),
            Command::Compare => self.turn_comparison(),
            Command::NextDifference => self.step_difference(1),
            Command::PreviousDifference => self.step_difference(-1),
        }
        Effects::new()
    }

    fn in_form(&mut self, change: impl FnOnce(&mut Form)) {
        if let Some(form) = self.form_mut() {
            change(form);
        }
    }

    /// Starts a task.
    pub(super) fn start(&mut self, job: Job) -> Effect {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        self.tasks.insert(
            id,
            Task {
                job: job.clone(),
                since_us: self.now_us,
            },
        );
        Effect::Run(id, job)
    }

    fn call(&mut self, tool: &str, arguments: serde_json::Value) -> Effects {
        self.panes.flow.follow();
        self.panes.audit.follow();
        vec![self.start(Job::CallTool {
            tool: tool.to_owned(),
            arguments,
        })]
    }

    fn freeze(&mut self) {
        if self.held.is_some() {
            let events = number_of(self.catch_up(), "event");
            self.say(Tone::Plain, format!("live again, {events} later"));
        } else {
            self.held = Some(Vec::new());
            let key = self.keymap.shown(Command::Freeze);
            self.say(Tone::Plain, format!("frozen: {key} catches up"));
        }
    }

    /// Folds what waits behind a picture that was held still; gives how many facts that were.
    pub(super) fn catch_up(&mut self) -> usize {
        let events = self.held.take().unwrap_or_default();
        for event in &events {
            self.fold(event);
        }
        events.len()
    }

    fn toggle_mouse(&mut self) -> Effects {
        self.capture = match self.capture {
            Capture::On => Capture::Off,
            Capture::Off => Capture::On,
        };
        self.say(
            Tone::Plain,
            match self.capture {
                Capture::On => "the mouse is ours: click and scroll",
                Capture::Off => "the mouse is the terminal's: select and copy",
            },
        );
        vec![Effect::SetMouseCapture(self.capture)]
    }
}
