//! The `.env` that the server uses: the lab's, or the one in a project's folder.

use std::path::{Path, PathBuf};

use crate::{
    chapters::Reading,
    protocol::{
        basic,
        env::{EnvFile, EnvKind, EnvLine, classify},
        secret::Secret,
    },
    support::{files, text::one_line},
};

/// Longer files are no `.env`.
const LONGEST: u64 = 1024 * 1024;

/// Where the `.env` is.
#[derive(Debug, Clone)]
pub enum EnvAt {
    /// Nobody said where.
    Nowhere,
    /// The lab's own, which is no file.
    Text(Secret),
    File(PathBuf),
}

impl EnvAt {
    /// The `.env` of a project: beside its package, wherever in the clone somebody stands.
    #[must_use]
    pub fn of(project: &Path) -> Self {
        Self::File(root(project).join(".env"))
    }
}

/// The folder that an attendee edits: `support-escalation/`, also when the whole clone was named.
#[must_use]
pub fn root(project: &Path) -> PathBuf {
    let inner = project.join("support-escalation");
    let here = project.join("package.json").is_file() || project.join(".env").is_file();
    if !here && inner.is_dir() {
        inner
    } else {
        project.to_owned()
    }
}

/// Reads it as it may be shown.
pub(in crate::runtime) fn read(at: &EnvAt) -> Reading<Vec<EnvLine>> {
    open(at).map(|file| {
        let entries = file.entries.iter();
        entries
            .map(|entry| classify(&entry.name, &entry.value))
            .collect()
    })
}

/// Reads it with its values, for those who need one.
pub(super) fn open(at: &EnvAt) -> Reading<EnvFile> {
    let (text, name) = match at {
        EnvAt::Nowhere => {
            return Reading::Unavailable {
                look_at: "the .env of your server; --project DIR lets hoptrail read it".to_owned(),
            };
        }
        EnvAt::Text(text) => (text.clone(), "the lab's .env".to_owned()),
        EnvAt::File(path) => {
            let name = one_line(&path.display().to_string());
            match load(path) {
                Ok(text) => (text, name),
                Err(why) => return super::failed(format!("{name} cannot be read: {why}")),
            }
        }
    };
    match EnvFile::parse(text.expose()) {
        Ok(file) => Reading::Told(file),
        Err(remarks) => {
            let places: Vec<String> = remarks.iter().map(ToString::to_string).collect();
            super::failed(format!("{name} is no .env: {}", places.join("; ")))
        }
    }
}

/// What of it opens something, so that it is hidden wherever a server repeats it: its secrets, and the
/// client's as HTTP Basic carries it, in either way. Lines that cannot be read are passed by.
pub(in crate::runtime) fn secrets(at: &EnvAt) -> Vec<Secret> {
    let text = match at {
        EnvAt::Nowhere => return Vec::new(),
        EnvAt::Text(text) => Ok(text.clone()),
        EnvAt::File(path) => load(path),
    };
    // Why it cannot be read is told by who looks at it.
    let Ok(text) = text else { return Vec::new() };
    let (file, _) = EnvFile::readable(text.expose());
    let mut secrets: Vec<Secret> = file
        .entries
        .iter()
        .filter(|entry| classify(&entry.name, &entry.value).kind == EnvKind::Secret)
        .map(|entry| entry.value.clone())
        .collect();
    let client = ["KEYCARD_CLIENT_ID", "KEYCARD_CLIENT_SECRET"].map(|name| value(&file, name));
    if let [Some(id), Some(secret)] = client {
        let forms = [basic::encoded, basic::plain];
        secrets.extend(forms.map(|form| form(id.expose(), &secret)));
    }
    secrets
}

fn load(path: &Path) -> Result<Secret, String> {
    // To open a pipe would be to wait for whoever writes into it.
    if path.exists() && !path.is_file() {
        return Err("it is no file".to_owned());
    }
    let text = files::text(path, LONGEST).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    });
    text.map(Secret::new)
}

/// The values of variables that are no secrets, in the order of `names`; a secret is not told, as if
/// it were not set.
#[must_use]
pub fn named(at: &EnvAt, names: &[&str]) -> Reading<Vec<Option<String>>> {
    let value = |lines: &[EnvLine], name: &str| {
        let line = lines.iter().find(|line| line.name == name && line.set)?;
        line.value.clone()
    };
    read(at).map(|lines| names.iter().map(|name| value(&lines, name)).collect())
}

/// A variable that is set, of a file that can be read.
pub(super) fn value(file: &EnvFile, name: &str) -> Option<Secret> {
    file.get(name)
        .filter(|value| !value.expose().is_empty())
        .cloned()
}
