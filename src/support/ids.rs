//! The only place that draws randomness, so that tests can seed it.

use std::{fmt::Debug, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use rand::{
    Rng as _, SeedableRng as _, TryRng as _,
    rngs::{StdRng, SysRng},
};
use uuid::Uuid;

/// Crockford's alphabet: no letter looks like a digit.
const SHORT_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SHORT_LEN: usize = 26;

/// Whether a text has the shape of what [`Ids::short`] makes.
#[must_use]
pub fn is_short(text: &str) -> bool {
    text.len() == SHORT_LEN && text.bytes().all(|byte| SHORT_ALPHABET.contains(&byte))
}

/// Makes identifiers and unguessable values. Cloning shares the source.
#[derive(Clone)]
pub struct Ids(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Ids(system)",
            Source::Seeded(_) => "Ids(seeded)",
        })
    }
}

impl Ids {
    /// The operating system's randomness.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same sequence for the same seed: for tests and for recorded traces only.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(
            seed,
        )))))
    }

    /// Fills `out` with random bytes.
    ///
    /// # Panics
    /// If the operating system has no randomness to give; nothing safe can be done without it.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.0 {
            // Not by way of the cryptographic library: its generator first measures the jitter of the
            // processor in each thread, which takes longer than all the rest of a call.
            Source::System => SysRng
                .try_fill_bytes(out)
                .expect("the operating system gives randomness"),
            Source::Seeded(rng) => rng.lock().fill_bytes(out),
        }
    }

    /// A version 4 UUID.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// `bytes` random bytes in base64url without padding.
    #[must_use]
    pub fn token(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        self.fill(&mut buffer);
        URL_SAFE_NO_PAD.encode(buffer)
    }

    /// A 26 character lower-case identifier, the shape of Keycard's own ids.
    #[must_use]
    pub fn short(&self) -> String {
        let mut bytes = [0; SHORT_LEN];
        self.fill(&mut bytes);
        bytes
            .iter()
            .map(|b| char::from(SHORT_ALPHABET[usize::from(b & 31)]))
            .collect()
    }

    /// A non-zero 64 bit number (a W3C span id must not be zero).
    #[must_use]
    pub fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes).max(1)
    }

    /// A non-zero 128 bit number (a W3C trace id must not be zero).
    #[must_use]
    pub fn u128(&self) -> u128 {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        u128::from_be_bytes(bytes).max(1)
    }
}
