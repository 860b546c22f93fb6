//! What a run of a test or of a benchmark is told: all but its target and its state is the same.

use std::path::Path;

use hoptrail::{
    runtime::{Consent, LabStart, Options, TargetChoice},
    support::{clock::SystemClock, ids::Ids},
};

/// A run without a browser and without a recording.
pub fn options(target: TargetChoice, state: &Path) -> Options {
    Options {
        target,
        consent: Consent::Headless(None),
        record: None,
        otlp: None,
        state: state.to_path_buf(),
        assume_pkce: Vec::new(),
        console: None,
        lab: LabStart::default(),
        clock: SystemClock::shared(),
        ids: Ids::system(),
    }
}
