//! The account's rate limit.

use std::time::Duration;

/// A token bucket that holds one second's worth of calls, and at least one.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: f64,
    tokens: f64,
    filled: Duration,
}

impl RateLimit {
    /// A full bucket. `per_second` calls pass each second in the long run.
    pub(crate) fn new(per_second: f64) -> Self {
        Self {
            per_second,
            tokens: per_second.max(1.0),
            filled: Duration::ZERO,
        }
    }

    /// Whether a call may pass now; counts it if so. `now` must not run backwards.
    pub(crate) fn admit(&mut self, now: Duration) -> bool {
        let gained = now.saturating_sub(self.filled).as_secs_f64() * self.per_second;
        self.filled = now;
        self.tokens = (self.tokens + gained).min(self.per_second.max(1.0));
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limit: &mut RateLimit, calls: usize, now: Duration) -> usize {
        (0..calls).filter(|_| limit.admit(now)).count()
    }

    #[test]
    fn a_burst_of_one_second_passes_and_then_the_rate_holds() {
        let mut limit = RateLimit::new(4.0);
        assert_eq!(admitted(&mut limit, 10, Duration::ZERO), 4);
        assert_eq!(admitted(&mut limit, 10, Duration::from_millis(500)), 2);
        assert_eq!(admitted(&mut limit, 10, Duration::from_mins(1)), 4);
    }

    #[test]
    fn less_than_one_call_a_second_still_lets_one_pass() {
        let mut limit = RateLimit::new(0.5);
        assert_eq!(admitted(&mut limit, 3, Duration::ZERO), 1);
        assert_eq!(admitted(&mut limit, 3, Duration::from_secs(1)), 0);
        assert_eq!(admitted(&mut limit, 3, Duration::from_secs(2)), 1);
    }
}
