//! Terminal events as the state machine knows them.

use crossterm::event::{
    Event, KeyCode as Code, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};

use crate::{
    app::{
        msg::{InputEvent, MouseAction, Msg},
        target::Target,
    },
    config::keys::{Key, KeyCode, Modifier},
};

/// Translates an event; `None` for what means nothing to us (key releases, mouse moves, focus).
/// `under` tells what the frame on screen has at a cell.
pub fn translate(event: Event, under: impl Fn(u16, u16) -> Option<Target>) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Input(InputEvent::Key(
            self::key(key.code, key.modifiers)?,
        ))),
        Event::Paste(text) => Some(Msg::Input(InputEvent::Paste(text))),
        Event::Resize(columns, rows) => Some(Msg::Resized(columns, rows)),
        Event::Mouse(mouse) => {
            let action = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseAction::Click,
                MouseEventKind::ScrollUp => MouseAction::ScrollUp,
                MouseEventKind::ScrollDown => MouseAction::ScrollDown,
                _ => return None,
            };
            let target = under(mouse.column, mouse.row);
            Some(Msg::Input(InputEvent::Mouse { action, target }))
        }
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

fn key(code: Code, modifiers: KeyModifiers) -> Option<Key> {
    let modifier = if modifiers.contains(KeyModifiers::CONTROL) {
        Modifier::Ctrl
    } else if modifiers.contains(KeyModifiers::ALT) {
        Modifier::Alt
    } else {
        Modifier::None
    };
    let code = match code {
        // Some terminals report Ctrl with the upper-case letter when Shift or Caps Lock is on.
        Code::Char(c) if modifier == Modifier::Ctrl => KeyCode::Char(c.to_ascii_lowercase()),
        Code::Char(c) => KeyCode::Char(c),
        Code::F(n) => KeyCode::F(n),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        _ => return None,
    };
    Some(Key { code, modifier })
}
