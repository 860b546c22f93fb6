//! URLs that open something by themselves: with a login in them, or with a path that nobody else knows.

use super::{
    super::{
        scan::window_after,
        span::{Span, Weight},
    },
    is_placeholder, looks_random, push,
};

/// No login and no path is looked at beyond so many bytes.
const LONGEST_PART: usize = 256;

/// What ends a URL in a text.
const ENDS: [char; 9] = [' ', '\n', '\t', '"', '\'', '<', '>', '`', ')'];

/// Finds what opens in each URL.
pub fn find(text: &str, spans: &mut Vec<Span>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let authority = window_after(text, start, LONGEST_PART);
        let end = authority
            .find(|c| ENDS.contains(&c) || matches!(c, '/' | '?' | '#'))
            .unwrap_or(authority.len());
        let authority = &authority[..end];
        if let Some((login, _)) = authority.rsplit_once('@') {
            if opens(login) {
                push(spans, start..start + login.len(), Weight::Whole);
            }
        } else {
            called(text, start, authority, spans);
        }
    }
}

/// `user:password`, or a key alone as in `https://0123abcd…@sentry.example/5`: what stands before the `@`.
fn opens(login: &str) -> bool {
    match login.split_once(':') {
        Some((_, password)) => !password.is_empty() && !is_placeholder(password),
        None => {
            login.len() >= 16
                && login.bytes().all(|b| b.is_ascii_alphanumeric())
                && looks_random(login)
        }
    }
}

/// `https://hooks.slack.com/services/T01/B02/…`: whoever knows the path may call it. `host` begins at
/// `start`.
fn called(text: &str, start: usize, host: &str, spans: &mut Vec<Span>) {
    let path_start = start + host.len();
    let path = window_after(text, path_start, LONGEST_PART);
    let end = path
        .find(|c| ENDS.contains(&c) || matches!(c, '?' | '#'))
        .unwrap_or(path.len());
    let path = path[..end].trim_end_matches(['.', ',', ';', '/']);
    let hook = host
        .split('.')
        .any(|label| matches!(label, "hooks" | "hook" | "webhook" | "webhooks"))
        || path.starts_with("/api/webhooks/")
        // A bot's token is its path.
        || path.starts_with("/bot") && path.contains(':');
    if !hook {
        return;
    }
    let mut at = path_start;
    for segment in path.split_inclusive('/') {
        if is_token(segment.trim_end_matches('/')) {
            push(spans, at..path_start + path.len(), Weight::Certain);
            return;
        }
        at += segment.len();
    }
}

/// A stretch that changes between letters and digits, or between capitals and small letters, more often
/// than `orders2024`, `incoming-events` and `IncomingWebhook` do.
fn is_token(segment: &str) -> bool {
    // `evt_71c0ab2f`
    let named = segment
        .split_once('_')
        .is_some_and(|(head, _)| head.len() <= 4 && head.bytes().all(|b| b.is_ascii_lowercase()));
    if named {
        return false;
    }
    segment
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| {
            let class = |b: u8| (b.is_ascii_digit(), b.is_ascii_uppercase());
            let changes = part
                .as_bytes()
                .windows(2)
                .filter(|pair| class(pair[0]) != class(pair[1]))
                .count();
            let digit = part.bytes().any(|b| b.is_ascii_digit());
            part.len() >= 7 && changes >= 2 && digit
                || part.len() >= 12
                    && changes >= 2
                    && part
                        .as_bytes()
                        .windows(2)
                        .any(|pair| pair[0].is_ascii_uppercase() && pair[1].is_ascii_uppercase())
        })
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
    #[case("postgres://app:s3cret@db.internal:5432/x", "app:s3cret")]
    #[case(
        "SENTRY_DSN=https://abcdef0123456789@o1.ingest.sentry.io/5",
        "abcdef0123456789"
    )]
    #[case(
        "https://hooks.slack.com/services/T01/B02/abcdefGHIJKL123",
        "abcdefGHIJKL123"
    )]
    #[case(
        "'https://hooks.slack.com/services/T024BE7LD/B024BE7LE/Q7RTabcdK2LM'",
        "T024BE7LD/B024BE7LE/Q7RTabcdK2LM"
    )]
    #[case(
        "(https://discord.com/api/webhooks/123456789012345678/aB3-dE5_fG7hI9jK)",
        "aB3-dE5_fG7hI9jK"
    )]
    #[case("https://hooks.zapier.com/hooks/catch/1234567/b2abc3d/.", "b2abc3d")]
    #[case(
        "https://acme.webhook.office.com/webhookb2/x/IncomingWebhook/7d8e9fa0b1c2d3e4/3f9a",
        "7d8e9fa0b1c2d3e4/3f9a"
    )]
    #[case(
        "https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe",
        "bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe"
    )]
    fn urls_that_open_are_found(#[case] text: &str, #[case] value: &str) {
        assert_eq!(found(text), [value]);
    }

    #[rstest]
    #[case("https://hooks.slack.com/ and https://hooks.slack.com/services")]
    #[case("https://hooks.acme.test/v1/orders2024/incoming-events/we_40881/evt_71c0ab2f")]
    #[case("https://webhooks.acme.test/IncomingWebhook?id=aB3dE5fG7hI9jK")]
    #[case("https://api.acme.test/v1/objects/aB3dE5fG7hI9jK/bottom")]
    #[case("ssh://git@host.test https://ana@host.test https://ana.ruiz.of.acme@host.test")]
    #[case("https://user:@host https://user:<password>@host https://acme.test/a:b@c")]
    fn urls_that_only_lead_somewhere_stay(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
