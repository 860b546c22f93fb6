//! E-mail addresses, also as people write them for people.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::protocol::tickets::EntityKind;

use super::{
    scan::{window_after, window_before},
    span::{Span, Weight},
};

/// Finds e-mail addresses around each `@`, also `%40` and `name [at] host [dot] example`.
pub fn find(text: &str, spans: &mut Vec<Span>) {
    for (at, _) in text.match_indices('@') {
        if let Some(range) = email_around(text, at, at + 1) {
            spans.push(Span::new(range, EntityKind::Email, Weight::Certain));
        }
    }
    for (at, _) in text.match_indices("%40") {
        if let Some(range) = email_around(text, at, at + 3) {
            spans.push(Span::new(range, EntityKind::Email, Weight::Certain));
        }
    }
    let bracketed = |(at, _): (usize, &str)| {
        let inside = window_after(text, at + 1, 3).trim_start().as_bytes();
        inside.len() > 1 && inside[..2].eq_ignore_ascii_case(b"at")
    };
    if text.match_indices(['[', '(', '{']).any(bracketed) {
        spans.extend(SPOKEN.find_iter(text).map(|found| {
            let start = dotted_before(text, found.start());
            Span::new(start..found.end(), EntityKind::Email, Weight::Certain)
        }));
    }
    if ![" dot ", " Dot ", " DOT "]
        .iter()
        .any(|dot| text.contains(dot))
    {
        return;
    }
    let mut from = 0;
    while let Some(found) = WRITTEN_OUT.find_at(text, from) {
        let first = found.as_str().split(' ').next().unwrap_or_default();
        if ["me", "us", "him", "her", "them", "it"].contains(&first) {
            // `mail me at ana dot ruiz at …`: the address is what follows.
            from = found.start() + first.len();
            continue;
        }
        from = found.end();
        spans.push(Span::new(found.range(), EntityKind::Email, Weight::Certain));
    }
}

/// `ana dot ruiz at acme dot example`: the words after `at` are a host only with a `dot`.
static WRITTEN_OUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)\b(?:[a-z0-9._-]{1,40}(?: dot [a-z0-9_-]{1,40}){0,3} at [a-z0-9-]{1,40}(?: dot [a-z]{2,20}){1,3})\b",
    )
    .expect("a constant pattern")
});

static SPOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b[a-z0-9][a-z0-9._+-]{0,40}\s?[\[({]\s?at\s?[\])}]\s?[a-z0-9-]{1,40}(?:(?:\s?[\[({]\s?dot\s?[\])}]\s?|\.)[a-z0-9-]{2,20}){1,3}",
    )
    .expect("a constant pattern")
});

fn email_around(text: &str, local_end: usize, host_start: usize) -> Option<Range<usize>> {
    let before = window_before(text, local_end, 64);
    let local = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-' | '\'' | '%'))
        .last()
        .map(|(index, _)| &before[index..])?
        .trim_start_matches(['.', '\'', '-', '%', '_']);
    // In a query string `%3D` and the like are signs, not part of the name.
    let local = local
        .rfind('%')
        .and_then(|percent| local.get(percent + 3..))
        .unwrap_or(local);
    let after = window_after(text, host_start, 255);
    let host = &after[..after
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(after.len())];
    let host = host.trim_end_matches(['.', '-']);
    let host = &after[..dotted_after(after, host.len())];
    let (_, top) = host.rsplit_once(|c: char| !(c.is_alphanumeric() || c == '-'))?;
    let plausible = !local.is_empty()
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
        && !host.starts_with(['.', '-'])
        && !host.contains("..");
    // `git@host:path` is where a repository lives.
    let repository = local == "git" && text[host_start + host.len()..].starts_with(':');
    (plausible && !repository)
        .then(|| dotted_before(text, local_end - local.len())..host_start + host.len())
}

/// How many `(dot)` are looked for on either side of an address.
const MOST_DOTS: usize = 3;

/// Where the name of an address begins that goes on at `start`: `hoa(dot)nguyen`.
fn dotted_before(text: &str, start: usize) -> usize {
    let mut start = start;
    for _ in 0..MOST_DOTS {
        let before = window_before(text, start, 48);
        let Some(rest) = before
            .trim_end()
            .strip_suffix([')', ']', '}'])
            .map(str::trim_end)
            .filter(|rest| rest.to_ascii_lowercase().ends_with("dot"))
            .and_then(|rest| {
                rest[..rest.len() - 3]
                    .trim_end()
                    .strip_suffix(['(', '[', '{'])
            })
            .map(str::trim_end)
        else {
            break;
        };
        let name = rest
            .rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-')))
            .next()
            .unwrap_or_default();
        if name.is_empty() {
            break;
        }
        start -= before.len() - (rest.len() - name.len());
    }
    start
}

/// Where the host ends that goes on in `text` at `end`: `acme(dot)example`, `acme dot example`.
fn dotted_after(text: &str, end: usize) -> usize {
    let mut end = end;
    for _ in 0..MOST_DOTS {
        let rest = &text[end..];
        let inner = rest.trim_start_matches(' ');
        let (after, bracket) = match inner.strip_prefix(['(', '[', '{']) {
            Some(inside) => (inside.trim_start_matches(' '), true),
            None => (inner, false),
        };
        // Without brackets only where nothing else ends the host.
        if !bracket && (inner.len() == rest.len() || text[..end].contains('.')) {
            break;
        }
        let is_dot = after
            .get(..3)
            .is_some_and(|dot| dot.eq_ignore_ascii_case("dot"));
        let Some(after) = after.get(3..).filter(|_| is_dot) else {
            break;
        };
        let label = if bracket {
            after.trim_start_matches(' ').strip_prefix([')', ']', '}'])
        } else {
            after.strip_prefix(' ')
        };
        let Some(label) = label.map(|label| label.trim_start_matches(' ')) else {
            break;
        };
        let length = label
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(label.len());
        if length < 2 {
            break;
        }
        end = text.len() - label.len() + length;
    }
    end
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::upstream::anthropic::recogniser::span::texts;

    fn found(text: &str) -> Vec<&str> {
        texts(text, find)
    }

    #[rstest]
    #[case("Mail ana.ruiz+x@mail.acme.example.", &["ana.ruiz+x@mail.acme.example"])]
    #[case("<o'neill@a.test>;b@c.example", &["o'neill@a.test", "b@c.example"])]
    #[case("/u?email=ana%40acme.example&x", &["ana%40acme.example"])]
    #[case("ana (at) acme (dot) example please", &["ana (at) acme (dot) example"])]
    #[case("mail me at ana dot ruiz at acme dot example", &["ana dot ruiz at acme dot example"])]
    #[case("the app at acme dots the i at noon", &[])]
    #[case("hoa(dot)nguyen@mail.example", &["hoa(dot)nguyen@mail.example"])]
    #[case("to a [dot] b {DOT} c@acme(dot)co[dot]example now", &["a [dot] b {DOT} c@acme(dot)co[dot]example"])]
    #[case("hoa (dot) nguyen (at) acme (dot) example", &["hoa (dot) nguyen (at) acme (dot) example"])]
    #[case("ana@acme dot example or bob", &["ana@acme dot example"])]
    #[case("a (dot) is a sign, see (dot)net@2 and user@localhost dot, x@y dot z", &[])]
    #[case("a (dot) or a@b.test or the dot b@c.test dot com", &["a@b.test", "b@c.test"])]
    #[case("git@host.example:org/repo.git @scope/pkg@1.2.3 user@localhost", &[])]
    fn emails_in_all_their_forms(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(found(text), expected);
    }
}
