use super::*;

const START: Moment = Duration::from_secs(1_000);

fn settings() -> Settings {
    Settings {
        create: Duration::from_secs(3),
        update: Duration::from_secs(5),
        rollback: Duration::from_secs(2),
        delete: Duration::from_secs(1),
        ..Settings::default()
    }
}

fn deployed(name: &str) -> Arc<Deployed> {
    Arc::new(Deployed::named(name))
}

/// The endpoint in one line, such as `Updating a>b since 0 s: reason`.
fn told(course: &Course, seconds: f64) -> String {
    let Some(view) = course.at(START + Duration::from_secs_f64(seconds), &Alarms::default()) else {
        return "gone".to_owned();
    };
    let Phase {
        status,
        live,
        pending,
        failure_reason,
        ..
    } = view.phase;
    let pending = pending
        .as_ref()
        .map_or(String::new(), |pending| format!(">{}", pending.name));
    let reason = failure_reason
        .as_ref()
        .map_or(String::new(), |reason| format!(": {reason}"));
    let since = view.modified.saturating_sub(START).as_secs();
    format!("{status} {}{pending} since {since} s{reason}", live.name)
}

#[test]
fn a_creation_ends_in_service() {
    let course = Course::creation(START, &settings(), &deployed("a"), None);
    assert_eq!(told(&course, 0.0), "Creating a>a since 0 s");
    assert_eq!(told(&course, 2.999), "Creating a>a since 0 s");
    assert_eq!(told(&course, 3.0), "InService a since 3 s");
    assert_eq!(told(&course, 1e6), "InService a since 3 s");
}

#[test]
fn a_creation_fails_with_and_without_a_reason() {
    for reason in [Some("no capacity"), Some(""), None] {
        let told_reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        let outcome = Outcome::CreateFails {
            reason: reason.map(str::to_owned),
        };
        let course = Course::creation(START, &settings(), &deployed("a"), Some(outcome));
        assert_eq!(told(&course, 1.0), "Creating a>a since 0 s");
        assert_eq!(
            told(&course, 4.0),
            format!("Failed a since 3 s{told_reason}")
        );
    }
}

#[test]
fn an_update_keeps_the_old_config_live_until_it_ends() {
    let course = Course::update(START, &settings(), &deployed("a"), &deployed("b"), None);
    assert_eq!(told(&course, 4.999), "Updating a>b since 0 s");
    assert_eq!(told(&course, 5.0), "InService b since 5 s");
}

#[test]
fn an_update_that_is_rolled_back_ends_in_service_on_the_old_config() {
    for reason in [Some("unhealthy"), None] {
        let told_reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        let outcome = Outcome::UpdateRollsBack {
            reason: reason.map(str::to_owned),
        };
        let course = Course::update(
            START,
            &settings(),
            &deployed("a"),
            &deployed("b"),
            Some(outcome),
        );
        assert_eq!(told(&course, 1.0), "Updating a>b since 0 s");
        assert_eq!(told(&course, 5.0), "RollingBack a>b since 5 s");
        assert_eq!(told(&course, 6.999), "RollingBack a>b since 5 s");
        assert_eq!(
            told(&course, 7.0),
            format!("InService a since 7 s{told_reason}")
        );
    }
}

#[test]
fn a_rollback_that_fails_leaves_both_configs_in_service() {
    let outcome = Outcome::UpdateRollbackFails {
        reason: Some("stuck".to_owned()),
    };
    let course = Course::update(
        START,
        &settings(),
        &deployed("a"),
        &deployed("b"),
        Some(outcome),
    );
    assert_eq!(told(&course, 6.0), "RollingBack a>b since 5 s");
    assert_eq!(
        told(&course, 7.0),
        "UpdateRollbackFailed a>b since 7 s: stuck"
    );
}

#[test]
fn an_update_may_end_failed() {
    let outcome = Outcome::UpdateFails {
        reason: Some("lost".to_owned()),
    };
    let course = Course::update(
        START,
        &settings(),
        &deployed("a"),
        &deployed("b"),
        Some(outcome),
    );
    assert_eq!(told(&course, 1.0), "Updating a>b since 0 s");
    assert_eq!(told(&course, 5.0), "Failed a since 5 s: lost");
}

#[test]
fn a_deleted_endpoint_is_gone_after_a_while() {
    let phase = Phase::new("Failed", &deployed("a")).because(Some("lost".to_owned()));
    let course = Course::deletion(START, &settings(), &phase);
    assert_eq!(told(&course, 0.999), "Deleting a since 0 s: lost");
    assert_eq!(told(&course, 1.0), "gone");
}

#[test]
fn a_forced_status_lasts_as_told() {
    let phase = Phase::new("Updating", &deployed("a")).pending(&deployed("b"));

    let passing = Course::forced(
        START,
        "SystemUpdating",
        Some(Duration::from_secs(2)),
        &phase,
    );
    assert_eq!(told(&passing, 1.999), "SystemUpdating a since 0 s");
    assert_eq!(told(&passing, 2.0), "InService a since 2 s");

    let lasting = Course::forced(START, "OutOfService", None, &phase);
    assert_eq!(told(&lasting, 1e6), "OutOfService a since 0 s");
}

#[test]
fn what_takes_no_time_is_never_seen() {
    let at_once = Settings {
        create: Duration::ZERO,
        update: Duration::ZERO,
        delete: Duration::ZERO,
        ..settings()
    };
    let created = Course::creation(START, &at_once, &deployed("a"), None);
    assert_eq!(told(&created, 0.0), "InService a since 0 s");
    let deleted = Course::deletion(START, &at_once, &Phase::new("InService", &deployed("a")));
    assert_eq!(told(&deleted, 0.0), "gone");
}

#[test]
fn only_the_statuses_of_work_under_way_refuse_a_change() {
    for (status, in_progress) in [
        ("Creating", true),
        ("Updating", true),
        ("SystemUpdating", true),
        ("RollingBack", true),
        ("Deleting", true),
        ("InService", false),
        ("OutOfService", false),
        ("Failed", false),
        ("UpdateRollbackFailed", false),
    ] {
        assert_eq!(
            Phase::new(status, &deployed("a")).is_in_progress(),
            in_progress,
            "{status}"
        );
    }
}

#[test]
fn the_last_modified_time_moves_with_every_change() {
    let (settings, config) = (settings(), deployed("a"));
    let created = Course::creation(START, &settings, &config, None);
    let view = created.at(START, &Alarms::default()).expect("there");
    let forced = Course::forced(START, "InService", None, &view.phase).after(view.modified);
    let later = forced.at(START, &Alarms::default()).expect("there");
    assert_eq!(later.modified, view.modified + TICK);
    let again = Course::forced(START, "InService", None, &later.phase).after(later.modified);
    assert_eq!(
        again.at(START, &Alarms::default()).expect("there").modified,
        view.modified + TICK * 2
    );
}
