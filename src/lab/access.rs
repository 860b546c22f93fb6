//! The credential of a running lab's console, left for `hoptrail --lab` of the same user.
//!
//! It is in a file that only this user can read, and only while the lab runs; each start makes a
//! new credential, so a file that a crash left behind opens nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    protocol::{oauth::ClientCredential, secret::Secret},
    support::{
        error::{Exit, Failure},
        files,
    },
};

const FILE: &str = "lab-access.toml";

#[derive(Serialize)]
struct Written<'a> {
    zone: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
}

#[derive(Deserialize)]
struct Read {
    zone: String,
    client_id: String,
    client_secret: Secret,
}

/// The file, which goes away with this.
#[derive(Debug)]
pub struct Left(PathBuf);

impl Drop for Left {
    fn drop(&mut self) {
        // What cannot be removed opens nothing once the lab has ended.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes the file into the state directory.
///
/// # Errors
/// If it cannot be written.
pub fn leave(state: &Path, zone: &str, credential: &ClientCredential) -> Result<Left, Failure> {
    let path = state.join(FILE);
    let refuse = |why: String| {
        Failure::new(
            Exit::Usage,
            format!("{} cannot be written", path.display()),
            why,
            "make the state directory writable, or name another one with --state DIR",
        )
    };
    let text = toml::to_string(&Written {
        zone,
        client_id: &credential.client_id,
        client_secret: credential.client_secret.expose(),
    })
    .map(Secret::new)
    .map_err(|_| refuse("the credential does not fit a TOML file".to_owned()))?;
    let written = files::private(&path, &[text.expose().as_bytes()]);
    written.map_err(|e| refuse(e.to_string()))?;
    Ok(Left(path))
}

/// The credential of the lab whose zone is at `zone`, if one of this user's runs there.
///
/// # Errors
/// If there is a file that cannot be read or is damaged.
pub fn find(state: &Path, zone: &str) -> Result<Option<ClientCredential>, Failure> {
    let path = state.join(FILE);
    let refuse = |why: String| {
        Failure::new(
            Exit::Usage,
            format!("{} cannot be used", path.display()),
            why,
            "start the lab again; it writes the file anew",
        )
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(error.to_string())),
    };
    // The reader's own message could quote the line with the secret.
    let read: Read = toml::from_str(text.expose())
        .map_err(|_| refuse("it is not what a lab writes".to_owned()))?;
    let same = read.zone.trim_end_matches('/') == zone.trim_end_matches('/');
    Ok(same.then_some(ClientCredential {
        client_id: read.client_id,
        client_secret: read.client_secret,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: &str = "http://127.0.0.1:8100";

    fn credential() -> ClientCredential {
        ClientCredential {
            client_id: "console".to_owned(),
            client_secret: Secret::from("hush"),
        }
    }

    #[test]
    fn what_a_lab_leaves_is_found_while_it_runs() {
        let dir = tempfile::tempdir().unwrap();
        let left = leave(dir.path(), ZONE, &credential()).unwrap();
        let found = find(dir.path(), "http://127.0.0.1:8100/").unwrap().unwrap();
        assert_eq!(found.client_id, "console");
        assert_eq!(found.client_secret.expose(), "hush");
        assert!(find(dir.path(), "http://127.0.0.1:1").unwrap().is_none());
        drop(left);
        assert!(find(dir.path(), ZONE).unwrap().is_none());
    }

    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let _left = leave(dir.path(), ZONE, &credential()).unwrap();
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_named_and_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "client_secret = hush").unwrap();
        let failure = find(dir.path(), ZONE).unwrap_err();
        assert!(failure.what.contains(FILE));
        assert!(!failure.to_string().contains("hush"));
    }
}
