//! The secrets that were seen, so that each is found again wherever it is echoed.

use std::collections::VecDeque;

use crate::protocol::secret::Secret;

/// Values shorter than this are not searched for elsewhere: they would be found in plain words.
pub(super) const SHORTEST: usize = 12;
/// How many passing ones are remembered; a sign-in makes a dozen.
const MOST: usize = 512;

/// What is known to be secret.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the run is configured with. It is used rarely and stays good for all of the run.
    pinned: Vec<Secret>,
    /// Tokens, codes and the like, the one that was seen last at the end.
    passing: VecDeque<Secret>,
}

impl Known {
    /// Remembers a secret until many others were seen since.
    pub(super) fn remember(&mut self, secret: &str) {
        if secret.len() < SHORTEST || is_among(&self.pinned, secret) {
            return;
        }
        let seen = self.passing.iter().rposition(|one| one.expose() == secret);
        let known = seen.and_then(|at| self.passing.remove(at));
        if self.passing.len() == MOST {
            self.passing.pop_front();
        }
        self.passing
            .push_back(known.unwrap_or_else(|| Secret::from(secret)));
    }

    /// Remembers a secret for good.
    pub(super) fn pin(&mut self, secret: &str) {
        if secret.len() >= SHORTEST && !is_among(&self.pinned, secret) {
            self.passing.retain(|one| one.expose() != secret);
            self.pinned.push(Secret::from(secret));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.pinned.iter().chain(&self.passing)
    }
}

fn is_among(secrets: &[Secret], secret: &str) -> bool {
    secrets.iter().any(|one| one.expose() == secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows(known: &Known, secret: &str) -> bool {
        known.iter().any(|one| one.expose() == secret)
    }

    #[test]
    fn what_is_seen_again_outlives_what_is_not_and_what_is_pinned_outlives_all() {
        let mut known = Known::default();
        known.remember("the-key-of-the-env-file");
        known.pin("the-key-of-the-env-file");
        known.remember("seen-once-and-never-again");
        known.remember("seen-again-and-again");
        for number in 0..MOST {
            known.remember(&format!("a-passing-token-{number}"));
            known.remember("seen-again-and-again");
        }
        assert!(knows(&known, "the-key-of-the-env-file"));
        assert!(knows(&known, "seen-again-and-again"));
        assert!(!knows(&known, "seen-once-and-never-again"));
        assert_eq!(known.iter().count(), MOST + 1);
    }
}
