//! How long a call may wait, and when its answer is due.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Time kept free before the invocation's deadline, for the answer to leave in.
const MARGIN: Duration = Duration::from_secs(2);

/// Time kept free after the waiting, for a failed deployment to be undone in: a call that hangs takes 12 s of it, and 5 s
/// pass before a poll is certain. With the longest wait that is usual, the answer is still there before a pipeline's
/// `LambdaStep` ends.
const UNDO_RESERVE: Duration = Duration::from_secs(30);

/// How much longer than its waiting budget a call may take where no deadline is known.
const GRACE: Duration = Duration::from_secs(45);

/// The points in time that a call keeps to.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// When the call began.
    pub started: Instant,
    /// When the waiting ends.
    pub wait_until: Instant,
    /// When the undo of a failed deployment gives up.
    pub undo_until: Instant,
    /// When the answer leaves, whatever the service does.
    pub answer_by: Instant,
}

impl Budget {
    /// The budget of a call that begins now, may wait for `max_wait`, and whose invocation ends after
    /// `remaining` if that is known.
    ///
    /// Of the invocation's time, 30 s are kept for an undo and 2 s for the answer to leave in, each a quarter of it at
    /// most; a longer wait is cut to what is left.
    pub fn new(max_wait: Duration, remaining: Option<Duration>) -> Self {
        let started = Instant::now();
        let (wait, answer) = split(max_wait, remaining);
        Self {
            started,
            wait_until: started + wait,
            undo_until: started + (wait + UNDO_RESERVE).min(answer),
            answer_by: started + answer,
        }
    }
}

/// How long to wait and when to answer.
fn split(max_wait: Duration, remaining: Option<Duration>) -> (Duration, Duration) {
    let answer = remaining.map_or(max_wait + GRACE, |remaining| less(remaining, MARGIN));
    let wait = less(answer, UNDO_RESERVE);
    (max_wait.min(wait), answer)
}

/// A time without what is reserved of it: a quarter at most, so that something is left of a short one.
fn less(time: Duration, reserved: Duration) -> Duration {
    time.saturating_sub(reserved.min(time / 4))
}

/// The time until an invocation's deadline, which Lambda gives in milliseconds since the epoch.
///
/// `None` where the deadline has passed: no invocation is begun after its deadline, so it is a development
/// server's placeholder.
pub fn remaining_until(deadline_ms: u64, now: SystemTime) -> Option<Duration> {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_millis(deadline_ms))?
        .duration_since(now)
        .ok()
        .filter(|remaining| !remaining.is_zero())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_development_servers_constant_deadline_is_no_deadline() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        assert_eq!(remaining_until(600_000, now), None);
        assert_eq!(remaining_until(0, now), None);
        assert_eq!(
            remaining_until(1_800_000_007_000, now),
            Some(Duration::from_secs(7))
        );
        assert!(remaining_until(u64::MAX, now).is_some());
    }

    #[test]
    fn a_waiting_budget_that_fits_is_given_whole() {
        let (wait, answer) = split(Duration::from_secs(540), Some(Duration::from_secs(900)));
        assert_eq!(wait, Duration::from_secs(540));
        assert_eq!(answer, Duration::from_secs(898));
        let (wait, answer) = split(Duration::from_secs(540), None);
        assert_eq!(wait, Duration::from_secs(540));
        assert!(answer > wait && answer < Duration::from_secs(600));
    }

    #[test]
    fn of_a_short_time_no_more_than_a_quarter_is_kept_free() {
        let (wait, answer) = split(Duration::from_secs(540), Some(Duration::from_secs(4)));
        assert_eq!(answer, Duration::from_secs(3));
        assert_eq!(wait, Duration::from_millis(2250));
    }

    proptest! {
        #[test]
        fn the_answer_always_leaves_before_the_deadline_and_the_wait_ends_before_the_answer(
            max_wait in 0_u64..100_000, remaining_ms in 1_u64..1_000_000,
        ) {
            let remaining = Duration::from_millis(remaining_ms);
            let (wait, answer) = split(Duration::from_secs(max_wait), Some(remaining));
            prop_assert!(answer < remaining);
            prop_assert!(wait < answer);
        }
    }
}
