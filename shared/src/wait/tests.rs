use proptest::prelude::*;

use super::*;

#[test]
fn failed_calls_in_a_row_are_repeated_ever_later_with_jitter_up_to_the_longest_pause() {
    let pace = Pace::default();
    let pauses: Vec<_> = (0..12)
        .map(|failures| pace.backoff("one", failures))
        .collect();
    let mut least = pace.shortest / 2;
    for pause in &pauses {
        assert!(*pause >= least && *pause <= least * 2, "{pauses:?}");
        assert!(*pause <= pace.longest, "{pauses:?}");
        least = (least * 2).min(pace.longest / 2);
    }
    let others: Vec<_> = (0..12)
        .map(|failures| pace.backoff("other", failures))
        .collect();
    assert_ne!(
        pauses, others,
        "many processes at once must not stay in step"
    );
    let again: Vec<_> = (0..12)
        .map(|failures| pace.backoff("one", failures))
        .collect();
    assert_eq!(pauses, again, "a process that is asked again says the same");
}

#[test]
fn an_end_is_noticed_within_the_contracts_bounds_at_the_edges() {
    let pace = Pace::default();
    assert_eq!(pace.pause(Duration::ZERO), Duration::from_secs(1));
    assert_eq!(pace.pause(Duration::from_secs(100)), Duration::from_secs(6));
    assert_eq!(
        pace.pause(Duration::from_hours(24)),
        Duration::from_secs(14)
    );
}

proptest! {
    #[test]
    fn an_end_is_noticed_within_the_contracts_bounds(end_ms in 0_u64..4_000_000, call_ms in 0_u64..800) {
        let end = Duration::from_millis(end_ms);
        let call = Duration::from_millis(call_ms);
        let pace = Pace::default();
        let (mut now, mut polls) = (Duration::ZERO, 0_u32);
        while now < end {
            now += pace.pause(now) + call;
            polls += 1;
        }
        let lag = now.saturating_sub(end);
        prop_assert!(lag <= Duration::from_secs(2).max(end.mul_f64(0.1)), "{lag:?} after {end:?}");
        prop_assert!(lag <= Duration::from_secs(15), "{lag:?} after {end:?}");
        // And a long one is cheap: far fewer polls than one a second.
        prop_assert!(f64::from(polls) <= 60.0 + end.as_secs_f64() / 12.0, "{polls} polls in {end:?}");
    }

    #[test]
    fn no_number_of_failures_and_no_seed_makes_a_pause_too_long_or_too_short(
        seed in ".{0,20}", failures in any::<usize>(),
    ) {
        let pace = Pace::default();
        let pause = pace.backoff(&seed, failures);
        prop_assert!(pause >= pace.shortest / 2 && pause <= pace.longest, "{pause:?}");
    }
}
