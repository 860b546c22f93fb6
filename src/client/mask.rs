//! Makes a request or an answer fit to be seen: what opens something becomes its fingerprint.
//!
//! Two rules stand behind each other. Known places (headers, query values, form fields, JSON
//! members) are masked by name; and whatever was masked once is remembered, so that it is found
//! again anywhere else, for instance in a tool result that echoes the caller's own token.

use std::{
    collections::{HashSet, VecDeque},
    fmt::Write as _,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use http::{HeaderMap, HeaderName, header};
use regex::Regex;
use serde_json::Value;
use url::Url;

use crate::{
    protocol::secret::{Fingerprint, Secret, scrub},
    trace::event::{Body, Leg},
};

/// The longest body text that a trace keeps, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Values shorter than this are not searched for elsewhere: they would be found in plain words.
const SHORTEST_KNOWN: usize = 12;
/// How many values are remembered; a run makes a few dozen.
const MOST_KNOWN: usize = 512;

/// Query parameters and form fields whose values open nothing. Every other value is masked: the
/// parameters of a server that is not ours are not known, and one of them may be a key.
const OPEN_FIELDS: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "resource",
    "audience",
    "code_challenge_method",
    "prompt",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "grant_type",
    "subject_token_type",
    "requested_token_type",
    "actor_token_type",
    "client_assertion_type",
    "after",
    "before",
    "limit",
    "status",
    "expand[]",
    "filter[active]",
    "decision",
    "action",
    "person",
    "user",
    "login",
    "email",
    "actor",
];

/// Words in the name of a field whose value is looked for everywhere after. A value under another
/// name is masked where it stands and no more: it may be an ordinary word or an identifier, and
/// hiding that everywhere would hide the story.
const SECRET_WORDS: &[&str] = &[
    "token",
    "secret",
    "csrf",
    "code",
    "state",
    "nonce",
    "verifier",
    "transaction",
    "session",
    "key",
    "password",
    "assertion",
];

/// JSON members (and members of forms inside JSON) that carry a secret.
const SECRET_MEMBERS: &[&str] = &[
    "access_token",
    "refresh_token",
    "id_token",
    "token",
    "subject_token",
    "actor_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "device_code",
    "registration_access_token",
    "authorization",
    "password",
    "secret",
    "api_key",
    "apikey",
    "private_key",
    "csrf",
    "csrf_token",
    "csrftoken",
];

/// Members that carry a secret in OAuth, but a plain word in a tool's arguments or result.
const SECRET_MEMBERS_OF_OAUTH: &[&str] = &["code", "state", "code_challenge", "nonce"];

/// Masks, and remembers what it masked. Cloning shares the memory.
#[derive(Debug, Clone, Default)]
pub struct Masker {
    known: Arc<Mutex<VecDeque<Secret>>>,
    open: Arc<Mutex<HashSet<String>>>,
}

impl Masker {
    /// Remembers a secret, so that it is hidden wherever it turns up.
    pub fn remember(&self, secret: &str) {
        if secret.len() < SHORTEST_KNOWN {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|one| one.expose() == secret) {
            return;
        }
        if known.len() == MOST_KNOWN {
            known.pop_front();
        }
        known.push_back(Secret::from(secret));
    }

    /// Takes note of a form field whose value is a choice that a person makes, and no secret.
    pub fn open_field(&self, name: &str) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned());
    }

    fn is_open(&self, name: &str) -> bool {
        OPEN_FIELDS.contains(&name)
            || self
                .open
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(name)
    }

    /// The mask of a field's value, which is remembered if the name says that it is a secret.
    fn mask_field(&self, name: &str, value: &str) -> String {
        let lower = name.to_ascii_lowercase();
        if SECRET_WORDS.iter().any(|word| lower.contains(word)) {
            self.remember(value);
        }
        mark(value)
    }

    /// The mask of a value, which is remembered.
    fn mask(&self, value: &str) -> String {
        self.remember(value);
        mark(value)
    }

    /// Hides in text of unknown shape what looks like a secret and what is known to be one.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            for secret in known.iter() {
                if out.contains(secret.expose().as_str()) {
                    out = out.replace(secret.expose().as_str(), &mark(secret.expose()));
                }
            }
        }
        match scrub(&out) {
            std::borrow::Cow::Borrowed(_) => out,
            std::borrow::Cow::Owned(scrubbed) => scrubbed,
        }
    }

    /// A URL without user, password and fragment, and with every query value masked that is not
    /// known to be harmless.
    #[must_use]
    pub fn url(&self, url: &Url) -> String {
        let mut bare = url.clone();
        bare.set_query(None);
        bare.set_fragment(None);
        // Cannot fail for a URL with a host, and without one there is no user either.
        let _ = bare.set_username("");
        let _ = bare.set_password(None);
        let mut out = self.text(bare.as_str());
        let Some(query) = url.query().filter(|query| !query.is_empty()) else {
            return out;
        };
        out.push('?');
        out.push_str(&self.pairs(query));
        out
    }

    /// `application/x-www-form-urlencoded` text with its values masked.
    fn pairs(&self, text: &str) -> String {
        let mut out = String::new();
        for raw in text.split('&') {
            if !out.is_empty() {
                out.push('&');
            }
            let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
            let plain = decode(name);
            if value.is_empty() {
                out.push_str(&self.text(raw));
            } else if self.is_open(&plain) {
                let _ = write!(out, "{name}={}", self.text(value));
            } else {
                let _ = write!(out, "{name}={}", self.mask_field(&plain, &decode(value)));
            }
        }
        out
    }

    /// Headers in lower case, in the order of the wire, values masked.
    #[must_use]
    pub fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        headers
            .iter()
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes());
                (name.as_str().to_owned(), self.header(name, &text))
            })
            .collect()
    }

    fn header(&self, name: &HeaderName, value: &str) -> String {
        if *name == header::AUTHORIZATION || *name == header::PROXY_AUTHORIZATION {
            return match value.split_once(' ') {
                Some((scheme, credential)) => format!("{scheme} {}", self.mask(credential.trim())),
                None => self.mask(value),
            };
        }
        if *name == header::WWW_AUTHENTICATE {
            // A challenge asks for a credential and carries none; behind its scheme stand
            // parameters, of which the first would be taken for one.
            return match value.split_once(' ') {
                Some((scheme, parameters)) => format!("{scheme} {}", self.text(parameters)),
                None => self.text(value),
            };
        }
        if *name == header::SET_COOKIE {
            let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
            let (cookie, secret) = pair.split_once('=').unwrap_or((pair, ""));
            let tail = if attributes.is_empty() { "" } else { ";" };
            return format!("{cookie}={}{tail}{attributes}", self.mask(secret));
        }
        if *name == header::COOKIE {
            return value
                .split("; ")
                .map(|pair| {
                    let (cookie, secret) = pair.split_once('=').unwrap_or((pair, ""));
                    format!("{cookie}={}", self.mask(secret))
                })
                .collect::<Vec<_>>()
                .join("; ");
        }
        if *name == header::LOCATION {
            return match Url::parse(value) {
                Ok(url) => self.url(&url),
                Err(_) => match value.split_once('?') {
                    Some((path, query)) => format!("{}?{}", self.text(path), self.pairs(query)),
                    None => self.text(value),
                },
            };
        }
        let lower = name.as_str();
        let carries_secret = lower == "mcp-session-id"
            || ["token", "secret", "api-key", "apikey", "signature"]
                .iter()
                .any(|word| lower.contains(word));
        if carries_secret {
            self.mask(value)
        } else {
            self.text(value)
        }
    }

    /// A body as it may be recorded, cut at [`BODY_LIMIT`].
    #[must_use]
    pub fn body(&self, media_type: &str, bytes: &[u8], leg: Leg) -> Option<Body> {
        if bytes.is_empty() {
            return None;
        }
        let media_type = essence(media_type);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Some(std::borrow::Cow::Borrowed(text)),
            Err(_) if is_textual(&media_type) => Some(String::from_utf8_lossy(bytes)),
            Err(_) => None,
        };
        let masked = match text {
            None => String::new(),
            Some(text) if media_type == "application/x-www-form-urlencoded" => self.pairs(&text),
            Some(text) => self.json(&text, leg),
        };
        Some(cut(media_type, masked, bytes.len()))
    }

    /// JSON with secret members masked; other text (or half of a JSON text) by pattern.
    #[must_use]
    pub fn json(&self, text: &str, leg: Leg) -> String {
        match serde_json::from_str::<Value>(text) {
            Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
                if self.walk(&mut value, leg) {
                    self.text(&value.to_string())
                } else {
                    self.text(text)
                }
            }
            Ok(_) | Err(_) => self.shapeless(text),
        }
    }

    /// A JSON value as it may be recorded.
    #[must_use]
    pub fn value(&self, value: &Value, leg: Leg) -> Value {
        let mut value = value.clone();
        self.walk(&mut value, leg);
        let text = value.to_string();
        let masked = self.text(&text);
        if masked == text {
            value
        } else {
            serde_json::from_str(&masked).unwrap_or(Value::String(masked))
        }
    }

    /// True when something was masked.
    fn walk(&self, value: &mut Value, leg: Leg) -> bool {
        match value {
            Value::Object(members) => {
                let mut changed = false;
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(text) if !text.is_empty() && is_secret_member(name, leg) => {
                            *text = self.mask(text);
                            changed = true;
                        }
                        // The hidden fields of a page: a CSRF token among them.
                        Value::Object(fields)
                            if leg == Leg::Authorization && name.as_str() == "fields" =>
                        {
                            for (field, value) in fields.iter_mut() {
                                if let Value::String(text) = value
                                    && !self.is_open(field)
                                {
                                    *text = self.mask_field(field, text);
                                    changed = true;
                                }
                            }
                        }
                        Value::String(text)
                            if leg == Leg::Authorization && name.as_str() == "action" =>
                        {
                            if let Ok(url) = Url::parse(text) {
                                *text = self.url(&url);
                                changed = true;
                            }
                        }
                        other => changed |= self.walk(other, leg),
                    }
                }
                changed
            }
            Value::Array(items) => {
                let mut changed = false;
                for item in items {
                    changed |= self.walk(item, leg);
                }
                changed
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }

    /// Text that is no whole JSON: half an answer, HTML, plain words.
    fn shapeless(&self, text: &str) -> String {
        static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(&format!(
                r#""({}|code|state)"\s*:\s*"([^"]*)"?"#,
                SECRET_MEMBERS.join("|")
            ))
            .expect("a constant pattern")
        });
        static INPUT: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"value\s*=\s*"([^"]{16,})""#).expect("a constant pattern")
        });
        let text = MEMBER.replace_all(text, |found: &regex::Captures<'_>| {
            format!("\"{}\":\"{}\"", &found[1], self.mask(&found[2]))
        });
        let text = INPUT.replace_all(&text, |found: &regex::Captures<'_>| {
            format!("value=\"{}\"", self.mask(&found[1]))
        });
        self.text(&text)
    }
}

/// The name that stands for a hidden value: `‹1a2b3c4d›`.
fn mark(value: &str) -> String {
    format!("‹{}›", Fingerprint::of(value.as_bytes()))
}

fn is_secret_member(name: &str, leg: Leg) -> bool {
    let lower = name.to_ascii_lowercase();
    if SECRET_MEMBERS.contains(&lower.as_str()) {
        return true;
    }
    match leg {
        Leg::Mcp | Leg::Console | Leg::Discovery => false,
        Leg::Registration | Leg::Authorization | Leg::Callback | Leg::Token => {
            SECRET_MEMBERS_OF_OAUTH.contains(&lower.as_str())
        }
    }
}

fn decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("{text}=").as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

/// The media type without parameters, in lower case (RFC 9110, section 8.3.1).
#[must_use]
pub fn essence(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn is_textual(media_type: &str) -> bool {
    media_type.starts_with("text/") || media_type.ends_with("json") || media_type.ends_with("xml")
}

/// Wraps masked text, no longer than [`BODY_LIMIT`].
#[must_use]
pub fn cut(media_type: String, mut text: String, bytes: usize) -> Body {
    let too_long = text.len() > BODY_LIMIT;
    if too_long {
        let mut end = BODY_LIMIT;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    Body {
        media_type,
        text,
        bytes: bytes as u64,
        cut: too_long,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        Masker::default().url(&Url::parse(text).unwrap())
    }

    #[test]
    fn a_url_keeps_what_is_harmless_and_masks_the_rest() {
        let masked = url(
            "http://user:pass@127.0.0.1:1/cb?code=abc123&state=xyz&iss=http%3A%2F%2Fz&api_key=k#f",
        );
        assert!(
            masked.starts_with("http://127.0.0.1:1/cb?code=‹"),
            "{masked}"
        );
        assert!(masked.contains("&iss=http%3A%2F%2Fz&"), "{masked}");
        for secret in ["abc123", "xyz", "=k", "pass"] {
            assert!(!masked.contains(secret), "{masked}");
        }
    }

    #[test]
    fn what_was_masked_once_is_hidden_everywhere_after() {
        let masker = Masker::default();
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            "Bearer opaque-token-value".parse().unwrap(),
        );
        let shown = masker.headers(&headers);
        assert!(shown[0].1.starts_with("Bearer ‹"), "{shown:?}");
        let echoed = masker.json(r#"{"echo":"you sent opaque-token-value"}"#, Leg::Mcp);
        assert!(!echoed.contains("opaque-token-value"), "{echoed}");
    }

    #[test]
    fn secret_members_are_masked_and_the_order_is_kept() {
        let shown = Masker::default().json(
            r#"{"token_type":"Bearer","access_token":"opaque-access-1","expires_in":5,"nested":{"client_secret":"hush-hush-hush"}}"#,
            Leg::Token,
        );
        assert!(
            shown.starts_with(r#"{"token_type":"Bearer","access_token":"‹"#),
            "{shown}"
        );
        assert!(
            !shown.contains("opaque-access-1") && !shown.contains("hush-hush"),
            "{shown}"
        );
    }

    #[test]
    fn an_identifier_in_an_unknown_field_is_not_hunted_down() {
        let masker = Masker::default();
        let url = Url::parse("http://h/?workspace=hoptrail-lab-workspace&csrf_x=abcdefghijklmnop");
        assert!(!masker.url(&url.unwrap()).contains("hoptrail-lab-workspace"));
        let text = "hoptrail-lab-workspace abcdefghijklmnop";
        let shown = masker.text(text);
        assert!(shown.starts_with("hoptrail-lab-workspace ‹"), "{shown}");
    }

    #[test]
    fn half_a_token_answer_hides_the_token_too() {
        let shown = Masker::default().json(r#"{"access_token":"opaque-acc"#, Leg::Token);
        assert!(!shown.contains("opaque-acc"), "{shown}");
    }

    #[test]
    fn a_tool_argument_called_code_is_left_alone() {
        let text = r#"{"code":"print(1)","state":"open"}"#;
        assert_eq!(Masker::default().json(text, Leg::Mcp), text);
        assert_ne!(Masker::default().json(text, Leg::Token), text);
    }

    #[test]
    fn cookies_keep_their_names_and_attributes() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "set-cookie",
            "sid=abcdefghijklmnop; Path=/; HttpOnly".parse().unwrap(),
        );
        headers.insert("cookie", "sid=abcdefghijklmnop; a=b".parse().unwrap());
        let shown = format!("{:?}", Masker::default().headers(&headers));
        assert!(
            shown.contains("; Path=/; HttpOnly") && !shown.contains("abcdefgh"),
            "{shown}"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_secret_survives_anywhere(
            secret in "[A-Za-z0-9._~+/-]{12,60}",
            before in "[a-z ]{0,8}",
        ) {
            let masker = Masker::default();
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let url = Url::parse(&format!("https://h/cb?state=1&code={encoded}")).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert("authorization", format!("Bearer {secret}").parse().unwrap());
            headers.insert("set-cookie", format!("s={secret}").parse().unwrap());
            headers.insert("location", url.as_str().parse().unwrap());
            let json = serde_json::json!({"a": [{"refresh_token": secret}], "b": "c"}).to_string();
            let half = &json[..json.len() - 8];
            let form = format!("grant_type=x&code_verifier={encoded}");
            let body = |kind: &str, text: &str| masker.body(kind, text.as_bytes(), Leg::Token).unwrap().text;
            let shown = [
                masker.url(&url),
                format!("{:?}", masker.headers(&headers)),
                body("application/json", &json),
                body("application/json", half),
                body("application/x-www-form-urlencoded", &form),
                masker.text(&format!("{before}{secret} in plain words")),
            ];
            for text in shown {
                proptest::prop_assert!(!text.contains(&secret) && !text.contains(&encoded), "{text}");
            }
        }
    }

    #[test]
    fn a_long_body_is_cut_and_says_so() {
        let body = Masker::default()
            .body("text/plain", "é".repeat(BODY_LIMIT).as_bytes(), Leg::Mcp)
            .unwrap();
        assert!(body.cut && body.text.len() <= BODY_LIMIT);
        assert_eq!(body.bytes, 2 * BODY_LIMIT as u64);
    }
}
