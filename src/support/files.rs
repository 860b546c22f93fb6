//! Text files that people name: read no further than such a file ever goes, for a name may as well
//! be a device's. And files that are nobody else's.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// The text of a file of at most so many bytes.
///
/// # Errors
/// If it cannot be read, is longer ([`io::ErrorKind::FileTooLarge`]), or is no UTF-8
/// ([`io::ErrorKind::InvalidData`]).
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let why = format!("it has more than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    String::from_utf8(bytes).map_err(|error| {
        let why = match foreign(error.as_bytes()) {
            Some(what) => format!("it is {what}, not plain UTF-8"),
            None => "it is not UTF-8".to_owned(),
        };
        io::Error::new(io::ErrorKind::InvalidData, why)
    })
}

/// Makes a folder for this user only, and those above it; one that is there is left as it is.
///
/// # Errors
/// If it cannot be made.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            io::Error::new(io::ErrorKind::NotADirectory, "it is a file and no folder")
        }
        _ => error,
    })
}

/// Writes beside a file and renames, so that neither a reader nor the next start finds half of it.
/// The disk is not waited for, as whoever draws the screen calls this, too: a power cut may take back
/// the last change, a kill cannot.
///
/// # Errors
/// If it cannot be written; then the file is what it was, and nothing stays beside it.
pub fn replace(path: &Path, mode: u32, parts: &[&[u8]]) -> io::Result<()> {
    let mut beside = path.to_path_buf().into_os_string();
    beside.push(".new");
    let beside = Path::new(&beside);
    anew(beside, mode, parts)
        .and_then(|_| fs::rename(beside, path))
        .inspect_err(|_| {
            // What was written of it has no use; that it cannot be removed says no more.
            let _ = fs::remove_file(beside);
        })
}

/// Makes a file that only this user can read, in the place of whatever lies there; it is on the disk then.
///
/// # Errors
/// If it cannot be made or written.
pub fn private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    anew(path, 0o600, parts)?.sync_all()
}

/// Makes a file with a mode, of which the process's mask takes away. What lies at its path, from a
/// start that was cut off or from anybody, is taken away and not written through: it may be a link, or
/// a file that others read.
///
/// # Errors
/// If it cannot be made or written.
fn anew(path: &Path, mode: u32, parts: &[&[u8]]) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    Ok(file)
}

/// What a file is that begins so, if it is a known thing other than plain UTF-8.
#[must_use]
pub const fn foreign(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Some("UTF-8 with a byte order mark"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 1..=0xFF, ..] | [1..=0xFF, 0, ..] => {
            Some("UTF-16")
        }
        [0x1F, 0x8B, ..] => Some("compressed with gzip"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("state/deep");
        private_folder(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(folder.parent().unwrap()), 0o700);

        let file = folder.join("notes.toml");
        replace(&file, 0o600, &[b"one", b"\n"]).unwrap();
        replace(&file, 0o600, &[b"two\n"]).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two\n");
        assert_eq!(mode(&file), 0o600);
        // A folder cannot be replaced by a file.
        let taken = folder.join("taken");
        fs::create_dir(&taken).unwrap();
        replace(&taken, 0o600, &[b"three"]).unwrap_err();
        let names = fs::read_dir(&folder).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["notes.toml", "taken"]);
    }

    #[test]
    fn a_file_is_read_up_to_its_bound_and_named_for_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for (bytes, said) in [
            (b"A=1\n".as_slice(), Ok("A=1\n")),
            (b"A=123\n", Err("it has more than 5 bytes")),
            (b"A=\xe9\n", Err("it is not UTF-8")),
            (b"\xff\xfeA\0", Err("it is UTF-16, not plain UTF-8")),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let read = text(&path, 5).map_err(|error| error.to_string());
            assert_eq!(read.as_deref().map_err(String::as_str), said);
        }
        #[cfg(target_os = "linux")]
        assert_eq!(
            text(Path::new("/dev/zero"), 5).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
    }
}
