//! What the person does: keys that are commands or text, paste, and the mouse.

use tui_input::{Input, InputRequest};

use crate::{
    app::{
        App,
        command::{Availability, Command, Context},
        compare::Compared,
        effect::{Effect, Effects},
        learn::console::form::{LONGEST, Pasted},
        msg::{InputEvent, MouseAction},
        overlay::Overlay,
        palette,
        target::Target,
        toast::{Toast, Tone},
    },
    config::keys::{Key, KeyCode, Modifier},
    support::text::one_line,
};

/// Rows that a turn of the wheel moves.
const WHEEL: isize = 3;

/// What a key does to a line of text; `None` if that is for others to say.
fn request_of(key: Key) -> Option<InputRequest> {
    use InputRequest as R;
    Some(match (key.code, key.modifier) {
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
        (
            KeyCode::Char(_)
            | KeyCode::F(_)
            | KeyCode::Enter
            | KeyCode::Esc
            | KeyCode::Tab
            | KeyCode::BackTab
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::PageUp
            | KeyCode::PageDown,
            _,
        ) => return None,
    })
}

impl App {
    /// What the person does while only the notice that the window is too small is there to see:
    /// nothing may happen unseen, and a question could not be read.
    pub(super) fn unseen(&mut self, event: &InputEvent) -> Effects {
        let InputEvent::Key(key) = event else {
            return Effects::new();
        };
        match self.keymap.command(self.ground(), *key) {
            Some(Command::Quit | Command::ForceQuit) => vec![Effect::Quit],
            Some(command @ (Command::Suspend | Command::Redraw)) => self.perform(command),
            Some(_) | None => Effects::new(),
        }
    }

    pub(super) fn key(&mut self, key: Key) -> Effects {
        if self.type_in_form(key) {
            return Effects::new();
        }
        let behind = self.behind_what_is_told(key);
        if let Some(command) = self.meaning(key)
            && (behind.is_none() || self.availability(command) == Availability::Ready)
        {
            return self.perform(command);
        }
        if matches!(self.context(), Context::Field | Context::Form) {
            self.edit(key);
        } else if key.modifier == Modifier::Alt && matches!(key.code, KeyCode::Char(_)) {
            // Terminals send Alt with a letter as Escape and the letter, so this is what two keys in
            // quick succession look like. In a field it is left alone: there Alt moves by words.
            let mut effects = self.key(Key::plain(KeyCode::Esc));
            effects.extend(self.key(Key::plain(key.code)));
            return effects;
        } else if let Some(command) = behind {
            return self.perform_behind(command);
        } else if let Some(command) = self.keymap.elsewhere(key) {
            // Says where it means something.
            return self.perform(command);
        } else {
            self.say_that_it_is_no_key(key);
        }
        Effects::new()
    }

    /// Says of a key that means nothing anywhere where the others are; news are not taken away for that.
    fn say_that_it_is_no_key(&mut self, key: Key) {
        let is_news = |toast: &Toast| !matches!(toast.tone, Tone::Plain | Tone::Unavailable);
        if !self.toast.as_ref().is_some_and(is_news) {
            let help = self.keymap.shown(Command::Help);
            let text = format!("{key} is no key here: {help} lists the keys");
            self.say(Tone::Unavailable, text);
        }
    }

    /// A window that only tells something is not in the way of what one wants to do next, nor is
    /// what the key would mean in another window.
    fn behind_what_is_told(&self, key: Key) -> Option<Command> {
        match &*self.overlays {
            [Overlay::Failure { .. } | Overlay::Told { .. } | Overlay::Inspect(_)] => {
                self.keymap.command(self.ground(), key)
            }
            _ => None,
        }
    }

    /// A key that a form's field takes before it is looked at as a command: where one types, a
    /// character is text, and in a text of several lines one goes up and down in it first.
    fn type_in_form(&mut self, key: Key) -> bool {
        let Some(form) = self.form_mut().filter(|form| form.is_typing()) else {
            return false;
        };
        if key.modifier == Modifier::None && form.long_text().is_some() {
            match key.code {
                KeyCode::Up => return form.go_to_line(-1),
                KeyCode::Down => return form.go_to_line(1),
                _ => {}
            }
        }
        let Some(request) = request_of(key) else {
            return false;
        };
        form.edit(request);
        true
    }

    /// A key in a text field that is no command: text, or a move in the text or the list.
    fn edit(&mut self, key: Key) {
        match (key.code, key.modifier) {
            (KeyCode::Up | KeyCode::BackTab, _) | (KeyCode::Char('p'), Modifier::Ctrl) => {
                self.palette_move(-1);
            }
            (KeyCode::Down | KeyCode::Tab, _) | (KeyCode::Char('n'), Modifier::Ctrl) => {
                self.palette_move(1);
            }
            _ => {
                if let Some(request) = request_of(key) {
                    self.edit_field(|input| {
                        input.handle(request);
                    });
                }
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        // Most terminals send a carriage return where the text has a line feed, as the key does.
        let text = &text.replace("\r\n", "\n").replace('\r', "\n");
        if let Some(form) = self.form_mut() {
            if form.paste(text) == Pasted::InPart {
                let text = format!("not all of it was pasted: a field takes {LONGEST} characters");
                self.say(Tone::Warning, text);
            }
            return;
        }
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
            Some(Overlay::Goto { input } | Overlay::Note { input, .. }) => change(input),
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
                | Overlay::Form(_)
                | Overlay::Confirm(_)
                | Overlay::Failure { .. }
                | Overlay::Waiting { .. },
            )
            | None => {}
        }
    }

    fn palette_move(&mut self, by: isize) {
        if let Some(Overlay::Palette { input, selected }) = self.overlays.last_mut() {
            let last = palette::find(input.value()).len().saturating_sub(1);
            *selected = selected.saturating_add_signed(by).min(last);
        }
    }

    pub(super) fn mouse(&mut self, action: MouseAction, target: Option<Target>) -> Effects {
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
                Some(Overlay::Form(form)) => form.point_at(place),
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
            Target::Place(place) => self.jump(place),
            Target::Overlay => {}
            // A stray click must not call off a sign-in, answer a question or drop what was typed.
            Target::Outside => match self.overlays.last() {
                Some(
                    Overlay::Waiting { .. }
                    | Overlay::Confirm(_)
                    | Overlay::Traces { .. }
                    | Overlay::Form(_),
                )
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
}
