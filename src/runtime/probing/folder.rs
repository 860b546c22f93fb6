//! What a folder shows: keys that lie in its files, and how far the code has come.
//!
//! Reads and never writes. A key that was found is told by its kind and its place only.

mod code;

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::bytes::Regex;

use crate::{
    chapters::{
        Reading,
        expect::Service,
        probe::{Folder, FoundSecret},
    },
    support::text::one_line,
};

use self::code::without_comments;
use super::env::root;

/// Folders that are not the attendee's own work.
const SKIPPED: &[&str] = &["node_modules", ".git", "_recovery", "target"];
/// Files that are longer are no source; a key in one is not found, and of a text that is said.
const LONGEST: u64 = 4 * 1024 * 1024;
/// The bytes by which a long text is told from a database or a picture.
const HEAD: u64 = 8 * 1024;
/// More files than a workshop has. A folder with more is not read to its end, and that is said.
const MOST_FILES: usize = 5_000;
const DEEPEST: usize = 12;

/// A key's beginning, and enough of the rest that an example in a comment is none.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u:\b)(sb_secret_|sk-ant-|lin_api_|lin_oauth_)[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{10,}\.(eyJ[A-Za-z0-9_-]{10,})\.[A-Za-z0-9_-]{20,}")
        .expect("a constant pattern")
});

/// Reads it off the async threads.
pub(super) async fn read(folder: Option<PathBuf>) -> Reading<Folder> {
    let Some(folder) = folder else {
        return Reading::Unavailable {
            look_at: "the files of your project; --project DIR lets hoptrail read them".to_owned(),
        };
    };
    tokio::task::spawn_blocking(move || look(&folder))
        .await
        .unwrap_or_else(|_| super::failed("the project's folder could not be read"))
}

/// Reads a folder.
#[must_use]
pub fn look(folder: &Path) -> Reading<Folder> {
    let folder = root(folder);
    let mut files = Files::default();
    if let Err(error) = gather(&folder, DEEPEST, &mut files) {
        let name = one_line(&folder.display().to_string());
        return super::failed(format!("{name} cannot be read: {error}"));
    }
    if files.short.len() + files.long.len() > MOST_FILES {
        let name = one_line(&folder.display().to_string());
        return super::failed(format!(
            "{name} has more than {MOST_FILES} files, and was not looked through"
        ));
    }
    let shown = |path: &Path| {
        let shown = path.strip_prefix(&folder).unwrap_or(path);
        one_line(&shown.display().to_string())
    };
    files.short.sort();
    files.long.sort();
    let secrets = files
        .short
        .iter()
        .flat_map(|path| {
            // A file that went away meanwhile, or that only its owner reads, holds nothing for us.
            let bytes = fs::read(path).unwrap_or_default();
            found(&shown(path), &bytes)
        })
        .collect();
    let unread = files.long.iter().filter(|path| is_text(path));
    Reading::Told(Folder {
        secrets,
        reached: reached(&folder),
        unread: unread.map(|path| shown(path)).collect(),
    })
}

/// The files of a folder that are somebody's own work; none where it cannot be read.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Files::default();
    let _ = gather(folder, DEEPEST, &mut files);
    files.short
}

/// The files of a folder: those that are read, and those that are too long for it.
#[derive(Debug, Default)]
struct Files {
    short: Vec<PathBuf>,
    long: Vec<PathBuf>,
}

/// Whether a file begins like a text; what cannot be read is none.
fn is_text(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && !head.contains(&0)
}

fn gather(folder: &Path, depth: usize, files: &mut Files) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let skipped = SKIPPED.iter().any(|skipped| name == *skipped);
        // Links are not followed: they lead out of the project.
        if kind.is_dir() && !skipped && depth > 0 {
            // A folder that may not be entered is not the attendee's.
            let _ = gather(&entry.path(), depth - 1, files);
        } else if kind.is_file() {
            match entry.metadata() {
                Ok(known) if known.len() <= LONGEST => files.short.push(entry.path()),
                Ok(_) => files.long.push(entry.path()),
                // It went away meanwhile.
                Err(_) => {}
            }
        }
        if files.short.len() + files.long.len() > MOST_FILES {
            break;
        }
    }
    Ok(())
}

/// The keys in one file.
fn found(file: &str, bytes: &[u8]) -> Vec<FoundSecret> {
    KEY.captures_iter(bytes)
        .filter_map(|key| {
            let whole = key.get(0)?;
            let opens = match key.get(1).map(|head| head.as_bytes()) {
                Some(b"sb_secret_") => Service::Supabase,
                Some(b"sk-ant-") => Service::Anthropic,
                Some(_) => Service::Linear,
                None => legacy_supabase(key.get(2)?.as_bytes()).then_some(Service::Supabase)?,
            };
            // Nobody's key is without a digit; `sb_secret_your_key_goes_here` is.
            whole.as_bytes().iter().any(u8::is_ascii_digit).then(|| {
                let before = bytes[..whole.start()].split(|byte| *byte == b'\n');
                FoundSecret {
                    file: file.to_owned(),
                    line: before.count(),
                    opens,
                }
            })
        })
        .collect()
}

/// Supabase's older keys are JWTs that say so.
fn legacy_supabase(payload: &[u8]) -> bool {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD
        .decode(payload)
        .ok()
        .and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok())
        .is_some_and(|claims| claims["iss"] == "supabase" && claims["role"] == "service_role")
}

/// A file of the project's code, without its comments.
struct Source {
    /// Below the project's folder.
    file: String,
    code: String,
}

/// The file of this name in `src`; the workshop's are TypeScript, and some people write without.
fn source(folder: &Path, name: &str) -> Option<Source> {
    let mut files = ["ts", "mts", "js", "mjs"]
        .map(|ending| format!("src/{name}.{ending}"))
        .into_iter();
    files.find_map(|file| {
        let text = fs::read_to_string(folder.join(&file)).ok()?;
        let code = without_comments(&text);
        (!code.trim().is_empty()).then_some(Source { file, code })
    })
}

/// How far the code has come (facts/keycard.md, 1.1): each sign with the chapter that puts it there.
/// Chapters 1, 3 and 7 leave the code as it is.
fn reached(folder: &Path) -> Vec<(u8, String)> {
    let package = fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    if package.is_empty() {
        return Vec::new();
    }
    let with = |name: &str, word: &str| {
        let source = source(folder, name)?;
        source.code.contains(word).then_some(source.file)
    };
    let mut signs = Vec::new();
    if !package.contains("@keycardai/mcp") {
        signs.push((0, "package.json has no @keycardai/mcp".to_owned()));
    } else if let Some(file) = with("server", "requireBearerAuth") {
        signs.push((2, format!("{file} uses requireBearerAuth")));
    }
    if let Some(file) = with("keycard", "AuthProvider") {
        signs.push((4, format!("{file} has an AuthProvider")));
    }
    if let Some(source) = source(folder, "pii") {
        signs.push((5, format!("{} is there", source.file)));
    }
    if let Some(source) = source(folder, "linear")
        && !source.code.contains("LINEAR_API_KEY")
        && source.code.contains("LINEAR_API_URL")
    {
        let file = source.file;
        signs.push((6, format!("{file} exchanges, and reads no LINEAR_API_KEY")));
    }
    signs
}
