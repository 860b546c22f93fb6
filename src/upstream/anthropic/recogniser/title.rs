//! A short technical title without personal data: the subject, cleaned, with the key symptom.

use std::sync::LazyLock;

use regex::Regex;

use crate::support::text::{one_line, truncate};

/// Titles are cut here, in terminal cells.
const LONGEST: usize = 96;

/// Makes the title from the masked subject and body.
pub fn title(subject: &str, body: &str) -> String {
    let subject = clean(subject);
    let base = if is_vague(&subject) {
        complaint(body).unwrap_or(subject)
    } else {
        subject
    };
    let base = if base.chars().filter(|c| c.is_alphabetic()).count() < 3 {
        "Customer report without a description".to_owned()
    } else {
        base
    };
    let base = truncate(&base, LONGEST).into_owned();
    match symptom(&base, body) {
        Some(symptom) if base.chars().count() + symptom.chars().count() + 3 <= LONGEST => {
            format!("{base} ({symptom})")
        }
        _ => base,
    }
}

/// Takes away what is no fact: prefixes, pleas, shouting, people.
fn clean(text: &str) -> String {
    static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^(?:\s*(?:re|fwd?|aw|wg|sv|tr|urgent|urgently|important|help|help needed|bug|bug report|issue|question|problem|asap|sos|please|support request|ticket|request|p[0-4]|external|prod|production)\s*(?:[:!\-–—]+|\])\s*|\s*\[[^\]\[]{1,24}\]\s*|\s*[#(]?(?:case|ticket)?\s*#?\d{3,}\)?\s*[:\-–—]\s*|\s*[!*>•\-–—]+\s*)+")
            .expect("a constant pattern")
    });
    static PERSON: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\s*(?:(?:[-–—,(]|\b(?:for|from|by|of|with|to|at|on|in|my|our|user|customer|named|about|regarding|contact|call|and|card|card number|account|password|ssn|email|e-mail|phone|via|using|key|token|is)\b)[\s:=#]*)*(?:'s\s+)?\[(?:NAME|EMAIL|PHONE|SSN|ADDRESS|CREDIT_CARD|CREDENTIAL)_\d+\](?:['’]s)?\)?")
            .expect("a constant pattern")
    });
    static PLEA: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^(?:(?:hi|hello|hey|dear)[^,.!]{0,20}[,.!]\s*)?(?:(?:can|could|would) (?:you|someone|anyone|somebody)(?: please)?|please|pls|plz|kindly|i need (?:help|you) (?:with|to)|need help (?:with|to)?|help (?:me )?(?:with)?|fix|repair|look into|investigate|check|resolve)\s+")
            .expect("a constant pattern")
    });
    let line = one_line(text);
    let line = PREFIX.replace(line.trim(), "");
    let mut line = PERSON.replace_all(&line, "").trim().to_owned();
    // `(Kundin [NAME_1])` left its beginning behind.
    let open = |line: &str| line.matches('(').count() > line.matches(')').count();
    if let Some(at) = line.rfind('(').filter(|_| open(&line)) {
        line.truncate(at);
    }
    for _ in 0..3 {
        let shorter = PLEA.replace(&line, "").into_owned();
        if shorter == line || shorter.trim().is_empty() {
            break;
        }
        line = shorter;
    }
    for plea in [
        " please help",
        " please fix",
        " asap",
        " urgent",
        ", please",
        " please",
        " thanks",
        " thank you",
        " - help",
        " pls",
        " help",
        " immediately",
        " plz",
        " right now",
        " since ",
        " and",
        " for",
        " of",
        " from",
        " with",
        " to",
    ] {
        let end = line.trim_end_matches(['!', '?', '.', ' ', ',', ':', '-', '–']);
        let cut = end.len().checked_sub(plea.len()).filter(|at| {
            end.is_char_boundary(*at) && end[*at..].eq_ignore_ascii_case(plea) && *at >= 8
        });
        line.truncate(cut.unwrap_or(end.len()));
    }
    sentence_case(&line.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Shouting becomes speech; the first letter is large.
fn sentence_case(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let shouted =
        text.chars().filter(|c| c.is_uppercase()).count() * 10 > letters * 7 && letters > 12;
    let text: String = if shouted {
        text.split(' ')
            .map(|word| match word {
                "API" | "CSV" | "SSO" | "HTTP" | "SAML" | "PDF" | "UI" | "JSON" | "URL" | "SMS"
                | "MFA" | "2FA" | "DNS" | "TLS" | "SSL" | "CPU" | "SDK" | "EU" | "US" | "VAT"
                | "ID" => word.to_owned(),
                word => word.to_lowercase(),
            })
            .collect::<Vec<_>>()
            .join(" ")
    } else {
        text.to_owned()
    };
    let mut chars = text.chars();
    match chars.next() {
        // `iOS` and `macOS` keep their small letter.
        Some(first) if chars.clone().next().is_none_or(|c| !c.is_uppercase()) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => text,
    }
}

/// Words that together still say nothing.
const EMPTY: &[&str] = &[
    "help",
    "problem",
    "problems",
    "issue",
    "issues",
    "question",
    "urgent",
    "bug",
    "error",
    "broken",
    "it",
    "is",
    "not",
    "working",
    "doesn",
    "t",
    "work",
    "does",
    "doesnt",
    "please",
    "need",
    "with",
    "your",
    "my",
    "the",
    "a",
    "an",
    "of",
    "this",
    "there",
    "i",
    "have",
    "some",
    "something",
    "wrong",
    "hi",
    "hello",
    "support",
    "app",
    "site",
    "website",
    "product",
    "account",
    "request",
    "asap",
    "thing",
    "stuff",
    "again",
    "still",
    "no",
    "subject",
    "nothing",
    "works",
    "trouble",
    "stopped",
    "everything",
    "down",
    "very",
    "big",
    "us",
    "me",
    "on",
    "in",
    "today",
    "and",
];

/// Subjects that say nothing an engineer can use.
fn is_vague(subject: &str) -> bool {
    let words: Vec<String> = subject
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.iter().all(|word| EMPTY.contains(&word.as_str()))
}

/// How sentences begin before they say anything.
static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:(?:hi|hello|hey|dear|so|and|but|well|since [a-z]+|as of [a-z]+|today|yesterday|unfortunately|for some reason|my name is \[NAME_\d+\](?: and)?|i am \[NAME_\d+\](?: and)?)[,\s]+)+")
        .expect("a constant pattern")
});

/// The first sentence of the body that describes something going wrong.
fn complaint(body: &str) -> Option<String> {
    const SIGNS: &[&str] = &[
        "fail",
        "error",
        "broken",
        "not work",
        "doesn't",
        "does not",
        "can't",
        "cannot",
        "can not",
        "won't",
        "never",
        "stopped",
        "stuck",
        "crash",
        "timeout",
        "times out",
        "timed out",
        "missing",
        "wrong",
        "twice",
        "slow",
        "truncat",
        "loop",
        "blank",
        "lost",
        "no longer",
        "instead of",
        "unable",
        "reset",
        "duplicate",
        "down",
        "refuse",
        "reject",
        "empty",
        "disappear",
        "freez",
        "denied",
        "expired",
        "didn't",
        "did not",
        "isn't",
        "is not",
        "aren't",
        "nothing",
    ];
    let head = crate::support::text::truncate(body, 4_000);
    head.split(['\n', '.', '!', '?'])
        .map(str::trim)
        .filter(|sentence| (12..=240).contains(&sentence.len()))
        .find(|sentence| {
            let lower = sentence.to_lowercase();
            SIGNS.iter().any(|sign| lower.contains(sign))
        })
        .map(|sentence| {
            let sentence = sentence.trim_start_matches(['-', '*', '>', ' ']);
            clean(&LEAD.replace(sentence, ""))
        })
        .filter(|title| !title.is_empty())
}

/// An error code, a status with its route, an exception: what one greps for.
fn symptom(title: &str, body: &str) -> Option<String> {
    static CODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?-u:\b)(?:ERR_[A-Z_]{4,40}|E[A-Z]{4,14}(?:_[A-Z]+)?(?-u:\b)|[A-Z][A-Za-z]{2,30}(?:Error|Exception)(?-u:\b)|SQLSTATE [0-9A-Z]{5}|PGRST[0-9]{3}|OOMKilled|SIGSEGV)",
            r"|(?-u:\b)(?:HTTP(?:/[0-9.]+)?|status(?: code)?|error|code)[ =:]{1,2}([45][0-9]{2})(?-u:\b)",
            r"|(?-u:\b)([45][0-9]{2}) (?:Bad Request|Unauthorized|Forbidden|Not Found|Conflict|Unprocessable|Too Many Requests|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)",
        ))
        .expect("a constant pattern")
    });
    static ROUTE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u:\b)(?:GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9_./{}:-]{1,40}")
            .expect("a constant pattern")
    });
    let known = [
        "EACCES",
        "EADDRINUSE",
        "ECONNREFUSED",
        "ECONNRESET",
        "ENOENT",
        "ENOTFOUND",
        "EPIPE",
        "ETIMEDOUT",
        "EHOSTUNREACH",
        "ENOSPC",
        "EPERM",
        "ENOMEM",
    ];
    let code = CODE
        .captures_iter(body)
        .find_map(|found| {
            if let Some(status) = found.get(1).or_else(|| found.get(2)) {
                return Some(format!("HTTP {}", status.as_str()));
            }
            let code = found.get(0)?.as_str();
            let posix = code.starts_with('E')
                && !code.starts_with("ERR_")
                && !code.ends_with("Error")
                && !code.ends_with("Exception");
            (!posix || known.contains(&code)).then(|| code.to_owned())
        })
        .filter(|code| !title.contains(code.trim_start_matches("HTTP ")));
    let route = ROUTE
        .find(body)
        .map(|found| {
            found
                .as_str()
                .trim_end_matches(['.', ':', '-', '/'])
                .to_owned()
        })
        .filter(|route| !title.contains(route.as_str()) && !route.contains('['));
    match (code, route) {
        (Some(code), Some(route)) if code.starts_with("HTTP") => Some(format!("{code}, {route}")),
        (Some(code), _) => Some(code),
        (None, Some(route)) => Some(route),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Re: URGENT: Export fails!!!", "", "Export fails")]
    #[case("Please fix the login page", "", "The login page")]
    #[case("PAYMENT PORTAL CHARGES TWICE", "", "Payment portal charges twice")]
    #[case("Double charge for [NAME_1] ([EMAIL_1])", "", "Double charge")]
    #[case("Export fails (Kundin [NAME_1])", "", "Export fails")]
    #[case(
        "Help",
        "Hi,\nthe CSV import fails with every file. Thanks",
        "The CSV import fails with every file"
    )]
    #[case(
        "Checkout hangs",
        "we get HTTP 504 on POST /v2/charges",
        "Checkout hangs (HTTP 504, POST /v2/charges)"
    )]
    #[case(
        "Login loop",
        "then ERR_TOO_MANY_REDIRECTS",
        "Login loop (ERR_TOO_MANY_REDIRECTS)"
    )]
    #[case("", "", "Customer report without a description")]
    fn titles_are_short_and_technical(
        #[case] subject: &str,
        #[case] body: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(title(subject, body), expected);
    }
}
