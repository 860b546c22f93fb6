//! Passwords of several words: `passphrase: my dog rex`.

use super::{
    super::{
        fields::{Field, Form},
        scan::{fold, line_before, window_after},
    },
    LONGEST, is_mixed,
    words::{WORDS_NOT_SECRETS, is_prose},
};

/// A phrase has at most this many words.
const MOST_WORDS: usize = 24;

/// Words that may all be one password.
#[derive(Debug)]
struct Phrase {
    end: usize,
    words: usize,
    /// Whether a word is a number.
    numbered: bool,
    /// Whether nothing follows on the line.
    whole_line: bool,
}

/// The words from `start` to the end of the line or of the sentence, if none of them is there to make a
/// sentence: `reset does not work` is no password.
fn phrase(text: &str, start: usize) -> Option<Phrase> {
    let window = window_after(text, start, 2 * LONGEST);
    let line = window.split('\n').next().unwrap_or(window);
    let mut found = Phrase {
        end: start,
        words: 0,
        numbered: false,
        whole_line: false,
    };
    let mut at = start;
    for word in line.split_inclusive(' ') {
        let bare = word.trim_end();
        let kept = bare.trim_end_matches(['.', ',', ';', ')']);
        let folded = fold(kept.trim_end_matches('!'));
        // The name of the next field, or what binds the password to the rest of the sentence.
        if kept.ends_with(':') || is_conjunction(&folded) {
            break;
        }
        let plain = kept
            .trim_end_matches('!')
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’'));
        let says_something = WORDS_NOT_SECRETS.contains(&folded.as_str()) || is_prose(&folded);
        if kept.is_empty() || !plain || kept.starts_with('-') || says_something {
            return None;
        }
        found.words += 1;
        found.numbered |= kept.bytes().all(|b| b.is_ascii_digit());
        found.end = at + kept.len();
        at += word.len();
        // A password that is one word already, a number that counts something, and prose.
        if found.words == 1 && (is_mixed(kept) || found.numbered) || found.words > MOST_WORDS {
            return None;
        }
        if kept.len() < bare.len() || kept.ends_with('!') {
            break;
        }
    }
    found.whole_line = at == start + line.len();
    (found.words >= 2).then_some(found)
}

/// Where the phrase ends that is the value of `field`, of which the first word alone is or `is_secret`
/// or not.
pub fn named(text: &str, field: &Field, is_secret: bool) -> Option<usize> {
    let start = field.value.start;
    let unquoted = !text[..start].ends_with(['"', '\'', '`', '“', '<', '>']);
    let found = phrase(text, start).filter(|_| unquoted)?;
    let fits = match field.form {
        Form::Line => true,
        // `password=my dog rex` in a file; in a log or before a command the next word is something else.
        Form::Pair => {
            let line = line_before(text, start, LONGEST);
            let name = line.trim_end_matches(['=', ' ', ':']);
            found.whole_line && line.contains('=') && !name.contains([' ', '&', '?', '-', '{', ','])
        }
        Form::Cell | Form::Below => false,
    };
    (fits && (is_secret || found.words >= 3 || found.numbered)).then_some(found.end)
}

/// Where the phrase ends that somebody tells at `start`: `is` is followed by prose far more often, so that
/// it takes a number or many words.
pub fn said(text: &str, start: usize) -> Option<usize> {
    let found = phrase(text, start)?;
    let describes = text[start..found.end]
        .split(' ')
        .any(|word| ["ed", "ly", "ing"].iter().any(|end| word.ends_with(end)));
    ((found.numbered || found.words >= 4) && !describes).then_some(found.end)
}

fn is_conjunction(folded: &str) -> bool {
    matches!(
        folded,
        "and"
            | "but"
            | "or"
            | "und"
            | "aber"
            | "oder"
            | "et"
            | "mais"
            | "y"
            | "pero"
            | "so"
            | "because"
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::upstream::anthropic::recogniser::spans;

    fn found(text: &str) -> Vec<&str> {
        spans(text).into_iter().map(|s| &text[s.range]).collect()
    }

    #[rstest]
    #[case("passphrase: my dog rex", "my dog rex")]
    #[case(
        "pw: correct horse battery staple. Thanks!",
        "correct horse battery staple"
    )]
    #[case("Password: blue horse 42, thanks", "blue horse 42")]
    #[case("Password: monkey rex! It", "monkey rex!")]
    #[case("Password: my dog rex User: root", "my dog rex")]
    #[case("[db]\npassword=my dog rex\nhost=db", "my dog rex")]
    #[case("Security answer: my first dog", "my first dog")]
    #[case("pass phrase: my dog rex", "my dog rex")]
    #[case(
        "Seed phrase: legal winner thank year wave sausage worth useful legal winner thank yellow",
        "legal winner thank year wave sausage worth useful legal winner thank yellow"
    )]
    #[case("Security answer .. Rex", "Rex")]
    fn phrases_are_masked_whole(#[case] text: &str, #[case] value: &str) {
        assert_eq!(found(text), [value]);
    }

    #[rstest]
    #[case("pw: see the vault")]
    #[case("Password: reset does not work")]
    #[case("Password: the form stays grey")]
    #[case("password: 8 to 12 signs")]
    #[case("Password: must have 8 signs, pw: same as ever")]
    #[case("Passwort: geht nicht mehr")]
    #[case("Security answer: is never taken")]
    #[case("password policy: must be long. Passcode: none")]
    fn prose_is_no_phrase(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }

    #[rstest]
    #[case("user=a password=Winter24 make test", "Winter24")]
    #[case("PGPASSWORD=monkey psql -h db", "monkey")]
    #[case("Password: hunter2 fails every time", "hunter2")]
    #[case("- password: 'my dog rex' d e f", "my dog rex")]
    fn only_the_password_is_masked(#[case] text: &str, #[case] value: &str) {
        assert_eq!(found(text), [value]);
    }
}
