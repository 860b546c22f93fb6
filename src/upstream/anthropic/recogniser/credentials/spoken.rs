//! Secrets that somebody tells: `my password is …`, `login: bob / …`, `the password you mailed, "…"`.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    super::{
        scan::{fold, window_after},
        span::{Span, Weight},
    },
    LONGEST, STRONG, is_mixed, is_placeholder, looks_random, phrases, push, run_end,
    words::WORDS_NOT_SECRETS,
};

/// Finds what is told.
pub fn find(text: &str, spans: &mut Vec<Span>) {
    said(text, spans);
    login_pairs(text, spans);
}

/// `the password is …`, `my PIN is 4711`, `log in with password "…"`.
fn said(text: &str, spans: &mut Vec<Span>) {
    static SPOKEN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)(?-u:\b)(?<word>password|passwd|pwd|my pass(?-u:\b)|passphrase|passcode|pass ?word|pw|pin(?: code)?|otp|(?:one[- ]time|verification|2fa|mfa|sms|login|recovery|backup) codes?|(?<kind>secret|server|signing|private|encryption|licen[sc]e|deploy|shared|master|webhook)[- ]key|secret|api[- ]key|access key|(?:access|auth|api|bearer|refresh|session) token|token|kennwort|passwort|mot de passe|contraseña)(?:(?: for [a-z0-9 ._-]{1,32}?)?(?: (?:is currently|is still|is now|is|was|ist|war|lautet|est|es|set to|to)(?-u:\b)| ?(?:=|:|->|→)| (?:-|–|—) ))? {0,2}(?<quote>["'`“«]?)(?<value>[^\s"'`”»]{3})?"#)
            .expect("a constant pattern")
    });
    let mut at = 0;
    while let Some(found) = SPOKEN.captures_at(text, at) {
        let whole = found.get_match();
        at = whole.end();
        let (Some(word), Some(quote)) = (found.name("word"), found.name("quote")) else {
            continue;
        };
        // A token or a key that is used or sent is more often counted than told.
        let password = ["pass", "pw", "pin", "kennwort", "mot", "contrase"]
            .iter()
            .any(|head| {
                word.as_str()
                    .get(..head.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(head))
            });
        let handed = || handed_over(text, word.end()).filter(|_| password);
        let Some(value) = found.name("value") else {
            // `the password I was given`
            if let Some(range) = handed() {
                at = range.end;
                push(spans, range, Weight::Context);
            }
            continue;
        };
        at = match closing(quote.as_str()).and_then(|end| quoted_end(text, at, end)) {
            Some(end) => end,
            None => run_end(text, at, LONGEST - 3, &['"', '\'', '`', '”', '»']),
        };
        let trimmed = text[value.start()..at].trim_end_matches(['.', ',', ';', ')', '?', ':']);
        let folded = fold(trimmed);
        let quoted = !quote.is_empty();
        let mixed = trimmed.chars().any(|c| c.is_ascii_digit())
            || trimmed
                .chars()
                .any(|c| matches!(c, '!' | '#' | '$' | '%' | '&' | '*' | '+' | '^'));
        let head = fold(&text[whole.start()..value.start()]);
        let head = head.trim_end_matches([' ', '"', '\'', '`', '“', '«']);
        let link = [
            "is", "was", "=", ":", "->", "→", "ist", "war", "lautet", "est", "es", "to",
        ]
        .iter()
        .any(|word| head.ends_with(word));
        // `correct-horse-battery-staple`
        let phrase = link && trimmed.len() >= 14 && trimmed.matches('-').count() >= 2;
        let digits = trimmed.len() >= 4 && trimmed.bytes().all(|b| b.is_ascii_digit());
        let pin = digits && head.ends_with("pin");
        let plausible =
            (quoted && (link || mixed)) || (mixed && (link || trimmed.len() >= 6)) || phrase || pin;
        // `the signing key is RS256`, `private key "id_ed25519"`: most keys are spoken of by a name.
        let named = found.name("kind").is_some() && trimmed.len() < 12;
        if plausible
            && !named
            && trimmed.len() >= 3
            && !is_placeholder(trimmed)
            && !WORDS_NOT_SECRETS.contains(&folded.as_str())
            && !trimmed.contains("://")
            && !trimmed.contains('@')
            && !looks_like_word_with_sign(trimmed)
        {
            push(
                spans,
                value.start()..value.start() + trimmed.len(),
                Weight::Context,
            );
        } else if let Some(end) = phrases::said(text, value.start()).filter(|_| link && !quoted) {
            push(spans, value.start()..end, Weight::Context);
            at = end;
        } else if let Some(range) = handed() {
            at = at.max(range.end);
            push(spans, range, Weight::Context);
        }
    }
}

/// The sign that ends what this one begins.
fn closing(quote: &str) -> Option<char> {
    Some(match quote {
        "\"" | "'" | "`" => quote.chars().next()?,
        "“" => '”',
        "«" => '»',
        _ => return None,
    })
}

/// Where a quotation ends that goes on at `from`, on the same line.
fn quoted_end(text: &str, from: usize, end: char) -> Option<usize> {
    let rest = window_after(text, from, LONGEST);
    let line = rest.split('\n').next().unwrap_or_default();
    Some(from + line.find(end)?)
}

/// `e-mail`, `30s`, `2FA`, `/login`: a sign or a digit, and still no secret.
fn looks_like_word_with_sign(value: &str) -> bool {
    value.starts_with('/')
        || value.ends_with('(')
        || (value.len() <= 4 && !value.bytes().all(|b| b.is_ascii_digit()))
        || (value.len() == 3)
}

/// How far behind the word for a secret it may stand that was handed over, in bytes.
const LONGEST_HANDING: usize = 72;

/// `the temporary password you mailed, "Sommer#24"`: the secret that somebody has sent, got or typed
/// stands in quotes, behind a colon or behind `is`, in the same sentence. `from` is where the word for it ends.
fn handed_over(text: &str, from: usize) -> Option<Range<usize>> {
    let window = window_after(text, from, LONGEST_HANDING);
    let line = window.split('\n').next().unwrap_or(window);
    let sentence = [". ", "! ", "? "]
        .iter()
        .filter_map(|end| line.find(end))
        .min()
        .map_or(line, |end| &line[..end]);
    let (mut at, mut handed, mut told) = (from, false, false);
    for word in sentence.split_inclusive(' ') {
        let bare = word.trim_end();
        let lead = bare.len()
            - bare
                .trim_start_matches(['(', '"', '\'', '`', '“', '«', '„'])
                .len();
        let kept =
            bare[lead..].trim_end_matches(['.', ',', ';', ')', '"', '\'', '`', '”', '»', '“', ':']);
        let quoted = bare[..lead].contains(['"', '\'', '`', '“', '«', '„']);
        let range = at + lead..at + lead + kept.len();
        at += word.len();
        if (quoted || told && handed) && is_given_away(kept, handed) {
            return Some(range);
        }
        let folded = fold(kept);
        handed |= HANDING.contains(&folded.as_str());
        told = bare.ends_with([':', '='])
            || matches!(folded.as_str(), "is" | "was" | "lautet" | "ist" | "to");
        if !handed && at - from > LONGEST_HANDING / 2 {
            return None;
        }
    }
    None
}

/// Whether a word in quotes is a secret: one with a sign that no name of a field has, or, where it was
/// `handed` over, one with digits among its letters.
fn is_given_away(word: &str, handed: bool) -> bool {
    let code = word.contains(['/', '(', '=', '<', '{', ':', '[', '@']);
    let letters = word.contains(char::is_alphabetic);
    let strong = letters && word.trim_end_matches(['!', '?']).contains(STRONG);
    let digits = word.bytes().any(|b| b.is_ascii_digit());
    word.len() >= 6 && !code && !is_placeholder(word) && (strong || handed && letters && digits)
}

/// What people do with a password that they then tell.
const HANDING: &[&str] = &[
    "mailed", "emailed", "e-mailed", "sent", "gave", "given", "got", "get", "received", "texted",
    "provided", "issued", "assigned", "chose", "typed", "type", "entered", "enter", "use", "used",
    "using", "tried", "try", "told", "wrote", "have", "had", "changed", "reset",
];

/// `login: bob / Sommer2026!`, `user/pass: bob/Sommer2026!`, `log in with bob:Sommer2026`: what stands behind the login.
fn login_pairs(text: &str, spans: &mut Vec<Span>) {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)(?-u:\b)(?:log(?:ged|ging)?[ -]?in|sign(?:ed|ing)?[ -]in|credentials?|creds|zugangsdaten|(?:basic )?auth|user(?:name)?(?: ?(?:/|and|&) ?pass(?:word)?)?)",
            r"(?: is| are| with| as| using)?(?: user| account)? ?[:=]? {0,2}\(?[A-Za-z][A-Za-z0-9_.@+-]{1,63}( ?/ ?|:)(\S{6})",
        ))
            .expect("a constant pattern")
    });
    for found in PAIR.captures_iter(text) {
        if let (Some(sign), Some(value)) = (found.get(1), found.get(2)) {
            let end = run_end(text, value.end(), LONGEST - 6, &['"', '\'', '`']);
            let kept = text[value.start()..end].trim_end_matches(['.', ',', ';', ')']);
            // `login/v2/session` is a path, `login as sso:okta-prod` says with what.
            let plausible = if sign.as_str() == ":" {
                is_mixed(kept)
                    && !kept.contains(':')
                    && kept.contains(char::is_alphabetic)
                    // `ldap:corp-2024` is a realm.
                    && (!kept.contains('-') || kept.contains(STRONG))
            } else {
                looks_random(kept)
            };
            // `user admin / Overview2` may be a page.
            let alone = found.get(0).is_some_and(|cue| {
                fold(cue.as_str()).starts_with("user ") && !kept.contains(STRONG)
            });
            if plausible && !alone && !kept.contains(['/', '=']) && !is_placeholder(kept) {
                push(
                    spans,
                    value.start()..value.start() + kept.len(),
                    Weight::Context,
                );
            }
        }
    }
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
    #[case(
        "The temporary password you mailed, \"Sommer#24\", does not work",
        "Sommer#24"
    )]
    #[case("the password from the letter (\"Sommer#24\") fails", "Sommer#24")]
    #[case("password I was given: TigerLily77, it fails", "TigerLily77")]
    #[case("The PIN code you texted me was 'ab4711'.", "ab4711")]
    #[case("the password you gave me is TigerLily77", "TigerLily77")]
    #[case("Mein Passwort lautet Geheim123!", "Geheim123!")]
    #[case("My password is blue horse 42. The", "blue horse 42")]
    #[case("my password is blue horse 42 and it fails", "blue horse 42")]
    #[case(
        "the passphrase was correct horse battery staple",
        "correct horse battery staple"
    )]
    #[case("login with alice:wonderland1", "wonderland1")]
    #[case("I signed in as user alice:wonder#land.", "wonder#land")]
    #[case("logged in using alice / wonderland1", "wonderland1")]
    #[case("the credentials (ana / tulip4u)", "tulip4u")]
    #[case("password - TigerLily77", "TigerLily77")]
    #[case("his password was changed to Tulip4u yesterday", "Tulip4u")]
    #[case("credentials are alice:wonderland1", "wonderland1")]
    #[case(
        "Server key AAAAlKx1fQ8:APA91bE3Zk0pLQx9.",
        "AAAAlKx1fQ8:APA91bE3Zk0pLQx9"
    )]
    #[case("the signing key is 9f8a7b6c5d4e3f2a1b0c", "9f8a7b6c5d4e3f2a1b0c")]
    #[case("secret key \"s3cr3tV4lue99\", sorry", "s3cr3tV4lue99")]
    #[case("my licence key 4F9A-22BC-9D1E-77FA", "4F9A-22BC-9D1E-77FA")]
    #[case("passwd is hunter2", "hunter2")]
    #[case("user jsmith1980 / Password1! cannot login", "Password1!")]
    fn what_is_told_is_found(#[case] text: &str, #[case] value: &str) {
        assert_eq!(found(text), [value]);
    }

    #[rstest]
    #[case("password policy is strict and the password hash is \"Argon2id\"")]
    #[case("the password field is called \"password_reset\", the token \"access_token\"")]
    #[case("password is 8 characters long, was reset 3 times and is too short")]
    #[case("the password is stored encrypted, the password was changed 30 days ago")]
    #[case("The password is sometimes rejected although typed correctly")]
    #[case("my password is not working on version 2")]
    #[case("password you mailed me is wrong. The error is \"E4711x\"")]
    #[case("login at 10:42, login via sso:okta-production, sign in as host:8080")]
    #[case("auth with ldap:corp-2024, tokens used: cl100k, token sent: 4096k")]
    #[case("password - see below, mysql --password -h db1 -x")]
    #[case("log in with registry:v1.2 or oauth:github, login: page:login-form")]
    #[case("the token you sent to \"https://acme.test/v2\" and \"v2/tokens\"")]
    #[case("the signing key is RS256, the private key \"id_ed25519\"")]
    #[case("a licence key for 3 seats, encryption key 2048 bits, master key rotation in Q3")]
    #[case("user admin / Overview2 and user settings / Profile3x")]
    fn talk_about_secrets_stays(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
