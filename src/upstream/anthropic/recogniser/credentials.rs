//! Credentials: keys by their prefixes, tokens, passwords, private keys, connection strings.

mod commands;
mod phrases;
mod spoken;
mod urls;
mod words;

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::protocol::tickets::EntityKind;

use self::words::{WORDS_NOT_SECRETS, is_prose};
use super::{
    fields::{Field, Form, Key},
    scan::{fold, window_after, window_before},
    span::{Span, Weight},
};

/// Finds everything that opens something.
pub fn find(text: &str, fields: &[Field], spans: &mut Vec<Span>) {
    prefixed(text, spans);
    private_keys(text, spans);
    urls::find(text, spans);
    commands::find(text, spans);
    schemes(text, spans);
    for field in fields {
        named(text, field, spans);
    }
    spoken::find(text, spans);
    hashes(text, spans);
    unnamed(text, spans);
}

fn push(spans: &mut Vec<Span>, range: Range<usize>, weight: Weight) {
    spans.push(Span::new(range, EntityKind::Credential, weight));
}

/// Keys that say what they are.
fn prefixed(text: &str, spans: &mut Vec<Span>) {
    static PREFIXED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?-u:\b)(?:",
            r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9_]{6,}|whsec_[A-Za-z0-9_+/=-]{6,}",
            r"|sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{16,}",
            r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|gl(?:pat|cbt|dt|rt)-[A-Za-z0-9_-]{12,}",
            r"|xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}",
            r"|(?:AKIA|ASIA|AGPA|AROA)[A-Z0-9]{12,}|AIza[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{16,}",
            r"|SG\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|lin_(?:api|oauth)_[A-Za-z0-9]{8,}",
            r"|sb_(?:secret|publishable)_[A-Za-z0-9_-]{8,}|sbp_[A-Za-z0-9]{16,}",
            r"|npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_-]{20,}|dop_v1_[a-f0-9]{20,}|shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}",
            r"|hf_[A-Za-z0-9]{16,}|hvs\.[A-Za-z0-9_-]{16,}|sq0(?:atp|csp)-[A-Za-z0-9_-]{16,}|EAAC[A-Za-z0-9]{16,}",
            r"|AGE-SECRET-KEY-[A-Z0-9]{20,}|PMAK-[A-Za-z0-9-]{20,}|re_[A-Za-z0-9]{8,}_[A-Za-z0-9]{8,}",
            r"|eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?",
            r")",
        ))
        .expect("a constant pattern")
    });
    for found in PREFIXED.find_iter(text) {
        push(spans, found.range(), Weight::Certain);
    }
}

/// `-----BEGIN … PRIVATE KEY-----` to its end, or as far as it was pasted.
fn private_keys(text: &str, spans: &mut Vec<Span>) {
    static BEGIN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
            .expect("a constant pattern")
    });
    let mut from = 0;
    while let Some(begin) = BEGIN.find_at(text, from) {
        let rest = window_after(text, begin.end(), 16_384);
        let end = match rest.find("-----END ") {
            Some(end) => {
                let tail = &rest[end + 9..];
                end + 9 + tail.find("-----").map_or(0, |dashes| dashes + 5)
            }
            // Cut off: as long as lines look like base64.
            None => rest
                .split_inclusive('\n')
                .take_while(|line| {
                    line.trim().chars().all(|c| {
                        c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '.' | '…' | '\\')
                    })
                })
                .map(str::len)
                .sum(),
        };
        let whole = begin.start()..begin.end() + end;
        let kept = text[whole.clone()].trim_end().len();
        push(spans, whole.start..whole.start + kept, Weight::Whole);
        from = whole.end.max(begin.end());
    }
}

/// `Authorization: Bearer …`, `Basic …`, `curl -u user:password`.
fn schemes(text: &str, spans: &mut Vec<Span>) {
    static SCHEME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?-u:\b)(?:[Bb]earer|BEARER|[Bb]asic|Token|Digest) +([A-Za-z0-9._~+/=-]{6,})",
            r#"|curl[^\n]{0,80}? (?:-u|--user) +["']?([^\s"':]{1,64}:[^\s"'])"#,
        ))
        .expect("a constant pattern")
    });
    let mut at = 0;
    while let Some(found) = SCHEME.captures_at(text, at) {
        at = found.get_match().end();
        if let Some(value) = found.get(1)
            && looks_random(value.as_str())
        {
            push(spans, value.range(), Weight::Certain);
        }
        if let Some(value) = found.get(2) {
            at = run_end(text, value.end(), LONGEST - 1, &['"', '\'']);
            push(spans, value.start()..at, Weight::Certain);
        }
    }
}

/// No password is looked at beyond so many characters. Counted here and not in the patterns, which
/// would become a hundred times as large.
const LONGEST: usize = 128;

/// Where the run that goes on at `from` ends: at a blank, at one of `quotes`, after `most` characters.
fn run_end(text: &str, from: usize, most: usize, quotes: &[char]) -> usize {
    text[from..]
        .char_indices()
        .enumerate()
        .find(|(count, (_, c))| *count == most || c.is_whitespace() || quotes.contains(c))
        .map_or(text.len(), |(_, (index, _))| from + index)
}

/// Values that a field's name makes a credential.
fn named(text: &str, field: &Field, spans: &mut Vec<Span>) {
    let mut range = field.value.clone();
    let value = &text[range.clone()];
    // `Authorization: Bearer …` is read by scheme.
    if ["Bearer", "Basic", "bearer", "Token"].contains(&value) {
        return;
    }
    let unpunctuated = value.trim_end_matches(['.', ',', ')']);
    if field.form == Form::Line && !unpunctuated.is_empty() && value.len() - unpunctuated.len() == 1
    {
        range.end -= 1;
    }
    let value = &text[range.clone()];
    let fits = match field.key {
        Key::Secret | Key::Password => is_secret_value(value, field.form),
        Key::Answer => {
            let folded = fold(value);
            value.len() >= 2
                && !is_placeholder(value)
                && !WORDS_NOT_SECRETS.contains(&folded.as_str())
                && !is_prose(&folded)
        }
        Key::Session => value.len() >= 16 && looks_random(value),
        Key::MaybeSecret => {
            value.len() >= 12 && looks_random(value) && !looks_like_identifier(value)
        }
        _ => false,
    };
    if matches!(field.key, Key::Password | Key::Answer)
        && let Some(end) = phrases::named(text, field, fits)
    {
        push(spans, range.start..end, Weight::Named);
    } else if fits {
        push(spans, range, Weight::Named);
    }
}

fn is_secret_value(value: &str, form: Form) -> bool {
    if value.len() < 3 || is_placeholder(value) || value.starts_with("http") {
        return false;
    }
    let word = fold(value);
    let says_something = WORDS_NOT_SECRETS.contains(&word.as_str());
    match form {
        Form::Pair | Form::Cell => !says_something && value.len() >= 4 || looks_random(value),
        // `Password: reset does not work` is prose.
        Form::Line => !says_something && (looks_random(value) || value.len() >= 6),
        // A line of its own may be anything: `Thanks.`
        Form::Below => !says_something && value.len() >= 4 && is_mixed(value),
    }
}

/// What people write where the secret was.
fn is_placeholder(value: &str) -> bool {
    value
        .chars()
        .all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '•' | '-' | '…' | '#'))
        || value.starts_with(['$', '<', '[', '{', '%'])
        || value.contains("***")
        || fold(value).starts_with("your")
        || fold(value).contains("redacted")
}

/// Not a word of a language: digits or signs among letters, or capitals where none belong.
fn looks_random(value: &str) -> bool {
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let signs = value.chars().filter(|c| !c.is_alphanumeric()).count();
    let inner_upper =
        value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    (digits > 0 && letters > 0)
        || (signs > 0 && letters > 0 && value.chars().all(|c| c != ' '))
        || inner_upper
        || (digits >= 4 && letters == 0 && signs == 0)
}

/// Digits or a sign that no prose has among letters, or a number.
fn is_mixed(value: &str) -> bool {
    let value = value.trim_end_matches(['.', ',', '!', '?']);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    letters > 0 && (digits > 0 || value.contains(STRONG)) || digits >= 4 && digits == value.len()
}

/// Signs that stand in passwords and not inside of words.
const STRONG: [char; 10] = ['!', '#', '$', '%', '&', '*', '+', '^', '?', '~'];

/// UUIDs, plain hashes, versions, dates: named `key` they still name and do not open.
fn looks_like_identifier(value: &str) -> bool {
    value.contains('-') && uuid::Uuid::try_parse(value).is_ok()
        || value
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'T' | b'Z'))
        || value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':'))
        || value.contains("://")
        || (value.len() <= 24
            && value.contains(['_', '-', '/', '.'])
            && !value.bytes().any(|b| b.is_ascii_uppercase()))
}

/// `$2b$12$…`, `$argon2id$…`: a password's hash opens it for whoever has the time.
fn hashes(text: &str, spans: &mut Vec<Span>) {
    static HASH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\$(?:2[abxy]|argon2id?|[156])\$[A-Za-z0-9$./+=,-]{20,128}")
            .expect("a constant pattern")
    });
    for found in HASH.find_iter(text) {
        push(spans, found.range(), Weight::Certain);
    }
}

/// Long random text without a name: a key that was pasted bare.
fn unnamed(text: &str, spans: &mut Vec<Span>) {
    // No `=`: what stands before it is a name.
    let token = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'_' | b'-');
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !token(bytes[at]) {
            at += 1;
            continue;
        }
        let length = bytes[at..].iter().take_while(|b| token(**b)).count();
        if (32..=128).contains(&length) && is_pasted_key(text, at..at + length) {
            push(spans, at..at + length, Weight::Shape);
        }
        at += length;
    }
}

fn is_pasted_key(text: &str, range: Range<usize>) -> bool {
    let value = &text[range.clone()];
    let before = window_before(text, range.start, 8);
    let part_of_more = before.ends_with(['.', ':', '@', '%', '\\'])
        || text[range.end..].starts_with(['.', '@', '%', ':']);
    let count = |test: fn(&u8) -> bool| value.bytes().filter(test).count();
    let (upper, lower, digit) = (
        count(u8::is_ascii_uppercase),
        count(u8::is_ascii_lowercase),
        count(u8::is_ascii_digit),
    );
    let parts = value.split(['-', '_', '/']);
    let longest = parts.map(str::len).max().unwrap_or(0);
    !part_of_more && upper >= 4 && lower >= 4 && digit >= 3 && longest >= 16
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::upstream::anthropic::recogniser::{fields, span::texts};

    fn found(text: &str) -> Vec<&str> {
        texts(text, |text, spans| find(text, &fields::find(text), spans))
    }

    #[rstest]
    #[case(
        "key sk_live_51Hx9Qz2eZvKYlo2C in the code",
        "sk_live_51Hx9Qz2eZvKYlo2C"
    )]
    #[case("secret: whsec_test_9f8e7d6c", "whsec_test_9f8e7d6c")]
    #[case("postgres://app:s3cret@db.internal:5432/x", "app:s3cret")]
    #[case("Authorization: Bearer abc123def456", "abc123def456")]
    #[case("DB_PASSWORD=hunter2", "hunter2")]
    #[case("Server=x;Password=Pa55;Pool=1;", "Pa55")]
    #[case("my password is Tulip!99.", "Tulip!99")]
    #[case("the PIN is 4711, ok", "4711")]
    #[case("Login pin 8841.", "8841")]
    #[case("Authorization: Bearer abc123", "abc123")]
    #[case(
        "my passphrase is \"purple monkey dishwasher\" still",
        "purple monkey dishwasher"
    )]
    #[case(
        "The password for the test login is correct-horse-battery-staple",
        "correct-horse-battery-staple"
    )]
    #[case("{:api_token=>\"tok_live_8sd7f6g5h4j3\"}", "tok_live_8sd7f6g5h4j3")]
    #[case("2FA code 123456", "123456")]
    #[case("login: bob / Sommer2026!", "Sommer2026!")]
    #[case("user/pass: bob/Sommer2026!", "bob/Sommer2026!")]
    #[case(
        "export TWILIO_AUTH=9a8b7c6d5e4f30211203f4e5d6c7b8a9",
        "9a8b7c6d5e4f30211203f4e5d6c7b8a9"
    )]
    #[case(
        "'$2b$12$KIXQ4S9y0dJmQYVt5nW8oOe1Jp6cGZ8p0sT3uVwXyZaBcDeFgHiJk'",
        "$2b$12$KIXQ4S9y0dJmQYVt5nW8oOe1Jp6cGZ8p0sT3uVwXyZaBcDeFgHiJk"
    )]
    #[case("the password is \"opensesame\", try", "opensesame")]
    #[case(
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )]
    #[case("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE")]
    #[case("curl -u admin:pa55 https://x.test", "admin:pa55")]
    #[case(
        "a -----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY----- b",
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"
    )]
    #[case(
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB\nthat is all I have",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIB"
    )]
    fn keys_are_found(#[case] text: &str, #[case] value: &str) {
        assert!(found(text).contains(&value), "{:?}", found(text));
    }

    #[rstest]
    #[case("Password: reset does not work")]
    #[case("the token is expired and the secret was rotated")]
    #[case("password reset mail, token refresh, API key rotation, PIN pad")]
    #[case("API_KEY=$STRIPE_KEY password=****** token: <redacted>")]
    #[case("COMMIT_SHA=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b, BUILD_ID=2026-11-29-nightly-4711")]
    #[case("license key: enterprise-plan, POST /login/v2/session-4")]
    #[case("session=7d0e4c1a key=orders.created idempotency key: 6c1f-aa02")]
    #[case("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    #[case("id 3f9a2b1c-7d4e-4a8b-9c6f-1e2d3a4b5c6d /usr/share/Some/Long/Path/To/Here/v1/File9")]
    fn words_about_keys_are_none(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
