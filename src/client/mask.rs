//! Makes a request or an answer fit to be seen: what opens something becomes its fingerprint.
//!
//! Two rules stand behind each other. Known places (headers, query values, form fields, JSON
//! members) are masked by name; and whatever was masked once is remembered, so that it is found
//! again anywhere else, for instance in a tool result that echoes the caller's own token.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::HashSet,
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use http::{HeaderMap, HeaderName, header};
use parking_lot::{Mutex, MutexGuard};
use regex::Regex;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    protocol::secret::{Fingerprint, scrub},
    trace::event::{Body, Leg},
};

mod escapes;
mod known;
#[cfg(test)]
mod laws;
mod names;
mod shape;
#[cfg(test)]
mod tests;

use self::{
    escapes::plainly,
    known::{Known, SHORTEST},
    names::{OPEN_FIELDS, SECRET_WORDS, is_schema, is_secret_member, pattern},
    shape::is_word,
};

/// The longest body text that a trace keeps, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Masks, and remembers what it masked. Cloning shares the memory.
#[derive(Debug, Clone, Default)]
pub struct Masker {
    known: Arc<Mutex<Known>>,
    open: Arc<Mutex<HashSet<String>>>,
}

impl Masker {
    /// Remembers a secret, so that it is hidden wherever it turns up in the near future.
    pub fn remember(&self, secret: &str) {
        self.known().remember(secret);
    }

    /// Remembers a secret that the run is configured with, however many others come and go.
    pub fn pin(&self, secret: &str) {
        self.known().pin(secret);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }

    /// Takes note of a form field whose value is a choice that a person makes, and no secret.
    pub fn open_field(&self, name: &str) {
        self.open.lock().insert(name.to_owned());
    }

    fn is_open(&self, name: &str) -> bool {
        OPEN_FIELDS.contains(&name) || self.open.lock().contains(name)
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
            let known = self.known();
            let mut held: Vec<&str> = known
                .iter()
                .map(|secret| secret.expose().as_str())
                .filter(|secret| holds(&out, secret))
                .collect();
            // One may be a part of another, of which the rest would stay.
            held.sort_by_key(|secret| Reverse(secret.len()));
            for secret in held {
                out = out.replace(secret, &mark(secret));
            }
        }
        match scrub(&out) {
            Cow::Borrowed(_) => out,
            Cow::Owned(scrubbed) => scrubbed,
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
            if !raw.contains('=') && plain.len() >= SHORTEST {
                // A value without a name.
                out.push_str(&self.mask(&plain));
            } else if value.is_empty() {
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
            Ok(text) => Some(Cow::Borrowed(text)),
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
            Ok(mut value) => self.parsed(text, &mut value, leg),
            Err(_) => self.shapeless(text, leg),
        }
    }

    /// [`Self::json`] of text that was parsed already; `value` is masked as well.
    pub fn parsed(&self, text: &str, value: &mut Value, leg: Leg) -> String {
        match value {
            Value::Object(_) | Value::Array(_) => {
                let changed = self.walk(value, leg);
                let escaped = text.contains('\\');
                if escaped {
                    self.unescaped(value, leg);
                }
                // Of two members of one name only the last was looked at.
                let doubled = || quotes(value) != text.bytes().filter(|b| *b == b'"').count();
                if changed || escaped || doubled() {
                    self.text(&value.to_string())
                } else {
                    self.text(text)
                }
            }
            Value::String(inner) if text.contains('\\') => {
                Value::String(self.within(inner, leg)).to_string()
            }
            _ => self.shapeless(text, leg),
        }
    }

    /// Masks in strings that JSON writes with escapes: in the text of the JSON they are not found.
    fn unescaped(&self, value: &mut Value, leg: Leg) {
        match value {
            Value::String(text) => {
                let is_escaped = |byte| matches!(byte, b'"' | b'\\' | 0..0x20);
                if text.bytes().any(is_escaped) {
                    *text = self.within(text, leg);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.unescaped(item, leg)),
            Value::Object(members) => members
                .values_mut()
                .for_each(|member| self.unescaped(member, leg)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Masks in a string of a JSON text, which may be JSON itself: a tool's result is.
    fn within(&self, text: &str, leg: Leg) -> String {
        if text.trim_start().starts_with(['{', '[', '"']) {
            self.json(text, leg)
        } else {
            self.shapeless(text, leg)
        }
    }

    /// A JSON value as it may be recorded.
    #[must_use]
    pub fn value(&self, value: &Value, leg: Leg) -> Value {
        let mut value = value.clone();
        self.walk(&mut value, leg);
        self.unescaped(&mut value, leg);
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
                        Value::Object(parameters) if name.as_str() == "properties" => {
                            changed |= self.walk_parameters(parameters, leg);
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
                        other @ (Value::Object(_) | Value::Array(_))
                            if is_secret_member(name, leg) =>
                        {
                            changed |= self.mask_below(other);
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

    /// Masks every string in the value of a secret member; true when there was one.
    fn mask_below(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) if !text.is_empty() => {
                *text = self.mask(text);
                true
            }
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |changed, item| self.mask_below(item) | changed),
            Value::Object(members) => members
                .values_mut()
                .fold(false, |changed, member| self.mask_below(member) | changed),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }

    /// The properties of something, or of a JSON Schema, where a name stands for what is described.
    fn walk_parameters(&self, parameters: &mut Map<String, Value>, leg: Leg) -> bool {
        let mut changed = false;
        for (name, described) in parameters.iter_mut() {
            changed |= match described {
                Value::Object(members) if is_schema(members) => self.walk(described, leg),
                _ if is_secret_member(name, leg) => self.mask_below(described),
                _ => self.walk(described, leg),
            };
        }
        changed
    }

    /// Text that is no whole JSON: half an answer, HTML, plain words, an answer quoted in a sentence.
    fn shapeless(&self, text: &str, leg: Leg) -> String {
        static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(&format!(r#""({})"\s*:\s*"((?:[^"\\]|\\.)*)"?"#, pattern()))
                .expect("a constant pattern")
        });
        static INPUT: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"value\s*=\s*"([^"]{16,})""#).expect("a constant pattern")
        });
        let text = match plainly(text) {
            Cow::Borrowed(text) => Cow::Borrowed(text),
            // As it came first: a secret may hold a backslash of its own.
            Cow::Owned(_) => Cow::Owned(plainly(&self.text(text)).into_owned()),
        };
        let text = MEMBER.replace_all(&text, |found: &regex::Captures<'_>| {
            let (name, value) = (&found[1], &found[2]);
            // Of a value that is cut off nobody knows how it goes on.
            let whole = found[0].ends_with('"');
            if whole && !is_secret_member(name, leg) && is_word(value) {
                return found[0].to_owned();
            }
            if value.contains('\\')
                && let Ok(plain) = serde_json::from_str::<String>(&format!("\"{value}\""))
            {
                self.remember(&plain);
            }
            format!("\"{name}\":\"{}\"", self.mask(value))
        });
        let text = INPUT.replace_all(&text, |found: &regex::Captures<'_>| {
            format!("value=\"{}\"", self.mask(&found[1]))
        });
        self.text(&text)
    }
}

/// How many quotes stand in the JSON of a value within whose strings there are none.
fn quotes(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(|member| 2 + quotes(member)).sum(),
        Value::Array(items) => items.iter().map(quotes).sum(),
        Value::String(_) => 2,
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Whether a secret stands in a text. For a needle of more than 32 bytes the standard library builds
/// tables before it searches; a shorter one it finds at once.
fn holds(text: &str, secret: &str) -> bool {
    secret.get(..32).is_none_or(|head| text.contains(head)) && text.contains(secret)
}

/// The name that stands for a hidden value: `‹1a2b3c4d›`.
fn mark(value: &str) -> String {
    format!("‹{}›", Fingerprint::of(value.as_bytes()))
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
        text.truncate(text.floor_char_boundary(BODY_LIMIT));
    }
    Body {
        media_type,
        text,
        bytes: bytes as u64,
        cut: too_long,
    }
}
