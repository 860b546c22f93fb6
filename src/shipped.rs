//! The traces that hoptrail brings along: a name, a line, and the recording.
//!
//! `hoptrail traces record` makes them from the lab (`runtime::scenes`); a test shows that they are
//! what that command makes. Must not read files.

/// A recorded trace that is part of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it shows, in a line.
    pub line: &'static str,
    /// The trace as a file holds it: JSON Lines.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal: $line:literal,)*) => {
        /// All of them, in the order of the story.
        const ALL: &[Shipped] = &[$(Shipped {
            name: $name,
            line: $line,
            text: include_str!(concat!("../assets/traces/", $name, ".jsonl")),
        },)*];
    };
}

shipped! {
    "open-door": "Chapter 0, wide open: no sign-in, and anyone may delete",
    "unmasked": "A ticket unmasked: Linear gets the customer's details",
    "masked": "The same ticket masked: Linear gets placeholders",
    "escalation": "The finished escalation: four credentials, all dropped",
    "denial": "The denial: the credential for the delete never exists",
    "consent-refused": "A consent refused: the person says no, no token comes",
    "no-defaults": "A policy set without its defaults: nothing is permitted",
    "upstream-fails": "An upstream failing halfway: the model is overloaded",
    "expired": "An expired session: the zone wants a new sign-in",
    "on-stage": "The stage's run sheet: refused, deleted, refused again",
}

/// Every shipped trace, in the order of the story.
#[must_use]
pub const fn list() -> &'static [Shipped] {
    ALL
}

/// The shipped trace of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Shipped> {
    ALL.iter().find(|one| one.name == name)
}

/// The shipped trace that somebody probably meant by `name`.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static Shipped> {
    // The measure and the bound by which clap names the option that was meant.
    const ALIKE: f64 = 0.7;
    ALL.iter()
        .map(|one| (strsim::jaro(name, one.name), one))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_every_line_fits_beside_its_name() {
        for one in list() {
            assert_eq!(by_name(one.name), Some(one));
            assert!(!one.name.contains(['/', '.', ' ']), "{}", one.name);
            assert!(one.name.len() <= 16, "{}", one.name);
            assert!(one.line.chars().count() <= 57, "{}", one.line);
        }
        assert_eq!(by_name("moon"), None);
    }

    #[test]
    fn a_mistyped_name_is_known_and_another_word_is_not() {
        for (typed, meant) in [
            ("denail", "denial"),
            ("escalaton", "escalation"),
            ("onstage", "on-stage"),
        ] {
            assert_eq!(nearest(typed).map(|one| one.name), Some(meant));
        }
        assert_eq!(nearest("my-run.jsonl"), None);
    }
}
