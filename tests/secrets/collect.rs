//! Every secret of a run, read off the wire; and the search for them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use hoptrail::lab::wire::Wire;
use regex::Regex;

/// Shorter values open nothing, and would be found in plain words.
const SHORTEST: usize = 12;
/// A leak is a leak when this many bytes of a secret are found in one place.
const WINDOW: usize = 12;

/// Constant beginnings, that give nothing away.
const PREFIXES: [&str; 6] = [
    "sb_publishable_",
    "sb_secret_",
    "sk-ant-lab-",
    "lin_api_",
    "lin_oauth_refresh_",
    "lin_oauth_",
];

/// Hears both directions of every connection to the lab.
#[derive(Debug, Default)]
pub struct Tap(Mutex<BTreeMap<u64, Vec<u8>>>);

impl Tap {
    /// The bearer token that was last sent to a server, by its URL.
    pub fn token_for(&self, server: &str) -> String {
        let port = url::Url::parse(server).unwrap().port().unwrap();
        let streams = self.0.lock().unwrap();
        let bearer = Regex::new(r"(?im)^authorization: *bearer +(\S+)").unwrap();
        let mine = streams
            .iter()
            .filter(|(stream, _)| *stream >> 32 == u64::from(port));
        let texts = mine.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned());
        texts
            .filter_map(|text| bearer.captures_iter(&text).last().map(|c| c[1].to_owned()))
            .last()
            .expect("somebody signed in")
    }
}

impl Wire for Tap {
    fn passed(&self, stream: u64, bytes: &[u8]) {
        let mut streams = self.0.lock().unwrap();
        streams.entry(stream).or_default().extend_from_slice(bytes);
    }
}

/// Secrets by kind, and an index of their parts.
#[derive(Default)]
pub struct Collection {
    secrets: Vec<(&'static str, String)>,
    windows: HashMap<[u8; WINDOW], usize>,
}

/// Header lines, and the kind of their values.
const HEADERS: [(&str, &str); 4] = [
    (
        "bearer",
        r"(?im)^authorization: *(?:bearer +)?([^\s]{12,})\r?$",
    ),
    ("basic", r"(?im)^authorization: *basic +([^\s]{12,})\r?$"),
    ("x-api-key", r"(?im)^x-api-key: *([^\s]+)\r?$"),
    ("apikey", r"(?im)^apikey: *([^\s]+)\r?$"),
];

/// Parameters of URLs and forms.
const PARAMETERS: [&str; 7] = [
    "code",
    "state",
    "code_verifier",
    "refresh_token",
    "subject_token",
    "client_secret",
    "nonce",
];

/// Members of JSON answers.
const MEMBERS: [&str; 5] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "registration_access_token",
];

/// Fields of a page's form that are no secrets.
const OPEN_FIELDS: [&str; 6] = [
    "client_id",
    "person",
    "redirect_uri",
    "response_type",
    "resource",
    "scope",
];

impl From<&Tap> for Collection {
    fn from(tap: &Tap) -> Self {
        let mut all = Self::default();
        let streams = tap.0.lock().unwrap();
        for bytes in streams.values() {
            all.read(&String::from_utf8_lossy(bytes));
        }
        all
    }
}

impl Collection {
    fn read(&mut self, text: &str) {
        for (kind, pattern) in HEADERS {
            self.take(kind, text, &Regex::new(pattern).unwrap());
        }
        let jwt = Regex::new(r"(eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{16,})").unwrap();
        self.take("jwt", text, &jwt);
        for name in PARAMETERS {
            let pattern = format!(r#"[?&\s]{name}=([^&\s"'<>\\]+)"#);
            self.take(name, text, &Regex::new(&pattern).unwrap());
        }
        for name in MEMBERS {
            let pattern = format!(r#""{name}" *: *"([^"]+)""#);
            self.take(name, text, &Regex::new(&pattern).unwrap());
        }
        let cookies = Regex::new(r"(?im)^(?:set-)?cookie: *([^\r\n]+)").unwrap();
        for found in cookies.captures_iter(text) {
            for pair in found[1].split(';') {
                if let Some((name, value)) = pair.trim().split_once('=')
                    && !["Path", "Max-Age", "SameSite", "Expires"].contains(&name)
                {
                    self.add("cookie", value);
                }
            }
        }
        let fields = Regex::new(r#""fields" *: *\{([^}]*)\}"#).unwrap();
        let member = Regex::new(r#""(\w+)" *: *"([^"]*)""#).unwrap();
        for found in fields.captures_iter(text) {
            for pair in member.captures_iter(&found[1]) {
                if !OPEN_FIELDS.contains(&&pair[1]) {
                    self.add("field", &pair[2]);
                }
            }
        }
    }

    fn take(&mut self, kind: &'static str, text: &str, pattern: &Regex) {
        for found in pattern.captures_iter(text) {
            let written = format!("x={}", &found[1]);
            for (_, value) in url::form_urlencoded::parse(written.as_bytes()) {
                self.add(kind, &value);
            }
            self.add(kind, &found[1]);
        }
    }

    /// Adds a secret that is known from elsewhere.
    pub fn add(&mut self, kind: &'static str, value: &str) {
        let value = PREFIXES
            .iter()
            .find_map(|prefix| value.strip_prefix(prefix))
            .unwrap_or(value);
        let known = self
            .secrets
            .iter()
            .any(|(k, v)| (*k, v.as_str()) == (kind, value));
        if value.len() < SHORTEST || known {
            return;
        }
        self.index(value.as_bytes());
        self.secrets.push((kind, value.to_owned()));
    }

    /// Adds a secret that is no text.
    pub fn add_bytes(&mut self, kind: &'static str, value: &[u8]) {
        self.index(value);
        let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(kind, &hex);
    }

    fn index(&mut self, value: &[u8]) {
        let place = self.secrets.len();
        for window in value.windows(WINDOW) {
            let window = window.try_into().unwrap();
            self.windows.entry(window).or_insert(place);
        }
    }

    /// Names each secret, once, of which a part is found.
    pub fn found_in(&self, name: &str, bytes: &[u8]) -> Vec<String> {
        let mut found = BTreeMap::new();
        for (at, window) in bytes.windows(WINDOW).enumerate() {
            if let Some(place) = self.windows.get(window) {
                let around = &bytes[at.saturating_sub(60)..bytes.len().min(at + 30)];
                found
                    .entry(place)
                    .or_insert_with(|| String::from_utf8_lossy(around).into_owned());
            }
        }
        found
            .into_iter()
            .map(|(place, around)| format!("{name}: {}: …{around}…", self.secrets[*place].0))
            .collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.secrets
            .iter()
            .map(|(kind, value)| (*kind, value.as_str()))
    }

    pub fn count(&self, kind: &str) -> usize {
        self.secrets.iter().filter(|(k, _)| *k == kind).count()
    }

    pub fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for (kind, _) in &self.secrets {
            *counts.entry(*kind).or_default() += 1;
        }
        counts
    }
}
