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
    "open-door": "Chapter 0, wide open: nobody signs in, one key does it all, anyone may delete",
    "unmasked": "A ticket before chapter 5: the customer's details reach Linear as written",
    "masked": "The same ticket from chapter 5 on: placeholders stand where the details were",
    "escalation": "The finished escalation: four credentials for one call, each thrown away",
    "denial": "The denial: the delete asks for write, and that credential never exists",
    "consent-refused": "A consent refused: the person says no, and there is no token",
    "no-defaults": "A policy set without its defaults: nothing is permitted any more",
    "upstream-fails": "An upstream failing halfway: the model is overloaded, nothing is filed",
    "expired": "An expired session: forty days later the zone wants a new sign-in",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_every_line_fits_beside_its_name() {
        for one in list() {
            assert_eq!(by_name(one.name), Some(one));
            assert!(!one.name.contains(['/', '.', ' ']), "{}", one.name);
            assert!(one.name.len() <= 16, "{}", one.name);
            assert!(one.line.chars().count() <= 78, "{}", one.line);
        }
        assert_eq!(by_name("moon"), None);
    }
}
