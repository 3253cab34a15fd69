//! What holds for every poll.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const IN_PROGRESS: [&str; 4] = ["Creating", "Updating", "SystemUpdating", "RollingBack"];

fn any_status() -> impl Strategy<Value = &'static str> {
    select(vec![
        "Creating",
        "Updating",
        "SystemUpdating",
        "RollingBack",
        "InService",
        "OutOfService",
        "Failed",
        "UpdateRollbackFailed",
        "Deleting",
        "Levitating",
    ])
}

fn any_poll() -> impl Strategy<Value = Endpoint> {
    let config = || select(vec![ASKED, PREVIOUS, ANOTHER]);
    let pending = proptest::option::weighted(0.2, config());
    let modified = proptest::option::weighted(0.9, BEFORE - 5..BEFORE + 15);
    let reason = proptest::option::of(Just("alarm".to_owned()));
    (any_status(), config(), pending, modified, reason).prop_map(
        |(status, config, pending, modified, reason)| Endpoint {
            pending_config: pending.map(str::to_owned),
            failure_reason: reason,
            ..poll(status, config, modified)
        },
    )
}

fn any_route() -> impl Strategy<Value = Route> {
    select(vec![Route::Create, Route::Update, Route::Recreate])
}

fn any_launch() -> impl Strategy<Value = Launch> {
    prop_oneof![
        Just(Launch::NotSent),
        Just(Launch::Sent { at: None }),
        Just(Launch::Sent {
            at: Some(launched())
        }),
        Just(Launch::Accepted { at: launched() }),
        proptest::option::of(BEFORE..BEFORE + 10).prop_map(|modified| Launch::Visible {
            modified: modified.map(DateTime::from_secs),
            at: launched(),
        }),
    ]
}

fn any_now() -> impl Strategy<Value = Moment> {
    (0_u64..60).prop_map(|after| launched() + seconds(after))
}

fn target_of(route: Route) -> Target {
    target(if route == Route::Create { "" } else { PREVIOUS })
}

fn is_rollback(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Fail(Why::RolledBack { .. }))
}

/// The last poll with what comes of it, as a process polls until something other than time helps.
fn verdict_of(polls: &[Endpoint], launch: Launch) -> Option<(usize, Verdict)> {
    let (target, mut launch) = (target(PREVIOUS), launch);
    for (number, endpoint) in polls.iter().enumerate() {
        let now = launched() + seconds(10 * number as u64);
        if shows_launch(endpoint, &target, Route::Update) {
            launch = Launch::Visible {
                modified: endpoint.last_modified,
                at: now,
            };
        }
        let verdict = decide(Route::Update, Some(endpoint), &target, launch, now);
        if verdict != Verdict::Wait {
            return Some((number, verdict));
        }
    }
    None
}

proptest! {
    #[test]
    fn only_a_poll_in_service_on_the_target_completes(
        endpoint in any_poll(), route in any_route(), launch in any_launch(), now in any_now(),
    ) {
        let target = target_of(route);
        let completes = decide(route, Some(&endpoint), &target, launch, now) == Verdict::Complete;
        let serves = endpoint.status == EndpointStatus::InService && endpoint.config == ASKED;
        prop_assert_eq!(completes, serves && endpoint.pending_config.as_deref() != Some(ASKED));
    }

    #[test]
    fn no_poll_makes_a_rollback_of_a_launch_that_was_not_accepted(
        endpoint in any_poll(), route in any_route(), sent in proptest::option::of(any::<bool>()), now in any_now(),
    ) {
        let launch = match sent {
            None => Launch::NotSent,
            Some(here) => Launch::Sent { at: here.then(launched) },
        };
        let verdict = decide(route, Some(&endpoint), &target_of(route), launch, now);
        prop_assert!(!is_rollback(&verdict), "{:?}", verdict);
    }

    #[test]
    fn a_rollback_is_in_service_on_the_previous_config_and_newer_than_the_launch(
        endpoint in any_poll(), route in any_route(), launch in any_launch(), now in any_now(),
    ) {
        let verdict = decide(route, Some(&endpoint), &target_of(route), launch, now);
        if let Verdict::Fail(Why::RolledBack { reason }) = verdict {
            prop_assert_eq!(&endpoint.status, &EndpointStatus::InService);
            prop_assert_eq!(&endpoint.config, PREVIOUS);
            prop_assert_eq!(reason, endpoint.failure_reason.clone());
            let modified = endpoint.last_modified.map(|time| time.secs());
            match launch {
                Launch::Accepted { at } => {
                    prop_assert!(modified.is_none_or(|modified| modified > BEFORE));
                    prop_assert!(now.since(at) >= SETTLING);
                }
                Launch::Visible { modified: seen, .. } => {
                    let seen = seen.map(|time| time.secs());
                    let is_stale = modified.zip(seen).is_some_and(|(modified, seen)| modified < seen);
                    prop_assert!(!is_stale);
                }
                _ => prop_assert!(false, "it was not accepted"),
            }
        }
    }

    #[test]
    fn no_series_of_polls_makes_a_rollback_of_what_is_older_than_the_update(
        polls in proptest::collection::vec(any_poll(), 0..20), is_accepted: bool,
    ) {
        let launch = if is_accepted { Launch::Accepted { at: launched() } } else { Launch::NotSent };
        if let Some((last, verdict)) = verdict_of(&polls, launch)
            && is_rollback(&verdict)
        {
            let shown = polls[..last].iter().any(|poll| shows_launch(poll, &target(PREVIOUS), Route::Update));
            prop_assert!(is_accepted || shown, "nobody has seen it");
            let modified = polls[last].last_modified.map(|time| time.secs());
            prop_assert!(shown || modified.is_none_or(|modified| modified > BEFORE));
        }
    }

    #[test]
    fn nothing_is_launched_at_an_endpoint_that_is_in_progress_or_shows_the_launch(
        endpoint in any_poll(), route in any_route(), launch in any_launch(), now in any_now(),
    ) {
        let target = target_of(route);
        match decide(route, Some(&endpoint), &target, launch, now) {
            Verdict::Launch => {
                prop_assert_eq!(&endpoint.status, &EndpointStatus::InService);
                prop_assert!(!endpoint.uses(ASKED));
                prop_assert!(!launch.is_confirmed());
                prop_assert!(route != Route::Create);
            }
            Verdict::DeleteFailed => {
                prop_assert_eq!(&endpoint.status, &EndpointStatus::Failed);
                prop_assert_eq!(route, Route::Recreate);
                prop_assert!(!launch.is_confirmed());
            }
            _ => {}
        }
    }

    #[test]
    fn a_status_that_nobody_knows_is_an_error_and_not_one_more_poll(
        mut endpoint in any_poll(), route in any_route(), launch in any_launch(), now in any_now(),
    ) {
        endpoint.status = EndpointStatus::from("Levitating");
        let verdict = decide(route, Some(&endpoint), &target_of(route), launch, now);
        prop_assert!(matches!(verdict, Verdict::Fail(_)), "{:?}", verdict);
    }

    #[test]
    fn an_endpoint_in_progress_with_what_is_ours_is_waited_for(
        mut endpoint in any_poll(), route in any_route(), launch in any_launch(), now in any_now(),
        status in select(IN_PROGRESS.to_vec()),
    ) {
        endpoint.status = EndpointStatus::from(status);
        let target = target_of(route);
        let verdict = decide(route, Some(&endpoint), &target, launch, now);
        let is_ours = launch.is_confirmed() || endpoint.config == ASKED || shows_launch(&endpoint, &target, route);
        let waits = route != Route::Create || is_ours;
        prop_assert_eq!(verdict == Verdict::Wait, waits);
    }

    #[test]
    fn a_failed_endpoint_is_deleted_only_for_a_deployment_that_replaces_it(
        endpoint in proptest::option::of(any_poll()), launch in any_launch(),
        replaces: bool, recreates in proptest::option::of(any_route()), is_new: bool,
    ) {
        let kind = if is_new { DeploymentKind::New } else { DeploymentKind::Existing };
        let written = recreates.map(super::written);
        let on_failed = if replaces { OnFailedEndpoint::Replace } else { OnFailedEndpoint::Refuse };
        let route = route(kind, on_failed, written.as_ref(), launch, endpoint.as_ref());
        let has_written = recreates == Some(Route::Recreate);
        match route {
            Route::Create => prop_assert!(is_new),
            Route::Recreate => prop_assert!(!is_new && (replaces || has_written)),
            Route::Update => prop_assert!(!is_new),
        }
    }
}

#[test]
fn a_process_that_waits_notices_the_rollback_of_a_launch_that_it_has_seen() {
    let under_way = Endpoint {
        pending_config: Some(ASKED.to_owned()),
        ..poll("Updating", PREVIOUS, Some(AFTER))
    };
    let stale = poll("InService", PREVIOUS, Some(BEFORE));
    let back = Endpoint {
        failure_reason: Some("alarm".to_owned()),
        ..poll("InService", PREVIOUS, Some(AFTER + 9))
    };
    let polls = [stale.clone(), under_way, stale, back];
    let rolled_back = Verdict::Fail(Why::RolledBack {
        reason: Some("alarm".to_owned()),
    });
    let accepted = Launch::Accepted { at: launched() };
    assert_eq!(verdict_of(&polls, accepted), Some((3, rolled_back)));
}

#[test]
fn another_deployment_that_overtook_this_one_is_no_rollback() {
    let replaced = poll("InService", ANOTHER, Some(AFTER));
    let now = launched() + SETTLING;
    let launch = Launch::Accepted { at: launched() };
    let verdict = decide(
        Route::Update,
        Some(&replaced),
        &target(PREVIOUS),
        launch,
        now,
    );
    let why = NotUpdatable::Replaced {
        endpoint_config: ANOTHER.to_owned(),
    };
    assert_eq!(verdict, Verdict::Fail(Why::NotUpdatable(why)));
}
