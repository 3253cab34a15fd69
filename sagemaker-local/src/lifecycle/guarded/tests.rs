use serde_json::json;

use super::*;

const START: Moment = Duration::from_secs(1_000);

/// A fleet is made in 5 s and rolled back in 2 s.
fn settings(guardrail_scale: f64) -> Settings {
    Settings {
        update: Duration::from_secs(5),
        rollback: Duration::from_secs(2),
        guardrail_scale,
        ..Settings::default()
    }
}

/// A deployment config of a canary of a tenth, 60 s after each shift and 30 s before the end.
fn canary(more: &Value) -> Value {
    let mut policy = json!({
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": { "Type": "CAPACITY_PERCENT", "Value": 10 },
            "WaitIntervalInSeconds": 60,
        },
        "TerminationWaitInSeconds": 30,
    });
    let more = more.as_object().expect("an object").clone();
    policy.as_object_mut().expect("an object").extend(more);
    json!({
        "BlueGreenUpdatePolicy": policy,
        "AutoRollbackConfiguration": { "Alarms": [{ "AlarmName": "slow" }, { "AlarmName": "wrong" }] },
    })
}

fn update(config: &Value, scale: f64) -> Course {
    let old = Arc::new(Deployed::named("a"));
    let new = Arc::new(Deployed {
        deployment_config: Some(config.clone()),
        ..Deployed::named("b")
    });
    Course::update(START, &settings(scale), &old, &new, None)
}

/// Alarms that changed so many seconds after the start.
fn alarms(changes: &[(f64, &str, bool)]) -> Alarms {
    let mut alarms = Alarms::default();
    for (seconds, name, tripped) in changes {
        let moment = Duration::from_secs_f64(START.as_secs_f64() + seconds);
        alarms.set(name, *tripped, moment);
    }
    alarms
}

/// The endpoint in one line, such as `Updating a 10% Baking since 5 s`.
fn told(course: &Course, alarms: &Alarms, seconds: f64) -> String {
    let now = START + Duration::from_secs_f64(seconds);
    let view = course.at(now, alarms).expect("an endpoint");
    let phase = &view.phase;
    let stage = phase
        .stage
        .map_or(String::new(), |stage| format!(" {stage:?}"));
    let since = view.since.saturating_sub(START).as_secs_f64();
    format!(
        "{} {} {}%{stage} since {since} s",
        phase.status,
        phase.live.name,
        phase.traffic.percent(),
    )
}

fn reason(course: &Course, alarms: &Alarms) -> Option<String> {
    let end = START + Duration::from_secs(100_000);
    let view = course.at(end, alarms).expect("an endpoint");
    view.phase.failure_reason
}

#[test]
fn a_canary_bakes_twice_and_keeps_the_old_fleet_for_a_while() {
    let (course, calm) = (update(&canary(&json!({})), 1.0), Alarms::default());
    for (seconds, expected) in [
        (0.0, "Updating a 0% Creating since 0 s"),
        (4.999, "Updating a 0% Creating since 0 s"),
        (5.0, "Updating a 10% Baking since 5 s"),
        (64.999, "Updating a 10% Baking since 5 s"),
        (65.0, "Updating a 100% Baking since 65 s"),
        (125.0, "Updating a 100% Terminating since 125 s"),
        (154.999, "Updating a 100% Terminating since 125 s"),
        (155.0, "InService b 100% since 155 s"),
        (1e6, "InService b 100% since 155 s"),
    ] {
        assert_eq!(told(&course, &calm, seconds), expected);
    }
    assert_eq!(reason(&course, &calm), None);
}

#[test]
fn a_rolling_update_bakes_after_each_batch() {
    let rolling = json!({ "RollingUpdatePolicy": {
        "MaximumBatchSize": { "Type": "CAPACITY_PERCENT", "Value": 50 },
        "WaitIntervalInSeconds": 10,
    } });
    let (course, calm) = (update(&rolling, 1.0), Alarms::default());
    for (seconds, expected) in [
        (5.0, "Updating a 50% Baking since 5 s"),
        (15.0, "Updating a 100% Baking since 15 s"),
        (25.0, "InService b 100% since 25 s"),
    ] {
        assert_eq!(told(&course, &calm, seconds), expected);
    }
}

#[test]
fn the_waits_are_scaled_and_the_making_of_the_fleet_is_not() {
    let calm = Alarms::default();
    let course = update(&canary(&json!({})), 0.1);
    for (seconds, expected) in [
        (4.999, "Updating a 0% Creating since 0 s"),
        (5.0, "Updating a 10% Baking since 5 s"),
        (11.0, "Updating a 100% Baking since 11 s"),
        (17.0, "Updating a 100% Terminating since 17 s"),
        (20.0, "InService b 100% since 20 s"),
    ] {
        assert_eq!(told(&course, &calm, seconds), expected);
    }
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let course = update(&canary(&json!({})), scale);
        assert_eq!(
            told(&course, &calm, 4.999),
            "Updating a 0% Creating since 0 s"
        );
        assert_eq!(
            told(&course, &calm, 5.0),
            "InService b 100% since 5 s",
            "{scale}"
        );
    }
}

#[test]
fn the_last_modified_time_stays_while_the_status_does() {
    let (course, calm) = (update(&canary(&json!({})), 1.0), Alarms::default());
    for (seconds, modified) in [(5, 0), (70, 0), (154, 0), (155, 155), (300, 155)] {
        let view = course.at(START + Duration::from_secs(seconds), &calm);
        let view = view.expect("an endpoint");
        assert_eq!(view.modified, START + Duration::from_secs(modified));
        assert_eq!(view.started, START);
    }
}

#[test]
fn an_alarm_rolls_the_update_back_from_the_moment_it_goes_off() {
    let course = update(&canary(&json!({})), 1.0);
    let alarms = alarms(&[(7.5, "wrong", true)]);
    for (seconds, expected) in [
        (7.499, "Updating a 10% Baking since 5 s"),
        (7.5, "RollingBack a 0% RollingBack since 7.5 s"),
        (9.499, "RollingBack a 0% RollingBack since 7.5 s"),
        (9.5, "InService a 0% since 9.5 s"),
        (200.0, "InService a 0% since 9.5 s"),
    ] {
        assert_eq!(told(&course, &alarms, seconds), expected);
    }
    let view = course.at(START + Duration::from_secs(8), &alarms);
    let view = view.expect("an endpoint");
    let pending = view.phase.pending.expect("a deployment that is undone");
    assert_eq!(pending.name, "b");
    assert_eq!(view.modified, START + Duration::from_millis(7_500));
    assert_eq!(view.phase.failure_reason, None);
    let reason = reason(&course, &alarms).expect("a reason");
    assert!(reason.contains("[wrong] went into alarm state"), "{reason}");
}

#[test]
fn alarms_are_watched_from_the_first_shift_to_the_end_of_the_last_bake() {
    let course = update(&canary(&json!({})), 1.0);
    for (changes, rolled_back) in [
        (&[(-9.0, "slow", true)][..], Some(5.0)),
        (&[(4.0, "slow", true)], Some(5.0)),
        (&[(1.0, "slow", true), (4.0, "slow", false)], None),
        (&[(5.0, "slow", true)], Some(5.0)),
        (&[(90.0, "slow", true), (91.0, "slow", false)], Some(90.0)),
        (&[(124.999, "slow", true)], Some(124.999)),
        (&[(125.0, "slow", true)], None),
        (&[(90.0, "fine", true)], None),
    ] {
        let alarms = alarms(changes);
        let (end, expected) = rolled_back.map_or((155.0, "InService b 100%"), |at| {
            (at + 2.0, "InService a 0%")
        });
        let expected = format!("{expected} since {end} s");
        assert_eq!(told(&course, &alarms, 1e6), expected, "{changes:?}");
    }
}

#[test]
fn an_alarm_that_is_in_alarm_already_stops_an_update_without_a_bake() {
    let mut config = canary(&json!({}));
    config["BlueGreenUpdatePolicy"] = Value::Null;
    let course = update(&config, 1.0);
    assert_eq!(
        told(&course, &Alarms::default(), 5.0),
        "InService b 100% since 5 s"
    );
    let alarms = alarms(&[(1.0, "slow", true), (1.0, "wrong", true)]);
    assert_eq!(
        told(&course, &alarms, 5.0),
        "RollingBack a 0% RollingBack since 5 s"
    );
    let reason = reason(&course, &alarms).expect("a reason");
    assert!(reason.contains("[slow, wrong]"), "{reason}");
}

#[test]
fn an_update_that_takes_too_long_is_rolled_back() {
    // 5 s for the fleet, twice 3600 s of baking and 30 s for the old fleet.
    let long = |timeout: u64| {
        let mut config = canary(&json!({ "MaximumExecutionTimeoutInSeconds": timeout }));
        config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"] =
            3600.into();
        config
    };
    let calm = Alarms::default();
    for (timeout, scale, end) in [
        (7234, 1.0, "InService a 0% since 7236 s"),
        (7235, 1.0, "InService b 100% since 7235 s"),
        (605, 1.0, "InService a 0% since 607 s"),
        // In the same place, however short the waits are made.
        (605, 0.01, "InService a 0% since 13 s"),
        (7235, 0.01, "InService b 100% since 77.3 s"),
        (605, 0.0, "InService a 0% since 7 s"),
    ] {
        let course = update(&long(timeout), scale);
        assert_eq!(told(&course, &calm, 1e6), end, "{timeout} {scale}");
    }
    let course = update(&long(605), 1.0);
    assert_eq!(
        told(&course, &calm, 604.999),
        "Updating a 10% Baking since 5 s"
    );
    assert_eq!(
        told(&course, &calm, 605.0),
        "RollingBack a 0% RollingBack since 605 s"
    );
    let why = reason(&course, &calm).expect("a reason");
    assert!(why.contains("MaximumExecutionTimeoutInSeconds"), "{why}");
    // What comes first decides.
    let alarms = alarms(&[(604.0, "slow", true)]);
    let why = reason(&course, &alarms).expect("a reason");
    assert!(why.contains("[slow]"), "{why}");
}

#[test]
fn the_time_runs_out_before_the_fleet_is_there() {
    let config = canary(&json!({ "MaximumExecutionTimeoutInSeconds": 600 }));
    let (old, new) = (Deployed::named("a"), Deployed::named("b"));
    let slow = Settings {
        update: Duration::from_secs(700),
        ..settings(0.5)
    };
    let course = Course::guarded_update(START, &slow, &Arc::new(old), &Arc::new(new), &config);
    let calm = Alarms::default();
    assert_eq!(
        told(&course, &calm, 599.999),
        "Updating a 0% Creating since 0 s"
    );
    assert_eq!(
        told(&course, &calm, 600.0),
        "RollingBack a 0% RollingBack since 600 s"
    );
}

#[test]
fn a_forced_status_ends_the_deployment_and_its_alarms() {
    let (course, calm) = (update(&canary(&json!({})), 1.0), Alarms::default());
    let now = START + Duration::from_secs(70);
    let view = course.at(now, &calm).expect("an endpoint");
    let forced = Course::forced(now, "InService", None, &view.phase);
    let alarms = alarms(&[(80.0, "slow", true)]);
    assert_eq!(told(&forced, &alarms, 1e6), "InService a 0% since 70 s");
}

#[test]
fn an_outcome_that_was_told_ahead_decides() {
    use crate::outcomes::Outcome;

    let old = Arc::new(Deployed::named("a"));
    let new = Arc::new(Deployed {
        deployment_config: Some(canary(&json!({}))),
        ..Deployed::named("b")
    });
    let reason = Some("unhealthy".to_owned());
    let outcome = Some(Outcome::UpdateRollsBack { reason });
    let course = Course::update(START, &settings(1.0), &old, &new, outcome);
    let alarms = alarms(&[(1.0, "slow", true)]);
    for (seconds, expected) in [
        (4.999, "Updating a 0% since 0 s"),
        (5.0, "RollingBack a 0% since 5 s"),
        (7.0, "InService a 0% since 7 s"),
    ] {
        assert_eq!(told(&course, &alarms, seconds), expected);
    }
    let view = course.at(START + Duration::from_secs(7), &alarms);
    let why = view.expect("an endpoint").phase.failure_reason;
    assert_eq!(why.as_deref(), Some("unhealthy"));
}
