//! The time, in the form in which the service tells it.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::time::Instant;

/// A point in time: how long after the Unix epoch, in whole milliseconds.
pub(crate) type Moment = Duration;

/// The smallest step of time that an answer can show.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// A clock that starts with the server and never runs backwards.
///
/// It follows tokio's clock, so that a test which pauses and advances the time moves the endpoints
/// along with it.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    epoch: Moment,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let started = Instant::now();
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            started,
            epoch: epoch.unwrap_or_default() + ahead(started),
        }
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Moment {
        let precise = self.epoch + self.elapsed();
        Duration::new(precise.as_secs(), precise.subsec_millis() * 1_000_000)
    }

    /// How long the server has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// How far a test has moved tokio's clock past the system's, so that a server that starts then agrees on the time with
/// whoever follows tokio's clock too.
fn ahead(moment: Instant) -> Duration {
    moment
        .into_std()
        .saturating_duration_since(std::time::Instant::now())
}

/// A moment as JSON: a number of seconds since the epoch with milliseconds.
pub(crate) fn timestamp(moment: Moment) -> Value {
    Value::from(moment.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_a_number_of_seconds_with_milliseconds() {
        assert_eq!(
            timestamp(Duration::from_millis(1_530_000_000_123)).to_string(),
            "1530000000.123"
        );
    }

    #[test]
    fn the_present_moment_is_in_whole_milliseconds() {
        let now = Clock::start().now();
        assert_eq!(now.subsec_nanos() % 1_000_000, 0);
        assert!(now > Duration::from_secs(1_700_000_000));
    }
}
