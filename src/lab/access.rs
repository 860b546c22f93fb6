//! The credential of a running lab's console, left for `hoptrail --lab` of the same user.
//!
//! It is in a file that only this user can read, sealed with the key of the zone's vault beside it,
//! and only while the lab runs; each start makes a new credential, so a file that a crash left
//! behind opens nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    protocol::oauth::ClientCredential,
    support::{
        error::{Exit, Failure},
        files,
        ids::Ids,
    },
    zone::vault::{Belongs, KEY_FILE, Sealed, Vault},
};

pub(super) const FILE: &str = "lab-access.toml";

#[derive(Serialize, Deserialize)]
struct Written {
    zone: String,
    client_id: String,
    /// Sealed for [`of_zone`].
    client_secret: Sealed,
}

/// What the secret is sealed for: it cannot be made to pass for that of another zone.
const fn of_zone(zone: &str) -> Belongs<'_> {
    Belongs {
        to: "lab_access.client_secret",
        id: zone,
    }
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

/// Writes the file into the state directory of a lab that runs.
///
/// # Errors
/// If it cannot be written, or there is no vault.
pub fn leave(
    state: &Path,
    zone: &str,
    credential: &ClientCredential,
    ids: Ids,
) -> Result<Left, Failure> {
    let path = state.join(FILE);
    let refuse = |why: String| {
        Failure::new(
            Exit::Usage,
            format!("{} cannot be written", path.display()),
            why,
            "make the state directory writable, or name another one with --state DIR",
        )
    };
    let vault = Vault::of(state, ids)?.ok_or_else(|| refuse(no_key()))?;
    let text = toml::to_string(&Written {
        zone: zone.to_owned(),
        client_id: credential.client_id.clone(),
        client_secret: vault.seal(&credential.client_secret, of_zone(zone)),
    })
    .map_err(|_| refuse("the credential does not fit a TOML file".to_owned()))?;
    let written = files::private(&path, &[text.as_bytes()]);
    written.map_err(|e| refuse(e.to_string()))?;
    Ok(Left(path))
}

/// The credential of the lab whose zone is at `zone`, if one of this user's runs there.
///
/// # Errors
/// If there is a file that cannot be read, is damaged, or was sealed with another key.
pub fn find(state: &Path, zone: &str, ids: Ids) -> Result<Option<ClientCredential>, Failure> {
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
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(error.to_string())),
    };
    // The reader's own message could quote the line with the secret.
    let read: Written =
        toml::from_str(&text).map_err(|_| refuse("it is not what a lab writes".to_owned()))?;
    if read.zone.trim_end_matches('/') != zone.trim_end_matches('/') {
        return Ok(None);
    }
    let vault = Vault::of(state, ids)?.ok_or_else(|| refuse(no_key()))?;
    let secret = vault.unseal(&read.client_secret, of_zone(&read.zone));
    Ok(Some(ClientCredential {
        client_id: read.client_id,
        client_secret: secret.map_err(|failure| refuse(failure.why))?,
    }))
}

fn no_key() -> String {
    format!("the key of the zone's vault, {KEY_FILE}, is not beside it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::secret::Secret;

    const ZONE: &str = "http://127.0.0.1:8100";

    fn credential() -> ClientCredential {
        ClientCredential {
            client_id: "console".to_owned(),
            client_secret: Secret::from("hush"),
        }
    }

    /// A state directory with a vault's key.
    fn state() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        Vault::open(Some(dir.path()), Ids::system()).unwrap();
        dir
    }

    fn look(dir: &Path, zone: &str) -> Result<Option<ClientCredential>, Failure> {
        find(dir, zone, Ids::system())
    }

    #[test]
    fn what_a_lab_leaves_is_found_while_it_runs() {
        let dir = state();
        let left = leave(dir.path(), ZONE, &credential(), Ids::system()).unwrap();
        let found = look(dir.path(), "http://127.0.0.1:8100/").unwrap().unwrap();
        assert_eq!(found.client_id, "console");
        assert_eq!(found.client_secret.expose(), "hush");
        assert!(look(dir.path(), "http://127.0.0.1:1").unwrap().is_none());
        drop(left);
        assert!(look(dir.path(), ZONE).unwrap().is_none());
    }

    #[test]
    fn the_secret_is_sealed_for_its_zone_with_the_key_beside_it() {
        let dir = state();
        let _left = leave(dir.path(), ZONE, &credential(), Ids::system()).unwrap();
        let path = dir.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("hush"), "{text}");
        fs::write(&path, text.replace("8100", "8101")).unwrap();
        let moved = look(dir.path(), "http://127.0.0.1:8101").unwrap_err();
        assert!(moved.why.contains(KEY_FILE), "{moved}");
        fs::write(&path, text).unwrap();
        fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
        let lost = look(dir.path(), ZONE).unwrap_err();
        assert!(lost.why.contains(KEY_FILE), "{lost}");
        assert!(!dir.path().join(KEY_FILE).exists(), "looking makes no key");
    }

    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = state();
        let _left = leave(dir.path(), ZONE, &credential(), Ids::system()).unwrap();
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_named_and_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "client_secret = hush").unwrap();
        let failure = look(dir.path(), ZONE).unwrap_err();
        assert!(failure.what.contains(FILE));
        assert!(!failure.to_string().contains("hush"));
    }
}
