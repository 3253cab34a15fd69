//! Time, as the engine knows it: it is told the present and never asks for it.

use std::ops::Add;
use std::time::Duration;

use aws_sdk_sagemaker::primitives::DateTime;

/// A point in time, as the time since the Unix epoch.
///
/// Processes compare their moments through checkpoints, and with the service's own times. So it is the wall clock's
/// time, to the second or so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// The moment that lies this long after the Unix epoch.
    pub const fn since_epoch(time: Duration) -> Self {
        Self(time)
    }

    /// Whole seconds since the Unix epoch.
    pub const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }

    /// How long after an earlier moment this one is; zero if it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment that lies this much earlier.
    #[must_use]
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }

    /// How long after a time of the service this moment is; zero if it is not later.
    pub fn since_time(self, earlier: DateTime) -> Duration {
        let earlier = Duration::try_from_secs_f64(earlier.as_secs_f64()).unwrap_or_default();
        self.0.saturating_sub(earlier)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::since_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_moment_that_is_not_later_is_no_time_after_another() {
        assert_eq!(at(7).since(at(5)), Duration::from_secs(2));
        assert_eq!(at(5).since(at(7)), Duration::ZERO);
        assert_eq!(at(5).before(Duration::from_secs(2)), at(3));
        assert_eq!(at(5).before(Duration::from_secs(7)), at(0));
        assert_eq!(at(5) + Duration::from_secs(2), at(7));
        assert_eq!(at(5) + Duration::MAX, Moment::since_epoch(Duration::MAX));
        assert_eq!(
            Moment::since_epoch(Duration::from_millis(1999)).as_secs(),
            1
        );
    }

    #[test]
    fn a_moment_is_compared_with_the_services_times() {
        let time = DateTime::from_secs_f64(4.5);
        assert_eq!(at(5).since_time(time), Duration::from_millis(500));
        assert_eq!(at(4).since_time(time), Duration::ZERO);
        // A time before the epoch is as good as the epoch.
        assert_eq!(
            at(4).since_time(DateTime::from_secs(-3)),
            Duration::from_secs(4)
        );
    }
}
