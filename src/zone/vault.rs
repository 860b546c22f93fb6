//! Secrets at rest: AES-256-GCM under a key that lies beside the database, readable by its owner
//! alone. Whoever has only the database has nothing.

use std::{fmt, fs, io::ErrorKind, path::Path, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    protocol::secret::Secret,
    support::{
        cause::remedy,
        digest::sha256,
        error::{Exit, Failure},
        files,
        ids::{Ids, is_short},
    },
};

/// The master key's file in the state directory.
pub const KEY_FILE: &str = "zone.key";

/// Whether a file of this name is the key, or one that a kill left half made.
#[must_use]
pub fn is_key(name: &str) -> bool {
    name.strip_prefix(KEY_FILE)
        .is_some_and(|end| end.is_empty() || end.strip_prefix('.').is_some_and(is_short))
}

const KEY_LEN: usize = 32;

/// Seals and opens secrets. Cloning shares the key.
#[derive(Clone)]
pub struct Vault {
    key: Arc<LessSafeKey>,
    ids: Ids,
}

/// A sealed secret: nonce and ciphertext in base64url. Safe to store, useless without the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

/// What a sealed secret belongs to. It is bound into the ciphertext, so that a row's secret cannot
/// be moved to another row.
#[derive(Debug, Clone, Copy)]
pub struct Belongs<'a> {
    /// The kind of row and the field in it: `secrets.token`.
    pub to: &'a str,
    /// The row's id.
    pub id: &'a str,
}

/// A random secret's SHA-256. The secrets that are stored so (client secrets, codes, refresh
/// tokens) have 256 random bits, so nobody can search for them and a slow hash would protect nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash of `secret`.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self(URL_SAFE_NO_PAD.encode(sha256(secret.expose().as_bytes())))
    }

    /// Whether `secret` is the one that was hashed, in constant time.
    #[must_use]
    pub fn matches(&self, secret: &Secret) -> bool {
        let other = Self::of(secret);
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }

    /// The hash as a table key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Opens the vault of a state directory, making its key at first; `None` keeps a key in memory.
    ///
    /// # Errors
    /// If the key cannot be read or written, or has another length than a key has.
    pub fn open(state: Option<&Path>, ids: Ids) -> Result<Self, Failure> {
        let bytes = match state {
            Some(dir) => key_file(dir, &ids)?,
            None => fresh_key(&ids),
        };
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| damaged_key(state))?;
        Ok(Self {
            key: Arc::new(LessSafeKey::new(key)),
            ids,
        })
    }

    /// The vault of a state directory that has one; nothing is made.
    ///
    /// # Errors
    /// If the key cannot be read, or has another length than a key has.
    pub fn of(dir: &Path, ids: Ids) -> Result<Option<Self>, Failure> {
        let Some(bytes) = read_key(dir, &dir.join(KEY_FILE))? else {
            return Ok(None);
        };
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| damaged_key(Some(dir)))?;
        Ok(Some(Self {
            key: Arc::new(LessSafeKey::new(key)),
            ids,
        }))
    }

    /// Seals a secret for the row it belongs to.
    ///
    /// # Panics
    /// Never for secrets that fit into memory: AES-GCM's limit is 64 GiB.
    #[must_use]
    pub fn seal<T: Zeroize + AsRef<[u8]>>(
        &self,
        secret: &Secret<T>,
        belongs: Belongs<'_>,
    ) -> Sealed {
        // A random 96 bit nonce is sound here: a zone seals a few secrets per sign-in, far from
        // the 2^32 messages per key that NIST SP 800-38D allows.
        let mut nonce = [0; NONCE_LEN];
        self.ids.fill(&mut nonce);
        let mut sealed = secret.expose().as_ref().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                belongs.aad(),
                &mut sealed,
            )
            .expect("a secret is shorter than 64 GiB");
        let mut out = nonce.to_vec();
        out.extend_from_slice(&sealed);
        Sealed(URL_SAFE_NO_PAD.encode(out))
    }

    /// Opens a sealed secret that is text.
    ///
    /// # Errors
    /// If it was sealed under another key, for another row, was changed, or is no text.
    pub fn unseal(&self, sealed: &Sealed, belongs: Belongs<'_>) -> Result<Secret, Failure> {
        let bytes = self.unseal_bytes(sealed, belongs)?;
        std::str::from_utf8(bytes.expose())
            .map(Secret::from)
            .map_err(|_| damaged_secret())
    }

    /// Opens a sealed secret.
    ///
    /// # Errors
    /// If it was sealed under another key, for another row, or was changed.
    pub fn unseal_bytes(
        &self,
        sealed: &Sealed,
        belongs: Belongs<'_>,
    ) -> Result<Secret<Vec<u8>>, Failure> {
        let bytes = URL_SAFE_NO_PAD
            .decode(&sealed.0)
            .map_err(|_| damaged_secret())?;
        let (nonce, ciphertext) = bytes
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(damaged_secret)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        self.key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                belongs.aad(),
                &mut buffer,
            )
            .map(|plain| Secret::new(plain.to_vec()))
            .map_err(|_| damaged_secret())
    }
}

fn damaged_secret() -> Failure {
    Failure::new(
        Exit::Failed,
        "A stored secret could not be opened",
        format!("the key in {KEY_FILE} does not fit what is stored for it"),
        "restore the key file that belongs to this state, or start afresh with `hoptrail lab --reset`",
    )
}

impl Belongs<'_> {
    fn aad(self) -> Aad<Vec<u8>> {
        let mut bytes = self.to.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(self.id.as_bytes());
        Aad::from(bytes)
    }
}

fn fresh_key(ids: &Ids) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; KEY_LEN]);
    ids.fill(&mut bytes);
    bytes
}

fn key_file(dir: &Path, ids: &Ids) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let path = dir.join(KEY_FILE);
    if let Some(key) = read_key(dir, &path)? {
        return Ok(key);
    }
    if dir.join(super::store::DATABASE_FILE).exists() {
        return Err(Failure::new(
            Exit::Usage,
            format!("The zone's key {} is missing", path.display()),
            "the database beside it was sealed with that key",
            "put the key file back, or start afresh with `hoptrail lab --reset`",
        ));
    }
    make_state_dir(dir)?;
    let bytes = fresh_key(ids);
    // Written whole before it has its name, so that a kill leaves no half key; and linked, not
    // renamed, so that of two first starts at once both use the key of the faster.
    let draft = dir.join(format!("{KEY_FILE}.{}", ids.short()));
    let made = files::private(&draft, &[&bytes]).and_then(|()| fs::hard_link(&draft, &path));
    let removed = fs::remove_file(&draft);
    match made {
        Ok(()) => removed
            .and_then(|()| fs::File::open(dir)?.sync_all())
            .map(|()| bytes)
            .map_err(|error| unusable(dir, &error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read_key(dir, &path)?.ok_or_else(|| unusable(dir, &error))
        }
        Err(error) => Err(unusable(dir, &error)),
    }
}

fn read_key(dir: &Path, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    match fs::read(path).map(Zeroizing::new) {
        Ok(bytes) if bytes.len() == KEY_LEN => Ok(Some(bytes)),
        Ok(_) => Err(damaged_key(Some(dir))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(dir, &error)),
    }
}

/// Makes the state directory, for its owner alone.
pub(super) fn make_state_dir(dir: &Path) -> Result<(), Failure> {
    files::private_folder(dir).map_err(|error| unusable(dir, &error))
}

/// A state directory that cannot be used, and what helps.
pub(super) fn unusable(dir: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("The zone cannot keep its state in {}", dir.display()),
        error.to_string(),
        remedy(
            error,
            "make the folder writable, or name another with --state DIR",
        ),
    )
}

fn damaged_key(dir: Option<&Path>) -> Failure {
    let place = dir.map_or_else(
        || KEY_FILE.to_owned(),
        |d| d.join(KEY_FILE).display().to_string(),
    );
    Failure::new(
        Exit::Usage,
        format!("The zone's key {place} is damaged"),
        format!("it should be {KEY_LEN} bytes long"),
        "restore it, or start afresh with `hoptrail lab --reset`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Belongs<'_> = Belongs {
        to: "secrets.token",
        id: "one",
    };

    #[test]
    fn what_was_sealed_for_one_row_opens_for_that_row_only() {
        let vault = Vault::open(None, Ids::seeded(1)).unwrap();
        let sealed = vault.seal(&Secret::from("sb_secret_x"), ROW);
        assert_eq!(vault.unseal(&sealed, ROW).unwrap().expose(), "sb_secret_x");
        assert!(vault.unseal(&sealed, Belongs { id: "two", ..ROW }).is_err());
        let other = Vault::open(None, Ids::seeded(2)).unwrap();
        assert!(other.unseal(&sealed, ROW).is_err());
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let first = Vault::open(Some(dir.path()), Ids::system()).unwrap();
        let sealed = first.seal(&Secret::from("x"), ROW);
        let second = Vault::open(Some(dir.path()), Ids::system()).unwrap();
        assert_eq!(second.unseal(&sealed, ROW).unwrap().expose(), "x");
        let mode = fs::metadata(dir.path().join(KEY_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_hash_knows_its_secret() {
        let hash = SecretHash::of(&Secret::from("a"));
        assert!(hash.matches(&Secret::from("a")));
        assert!(!hash.matches(&Secret::from("b")));
    }
}
