//! Keys: how they are written, and finding two uses of one.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// A key press. Shift is in the character (`G`), save for [`KeyCode::BackTab`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub code: KeyCode,
    pub modifier: Modifier,
}

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    Char(char),
    F(u8),
    Enter,
    Esc,
    Tab,
    /// Shift-Tab.
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

/// What is held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Modifier {
    None,
    Ctrl,
    Alt,
}

impl Key {
    /// A key by itself.
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            modifier: Modifier::None,
        }
    }

    /// A character by itself.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with Ctrl.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            modifier: Modifier::Ctrl,
        }
    }
}

/// Names of the keys that are not characters, as they are written in settings and shown in help.
const NAMED: &[(&str, &str, KeyCode)] = &[
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("shift-tab", "Shift-Tab", KeyCode::BackTab),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("delete", "Del", KeyCode::Delete),
    ("up", "↑", KeyCode::Up),
    ("down", "↓", KeyCode::Down),
    ("left", "←", KeyCode::Left),
    ("right", "→", KeyCode::Right),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
    ("space", "Space", KeyCode::Char(' ')),
];

/// Why a key's name could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no key; keys are written like q, G, ctrl-p, alt-x, shift-tab, pgdn, f5")]
pub struct NotAKey(String);

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_lowercase();
        let (modifier, rest) = if lower.starts_with("ctrl-") && text.len() > 5 {
            (Modifier::Ctrl, &text[5..])
        } else if lower.starts_with("alt-") && text.len() > 4 {
            (Modifier::Alt, &text[4..])
        } else {
            (Modifier::None, text)
        };
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            // Terminals send the same byte for both cases.
            (Some(c), None) if modifier == Modifier::Ctrl && !c.is_control() => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            (Some(c), None) if !c.is_control() => KeyCode::Char(c),
            _ => named(&rest.to_lowercase()).ok_or_else(|| NotAKey(text.to_owned()))?,
        };
        Ok(Self { code, modifier })
    }
}

fn named(name: &str) -> Option<KeyCode> {
    if let Some((_, _, code)) = NAMED.iter().find(|(n, _, _)| *n == name) {
        return Some(*code);
    }
    let number = name.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.modifier {
            Modifier::None => {}
            Modifier::Ctrl => f.write_str("Ctrl-")?,
            Modifier::Alt => f.write_str("Alt-")?,
        }
        if let Some((_, shown, _)) = NAMED.iter().find(|(_, _, code)| *code == self.code) {
            return f.write_str(shown);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Enter
            | KeyCode::Esc
            | KeyCode::Tab
            | KeyCode::BackTab
            | KeyCode::Backspace
            | KeyCode::Delete
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Home
            | KeyCode::End
            | KeyCode::PageUp
            | KeyCode::PageDown => Ok(()),
        }
    }
}

/// Keys given by the user, by command name. What is not here keeps its default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyBindings(BTreeMap<String, Vec<Key>>);

impl KeyBindings {
    /// Gives a command these keys instead of its own; an empty list takes its keys away.
    pub fn set(&mut self, command: String, keys: Vec<Key>) {
        self.0.insert(command, keys);
    }

    /// The keys given to a command.
    #[must_use]
    pub fn get(&self, command: &str) -> Option<&[Key]> {
        self.0.get(command).map(Vec::as_slice)
    }

    /// The commands that were given keys.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for (text, shown) in [
            ("q", "q"),
            ("G", "G"),
            ("ctrl-p", "Ctrl-p"),
            ("Alt-x", "Alt-x"),
            ("shift-tab", "Shift-Tab"),
            ("PgDn", "PgDn"),
            ("f12", "F12"),
            ("-", "-"),
            ("ctrl--", "Ctrl--"),
            ("space", "Space"),
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), shown);
        }
        for bad in ["", "f13", "hyper-x", "ctrl-", "qq"] {
            assert!(bad.parse::<Key>().is_err(), "{bad}");
        }
    }
}
