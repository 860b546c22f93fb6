//! The speaker's notes as text: to be printed, or to lie beside the projector on a second screen.
//!
//! Markdown that reads well as it stands.

use std::fmt::{self, Write as _};

use super::{Action, Begin, Cue, Expect, Hold, Sheet};
use crate::support::text::wrap;

/// Cells of a line.
const MEASURE: usize = 76;

impl Sheet {
    /// Every cue with its number, its title, what is expected of it, and what there is to say.
    #[must_use]
    pub fn printed(&self) -> String {
        let cues = match self.cues.len() {
            1 => "1 cue.".to_owned(),
            count => format!("{count} cues."),
        };
        let begin = match self.begin {
            Begin::SignedOut => "",
            Begin::SignedIn => " You are signed in from the start.",
        };
        let hold = match self.hold {
            Hold::Off => "",
            Hold::On => " Each exchange waits until you let it go.",
        };
        let mut out = format!("# {}\n\n{cues}{begin}{hold}\n", self.title);
        for place in 0..self.cues.len() {
            out.push('\n');
            out.push_str(&self.printed_head(place));
            out.push_str(&self.printed_note(place));
        }
        out
    }

    /// What a cue does, as [`Self::printed`] has it before its note; by its place from 0, empty past the
    /// end.
    #[must_use]
    pub fn printed_head(&self, place: usize) -> String {
        let Some(cue) = self.cues.get(place) else {
            return String::new();
        };
        let mut out = format!("## {}. {}\n\n- Does: {}\n", place + 1, cue.title, Does(cue));
        let mut tell = |label: &str, words: &dyn fmt::Display| {
            writeln!(out, "- {label}: {words}").expect("writing to a string");
        };
        if let Some(expect) = &cue.expect {
            tell("Expected", expect);
        }
        match cue.hold {
            Some(Hold::On) => tell("Hold", &"each exchange waits until you let it go"),
            Some(Hold::Off) => tell("Hold", &"no exchange waits any more"),
            None => {}
        }
        if let Some(pane) = cue.show {
            tell("Shows", &pane.name());
        }
        out
    }

    /// A cue's note, with an empty line before it; empty without one.
    #[must_use]
    pub fn printed_note(&self, place: usize) -> String {
        let paragraphs = self.cues.get(place).map(Cue::paragraphs);
        let mut out = String::new();
        let mut before = Paragraph::Text;
        for (number, paragraph) in paragraphs.iter().flatten().enumerate() {
            let kind = Paragraph::of(paragraph);
            if number == 0 || (before, kind) != (Paragraph::Item, Paragraph::Item) {
                out.push('\n');
            }
            before = kind;
            for line in lines(paragraph, MEASURE) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out
    }
}

impl Cue {
    /// The note's paragraphs, each in one line however the sheet breaks it; an item of a list is one.
    #[must_use]
    pub fn paragraphs(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let mut open = false;
        for line in self.note.lines() {
            let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
            if words.is_empty() {
                open = false;
            } else if let Some(last) = all.last_mut().filter(|_| open && mark(&words) == 0) {
                last.push(' ');
                last.push_str(&words);
            } else {
                all.push(words);
                open = true;
            }
        }
        all
    }
}

/// A paragraph in lines of at most so many cells; what goes on in a list stands under its item.
#[must_use]
pub fn lines(paragraph: &str, cells: usize) -> Vec<String> {
    let indent = mark(paragraph).min(cells / 2);
    let (head, rest) = paragraph.split_at(indent);
    let wrapped = wrap(rest, cells - indent);
    let before = std::iter::once(head.to_owned()).chain(std::iter::repeat(" ".repeat(indent)));
    before
        .zip(wrapped)
        .map(|(mut line, rest)| {
            line.push_str(&rest);
            line
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Paragraph {
    Text,
    /// Of a list.
    Item,
}

impl Paragraph {
    fn of(text: &str) -> Self {
        match mark(text) {
            0 => Self::Text,
            _ => Self::Item,
        }
    }
}

/// Bytes of the mark by which an item of a list begins, with its blank: `- `, `* ` or `1. `. They are
/// as many cells.
fn mark(text: &str) -> usize {
    let number = text.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match number {
        0 if text.starts_with(['-', '*']) => 1,
        1 | 2 if text[number..].starts_with('.') => number + 1,
        _ => return 0,
    };
    if text[mark..].starts_with(' ') {
        mark + 1
    } else {
        0
    }
}

/// What a cue does, in the speaker's words.
struct Does<'a>(&'a Cue);

impl fmt::Display for Does<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.action {
            Action::SignIn => "sign in",
            Action::SignOut => "sign out",
            Action::ListTickets => "list the tickets",
            Action::Escalate => match self.0.ticket {
                Some(place) => return write!(f, "escalate ticket {}", place + 1),
                None => "escalate a ticket",
            },
            Action::Delete => "delete the issue",
            Action::PolicyOff => "switch the rule off",
            Action::PolicyOn => "switch the rule on",
            Action::Talk => "nothing, you speak",
        })
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignedIn => "somebody is signed in",
            Self::SignedOut => "nobody is signed in",
            Self::Issued => "every credential is issued",
            Self::Refused(Some(policy)) => return write!(f, "refused by {policy}"),
            Self::Refused(None) => "refused by a policy",
            Self::Succeeded => "the call comes through",
            Self::PolicyOff => "the rule is off",
            Self::PolicyOn => "the rule is in force",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_notes_are_readable_as_they_stand() {
        let text = Sheet::built_in().printed();
        assert!(
            text.starts_with("# The denial, live\n\n8 cues.\n\n## 1. Sign in\n\n"),
            "{text}"
        );
        let third = "## 3. Now the delete\n\n- Does: delete the issue\n\
                     - Expected: refused by limit-linear-scopes\n\nSame user, same agent,";
        assert!(text.contains(third), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= MEASURE),
            "{text}"
        );
        assert!(!text.contains("\n\n\n"), "{text}");
    }

    #[test]
    fn paragraphs_flow_and_lists_stay_lists() {
        let text = "title = \"t\"\nbegin = \"signed-in\"\nhold = true\n[[cue]]\ntitle = \"a\"\n\
                    do = \"escalate\"\nticket = 2\nhold = false\nshow = \"policy\"\nnote = \"\"\"\n\
                    One line\nand its end.\n- ask the room\n  who may\n- 3. is no list\n\n2.5 of them\"\"\"\n";
        let sheet = Sheet::parse(text, "s").unwrap();
        let told = "# t\n\n1 cue. You are signed in from the start. Each exchange waits until you \
                    let it go.\n\n## 1. a\n\n- Does: escalate ticket 2\n\
                    - Hold: no exchange waits any more\n- Shows: policy\n\n\
                    One line and its end.\n\n- ask the room who may\n- 3. is no list\n\n2.5 of them\n";
        assert_eq!(sheet.printed(), told);
        assert_eq!(sheet.printed_head(1) + &sheet.printed_note(1), "");
        let item = &sheet.cues[0].paragraphs()[1];
        assert_eq!(lines(item, 12), ["- ask the", "  room who", "  may"]);
        assert!(
            lines(item, 1).len() > 3,
            "too little room still holds all of it"
        );
    }
}
