//! Finding commands by a few of their letters.

use super::command::{COMMANDS, Command, Group};

/// The commands that match, best first; all of them for nothing typed.
#[must_use]
pub fn find(typed: &str) -> Vec<Command> {
    let typed = typed.trim().to_lowercase();
    let mut found: Vec<(i32, usize)> = COMMANDS
        .iter()
        .enumerate()
        .filter(|(_, spec)| spec.group != Group::Overlay)
        .filter_map(|(place, spec)| {
            let name = score(&typed, spec.name).map(|s| s + 8);
            let doc = said(&typed, &spec.doc.to_lowercase());
            name.max(doc).map(|score| (score, place))
        })
        .collect();
    found.sort_by_key(|(score, place)| (-score, *place));
    found
        .into_iter()
        .map(|(_, place)| COMMANDS[place].command)
        .collect()
}

/// Whether a word of the sentence begins with what was typed.
fn said(typed: &str, sentence: &str) -> Option<i32> {
    let begins = |(at, _): (usize, &str)| {
        !sentence[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
    };
    sentence.match_indices(typed).any(begins).then_some(2)
}

/// How well `typed` fits: its letters in order; runs and beginnings of words count more.
fn score(typed: &str, text: &str) -> Option<i32> {
    let letters: Vec<char> = text.chars().collect();
    let mut total = 0;
    let mut at = 0;
    let mut last: Option<usize> = None;
    for wanted in typed.chars().filter(|c| !c.is_whitespace()) {
        let place = (at..letters.len()).find(|place| letters[*place] == wanted)?;
        let begins = place == 0 || !letters[place - 1].is_alphanumeric();
        let follows = last.is_some_and(|last| last + 1 == place);
        total += 1 + i32::from(begins) * 3 + i32::from(follows) * 4;
        // A letter far from the one before it is a coincidence in a long sentence.
        total -= i32::from(last.is_some_and(|last| place > last + 12));
        last = Some(place);
        at = place + 1;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_the_command() {
        assert_eq!(find("esc")[0], Command::EscalateTicket);
        assert_eq!(find("del")[0], Command::DeleteIssue);
        assert_eq!(find("sign in")[0], Command::SignIn);
        assert_eq!(find("tp")[0], Command::TogglePolicy);
        assert_eq!(find("zzzz"), []);
        assert!(find("").len() > 20);
    }
}
