use proptest::prelude::*;

use super::*;

const ASKED: &str = "endpoint-config-asked";
const BEFORE: &str = "endpoint-config-before";
const OTHER: &str = "endpoint-config-other";

const STATUSES: [EndpointStatus; 9] = [
    EndpointStatus::Creating,
    EndpointStatus::Deleting,
    EndpointStatus::Failed,
    EndpointStatus::InService,
    EndpointStatus::OutOfService,
    EndpointStatus::RollingBack,
    EndpointStatus::SystemUpdating,
    EndpointStatus::UpdateRollbackFailed,
    EndpointStatus::Updating,
];

fn endpoint(status: EndpointStatus, config: &str, modified: Option<i64>) -> Endpoint {
    Endpoint {
        arn: String::new(),
        status,
        config: config.to_owned(),
        pending_config: None,
        failure_reason: None,
        last_modified: modified.map(DateTime::from_secs),
        created: None,
    }
}

fn begun(since: Since) -> Begun {
    Begun {
        config_before: BEFORE.to_owned(),
        since,
        certain: true,
    }
}

fn at(seconds: i64) -> DateTime {
    DateTime::from_secs(seconds)
}

#[test]
fn each_status_has_its_place_before_and_after_the_deployment_began() {
    use EndpointStatus as S;
    let update = begun(Since::Before(Some(at(100))));
    let cases = [
        (S::Creating, Progress::Pending, Progress::Pending),
        (S::Updating, Progress::Pending, Progress::Pending),
        (S::SystemUpdating, Progress::Pending, Progress::Pending),
        (S::RollingBack, Progress::Pending, Progress::Pending),
        (
            S::InService,
            Progress::NotBegun,
            Progress::RolledBack { reason: None },
        ),
        (
            S::Failed,
            Progress::Failed { reason: None },
            Progress::Failed { reason: None },
        ),
        (S::Deleting, Progress::Deleting, Progress::Deleting),
        (S::OutOfService, Progress::Unexpected, Progress::Unexpected),
        (
            S::UpdateRollbackFailed,
            Progress::Unexpected,
            Progress::Unexpected,
        ),
        (
            S::from("Levitating"),
            Progress::Unexpected,
            Progress::Unexpected,
        ),
    ];
    for (status, before, after) in cases {
        let seen = endpoint(status.clone(), BEFORE, Some(101));
        assert_eq!(classify(&seen, ASKED, None), before, "{status}");
        assert_eq!(classify(&seen, ASKED, Some(&update)), after, "{status}");
    }
}

#[test]
fn a_rollback_is_told_from_a_stale_read_by_the_time_of_the_last_change() {
    let cases = [
        // We began it, and know how the endpoint looked before.
        (Since::Before(Some(at(100))), Some(100), false),
        (Since::Before(Some(at(100))), Some(99), false),
        (Since::Before(Some(at(100))), Some(101), true),
        // We found it under way.
        (Since::UnderWay(Some(at(100))), Some(99), false),
        (Since::UnderWay(Some(at(100))), Some(100), true),
        (Since::UnderWay(Some(at(100))), Some(101), true),
        // The service gives no times.
        (Since::Before(None), None, false),
        (Since::UnderWay(None), None, true),
    ];
    for (since, modified, rolled_back) in cases {
        let seen = endpoint(EndpointStatus::InService, BEFORE, modified);
        let expected = if rolled_back {
            Progress::RolledBack { reason: None }
        } else {
            Progress::Pending
        };
        assert_eq!(
            classify(&seen, ASKED, Some(&begun(since))),
            expected,
            "{since:?} {modified:?}"
        );
    }
}

#[test]
fn a_rollback_carries_its_reason_where_there_is_one() {
    let mut seen = endpoint(EndpointStatus::InService, BEFORE, Some(101));
    seen.failure_reason = Some("alarm".to_owned());
    assert_eq!(
        classify(&seen, ASKED, Some(&begun(Since::Before(Some(at(100)))))),
        Progress::RolledBack {
            reason: Some("alarm".to_owned())
        }
    );
}

#[test]
fn where_the_reply_was_lost_the_endpoint_as_it_was_means_that_nothing_has_begun() {
    let lost = Begun {
        certain: false,
        ..begun(Since::Before(Some(at(100))))
    };
    let look = |config, modified| {
        classify(
            &endpoint(EndpointStatus::InService, config, modified),
            ASKED,
            Some(&lost),
        )
    };
    assert_eq!(look(BEFORE, Some(100)), Progress::NotBegun);
    assert_eq!(look(OTHER, Some(101)), Progress::NotBegun);
    assert_eq!(
        look(BEFORE, Some(101)),
        Progress::RolledBack { reason: None }
    );
    assert_eq!(look(ASKED, Some(101)), Progress::Ready);
}

#[test]
fn another_deployment_that_overtook_this_one_is_no_rollback() {
    let seen = endpoint(EndpointStatus::InService, OTHER, Some(101));
    assert_eq!(
        classify(&seen, ASKED, Some(&begun(Since::Before(Some(at(100)))))),
        Progress::Superseded
    );
}

#[test]
fn failed_calls_in_a_row_are_repeated_ever_later_with_jitter_up_to_the_longest_pause() {
    let pace = Pace::default();
    let pauses: Vec<_> = pace.backoff().take(12).collect();
    assert_eq!(pauses.len(), 12, "it does not give up by itself");
    let mut least = pace.shortest / 2;
    for pause in &pauses {
        assert!(*pause >= least && *pause <= least * 2, "{pauses:?}");
        assert!(*pause <= pace.longest, "{pauses:?}");
        least = (least * 2).min(pace.longest / 2);
    }
    let others: Vec<_> = pace.backoff().take(12).collect();
    assert_ne!(pauses, others, "many callers at once must not stay in step");
}

fn any_look() -> impl Strategy<Value = Endpoint> {
    (
        proptest::sample::select(STATUSES.to_vec()),
        proptest::sample::select(vec![ASKED, BEFORE, OTHER]),
        proptest::option::of(95_i64..105),
    )
        .prop_map(|(status, config, modified)| endpoint(status, config, modified))
}

/// What the loop does with a series of looks: the first one that is not pending decides.
fn verdict(looks: &[Endpoint], begun: &Begun) -> Option<(usize, Progress)> {
    looks
        .iter()
        .map(|look| classify(look, ASKED, Some(begun)))
        .enumerate()
        .find(|(_, progress)| *progress != Progress::Pending)
}

proptest! {
    #[test]
    fn only_a_look_in_service_on_what_was_asked_is_a_success(look in any_look(), has_begun: bool) {
        let begun = begun(Since::Before(Some(at(100))));
        let ready = classify(&look, ASKED, has_begun.then_some(&begun)) == Progress::Ready;
        prop_assert_eq!(ready, look.status == EndpointStatus::InService && look.config == ASKED);
    }

    #[test]
    fn no_series_of_looks_makes_a_rollback_of_what_is_older_than_the_update(
        looks in proptest::collection::vec(any_look(), 0..20),
    ) {
        if let Some((index, progress)) = verdict(&looks, &begun(Since::Before(Some(at(100))))) {
            let look = &looks[index];
            if let Progress::RolledBack { .. } = progress {
                prop_assert!(look.last_modified.is_some_and(|time| time.secs() > 100));
                prop_assert_eq!(&look.config, BEFORE);
            }
            // Everything before the verdict really was a reason to look again.
            for earlier in &looks[..index] {
                let stale = earlier.status == EndpointStatus::InService
                    && earlier.config == BEFORE
                    && earlier.last_modified.is_none_or(|time| time.secs() <= 100);
                let under_way = matches!(
                    earlier.status,
                    EndpointStatus::Creating | EndpointStatus::Updating
                        | EndpointStatus::SystemUpdating | EndpointStatus::RollingBack
                );
                prop_assert!(stale || under_way, "{:?}", earlier);
            }
        }
    }

    #[test]
    fn an_end_is_noticed_within_the_contracts_bounds(end_ms in 0_u64..4_000_000, call_ms in 0_u64..800) {
        let end = Duration::from_millis(end_ms);
        let call = Duration::from_millis(call_ms);
        let pace = Pace::default();
        let (mut now, mut looks) = (Duration::ZERO, 0_u32);
        while now < end {
            now += pace.pause(now) + call;
            looks += 1;
        }
        let lag = now.saturating_sub(end);
        prop_assert!(lag <= Duration::from_secs(2).max(end.mul_f64(0.1)), "{lag:?} after {end:?}");
        prop_assert!(lag <= Duration::from_secs(15), "{lag:?} after {end:?}");
        // And a long one is cheap: far fewer looks than one a second.
        prop_assert!(f64::from(looks) <= 60.0 + end.as_secs_f64() / 12.0, "{looks} looks in {end:?}");
    }
}
