//! The keys as a table for the README: from the registry, so that it cannot lie.

use std::fmt::Write as _;

use super::{
    command::{COMMANDS, Group},
    keymap::Keymap,
};

/// A Markdown table of every command with its keys, group by group.
#[must_use]
pub fn key_table(keymap: &Keymap) -> String {
    let mut out = String::from("| Keys | Command | What it does |\n|---|---|---|\n");
    for group in Group::ALL {
        let _ = writeln!(out, "| | **{}** | |", group.name());
        for spec in COMMANDS.iter().filter(|spec| spec.group == group) {
            let keys: Vec<String> = keymap
                .keys(spec.command)
                .iter()
                .map(|key| format!("`{key}`"))
                .collect();
            let _ = writeln!(
                out,
                "| {} | `{}` | {} |",
                keys.join(" "),
                spec.name,
                spec.doc
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::KeyBindings;

    #[test]
    fn every_command_has_its_row() {
        let table = key_table(&Keymap::new(&KeyBindings::default()).0);
        assert_eq!(table.lines().count(), 2 + Group::ALL.len() + COMMANDS.len());
        assert!(table.contains("| `s` | `sign-in` |"), "{table}");
    }
}
