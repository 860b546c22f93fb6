//! What each command does.

use std::borrow::Cow;

use serde_json::json;
use tui_input::Input;

use super::{
    App, Task,
    command::{Availability, Command},
    effect::{Capture, Effect, Effects, Job},
    focus::{PaneId, Zoom},
    msg::TaskId,
    overlay::{HOP_TABS, Inspect, Overlay, Question, Subject, What},
    palette,
    panes::flow::FlowRow,
    player::{Source, Speed},
    toast::Tone,
};
use crate::{
    projection::{Hop, HopKind, Verdict},
    protocol::{
        audit::AuditStatus,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
};

impl App {
    /// Carries out a command, or says why it cannot be.
    pub fn perform(&mut self, command: Command) -> Effects {
        match self.availability(command) {
            Availability::Ready => self.carry_out(command),
            Availability::Unavailable(why) => {
                let label = command.spec().label;
                self.say(Tone::Warning, format!("{label}: {why}"));
                Effects::new()
            }
        }
    }

    fn carry_out(&mut self, command: Command) -> Effects {
        match command {
            Command::SignIn => return vec![self.start(Job::SignIn)],
            Command::SignOut => return vec![self.start(Job::SignOut)],
            Command::Refresh => return vec![self.start(Job::RefreshConsole)],
            Command::ListTickets => {
                // Without a sign-in nobody has asked yet which tools there are.
                let tools = (self.is_learning() && self.projection.tools().offered().is_empty())
                    .then(|| self.start(Job::ListTools));
                let mut effects: Effects = tools.into_iter().collect();
                effects.extend(self.call(GET_SUPPORT_TICKETS, json!({})));
                return effects;
            }
            Command::EscalateTicket => {
                if let Some(id) = self.chosen_ticket().map(|ticket| ticket.id) {
                    return self.call(ESCALATE_TICKET, json!({ "ticketId": id }));
                }
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
            }
            Command::Show(PaneId::Chapter) => self.show_chapter(),
            Command::Show(pane) => self.focus.show(pane),
            Command::Contents => {
                if let Some(learn) = &self.learn {
                    let selected = learn.open();
                    self.overlays.push(Overlay::Contents { selected });
                }
            }
            Command::NextChapter => self.next_chapter(),
            Command::PreviousChapter => self.previous_chapter(),
            Command::ReachEnd => return self.reach_end(),
            Command::BeginChapter => return self.begin_chapter(),
            Command::Changes => self.tell(What::Changes),
            Command::Whereabouts => self.tell(What::Whereabouts),
            Command::RunProbes => return self.run_probes(),
            Command::ConsoleWork => return self.open_console(),
            Command::AllSteps => return self.take_all_steps(),
            Command::Hint => self.hint(),
            Command::Answer => self.answer(),
            Command::Vouch => self.vouch(),
            Command::NextPane => self.focus.turn(1),
            Command::PreviousPane => self.focus.turn(-1),
            Command::Zoom => {
                self.focus.zoom = match self.focus.zoom {
                    Zoom::On => Zoom::Off,
                    Zoom::Off => Zoom::On,
                };
            }
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
                let pane = self.focus.pane;
                let before = self.filter_of(pane).to_owned();
                self.overlays.push(Overlay::Filter {
                    pane,
                    input: Input::new(before.clone()),
                    before,
                });
            }
            Command::Freeze => self.freeze(),
            Command::Copy => {
                if let Some(text) = self.copyable() {
                    self.say(
                        Tone::Plain,
                        format!("copied {} characters (OSC 52)", text.chars().count()),
                    );
                    return vec![Effect::Copy(text)];
                }
            }
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

    fn page(&self) -> isize {
        isize::try_from(self.size.1 / 2).unwrap_or(1).max(1)
    }

    /// A row up or down, of whatever has the keys.
    fn step(&mut self, by: isize) {
        if self.overlays.is_empty()
            && self.focus.pane == PaneId::Issue
            && !self.projection.issues().tickets().is_empty()
        {
            self.choose(by);
        } else {
            self.scroll(by);
        }
    }

    fn scroll(&mut self, by: isize) {
        if matches!(self.overlays.last(), Some(Overlay::Compare)) {
            return self.move_in_comparison(by);
        }
        if let Some(overlay) = self.overlays.last_mut() {
            if let Some(scroll) = overlay.scroll_mut() {
                *scroll = scroll.saturating_add_signed(by);
            }
        } else {
            self.scroll_pane(self.focus.pane, by);
        }
    }

    pub(super) fn scroll_pane(&mut self, pane: PaneId, by: isize) {
        match pane {
            PaneId::Flow => self.panes.flow.move_by(by),
            PaneId::Audit => self.panes.audit.move_by(by),
            PaneId::Trace => self.panes.trace.move_by(by),
            PaneId::Chapter => {
                if let Some(learn) = &mut self.learn {
                    learn.scroll(by);
                }
            }
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions => {
                if let Some(scroll) = self.panes.scroll_mut(pane) {
                    *scroll = scroll.saturating_add_signed(by);
                }
            }
        }
    }

    fn bottom(&mut self) {
        if self.overlays.is_empty() {
            match self.focus.pane {
                PaneId::Flow => return self.panes.flow.follow(),
                PaneId::Audit => return self.panes.audit.follow(),
                PaneId::Trace => return self.panes.trace.follow(),
                PaneId::Env
                | PaneId::Issue
                | PaneId::Policy
                | PaneId::Sessions
                | PaneId::Chapter => {}
            }
        }
        self.scroll(isize::MAX);
    }

    fn choose(&mut self, by: isize) {
        match self.focus.pane {
            PaneId::Issue => {
                let last = self.projection.issues().tickets().len().saturating_sub(1);
                self.panes.ticket = self.panes.ticket.saturating_add_signed(by).min(last);
                self.panes.issue_scroll = 0;
            }
            PaneId::Policy => {
                let count = self
                    .projection
                    .policies()
                    .overview()
                    .map_or(0, |overview| overview.active_policies.len());
                let here = self.open_policy();
                self.panes.policy =
                    Some(here.saturating_add_signed(by).min(count.saturating_sub(1)));
                self.panes.policy_scroll = 0;
            }
            PaneId::Chapter => self.choose_item(by),
            PaneId::Flow | PaneId::Audit | PaneId::Env | PaneId::Sessions | PaneId::Trace => {}
        }
    }

    /// The policy that the pane shows: the chosen one, else the one that decided last.
    #[must_use]
    pub fn open_policy(&self) -> usize {
        let policies = self.projection.policies();
        let count = policies
            .overview()
            .map_or(0, |overview| overview.active_policies.len());
        let decided = || {
            let places = policies.highlight(policies.last()?);
            places.first().copied()
        };
        self.panes
            .policy
            .or_else(decided)
            .unwrap_or(count.saturating_sub(1))
            .min(count.saturating_sub(1))
    }

    /// The place of the selected row of a list.
    pub(super) fn place_in(&self, pane: PaneId) -> Option<usize> {
        match pane {
            PaneId::Flow => Some(self.panes.flow.selected()),
            PaneId::Audit => Some(self.panes.audit.selected()),
            PaneId::Trace => Some(self.panes.trace.selected()),
            PaneId::Issue => Some(self.panes.ticket),
            PaneId::Policy => Some(self.open_policy()),
            PaneId::Chapter => self.item_place(),
            PaneId::Env | PaneId::Sessions => None,
        }
    }

    pub(super) fn go_to(&mut self, pane: PaneId, place: usize) {
        match pane {
            PaneId::Flow => self.panes.flow.select(place),
            PaneId::Audit => self.panes.audit.select(place),
            PaneId::Trace => self.panes.trace.select(place),
            PaneId::Issue => self.panes.ticket = place,
            PaneId::Policy => self.panes.policy = Some(place),
            PaneId::Chapter => {
                if let Some(learn) = &mut self.learn {
                    learn.select(place);
                }
            }
            PaneId::Env | PaneId::Sessions => {}
        }
    }

    /// The filter of a pane; empty for panes that have none.
    #[must_use]
    pub fn filter_of(&self, pane: PaneId) -> &str {
        match pane {
            PaneId::Flow => self.panes.flow.filter(),
            PaneId::Audit => self.panes.audit.filter(),
            PaneId::Trace => self.panes.trace.filter(),
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter => "",
        }
    }

    /// What Enter would open.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        let seen = &self.projection;
        match self.focus.pane {
            PaneId::Flow => self.panes.flow.current().map(|row| match row {
                FlowRow::Heading(id)
                | FlowRow::Hop(id)
                | FlowRow::NoCall(id)
                | FlowRow::Folded(id)
                | FlowRow::Policy(id) => Subject::Hop(id),
            }),
            PaneId::Audit => self.panes.audit.current().map(Subject::Audit),
            PaneId::Trace => self.panes.trace.current().map(Subject::Event),
            PaneId::Env => {
                let env = seen.env();
                env.after()
                    .or_else(|| env.before())
                    .map(|file| Subject::Event(file.evidence))
            }
            PaneId::Issue => self
                .shown_issue()
                .map(|issue| Subject::Event(issue.evidence)),
            PaneId::Policy => seen
                .policies()
                .last()
                .map(|decision| Subject::Event(decision.evidence)),
            PaneId::Sessions => seen.sessions().read().map(Subject::Event),
            PaneId::Chapter => None,
        }
    }

    /// The issue beside the chosen ticket; with no tickets known, the newest issue.
    #[must_use]
    pub fn shown_issue(&self) -> Option<&crate::projection::issue::IssueView> {
        let issues = self.projection.issues();
        match self.chosen_ticket() {
            Some(ticket) => issues.of_ticket(ticket.id),
            None => issues.latest(),
        }
    }

    /// How many hops Flow shows, and of how many.
    #[must_use]
    pub const fn flow_counts(&self) -> (usize, usize) {
        self.flow_index.counts()
    }

    /// How many steps the folded row at `place` stands for; none for any other row.
    #[must_use]
    pub fn folded_steps(&self, place: usize) -> usize {
        match self.panes.flow.rows().get(place) {
            Some(FlowRow::Folded(_)) => self.flow_index.folded(&self.projection, place).count(),
            Some(
                FlowRow::Heading(_) | FlowRow::Hop(_) | FlowRow::NoCall(_) | FlowRow::Policy(_),
            )
            | None => 0,
        }
    }

    /// The worst that befell the steps of the folded row at `place`.
    #[must_use]
    pub fn folded_worst(&self, place: usize) -> Option<&Hop> {
        self.flow_index
            .folded(&self.projection, place)
            .max_by_key(|hop| hop.verdict)
    }

    fn on_folded_steps(&self) -> bool {
        self.focus.pane == PaneId::Flow && self.folded_steps(self.panes.flow.selected()) > 1
    }

    fn unfold(&mut self) {
        self.flow_index.turn(&self.projection, &mut self.panes.flow);
    }

    /// The last refusal in the pane that has one.
    pub(super) fn refusal_row(&self, pane: PaneId) -> Option<usize> {
        let seen = &self.projection;
        match pane {
            PaneId::Audit => self.panes.audit.rows().iter().rposition(|id| {
                seen.audit()
                    .get(*id)
                    .is_some_and(|row| row.status == AuditStatus::Failure)
            }),
            PaneId::Flow
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Trace
            | PaneId::Chapter => self.panes.flow.rows().iter().rposition(|row| {
                matches!(row, FlowRow::Hop(id) if seen.hops().get(*id).is_some_and(|hop| {
                    hop.kind == HopKind::Exchange && hop.verdict == Verdict::Denied
                }))
            }),
        }
    }

    fn show_refusal(&mut self) {
        let pane = match self.focus.pane {
            PaneId::Audit => PaneId::Audit,
            PaneId::Flow
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Trace
            | PaneId::Chapter => PaneId::Flow,
        };
        if let Some(place) = self.refusal_row(pane) {
            self.focus.show(pane);
            self.go_to(pane, place);
        }
    }

    fn inspect(&mut self, subject: Subject, tab: usize) {
        let tab = tab.min(subject.tabs().len().saturating_sub(1));
        self.overlays.push(Overlay::Inspect(Inspect {
            subject,
            tab,
            scroll: 0,
        }));
    }

    fn turn_tab(&mut self, by: isize) {
        if let Some(Overlay::Both { tab, scroll }) = self.overlays.last_mut() {
            let next = (tab.cast_signed() + by).rem_euclid(HOP_TABS.len().cast_signed());
            (*tab, *scroll) = (next.unsigned_abs(), 0);
        }
        if let Some(Overlay::Inspect(inspect)) = self.overlays.last_mut() {
            let count = inspect.subject.tabs().len().cast_signed();
            let next = (inspect.tab.cast_signed() + by).rem_euclid(count);
            inspect.tab = next.unsigned_abs();
            inspect.scroll = 0;
        }
    }

    fn inspect_neighbour(&mut self, by: isize) {
        if matches!(self.overlays.last(), Some(Overlay::Both { .. })) {
            return self.step_both(by);
        }
        let Some(Overlay::Inspect(open)) = self.overlays.last().cloned() else {
            return;
        };
        for _ in 0..3 {
            self.scroll_pane(self.focus.pane, by);
            let Some(subject) = self.subject() else {
                return;
            };
            if subject != open.subject {
                self.overlays.pop();
                return self.inspect(subject, open.tab);
            }
        }
    }

    fn freeze(&mut self) {
        match self.held.take() {
            None => {
                self.held = Some(Vec::new());
                let key = self.keymap.shown(Command::Freeze);
                self.say(Tone::Plain, format!("frozen: {key} catches up"));
            }
            Some(events) => {
                for event in &events {
                    self.fold(event);
                }
                self.say(
                    Tone::Plain,
                    format!("live again, {} events later", events.len()),
                );
            }
        }
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

    /// Undoes one thing: the window on top, then the filter, then the zoom.
    fn back(&mut self) -> Effects {
        match self.overlays.pop() {
            Some(Overlay::Filter { pane, before, .. }) => self.look_for(pane, &before),
            Some(Overlay::Waiting { .. }) => {
                return self
                    .tasks
                    .iter()
                    .filter(|(_, task)| task.job == Job::SignIn)
                    .map(|(id, _)| Effect::CancelTask(*id))
                    .collect();
            }
            // Without a trace there is nothing behind the list.
            Some(Overlay::Traces { .. }) if matches!(&self.source, Source::Opening(open) if open.name.is_empty()) =>
            {
                return vec![Effect::Quit];
            }
            Some(
                Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::Goto { .. }
                | Overlay::Note { .. }
                | Overlay::Places { .. }
                | Overlay::Traces { .. }
                | Overlay::Compare
                | Overlay::Both { .. }
                | Overlay::Inspect(_)
                | Overlay::Contents { .. }
                | Overlay::Told { .. }
                | Overlay::Console { .. }
                | Overlay::Confirm(_)
                | Overlay::Failure { .. },
            ) => {}
            None => {
                let pane = self.focus.pane;
                if !self.filter_of(pane).is_empty() {
                    self.look_for(pane, "");
                } else if self.focus.zoom == Zoom::On {
                    self.focus.zoom = Zoom::Off;
                } else {
                    self.toast = None;
                }
            }
        }
        Effects::new()
    }

    fn quit(&mut self) -> Effects {
        if !self.overlays.is_empty() {
            return self.back();
        }
        if self.is_recording() {
            self.overlays
                .push(Overlay::Confirm(Question::QuitWhileRecording));
            return Effects::new();
        }
        vec![Effect::Quit]
    }

    fn accept(&mut self) -> Effects {
        match self.overlays.pop() {
            Some(Overlay::Palette { input, selected }) => {
                match palette::find(input.value()).get(selected).copied() {
                    Some(command) => self.perform(command),
                    None => Effects::new(),
                }
            }
            Some(Overlay::Filter { pane, input, .. }) => {
                let text = input.value().to_owned();
                if self.filter_of(pane) != text {
                    self.look_for(pane, &text);
                }
                Effects::new()
            }
            Some(Overlay::Goto { input }) => {
                self.go_to_written(input.value());
                Effects::new()
            }
            Some(Overlay::Note { input }) => {
                let text = input.value().to_owned();
                self.take_note(&text)
            }
            Some(Overlay::Places { selected }) => {
                self.go_to_landmark(selected);
                Effects::new()
            }
            Some(Overlay::Traces { selected }) => self.open_shipped(selected),
            Some(Overlay::Compare) => {
                self.overlays.push(Overlay::Compare);
                self.open_both();
                Effects::new()
            }
            Some(Overlay::Confirm(Question::QuitWhileRecording)) => {
                vec![Effect::StopRecording, Effect::Quit]
            }
            Some(Overlay::Confirm(Question::Reset)) => {
                let mut effects: Effects =
                    self.tasks.keys().copied().map(Effect::CancelTask).collect();
                effects.push(Effect::Reset);
                effects
            }
            Some(Overlay::Confirm(Question::SkipChapter)) => {
                self.skip_chapter();
                Effects::new()
            }
            Some(Overlay::Contents { selected }) => {
                self.open_chapter(selected);
                Effects::new()
            }
            // Enter means "read it": these close.
            Some(Overlay::Failure { .. } | Overlay::Help { .. } | Overlay::Told { .. }) | None => {
                Effects::new()
            }
            Some(open @ Overlay::Console { .. }) => {
                self.overlays.push(open);
                self.take_selected_step()
            }
            Some(open @ (Overlay::Inspect(_) | Overlay::Both { .. } | Overlay::Waiting { .. })) => {
                self.overlays.push(open);
                Effects::new()
            }
        }
    }

    /// What `y` would copy.
    #[must_use]
    pub fn copyable(&self) -> Option<String> {
        let line = |seq| self.projection.log().line(seq).map(Cow::into_owned);
        let of = |subject| match subject {
            Subject::Hop(id) => {
                let evidence = self.projection.hops().get(id)?.evidence;
                let lines: Vec<String> = evidence.iter().filter_map(line).collect();
                Some(lines.join("\n"))
            }
            Subject::Audit(id) => line(self.projection.audit().get(id)?.evidence),
            Subject::Event(seq) => line(seq),
        };
        match self.overlays.last() {
            Some(Overlay::Waiting { url, .. }) => return Some(url.clone()),
            Some(Overlay::Failure { failure, .. }) => return Some(failure.to_string()),
            Some(Overlay::Inspect(inspect)) => return of(inspect.subject),
            Some(
                Overlay::Help { .. }
                | Overlay::Palette { .. }
                | Overlay::Filter { .. }
                | Overlay::Goto { .. }
                | Overlay::Contents { .. }
                | Overlay::Told { .. }
                | Overlay::Console { .. }
                | Overlay::Note { .. }
                | Overlay::Places { .. }
                | Overlay::Traces { .. }
                | Overlay::Compare
                | Overlay::Both { .. }
                | Overlay::Confirm(_),
            ) => return None,
            None => {}
        }
        match self.focus.pane {
            PaneId::Issue => {
                let issue = self.shown_issue()?;
                (!issue.url.is_empty()).then(|| issue.url.to_string())
            }
            PaneId::Policy => {
                let overview = self.projection.policies().overview()?;
                let policy = overview.active_policies.get(self.open_policy())?;
                Some(policy.latest_version.cedar_raw.clone())
            }
            PaneId::Sessions | PaneId::Chapter => None,
            PaneId::Flow | PaneId::Audit | PaneId::Trace | PaneId::Env => {
                self.subject().and_then(of)
            }
        }
    }
}
