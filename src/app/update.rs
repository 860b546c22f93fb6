//! One message at a time.

use tui_input::{Input, InputRequest};

use super::{
    App,
    command::{Command, Context},
    compare::Compared,
    effect::{Effect, Effects, Job},
    focus::PaneId,
    msg::{InputEvent, MouseAction, Msg, RecordingState, Signal, TaskId, TaskOutcome},
    overlay::Overlay,
    story,
    target::Target,
    toast::{STAY_US, Toast, Tone},
};
use crate::{
    config::keys::{Key, KeyCode, Modifier},
    projection::{Seq, story::LIMIT_LINEAR_SCOPES},
    protocol::{
        hold::GATE_NAME,
        observed::CallId,
        tickets::{DELETE_ISSUE, ESCALATE_TICKET, GET_SUPPORT_TICKETS},
    },
    support::text::one_line,
    trace::event::{BrowserLeg, CallOutcome, Fact, TraceEvent},
};

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

/// Events that a filter looks at in one go: as much as fits between two frames.
const LINES: usize = 4_096;
/// Hops or audit rows that a filter looks at in one go.
const ROWS: usize = 8_192;

impl App {
    /// Takes a message; says what is to be done.
    #[must_use]
    pub fn update(&mut self, msg: Msg) -> Effects {
        let mut effects = self.take(msg);
        self.look_at_checks(&mut effects);
        effects
    }

    fn take(&mut self, msg: Msg) -> Effects {
        match msg {
            Msg::Input(InputEvent::Key(key)) => self.key(key),
            Msg::Input(InputEvent::Paste(text)) => {
                self.paste(&text);
                Effects::new()
            }
            Msg::Input(InputEvent::Mouse { action, target }) => self.mouse(action, target),
            Msg::Trace(event) => {
                self.fact(event);
                self.pass_preparations()
            }
            Msg::Task(id, outcome) => self.ended(id, outcome),
            Msg::Tick(millis) => {
                self.at(millis.saturating_mul(1_000));
                self.play_on();
                self.look_on();
                Effects::new()
            }
            Msg::Resized(columns, rows) => {
                self.size = (columns, rows);
                Effects::new()
            }
            Msg::Signal(Signal::Terminate) => vec![Effect::Quit],
            Msg::Signal(Signal::Continued) => vec![Effect::Redraw],
            Msg::Recording(state) => {
                self.recorded(state);
                Effects::new()
            }
            Msg::BrowserUrl(url) => {
                if let Some(Overlay::Waiting { url: shown, .. }) = self
                    .overlays
                    .iter_mut()
                    .find(|o| matches!(o, Overlay::Waiting { .. }))
                {
                    shown.clone_from(&url);
                }
                self.browser_url = Some(url);
                Effects::new()
            }
            Msg::Probed(chapter, results) => {
                if let Some(learn) = &mut self.learn {
                    learn.take_results(&chapter, *results);
                }
                Effects::new()
            }
            Msg::ConsoleWork(work) => {
                if let Some(learn) = &mut self.learn {
                    learn.take_work(work);
                }
                Effects::new()
            }
            Msg::StepTaken {
                chapter,
                place,
                told,
            } => {
                if let Some(learn) = &mut self.learn {
                    learn.step_taken(chapter, place, told);
                }
                Effects::new()
            }
            Msg::ZoneChanged { made, gone } => {
                if let Some(learn) = &mut self.learn {
                    learn.zone_changed(made, gone);
                }
                Effects::new()
            }
            Msg::LookedAround(seen) => {
                self.looked_around(seen);
                Effects::new()
            }
            Msg::Book(book) => {
                if let Some(learn) = &mut self.learn {
                    learn.take_book(*book);
                    self.say(Tone::Plain, "the chapters were read again");
                }
                Effects::new()
            }
            Msg::Opening(percent) => {
                self.opening(percent);
                Effects::new()
            }
            Msg::Opened(tape) => {
                self.opened(*tape);
                Effects::new()
            }
            Msg::Grew(events) => {
                self.grew(events);
                Effects::new()
            }
            Msg::Ended { warning } => {
                self.grows_no_more(warning);
                Effects::new()
            }
            Msg::NotExported(failure) => {
                self.say(Tone::Warning, format!("{}: {}", failure.what, failure.why));
                Effects::new()
            }
            Msg::Notes(notes) => {
                self.noted(notes);
                Effects::new()
            }
            Msg::Against(against) => {
                self.set_against(*against);
                Effects::new()
            }
            Msg::Begun(started) => self.begun(started),
            Msg::Pictured(Ok(file)) => {
                self.say(Tone::Good, format!("the screen is in {file}"));
                Effects::new()
            }
            Msg::Pictured(Err(failure))
            | Msg::Unreadable(failure)
            | Msg::BookUnreadable(failure) => {
                self.fail(failure);
                Effects::new()
            }
        }
    }

    fn at(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        if self
            .toast
            .as_ref()
            .is_some_and(|toast| toast.until_us <= self.now_us)
        {
            self.toast = None;
        }
    }

    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.toast = Some(Toast {
            tone,
            text: one_line(&text.into()),
            // Ticks count milliseconds: an end between two of them would be woken for in vain.
            until_us: (self.now_us / 1_000)
                .saturating_mul(1_000)
                .saturating_add(STAY_US),
        });
    }

    fn key(&mut self, key: Key) -> Effects {
        if let Some(command) = self.meaning(key) {
            return self.perform(command);
        }
        if self.context() == Context::Field {
            self.edit(key);
        } else if key.modifier == Modifier::Alt && matches!(key.code, KeyCode::Char(_)) {
            // Terminals send Alt with a letter as Escape and the letter, so this is what two keys in
            // quick succession look like. In a field it is left alone: there Alt moves by words.
            let mut effects = self.key(Key::plain(KeyCode::Esc));
            effects.extend(self.key(Key::plain(key.code)));
            return effects;
        } else if self.toast.is_none() {
            let help = self.keymap.shown(Command::Help);
            self.say(Tone::Plain, format!("{help} lists the keys"));
        }
        Effects::new()
    }

    /// A key in a text field that is no command: text, or a move in the text or the list.
    fn edit(&mut self, key: Key) {
        use InputRequest as R;
        let request = match (key.code, key.modifier) {
            (KeyCode::Char(c), Modifier::None) => R::InsertChar(c),
            (KeyCode::Backspace, Modifier::None) => R::DeletePrevChar,
            (KeyCode::Backspace, Modifier::Ctrl | Modifier::Alt)
            | (KeyCode::Char('w'), Modifier::Ctrl) => R::DeletePrevWord,
            (KeyCode::Delete, _) => R::DeleteNextChar,
            (KeyCode::Left, Modifier::None) => R::GoToPrevChar,
            (KeyCode::Right, Modifier::None) => R::GoToNextChar,
            (KeyCode::Left, _) => R::GoToPrevWord,
            (KeyCode::Right, _) => R::GoToNextWord,
            (KeyCode::Home, _) | (KeyCode::Char('a'), Modifier::Ctrl) => R::GoToStart,
            (KeyCode::End, _) | (KeyCode::Char('e'), Modifier::Ctrl) => R::GoToEnd,
            (KeyCode::Char('u'), Modifier::Ctrl) => R::DeleteFromStart,
            (KeyCode::Up | KeyCode::BackTab, _) | (KeyCode::Char('p'), Modifier::Ctrl) => {
                return self.palette_move(-1);
            }
            (KeyCode::Down | KeyCode::Tab, _) | (KeyCode::Char('n'), Modifier::Ctrl) => {
                return self.palette_move(1);
            }
            (
                KeyCode::Char(_)
                | KeyCode::F(_)
                | KeyCode::Enter
                | KeyCode::Esc
                | KeyCode::PageUp
                | KeyCode::PageDown,
                _,
            ) => return,
        };
        self.edit_field(|input| {
            input.handle(request);
        });
    }

    fn paste(&mut self, text: &str) {
        let line = one_line(text.lines().next().unwrap_or_default());
        self.edit_field(|input| {
            for c in line.chars().take(1_000) {
                input.handle(InputRequest::InsertChar(c));
            }
        });
    }

    fn edit_field(&mut self, change: impl FnOnce(&mut Input)) {
        match self.overlays.last_mut() {
            Some(Overlay::Palette { input, selected }) => {
                change(input);
                *selected = 0;
            }
            Some(Overlay::Filter { pane, input, .. }) => {
                change(input);
                let (pane, text) = (*pane, input.value().to_owned());
                self.look_for(pane, &text);
            }
            Some(Overlay::Goto { input } | Overlay::Note { input }) => change(input),
            Some(
                Overlay::Help { .. }
                | Overlay::Places { .. }
                | Overlay::Traces { .. }
                | Overlay::Compare
                | Overlay::Both { .. }
                | Overlay::Inspect(_)
                | Overlay::Contents { .. }
                | Overlay::Told { .. }
                | Overlay::Console { .. }
                | Overlay::Confirm(_)
                | Overlay::Failure { .. }
                | Overlay::Waiting { .. },
            )
            | None => {}
        }
    }

    fn palette_move(&mut self, by: isize) {
        if let Some(Overlay::Palette { input, selected }) = self.overlays.last_mut() {
            let last = super::palette::find(input.value()).len().saturating_sub(1);
            *selected = selected.saturating_add_signed(by).min(last);
        }
    }

    fn mouse(&mut self, action: MouseAction, target: Option<Target>) -> Effects {
        let Some(target) = target else {
            return Effects::new();
        };
        let by = match action {
            MouseAction::Click => return self.click(target),
            MouseAction::ScrollUp => -WHEEL,
            MouseAction::ScrollDown => WHEEL,
        };
        match target {
            Target::Pane(pane) | Target::Row(pane, _) if self.overlays.is_empty() => {
                self.scroll_pane(pane, by);
            }
            Target::Overlay | Target::OverlayRow(_) | Target::OverlayTab(_) => {
                self.palette_move(by.signum());
                if matches!(self.overlays.last(), Some(Overlay::Compare)) {
                    self.move_in_comparison(by);
                }
                if let Some(scroll) = self.overlays.last_mut().and_then(|o| o.scroll_mut()) {
                    *scroll = scroll.saturating_add_signed(by);
                }
            }
            Target::Pane(_)
            | Target::Row(..)
            | Target::Command(_)
            | Target::Place(_)
            | Target::Outside => {}
        }
        Effects::new()
    }

    fn click(&mut self, target: Target) -> Effects {
        match target {
            Target::Pane(pane) => self.focus.show(pane),
            Target::Row(pane, place) => {
                let here = self.focus.pane == pane;
                self.focus.show(pane);
                if here && self.place_in(pane) == Some(place) {
                    return self.perform(Command::Inspect);
                }
                self.go_to(pane, place);
            }
            Target::Command(command) => return self.perform(command),
            Target::OverlayRow(place) => match self.overlays.last_mut() {
                Some(
                    Overlay::Palette { selected, .. }
                    | Overlay::Places { selected }
                    | Overlay::Traces { selected }
                    | Overlay::Contents { selected }
                    | Overlay::Console { selected, .. },
                ) => {
                    *selected = place;
                    return self.perform(Command::Accept);
                }
                Some(Overlay::Compare) => {
                    let before = self.compared().map(Compared::selected);
                    self.select_in_comparison(place);
                    if before == self.compared().map(Compared::selected) {
                        return self.perform(Command::Accept);
                    }
                }
                Some(_) | None => {}
            },
            Target::OverlayTab(place) => match self.overlays.last_mut() {
                Some(Overlay::Inspect(inspect)) => {
                    inspect.tab = place;
                    inspect.scroll = 0;
                }
                Some(Overlay::Both { tab, scroll }) => {
                    *tab = place;
                    *scroll = 0;
                }
                Some(_) | None => {}
            },
            Target::Place(place) => self.jump_to_place(place),
            Target::Overlay => {}
            // A stray click must not call off a sign-in or answer a question.
            Target::Outside => match self.overlays.last() {
                Some(Overlay::Waiting { .. } | Overlay::Confirm(_) | Overlay::Traces { .. })
                | None => {}
                Some(
                    Overlay::Help { .. }
                    | Overlay::Note { .. }
                    | Overlay::Places { .. }
                    | Overlay::Compare
                    | Overlay::Both { .. }
                    | Overlay::Palette { .. }
                    | Overlay::Filter { .. }
                    | Overlay::Goto { .. }
                    | Overlay::Inspect(_)
                    | Overlay::Contents { .. }
                    | Overlay::Told { .. }
                    | Overlay::Console { .. }
                    | Overlay::Failure { .. },
                ) => return self.perform(Command::Back),
            },
        }
        Effects::new()
    }

    pub(super) fn fact(&mut self, event: TraceEvent) {
        self.at(event.at_us);
        if let Some(away) = &mut self.away {
            return away.keep(event);
        }
        self.watch(&event.fact);
        match &mut self.held {
            Some(held) => held.push(event),
            None => self.fold(&event),
        }
    }

    /// Folds a fact and brings the lists up to date.
    pub(super) fn fold(&mut self, event: &TraceEvent) {
        self.projection.apply(event);
        self.see_more();
    }

    /// Brings the lists up to date after one fact. A list that is still looking for something
    /// comes to it in its turn.
    pub(super) fn see_more(&mut self) {
        const NEAR: usize = 64;
        self.outdate();
        let rows = self.projection.audit().rows().len();
        if rows - self.panes.audit.seen().min(rows) <= NEAR {
            self.look_at_rows(NEAR);
        }
        let events = self.projection.log().len();
        if events - self.panes.trace.seen().min(events) <= NEAR {
            self.look_at_events(NEAR);
        }
        self.flow_index.sync(&self.projection, &mut self.panes.flow);
    }

    /// Lets a list of rows or events look at so many more.
    pub(super) fn look_further(&mut self, pane: PaneId, most: usize) {
        match pane {
            PaneId::Audit => self.look_at_rows(most),
            PaneId::Trace => self.look_at_events(most),
            PaneId::Flow
            | PaneId::Env
            | PaneId::Issue
            | PaneId::Policy
            | PaneId::Sessions
            | PaneId::Chapter => {}
        }
    }

    fn look_at_rows(&mut self, most: usize) {
        let rows = self.projection.audit().rows();
        self.panes.audit.look_on(rows.len(), most, |at, query| {
            let row = rows.get(at)?;
            (query.is_empty() || row.matches(query)).then_some(row.id)
        });
    }

    fn look_at_events(&mut self, most: usize) {
        let log = self.projection.log();
        self.panes.trace.look_on(log.len(), most, |at, query| {
            let seq = Seq::at(at);
            (query.is_empty() || log.matches(seq, query)).then_some(seq)
        });
    }

    /// How much of what a pane's filter asks about was looked at, in hundredths; `None` when all.
    #[must_use]
    pub fn searched(&self, pane: PaneId) -> Option<usize> {
        let (seen, all) = match pane {
            PaneId::Flow => {
                let all = self.projection.hops().len();
                (all - self.flow_index.behind(&self.projection), all)
            }
            PaneId::Audit => (
                self.panes.audit.seen(),
                self.projection.audit().rows().len(),
            ),
            PaneId::Trace => (self.panes.trace.seen(), self.projection.log().len()),
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter => {
                return None;
            }
        };
        (seen < all).then(|| seen * 100 / all)
    }

    /// Lets one list that is behind look on: the one in view first.
    fn look_on(&mut self) {
        let panes = [self.focus.pane, PaneId::Flow, PaneId::Audit, PaneId::Trace];
        let behind = panes
            .into_iter()
            .find(|pane| self.searched(*pane).is_some());
        match behind {
            Some(PaneId::Flow) => {
                self.flow_index
                    .look_on(&self.projection, &mut self.panes.flow, ROWS);
            }
            Some(PaneId::Audit) => self.look_at_rows(ROWS),
            Some(PaneId::Trace) => self.look_at_events(LINES),
            Some(
                PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter,
            )
            | None => {}
        }
    }

    /// When to go on looking: at once, as long as a list is behind.
    pub(super) fn search_wake(&self) -> Option<u64> {
        [PaneId::Flow, PaneId::Audit, PaneId::Trace]
            .into_iter()
            .any(|pane| self.searched(pane).is_some())
            .then_some(self.now_us)
    }

    /// Opens and closes windows that follow from a fact, held picture or not.
    fn watch(&mut self, fact: &Fact) {
        match fact {
            Fact::BrowserOpened {
                url,
                how: how @ (BrowserLeg::Opened | BrowserLeg::Shown),
            } => {
                let url = self.browser_url.clone().unwrap_or_else(|| one_line(url));
                self.stop_waiting();
                self.overlays.push(Overlay::Waiting { url, how: *how });
            }
            Fact::CallbackReceived { .. } | Fact::TokenIssued { .. } | Fact::SignInCancelled => {
                self.stop_waiting();
            }
            Fact::SignInRefused { failure } => {
                self.stop_waiting();
                self.fail(failure.clone());
            }
            Fact::FailureOccurred(failure) => self.fail(failure.clone()),
            Fact::FeedLost { feed, why } => {
                if feed == GATE_NAME {
                    self.holds_no_more();
                }
                self.say(
                    Tone::Warning,
                    format!("{feed} stopped: {why}; what it would tell is not observed"),
                );
            }
            _ => {}
        }
    }

    fn stop_waiting(&mut self) {
        self.overlays
            .retain(|overlay| !matches!(overlay, Overlay::Waiting { .. }));
    }

    fn recorded(&mut self, state: RecordingState) {
        match &state {
            RecordingState::Off => {}
            RecordingState::On { file } => {
                self.mark_anew();
                let text = format!("recording to {file}");
                self.say(Tone::Plain, text);
            }
            RecordingState::Saved { file, events } => {
                let text = format!("{events} events saved in {file}");
                self.say(Tone::Good, text);
            }
            RecordingState::Failed(failure) => self.fail(failure.clone()),
        }
        self.recording = state;
    }

    pub(super) fn ended(&mut self, id: TaskId, outcome: TaskOutcome) -> Effects {
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
                self.fail(failure);
                Effects::new()
            }
            TaskOutcome::Cancelled => {
                self.say(Tone::Plain, "called off");
                Effects::new()
            }
        };
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
        if let Some(attempt) = super::learn::attempt_of(job) {
            self.tried(attempt);
        }
        match job {
            Job::SignIn => vec![self.start(Job::ListTools), self.start(Job::RefreshConsole)],
            Job::ActivatePolicySet { .. } | Job::SignOut => {
                vec![self.start(Job::RefreshConsole)]
            }
            Job::Hold(hold) => {
                self.hold_is(*hold);
                Effects::new()
            }
            Job::GoToChapter(_) | Job::BeginAgain(_) => {
                self.arrived();
                self.probes_of_its_own()
            }
            Job::TakeStep { .. } => self.after_step(),
            Job::CallTool { .. }
            | Job::ListTools
            | Job::RefreshConsole
            | Job::RunProbes { .. }
            | Job::ReadConsoleWork(_)
            | Job::LetGo { .. } => Effects::new(),
        }
    }

    /// What to say about a job that came to its end.
    fn news(&self, job: &Job) -> Option<(Tone, String)> {
        match job {
            Job::SignIn => {
                let user = self.projection.identity().user()?;
                Some((Tone::Good, format!("signed in as {}", user.name)))
            }
            Job::SignOut => Some((Tone::Plain, "signed out; the tokens are gone".to_owned())),
            Job::ActivatePolicySet { set_id, .. } => {
                let policies = self.projection.policies();
                let sets = &policies.overview()?.sets;
                let set = sets.iter().find(|set| set.id == *set_id)?;
                // Before the sets were read again nobody knows what the switch did to the rule.
                let known = set.active_version.is_some();
                Some(match policies.is_active(LIMIT_LINEAR_SCOPES) {
                    Some(true) if known => (Tone::Good, "the rule is back in force".to_owned()),
                    Some(false) if known => (
                        Tone::Warning,
                        "the rule is off: write on Linear is allowed now".to_owned(),
                    ),
                    Some(_) | None => (Tone::Plain, format!("{} is in force now", set.name)),
                })
            }
            Job::CallTool { tool, .. } => self.news_of_call(tool),
            Job::GoToChapter(chapter) => Some((
                Tone::Good,
                format!("the lab is as at the end of chapter {chapter}"),
            )),
            Job::BeginAgain(_) => Some((
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
            | Job::ReadConsoleWork(_)
            | Job::TakeStep { .. }
            | Job::Hold(_)
            | Job::LetGo { .. } => None,
        }
    }

    fn news_of_call(&self, tool: &str) -> Option<(Tone, String)> {
        let call = self.projection.tools().latest(tool)?;
        let succeeded = call.outcome == Some(CallOutcome::Succeeded);
        if !succeeded {
            let why = self
                .refusal_of(call.id)
                .or_else(|| call.text.as_deref().map(str::to_owned))
                .unwrap_or_else(|| format!("{tool} failed and gave no reason"));
            return Some((Tone::Bad, why));
        }
        let text = match tool {
            GET_SUPPORT_TICKETS => {
                let count = self.projection.issues().tickets().len();
                format!("{count} tickets: 4 shows them, j and k choose")
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
    pub(super) fn refusal_of(&self, call: Option<CallId>) -> Option<String> {
        let row = self
            .projection
            .audit()
            .of_call(call?)
            .rfind(|row| row.status == crate::protocol::audit::AuditStatus::Failure)?;
        let scope = row.scope.as_deref().unwrap_or("access");
        Some(match &row.policy {
            Some(policy) => format!("{scope} refused by {policy}: no credential, no call"),
            None => format!("{scope} refused: no credential, no call"),
        })
    }

    /// Looks for something in a pane.
    pub(super) fn look_for(&mut self, pane: PaneId, text: &str) {
        match pane {
            PaneId::Flow => {
                self.panes.flow.look_for(text);
                self.flow_index
                    .rebuild(&self.projection, &mut self.panes.flow, most(text, ROWS));
            }
            PaneId::Audit => {
                self.panes.audit.look_for(text);
                self.look_at_rows(most(text, ROWS));
            }
            PaneId::Trace => {
                self.panes.trace.look_for(text);
                self.look_at_events(most(text, LINES));
            }
            PaneId::Env | PaneId::Issue | PaneId::Policy | PaneId::Sessions | PaneId::Chapter => {}
        }
    }
}

/// How many things to look at in one go: without a filter there is nothing to look for.
const fn most(filter: &str, some: usize) -> usize {
    if filter.is_empty() { usize::MAX } else { some }
}
