//! Percentiles of durations.

/// Durations in microseconds.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<u64>);

impl Sample {
    pub fn add(&mut self, micros: u64) {
        self.0.push(micros);
    }

    pub fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Without the first ones.
    pub fn after(mut self, warm_up: usize) -> Self {
        self.0.drain(..warm_up.min(self.0.len()));
        self
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The duration that `percent` of a hundred are not above, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "durations of a bench are short")]
    pub fn millis(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = (sorted.len() * percent / 100).min(last);
        sorted
            .get(at)
            .map_or(f64::NAN, |micros| *micros as f64 / 1_000.0)
    }
}
