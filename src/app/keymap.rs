//! Which key means which command, where.

use std::collections::BTreeMap;

use super::command::{COMMANDS, Command, Context};
use crate::{
    config::keys::{Key, KeyBindings},
    support::error::{Exit, Failure},
};

/// The keys in force: the registry's own, changed by the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    meaning: BTreeMap<(Context, Key), Command>,
    keys: BTreeMap<Command, Vec<Key>>,
}

impl Keymap {
    /// The registry's keys with the user's in their place. Settings that cannot hold (a command
    /// that does not exist, a key with two meanings) are named, and the defaults stay.
    #[must_use]
    pub fn new(bindings: &KeyBindings) -> (Self, Vec<Failure>) {
        let mut faults: Vec<Failure> = bindings
            .commands()
            .filter(|name| Command::by_name(name).is_none())
            .map(|name| {
                fault(
                    format!("There is no command \"{name}\""),
                    "the palette (:) lists every command by its name",
                )
            })
            .collect();
        match Self::build(bindings) {
            Ok(keymap) => (keymap, faults),
            Err(conflict) => {
                faults.push(conflict);
                let defaults = Self::build(&KeyBindings::default())
                    .expect("a test makes sure that the defaults do not conflict");
                (defaults, faults)
            }
        }
    }

    fn build(bindings: &KeyBindings) -> Result<Self, Failure> {
        let mut meaning: BTreeMap<(Context, Key), Command> = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for spec in COMMANDS {
            let own: Vec<Key> = bindings.get(spec.name).map_or_else(
                || {
                    spec.keys
                        .iter()
                        .filter_map(|key| key.parse().ok())
                        .collect()
                },
                <[Key]>::to_vec,
            );
            for context in spec.contexts {
                for key in &own {
                    let before = meaning.insert((*context, *key), spec.command);
                    if let Some(other) = before.filter(|other| *other != spec.command) {
                        return Err(fault(
                            format!(
                                "The key {key} is given to both {} and {}",
                                other.spec().name,
                                spec.name
                            ),
                            "a key can do one thing in one place; the default keys hold",
                        ));
                    }
                }
            }
            keys.insert(spec.command, own);
        }
        Ok(Self { meaning, keys })
    }

    /// What a key means in a place.
    #[must_use]
    pub fn command(&self, context: Context, key: Key) -> Option<Command> {
        let own = self.meaning.get(&(context, key));
        let below = || match context {
            Context::Stage => self.meaning.get(&(Context::Panes, key)),
            Context::Panes | Context::Overlay | Context::Field | Context::Form => None,
        };
        own.or_else(below).copied()
    }

    /// What a key means in some other place, the panes first.
    #[must_use]
    pub fn elsewhere(&self, key: Key) -> Option<Command> {
        [
            Context::Panes,
            Context::Stage,
            Context::Overlay,
            Context::Form,
        ]
        .into_iter()
        .find_map(|context| self.meaning.get(&(context, key)))
        .copied()
    }

    /// The keys with a run sheet: the stage's own come first, and no other command has them.
    #[must_use]
    pub fn on_stage(mut self) -> Self {
        let taken: Vec<Key> = self
            .meaning
            .keys()
            .filter(|(context, _)| *context == Context::Stage)
            .map(|(_, key)| *key)
            .collect();
        for (command, keys) in &mut self.keys {
            let contexts = command.spec().contexts;
            if contexts.contains(&Context::Panes) {
                keys.retain(|key| !taken.contains(key));
            }
        }
        self
    }

    /// The keys of a command.
    #[must_use]
    pub fn keys(&self, command: Command) -> &[Key] {
        self.keys.get(&command).map_or(&[], Vec::as_slice)
    }

    /// The first key of a command, as it is shown; empty when it has none.
    #[must_use]
    pub fn shown(&self, command: Command) -> String {
        self.keys(command)
            .first()
            .map_or_else(String::new, ToString::to_string)
    }
}

fn fault(what: String, why: &str) -> Failure {
    Failure::new(Exit::Usage, what, why, "change [keys] in the settings file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_keys_do_not_conflict() {
        let (_, faults) = Keymap::new(&KeyBindings::default());
        assert_eq!(faults, []);
    }

    #[test]
    fn every_default_key_can_be_read_and_every_name_is_unique() {
        let mut names: Vec<_> = COMMANDS.iter().map(|s| s.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
        for key in COMMANDS.iter().flat_map(|s| s.keys) {
            key.parse::<Key>().unwrap();
        }
    }

    #[test]
    fn every_sentence_fits_the_help_on_80_columns() {
        for spec in COMMANDS {
            assert!(spec.doc.chars().count() <= 56, "{}", spec.doc);
        }
    }

    #[test]
    fn a_key_with_two_meanings_is_named_and_the_defaults_hold() {
        let mut bindings = KeyBindings::default();
        bindings.set("quit".into(), vec![Key::char('s')]);
        let (keymap, faults) = Keymap::new(&bindings);
        assert_eq!(
            faults[0].what,
            "The key s is given to both sign-in and quit"
        );
        assert_eq!(
            keymap.command(Context::Panes, Key::char('q')),
            Some(Command::Quit)
        );
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let mut bindings = KeyBindings::default();
        bindings.set("fly".into(), vec![Key::char('F')]);
        let (_, faults) = Keymap::new(&bindings);
        assert_eq!(faults[0].what, "There is no command \"fly\"");
    }
}
