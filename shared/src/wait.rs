//! How long to pause between two polls, and after failures. Pure.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// How the pauses between two polls grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// The shortest pause.
    pub shortest: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// The part of the time waited so far that a pause lasts between those two: 0.06 is 6%.
    pub share: f64,
    /// How long the service may take to see what it has just made. It reads endpoint configs eventually
    /// consistently.
    pub patience: Duration,
}

impl Default for Pace {
    /// Within the contract's bounds (an end is noticed within 2 s or 10% of the wait, never over 15 s),
    /// with room left for the call itself.
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(1),
            longest: Duration::from_secs(14),
            share: 0.06,
            // It mostly takes a second or two.
            patience: Duration::from_secs(30),
        }
    }
}

impl Pace {
    /// The pause after a poll, by the time waited until then.
    pub fn pause(&self, waited: Duration) -> Duration {
        waited
            .mul_f64(self.share)
            .clamp(self.shortest, self.longest)
    }

    /// The pause after this many failed calls in a row before the last one: from half the shortest, doubling, up to half
    /// the longest, each with a random part of as much again.
    ///
    /// The `seed` decides the random part: processes with different seeds do not repeat their calls in step.
    pub fn backoff(&self, seed: &str, failures: usize) -> Duration {
        let seed = seed.bytes().fold(0, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(self.shortest / 2)
            // The jitter adds up to as much again.
            .with_max_delay(self.longest / 2)
            .with_jitter()
            .with_jitter_seed(seed)
            .without_max_times()
            .build();
        // Long before this the pauses have reached their longest.
        let failures = failures.min(MOST_DOUBLINGS);
        pauses.nth(failures).unwrap_or(self.longest)
    }
}

/// After this many doublings every pause is the longest.
const MOST_DOUBLINGS: usize = 32;

#[cfg(test)]
mod tests;
